"""TensorBoard's files, read by TensorFlow's reader and by TensorBoard's own."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import TensorBoard, VariationalAutoencoder
from vae_tf1.training.loop import Loop

D, SIZES, BATCH = 16, [6, 2], 10
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((40, D)) < 0.3


@pytest.fixture(scope="module")
def written(X, tmp_path_factory):
    """The folder of a training with everything, and the model's own numbers."""
    folder = tmp_path_factory.mktemp("logs")
    with VariationalAutoencoder(D, SIZES, seed=1, optimizer="adam") as vae:
        before = vae.reconstruct(X[30:38])
        board = TensorBoard(folder, histograms=True, images=X[30:])
        vae.fit(X, 2, BATCH, validation_data=0.25, callbacks=[board], restore_best=False, **QUIET)
        return {
            "folder": folder,
            "costs": np.array(vae.costs),
            "history": list(vae.validation_history),
            "weights": vae.sess.run(vae.encoder_layers[0].W),
            "reconstructions": vae.reconstruct(X[30:38]),
            "before": before,
        }


def events(folder):
    """Return the events of a run, in the order of its files."""
    files = sorted(folder.glob("events.out.tfevents.*"))
    assert files
    return [event for file in files for event in tf.compat.v1.train.summary_iterator(str(file))]


def scalars(folder, tag):
    """Return the steps and values under a tag."""
    return [
        (event.step, value.simple_value)
        for event in events(folder)
        for value in event.summary.value
        if value.tag == tag
    ]


def summary(folder, tag, step):
    (found,) = [
        value
        for event in events(folder)
        for value in event.summary.value
        if value.tag == tag and event.step == step
    ]
    return found


class TestWhatIsWritten:
    def test_the_curves_of_training_and_validation(self, written):
        steps, values = zip(*scalars(written["folder"] / "train", "elbo"), strict=True)
        assert steps == (3, 6)
        np.testing.assert_allclose(values, written["costs"].reshape(2, 3).mean(1), rtol=1e-6)
        for tag in ("elbo", "reconstruction", "kl", "active_units"):
            found = scalars(written["folder"] / "validation", tag)
            expected = [(v.step, getattr(v, tag)) for v in written["history"]]
            np.testing.assert_allclose(found, expected, rtol=1e-6)

    def test_the_learning_rate(self, written):
        found = scalars(written["folder"] / "train", "learning_rate")
        np.testing.assert_allclose(found, [(3, 0.001), (6, 0.001)], rtol=1e-6)

    def test_a_histogram_of_each_weight(self, written):
        weights = written["weights"]
        histogram = summary(written["folder"] / "train", "encoder/layer_1/W", 6).histo
        assert histogram.num == weights.size
        assert histogram.min == pytest.approx(weights.min())
        assert histogram.max == pytest.approx(weights.max())
        assert histogram.sum == pytest.approx(weights.sum(dtype=np.float64), rel=1e-5)

    def test_originals_above_their_reconstructions(self, written, X):
        image = summary(written["folder"] / "train", "reconstructions", 6).image
        assert (image.height, image.width) == (8, 32)
        pixels = tf.io.decode_png(image.encoded_image_string).numpy()[..., 0] / 255
        for row, expected in ((0, X[30:38]), (1, written["reconstructions"])):
            line = pixels[4 * row : 4 * row + 4].reshape(4, 8, 4).swapaxes(0, 1).reshape(8, 16)
            np.testing.assert_allclose(line, expected, atol=0.5 / 255 + 1e-6)

    def test_the_images_of_the_same_codes_each_time(self, written):
        folder = written["folder"] / "train"
        images = [summary(folder, "samples", step).image for step in (3, 6)]
        assert {(image.height, image.width) for image in images} == {(4, 32)}
        assert images[0].encoded_image_string != images[1].encoded_image_string

    def test_the_graph(self, written):
        (graph,) = [e.graph_def for e in events(written["folder"] / "train") if e.graph_def]
        names = {node.name for node in tf.compat.v1.GraphDef.FromString(graph).node}
        assert {"X", "Z_input"} < names

    def test_tensorboard_reads_it(self, written):
        accumulator = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator", exc_type=ImportError
        )
        train = accumulator.EventAccumulator(str(written["folder"] / "train"))
        train.Reload()
        tags = train.Tags()
        assert {"elbo", "learning_rate"} <= set(tags["scalars"])
        assert {"samples", "reconstructions"} <= set(tags["images"])
        assert len(tags["histograms"]) == 8
        assert tags["graph"]
        assert [scalar.step for scalar in train.Scalars("elbo")] == [3, 6]


class TestTraining:
    @pytest.mark.full
    def test_is_the_same_with_and_without(self, X, tmp_path):
        results = []
        for options in ({}, {"log_dir": tmp_path}):
            with VariationalAutoencoder(D, SIZES, seed=1) as vae:
                results.append((vae.fit(X, 2, BATCH, **QUIET, **options), vae.transform(X)))
        assert results[0][0] == results[1][0]
        np.testing.assert_array_equal(results[0][1], results[1][1])
        assert {value.tag for e in events(tmp_path / "train") for value in e.summary.value} == {
            "elbo", "learning_rate", "samples", "reconstructions",
        }  # fmt: skip

    @pytest.mark.full
    def test_a_resumed_training_goes_on_in_a_new_file(self, X, tmp_path, monkeypatch):
        run = Loop.run

        def dying(loop, images):
            if len(images) and loop._model.sess.run(loop._model.global_step) >= 8:
                raise KeyboardInterrupt
            return run(loop, images)

        options = {"checkpoint_dir": tmp_path / "run", "log_dir": tmp_path / "logs", **QUIET}
        with monkeypatch.context() as patch, VariationalAutoencoder(D, SIZES, seed=1) as vae:
            patch.setattr(Loop, "run", dying)
            with pytest.raises(KeyboardInterrupt):
                vae.fit(X, 3, BATCH, **options)
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae.fit(X, 3, BATCH, **options)
            means = np.array(vae.costs).reshape(3, 4).mean(1)
        found = scalars(tmp_path / "logs" / "train", "elbo")
        np.testing.assert_allclose(found, list(zip((4, 8, 12), means, strict=True)), rtol=1e-6)
        starts = [e.step for e in events(tmp_path / "logs" / "train") if e.session_log.status == 1]
        assert starts == [1, 9]

    @pytest.mark.full
    def test_tensorboard_drops_what_a_killed_training_wrote_beyond_its_checkpoint(
        self, X, tmp_path
    ):
        accumulator = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator", exc_type=ImportError
        )
        options = {"log_dir": tmp_path / "logs", **QUIET}
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae.fit(X, 1, BATCH, **options)
            path = vae.save(tmp_path / "model")  # of epoch 1, while the files have three
            vae.fit(X, 2, BATCH, **options)
            costs = np.array(vae.costs).reshape(3, 4).mean(1)
        with VariationalAutoencoder.load(path) as vae:
            vae.fit(X, 1, BATCH, **options)
        train = accumulator.EventAccumulator(str(tmp_path / "logs" / "train"))
        train.Reload()
        assert [scalar.step for scalar in train.Scalars("elbo")] == [4, 8]
        values = [scalar.value for scalar in train.Scalars("elbo")]
        np.testing.assert_allclose(values, costs[:2], rtol=1e-6)

    def test_images_that_are_no_squares_are_left_out(self, tmp_path):
        X = np.random.default_rng(0).random((20, 15)) < 0.3
        with VariationalAutoencoder(15, [2], seed=1) as vae:
            vae.fit(X, 1, BATCH, log_dir=tmp_path, **QUIET)
        tags = {value.tag for e in events(tmp_path / "train") for value in e.summary.value}
        assert tags == {"elbo", "learning_rate"}


@pytest.mark.parametrize("path", [3, "", None])
def test_what_is_no_folder_is_refused(path):
    with pytest.raises(TypeError, match="log_dir must be the path of a folder"):
        TensorBoard(path)
