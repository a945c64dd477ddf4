"""The likelihood p(x|z): what the decoder's output says about an image.

A likelihood of one's own is any object with the members of `Likelihood`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from vae_tf1.checks import check_count, check_one_of, check_positive
from vae_tf1.model.bernoulli import bernoulli_log_likelihood
from vae_tf1.model.support import REAL, UNIT_INTERVAL, Support

__all__ = [
    "READY_MADE",
    "Bernoulli",
    "Categorical",
    "ContinuousBernoulli",
    "Gaussian",
    "Likelihood",
    "Predictive",
    "Support",
    "as_likelihood",
    "distribution",
    "support_of",
]


@runtime_checkable
class Likelihood(Protocol):
    """A distribution of images of D values, given the decoder's output.

    Attributes
    ----------
    n_parameters
        How many numbers the decoder gives for each value of an image: the parameters of B images
        have shape (B, D · n_parameters).
    support : Support, optional
        Which values an image may have; by default any finite number.
    variables : list of tf.Variable, optional
        What is trained besides the decoder.
    build : callable, optional
        ``build(D)`` creates the variables; the model calls it in its graph, on a copy.
    """

    n_parameters: int

    def log_prob(self, X: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Return log p(x|z) in nats, shape (B,), of images (B, D)."""

    def sample(self, parameters: tf.Tensor, seed: int | None = None) -> tf.Tensor:
        """Draw an image (B, D) for each row of parameters."""

    def mean(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return the mean image (B, D) for each row of parameters."""


class Predictive:
    """p(x|z) for given parameters, with the methods of a distribution.

    Parameters
    ----------
    likelihood
        The likelihood.
    parameters
        The decoder's output, shape (B, D · n_parameters).
    """

    def __init__(self, likelihood: Likelihood, parameters: tf.Tensor) -> None:
        self.likelihood, self.parameters = likelihood, parameters

    def log_prob(self, X: tf.Tensor) -> tf.Tensor:
        """Return log p(x|z) in nats, shape (B,), of images (B, D)."""
        return self.likelihood.log_prob(X, self.parameters)

    def sample(self, seed: int | None = None) -> tf.Tensor:
        """Draw an image (B, D) for each row of parameters."""
        return self.likelihood.sample(self.parameters, seed=seed)

    def mean(self) -> tf.Tensor:
        """Return the mean image (B, D) for each row of parameters."""
        return self.likelihood.mean(self.parameters)


@dataclass(eq=False)
class Bernoulli:
    """Binary pixels: p(x|z) = Π y^x (1 − y)^(1 − x) with y = sigmoid(logits)."""

    n_parameters = 1
    support = UNIT_INTERVAL

    def log_prob(self, X: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return Σ x · logits − log(1 + exp(logits)) in nats, shape (B,)."""
        return bernoulli_log_likelihood(X, logits)

    def distribution(self, logits: tf.Tensor) -> tf.compat.v1.distributions.Bernoulli:
        """Return the distribution of each pixel; its samples are int32 zeros and ones."""
        return tf.compat.v1.distributions.Bernoulli(logits=logits)

    def sample(self, logits: tf.Tensor, seed: int | None = None) -> tf.Tensor:
        """Draw zeros and ones, int32, of the shape of `logits`."""
        return self.distribution(logits).sample(seed=seed)

    def mean(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the probability of a one, of the shape of `logits`."""
        return tf.nn.sigmoid(logits)


@dataclass(eq=False)
class ContinuousBernoulli:
    """Grey values in [0, 1]: p(x|z) = Π C(y) y^x (1 − y)^(1 − x) with y = sigmoid(logits).

    C(y) makes it a density: ∫₀¹ y^x (1 − y)^(1 − x) dx = (2 y − 1) / logits, which has the limit ½
    at y = ½. The Bernoulli likelihood leaves C out, and is none for grey values.

    References
    ----------
    Loaiza-Ganem & Cunningham (2019), *The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders*, NeurIPS.
    """

    n_parameters = 1
    support = UNIT_INTERVAL

    def log_prob(self, X: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Return Σ x · logits − log((exp(logits) − 1) / logits) in nats, shape (B,)."""
        return tf.reduce_sum(X * logits - _log_integral(logits), 1)

    def sample(self, logits: tf.Tensor, seed: int | None = None) -> tf.Tensor:
        """Draw values in [0, 1], of the shape of `logits`."""
        # The inverse of the distribution function, of −|logits|: nothing overflows there.
        small, size = _away_from_zero(logits)
        u = tf.random.uniform(tf.shape(logits), dtype=logits.dtype, seed=seed)
        x = tf.where(small, u, -tf.math.log1p(u * tf.math.expm1(-size)) / size)
        return tf.clip_by_value(tf.where(logits > 0, 1 - x, x), 0, 1)

    def mean(self, logits: tf.Tensor) -> tf.Tensor:
        """Return 1 / (1 − exp(−logits)) − 1 / logits, which is ½ at zero."""
        small, size = _away_from_zero(logits)
        near = 0.5 + logits / 12 - logits**3 / 720 + logits**5 / 30240
        below = 1 / size - 1 / tf.math.expm1(size)  # the mean for −|logits|
        return tf.where(small, near, tf.where(logits > 0, 1 - below, below))


def _log_integral(logits: tf.Tensor) -> tf.Tensor:
    """Return log ∫₀¹ exp(x · logits) dx = log((exp(logits) − 1) / logits), elementwise."""
    small, size = _away_from_zero(logits)
    squared = tf.where(small, logits, tf.zeros_like(logits)) ** 2
    near = logits / 2 + squared / 24 - squared**2 / 2880 + squared**3 / 181440
    far = tf.nn.relu(logits) + tf.math.log(-tf.math.expm1(-size) / size)
    return tf.where(small, near, far)


def _away_from_zero(logits: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return where a series of three terms is exact to float32, and |logits|, one there."""
    # One, not |logits|: a gradient that is NaN in the branch not taken would spoil the other.
    small = tf.abs(logits) < 0.5
    return small, tf.where(small, tf.ones_like(logits), tf.abs(logits))


_VARIANCES = ("shared", "pixel", "decoder")


@dataclass(eq=False)
class Gaussian:
    """Real values: p(x|z) = Π N(x; means, stddev²).

    Parameters
    ----------
    variance
        What is learned: "shared", one number for all values; "pixel", one for each of the D; or
        "decoder", one for each value of each image.
    least_stddev
        Is added to the standard deviation. Without a floor the density of data that the decoder
        can reproduce exactly, a black border say, has no bound.

    Attributes
    ----------
    unbounded : tf.Variable, shape (1,) or (D,)
        stddev = least_stddev + softplus(unbounded), initially 1. Not with "decoder".
    """

    variance: str = "shared"
    least_stddev: float = 0.01

    support = REAL

    def __post_init__(self) -> None:
        check_one_of(self.variance, "variance", _VARIANCES)
        self.least_stddev = check_positive(self.least_stddev, "least_stddev")
        self.n_parameters = 2 if self.variance == "decoder" else 1
        self.variables: list[tf.Variable] = []

    def build(self, D: int) -> None:
        """Create the variable of a variance that the decoder does not give."""
        self.variables = []
        if self.variance != "decoder":
            # softplus(log(e − 1)) = 1
            initial = np.full(D if self.variance == "pixel" else 1, math.log(math.expm1(1.0)))
            self.unbounded = tf.compat.v1.Variable(initial.astype(np.float32), use_resource=True)
            self.variables = [self.unbounded]

    def moments(self, parameters: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return means (B, D), and standard deviations that broadcast with them."""
        if self.variance == "decoder":
            means, unbounded = tf.split(parameters, 2, axis=1)
        else:
            means, unbounded = parameters, tf.cast(self.unbounded, parameters.dtype)
        return means, self.least_stddev + tf.nn.softplus(unbounded)

    def log_prob(self, X: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Return Σ log N(x; means, stddev²) in nats, shape (B,)."""
        means, stddev = self.moments(parameters)
        squared = tf.square((X - means) / stddev)
        return tf.reduce_sum(-0.5 * (squared + math.log(2 * math.pi)) - tf.math.log(stddev), 1)

    def sample(self, parameters: tf.Tensor, seed: int | None = None) -> tf.Tensor:
        """Draw means + stddev · epsilon, shape (B, D)."""
        means, stddev = self.moments(parameters)
        return means + stddev * tf.random.normal(tf.shape(means), dtype=means.dtype, seed=seed)

    def mean(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return the means, shape (B, D)."""
        return self.moments(parameters)[0]


@dataclass(eq=False)
class Categorical:
    """One of k classes, the integers from 0 to k − 1: p(x|z) = Π softmax(logits)[x].

    Parameters
    ----------
    k
        Number of classes; 256 are the grey values of eight-bit images.
    """

    k: int = 256

    def __post_init__(self) -> None:
        self.k = check_count(self.k, "k", least=2)
        self.n_parameters = self.k
        self.support = Support(0, self.k - 1, whole=True)

    def logits(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return the parameters as one row of k a value, shape (B, D, k)."""
        return tf.reshape(parameters, (-1, parameters.shape.as_list()[1] // self.k, self.k))

    def log_prob(self, X: tf.Tensor, parameters: tf.Tensor) -> tf.Tensor:
        """Return Σ logits[x] − log Σ_k exp(logits[k]) in nats, shape (B,)."""
        cross_entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=tf.cast(X, tf.int32), logits=self.logits(parameters)
        )
        return -tf.reduce_sum(cross_entropies, 1)

    def sample(self, parameters: tf.Tensor, seed: int | None = None) -> tf.Tensor:
        """Draw classes, int32, shape (B, D)."""
        logits = tf.reshape(parameters, (-1, self.k))
        classes = tf.random.categorical(logits, 1, dtype=tf.int32, seed=seed)
        return tf.reshape(classes, (-1, parameters.shape.as_list()[1] // self.k))

    def probs(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return the probability of each class, shape (B, D, k)."""
        return tf.nn.softmax(self.logits(parameters))

    def mean(self, parameters: tf.Tensor) -> tf.Tensor:
        """Return Σ_k k · p(k), shape (B, D): the mean grey value."""
        probs = self.probs(parameters)
        return tf.reduce_sum(probs * tf.range(self.k, dtype=probs.dtype), 2)


READY_MADE = {cls.__name__: cls for cls in (Bernoulli, ContinuousBernoulli, Gaussian, Categorical)}
_NAMES: dict[str, Callable[[], Likelihood]] = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "categorical": Categorical,
}


def as_likelihood(likelihood: str | Likelihood) -> Likelihood:
    """Return the likelihood of that name, or the object itself if it is one.

    Raises
    ------
    TypeError, ValueError
        If it is neither.
    """
    if isinstance(likelihood, str):
        return _NAMES[check_one_of(likelihood, "likelihood", tuple(_NAMES))]()
    lacking = [
        name
        for name in ("n_parameters", "log_prob", "sample", "mean")
        if not hasattr(likelihood, name)
    ]
    if lacking or isinstance(likelihood, type):
        raise TypeError(
            f"likelihood must be one of {', '.join(map(repr, _NAMES))}, or an object with "
            f"n_parameters, log_prob, sample and mean, not {likelihood!r}"
        )
    check_count(likelihood.n_parameters, "n_parameters of the likelihood")
    return likelihood


def distribution(likelihood: Likelihood, parameters: tf.Tensor) -> Any:
    """Return p(x|z) for given parameters, with ``sample(seed=)`` and ``log_prob(X)``."""
    own = getattr(likelihood, "distribution", None)
    return Predictive(likelihood, parameters) if own is None else own(parameters)


def support_of(likelihood: Likelihood) -> Support:
    """Return which values an image may have."""
    return getattr(likelihood, "support", REAL)
