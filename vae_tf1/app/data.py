"""The digits, binarised."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from vae_tf1.app.errors import JobError
from vae_tf1.app.options import Options

if TYPE_CHECKING:
    import numpy as np

    from vae_tf1.data.mnist import Mnist

__all__ = ["Digits", "load"]


class Digits(NamedTuple):
    """Binary images, training and test.

    Attributes
    ----------
    train, test
        bool, shape (N, 784).
    test_labels
        uint8, shape (N,).
    name
        "MNIST", or what stands in for it.
    """

    train: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    name: str


def load(options: Options) -> Digits:
    """Load the digits and binarise them at 0.5, as the original does.

    Which data is in use is said on stderr.

    Raises
    ------
    JobError
        When the data that the user names is missing or broken, or too little for one minibatch.
    """
    train, test = (_load(options.data, split) for split in ("train", "test"))
    images = train.images[: options.limit]
    if len(images) < len(train.images):
        print(f"data: only the first {len(images):,} training images are used", file=sys.stderr)
    if len(images) < options.batch_size:
        raise JobError(
            f"--batch-size {options.batch_size} is more than the {len(images):,} training images"
        )
    return Digits(
        _binarise(images),
        _binarise(test.images),
        test.labels,
        "built-in digits, not MNIST" if test.source.is_builtin else "MNIST",
    )


def _load(path: str | None, split: str) -> Mnist:
    from vae_tf1.data import mnist

    try:
        return mnist.load_mnist(path, split)
    except mnist.DataError as error:
        raise JobError(str(error)) from None


def _binarise(images: np.ndarray) -> np.ndarray:
    return images > 127  # k / 255 > 0.5
