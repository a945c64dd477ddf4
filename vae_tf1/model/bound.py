"""Importance weights of codes, and the lower bounds on log p(x) that they make.

    log w = log p(x|z) + log p(z) − log q(z|x),  z ~ q(z|x)       an importance weight
    L_k   = E log 1/k Σᵢ wᵢ                                       the bound of k samples
    ELBO  = L_1 ≤ L_2 ≤ … ≤ log p(x),  and L_k → log p(x)

References
----------
Burda, Grosse & Salakhutdinov (2016), *Importance Weighted Autoencoders*, ICLR.
Tucker, Lawson, Gu & Maddison (2019), *Doubly Reparameterized Gradient Estimators for Monte Carlo
Objectives*, ICLR.
Higgins et al. (2017), *beta-VAE*, ICLR.
Sønderby et al. (2016), *Ladder Variational Autoencoders*, NeurIPS: the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.checks import check_count
from vae_tf1.errors import one_line

__all__ = ["Bounds", "Objective", "Pass", "log_mean_exp", "repeat"]

Step = Callable[[], tf.Tensor]


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


class Bounds(NamedTuple):
    """What a step of training computes, summed over the batch, in nats."""

    elbo: tf.Tensor  # scalar
    trained: tf.Tensor  # scalar, the bound that training climbs


def repeat(values: tf.Tensor, k: tf.Tensor | int) -> tf.Tensor:
    """Return every row k times, one after the other: (B, n) to (B · k, n)."""
    n = values.shape[1]
    copies = tf.broadcast_to(values[:, tf.newaxis], tf.stack([tf.shape(values)[0], k, n]))
    return tf.reshape(copies, (-1, n))


def log_mean_exp(log_weights: tf.Tensor) -> tf.Tensor:
    """Return the logarithm of the mean weight of each row: (B, k) to (B,)."""
    # log 1/k Σ w = m + log Σ exp(log w − m) − log k, with m the largest log w: no overflow
    return tf.reduce_logsumexp(log_weights, 1) - math.log(log_weights.shape[1])


@dataclass(frozen=True)
class Objective:
    """The bound that training climbs, and how its gradient is estimated.

    Attributes
    ----------
    importance_samples
        k, the codes drawn for each image.
    beta
        The weight of the KL, or of log p(z) − log q(z|x) if k > 1. With another one than 1 the
        result is no bound on log p(x).
    kl_warm_up
        Number of steps over which the weight of the KL rises in a straight line from 0 to `beta`;
        0 for none.
    doubly_reparameterized
        Whether the encoder has the gradient of Tucker et al. (2019), whose noise does not drown
        the signal as k grows.

    Raises
    ------
    TypeError, ValueError
        If one of them is something else.
    """

    importance_samples: int = 1
    beta: float = 1.0
    kl_warm_up: int = 0
    doubly_reparameterized: bool = False

    def __post_init__(self) -> None:
        checked = {
            "importance_samples": check_count(self.importance_samples, "importance_samples"),
            "kl_warm_up": check_count(self.kl_warm_up, "kl_warm_up", least=0),
        }
        real = isinstance(self.beta, Real | np.number) and not isinstance(self.beta, bool)
        if not (real and math.isfinite(self.beta) and self.beta >= 0):
            raise ValueError(f"beta must be a number from 0 on, not {one_line(repr(self.beta))}")
        if not isinstance(self.doubly_reparameterized, bool):
            raise TypeError(
                "doubly_reparameterized must be True or False, not "
                f"{one_line(repr(self.doubly_reparameterized))}"
            )
        for name, value in {**checked, "beta": float(self.beta)}.items():
            object.__setattr__(self, name, value)  # of Python's types, whatever was given

    def describe(self) -> dict[str, Any] | None:
        """Return the arguments of another objective than the ELBO, in JSON's types."""
        return None if self == Objective() else asdict(self)

    @property
    def takes_one_pass(self) -> bool:
        """Whether it is made of the ELBO's two terms, so that `of_pass` computes it."""
        return self.importance_samples == 1 and not self.doubly_reparameterized

    def first(self, epsilon: tf.Tensor) -> tf.Tensor:
        """Return the noise of the first code of each image, (B, M)."""
        return epsilon if self.importance_samples == 1 else epsilon[:, 0]

    def of_pass(self, one_pass: Any, step: Step) -> Bounds:
        """Return the bounds of a `Pass` with one code an image."""
        elbo = one_pass.elbo
        if self._is_unweighted:
            return Bounds(elbo, elbo)
        # Σ_x log p(x|z) − β KL(q(z|x) || p(z))
        weighted_kl = self._beta(step) * one_pass.kl
        return Bounds(elbo, tf.reduce_sum(one_pass.log_likelihood - weighted_kl))

    def of_weights(self, model: Any, X: tf.Tensor, epsilon: tf.Tensor, step: Step) -> Bounds:
        """Return the bounds of k codes an image.

        Parameters
        ----------
        model
            The `Model`.
        X
            Images, (B, D).
        epsilon
            Noise, (B, k, M), or (B, M) for one code.
        step
            Returns the global step, an int64 scalar.
        """
        k = self.importance_samples
        epsilon = tf.reshape(epsilon, (-1, k, model.M))
        images = repeat(X, k)

        def log_weights(Z: tf.Tensor, log_posterior: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            logits = model.decode(model.given(Z, images))
            log_likelihood = model.likelihood.log_prob(model.images(images), logits)
            log_ratio = model.prior_distribution.log_prob(Z) - log_posterior
            # ELBO = Σ_x 1/k Σᵢ log wᵢ
            elbo = tf.reduce_sum(log_likelihood + log_ratio) / k
            # log w = log p(x|z) + β (log p(z) − log q(z|x))
            weighted = log_ratio if self._is_unweighted else self._beta(step) * log_ratio
            return elbo, tf.reshape(log_likelihood + weighted, (-1, k))

        means, stddev = model.posterior(model.encode(X))
        Z, log_posterior = model.draw(means, stddev, epsilon)
        if not self.doubly_reparameterized:
            elbo, log_w = log_weights(Z, log_posterior)
            # L_k = Σ_x log 1/k Σᵢ wᵢ
            return Bounds(elbo, tf.reduce_sum(log_mean_exp(log_w)))

        # The same value. Its gradient is, with w̃ᵢ = wᵢ / Σⱼ wⱼ,
        #     of the decoder   Σᵢ w̃ᵢ ∂log wᵢ/∂θ,
        #     of the encoder   Σᵢ w̃ᵢ² (∂log wᵢ/∂zᵢ) (∂zᵢ/∂φ)        (Tucker et al. 2019, eq. 8)
        # where log wᵢ depends on φ through zᵢ alone: means and stddev in log q(z|x) are held.
        fixed = tf.stop_gradient
        at = fixed(Z)
        held = (fixed(repeat(part, k)) for part in (means, stddev))
        elbo, log_w = log_weights(at, model.log_posterior(at, *held))
        share = fixed(tf.nn.softmax(log_w, 1))  # w̃
        of_decoder = tf.reduce_sum(share * log_w)
        (slope,) = tf.gradients(of_decoder, at)  # w̃ᵢ ∂log wᵢ/∂zᵢ
        of_encoder = tf.reduce_sum(fixed(tf.reshape(share, (-1, 1)) * slope) * Z)
        with_gradient = of_decoder + of_encoder
        value = fixed(tf.reduce_sum(log_mean_exp(log_w)))
        return Bounds(elbo, value + (with_gradient - fixed(with_gradient)))

    @property
    def _is_unweighted(self) -> bool:
        return self.beta == 1 and not self.kl_warm_up

    def _beta(self, step: Step) -> tf.Tensor | float:
        """Return the weight of the KL at a global step."""
        if not self.kl_warm_up:
            return float(self.beta)
        # β · min(1, step / kl_warm_up)
        return self.beta * tf.minimum(1.0, tf.cast(step(), tf.float32) / self.kl_warm_up)
