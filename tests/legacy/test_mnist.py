"""`read_data_sets` hands out what TensorFlow 1's own does.

`golden/mnist_reader.npz` holds what TensorFlow 1.15.5 and 1.4.1 (which agree) handed out of 25
training and 8 test images whose pixels and labels are drawn by `RandomState(1)` and `(2)`, the
first pixel of each image being its number: identities of the images batch by batch, shuffled by a
seed, in order, and both in turn; and the values and types of images and labels.
"""

import gzip
import struct
import sys
import types

import numpy as np
import pytest
from support.mnist_files import write_idx

from vae_tf1.data import mnist as loader
from vae_tf1.legacy import families, tensorflow1
from vae_tf1.legacy.machinery.overlay import walk
from vae_tf1.legacy.tf.examples.tutorials import mnist


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "mnist_reader.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The very files that the golden values were read from."""
    place = tmp_path_factory.mktemp("mnist")
    for name, n, seed in (("train", 25, 1), ("t10k", 8, 2)):
        random = np.random.RandomState(seed)
        images = random.randint(0, 256, (n, 28, 28)).astype(np.uint8)
        images[:, 0, 0] = np.arange(n)
        labels = random.randint(0, 10, n).astype(np.uint8)
        with gzip.open(place / f"{name}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">4I", 2051, n, 28, 28) + images.tobytes())
        with gzip.open(place / f"{name}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">2I", 2049, n) + labels.tobytes())
    return place


@pytest.fixture(autouse=True)
def own_random_state():
    """Leave NumPy's global generator as it was found."""
    state = np.random.get_state()  # noqa: NPY002
    yield
    np.random.set_state(state)  # noqa: NPY002


def seeded(seed):
    np.random.seed(seed)  # noqa: NPY002


def read(folder, **options):
    return mnist.read_data_sets(str(folder), **{"validation_size": 5} | options)


def ids(images):
    return np.rint(np.asarray(images).reshape(len(images), -1)[:, 0] * 255).astype(int)


def test_batches_of_a_seed_come_in_the_same_order_and_wrap_around_alike(folder, golden):
    data = read(folder, seed=11)
    epochs = []
    for expected in golden["shuffled_seed11"]:
        images, labels = data.train.next_batch(7)
        np.testing.assert_array_equal(ids(images), expected)
        assert labels.shape == (7,)
        epochs.append(data.train.epochs_completed)
    np.testing.assert_array_equal(epochs, golden["epochs_of_7"])


def test_order_is_kept_on_request_also_from_one_batch_to_the_next(folder, golden):
    data = read(folder, seed=11)
    seeded(5)
    for expected in golden["kept"]:
        np.testing.assert_array_equal(ids(data.train.next_batch(6, shuffle=False)[0]), expected)
    for i, expected in enumerate(golden["mixed"]):
        images, _ = data.validation.next_batch(3, shuffle=i % 2 == 1)
        np.testing.assert_array_equal(ids(images), expected)
    for expected in golden["whole"]:
        np.testing.assert_array_equal(ids(data.test.next_batch(8)[0]), expected)


def test_labels_stay_with_their_images(folder):
    data = read(folder, seed=3)
    label_of = dict(zip(ids(data.train.images), data.train.labels, strict=True))
    for _ in range(12):
        images, labels = data.train.next_batch(7)
        assert [label_of[i] for i in ids(images)] == labels.tolist()


def test_values_types_and_counts(folder, golden):
    data = read(folder, one_hot=True)
    np.testing.assert_array_equal(data.train.images[:2], golden["images"])
    assert data.train.images.dtype == str(golden["images_dtype"])
    np.testing.assert_array_equal(data.train.labels[:3], golden["onehot"])
    assert data.train.labels.dtype == str(golden["onehot_dtype"])
    counts = [part.num_examples for part in data]
    np.testing.assert_array_equal(counts, golden["counts"])
    assert data._fields == ("train", "validation", "test")


def test_raw_images_in_the_order_of_the_graphs_seed(folder, golden):
    with tensorflow1() as tf:
        tf.set_random_seed(4)
        data = read(folder, reshape=False, dtype=tf.uint8)
    assert data.train.images.shape == tuple(golden["raw_shape"])
    assert data.train.images.dtype == str(golden["raw_dtype"])
    for expected in golden["graph_seed"]:
        np.testing.assert_array_equal(data.train.next_batch(7)[0][:, 0, 0, 0], expected)


def test_without_any_seed_the_scripts_own_numpy_seed_counts(folder):
    orders = []
    for _ in range(2):
        seeded(8)
        with tensorflow1():
            orders.append(ids(read(folder).train.next_batch(20)[0]).tolist())
    assert orders[0] == orders[1] != sorted(orders[0])


def test_fake_data(folder, golden):
    data = read("nowhere", fake_data=True, one_hot=True)
    images, labels = data.train.next_batch(2, fake_data=True)
    assert np.shape(images) == tuple(golden["fake_images"])
    np.testing.assert_array_equal(labels, golden["fake_labels"])
    assert data.train.num_examples == golden["fake_n"]


def test_the_named_folder_comes_first_and_stays_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAE_TF1_OFFLINE", "1")
    content = write_idx(tmp_path / "MNIST_data", zipped=False, n=30)
    before = sorted((tmp_path / "MNIST_data").iterdir())
    data = read(tmp_path / "MNIST_data")
    images, labels = content["train"]
    np.testing.assert_array_equal(np.rint(data.train.images * 255), images[5:])
    np.testing.assert_array_equal(data.validation.labels, labels[:5])
    assert sorted((tmp_path / "MNIST_data").iterdir()) == before
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert "MNIST_data" in shown.err


def test_without_files_the_built_in_digits_stand_in(tmp_path, monkeypatch):
    """The loader's own choice, asked for the split that TensorFlow 1 makes of it."""
    asked = []

    def load(split, prefer, quiet=False):
        asked.append((split, prefer))
        images, labels = loader.builtin_digits(60, split=split)
        return loader.Mnist(images, labels, None)

    monkeypatch.setattr(mnist, "_loader", lambda: types.SimpleNamespace(load_mnist=load))
    data = mnist.read_data_sets("MNIST_data/", validation_size=20)
    assert [split for split, _ in asked] == ["train", "test"]
    assert {prefer for _, prefer in asked} == {"MNIST_data/"}
    assert [part.num_examples for part in data] == [40, 20, 60]
    assert not (tmp_path / "MNIST_data").exists()


def test_a_util_of_the_scripts_own_does_not_get_in_the_way(monkeypatch):
    theirs = types.ModuleType("util")
    monkeypatch.setitem(sys.modules, "util", theirs)
    found = mnist._loader()
    assert found.load_mnist is loader.load_mnist
    assert sys.modules["util"] is theirs


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"validation_size": 26}, ValueError, "between 0 and 25"),
        ({"validation_size": -1}, ValueError, "between 0 and 25"),
        ({"dtype": "int32"}, TypeError, "uint8 or float32"),
    ],
)
def test_what_is_refused(folder, options, error, says):
    with pytest.raises(error, match=says):
        read(folder, **options)


@pytest.mark.parametrize(
    ("images", "says"), [((3, 28, 28, 1), "2 labels"), ((2, 28, 28), r"\(2, 28, 28\)")]
)
def test_a_data_set_of_ones_own_is_checked(images, says):
    with pytest.raises(ValueError, match=says):
        mnist.DataSet(np.zeros(images), np.zeros(2))


def test_the_files_readers(folder):
    with (folder / "t10k-images-idx3-ubyte.gz").open("rb") as file:
        images = mnist.extract_images(file)
    assert (images.shape, images.dtype) == ((8, 28, 28, 1), np.uint8)
    np.testing.assert_array_equal(images[:, 0, 0, 0], np.arange(8))
    with (folder / "t10k-labels-idx1-ubyte.gz").open("rb") as file:
        assert mnist.extract_labels(file, one_hot=True).sum() == 8
    with (
        (folder / "t10k-labels-idx1-ubyte.gz").open("rb") as file,
        pytest.raises(ValueError, match="2049 in MNIST image file"),
    ):
        mnist.extract_images(file)


@pytest.mark.parametrize(
    "address",
    [
        "examples.tutorials.mnist.input_data.read_data_sets",
        "contrib.learn.datasets.mnist.read_data_sets",
        "contrib.learn.python.learn.datasets.mnist.read_data_sets",
    ],
)
def test_its_addresses(address):
    assert walk(families.tensorflow(), address) is mnist.read_data_sets


def test_kerass_way(folder, monkeypatch):
    monkeypatch.setenv("VAE_TF1_DATA", str(folder))
    with tensorflow1() as tf:
        (x_train, y_train), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
    assert (x_train.shape, x_test.shape) == ((25, 28, 28), (8, 28, 28))
    assert (y_train.shape, y_test.shape) == ((25,), (8,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    np.testing.assert_array_equal(x_train[:, 0, 0], np.arange(25))


def test_load_dataset_knows_mnist_alone():
    with pytest.raises(ValueError, match="iris"):
        walk(families.tensorflow(), "contrib.learn.datasets.load_dataset")("iris")
