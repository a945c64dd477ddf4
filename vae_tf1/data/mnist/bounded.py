"""Reading files that nobody vouches for: regular files of a sane size, in bounded memory."""

import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from vae_tf1.errors import DataError

__all__ = [
    "GZIP_MAGIC",
    "MAX_FILE",
    "MAX_IMAGES",
    "PIXELS",
    "SIDE",
    "Gunzip",
    "check_labels",
    "lines_of",
    "open_regular",
    "read_array",
]

SIDE = 28
PIXELS = SIDE * SIDE
MAX_IMAGES = 70_000  # all of MNIST; a file that claims more is not read
MAX_FILE = MAX_IMAGES * 4 * (1 + PIXELS)  # bytes; the most verbose format is CSV
GZIP_MAGIC = b"\x1f\x8b"

_CHUNK = 1 << 20
_MAX_MEMBERS = 16  # gzip writes one; each costs time and may hold nothing
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # tells zlib to expect gzip's header and checksum


@contextmanager
def open_regular(path: Path, max_bytes: int = MAX_FILE) -> Iterator[BinaryIO]:
    """Open a file for reading, unless it is a device, a pipe, or larger than `max_bytes`.

    Raises
    ------
    DataError
        If it is one of these, or cannot be opened, or cannot be read inside the block.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(path, "not a regular file")
        if status.st_size == 0:
            raise DataError(path, "the file is empty")
        if status.st_size > max_bytes:
            raise DataError(
                path, f"has {status.st_size:,} bytes; MNIST takes at most {max_bytes:,}"
            )
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise DataError(path, error.strerror or str(error)) from error


def read_array(file: IO[bytes], count: int) -> np.ndarray:
    """Read up to `count` bytes; memory grows with what the file really holds.

    Returns
    -------
    numpy.ndarray of uint8, shape (m,)
        Fewer than `count` bytes if the file ends early.
    """
    data = bytearray()
    while len(data) < count:
        chunk = file.read(min(_CHUNK, count - len(data)))
        if not chunk:
            break
        data += chunk
    return np.frombuffer(data, np.uint8)


def check_labels(path: Path, labels: np.ndarray) -> None:
    """Refuse labels that are not digits."""
    wrong = (labels < 0) | (labels > 9)
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(path, f"label {labels[at]} of image {at:,} is not a digit 0 to 9")


def lines_of(path: Path, file: BinaryIO, longest: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers; the next one of `file` is line 1.

    Line ends are cut off. A line of more than `longest` bytes comes in pieces of that length, each
    counted as a line.

    Raises
    ------
    DataError
        If more lines are blank than MNIST has images: each costs time.
    """
    blank = 0
    for number, line in enumerate(iter(lambda: file.readline(longest), b""), start=1):
        line = line.rstrip(b"\r\n")
        if line:
            yield number, line
            continue
        blank += 1
        if blank > MAX_IMAGES:
            raise DataError(path, f"holds more than {MAX_IMAGES:,} blank lines")


class Gunzip(io.RawIOBase):
    """What a gzip file holds, read forwards in bounded memory and time.

    `gzip.GzipFile` reads the name in a header byte by byte in Python, which takes 20 s for a name
    of 50 MB. Here zlib skips the name.

    Raises
    ------
    DataError
        While reading, if the compressed data is broken.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._members = 1
        self._waiting = b""  # compressed bytes that zlib has not taken yet

    def readable(self) -> bool:
        """Return True: `io.BufferedReader` asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`; 0 bytes mean the end."""
        while True:
            if self._member.eof and not self._next_member():
                return 0
            compressed = self._waiting or self._file.read(1 << 16)
            try:
                data = self._member.decompress(compressed, len(buffer))
            except zlib.error as error:
                raise self._broken(str(error)) from error
            self._waiting = self._member.unconsumed_tail
            if data:
                buffer[: len(data)] = data
                return len(data)
            if not compressed and not self._member.eof:
                raise self._broken("it ends too early")

    def _next_member(self) -> bool:
        """Begin the member that follows; tell whether there is one. Zeros may pad the end."""
        rest = self._member.unused_data.lstrip(b"\0")
        while not rest and (chunk := self._file.read(_CHUNK)):
            rest = chunk.lstrip(b"\0")
        if not rest:
            return False
        if self._members == _MAX_MEMBERS:
            raise self._broken(f"more than {_MAX_MEMBERS} gzip files one behind the other")
        self._members += 1
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._waiting = rest
        return True

    def _broken(self, why: str) -> DataError:
        return DataError(self._path, f"broken gzip data ({why})")
