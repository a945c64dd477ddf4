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
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1 import priors
from vae_tf1.backend.notices import without_deprecation_notices
from vae_tf1.checks import check_count, check_one_of
from vae_tf1.likelihoods import Bernoulli
from vae_tf1.model import noise
from vae_tf1.model.layers import DenseLayer
from vae_tf1.model.noise import Stream
from vae_tf1.model.rmsprop import rmsprop
from vae_tf1.model.state import Counters, TrainingState

__all__ = ["Model", "Pass"]


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


class Model:
    """The model apart from what is done with it: no file, no thread, no clock.

    `vae_tf1.VariationalAutoencoder` is this class with `fit`, `transform`, `save` and the rest; its
    documentation describes the parameters and attributes.
    """

    def __init__(
        self,
        D: int,
        hidden_layer_sizes: Sequence[int],
        *,
        seed: int | None = None,
        prior: Any = None,
        kl: str = "analytic",
    ) -> None:
        self.D = check_count(D, "D")
        self.hidden_layer_sizes = _check_sizes(hidden_layer_sizes)
        self.M = self.hidden_layer_sizes[-1]
        self.kl = check_one_of(kl, "kl", ("analytic", "monte_carlo"))
        if seed is not None:
            seed = check_count(seed, "seed", least=0)
        if prior is not None and not hasattr(prior, "KL_divergence"):
            raise TypeError(f"prior must be a Gaussian or None, not {prior!r}")
        self.prior = prior
        self.likelihood = Bernoulli()

        self.graph = tf.Graph() if tf.executing_eagerly() else tf.compat.v1.get_default_graph()
        with self.graph.as_default(), without_deprecation_notices():
            if seed is None:
                seed = tf.compat.v1.get_seed(None)[0]  # the graph's
            self.state = TrainingState(
                noise.entropy() if seed is None else seed, seed_given=seed is not None
            )
            self._build()
        self.sess = tf.compat.v1.Session(graph=self.graph)
        self._closed = False
        self.sess.run(self.init_op)

    @property
    def seed(self) -> int:
        """Everything random about the model and its training follows from this integer."""
        return self.state.seed

    # The graph -----------------------------------------------------------------------------------

    def _build(self) -> None:
        """Build the placeholders, the layers, the ELBO, the samples, and one step of training."""
        self.X = tf.compat.v1.placeholder(tf.float32, (None, self.D), name="X")
        self.Z_input = tf.compat.v1.placeholder(tf.float32, (None, self.M), name="Z_input")
        self._build_layers()
        self.prior_distribution = self._build_prior()
        self.counters = Counters(self.seed)
        self.noise_key, self.global_step = self.counters.noise_key, self.counters.global_step

        with tf.name_scope("epsilon"):
            self.epsilon = self.counters.next_epsilon(tf.shape(self.X)[0], self.M)
        one_pass = self.forward(self.X, self.epsilon)
        self.means, self.stddev, self.Z = one_pass.means, one_pass.stddev, one_pass.Z

        with tf.name_scope("posterior_predictive"):
            self.X_hat_distribution = self.likelihood.distribution(one_pass.logits)
            self.posterior_predictive = self.X_hat_distribution.sample(seed=self._op_seed(0))
            self.posterior_predictive_probs = self.likelihood.mean(one_pass.logits)
        with tf.name_scope("prior_predictive"):
            self.n_prior_samples = tf.compat.v1.placeholder_with_default(1, (), name="n")
            logits = self.decode(
                self.prior_distribution.sample(self.n_prior_samples, seed=self._op_seed(1))
            )
            self.prior_predictive = self.likelihood.distribution(logits).sample(
                seed=self._op_seed(2)
            )
            self.prior_predictive_probs = self.likelihood.mean(logits)
        with tf.name_scope("prior_predictive_from_input"):
            self.prior_predictive_from_input_probs = self.likelihood.mean(self.decode(self.Z_input))

        self.elbo = one_pass.elbo
        with tf.name_scope("train"):
            self.optimizer = rmsprop()
            step = self.optimizer.minimize(-self.elbo, var_list=self.variables)
            with tf.control_dependencies([step]):
                self.train_op = self.counters.count(1)
        # The variables that the caller made before the model are started too, as they always were.
        self.init_op = tf.group(
            tf.compat.v1.global_variables_initializer(), *self.counters.initializers
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

    def _build_prior(self) -> priors.Normal:
        if self.prior is None:
            return priors.StandardNormal(self.M)
        return priors.Normal(self.prior.prior_mean, self.prior.prior_deviation, self.M)

    def _op_seed(self, number: int) -> int:
        return noise.op_seed(self.seed, Stream.SAMPLES, number)

    # The parts of the ELBO -----------------------------------------------------------------------

    @property
    def variables(self) -> list[tf.Variable]:
        """Weights and biases, in the order of the names in a checkpoint."""
        layers = self.encoder_layers + self.decoder_layers
        return [variable for layer in layers for variable in (layer.W, layer.b)]

    def encode(self, X: tf.Tensor) -> tf.Tensor:
        """Return what the encoder makes of images, (B, 2M); `latent` reads it."""
        with tf.name_scope("encoder"):
            return _through(self.encoder_layers, X)

    def latent(self, encoded: tf.Tensor, epsilon: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Return means and stddev of q(z|x), the code Z that `epsilon` draws, and the KL."""
        with tf.name_scope("latent"):
            # q(z|x) = N(means, stddev²)
            means, unbounded = tf.split(encoded, 2, axis=1)
            # softplus keeps stddev > 0; 1e-6 keeps log(stddev) finite
            stddev = tf.nn.softplus(unbounded) + 1e-6
            # z = means + stddev · epsilon
            Z = epsilon * stddev + means
        with tf.name_scope("elbo"):
            return means, stddev, Z, self._kl(means, stddev, Z)

    def _kl(self, means: tf.Tensor, stddev: tf.Tensor, Z: tf.Tensor) -> tf.Tensor:
        """Return the divergence of q(z|x) from the prior, in nats an image, (B,)."""
        if self.kl == "monte_carlo":
            # KL ≈ log q(z|x) − log p(z)
            return self.prior_distribution.log_ratio(Z, means, stddev)
        # KL = Σ ½ (stddev² + means² − 1) − log stddev, for p(z) = N(0, I)
        return self.prior_distribution.kl(means, stddev)

    def decode(self, Z: tf.Tensor) -> tf.Tensor:
        """Return the logits of p(x|z): codes (B, M) to (B, D)."""
        with tf.name_scope("decoder"):
            return _through(self.decoder_layers, Z)

    def forward(self, X: tf.Tensor, epsilon: tf.Tensor) -> Pass:
        """Pass a minibatch through the model: the one definition of its ELBO.

        The placeholder graph and the compiled training loop call this, and `evaluate` its parts.
        """
        means, stddev, Z, kl = self.latent(self.encode(X), epsilon)
        logits = self.decode(Z)
        with tf.name_scope("elbo"):
            # log p(x|z) = Σ x · logits − log(1 + exp(logits))
            log_likelihood = self.likelihood.log_prob(X, logits)
        return Pass(means, stddev, Z, logits, log_likelihood, kl)

    # Release -------------------------------------------------------------------------------------

    def close(self) -> None:
        """Release the session, and with it the memory of the variables; twice does no harm."""
        self.sess.close()
        self._closed = True

    def check_open(self) -> None:
        """Raise a ValueError after `close`."""
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


def _through(layers: list[DenseLayer], value: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        value = layer.forward(value)
    return value
