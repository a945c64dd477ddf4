"""Reading files that nobody vouches for: regular files of a sane size, in bounded memory."""

import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vae_tf1.errors import DataError

__all__ = ["MAX_FILE", "MAX_IMAGES", "PIXELS", "SIDE", "check_labels", "open_regular", "read_array"]

SIDE = 28
PIXELS = SIDE * SIDE
MAX_IMAGES = 70_000  # all of MNIST; a file that claims more is not read
MAX_FILE = MAX_IMAGES * 4 * (1 + PIXELS)  # bytes; the most verbose format is CSV

_CHUNK = 1 << 20


def open_regular(path: Path, max_bytes: int = MAX_FILE) -> BinaryIO:
    """Open a file for reading, unless it is a device, a pipe, or larger than `max_bytes`."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(path, "not a regular file")
        if status.st_size == 0:
            raise DataError(path, "the file is empty")
        if status.st_size > max_bytes:
            raise DataError(
                path, f"{status.st_size:,} bytes, where MNIST takes at most {max_bytes:,}"
            )
        return path.open("rb")
    except OSError as error:
        raise DataError(path, error.strerror or str(error)) from error


def read_array(file: BinaryIO, count: int) -> np.ndarray:
    """Read up to `count` bytes; memory grows with what the file really holds.

    Returns
    -------
    numpy.ndarray of uint8, shape (m,)
        Fewer than `count` bytes where the file ends early.
    """
    data = bytearray()
    while len(data) < count:
        chunk = file.read(min(_CHUNK, count - len(data)))
        if not chunk:
            break
        data += chunk
    return np.frombuffer(data, np.uint8)


def check_labels(path: Path, labels: np.ndarray) -> None:
    """Refuse labels that are no digits."""
    wrong = (labels < 0) | (labels > 9)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(path, f"label {labels[at]} of image {at:,} is not a digit 0 to 9")
