"""Figures of Gaussians and of the divergence between two."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from matplotlib.figure import Figure
from matplotlib.mlab import GaussianKDE

from vae_tf1.plots.canvas import MOST_LEGEND_ENTRIES, ArrayLike, as_array, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vae_tf1.divergence import MonteCarloKL

__all__ = [
    "gaussian_densities",
    "kl_samples",
    "running_kl",
    "running_kl_density",
    "squared_error",
]


def gaussian_densities(
    mean: ArrayLike,
    deviation: ArrayLike,
    *,
    prior: tuple[float, float] = (0.0, 1.0),
    ax: Axes | None = None,
) -> Figure:
    """Draw the densities of Gaussians beside their prior's.

    Parameters
    ----------
    mean, deviation
        Means and standard deviations of shapes that broadcast; a curve an element.
    prior
        Mean and standard deviation of the prior.
    ax
        Where to draw; a new figure by default.
    """
    mean, deviation = np.broadcast_arrays(np.asarray(mean, float), np.asarray(deviation, float))
    mean, deviation = np.append(mean, prior[0]), np.append(deviation, prior[1])
    x = np.linspace((mean - 4 * deviation).min(), (mean + 4 * deviation).max(), 2001)
    # A density narrower than the step of x would be missed, so each brings its own points.
    x = np.sort(np.concatenate([x, (mean + deviation * np.linspace(-4, 4, 81)[:, None]).ravel()]))
    curve = np.exp(-0.5 * ((x[:, None] - mean) / deviation) ** 2) / deviation / np.sqrt(2 * np.pi)
    if ax is None:
        ax = new_figure(None, (7, 4.2)).subplots()
    for i, (m, s) in enumerate(zip(mean[:-1], deviation[:-1], strict=True)):
        ax.plot(x, curve[:, i], label=f"N({m:.3g}, {s:.3g}²)")
    ax.fill_between(x, curve[:, -1], color="0.85", zorder=0)
    ax.plot(x, curve[:, -1], color="0.4", label=f"prior N({prior[0]:.3g}, {prior[1]:.3g}²)")
    if len(mean) <= MOST_LEGEND_ENTRIES:
        ax.legend()
    ax.set(title="Densities of the latent variable", xlabel="$z$", ylabel="Density")
    ax.grid(alpha=0.3)
    return cast(Figure, ax.figure)


def kl_samples(
    p_samples: ArrayLike, q_samples: ArrayLike, *, figure: Figure | None = None
) -> Figure:
    """Draw samples of p and of q in the plane.

    Parameters
    ----------
    p_samples, q_samples
        Shape (N, 2).
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (5.4, 5.2))
    ax = figure.subplots()
    for name, points in (("p", p_samples), ("q", q_samples)):
        x, y = as_array(f"{name}_samples", points, 2)[:, :2].T
        ax.scatter(x, y, s=8, alpha=0.8, label=f"samples of {name}")
    ax.set(title="Two diagonal Gaussians", xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.grid(alpha=0.3)
    ax.legend()
    return figure


def running_kl(
    estimate: MonteCarloKL, true_kl: float | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw the running Monte Carlo estimate of a KL divergence with its standard error.

    Parameters
    ----------
    estimate
        From `vae_tf1.monte_carlo_kl`, of one divergence.
    true_kl
        The value in closed form, if there is one.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (7, 4.4))
    ax = figure.subplots()
    mean, error = estimate.mean, estimate.standard_error
    ax.fill_between(
        estimate.samples, mean - error, mean + error, alpha=0.25, label="± one standard error"
    )
    ax.plot(estimate.samples, mean, label="Monte Carlo estimate")
    centre = estimate.estimate if true_kl is None else true_kl
    if true_kl is not None:
        ax.axhline(true_kl, color="tab:red", linewidth=2, label=f"closed form, {true_kl:.4f}")
    if np.isfinite(centre) and centre > 0:
        ax.set_ylim(0.95 * float(centre), 1.05 * float(centre))
    ax.set(
        title="Running Monte Carlo estimate of KL(q ‖ p)",
        xlabel="Monte Carlo samples",
        ylabel="KL divergence (nats)",
    )
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    return figure


def running_kl_density(
    estimate: MonteCarloKL, true_kl: float | None = None, *, figure: Figure | None = None
) -> Figure:
    """Draw the running Monte Carlo estimate of a KL divergence, with their density at the margin.

    The density counts each running estimate once, so it shows where the curve spends its samples.
    It is a Gaussian kernel estimate with Scott's bandwidth.

    Parameters
    ----------
    estimate
        From `vae_tf1.monte_carlo_kl`, of one divergence.
    true_kl
        The value in closed form, if there is one.
    figure
        An empty figure to draw into; a new one by default.

    References
    ----------
    Scott (1992), Multivariate Density Estimation, section 6.3.
    """
    mean = as_array("estimate.mean", estimate.mean, 1)
    finite = mean[np.isfinite(mean)]
    figure = new_figure(figure, (6.4, 5.4))
    ax, margin = figure.subplots(1, 2, sharey=True, width_ratios=(5, 1))
    ax.plot(estimate.samples, mean, label="Monte Carlo estimate")
    if len(set(finite)) > 1:
        # The first estimates are far away from all others and would leave these a flat line.
        low, high = np.quantile(finite, [0.002, 0.998])
        y = np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), 501)
        density = GaussianKDE(finite)(y)
        margin.fill_betweenx(y, density, alpha=0.25)
        margin.plot(density, y)
        ax.set_ylim(float(y[0]), float(y[-1]))
    if true_kl is not None:
        ax.axhline(true_kl, color="tab:red", label=f"closed form, {true_kl:.4f}")
        margin.axhline(true_kl, color="tab:red")
    ax.set(
        title="Running Monte Carlo estimate of KL(q ‖ p)",
        xlabel="Monte Carlo samples",
        ylabel="KL divergence (nats)",
    )
    margin.set(title="density", xlabel="1 / nat", xlim=(0, None))
    ax.grid(alpha=0.3)
    ax.legend(loc="lower right")
    margin.grid(alpha=0.3)
    return figure


def squared_error(
    estimate: MonteCarloKL, true_kl: float, *, figure: Figure | None = None
) -> Figure:
    """Draw the squared error of a running Monte Carlo estimate beside its squared standard error.

    Parameters
    ----------
    estimate
        From `vae_tf1.monte_carlo_kl`, of one divergence.
    true_kl
        The value in closed form.
    figure
        An empty figure to draw into; a new one by default.
    """
    figure = new_figure(figure, (7, 4.4))
    ax = figure.subplots()
    ax.plot(
        estimate.samples, np.square(estimate.mean - true_kl), linewidth=1, label="squared error"
    )
    ax.plot(estimate.samples, np.square(estimate.standard_error), label="squared standard error")
    ax.set(
        title="Error of the Monte Carlo estimate",
        xlabel="Monte Carlo samples",
        ylabel="Squared error (nats²)",
        xscale="log",
        yscale="log",
    )
    ax.set_ylim(bottom=1e-8)
    ax.grid(alpha=0.3)
    ax.legend()
    return figure
