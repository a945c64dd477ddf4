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

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from vae_tf1 import likelihoods, priors
from vae_tf1.backend.fork import check_not_forked, note_session
from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.backend.session import open_session
from vae_tf1.checks import check_count
from vae_tf1.divergence import log_density_gaussian
from vae_tf1.model import noise, optimizers
from vae_tf1.model.bound import Bounds, Objective, Pass, repeat
from vae_tf1.model.composition import Composition
from vae_tf1.model.noise import Stream
from vae_tf1.model.state import Counters, TrainingState

__all__ = ["Model", "Pass"]


class Model(Composition):
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
        optimizer: Any = "rmsprop",
        learning_rate: Any = None,
        clip_norm: float | None = None,
        importance_samples: int = 1,
        beta: float = 1.0,
        kl_warm_up: int = 0,
        doubly_reparameterized: bool = False,
        choose_seed: Callable[[int | None], int] = noise.chosen_seed,
        open_session: Callable[[tf.Graph], tf.compat.v1.Session] = open_session,
        **composition: Any,
    ) -> None:
        super().__init__(D, hidden_layer_sizes, **composition)
        if seed is not None:
            seed = check_count(seed, "seed", least=0)
        self.objective = Objective(importance_samples, beta, kl_warm_up, doubly_reparameterized)
        if self.flow is not None and doubly_reparameterized:
            raise ValueError(
                "doubly_reparameterized needs log q(z|x) at any code, which a flow does not give: "
                "leave out one of the two"
            )
        self.updates = optimizers.updates(optimizer, learning_rate, clip_norm)
        self.optimizer = self.updates.optimizer

        check_not_forked()
        self.check_room()
        self.graph = tf.Graph() if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
        with self.graph.as_default(), without_deprecation_notices():
            if seed is None:
                seed = tf.compat.v1.get_seed(None)[0]  # the graph's
            self.state = TrainingState(choose_seed(seed), seed_given=seed is not None)
            self._build()
        note_session()
        self._closed = False
        with without_first_notices("session"):
            self.sess = open_session(self.graph)
            self.sess.run(self.init_op)
        try:
            self.updates.check_rate(self.learning_rate)
        except ValueError:
            self.close()
            raise

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
        self.build_composition()
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

    def _op_seed(self, number: int) -> int:
        return noise.op_seed(self.seed, Stream.SAMPLES, number)

    def _gradients(self, loss: tf.Tensor) -> list[tuple[tf.Tensor, tf.Variable]]:
        """Return the gradient of each variable; zero for one that the loss does not depend on."""
        pairs = self.optimizer.compute_gradients(loss, var_list=self.variables)
        return [(tf.zeros_like(v) if g is None else g, v) for g, v in pairs]

    # The equations -------------------------------------------------------------------------------

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
        assert self.flow is not None  # or nothing would call this
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

    # The session ---------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> float | None:
        """The learning rate of the next step; None if the user's optimizer has one of its own."""
        rate = self.updates.current_rate
        return float(self.sess.run(rate)) if tf.is_tensor(rate) else rate  # type: ignore[arg-type]

    def close(self) -> None:
        """Release the session, and with it the memory of the variables; twice does no harm."""
        self.sess.close()
        self._closed = True

    def check_open(self) -> None:
        """Raise a ValueError after `close`, and a RuntimeError in a forked process."""
        check_not_forked()
        if self._closed:
            raise ValueError("this model has been closed; build or load it again to use it")


def _through(layers: list[Any], value: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        value = layer.forward(value)
    return value
