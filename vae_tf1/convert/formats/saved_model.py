"""``saved_model/``: TF1-style signatures, for TensorFlow 1.15, 2 and Serving alike.

Its ``variables/variables`` is a checkpoint under the names that the original script has.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from vae_tf1.backend.notices import without_deprecation_notices, without_startup_notices
from vae_tf1.convert.compare import Outputs
from vae_tf1.convert.formats.base import NetworkFormat, Source
from vae_tf1.convert.network import SMALLEST, Dense, Network

__all__ = ["FORMAT"]

tf1 = tf.compat.v1
_FUNCTIONS = {
    "identity": tf.identity,
    "relu": tf.nn.relu,
    "relu6": tf.nn.relu6,
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "softplus": tf.nn.softplus,
    "softsign": tf.nn.softsign,
    "swish": lambda x: tf.multiply(x, tf.sigmoid(x)),  # tf.nn.swish is a function of TF 2's own
}


def _write(source: Source, folder: Path) -> None:
    network = source.network()
    with tf.Graph().as_default() as graph, without_deprecation_notices():
        signatures = _signatures(network)
        with tf1.Session(graph=graph) as sess:
            sess.run(tf1.global_variables_initializer())
            builder = tf1.saved_model.Builder(str(folder / "saved_model"))
            builder.add_meta_graph_and_variables(
                sess,
                [tf1.saved_model.tag_constants.SERVING],
                signature_def_map=signatures,
                strip_default_attrs=True,
            )
            with without_startup_notices():
                builder.save()
    _strip(folder / "saved_model" / "saved_model.pb")


def _strip(file: Path) -> None:
    """Remove the attribute of variables that TensorFlow 1 does not know, and so refuses."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString(file.read_bytes())
    for graph in saved.meta_graphs:
        for node in graph.graph_def.node:
            node.attr.pop("debug_name", None)
    file.write_bytes(saved.SerializeToString(deterministic=True))


def _signatures(network: Network) -> dict:
    def signature(inputs: dict, outputs: dict) -> object:
        return tf1.saved_model.predict_signature_def(inputs, outputs)

    signatures = {}
    if network.encoder:
        encoder = _variables(network.encoder)
        X = tf1.placeholder(tf.float32, (None, network.D), name="X")
        means, u = tf.split(_through(encoder, X), 2, axis=1)
        means = tf.identity(means, name="means")
        if network.stddev == "softplus":
            stddev = tf.raw_ops.Add(x=tf.nn.softplus(u), y=tf.constant(SMALLEST), name="stddev")
        else:
            stddev = tf.exp(u if network.stddev == "exp" else tf.multiply(u, 0.5), name="stddev")
        signatures["encode"] = signature({"X": X}, {"means": means, "stddev": stddev})
    if network.decoder:
        decoder = _variables(network.decoder)
        Z = tf1.placeholder(tf.float32, (None, network.M), name="Z")
        probabilities = tf.sigmoid(_through(decoder, Z), name="probabilities")
        signatures["decode"] = signature({"Z": Z}, {"probabilities": probabilities})
    if network.encoder and network.decoder:
        reconstruction = tf.sigmoid(_through(decoder, means), name="reconstruction")
        signatures["serving_default"] = signature(
            {"X": X}, {"means": means, "stddev": stddev, "probabilities": reconstruction}
        )
    else:
        signatures["serving_default"] = next(iter(signatures.values()))
    return signatures


def _variables(layers: Sequence[Dense]) -> list[tuple]:
    """Make each layer's W and b under the original's names: Variable, Variable_1 and so on."""
    return [
        (*(tf1.Variable(value, use_resource=True, name="Variable") for value in (W, b)), f)
        for W, b, f in layers
    ]


def _through(layers: list[tuple], value: tf.Tensor) -> tf.Tensor:
    for W, b, f in layers:
        value = tf.nn.bias_add(tf.matmul(value, W), b)
        if f.name == "leaky_relu":
            value = tf.nn.leaky_relu(value, f.alpha)
        else:
            value = _FUNCTIONS[f.name](value)
    return value


def _run(source: Source, folder: Path) -> Outputs:
    with (
        tf.Graph().as_default() as graph,
        without_deprecation_notices(),
        without_startup_notices(),
        tf1.Session(graph=graph) as sess,
    ):
        loaded = tf1.saved_model.load(
            sess, [tf1.saved_model.tag_constants.SERVING], str(folder / "saved_model")
        )

        def outputs(name: str, *wanted: str, **feed: np.ndarray) -> list:
            if name not in loaded.signature_def:
                return [None] * len(wanted)
            signature = loaded.signature_def[name]
            return sess.run(
                [signature.outputs[output].name for output in wanted],
                {signature.inputs[input].name: value for input, value in feed.items()},
            )

        means, stddev = outputs("encode", "means", "stddev", X=source.inputs.X)
        return Outputs(means, stddev, *outputs("decode", "probabilities", Z=source.inputs.Z))


FORMAT = NetworkFormat("saved_model", (), ("saved_model",), _write, run=_run)
