"""Kaggle's train.csv: a header line, then a label and 784 grey values a line.

https://www.kaggle.com/c/digit-recognizer/data
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.data.mnist.files import MAX_IMAGES, PIXELS, check_labels, open_regular
from vae_tf1.errors import DataError

__all__ = ["held_out", "read_csv"]

_COLUMNS = PIXELS + 1
_MAX_LINE = 16 * _COLUMNS
_BLOCK = 100  # lines parsed at a time


def read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read every row: images (N, 784) and labels (N,), both uint8.

    Raises
    ------
    DataError
        If the file is missing or broken; it names the line and what is wrong there.
    """
    table = bytearray()
    with open_regular(path) as file:
        lines = _lines(path, file)
        while block := list(islice(lines, _BLOCK)):
            table += _parse(path, block)
    rows = np.frombuffer(table, np.uint8).reshape(-1, _COLUMNS)
    labels = rows[:, 0].copy()
    check_labels(path, labels)
    return rows[:, 1:], labels


def held_out(count: int) -> int:
    """Return how many rows at the end are kept as test images: a sixth, as 10,000 to 60,000."""
    return count // 6


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Check and number the lines below the header, each 785 comma-separated runs of digits."""
    _check_header(path, file.readline(_MAX_LINE))
    images = 0
    for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b""), start=2):
        line = line.rstrip(b"\r\n")
        if not line:
            continue
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
    names = line.removeprefix(b"\xef\xbb\xbf").replace(b'"', b"").split(b",")
    if len(names) != _COLUMNS or names[0] != b"label":
        raise DataError(
            path,
            f"line 1 should name {_COLUMNS} columns, label first, as Kaggle's train.csv does; "
            f"it names {len(names)} and begins {_shown(line[:30])}",
        )


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
