"""Keras's mnist.npz: four arrays x_train, y_train, x_test, y_test in a zip archive.

Read member by member with `zipfile` and `numpy.lib.format`: no pickle is ever opened, and nothing
is believed before it has been compared with what the archive really holds.
"""

from __future__ import annotations

import math
import os
import struct
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.data.mnist.bounded import (
    MAX_IMAGES,
    PIXELS,
    SIDE,
    check_labels,
    open_regular,
    read_array,
)
from vae_tf1.data.mnist.format import Content, Format, numbers
from vae_tf1.errors import DataError

__all__ = ["Npz"]

_MAGIC = b"PK\x03\x04"
_MAX_BYTES = MAX_IMAGES * (PIXELS + 8) + (1 << 20)
_END_RECORD = struct.Struct("<4s4H2LH")  # the last 22 bytes of a zip archive without a comment
_MAX_DIRECTORY = 1 << 16
_MAX_HEADER = 512  # np.save writes 128
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    SyntaxError,
    tokenize.TokenError,
    UserWarning,  # NumPy's about headers of Python 2, if warnings are errors
)


class Npz(Format):
    """One file, usually called mnist.npz."""

    kind = "npz"

    @staticmethod
    def expected(split: str | None) -> str:
        """Name the file."""
        return "mnist.npz"

    @classmethod
    def find(cls, folder: Path, split: str | None) -> Npz | None:
        """Return the mnist.npz of a folder."""
        path = folder / "mnist.npz"
        return cls(path) if os.path.isfile(path) else None

    @classmethod
    def recognises(cls, begin: bytes) -> bool:
        """Tell whether the file begins as a zip archive."""
        return begin.startswith(_MAGIC)

    def _read(self, split: str) -> Content:
        path = self.path
        with open_regular(path, _MAX_BYTES) as file:
            try:
                _check_directory(path, file)
                with zipfile.ZipFile(file) as archive:
                    images = _read_member(path, archive, f"x_{split}")
                    labels = _read_member(path, archive, f"y_{split}")
            except DataError:
                raise
            except _BROKEN as error:
                why = str(error) or type(error).__name__
                raise DataError(path, f"broken npz archive ({why})") from error
        if len(images) != len(labels):
            raise DataError(path, f"{len(labels):,} labels for {len(images):,} images in {split}")
        check_labels(path, labels)
        return Content(images, labels.astype(np.uint8), numbers(split, len(labels)))


def _check_directory(path: Path, file: BinaryIO) -> None:
    """Refuse an archive whose table of contents `zipfile` would need much memory for."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_RECORD.size - 20))
    tail = file.read()
    end = tail[-_END_RECORD.size :]
    if len(end) < _END_RECORD.size or not end.startswith(b"PK\x05\x06"):
        raise DataError(path, "broken npz archive (its end is missing or no plain zip directory)")
    directory_size, comment_size = _END_RECORD.unpack(end)[5], _END_RECORD.unpack(end)[7]
    zip64 = tail[: -_END_RECORD.size].startswith(b"PK\x06\x07")
    if directory_size > _MAX_DIRECTORY or comment_size or zip64:
        raise DataError(path, "not an npz archive of MNIST (oversized or 64-bit zip directory)")


def _read_member(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    members = [info for info in archive.infolist() if info.filename == f"{name}.npy"]
    if len(members) != 1:
        raise DataError(path, f"holds {len(members)} arrays {name!r}, not one")
    info = members[0]
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(path, f"array {name!r} is compressed by another method than deflate")
    with archive.open(info) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise DataError(path, f"array {name!r} is not in npy format 1.0")
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file, _MAX_HEADER)
        _check_header(path, name, shape, fortran_order, dtype)
        count = math.prod(shape) * dtype.itemsize
        # Before anything is read: the header may claim any length.
        as_claimed = info.file_size == file.tell() + count
        data = read_array(file, count if as_claimed else 0)
        if len(data) < count or file.read(1):
            raise DataError(path, f"array {name!r} is not as long as its header says")
    values = data.view(dtype)
    return values.reshape(-1, PIXELS) if name[0] == "x" else values


def _check_header(
    path: Path, name: str, shape: tuple[int, ...], fortran_order: bool, dtype: np.dtype
) -> None:
    images = name[0] == "x"
    if dtype.hasobject:
        raise DataError(path, f"array {name!r} holds pickled objects, which are never opened")
    if images and dtype != np.uint8:
        raise DataError(path, f"array {name!r} is of type {dtype}, not uint8")
    if dtype.kind not in "iu":
        raise DataError(path, f"array {name!r} is of type {dtype}, not integer")
    if shape[1:] not in (((SIDE, SIDE), (PIXELS,)) if images else ((),)) or not shape:
        expected = f"(N, {SIDE}, {SIDE})" if images else "(N,)"
        raise DataError(path, f"array {name!r} has shape {shape}, not {expected}")
    if fortran_order and len(shape) > 1:
        raise DataError(path, f"array {name!r} is in Fortran order")
    if not 1 <= shape[0] <= MAX_IMAGES:
        raise DataError(path, f"array {name!r} claims {shape[0]:,} rows, at most {MAX_IMAGES:,}")
