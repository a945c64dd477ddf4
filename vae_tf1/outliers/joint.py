"""An autoencoder and a mixture of Gaussians that learn together, as a graph with a session.

    code c = encoder(x),  x' = decoder(c)
    z      = [c, ‖x − x'‖ / ‖x‖, x·x' / (‖x‖ ‖x'‖)]         features
    γ      = softmax(estimation network of z)
    E(z)   = −log Σ_k φ_k N(z; μ_k, Σ_k)                       gmm_params, gmm_energy
    loss   = mean ‖x − x'‖² + λ1 · mean E(z) + λ2 · Σ_kd 1 / Σ_k[d, d]

References
----------
Zong et al. (2018), Deep Autoencoding Gaussian Mixture Model for Unsupervised Anomaly Detection.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_deprecation_notices, without_first_notices
from vae_tf1.mixture import Mixture, gmm_energy, gmm_params
from vae_tf1.model import noise
from vae_tf1.model.layers import DenseLayer
from vae_tf1.model.noise import Stream

__all__ = ["JointModel", "reconstruction_features"]

_SHORTEST = 0.1  # a smaller ‖x‖ counts as this: rows near zero are not far from everything
_TINY = 1e-12
_STEEPEST = 10.0  # norm of a gradient: a component about to collapse must not stop Adam for long


class Settings(NamedTuple):
    """How to build and train a `JointModel`; see `vae_tf1.outliers.OutlierDetector`."""

    hidden_layer_sizes: tuple[int, ...]
    estimation_layer_sizes: tuple[int, ...]
    n_gmm: int
    dropout: float
    energy_weight: float
    covariance_weight: float
    epochs: int
    batch_sz: int
    learning_rate: float
    seed: int


class Losses(NamedTuple):
    """The parts of the loss of a minibatch, scalars."""

    reconstruction: tf.Tensor  # mean ‖x − x'‖²
    energy: tf.Tensor  # mean E(z), nats
    cov_diag: tf.Tensor  # Σ_kd 1 / Σ_k[d, d]


def reconstruction_features(X: tf.Tensor, X_hat: tf.Tensor) -> tf.Tensor:
    """Return how far and in which direction a reconstruction lies, shape (B, 2).

    Parameters
    ----------
    X, X_hat
        Rows and their reconstructions, shape (B, D).

    Returns
    -------
    Tensor
        The relative Euclidean distance ‖x − x'‖ / max(‖x‖, 0.1), and the cosine similarity
        x·x' / (‖x‖ ‖x'‖), zero if one of the two is zero.
    """
    with tf.name_scope("reconstruction_features"):
        norm, norm_hat = _norm(X), _norm(X_hat)
        distance = _norm(X - X_hat) / tf.maximum(norm, _SHORTEST)
        similarity = tf.reduce_sum(X * X_hat, axis=1) / tf.maximum(norm * norm_hat, _TINY)
        return tf.stack([distance, similarity], axis=1)


class JointModel:
    """The graph, its session and its training.

    Parameters
    ----------
    n_features
        Number of columns, D.
    settings
        The rest.

    Attributes
    ----------
    X : tf.Tensor, shape (B, D)
        Placeholder for scaled rows; everything is computed in float64.
    z : tf.Tensor, shape (B, M + 2)
        Codes and reconstruction features.
    gamma : tf.Tensor, shape (B, K)
        The estimation network's probabilities of the components.
    losses : Losses
    mixture : Mixture
        Placeholders for the mixture of the whole training set; `energy` reads it.
    energy : tf.Tensor, shape (B,)
        Under `mixture`, in nats.
    """

    def __init__(self, n_features: int, settings: Settings) -> None:
        self.n_features, self.settings = n_features, settings
        self.graph = tf.Graph()
        with self.graph.as_default(), without_deprecation_notices():
            self._build()
        with without_first_notices("session"):
            self.sess = tf.compat.v1.Session(graph=self.graph)
            self.sess.run(self._init_op)

    def _build(self) -> None:
        s = self.settings
        self.X = tf.compat.v1.placeholder(tf.float64, (None, self.n_features), name="X")
        self._step = tf.compat.v1.placeholder_with_default(np.int64(0), (), name="step")
        self._dropout = tf.compat.v1.placeholder_with_default(np.float64(0), (), name="dropout")
        self._build_layers()

        self.code = _through(self._encoder, self.X)
        self.X_hat = _through(self._decoder, self.code)
        features = reconstruction_features(self.X, self.X_hat)
        self.z = tf.concat([self.code, features], axis=1)
        *hidden, last = self._estimation
        self.gamma = tf.nn.softmax(_through([last], self._drop(_through(hidden, self.z))))

        with tf.name_scope("loss"):
            error = tf.reduce_sum(tf.math.squared_difference(self.X, self.X_hat), axis=1)
            reconstruction = tf.reduce_mean(error)
            energy, cov_diag = gmm_energy(self.z, *gmm_params(self.z, self.gamma))
            self.losses = Losses(reconstruction, energy, cov_diag)
            self.loss = reconstruction + s.energy_weight * energy + s.covariance_weight * cov_diag
        with tf.name_scope("train"):
            adam = tf.compat.v1.train.AdamOptimizer(s.learning_rate)
            gradients = tf.gradients(self.loss, self.variables)
            gradients, _ = tf.clip_by_global_norm(gradients, _STEEPEST)
            self._train_op = adam.apply_gradients(zip(gradients, self.variables, strict=True))

        K, width = s.n_gmm, self.z.shape[1]
        shapes = ((K,), (K, width), (K, width, width), (K, width, width), (K,))
        self.mixture = Mixture(*(tf.compat.v1.placeholder(tf.float64, shape) for shape in shapes))
        self.energy, _ = gmm_energy(self.z, *self.mixture, return_mean=False)
        self._init_op = tf.compat.v1.global_variables_initializer()

    def _build_layers(self) -> None:
        s, numbers = self.settings, itertools.count()
        *hidden, M = s.hidden_layer_sizes

        def layers(sizes: Sequence[int]) -> list[DenseLayer]:
            """Return a tanh layer for each pair of sizes, and an unbounded one for the last."""
            pairs = list(itertools.pairwise(sizes))
            return [
                DenseLayer(*pair, f=f, seed=self._weights_seed(next(numbers)))
                for pair, f in zip(pairs, [_tanh] * (len(pairs) - 1) + [tf.identity], strict=True)
            ]

        self._encoder = layers([self.n_features, *hidden, M])
        self._decoder = layers([M, *reversed(hidden), self.n_features])
        self._estimation = layers([M + 2, *s.estimation_layer_sizes, s.n_gmm])

    def _weights_seed(self, number: int) -> tuple[int, int]:
        return divmod(noise.key(self.settings.seed, Stream.WEIGHTS, number), 2**32)

    def _drop(self, hidden: tf.Tensor) -> tf.Tensor:
        """Set a share `dropout` of the values to zero: noise keyed by (seed, step)."""
        with tf.name_scope("dropout"):
            key = tf.constant(noise.key(self.settings.seed, Stream.EPSILON), tf.int64)
            shape = (1, tf.shape(hidden)[0], hidden.shape[1])
            kept = tf.cast(noise.uniform(key, self._step, 0, shape)[0], tf.float64) >= self._dropout
            return tf.where(kept, hidden / (1 - self._dropout), tf.zeros_like(hidden))

    @property
    def variables(self) -> list[tf.Variable]:
        """Weights and biases: encoder, decoder, estimation network."""
        layers = [*self._encoder, *self._decoder, *self._estimation]
        return [variable for layer in layers for variable in (layer.W, layer.b)]

    @property
    def weights(self) -> list[np.ndarray]:
        """The values of `variables`."""
        return self.sess.run(self.variables)

    @weights.setter
    def weights(self, values: Sequence[np.ndarray]) -> None:
        feed = {
            variable.initializer.inputs[1]: value
            for variable, value in zip(self.variables, values, strict=True)
        }
        self.sess.run([variable.initializer for variable in self.variables], feed)

    def __reduce__(self) -> tuple:
        return _restored, (self.n_features, self.settings, self.weights)

    # Training and scoring ------------------------------------------------------------------------

    def train(
        self,
        take: Callable[[np.ndarray], np.ndarray],
        n: int,
        say: Callable[[int, float], None],
    ) -> None:
        """Train on minibatches in a new order each epoch; no row is left out.

        A step has `batch_sz` rows, and up to twice as many if that does not divide `n`.

        Parameters
        ----------
        take
            Gives the scaled rows of some indices.
        n
            How many rows there are.
        say
            Called after each epoch with its number and its mean loss.

        Raises
        ------
        FloatingPointError
            If the loss is not finite.
        """
        s, step = self.settings, 0
        n_batches = max(1, n // s.batch_sz)
        for epoch in range(s.epochs):
            losses = []
            for indices in np.array_split(noise.minibatch_order(s.seed, epoch, n), n_batches):
                losses.append(self._train_step(take(indices), step))
                step += 1
            loss = float(np.mean(losses))
            if not np.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss} in epoch {epoch + 1}; a smaller learning_rate may help"
                )
            say(epoch + 1, loss)

    def _train_step(self, rows: np.ndarray, step: int) -> float:
        feed = {self.X: rows, self._step: step, self._dropout: self.settings.dropout}
        try:
            return self.sess.run((self.loss, self._train_op), feed)[0]
        except tf.errors.InvalidArgumentError:  # the decompositions of a matrix of NaN
            return np.nan

    def features(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z and gamma of rows."""
        return tuple(self.sess.run((self.z, self.gamma), {self.X: X}))

    def energies(self, X: np.ndarray, mixture: Mixture) -> np.ndarray:
        """Return the energies of rows under a mixture, in nats."""
        feed = dict(zip(self.mixture, mixture, strict=True))
        return self.sess.run(self.energy, {self.X: X, **feed})


def _restored(n_features: int, settings: Settings, weights: Sequence[np.ndarray]) -> JointModel:
    model = JointModel(n_features, settings)
    model.weights = weights
    return model


def _tanh(X: tf.Tensor) -> tf.Tensor:
    """Return tanh(X / 2): `DenseLayer` starts with weights twice as large as tanh expects."""
    return tf.tanh(X / 2)


def _through(layers: Sequence[DenseLayer], value: tf.Tensor) -> tf.Tensor:
    """Pass rows through layers in float64: a mixture may tell codes apart that hardly differ."""
    for layer in layers:
        W, b = (tf.cast(variable, value.dtype) for variable in (layer.W, layer.b))
        value = layer.f(tf.matmul(value, W) + b)
    return value


def _norm(X: tf.Tensor) -> tf.Tensor:
    """Return the Euclidean norm of each row, with a gradient of zero at zero."""
    square = tf.reduce_sum(tf.square(X), axis=1)
    return tf.sqrt(tf.maximum(square, _TINY**2))
