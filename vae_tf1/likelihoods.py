"""The likelihood p(x|z): what the decoder's output says about an image."""

from __future__ import annotations

from typing import Any, Protocol

import tensorflow as tf

from vae_tf1.model.bernoulli import bernoulli_log_likelihood

__all__ = ["Bernoulli", "Likelihood"]


class Likelihood(Protocol):
    """A distribution of images, given the decoder's output.

    Attributes
    ----------
    n_parameters
        How many numbers the decoder gives for each value of an image.
    """

    n_parameters: int

    def log_prob(self, X: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Return log p(x|z) in nats, shape (B,), of images (B, D)."""

    def distribution(self, parameters: tf.Tensor) -> Any:
        """Return the distribution itself, with ``sample(seed=)`` and ``log_prob(X)``."""

    def mean(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return the mean image (B, D) for each row of parameters."""


class Bernoulli:
    """Binary pixels: p(x|z) = Π y^x (1 − y)^(1 − x) with y = sigmoid(logits)."""

    n_parameters = 1

    def log_prob(self, X: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return Σ x · logits − log(1 + exp(logits)) in nats, shape (B,)."""
        return bernoulli_log_likelihood(X, logits)

    def distribution(self, logits: tf.Tensor) -> tf.compat.v1.distributions.Bernoulli:
        """Return the distribution of each pixel; its samples are int32 zeros and ones."""
        return tf.compat.v1.distributions.Bernoulli(logits=logits)

    def mean(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the probability of a one, of the shape of `logits`."""
        return tf.nn.sigmoid(logits)
