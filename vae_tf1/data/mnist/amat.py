"""Larochelle's binarised MNIST: binarized_mnist_{train,valid,test}.amat.

Text: 784 values, 0 or 1, a line, separated by blanks. The pixels were drawn once from the grey
values, and many published likelihoods are those of these very files. They have no labels.
http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from vae_tf1.data.binarization import FIXED
from vae_tf1.data.mnist.bounded import MAX_IMAGES, PIXELS, lines_of, open_regular
from vae_tf1.data.mnist.format import Content, SplitFiles, numbers
from vae_tf1.data.mnist.splits import SPLITS
from vae_tf1.errors import DataError

__all__ = ["Amat"]

_NAME = re.compile(r"(?:.*_)?(train|valid|test)\.amat")
_NAMES = {
    "train": ("binarized_mnist_train.amat", "binarized_mnist_valid.amat"),
    "test": ("binarized_mnist_test.amat",),
}
_BEGIN = re.compile(rb"[01]([ \t]+[01])+[ \t]*[01]?")
_MAX_LINE = 4 * PIXELS


class Amat(SplitFiles):
    """The .amat files of a folder, or one of them.

    "train" is the training file followed by the validation file: together the 60,000 training
    images of MNIST. Every label is -1.
    """

    kind = "amat"
    binarization = FIXED

    @staticmethod
    def expected(split: str | None) -> str:
        """Name the files."""
        names = " and ".join(name for each in SPLITS[split] for name in _NAMES[each])
        return f"{names} (with binarization={FIXED!r})"

    @classmethod
    def _find(cls, folder: Path, split: str) -> tuple[Path, ...] | None:
        paths = tuple(folder / name for name in _NAMES[split])
        return paths if all(map(os.path.isfile, paths)) else None

    @classmethod
    def recognises(cls, begin: bytes) -> bool:
        """Tell whether the file begins with zeros and ones between blanks."""
        return _BEGIN.fullmatch(begin) is not None

    @classmethod
    def open(cls, path: Path) -> Amat:
        """Take one file by itself; its name says whether it holds test images."""
        name = _NAME.fullmatch(path.name)
        if not name:
            raise DataError(
                path,
                "an .amat file should keep its usual name, such as binarized_mnist_train.amat",
            )
        return cls(path, {"test" if name[1] == "test" else "train": (path,)})

    def _read(self, split: str) -> Content:
        images = np.concatenate([_read_file(path) for path in self._files[split]])
        labels = np.full(len(images), -1, np.int8)
        return Content(images, labels, numbers(split, len(images)))


def _read_file(path: Path) -> np.ndarray:
    """Read the images of one file, (N, 784) uint8, 0 or 1."""
    pixels = bytearray()
    with open_regular(path) as file:
        for number, line in lines_of(path, file, _MAX_LINE):
            values = line.split()
            if len(values) != PIXELS:
                raise DataError(path, f"line {number:,} has {len(values)} values, not {PIXELS}")
            if other := set(values) - {b"0", b"1"}:
                wrong = repr(min(other)[:20].decode("latin-1"))
                raise DataError(path, f"line {number:,} holds {wrong}, not only 0 and 1")
            if len(pixels) == MAX_IMAGES * PIXELS:
                raise DataError(path, f"holds more than {MAX_IMAGES:,} images")
            pixels += b"".join(values)
    if not pixels:
        raise DataError(path, "holds no images")
    return np.frombuffer(pixels, np.uint8).reshape(-1, PIXELS) - ord("0")
