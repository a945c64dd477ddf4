"""A conversion is written whole and right, or not at all, and everything else is one sentence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.kinds import full_except

from vae_tf1 import VariationalAutoencoder
from vae_tf1.convert import export
from vae_tf1.convert.formats import FORMATS, base
from vae_tf1.errors import ConversionError
from vae_tf1.model.layers import Conv2DLayer, DenseLayer, Flatten, Reshape


@pytest.fixture(scope="module")
def vae():
    with VariationalAutoencoder(6, [5, 2], seed=1) as vae:
        yield vae


@pytest.fixture
def other():
    with VariationalAutoencoder(6, [5, 2], seed=2) as other:
        yield other


def content(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def source_of(vae):
    return export.of_model(vae, None, None, None, dict)


class TestWholeOrNotAtAll:
    @pytest.mark.parametrize("format", full_except(["npz", "saved_model", "page"], "page"))
    def test_what_is_in_the_folder_already_stays_and_an_older_conversion_is_replaced(
        self, vae, other, format, tmp_path
    ):
        (tmp_path / "notes.txt").write_text("mine")
        done = other.export(tmp_path, format)
        before = content(tmp_path)
        again = vae.export(tmp_path, format)
        assert again.files == done.files
        after = content(tmp_path)
        assert before.keys() == after.keys()
        assert before != after
        assert after[Path("notes.txt")] == b"mine"
        assert sorted(tmp_path.iterdir()) == sorted([*done.files, tmp_path / "notes.txt"])

    @pytest.mark.full
    @pytest.mark.parametrize("error", [ConversionError("wrong"), OSError(28, "No space left")])
    def test_after_a_failure_the_folder_is_as_it_was(
        self, vae, other, error, tmp_path, monkeypatch
    ):
        other.export(tmp_path, "saved_model")
        before = content(tmp_path)

        def fail(*_):
            raise error

        monkeypatch.setattr(base, "difference", fail)
        with pytest.raises(ConversionError, match=r"wrong|No space left"):
            vae.export(tmp_path, "saved_model")
        assert content(tmp_path) == before
        with pytest.raises(ConversionError):
            vae.export(tmp_path / "new" / "deep", "saved_model")
        assert not (tmp_path / "new").exists()

    def test_a_result_that_differs_is_an_error(self, vae, tmp_path, monkeypatch):
        monkeypatch.setattr(base, "difference", lambda *_: 2e-5)
        with pytest.raises(ConversionError, match=r"differs by 2\.0e-05 .* more than 1e-05"):
            vae.export(tmp_path / "new", "saved_model")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_cannot_be_moved_leaves_the_old_ones(
        self, vae, other, tmp_path, monkeypatch
    ):
        other.export(tmp_path, "saved_model")
        other.export(tmp_path, "npz")
        before = content(tmp_path)
        rename = Path.rename

        def stuck(path, target):
            if path.name == "weights.npz" and path.parent.name == "fresh":
                raise PermissionError(13, "Permission denied")
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", stuck)
        with pytest.raises(ConversionError, match="Permission denied"):
            vae.export(tmp_path, "npz")
        assert content(tmp_path) == before

    def test_ctrl_c_leaves_nothing(self, vae, tmp_path, monkeypatch):
        def interrupt(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(base, "difference", interrupt)
        with pytest.raises(KeyboardInterrupt):
            vae.export(tmp_path / "new", "saved_model")
        assert list(tmp_path.iterdir()) == []


class TestRefusals:
    def test_an_unknown_format(self, vae, tmp_path):
        with pytest.raises(ConversionError, match="unknown format 'tflite': expected one of npz, "):
            vae.export(tmp_path / "new", "tflite")
        assert not (tmp_path / "new").exists()

    def test_a_missing_package(self, vae, tmp_path, monkeypatch):
        monkeypatch.setattr(
            base.importlib.util, "find_spec", lambda name: None if name == "onnx" else True
        )
        with pytest.raises(ConversionError, match=r"needs onnx: pip install onnx onnxruntime$"):
            vae.export(tmp_path / "new", "onnx")
        assert not (tmp_path / "new").exists()

    def test_a_folder_that_is_a_file(self, vae, tmp_path):
        (tmp_path / "file").write_text("")
        for path in (tmp_path / "file", tmp_path / "file" / "below"):
            with pytest.raises(ConversionError, match=f"cannot write to {path}: "):
                vae.export(path, "npz")

    @pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_permission(self, vae, tmp_path):
        tmp_path.chmod(0o500)
        with pytest.raises(ConversionError, match="Permission denied"):
            vae.export(tmp_path, "npz")

    @pytest.mark.parametrize(
        ("X", "labels", "message"),
        [
            (np.ones((3, 5)), None, r"X has shape \(3, 5\), expected \(N, 6\)"),
            (np.full((3, 6), np.nan), None, "X has values that are NaN"),
            (np.ones((3, 6)), np.ones(2), r"labels have shape \(2,\), expected \(3,\)"),
        ],
    )
    def test_data_that_does_not_fit(self, vae, X, labels, message, tmp_path):
        with pytest.raises(ConversionError, match=message):
            vae.export(tmp_path, "page", X, labels)

    def test_a_shape_that_does_not_fit(self, vae, tmp_path):
        with pytest.raises(ConversionError, match=r"shape \(2, 4\) does not have the 6 values"):
            vae.export(tmp_path, "page", shape=(2, 4))

    def test_a_closed_model(self, tmp_path):
        vae = VariationalAutoencoder(6, [2])
        vae.close()
        with pytest.raises(ValueError, match="closed"):
            vae.export(tmp_path, "npz")

    def test_a_model_that_computes_something_else_than_its_layers(self, tmp_path):
        with VariationalAutoencoder(6, [5, 2]) as vae:
            vae.means = vae.stddev
            with pytest.raises(ConversionError, match="something else than encoder_layers"):
                vae.export(tmp_path / "new", "saved_model")
        assert not (tmp_path / "new").exists()


class TestPartsThatCannotBeExported:
    @pytest.mark.parametrize(
        ("format", "files"),
        [
            ("onnx", {"encoder.onnx"}),
            ("keras", {"encoder.keras"}),
            ("saved_model", {"saved_model"}),
        ],
    )
    def test_the_rest_is_and_the_reason_is_said(self, format, files, tmp_path):
        for package in FORMATS[format].packages:
            pytest.importorskip(package)
        with VariationalAutoencoder(6, [5, 2]) as vae:
            vae.decoder_layers[0].f = tf.sin
            done = vae.export(tmp_path, format)
            assert {file.name for file in done.files} == files
            (note,) = done.notes
            assert note.startswith("the decoder is not exported: the activation sin cannot")
            assert export.check(source_of(vae), FORMATS[format], tmp_path) < 1e-5

    @pytest.mark.parametrize("format", ["page", pytest.param("pytorch", marks=pytest.mark.full)])
    def test_a_format_of_the_whole_model_is_refused(self, format, tmp_path):
        for package in FORMATS[format].packages:
            pytest.importorskip(package)
        with VariationalAutoencoder(6, [5, 2]) as vae:
            vae.decoder_layers[0].f = tf.sin
            with pytest.raises(ConversionError, match="the decoder is not exported: the activ"):
                vae.export(tmp_path / "new", format)
        assert not (tmp_path / "new").exists()


class TestModelsOfOnesOwn:
    """Models with parts of the user's own: what can be exported is, and the rest is named."""

    def test_dense_layers_with_another_activation(self, tmp_path):
        own = {"encoder": [DenseLayer(None, 7, "tanh")], "decoder": [DenseLayer(None, 9, "elu")]}
        with VariationalAutoencoder(6, [2], **own) as vae:
            done = vae.export(tmp_path, "saved_model")
            assert (done.notes, done.difference < 1e-5) == ((), True)
            loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
            X = np.random.default_rng(0).random((5, 6)).astype(np.float32)
            found = loaded.signatures["serving_default"](X=tf.constant(X))
            np.testing.assert_allclose(found["means"], vae.transform(X), atol=1e-6)
            np.testing.assert_allclose(found["probabilities"], vae.reconstruct(X), atol=1e-6)

    def test_a_convolutional_encoder_stays_behind(self, tmp_path):
        own = {"encoder": [Reshape((4, 4, 1)), Conv2DLayer(3), Flatten()]}
        with VariationalAutoencoder(16, [5, 2], **own) as vae:
            done = vae.export(tmp_path, "saved_model")
            assert done.notes == (
                "the encoder is not exported: encoder layer 1 is a Reshape, and only dense layers "
                "can be",
            )
            loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
            Z = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
            found = loaded.signatures["decode"](Z=tf.constant(Z))["probabilities"]
            np.testing.assert_allclose(found, vae.prior_predictive_with_input(Z), atol=1e-6)
            with pytest.raises(ConversionError, match="the encoder is not exported"):
                vae.export(tmp_path, "page")

    @pytest.mark.full
    @pytest.mark.parametrize("likelihood", ["gaussian", "continuous_bernoulli"])
    def test_the_decoder_of_another_likelihood_stays_behind(self, likelihood, tmp_path):
        with VariationalAutoencoder(6, [5, 2], likelihood=likelihood) as vae:
            done = vae.export(tmp_path, "saved_model")
            (note,) = done.notes
            assert re.match(r"the decoder is not exported: its likelihood is \w+, not Bern", note)
            loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
            assert set(loaded.signatures) == {"encode", "serving_default"}
            vae.export(tmp_path, "npz")
            with np.load(tmp_path / "weights.npz") as file:
                assert "Variable_6" in file


class TestCheck:
    @pytest.mark.parametrize(
        "format", full_except(["safetensors", "onnx", "keras", "saved_model", "page"], "onnx")
    )
    def test_it_repeats_the_comparison_and_notices_damage(self, vae, other, format, tmp_path):
        for package in FORMATS[format].packages:
            pytest.importorskip(package)
        source = export.of_model(vae, None, None, None, export._saved(vae._writer))
        done = vae.export(tmp_path, format)
        difference = export.check(source, FORMATS[format], tmp_path)
        assert difference == done.difference
        another = export.of_model(other, None, None, None, export._saved(other._writer))
        with pytest.raises(ConversionError, match=r"another model|another value"):
            export.check(another, FORMATS[format], tmp_path)
        for file in (p for p in tmp_path.rglob("*") if p.is_file()):
            whole = file.read_bytes()
            file.write_bytes(whole[: len(whole) // 2])
            with pytest.raises(ConversionError) as error:
                export.check(source, FORMATS[format], tmp_path)
            assert "\n" not in str(error.value)
            file.write_bytes(whole)
        assert export.check(source, FORMATS[format], tmp_path) == difference
        shutil.rmtree(tmp_path)
        with pytest.raises(ConversionError, match=r"cannot be (loaded|computed)"):
            export.check(source, FORMATS[format], tmp_path)


def test_npz_and_safetensors_hold_what_save_writes(vae, tmp_path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import load_file

    vae.export(tmp_path, "npz")
    vae.export(tmp_path, "safetensors")
    prefix = vae.save(tmp_path / "model")
    reader = tf.train.load_checkpoint(prefix)
    with np.load(tmp_path / "weights.npz") as file:
        arrays = dict(file)
    assert arrays.keys() == reader.get_variable_to_shape_map().keys()
    others = load_file(tmp_path / "weights.safetensors")
    for name, value in arrays.items():
        np.testing.assert_array_equal(value, reader.get_tensor(name))
        np.testing.assert_array_equal(value, others[name])
        assert value.shape == others[name].shape


@pytest.mark.full
def test_an_export_adds_nothing_to_the_callers_graph():
    """But the op that saves, once: a model can be exported again and again."""
    with VariationalAutoencoder(6, [5, 2]) as vae:
        vae.save(Path(os.environ["HOME"], "exported", "model"))
        before = len(vae.graph.get_operations())
        for _ in range(2):
            for format in ("npz", "saved_model", "page"):
                vae.export(Path(os.environ["HOME"], "exported"), format)
        assert len(vae.graph.get_operations()) == before


@pytest.mark.parametrize(
    "format", full_except(["npz", "onnx", "keras", "saved_model", "page"], "npz")
)
def test_a_model_in_the_callers_own_graph(format, tmp_path):
    for package in FORMATS[format].packages:
        pytest.importorskip(package)
    with tf.Graph().as_default(), VariationalAutoencoder(6, [5, 2]) as vae:
        assert vae.export(tmp_path, format).files
        if format == "keras":
            files = tmp_path / "encoder.keras", tmp_path / "decoder.keras"
            with VariationalAutoencoder.from_keras(*files) as back:
                X = np.eye(6)
                np.testing.assert_allclose(back.transform(X), vae.transform(X), atol=1e-6)


@pytest.mark.full
def test_with_eager_execution_off_keras_alone_is_refused(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_EAGER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    npz, saved_model, page, keras = done.stdout.splitlines()
    assert (npz, saved_model, page) == ("npz True", "saved_model True", "page True")
    assert keras.startswith("keras Keras 3 needs eager execution, which this program has switched")


_WITHOUT_EAGER = """
import sys
import tensorflow as tf
tf.compat.v1.disable_v2_behavior()
from vae_tf1 import ConversionError, VariationalAutoencoder
vae = VariationalAutoencoder(6, [5, 2])
for format in ("npz", "saved_model", "page", "keras"):
    try:
        print(format, vae.export(sys.argv[1], format).difference < 1e-3)
    except ConversionError as error:
        print(format, error)
"""
