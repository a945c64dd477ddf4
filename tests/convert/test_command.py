"""``python -m vae_tf1.convert``: what it prints, what it writes, how it refuses."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from support.checkpoints import vae_arrays, write_checkpoint

from vae_tf1 import VariationalAutoencoder
from vae_tf1.convert.__main__ import main


@pytest.fixture
def run(capsys):
    """Run the command in this process; return (status, stdout, stderr)."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint of this project's."""
    folder = tmp_path_factory.mktemp("saved")
    with VariationalAutoencoder(6, [5, 2], seed=1) as vae:
        vae.fit(np.eye(6), epochs=2, batch_sz=3, progress=False, plot=False)
        vae.save(folder / "model")
    return folder / "model"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A VAE with tanh and two heads, as a script of somebody else has it, with Adam's slots."""
    scopes = ("enc_h1", "z_mean", "z_log_var", "dec_h1", "out")
    arrays = vae_arrays(
        [(f"{scope}/weights", f"{scope}/biases") for scope in scopes],
        [(9, 8), (8, 3), (8, 3), (3, 7), (7, 9)],
    )
    prefix = tmp_path_factory.mktemp("foreign") / "model.ckpt-100"
    write_checkpoint(prefix, arrays, optimizer=tf.compat.v1.train.AdamOptimizer())
    return prefix, arrays


class TestList:
    def test_a_checkpoint_of_tensorflow_1(self, run, golden_dir):
        status, out, err = run(golden_dir / "tf115_small.ckpt", "--list")
        assert (status, err) == (0, "")
        lines = out.splitlines()
        assert lines[0].endswith("tf115_small.ckpt: format V2, 36 tensors, 8.8 kB")
        assert lines[2].split() == ["name", "shape", "dtype", "bytes", "slot", "of"]
        table = [re.split(r"  +", line) for line in lines[3:39]]
        assert ["Variable", "24 × 10", "float32", "960"] in table
        assert ["Variable_8/RMSProp_1", "6 × 10", "float32", "240", "Variable_8"] in table
        assert "variables        12, 2.9 kB" in lines
        assert "optimizer slots  24, 5.9 kB: RMSProp 12, RMSProp_1 12" in lines
        assert "recognised       a variational autoencoder 24-10-6-4-6-10-24" in lines
        assert "  encoder 1  Variable, Variable_1  24 → 10  relu" in lines
        assert (
            "  encoder 3  Variable_4, Variable_5  6 → 2 × 4  stddev = softplus(u) + 1e-6" in lines
        )
        assert "  decoder 3  Variable_10, Variable_11  10 → 24  logits of a Bernoulli" in lines
        assert any(line.startswith("assumed ") for line in lines)

    def test_names_of_a_script_of_ones_own(self, run, foreign):
        status, out, _ = run(foreign[0], "--list", "--activation", "tanh")
        assert status == 0
        assert "recognised       a variational autoencoder 9-8-3-7-9" in out
        heads = "z_mean/weights, z_mean/biases + z_log_var/weights, z_log_var/biases"
        assert f"  encoder 2  {heads}  8 → 2 × 3  stddev = exp(u / 2)" in out
        assert "  decoder 1  dec_h1/weights, dec_h1/biases  3 → 7  tanh" in out
        assert "Adam 10, Adam_1 10" in out

    def test_what_is_no_vae_is_listed_all_the_same(self, run, tmp_path):
        write_checkpoint(tmp_path / "cnn", {"conv/kernel": np.zeros((3, 3, 1, 8)), "step": 5})
        status, out, _ = run(tmp_path / "cnn", "--list")
        assert status == 0
        assert re.search(r"conv/kernel +3 × 3 × 1 × 8 +float64 +576", out)
        assert re.search(r"step +scalar +int\d+ ", out)
        assert "no variational autoencoder of dense layers is recognised: conv/kernel" in out


class TestConversion:
    @pytest.mark.full
    def test_several_formats_and_the_check(self, run, saved, tmp_path):
        formats = ["npz", "saved_model", "keras", "page"]
        status, out, err = run(saved, "--to", *formats, "--output", tmp_path / "out")
        assert (status, err) == (0, "")
        differences = dict(re.findall(r"^(\w+) +largest difference (\S+)$", out, re.MULTILINE))
        assert list(differences) == formats
        assert float(differences["npz"]) == 0
        assert all(float(value) < 1e-3 for value in differences.values())
        for file in (tmp_path / "out").iterdir():
            assert f"            {file}" in out.splitlines()

        status, out, err = run(saved, "--check", "--output", tmp_path / "out")
        assert (status, err) == (0, "")
        agrees = dict(re.findall(r"^(\w+) +agrees, largest difference (\S+)$", out, re.MULTILINE))
        assert agrees == differences

    def test_any_checkpoint_to_npz(self, run, tmp_path):
        arrays = {"file": np.float64(3), "a/b": np.arange(6).reshape(2, 3), "c": np.float32([1, 2])}
        write_checkpoint(tmp_path / "model", arrays, version=1)
        status, _, err = run(tmp_path / "model", "--to", "npz", "--output", tmp_path / "out")
        assert (status, err) == (0, "")
        with np.load(tmp_path / "out" / "weights.npz") as file:
            found = dict(file)
        assert found.keys() == arrays.keys()
        for name, value in arrays.items():
            np.testing.assert_array_equal(found[name], value)

    def test_a_vae_that_this_project_cannot_build(self, run, foreign, tmp_path):
        """tanh, and a log variance: held to the formulas written out here."""
        prefix, arrays = foreign
        status, _, err = run(
            prefix, "--to", "saved_model", "page", "--output", tmp_path, "--activation", "tanh"
        )
        assert (status, err) == (0, "")
        rng = np.random.default_rng(2)
        X, Z = rng.random((5, 9)), rng.standard_normal((5, 3))

        def dense(name, value):
            return value @ arrays[f"{name}/weights"] + arrays[f"{name}/biases"]

        hidden = np.tanh(dense("enc_h1", X))
        loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
        found = loaded.signatures["encode"](X=tf.constant(X, tf.float32))
        np.testing.assert_allclose(found["means"], dense("z_mean", hidden), atol=1e-5)
        stddev = np.exp(dense("z_log_var", hidden) / 2)
        np.testing.assert_allclose(found["stddev"], stddev, rtol=1e-5)
        found = loaded.signatures["decode"](Z=tf.constant(Z, tf.float32))
        logits = dense("out", np.tanh(dense("dec_h1", Z)))
        np.testing.assert_allclose(found["probabilities"], 1 / (1 + np.exp(-logits)), atol=1e-6)
        page = (tmp_path / "page.html").read_text()
        model = json.loads(re.search(r'id="model">([^<]*)<', page)[1])
        assert (model["stddev"], model["height"], model["width"]) == ("exp_half", 3, 3)
        assert [layer[2] for layer in model["decoder"]] == ["tanh", "identity"]

    def test_layers_in_an_order_of_ones_own(self, run, foreign, tmp_path):
        layers = "enc_h1/weights,z_log_var/weights+z_mean/weights,dec_h1/weights,out/weights"
        options = ("--layers", layers, "--stddev", "exp", "--output", tmp_path)
        status, _, err = run(foreign[0], "--to", "saved_model", *options)
        assert (status, err) == (0, "")
        loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
        found = loaded.signatures["encode"](X=tf.zeros((1, 9)))
        arrays = foreign[1]
        hidden = np.maximum(arrays["enc_h1/biases"], 0)
        means = hidden @ arrays["z_log_var/weights"] + arrays["z_log_var/biases"]
        np.testing.assert_allclose(found["means"][0], means, atol=1e-5)

    def test_images_of_ones_own(self, run, foreign, tmp_path):
        images = np.random.default_rng(0).random((20, 9))
        np.save(tmp_path / "images.npy", images)
        options = ("--data", tmp_path / "images.npy", "--output", tmp_path / "out")
        status, _, err = run(foreign[0], "--to", "page", *options)
        assert (status, err) == (0, "")
        page = (tmp_path / "out" / "page.html").read_text()
        model = json.loads(re.search(r'id="model">([^<]*)<', page)[1])
        assert len(model["plane"]["points"]) == 20
        assert len(model["examples"]) == 10


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("nowhere", "--list"), "there is no checkpoint at nowhere"),
            (("{saved}", "--to", "npz", "--output", "{file}"), "cannot write to .*: "),
            (("{saved}", "--check", "--output", "{folder}"), "there is nothing to check in"),
            (
                ("{cnn}", "--to", "onnx", "--output", "{folder}"),
                "no variational autoencoder .*: kernel",
            ),
            (
                ("{foreign}", "--to", "page", "--output", "{folder}", "--shape", "4x4"),
                "does not have the 9 values of an image",
            ),
            (
                ("{foreign}", "--to", "page", "--output", "{folder}", "--data", "{file}"),
                "file: the file is empty",
            ),
        ],
    )
    def test_one_sentence_and_nothing_left(self, run, saved, foreign, arguments, message, tmp_path):
        (tmp_path / "file").write_text("")
        write_checkpoint(tmp_path / "cnn", {"kernel": np.zeros((3, 3, 1, 8), np.float32)})
        places = {name: tmp_path / name for name in ("file", "folder", "cnn")}
        places |= {"saved": saved, "foreign": foreign[0]}
        before = sorted(tmp_path.rglob("*"))
        status, out, err = run(*(text.format(**places) for text in arguments))
        assert status == 1
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        assert re.search(message, err)
        assert sorted(tmp_path.rglob("*")) == before

    def test_a_damaged_checkpoint(self, run, saved, tmp_path):
        for file in saved.parent.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        data = tmp_path / "model.data-00000-of-00001"
        values = bytearray(data.read_bytes())
        values[100] ^= 255
        data.write_bytes(values)
        for format in ("npz", "onnx"):
            status, _, err = run(tmp_path / "model", "--to", format, "--output", tmp_path / "out")
            assert status == 1
            assert re.fullmatch(r"error: .* is damaged: .*\n", err)
            assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["model"], "say what to do: --list, --to FORMAT or --check"),
            (["model", "--to", "npz"], "need --output DIR"),
            (["model", "--to", "tflite", "--output", "x"], "invalid choice: 'tflite'"),
            (["model", "--list", "--activation", "cosine"], "expected one of identity, relu"),
            (["model", "--list", "--activation", "relu:0.1"], "expected one of identity, relu"),
            (["model", "--list", "--shape", "28"], "expected height x width as in 28x28"),
        ],
    )
    def test_options_that_are_wrong(self, arguments, message, capsys):
        with pytest.raises(SystemExit) as error:
            main(arguments)
        assert error.value.code == 2
        assert message in capsys.readouterr().err


@pytest.mark.full
def test_as_a_user_runs_it(saved, tmp_path):
    """In a process of its own, where --list prints not a word of TensorFlow's."""
    done = subprocess.run(
        [sys.executable, "-m", "vae_tf1.convert", saved, "--list"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "recognised       a variational autoencoder 6-5-2-5-6" in done.stdout
