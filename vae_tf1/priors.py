"""The prior p(z): where codes come from, and what it costs to depart from it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vae_tf1.divergence import (
    kl_divergence_gaussians,
    log_density_gaussian,
    log_density_ratio_gaussians,
)

__all__ = ["Normal", "StandardNormal"]


class Normal:
    """N(mean, deviation²) for every unit of the code.

    Parameters
    ----------
    mean, deviation
        Of each of the M units.
    M
        Size of the code.
    """

    def __init__(self, mean: float, deviation: float, M: int) -> None:
        self.mean, self.deviation, self.M = mean, deviation, M

    def kl(self, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return KL(N(means, stddev²) || p(z)) in nats: (B, M) to (B,)."""
        return kl_divergence_gaussians(means, stddev, self.mean, self.deviation)

    def log_ratio(self, Z: tf.Tensor, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return log q(z|x) − log p(z) in nats, (B,), whose mean over z ~ q is the divergence."""
        return log_density_ratio_gaussians(Z, means, stddev, self.mean, self.deviation)

    def log_prob(self, Z: tf.Tensor) -> tf.Tensor:
        """Return log p(z) in nats: (B, M) to (B,)."""
        return log_density_gaussian(Z, self.mean, self.deviation)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return self.mean + self.deviation * _standard_normal(n, self.M, seed)


class StandardNormal(Normal):
    """N(0, 1) for every unit of the code: the prior of the paper.

    Parameters
    ----------
    M
        Size of the code.
    """

    def __init__(self, M: int) -> None:
        super().__init__(0.0, 1.0, M)

    def kl(self, means: tf.Tensor, stddev: tf.Tensor) -> tf.Tensor:
        """Return KL(N(means, stddev²) || N(0, 1)) in nats: (B, M) to (B,).

        References
        ----------
        Kingma & Welling (2014), *Auto-Encoding Variational Bayes*, appendix B.
        """
        # In the original's order of operations: the golden values are held to the last bit or two.
        return tf.reduce_sum(-tf.math.log(stddev) + 0.5 * (stddev**2 + means**2) - 0.5, 1)

    def sample(self, n: tf.Tensor | int, seed: int | None = None) -> tf.Tensor:
        """Draw `n` codes, (n, M)."""
        return _standard_normal(n, self.M, seed)


def _standard_normal(n: tf.Tensor | int, M: int, seed: int | None) -> tf.Tensor:
    normal = tf.compat.v1.distributions.Normal(
        loc=np.zeros(M, np.float32), scale=np.ones(M, np.float32)
    )
    return normal.sample(n, seed=seed)
