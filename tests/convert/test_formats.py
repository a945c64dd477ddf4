"""Each format's encoder and decoder give the numbers that TensorFlow 1.15 computed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from vae_tf1 import VariationalAutoencoder
from vae_tf1.convert import compare
from vae_tf1.convert.activations import NAMES, Activation
from vae_tf1.convert.formats import FORMATS, Source
from vae_tf1.convert.network import STDDEVS, Dense, Network

SUPPORT = Path(__file__).parents[1] / "support"
# What TensorFlow 1.15 knows of the operators in a SavedModel: it refuses any other attribute.
TF115_ATTRIBUTES = {
    "Add": {"T"},
    "AssignVariableOp": {"dtype"},
    "BiasAdd": {"T", "data_format"},
    "Const": {"dtype", "value"},
    "Elu": {"T"},
    "Exp": {"T"},
    "Identity": {"T"},
    "LeakyRelu": {"T", "alpha"},
    "MatMul": {"T", "transpose_a", "transpose_b"},
    "MergeV2Checkpoints": {"delete_old_dirs"},
    "Mul": {"T"},
    "NoOp": set(),
    "Pack": {"N", "T", "axis"},
    "Placeholder": {"dtype", "shape"},
    "PlaceholderWithDefault": {"dtype", "shape"},
    "ReadVariableOp": {"dtype"},
    "Relu": {"T"},
    "Relu6": {"T"},
    "RestoreV2": {"dtypes"},
    "SaveV2": {"dtypes"},
    "Selu": {"T"},
    "ShardedFilename": set(),
    "Sigmoid": {"T"},
    "Softplus": {"T"},
    "Softsign": {"T"},
    "Split": {"T", "num_split"},
    "StaticRegexFullMatch": {"pattern"},
    "StringJoin": {"N", "separator"},
    "Select": {"T"},
    "Tanh": {"T"},
    "VarHandleOp": {"container", "dtype", "shape", "shared_name"},
    "VarIsInitializedOp": set(),
}


def needs(format):
    for package in FORMATS[format].packages:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


@pytest.fixture(scope="module", params=["small", "784"])
def golden(request, golden_dir):
    """A checkpoint of TensorFlow 1.15's, the numbers it gave, the model that restores it."""
    folder = golden_dir
    if request.param == "784":
        folder = request.getfixturevalue("golden_large_dir")
    path = folder / f"tf115_{request.param}.npz"
    with np.load(path) as file:
        numbers = dict(file)
    with VariationalAutoencoder(int(numbers["D"]), numbers["sizes"].tolist()) as vae:
        vae.restore(folder / f"tf115_{request.param}.ckpt")
        yield vae, numbers, path


@pytest.mark.full
@pytest.mark.parametrize("format", ["npz", "safetensors", "onnx", "pytorch"])
def test_without_tensorflow(golden, format, tmp_path):
    needs(format)
    vae, _, path = golden
    done = vae.export(tmp_path, format)
    assert {file.name for file in done.files} == set(FORMATS[format].files)
    script, n_encoder = SUPPORT / "without_tensorflow.py", str(len(vae.encoder_layers))
    ran = subprocess.run(
        [sys.executable, script, format, tmp_path, path, n_encoder],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert ran.returncode == 0, ran.stderr
    codes, probabilities = map(float, ran.stdout.split())
    assert codes < 1e-5
    assert probabilities < 1e-5


def test_keras(golden, tmp_path):
    import keras

    vae, numbers, _ = golden
    vae.export(tmp_path, "keras", X=numbers["X"][0])
    encoder, decoder, whole = (
        keras.saving.load_model(tmp_path / f"{name}.keras")
        for name in ("encoder", "decoder", "vae")
    )
    X, Z = numbers["X"][0].astype(np.float32), numbers["Z_input"].astype(np.float32)
    means, _ = encoder.predict(X, verbose=0)
    probabilities = decoder.predict(Z, verbose=0)
    assert_close(means, numbers["final_transform_X0"])
    assert_close(probabilities, numbers["prior_probs_from_Z_input"])

    epsilon = numbers["epsilon"][0].astype(np.float32)
    feed = {vae.X: X, vae.epsilon: epsilon}
    expected = vae.sess.run((vae.posterior_predictive_probs, vae.means, vae.stddev), feed)
    for found, value in zip(whole.predict([X, epsilon], verbose=0), expected, strict=True):
        assert_close(found, value)


def test_saved_model(golden, tmp_path):
    vae, numbers, _ = golden
    vae.export(tmp_path, "saved_model")
    X, Z = numbers["X"][0].astype(np.float32), numbers["Z_input"].astype(np.float32)
    loaded = tf.saved_model.load(str(tmp_path / "saved_model"))
    assert set(loaded.signatures) == {"encode", "decode", "serving_default"}
    found = loaded.signatures["encode"](X=tf.constant(X))
    assert_close(found["means"].numpy(), numbers["final_transform_X0"])
    assert_close(found["stddev"].numpy(), vae.sess.run(vae.stddev, {vae.X: X}))
    found = loaded.signatures["decode"](Z=tf.constant(Z))
    assert_close(found["probabilities"].numpy(), numbers["prior_probs_from_Z_input"])
    found = loaded.signatures["serving_default"](X=tf.constant(X))
    assert_close(found["probabilities"].numpy(), vae.reconstruct(X))
    # its variables are a checkpoint that the original script restores
    names = dict(tf.train.list_variables(str(tmp_path / "saved_model" / "variables" / "variables")))
    assert names == {v.op.name: v.shape.as_list() for v in vae.variables}


def assert_close(found, expected):
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


ACTIVATIONS = [*(Activation(name) for name in NAMES), Activation("leaky_relu", 0.03)]


def network_of(activations, stddev="softplus"):
    """Return a network with a hidden layer of each activation, half of them in the decoder."""
    rng = np.random.default_rng(0)

    def layers(rows, columns, hidden):
        made = []
        for f in [*hidden, Activation("identity")]:
            width = columns if len(made) == len(hidden) else 16
            W = 1.5 * rng.standard_normal((rows, width)) / np.sqrt(rows)
            b = rng.standard_normal(width)
            made.append(Dense(W.astype(np.float32), b.astype(np.float32), f))
            rows = width
        return tuple(made)

    half = len(activations) // 2
    return Network(layers(12, 6, activations[:half]), layers(3, 12, activations[half:]), stddev)


@pytest.mark.parametrize("stddev", STDDEVS)
@pytest.mark.parametrize("format", ["onnx", "keras", "pytorch", "saved_model", "page"])
def test_every_activation_in_every_format(format, stddev, tmp_path):
    needs(format)
    network = network_of(ACTIVATIONS, stddev)
    inputs = compare.inputs(12, 3)
    source = Source(dict, lambda: network, inputs, compare.by_network(network, inputs))
    FORMATS[format].convert(source, tmp_path)
    assert FORMATS[format].difference(source, tmp_path) < FORMATS[format].tolerance
    # and a wrong activation would show
    for part in ("encoder", "decoder"):
        for i, layer in enumerate(getattr(network, part)):
            layers = list(getattr(network, part))
            layers[i] = layer._replace(activation=Activation("leaky_relu", 0.1))
            other = network._replace(**{part: tuple(layers)})
            error = compare.difference(compare.by_network(other, inputs), source.expected)
            assert error > 10 * FORMATS[format].tolerance


@pytest.mark.parametrize("stddev", STDDEVS)
def test_a_saved_model_has_no_operator_that_tensorflow_115_lacks(stddev, tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    network = network_of(ACTIVATIONS, stddev)
    FORMATS["saved_model"].convert(Source(dict, lambda: network), tmp_path)
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((tmp_path / "saved_model" / "saved_model.pb").read_bytes())
    (graph,) = saved.meta_graphs
    for node in graph.graph_def.node:
        attributes = {name for name in node.attr if not name.startswith("_")}
        assert attributes <= TF115_ATTRIBUTES[node.op], node
    assert graph.meta_info_def.stripped_default_attrs
    assert graph.graph_def.versions.min_consumer <= 134  # of TensorFlow 1.15
    assert not graph.graph_def.library.function


def test_a_genuine_tensorflow_1_loads_and_runs_the_saved_model(golden, tmp_path):
    """Set VAE_TF1_TENSORFLOW1 to the Pythons, separated by ':', that have TensorFlow 1."""
    pythons = os.environ.get("VAE_TF1_TENSORFLOW1")
    if not pythons:
        pytest.skip("VAE_TF1_TENSORFLOW1 names no Python that has TensorFlow 1")
    vae, _, path = golden
    vae.export(tmp_path, "saved_model")
    script = SUPPORT / "tensorflow1_serves.py"
    for python in pythons.split(os.pathsep):
        done = subprocess.run(
            [python, script, tmp_path / "saved_model", path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "two signatures agree" in done.stdout
