"""A training can be stopped in any way, at any moment, and goes on as if it had not been."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from support.kinds import full_except

from vae_tf1 import VariationalAutoencoder
from vae_tf1.checkpoint import files
from vae_tf1.checkpoint.store import Writer
from vae_tf1.data.rows import as_rows
from vae_tf1.errors import CheckpointError
from vae_tf1.model import noise
from vae_tf1.training.autosave import Autosave
from vae_tf1.training.loop import Loop
from vae_tf1.training.run import Run
from vae_tf1.training.trainer import Trainer

D, SIZES, BATCH, EPOCHS = 12, [6, 2], 10, 6
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((100, D)) < 0.3


def new_model(seed=1):
    """Return a model that trains four steps at a time: what is saved depends on it, no bit does."""
    vae = VariationalAutoencoder(D, SIZES, seed=seed)
    vae._trainer = Trainer(vae, chunk_steps=4, chunk_seconds=1e9)
    return vae


def state(vae):
    slots = [vae.optimizer.get_slot(v, s) for v in vae.variables for s in ("rms", "momentum")]
    return vae.sess.run([*vae.variables, *slots, vae.global_step])


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.fixture(scope="module")
def whole(X):
    """A training that was left alone: costs and final state."""
    with new_model() as vae:
        costs = vae.fit(X, epochs=EPOCHS, batch_sz=BATCH, **QUIET)
        return costs, state(vae)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


def stop_after(steps, monkeypatch, error=KeyboardInterrupt):
    """Let the loop die when it has made at least so many steps."""
    run = Loop.run

    def dying(loop, images):
        if len(images) and loop._model.sess.run(loop._model.global_step) >= steps:
            raise error
        return run(loop, images)

    monkeypatch.setattr(Loop, "run", dying)


def fit(vae, X, folder, **options):
    options = {"epochs": EPOCHS, "batch_sz": BATCH, "save_every": 1e-9, **QUIET, **options}
    return vae.fit(X, checkpoint_dir=folder, **options)


@pytest.fixture(scope="module")
def stopped_once(X, tmp_path_factory):
    """A folder with the checkpoints of a training that was stopped in its third epoch."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch, new_model() as vae:
        stop_after(24, patch)
        with pytest.raises(KeyboardInterrupt):
            fit(vae, X, folder)
    assert [p.name for p in sorted(folder.glob("step-*"))] == [
        "step-00000018", "step-00000020", "step-00000024",
    ]  # fmt: skip
    return folder


@pytest.fixture
def stopped(stopped_once, folder):
    """A copy of that folder for each test."""
    return Path(shutil.copytree(stopped_once, folder))


class TestResume:
    def test_carries_on_in_the_middle_of_an_epoch(self, stopped, X, whole, capsys):
        with new_model() as vae:
            costs = fit(vae, X, stopped, progress=True)
            assert costs == vae.costs == whole[0]
            assert_same(state(vae), whole[1])
        assert capsys.readouterr().out.startswith("resumed at epoch 3, step 24\n")

    @pytest.mark.parametrize("kills", full_except([2, 5], 2))
    def test_killed_with_kill_9_again_and_again_it_ends_in_the_same_bits(self, tmp_path, kills):
        if not hasattr(os, "fork"):
            pytest.skip("needs fork")
        script = Path(__file__).parents[1] / "support" / "training_that_dies.py"
        command = [sys.executable, script, tmp_path / "run", str(kills), "0"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        expected, killed, digest = done.stdout.split()
        assert int(killed) == kills
        assert digest == expected

    @pytest.mark.full
    def test_a_model_without_a_seed_of_its_own_takes_the_trainings(self, stopped, X, whole):
        with VariationalAutoencoder(D, SIZES) as vae:
            fit(vae, X, stopped)
            assert vae.seed == 1
            assert_same(state(vae), whole[1])

    def test_more_epochs_go_on_and_no_more_leave_nothing_to_do(self, X, folder, whole):
        with new_model() as vae:
            fit(vae, X, folder, epochs=2)
        with new_model() as vae:
            assert fit(vae, X, folder) == whole[0]
            assert_same(state(vae), whole[1])
        with new_model() as vae, pytest.warns(RuntimeWarning, match="nothing left to train: 6"):
            assert fit(vae, X, folder) == whole[0]

    @pytest.mark.repeats
    def test_further_epochs_in_a_loop_end_in_the_bits_of_one_training(self, X, folder, whole):
        costs = []
        for _ in range(EPOCHS // 2):
            with new_model() as vae:
                costs += fit(vae, X, folder, more_epochs=2)
                end = state(vae)
        assert costs == whole[0]
        assert_same(end, whole[1])

    @pytest.mark.full
    def test_a_training_that_began_with_a_trained_model(self, X, folder, whole, monkeypatch):
        with new_model() as vae, monkeypatch.context() as patch:
            vae.fit(X, epochs=2, batch_sz=BATCH, **QUIET)
            vae.save(folder / "before")
            stop_after(30, patch)
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, folder, epochs=4)
        with VariationalAutoencoder(D, SIZES) as vae:
            assert fit(vae, X, folder, epochs=4) == whole[0][20:]
            assert vae.costs == whole[0]
            assert_same(state(vae), whole[1])

    @pytest.mark.repeats
    def test_in_the_same_process_after_ctrl_c(self, X, folder, whole, monkeypatch):
        with new_model() as vae:
            with monkeypatch.context() as patch:
                stop_after(24, patch)
                with pytest.raises(KeyboardInterrupt):
                    fit(vae, X, folder)
            assert fit(vae, X, folder) == whole[0]
            assert_same(state(vae), whole[1])

    def test_load_takes_the_newest_checkpoint_of_a_training(self, stopped):
        with VariationalAutoencoder.load(stopped) as vae:
            assert len(vae.costs) == vae.sess.run(vae.global_step) == 24
            assert vae.epochs_done == 2

    def test_only_the_last_few_stay(self, X, folder):
        with new_model() as vae:
            fit(vae, X, folder, keep=2)
        names = sorted(p.name for p in folder.iterdir())
        assert names == ["lock", "step-00000058", "step-00000060"]

    @pytest.mark.full
    def test_saves_at_the_beginning_and_the_end_however_rare(self, X, folder):
        with new_model() as vae:
            fit(vae, X, folder, save_every=1e9)
        assert [p.name for p in sorted(folder.glob("step-*"))] == ["step-00000000", "step-00000060"]


class TestSignals:
    @pytest.mark.full
    def test_sigterm_saves_and_then_ends_the_process(self, tmp_path):
        code = f"""
import numpy as np
from vae_tf1 import VariationalAutoencoder
X = np.random.default_rng(0).random((100, {D})) < 0.3
vae = VariationalAutoencoder({D}, {SIZES}, seed=1)
options = dict(plot=False, compile=False, checkpoint_dir={str(tmp_path)!r}, save_every=1e9)
vae.fit(X, 10**4, {BATCH}, **options)
"""
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout.readline().startswith(b"epoch 1/")
        process.terminate()
        process.communicate()
        assert process.returncode == -signal.SIGTERM
        with VariationalAutoencoder.load(tmp_path) as vae:
            assert len(vae.costs) == vae.sess.run(vae.global_step) > 0

    def test_ctrl_c_saves(self, X, folder):
        with new_model() as vae:

            def press_ctrl_c():
                while len(vae.costs) < 8:
                    time.sleep(0.001)
                os.kill(os.getpid(), signal.SIGINT)

            threading.Thread(target=press_ctrl_c).start()
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, folder, epochs=10**4, save_every=1e9, compile=False)
            steps = len(vae.costs)
        with VariationalAutoencoder.load(folder) as loaded:
            assert len(loaded.costs) == steps >= 8

    @pytest.mark.repeats
    def test_a_signal_that_comes_during_a_save_waits_for_the_next(self, X, folder):
        """Else it would be delivered with steps that are not on the disk."""
        save_if_due = Run.save_if_due

        def signal_during_save(run, now=False):
            if run.steps_done == 8 and not now:
                signal.raise_signal(signal.SIGINT)
            save_if_due(run, now)

        with new_model() as vae, pytest.MonkeyPatch.context() as patch:
            patch.setattr(Run, "save_if_due", signal_during_save)
            patch.setattr(Run, "__exit__", lambda run, *_: run._autosave.close())
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, folder, save_every=1e9)
            steps = len(vae.costs)
        with VariationalAutoencoder.load(folder) as loaded:
            assert len(loaded.costs) == steps > 8


class TestRefused:
    @pytest.mark.repeats
    def test_two_trainings_in_one_folder(self, X, folder):
        with new_model() as first, new_model() as second:
            run = Run(first, as_rows(X, D), BATCH, Autosave(Writer(first), folder))
            message = f"{folder} is in use: process {os.getpid()} is training there"
            with run, pytest.raises(CheckpointError, match=re.escape(message)):
                fit(second, X, folder)
            fit(second, X, folder, epochs=1)  # the first has ended

    def test_other_data_batches_seed_or_model(self, stopped, X):
        other = X.copy()
        other[0] = ~other[0]
        with new_model() as vae:
            for data, options, message in (
                (other, {}, "other data of the same size"),
                (X[:-1], {}, "on 100 rows, not 99"),
                (X, {"batch_sz": 5}, "batches of 10, not 5"),
            ):
                with pytest.raises(CheckpointError, match=message):
                    fit(vae, data, stopped, **options)
            assert vae.sess.run(vae.global_step) == 0
        for model, message in (
            (new_model(seed=2), "with seed 1, not 2"),
            (VariationalAutoencoder(D, SIZES, kl="monte_carlo"), "another kl"),
            (VariationalAutoencoder(D, [5, 2]), "W of encoder layer 1"),
        ):
            with model, pytest.raises(CheckpointError, match=message):
                fit(model, X, stopped)

    def test_a_model_that_has_learned_something_else_is_not_overwritten(self, stopped, X):
        with new_model() as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
            before = state(vae)
            with pytest.raises(
                CheckpointError, match=r"at step 10, the newest checkpoint.*step 24"
            ):
                fit(vae, X, stopped)
            assert_same(state(vae), before)

    def test_a_folder_that_cannot_be_used_is_told_before_training(self, X, tmp_path):
        (tmp_path / "file").write_text("")
        with new_model() as vae:
            with pytest.raises(CheckpointError, match="cannot use"):
                fit(vae, X, tmp_path / "file")
            assert vae.costs == []


class TestFaults:
    @pytest.mark.parametrize(
        "harm", full_except(["truncated", "bit", "gone", "manifest"], "bit", "manifest")
    )
    def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_used(
        self, stopped, X, whole, harm
    ):
        file = stopped / "step-00000024" / "model.data-00000-of-00001"
        content = bytearray(file.read_bytes())
        if harm == "truncated":
            file.write_bytes(content[:-7])
        elif harm == "bit":
            content[100] ^= 1
            file.write_bytes(content)
        elif harm == "gone":
            file.unlink()
        else:
            file = file.with_name("model.json")
            file.write_text(file.read_text()[:50])
        with new_model() as vae:
            with pytest.warns(RuntimeWarning, match=re.escape(str(file))):
                fit(vae, X, stopped)
            assert_same(state(vae), whole[1])
        with new_model() as vae, pytest.warns(RuntimeWarning) as said:
            fit(vae, X, stopped)  # the damaged one has gone
        assert [str(w.message).partition(":")[0] for w in said] == ["nothing left to train"]

    def test_where_all_are_damaged_nothing_is_overwritten(self, stopped, X):
        for file in stopped.glob("step-*/model.index"):
            file.write_bytes(b"")
        with new_model() as vae, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            with pytest.raises(CheckpointError, match=r"step-00000024.*damaged"):
                fit(vae, X, stopped)
        assert len(list(stopped.glob("step-*"))) == 3

    def test_what_a_killed_save_left_is_cleared_away(self, stopped, X, whole):
        shutil.copytree(stopped / "step-00000024", stopped / ".unfinished")
        with new_model() as vae:
            fit(vae, X, stopped)
            assert_same(state(vae), whole[1])
        assert not (stopped / ".unfinished").exists()

    def test_a_full_disk_is_a_warning_and_training_goes_on(self, X, folder, whole, monkeypatch):
        full = [False]
        flush = files.flush_to_disk

        def flush_unless_full(path):
            if full[0]:
                raise OSError(28, "No space left on device")
            flush(path)

        monkeypatch.setattr(files, "flush_to_disk", flush_unless_full)
        run = Loop.run

        def fill_up(loop, images):
            full[0] = loop._model.sess.run(loop._model.global_step) >= 20
            return run(loop, images)

        monkeypatch.setattr(Loop, "run", fill_up)
        with new_model() as vae:
            with pytest.warns(RuntimeWarning, match="No space left.*before it is still good"):
                assert fit(vae, X, folder) == whole[0]
            assert_same(state(vae), whole[1])
        with VariationalAutoencoder.load(folder) as vae:
            assert vae.sess.run(vae.global_step) == 20
        full[0] = False
        monkeypatch.setattr(Loop, "run", run)
        with new_model() as vae:
            assert fit(vae, X, folder) == whole[0]
            assert_same(state(vae), whole[1])

    def test_a_folder_that_cannot_be_written_stops_before_training(self, X, folder, monkeypatch):
        def fail(path):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(files, "flush_to_disk", fail)
        with new_model() as vae:
            with pytest.raises(CheckpointError, match="Read-only file system"):
                fit(vae, X, folder)
            assert vae.costs == []

    def test_an_elbo_that_is_not_finite_saves_the_steps_before_it(self, folder):
        X = np.zeros((60, D), np.float32)
        X[:, 1] = 1
        X[noise.minibatch_order(1, 0, 60)[33], 0] = 1
        with new_model() as vae:
            W = vae.sess.run(vae.variables[0])
            W[0] = 1e30
            with vae.graph.as_default():
                vae.variables[0].load(W, vae.sess)
            with pytest.raises(FloatingPointError, match="step 4, in epoch 1"):
                fit(vae, X, folder)
        with VariationalAutoencoder.load(folder) as vae:
            assert len(vae.costs) == 3
            assert all(np.isfinite(a).all() for a in state(vae))
