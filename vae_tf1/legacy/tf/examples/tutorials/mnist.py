"""MNIST's reader, on this project's own loader and what it falls back on."""

from __future__ import annotations

import gzip
from collections import namedtuple
from importlib import import_module
from types import ModuleType
from typing import BinaryIO

import numpy as np

from vae_tf1.legacy.machinery.lazy import Alias

__all__ = ["DataSet", "Datasets", "dense_to_one_hot", "names", "read_data_sets", "title"]

title = "MNIST's reader, on this project's own loader and what it falls back on"

Datasets = namedtuple("Datasets", ["train", "validation", "test"])
Dataset = namedtuple("Dataset", ["data", "target"])


def names() -> dict[str, object]:
    """Return the reader under each of its addresses in TF1."""
    reader = {
        "DataSet": DataSet,
        "dense_to_one_hot": dense_to_one_hot,
        "extract_images": extract_images,
        "extract_labels": extract_labels,
        "load_mnist": load_mnist,
        "read_data_sets": read_data_sets,
    }
    learn = "contrib.learn.datasets"
    return {
        **{f"{learn}.mnist.{name}": value for name, value in reader.items()},
        f"{learn}.base.Dataset": Dataset,
        f"{learn}.base.Datasets": Datasets,
        f"{learn}.load_dataset": load_dataset,
        "contrib.learn.python.learn.datasets": Alias(learn),
        "keras.datasets.mnist.load_data": load_data,
        "examples.tutorials.mnist.input_data": Alias(f"{learn}.mnist"),
    }


class DataSet:
    """Images and labels that are handed out batch by batch, epoch after epoch.

    Parameters
    ----------
    images : (N, rows, columns, depth) uint8 array
    labels : (N,) or (N, classes) array
    fake_data : bool
        Hand out batches of ones in place of images; `images` and `labels` are not looked at.
    one_hot : bool
        Whether the fake labels are one-hot.
    dtype : DType or what `tf.as_dtype` takes
        ``uint8`` to leave pixels in 0…255, ``float32`` to scale them to 0…1.
    reshape : bool
        Whether to flatten each image; the depth must be one.
    seed : int, optional
        Seeds NumPy's global generator, from which the order of the images comes, as a graph's
        seed does too. Where there is neither, the state of the generator is left as it is.

    Raises
    ------
    TypeError
        `dtype` is neither uint8 nor float32.
    ValueError
        Images and labels do not match, or have shapes other than those above.
    """

    def __init__(
        self, images, labels, fake_data=False, one_hot=False, dtype="float32", reshape=True,
        seed=None,
    ):  # fmt: skip
        _seed_numpy(seed)
        dtype = _pixel_type(dtype)
        self.one_hot = one_hot
        self._num_examples = 10000 if fake_data else _check_pairs(images, labels)
        if not fake_data:
            if reshape:
                images = _flatten(images)
            if dtype == np.float32:
                images = images.astype(np.float32) * np.float32(1.0 / 255.0)
        self._images = images
        self._labels = labels
        self._epochs_completed = 0
        self._index_in_epoch = 0

    @property
    def images(self) -> np.ndarray:
        """The images, in the order of the present epoch."""
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """The labels, in the order of the present epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """The number of images."""
        return self._num_examples

    @property
    def epochs_completed(self) -> int:
        """How many times all images have been handed out."""
        return self._epochs_completed

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True):
        """Return the next images and labels; a batch may reach over into the next epoch.

        Parameters
        ----------
        batch_size : int
        fake_data : bool
            Return lists of ones, whatever the images.
        shuffle : bool
            Put the images in a new order at the start of each epoch.

        Returns
        -------
        images, labels : arrays of `batch_size` rows
        """
        if fake_data:
            label = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * 784] * batch_size, [label] * batch_size
        start = self._index_in_epoch
        if shuffle and start == 0 and self._epochs_completed == 0:
            self._shuffle()
        end = start + batch_size
        if end <= self._num_examples:
            self._index_in_epoch = end
            return self._images[start:end], self._labels[start:end]
        images, labels = self._images[start:], self._labels[start:]
        self._epochs_completed += 1
        if shuffle:
            self._shuffle()
        self._index_in_epoch = end - self._num_examples
        return (
            np.concatenate([images, self._images[: self._index_in_epoch]]),
            np.concatenate([labels, self._labels[: self._index_in_epoch]]),
        )

    def _shuffle(self) -> None:
        order = np.arange(self._num_examples)
        np.random.shuffle(order)  # noqa: NPY002 - scripts seed this very generator
        self._images, self._labels = self._images[order], self._labels[order]


def read_data_sets(
    train_dir, fake_data=False, one_hot=False, dtype="float32", reshape=True,
    validation_size=5000, seed=None, source_url=None,
):  # fmt: skip
    """Return MNIST's training, validation and test images.

    The files are looked for in `train_dir` first and then wherever `util.load_mnist` does; the
    built-in digits stand in where there are none. Nothing is written into `train_dir`.

    Parameters
    ----------
    train_dir : str
        Folder that may hold the files.
    fake_data, one_hot, dtype, reshape, seed
        As for `DataSet`; `one_hot` holds for the real labels as well.
    validation_size : int
        How many of the first training images to set apart for validation.
    source_url : str, optional
        Not looked at: the loader knows its own, checked sources.

    Returns
    -------
    Datasets
        Named tuple of `DataSet`: ``train``, ``validation``, ``test``.

    Raises
    ------
    ValueError
        `validation_size` is negative or larger than the number of training images.
    """
    options = {"dtype": dtype, "reshape": reshape, "seed": seed}
    if fake_data:
        fake = [DataSet([], [], fake_data=True, one_hot=one_hot, **options) for _ in range(3)]
        return Datasets(*fake)
    load = _loader().load_mnist
    train = load(split="train", prefer=train_dir or None)
    test = load(split="test", prefer=train_dir or None, quiet=True)
    if not 0 <= validation_size <= len(train.images):
        raise ValueError(
            f"Validation size should be between 0 and {len(train.images)}. "
            f"Received: {validation_size}."
        )

    def part(images: np.ndarray, labels: np.ndarray) -> DataSet:
        if one_hot:
            labels = dense_to_one_hot(labels, 10)
        return DataSet(images.reshape(-1, 28, 28, 1), labels, **options)

    return Datasets(
        train=part(train.images[validation_size:], train.labels[validation_size:]),
        validation=part(train.images[:validation_size], train.labels[:validation_size]),
        test=part(test.images, test.labels),
    )


def load_data(path="mnist.npz"):
    """Return MNIST as Keras does; `path`, a name in Keras's cache, is not looked at.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images (N, 28, 28) and labels (N,), all of them uint8.
    """
    load = _loader().load_mnist
    train, test = load(split="train"), load(split="test", quiet=True)
    return (
        (train.images.reshape(-1, 28, 28), train.labels),
        (test.images.reshape(-1, 28, 28), test.labels),
    )


def load_mnist(train_dir="MNIST-data"):
    """Return what `read_data_sets` does by default."""
    return read_data_sets(train_dir)


def load_dataset(name, size="small", test_with_fake_data=False):
    """Return a data set by name; MNIST is the one there is."""
    if name != "mnist":
        raise ValueError(f"Name of dataset is not found: {name} (only 'mnist' is provided)")
    return load_mnist()


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Return a row per label, one at the label's place and zero elsewhere."""
    return np.eye(num_classes)[np.ravel(labels_dense)]


def extract_images(f: BinaryIO) -> np.ndarray:
    """Return the images of an open, gzipped IDX file as (N, rows, columns, 1) uint8."""
    with gzip.GzipFile(fileobj=f) as stream:
        count, rows, columns = _header(stream, 2051, 3, "image", f)
        data = stream.read(count * rows * columns)
    return np.frombuffer(data, np.uint8).reshape(count, rows, columns, 1)


def extract_labels(f: BinaryIO, one_hot: bool = False, num_classes: int = 10) -> np.ndarray:
    """Return the labels of an open, gzipped IDX file as (N,) uint8, or one-hot."""
    with gzip.GzipFile(fileobj=f) as stream:
        (count,) = _header(stream, 2049, 1, "label", f)
        labels = np.frombuffer(stream.read(count), np.uint8)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def _header(stream, magic: int, sizes: int, kind: str, f: BinaryIO) -> list[int]:
    found, *numbers = np.frombuffer(stream.read(4 + 4 * sizes), ">u4").tolist()
    if found != magic:
        name = getattr(f, "name", f)
        raise ValueError(f"Invalid magic number {found} in MNIST {kind} file: {name}")
    return numbers


def _seed_numpy(seed: int | None) -> None:
    from tensorflow.compat.v1 import get_seed

    of_graph, of_op = get_seed(seed)
    chosen = of_graph if seed is None else of_op
    if chosen is not None:
        np.random.seed(chosen)  # noqa: NPY002 - the order of the images comes from here


def _pixel_type(dtype) -> np.dtype:
    from tensorflow.compat.v1 import as_dtype

    found = np.dtype(as_dtype(dtype).base_dtype.as_numpy_dtype)
    if found not in (np.uint8, np.float32):
        raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
    return found


def _check_pairs(images: np.ndarray, labels: np.ndarray) -> int:
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images do not go with {len(labels)} labels")
    return len(images)


def _flatten(images: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or images.shape[3] != 1:
        raise ValueError(f"images: shape (N, rows, columns, 1) is wanted, got {images.shape}")
    return images.reshape(len(images), -1)


def _loader() -> ModuleType:
    """Return this project's loader; it takes a moment to import."""
    return import_module("vae_tf1.data.mnist")
