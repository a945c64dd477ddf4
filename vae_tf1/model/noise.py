"""Randomness that is addressed, not consumed: each draw is a function of the seed and of its place.

Noise is keyed by (seed, global step) and the order of the images by (seed, epoch). So a run that is
cut into chunks, stopped or resumed sees the numbers of a run that was left alone.

References
----------
Salmon et al. (2011), *Parallel random numbers: as easy as 1, 2, 3* (the Philox generator).
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import numpy as np
import tensorflow as tf

_PHILOX = 1  # tf.random.Algorithm.PHILOX, the one generator with the same bits on every device
_NUMBERS_PER_COUNT = 4  # one count of Philox gives four 32-bit words
_INDICES = 1 << 16  # written at a time


class Stream(enum.IntEnum):
    """What a seed is used for; each purpose has a generator of its own."""

    WEIGHTS = 0
    EPSILON = 1
    ORDER = 2
    SAMPLES = 3
    BINARIZATION = 4
    PARTS = 5


# Draws that no training step gets to: the noise of `evaluate` and of `log_likelihood`.
EVALUATION = tf.int32.max
LIKELIHOOD = EVALUATION - 1


def entropy() -> int:
    """Return a fresh seed from the operating system; no global generator is touched."""
    return int(np.random.SeedSequence().generate_state(1, np.uint32)[0])


def chosen_seed(given: int | None) -> int:
    """Return the seed that was given, or a fresh one."""
    return entropy() if given is None else given


def key(seed: int, *path: int) -> int:
    """Return the 63-bit key of a stream: `path` is a `Stream` and what distinguishes it further."""
    state = np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def op_seed(seed: int, *path: int) -> int:
    """Return a seed that a stateful TensorFlow op accepts (31 bits)."""
    return key(seed, *path) >> 32


def standard_normal(
    key: tf.Tensor, step: tf.Tensor, draw: tf.Tensor | int, shape: tuple
) -> tf.Tensor:
    """Draw the noise of one or of several consecutive steps.

    Parameters
    ----------
    key
        int64 scalar, the key of the stream; see the function of that name.
    step
        int64 scalar, the global step of the first row of noise.
    draw
        int64 scalar below 2³¹, how many draws at this step came before.
    shape
        ``(steps, batch, M)``; each may be a scalar int tensor.

    Returns
    -------
    tf.Tensor
        float32 of that shape; ``[i]`` depends on (key, step + i, draw, batch · M) alone, whatever
        the number of steps drawn at a time.
    """
    return _addressed(tf.raw_ops.StatelessRandomNormalV2, key, step, draw, shape)


def standard_normal_rows(
    key: tf.Tensor, step: tf.Tensor, draw: tf.Tensor | int, shape: tuple[int, int], rows: slice
) -> tf.Tensor:
    """Draw some rows of the noise of a step, the bits of these rows in `standard_normal`.

    Parameters
    ----------
    key, step, draw
        As for `standard_normal`.
    shape
        ``(batch, M)`` of the whole step.
    rows
        Which of its rows, consecutive ones.

    Returns
    -------
    tf.Tensor
        float32, (rows, M).
    """
    batch, width = shape
    size, start, stop = batch * width, rows.start * width, rows.stop * width
    first, last = start // _NUMBERS_PER_COUNT, -(-stop // _NUMBERS_PER_COUNT)
    normal, counts = tf.raw_ops.StatelessRandomNormalV2, -(-size // _NUMBERS_PER_COUNT)
    flat = _counted(normal, key, step, draw, size, counts, (1, last - first), first)[0]
    skipped = first * _NUMBERS_PER_COUNT
    return tf.reshape(flat[start - skipped : stop - skipped], (-1, width))


def uniform(key: tf.Tensor, step: tf.Tensor, draw: tf.Tensor | int, shape: tuple) -> tf.Tensor:
    """Draw from [0, 1), a multiple of 2⁻²³; arguments and result are those of `standard_normal`."""
    return _addressed(tf.raw_ops.StatelessRandomUniformV2, key, step, draw, shape)


def normal_quantile(uniform: tf.Tensor) -> tf.Tensor:
    """Turn draws of `uniform` into standard normal draws, one to one."""
    return tf.math.ndtri(uniform + 2.0**-24)  # the middle of each interval: never infinite


def _addressed(generator: Callable, key, step, draw, shape: tuple) -> tf.Tensor:
    steps, batch, width = shape
    size = batch * width
    counts = -(-size // _NUMBERS_PER_COUNT)  # whole counts, so that each step starts on one
    flat = _counted(generator, key, step, draw, size, counts, (steps, counts))
    return tf.reshape(flat[:, :size], tf.stack([steps, batch, width]))


def _counted(
    generator: Callable, key, step, draw, size, counts, drawn: tuple, first: int = 0
) -> tf.Tensor:
    """Draw (steps, counts), from the count `first` of a step on; a step has `counts` in all."""
    low = step * tf.cast(counts, tf.int64)
    if first:
        low += first
    high = tf.cast(draw, tf.int64) * 2**32 + tf.cast(
        size, tf.int64
    )  # another batch size is another stream
    return generator(
        shape=tf.stack([drawn[0], drawn[1] * _NUMBERS_PER_COUNT]),
        key=tf.bitcast([key], tf.uint64),
        counter=tf.bitcast(tf.stack([low, high]), tf.uint64),
        alg=_PHILOX,
    )


def minibatch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Return the order of `n` images in an epoch, a permutation keyed by (seed, epoch).

    The raw words of a bit generator are sorted: NumPy guarantees these words for ever, but may
    change `Generator.permutation`. Each word carries its index in its lowest bits, so the sort
    needs only the words, eight bytes an image; see docs/decisions/order.md.
    """
    bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(Stream.ORDER, epoch)))
    words = bits.random_raw(n)
    index_bits = np.uint64((1 << (n - 1).bit_length()) - 1)
    words &= ~index_bits
    for start in range(0, n, _INDICES):
        some = words[start : start + _INDICES]
        some |= np.arange(start, start + len(some), dtype=np.uint64)
    words.sort()
    words &= index_bits
    return words.view(np.int64)
