"""A model as plain arrays: activations are known by what they compute, the numbers are TF1's."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import Gaussian, VariationalAutoencoder
from vae_tf1.convert import activations, network
from vae_tf1.convert.activations import Activation
from vae_tf1.convert.network import Dense
from vae_tf1.errors import ConversionError


@pytest.fixture(scope="module")
def vae(golden_dir):
    with VariationalAutoencoder(24, [10, 6, 4]) as vae:
        vae.restore(golden_dir / "tf115_small.ckpt")
        yield vae


class TestActivations:
    @pytest.mark.parametrize(
        ("function", "name"),
        [
            (tf.identity, "identity"),
            (lambda x: x, "identity"),
            (tf.nn.relu, "relu"),
            (lambda x: tf.maximum(x, 0.0), "relu"),
            (tf.nn.relu6, "relu6"),
            (tf.tanh, "tanh"),
            (tf.sigmoid, "sigmoid"),
            (tf.nn.elu, "elu"),
            (tf.nn.selu, "selu"),
            (tf.nn.softplus, "softplus"),
            (tf.nn.softsign, "softsign"),
            (tf.nn.swish, "swish"),
            (tf.nn.leaky_relu, "leaky_relu(0.2)"),
            (partial(tf.nn.leaky_relu, alpha=0.01), "leaky_relu(0.01)"),
            (lambda x: tf.maximum(0.3 * x, x), "leaky_relu(0.3)"),
        ],
    )
    def test_a_function_is_known_by_what_it_computes(self, function, name):
        (found,) = activations.recognise([function])
        assert str(found) == name

    @pytest.mark.parametrize(
        "function", [tf.nn.softmax, tf.sin, tf.square, tf.nn.dropout, len, lambda x: x[:, :1]]
    )
    def test_any_other_is_named(self, function):
        with pytest.raises(ConversionError, match=f"the activation {function.__name__} cannot"):
            activations.recognise([tf.nn.relu, function])

    @pytest.mark.parametrize("name", activations.NAMES)
    def test_the_formulas_are_tensorflows_for_values_of_any_size(self, name):
        function = {"identity": tf.identity, "leaky_relu": tf.nn.leaky_relu}.get(name)
        function = function or getattr(tf.nn, name)
        x = np.concatenate([-np.logspace(-6, 3, 90), [0], np.logspace(-6, 3, 90)])
        expected = function(tf.constant(x)).numpy()
        np.testing.assert_allclose(Activation(name)(x), expected, rtol=1e-7, atol=1e-12)


class TestOfModel:
    def test_its_numbers_are_those_of_tensorflow_1(self, vae, golden_small):
        found = network.of_model(vae)
        means, _ = found.encode(golden_small["X"][0])
        np.testing.assert_allclose(means, golden_small["final_transform_X0"], atol=1e-6)
        np.testing.assert_allclose(
            found.decode(golden_small["Z_input"]),
            golden_small["prior_probs_from_Z_input"],
            atol=1e-6,
        )
        assert (found.D, found.M, found.hidden_layer_sizes) == (24, 4, [10, 6, 4])
        assert found.is_ours
        assert found.notes == ()

    def test_the_standard_deviations_of_a_first_step(self, golden_small):
        golden = golden_small
        weights = [
            Dense(golden[f"init_W{i}"], golden[f"init_b{i}"], Activation("relu")) for i in range(6)
        ]
        weights[2] = weights[2]._replace(activation=Activation("identity"))
        weights[5] = weights[5]._replace(activation=Activation("identity"))
        found = network.Network(tuple(weights[:3]), tuple(weights[3:]))
        means, stddev = found.encode(golden["X"][0])
        np.testing.assert_allclose(means, golden["step0_means"], atol=1e-6)
        np.testing.assert_allclose(stddev, golden["step0_stddev"], rtol=1e-6)
        Z = means + stddev * golden["epsilon"][0]
        np.testing.assert_allclose(found.logits(Z), golden["step0_logits"], atol=1e-5)
        np.testing.assert_allclose(found.decode(Z), golden["step0_probs"], atol=1e-6)

    def test_other_ways_to_the_standard_deviations(self, vae, golden_small):
        found = network.of_model(vae)
        _, u = np.split(found.encoded(golden_small["X"][0]), 2, axis=1)
        for stddev, expected in (("exp", np.exp(u)), ("exp_half", np.sqrt(np.exp(u)))):
            other = found._replace(stddev=stddev)
            np.testing.assert_allclose(other.encode(golden_small["X"][0])[1], expected)
            assert not other.is_ours

    def test_the_prior(self):
        with VariationalAutoencoder(4, [2], prior=Gaussian(0.5, 4.0)) as vae:
            assert network.of_model(vae).prior == (0.5, 2.0)
        with VariationalAutoencoder(4, [2]) as vae:
            assert network.of_model(vae).prior == (0.0, 1.0)

    def test_what_cannot_be_exported_is_named_and_the_rest_is(self):
        with VariationalAutoencoder(4, [3, 2]) as vae:
            vae.encoder_layers.insert(0, object())
            found = network.of_model(vae)
            assert found.encoder == ()
            assert len(found.decoder) == 2
            assert found.notes == (
                "the encoder is not exported: encoder layer 1 is a object, and only dense layers "
                "can be",
            )
            vae.decoder_layers[0].f = tf.sin
            with pytest.raises(ConversionError, match=r"encoder layer 1 .*; .* activation sin"):
                network.of_model(vae)

    def test_a_likelihood_that_is_not_bernoulli(self):
        class Poisson:
            pass

        with VariationalAutoencoder(4, [3, 2]) as vae:
            vae.likelihood = Poisson()
            found = network.of_model(vae)
        assert found.decoder == ()
        assert "its likelihood is Poisson" in found.notes[0]

    def test_weights_that_are_not_finite(self):
        with VariationalAutoencoder(4, [3, 2]) as vae:
            layer = vae.decoder_layers[0]
            vae.sess.run(layer.b.initializer, {layer.b.initializer.inputs[1]: [np.nan] * 3})
            assert "decoder layer 1 has weights that are NaN" in network.of_model(vae).notes[0]

    def test_assign_puts_them_back(self, vae, golden_small):
        with VariationalAutoencoder(24, [10, 6, 4], seed=3) as other:
            network.assign(other, network.of_model(vae))
            np.testing.assert_array_equal(
                other.transform(golden_small["X"][0]), vae.transform(golden_small["X"][0])
            )
