"""The main job's data: binarised as the original's, both splits, and never in silence."""

import dataclasses

import numpy as np
import pytest
from support.mnist_files import write_idx

from vae_tf1.app import data
from vae_tf1.app.errors import JobError
from vae_tf1.app.options import parse_options
from vae_tf1.data import mnist


def options(**given):
    return dataclasses.replace(parse_options([]), batch_size=10, **given)


def test_training_and_test_images_are_binarised_at_one_half(tmp_path, capsys):
    content = write_idx(tmp_path)
    digits = data.load(options(data=str(tmp_path)))
    for images, (raw, _) in ((digits.train, content["train"]), (digits.test, content["test"])):
        np.testing.assert_array_equal(images, raw.astype(np.float32) / 255 > 0.5)
    np.testing.assert_array_equal(digits.test_labels, content["test"][1])
    assert digits.name == "MNIST"
    said = capsys.readouterr().err
    assert f"data: MNIST, 30 training images from {tmp_path}" in said
    assert f"data: MNIST, 30 test images from {tmp_path}" in said


def test_the_grey_values_either_side_of_one_half(monkeypatch):
    images = np.arange(256, dtype=np.uint8)[:, None]
    source = mnist.Source("idx", None, "train", len(images))
    labels = np.zeros(len(images), np.uint8)
    monkeypatch.setattr(mnist, "load_mnist", lambda *_: mnist.Mnist(images, labels, source))
    digits = data.load(options())
    assert not digits.train[:128].any()  # 127 / 255 = 0.498
    assert digits.train[128:].all()  # 128 / 255 = 0.502


def test_a_limit_keeps_the_first_training_images_and_all_test_images(tmp_path, capsys):
    content = write_idx(tmp_path)
    digits = data.load(options(data=str(tmp_path), limit=12))
    np.testing.assert_array_equal(digits.train, content["train"][0][:12] > 127)
    assert len(digits.test) == 30
    assert "data: only the first 12 training images are used" in capsys.readouterr().err


def test_a_limit_beyond_what_there_is_takes_all(tmp_path, capsys):
    write_idx(tmp_path)
    assert len(data.load(options(data=str(tmp_path), limit=10_000)).train) == 30
    assert "only the first" not in capsys.readouterr().err


def test_a_minibatch_larger_than_the_data_is_refused(tmp_path):
    write_idx(tmp_path)
    with pytest.raises(JobError, match="--batch-size 10 is more than the 9 training images"):
        data.load(options(data=str(tmp_path), limit=9))


def test_missing_data_is_refused_by_name(tmp_path):
    with pytest.raises(JobError, match=r"nowhere: no such file or folder"):
        data.load(options(data=str(tmp_path / "nowhere")))


def test_the_stand_in_is_called_one(monkeypatch):
    images, labels = mnist.builtin_digits(20)
    source = mnist.Source("builtin", None, "train", 20)
    monkeypatch.setattr(mnist, "load_mnist", lambda *_: mnist.Mnist(images, labels, source))
    assert data.load(options()).name == "built-in digits, not MNIST"
