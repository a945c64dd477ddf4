"""The parameters of a mixture over any number of rows, in the memory of one block of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from vae_tf1.mixture import Mixture, mixture_of

__all__ = ["gmm_params_of_blocks"]

Blocks = Iterable[tuple[np.ndarray, np.ndarray]]


def gmm_params_of_blocks(blocks: Callable[[], Blocks]) -> Mixture:
    """Compute what `vae_tf1.mixture.gmm_params` computes of all rows at once.

    Two passes sum over the blocks in float64. The first gives the weights and the means, the second
    the covariances around those means: Σ γ z zᵀ − μ μᵀ in one pass would cancel.

    Parameters
    ----------
    blocks
        Called twice. Each call gives the same blocks: observations z (n, D) and the probabilities
        gamma (n, K) of the components.

    Returns
    -------
    Mixture
        Of float64 arrays. A component that no observation belongs to has weight, mean and
        covariance zero.
    """
    n, sum_gamma, sum_z = 0, np.zeros(()), np.zeros(())
    for z, gamma in _float64(blocks()):
        n += len(z)
        sum_gamma = sum_gamma + gamma.sum(axis=0)  # (K,)
        sum_z = sum_z + gamma.T @ z  # (K, D)
    total = np.where(sum_gamma > 0, sum_gamma, 1.0)
    mu = sum_z / total[:, np.newaxis]

    sum_outer = np.zeros((*mu.shape, mu.shape[1]))  # (K, D, D)
    for z, gamma in _float64(blocks()):
        for k, mean in enumerate(mu):  # one component at a time: a block has one copy, not K
            z_mu = z - mean
            sum_outer[k] += (gamma[:, k, np.newaxis] * z_mu).T @ z_mu
    cov = sum_outer / total[:, np.newaxis, np.newaxis]
    return _arrays(sum_gamma / n, mu, cov)


def _float64(blocks: Blocks) -> Blocks:
    return ((np.asarray(z, np.float64), np.asarray(gamma, np.float64)) for z, gamma in blocks)


def _arrays(phi: np.ndarray, mu: np.ndarray, cov: np.ndarray) -> Mixture:
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        return Mixture(*sess.run(mixture_of(*map(tf.constant, (phi, mu, cov)))))
