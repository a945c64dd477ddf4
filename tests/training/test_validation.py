"""Validation, early stopping, the best weights and callbacks: the same after a kill."""

import json
import math
import warnings

import numpy as np
import pytest
from support.kinds import full_except

from vae_tf1 import Callback, VariationalAutoencoder
from vae_tf1.data.binarization import binarize
from vae_tf1.data.rows import as_rows
from vae_tf1.errors import CheckpointError
from vae_tf1.model.state import Validated
from vae_tf1.training.loop import Loop
from vae_tf1.training.trainer import Trainer
from vae_tf1.training.validation import Validation

D, SIZES, BATCH, EPOCHS = 12, [6, 2], 10, 8
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((40, D)) < 0.3


@pytest.fixture(scope="module")
def valid():
    return np.random.default_rng(1).random((30, D)) < 0.3


def new_model(seed=1):
    """Return a model that learns its few images by heart, so that the validation turns."""
    vae = VariationalAutoencoder(D, SIZES, seed=seed, learning_rate=0.1)
    vae._trainer = Trainer(vae, chunk_steps=3, chunk_seconds=1e9)
    return vae


def weights(vae):
    return vae.sess.run(vae.variables)


def assert_same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


class Recorder(Callback):
    """Notes every moment, and the weights at the end of each epoch."""

    def __init__(self, stop_after=None):
        self.moments, self.logs, self.weights, self.stop_after = [], [], [], stop_after

    def on_train_begin(self, logs=None):
        self.moments.append("train begins")

    def on_train_end(self, logs=None):
        self.moments.append("train ends")

    def on_epoch_begin(self, epoch, logs=None):
        self.moments.append(f"{epoch} begins")

    def on_epoch_end(self, epoch, logs=None):
        self.moments.append(f"{epoch} ends")
        self.logs.append(dict(logs))
        self.weights.append(weights(self.model))
        if epoch == self.stop_after:
            self.model.stop_training = True


def fit(vae, X, valid, **options):
    options = {"epochs": EPOCHS, "batch_sz": BATCH, "validation_data": valid, **QUIET, **options}
    return vae.fit(X, **options)


def die_after(steps, monkeypatch):
    run = Loop.run

    def dying(loop, images):
        if len(images) and loop._model.sess.run(loop._model.global_step) >= steps:
            raise KeyboardInterrupt
        return run(loop, images)

    monkeypatch.setattr(Loop, "run", dying)


@pytest.fixture(scope="module")
def whole(X, valid):
    """A training that was left alone: costs, history, final weights, and what a callback saw."""
    seen = Recorder()
    with new_model() as vae:
        costs = fit(vae, X, valid, callbacks=[seen])
        return costs, list(vae.validation_history), weights(vae), seen


class TestHistory:
    def test_has_what_evaluate_says_after_each_epoch(self, X, valid, whole):
        costs, history = whole[:2]
        assert [(v.epoch, v.step) for v in history] == [(i, 4 * i) for i in range(1, EPOCHS + 1)]
        with new_model() as vae:
            vae.fit(X, 1, BATCH, **QUIET)
            assert history[0][2:5] == vae.evaluate(valid)
            assert vae.costs == costs[:4]  # validation changes no bit of the training
        assert all(v.elbo == pytest.approx(v.reconstruction - v.kl) for v in history)

    def test_counts_the_active_units(self, valid):
        """Of two units, one has a mean that is the same for every image."""
        with new_model() as vae:
            last = vae.encoder_layers[-1]
            W = vae.sess.run(last.W)
            W[:, 0] = 0
            with vae.graph.as_default():
                last.W.load(W, vae.sess)
            variance = vae.transform(valid).var(axis=0, dtype=np.float64)
            assert (variance > 0.01).tolist() == [False, True]
            validation = Validation(vae, vae._inference, as_rows(valid, D))
            assert validation._active_units() == 1

    def test_every_other_epoch(self, X, valid, whole):
        with new_model() as vae:
            fit(vae, X, valid, validation_every=3)
            assert vae.validation_history == [whole[1][2], whole[1][5]]

    @pytest.mark.repeats
    def test_a_fraction_is_the_end_of_the_data(self, X, valid):
        both = np.concatenate([X, valid])
        histories = []
        for data, validation_data in ((both, 30 / 70), (X, valid)):
            with new_model() as vae:
                costs = fit(vae, data, validation_data, epochs=2)
                histories.append((costs, list(vae.validation_history)))
        assert histories[0] == histories[1]

    @pytest.mark.repeats
    def test_grey_images_are_drawn_once_under_dynamic(self):
        grey = np.random.default_rng(2).integers(0, 256, (70, D)) / np.float32(255)
        with new_model() as vae:
            fit(vae, grey[:40], grey[40:], epochs=1, binarization="dynamic", restore_best=False)
            assert vae.validation_history[0][2:5] == vae.evaluate(binarize(grey[40:], "fixed"))

    def test_is_shown_with_each_epoch(self, X, valid, whole, capsys):
        with new_model() as vae:
            fit(vae, X, valid, epochs=1, progress=True)
        line = capsys.readouterr().out
        elbo = np.mean(whole[0][:4])
        expected = f"epoch 1/1: ELBO {elbo:.2f} nats per image, validation {whole[1][0].elbo:.2f}, "
        assert line.startswith(expected)

    @pytest.mark.repeats
    def test_comes_along_with_a_saved_model(self, X, valid, whole, tmp_path):
        with new_model() as vae:
            fit(vae, X, valid, epochs=2)
            path = vae.save(tmp_path / "model")
        with VariationalAutoencoder.load(path) as vae:
            assert vae.validation_history == whole[1][:2]
            assert isinstance(vae.validation_history[0], Validated)


class TestBestWeights:
    def test_are_those_of_the_best_validation(self, whole, valid):
        _, history, final, seen = whole
        best = int(np.argmax([v.elbo for v in history]))
        assert best < EPOCHS - 1  # else this would show nothing
        assert_same(final, seen.weights[best])

    def test_unless_the_last_ones_are_asked_for(self, X, valid, whole):
        with new_model() as vae:
            fit(vae, X, valid, restore_best=False)
            assert_same(weights(vae), whole[3].weights[-1])

    @pytest.mark.repeats
    @pytest.mark.parametrize("killed_at", full_except([10, 24, 30], 24))
    def test_survive_a_kill(self, X, valid, whole, tmp_path, monkeypatch, killed_at):
        """Within an epoch, at an epoch's end, and after the best one."""
        folder = {"checkpoint_dir": tmp_path, "save_every": 1e-9}
        with monkeypatch.context() as patch, new_model() as vae:
            die_after(killed_at, patch)
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, valid, **folder)
        with new_model() as vae:
            assert fit(vae, X, valid, **folder) == whole[0]
            assert vae.validation_history == whole[1]
            assert_same(weights(vae), whole[2])

    @pytest.mark.full
    def test_are_in_a_folder_of_their_own_and_the_training_goes_on_from_the_last(
        self, X, valid, whole, tmp_path
    ):
        with new_model() as vae:
            fit(vae, X, valid, epochs=5, checkpoint_dir=tmp_path)
            best = weights(vae)
        with VariationalAutoencoder.load(tmp_path / "best") as vae:
            assert_same(weights(vae), best)
        with new_model() as vae:
            fit(vae, X, valid, checkpoint_dir=tmp_path)
            assert vae.validation_history == whole[1]
            assert_same(weights(vae), whole[2])
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                fit(vae, X, valid, checkpoint_dir=tmp_path)  # nothing is left to do
            assert "nothing left to train" in str(said[0].message)
            assert_same(weights(vae), whole[2])

    @pytest.mark.repeats
    def test_an_epoch_that_was_saved_but_not_validated_is_validated_on_resuming(
        self, X, valid, whole, tmp_path, monkeypatch
    ):
        def killed(self):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, new_model() as vae:
            patch.setattr(Validation, "_active_units", killed)
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, valid, checkpoint_dir=tmp_path)
            assert len(vae.costs) == 4
        with new_model() as vae:
            fit(vae, X, valid, checkpoint_dir=tmp_path)
            assert vae.validation_history == whole[1]
            assert_same(weights(vae), whole[2])


class TestEarlyStopping:
    def expected_epochs(self, history, patience):
        """Return when the training stops, from the whole history."""
        best, waited = -math.inf, 0
        for validation in history:
            waited = 0 if validation.elbo > best else waited + 1
            best = max(best, validation.elbo)
            if waited == patience:
                return validation.epoch
        raise AssertionError("it never stops")

    def test_stops_when_patience_has_run_out(self, X, valid, whole):
        with new_model() as vae:
            fit(vae, X, valid, epochs=100, patience=2)
            stopped = vae.epochs_done
            assert stopped == self.expected_epochs(vae.validation_history, 2)
            assert vae.validation_history[: len(whole[1])] == whole[1][:stopped]

    @pytest.mark.full
    def test_counts_on_after_a_kill_and_does_not_go_on_once_it_has_stopped(
        self, X, valid, tmp_path, monkeypatch
    ):
        with new_model() as vae:
            fit(vae, X, valid, epochs=100, patience=3)
            expected = vae.costs, vae.validation_history, weights(vae)
        options = {"epochs": 100, "patience": 3, "checkpoint_dir": tmp_path, "save_every": 1e-9}
        with monkeypatch.context() as patch, new_model() as vae:
            die_after(len(expected[0]) - 5, patch)
            with pytest.raises(KeyboardInterrupt):
                fit(vae, X, valid, **options)
        with new_model() as vae:
            fit(vae, X, valid, **options)
            assert (vae.costs, vae.validation_history) == expected[:2]
            assert_same(weights(vae), expected[2])
        with new_model() as vae:
            with pytest.warns(RuntimeWarning, match="not improved for 3 validations"):
                fit(vae, X, valid, **options)
            assert vae.costs == expected[0]
            assert_same(weights(vae), expected[2])


class TestCallbacks:
    def test_are_told_each_moment(self, whole):
        moments = [f"{i} {what}" for i in range(EPOCHS) for what in ("begins", "ends")]
        assert whole[3].moments == ["train begins", *moments, "train ends"]

    def test_see_the_means_of_the_epoch_and_the_validation(self, whole):
        costs, history, _, seen = whole
        for i, (logs, validated) in enumerate(zip(seen.logs, history, strict=True)):
            assert logs["elbo"] == pytest.approx(np.mean(costs[4 * i : 4 * i + 4]), abs=1e-9)
            assert logs["val_elbo"] == validated.elbo
            assert logs["val_reconstruction"] == validated.reconstruction
            assert logs["val_kl"] == validated.kl
            assert logs["val_active_units"] == validated.active_units

    def test_may_stop_the_training_which_a_later_fit_takes_up(self, X, whole):
        seen = Recorder(stop_after=1)
        with new_model() as vae:
            assert vae.fit(X, EPOCHS, BATCH, callbacks=[seen], **QUIET) == whole[0][:8]
            assert seen.moments[-2:] == ["1 ends", "train ends"]
            assert vae.fit(X, EPOCHS - 2, BATCH, **QUIET) == whole[0][8:]

    @pytest.mark.repeats
    def test_may_be_functions_or_have_some_of_the_methods(self, X):
        epochs = []

        class Ends:
            def on_train_end(self, logs=None):
                epochs.append("end")

        with new_model() as vae:
            vae.fit(X, 2, BATCH, callbacks=[lambda e, logs: epochs.append(e), Ends()], **QUIET)
        assert epochs == [0, 1, "end"]

    @pytest.mark.repeats
    def test_an_epoch_that_a_kill_cut_in_two_has_the_mean_of_all_its_steps(
        self, X, whole, tmp_path, monkeypatch
    ):
        seen = Recorder()
        with monkeypatch.context() as patch, new_model() as vae:
            die_after(6, patch)
            with pytest.raises(KeyboardInterrupt):
                vae.fit(X, 2, BATCH, checkpoint_dir=tmp_path, **QUIET)
        with new_model() as vae:
            vae.fit(X, 2, BATCH, checkpoint_dir=tmp_path, callbacks=[seen], **QUIET)
        assert seen.moments == ["train begins", "1 ends", "train ends"]
        assert seen.logs[0]["elbo"] == whole[3].logs[1]["elbo"]


@pytest.fixture(scope="module")
def untrained():
    with new_model() as vae:
        yield vae
        assert vae.costs == []


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"validation_data": np.zeros((3, 5))}, "validation_data has rows of 5 values"),
            ({"validation_data": 1.5}, "fraction of X between 0 and 1, not 1.5"),
            ({"validation_data": 0}, "fraction of X between 0 and 1, not 0"),
            ({"validation_data": 0.001}, "leaves one part empty"),
            ({"validation_data": 0.9}, "fewer than one batch"),
            ({"validation_data": (np.zeros((3, D)), np.zeros((3, D)))}, "there are no targets"),
            ({"validation_data": "test.npy"}, "validation_data must be an array of numbers"),
            ({"validation_data": 0.5, "patience": 0}, "patience must be at least 1"),
            ({"validation_data": 0.5, "validation_every": 0.5}, "validation_every must be an int"),
            ({"validation_data": 0.5, "restore_best": "yes"}, "restore_best must be True or False"),
            ({"patience": 3}, "patience needs validation_data"),
            ({"callbacks": [3]}, "a callback must be a function"),
            ({"callbacks": [Callback]}, "not the class Callback itself"),
            ({"callbacks": 3}, "callbacks must be a list"),
        ],
    )
    def test_what_makes_no_sense(self, untrained, X, options, message):
        with pytest.raises((TypeError, ValueError), match=message):
            untrained.fit(X, 1, BATCH, **options, **QUIET)

    @pytest.mark.repeats
    def test_a_training_that_was_validated_on_other_data(self, X, valid, tmp_path):
        with new_model() as vae:
            fit(vae, X, valid, epochs=1, checkpoint_dir=tmp_path)
        with new_model() as vae:
            with pytest.raises(CheckpointError, match="validated on other data"):
                fit(vae, X, ~valid, epochs=2, checkpoint_dir=tmp_path)
            assert len(vae.costs) == 4

    @pytest.mark.repeats
    @pytest.mark.parametrize(
        "validation",
        [[], {"data": "x", "history": [[1, 2]]}, {"data": 1, "history": []},
         {"data": "x", "history": [[1, 4, -8.0, -7.0, "1", 2]]}],
    )  # fmt: skip
    def test_a_manifest_that_lies(self, X, valid, tmp_path, validation):
        with new_model() as vae:
            path = vae.save(tmp_path / "model")
        file = tmp_path / "model.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "validation": validation}))
        with pytest.raises(CheckpointError, match="validation is"):
            VariationalAutoencoder.load(path)
