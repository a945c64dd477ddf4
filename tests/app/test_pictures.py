"""What is on the main job's pictures."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from vae_tf1 import VariationalAutoencoder
from vae_tf1.app.data import Digits
from vae_tf1.app.pictures import pictures_of, posterior_samples, prior_samples
from vae_tf1.data.mnist import builtin_digits


def image(axes):
    """Return what an image plot shows."""
    return axes.images[0].get_array()


@pytest.fixture(scope="module")
def digits():
    (train, _), (test, labels) = builtin_digits(128), builtin_digits(60, split="test")
    return Digits(train > 127, test > 127, labels, "built-in digits, not MNIST")


@pytest.fixture(scope="module")
def vae(digits):
    with VariationalAutoencoder(784, [12, 2], seed=0) as vae:
        vae.fit(digits.train, epochs=3, progress=False, plot=False)
        yield vae


@pytest.fixture(scope="module")
def figures(vae, digits):
    return {picture.name: picture.draw() for picture in pictures_of(vae, digits)}


def test_the_latent_plane_is_shown_where_there_is_one(digits, figures):
    always = [
        *("training_curve", "overview", "reconstructions"),
        *("prior_samples", "prior_probabilities"),
    ]
    assert list(figures) == [*always, "latent_codes", "latent_plane"]
    with VariationalAutoencoder(784, [12, 3], seed=0) as vae:
        vae.fit(digits.train, epochs=1, progress=False, plot=False)
        assert [picture.name for picture in pictures_of(vae, digits)] == always


def test_every_picture_has_a_title_and_can_be_drawn_into_a_given_figure(vae, digits):
    for picture in pictures_of(vae, digits):
        figure = Figure()
        assert picture.draw(figure=figure) is figure
        assert all(axes.get_title() for axes in figure.axes), picture.name


def test_the_training_curve_has_every_step_and_names_the_data(vae, figures):
    (axes,) = figures["training_curve"].axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), vae.costs)
    assert axes.get_title() == "Training on built-in digits, not MNIST: 6 steps"
    assert "ELBO" in axes.get_ylabel()


def test_reconstructions_stand_below_their_originals(vae, digits, figures):
    pixels = image(figures["reconstructions"].axes[0])
    expected = vae.reconstruct(digits.test[:50])
    for pair, column in ((0, 0), (0, 9), (4, 3)):
        tile = pixels[56 * pair : 56 * (pair + 1), 28 * column : 28 * (column + 1)]
        n = 10 * pair + column
        np.testing.assert_array_equal(tile[:28].reshape(784), digits.test[n])
        np.testing.assert_allclose(tile[28:].reshape(784), expected[n], atol=1e-6)


def test_a_hundred_samples_of_the_prior_and_their_probabilities(figures):
    samples = image(figures["prior_samples"].axes[0])
    probabilities = image(figures["prior_probabilities"].axes[0])
    assert samples.shape == probabilities.shape == (280, 280)
    assert set(np.unique(samples)) == {0, 1}
    # A sample of probability p is 2 p (1 - p) away from it on average; 78,400 draws.
    distance = (2 * probabilities * (1 - probabilities)).mean()
    assert distance > 0.01
    assert np.abs(samples - probabilities).mean() == pytest.approx(distance, abs=0.01)


def test_the_overview_has_both(figures):
    left, right = figures["overview"].axes
    np.testing.assert_array_equal(image(left), image(figures["reconstructions"].axes[0]))
    np.testing.assert_array_equal(image(right), image(figures["prior_probabilities"].axes[0]))


def test_the_codes_of_the_test_images_are_coloured_by_digit(vae, digits, figures):
    (axes,) = figures["latent_codes"].axes
    codes = vae.transform(digits.test)
    by_digit = {int(c.get_label()): np.asarray(c.get_offsets()) for c in axes.collections}
    assert sorted(by_digit) == sorted(set(digits.test_labels.tolist()))
    for digit, points in by_digit.items():
        np.testing.assert_allclose(points, codes[digits.test_labels == digit], rtol=1e-6)


def test_the_plane_is_decoded_from_minus_three_to_three(vae, figures):
    (axes,) = figures["latent_plane"].axes
    pixels = image(axes)
    assert pixels.shape == (20 * 28, 20 * 28)
    low, high = slice(-28, None), slice(28)  # rows go down, z₂ goes up
    left, right = slice(28), slice(-28, None)
    places = [(low, left), (low, right), (high, left), (high, right)]
    decoded = vae.prior_predictive_with_input([(-3, -3), (3, -3), (-3, 3), (3, 3)])
    for place, expected in zip(places, decoded, strict=True):
        np.testing.assert_allclose(pixels[place].reshape(784), expected, atol=1e-6)


def test_an_original_is_shown_beside_a_binary_sample(vae, digits):
    rows = {row.tobytes() for row in digits.train}
    seen = []
    for picture in itertools.islice(posterior_samples(vae, digits), 4):
        left, right = picture.draw().axes
        assert (left.get_title(), right.get_title()) == ("Original", "Sampled")
        original, sample = image(left), image(right)
        assert np.asarray(original, bool).tobytes() in rows
        assert set(np.unique(sample)) <= {0, 1}
        seen.append((original.tobytes(), sample.tobytes()))
    assert len(set(seen)) == 4


def test_a_prior_sample_is_shown_beside_its_probabilities(vae):
    seen = set()
    for picture in itertools.islice(prior_samples(vae), 3):
        left, right = picture.draw().axes
        assert left.get_title() == "Prior predictive sample"
        assert right.get_title() == "Prior predictive probabilities"
        sample, probabilities = image(left), image(right)
        assert set(np.unique(sample)) <= {0, 1}
        # impossible to miss for a sample of other probabilities: the mean of 784 draws
        spread = np.sqrt((probabilities * (1 - probabilities)).sum())
        assert abs(sample.sum() - probabilities.sum()) < 5 * spread
        seen.add(probabilities.tobytes())
    assert len(seen) == 3
