"""What a user calls: the model, and all that is done with it.

Each method checks what it is given, delegates, and returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import tensorflow as tf

from vae_tf1.checkpoint import folder, store
from vae_tf1.checkpoint.store import Saved
from vae_tf1.checks import check_count
from vae_tf1.convert import arrays, export
from vae_tf1.convert.network import Network, assign
from vae_tf1.data.labels import Labelled, one_hot, with_labels
from vae_tf1.data.rows import ArrayLike, Rows, as_rows
from vae_tf1.errors import CheckpointError, reason
from vae_tf1.inference.marginal import ImportanceSampler, LogLikelihood
from vae_tf1.inference.rows import Evaluation, Inference
from vae_tf1.likelihoods import Likelihood, support_of
from vae_tf1.model import optimizers
from vae_tf1.model.composition import PARTS
from vae_tf1.model.graph import Model, Pass
from vae_tf1.model.parts import missing, rebuild
from vae_tf1.model.state import Costs, History
from vae_tf1.model.support import REAL
from vae_tf1.training.autosave import Autosave, NoAutosave
from vae_tf1.training.binarization import Binarizer
from vae_tf1.training.callbacks import Callbacks
from vae_tf1.training.team import join
from vae_tf1.training.tensorboard import TensorBoard
from vae_tf1.training.trainer import Trainer
from vae_tf1.training.validation import NoValidation, Validation, split

if TYPE_CHECKING:
    from os import PathLike

    from vae_tf1.cluster.workers import Cluster
    from vae_tf1.gaussian import Gaussian

Layers = Sequence[Any] | Callable[[], Sequence[Any]]

__all__ = ["Evaluation", "LogLikelihood", "Pass", "VariationalAutoencoder"]


class VariationalAutoencoder(Model):
    """A variational autoencoder of dense layers, with a Gaussian code and a Bernoulli decoder.

    The encoder gives q(z|x) = N(means, stddev²), the decoder p(x|z) = Bernoulli(sigmoid(logits)),
    and training climbs the evidence lower bound ELBO = Σ_x (log p(x|z) - KL(q(z|x) || p(z))) with
    z = means + stddev · epsilon, epsilon ~ N(0, I).

    Parameters
    ----------
    D
        Number of values of an image.
    hidden_layer_sizes
        Width of each encoder layer; the last is M, the size of the code. The decoder has the
        reverse.
    seed
        A non-negative integer from which everything random about the model and its training
        follows. By default the graph-level seed if the graph has one, else a fresh one; either
        way it can be read from `seed`.
    prior
        p(z): a Gaussian, the same for every unit of the code, by default N(0, 1); one of
        `vae_tf1.priors`; a flow; a distribution of TensorFlow Probability with event shape (M,); an
        object of one's own with log_prob and sample; or a function that returns one of the two
        and is called in the model's graph.
    kl
        "analytic" for the closed form, "monte_carlo" for log q(z|x) - log p(z) at the sampled z.
        `vae.kl` says which one it is: the latter for every prior without a closed form, and with a
        flow.
    optimizer
        "rmsprop" (the original's), "rmsprop-centered", "adam" or "sgd"; or any
        ``tf.compat.v1.train.Optimizer``; or a function that makes one of a learning rate, such as
        ``functools.partial(tf.compat.v1.train.AdamOptimizer, epsilon=1e-4)``.
    learning_rate
        A positive number, or a function of the step: it is called with an int64 tensor, the number
        of steps before this one, while the graph is built, and returns a tensor or number.
        `vae_tf1.StepDecay`, `ExponentialDecay` and `CosineDecay` are ready-made. The default is
        0.001, except that "sgd" has none. Gradients are summed over the minibatch.
    clip_norm
        The largest global norm of a step's gradients; by default they are not clipped.
    likelihood
        p(x|z): "bernoulli", "continuous_bernoulli" for grey values in [0, 1], "gaussian" for real
        values, "categorical" for integers from 0 to 255, one of `vae_tf1.likelihoods` with other
        arguments, or an object of one's own. `vae.likelihood` is that object.
    encoder, decoder
        Layers of one's own before the last layer of each, which the model adds: a list of
        `DenseLayer` and its like (`vae_tf1.model.layers`), or a function that returns the list and
        is called in the model's graph. With both given, `hidden_layer_sizes` is [M].
    flow
        Maps N(means, stddev²) to q(z|x): one of `vae_tf1.flows`, a bijector of TensorFlow
        Probability, an object of one's own with forward, or a function that returns a bijector.
    n_labels
        Makes the model conditional, p(x|z, y) and q(z|x, y): each image has a label, an integer
        from 0 to n_labels − 1, which every method takes as `labels`. `X` and `Z_input` are then fed
        with the one-hot label after the values of the image or of the code.
    importance_samples
        k, the number of codes drawn for each image in training. With more than one, training climbs
        the importance-weighted bound Σ_x log 1/k Σᵢ p(x|zᵢ) p(zᵢ) / q(zᵢ|x) of Burda et al. (2016).
    beta
        The weight of the KL in what training climbs (Higgins et al. 2017).
    kl_warm_up
        Number of training steps over which that weight rises from 0 to `beta`.
    doubly_reparameterized
        Whether the encoder has the gradient of Tucker et al. (2019), which is less noisy.
    cluster
        The `vae_tf1.Cluster` of workers that train the model together; see docs/cluster.md.

    Attributes
    ----------
    X, Z_input : tf.Tensor
        Placeholders for images (batch, D) and for codes (batch, M).
    epsilon : tf.Tensor, shape (batch, M), or (batch, importance_samples, M) for several
        The noise of ``Z = means + stddev * epsilon``; fresh in each run, and may be fed. `Z` and
        the predictives are made with the first of several.
    encoder_layers, decoder_layers : list of DenseLayer, or of the user's layers
    means, stddev, Z : tf.Tensor, shape (batch, M)
        Of the Gaussian that the encoder gives, and the code: with a flow, what the flow makes of a
        draw from that Gaussian.
    codes : tf.Tensor, shape (batch, M)
        The means; with a flow, what it makes of them.
    prior_distribution, likelihood, flow
        The parts in use: ``prior_distribution.log_prob(Z)`` and ``.sample(n)``,
        ``likelihood.log_prob(X, parameters)``, ``flow.forward(Z0, context)``.
    X_hat_distribution : tf.compat.v1.distributions.Bernoulli
    posterior_predictive, posterior_predictive_probs : tf.Tensor, shape (batch, D)
        A sample of p(x_new | x), and its probabilities.
    prior_predictive, prior_predictive_probs : tf.Tensor, shape (1, D)
        A sample of p(x_new | z) with z drawn from the prior, and its probabilities.
    prior_predictive_from_input_probs : tf.Tensor, shape (batch, D)
        The probabilities decoded from `Z_input`.
    elbo : tf.Tensor, scalar
        The evidence lower bound in nats, summed over the batch: the mean of all codes.
    bound : tf.Tensor, scalar
        What training climbs, summed over the batch: with one sample and a `beta` of 1, `elbo`.
    train_op, init_op : tf.Operation
        One step of the optimizer on the batch fed to `X`; and what (re)starts the model.
    sess : tf.compat.v1.Session
    graph : tf.Graph
        The caller's default graph where the caller is in graph mode, else a graph of its own.
    costs : list of float
        The ELBO per image of each step that `fit` has run.
    seed : int

    Raises
    ------
    TypeError, ValueError
        When a size is not a positive integer, or an option is not one of those above.
    OSError, PeerLost, ClusterError
        If this worker of a cluster cannot listen on its port, or another does not come, or has
        another version or seed.
    """

    def __init__(
        self,
        D: int,
        hidden_layer_sizes: Sequence[int],
        *,
        seed: int | None = None,
        prior: Gaussian | Any = None,
        kl: str = "analytic",
        optimizer: str
        | tf.compat.v1.train.Optimizer
        | Callable[..., tf.compat.v1.train.Optimizer] = "rmsprop",
        learning_rate: float | Callable[[tf.Tensor], Any] | None = None,
        clip_norm: float | None = None,
        likelihood: str | Likelihood = "bernoulli",
        encoder: Layers | None = None,
        decoder: Layers | None = None,
        flow: Any = None,
        n_labels: int | None = None,
        importance_samples: int = 1,
        beta: float = 1.0,
        kl_warm_up: int = 0,
        doubly_reparameterized: bool = False,
        cluster: Cluster | None = None,
    ) -> None:
        team = join(cluster)
        super().__init__(
            D,
            hidden_layer_sizes,
            seed=seed,
            prior=prior,
            kl=kl,
            optimizer=optimizer,
            learning_rate=learning_rate,
            clip_norm=clip_norm,
            likelihood=likelihood,
            encoder=encoder,
            decoder=decoder,
            flow=flow,
            n_labels=n_labels,
            importance_samples=importance_samples,
            beta=beta,
            kl_warm_up=kl_warm_up,
            doubly_reparameterized=doubly_reparameterized,
            choose_seed=team.seed,
            open_session=team.session,
        )
        self._team = team
        self._trainer, self._binarizer = Trainer(self, team), Binarizer(self)
        self._inference = Inference(self)
        self._sampler = ImportanceSampler(self)
        self._writer = store.Writer(self)

    @property
    def costs(self) -> Costs:
        """The ELBO per image, in nats, of each step that `fit` has run."""
        return self.state.costs

    @property
    def epochs_done(self) -> int:
        """How many whole epochs `fit` has run."""
        return self.state.epochs_done

    @property
    def validation_history(self) -> History:
        """What the validation set said, a list with a `Validated` for each time it was asked."""
        return self.state.history

    # Training ------------------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        epochs: int = 30,
        batch_sz: int = 64,
        *,
        progress: bool = True,
        plot: bool = True,
        compile: bool | None = None,
        checkpoint_dir: str | PathLike | None = None,
        save_every: float = 30.0,
        keep: int = 3,
        more_epochs: int | None = None,
        labels: ArrayLike | None = None,
        binarization: str | None = None,
        validation_data: ArrayLike | float | None = None,
        validation_every: int = 1,
        patience: int | None = None,
        restore_best: bool = True,
        callbacks: Iterable[Any] = (),
        log_dir: str | PathLike | None = None,
    ) -> Costs:
        """Train on minibatches, in a new order each epoch, without the ragged last batch.

        Parameters
        ----------
        X
            Images in rows, shape (N, D), values in [0, 1]: an array of any real dtype, a list, a
            ``numpy.memmap`` or any sequence of rows. It is never changed.
        epochs
            How often each image is seen.
        batch_sz
            Number of images a step.
        progress
            Whether to report: a bar on a terminal, a line an epoch elsewhere.
        plot
            Whether to show the ELBO of each step at the end, if there is a display. The window
            does not stop the program; a program that ends waits until the window is closed.
        compile
            Whether to compile the loop with XLA. By default the loop is compiled once the model's
            training, all calls together, is long enough to repay the time that compiling takes.
        checkpoint_dir
            A folder for checkpoints. A training that finds its own there goes on where that was
            saved, and ends with the bits of one that was never stopped; `epochs` counts from the
            beginning, so nothing is left to do for one that was complete. A checkpoint that cannot
            be written is a warning: the one before it stays good.
        save_every
            Seconds between two checkpoints. There is also one at the beginning, one at the end, and
            one when Ctrl-C, SIGTERM or SIGHUP stops the training.
        keep
            How many checkpoints stay.
        more_epochs
            Train this many epochs beyond the whole epochs that are done, in place of `epochs`:
            ``fit(X, more_epochs=1, checkpoint_dir=d)`` in a loop trains an epoch each time.
        labels
            The label of each image, if the model has `n_labels`; `validation_data` is then a pair
            of images and labels, or a fraction.
        binarization
            How grey images become binary: "threshold", "fixed" (each pixel drawn once, as
            `vae_tf1.data.binarization.binarize` does with seed 0) or "dynamic" (drawn anew in
            every epoch, a function of the seed, the epoch and the row). None takes the values as
            they are. The three have three different likelihoods, so a model, and a
            `checkpoint_dir`, stays with one. `evaluate` takes its images as they are.
        validation_data
            Images to `evaluate` after an epoch, or the fraction of X, at its end, that is kept
            from training for that. `validation_history` has the results. Under "dynamic", grey
            ones are drawn once, as by "fixed", so that two epochs can be compared.
        validation_every
            Epochs from one validation to the next.
        patience
            Stop after this many validations in a row without a better ELBO.
        restore_best
            Whether the weights at the end are those with the best ELBO on `validation_data`. The
            checkpoints are those of the last step all the same, so that the training can go on;
            the best model is saved in ``checkpoint_dir/best``.
        callbacks
            Objects with some of the methods of `vae_tf1.Callback`, or functions of (epoch, logs)
            that are called after each epoch.
        log_dir
            A folder for TensorBoard's event files; see `vae_tf1.TensorBoard`, which is a callback,
            for histograms of the weights.

        Returns
        -------
        Costs
            A list: the ELBO per image, in nats, of each step of this training, or of its
            `more_epochs`. `costs` has those of all trainings of this model.

        Raises
        ------
        TypeError, ValueError
            If X or an option is not as above; nothing has been trained then.
        FloatingPointError
            If the ELBO, a gradient or a weight becomes NaN or infinite; the weights are those
            before that step.
        KeyboardInterrupt
            On Ctrl-C, after at most a second; what was learned is kept.
        CheckpointError
            A ValueError, if `checkpoint_dir` is in use by another training, cannot be written,
            or belongs to another model or other data.
        ClusterError
            A ValueError, if the workers of the cluster have different data, options or weights.
        PeerLost
            A SystemExit, if another worker of the cluster is gone, or does not answer.
        """
        self.check_open()
        more = more_epochs is not None
        epochs = check_count(*((more_epochs, "more_epochs") if more else (epochs, "epochs")))
        batch_sz = check_count(batch_sz, "batch_sz")
        rows, validation = self._rows(X, labels=labels), NoValidation()
        told = Callbacks(self, callbacks)
        if self.n_labels is not None and log_dir is not None:
            raise ValueError("log_dir draws images without labels: leave it out with n_labels")
        shown = rows
        if validation_data is not None:
            rows, shown = split(rows, validation_data, self._rows)
            validation = Validation(
                self,
                self._inference,
                self._binarized(shown, binarization, self._binarizer.validation_rows),
                every=validation_every,
                patience=patience,
                restore_best=restore_best,
                of_chief=self._team.of_chief,
            )
        elif patience is not None:
            raise ValueError("patience needs validation_data")
        if log_dir is not None and self._team.is_chief:
            told.add(TensorBoard(log_dir, images=shown.values(slice(0, 8))))
        rows = self._binarized(rows, binarization)
        self._team.agree(
            self,
            lambda: {
                **store.describe(self),
                **{"epochs": epochs, "more_epochs": more, "batch_sz": batch_sz},
                **{"binarization": binarization, "compile": compile, "number of rows": len(rows)},
                **{"data*": rows.fingerprint(), "validation_data*": validation.data},
                **{"validation_every": validation_every, "patience": patience},
                **{"restore_best": bool(restore_best), "checkpoints": checkpoint_dir is not None},
            },
        )
        autosave = NoAutosave()
        if checkpoint_dir is not None:
            autosave = self._team.autosave(
                lambda: Autosave(self._writer, checkpoint_dir, save_every, keep), checkpoint_dir
            )
        try:
            costs = self._trainer.train(
                rows,
                epochs,
                batch_sz,
                more=more,
                autosave=autosave,
                validation=validation,
                callbacks=told,
                show_progress=progress and self._team.is_chief,
                compile=compile,
            )
        except KeyboardInterrupt:
            # Without the frames between: a notebook shows every one.
            raise KeyboardInterrupt(self._interrupted(autosave)) from None
        if plot and costs and self._team.is_chief:
            from vae_tf1 import plots

            plots.show_elbo_curve(costs)
        return costs

    def _interrupted(self, autosave: NoAutosave) -> str:
        saved = "kept" if autosave.path is None else f"saved in {autosave.path}"
        return (
            f"training was stopped in epoch {self.epochs_done + 1}, after {len(self.costs):,} "
            f"steps; what was learned is {saved}"
        )

    # Inference -----------------------------------------------------------------------------------

    def transform(self, X: ArrayLike, labels: ArrayLike | None = None) -> np.ndarray:
        """Return the means of q(z|x): (N, D) images to (N, M) codes.

        With a flow, what the flow makes of the means of its Gaussian.
        """
        return self._run_images(self.codes, X, labels)

    def reconstruct(self, X: ArrayLike, labels: ArrayLike | None = None) -> np.ndarray:
        """Return the probabilities decoded from the means of q(z|x): (N, D) to (N, D)."""
        return self.prior_predictive_with_input(self.transform(X, labels), labels)

    def prior_predictive_with_input(
        self, Z: ArrayLike, labels: ArrayLike | None = None
    ) -> np.ndarray:
        """Return the probabilities that codes decode to: (N, M) to (N, D)."""
        self.check_open()
        codes = with_labels(as_rows(Z, self.M, "Z", support=REAL), labels, self.n_labels)
        return self._inference.run(self.prior_predictive_from_input_probs, self.Z_input, codes)

    def posterior_predictive_sample(
        self, X: ArrayLike, labels: ArrayLike | None = None
    ) -> np.ndarray:
        """Return a sample of p(x_new | x) for each image: (N, D) to (N, D) of 0 and 1."""
        return self._run_images(self.posterior_predictive, X, labels, random=True)

    def prior_predictive_sample_with_probs(
        self, n: int = 1, labels: ArrayLike | int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return samples of p(x_new | z), z ~ p(z), and their probabilities: (n, D) each.

        `labels` is one for all samples of a conditional model, or one for each.
        """
        self.check_open()
        n = check_count(n, "n")
        each: Any = labels
        if labels is not None and np.ndim(each) == 0:
            each = np.full(n, labels)
        return self._inference.sample_prior(n, one_hot(each, n, self.n_labels))

    def evaluate(self, X: ArrayLike, labels: ArrayLike | None = None) -> Evaluation:
        """Return ELBO, reconstruction and KL in mean nats per image, with one noise sample each.

        The noise is a function of the seed and the row: two evaluations of the same rows differ by
        the model alone. Many rows are evaluated by a compiled graph, which takes half a second to
        make, the first time.
        """
        self.check_open()
        return self._inference.evaluate(self._rows(X, labels=labels))

    @overload
    def log_likelihood(
        self,
        X: ArrayLike,
        n_samples: int = ...,
        return_details: Literal[False] = ...,
        progress: bool = ...,
        labels: ArrayLike | None = ...,
    ) -> np.ndarray: ...

    @overload
    def log_likelihood(
        self,
        X: ArrayLike,
        n_samples: int = ...,
        *,
        return_details: Literal[True],
        progress: bool = ...,
        labels: ArrayLike | None = ...,
    ) -> LogLikelihood: ...

    def log_likelihood(
        self,
        X: ArrayLike,
        n_samples: int = 5000,
        return_details: bool = False,
        progress: bool = True,
        labels: ArrayLike | None = None,
    ) -> np.ndarray | LogLikelihood:
        """Estimate log p(x) of each image by importance sampling, with q(z|x) as the proposal.

        The estimate is log 1/K Σ p(x|z) p(z) / q(z|x) over K codes z of q(z|x). It is biased: its
        expectation is a lower bound on log p(x), the ELBO with one sample, and rises to log p(x)
        with K, about as the variance of the weights over 2 K falls. A standard error tells of the
        noise, not of that bias; the estimate is not to be trusted where the effective sample size
        is a few, that is, where q(z|x) is far from p(z|x).

        The noise is a function of the seed, `n_samples`, and the number of the row, so an estimate
        can be repeated. Memory does not grow with `n_samples`. 5,000 samples of 10,000 images of
        MNIST take minutes.

        Parameters
        ----------
        X
            Images in rows, shape (N, D), as `fit` takes them.
        n_samples
            K, the number of codes of each image.
        return_details
            Whether to return standard errors and effective sample sizes too.
        progress
            Whether to show a bar, if there is a terminal.

        Returns
        -------
        ndarray or LogLikelihood
            The estimates in nats, shape (N,) in float64; with details a named tuple of these, the
            standard error of each, and the effective sample size of each.

        Raises
        ------
        TypeError, ValueError
            If X or `n_samples` is not as above.

        References
        ----------
        Burda, Grosse & Salakhutdinov (2016), *Importance Weighted Autoencoders*, ICLR, theorem 1.
        """
        self.check_open()
        n_samples = check_count(n_samples, "n_samples")
        rows = self._rows(X, labels=labels)
        estimate = self._sampler.estimate(rows, n_samples, show_progress=progress)
        return estimate if return_details else estimate.values

    def _run_images(
        self, fetch: tf.Tensor, X: ArrayLike, labels: ArrayLike | None, random: bool = False
    ) -> np.ndarray:
        self.check_open()
        return self._inference.run(fetch, self.X, self._rows(X, labels=labels), random=random)

    def _rows(self, X: ArrayLike, name: str = "X", labels: ArrayLike | None = None) -> Rows:
        """Check images at the door: their width, and that the likelihood has a density for them.

        With `n_labels`, a pair of images and labels will do, too.
        """
        if self.n_labels is not None and labels is None and isinstance(X, tuple) and len(X) == 2:
            X, labels = X
        rows = as_rows(X, self.D, name, support=support_of(self.likelihood))
        return with_labels(rows, labels, self.n_labels)

    def _binarized(
        self, rows: Rows, protocol: str | None, binarize: Callable | None = None
    ) -> Rows:
        """Return rows under a protocol of binarisation, which leaves labels as they are."""
        binarize = binarize or self._binarizer.rows
        if isinstance(rows, Labelled):
            return rows.of(binarize(rows.images, protocol))
        return binarize(rows, protocol)

    # Checkpoints ---------------------------------------------------------------------------------

    def save(self, prefix: str | PathLike) -> str:
        """Write the model as ``prefix.index``, ``prefix.data-00000-of-00001`` and ``prefix.json``.

        The original script's ``tf.train.Saver().restore(sess, prefix)`` reads the first two under
        TensorFlow 1; `load` builds the model again from all three.

        Returns
        -------
        str
            The prefix.

        Raises
        ------
        CheckpointError
            If it cannot be written, or the model holds NaN or infinity; an earlier checkpoint under
            that name is as it was.
        """
        self.check_open()
        return str(self._writer.write(prefix))

    def restore(self, path: str | PathLike) -> None:
        """Load weights and optimizer slots that `save`, or the original's Saver, has written.

        If only weights are there, or the slots of another optimizer, the optimizer starts afresh.
        What only `save` writes comes along if it is there: the seed, the counts of steps and
        epochs, the costs. Training then goes on as it would have without the interruption.

        Parameters
        ----------
        path
            What was given to `save` or to the Saver, or a folder as for `load`.

        Raises
        ------
        CheckpointError
            If the checkpoint is missing, damaged or of another shape; the model is as it was.
        """
        self.check_open()
        self.state = store.restore(self, folder.find(path))

    @classmethod
    def load(cls, path: str | PathLike, **parts: Any) -> VariationalAutoencoder:
        """Build a model from what `save` or `fit` has saved, and from nothing else.

        Parameters
        ----------
        path
            What was given to `save`, or the folder that it is in, or a `checkpoint_dir` of `fit`,
            whose newest good checkpoint is taken. If there are both a checkpoint ``runs/a`` and a
            folder of that name, ``"runs/a/"`` means the folder.
        **parts
            The parts of the user's own that the model was built with, such as ``likelihood=`` or
            ``optimizer=``: the checkpoint knows their variables, but not their code.

        Raises
        ------
        CheckpointError
            If there is no such model, it is damaged, or a part is missing or another one.
        """
        saved = folder.find(path)
        if not saved.manifest:
            raise CheckpointError(
                f"there is no {saved.prefix}.json to build a model from; build one and use "
                "restore()"
            )
        vae = cls(**_arguments(saved, parts))
        try:
            vae.state = store.restore(vae, saved)
        except BaseException:
            vae.close()
            raise
        return vae

    # Other formats -------------------------------------------------------------------------------

    def export(
        self,
        folder: str | PathLike,
        format: str,
        X: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        *,
        shape: tuple[int, int] | None = None,
    ) -> export.Exported:
        """Write the model in one of today's formats, load that with its own runtime, and compare.

        Parameters
        ----------
        folder
            Where the files go; made if need be. Other files in it stay as they are.
        format
            "npz", "safetensors", "onnx", "keras", "pytorch", "saved_model" or "page".
        X
            Real images, (N, D): the comparison uses some, and a page shows where their codes lie.
        labels
            The digit of each image, for the colours of a page.
        shape
            Height and width of an image on a page; by default the squarest.

        Returns
        -------
        Exported
            The files, the largest difference, and what could not be exported.

        Raises
        ------
        ConversionError
            A ValueError, if the format is unknown, a package is missing, the model cannot be
            converted, the folder cannot be written, or the result differs from the model by more
            than 1e-5 of the largest magnitude (a page by 1e-3). The folder is then as it was.
        """
        self.check_open()
        return export.export(self, folder, format, X, labels, shape, writer=self._writer)

    @classmethod
    def from_arrays(
        cls, encoder: arrays.Layers, decoder: arrays.Layers, **options: Any
    ) -> VariationalAutoencoder:
        """Build a model with weights from elsewhere, to `save` them for a TF1 script, say.

        Parameters
        ----------
        encoder, decoder
            A pair (W, b) for each layer, W of shape (inputs, outputs): the transpose of what
            PyTorch has. The encoder's last layer gives M means, then M values u of
            ``stddev = softplus(u) + 1e-6``; the decoder's gives logits. Between the layers is relu.
        options
            Keywords of the constructor, as ``seed``.

        Raises
        ------
        ConversionError
            A ValueError, if the arrays do not fit together.
        """
        return cls._of_network(arrays.of_arrays(encoder, decoder), options)

    @classmethod
    def from_keras(cls, encoder: Any, decoder: Any, **options: Any) -> VariationalAutoencoder:
        """Build a model with the weights of two Keras models, and compare it with them.

        Parameters
        ----------
        encoder
            A model of dense layers, or the path of one, whose outputs are the means and
            ``stddev = softplus(u) + 1e-6``; or one output that holds the means and u.
        decoder
            Likewise, from codes to probabilities or logits.
        options
            Keywords of the constructor, as ``seed``.

        Raises
        ------
        ConversionError
            A ValueError, if the models compute something else than a `VariationalAutoencoder`.
        """
        return cls._of_network(arrays.of_keras(encoder, decoder), options)

    @classmethod
    def _of_network(cls, network: Network, options: dict[str, Any]) -> VariationalAutoencoder:
        vae = cls(network.D, network.hidden_layer_sizes, **options)
        assign(vae, network)
        return vae

    # Release ------------------------------------------------------------------------------------

    def __enter__(self) -> VariationalAutoencoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _arguments(saved: Saved, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the constructor that a manifest describes, and those given."""
    described = saved.manifest
    arguments = {key: described[key] for key in ("D", "hidden_layer_sizes", "seed", "kl")}
    for part in PARTS:
        if described.get(part) is not None and part not in given:
            arguments[part] = _ready_made(saved, part)
    arguments |= {key: described[key] for key in ("n_labels",) if key in described}
    arguments |= described.get("bound", {})
    try:
        arguments |= optimizers.arguments(described.get("optimizer"), given)
    except ValueError as error:
        raise CheckpointError(f"{saved.prefix}.json: {error}") from None
    return {**arguments, **given}


def _ready_made(saved: Saved, part: str) -> Any:
    """Return a part that a manifest describes."""
    description, file = saved.manifest[part], f"{saved.prefix}.json"
    if part == "prior" and "mean" in description:
        from vae_tf1.gaussian import Gaussian

        return Gaussian(description["mean"], description["variance"])
    own = missing(description)
    if own:
        raise CheckpointError(
            f"{file} describes a model with your own {part} ({', '.join(own)}): pass it again, "
            f"load(path, {part}=…)"
        )
    try:
        if isinstance(description, list):
            return [rebuild(each, PARTS[part]) for each in description]
        return rebuild(description, PARTS[part])
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{file} describes a {part} that cannot be built: {reason(error)}"
        ) from None
