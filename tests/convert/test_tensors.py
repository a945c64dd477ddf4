"""Any checkpoint of TensorFlow 1 is read: its names, shapes, slots and values."""

import numpy as np
import pytest
import tensorflow as tf
from support.checkpoints import write_checkpoint

from vae_tf1 import VariationalAutoencoder
from vae_tf1.convert import tensors
from vae_tf1.errors import CheckpointError

tf1 = tf.compat.v1


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(0)
    return {
        "net/W": rng.standard_normal((9, 4)).astype(np.float32),
        "net/b": rng.standard_normal(4).astype(np.float32),
        "count": np.int64(7),
        "table": rng.standard_normal((3, 2, 2)),
    }


def assert_holds(checkpoint, arrays):
    values = checkpoint.values()
    assert values.keys() == arrays.keys()
    for name, value in arrays.items():
        np.testing.assert_array_equal(values[name], value)
        assert values[name].dtype == value.dtype


@pytest.mark.parametrize("partitions", [None, 3])
@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("version", [1, 2])
def test_v1_and_v2_sharded_and_partitioned(arrays, tmp_path, version, sharded, partitions):
    write_checkpoint(
        tmp_path / "model.ckpt-10",
        arrays,
        version=version,
        sharded=sharded,
        partitions=partitions,
    )
    checkpoint = tensors.read(tmp_path / "model.ckpt-10")
    assert checkpoint.format == f"V{version}"
    assert {t.name: t.shape for t in checkpoint.tensors} == {
        name: np.shape(value) for name, value in arrays.items()
    }
    assert_holds(checkpoint, arrays)


@pytest.mark.parametrize("version", [1, 2])
def test_any_of_its_files_or_its_folder_names_it(arrays, tmp_path, version):
    write_checkpoint(tmp_path / "model.ckpt", arrays, version=version, sharded=True)
    files = [path for path in tmp_path.iterdir() if path.name != "checkpoint"]
    assert len(files) == (2 if version == 1 else 3)
    for path in (*files, tmp_path):
        assert_holds(tensors.read(path), arrays)
    (tmp_path / "checkpoint").unlink()
    if version == 2:
        assert_holds(tensors.read(tmp_path), arrays)


@pytest.mark.parametrize("version", [1, 2])
def test_a_name_that_tensorflow_takes_for_a_pattern(arrays, tmp_path, version):
    write_checkpoint(tmp_path / "model", arrays, version=version)
    strange = tmp_path / "run [1]*"
    strange.mkdir()
    for file in tmp_path.glob("model*"):
        file.rename(strange / file.name)
    assert_holds(tensors.read(strange / "model"), arrays)


def test_a_saved_model_holds_a_checkpoint(arrays, tmp_path):
    write_checkpoint(tmp_path / "variables" / "variables", arrays)
    (tmp_path / "saved_model.pb").touch()
    assert_holds(tensors.read(tmp_path), arrays)


def test_the_folder_of_a_training_means_its_newest_checkpoint(tmp_path):
    with VariationalAutoencoder(4, [3, 2], seed=0) as vae:
        X = np.eye(4)
        for epochs in (1, 2):
            vae.fit(
                X, epochs, 2, checkpoint_dir=tmp_path, progress=False, plot=False, compile=False
            )
        W = vae.sess.run(vae.encoder_layers[0].W)
    checkpoint = tensors.read(tmp_path)
    assert checkpoint.prefix.parent.name == "step-00000004"
    np.testing.assert_array_equal(checkpoint.values()["Variable"], W)


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        (tf1.train.RMSPropOptimizer(0.1), {"net/W/RMSProp", "net/W/RMSProp_1"}),
        (tf1.train.AdamOptimizer(0.1, name="Mine"), {"net/W/Mine", "net/W/Mine_1"}),
        (tf1.train.MomentumOptimizer(0.1, 0.9), {"net/W/Momentum"}),
    ],
)
def test_slots_are_told_from_variables(arrays, tmp_path, optimizer, slots):
    write_checkpoint(tmp_path / "model", arrays, optimizer=optimizer)
    checkpoint = tensors.read(tmp_path / "model")
    assert {t.name for t in checkpoint.tensors if t.slot_of == "net/W"} == slots
    assert {t.name for t in checkpoint.tensors if t.is_variable} == {"net/W", "net/b", "table"}


def test_slots_in_a_scope_of_the_optimizer(tmp_path):
    values = {name: np.ones((2, 3), np.float32) for name in ("W", "train/W/Adam", "train/W/other")}
    write_checkpoint(tmp_path / "model", values)
    slot_of = {t.name: t.slot_of for t in tensors.read(tmp_path / "model").tensors}
    assert slot_of == {"W": None, "train/W/Adam": "W", "train/W/other": None}


def test_names_are_in_natural_order(golden_dir):
    names = [t.name for t in tensors.read(golden_dir / "tf115_small.ckpt").tensors if t.is_variable]
    assert names == ["Variable", *(f"Variable_{i}" for i in range(1, 12))]


class TestRefusals:
    def test_nothing_there(self, tmp_path):
        with pytest.raises(CheckpointError, match=r"there is no checkpoint at .*none"):
            tensors.read(tmp_path / "none")

    def test_a_folder_with_two(self, arrays, tmp_path):
        for name in ("a", "b"):
            write_checkpoint(tmp_path / name, arrays)
        (tmp_path / "checkpoint").unlink()
        with pytest.raises(CheckpointError, match=r"expected one checkpoint in .*: a, b"):
            tensors.read(tmp_path)

    def test_some_other_file(self, tmp_path):
        (tmp_path / "image.png").write_bytes(b"\x89PNG" * 100)
        with pytest.raises(CheckpointError, match="is damaged"):
            tensors.read(tmp_path / "image.png")

    @pytest.mark.parametrize("version", [1, 2])
    def test_every_cut_is_noticed(self, arrays, tmp_path, version):
        write_checkpoint(tmp_path / "model", arrays, version=version)
        for file in list(tmp_path.glob("model*")):
            whole = file.read_bytes()
            for length in (0, 1, len(whole) // 2, len(whole) - 1):
                file.write_bytes(whole[:length])
                with pytest.raises(CheckpointError, match=r"damaged|missing"):
                    tensors.read(tmp_path / "model").values()
            file.write_bytes(whole)
        assert_holds(tensors.read(tmp_path / "model"), arrays)

    def test_a_missing_shard(self, arrays, tmp_path):
        write_checkpoint(tmp_path / "model", arrays, sharded=True)
        (tmp_path / "model.data-00000-of-00002").unlink()
        with pytest.raises(CheckpointError, match="in 1 of 2 files"):
            tensors.read(tmp_path / "model")

    def test_a_flipped_bit_in_the_values(self, arrays, tmp_path):
        write_checkpoint(tmp_path / "model", arrays)
        file = tmp_path / "model.data-00000-of-00001"
        data = bytearray(file.read_bytes())
        data[20] ^= 1
        file.write_bytes(data)
        checkpoint = tensors.read(tmp_path / "model")  # the index is sound
        with pytest.raises(CheckpointError, match="is damaged"):
            checkpoint.values()
