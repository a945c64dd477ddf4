"""The door for data: rows are checked once, and kept as bytes wherever that loses nothing."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from vae_tf1.data import memmap
from vae_tf1.model.support import UNIT_INTERVAL, Support

_LARGEST = np.finfo(np.float32).max
_BLOCK = 4096  # rows looked at together, so that no check needs a copy of the whole
_SAMPLED = 64  # rows of a stream by which it is recognised

__all__ = ["ArrayLike", "Rows", "as_rows", "as_values"]


class RandomAccess(Protocol):
    """Anything with a length whose rows can be had by their number."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...


ArrayLike = np.ndarray | Sequence | RandomAccess


class Rows:
    """N rows of `width` values, gathered in any order.

    Attributes
    ----------
    dtype
        What `take` returns: uint8 where every value is one of a few levels, else float32.
    levels
        What the bytes count in: a row's values are ``bytes / levels``, 1 for binary images and
        255 for eight-bit grey ones. 1 for float32 as well.
    in_memory
        Whether the rows are there as a whole, so that a second copy as bytes may be made.
    binarization
        The protocol that makes these rows binary, if `fit` was told one.
    """

    dtype: np.dtype
    levels: int = 1
    in_memory: bool = False
    binarization: str | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        """Return the rows of those indices, shape (n, width), in `dtype`."""
        raise NotImplementedError

    def values(self, indices: np.ndarray | slice) -> np.ndarray:
        """Return the rows of those indices as float32 values."""
        return as_values(self.take(indices).astype(np.float32, copy=False), self.levels)

    def part(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to before `stop`."""
        return _Part(self, start, stop)

    def of_epoch(self, epoch: int) -> Rows:
        """Return what these rows are in an epoch: themselves, unless each epoch draws them anew."""
        return self

    def fingerprint(self) -> str:
        """Return a text by which these rows can be told from others: of their values and units."""
        return f"{self.dtype} {self.levels} {self.sample_checksum()} of {_SAMPLED} rows"

    def sample_checksum(self) -> int:
        """Return a checksum of some rows, evenly spread: all that version 1.0.0 looked at."""
        spread = np.linspace(0, len(self) - 1, min(len(self), _SAMPLED)).astype(np.int64)
        return zlib.crc32(self.take(spread).tobytes())


class _Stored(Rows):
    """Rows in memory that have been checked as a whole."""

    in_memory = True

    def __init__(self, values: np.ndarray, levels: int = 1) -> None:
        self._values = values
        self.levels = levels
        self.dtype = np.dtype(np.uint8 if values.dtype == np.uint8 else np.float32)

    def __len__(self) -> int:
        return len(self._values)

    def part(self, start: int, stop: int) -> Rows:
        """Return the rows from `start` to before `stop`."""
        return _Stored(self._values[start:stop], self.levels)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        return np.asarray(self._values[indices], self.dtype)

    def fingerprint(self) -> str:
        """Return a text by which these rows can be told from others: of every value, and units."""
        sha256 = hashlib.sha256()
        for start in range(0, len(self), _BLOCK):
            sha256.update(np.ascontiguousarray(self.take(slice(start, start + _BLOCK))).data)
        return f"{self.dtype} {self.levels} {sha256.hexdigest()}"


class _Part(Rows):
    """Some consecutive rows of others."""

    def __init__(self, rows: Rows, start: int, stop: int) -> None:
        self._rows, self._start, self._stop = rows, start, stop
        self.dtype, self.levels = rows.dtype, rows.levels

    def __len__(self) -> int:
        return self._stop - self._start

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        if isinstance(indices, slice):
            indices = np.arange(*indices.indices(len(self)))
        return self._rows.take(indices + self._start)


class _Streamed(Rows):
    """Rows that may not fit into memory: gathered and checked a chunk at a time."""

    def __init__(self, source: RandomAccess, width: int, name: str, support: Support) -> None:
        self._source, self._width, self._name = source, width, name
        self._support = support
        if isinstance(source, np.ndarray):
            self._read = memmap.reader(source)
        else:
            self._read = lambda indices: np.array([source[i] for i in indices.tolist()])
        first = _numeric(source[0], name)
        if first.shape != (width,):
            raise ValueError(
                f"a row of {name} has shape {first.shape}, but {width} values are expected"
            )
        whole = first.dtype.kind in "bui" and support.in_a_byte
        self.dtype = np.dtype(np.uint8 if whole else np.float32)

    def __len__(self) -> int:
        return len(self._source)

    def take(self, indices: np.ndarray | slice) -> np.ndarray:
        if isinstance(indices, slice):
            indices = np.arange(*indices.indices(len(self)))
        rows = _numeric(self._read(indices), self._name)
        if rows.shape[1:] != (self._width,):
            raise ValueError(
                f"rows of {self._name} have shape {rows.shape[1:]}, but {self._width} values each "
                "are expected"
            )
        _check_range(rows, self._name, self._support)
        if self.dtype == np.uint8 and rows.dtype.kind == "f":
            raise ValueError(f"{self._name} mixes integer and fractional rows; give it one dtype")
        return rows.astype(self.dtype, copy=False)


def as_rows(X: ArrayLike, width: int, name: str = "X", *, support: Support = UNIT_INTERVAL) -> Rows:
    """Check data at the door.

    Parameters
    ----------
    X
        Images in rows: a list, an array of any real dtype, shape (N, width), with values in
        `support`; or a ``numpy.memmap`` or any other sequence of rows, which may be larger than
        memory and is then checked as it is read.
    width
        Number of values in a row.
    name
        What an error calls the data.
    support
        Which values are expected: by default [0, 1], as for an image of the Bernoulli likelihood.

    Returns
    -------
    Rows

    Raises
    ------
    TypeError
        When X does not hold real numbers.
    ValueError
        When X is empty, of another rank or width, or has a value that is NaN or not in `support`.
    """
    if _is_streamed(X):
        if isinstance(X, np.ndarray):
            _check_shape(X, width, name)
        elif len(X) == 0:
            raise ValueError(f"{name} is empty: at least one row of {width} values is expected")
        return _Streamed(X, width, name, support)
    values = _numeric(X, name)
    _check_shape(values, width, name)
    for block in _blocks(values):
        _check_range(block, name, support)
    for levels in _levels(support):
        coded = _as_bytes(values, levels)
        if coded is not None:
            return _Stored(coded, levels)
    return _Stored(values)


def as_values(counts: Any, levels: int) -> Any:
    """Return what `Rows.take` gave, an array or a tensor cast to float32, as values in [0, 1]."""
    return counts if levels == 1 else counts / np.float32(levels)


def _is_streamed(X: object) -> bool:
    if isinstance(X, np.memmap):
        return True
    in_memory = isinstance(X, list | tuple | memoryview | array) or (
        hasattr(X, "__array__") and not hasattr(X, "chunks")  # which HDF5 and Zarr arrays have
    )
    random_access = hasattr(X, "__len__") and hasattr(X, "__getitem__")
    return random_access and not in_memory and not _is_text(X)


def _is_text(X: object) -> bool:
    return isinstance(X, str | bytes | bytearray | dict)


def _numeric(X: object, name: str) -> np.ndarray:
    """Return X as an array of real numbers."""
    kind = type(X).__name__
    if X is None or _is_text(X):
        raise TypeError(f"{name} must be an array of numbers, not {kind}")
    if _is_pair(X):
        raise TypeError(f"{name} is a pair, of images and labels it seems: give {name}[0] alone")
    if not hasattr(X, "__array__") and not hasattr(X, "__getitem__") and hasattr(X, "__iter__"):
        raise TypeError(
            f"{name} is a {kind}, which gives its rows only one after the other: give an "
            "array or a sequence of rows, such as np.stack(list(…)) of its images"
        )
    try:
        values = np.asarray(X)
    except ValueError:
        raise ValueError(f"{name} is ragged: its rows do not have one common length") from None
    except Exception as error:
        raise TypeError(f"{name} cannot be read as an array of numbers: {error}") from None
    if values.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, not dtype {values.dtype}")
    return values


def _is_pair(X: object) -> bool:
    """Whether X is two arrays, one of images and one of a label for each."""
    if not isinstance(X, list | tuple) or len(X) != 2:
        return False
    shapes = [getattr(part, "shape", None) for part in X]
    first, second = (s if isinstance(s, tuple) else () for s in shapes)
    return len(first) > len(second) > 0


def _check_shape(values: np.ndarray, width: int, name: str) -> None:
    if values.size == 0:
        raise ValueError(f"{name} is empty: at least one row of {width} values is expected")
    if values.ndim != 2:
        hint = ""
        if values.ndim == 1 and len(values) == width:
            hint = f"; a single row is written [{name.lower()}]"
        elif values.ndim > 2 and np.prod(values.shape[1:]) == width:
            hint = f"; reshape it to (len({name}), {width})"
        raise ValueError(
            f"{name} has shape {values.shape}, but rows of {width} values are expected{hint}"
        )
    if values.shape[1] != width:
        raise ValueError(
            f"{name} has rows of {values.shape[1]} values, but the model takes {width}"
        )


def _levels(support: Support) -> tuple[int, ...]:
    """Return what bytes may count in."""
    if support == UNIT_INTERVAL:
        return 1, 255
    return (1,) if support.whole and support.in_a_byte else ()


def _check_range(values: np.ndarray, name: str, support: Support) -> None:
    if values.dtype.kind == "b" and support.low <= 0 and support.high >= 1:
        return
    low, high = values.min(), values.max()  # NaN where there is one
    if not (low >= -_LARGEST and high <= _LARGEST):
        raise ValueError(f"{name} holds NaN or infinity, but {support.expected} are expected")
    if low < support.low or high > support.high:
        hint = ""
        if support == UNIT_INTERVAL:
            bytes_ = low >= 0 and 1 < high <= 255
            hint = "; divide 8-bit images by 255" if bytes_ else "; likelihood='gaussian' takes any"
        raise ValueError(
            f"{name} has values from {low:g} to {high:g}, but {support.expected} are expected{hint}"
        )
    if support.whole and values.dtype.kind == "f":
        fractional = values[values != np.rint(values)]
        if fractional.size:
            raise ValueError(
                f"{name} has the value {fractional[0]:g}, but {support.expected} are expected"
            )


def _as_bytes(values: np.ndarray, levels: int) -> np.ndarray | None:
    """Return bytes of which ``bytes / levels`` in float32 is `values` exactly, if there are any."""
    if values.dtype.kind in "bu" and values.dtype.itemsize == 1:
        return values.view(np.uint8)
    if values.dtype.kind in "ui":
        return values.astype(np.uint8)
    coded = None
    for start, block in zip(range(0, len(values), _BLOCK), _blocks(values), strict=True):
        block = block.astype(np.float32, copy=False)
        code = np.rint(block * np.float32(levels)).astype(np.uint8)
        if not np.array_equal(as_values(code.astype(np.float32), levels), block):
            return None
        if coded is None:
            coded = np.empty(values.shape, np.uint8)
        coded[start : start + len(block)] = code
    return coded


def _blocks(values: np.ndarray):
    return (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
