"""Grey images made binary for training, by one of the protocols of `vae_tf1.data.binarization`.

A pixel of grey value x is 1 in an epoch if ``round(65535 x) ≥ max(u, 1)``, where u are 16 random
bits that follow from (seed, epoch, row, pixel): 1 with a probability that differs from x by less
than 2⁻¹⁶, never if x = 0 and always if x = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_deprecation_notices
from vae_tf1.backend.xla import graph_lock
from vae_tf1.data.binarization import DYNAMIC, FIXED, binarize, check_protocol
from vae_tf1.data.rows import Rows, as_rows
from vae_tf1.likelihoods import support_of
from vae_tf1.model import noise, philox
from vae_tf1.model.graph import Model
from vae_tf1.model.noise import Stream
from vae_tf1.model.support import UNIT_INTERVAL

__all__ = ["Binarizer"]

_PHILOX = 1  # tf.random.Algorithm.PHILOX
_DRAWS_PER_COUNTER = 8  # four words of 32 bits, two draws each
_BLOCK = 1024  # rows drawn at a time: 1.6 MB of random bits for MNIST
_FIXED_SEED = 0  # of `binarize`: a fixed draw is a data set, the same one for every model


class Binarizer:
    """Makes the rows of a training binary; keeps the ops that it has added to the model's graph.

    Parameters
    ----------
    model
        The model, whose seed keys the draws.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._ops: dict[tuple, Callable] = {}

    def rows(self, rows: Rows, protocol: str | None, name: str = "X") -> Rows:
        """Return rows under a protocol: None leaves them as they are.

        Raises
        ------
        ValueError
            If there is no such protocol, the likelihood is one of other values, or "dynamic" is
            asked for and the rows are binary.
        """
        protocol = check_protocol(protocol)
        if protocol is None:
            return rows
        support = support_of(self._model.likelihood)
        if support != UNIT_INTERVAL:
            raise ValueError(
                f"binarization={protocol!r} makes values in [0, 1] binary, but the likelihood "
                f"takes {support.expected}"
            )
        if protocol == DYNAMIC:
            if _is_binary(rows):
                raise ValueError(
                    f"{name} is binary already: binarization='dynamic' draws from grey images"
                )
            return _Dynamic(rows, self)
        if _is_binary(rows) or not rows.in_memory:
            return _Static(rows, protocol)
        every = rows.take(slice(None))
        stored = as_rows(binarize(every, protocol, _FIXED_SEED).view(bool), self._model.D)
        stored.binarization = protocol
        return stored

    def validation_rows(self, rows: Rows, protocol: str | None) -> Rows:
        """Return validation rows under a protocol: under "dynamic", one draw for all epochs."""
        return self.rows(rows, FIXED if protocol == DYNAMIC else protocol)

    def draw(self, rows: Rows, epoch: int, numbers: np.ndarray) -> np.ndarray:
        """Return the rows of these numbers, in any order, as drawn for an epoch: uint8, 0 or 1."""
        return self._drawer(rows, consecutive=False)(rows.take(numbers), epoch, numbers)

    def draw_all(self, rows: Rows, epoch: int) -> Rows:
        """Return all rows as drawn for an epoch: the values of `draw`, by TensorFlow's kernel."""
        drawer = self._drawer(rows, consecutive=True)
        drawn = np.empty((len(rows), self._model.D), np.uint8)
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            drawn[block] = drawer(rows.take(block), epoch, np.array([start]))
        return as_rows(drawn.view(bool), self._model.D)

    def _drawer(self, rows: Rows, consecutive: bool) -> Callable:
        kind = rows.dtype, rows.levels, consecutive
        with graph_lock(self._model.graph):
            if kind not in self._ops:
                self._ops[kind] = self._build(rows, consecutive)
            return self._ops[kind]

    def _build(self, rows: Rows, consecutive: bool) -> Callable:
        model, levels = self._model, rows.levels
        counters = -(-model.D // _DRAWS_PER_COUNTER)  # of a row
        with model.graph.as_default(), tf.name_scope("binarize"), without_deprecation_notices():
            images = tf.compat.v1.placeholder(rows.dtype, (None, model.D), name="images")
            numbers = tf.compat.v1.placeholder(tf.int64, (None,), name="numbers")
            epoch = tf.compat.v1.placeholder(tf.int64, (), name="epoch")
            key = tf.compat.v1.placeholder(tf.int64, (), name="key")
            n = tf.shape(images)[0]
            if consecutive:
                words = tf.raw_ops.StatelessRandomUniformFullIntV2(
                    shape=tf.stack([n, 4 * counters]),
                    key=tf.bitcast([key], tf.uint64),
                    counter=tf.bitcast(tf.stack([numbers[0] * counters, epoch]), tf.uint64),
                    alg=_PHILOX,
                    dtype=tf.uint32,
                )
            else:
                low = numbers[:, None] * counters + tf.range(counters, dtype=tf.int64)
                high = tf.zeros_like(low) + epoch
                words = tf.stack(philox.words(key, low, high), axis=2)
            bits = tf.bitcast(tf.reshape(words, [n, 4 * counters]), tf.uint16)
            bits = tf.reshape(bits, [n, _DRAWS_PER_COUNTER * counters])[:, : model.D]
            drawn = tf.cast(_in_65535ths(images, levels) >= tf.maximum(bits, 1), tf.uint8)

        def draw(taken: np.ndarray, number: int, rows: np.ndarray) -> np.ndarray:
            feed = {images: taken, epoch: number, numbers: rows}
            feed[key] = noise.key(model.seed, Stream.BINARIZATION)
            return model.sess.run(drawn, feed)

        return draw


class _Dynamic(Rows):
    """Grey rows that become binary anew in every epoch."""

    dtype, levels, binarization = np.dtype(np.uint8), 1, DYNAMIC

    def __init__(self, grey: Rows, binarizer: Binarizer) -> None:
        self._grey, self._binarizer = grey, binarizer

    def __len__(self) -> int:
        return len(self._grey)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        return self._grey.take(indices)

    def of_epoch(self, epoch: int) -> Rows:
        """Return the binary rows of an epoch; if the grey ones are in memory, so are these."""
        if self._grey.in_memory:
            return self._binarizer.draw_all(self._grey, epoch)
        return _Epoch(self._grey, self._binarizer, epoch)

    def fingerprint(self) -> str:
        """Return the fingerprint of the grey rows."""
        return self._grey.fingerprint()


class _Epoch(Rows):
    """The rows of one epoch, drawn as they are taken."""

    dtype, levels = np.dtype(np.uint8), 1

    def __init__(self, grey: Rows, binarizer: Binarizer, epoch: int) -> None:
        self._grey, self._binarizer, self._epoch = grey, binarizer, epoch

    def __len__(self) -> int:
        return len(self._grey)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        return self._binarizer.draw(self._grey, self._epoch, _numbers(indices, len(self)))


class _Static(Rows):
    """Rows that are thresholded or drawn once; what is binary already stays as it is."""

    dtype, levels = np.dtype(np.uint8), 1

    def __init__(self, rows: Rows, protocol: str) -> None:
        self._rows, self._protocol, self.binarization = rows, protocol, protocol

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        taken = self._rows.take(indices)
        if _is_binary(self._rows):
            return taken
        numbers = _numbers(indices, len(self))
        return binarize(taken, self._protocol, _FIXED_SEED, rows=numbers)


def _is_binary(rows: Rows) -> bool:
    return rows.dtype == np.uint8 and rows.levels == 1


def _numbers(indices: np.ndarray | slice, n: int) -> np.ndarray:
    return np.arange(*indices.indices(n)) if isinstance(indices, slice) else indices


def _in_65535ths(images: tf.Tensor, levels: int) -> tf.Tensor:
    """Return round(65535 x) as uint16; for a byte k that is 257 k exactly."""
    if levels == 255:
        return tf.cast(images, tf.uint16) * 257
    return tf.cast(tf.round(images * 65535.0), tf.uint16)
