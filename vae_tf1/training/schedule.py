"""Which images each step sees, and how many steps a chunk has."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np

from vae_tf1.data.prefetch import prefetch
from vae_tf1.data.rows import Rows
from vae_tf1.model import noise

__all__ = ["Chunk", "Pace", "Schedule"]


class Chunk(NamedTuple):
    """Some consecutive steps: their place in the schedule and their images."""

    epoch: int
    first: int  # step within the epoch
    images: np.ndarray  # [steps, images of each, D]


class Schedule:
    """Which images each step sees: a function of (seed, epoch, step) alone.

    Parameters
    ----------
    rows
        The images.
    batch_sz
        Images a step; the ragged rest of an epoch is left out.
    seed
        Keys the order of the images.
    share
        Which images of each step are gathered; by default all.
    """

    def __init__(self, rows: Rows, batch_sz: int, seed: int, share: slice | None = None) -> None:
        self.rows, self.batch_sz, self.seed = rows, batch_sz, seed
        self._share = share or slice(0, batch_sz)
        self.n_batches = len(rows) // batch_sz
        self._ordered: int | None = None  # the epoch whose order `_order` is
        self._order = np.empty(0, np.int64)
        self._rows = rows

    def chunks(
        self, epoch: int, step: int, last_epoch: int, pace: Pace
    ) -> Generator[Chunk, None, None]:
        """Yield the chunks from (epoch, step) on, gathering each while the one before it runs."""
        return prefetch(self._gather, self._spans(epoch, step, last_epoch, pace))

    def _spans(self, epoch: int, step: int, last_epoch: int, pace: Pace) -> Iterator[tuple]:
        while epoch < last_epoch:
            while step < self.n_batches:
                stop = min(step + pace.steps, self.n_batches)
                yield epoch, step, stop
                step = stop
            epoch, step = epoch + 1, 0

    def _gather(self, epoch: int, step: int, stop: int) -> Chunk:
        if self._ordered != epoch:
            self._ordered, self._order = epoch, np.empty(0, np.int64)  # free the last one first
            self._order = noise.minibatch_order(self.seed, epoch, len(self.rows))
            self._rows = self.rows.of_epoch(epoch)
        order = self._order[step * self.batch_sz : stop * self.batch_sz]
        images = self._rows.take(order.reshape(stop - step, -1)[:, self._share].ravel())
        return Chunk(epoch, step, images.reshape(stop - step, -1, images.shape[-1]))


class Pace:
    """How many steps a chunk has: as many as fit into its time on this machine.

    Parameters
    ----------
    capacity
        The most steps of a chunk.
    seconds
        How long a chunk may take.
    """

    def __init__(self, capacity: int, seconds: float) -> None:
        self.capacity, self._seconds = capacity, seconds
        self.steps = max(1, capacity // 8)

    def observe(self, steps: int, seconds: float) -> None:
        """Learn from a chunk that took so long; grow gently, shrink at once."""
        fitting = int(steps * self._seconds / max(seconds, 1e-6))
        self.steps = max(1, min(self.capacity, fitting, 2 * max(self.steps, steps)))
