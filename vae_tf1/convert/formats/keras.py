"""``encoder.keras``, ``decoder.keras`` and ``vae.keras``: Keras 3, from stock layers alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.backend.notices import without_startup_notices
from vae_tf1.convert.activations import Activation
from vae_tf1.convert.compare import Inputs, Outputs
from vae_tf1.convert.formats.base import NetworkFormat, Source
from vae_tf1.convert.network import SMALLEST, Dense, Network
from vae_tf1.errors import ConversionError

__all__ = ["FORMAT", "eagerly"]

_NAMES = {"identity": "linear", "swish": "silu"}


def _write(source: Source, folder: Path) -> None:
    eagerly(_save, source.network(), folder)


def _save(keras: Any, network: Network, folder: Path) -> None:
    encoder = _encoder(keras, network) if network.encoder else None
    decoder = _decoder(keras, network) if network.decoder else None
    if encoder:
        encoder.save(folder / "encoder.keras")
    if decoder:
        decoder.save(folder / "decoder.keras")
    if encoder and decoder:
        # q(z|x) = N(means, stddev²), Z = means + stddev * epsilon
        X = keras.Input((network.D,), name="X")
        epsilon = keras.Input((network.M,), name="epsilon")
        means, stddev = encoder(X)
        noise = keras.layers.Multiply(name="noise")([stddev, epsilon])
        Z = keras.layers.Add(name="Z")([means, noise])
        vae = keras.Model([X, epsilon], [decoder(Z), means, stddev], name="vae")
        vae.save(folder / "vae.keras")


def _encoder(keras: Any, network: Network) -> Any:
    *hidden, (W, b, _) = network.encoder
    M = network.M
    X = keras.Input((network.D,), name="X")
    value = _through(keras, hidden, X)
    means = _dense(keras, Dense(W[:, :M], b[:M], Activation("identity")), value, "means")
    f = Activation("softplus" if network.stddev == "softplus" else "identity")
    u = _dense(keras, Dense(W[:, M:], b[M:], f), value, "u")
    if network.stddev == "softplus":
        stddev = keras.layers.Rescaling(1.0, SMALLEST, name="stddev")(u)
    else:
        scale = 1.0 if network.stddev == "exp" else 0.5
        log_stddev = keras.layers.Rescaling(scale, name="log_stddev")(u)
        stddev = keras.layers.Activation("exponential", name="stddev")(log_stddev)
    return keras.Model(X, [means, stddev], name="encoder")


def _decoder(keras: Any, network: Network) -> Any:
    Z = keras.Input((network.M,), name="Z")
    *hidden, (W, b, f) = network.decoder
    value = _through(keras, hidden, Z)
    if f.name == "identity":
        last = Dense(W, b, Activation("sigmoid"))
        probabilities = _dense(keras, last, value, "probabilities")
    else:
        logits = _dense(keras, Dense(W, b, f), value, "logits")
        probabilities = keras.layers.Activation("sigmoid", name="probabilities")(logits)
    return keras.Model(Z, probabilities, name="decoder")


def _through(keras: Any, layers: Sequence[Dense], value: Any) -> Any:
    for number, layer in enumerate(layers, 1):
        value = _dense(keras, layer, value, f"hidden_{number}")
    return value


def _dense(keras: Any, layer: Dense, value: Any, name: str) -> Any:
    f = layer.activation
    own = "linear" if f.name == "leaky_relu" else _NAMES.get(f.name, f.name)
    dense = keras.layers.Dense(layer.W.shape[1], activation=own, name=name)
    value = dense(value)
    dense.set_weights([layer.W, layer.b])
    if f.name == "leaky_relu":  # the string has a fixed slope
        value = keras.layers.LeakyReLU(negative_slope=f.alpha, name=f"{name}_leaky_relu")(value)
    return value


def _run(source: Source, folder: Path) -> Outputs:
    return eagerly(_load_and_run, source.inputs, folder)


def _load_and_run(keras: Any, inputs: Inputs, folder: Path) -> Outputs:
    def load(name: str) -> Any:
        file = folder / f"{name}.keras"
        return keras.saving.load_model(file, compile=False) if file.exists() else None

    def call(model: Any, *values: np.ndarray) -> list[np.ndarray]:
        found = model(list(values) if len(values) > 1 else values[0], training=False)
        found = found if isinstance(found, (list, tuple)) else [found]
        return [keras.ops.convert_to_numpy(value) for value in found]

    encoder, decoder, vae = (load(name) for name in ("encoder", "decoder", "vae"))
    means, stddev = call(encoder, inputs.X) if encoder else (None, None)
    probabilities = call(decoder, inputs.Z)[0] if decoder else None
    if vae:
        _check_whole(call, vae, decoder, means, stddev, inputs)
    return Outputs(means, stddev, probabilities)


def _check_whole(call: Any, vae: Any, decoder: Any, means: Any, stddev: Any, inputs: Inputs):
    """Check that vae.keras is the composition of the other two."""
    rows = min(len(inputs.X), len(inputs.Z))
    X, epsilon = inputs.X[:rows], inputs.Z[:rows]
    Z = means[:rows] + stddev[:rows] * epsilon
    expected = [*call(decoder, Z), means[:rows], stddev[:rows]]
    for value, one in zip(call(vae, X, epsilon), expected, strict=True):
        error = np.abs(value - one).max() / max(np.abs(one).max(), 1e-30)
        if not error <= FORMAT.tolerance:
            raise ConversionError(f"vae.keras differs from encoder and decoder by {error:.1e}")


def eagerly(function: Callable, *arguments: Any) -> Any:
    """Return ``function(keras, *arguments)``, run outside of the graph that the caller builds.

    Keras 3 needs eager tensors. A thread of its own has them, unless they are switched off.

    Raises
    ------
    ConversionError
        If the program has switched eager execution off.
    """

    def run() -> Any:
        if not tf.executing_eagerly():
            raise ConversionError(
                "Keras 3 needs eager execution, which this program has switched off: save() the "
                "model, and run python -m vae_tf1.convert on the checkpoint"
            )
        with without_startup_notices():
            import keras
        return function(keras, *arguments)

    if tf.executing_eagerly():
        return run()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


FORMAT = NetworkFormat(
    "keras", ("keras",), ("encoder.keras", "decoder.keras", "vae.keras"), _write, run=_run
)
