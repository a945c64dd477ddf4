"""`get_mnist(binarization=...)`: which bits come, and what is said and stored about them."""

import numpy as np
import pytest
from support.mnist_files import (
    digits,
    nowhere,  # noqa: F401
    write_amat,
    write_csv,
    write_idx,
    write_npz,
)

from vae_tf1.data.binarization import binarize
from vae_tf1.data.mnist import DataError, get_mnist, load_mnist


def load(path, split="train", **options):
    return load_mnist(path, split, quiet=True, **options)


def test_thresholded_as_the_original_does(tmp_path):
    write_idx(tmp_path)
    X, Y = get_mnist(path=tmp_path, seed=1, quiet=True)
    binary, labels = get_mnist(path=tmp_path, seed=1, quiet=True, binarization="threshold")
    np.testing.assert_array_equal(binary, X > 0.5)
    np.testing.assert_array_equal(labels, Y)
    assert (binary.dtype, labels.dtype) == (np.float32, np.int64)


def test_the_fixed_draw_is_that_of_the_file_whatever_the_order(tmp_path):
    images, _ = write_idx(tmp_path)["train"]
    drawn = load(tmp_path, binarization="fixed").images
    np.testing.assert_array_equal(drawn, binarize(images, "fixed", seed=0))
    grey, Y = get_mnist(path=tmp_path, seed=1, quiet=True)
    X, labels = get_mnist(path=tmp_path, seed=1, quiet=True, binarization="fixed")
    np.testing.assert_array_equal(labels, Y)
    row_of = {image.tobytes(): row for row, image in enumerate(images)}
    rows = [row_of[np.rint(image * 255).astype(np.uint8).tobytes()] for image in grey]
    np.testing.assert_array_equal(X, drawn[rows])
    some, _ = get_mnist(5, tmp_path, seed=1, quiet=True, binarization="fixed")
    np.testing.assert_array_equal(some, X[:5])


def test_the_seed_of_the_draw_is_not_the_seed_of_the_order(tmp_path):
    write_idx(tmp_path)

    def drawn(**options):
        return load(tmp_path, binarization="fixed", **options).images

    np.testing.assert_array_equal(drawn(), drawn(binarization_seed=0))
    assert (drawn() != drawn(binarization_seed=1)).any()


@pytest.mark.parametrize("write", [write_idx, write_npz, write_csv])
def test_an_image_is_drawn_alike_in_every_split_that_has_it(tmp_path, write):
    names = {write_npz: "mnist.npz", write_csv: "train.csv"}
    write(tmp_path / names[write] if write in names else tmp_path)
    train, test, both = (
        load(tmp_path, split, binarization="fixed").images for split in ("train", "test", "all")
    )
    np.testing.assert_array_equal(np.concatenate([train, test]), both)


def test_test_images_have_draws_of_their_own(tmp_path):
    images, labels = digits()
    write_npz(tmp_path / "mnist.npz", x_test=images, y_test=labels)
    train, test = (
        load(tmp_path, split, binarization="fixed").images for split in ("train", "test")
    )
    soft = (images > 60) & (images < 190)
    assert 0.2 < (train != test)[soft].mean() < 0.6


@pytest.mark.usefixtures("nowhere")
def test_the_built_in_digits_too():
    images = load("builtin").images
    drawn = load(None, binarization="fixed", binarization_seed=4).images
    np.testing.assert_array_equal(drawn, binarize(images, "fixed", 4))


@pytest.mark.parametrize(
    ("options", "said", "stored"),
    [
        ({}, "", (None, None)),
        (
            {"binarization": "threshold"},
            ", binarised at one half (threshold)",
            ("threshold", None),
        ),
        (
            {"binarization": "fixed"},
            ", each pixel drawn once (fixed, seed 0)",
            ("fixed", 0),
        ),
        (
            {"binarization": "fixed", "binarization_seed": 7},
            ", each pixel drawn once (fixed, seed 7)",
            ("fixed", 7),
        ),
    ],
)
def test_the_protocol_is_said_and_stored(tmp_path, capfd, options, said, stored):
    write_idx(tmp_path)
    source = load_mnist(tmp_path, **options).source
    assert capfd.readouterr().err == f"data: MNIST, 30 training images from {tmp_path}{said}\n"
    assert (source.binarization, source.binarization_seed) == stored


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"binarization": "dynamic"}, r"call fit\(X, binarization='dynamic'\)"),
        ({"binarization": "static"}, "binarization must be None or one of 'threshold', 'fixed'"),
        ({"binarization": True}, "binarization must be None or one of 'threshold', 'fixed'"),
        (
            {"binarization_seed": 1},
            "binarization_seed belongs to binarization='fixed', not to None",
        ),
        (
            {"binarization": "threshold", "binarization_seed": 1},
            "belongs to binarization='fixed', not to 'threshold'",
        ),
        (
            {"binarization": "fixed", "binarization_seed": -1},
            "binarization_seed must be at least 0",
        ),
    ],
)
def test_refused_before_anything_is_read(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        get_mnist(path=tmp_path / "nothing", **options)


def test_the_mean_of_a_fixed_draw_of_the_real_mnist(mnist_dir):
    drawn = load(mnist_dir, binarization="fixed").images
    p = load(mnist_dir).images / np.float32(255)
    spread = np.sqrt((p * (1 - p)).sum(dtype=float)) / p.size
    # The mean grey value of the 60,000 training images, as widely published.
    assert abs(drawn.mean() - 0.1306604762738429) < 5 * spread


# ---- Larochelle's files


def test_amat_files_of_a_folder(tmp_path):
    content = write_amat(tmp_path)
    train = np.concatenate([content["train"], content["valid"]])
    for split, images in (
        (None, train),
        ("train", train),
        ("test", content["test"]),
        ("all", np.concatenate([train, content["test"]])),
    ):
        mnist = load(tmp_path, split, binarization="fixed")
        np.testing.assert_array_equal(mnist.images, images)
        assert mnist.images.dtype == np.uint8
        assert (mnist.labels == -1).all()
        assert mnist.labels.shape == (len(images),)
    X, Y = get_mnist(path=tmp_path, seed=0, quiet=True, binarization="fixed")
    assert (X.dtype, Y.dtype) == (np.float32, np.int64)
    assert sorted(map(bytes, X.astype(np.uint8))) == sorted(map(bytes, train))
    assert set(Y) == {-1}


def test_an_amat_file_by_itself(tmp_path):
    content = write_amat(tmp_path)
    for name in ("train", "valid", "test"):
        path = tmp_path / f"binarized_mnist_{name}.amat"
        mnist = load(path, None, binarization="fixed")
        np.testing.assert_array_equal(mnist.images, content[name])
    with pytest.raises(DataError, match="holds the test images; for split='train' name the folder"):
        load(path, "train", binarization="fixed")


@pytest.mark.parametrize("end", [" \n", "\r\n", "\n\n"])
def test_amat_lines_may_end_in_many_ways(tmp_path, end):
    content = write_amat(tmp_path, end=end)
    np.testing.assert_array_equal(
        load(tmp_path, "test", binarization="fixed").images, content["test"]
    )


def test_what_is_said_of_amat_files(tmp_path, capfd):
    write_amat(tmp_path)
    source = load_mnist(tmp_path, "test", binarization="fixed").source
    assert capfd.readouterr().err == (
        f"data: MNIST, 10 test images from {tmp_path}, binarised once by their publisher (fixed)\n"
    )
    assert (source.kind, source.binarization) == ("amat", "fixed")
    assert source.binarization_seed is None


@pytest.mark.parametrize("options", [{}, {"binarization": "threshold"}])
def test_binary_images_are_never_taken_for_grey_ones(tmp_path, options):
    write_amat(tmp_path)
    for path in (tmp_path, tmp_path / "binarized_mnist_train.amat"):
        with pytest.raises(DataError, match="binary already and have no labels; say binarization="):
            load(path, **options)


def test_what_is_drawn_already_cannot_be_drawn_again(tmp_path):
    write_amat(tmp_path)
    with pytest.raises(DataError, match="binarization_seed cannot apply"):
        load(tmp_path, binarization="fixed", binarization_seed=0)


@pytest.mark.usefixtures("nowhere")
def test_amat_files_serve_only_if_somebody_names_them(tmp_path, nowhere, monkeypatch):  # noqa: F811
    write_amat(nowhere / "course" / "large_files")
    assert load(None, binarization="fixed").source.is_builtin
    monkeypatch.setenv("VAE_TF1_DATA", str(nowhere / "course" / "large_files"))
    assert load(None, binarization="fixed").source.kind == "amat"
    write_csv(nowhere / "course" / "large_files" / "train.csv")
    assert load(None, binarization="fixed").source.kind == "csv"


LINE = "0 1 " * 392


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{LINE}\n{LINE} 0\n", "line 2 has 785 values, not 784"),
        (f"{LINE}\n\n{LINE[:-2]}\n", "line 3 has 783 values"),
        (f"{LINE}\n{LINE.replace('1', '2', 1)}\n", "line 2 holds '2', not only 0 and 1"),
        (f"{LINE}\n{LINE.replace('1', '01', 1)}\n", "line 2 holds '01', not only 0 and 1"),
        (f"{LINE}\n{LINE.replace('1', '9' * 999, 1)}\n", "line 2 holds '999"),
        (f"{LINE}\n" + "1" * 100_000, "line 2 has 1 values"),
        (f"{LINE}\n" + "\n" * 70_001, "more than 70,000 blank lines"),
        (f"{LINE}\n{LINE}\0", "line 2 has 785 values"),
    ],
)
def test_broken_amat(tmp_path, text, complaint):
    path = tmp_path / "binarized_mnist_test.amat"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(path, None, binarization="fixed")
    assert complaint in str(caught.value)
    assert len(str(caught.value)) < 900


def test_an_amat_file_keeps_its_usual_name(tmp_path):
    (tmp_path / "mine.txt").write_text(LINE)
    with pytest.raises(DataError, match=r"such as binarized_mnist_train\.amat"):
        load(tmp_path / "mine.txt", binarization="fixed")


def test_an_amat_folder_without_its_validation_file(tmp_path):
    write_amat(tmp_path)
    (tmp_path / "binarized_mnist_valid.amat").unlink()
    with pytest.raises(DataError, match=r"no MNIST in this folder; .*binarized_mnist_valid\.amat"):
        load(tmp_path, binarization="fixed")
    assert len(load(tmp_path, "test", binarization="fixed").images) == 10
