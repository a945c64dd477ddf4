"""Figures of functions, bijectors, densities and energies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vae_tf1.plots.canvas import ArrayLike, as_array, dot_size, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "bijector_curves",
    "clouds",
    "curves",
    "densities",
    "energies",
    "likelihood_curves",
]


def curves(
    x: ArrayLike,
    y: ArrayLike,
    labels: Sequence[str],
    *,
    title: str,
    xlabel: str = "$x$",
    ylabel: str = "$y$",
    figure: Figure | None = None,
) -> Figure:
    """Draw functions of one variable.

    Parameters
    ----------
    x
        Shape (N,).
    y
        Shape (N, curves).
    labels
        A name a curve.
    title, xlabel, ylabel
        Title and axis labels.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (6, 4.2))
    _curves(figure.subplots(), x, y, labels, title=title, xlabel=xlabel, ylabel=ylabel)
    return figure


def clouds(
    before: ArrayLike, after: Mapping[str, ArrayLike], *, figure: Figure | None = None
) -> Figure:
    """Draw a cloud of points in the plane beside what each of several maps makes of it.

    Parameters
    ----------
    before
        Points, shape (N, 2).
    after
        For the name of each map its images of the points, shape (N, 2).
    figure
        An empty figure to draw into; a new one by default.
    """
    before = as_array("before", before, 2)
    # The colour of a point is its angle, so that turns and reflections can be seen.
    x, y = (before - before.mean(axis=0)).T
    angle = np.arctan2(y, x)
    panels = {"before": before, **{name: as_array(name, z, 2) for name, z in after.items()}}
    figure = new_figure(figure, (3 * len(panels), 3.3))
    axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (name, points) in zip(axes, panels.items(), strict=True):
        ax.scatter(*points.T, c=angle, cmap="hsv", s=dot_size(len(points)))
        ax.set(title=name, xlabel="$x_1$", aspect="equal")
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("$x_2$")
    return figure


def bijector_curves(
    x: ArrayLike,
    forward: ArrayLike,
    inverse: ArrayLike,
    log_det: ArrayLike,
    labels: Sequence[str],
    *,
    title: str,
    figure: Figure | None = None,
) -> Figure:
    """Draw a scalar bijector: forward, inverse and forward log-det-Jacobian.

    Parameters
    ----------
    x
        Shape (N,).
    forward, inverse, log_det
        The three functions at x, each of shape (N, curves).
    labels
        A name a curve.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (11, 3.8))
    panels = {"Forward": forward, "Inverse": inverse, "Forward log-det-Jacobian": log_det}
    for ax, (name, y) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        _curves(ax, x, y, labels, title=name, xlabel="$x$", ylabel="")
    figure.suptitle(title)
    return figure


def densities(
    x: ArrayLike,
    data: ArrayLike,
    trained: Mapping[str, ArrayLike],
    *,
    title: str = "Density of the data and of the trainable distribution",
    figure: Figure | None = None,
) -> Figure:
    """Draw the density of the data beside that of a distribution at several times, a panel each.

    Parameters
    ----------
    x
        Where, shape (N,).
    data
        Density of the data there, shape (N,).
    trained
        For each panel's title the density of the distribution, shape (N,).
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (4.6 * len(trained), 3.8))
    axes = figure.subplots(1, len(trained), sharey=True, squeeze=False)[0]
    for ax, (name, density) in zip(axes, trained.items(), strict=True):
        ax.fill_between(x, data, color="0.85")
        ax.plot(x, data, color="0.5", label="data")
        ax.plot(x, density, color="tab:orange", label="trainable")
        ax.set(title=name, xlabel="$x$", ylim=(0, None))
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("Density")
    axes[0].legend()
    figure.suptitle(title)
    return figure


def likelihood_curves(
    train_losses: ArrayLike, valid_losses: ArrayLike, *, figure: Figure | None = None
) -> Figure:
    """Draw the negative log-likelihood of training and validation data, epoch by epoch.

    Parameters
    ----------
    train_losses, valid_losses
        In nats per sample, shape (epochs,).
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (6, 4))
    ax = figure.subplots()
    for name, losses in (("training", train_losses), ("validation", valid_losses)):
        losses = as_array(f"{name} losses", losses, 1)
        ax.plot(np.arange(1, len(losses) + 1), losses, marker="o", markersize=4, label=name)
    ax.set(
        title="Maximum likelihood by Adam",
        xlabel="Epoch",
        ylabel="Negative log-likelihood (nats per sample)",
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()
    return figure


def energies(
    inliers: ArrayLike,
    outliers: Mapping[str, ArrayLike],
    *,
    title: str = "Energy under the mixture",
    figure: Figure | None = None,
) -> Figure:
    """Draw histograms of the energy of inliers and of several sets of outliers.

    Parameters
    ----------
    inliers
        Energies, shape (N,).
    outliers
        For the name of each set its energies, shape (n,).
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    sets = {"inliers": inliers, **outliers}
    sets = {name: as_array(name, values, 1) for name, values in sets.items()}
    pooled = np.concatenate(list(sets.values()))
    # A few far away would leave all others in one bar: they are counted in the last one.
    low, high = pooled.min(), max(np.quantile(values, 0.98) for values in sets.values())
    bins = np.linspace(low, high + 1e-6 * max(1.0, abs(high)), 61)
    figure = new_figure(figure, (7.5, 4.4))
    ax = figure.subplots()
    for i, (name, values) in enumerate(sets.items()):
        density, _ = np.histogram(np.clip(values, bins[0], bins[-1]), bins, density=True)
        ax.stairs(density, bins, fill=True, alpha=0.25, color=f"C{i}")
        ax.stairs(density, bins, linewidth=1.5, color=f"C{i}", label=name)
    ax.set(
        title=title,
        xlabel="Energy (nats; all beyond are in the last bar)",
        ylabel="Fraction per nat",
    )
    ax.grid(alpha=0.3)
    ax.legend()
    return figure


def _curves(ax: Axes, x: ArrayLike, y: ArrayLike, labels: Sequence[str], **texts: str) -> None:
    y = as_array("y", y, 2)
    for curve, label in zip(y.T, labels, strict=True):
        ax.plot(np.ravel(x), curve, label=label)
    ax.set(**texts)
    ax.grid(alpha=0.3)
    ax.legend()
