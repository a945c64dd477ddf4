"""Checkpoints: both ways with TensorFlow 1, and never half of one."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import Gaussian, VariationalAutoencoder
from vae_tf1.checkpoint import files
from vae_tf1.errors import CheckpointError

D, SIZES = 6, [5, 2]
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((40, D)) < 0.4


@pytest.fixture(scope="module")
def vae(X):
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        vae.fit(X, epochs=2, batch_sz=8, **QUIET)
        yield vae


@pytest.fixture(scope="module")
def model():
    with VariationalAutoencoder(D, SIZES, seed=5) as model:
        yield model


@pytest.fixture
def saved(vae, tmp_path):
    return Path(vae.save(tmp_path / "saved" / "model"))


def variables_and_slots(vae):
    slots = [vae.optimizer.get_slot(v, s) for v in vae.variables for s in ("rms", "momentum")]
    return [*vae.variables, *slots]


def everything(vae):
    """Return weights, slots and the count of steps."""
    return vae.sess.run([*variables_and_slots(vae), vae.global_step])


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


class TestTensorFlow1:
    @pytest.mark.parametrize("which", ["small", "784"])
    def test_its_checkpoint_gives_its_numbers(self, which, request, golden_dir):
        folder = golden_dir if which == "small" else request.getfixturevalue("golden_large_dir")
        with np.load(folder / f"tf115_{which}.npz") as file:
            golden = dict(file)
        with VariationalAutoencoder(int(golden["D"]), golden["sizes"].tolist()) as vae:
            vae.restore(folder / f"tf115_{which}.ckpt")
            np.testing.assert_allclose(
                vae.transform(golden["X"][0]), golden["final_transform_X0"], atol=2e-6
            )
            np.testing.assert_allclose(
                vae.prior_predictive_with_input(golden["Z_input"]),
                golden["prior_probs_from_Z_input"],
                atol=2e-6,
            )
            for variable in variables_and_slots(vae):
                expected = golden[f"final/{variable.op.name}"]
                np.testing.assert_array_equal(vae.sess.run(variable), expected)

    def test_training_goes_on_from_its_slots(self, golden_small, golden_dir):
        """Restored, the next step is what TF1's RMSProp does with the restored mean squares."""
        golden = golden_small
        with VariationalAutoencoder(24, [10, 6, 4]) as vae:
            vae.restore(golden_dir / "tf115_small.ckpt")
            feed = {vae.X: golden["X"][0], vae.epsilon: golden["epsilon"][0]}
            with vae.graph.as_default():
                gradient = tf.gradients(-vae.elbo, vae.variables[0])[0]
            g = vae.sess.run(gradient, feed).astype(np.float64)
            vae.sess.run(vae.train_op, feed)
            mean_square = 0.9 * golden["final/Variable/RMSProp"] + 0.1 * g**2
            expected = golden["final/Variable"] - 0.001 * g / np.sqrt(mean_square + 1e-10)
            np.testing.assert_allclose(vae.sess.run(vae.variables[0]), expected, atol=1e-6)

    def test_what_is_written_has_its_names_shapes_and_slots(self, golden_dir, tmp_path):
        with VariationalAutoencoder(24, [10, 6, 4]) as vae:
            prefix = vae.save(tmp_path / "m")
        theirs = dict(tf.train.list_variables(str(golden_dir / "tf115_small.ckpt")))
        ours = dict(tf.train.list_variables(prefix))
        assert {name: ours.get(name) for name in theirs} == theirs
        assert all(name.startswith("vae_tf1/") for name in set(ours) - set(theirs))

    def test_a_saver_of_the_callers_own_reads_its_checkpoint(self, golden_dir, golden_small):
        with tf.Graph().as_default(), VariationalAutoencoder(24, [10, 6, 4]) as vae:
            saver = tf.compat.v1.train.Saver()
            saver.restore(vae.sess, str(golden_dir / "tf115_small.ckpt"))
            codes = vae.transform(golden_small["X"][0])
        np.testing.assert_allclose(codes, golden_small["final_transform_X0"], atol=2e-6)

    def test_weights_without_slots_are_enough(self, vae, X, tmp_path):
        names = ["Variable", *(f"Variable_{i}" for i in range(1, len(vae.variables)))]
        with vae.graph.as_default():
            variables = dict(zip(names, vae.variables, strict=True))
            saver = tf.compat.v1.train.Saver(variables, save_relative_paths=True)
            saver.save(vae.sess, str(tmp_path / "weights"), write_meta_graph=False)
        with VariationalAutoencoder(D, SIZES, seed=2) as other:
            other.fit(X, epochs=1, batch_sz=8, **QUIET)
            other.restore(tmp_path / "weights")
            np.testing.assert_array_equal(other.transform(X), vae.transform(X))
            rms = other.optimizer.get_slot(other.variables[0], "rms")
            assert (other.sess.run(rms) == 1).all()

    def test_a_genuine_tensorflow_1_restores_what_is_written(self, tmp_path):
        """Set VAE_TF1_TENSORFLOW1 to the Pythons, separated by ':', that have TensorFlow 1."""
        pythons = os.environ.get("VAE_TF1_TENSORFLOW1")
        if not pythons:
            pytest.skip("VAE_TF1_TENSORFLOW1 names no Python that has TensorFlow 1")
        X = np.random.default_rng(3).random((9, 24)).astype(np.float32)
        with VariationalAutoencoder(24, [10, 6, 4], seed=7) as vae:
            vae.fit(X > 0.5, epochs=3, batch_sz=3, **QUIET)
            vae.save(tmp_path / "m")
            np.savez(
                tmp_path / "expected.npz",
                X=X,
                means=vae.transform(X),
                **{v.op.name: a for v, a in zip(
                    variables_and_slots(vae),
                    vae.sess.run(variables_and_slots(vae)), strict=True)},
            )  # fmt: skip
        script = Path(__file__).parents[1] / "support" / "tensorflow1_restores.py"
        for python in pythons.split(os.pathsep):
            env = {name: value for name, value in os.environ.items() if name != "TF2_BEHAVIOR"}
            done = subprocess.run(
                [python, script, tmp_path], capture_output=True, text=True, check=False, env=env
            )
            assert done.returncode == 0, done.stderr
            assert "restored 36 variables" in done.stdout


class TestRoundTrip:
    def test_load_builds_the_model_from_the_folder_alone(self, vae, saved, X):
        for path in (saved, saved.parent, str(saved)):
            with VariationalAutoencoder.load(path) as loaded:
                assert_same(everything(loaded), everything(vae))
                assert loaded.hidden_layer_sizes == SIZES
                assert loaded.seed == 1
                assert loaded.costs == vae.costs
                assert loaded.epochs_done == 2

    def test_a_loaded_model_trains_on_as_the_saved_one(self, saved, X):
        with VariationalAutoencoder(D, SIZES, seed=1) as whole:
            whole.fit(X, epochs=5, batch_sz=8, **QUIET)
            expected = everything(whole)
        with VariationalAutoencoder.load(saved) as loaded:
            loaded.fit(X, epochs=3, batch_sz=8, **QUIET)
            assert_same(everything(loaded), expected)
        with VariationalAutoencoder(D, SIZES, seed=99) as other:
            other.restore(saved)
            other.fit(X, epochs=3, batch_sz=8, **QUIET)
            assert_same(everything(other), expected)

    def test_options_come_along(self, tmp_path):
        with VariationalAutoencoder(4, [2], prior=Gaussian(1.0, 2.0), kl="monte_carlo") as vae:
            vae.save(tmp_path / "m")
        with VariationalAutoencoder.load(tmp_path) as loaded:
            assert (loaded.prior.prior_mean, loaded.prior.prior_variance) == (1.0, 2.0)
            assert loaded.kl == "monte_carlo"
        manifest = json.loads((tmp_path / "m.json").read_text())
        assert manifest["format"] == 1
        assert manifest["hidden_layer_sizes"] == [2]

    def test_saving_again_replaces(self, vae, saved, X):
        with VariationalAutoencoder.load(saved) as loaded:
            loaded.fit(X, epochs=1, batch_sz=8, **QUIET)
            loaded.save(saved)
            expected = everything(loaded)
        with VariationalAutoencoder.load(saved) as again:
            assert_same(everything(again), expected)
        assert sorted(p.name for p in saved.parent.iterdir()) == [
            "model.data-00000-of-00001", "model.index", "model.json",
        ]  # fmt: skip


class TestRefused:
    @pytest.fixture
    def other(self, model):
        before = everything(model)
        yield model
        assert_same(everything(model), before)  # the model in memory is as it was

    @pytest.mark.parametrize(
        ("D", "sizes", "message"),
        [
            (7, SIZES, r"W of encoder layer 1 has shape \(6, 5\) in the model, but \(7, 5\) in"),
            (D, [4, 2], r"W of encoder layer 1 has shape \(6, 5\) in the model, but \(6, 4\)"),
            (D, [5, 3], r"W of encoder layer 2 has shape \(5, 4\) in the model, but \(5, 6\)"),
            (D, [5, 4, 2], r"W of encoder layer 2 has shape \(5, 4\).*but \(5, 4\)|decoder|b of"),
            (D, [2], r"W of encoder layer 1 has shape \(6, 5\) in the model, but \(6, 4\)"),
        ],
    )
    def test_another_shape_names_the_layer(self, other, D, sizes, message, tmp_path):
        with VariationalAutoencoder(D, sizes) as wrong:
            wrong.save(tmp_path / "m")
        with pytest.raises(CheckpointError, match=message):
            other.restore(tmp_path / "m")

    def test_fewer_layers(self, other, tmp_path):
        with VariationalAutoencoder(D, [5, 4]) as big, big.graph.as_default():
            tf.compat.v1.train.Saver(big.variables[:2]).save(big.sess, str(tmp_path / "m"))
        with pytest.raises(CheckpointError, match=r"has no W of encoder layer 2 \(Variable_2\)"):
            other.restore(tmp_path / "m")

    @pytest.mark.parametrize("path", ["nothing", "no/such/folder/model", "", "."])
    def test_a_missing_one(self, other, path, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(CheckpointError, match=r"no checkpoint at|expected in"):
            other.restore(path)
        with pytest.raises(CheckpointError, match=r"no checkpoint at|expected in"):
            VariationalAutoencoder.load(path)

    @pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001", ".json"])
    @pytest.mark.parametrize("harm", ["empty", "half", "bit", "gone"])
    @pytest.mark.parametrize("manifest", [True, False], ids=["ours", "TensorFlow's"])
    def test_a_damaged_one_is_recognised(self, other, saved, suffix, harm, manifest):
        file = saved.with_name(saved.name + suffix)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 16
        harmed = {"empty": b"", "half": content[: len(content) // 2], "bit": content}
        file.unlink() if harm == "gone" else file.write_bytes(harmed[harm])
        if not manifest:
            if suffix == ".json":
                pytest.skip("there is none")
            saved.with_suffix(".json").unlink()
        if suffix == ".json" and harm == "gone":
            with pytest.raises(CheckpointError, match="to build a model from"):
                VariationalAutoencoder.load(saved)
            return
        with pytest.raises(CheckpointError, match=saved.name) as caught:
            other.restore(saved)
        assert "\n" not in str(caught.value)

    def test_every_bit_of_a_tensorflow_1_checkpoint(self, other, vae, golden_dir, tmp_path):
        """Whatever is flipped: the documented error, or values that are what was saved."""
        with VariationalAutoencoder(24, [10, 6, 4]) as small:
            small.restore(golden_dir / "tf115_small.ckpt")
            expected = everything(small)
            for suffix in (".index", ".data-00000-of-00001"):
                content = (golden_dir / f"tf115_small.ckpt{suffix}").read_bytes()
                for end in (".index", ".data-00000-of-00001"):
                    shutil.copyfile(golden_dir / f"tf115_small.ckpt{end}", tmp_path / f"m{end}")
                rng = np.random.default_rng(0)
                for bit in rng.choice(8 * len(content), 150, replace=False):
                    harmed = bytearray(content)
                    harmed[bit // 8] ^= 1 << (bit % 8)
                    (tmp_path / f"m{suffix}").write_bytes(harmed)
                    try:
                        small.restore(tmp_path / "m")
                    except CheckpointError as error:
                        assert "\n" not in str(error)
                    assert_same(everything(small), expected)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"format": 2}, "format 2; this version reads up to 1"),
            ({"format": "1"}, "damaged"),
            ({"D": 10**9}, "describes layers of shapes"),
            ({"D": -1}, "damaged"),
            ({"hidden_layer_sizes": []}, "damaged"),
            ({"hidden_layer_sizes": "52"}, "damaged"),
            ({"seed": None}, "damaged"),
            ({"prior": 3}, "damaged"),
            ({"kl": "exact"}, "damaged"),
            ({"sha256": {"../../secret": "0"}}, "does not list the files"),
            ({"sha256": {}}, "does not list the files"),
        ],
    )
    def test_a_manifest_that_lies(self, saved, change, message):
        file = saved.with_suffix(".json")
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        with pytest.raises(CheckpointError, match=message):
            VariationalAutoencoder.load(saved)

    @pytest.mark.parametrize("text", ["", "[]", "null", "3", "{", '{"format": 1}', "[" * 100_000])
    def test_a_manifest_that_is_none(self, saved, text):
        saved.with_suffix(".json").write_text(text)
        with pytest.raises(CheckpointError, match="damaged"):
            VariationalAutoencoder.load(saved)

    def test_several_models_in_a_folder_must_be_told_apart(self, vae, saved):
        vae.save(saved.with_name("second"))
        with pytest.raises(CheckpointError, match="several: model, second"):
            VariationalAutoencoder.load(saved.parent)


class TestFaults:
    def test_a_full_disk_leaves_the_earlier_one_good(self, vae, saved, tmp_path):
        """A limit on the size of files stands in for a full disk."""
        resource = pytest.importorskip("resource")
        before = {p.name: p.read_bytes() for p in saved.parent.iterdir()}
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            with pytest.raises(CheckpointError, match="cannot save to"):
                vae.save(saved)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert {p.name: p.read_bytes() for p in saved.parent.iterdir()} == before

    def test_a_file_where_a_folder_should_be(self, vae, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(CheckpointError, match="cannot save to"):
            vae.save(tmp_path / "file" / "model")
        with pytest.raises(CheckpointError, match="does not name a checkpoint"):
            vae.save("/")

    def test_a_failure_while_writing_leaves_the_earlier_one_good(self, vae, saved, monkeypatch):
        before = {p.name: p.read_bytes() for p in saved.parent.iterdir()}

        def fail(path):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(files, "flush_to_disk", fail)
        with pytest.raises(CheckpointError, match="No space left on device"):
            vae.save(saved)
        assert {p.name: p.read_bytes() for p in saved.parent.iterdir()} == before
