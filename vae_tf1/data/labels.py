"""Labels of rows: the one-hot label stands after the values of each."""

from __future__ import annotations

import hashlib

import numpy as np

from vae_tf1.data.rows import ArrayLike, Rows

__all__ = ["Labelled", "one_hot", "with_labels"]


class Labelled(Rows):
    """Rows, each with its one-hot label after its values.

    Parameters
    ----------
    images
        The rows.
    labels
        One-hot, bool, (N, n_labels).
    """

    def __init__(self, images: Rows, labels: np.ndarray) -> None:
        self.images, self._labels = images, labels
        self.dtype, self.levels = images.dtype, images.levels
        self.in_memory, self.binarization = images.in_memory, images.binarization

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        """Return the rows of those indices with their labels, in `dtype`."""
        # `levels` is what the number one is stored as.
        labels = self._labels[indices].astype(self.dtype) * self.dtype.type(self.levels)
        return np.concatenate([self.images.take(indices), labels], axis=1)

    def of(self, images: Rows) -> Labelled:
        """Return other images with these labels."""
        return Labelled(images, self._labels)

    def part(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to before `stop`."""
        return Labelled(self.images.part(start, stop), self._labels[start:stop])

    def of_epoch(self, epoch: int) -> Rows:
        """Return what these rows are in an epoch."""
        images = self.images.of_epoch(epoch)
        return self if images is self.images else self.of(images)

    def fingerprint(self) -> str:
        """Return a text by which these rows and labels can be told from others."""
        labels = hashlib.sha256(np.packbits(self._labels).tobytes()).hexdigest()
        return f"{self.images.fingerprint()} labels {labels}"


def with_labels(rows: Rows, labels: ArrayLike | None, n_labels: int | None) -> Rows:
    """Return the rows with their labels; as they are if the model has none.

    Raises
    ------
    TypeError, ValueError
        If there are not as many integers from 0 to n_labels − 1 as rows, or labels that the model
        does not have.
    """
    hot = one_hot(labels, len(rows), n_labels)
    return rows if hot is None else Labelled(rows, hot)


def one_hot(labels: ArrayLike | None, n: int, n_labels: int | None) -> np.ndarray | None:
    """Return `n` labels as bool, (n, n_labels); None if the model has none.

    Raises
    ------
    TypeError, ValueError
        As for `with_labels`.
    """
    if n_labels is None:
        if labels is not None:
            raise ValueError("labels are given, but the model has none: build it with n_labels=…")
        return None
    expected = f"{n:,} integers from 0 to {n_labels - 1} are expected as labels"
    if labels is None:
        raise ValueError(f"the model has labels: {expected}")
    values = np.asarray(labels)
    if values.dtype.kind not in "ui":
        raise TypeError(f"{expected}, not dtype {values.dtype}")
    if values.shape != (n,):
        raise ValueError(f"{expected}, not an array of shape {values.shape}")
    if values.min() < 0 or values.max() >= n_labels:
        raise ValueError(f"{expected}, not values from {values.min()} to {values.max()}")
    return values[:, np.newaxis] == np.arange(n_labels)
