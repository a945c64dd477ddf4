"""`tf.layers`, `tf.contrib.layers`, `slim` and the recurrent cells compute what TF1 computed.

`golden/legacy_layers.npz` and `golden/legacy_cells.npz` are what `scripts/layers.py` and
`scripts/cells.py` write under a genuine TensorFlow 1.15.5 (`python layers.py legacy_layers.npz`):
for each case the variables, and, with weights that are set to known numbers, output, gradient,
regularization losses and moving averages. TensorFlow 1.4.1 gives the same layers.
"""

import json
import math

import numpy as np
import pytest
from support.legacy_runs import SCRIPTS, run

from vae_tf1.legacy import tensorflow1


def load(path):
    """Return the names and the arrays of a file that `layers.py` wrote."""
    with np.load(path) as file:
        names, values = json.loads(str(file["names"])), file["values"]
    arrays, start = {}, 0
    for key, shape in names["arrays"]:
        size = math.prod(shape)
        arrays[key] = values[start : start + size].reshape(shape)
        start += size
    return names, arrays


@pytest.fixture(scope="module", params=["layers", "cells"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def genuine(golden_dir, name):
    return load(golden_dir / f"legacy_{name}.npz")


@pytest.fixture(scope="module")
def ours(tmp_path_factory, name):
    path = tmp_path_factory.mktemp(name) / f"{name}.npz"
    done = run(SCRIPTS / f"{name}.py", path, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    return load(path)


@pytest.fixture
def tf():
    with tensorflow1() as module:
        yield module


@pytest.mark.full
class TestAgainstGenuineTF1:
    def test_the_same_cases_ran(self, genuine, ours):
        assert ours[0]["arrays"] == genuine[0]["arrays"]
        assert len(genuine[0]["outputs"]) >= 29

    def test_variables_have_the_same_names_shapes_order_and_collections(self, genuine, ours):
        assert ours[0]["variables"] == genuine[0]["variables"]

    def test_static_shapes_of_the_outputs(self, genuine, ours):
        assert ours[0]["static_shapes"] == genuine[0]["static_shapes"]

    def test_number_of_update_ops(self, genuine, ours):
        assert ours[0]["updates"] == genuine[0]["updates"]

    def test_outputs_are_fetched_by_the_same_names(self, genuine, ours):
        assert ours[0]["outputs"] == genuine[0]["outputs"]

    def test_outputs_gradients_losses_and_averages(self, genuine, ours):
        for key, expected in genuine[1].items():
            tolerance = 1e-5 * max(1.0, np.abs(expected).max())
            np.testing.assert_allclose(ours[1][key], expected, rtol=0, atol=tolerance, err_msg=key)


def draw(tf, initializer, shape):
    with tf.Session() as session:
        return session.run(initializer(shape)).astype(np.float64)


# The variance of a normal cut at two standard deviations.
CUT = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))


class TestInitialisers:
    @pytest.mark.parametrize(
        ("shape", "fan_in", "fan_out"),
        [((300, 500), 300, 500), ((3, 5, 60, 90), 15 * 60, 15 * 90)],
    )
    def test_xavier_is_uniform_with_the_variance_of_glorot(self, tf, shape, fan_in, fan_out):
        w = draw(tf, tf.contrib.layers.xavier_initializer(seed=1), shape)
        limit = math.sqrt(6 / (fan_in + fan_out))
        assert 0.999 * limit < np.abs(w).max() <= limit
        assert np.var(w) == pytest.approx(limit**2 / 3, rel=0.02)
        assert np.mean(w) == pytest.approx(0, abs=5 * limit / math.sqrt(3 * w.size))

    def test_xavier_normal(self, tf):
        w = draw(tf, tf.contrib.layers.xavier_initializer(uniform=False, seed=2), (300, 500))
        assert np.var(w) == pytest.approx(1.3 * CUT * 2 / 800, rel=0.02)

    @pytest.mark.parametrize(("mode", "n"), [("FAN_IN", 300), ("FAN_OUT", 500), ("FAN_AVG", 400)])
    def test_variance_scaling(self, tf, mode, n):
        make = tf.contrib.layers.variance_scaling_initializer
        normal = draw(tf, make(factor=2.0, mode=mode, seed=3), (300, 500))
        stddev = math.sqrt(1.3 * 2 / n)
        assert np.var(normal) == pytest.approx(CUT * stddev**2, rel=0.02)
        assert 1.9 * stddev < np.abs(normal).max() <= 2.0001 * stddev
        uniform = draw(tf, make(factor=1.0, mode=mode, uniform=True, seed=3), (300, 500))
        assert np.var(uniform) == pytest.approx(1 / n, rel=0.02)
        assert np.abs(uniform).max() <= math.sqrt(3 / n)

    def test_the_default_of_tf_layers_is_glorot_uniform_and_zero(self, tf):
        tf.set_random_seed(4)
        tf.layers.dense(tf.ones([1, 300]), 500)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            kernel, bias = session.run(tf.global_variables())
        assert np.var(kernel) == pytest.approx(2 / 800, rel=0.02)
        assert np.abs(kernel).max() <= math.sqrt(6 / 800)
        assert not bias.any()

    def test_a_scope_s_initializer_comes_before_the_default(self, tf):
        with tf.variable_scope("s", initializer=tf.constant_initializer(7.0)):
            tf.layers.dense(tf.ones([1, 2]), 2, use_bias=False)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert (session.run(tf.global_variables()[0]) == 7).all()

    def test_an_unknown_mode_is_refused(self, tf):
        with pytest.raises(TypeError, match="Unknown mode fan_in"):
            tf.contrib.layers.variance_scaling_initializer(mode="fan_in")


class TestRegularizers:
    def test_values(self, tf):
        w = np.array([[1.0, -2.0], [3.0, 0.5]], np.float32)
        layers = tf.contrib.layers
        both = layers.l1_l2_regularizer(0.5, 0.25)
        with tf.Session() as session:
            l1, l2, sums = session.run(
                [
                    r(tf.constant(w))
                    for r in (layers.l1_regularizer(0.5), layers.l2_regularizer(0.25), both)
                ]
            )
        assert l1 == pytest.approx(0.5 * np.abs(w).sum())
        assert l2 == pytest.approx(0.25 * (w**2).sum() / 2)
        assert sums == pytest.approx(l1 + l2)

    def test_a_scale_of_zero_gives_no_loss(self, tf):
        tf.contrib.layers.fully_connected(
            tf.ones([1, 2]), 2, weights_regularizer=tf.contrib.layers.l2_regularizer(0.0)
        )
        assert tf.losses.get_regularization_losses() == []

    def test_shared_weights_are_penalised_once(self, tf):
        x, regularizer = tf.ones([1, 2]), tf.contrib.layers.l2_regularizer(0.1)
        for reuse in (None, True):
            tf.layers.dense(x, 2, name="d", reuse=reuse, kernel_regularizer=regularizer)
        assert len(tf.losses.get_regularization_losses()) == 1
        assert sum(tf.losses.get_regularization_losses()).shape == ()

    @pytest.mark.parametrize(("scale", "why"), [(1, "an integer: 1"), (-0.5, "less than 0")])
    def test_bad_scales_are_refused(self, tf, scale, why):
        with pytest.raises(ValueError, match=why):
            tf.contrib.layers.l2_regularizer(scale)


class TestBatchNormalisation:
    """The formulas in float64: biased for what is normalised, unbiased for the fused average."""

    X = np.random.default_rng(5).normal(2, 3, (5, 4, 3, 2))

    def run(self, tf, build):
        x = tf.constant(self.X, tf.float32)
        y = build(x)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
            averages = {v.op.name.rpartition("/")[2]: session.run(v) for v in tf.global_variables()}
            return session.run(y), averages

    @pytest.mark.parametrize("fused", [True, False])
    def test_training(self, tf, fused):
        y, averages = self.run(
            tf, lambda x: tf.layers.batch_normalization(x, training=True, fused=fused)
        )
        mean, variance = self.X.mean((0, 1, 2)), self.X.var((0, 1, 2))
        np.testing.assert_allclose(y, (self.X - mean) / np.sqrt(variance + 1e-3), atol=1e-5)
        n = self.X[..., 0].size
        kept = variance * n / (n - 1) if fused else variance
        np.testing.assert_allclose(averages["moving_mean"], 0.01 * mean, rtol=1e-5)
        np.testing.assert_allclose(averages["moving_variance"], 0.99 + 0.01 * kept, rtol=1e-5)

    def test_contrib_fuses_vectors_too(self, tf):
        x = self.X.reshape(-1, 2)
        _, averages = self.run(
            tf, lambda _: tf.contrib.layers.batch_norm(tf.constant(x, tf.float32), decay=0.9)
        )
        expected = 0.9 + 0.1 * x.var(0, ddof=1)
        np.testing.assert_allclose(averages["moving_variance"], expected, rtol=1e-5)
        assert "gamma" not in averages  # contrib's default is without a scale

    def test_a_placeholder_switches_and_only_training_moves_the_averages(self, tf):
        x, training = tf.constant(self.X, tf.float32), tf.placeholder(tf.bool, [])
        y = tf.contrib.layers.batch_norm(x, is_training=training, updates_collections=None)
        average = tf.contrib.framework.get_variables_by_name("moving_mean")[0]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            still = session.run(y, {training: False})
            np.testing.assert_allclose(still, self.X / np.sqrt(1.001), rtol=1e-5)
            assert not session.run(average).any()
            session.run(y, {training: True})
            np.testing.assert_allclose(
                session.run(average), 0.001 * self.X.mean((0, 1, 2)), rtol=1e-4
            )


class TestDropout:
    def test_what_is_kept_is_scaled_up(self, tf):
        training = tf.placeholder(tf.bool, [])
        core = tf.layers.dropout(tf.ones([100_000]), 0.2, seed=6, training=training)
        contrib = tf.contrib.layers.dropout(tf.ones([100_000]), 0.8, seed=6, is_training=training)
        with tf.Session() as session:
            for y in (core, contrib):
                assert (session.run(y, {training: False}) == 1).all()
                drawn = session.run(y, {training: True})
                assert set(np.unique(drawn)) == {0, np.float32(1.25)}
                assert (drawn > 0).mean() == pytest.approx(0.8, abs=0.01)


class TestReuse:
    def test_a_name_taken_twice_without_reuse_is_an_error(self, tf):
        x = tf.ones([1, 3])
        tf.layers.dense(x, 3, name="d")
        with pytest.raises(ValueError, match="d/kernel already exists"):
            tf.layers.dense(x, 3, name="d")
        tf.contrib.layers.fully_connected(x, 3, scope="f")
        with pytest.raises(ValueError, match="f/weights already exists"):
            tf.contrib.layers.fully_connected(x, 3, scope="f")

    def test_auto_reuse(self, tf):
        x = tf.ones([1, 3])
        for _ in range(2):
            with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
                tf.layers.dense(x, 3, name="d")
                tf.contrib.layers.fully_connected(x, 3, scope="f")
        assert [v.op.name for v in tf.global_variables()] == [
            "net/d/kernel",
            "net/d/bias",
            "net/f/weights",
            "net/f/biases",
        ]

    def test_a_layer_object_shares_its_weights_and_knows_them(self, tf):
        layer = tf.layers.Dense(3, name="d")
        x = tf.ones([1, 3])
        layer(layer(x))
        assert [v.op.name for v in layer.trainable_weights] == ["d/kernel", "d/bias"]
        assert layer.kernel is tf.global_variables()[0]
        assert layer.count_params() == 12
        assert layer.built

    def test_a_layer_of_the_script_s_own(self, tf):
        class Scale(tf.layers.Layer):
            def build(self, input_shape):
                self.factor = self.add_variable("factor", [int(input_shape[-1])])
                super().build(input_shape)

            def call(self, inputs):
                return inputs * self.factor

        y = Scale()(tf.ones([2, 4]))
        assert [v.op.name for v in tf.trainable_variables()] == ["scale/factor"]
        assert y.shape.as_list() == [2, 4]


class TestArgScope:
    def test_inner_defaults_add_to_outer_ones_and_the_call_wins(self, tf):
        slim = tf.contrib.slim

        @slim.add_arg_scope
        def f(x, a=1, b=2, c=3):
            return x, a, b, c

        with slim.arg_scope([f], a=10, b=20) as outer:
            with slim.arg_scope([f], b=200):
                assert f(0) == (0, 10, 200, 3)
                assert f(0, b=5, c=6) == (0, 10, 5, 6)
            assert f(0) == (0, 10, 20, 3)
        assert f(0) == (0, 1, 2, 3)
        with slim.arg_scope(outer):
            assert f(0) == (0, 10, 20, 3)

    def test_an_exception_leaves_no_scope_behind(self, tf):
        slim = tf.contrib.slim
        before = dict(tf.contrib.framework.current_arg_scope())
        with pytest.raises(KeyError), slim.arg_scope([slim.conv2d], stride=2):
            raise KeyError
        assert tf.contrib.framework.current_arg_scope() == before

    def test_what_is_not_decorated_is_refused(self, tf):
        slim = tf.contrib.slim
        with pytest.raises(ValueError, match="matmul"), slim.arg_scope([tf.matmul], name="x"):
            pass
        with pytest.raises(TypeError, match="list"), slim.arg_scope(slim.conv2d, stride=2):
            pass

    def test_framework_slim_and_their_deep_paths_are_one(self, tf):
        from tensorflow.contrib.framework import arg_scope
        from tensorflow.contrib.framework.python.ops import add_arg_scope
        from tensorflow.contrib.layers.python.layers import layers as deep

        assert arg_scope is tf.contrib.slim.arg_scope
        assert add_arg_scope is tf.contrib.slim.add_arg_scope
        assert deep.conv2d is tf.contrib.slim.conv2d


class TestFramework:
    def test_variables_are_found_by_scope_and_name(self, tf):
        framework = tf.contrib.framework
        with tf.variable_scope("a"):
            tf.contrib.layers.fully_connected(tf.ones([1, 2]), 2)
        with tf.variable_scope("b"):
            tf.layers.dense(tf.ones([1, 2]), 2)

        def names(variables):
            return [v.op.name for v in variables]

        fully = ["a/fully_connected/weights", "a/fully_connected/biases"]
        assert names(framework.get_variables("a")) == fully
        assert names(framework.get_model_variables()) == fully
        assert names(framework.get_variables_by_name("kernel")) == ["b/dense/kernel"]
        assert names(framework.get_variables_by_suffix("biases")) == fully[1:]
        assert names(framework.get_variables_to_restore(exclude=["a"])) == [
            "b/dense/kernel",
            "b/dense/bias",
        ]
        assert framework.get_unique_variable("b/dense/bias").op.name == "b/dense/bias"
        with pytest.raises(ValueError, match="does not uniquely identify"):
            framework.get_unique_variable("b/dense")

    def test_the_global_step_is_made_once(self, tf):
        step = tf.contrib.framework.get_or_create_global_step()
        assert tf.contrib.slim.get_or_create_global_step() is step
        assert step.op.name == "global_step"


class TestTraining:
    def test_create_train_op_is_one_step_after_the_updates(self, tf):
        w = tf.get_variable("w", initializer=[1.0, -2.0])
        seen = tf.get_variable("seen", initializer=0.0, trainable=False)
        tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, tf.assign_add(seen, 1.0))
        loss = tf.reduce_sum(tf.square(w))
        train_op = tf.contrib.slim.learning.create_train_op(
            loss, tf.train.GradientDescentOptimizer(0.25), clip_gradient_norm=1.0
        )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            gradient = np.array([2.0, -4.0])
            expected = [1.0, -2.0] - 0.25 * gradient / np.linalg.norm(gradient)
            # TF1's own code does not say whether the loss is read before or after the step.
            assert session.run(train_op) in (5.0, pytest.approx(np.sum(expected**2)))
            np.testing.assert_allclose(session.run(w), expected, rtol=1e-6)
            assert session.run([seen, tf.train.get_global_step()]) == [1.0, 1]

    def test_optimize_loss(self, tf):
        w = tf.get_variable("w", initializer=3.0)
        train = tf.contrib.layers.optimize_loss(
            tf.square(w), None, 0.1, optimizer="SGD", clip_gradients=2.0
        )
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            # TF1's own code does not say whether the loss is read before or after the step.
            assert session.run(train) in (9.0, pytest.approx(2.8**2))
            assert session.run(w) == pytest.approx(3 - 0.1 * 2)
        with pytest.raises(ValueError, match=r"Adagrad, Adam, .* you provided Sgd"):
            tf.contrib.layers.optimize_loss(tf.square(w), None, 0.1, optimizer="Sgd")

    def test_slim_s_loop_saves_and_resumes(self, tf, tmp_path):
        slim = tf.contrib.slim

        def train(until):
            with tf.Graph().as_default():
                w = tf.get_variable("w", initializer=8.0)
                loss = slim.losses.absolute_difference(tf.reshape(w, [1]), tf.zeros([1]))
                op = slim.learning.create_train_op(loss, tf.train.GradientDescentOptimizer(1.0))
                return slim.learning.train(
                    op,
                    str(tmp_path),
                    number_of_steps=until,
                    log_every_n_steps=0,
                    save_interval_secs=0,  # or TensorFlow's own thread saves at the same time
                )

        assert train(3) == 6.0
        assert train(5) == 4.0
        assert tf.train.latest_checkpoint(str(tmp_path)).endswith("-5")

    def test_contrib_losses_take_predictions_first(self, tf):
        predictions, labels = tf.constant([0.9, 0.2]), tf.constant([1.0, 0.0])
        loss = tf.contrib.losses.log_loss(predictions, labels)
        expected = -np.mean(np.log(np.array([0.9, 0.8]) + 1e-7))
        with tf.Session() as session:
            assert session.run(loss) == pytest.approx(expected, rel=1e-5)
        assert tf.losses.get_losses() == [loss]

    def test_hparams(self, tf):
        h = tf.contrib.training.HParams(rate=0.1, layers=[20, 10], name="vae", deep=True, n=3)
        h.parse("rate=1e-3,layers=[5, 6],name=other,deep=false")
        assert h.values() == {
            "rate": 0.001,
            "layers": [5, 6],
            "name": "other",
            "deep": False,
            "n": 3,
        }
        assert (h.rate, "n" in h, h.get("m", 7)) == (0.001, True, 7)
        for text, why in (
            ("n=2.5", "Could not parse hparam 'n' of type 'int' with value '2.5'"),
            ("m=1", "Unknown hyperparameter type for m"),
            ("layers=3", "Must pass a list for multi-valued parameter: layers"),
            ("rate", "Malformed hyperparameter value: rate"),
        ):
            with pytest.raises(ValueError, match=why):
                h.parse(text)
