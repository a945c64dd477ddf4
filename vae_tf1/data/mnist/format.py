"""What every format of MNIST has in common.

A new format is one subclass of `Format` and its name in `places.FORMATS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from vae_tf1.data.mnist.source import Source
from vae_tf1.data.mnist.splits import PUBLISHED, SPLITS
from vae_tf1.errors import DataError

__all__ = ["BEGIN", "Content", "Format", "SplitFiles", "join", "numbers"]

BEGIN = 16  # bytes of a file by which its format is recognised

_FIRST_NUMBER = {"train": 0, "test": 1 << 32}  # far apart, so that no two images share a number


class Content(NamedTuple):
    """Images (N, 784) uint8, labels (N,), and the number of each image, (N,) int64.

    An image has the same number whichever split it is read with, and no other image has it.
    """

    images: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray


class Format(ABC):
    """MNIST in files of one format, at one place.

    Parameters
    ----------
    path : pathlib.Path
        The file, or the folder if several files belong together.

    Attributes
    ----------
    kind : str
        The format's name, as `Source.kind` says it.
    binarization : str or None
        The protocol by which whoever published the files made them binary; None for grey values.
    """

    kind: ClassVar[str]
    binarization: ClassVar[str | None] = None

    def __init__(self, path: Path) -> None:
        self.path = path

    @staticmethod
    @abstractmethod
    def expected(split: str | None) -> str:
        """Name the files that a folder should hold, for a message."""

    @classmethod
    @abstractmethod
    def find(cls, folder: Path, split: str | None) -> Format | None:
        """Return the files of this format that a folder holds; None if it lacks the `split`."""

    @classmethod
    @abstractmethod
    def recognises(cls, begin: bytes) -> bool:
        """Tell whether a file is of this format, by its first `BEGIN` bytes."""

    @classmethod
    def open(cls, path: Path) -> Format:
        """Return the place that a user names by one file.

        Raises
        ------
        DataError
            If the file needs another one that is missing.
        """
        return cls(path)

    def read(self, split: str | None, whole: bool = False) -> Content:
        """Read a split; if `whole`, the other one too, so that a broken file is noticed.

        Raises
        ------
        DataError
            If anything about the files is wrong.
        """
        contents = {each: self._read(each) for each in (PUBLISHED if whole else SPLITS[split])}
        return join([contents[each] for each in SPLITS[split]])

    def _read(self, split: str) -> Content:
        """Read "train" or "test"."""
        raise NotImplementedError

    def source(self, split: str | None, count: int) -> Source:
        """Describe what `read` returned."""
        return Source(self.kind, self.path, split, count, binarization=self.binarization)


class SplitFiles(Format):
    """A format that keeps each split in files of its own.

    Parameters
    ----------
    path : pathlib.Path
        The folder, or the file that the user named.
    files : dict of tuples of pathlib.Path
        "train" or "test" or both, and the files of each.
    """

    def __init__(self, path: Path, files: dict[str, tuple[Path, ...]]) -> None:
        super().__init__(path)
        self._files = files

    @classmethod
    def find(cls, folder: Path, split: str | None) -> SplitFiles | None:
        """Return the files of this format that a folder holds."""
        found = ((each, cls._find(folder, each)) for each in PUBLISHED)
        files = {each: paths for each, paths in found if paths}
        return cls(folder, files) if files.keys() >= set(SPLITS[split]) else None

    @classmethod
    @abstractmethod
    def _find(cls, folder: Path, split: str) -> tuple[Path, ...] | None:
        """Return the files of "train" or "test" in a folder; None if one is missing."""

    def read(self, split: str | None, whole: bool = False) -> Content:
        """Read a split; None is whatever split the one named file holds."""
        if split is None and len(self._files) == 1:
            (split,) = self._files
        if not self._files.keys() >= set(SPLITS[split]):
            (held,) = self._files
            raise DataError(
                self.path, f"holds the {held} images; for split={split!r} name the folder"
            )
        return super().read(split, whole)


def join(contents: Sequence[Content]) -> Content:
    """Put contents one behind the other; a single one is returned without a copy."""
    if len(contents) == 1:
        return contents[0]
    return Content(*(np.concatenate(arrays) for arrays in zip(*contents, strict=True)))


def numbers(split: str, count: int) -> np.ndarray:
    """Return the numbers of the images of "train" or "test"."""
    return np.arange(count, dtype=np.int64) + _FIRST_NUMBER[split]
