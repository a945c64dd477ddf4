"""Grey images become binary by one of the protocols, and a fixed draw is fixed by its key alone."""

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_tf1.data.binarization import PROTOCOLS, binarize, check_protocol

GREYS = np.arange(256, dtype=np.uint8)


def noise(n=50, width=784, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, width)).astype(np.uint8)


def test_the_threshold_is_the_originals():
    binary = binarize(GREYS[None], "threshold")
    np.testing.assert_array_equal(binary[0], GREYS.astype(np.float32) / 255 > 0.5)
    assert binary.dtype == np.uint8
    halves = np.array([[0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0, 1]], np.float32)
    assert binarize(halves, "threshold").tolist() == [[0, 1, 0, 1]]


def test_a_fixed_pixel_is_one_with_a_probability_equal_to_its_grey_value():
    n = 20_000
    binary = binarize(np.tile(GREYS, (n, 1)), "fixed")
    p = GREYS / 255
    # Five standard deviations of a binomial frequency.
    assert (np.abs(binary.mean(axis=0) - p) <= 5 * np.sqrt(p * (1 - p) / n)).all()
    assert set(np.unique(binary)) == {0, 1}


def test_the_draws_of_two_pixels_or_two_images_are_independent():
    n = 1500
    binary = binarize(np.full((n, n), 128, np.uint8), "fixed").astype(float)
    for table in (binary, binary.T):  # correlations of 50 rows, of 50 columns
        others = np.corrcoef(table[:50])[~np.eye(50, dtype=bool)]
        assert np.abs(others).max() < 6 / np.sqrt(n)


def test_each_row_is_a_stretch_of_one_philox_stream_of_its_own():
    """A second implementation: one generator from the start, row after row."""
    images = noise(40, width=10)
    key = np.random.SeedSequence((3, 0x62696E61)).generate_state(2, np.uint64)
    uniforms = np.random.Generator(np.random.Philox(key=key)).random((40, 12))[:, :10]
    np.testing.assert_array_equal(
        binarize(images, "fixed", seed=3), uniforms < images.astype(np.float32) / np.float32(255)
    )


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 2**33), min_size=1, max_size=20, unique=True))
def test_a_row_depends_on_its_number_alone(rows):
    images = noise(len(rows), width=30)
    together = binarize(images, "fixed", 5, np.array(rows))
    for image, row, binary in zip(images, rows, together, strict=True):
        alone = binarize(image[None], "fixed", 5, np.array([row]))
        np.testing.assert_array_equal(alone[0], binary)


def test_neither_order_nor_number_of_images_changes_a_draw():
    images = noise(3000)  # more than one block
    whole = binarize(images, "fixed")
    order = np.random.default_rng(1).permutation(3000)
    np.testing.assert_array_equal(binarize(images[order], "fixed", 0, order), whole[order])
    np.testing.assert_array_equal(binarize(images[:7], "fixed"), whole[:7])


def test_bytes_and_floats_of_the_same_image_become_the_same_bits():
    images = noise(500)
    for protocol in ("threshold", "fixed"):
        binary = binarize(images, protocol)
        for dtype in (np.float32, np.float64):
            grey = images.astype(dtype) / dtype(255)
            np.testing.assert_array_equal(binarize(grey, protocol), binary)
        np.testing.assert_array_equal(binarize(binary.astype(bool), protocol), binary)


def test_these_bits_for_ever():
    """What was published with a seed can be drawn again by any later version."""
    images = (np.arange(50 * 784) * 37 % 256).astype(np.uint8).reshape(50, 784)
    digest = hashlib.sha256(binarize(images, "fixed", seed=1).tobytes()).hexdigest()
    assert digest == "163e3c06dc2e627e9f5e2358da40a4a61bd0f17277a8675f2deb710fd0265116"


def test_another_seed_draws_other_bits():
    images = noise()
    different = [
        (binarize(images, "fixed", seed) != binarize(images, "fixed")).mean()
        for seed in (1, 2**64, 10**40)
    ]
    np.testing.assert_allclose(different, 1 / 3, atol=0.02)  # E[2p(1-p)] of a uniform p


def test_the_global_generator_is_neither_used_nor_changed():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    binarize(noise(), "fixed")
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_memory_beyond_the_result_is_bounded():
    images = noise(30_000)
    tracemalloc.start()
    binary = binarize(images, "fixed")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < binary.nbytes + 32e6


def test_no_images_stay_no_images():
    assert binarize(np.empty((0, 784), np.uint8), "fixed").shape == (0, 784)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"protocol": "dynamic"}, ValueError, r"call fit\(X, binarization='dynamic'\)"),
        ({"protocol": "static"}, ValueError, "None or one of 'threshold', 'fixed', not 'static'"),
        ({"protocol": None}, ValueError, "must be 'threshold' or 'fixed', not None"),
        ({"protocol": ["fixed"]}, ValueError, r"not \['fixed'\]"),
        ({"seed": -1}, ValueError, "seed must be at least 0, not -1"),
        ({"seed": 0.5}, TypeError, "seed must be an integer, not 0.5"),
        ({"images": GREYS}, ValueError, r"shape \(N, D\), not \(256,\)"),
        ({"images": [[0, 255]]}, TypeError, "must be uint8, float or bool, not int64"),
        ({"images": [[0.0, 1.5]]}, ValueError, r"in \[0, 1\]; divide 8-bit images by 255"),
        ({"images": [[np.nan]]}, ValueError, r"values in \[0, 1\]"),
        ({"rows": [1]}, ValueError, r"rows must be 2 integers, one an image, not int64 of shape"),
        ({"rows": [0.0, 1.0]}, ValueError, "rows must be 2 integers"),
        ({"rows": [0, -1]}, ValueError, "rows must be at least 0, not -1"),
    ],
)
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        binarize(**{"images": noise(2), "protocol": "fixed"} | arguments)


def test_the_names_of_the_protocols():
    assert PROTOCOLS == ("threshold", "fixed", "dynamic")
    for name in (None, *PROTOCOLS):
        assert check_protocol(name) == name
