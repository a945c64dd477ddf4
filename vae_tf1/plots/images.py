"""Figures of images, and of the codes behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf1.plots.canvas import MOST_LEGEND_ENTRIES, ArrayLike, as_array, dot_size, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "decoded_plane",
    "latent_scatter",
    "reconstructions",
    "sample_sets",
    "samples",
    "side_by_side",
]


def reconstructions(
    originals: ArrayLike,
    reconstructed: ArrayLike,
    *,
    columns: int = 10,
    title: str = "Originals and their reconstructions",
    figure: Figure | None = None,
) -> Figure:
    """Draw images in pairs of rows, each original above its reconstruction.

    Parameters
    ----------
    originals, reconstructed
        As many images each, shape (N, side²) or (N, side, side).
    columns
        Images in a row.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    originals, reconstructed = _images(originals), _images(reconstructed)
    if originals.shape != reconstructed.shape:
        raise ValueError(
            f"as many originals as reconstructions of one size are wanted, "
            f"not {originals.shape} and {reconstructed.shape}"
        )
    columns = min(columns, len(originals))
    pairs = -(-len(originals) // columns)
    rows = []
    for pair in range(pairs):
        part = slice(pair * columns, (pair + 1) * columns)
        rows += [originals[part], reconstructed[part]]
    figure = new_figure(figure, (0.7 * columns + 1.2, 1.4 * pairs + 0.6))
    ax = figure.subplots()
    side = originals.shape[1]
    _show(ax, np.concatenate([_mosaic(row, columns) for row in rows]))
    ax.set_yticks(side * (np.arange(2 * pairs) + 0.5) - 0.5, ["original", "reconstruction"] * pairs)
    ax.tick_params(length=0)
    ax.set_title(title)
    return figure


def samples(
    images: ArrayLike,
    *,
    columns: int | None = None,
    title: str = "Samples",
    figure: Figure | None = None,
) -> Figure:
    """Draw images in a grid.

    Parameters
    ----------
    images
        Shape (N, side²) or (N, side, side).
    columns
        Images in a row; about as many as rows by default.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    images = _images(images)
    columns = min(columns or int(np.ceil(np.sqrt(len(images)))), len(images))
    rows = -(-len(images) // columns)
    figure = new_figure(figure, (0.55 * columns + 0.6, 0.55 * rows + 0.8))
    ax = figure.subplots()
    _show(ax, _mosaic(images, columns))
    ax.set_yticks([])
    ax.set_title(title)
    return figure


def sample_sets(
    sets: Mapping[str, ArrayLike], *, columns: int = 8, figure: Figure | None = None
) -> Figure:
    """Draw several sets of images, a grid each, beside one another.

    Parameters
    ----------
    sets
        For the title of each set its images, shape (N, side²) or (N, side, side).
    columns
        Images in a row of a grid.
    figure
        An empty figure to draw into; a new one by default.
    """
    grids = {title: _images(images) for title, images in sets.items()}
    rows = max(-(-len(images) // columns) for images in grids.values())
    figure = new_figure(figure, ((0.5 * columns + 0.3) * len(grids), 0.5 * rows + 0.8))
    axes = figure.subplots(1, len(grids), squeeze=False)[0]
    for ax, (title, images) in zip(axes, grids.items(), strict=True):
        _show(ax, _mosaic(images, columns))
        ax.set_yticks([])
        ax.set_title(title)
    return figure


def side_by_side(
    left: ArrayLike,
    right: ArrayLike,
    left_title: str,
    right_title: str,
    *,
    figure: Figure | None = None,
) -> Figure:
    """Draw two images side by side.

    Parameters
    ----------
    left, right
        One image each, shape (side²,), (side, side) or (1, side²).
    left_title, right_title
        What stands above them.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (6, 3.3))
    for ax, image, title in zip(
        figure.subplots(1, 2), (left, right), (left_title, right_title), strict=True
    ):
        _show(ax, _image(image))
        ax.set_yticks([])
        ax.set_title(title)
    return figure


def latent_scatter(
    codes: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    title: str = "Codes of the images in the latent plane",
    figure: Figure | None = None,
) -> Figure:
    """Draw the first two latent coordinates of each image, coloured by its label.

    Parameters
    ----------
    codes
        Shape (N, M) with M ≥ 2.
    labels
        Integers of shape (N,), or None for one colour.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    codes = as_array("codes", codes, 2)
    if codes.shape[1] < 2:
        raise ValueError(f"codes must have at least two coordinates, not shape {codes.shape}")
    labels = np.zeros(len(codes), int) if labels is None else np.asarray(labels)
    if labels.shape != (len(codes),):
        raise ValueError(f"labels must have shape ({len(codes)},), not {labels.shape}")
    figure = new_figure(figure, (6.6, 5.6))
    ax = figure.subplots()
    kinds = np.unique(labels)
    for i, kind in enumerate(kinds):
        x, y = codes[labels == kind, :2].T
        ax.scatter(x, y, s=dot_size(len(codes)), alpha=0.6, color=f"C{i % 10}", label=str(kind))
    if 1 < len(kinds) <= MOST_LEGEND_ENTRIES:
        # Of the figure, not of the axes: the layout keeps room for it.
        legend = figure.legend(title="label", loc="outside right center")
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set(sizes=[30], alpha=1)
    ax.set(title=title, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    ax.grid(alpha=0.3)
    return figure


def decoded_plane(
    images_grid: ArrayLike,
    extent: Sequence[float],
    *,
    title: str = "Images decoded over the latent plane",
    figure: Figure | None = None,
) -> Figure:
    """Draw the images decoded at the points of a grid, each where its point is.

    Parameters
    ----------
    images_grid
        Shape (rows, columns, side²) or (rows, columns, side, side); the first row belongs to the
        least second coordinate and is drawn at the bottom.
    extent
        Coordinates (x₀, x₁, y₀, y₁) of the first and last point of the grid along each axis.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    grid = np.asarray(images_grid)
    if grid.ndim not in (3, 4):
        raise ValueError(
            f"images_grid must have shape (rows, columns, pixels) or "
            f"(rows, columns, side, side), not {grid.shape}"
        )
    rows, columns = grid.shape[:2]
    images = _images(grid.reshape(rows * columns, *grid.shape[2:]))
    images = images.reshape(rows, columns, *images.shape[1:])[::-1]
    x0, x1, y0, y1 = extent
    half_x, half_y = ((x1 - x0) / max(columns - 1, 1) / 2, (y1 - y0) / max(rows - 1, 1) / 2)
    figure = new_figure(figure, (7, 7))
    ax = figure.subplots()
    _show(
        ax,
        np.concatenate([np.concatenate(list(row), axis=1) for row in images]),
        extent=(x0 - half_x, x1 + half_x, y0 - half_y, y1 + half_y),
        aspect="auto",
    )
    ax.set_xticks(np.linspace(x0, x1, 7))
    ax.set_yticks(np.linspace(y0, y1, 7))
    ax.set(title=title, xlabel="$z_1$", ylabel="$z_2$", box_aspect=rows / columns)
    return figure


def _image(image: ArrayLike) -> np.ndarray:
    image = np.asarray(image)
    return _images(image[None] if image.ndim == 1 or image.shape[0] != 1 else image)[0]


def _images(images: ArrayLike) -> np.ndarray:
    """Return images as (N, side, side)."""
    images = np.asarray(images)
    side = int(np.sqrt(images.shape[-1])) if images.ndim == 2 else images.shape[-1]
    if not images.size or images.ndim not in (2, 3) or images[0].size != side * side:
        raise ValueError(
            f"images must have shape (N, side * side) or (N, side, side), not {images.shape}"
        )
    return images.reshape(len(images), side, side)


def _mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """Join (N, side, side) images row by row; what is left of the last row is white."""
    rows = -(-len(images) // columns)
    side = images.shape[1]
    cells = np.full((rows * columns, side, side), np.nan)
    cells[: len(images)] = images
    return cells.reshape(rows, columns, side, side).swapaxes(1, 2).reshape(rows * side, -1)


def _show(ax: Axes, image: np.ndarray, **options: Any) -> None:
    low, high = min(0, np.nanmin(image)), max(1, np.nanmax(image))
    ax.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="nearest", **options)
    ax.set_xticks([])
