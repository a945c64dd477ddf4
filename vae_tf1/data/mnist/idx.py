"""MNIST's own format: IDX files, plain or gzip.

A big-endian magic number (0x0803 images, 0x0801 labels), one 32-bit length for each dimension,
then a byte for each value. http://yann.lecun.com/exdb/mnist
"""

import gzip
import io
import os
import re
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.data.mnist.files import (
    MAX_IMAGES,
    PIXELS,
    SIDE,
    check_labels,
    open_regular,
    read_array,
)
from vae_tf1.errors import DataError

__all__ = ["IDX_MAGICS", "find_idx", "find_partner", "read_idx", "read_idx_pair"]

_GZIP = b"\x1f\x8b"
IDX_MAGICS = (_GZIP, b"\0\0")
_NAME = re.compile(r"(.+)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
_PREFIX = {"train": "train", "test": "t10k"}
_MAX_BYTES = MAX_IMAGES * PIXELS + 1024
_KINDS = {0x0803: "images", 0x0801: "labels"}


def find_idx(folder: Path, split: str) -> tuple[Path, Path] | None:
    """Return the (images, labels) files of "train" or "test" in a folder, None where one misses."""
    images, labels = (_find(folder, _PREFIX[split], kind) for kind in _KINDS.values())
    return (images, labels) if images and labels else None


def find_partner(path: Path) -> tuple[str, Path, Path]:
    """Complete an images or labels file: return its split, the images file, the labels file.

    Raises
    ------
    DataError
        If the file has not its usual name, or the other file is missing.
    """
    name = _NAME.fullmatch(path.name)
    if not name:
        raise DataError(
            path, "an IDX file should keep its usual name, such as train-images-idx3-ubyte.gz"
        )
    stem, kind = name[1], name[2]
    other = "labels" if kind == "images" else "images"
    partner = _find(path.parent, stem, other)
    if partner is None:
        raise DataError(path, f"no {stem}-{other} file lies beside it")
    split = "test" if stem.endswith(("t10k", "test")) else "train"
    return (split, path, partner) if kind == "images" else (split, partner, path)


def _find(folder: Path, stem: str, kind: str) -> Path | None:
    rank = 3 if kind == "images" else 1
    names = (f"{stem}-{kind}{dot}idx{rank}-ubyte{gz}" for gz in ("", ".gz") for dot in "-.")
    return next((folder / name for name in names if os.path.isfile(folder / name)), None)


def read_idx_pair(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images (N, 784) and labels (N,), both uint8.

    Raises
    ------
    DataError
        If a file is missing, broken or something else, or the two differ in length.
    """
    images = read_idx(images_path, "images")
    labels = read_idx(labels_path, "labels")
    if len(images) != len(labels):
        raise DataError(
            labels_path, f"{len(labels):,} labels for the {len(images):,} images of {images_path}"
        )
    return images, labels


def read_idx(path: Path, kind: str) -> np.ndarray:
    """Read one file of `kind` "images", shape (N, 784), or "labels", shape (N,), as uint8.

    Raises
    ------
    DataError
        If the file is missing, broken or of the other kind.
    """
    with open_regular(path, _MAX_BYTES) as file:
        zipped = file.read(2) == _GZIP
        file.seek(0)
        if not zipped:
            return _parse(path, file, kind)
        try:
            with gzip.GzipFile(fileobj=file) as unzipped:
                return _parse(path, io.BufferedReader(unzipped), kind)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(path, f"broken gzip data ({error})") from error


def _parse(path: Path, file: BinaryIO, kind: str) -> np.ndarray:
    magic = file.read(4)
    if magic[:2] == _GZIP:
        raise DataError(path, "gzip inside gzip")
    found = _KINDS.get(int.from_bytes(magic, "big")) if len(magic) == 4 else None
    if found is None:
        raise DataError(path, f"not an IDX file of MNIST: it begins with 0x{magic.hex() or '-'}")
    if found != kind:
        raise DataError(path, f"holds {found}, not {kind}")
    rank = 3 if kind == "images" else 1
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise DataError(path, "ends inside the header")
    count, *sides = struct.unpack(f">{rank}I", header)
    if sides and sides != [SIDE, SIDE]:
        raise DataError(path, f"holds images of {sides[0]} x {sides[1]}, not {SIDE} x {SIDE}")
    if not 1 <= count <= MAX_IMAGES:
        raise DataError(path, f"claims {count:,} {kind}; 1 to {MAX_IMAGES:,} are possible")
    size = PIXELS if kind == "images" else 1
    data = read_array(file, count * size)
    if len(data) < count * size:
        raise DataError(path, f"claims {count:,} {kind}, but ends after {len(data) // size:,}")
    if file.read(1):
        raise DataError(path, f"claims {count:,} {kind}, but more data follows")
    if kind == "images":
        return data.reshape(count, PIXELS)
    check_labels(path, data)
    return data
