"""Encoders and decoders of one's own: they train, are saved, and start from the model's seed."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.signal import correlate2d
from support.integrals import by_grid, by_importance, tamed
from support.kinds import full_except

from vae_tf1 import CheckpointError, DenseLayer, VariationalAutoencoder
from vae_tf1.model.layers import Conv2DLayer, Conv2DTransposeLayer, Flatten, Reshape

D, M = 64, 2
QUIET = {"progress": False, "plot": False}


@pytest.fixture(scope="module")
def X():
    return (np.random.default_rng(0).random((80, D)) < 0.3).astype(np.float32)


def encoder():
    return [
        Reshape((8, 8, 1)),
        Conv2DLayer(3, strides=2, f="leaky_relu"),
        Flatten(),
        DenseLayer(None, 9, f="tanh", initializer="glorot"),
    ]


def decoder():
    return [
        DenseLayer(None, 32, initializer="he"),
        Reshape((4, 4, 2)),
        Conv2DTransposeLayer(2, strides=2),
        Flatten(),
    ]


def convolutional(**options):
    options = {"encoder": encoder(), "decoder": decoder(), "seed": 3, **options}
    return VariationalAutoencoder(D, [M], kl="monte_carlo", **options)


class Scale:
    """A layer of one's own, which the model builds."""

    def build(self, shape, seed):
        self.scale = tf.compat.v1.Variable(np.ones(shape, np.float32), use_resource=True)
        self.variables = [self.scale]

    def forward(self, X):
        return X * self.scale


class Late:
    """A layer of one's own that creates its variable when it is called first."""

    variables = ()

    def forward(self, X):
        if not self.variables:
            self.variables = [tf.compat.v1.Variable(np.ones(1, np.float32), use_resource=True)]
        return X * self.variables[0]


def applied(layer, X):
    """Return what a layer makes of an array, and its weights."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        layer.build(X.shape[1:], (1, 2))
        result = layer.forward(tf.constant(X))
        sess.run(tf.compat.v1.global_variables_initializer())
        bias = np.random.default_rng(0).normal(size=layer.b.shape.as_list())
        sess.run(layer.b.initializer, {layer.b.initializer.inputs[1]: bias})
        return sess.run((result, layer.W, layer.b))


class TestLayers:
    @pytest.mark.parametrize("padding", ["same", "valid"])
    def test_a_convolution_is_that_of_scipy(self, padding):
        X = np.random.default_rng(1).normal(size=(2, 6, 5, 3)).astype(np.float32)
        layer = Conv2DLayer(2, f=tf.identity, padding=padding.upper())
        result, W, b = applied(layer, X)
        for image, picture in zip(X, result, strict=True):
            for filter_ in range(2):
                planes = (
                    correlate2d(image[:, :, c], W[:, :, c, filter_], padding) for c in range(3)
                )
                np.testing.assert_allclose(
                    picture[:, :, filter_], sum(planes) + b[filter_], rtol=1e-4, atol=1e-5
                )

    @pytest.mark.parametrize(
        ("strides", "padding", "size"), [(2, "SAME", 3), (1, "VALID", 3), (3, "VALID", 2)]
    )
    def test_a_transposed_convolution_is_the_adjoint(self, strides, padding, size):
        rng = np.random.default_rng(2)
        X = rng.normal(size=(1, 4, 4, 3)).astype(np.float32)
        layer = Conv2DTransposeLayer(2, size, strides, tf.identity, padding)
        result, W, b = applied(layer, X)
        Y = rng.normal(size=result.shape).astype(np.float32)
        with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
            back = sess.run(tf.nn.conv2d(tf.constant(Y), W, strides, padding))
        assert back.shape == X.shape
        assert np.sum(back * X) == pytest.approx(np.sum(Y * (result - b)), rel=1e-4)

    def test_initial_weights_have_the_spread_of_their_initializer(self):
        for initializer, variance in (
            ("original", 4 / 300),
            ("glorot", 2 / (300 + 500)),
            ("he", 2 / 300),
        ):
            with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
                layer = DenseLayer(300, 500, initializer=initializer, seed=(1, 2))
                sess.run(layer.W.initializer)
                assert sess.run(layer.W).var() == pytest.approx(variance, rel=0.02)


class TestModel:
    @pytest.mark.full
    def test_trains_the_same_compiled_and_not(self, X):
        costs = []
        for compiled in (False, True):
            with convolutional() as vae:
                costs.append(vae.fit(X, epochs=4, batch_sz=20, compile=compiled, **QUIET))
        np.testing.assert_allclose(*costs, rtol=1e-4)
        assert np.mean(costs[0][-4:]) > np.mean(costs[0][:4]) + 1

    @pytest.mark.full
    def test_is_saved_loaded_evaluated_and_resumed(self, X, tmp_path):
        with convolutional() as whole:
            whole.fit(X, epochs=4, batch_sz=20, **QUIET)
            expected, codes = whole.evaluate(X), whole.transform(X)
        with convolutional() as half:
            half.fit(X, epochs=2, batch_sz=20, checkpoint_dir=tmp_path, **QUIET)
        with convolutional() as resumed:
            resumed.fit(X, epochs=4, batch_sz=20, checkpoint_dir=tmp_path, **QUIET)
        with VariationalAutoencoder.load(tmp_path) as loaded:
            assert loaded.evaluate(X) == expected
            np.testing.assert_array_equal(loaded.transform(X), codes)

    def test_the_integral_over_the_code_is_what_importance_sampling_estimates(self, X):
        with tamed(convolutional()) as vae:
            error = by_importance(vae, X[:3], 5000) - by_grid(vae, X[:3], steps=181)
        assert abs(error.mean()) < 0.05

    @pytest.mark.full
    def test_one_list_serves_two_models_which_share_nothing(self, X):
        layers, other = encoder(), decoder()
        with convolutional(encoder=layers, decoder=other) as first:
            before = first.sess.run(first.variables)
            with convolutional(encoder=layers, decoder=other) as second:
                for mine, theirs in zip(before, second.sess.run(second.variables), strict=True):
                    np.testing.assert_array_equal(mine, theirs)
                second.fit(X, epochs=1, batch_sz=20, **QUIET)
            for mine, theirs in zip(before, first.sess.run(first.variables), strict=True):
                np.testing.assert_array_equal(mine, theirs)

    @pytest.mark.repeats
    def test_the_default_layers_given_as_a_list_are_the_default_model(self, X):
        with VariationalAutoencoder(D, [8, M], seed=5) as default:
            expected = default.fit(X, epochs=2, batch_sz=20, **QUIET)
        layers = {"encoder": [DenseLayer(None, 8)], "decoder": [DenseLayer(None, 8)]}
        with VariationalAutoencoder(D, [M], seed=5, **layers) as given:
            assert given.fit(X, epochs=2, batch_sz=20, **QUIET) == expected

    @pytest.mark.repeats
    @pytest.mark.parametrize("layer", full_except([Scale, Late], Late))
    def test_a_layer_of_ones_own_is_trained_saved_and_passed_again(self, layer, X, tmp_path):
        def layers():
            return [DenseLayer(D, 6), layer()]

        with VariationalAutoencoder(D, [7, M], seed=1, encoder=layers) as vae:
            vae.fit(X, epochs=2, batch_sz=20, **QUIET)
            (trained,) = vae.sess.run(vae.encoder_layers[1].variables)
            assert np.all(trained != 1)
            vae.save(tmp_path / "a")
        with pytest.raises(CheckpointError, match=rf"your own encoder \({layer.__name__}\)"):
            VariationalAutoencoder.load(tmp_path / "a")
        with VariationalAutoencoder.load(tmp_path / "a", encoder=layers) as loaded:
            (again,) = loaded.sess.run(loaded.encoder_layers[1].variables)
            np.testing.assert_array_equal(again, trained)
        with pytest.raises(CheckpointError, match="W of encoder layer 2"):
            VariationalAutoencoder.load(tmp_path / "a", encoder=[DenseLayer(D, 6)])


class TestRefused:
    @pytest.mark.parametrize(
        ("layers", "error", "message"),
        [
            ([3], TypeError, r"encoder layer 1 must have a method forward\(X\), not 3"),
            ([DenseLayer], TypeError, r"encoder layer 1 must have a method forward\(X\)"),
            (7, TypeError, "encoder must be a list of layers"),
            ([Conv2DLayer(2)], ValueError, "encoder layer 1: Conv2DLayer takes pictures"),
            (
                [Reshape((5, 5))],
                ValueError,
                r"layer 1: Reshape\(\(5, 5\)\) is given values",
            ),
            ([Reshape((8, 8, 1))], ValueError, r"ends with shape .*8, 8, 1\): add Flatten\(\)"),
            ([DenseLayer(D, 5), DenseLayer(6, 5)], ValueError, "layer 2: a DenseLayer of 6 inputs"),
        ],
    )
    def test_layers_that_do_not_fit(self, layers, error, message):
        with pytest.raises(error, match=message):
            VariationalAutoencoder(D, [4, M], encoder=layers)

    def test_sizes_of_hidden_layers_that_are_given(self):
        with pytest.raises(ValueError, match=r"hidden_layer_sizes is \[M\]"):
            VariationalAutoencoder(D, [4, M], encoder=encoder(), decoder=decoder())

    def test_a_variable_outside_of_the_graph(self):
        class Eager:
            def __init__(self):
                with tf.init_scope():
                    self.variables = [tf.Variable(1.0)]

            def forward(self, X):
                return X * 2

        if not tf.executing_eagerly():
            pytest.skip("in graph mode the variable is in the graph")
        with pytest.raises(ValueError, match="encoder layer 1 has a variable outside of the model"):
            VariationalAutoencoder(D, [4, M], encoder=[Eager()])

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Conv2DLayer(0),
            lambda: Conv2DLayer(2, padding="FULL"),
            lambda: Conv2DLayer(2, f="sin"),
            lambda: DenseLayer(2, 2, f="sin"),
            lambda: DenseLayer(2, 2, initializer="ones"),
            lambda: Reshape((2, -1)),
        ],
    )
    def test_arguments_out_of_range(self, make):
        with pytest.raises(ValueError, match="must be"):
            make()
