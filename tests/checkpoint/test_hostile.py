"""Whatever is in a checkpoint or around it: one sentence, and nothing of the user's is lost."""

import json
import os
import random
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest
from support.kinds import full_except

from vae_tf1 import CheckpointError, VariationalAutoencoder
from vae_tf1.checkpoint import files, folder, store
from vae_tf1.checkpoint.lock import FolderLock

D, SIZES, BATCH = 12, [6, 2], 10
QUIET = {"progress": False, "plot": False}
MUTATIONS = 400


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((60, D)) < 0.3


@pytest.fixture(scope="module")
def vae():
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        yield vae


def weights(vae):
    return vae.sess.run(vae.variables)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


ENDINGS = ["", ".index", ".data-00000-of-00001", ".json", ".meta"]


class TestNames:
    @pytest.mark.parametrize(
        "name", full_except(["lr=[0.1,0.2]/a", "a*b?", "{x}/m", "back\\slash/m"], "lr=[0.1,0.2]/a")
    )
    def test_a_name_that_looks_like_a_pattern_is_a_name(self, vae, X, name, tmp_path):
        prefix = vae.save(tmp_path / name)
        with VariationalAutoencoder.load(prefix) as loaded:
            assert_same(weights(loaded), weights(vae))
        run = tmp_path / name / "run"
        with VariationalAutoencoder(D, SIZES, seed=1) as first:
            costs = first.fit(X, 1, BATCH, checkpoint_dir=run, **QUIET)
        with VariationalAutoencoder(D, SIZES, seed=1) as second:
            assert second.fit(X, 2, BATCH, checkpoint_dir=run, **QUIET)[: len(costs)] == costs

    def test_a_checkpoint_and_a_folder_of_one_name_are_told_apart(self, vae, tmp_path):
        with VariationalAutoencoder(D, SIZES, seed=2) as other:
            other.save(tmp_path / "a" / "inside")
            beside = weights(other)
        vae.save(tmp_path / "a")
        for path, expected in ((str(tmp_path / "a"), weights(vae)), (f"{tmp_path}/a/", beside)):
            with VariationalAutoencoder.load(path) as loaded:
                assert_same(weights(loaded), expected)
                loaded.restore(path)
                assert_same(weights(loaded), expected)

    @pytest.mark.parametrize("ending", full_except(ENDINGS, ".index"))
    def test_restore_takes_the_name_with_any_of_its_endings(self, vae, ending, tmp_path):
        prefix = vae.save(tmp_path / "x.ckpt")
        with VariationalAutoencoder(D, SIZES, seed=2) as other:
            other.restore(prefix + ending)
            assert_same(weights(other), weights(vae))

    @pytest.mark.full
    def test_restore_takes_a_folder(self, vae, X, tmp_path):
        with VariationalAutoencoder(D, SIZES, seed=1) as trained:
            trained.fit(X, 1, BATCH, checkpoint_dir=tmp_path, **QUIET)
            with VariationalAutoencoder(D, SIZES, seed=2) as other:
                other.restore(tmp_path)
                assert_same(weights(other), weights(trained))
                assert other.costs == trained.costs


class TestNotFinite:
    def test_a_model_with_nan_is_never_saved_over_a_good_one(self, X, tmp_path):
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            prefix = vae.save(tmp_path / "m")
            good = weights(vae)
            with vae.graph.as_default():
                vae.variables[2].load(np.full((6, 4), np.nan, np.float32), vae.sess)
            with pytest.raises(CheckpointError, match="W of encoder layer 2 holds NaN or infinity"):
                vae.save(prefix)
            vae.restore(prefix)
            assert_same(weights(vae), good)


class TestDisk:
    def test_an_unreadable_checkpoint_gives_way_to_the_one_before_it(
        self, X, tmp_path, monkeypatch
    ):
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae.fit(X, 2, BATCH, checkpoint_dir=tmp_path, save_every=1e-9, **QUIET)
        newest = max(tmp_path.glob("step-*"))
        digest = files.digest

        def unreadable(file):
            if file.parent == newest:
                raise OSError(5, "Input/output error")
            return digest(file)

        monkeypatch.setattr(files, "digest", unreadable)
        with pytest.warns(RuntimeWarning, match="Input/output error; trying the checkpoint before"):
            found = folder.newest(tmp_path)
        assert found.global_step < int(newest.name[5:])

    def test_a_full_disk_says_so(self, vae, tmp_path):
        resource = pytest.importorskip("resource")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
        try:
            with pytest.raises(CheckpointError) as caught:
                vae.save(tmp_path / "m")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert "Graph execution error" not in str(caught.value)
        assert "File too large" in str(caught.value)

    def test_a_lock_that_cannot_be_written_is_not_left_open(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "getpid", lambda: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError, match="full"):
            FolderLock(tmp_path)
        monkeypatch.undo()
        FolderLock(tmp_path).release()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps links for administrators")
class TestLinks:
    """In a folder that others can write to, a link must not lead a save out of the folder."""

    @pytest.fixture
    def treasure(self, tmp_path):
        treasure = tmp_path / "treasure"
        treasure.mkdir()
        (treasure / "file").write_text("precious")
        return treasure

    def test_a_linked_lock_is_refused(self, treasure, tmp_path, X, vae):
        run = tmp_path / "run"
        run.mkdir()
        (run / "lock").symlink_to(treasure / "file")
        with pytest.raises(CheckpointError, match="cannot use"):
            vae.fit(X, 1, BATCH, checkpoint_dir=run, **QUIET)
        assert (treasure / "file").read_text() == "precious"

    @pytest.mark.parametrize("name", [".unfinished", "step-00000000"])
    def test_a_linked_folder_is_replaced_and_not_followed(self, treasure, tmp_path, X, name):
        run = tmp_path / "run"
        run.mkdir()
        (run / name).symlink_to(treasure)
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            held = folder.CheckpointFolder(run, 3)
            held.save(store.Writer(vae), 0)
            held.release()
        assert [p.name for p in treasure.iterdir()] == ["file"]
        whole = run / "step-00000000"
        assert stat.S_ISDIR(whole.lstat().st_mode)
        assert store.exists(whole / "model")


@pytest.fixture(scope="module")
def saved(X, tmp_path_factory):
    run = tmp_path_factory.mktemp("saved")
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        vae.fit(X, 1, BATCH, checkpoint_dir=run, **QUIET)
    return max(run.glob("step-*")) / "model"


LIES = [None, -1, 0, 2.5, 10**400, "x", [], {}, [1], {"mean": 0}, True, float("nan"), 1e300]


class TestFuzz:
    """Only `CheckpointError`, and a model that is refused a checkpoint is as it was."""

    def refused_or_whole(self, vae, prefix, before):
        try:
            vae.state = store.restore(vae, store.read(prefix))
        except CheckpointError as error:
            assert "\n" not in str(error)
            assert_same(weights(vae), before)
            return 1
        return 0

    @pytest.mark.parametrize("wrote", full_except(["tensorflow1", "this project"], "tensorflow1"))
    def test_bits_that_flip(self, wrote, saved, golden_dir, tmp_path):
        chance = random.Random(0)
        prefix = saved if wrote == "this project" else golden_dir / "tf115_small.ckpt"
        model = (D, SIZES) if wrote == "this project" else (24, [10, 6, 4])
        endings = [*store.SUFFIXES, ".json"]
        sources = {e: Path(f"{prefix}{e}") for e in endings if Path(f"{prefix}{e}").exists()}
        contents = {ending: file.read_bytes() for ending, file in sources.items()}
        if wrote == "this project":  # without checksums, so that what is behind them is tried
            facts = json.loads(contents[".json"])
        refused = 0
        with VariationalAutoencoder(*model, seed=3) as vae:
            before = weights(vae)
            for _ in range(MUTATIONS):
                ending = chance.choice(list(contents))
                data = bytearray(contents[ending])
                for _ in range(chance.randint(1, 3)):
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                for each, content in contents.items():
                    target = tmp_path / f"model{each}"
                    target.write_bytes(data if each == ending else content)
                if wrote == "this project" and ending != ".json":
                    digests = {
                        f"model{e}": files.digest(tmp_path / f"model{e}") for e in store.SUFFIXES
                    }
                    (tmp_path / "model.json").write_text(json.dumps({**facts, "sha256": digests}))
                refused += self.refused_or_whole(vae, tmp_path / "model", before)
                before = weights(vae)
        assert refused > MUTATIONS / 2

    def refuses(self, vae, saved):
        try:
            store.check_agreement(saved)
            store.restore(vae, saved)
        except CheckpointError:
            return True
        return False

    @pytest.mark.full
    @pytest.mark.parametrize("wrong", [LIES[:3], LIES])
    def test_json_that_lies(self, saved, tmp_path, wrong):
        facts = json.loads(Path(f"{saved}.json").read_text())
        for ending in store.SUFFIXES:
            shutil.copy(f"{saved}{ending}", tmp_path / f"model{ending}")
        tried = 0
        for where in (facts, facts["fit"]):
            for key, right in list(where.items()):
                for value in wrong:
                    where[key] = value
                    (tmp_path / "model.json").write_text(json.dumps(facts))
                    try:
                        VariationalAutoencoder.load(tmp_path / "model").close()
                    except CheckpointError as error:
                        assert "\n" not in str(error)
                    tried += 1
                del where[key]
                (tmp_path / "model.json").write_text(json.dumps(facts))
                try:
                    VariationalAutoencoder.load(tmp_path / "model").close()
                except CheckpointError as error:
                    assert "\n" not in str(error)
                where[key] = right
        assert tried > 15 * len(wrong)

    def test_tensors_that_are_missing_or_of_another_type_change_nothing(self, vae, saved):
        read = store.read(saved)
        before = weights(vae)
        for name in read.tensors:
            for value in (None, np.zeros((), np.int64), np.array([b"text"], object)):
                tensors = {k: v for k, v in read.tensors.items() if k != name}
                if value is not None:
                    tensors[name] = value
                lying = read._replace(tensors=tensors)
                if value is not None and name in ("vae_tf1/noise_key", "vae_tf1/global_step"):
                    continue  # an int64 scalar is what these are
                assert self.refuses(vae, lying), name
                assert_same(weights(vae), before)
