"""Every figure of the project: each function draws one and returns it.

Figures are matplotlib's own ``Figure``, made without pyplot, so that nothing global changes and
no window opens: ``plots.elbo_curve(costs).savefig("elbo.png")``. To show one in a window, hand in
an empty figure of pyplot's: ``plots.elbo_curve(costs, figure=plt.figure()); plt.show()``.
"""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.figure import Figure
from matplotlib.mlab import GaussianKDE
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from vae_tf1.divergence import MonteCarloKL

__all__ = [
    "bijector_curves",
    "clouds",
    "curves",
    "decoded_plane",
    "densities",
    "elbo_curve",
    "energies",
    "gaussian_densities",
    "kl_samples",
    "latent_scatter",
    "likelihood_curves",
    "reconstructions",
    "running_kl",
    "running_kl_density",
    "sample_sets",
    "samples",
    "show_elbo_curve",
    "side_by_side",
    "squared_error",
    "training_and_validation",
]

ArrayLike = Any  # a nested list or NumPy array of numbers

_MOST_LEGEND_ENTRIES = 12


# The autoencoder


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
    costs = _array("costs", costs, 1)
    figure = _figure(figure, (7, 4.2))
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
    costs = _array("costs", costs, 1)
    steps = np.array([validation.step for validation in history])
    if not (len(steps) and steps[0] > 0 and np.all(np.diff(steps) > 0) and steps[-1] <= len(costs)):
        raise ValueError(
            f"history must have validations at rising steps of the {len(costs)} in costs, not at "
            f"{steps.tolist()}"
        )
    elbos = np.array([validation.elbo for validation in history])
    means = [part.mean() for part in np.split(costs, steps)[: len(steps)]]
    figure = _figure(figure, (7, 4.2))
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
    figure = _figure(figure, (0.7 * columns + 1.2, 1.4 * pairs + 0.6))
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
    figure = _figure(figure, (0.55 * columns + 0.6, 0.55 * rows + 0.8))
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
    figure = _figure(figure, ((0.5 * columns + 0.3) * len(grids), 0.5 * rows + 0.8))
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
    figure = _figure(figure, (6, 3.3))
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
    codes = _array("codes", codes, 2)
    if codes.shape[1] < 2:
        raise ValueError(f"codes must have at least two coordinates, not shape {codes.shape}")
    labels = np.zeros(len(codes), int) if labels is None else np.asarray(labels)
    if labels.shape != (len(codes),):
        raise ValueError(f"labels must have shape ({len(codes)},), not {labels.shape}")
    figure = _figure(figure, (6.6, 5.6))
    ax = figure.subplots()
    kinds = np.unique(labels)
    for i, kind in enumerate(kinds):
        x, y = codes[labels == kind, :2].T
        ax.scatter(x, y, s=_dot_size(len(codes)), alpha=0.6, color=f"C{i % 10}", label=str(kind))
    if 1 < len(kinds) <= _MOST_LEGEND_ENTRIES:
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
    figure = _figure(figure, (7, 7))
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


# Divergence and the Gaussian layer


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
        ax = _figure(None, (7, 4.2)).subplots()
    for i, (m, s) in enumerate(zip(mean[:-1], deviation[:-1], strict=True)):
        ax.plot(x, curve[:, i], label=f"N({m:.3g}, {s:.3g}²)")
    ax.fill_between(x, curve[:, -1], color="0.85", zorder=0)
    ax.plot(x, curve[:, -1], color="0.4", label=f"prior N({prior[0]:.3g}, {prior[1]:.3g}²)")
    if len(mean) <= _MOST_LEGEND_ENTRIES:
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
    figure = _figure(figure, (5.4, 5.2))
    ax = figure.subplots()
    for name, points in (("p", p_samples), ("q", q_samples)):
        x, y = _array(f"{name}_samples", points, 2)[:, :2].T
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
    figure = _figure(figure, (7, 4.4))
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
    mean = _array("estimate.mean", estimate.mean, 1)
    finite = mean[np.isfinite(mean)]
    figure = _figure(figure, (6.4, 5.4))
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
    figure = _figure(figure, (7, 4.4))
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


# Bijectors


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
    figure = _figure(figure, (6, 4.2))
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
    before = _array("before", before, 2)
    # The colour of a point is its angle, so that turns and reflections can be seen.
    x, y = (before - before.mean(axis=0)).T
    angle = np.arctan2(y, x)
    panels = {"before": before, **{name: _array(name, z, 2) for name, z in after.items()}}
    figure = _figure(figure, (3 * len(panels), 3.3))
    axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (name, points) in zip(axes, panels.items(), strict=True):
        ax.scatter(*points.T, c=angle, cmap="hsv", s=_dot_size(len(points)))
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
    figure = _figure(figure, (11, 3.8))
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
    figure = _figure(figure, (4.6 * len(trained), 3.8))
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
    figure = _figure(figure, (6, 4))
    ax = figure.subplots()
    for name, losses in (("training", train_losses), ("validation", valid_losses)):
        losses = _array(f"{name} losses", losses, 1)
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


# Mixture energy


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
    sets = {name: _array(name, values, 1) for name, values in sets.items()}
    pooled = np.concatenate(list(sets.values()))
    # A few far away would leave all others in one bar: they are counted in the last one.
    low, high = pooled.min(), max(np.quantile(values, 0.98) for values in sets.values())
    bins = np.linspace(low, high + 1e-6 * max(1.0, abs(high)), 61)
    figure = _figure(figure, (7.5, 4.4))
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


# Shared


def _figure(figure: Figure | None, size: tuple[float, float]) -> Figure:
    """Return the caller's figure, or a new one of `size` inches."""
    figure = Figure(figsize=size) if figure is None else figure
    if isinstance(figure, Figure):  # a SubFigure is laid out by its parent
        figure.set_layout_engine("constrained")
    return figure


def _curves(ax: Axes, x: ArrayLike, y: ArrayLike, labels: Sequence[str], **texts: str) -> None:
    y = _array("y", y, 2)
    for curve, label in zip(y.T, labels, strict=True):
        ax.plot(np.ravel(x), curve, label=label)
    ax.set(**texts)
    ax.grid(alpha=0.3)
    ax.legend()


def _array(name: str, values: ArrayLike, ndim: int) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != ndim or not array.size:
        raise ValueError(f"{name} must be a non-empty array of {ndim} axes, not {array.shape}")
    return array


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


def _dot_size(n: int) -> float:
    return float(np.clip(2e4 / n, 1, 12))
