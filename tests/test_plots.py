"""Every figure: what is drawn is the data, and no global state of matplotlib is touched."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import gaussian_kde

from vae_tf1 import plots
from vae_tf1.divergence import MonteCarloKL
from vae_tf1.model.state import Validated

RNG = np.random.default_rng(0)
IMAGES = RNG.random((23, 784))
ESTIMATE = MonteCarloKL(
    np.arange(1, 6), np.array([3, 2, 2.5, 2.4, 2.6]), np.array([np.nan, 1, 0.5, 0.4, 0.3])
)
X = np.linspace(-1, 1, 50)
TWO = np.stack([X, X**2], axis=1)
HISTORY = [Validated(i, 20 * i, -95.0 + 3 * (i == 3), -80.0, 15.0, 2) for i in range(1, 6)]

FIGURES = {
    "elbo_curve": lambda **o: plots.elbo_curve(-100 - 50 / np.arange(1, 500), **o),
    "training_and_validation": lambda **o: plots.training_and_validation(
        np.arange(-100.0, 0), HISTORY, **o
    ),
    "reconstructions": lambda **o: plots.reconstructions(IMAGES, 1 - IMAGES, **o),
    "samples": lambda **o: plots.samples(IMAGES, **o),
    "sample_sets": lambda **o: plots.sample_sets({"one": IMAGES, "two": IMAGES[:5]}, **o),
    "side_by_side": lambda **o: plots.side_by_side(IMAGES[0], IMAGES[1], "left", "right", **o),
    "latent_scatter": lambda **o: plots.latent_scatter(TWO, np.arange(50) % 10, **o),
    "decoded_plane": lambda **o: plots.decoded_plane(
        IMAGES[:20].reshape(4, 5, 784), (-3, 3, -2, 2), **o
    ),
    "kl_samples": lambda **o: plots.kl_samples(TWO, TWO + 1, **o),
    "running_kl": lambda **o: plots.running_kl(ESTIMATE, 2.5, **o),
    "running_kl_density": lambda **o: plots.running_kl_density(ESTIMATE, 2.5, **o),
    "squared_error": lambda **o: plots.squared_error(ESTIMATE, 2.5, **o),
    "curves": lambda **o: plots.curves(X, TWO, ["x", "x²"], title="Powers", **o),
    "clouds": lambda **o: plots.clouds(TWO, {"doubled": 2 * TWO}, **o),
    "bijector_curves": lambda **o: plots.bijector_curves(
        X, TWO, TWO, TWO, ["a", "b"], title="Cubic", **o
    ),
    "densities": lambda **o: plots.densities(X, X**2, {"before": X, "after": X**2}, **o),
    "likelihood_curves": lambda **o: plots.likelihood_curves([3, 2, 1.5], [3.1, 2.2, 1.7], **o),
    "energies": lambda **o: plots.energies(RNG.normal(size=99), {"far": RNG.normal(5, 1, 99)}, **o),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_returns_a_titled_labelled_figure_that_can_be_saved(name, tmp_path):
    figure = FIGURES[name]()
    assert type(figure) is Figure
    assert figure.get_suptitle() or all(ax.get_title() for ax in figure.axes)
    for ax in figure.axes:
        if not ax.images:
            assert ax.get_xlabel()
    figure.savefig(tmp_path / "figure.png", dpi=50)
    assert (tmp_path / "figure.png").stat().st_size > 1000


@pytest.mark.parametrize("name", FIGURES)
def test_each_draws_into_a_given_figure(name):
    figure = Figure(figsize=(2, 2))
    assert FIGURES[name](figure=figure) is figure
    assert figure.axes
    assert tuple(figure.get_size_inches()) == (2, 2)


def test_all_are_tested_here():
    elsewhere = {"gaussian_densities", "show_elbo_curve"}  # with Gaussian.plot, with fit
    assert set(plots.__all__) == set(FIGURES) | elsewhere


def test_pyplot_is_not_even_imported():
    script = (
        "import sys, vae_tf1.plots as plots; plots.elbo_curve([1, 2]); "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[1], check=True, timeout=60
    )


def test_elbo_curve_shows_each_step_and_their_running_mean():
    costs = RNG.normal(-100, 5, 1000)
    steps, mean = plots.elbo_curve(costs).axes[0].lines
    np.testing.assert_array_equal(steps.get_ydata(), costs)
    np.testing.assert_array_equal(mean.get_xdata(), np.arange(19, 1000))
    np.testing.assert_allclose(mean.get_ydata()[[0, -1]], [costs[:20].mean(), costs[-20:].mean()])
    (line,) = plots.elbo_curve([-5.0, -4.0]).axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [-5, -4])


def test_reconstructions_stand_under_their_originals():
    originals = np.arange(7)[:, None] * np.ones((7, 4)) / 10
    (ax,) = plots.reconstructions(originals, originals + 0.05, columns=5).axes
    mosaic = np.asarray(ax.images[0].get_array().filled(np.nan))[::2, ::2]
    np.testing.assert_allclose(
        mosaic,
        [
            [0.0, 0.1, 0.2, 0.3, 0.4],
            [0.05, 0.15, 0.25, 0.35, 0.45],
            [0.5, 0.6, np.nan, np.nan, np.nan],
            [0.55, 0.65, np.nan, np.nan, np.nan],
        ],
    )
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["original", "reconstruction"] * 2


def test_samples_fill_a_grid_row_by_row_whole_pixels_in_place():
    images = np.arange(3 * 4).reshape(3, 2, 2) / 12
    (ax,) = plots.samples(images, columns=2).axes
    mosaic = np.asarray(ax.images[0].get_array().filled(np.nan))
    np.testing.assert_allclose(mosaic[:2, :2], images[0])
    np.testing.assert_allclose(mosaic[:2, 2:], images[1])
    np.testing.assert_allclose(mosaic[2:, :2], images[2])
    assert np.isnan(mosaic[2:, 2:]).all()


@pytest.mark.parametrize("shape", [(784,), (1, 784), (28, 28), (1, 28, 28)])
def test_single_images_come_in_any_shape(shape):
    left, _ = plots.side_by_side(IMAGES[0].reshape(shape), IMAGES[1], "a", "b").axes
    np.testing.assert_array_equal(left.images[0].get_array(), IMAGES[0].reshape(28, 28))
    assert left.images[0].get_clim() == (0, 1)


def test_decoded_plane_puts_each_image_where_its_point_is():
    points = np.stack(np.meshgrid([0, 1, 2], [10, 20], indexing="xy"), axis=-1)  # [row, column]
    brightness = points[..., 0] * 0.1 + points[..., 1] * 0.01
    grid = brightness[..., None] * np.ones(4)
    (ax,) = plots.decoded_plane(grid, (0, 2, 10, 20)).axes
    image = ax.images[0]
    left, right, bottom, top = image.get_extent()
    pixels = np.asarray(image.get_array())
    rows, columns = pixels.shape
    for (x, y), value in zip(points.reshape(-1, 2), brightness.ravel(), strict=True):
        column = int((x - left) / (right - left) * columns)
        row = int((top - y) / (top - bottom) * rows)
        assert pixels[row, column] == pytest.approx(value)


def test_latent_scatter_has_a_colour_a_label():
    codes, labels = RNG.normal(size=(30, 3)), np.arange(30) % 3
    figure = plots.latent_scatter(codes, labels)
    (ax,), (legend,) = figure.axes, figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["0", "1", "2"]
    np.testing.assert_array_equal(ax.collections[1].get_offsets(), codes[1::3, :2])
    assert plots.latent_scatter(codes).legends == []


@pytest.mark.parametrize("spread", [(1, 4), (4, 1), (1, 1)])
def test_the_legend_of_the_codes_is_inside_the_picture_and_beside_the_axes(spread, tmp_path):
    codes = RNG.normal(size=(500, 2)) * spread
    figure = plots.latent_scatter(codes, np.arange(500) % 10)
    figure.savefig(tmp_path / "latent_codes.png")
    (legend,), (ax,) = figure.legends, figure.axes
    legend, width = legend.get_window_extent(), figure.bbox.width
    assert ax.get_window_extent().x1 < legend.x0 < legend.x1 <= width


def test_the_density_at_the_margin_is_that_of_the_running_estimates():
    mean = np.sort(RNG.normal(2.5, 0.1, 4000))
    estimate = MonteCarloKL(np.arange(1, 4001), mean, np.full(4000, 0.01))
    ax, margin = plots.running_kl_density(estimate).axes
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), mean)
    (line,) = margin.lines
    density, y = line.get_data()
    np.testing.assert_allclose(density, gaussian_kde(mean)(y), rtol=1e-6)
    assert margin.get_ylim() == ax.get_ylim()
    constant = MonteCarloKL(np.arange(1, 4), np.full(3, np.inf), np.full(3, np.inf))
    assert not plots.running_kl_density(constant).axes[1].lines


def test_running_estimate_and_its_error_are_those_given():
    (ax,) = plots.running_kl(ESTIMATE, 2.5).axes
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), ESTIMATE.mean)
    assert set(ax.lines[1].get_ydata()) == {2.5}
    error, standard_error = plots.squared_error(ESTIMATE, 2.5).axes[0].lines
    np.testing.assert_allclose(error.get_ydata(), (ESTIMATE.mean - 2.5) ** 2)
    np.testing.assert_allclose(standard_error.get_ydata(), ESTIMATE.standard_error**2)
    assert len(plots.running_kl(ESTIMATE).axes[0].lines) == 1


def test_training_and_validation_are_drawn_at_the_same_steps_and_the_best_is_marked():
    axes = plots.training_and_validation(np.arange(-100.0, 0), HISTORY).axes[0]
    training, validation, best = axes.lines
    for line in (training, validation):
        np.testing.assert_array_equal(line.get_xdata(), [20, 40, 60, 80, 100])
    np.testing.assert_allclose(training.get_ydata(), [-90.5, -70.5, -50.5, -30.5, -10.5])
    np.testing.assert_allclose(validation.get_ydata(), [v.elbo for v in HISTORY])
    assert best.get_xdata()[0] == 60


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: plots.samples(np.zeros((3, 785))), "images must have shape"),
        (lambda: plots.samples(np.zeros((3, 28, 27))), "images must have shape"),
        (lambda: plots.samples(np.zeros((0, 784))), "images must have shape"),
        (lambda: plots.reconstructions(IMAGES, IMAGES[:3]), "as many originals"),
        (lambda: plots.elbo_curve([]), "costs must be a non-empty array"),
        (lambda: plots.training_and_validation([1.0], HISTORY), "rising steps of the 1 in costs"),
        (lambda: plots.training_and_validation([1.0], []), "rising steps of the 1 in costs"),
        (lambda: plots.latent_scatter(np.zeros((3, 1))), "two coordinates"),
        (lambda: plots.latent_scatter(np.zeros((3, 2)), [1]), r"labels must have shape \(3,\)"),
        (lambda: plots.decoded_plane(IMAGES, (0, 1, 0, 1)), "images_grid must have shape"),
        (lambda: plots.energies([], {}), "inliers must be a non-empty array"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, sentence):
    with pytest.raises(ValueError, match=sentence):
        draw()
