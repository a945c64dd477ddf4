"""Optimizers, learning rates and clipping: TensorFlow 1's numbers, in the loop, saved, resumed."""

import functools
import json
import warnings

import numpy as np
import pytest
import tensorflow as tf
from support.kinds import full_except, repeats_except

from vae_tf1 import CosineDecay, ExponentialDecay, StepDecay, VariationalAutoencoder
from vae_tf1.errors import CheckpointError
from vae_tf1.model import noise, optimizers
from vae_tf1.training.loop import Loop
from vae_tf1.training.trainer import Trainer

train = tf.compat.v1.train
D, SIZES, BATCH = 12, [6, 2], 10
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((60, D)) < 0.3).astype(np.float32)


def new_model(**options):
    vae = VariationalAutoencoder(D, SIZES, seed=1, **options)
    vae._trainer = Trainer(vae, chunk_steps=4, chunk_seconds=1e9)
    return vae


def state(vae):
    """Weights, and whatever the optimizer keeps."""
    slots = [slot.variable for v in vae.variables for slot in vae.updates.slots(v)]
    others = [other.variable for other in vae.updates.without_weight(vae.variables)]
    return vae.sess.run([*vae.variables, *slots, *others])


def assert_same(a, b, **tolerance):
    assert len(a) == len(b)
    for x, y in zip(a, b, strict=True):
        if tolerance:
            np.testing.assert_allclose(x, y, **tolerance)
        else:
            np.testing.assert_array_equal(x, y)


def gradients_at(vae, batch, epsilon):
    """Return the weights, and the gradients of −ELBO there."""
    with vae.graph.as_default():
        gradients = tf.gradients(-vae.elbo, vae.variables)
    return vae.sess.run((vae.variables, gradients), {vae.X: batch, vae.epsilon: epsilon})


class Adam:
    """Kingma & Ba (2015), algorithm 1, in the order of operations of its section 2."""

    def __init__(self, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.rate, self.beta1, self.beta2, self.epsilon = rate, beta1, beta2, epsilon
        self.m = self.v = self.t = 0

    def change(self, g):
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g * g
        rate = self.rate(self.t - 1) * np.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        return rate * self.m / (np.sqrt(self.v) + self.epsilon)


class CenteredRMSProp:
    """Graves (2013), equations 38 to 41, with TensorFlow 1's first mean square of one."""

    def __init__(self, rate):
        self.rate, self.square, self.mean = rate, 1.0, 0.0

    def change(self, g):
        self.square = 0.9 * self.square + 0.1 * g * g
        self.mean = 0.9 * self.mean + 0.1 * g
        return self.rate * g / np.sqrt(self.square - self.mean**2 + 1e-10)


class TestFormulas:
    @pytest.mark.parametrize(
        ("options", "reference"),
        [
            ({"optimizer": "adam"}, lambda: Adam(lambda t: 0.001)),
            (
                {
                    "optimizer": functools.partial(train.AdamOptimizer, epsilon=1e-4),
                    "learning_rate": StepDecay(0.01, 0.1, [2, 3]),
                },
                lambda: Adam(lambda t: [0.01, 0.01, 0.001, 0.0001][t], epsilon=1e-4),
            ),
            ({"optimizer": "rmsprop-centered"}, lambda: CenteredRMSProp(0.001)),
        ],
        ids=["adam", "adam, epsilon, step decay", "rmsprop-centered"],
    )
    def test_four_steps_are_those_of_the_paper(self, X, options, reference):
        rng = np.random.default_rng(3)
        with new_model(**options) as vae:
            mine = [reference() for _ in vae.variables]
            expected = [w.astype(np.float64) for w in vae.sess.run(vae.variables)]
            for _ in range(4):
                epsilon = rng.standard_normal((BATCH, 2))
                batch = X[rng.permutation(60)[:BATCH]]
                _, gradients = gradients_at(vae, batch, epsilon)
                vae.sess.run(vae.train_op, {vae.X: batch, vae.epsilon: epsilon})
                for i, gradient in enumerate(gradients):
                    expected[i] -= mine[i].change(gradient.astype(np.float64))
            assert_same(vae.sess.run(vae.variables), expected, rtol=2e-5, atol=2e-6)

    @pytest.mark.repeats
    def test_clipping_scales_all_gradients_by_one_factor(self, X):
        epsilon = np.random.default_rng(3).standard_normal((BATCH, 2))
        for clip_norm, clips in ((2.0, True), (1e6, False)):
            with new_model(optimizer="sgd", learning_rate=0.1, clip_norm=clip_norm) as vae:
                before, gradients = gradients_at(vae, X[:BATCH], epsilon)
                norm = np.sqrt(sum(np.sum(g.astype(np.float64) ** 2) for g in gradients))
                assert (norm > clip_norm) == clips
                vae.sess.run(vae.train_op, {vae.X: X[:BATCH], vae.epsilon: epsilon})
                scale = 0.1 * min(1, clip_norm / norm)
                expected = [w - scale * g for w, g in zip(before, gradients, strict=True)]
                assert_same(vae.sess.run(vae.variables), expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize(
        ("schedule", "expected"),
        [
            (StepDecay(0.1, 0.5, [3, 5]), lambda t: 0.1 * 0.5 ** (1 * (t >= 3) + (t >= 5))),
            (ExponentialDecay(0.1, 0.25, 4), lambda t: 0.1 * 0.25 ** (t / 4)),
            (
                CosineDecay(0.1, 5, final=0.02),
                lambda t: 0.02 + 0.08 * (1 + np.cos(np.pi * np.minimum(t / 5, 1))) / 2,
            ),
        ],
    )
    def test_schedules(self, schedule, expected):
        steps = np.arange(9)
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            rates = sess.run([schedule(tf.constant(step, tf.int64)) for step in steps])
        np.testing.assert_allclose(rates, expected(steps), rtol=1e-6)

    def test_a_learning_rate_is_called_with_an_int64_step(self, X):
        seen = []

        def rate(step):
            seen.append(step.dtype)
            return 1e-3

        with new_model(learning_rate=rate) as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
        assert set(seen) == {tf.int64}


def adagrad():
    return train.AdagradOptimizer(0.01)


OPTIONS = {
    "adam, cosine, clipped": lambda: {
        "optimizer": "adam", "learning_rate": CosineDecay(0.01, 30), "clip_norm": 20.0,
    },
    "rmsprop, steps, clipped": lambda: {
        "learning_rate": StepDecay(0.01, 0.5, [5, 15]), "clip_norm": 20.0,
    },
    "an optimizer of the user's": lambda: {"optimizer": adagrad()},
    "a function of the user's": lambda: {
        "optimizer": functools.partial(train.MomentumOptimizer, momentum=0.9),
        "learning_rate": lambda step: 1e-3 / (1 + tf.cast(step, tf.float32)),
    },
}  # fmt: skip


class TestTheLoop:
    @pytest.mark.parametrize("name", repeats_except(OPTIONS, "adam, cosine, clipped"))
    def test_is_a_loop_of_train_op(self, X, name):
        with new_model(**OPTIONS[name]()) as vae:
            costs = vae.fit(X, epochs=3, batch_sz=BATCH, compile=False, **QUIET)
            fitted = state(vae)
            vae.sess.run(vae.init_op)
            expected = []
            for epoch in range(3):
                order = noise.minibatch_order(1, epoch, len(X)).reshape(-1, BATCH)
                for indices in order:
                    _, elbo = vae.sess.run((vae.train_op, vae.elbo), {vae.X: X[indices]})
                    expected.append(elbo / BATCH)
            np.testing.assert_allclose(costs, expected, rtol=1e-5)
            assert_same(state(vae), fitted, rtol=1e-4, atol=1e-6)

    @pytest.mark.full
    @pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
    def test_is_the_same_compiled(self, X, options):
        results = []
        for compiled in (True, False):
            with new_model(**options()) as vae, warnings.catch_warnings():
                warnings.simplefilter("error")  # each of these has a kernel for XLA
                costs = vae.fit(X, epochs=3, batch_sz=BATCH, compile=compiled, **QUIET)
                results.append((costs, state(vae)))
        np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-4)
        assert_same(results[0][1], results[1][1], rtol=1e-3, atol=1e-5)

    @pytest.mark.full
    def test_same_bits_whatever_the_chunk_size(self, X):
        results = []
        for capacity in (1, 4, 32):
            with new_model(**OPTIONS["adam, cosine, clipped"]()) as vae:
                vae._trainer = Trainer(vae, chunk_steps=capacity)
                costs = vae.fit(X, epochs=3, batch_sz=BATCH, compile=False, **QUIET)
                results.append((costs, state(vae)))
        for costs, variables in results[1:]:
            assert costs == results[0][0]
            assert_same(variables, results[0][1])

    def test_without_a_kernel_for_xla_it_runs_uncompiled_and_says_so_once(self, X):
        class Host(train.GradientDescentOptimizer):
            """Passes each gradient through Python."""

            def _resource_apply_dense(self, grad, handle):
                through = tf.numpy_function(lambda g: g, [grad], tf.float32)
                return super()._resource_apply_dense(tf.ensure_shape(through, grad.shape), handle)

        with new_model(optimizer=Host(1e-3)) as vae:
            with pytest.warns(RuntimeWarning, match="XLA cannot compile the training") as said:
                vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)
            assert len(said) == 1
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                vae.fit(X, epochs=1, batch_sz=BATCH, compile=True, **QUIET)
            assert len(vae.costs) == 12


class TestNotFinite:
    @pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.full)])
    def test_stops_at_that_step_with_everything_as_it_was_before_it(self, compiled):
        """Pixel 0 has a weight so large that the ELBO of an image that has it overflows."""
        step, n = 6, 10 * BATCH
        X = np.zeros((n, D), np.float32)
        X[:, 1] = 1
        order = noise.minibatch_order(1, 0, n)
        X[order[step * BATCH], 0] = 1
        with new_model(optimizer="adam") as vae:
            vae._trainer = Trainer(vae, chunk_steps=16, chunk_seconds=1e9)
            W = vae.sess.run(vae.variables[0])
            W[0] = 1e30
            with vae.graph.as_default():
                vae.variables[0].load(W, vae.sess)
            with pytest.raises(FloatingPointError, match=r"gradient.*step 7, in epoch 1"):
                vae.fit(X, epochs=1, batch_sz=BATCH, compile=compiled, **QUIET)
            assert len(vae.costs) == vae.sess.run(vae.global_step) == step
            stopped = state(vae)
            vae.sess.run(vae.init_op)
            with vae.graph.as_default():
                vae.variables[0].load(W, vae.sess)
            for j in range(step):
                vae.sess.run(vae.train_op, {vae.X: X[order[j * BATCH : (j + 1) * BATCH]]})
            assert_same(state(vae), stopped, rtol=1e-4, atol=1e-6)

    @pytest.mark.parametrize("optimizer", ["rmsprop", "adam"])
    def test_a_learning_rate_that_becomes_nan_is_named(self, X, optimizer):
        def rate(step):
            return tf.where(step < 8, 0.001, np.nan)

        with new_model(optimizer=optimizer, learning_rate=rate) as vae:
            with pytest.raises(FloatingPointError, match="the learning rate is nan at step 9, in"):
                vae.fit(X, epochs=3, batch_sz=BATCH, **QUIET)
            assert len(vae.costs) == 8
            assert all(np.isfinite(a).all() for a in state(vae))


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"optimizer": "adamw"}, "optimizer must be one of 'rmsprop', .*not 'adamw'"),
            ({"optimizer": None}, "optimizer must be one of"),
            ({"optimizer": lambda rate: rate, "learning_rate": 1.0}, "must make a tf.compat.v1"),
            ({"optimizer": train.AdamOptimizer}, "give one"),
            ({"optimizer": "sgd"}, "no usual learning rate"),
            ({"learning_rate": 0}, "learning_rate must be a positive number, not 0"),
            ({"learning_rate": np.nan}, "learning_rate must be a positive number"),
            ({"learning_rate": "fast"}, "learning_rate must be a positive number"),
            ({"learning_rate": lambda step: np.nan}, "must be finite.*is nan at step 0"),
            ({"learning_rate": lambda step: -0.1}, "not negative.*-0.1"),
            ({"learning_rate": lambda step: [0.1, 0.2]}, "must return one real number"),
            ({"clip_norm": -1}, "clip_norm must be a positive number"),
        ],
    )
    def test_what_is_no_optimizer_rate_or_norm(self, options, message):
        with pytest.raises((TypeError, ValueError), match=message):
            VariationalAutoencoder(D, SIZES, **options)

    def test_two_learning_rates(self):
        with pytest.raises(ValueError, match="AdamOptimizer has a learning rate of its own"):
            VariationalAutoencoder(D, SIZES, optimizer=train.AdamOptimizer(), learning_rate=0.1)

    def test_a_tensor_for_a_learning_rate(self):
        with tf.Graph().as_default():
            rate = train.exponential_decay(0.1, train.create_global_step(), 10, 0.5)
            with pytest.raises(ValueError, match=r"is a tensor.*function of the step"):
                VariationalAutoencoder(D, SIZES, optimizer=train.AdamOptimizer(rate))

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: StepDecay(0, 0.5, [1]), "initial must be a positive number"),
            (lambda: StepDecay(1, 0.5, [3, 2]), "rising order"),
            (lambda: StepDecay(1, 0.5, []), "rising order"),
            (lambda: StepDecay(1, 0.5, 3), "list of steps"),
            (lambda: StepDecay(1, 0.5, [0.5]), "boundary must be an integer"),
            (lambda: ExponentialDecay(1, np.inf, 3), "factor must be a positive number"),
            (lambda: CosineDecay(1, 0), "steps must be at least 1"),
            (lambda: CosineDecay(1, 3, final=-1), "final must be a positive number"),
        ],
    )
    def test_what_is_no_schedule(self, make, message):
        with pytest.raises((TypeError, ValueError), match=message):
            make()


class TestSaved:
    def stopped_and_resumed(self, X, folder, monkeypatch, options):
        """Return the state of a training that dies at step 8, and of another that goes on."""
        run = Loop.run

        def dying(loop, images):
            if len(images) and loop._model.sess.run(loop._model.global_step) >= 8:
                raise KeyboardInterrupt
            return run(loop, images)

        arguments = {"epochs": 3, "batch_sz": BATCH, "checkpoint_dir": folder, "save_every": 1e-9}
        with monkeypatch.context() as patch, new_model(**options()) as vae:
            patch.setattr(Loop, "run", dying)
            with pytest.raises(KeyboardInterrupt):
                vae.fit(X, **arguments, **QUIET)
        with new_model(**options()) as vae:
            costs = vae.fit(X, **arguments, **QUIET)
            return costs, state(vae)

    @pytest.mark.parametrize("name", full_except(OPTIONS, "adam, cosine, clipped"))
    def test_stopped_and_resumed_it_ends_in_the_same_bits(self, X, name, tmp_path, monkeypatch):
        options = OPTIONS[name]
        with new_model(**options()) as vae:
            costs = vae.fit(X, epochs=3, batch_sz=BATCH, **QUIET)
            whole = state(vae)
        resumed = self.stopped_and_resumed(X, tmp_path / "run", monkeypatch, options)
        assert resumed[0] == costs
        assert_same(resumed[1], whole)

    @pytest.mark.repeats
    def test_load_builds_the_optimizer_again(self, X, tmp_path):
        options = OPTIONS["adam, cosine, clipped"]()
        with new_model(**options) as vae:
            vae.fit(X, epochs=2, batch_sz=BATCH, **QUIET)
            vae.save(tmp_path / "model")
            with VariationalAutoencoder.load(tmp_path / "model") as loaded:
                assert loaded.updates.describe() == vae.updates.describe()
                assert loaded.learning_rate == vae.learning_rate < 0.01
                assert_same(state(loaded), state(vae))
                for model in (vae, loaded):
                    model.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
                assert_same(state(loaded), state(vae))

    @pytest.mark.repeats
    def test_load_asks_for_what_a_file_cannot_hold(self, tmp_path):
        for name, given, message in (
            ("an optimizer of the user's", "optimizer", r"AdagradOptimizer: give load\(…, optim"),
            ("a function of the user's", "learning_rate", r"Momentum.*give load\(…, optimizer=…\)"),
        ):
            options = OPTIONS[name]()
            with new_model(**options) as vae:
                path = vae.save(tmp_path / given)
                with pytest.raises(CheckpointError, match=message):
                    VariationalAutoencoder.load(path)
                with VariationalAutoencoder.load(path, **options) as loaded:
                    assert_same(state(loaded), state(vae))
        with new_model(learning_rate=lambda step: 0.1) as vae:
            path = vae.save(tmp_path / "rate")
            with pytest.raises(CheckpointError, match=r"<lambda>: give load\(…, learning_rate=…"):
                VariationalAutoencoder.load(path)

    @pytest.mark.repeats
    def test_a_training_with_another_optimizer_is_not_resumed(self, X, tmp_path):
        with new_model(optimizer="adam") as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, checkpoint_dir=tmp_path, **QUIET)
        for options in ({}, {"optimizer": "adam", "learning_rate": 0.1}):
            with new_model(**options) as vae:
                with pytest.raises(CheckpointError, match="another optimizer"):
                    vae.fit(X, epochs=2, batch_sz=BATCH, checkpoint_dir=tmp_path, **QUIET)
                assert vae.costs == []

    def test_the_originals_manifest_has_no_word_of_it(self, tmp_path):
        with new_model() as vae:
            vae.save(tmp_path / "model")
        assert "optimizer" not in json.loads((tmp_path / "model.json").read_text())

    @pytest.mark.repeats
    @pytest.mark.parametrize(
        "optimizer",
        [
            "adam",
            {"name": "adam", "learning_rate": -1, "clip_norm": None},
            {"name": "adam", "learning_rate": {"schedule": "Zigzag"}, "clip_norm": None},
            {"name": "adam", "learning_rate": {"schedule": "CosineDecay", "initial": "1"}},
            {"name": "adam", "learning_rate": 1, "clip_norm": "all"},
        ],
    )
    def test_a_manifest_that_lies(self, tmp_path, optimizer):
        with new_model(optimizer="adam") as vae:
            vae.save(tmp_path / "model")
        file = tmp_path / "model.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "optimizer": optimizer}))
        with pytest.raises(CheckpointError, match=r"optimizer is .*expected an optimizer's name"):
            VariationalAutoencoder.load(tmp_path / "model")

    @pytest.mark.repeats
    def test_weights_of_another_optimizer_are_taken_and_that_is_said(self, X, tmp_path):
        with new_model(optimizer="adam") as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
            path, weights = vae.save(tmp_path / "model"), vae.sess.run(vae.variables)
        for options in ({}, {"optimizer": "sgd", "learning_rate": 0.1}):
            with new_model(**options) as vae:
                with pytest.warns(RuntimeWarning, match="slots Adam, Adam_1.*starts afresh"):
                    vae.restore(path)
                assert_same(vae.sess.run(vae.variables), weights)
                ones = [np.ones_like(w) for w in weights] if not options else []
                assert_same(vae.sess.run(vae.updates.changing(vae.variables)), ones)


class TestTensorFlow1:
    """Checkpoints that a TF1 script with its own Saver reads and writes."""

    @pytest.fixture
    def script(self, tmp_path):
        """Write a checkpoint as a script does: variables of its own, AdamOptimizer, Saver."""
        shapes = [(D, 6), (6,), (6, 4), (4,), (2, 6), (6,), (6, D), (D,)]
        rng = np.random.default_rng(7)
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            variables = [
                tf.compat.v1.Variable(rng.normal(size=s).astype(np.float32)) for s in shapes
            ]
            loss = tf.add_n([tf.reduce_sum(v**2) for v in variables])
            step = train.AdamOptimizer().minimize(loss)
            sess.run(tf.compat.v1.global_variables_initializer())
            for _ in range(3):
                sess.run(step)
            everything = tf.compat.v1.global_variables()
            values = dict(zip([v.op.name for v in everything], sess.run(everything), strict=True))
            train.Saver().save(sess, str(tmp_path / "script" / "model.ckpt"))
        return tmp_path / "script" / "model.ckpt", values

    def test_its_adam_slots_and_powers_are_read(self, script):
        path, values = script
        assert {"Variable_7/Adam_1", "beta1_power", "beta2_power"} < set(values)
        with new_model(optimizer="adam") as vae:
            vae.restore(path)
            restored = {v.op.name: v for v in vae.optimizer._non_slot_variables()}
            for variable in vae.variables:
                restored[variable.op.name] = variable
                for slot in vae.updates.slots(variable):
                    restored[variable.op.name + slot.name] = slot.variable
            assert restored.keys() == values.keys()
            for name, variable in restored.items():
                np.testing.assert_array_equal(vae.sess.run(variable), values[name])

    def test_its_saver_reads_ours(self, X, tmp_path, script):
        _, names = script
        with new_model(optimizer="adam") as vae:
            vae.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
            path = vae.save(tmp_path / "model")
        reader = train.NewCheckpointReader(path)
        shapes = reader.get_variable_to_shape_map()
        assert names.keys() <= shapes.keys()
        assert reader.get_tensor("beta1_power") == pytest.approx(0.9**7)

    def test_whole_or_not_at_all(self, script):
        """A checkpoint that lacks one slot changes nothing."""
        path, values = script
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            some = {
                n: tf.compat.v1.Variable(v) for n, v in values.items() if n != "Variable_7/Adam"
            }
            sess.run(tf.compat.v1.global_variables_initializer())
            train.Saver(some).save(sess, str(path))
        with new_model(optimizer="adam") as vae:
            before = state(vae)
            with pytest.raises(CheckpointError, match="no m of b of decoder layer 2"):
                vae.restore(path)
            assert_same(state(vae), before)

    @pytest.mark.repeats
    def test_two_models_in_one_graph_have_powers_of_their_own(self, X, tmp_path):
        with tf.Graph().as_default():
            first, second = (new_model(optimizer="adam") for _ in range(2))
            with first, second:
                second.fit(X, epochs=1, batch_sz=BATCH, **QUIET)
                path, trained = second.save(tmp_path / "model"), state(second)
                first.restore(path)
                assert_same(state(first), trained)


def test_names_are_those_of_the_documentation():
    assert optimizers.NAMES == ("rmsprop", "rmsprop-centered", "adam", "sgd")
