"""Figures of a training."""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from vae_tf1.plots.canvas import ArrayLike, as_array, new_figure

__all__ = [
    "elbo_curve",
    "show_elbo_curve",
    "training_and_validation",
]


def elbo_curve(
    costs: ArrayLike, *, title: str = "Training", figure: Figure | None = None
) -> Figure:
    """Draw the ELBO of each step of training, and its running mean.

    Parameters
    ----------
    costs
        ELBO per image of each step in nats, shape (steps,).
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.
    """
    costs = as_array("costs", costs, 1)
    figure = new_figure(figure, (7, 4.2))
    ax = figure.subplots()
    window = max(1, len(costs) // 50)
    if window == 1:
        ax.plot(costs, color="tab:blue")
    else:
        ax.plot(costs, linewidth=0.6, alpha=0.5, color="tab:blue", label="each step")
        mean = np.convolve(costs, np.full(window, 1 / window), mode="valid")
        steps = np.arange(window - 1, len(costs))
        ax.plot(steps, mean, color="tab:blue", label=f"mean of {window} steps")
        ax.legend()
        # The first steps are far below all others and would leave these a flat line.
        ax.set_ylim(bottom=np.quantile(costs, 0.01), top=costs.max() + 0.05 * np.ptp(mean))
    ax.set(title=title, xlabel="Step of training", ylabel="ELBO (nats per image)")
    ax.grid(alpha=0.3)
    return figure


def training_and_validation(
    costs: ArrayLike,
    history: Sequence[Any],
    *,
    title: str = "Training and validation",
    figure: Figure | None = None,
) -> Figure:
    """Draw the ELBO of the training set against that of the validation set.

    Parameters
    ----------
    costs
        ELBO per image of each step in nats, shape (steps,): `vae.costs`.
    history
        The validations, each with a ``step`` and an ``elbo``: `vae.validation_history`. A point of
        the training curve is the mean of the steps since the validation before it.
    title
        Title of the figure.
    figure
        An empty figure to draw into; a new one by default.

    Raises
    ------
    ValueError
        If there is no validation, or one of a step that `costs` does not have.
    """
    costs = as_array("costs", costs, 1)
    steps = np.array([validation.step for validation in history])
    if not (len(steps) and steps[0] > 0 and np.all(np.diff(steps) > 0) and steps[-1] <= len(costs)):
        raise ValueError(
            f"history must have validations at rising steps of the {len(costs)} in costs, not at "
            f"{steps.tolist()}"
        )
    elbos = np.array([validation.elbo for validation in history])
    means = [part.mean() for part in np.split(costs, steps)[: len(steps)]]
    figure = new_figure(figure, (7, 4.2))
    ax = figure.subplots()
    ax.plot(steps, means, marker=".", color="tab:blue", label="training")
    ax.plot(steps, elbos, marker=".", color="tab:orange", label="validation")
    if np.isfinite(elbos).any():
        best = int(np.nanargmax(np.where(np.isfinite(elbos), elbos, -np.inf)))
        ax.axvline(steps[best], linestyle=":", color="tab:gray", label=f"best: {elbos[best]:.2f}")
    ax.set(title=title, xlabel="Step of training", ylabel="ELBO (nats per image)")
    ax.legend(loc="lower right")
    ax.grid(alpha=0.3)
    return figure


def show_elbo_curve(costs: ArrayLike) -> None:
    """Show `elbo_curve` in a window or a notebook; do nothing if there is neither.

    The window does not stop the program, and a second curve takes the place of the first. A program
    that ends while the window is open waits until the user has closed the window.

    Parameters
    ----------
    costs
        ELBO per image of each step in nats, shape (steps,).
    """
    import matplotlib.pyplot as plt

    try:
        figure = plt.figure("ELBO", clear=True)
    except Exception:  # a display that does not answer; the toolkits have no common error
        return
    elbo_curve(costs, figure=figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*non-interactive", UserWarning)
        plt.show(block=False)
    if figure.canvas.required_interactive_framework is not None:
        figure.canvas.flush_events()  # paint it now: the program may be busy for long
        atexit.unregister(_wait_for_windows)
        atexit.register(_wait_for_windows)
    if figure.canvas.required_interactive_framework is None:  # nobody else will
        plt.close(figure)


def _wait_for_windows() -> None:
    import matplotlib.pyplot as plt

    if plt.fignum_exists("ELBO"):
        plt.show()
