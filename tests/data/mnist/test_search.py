"""Which data `get_mnist` uses, what it says about it, and what it makes of it."""

import tracemalloc
import warnings

import numpy as np
import pytest
from support.mnist_files import digits, nowhere, write_csv, write_idx, write_npz  # noqa: F401

from vae_tf1.data import mnist
from vae_tf1.data.mnist import DataError, DataWarning, builtin_digits, get_mnist, load_mnist, places
from vae_tf1.data.mnist.bounded import open_regular, read_array
from vae_tf1.data.mnist.builtin import StandIn
from vae_tf1.data.mnist.format import Content, Format, numbers
from vae_tf1.data.mnist.loader import Loader

pytestmark = pytest.mark.usefixtures("nowhere")


def use_stand_in(monkeypatch, **sizes):
    """Give the public functions that many built-in digits."""
    monkeypatch.setattr(mnist.loader, "_LOADER", Loader(stand_in=StandIn(sizes)))


# ---- the arrays


def test_grey_values_are_k_over_255_and_rows_keep_their_labels(tmp_path):
    images, labels = write_idx(tmp_path)["train"]
    X, Y = get_mnist(path=tmp_path, quiet=True)
    assert (X.shape, X.dtype) == ((30, 784), np.float32)
    assert (Y.shape, Y.dtype) == ((30,), np.int64)
    expected = {}
    for image, label in zip(images, labels, strict=True):
        expected[(image.astype(np.float32) / np.float32(255)).tobytes()] = label
    assert [expected.pop(x.tobytes()) for x in X] == Y.tolist()
    assert not expected
    assert X.min() == 0
    assert X.max() <= 1


def test_more_images_than_one_block_of_the_conversion(monkeypatch):
    images, _ = builtin_digits(9000)
    expected = images[np.random.default_rng(4).permutation(9000)] / np.float32(255)
    use_stand_in(monkeypatch, train=9000)
    X, _ = get_mnist(path="builtin", seed=4, quiet=True)
    np.testing.assert_array_equal(X, expected)


def test_shuffled_and_reproducible_with_a_seed(tmp_path):
    labels = write_idx(tmp_path, n=200)["train"][1]
    orders = [get_mnist(path=tmp_path, seed=seed, quiet=True)[1].tolist() for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != labels.tolist()
    assert sorted(orders[0]) == sorted(labels.tolist())
    unseeded = [get_mnist(path=tmp_path, quiet=True)[1].tolist() for _ in range(2)]
    assert unseeded[0] != unseeded[1]


def test_the_global_generator_is_neither_used_nor_changed(tmp_path):
    write_idx(tmp_path)
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    get_mnist(path=tmp_path, seed=1, quiet=True)
    get_mnist(path=tmp_path, quiet=True)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_limit_keeps_the_first_of_the_shuffled_images(tmp_path):
    write_idx(tmp_path)
    X, Y = get_mnist(path=tmp_path, seed=3, quiet=True)
    X10, Y10 = get_mnist(10, tmp_path, seed=3, quiet=True)
    np.testing.assert_array_equal(X10, X[:10])
    np.testing.assert_array_equal(Y10, Y[:10])
    assert len(get_mnist(limit=1000, path=tmp_path, quiet=True)[0]) == 30
    assert len(get_mnist(np.int64(7), tmp_path, quiet=True)[0]) == 7


def test_splits_do_not_overlap(tmp_path):
    write_csv(tmp_path / "csv" / "train.csv", n=30)
    write_idx(tmp_path / "idx")
    write_npz(tmp_path / "npz" / "mnist.npz")
    for path in (tmp_path / "csv", tmp_path / "idx", tmp_path / "npz", "builtin"):
        train, test, both = (
            {image.tobytes() for image in load_mnist(path, split, quiet=True).images}
            for split in ("train", "test", "all")
        )
        assert train
        assert test
        assert not train & test
        assert train | test == both


def test_the_original_call_gets_every_row_of_kaggles_file(nowhere):  # noqa: F811
    write_csv(nowhere / "course" / "large_files" / "train.csv", n=42)
    X, Y = get_mnist(quiet=True)
    assert len(X) == len(Y) == 42


def test_memory_stays_below_twice_the_data(monkeypatch):
    use_stand_in(monkeypatch, train=20_000)
    get_mnist(path="builtin", quiet=True)  # draws and caches them
    tracemalloc.start()
    X, _ = get_mnist(path="builtin", quiet=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * X.nbytes


# ---- the order of the search

# From the last place to the first; each holds other images, so that one knows which was read.
USUAL = [
    (".keras/datasets/mnist.npz", write_npz),
    (".cache/vae_tf1", write_idx),
    ("course/script", write_idx),
    ("course/large_files", write_idx),
]


def test_usual_places_in_order(nowhere):  # noqa: F811
    for size, (place, write) in enumerate(USUAL, start=20):
        write(nowhere / place, n=size)
        mnist = load_mnist(quiet=True)
        assert len(mnist.images) == size
        assert mnist.source.path == nowhere / place
    write_idx(nowhere / "preferred", n=25)
    assert len(load_mnist(prefer=nowhere / "preferred", quiet=True).images) == 25
    assert len(load_mnist(prefer=nowhere / "nothing", quiet=True).images) == 23


def test_formats_of_one_folder_in_order(nowhere):  # noqa: F811
    folder = nowhere / "course" / "large_files"
    write_csv(folder / "train.csv", n=24)
    assert load_mnist(quiet=True).source.kind == "csv"
    write_npz(folder / "mnist.npz")
    assert load_mnist(quiet=True).source.kind == "npz"
    write_idx(folder)
    assert load_mnist(quiet=True).source.kind == "idx"


def test_keras_home(nowhere, monkeypatch):  # noqa: F811
    monkeypatch.setenv("KERAS_HOME", str(nowhere / "elsewhere"))
    write_npz(nowhere / "elsewhere" / "datasets" / "mnist.npz")
    assert load_mnist(quiet=True).source.path == nowhere / "elsewhere/datasets/mnist.npz"


def test_variable_comes_before_the_usual_places_and_path_before_both(nowhere, monkeypatch):  # noqa: F811
    write_idx(nowhere / "course" / "large_files", n=20)
    write_idx(nowhere / "variable", n=21)
    write_idx(nowhere / "path", n=22)
    monkeypatch.setenv("VAE_TF1_DATA", str(nowhere / "variable"))
    assert len(load_mnist(quiet=True).images) == 21
    assert len(load_mnist(nowhere / "path", quiet=True).images) == 22
    monkeypatch.setenv("VAE_TF1_DATA", "~/path")
    assert len(load_mnist(quiet=True).images) == 22
    monkeypatch.setenv("VAE_TF1_DATA", "builtin")
    assert load_mnist(quiet=True).source.is_builtin
    monkeypatch.setenv("VAE_TF1_DATA", "")
    assert len(load_mnist(quiet=True).images) == 20


def test_what_the_user_names_is_never_replaced(nowhere, monkeypatch):  # noqa: F811
    write_idx(nowhere / "course" / "large_files")
    with pytest.raises(DataError, match="nothing: no such file or folder"):
        get_mnist(path=nowhere / "nothing")
    monkeypatch.setenv("VAE_TF1_DATA", str(nowhere / "gone"))
    with pytest.raises(DataError, match=r"gone: no such file or folder \(VAE_TF1_DATA"):
        get_mnist()
    broken = nowhere / "gone" / "mnist.npz"
    write_npz(broken)
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"mnist\.npz: broken npz archive"):
        get_mnist()


def test_a_broken_file_in_a_usual_place_is_named_and_passed_over(nowhere):  # noqa: F811
    titanic = nowhere / "course" / "script" / "train.csv"
    titanic.write_text("PassengerId,Survived\n1,0\n")
    write_idx(nowhere / ".cache" / "vae_tf1", n=21)
    with pytest.warns(DataWarning, match=r"passed over .*train\.csv: line 1 should name"):
        assert len(load_mnist(quiet=True).images) == 21


def test_training_and_test_images_come_from_the_same_place(nowhere):  # noqa: F811
    """A place with a broken or missing test file serves no training images either."""
    first = nowhere / "course" / "large_files"
    write_idx(first, splits=("train",), n=20)
    write_npz(nowhere / ".keras" / "datasets" / "mnist.npz", n=22)
    for split in ("train", "test"):
        assert len(load_mnist(split=split, quiet=True).images) == 22
    write_idx(first, n=20)
    labels = first / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-1])
    for split in ("train", "test"):
        with pytest.warns(DataWarning, match="t10k-labels"):
            assert len(load_mnist(split=split, quiet=True).images) == 22


def test_a_folder_without_mnist_is_refused_with_the_names_of_all_formats(nowhere, monkeypatch):  # noqa: F811
    monkeypatch.setenv("VAE_TF1_DATA", str(nowhere))
    with pytest.raises(DataError) as caught:
        load_mnist(split="all")
    assert str(caught.value) == (
        f"{nowhere}: no MNIST in this folder; expected are the IDX files (train and t10k, images "
        "and labels, plain or .gz), mnist.npz, train.csv or binarized_mnist_train.amat and "
        "binarized_mnist_valid.amat and binarized_mnist_test.amat (with binarization='fixed') "
        "(VAE_TF1_DATA names it)"
    )


class Raw(Format):
    """A format that a reader of the documentation might add: bytes after a magic word."""

    kind = "raw"

    @staticmethod
    def expected(split):
        return "mnist.raw"

    @classmethod
    def find(cls, folder, split):
        return cls(folder / "mnist.raw") if (folder / "mnist.raw").exists() else None

    @classmethod
    def recognises(cls, begin):
        return begin.startswith(b"raw!")

    def _read(self, split):
        with open_regular(self.path) as file:
            file.seek(4)
            images = read_array(file, 1 << 20).reshape(-1, 784)
        half = slice(3) if split == "train" else slice(3, None)
        labels = images[half, 0] % 10
        return Content(images[half], labels, numbers(split, len(labels)))


def test_a_new_format_is_one_class(nowhere, monkeypatch):  # noqa: F811
    monkeypatch.setattr(places, "FORMATS", (*places.FORMATS, Raw))
    images, _ = digits(5)
    path = nowhere / "course" / "large_files" / "mnist.raw"
    path.parent.mkdir()
    path.write_bytes(b"raw!" + images.tobytes())
    for where in (None, path, path.parent):
        mnist = load_mnist(where, "test", quiet=True)
        np.testing.assert_array_equal(mnist.images, images[3:])
        assert (mnist.source.kind, mnist.source.path) == ("raw", path)
    with pytest.raises(DataError, match=r"or mnist\.raw"):
        load_mnist(nowhere)


# ---- nothing found


def test_the_built_in_digits_serve_if_nothing_is_found(nowhere, capfd):  # noqa: F811
    mnist = load_mnist()
    images, labels = builtin_digits(60)
    np.testing.assert_array_equal(mnist.images, images)
    np.testing.assert_array_equal(mnist.labels, labels)
    assert mnist.source.is_builtin
    assert len(load_mnist(split="test").images) == 10
    out, err = capfd.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0] == (
        "data: No MNIST found, so using the built-in digits, 60 training images drawn from fonts "
        "as a stand-in for MNIST"
    )


def test_the_built_in_digits_are_drawn_once(nowhere, monkeypatch):  # noqa: F811
    drawn = []
    monkeypatch.setattr(
        mnist.builtin,
        "builtin_digits",
        lambda *args, **kw: drawn.append(1) or builtin_digits(*args, **kw),
    )
    first = load_mnist(quiet=True)
    again = load_mnist(quiet=True)
    np.testing.assert_array_equal(first.images, again.images)
    assert len(drawn) == 1
    (cached,) = (nowhere / ".cache" / "vae_tf1").iterdir()

    # A damaged copy is noticed and replaced, whichever byte of the images it is that differs.
    data = bytearray(cached.read_bytes())
    data[5000] ^= 1
    cached.write_bytes(data)
    np.testing.assert_array_equal(load_mnist(quiet=True).images, first.images)
    assert len(drawn) == 2
    np.testing.assert_array_equal(load_mnist(quiet=True).images, first.images)
    assert len(drawn) == 2


def test_a_cache_that_cannot_be_written_only_costs_time(nowhere):  # noqa: F811
    (nowhere / ".cache").write_text("a file where the cache folder should be")
    assert len(load_mnist(quiet=True).images) == 60


def test_no_home_at_all(nowhere, monkeypatch):  # noqa: F811
    monkeypatch.delenv("XDG_CACHE_HOME")
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, "")
    assert load_mnist(quiet=True).source.is_builtin
    assert not list((nowhere / "course" / "script").iterdir())


def test_nothing_is_written_outside_the_cache_folder(nowhere):  # noqa: F811
    before = set(nowhere.rglob("*"))
    get_mnist(quiet=True)
    new = {path.relative_to(nowhere).as_posix() for path in set(nowhere.rglob("*")) - before}
    assert {name for name in new if not name.startswith(".cache/matplotlib")} == {
        ".cache",
        ".cache/vae_tf1",
        ".cache/vae_tf1/builtin-digits-1-train.npz",
    }


# ---- what is said


@pytest.mark.parametrize(
    ("write", "name", "split", "line"),
    [
        (write_idx, "", "train", "MNIST, 30 training images from {}"),
        (write_idx, "", None, "MNIST, 30 training images from {}"),
        (write_idx, "", "all", "MNIST, 60 images from {}"),
        (write_npz, "mnist.npz", "test", "MNIST, 30 test images from {}"),
        (write_csv, "train.csv", None, "MNIST, 30 images: every row of {}"),
        (
            write_csv,
            "train.csv",
            "train",
            "MNIST, 25 images: all but the last sixth of the rows of {}",
        ),
        (write_csv, "train.csv", "test", "MNIST, 5 images: the last sixth of the rows of {}"),
    ],
)
def test_one_line_says_which_data_is_in_use(tmp_path, capfd, write, name, split, line):
    path = tmp_path / "data" / name
    write(path)
    get_mnist(path=path, split=split)
    out, err = capfd.readouterr()
    assert out == ""
    assert err == f"data: {line.format(path)}\n"
    get_mnist(path=path, split=split, quiet=True)
    assert capfd.readouterr() == ("", "")


# ---- what is refused at the door


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"limit": 0}, ValueError, "limit must be at least 1, not 0"),
        ({"limit": -5}, ValueError, "limit must be at least 1, not -5"),
        ({"limit": 10.0}, TypeError, "limit must be an integer, not 10.0"),
        ({"limit": "10"}, TypeError, "limit must be an integer, not '10'"),
        ({"limit": True}, TypeError, "limit must be an integer, not True"),
        ({"seed": -1}, ValueError, "seed must be at least 0, not -1"),
        ({"seed": 1.5}, TypeError, "seed must be an integer, not 1.5"),
        ({"split": "validation"}, ValueError, "split must be one of None, 'train', 'test', 'all'"),
        ({"split": ["train"]}, ValueError, "split must be one of None, 'train', 'test', 'all'"),
        ({"path": 3}, TypeError, "path must be the path of a file or folder, not 3"),
        ({"path": ""}, TypeError, "path must be the path of a file or folder, not ''"),
        ({"path": b"x"}, TypeError, "path must be the path of a file or folder, not b'x'"),
        ({"path": "a\0b"}, DataError, "no such file or folder"),
    ],
)
def test_refused(arguments, error, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=message.replace(".", r"\.")):
            get_mnist(**arguments)
