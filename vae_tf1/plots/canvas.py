"""What all figures share."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

ArrayLike = Any  # a nested list or NumPy array of numbers

MOST_LEGEND_ENTRIES = 12


def new_figure(figure: Figure | None, size: tuple[float, float]) -> Figure:
    """Return the caller's figure, or a new one of `size` inches."""
    figure = Figure(figsize=size) if figure is None else figure
    if isinstance(figure, Figure):  # a SubFigure is laid out by its parent
        figure.set_layout_engine("constrained")
    return figure


def as_array(name: str, values: ArrayLike, ndim: int) -> np.ndarray:
    """Return values as a float array; refuse an empty one or another number of axes."""
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim or not array.size:
        raise ValueError(f"{name} must be a non-empty array of {ndim} axes, not {array.shape}")
    return array


def dot_size(n: int) -> float:
    """Return the size of a dot, in points², among `n`."""
    return float(np.clip(2e4 / n, 1, 12))
