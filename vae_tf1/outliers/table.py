"""The door for tables: rows of real numbers, checked once, and scaled a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

__all__ = ["BLOCK", "Scaling", "as_table", "blocks_of"]

BLOCK = 4096  # rows looked at together, so that nothing needs a copy of the whole
_LARGEST = float(np.finfo(np.float32).max)
_FARTHEST = 1e4  # ranges of a column
_ROUNDING = 1e-14  # relative


class Scaling(NamedTuple):
    """Maps each column's range in the training rows to [0, 1]."""

    least: np.ndarray  # (D,), float64
    spread: np.ndarray  # (D,), float64; one for a constant column

    @classmethod
    def of(cls, table: np.ndarray) -> Scaling:
        """Return the scaling of a table's columns."""
        blocks = list(_extremes(table))
        least = np.min([low for low, _ in blocks], axis=0)
        most = np.max([high for _, high in blocks], axis=0)
        spread = most - least
        # What rounding leaves of a constant column is no spread.
        rounding = _ROUNDING * np.maximum(np.abs(least), np.abs(most))
        return cls(least, np.where(spread > rounding, spread, 1.0))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with the training rows' ranges mapped to [0, 1], at most ±10,000."""
        scaled = (np.asarray(rows, np.float64) - self.least) / self.spread
        return np.clip(scaled, -_FARTHEST, _FARTHEST)


def as_table(X: Any, n_features: int | None = None) -> np.ndarray:
    """Check a table at the door.

    Parameters
    ----------
    X
        Rows of real numbers, shape (N, D): an array, a list, a data frame, or a ``numpy.memmap``,
        which stays on the disk.
    n_features
        The D that is expected; any if None.

    Returns
    -------
    ndarray
        X itself if it is an array of real numbers, else its numbers as float64.

    Raises
    ------
    TypeError, ValueError
        If X is something else, is empty, or holds NaN, infinity, or more than float32 can.
    """
    table = _numeric(X)
    if table.ndim != 2:
        hint = "; Reshape your data with X.reshape(1, -1) if it is one row" * (table.ndim == 1)
        raise ValueError(f"X has shape {table.shape}, but rows of columns are expected{hint}")
    for axis, name in enumerate(("sample", "feature")):
        if not table.shape[axis]:
            raise ValueError(
                f"X has 0 {name}(s) (shape={table.shape}) while a minimum of 1 is required."
            )
    if n_features is not None and table.shape[1] != n_features:
        raise ValueError(
            f"X has {table.shape[1]} features, but OutlierDetector is expecting {n_features} "
            "features as input"
        )
    for block in blocks_of(table):
        low, high = block.min(), block.max()  # NaN if there is one
        if not (low >= -_LARGEST and high <= _LARGEST):
            raise ValueError("X holds NaN or infinity, but finite numbers are expected")
    return table


def blocks_of(table: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows in order, some thousands at a time, as float64."""
    for start in range(0, len(table), BLOCK):
        yield np.asarray(table[start : start + BLOCK], np.float64)


def _extremes(table: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    return ((block.min(axis=0), block.max(axis=0)) for block in blocks_of(table))


def _numeric(X: Any) -> np.ndarray:
    if hasattr(X, "tocsr"):
        raise TypeError("X is sparse, but a dense table is expected: give X.toarray()")
    try:
        table = np.asanyarray(X) if isinstance(X, np.memmap) else np.asarray(X)
    except ValueError:
        raise ValueError("X is ragged: its rows do not have one common length") from None
    if table.dtype.kind == "c":
        raise ValueError("Complex data not supported: X must hold real numbers")
    if table.dtype.kind in "OUS":
        try:
            return table.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(f"X must hold real numbers: {error}") from None
    if table.dtype.kind not in "buif":
        raise TypeError(f"X must hold real numbers, not dtype {table.dtype}")
    return table
