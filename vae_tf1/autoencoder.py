"""The variational autoencoder: its graph, and the methods on it.

References
----------
Kingma & Welling (2014), *Auto-Encoding Variational Bayes*, ICLR.
Rezende, Mohamed & Wierstra (2014), *Stochastic Backpropagation and Approximate Inference in Deep
Generative Models*, ICML.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1 import inference
from vae_tf1.backend.deprecations import without_deprecation_warnings
from vae_tf1.checkpoint import folder as checkpoint_folder
from vae_tf1.checkpoint import store as checkpoint
from vae_tf1.data.rows import ArrayLike, check_count
from vae_tf1.divergence import kl_divergence_gaussians, log_density_ratio_gaussians
from vae_tf1.errors import CheckpointError
from vae_tf1.model import noise
from vae_tf1.model.bernoulli import bernoulli_log_likelihood
from vae_tf1.model.layers import DenseLayer
from vae_tf1.model.noise import Stream
from vae_tf1.model.rmsprop import rmsprop
from vae_tf1.training import loop as training

if TYPE_CHECKING:
    from os import PathLike

    from vae_tf1.gaussian import Gaussian

__all__ = ["Evaluation", "Pass", "VariationalAutoencoder"]

_KL_TERMS = ("analytic", "monte_carlo")


class Pass(NamedTuple):
    """What one pass of a minibatch through encoder and decoder computes; B images, M latents."""

    means: tf.Tensor  # [B, M]
    stddev: tf.Tensor  # [B, M]
    Z: tf.Tensor  # [B, M]
    logits: tf.Tensor  # [B, D]
    log_likelihood: tf.Tensor  # [B], log p(x|z) in nats
    kl: tf.Tensor  # [B], KL(q(z|x) || p(z)) in nats

    @property
    def elbo(self) -> tf.Tensor:
        """The evidence lower bound, summed over the batch."""
        return tf.reduce_sum(self.log_likelihood - self.kl)


class Evaluation(NamedTuple):
    """Mean nats per image: ``elbo = reconstruction - kl``."""

    elbo: float
    reconstruction: float
    kl: float


class VariationalAutoencoder:
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
        p(z), the same Gaussian for every unit of the code; by default N(0, 1).
    kl
        "analytic" for the closed form, "monte_carlo" for log q(z|x) - log p(z) at the sampled z.

    Attributes
    ----------
    X, Z_input : tf.Tensor
        Placeholders for images (batch, D) and for codes (batch, M).
    epsilon : tf.Tensor, shape (batch, M)
        The noise of ``Z = means + stddev * epsilon``; fresh in each run, and may be fed.
    encoder_layers, decoder_layers : list of DenseLayer
    means, stddev, Z : tf.Tensor, shape (batch, M)
    X_hat_distribution : tf.compat.v1.distributions.Bernoulli
    posterior_predictive, posterior_predictive_probs : tf.Tensor, shape (batch, D)
        A sample of p(x_new | x), and its probabilities.
    prior_predictive, prior_predictive_probs : tf.Tensor, shape (1, D)
        A sample of p(x_new | z) with z drawn from the prior, and its probabilities.
    prior_predictive_from_input_probs : tf.Tensor, shape (batch, D)
        The probabilities decoded from `Z_input`.
    elbo : tf.Tensor, scalar
        The evidence lower bound in nats, summed over the batch.
    train_op, init_op : tf.Operation
        One step of RMSProp on the batch fed to `X`; and what (re)starts the model.
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
    """

    def __init__(
        self,
        D: int,
        hidden_layer_sizes: Sequence[int],
        *,
        seed: int | None = None,
        prior: Gaussian | None = None,
        kl: str = "analytic",
    ) -> None:
        self.D = check_count(D, "D")
        if not np.iterable(hidden_layer_sizes) or isinstance(hidden_layer_sizes, str):
            raise TypeError(
                "hidden_layer_sizes must be a list of integers such as [200, 100], not "
                f"{hidden_layer_sizes!r}"
            )
        self.hidden_layer_sizes = [
            check_count(size, "a hidden layer size") for size in hidden_layer_sizes
        ]
        if not self.hidden_layer_sizes:
            raise ValueError("hidden_layer_sizes is empty: the last one is the size of the code")
        if seed is not None:
            seed = check_count(seed, "seed", least=0)
        if prior is not None and not hasattr(prior, "KL_divergence"):
            raise TypeError(f"prior must be a Gaussian or None, not {prior!r}")
        if kl not in _KL_TERMS:
            raise ValueError(f"kl must be one of {', '.join(map(repr, _KL_TERMS))}, not {kl!r}")
        self.prior = prior
        self.kl = kl
        self.costs: list[float] = []
        self.epochs_done = 0
        self.loops: dict = {}  # what has been added to the graph on first use
        self.saver: tuple | None = None

        self.graph = tf.Graph() if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
        with self.graph.as_default(), without_deprecation_warnings():
            if seed is None:
                seed = tf.compat.v1.get_seed(None)[0]  # the graph's
            self.seed_given = seed is not None
            self.seed = noise.entropy() if seed is None else seed
            self._build()
        self.sess = tf.compat.v1.Session(graph=self.graph)
        self._closed = False
        self.sess.run(self.init_op)

    # The graph -----------------------------------------------------------------------------------

    def _build(self) -> None:
        M = self.hidden_layer_sizes[-1]
        self.X = tf.compat.v1.placeholder(tf.float32, (None, self.D), name="X")
        self.Z_input = tf.compat.v1.placeholder(tf.float32, (None, M), name="Z_input")
        self._build_layers()
        self._build_state()

        with tf.name_scope("epsilon"):
            self.epsilon = self._next_epsilon(tf.shape(self.X)[0])
        one_pass = self.forward(self.X, self.epsilon)
        self.means, self.stddev, self.Z = one_pass.means, one_pass.stddev, one_pass.Z

        with tf.name_scope("posterior_predictive"):
            self.X_hat_distribution = tf.compat.v1.distributions.Bernoulli(logits=one_pass.logits)
            self.posterior_predictive = self.X_hat_distribution.sample(
                seed=noise.op_seed(self.seed, Stream.SAMPLES, 0)
            )
            self.posterior_predictive_probs = tf.nn.sigmoid(one_pass.logits)
        with tf.name_scope("prior_predictive"):
            self._prior_samples = tf.compat.v1.placeholder_with_default(1, (), name="n")
            Z = self._sample_prior(self._prior_samples)
            logits = self.decode(Z)
            self.prior_predictive = tf.compat.v1.distributions.Bernoulli(logits=logits).sample(
                seed=noise.op_seed(self.seed, Stream.SAMPLES, 2)
            )
            self.prior_predictive_probs = tf.nn.sigmoid(logits)
        with tf.name_scope("prior_predictive_from_input"):
            self.prior_predictive_from_input_probs = tf.nn.sigmoid(self.decode(self.Z_input))

        self.elbo = one_pass.elbo
        with tf.name_scope("train"):
            self.optimizer = rmsprop()
            step = self.optimizer.minimize(-self.elbo, var_list=self.variables)
            with tf.control_dependencies([step]):
                self.train_op = self.count_steps(1)
        # The variables that the caller made before the model are started too, as they always were.
        self.init_op = tf.group(
            tf.compat.v1.global_variables_initializer(),
            self.noise_key.initializer,
            self.global_step.initializer,
            self._draws.initializer,
        )

    def _build_layers(self) -> None:
        """Create the layers in the original's order, which is that of the names in checkpoints."""
        numbers = itertools.count()

        def layers(sizes: list[int], outputs: int) -> list[DenseLayer]:
            """Return a relu layer for each pair in `sizes`, and an unbounded one to the outputs."""
            *hidden, last = itertools.pairwise([*sizes, outputs])
            return [
                *(DenseLayer(*pair, seed=weights_seed()) for pair in hidden),
                DenseLayer(*last, f=tf.identity, seed=weights_seed()),
            ]

        def weights_seed() -> tuple[int, int]:
            return divmod(noise.key(self.seed, Stream.WEIGHTS, next(numbers)), 2**32)

        *hidden, M = self.hidden_layer_sizes
        self.encoder_layers = layers([self.D, *hidden], 2 * M)  # M means, M standard deviations
        self.decoder_layers = layers([M, *reversed(hidden)], self.D)

    def _build_state(self) -> None:
        """Count steps and draws, so that noise is a function of them.

        Local variables: a ``Saver()`` of the caller's own, made for a checkpoint of the original,
        must not look for them in it.
        """

        def state(value: int, name: str) -> tf.Variable:
            return tf.compat.v1.Variable(
                np.int64(value),
                trainable=False,
                use_resource=True,
                name=name,
                collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES],
            )

        self.noise_key = state(noise.key(self.seed, Stream.EPSILON), "noise_key")
        self.global_step = state(0, "global_step")
        self._draws = state(0, "draws")

    def _next_epsilon(self, batch: tf.Tensor) -> tf.Tensor:
        """Draw fresh noise: the k-th draw at a global step, from 0 after each training step.

        So `fit` and a loop of ``sess.run(train_op)`` see the same noise, and two looks at a sample
        differ.
        """
        draw = self._draws.assign_add(1, read_value=True) - 1
        key, step = self.noise_key.read_value(), self.global_step.read_value()
        shape = (1, batch, self.hidden_layer_sizes[-1])
        return noise.standard_normal(key, step, draw, shape)[0]

    def _sample_prior(self, n: tf.Tensor) -> tf.Tensor:
        M = self.hidden_layer_sizes[-1]
        standard_normal = tf.compat.v1.distributions.Normal(
            loc=np.zeros(M, np.float32), scale=np.ones(M, np.float32)
        )
        epsilon = standard_normal.sample(n, seed=noise.op_seed(self.seed, Stream.SAMPLES, 1))
        if self.prior is None:
            return epsilon
        return self.prior.prior_mean + self.prior.prior_deviation * epsilon

    def count_steps(self, steps: tf.Tensor | int) -> tf.Operation:
        """Return the op that notes that so many steps have been made."""
        return tf.group(self.global_step.assign_add(steps), self._draws.assign(0))

    @property
    def variables(self) -> list[tf.Variable]:
        """Weights and biases, in the order of the names in a checkpoint."""
        layers = self.encoder_layers + self.decoder_layers
        return [variable for layer in layers for variable in (layer.W, layer.b)]

    def encode(self, X: tf.Tensor) -> tf.Tensor:
        """Return what the encoder makes of images, (batch, 2M); `latent` reads it."""
        with tf.name_scope("encoder"):
            return _through(self.encoder_layers, X)

    def latent(self, encoded: tf.Tensor, epsilon: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return means and stddev of q(z|x), the code Z that `epsilon` draws, and the KL."""
        with tf.name_scope("latent"):
            means, unbounded = tf.split(encoded, 2, axis=1)
            # a standard deviation is positive: softplus; and its log finite: a little more
            stddev = tf.nn.softplus(unbounded) + 1e-6
            Z = epsilon * stddev + means
        with tf.name_scope("elbo"):
            return means, stddev, Z, self._kl(means, stddev, Z)

    def decode(self, Z: tf.Tensor) -> tf.Tensor:
        """Return the logits of p(x|z), (batch, D)."""
        with tf.name_scope("decoder"):
            return _through(self.decoder_layers, Z)

    def forward(self, X: tf.Tensor, epsilon: tf.Tensor) -> Pass:
        """Pass a minibatch through the model: the one definition of its ELBO.

        The placeholder graph and the compiled training loop call this, and `evaluate` its parts.
        """
        means, stddev, Z, kl = self.latent(self.encode(X), epsilon)
        logits = self.decode(Z)
        with tf.name_scope("elbo"):
            log_likelihood = bernoulli_log_likelihood(X, logits)
        return Pass(means, stddev, Z, logits, log_likelihood, kl)

    def _kl(self, means: tf.Tensor, stddev: tf.Tensor, Z: tf.Tensor) -> tf.Tensor:
        """Return the divergence of q(z|x) from the prior, in nats an image."""
        if self.kl == "monte_carlo":
            p_mu, p_sigma = 0.0, 1.0
            if self.prior is not None:
                p_mu, p_sigma = self.prior.prior_mean, self.prior.prior_deviation
            return log_density_ratio_gaussians(Z, means, stddev, p_mu, p_sigma)
        if self.prior is not None:
            p_mu, p_sigma = self.prior.prior_mean, self.prior.prior_deviation
            return kl_divergence_gaussians(means, stddev, p_mu, p_sigma)
        # Kingma & Welling (2014), appendix B, in the original's arithmetic
        kl = -tf.math.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5
        return tf.reduce_sum(kl, 1)

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
    ) -> list[float]:
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
            Whether to show the ELBO of each step at the end, where there is a display.
        compile
            Whether to compile the loop with XLA; by default when the run is long enough to repay
            the time that takes.
        checkpoint_dir
            A folder for checkpoints. A training that finds its own there goes on where that was
            saved, and ends with the bits of one that was never stopped; `epochs` counts from the
            beginning, so nothing is left to do for one that was complete. A checkpoint that cannot
            be written is a warning: the one before it stays good.
        save_every
            Seconds between two checkpoints. There is one at the beginning, at the end, and when
            Ctrl-C or SIGTERM stops the training, too.
        keep
            How many checkpoints stay.

        Returns
        -------
        list of float
            The ELBO per image, in nats, of each step of this call. `costs` has those of all.

        Raises
        ------
        TypeError, ValueError
            When X or an option is not as above; nothing has been trained then.
        FloatingPointError
            When the ELBO becomes NaN or infinite; the weights are those before that step.
        KeyboardInterrupt
            On Ctrl-C, after at most a second; what was learned is kept.
        CheckpointError
            A ValueError, when `checkpoint_dir` is in use by another training, cannot be written,
            or belongs to another model or other data.
        """
        self._check_open()
        costs = training.train(
            self,
            X,
            epochs,
            batch_sz,
            show_progress=progress,
            compile=compile,
            checkpoint_dir=checkpoint_dir,
            save_every=save_every,
            keep=keep,
        )
        if plot and costs:
            from vae_tf1 import plots

            plots.show_elbo_curve(costs)
        return costs

    # Inference -----------------------------------------------------------------------------------

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the means of q(z|x): (N, D) images to (N, M) codes."""
        return self._run_rows(self.means, self.X, X, "X")

    def reconstruct(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities decoded from the means of q(z|x): (N, D) to (N, D)."""
        return self.prior_predictive_with_input(self.transform(X))

    def prior_predictive_with_input(self, Z: ArrayLike) -> np.ndarray:
        """Return the probabilities that codes decode to: (N, M) to (N, D)."""
        return self._run_rows(self.prior_predictive_from_input_probs, self.Z_input, Z, "Z")

    def posterior_predictive_sample(self, X: ArrayLike) -> np.ndarray:
        """Return a sample of p(x_new | x) for each image: (N, D) to (N, D) of 0 and 1."""
        return self._run_rows(self.posterior_predictive, self.X, X, "X", random=True)

    def prior_predictive_sample_with_probs(self, n: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Return samples of p(x_new | z), z ~ p(z), and their probabilities: (n, D) each."""
        self._check_open()
        return inference.sample_prior(self, check_count(n, "n"))

    def evaluate(self, X: ArrayLike) -> Evaluation:
        """Return ELBO, reconstruction and KL in mean nats per image, with one noise sample each.

        The noise is a function of the seed and the row: two evaluations of the same rows differ by
        the model alone. Many rows are evaluated by a compiled graph, which takes half a second to
        make, the first time.
        """
        self._check_open()
        return Evaluation(*inference.evaluate(self, X))

    def _run_rows(self, fetch, placeholder, values, name: str, random=False) -> np.ndarray:
        self._check_open()
        return inference.run_rows(self, fetch, placeholder, values, name, random=random)

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
            When it cannot be written; an earlier one under that name is as it was.
        """
        self._check_open()
        return str(checkpoint.write(self, prefix))

    def restore(self, prefix: str | PathLike) -> None:
        """Load weights and RMSProp slots that `save`, or the original's Saver, has written.

        What only `save` writes comes along where it is there: the seed, the counts of steps and
        epochs, the costs. Training then goes on as it would have without the interruption.

        Raises
        ------
        CheckpointError
            When the checkpoint is missing, damaged or of another shape; the model is as it was.
        """
        self._check_open()
        checkpoint.restore(self, checkpoint.read(prefix))

    @classmethod
    def load(cls, path: str | PathLike) -> VariationalAutoencoder:
        """Build a model from what `save` or `fit` has saved, and from nothing else.

        Parameters
        ----------
        path
            What was given to `save`, or the folder that it is in, or a `checkpoint_dir` of `fit`,
            of which the newest good checkpoint is taken.

        Raises
        ------
        CheckpointError
            When there is no such model, or it is damaged.
        """
        saved = checkpoint_folder.find(path)
        described = saved.manifest
        try:
            prior = described["prior"]
            if prior is not None:
                from vae_tf1.gaussian import Gaussian

                prior = Gaussian(prior["mean"], prior["variance"])
            vae = cls(
                described["D"],
                described["hidden_layer_sizes"],
                seed=described["seed"],
                prior=prior,
                kl=described["kl"],
            )
        except (TypeError, ValueError, KeyError) as error:
            raise CheckpointError(f"{saved.prefix}.json is damaged: {error}") from None
        try:
            checkpoint.restore(vae, saved)
        except CheckpointError:
            vae.close()
            raise
        return vae

    # Release ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release the session, and with it the memory of the variables; twice does no harm."""
        self.sess.close()
        self._closed = True

    def __enter__(self) -> VariationalAutoencoder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("this model has been closed; build or load it again to use it")


def _through(layers: list[DenseLayer], value: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        value = layer.forward(value)
    return value
