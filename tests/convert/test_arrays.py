"""Weights from Keras, PyTorch or anywhere come into a TF1 script's checkpoint."""

import numpy as np
import pytest
import tensorflow as tf
from support.kinds import full_except

from vae_tf1 import VariationalAutoencoder
from vae_tf1.convert import tensors
from vae_tf1.errors import ConversionError


@pytest.fixture(scope="module")
def vae(golden_dir):
    with VariationalAutoencoder(24, [10, 6, 4]) as vae:
        vae.restore(golden_dir / "tf115_small.ckpt")
        yield vae


@pytest.fixture(scope="module")
def pairs(golden_small):
    names = [f"final/Variable_{i}" if i else "final/Variable" for i in range(12)]
    arrays = [golden_small[name] for name in names]
    layers = list(zip(arrays[::2], arrays[1::2], strict=True))
    return layers[:3], layers[3:]


def assert_same_model(vae, golden):
    np.testing.assert_allclose(
        vae.transform(golden["X"][0]), golden["final_transform_X0"], atol=2e-6
    )
    np.testing.assert_allclose(
        vae.prior_predictive_with_input(golden["Z_input"]),
        golden["prior_probs_from_Z_input"],
        atol=2e-6,
    )


class TestFromArrays:
    @pytest.mark.full
    def test_the_golden_weights_give_the_golden_numbers(self, pairs, golden_small):
        with VariationalAutoencoder.from_arrays(*pairs, seed=4) as vae:
            assert_same_model(vae, golden_small)
            assert (vae.D, vae.hidden_layer_sizes, vae.seed) == (24, [10, 6, 4], 4)
            vae.fit(golden_small["X"][0], epochs=1, batch_sz=8, progress=False, plot=False)

    @pytest.mark.full
    def test_from_npz_to_a_checkpoint_that_the_original_script_reads(
        self, vae, golden_dir, golden_small, tmp_path
    ):
        vae.export(tmp_path, "npz")
        with np.load(tmp_path / "weights.npz") as file:
            arrays = [file[f"Variable_{i}" if i else "Variable"] for i in range(12)]
        layers = list(zip(arrays[::2], arrays[1::2], strict=True))
        with VariationalAutoencoder.from_arrays(layers[:3], layers[3:]) as other:
            prefix = other.save(tmp_path / "back")
        theirs = tensors.read(golden_dir / "tf115_small.ckpt").values()
        ours = tensors.read(prefix).values()
        assert theirs.keys() <= ours.keys()
        for name in (name for name in theirs if "/" not in name):
            np.testing.assert_array_equal(ours[name], theirs[name])
        # and with the names of a script of its own
        with tf.Graph().as_default(), VariationalAutoencoder(24, [10, 6, 4]) as script:
            tf.compat.v1.train.Saver().restore(script.sess, prefix)
            assert_same_model(script, golden_small)

    @pytest.mark.parametrize(
        ("encoder", "decoder", "message"),
        [
            ([(8, 5), (5, 4)], [(2, 5), (5, 7)], "ends in 7 values, expected the 8"),
            ([(8, 5), (5, 4)], [(3, 5), (5, 8)], "expected 6, 3 means and 3 standard"),
            ([(8, 5), (5, 4)], [(2, 6), (6, 8)], r"widths \[6\], expected \[5\]"),
            ([(8, 5), (5, 4)], [(2, 5), (5, 5), (5, 8)], r"\[5, 5\], expected \[5\]"),
            ([(5, 8), (4, 5)], [(2, 5), (5, 8)], "PyTorch's weights must be transposed"),
            ([], [(2, 5)], "encoder is empty"),
        ],
    )
    def test_arrays_that_do_not_fit(self, encoder, decoder, message):
        def layers(shapes):
            return [(np.ones(shape), np.ones(shape[1])) for shape in shapes]

        with pytest.raises(ConversionError, match=message):
            VariationalAutoencoder.from_arrays(layers(encoder), layers(decoder))

    @pytest.mark.parametrize(
        ("encoder", "message"),
        [
            ([np.ones((8, 4))], r"encoder must be a list of pairs \(W, b\)"),
            (7, "encoder must be a list of pairs"),
            ([("a", "b")], "encoder must be a list of pairs"),
            ([(np.ones((8, 4)), np.ones(3))], r"W of shape \(8, 4\) and b of shape \(3,\)"),
            ([(np.ones((8, 4, 1)), np.ones(4))], "encoder layer 1 has W of shape"),
            ([(np.full((8, 4), np.nan), np.ones(4))], "encoder layer 1 has values that are NaN"),
        ],
    )
    def test_what_is_no_list_of_layers(self, encoder, message):
        with pytest.raises(ConversionError, match=message):
            VariationalAutoencoder.from_arrays(encoder, [(np.ones((2, 8)), np.ones(8))])

    @pytest.mark.full
    def test_pytorch(self, vae, golden_small, tmp_path):
        torch = pytest.importorskip("torch")
        vae.export(tmp_path, "pytorch")
        state = torch.load(tmp_path / "model.pt", weights_only=True)
        parts = [
            [
                (state[f"{part}.{i}.weight"].T, state[f"{part}.{i}.bias"])
                for i in range(0, 6, 2)
            ]
            for part in ("encoder", "decoder")
        ]  # fmt: skip
        with VariationalAutoencoder.from_arrays(*parts) as other:
            assert_same_model(other, golden_small)


@pytest.fixture(scope="module")
def layers():
    import keras

    keras.utils.set_random_seed(1)
    return keras, keras.layers


def decoder_of(layers, activation="sigmoid"):
    keras, L = layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            L.Dense(7, activation="relu"),
            L.Dense(20, activation=activation),
            L.Reshape((4, 5, 1)),
        ]
    )


class TestFromKeras:
    def test_there_and_back(self, vae, golden_small, tmp_path):
        vae.export(tmp_path, "keras")
        files = tmp_path / "encoder.keras", tmp_path / "decoder.keras"
        with VariationalAutoencoder.from_keras(*files) as other:
            assert_same_model(other, golden_small)

    @pytest.mark.parametrize("activation", full_except(["sigmoid", None], None))
    @pytest.mark.parametrize("heads", full_except(["fused", "means first", "means last"], "fused"))
    def test_models_as_people_write_them(self, layers, heads, activation):
        """Images with two dimensions and a channel, relu as a layer, logits or probabilities."""
        keras, L = layers
        X = keras.Input((4, 5, 1))
        hidden = L.ReLU()(L.Dense(7)(L.Flatten()(X)))
        if heads == "fused":
            outputs = L.Dense(6)(hidden)
        elif heads == "means first":
            means = L.Dense(3)(hidden)
            outputs = [means, L.Rescaling(1, 1e-6)(L.Dense(3, activation="softplus")(hidden))]
        else:
            stddev = L.Rescaling(1, 1e-6)(L.Dense(3, activation="softplus")(hidden))
            outputs = [L.Dense(3)(hidden), stddev]
        encoder, decoder = keras.Model(X, outputs), decoder_of(layers, activation)
        images = np.random.default_rng(0).random((9, 20)).astype(np.float32)
        found = encoder.predict(images.reshape(9, 4, 5, 1), verbose=0)
        means = found[:, :3] if heads == "fused" else found[0]
        with VariationalAutoencoder.from_keras(encoder, decoder) as vae:
            np.testing.assert_allclose(vae.transform(images), means, atol=1e-5)
            decoded = decoder.predict(means, verbose=0).reshape(9, 20)
            if activation is None:
                decoded = 1 / (1 + np.exp(-decoded))
            np.testing.assert_allclose(vae.prior_predictive_with_input(means), decoded, atol=1e-5)

    def test_a_log_variance_is_refused(self, layers):
        keras, L = layers
        X = keras.Input((20,))
        hidden = L.Dense(7, activation="relu")(X)
        encoder = keras.Model(X, [L.Dense(3)(hidden), L.Dense(3)(hidden)])
        with pytest.raises(ConversionError, match=r"something else than dense layers .* softplus"):
            VariationalAutoencoder.from_keras(encoder, decoder_of(layers))

    def test_another_activation_is_refused(self, layers):
        keras, L = layers
        encoder = keras.Sequential([keras.Input((20,)), L.Dense(7, "tanh"), L.Dense(6)])
        with pytest.raises(ConversionError, match="something else than dense layers with relu"):
            VariationalAutoencoder.from_keras(encoder, decoder_of(layers))

    def test_a_convolution_is_refused(self, layers):
        keras, L = layers
        encoder = keras.Sequential(
            [keras.Input((4, 5, 1)), L.Conv2D(2, 2), L.Flatten(), L.Dense(6)]
        )
        with pytest.raises(ConversionError, match="the encoder has a Conv2D layer with weights"):
            VariationalAutoencoder.from_keras(encoder, decoder_of(layers))

    def test_what_is_no_model(self, layers, tmp_path):
        with pytest.raises(ConversionError, match=r"none\.keras cannot be loaded"):
            VariationalAutoencoder.from_keras(tmp_path / "none.keras", decoder_of(layers))
        with pytest.raises(ConversionError, match="expected a Keras model or the path of one"):
            VariationalAutoencoder.from_keras(7, decoder_of(layers))
