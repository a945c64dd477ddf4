"""Names and argument orders from before TensorFlow 1.0 give what TensorFlow 0.12.1 gave.

`golden/legacy_names_tf012.npz` is what `scripts/names_before_tf1.py` writes under a
genuine TensorFlow 0.12.1 (on Python 2.7).
"""

import numpy as np
import pytest
from support.legacy_runs import SCRIPTS, run

from vae_tf1.legacy import tensorflow1

X = np.arange(6, dtype=np.float32).reshape(2, 3)
Y = 10 + X


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    path = tmp_path_factory.mktemp("names") / "ours.npz"
    done = run(SCRIPTS / "names_before_tf1.py", path)
    assert done.returncode == 0, done.stderr
    with np.load(path) as file:
        return path, dict(file)


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


@pytest.fixture
def value(tf):
    with tf.Session() as session:
        yield session.run


@pytest.mark.full
def test_everything_is_what_tensorflow_0_12_gave(golden_dir, ours):
    with np.load(golden_dir / "legacy_names_tf012.npz") as file:
        genuine = dict(file)
    assert len(genuine) > 40
    for key, expected in genuine.items():
        if expected.dtype.kind in "SU":
            assert ours[1][key].tolist() == expected.astype(str).tolist(), key
        else:
            np.testing.assert_allclose(ours[1][key], expected, rtol=1e-6, atol=1e-7, err_msg=key)


@pytest.mark.full
def test_a_summary_writer_writes_what_tensorboard_reads(ours, tf):
    (path,) = ours[0].parent.glob("ours.npz.logs/events*")
    events = list(tf.train.summary_iterator(str(path)))
    tags = {event.step: [v.tag for v in event.summary.value] for event in events if event.step}
    assert tags == {1: ["loss", "a", "b", "weights", "picture/image"], 2: ["loss", "a", "b"]}
    assert any(event.graph_def for event in events)


class TestConcat:
    @pytest.mark.parametrize(
        "call",
        [
            lambda tf: tf.concat(1, [X, Y]),
            lambda tf: tf.concat(1, values=[X, Y]),
            lambda tf: tf.concat(np.int64(1), (X, Y)),
            lambda tf: tf.concat(tf.constant(1), [X, Y]),
            lambda tf: tf.concat(concat_dim=1, values=[X, Y]),
            lambda tf: tf.concat(1, [X, Y], "name"),
            lambda tf: tf.concat([X, Y], 1),
            lambda tf: tf.concat([X, Y], axis=1),
            lambda tf: tf.concat([X, Y], -1, name="name"),
            lambda tf: tf.concat(values=[X, Y], axis=tf.constant(1)),
        ],
    )
    def test_both_orders(self, tf, value, call):
        assert (value(call(tf)) == np.concatenate([X, Y], 1)).all()

    def test_numbers_can_be_joined_in_the_new_order(self, tf, value):
        assert value(tf.concat([[1, 2], [3]], 0)).tolist() == [1, 2, 3]
        assert value(tf.concat(0, [[1, 2], [3]])).tolist() == [1, 2, 3]

    def test_bad_calls(self, tf):
        with pytest.raises(TypeError, match="concat needs 'axis'"):
            tf.concat([X, Y])
        with pytest.raises(TypeError, match="two values for 'axis'"):
            tf.concat([X, Y], 0, concat_dim=1, axis=1)
        with pytest.raises(TypeError, match="takes 3 arguments, but got 4"):
            tf.concat([X, Y], 0, "name", 1)


class TestSplit:
    @pytest.mark.parametrize(
        "call",
        [
            lambda tf: tf.split(1, 3, X),
            lambda tf: tf.split(1, 3, tf.constant(X)),
            lambda tf: tf.split(1, 3, value=X),
            lambda tf: tf.split(split_dim=1, num_split=3, value=X),
            lambda tf: tf.split(X, 3, 1),
            lambda tf: tf.split(tf.constant(X), 3, axis=1),
            lambda tf: tf.split(X, [1, 1, 1], 1),
            lambda tf: tf.split(value=X, num_or_size_splits=3, axis=-1),
        ],
    )
    def test_both_orders(self, tf, value, call):
        np.testing.assert_array_equal(value(call(tf)), np.split(X, 3, 1))

    def test_the_default_axis_is_the_first(self, tf, value):
        np.testing.assert_array_equal(value(tf.split(X, 2)), np.split(X, 2, 0))


class TestCrossEntropy:
    LOGITS = np.array([[0.3, -1.2], [2.0, 0.1]])
    LABELS = np.array([[1.0, 0.0], [0.25, 0.75]])

    def test_positional_means_logits_first(self, tf, value):
        z, x = self.LABELS, self.LOGITS
        expected = np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))
        function = tf.nn.sigmoid_cross_entropy_with_logits
        calls = (
            function(x, z),
            function(x, z, "name"),
            function(x, targets=z),
            function(logits=x, targets=z),
            function(labels=z, logits=x),
        )
        for got in value(calls):
            np.testing.assert_allclose(got, expected, rtol=1e-12)

    def test_softmax(self, tf, value):
        x, z = self.LOGITS, self.LABELS
        log_p = x - np.log(np.exp(x).sum(1, keepdims=True))
        softmax = tf.nn.softmax_cross_entropy_with_logits
        for got in value((softmax(x, z), softmax(x, z, -1), softmax(labels=z, logits=x))):
            np.testing.assert_allclose(got, -(z * log_p).sum(1), rtol=1e-12)
        sparse = tf.nn.sparse_softmax_cross_entropy_with_logits
        for got in value((sparse(x, [0, 1]), sparse(labels=[0, 1], logits=x))):
            np.testing.assert_allclose(got, [-log_p[0, 0], -log_p[1, 1]], rtol=1e-12)

    def test_bad_calls(self, tf):
        function = tf.nn.sigmoid_cross_entropy_with_logits
        with pytest.raises(ValueError, match="needs both labels and logits"):
            function(logits=self.LOGITS)
        with pytest.raises(TypeError, match="two values for logits"):
            function(self.LOGITS, logits=self.LOGITS)


class TestReverse:
    @pytest.mark.parametrize("axis", [[1], [False, True], np.array([False, True])])
    def test_axes_or_a_boolean_for_each(self, tf, value, axis):
        assert (value(tf.reverse(X, axis)) == X[:, ::-1]).all()
        assert (value(tf.reverse(X, dims=axis)) == X[:, ::-1]).all()


class TestOlderStill:
    """Names that went before 0.12."""

    def test_batched_linear_algebra(self, tf, value):
        a = np.array([[[2.0, 0.5], [0.5, 1.0]]])
        np.testing.assert_allclose(value(tf.batch_cholesky(a)), np.linalg.cholesky(a))
        np.testing.assert_allclose(value(tf.batch_matrix_inverse(a)), np.linalg.inv(a))
        np.testing.assert_allclose(value(tf.batch_matrix_diag([[1.0, 2.0]])), [np.diag([1, 2])])
        np.testing.assert_allclose(value(tf.batch_matrix_transpose(a)), a.transpose(0, 2, 1))
        np.testing.assert_allclose(value(tf.inv([2.0])), [0.5])

    def test_what_is_missing_names_what_took_its_place(self, tf):
        with pytest.raises(
            AttributeError, match=r"'merge_all_summary'.*merge_all_summaries"
        ) as info:
            tf.merge_all_summary()
        assert "\n" not in str(info.value)
