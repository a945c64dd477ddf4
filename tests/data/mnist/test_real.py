"""The real MNIST; ``VAE_TF1_TEST_MNIST`` names a folder with its four files."""

import hashlib

import numpy as np
import pytest
from support.mnist_files import idx_images, idx_labels

from vae_tf1.data.mnist import get_mnist, load_mnist

# MD5 of the uncompressed images and labels, and how often each digit comes: as widely published.
PUBLISHED = {
    "train": (
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    ),
    "test": (
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
}


@pytest.mark.parametrize("split", PUBLISHED)
def test_read_in_file_order_to_the_last_byte(mnist_dir, split):
    images_md5, labels_md5, counts = PUBLISHED[split]
    images, labels, source = load_mnist(mnist_dir, split, quiet=True)
    assert not source.is_builtin
    assert len(images) == len(labels) == sum(counts)
    assert np.bincount(labels).tolist() == counts
    assert hashlib.md5(idx_images(images)).hexdigest() == images_md5
    assert hashlib.md5(idx_labels(labels)).hexdigest() == labels_md5


def test_as_the_original_script_gets_it(mnist_dir):
    X, Y = get_mnist(path=mnist_dir, seed=0, quiet=True)
    assert X.shape == (60_000, 784)
    assert X.mean(dtype=np.float64) == pytest.approx(0.1306604762738429, abs=1e-7)
    assert X.std(dtype=np.float64) == pytest.approx(0.3081078, abs=1e-6)
    assert (X.min(), X.max()) == (0, 1)
    assert np.bincount(Y).tolist() == PUBLISHED["train"][2]
