"""Dynamic binarisation: a function of (seed, epoch, row), and never mixed with another protocol."""

import json

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import VariationalAutoencoder
from vae_tf1.data.binarization import binarize
from vae_tf1.data.rows import as_rows
from vae_tf1.errors import CheckpointError
from vae_tf1.model import noise
from vae_tf1.model.noise import Stream
from vae_tf1.training.binarization import Binarizer
from vae_tf1.training.loop import Loop
from vae_tf1.training.trainer import Trainer

D, SIZES, BATCH = 12, [6, 2], 10
QUIET = {"progress": False, "plot": False, "binarization": "dynamic"}


@pytest.fixture(scope="module")
def X():
    """Grey images with black and white among them."""
    grey = np.random.default_rng(0).integers(0, 256, (60, D))
    grey[:, 0], grey[:, 1] = 0, 255
    return grey / np.float32(255)


def new_model(seed=1):
    vae = VariationalAutoencoder(D, SIZES, seed=seed)
    vae._trainer = Trainer(vae, chunk_steps=4, chunk_seconds=1e9)
    return vae


@pytest.fixture(scope="module")
def shared():
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        yield vae


@pytest.fixture(scope="module")
def whole(X):
    """A training that was left alone: costs and weights."""
    with new_model() as vae:
        costs = vae.fit(X, epochs=4, batch_sz=BATCH, **QUIET)
        return costs, vae.sess.run(vae.variables)


def reference(X, seed, epoch):
    """Draw with TensorFlow's kernel, called once a row, and exact rational thresholds."""
    counters = -(-D // 8)
    rows = []
    for row, grey in enumerate(np.rint(X * 255).astype(int)):
        words = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=[4 * counters],
            key=tf.constant([noise.key(seed, Stream.BINARIZATION)], tf.uint64),
            counter=tf.constant([row * counters, epoch], tf.uint64),
            alg=1,
            dtype=tf.uint32,
        ).numpy()
        bits = np.stack([words & 0xFFFF, words >> 16], 1).ravel()[:D].astype(int)
        rows.append(grey * 257 >= np.maximum(bits, 1))
    return np.array(rows)


class TestDraws:
    @pytest.mark.eager
    def test_are_a_function_of_seed_epoch_and_row(self, X, shared):
        rows = Binarizer(shared).rows(as_rows(X, D), "dynamic")
        first, second = (rows.of_epoch(epoch).take(np.arange(60)) for epoch in (0, 1))
        np.testing.assert_array_equal(first, reference(X, 1, 0))
        np.testing.assert_array_equal(second, reference(X, 1, 1))
        assert (first != second).any()
        with VariationalAutoencoder(D, SIZES, seed=2) as other:
            rows = Binarizer(other).rows(as_rows(X, D), "dynamic")
            np.testing.assert_array_equal(rows.of_epoch(0).take(slice(None)), reference(X, 2, 0))

    @pytest.mark.eager
    def test_are_the_same_for_rows_that_do_not_fit_into_memory(self, X, shared, tmp_path):
        mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=X.shape)
        mapped[:] = X
        rows = Binarizer(shared).rows(as_rows(mapped, D), "dynamic")
        order = np.random.default_rng(1).permutation(60)
        expected = reference(X, 1, 5)
        np.testing.assert_array_equal(rows.of_epoch(5).take(order), expected[order])
        np.testing.assert_array_equal(rows.of_epoch(5).take(slice(7, 20)), expected[7:20])

    def test_have_the_grey_values_as_their_means(self, shared):
        levels = np.arange(0, 256, 23)[:D]
        X = np.tile(levels / np.float32(255), (1024, 1))
        rows = Binarizer(shared).rows(as_rows(X, D), "dynamic")
        n = 40
        mean = np.mean([rows.of_epoch(e).take(slice(None)).mean(0) for e in range(n)], 0)
        p = levels / 255
        deviation = np.sqrt(p * (1 - p) / (n * 1024))
        assert (abs(mean - p) <= 4 * deviation + 2**-16).all()
        assert mean[0] == 0
        assert (rows.of_epoch(0).take(slice(None)) <= (p > 0)).all()

    def test_black_stays_black_and_white_white(self, shared):
        X = np.zeros((5000, D), np.float32)
        X[:, 6:] = 1
        X[0, 0] = 0.5  # grey: else there is nothing to draw
        rows = Binarizer(shared).rows(as_rows(X, D), "dynamic")
        for epoch in range(4):
            drawn = rows.of_epoch(epoch).take(slice(None))
            np.testing.assert_array_equal(drawn[1:], X[1:])


class TestTraining:
    @pytest.mark.eager
    def test_sees_each_epochs_own_draw(self, X, whole):
        """Step by step, on the images of the reference."""
        with new_model() as vae:
            for epoch in range(2):
                drawn = reference(X, 1, epoch)
                for indices in noise.minibatch_order(1, epoch, 60).reshape(-1, BATCH):
                    _, elbo = vae.sess.run((vae.train_op, vae.elbo), {vae.X: drawn[indices]})
                    vae.costs.append(elbo / BATCH)
            np.testing.assert_allclose(vae.costs, whole[0][:12], rtol=1e-5)

    def test_same_bits_whatever_the_chunk_size(self, X, whole):
        for steps in (1, 64):
            with new_model() as vae:
                vae._trainer = Trainer(vae, chunk_steps=steps)
                assert vae.fit(X, epochs=4, batch_sz=BATCH, **QUIET) == whole[0]

    @pytest.mark.repeats
    def test_stopped_in_an_epoch_and_resumed_it_ends_in_the_same_bits(
        self, X, whole, tmp_path, monkeypatch
    ):
        run = Loop.run

        def dying(loop, images):
            if len(images) and loop._model.sess.run(loop._model.global_step) >= 10:
                raise KeyboardInterrupt
            return run(loop, images)

        arguments = {"checkpoint_dir": tmp_path, "save_every": 1e-9, **QUIET}
        with monkeypatch.context() as patch, new_model() as vae:
            patch.setattr(Loop, "run", dying)
            with pytest.raises(KeyboardInterrupt):
                vae.fit(X, 4, BATCH, **arguments)
        with VariationalAutoencoder(D, SIZES) as vae:  # takes its seed from the folder
            assert vae.fit(X, 4, BATCH, **arguments) == whole[0]
            for ours, expected in zip(vae.sess.run(vae.variables), whole[1], strict=True):
                np.testing.assert_array_equal(ours, expected)

    def test_what_was_used_is_printed_and_saved(self, X, capsys, tmp_path):
        with new_model() as vae:
            vae.fit(X, 1, BATCH, **{**QUIET, "progress": True})
            vae.save(tmp_path / "model")
        assert capsys.readouterr().out.startswith("binarization: dynamic\nepoch 1/1: ELBO")
        assert json.loads((tmp_path / "model.json").read_text())["binarization"] == "dynamic"
        with VariationalAutoencoder.load(tmp_path / "model") as vae:
            assert vae.state.binarization == "dynamic"

    @pytest.mark.full
    def test_threshold_and_fixed_are_those_of_the_loader(self, X):
        for protocol in ("threshold", "fixed"):
            costs = []
            for images in (X, binarize(X, protocol)):
                with new_model() as vae:
                    costs.append(vae.fit(images, 1, BATCH, **{**QUIET, "binarization": protocol}))
            assert costs[0] == costs[1]


class TestNeverMixed:
    @pytest.mark.repeats
    def test_in_one_folder(self, X, tmp_path):
        fixed = binarize(X, "fixed")
        with new_model() as vae:
            vae.fit(fixed, 1, BATCH, checkpoint_dir=tmp_path, **{**QUIET, "binarization": "fixed"})
        for images, protocol in ((X, "dynamic"), (fixed, "threshold"), (fixed, None)):
            options = {**QUIET, "binarization": protocol}
            with new_model() as vae:
                with pytest.raises(
                    CheckpointError, match=f"binarization='fixed', not {protocol!r}"
                ):
                    vae.fit(images, 2, BATCH, checkpoint_dir=tmp_path, **options)
                assert vae.costs == []
                assert vae.state.binarization is None

    def test_in_one_model(self, X):
        with new_model() as vae:
            vae.fit(X, 1, BATCH, **QUIET)
            for protocol in (None, "threshold"):
                with pytest.raises(ValueError, match="trained with binarization='dynamic', not"):
                    vae.fit(X, 1, BATCH, **{**QUIET, "binarization": protocol})
            assert len(vae.costs) == 6

    def test_binary_images_cannot_be_drawn(self, X, shared):
        with pytest.raises(ValueError, match="X is binary already"):
            shared.fit(X > 0.5, 1, BATCH, **QUIET)

    def test_an_unknown_protocol(self, X, shared):
        with pytest.raises(ValueError, match=r"binarization must be.*not 'random'"):
            shared.fit(X, 1, BATCH, **{**QUIET, "binarization": "random"})
