"""MNIST's own format: IDX files, plain or gzip.

A big-endian magic number (0x0803 images, 0x0801 labels), one 32-bit length for each dimension,
then a byte for each value. http://yann.lecun.com/exdb/mnist
"""

from __future__ import annotations

import io
import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.data.mnist.bounded import (
    GZIP_MAGIC,
    MAX_IMAGES,
    PIXELS,
    SIDE,
    Gunzip,
    check_labels,
    open_regular,
    read_array,
)
from vae_tf1.data.mnist.format import Content, SplitFiles, numbers
from vae_tf1.data.mnist.splits import SPLITS
from vae_tf1.errors import DataError

__all__ = ["Idx"]

_NAME = re.compile(r"(.+)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
_STEMS = {"train": "train", "test": "t10k"}
_MAX_BYTES = MAX_IMAGES * PIXELS + 1024
_HOLDS = {0x0803: "images", 0x0801: "labels"}


class Idx(SplitFiles):
    """The IDX files of a folder, or the pair of files that one of them belongs to.

    The files of a split are that of its images and that of its labels.
    """

    kind = "idx"

    @staticmethod
    def expected(split: str | None) -> str:
        """Name the files."""
        stems = " and ".join(_STEMS[each] for each in SPLITS[split])
        return f"the IDX files ({stems}, images and labels, plain or .gz)"

    @classmethod
    def _find(cls, folder: Path, split: str) -> tuple[Path, ...] | None:
        images, labels = (_find(folder, _STEMS[split], holds) for holds in _HOLDS.values())
        return (images, labels) if images and labels else None

    @classmethod
    def recognises(cls, begin: bytes) -> bool:
        """Tell whether the file begins as gzip or with IDX's two zeros."""
        return begin.startswith((GZIP_MAGIC, b"\0\0"))

    @classmethod
    def open(cls, path: Path) -> Idx:
        """Complete an images file or a labels file by the other one, which lies beside it."""
        name = _NAME.fullmatch(path.name)
        if not name:
            raise DataError(
                path, "an IDX file should keep its usual name, such as train-images-idx3-ubyte.gz"
            )
        stem, holds = name[1], name[2]
        other = "labels" if holds == "images" else "images"
        partner = _find(path.parent, stem, other)
        if partner is None:
            raise DataError(path, f"no {stem}-{other} file lies beside it")
        split = "test" if stem.endswith(("t10k", "test")) else "train"
        return cls(path, {split: (path, partner) if holds == "images" else (partner, path)})

    def _read(self, split: str) -> Content:
        images_path, labels_path = self._files[split]
        images = _read_file(images_path, "images")
        labels = _read_file(labels_path, "labels")
        if len(images) != len(labels):
            raise DataError(
                labels_path,
                f"{len(labels):,} labels for the {len(images):,} images of {images_path}",
            )
        return Content(images, labels, numbers(split, len(labels)))


def _find(folder: Path, stem: str, holds: str) -> Path | None:
    rank = 3 if holds == "images" else 1
    names = (f"{stem}-{holds}{dot}idx{rank}-ubyte{gz}" for gz in ("", ".gz") for dot in "-.")
    return next((folder / name for name in names if os.path.isfile(folder / name)), None)


def _read_file(path: Path, holds: str) -> np.ndarray:
    """Read one file of "images", shape (N, 784), or "labels", shape (N,), as uint8."""
    with open_regular(path, _MAX_BYTES) as file:
        zipped = file.read(2) == GZIP_MAGIC
        file.seek(0)
        return _parse(path, io.BufferedReader(Gunzip(path, file)) if zipped else file, holds)


def _parse(path: Path, file: BinaryIO, holds: str) -> np.ndarray:
    magic = file.read(4)
    if magic[:2] == GZIP_MAGIC:
        raise DataError(path, "gzip inside gzip")
    found = _HOLDS.get(int.from_bytes(magic, "big")) if len(magic) == 4 else None
    if found is None:
        raise DataError(path, f"not an IDX file of MNIST: it begins with 0x{magic.hex() or '-'}")
    if found != holds:
        raise DataError(path, f"holds {found}, not {holds}")
    rank = 3 if holds == "images" else 1
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise DataError(path, "ends inside the header")
    count, *sides = struct.unpack(f">{rank}I", header)
    if sides and sides != [SIDE, SIDE]:
        raise DataError(path, f"holds images of {sides[0]} x {sides[1]}, not {SIDE} x {SIDE}")
    if not 1 <= count <= MAX_IMAGES:
        raise DataError(path, f"claims {count:,} {holds}; 1 to {MAX_IMAGES:,} are possible")
    size = PIXELS if holds == "images" else 1
    data = read_array(file, count * size)
    if len(data) < count * size:
        raise DataError(path, f"claims {count:,} {holds}, but ends after {len(data) // size:,}")
    if file.read(1):
        raise DataError(path, f"claims {count:,} {holds}, but more data follows")
    if holds == "images":
        return data.reshape(count, PIXELS)
    check_labels(path, data)
    return data
