"""Kaggle's train.csv: a header line, then a label and 784 grey values a line.

https://www.kaggle.com/c/digit-recognizer/data
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.data.mnist.bounded import (
    MAX_IMAGES,
    PIXELS,
    check_labels,
    lines_of,
    open_regular,
)
from vae_tf1.data.mnist.format import Content, Format, numbers
from vae_tf1.data.mnist.source import Source
from vae_tf1.errors import DataError

__all__ = ["Kaggle"]

_COLUMNS = PIXELS + 1
_ROWS = {
    None: "every row of",
    "all": "every row of",
    "train": "all but the last sixth of the rows of",
    "test": "the last sixth of the rows of",
}
_MAX_LINE = 16 * _COLUMNS
_BLOCK = 100  # lines parsed at a time


class Kaggle(Format):
    """One file, usually called train.csv.

    It has no test images with labels, so the last sixth of its rows serves as such: as 10,000 to
    60,000. The split None is every row, as in the original script.
    """

    kind = "csv"

    @staticmethod
    def expected(split: str | None) -> str:
        """Name the file."""
        return "train.csv"

    @classmethod
    def find(cls, folder: Path, split: str | None) -> Kaggle | None:
        """Return the train.csv of a folder."""
        path = folder / "train.csv"
        return cls(path) if os.path.isfile(path) else None

    @classmethod
    def recognises(cls, begin: bytes) -> bool:
        """Tell whether the header begins with the label's column."""
        return _plain(begin).startswith(b"label")

    def read(self, split: str | None, whole: bool = False) -> Content:
        """Read a split; all rows are read and checked in any case."""
        images, labels = _read_table(self.path)
        end = len(labels) - len(labels) // 6
        every = slice(None)
        rows = {None: every, "all": every, "train": slice(end), "test": slice(end, None)}[split]
        if not len(labels[rows]):
            raise DataError(
                self.path, f"{len(labels)} images are too few to keep a sixth for the test"
            )
        return Content(images[rows], labels[rows], numbers("train", len(labels))[rows])

    def source(self, split: str | None, count: int) -> Source:
        """Say which rows these are."""
        return Source(self.kind, self.path, split, count, rows=_ROWS[split])


def _read_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read every row: images (N, 784) and labels (N,), both uint8."""
    table = bytearray()
    with open_regular(path) as file:
        _check_header(path, file.readline(_MAX_LINE))
        lines = _lines(path, file)
        while block := list(islice(lines, _BLOCK)):
            table += _parse(path, block)
    rows = np.frombuffer(table, np.uint8).reshape(-1, _COLUMNS)
    labels = rows[:, 0].copy()
    check_labels(path, labels)
    return rows[:, 1:], labels


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Check and number the lines below the header, each 785 comma-separated runs of digits."""
    images = 0
    for number, line in lines_of(path, file, _MAX_LINE):
        number += 1  # the header is line 1
        values = line.count(b",") + 1
        if values != _COLUMNS:
            raise DataError(path, f"line {number:,} has {values} values, not {_COLUMNS}")
        if other := line.translate(None, b"0123456789,"):
            raise DataError(path, f"line {number:,} holds {_shown(other[:1])}, not only digits")
        images += 1
        if images > MAX_IMAGES:
            raise DataError(path, f"holds more than the {MAX_IMAGES:,} images that are possible")
        yield number, line.decode("ascii")
    if not images:
        raise DataError(path, "holds no images")


def _check_header(path: Path, line: bytes) -> None:
    names = _plain(line).split(b",")
    if len(names) != _COLUMNS or names[0] != b"label":
        raise DataError(
            path,
            f"line 1 should name {_COLUMNS} columns, label first, as Kaggle's train.csv does; "
            f"it names {len(names)} and begins {_shown(line[:30])}",
        )


def _plain(line: bytes) -> bytes:
    """Return a line without a byte-order mark and quotation marks."""
    return line.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")


def _parse(path: Path, block: list[tuple[int, str]]) -> bytes:
    try:
        rows = np.loadtxt(
            [line for _, line in block], np.int64, delimiter=",", comments=None, ndmin=2
        )
    except ValueError as error:
        raise _explain(path, block) from error
    if rows.min() < 0 or rows.max() > 255:  # below zero: too large for NumPy 1
        raise _explain(path, block)
    return rows.astype(np.uint8).tobytes()


def _explain(path: Path, block: list[tuple[int, str]]) -> DataError:
    for number, line in block:
        for value in line.split(","):
            significant = value.lstrip("0")
            if not value or len(significant) > 3 or int(significant or 0) > 255:
                return DataError(path, f"line {number:,}: {value[:20]!r} is not 0 to 255")
    return DataError(path, "not a table of integers 0 to 255")


def _shown(text: bytes) -> str:
    return repr(text.decode("latin-1").strip())
