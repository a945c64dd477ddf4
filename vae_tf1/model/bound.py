"""Importance weights of codes, and the lower bounds on log p(x) that they make.

    log w = log p(x|z) + log p(z) − log q(z|x),  z ~ q(z|x)       an importance weight
    L_k   = E log 1/k Σᵢ wᵢ                                       the bound of k samples
    ELBO  = L_1 ≤ L_2 ≤ … ≤ log p(x),  and L_k → log p(x)

References
----------
Burda, Grosse & Salakhutdinov (2016), *Importance Weighted Autoencoders*, ICLR.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["repeat"]


def repeat(values: tf.Tensor, k: tf.Tensor | int) -> tf.Tensor:
    """Return every row k times, one after the other: (B, n) to (B · k, n)."""
    n = values.shape[1]
    copies = tf.broadcast_to(values[:, tf.newaxis], tf.stack([tf.shape(values)[0], k, n]))
    return tf.reshape(copies, (-1, n))
