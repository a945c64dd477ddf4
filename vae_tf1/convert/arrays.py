"""The way back: weights from elsewhere, as a network that `VariationalAutoencoder` can take."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np

from vae_tf1.convert.activations import Activation
from vae_tf1.convert.compare import inputs
from vae_tf1.convert.formats.keras import eagerly
from vae_tf1.convert.network import Dense, Network
from vae_tf1.errors import ConversionError, reason

__all__ = ["Layers", "of_arrays", "of_keras"]

Layers = Sequence[tuple[Any, Any]]  # (W, b) of each layer; W has a row for each input
_SAME = 1e-4  # of the largest magnitude: the same function, computed in float32


def of_arrays(encoder: Layers, decoder: Layers) -> Network:
    """Return the network of these weights and biases, with relu between the layers.

    Raises
    ------
    ConversionError
        If the arrays are not those of a `VariationalAutoencoder`; the message says which is not.
    """
    network = Network(_dense_layers("encoder", encoder), _dense_layers("decoder", decoder))
    D, M = network.encoder[0].W.shape[0], network.decoder[0].W.shape[0]
    *hidden, last = (layer.W.shape[1] for layer in network.encoder)
    *found, final = (layer.W.shape[1] for layer in network.decoder)
    if last != 2 * M:
        raise ConversionError(
            f"the encoder ends in {last} values and the decoder begins with {M}: expected {2 * M}, "
            f"{M} means and {M} standard deviations"
        )
    if final != D:
        raise ConversionError(f"the decoder ends in {final} values, expected the {D} of an image")
    if found != hidden[::-1]:
        raise ConversionError(
            f"the decoder's hidden layers have the widths {found}, expected {hidden[::-1]}: those "
            "of the encoder in reverse"
        )
    return network


def of_keras(encoder: Any, decoder: Any) -> Network:
    """Return the network of two Keras models, or of two files of them.

    Any layers without weights may stand between the dense ones: what is brought over is held to
    what the models compute.

    Raises
    ------
    ConversionError
        If a model cannot be loaded, has other layers with weights, or computes something else.
    """
    return eagerly(_of_keras, encoder, decoder)


def _of_keras(keras: Any, encoder: Any, decoder: Any) -> Network:
    encoder, decoder = _loaded(keras, encoder), _loaded(keras, decoder)
    first, last = _pairs("encoder", encoder), _pairs("decoder", decoder)
    least = math.inf
    for pairs in _joined(first, M=len(last[0][0])):
        network = of_arrays(pairs, last)
        error = _difference(keras, network, encoder, decoder)
        if error <= _SAME:
            return network
        least = min(least, error)
    raise ConversionError(
        "the Keras models compute something else than dense layers with relu between them and "
        f"stddev = softplus(u) + 1e-6: the outputs differ by {least:.1e} of the largest magnitude"
    )


def _dense_layers(part: str, given: Layers) -> tuple[Dense, ...]:
    try:
        pairs = [(np.asarray(W, np.float32), np.asarray(b, np.float32)) for W, b in given]
    except (TypeError, ValueError) as error:
        raise ConversionError(
            f"{part} must be a list of pairs (W, b) of numbers, one for each layer: {reason(error)}"
        ) from None
    if not pairs:
        raise ConversionError(f"{part} is empty: expected a pair (W, b) for each layer")
    layers: list[Dense] = []
    for number, (W, b) in enumerate(pairs, 1):
        where = f"{part} layer {number}"
        if W.ndim != 2 or b.shape != W.shape[1:] or 0 in W.shape:
            raise ConversionError(
                f"{where} has W of shape {W.shape} and b of shape {b.shape}, expected (inputs, "
                "outputs) and (outputs,)"
            )
        if layers and W.shape[0] != layers[-1].W.shape[1]:
            raise ConversionError(
                f"{where} takes {W.shape[0]} values, but the layer before it gives "
                f"{layers[-1].W.shape[1]}; PyTorch's weights must be transposed"
            )
        if not (np.isfinite(W).all() and np.isfinite(b).all()):
            raise ConversionError(f"{where} has values that are NaN or infinite")
        f = Activation("relu" if number < len(pairs) else "identity")
        layers.append(Dense(W, b, f))
    return tuple(layers)


def _loaded(keras: Any, model: Any) -> Any:
    if not isinstance(model, (str, PathLike)):
        return model
    try:
        return keras.saving.load_model(model, compile=False)
    except Exception as error:  # Keras raises many kinds
        raise ConversionError(f"{model} cannot be loaded: {reason(error)}") from None


def _pairs(part: str, model: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return W and b of each dense layer, in order."""
    pairs = []
    for layer in _layers(model):
        weights = layer.get_weights()
        if not weights:
            continue
        if type(layer).__name__ != "Dense":
            raise ConversionError(
                f"the {part} has a {type(layer).__name__} layer with weights: expected dense ones"
            )
        W = weights[0]
        pairs.append((W, weights[1] if len(weights) > 1 else np.zeros(W.shape[1], W.dtype)))
    if not pairs:
        raise ConversionError(f"the {part} has no dense layers")
    return pairs


def _layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a Keras model, and of those within it."""
    if not hasattr(model, "layers"):
        raise ConversionError(f"expected a Keras model or the path of one, not {model!r}")
    for layer in model.layers:
        yield from _layers(layer) if hasattr(layer, "layers") else [layer]


def _joined(pairs: list, M: int) -> Iterator[list]:
    """Yield the encoder with two heads of M as one layer of 2M; either may hold the means."""
    *hidden, one, other = pairs if len(pairs) > 1 else [None, *pairs]
    if one is None or one[0].shape != other[0].shape or one[0].shape[1] != M:
        yield pairs
        return
    for heads in ((one, other), (other, one)):
        W, b = (np.concatenate(values, axis=-1) for values in zip(*heads, strict=True))
        yield [*hidden, (W, b)]


def _difference(keras: Any, network: Network, encoder: Any, decoder: Any) -> float:
    """Return the largest difference between a network and the Keras models that it is from."""

    def call(model: Any, rows: np.ndarray) -> list[np.ndarray]:
        shape = model.inputs[0].shape[1:]  # an image may have two dimensions, or three
        found = model(keras.ops.reshape(rows, (-1, *shape)), training=False)
        found = list(found.values()) if isinstance(found, dict) else found
        found = found if isinstance(found, (list, tuple)) else [found]
        return [np.reshape(keras.ops.convert_to_numpy(value), (len(rows), -1)) for value in found]

    def apart(found: np.ndarray, expected: np.ndarray) -> float:
        if found.shape != expected.shape:
            return math.inf
        return float(np.abs(found - expected).max() / np.abs(expected).max())

    X, Z = inputs(network.D, network.M)
    try:
        encoded, decoded = call(encoder, X), call(decoder, Z)
    except Exception as error:  # Keras raises many kinds
        raise ConversionError(f"the Keras models cannot be run: {reason(error)}") from None
    means, stddev = network.encode(X)
    if len(encoded) > 1:
        errors = [apart(encoded[0], means), apart(encoded[1], stddev)]
    else:
        errors = [apart(encoded[0], network.encoded(X))]
    return max(*errors, min(apart(decoded[0], y) for y in (network.decode(Z), network.logits(Z))))
