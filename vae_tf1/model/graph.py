"""The variational autoencoder of Kingma & Welling, as a graph with placeholders and a session.

    q(z|x) = N(means(x), stddev(x)²)          encode, latent
    p(x|z) = Bernoulli(sigmoid(logits(z)))    decode
    z      = means + stddev · epsilon,        epsilon ~ N(0, I)
    ELBO   = Σ_x log p(x|z) − KL(q(z|x) || p(z))

References
----------
Kingma & Welling (2014), *Auto-Encoding Variational Bayes*, ICLR.
Rezende, Mohamed & Wierstra (2014), *Stochastic Backpropagation and Approximate Inference in Deep
Generative Models*, ICML.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1 import flows, likelihoods, parts, priors
from vae_tf1.backend.fork import check_not_forked, note_session
from vae_tf1.backend.memory import check_room
from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.checks import check_count, check_one_of
from vae_tf1.divergence import log_density_gaussian
from vae_tf1.likelihoods import Likelihood
from vae_tf1.model import layers, noise, optimizers
from vae_tf1.model.bound import Bounds, Objective, repeat
from vae_tf1.model.layers import DenseLayer
from vae_tf1.model.noise import Stream
from vae_tf1.model.state import Counters, TrainingState

__all__ = ["PARTS", "Model", "Pass"]

_BYTES_PER_WEIGHT = 4 * 5  # float32: the weight, its two slots, its gradient, and the update


class Pass(NamedTuple):
    """What one pass of a minibatch through encoder and decoder computes; B images, M latents."""

    means: tf.Tensor  # [B, M]
    stddev: tf.Tensor  # [B, M]
    Z: tf.Tensor  # [B, M]
    logits: tf.Tensor  # [B, D · n_parameters], the parameters of p(x|z)
    log_likelihood: tf.Tensor  # [B], log p(x|z) in nats
    kl: tf.Tensor  # [B], KL(q(z|x) || p(z)) in nats

    @property
    def elbo(self) -> tf.Tensor:
        """The evidence lower bound, summed over the batch."""
        return tf.reduce_sum(self.log_likelihood - self.kl)


class Model:
    """The model apart from what is done with it: no file, no thread, no clock.

    `vae_tf1.VariationalAutoencoder` is this class with `fit`, `transform`, `save` and the rest; its
    documentation describes the parameters and attributes.
    """

    stop_training = False  # set by a callback: the training ends after this epoch

    def __init__(
        self,
        D: int,
        hidden_layer_sizes: Sequence[int],
        *,
        seed: int | None = None,
        prior: Any = None,
        kl: str = "analytic",
        optimizer: Any = "rmsprop",
        learning_rate: Any = None,
        clip_norm: float | None = None,
        likelihood: str | Likelihood = "bernoulli",
        encoder: Any = None,
        decoder: Any = None,
        flow: Any = None,
        n_labels: int | None = None,
        importance_samples: int = 1,
        beta: float = 1.0,
        kl_warm_up: int = 0,
        doubly_reparameterized: bool = False,
    ) -> None:
        self.D = check_count(D, "D")
        self.hidden_layer_sizes = _check_sizes(hidden_layer_sizes)
        if encoder is not None and decoder is not None and len(self.hidden_layer_sizes) > 1:
            raise ValueError(
                "hidden_layer_sizes is [M], the size of the code, if encoder and decoder are given"
            )
        self._own_layers = {"encoder": encoder, "decoder": decoder}
        self.M = self.hidden_layer_sizes[-1]
        self.kl = check_one_of(kl, "kl", ("analytic", "monte_carlo"))
        if seed is not None:
            seed = check_count(seed, "seed", least=0)
        self.prior = prior
        self.prior_distribution = priors.as_prior(prior, self.M)
        self.flow = None if flow is None else flows.as_flow(flow)
        self.n_labels = None if n_labels is None else check_count(n_labels, "n_labels", least=2)
        if n_labels is not None and isinstance(prior, priors.VampPrior):
            raise ValueError("a VampPrior's pseudo-images have no labels: leave out n_labels")
        self.likelihood = likelihoods.as_likelihood(likelihood)
        self.objective = Objective(importance_samples, beta, kl_warm_up, doubly_reparameterized)
        if flow is not None and doubly_reparameterized:
            raise ValueError(
                "doubly_reparameterized needs log q(z|x) at any code, which a flow does not give: "
                "leave out one of the two"
            )
        self.updates = optimizers.updates(optimizer, learning_rate, clip_norm)
        self.optimizer = self.updates.optimizer

        check_not_forked()
        self._check_room()
        self.graph = tf.Graph() if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
        with self.graph.as_default(), without_deprecation_notices():
            if seed is None:
                seed = tf.compat.v1.get_seed(None)[0]  # the graph's
            self.state = TrainingState(
                noise.entropy() if seed is None else seed, seed_given=seed is not None
            )
            self._build()
        note_session()
        self._closed = False
        with without_first_notices("session"):
            self.sess = tf.compat.v1.Session(graph=self.graph)
            self.sess.run(self.init_op)
        self._check_learning_rate()

    @property
    def seed(self) -> int:
        """Everything random about the model and its training follows from this integer."""
        return self.state.seed

    # The graph -----------------------------------------------------------------------------------

    def _build(self) -> None:
        """Build the placeholders, the layers, the ELBO, the samples, and one step of training."""
        self.X = tf.compat.v1.placeholder(tf.float32, (None, self.width), name="X")
        self.Z_input = tf.compat.v1.placeholder(
            tf.float32, (None, self.M + (self.n_labels or 0)), name="Z_input"
        )
        self.likelihood = parts.adopted(self.likelihood, self.D)
        self._build_layers()
        self._build_parts()
        self.counters = Counters(self.seed)
        self.noise_key, self.global_step = self.counters.noise_key, self.counters.global_step

        with tf.name_scope("epsilon"):
            self.epsilon = self.counters.next_epsilon(
                tf.shape(self.X)[0], self.M, self.objective.importance_samples
            )
        one_pass = self.forward(self.X, self.objective.first(self.epsilon))
        self.means, self.stddev, self.Z = one_pass.means, one_pass.stddev, one_pass.Z
        self.codes = self.means  # what images are decoded from, without noise
        if self.flow is not None:
            self.codes, _ = self._through_flow(self.means, self.means, self.stddev)

        with tf.name_scope("posterior_predictive"):
            self.X_hat_distribution = likelihoods.distribution(self.likelihood, one_pass.logits)
            self.posterior_predictive = self.X_hat_distribution.sample(seed=self._op_seed(0))
            self.posterior_predictive_probs = self.likelihood.mean(one_pass.logits)
        with tf.name_scope("prior_predictive"):
            self.n_prior_samples = tf.compat.v1.placeholder_with_default(1, (), name="n")
            Z = self.prior_distribution.sample(self.n_prior_samples, seed=self._op_seed(1))
            if self.n_labels is not None:
                self.labels = tf.compat.v1.placeholder(tf.float32, (None, self.n_labels), "labels")
                Z = tf.concat([Z, self.labels], 1)
            logits = self.decode(Z)
            distribution = likelihoods.distribution(self.likelihood, logits)
            self.prior_predictive = distribution.sample(seed=self._op_seed(2))
            self.prior_predictive_probs = self.likelihood.mean(logits)
        with tf.name_scope("prior_predictive_from_input"):
            self.prior_predictive_from_input_probs = self.likelihood.mean(self.decode(self.Z_input))

        self.elbo, self.bound = self.bounds(
            self.X, self.epsilon, self.global_step.read_value, one_pass
        )
        with tf.name_scope("train"):
            gradients = self._gradients(-self.bound)
            step = self.updates.step(gradients, self.global_step.read_value)
            with tf.control_dependencies([step]):
                self.train_op = self.counters.count(1)
        # The variables that the caller made before the model are started too, as they always were.
        self.init_op = tf.group(
            tf.compat.v1.global_variables_initializer(), *self.counters.initializers
        )

    def _build_layers(self) -> None:
        """Create the layers in the original's order, which is that of the names in checkpoints."""
        numbers = itertools.count()

        def weights_seed() -> tuple[int, int]:
            return self._pair_of_seeds(Stream.WEIGHTS, next(numbers))

        n_parameters = self.D * self.likelihood.n_parameters
        self.widest = n_parameters  # most values of an image, of its code, or of a layer between

        def network(which: str, value: tf.Tensor, hidden: list[int], outputs: int) -> list[Any]:
            """Return the user's layers, or a relu layer for each size; then an unbounded one."""
            own = self._own_layers[which]
            if own is None:
                sizes = [*value.shape.as_list()[1:], *hidden]
                first = [
                    DenseLayer(*pair, seed=weights_seed()) for pair in itertools.pairwise(sizes)
                ]
            else:
                first, sizes = layers.adopt(own, value, weights_seed, which)
                sizes = [*value.shape.as_list()[1:], *sizes]
            self.widest = max(self.widest, *sizes)
            return [*first, DenseLayer(sizes[-1], outputs, f=tf.identity, seed=weights_seed())]

        *hidden, M = self.hidden_layer_sizes
        self.encoder_layers = network("encoder", self.X, hidden, 2 * M)  # means, unbounded stddev
        self.decoder_layers = network("decoder", self.Z_input, hidden[::-1], n_parameters)

    def _check_room(self) -> None:
        """Raise a MemoryError if weights, slots and gradients do not fit into this machine."""
        *hidden, M = self.hidden_layer_sizes
        sizes = [self.D, *hidden, 2 * M], [M, *hidden[::-1], self.D * self.likelihood.n_parameters]
        weights = sum(a * b for each in sizes for a, b in itertools.pairwise(each))
        named = "-".join(map(str, [self.D, *hidden, M]))
        check_room(_BYTES_PER_WEIGHT * weights, f"a model with the layers {named}")

    def _build_parts(self) -> None:
        """Create the variables of prior and flow, and see whether the KL has a closed form."""

        def next_seed() -> tuple[int, int]:
            return self._pair_of_seeds(Stream.PARTS, next(numbers))

        numbers = itertools.count()
        if self.flow is not None:
            self.flow = parts.adopted(self.flow, self.M, next_seed, 2 * self.M)
            flows.check_size(self.flow, self.M, 2 * self.M)
        if not isinstance(self.prior_distribution, priors.Normal):
            self.prior_distribution = parts.adopted(self.prior_distribution, self, next_seed)
            priors.check_shape(self.prior_distribution, self.M)
        if self.flow is not None or not hasattr(self.prior_distribution, "kl"):
            self.kl = "monte_carlo"
        for name, part in self._parts().items():
            parts.check_variables(part, f"the {name}")

    def _pair_of_seeds(self, *path: int) -> tuple[int, int]:
        return divmod(noise.key(self.seed, *path), 2**32)

    def describe_parts(self) -> dict[str, Any]:
        """Return the parts that are not the default ones, in JSON's types."""
        described: dict[str, Any] = {}
        if type(self.likelihood) is not likelihoods.Bernoulli:
            described["likelihood"] = parts.describe(self.likelihood, likelihoods.READY_MADE)
        for which, own in self._own_layers.items():
            if own is not None:
                *first, _ = getattr(self, f"{which}_layers")
                described[which] = [parts.describe(layer, layers.READY_MADE) for layer in first]
        if self.n_labels is not None:
            described["n_labels"] = self.n_labels
        if self.flow is not None:
            described["flow"] = parts.describe(self.flow, flows.READY_MADE)
        return described

    def describe_prior(self) -> dict[str, Any] | None:
        """Return the prior in JSON's types, None if it is N(0, I)."""
        if self.prior is None:
            return None
        if hasattr(self.prior, "KL_divergence"):
            return {"mean": self.prior.prior_mean, "variance": self.prior.prior_variance}
        found = self.prior_distribution
        described = found.flow if isinstance(found, priors.FlowPrior) else found
        return parts.describe(described, priors.READY_MADE)

    def _op_seed(self, number: int) -> int:
        return noise.op_seed(self.seed, Stream.SAMPLES, number)

    def _gradients(self, loss: tf.Tensor) -> list[tuple[tf.Tensor, tf.Variable]]:
        """Return the gradient of each variable; zero for one that the loss does not depend on."""
        pairs = self.optimizer.compute_gradients(loss, var_list=self.variables)
        return [(tf.zeros_like(v) if g is None else g, v) for g, v in pairs]

    # The parts of the ELBO -----------------------------------------------------------------------

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained, in the order of the names in a checkpoint: weights and biases first."""
        everything = [*self.encoder_layers, *self.decoder_layers]
        of_layers = [v for layer in everything for v in parts.variables_of(layer)]
        return of_layers + [v for found in self.part_variables.values() for v in found]

    @property
    def part_variables(self) -> dict[str, list[tf.Variable]]:
        """The variables of each part other than the layers, by the name of the part."""
        return {name: parts.variables_of(part) for name, part in self._parts().items()}

    def _parts(self) -> dict[str, Any]:
        return {
            "likelihood": self.likelihood,
            "prior": self.prior_distribution,
            "flow": self.flow,
        }

    def encode(self, X: tf.Tensor) -> tf.Tensor:
        """Return what the encoder makes of images, (B, 2M); `latent` reads it."""
        with tf.name_scope("encoder"):
            return _through(self.encoder_layers, X)

    def latent(self, encoded: tf.Tensor, epsilon: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return means and stddev of q(z|x), the code Z that `epsilon` draws, and the KL."""
        with tf.name_scope("latent"):
            means, stddev = self.posterior(encoded)
            # z = means + stddev · epsilon
            Z = epsilon * stddev + means
            if self.flow is not None:
                Z, log_posterior = self._through_flow(Z, means, stddev)
        with tf.name_scope("elbo"):
            if self.flow is not None:
                # KL ≈ log q(z|x) − log p(z)
                return means, stddev, Z, log_posterior - self.prior_distribution.log_prob(Z)
            return means, stddev, Z, self._kl(means, stddev, Z)

    def posterior(self, encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return means and stddev of q(z|x), (B, M) each."""
        # q(z|x) = N(means, stddev²)
        means, unbounded = tf.split(encoded, 2, axis=1)
        # softplus keeps stddev > 0; 1e-6 keeps log(stddev) finite
        return means, tf.nn.softplus(unbounded) + 1e-6

    def draw(
        self, means: tf.Tensor, stddev: tf.Tensor, epsilon: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Draw k codes of each q(z|x), and say how likely each is.

        Parameters
        ----------
        means, stddev
            Of the posteriors, (B, M).
        epsilon
            Standard normal noise, (B, k, M).

        Returns
        -------
        Z : tf.Tensor, shape (B · k, M)
            The codes, those of one image one after the other.
        log_posterior : tf.Tensor, shape (B · k,)
            log q(z|x) of each, in nats.
        """
        if self.flow is not None:
            k = epsilon.shape.as_list()[1] or tf.shape(epsilon)[1]
            means, stddev = repeat(means, k), repeat(stddev, k)
            Z = tf.reshape(epsilon, (-1, self.M)) * stddev + means
            return self._through_flow(Z, means, stddev)
        means, stddev = means[:, tf.newaxis], stddev[:, tf.newaxis]
        # z = means + stddev · epsilon
        Z = epsilon * stddev + means
        # log q(z|x) = log N(z; means, stddev²)
        log_posterior = self.log_posterior(Z, means, stddev)
        return tf.reshape(Z, (-1, self.M)), tf.reshape(log_posterior, (-1,))

    def _through_flow(
        self, Z0: tf.Tensor, means: tf.Tensor, stddev: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the codes (B, M) that the flow makes of these, and log q(z|x) in nats, (B,)."""
        Z, log_det = self.flow.forward(Z0, tf.concat([means, stddev], 1))
        # log q(z|x) = log N(z₀; means, stddev²) − log |det ∂z/∂z₀|
        return Z, log_density_gaussian(Z0, means, stddev) - log_det

    def log_posterior(self, Z: tf.Tensor, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return log q(z|x) in nats: codes (…, M) to (…)."""
        return log_density_gaussian(Z, means, stddev)

    def _kl(self, means: tf.Tensor, stddev: tf.Tensor, Z: tf.Tensor) -> tf.Tensor:
        """Return the divergence of q(z|x) from the prior, in nats an image, (B,)."""
        if self.kl == "monte_carlo":
            # KL ≈ log q(z|x) − log p(z)
            if isinstance(self.prior_distribution, priors.Normal):
                return self.prior_distribution.log_ratio(Z, means, stddev)
            return log_density_gaussian(Z, means, stddev) - self.prior_distribution.log_prob(Z)
        # KL = Σ ½ (stddev² + means² − 1) − log stddev, for p(z) = N(0, I)
        return self.prior_distribution.kl(means, stddev)

    def decode(self, Z: tf.Tensor) -> tf.Tensor:
        """Return the logits of p(x|z): codes (B, M) to (B, D)."""
        with tf.name_scope("decoder"):
            return _through(self.decoder_layers, Z)

    # With n_labels, the one-hot label of each image stands after its D values, and so it does after
    # the M values of a code that is decoded: p(x|z, y), q(z|x, y).

    @property
    def width(self) -> int:
        """Number of values of an image and of its label."""
        return self.D + (self.n_labels or 0)

    def images(self, X: tf.Tensor) -> tf.Tensor:
        """Return images (B, D) without their labels."""
        return X if self.n_labels is None else X[:, : self.D]

    def given(self, Z: tf.Tensor, X: tf.Tensor) -> tf.Tensor:
        """Return codes with the labels of these images, as `decode` takes them."""
        return Z if self.n_labels is None else tf.concat([Z, X[:, self.D :]], 1)

    def forward(self, X: tf.Tensor, epsilon: tf.Tensor) -> Pass:
        """Pass a minibatch through the model: the one definition of its ELBO.

        The placeholder graph and the compiled training loop have it from here, `evaluate` from its
        parts.
        """
        means, stddev, Z, kl = self.latent(self.encode(X), epsilon)
        logits = self.decode(self.given(Z, X))
        with tf.name_scope("elbo"):
            # log p(x|z) = Σ x · logits − log(1 + exp(logits))
            log_likelihood = self.likelihood.log_prob(self.images(X), logits)
        return Pass(means, stddev, Z, logits, log_likelihood, kl)

    def bounds(
        self,
        X: tf.Tensor,
        epsilon: tf.Tensor,
        step: Callable[[], tf.Tensor],
        one_pass: Pass | None = None,
    ) -> Bounds:
        """Return the ELBO of a minibatch, and the bound that training climbs at a global step.

        The placeholder graph and the compiled training loop call this.
        """
        if self.objective.takes_one_pass:
            return self.objective.of_pass(one_pass or self.forward(X, epsilon), step)
        with tf.name_scope("bound"):
            return self.objective.of_weights(self, X, epsilon, step)

    # The learning rate ---------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float | None:
        """The learning rate of the next step; None if the user's optimizer has one of its own."""
        rate = self.updates.current_rate
        return float(self.sess.run(rate)) if tf.is_tensor(rate) else rate  # type: ignore[arg-type]

    def _check_learning_rate(self) -> None:
        rate = self.learning_rate
        if rate is not None and not (np.isfinite(rate) and rate >= 0):
            self.close()
            raise ValueError(
                f"learning_rate(step) must be finite and not negative, but is {rate} at step 0"
            )

    # Release -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release the session, and with it the memory of the variables; twice does no harm."""
        self.sess.close()
        self._closed = True

    def check_open(self) -> None:
        """Raise a ValueError after `close`, and a RuntimeError in a forked process."""
        check_not_forked()
        if self._closed:
            raise ValueError("this model has been closed; build or load it again to use it")


def _check_sizes(sizes: Sequence[int]) -> list[int]:
    if not np.iterable(sizes) or isinstance(sizes, str):
        raise TypeError(
            f"hidden_layer_sizes must be a list of integers such as [200, 100], not {sizes!r}"
        )
    checked = [check_count(size, "a hidden layer size") for size in sizes]
    if not checked:
        raise ValueError("hidden_layer_sizes is empty: the last one is the size of the code")
    return checked


PARTS: dict[str, parts.Table] = {
    "likelihood": likelihoods.READY_MADE,
    "encoder": layers.READY_MADE,
    "decoder": layers.READY_MADE,
    "prior": priors.READY_MADE,
    "flow": flows.READY_MADE,
}  # the ready-made parts by the argument that takes them


def _through(layers: list[Any], value: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        value = layer.forward(value)
    return value
