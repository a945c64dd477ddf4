"""The built-in digits: deterministic, in MNIST's conventions, and recognisable."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.work import calls

from vae_tf1.data import mnist
from vae_tf1.data.mnist import builtin_digits

N = 2000


@pytest.fixture(scope="module")
def drawn():
    images, labels = builtin_digits(N)
    return images.reshape(N, 28, 28), labels


def test_shapes_and_types():
    images, labels = builtin_digits(3)
    assert (images.shape, images.dtype) == ((3, 784), np.uint8)
    assert (labels.shape, labels.dtype) == ((3,), np.uint8)


def test_the_same_in_every_process_and_after_any_use_of_the_global_generator():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    here = [hashlib.sha256(part.tobytes()).hexdigest() for part in builtin_digits(700, seed=3)]
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    script = (
        "import hashlib, numpy; from vae_tf1.data import mnist; numpy.random.seed(1)\n"
        "for part in mnist.builtin_digits(700, seed=3):\n"
        "    print(hashlib.sha256(part.tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(mnist.__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.split() == here


def test_a_shorter_draw_is_the_beginning_of_a_longer_one(drawn):
    images, labels = builtin_digits(777)
    np.testing.assert_array_equal(images.reshape(-1, 28, 28), drawn[0][:777])
    np.testing.assert_array_equal(labels, drawn[1][:777])


def test_no_image_comes_twice_nor_in_another_split_or_seed(drawn):
    others = [builtin_digits(N, split="test"), builtin_digits(N, seed=1)]
    everything = [image.tobytes() for image in drawn[0]]
    everything += [image.tobytes() for images, _ in others for image in images]
    assert len(set(everything)) == 3 * N


def test_all_digits_are_about_equally_frequent(drawn):
    counts = np.bincount(drawn[1], minlength=10)
    assert len(counts) == 10
    # Five standard deviations of a binomial count.
    assert np.abs(counts - N / 10).max() < 5 * np.sqrt(N * 0.1 * 0.9)


def test_white_on_black_with_mnists_amount_of_ink(drawn):
    images = drawn[0]
    assert 0.10 < images.mean() / 255 < 0.15  # MNIST: 0.131
    assert images.max(axis=(1, 2)).min() > 200
    assert (np.median(images, axis=(1, 2)) == 0).all()
    # A soft edge, as in MNIST: about a tenth of the pixels is neither black nor white.
    assert 0.05 < ((images > 10) & (images < 245)).mean() < 0.15


def test_centred_by_mass(drawn):
    images = drawn[0].astype(float)
    mass = images.sum(axis=(1, 2))
    for profile in (images.sum(axis=2), images.sum(axis=1)):
        centre = profile @ np.arange(28) / mass
        assert np.abs(centre - 13.5).max() < 0.51  # whole pixels, as in MNIST


def test_in_a_box_of_about_twenty_pixels(drawn):
    ink = drawn[0] > 0
    sizes = []
    for profile in (ink.any(axis=2), ink.any(axis=1)):
        first, last = profile.argmax(axis=1), 27 - profile[:, ::-1].argmax(axis=1)
        sizes.append(last - first + 1)
    larger = np.maximum(*sizes)
    assert abs(np.median(larger) - 20) <= 1
    assert np.percentile(larger, 99) <= 23
    assert np.percentile(larger, 1) >= 16


def test_varied(drawn):
    """Of a digit's energy 35 % or more is the difference from its mean; in MNIST 42 to 54 %."""
    images, labels = drawn
    for digit in range(10):
        same = images[labels == digit].reshape(-1, 784) / 255
        spread = ((same - same.mean(axis=0)) ** 2).sum(axis=1).mean()
        assert spread > 0.35 * (same**2).sum(axis=1).mean()


def test_the_labels_are_right():
    """A nearest-neighbour rule learned from one draw reads another; of MNIST it reads 0.92."""
    (known, names), (unknown, truth) = builtin_digits(3000), builtin_digits(500, split="test")
    known, unknown = known.astype(np.float32), unknown.astype(np.float32)
    squares = (known**2).sum(axis=1) - 2 * unknown @ known.T
    assert (names[squares.argmin(axis=1)] == truth).mean() > 0.9


def test_many_images_are_drawn_by_few_calls():
    """Whole blocks at a time: 60,000 images take 3 s on a quiet core, image by image minutes."""
    builtin_digits(1)  # traces the fonts
    assert calls(lambda: builtin_digits(6000)) < 6000


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n must be at least 1, not 0"),
        ({"n": 2.5}, TypeError, "n must be an integer, not 2.5"),
        ({"n": True}, TypeError, "n must be an integer, not True"),
        ({"n": 1, "seed": -1}, ValueError, "seed must be at least 0, not -1"),
        ({"n": 1, "seed": "x"}, TypeError, "seed must be an integer, not 'x'"),
        ({"n": 1, "split": "all"}, ValueError, "split must be one of 'train', 'test', not 'all'"),
    ],
)
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message.replace(".", r"\.")):
        builtin_digits(**arguments)
