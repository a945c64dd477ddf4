"""Philox4x32-10 in TensorFlow's own ops: random words for many counters at a time.

TensorFlow's kernel draws the words of consecutive counters. Here each row has counters of its own,
so that what a row is given does not depend on the rows beside it.

References
----------
Salmon et al. (2011), *Parallel random numbers: as easy as 1, 2, 3*, SC11.
"""

from __future__ import annotations

import tensorflow as tf

__all__ = ["words"]

_ROUNDS = 10
_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85  # what the key grows by from round to round
_LOW = 0xFFFFFFFF


def words(key: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """Return the four words of each counter.

    Parameters
    ----------
    key
        int64 scalar.
    low, high
        The two halves of each counter, int64 of one shape, or a scalar.

    Returns
    -------
    tuple of four tf.Tensor
        uint32, of the shape of `low`: word i of TensorFlow's own Philox kernel at that counter.
    """
    key, low, high = (tf.bitcast(each, tf.uint64) for each in (key, low, high))
    k0, k1 = _halves(key)
    c0, c1 = _halves(low)
    c2, c3 = _halves(high)
    for _ in range(_ROUNDS):
        high0, low0 = _halves(tf.cast(c0, tf.uint64) * _MULTIPLIERS[0])
        high2, low2 = _halves(tf.cast(c2, tf.uint64) * _MULTIPLIERS[1])
        low0, high0, low2, high2 = high0, low0, high2, low2
        c0, c1, c2, c3 = high2 ^ c1 ^ k0, low2, high0 ^ c3 ^ k1, low0
        k0, k1 = k0 + _WEYL[0], k1 + _WEYL[1]
    return c0, c1, c2, c3


def _halves(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the low and the high 32 bits."""
    low = tf.cast(value & tf.constant(_LOW, tf.uint64), tf.uint32)
    return low, tf.cast(tf.bitwise.right_shift(value, tf.constant(32, tf.uint64)), tf.uint32)
