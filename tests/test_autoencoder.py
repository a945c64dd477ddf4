"""The model: the original's interface, and what it leaves alone."""

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf
from support.kinds import full_except

from vae_tf1 import DenseLayer, Gaussian, VariationalAutoencoder

D, SIZES, M = 12, [7, 5, 3], 3


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((40, D)) < 0.4).astype(np.float32)


@pytest.fixture(scope="module")
def vae():
    with VariationalAutoencoder(D, SIZES, seed=1) as vae:
        yield vae


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def forward_in_float64(vae, x, epsilon):
    """The paper's formulas in NumPy: means, stddev, logits, ELBO per image and its two parts."""
    variables = [v.astype(np.float64) for v in vae.sess.run(vae.variables)]
    layers = list(zip(variables[::2], variables[1::2], strict=True))
    encoder, decoder = layers[: len(layers) // 2], layers[len(layers) // 2 :]

    def through(value, layers):
        for i, (W, b) in enumerate(layers):
            value = value @ W + b
            if i < len(layers) - 1:
                value = np.maximum(value, 0)
        return value

    value = through(x.astype(np.float64), encoder)
    means, stddev = value[:, :M], softplus(value[:, M:]) + 1e-6
    logits = through(means + stddev * epsilon, decoder)
    log_likelihood = (x * logits - softplus(logits)).sum(1)
    kl = (0.5 * (stddev**2 + means**2) - 0.5 - np.log(stddev)).sum(1)
    return means, stddev, logits, log_likelihood, kl


class TestInterface:
    def test_has_every_attribute_of_the_original(self, vae):
        shapes = {
            "X": (None, D),
            "Z_input": (None, M),
            "epsilon": (None, M),
            "means": (None, M),
            "stddev": (None, M),
            "Z": (None, M),
            "posterior_predictive": (None, D),
            "posterior_predictive_probs": (None, D),
            "prior_predictive_from_input_probs": (None, D),
            "elbo": (),
        }
        for name, shape in shapes.items():
            assert tuple(getattr(vae, name).shape.as_list()) == shape, name
        assert isinstance(vae.X_hat_distribution, tf.compat.v1.distributions.Bernoulli)
        assert isinstance(vae.sess, tf.compat.v1.Session)
        assert isinstance(vae.train_op, tf.Operation)
        assert isinstance(vae.init_op, tf.Operation)
        assert vae.sess.graph is vae.graph

    def test_layers_mirror_each_other(self, vae):
        encoder = [tuple(layer.W.shape) for layer in vae.encoder_layers]
        decoder = [tuple(layer.W.shape) for layer in vae.decoder_layers]
        assert encoder == [(12, 7), (7, 5), (5, 6)]
        assert decoder == [(3, 5), (5, 7), (7, 12)]
        assert [tuple(layer.b.shape) for layer in vae.decoder_layers] == [(5,), (7,), (12,)]
        assert vae.encoder_layers[0].f is tf.nn.relu

    def test_a_single_size_is_a_linear_encoder(self):
        with VariationalAutoencoder(4, [2]) as vae:
            assert [tuple(layer.W.shape) for layer in vae.encoder_layers] == [(4, 4)]
            assert [tuple(layer.W.shape) for layer in vae.decoder_layers] == [(2, 4)]

    def test_initial_weights_are_normal_with_deviation_two_over_root_of_inputs(self):
        with VariationalAutoencoder(400, [300, 10], seed=5) as vae:
            W, b = vae.sess.run((vae.encoder_layers[0].W, vae.encoder_layers[0].b))
        n = W.size
        assert abs(W.mean()) < 4 * 0.1 / np.sqrt(n)
        assert W.std() == pytest.approx(2 / np.sqrt(400), abs=4 * 0.1 / np.sqrt(2 * n))
        assert (b == 0).all()

    def test_slots_start_as_tensorflow_1_has_them(self, vae):
        rms, momentum = (vae.optimizer.get_slot(vae.variables[0], s) for s in ("rms", "momentum"))
        with vae.graph.as_default():
            started = vae.sess.run((rms.initial_value, momentum.initial_value))
        assert (started[0] == 1).all()
        assert (started[1] == 0).all()

    def test_dense_layer_alone(self):
        with tf.Graph().as_default():
            layer = DenseLayer(3, 2, seed=(0, 1))
            outputs = layer.forward(tf.ones((4, 3)))
            with tf.compat.v1.Session() as sess:
                sess.run(tf.compat.v1.global_variables_initializer())
                W, y = sess.run((layer.W, outputs))
        np.testing.assert_allclose(y, np.maximum(np.ones((4, 3)) @ W, 0), rtol=1e-6)

    def test_ops_live_in_readable_scopes(self, vae):
        scopes = {op.name.split("/")[0] for op in vae.graph.get_operations()}
        assert {"encoder", "latent", "decoder", "elbo", "train", "epsilon"} <= scopes


class TestValues:
    def test_forward_pass_agrees_with_float64(self, vae, X):
        epsilon = np.random.default_rng(1).standard_normal((len(X), M))
        feed = {vae.X: X, vae.epsilon: epsilon}
        means, stddev, logits, log_likelihood, kl = forward_in_float64(vae, X, epsilon)
        got = vae.sess.run((vae.means, vae.stddev, vae.X_hat_distribution.logits, vae.elbo), feed)
        for value, expected in zip(got, (means, stddev, logits), strict=False):
            np.testing.assert_allclose(value, expected, rtol=2e-5, atol=2e-6)
        assert got[3] == pytest.approx((log_likelihood - kl).sum(), rel=1e-6)

    def test_evaluate_gives_the_mean_elbo_and_its_parts(self, vae, X):
        elbo, reconstruction, kl = vae.evaluate(X)
        assert elbo == pytest.approx(reconstruction - kl, rel=1e-6)
        *_, expected_kl = forward_in_float64(vae, X, np.zeros((len(X), M)))
        assert kl == pytest.approx(expected_kl.mean(), rel=1e-5)
        draws = np.random.default_rng(2).standard_normal((400, len(X), M))
        expected = np.array([forward_in_float64(vae, X, e)[3].mean() for e in draws])
        many = vae.evaluate(np.tile(X, (100, 1)))
        error = expected.std() * (1 / np.sqrt(400) + 1 / np.sqrt(100))
        assert many.reconstruction == pytest.approx(expected.mean(), abs=4 * error)

    def test_evaluate_twice_differs_by_nothing(self, vae, X):
        assert vae.evaluate(X) == vae.evaluate(X)

    def test_evaluate_does_not_depend_on_how_rows_are_stored(self, vae, X):
        assert vae.evaluate(X) == vae.evaluate(X.astype(bool)) == vae.evaluate(X.tolist())

    def test_samples_follow_their_probabilities(self, vae, X):
        samples, probs = vae.prior_predictive_sample_with_probs(5000)
        assert set(np.unique(samples)) == {0, 1}
        error = np.sqrt((probs * (1 - probs)).mean(0) / len(samples))
        assert (np.abs(samples.mean(0) - probs.mean(0)) < 5 * error).all()

    def test_reconstruct_decodes_the_means(self, vae, X):
        expected = vae.prior_predictive_with_input(vae.transform(X))
        np.testing.assert_array_equal(vae.reconstruct(X), expected)


class TestPrior:
    def test_a_gaussian_prior_moves_kl_and_samples(self, X):
        with VariationalAutoencoder(D, SIZES, seed=1, prior=Gaussian(2.0, 0.25)) as vae:
            epsilon = np.zeros((len(X), M))
            means, stddev, _, log_likelihood, _ = forward_in_float64(vae, X, epsilon)
            kl = (np.log(0.5 / stddev) + (stddev**2 + (means - 2) ** 2) / (2 * 0.25) - 0.5).sum(1)
            elbo = vae.sess.run(vae.elbo, {vae.X: X, vae.epsilon: epsilon})
            assert elbo == pytest.approx((log_likelihood - kl).sum(), rel=1e-6)
            _, probs = vae.prior_predictive_sample_with_probs(20_000)
            Z = 2 + 0.5 * np.random.default_rng(0).standard_normal((20_000, M))
            expected = vae.prior_predictive_with_input(Z)
            error = np.hypot(probs.std(0), expected.std(0)) / np.sqrt(20_000)
            assert (np.abs(probs.mean(0) - expected.mean(0)) < 5 * error).all()
            before = vae.evaluate(X).elbo
            vae.fit(X, epochs=20, batch_sz=8, progress=False, plot=False)
            assert vae.evaluate(X).elbo > before + 1

    def test_the_standard_prior_is_the_default(self, X):
        models = [VariationalAutoencoder(D, SIZES, seed=1, prior=p) for p in (None, Gaussian())]
        elbos = [vae.evaluate(X).elbo for vae in models]
        assert elbos[0] == pytest.approx(elbos[1], rel=1e-6)
        for vae in models:
            vae.close()

    @pytest.mark.repeats
    def test_monte_carlo_kl_agrees_with_the_analytic_one_in_expectation(self, X):
        x = X[:1]
        with VariationalAutoencoder(D, SIZES, seed=1, kl="monte_carlo") as vae:
            *_, kl = forward_in_float64(vae, x, np.zeros((1, M)))
            estimates = vae.evaluate(np.tile(x, (20_000, 1)))
            n = 20_000
            deviation = np.sqrt(M * 0.5 + (vae.transform(x) ** 2).sum()) + 5  # of log q - log p
            assert estimates.kl == pytest.approx(kl[0], abs=4 * deviation / np.sqrt(n))
            before = vae.evaluate(X).elbo
            vae.fit(X, epochs=20, batch_sz=8, progress=False, plot=False)
            assert vae.evaluate(X).elbo > before + 1


class TestSeed:
    def test_determines_weights_and_training(self, X):
        def run(seed):
            with VariationalAutoencoder(D, SIZES, seed=seed) as vae:
                costs = vae.fit(X, epochs=2, batch_sz=8, progress=False, plot=False)
                weights = np.concatenate([w.ravel() for w in vae.sess.run(vae.variables)])
                samples = (
                    vae.posterior_predictive_sample(X),
                    *vae.prior_predictive_sample_with_probs(),
                )
                return costs, weights, *samples

        first, again, other = run(3), run(3), run(4)
        for a, b, c in zip(first, again, other, strict=True):
            np.testing.assert_array_equal(a, b)
            assert not np.array_equal(a, c)

    def test_a_fresh_one_is_drawn_and_told(self):
        with VariationalAutoencoder(4, [2]) as a, VariationalAutoencoder(4, [2]) as b:
            assert a.seed != b.seed
            with VariationalAutoencoder(4, [2], seed=a.seed) as again:
                for v, w in zip(
                    a.sess.run(a.variables), again.sess.run(again.variables), strict=True
                ):
                    np.testing.assert_array_equal(v, w)

    def test_the_graphs_own_seed_is_taken_as_tensorflow_1_did(self):
        weights = []
        for _ in range(2):
            with tf.Graph().as_default():
                tf.compat.v1.set_random_seed(11)
                with VariationalAutoencoder(4, [2]) as vae:
                    weights.append(vae.sess.run(vae.variables[0]))
        np.testing.assert_array_equal(*weights)

    def test_two_looks_at_a_sample_differ(self, vae, X):
        first, second = (vae.sess.run(vae.Z, {vae.X: X}) for _ in range(2))
        assert not np.array_equal(first, second)


class TestRows:
    def test_any_kind_of_array_gives_the_same_codes(self, vae, X):
        expected = vae.sess.run(vae.means, {vae.X: X})
        kinds = [X, X.tolist(), X.astype(np.float64), X.astype(int), X.astype(bool), X.astype("u1")]
        for kind in kinds:
            np.testing.assert_allclose(vae.transform(kind), expected, rtol=1e-6)

    def test_grey_values_are_taken_exactly(self, vae):
        grey = (np.arange(10 * D).reshape(10, D) % 256 / 255).astype(np.float32)
        for values in (grey, np.sqrt(grey)):
            expected = vae.sess.run(vae.means, {vae.X: values})
            np.testing.assert_allclose(vae.transform(values), expected, rtol=1e-6)

    def test_many_rows_agree_with_few(self, vae, X):
        tiled = np.tile(X, (3000, 1))
        codes = vae.transform(tiled)
        assert codes.shape == (len(tiled), M)
        np.testing.assert_allclose(codes[-len(X) :], vae.transform(X), rtol=1e-5, atol=1e-6)

    def test_shapes_and_types_are_the_originals(self, vae, X):
        assert vae.posterior_predictive_sample([X[0]]).shape == (1, D)
        assert vae.posterior_predictive_sample(X).dtype == np.int32
        image, probs = vae.prior_predictive_sample_with_probs()
        assert image.shape == probs.shape == (1, D)
        assert (image.dtype, probs.dtype) == (np.int32, np.float32)
        assert vae.prior_predictive_with_input(np.zeros((2, M))).shape == (2, D)


class TestMemory:
    def test_a_model_that_does_not_fit_is_refused_with_the_figure(self):
        with pytest.raises(MemoryError, match=r"layers 784-1000000-1000000 takes .* GB, but this"):
            VariationalAutoencoder(784, [1_000_000, 1_000_000])


class TestProcess:
    @pytest.mark.repeats
    def test_several_models_live_side_by_side(self, X):
        with (
            VariationalAutoencoder(D, SIZES, seed=1) as a,
            VariationalAutoencoder(D, [4], seed=2) as b,
        ):
            codes = a.transform(X)
            b.fit(X, epochs=1, batch_sz=8, progress=False, plot=False)
            np.testing.assert_array_equal(a.transform(X), codes)

    def test_graph_mode_uses_the_callers_graph(self, X):
        with tf.Graph().as_default() as graph:
            mine = tf.compat.v1.Variable(2.0, name="mine")
            vae = VariationalAutoencoder(D, SIZES, seed=1)
            assert vae.graph is graph
            doubled = vae.means * mine
            np.testing.assert_allclose(
                vae.sess.run(doubled, {vae.X: X}), 2 * vae.transform(X), rtol=1e-6
            )
            second = VariationalAutoencoder(D, SIZES, seed=2)
            second.fit(X, epochs=1, batch_sz=8, progress=False, plot=False)
            assert second.variables[0].op.name != vae.variables[0].op.name
            vae.close(), second.close()

    def test_a_savers_keys_are_those_of_the_original_script(self):
        with tf.Graph().as_default(), VariationalAutoencoder(4, [2]):
            names = {variable.op.name for variable in tf.compat.v1.global_variables()}
        base = ["Variable", "Variable_1", "Variable_2", "Variable_3"]
        assert names == {n + s for n in base for s in ("", "/RMSProp", "/RMSProp_1")}

    def test_nothing_of_the_process_is_touched(self, X):
        np.random.seed(0)  # noqa: NPY002
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        graph = tf.compat.v1.get_default_graph()
        level = tf.get_logger().level
        eagerly = tf.executing_eagerly()
        with VariationalAutoencoder(D, SIZES, seed=1) as vae:
            vae.fit(X, epochs=1, batch_sz=8, progress=False, plot=False)
        assert tf.executing_eagerly() == eagerly
        assert tf.compat.v1.get_default_graph() is graph
        assert tf.compat.v1.get_default_session() is None
        assert tf.get_logger().level == level
        assert tf.get_logger().filters == []
        np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002

    @pytest.mark.parametrize("compile", full_except([None, False, True], True))
    def test_close_releases_the_graph(self, compile):
        if not tf.executing_eagerly():
            pytest.skip("in graph mode the graph is the caller's")
        vae = VariationalAutoencoder(4, [2])
        if compile is not None:
            vae.fit(np.eye(4), epochs=1, batch_sz=2, compile=compile, progress=False, plot=False)
            vae.evaluate(np.eye(4))
        graph = weakref.ref(vae.graph)
        vae.close()
        vae.close()
        del vae
        gc.collect()
        assert graph() is None

    def test_import_does_nothing(self):
        code = """
import logging, sys, warnings
filters = list(warnings.filters)
import vae_tf1
assert "tensorflow" not in sys.modules and "matplotlib" not in sys.modules
assert not logging.getLogger().handlers and warnings.filters == filters
import numpy as np
import tensorflow as tf
state, loaded = np.random.get_state()[1].copy(), set(sys.modules)
from vae_tf1 import VariationalAutoencoder
assert tf.executing_eagerly() and (np.random.get_state()[1] == state).all()
new = {name.split(".")[0] for name in set(sys.modules) - loaded}
assert not new & {"matplotlib", "tensorflow_probability", "tqdm"}, new
"""
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr

    def test_no_deprecation_chatter(self, caplog, X):
        with VariationalAutoencoder(D, SIZES) as vae:
            vae.evaluate(X)
        assert "deprecat" not in caplog.text
