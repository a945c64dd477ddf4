"""The built-in digits as a stand-in for MNIST: drawn once, then read from the user's cache."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from vae_tf1.data.files import write_whole
from vae_tf1.data.mnist.cache import cache_folder
from vae_tf1.data.mnist.digits import DIGITS_VERSION, builtin_digits
from vae_tf1.data.mnist.format import Content, join, numbers
from vae_tf1.data.mnist.npz import Npz
from vae_tf1.data.mnist.splits import SPLITS
from vae_tf1.errors import DataError

__all__ = ["StandIn"]

_SIZES = MappingProxyType({"train": 60_000, "test": 10_000})


class StandIn:
    """As many built-in digits as MNIST has images.

    Parameters
    ----------
    sizes : mapping
        Number of images of "train" and of "test".
    """

    def __init__(self, sizes: Mapping[str, int] = _SIZES) -> None:
        self._sizes = sizes

    def read(self, split: str | None) -> Content:
        """Return a split."""
        return join([self._read(each) for each in SPLITS[split]])

    def _read(self, split: str) -> Content:
        images, labels = self._cached(split) or self._draw(split)
        return Content(images, labels, numbers(split, len(labels)))

    def _cached(self, split: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the copy in the cache; the archive's own checksums tell whether it is sound."""
        if file := _file(split):
            with contextlib.suppress(DataError):
                images, labels, _ = Npz(file).read(split)
                if len(images) == self._sizes[split]:
                    return images, labels
        return None

    def _draw(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        images, labels = builtin_digits(self._sizes[split], split=split)
        if file := _file(split):
            arrays: dict[str, Any] = {f"x_{split}": images, f"y_{split}": labels}
            with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
                write_whole(file, lambda out: np.savez(out, **arrays))
        return images, labels


def _file(split: str) -> Path | None:
    folder = cache_folder()
    return folder and folder / f"builtin-digits-{DIGITS_VERSION}-{split}.npz"
