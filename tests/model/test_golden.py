"""The numbers are the original's: replays of what genuine TensorFlow 1.15.5 computed."""

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import VariationalAutoencoder
from vae_tf1.model.rmsprop import MEAN_SQUARE, MOMENTUM


@pytest.fixture(params=["small", "784"])
def golden(request, golden_small):
    if request.param == "small":
        return golden_small
    folder = request.getfixturevalue("golden_large_dir")
    with np.load(folder / "tf115_784.npz") as file:
        return dict(file)


@pytest.fixture
def vae(golden):
    """The golden run's model, at its initial weights."""
    with VariationalAutoencoder(int(golden["D"]), golden["sizes"].tolist()) as vae:
        with vae.graph.as_default():
            for i, layer in enumerate(vae.encoder_layers + vae.decoder_layers):
                layer.W.load(golden[f"init_W{i}"], vae.sess)
                layer.b.load(golden[f"init_b{i}"], vae.sess)
        yield vae


def assert_same(value, expected, name):
    """To 1e-6 of the tensor's own scale, as far as float32 goes for its largest entries."""
    scale = max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(value / scale, expected / scale, rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_replay_gives_the_originals_numbers(vae, golden):
    feed = {vae.X: golden["X"][0], vae.epsilon: golden["epsilon"][0]}
    tensors = {
        "means": vae.means,
        "stddev": vae.stddev,
        "Z": vae.Z,
        "logits": vae.X_hat_distribution.logits,
        "probs": vae.posterior_predictive_probs,
    }
    for name, value in vae.sess.run(tensors, feed).items():
        assert_same(value, golden[f"step0_{name}"], name)

    with vae.graph.as_default():
        gradients = tf.gradients(-vae.elbo, vae.variables)
    names = [f"step0_grad_{kind}{i}" for i in range(len(gradients) // 2) for kind in "Wb"]
    for name, value in zip(names, vae.sess.run(gradients, feed), strict=True):
        assert_same(value, golden[name], name)

    elbos = [
        vae.sess.run((vae.train_op, vae.elbo), {vae.X: x, vae.epsilon: epsilon})[1]
        for x, epsilon in zip(golden["X"], golden["epsilon"], strict=True)
    ]
    np.testing.assert_allclose(elbos, golden["elbo"], rtol=3e-7)

    compared = 0
    for i, variable in enumerate(vae.variables):
        name = "Variable" if i == 0 else f"Variable_{i}"
        assert variable.op.name == name
        slots = {
            "": variable,
            "/RMSProp": vae.optimizer.get_slot(variable, MEAN_SQUARE),
            "/RMSProp_1": vae.optimizer.get_slot(variable, MOMENTUM),
        }
        for suffix, held in slots.items():
            assert held.op.name == name + suffix
            assert_same(vae.sess.run(held), golden[f"final/{name}{suffix}"], name + suffix)
            compared += 1
    assert compared == len([key for key in golden if key.startswith("final/")])

    np.testing.assert_allclose(
        vae.prior_predictive_with_input(golden["Z_input"]),
        golden["prior_probs_from_Z_input"],
        atol=2e-6,
    )
    np.testing.assert_allclose(
        vae.transform(golden["X"][0]), golden["final_transform_X0"], atol=2e-6
    )
