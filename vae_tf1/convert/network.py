"""Encoder and decoder as plain arrays: what every format is written from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from vae_tf1.convert import activations
from vae_tf1.convert.activations import Activation
from vae_tf1.errors import ConversionError
from vae_tf1.likelihoods import Bernoulli
from vae_tf1.model.graph import Model
from vae_tf1.priors import Normal

__all__ = ["STDDEVS", "Dense", "Network", "assign", "of_model"]

SMALLEST = 1e-6  # what the model adds to a softplus, so that log(stddev) is finite
STDDEVS = {
    "softplus": "stddev = softplus(u) + 1e-6",
    "exp": "stddev = exp(u)",
    "exp_half": "stddev = exp(u / 2)",
}


class Dense(NamedTuple):
    """A fully connected layer, ``activation(X W + b)``."""

    W: np.ndarray  # (M1, M2)
    b: np.ndarray  # (M2,)
    activation: Activation

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Apply the layer to rows: (batch, M1) to (batch, M2)."""
        return self.activation(X @ self.W + self.b)


class Network(NamedTuple):
    """What a variational autoencoder of dense layers computes.

    Attributes
    ----------
    encoder
        Layers from D values to 2M; empty if the encoder cannot be exported.
    decoder
        Layers from M values to the D logits of a Bernoulli; empty if it cannot be exported.
    stddev
        How the last M of those 2M values, u, become standard deviations: a key of `STDDEVS`.
    prior
        Mean and standard deviation of p(z), the same for every unit; None for any other prior.
    notes
        What is not exported, and why: a sentence each.
    """

    encoder: tuple[Dense, ...]
    decoder: tuple[Dense, ...]
    stddev: str = "softplus"
    prior: tuple[float, float] | None = (0.0, 1.0)
    notes: tuple[str, ...] = ()

    @property
    def D(self) -> int:
        """Number of values of an image."""
        return self.encoder[0].W.shape[0] if self.encoder else self.decoder[-1].W.shape[1]

    @property
    def M(self) -> int:
        """Size of the code."""
        return self.decoder[0].W.shape[0] if self.decoder else self.encoder[-1].W.shape[1] // 2

    @property
    def hidden_layer_sizes(self) -> list[int]:
        """Widths as `VariationalAutoencoder` takes them: of the encoder's layers, M at the end."""
        return [*(layer.W.shape[1] for layer in self.encoder[:-1]), self.M]

    @property
    def is_ours(self) -> bool:
        """Whether `VariationalAutoencoder` builds just this: a mirrored decoder, relu, softplus."""
        if not (self.encoder and self.decoder) or self.stddev != "softplus":
            return False
        hidden = [layer.activation.name for part in (self.encoder, self.decoder) for layer in part]
        widths = [layer.W.shape[1] for layer in self.decoder[:-1]]
        last = [len(self.encoder) - 1, len(hidden) - 1]
        expected = ["identity" if i in last else "relu" for i in range(len(hidden))]
        return hidden == expected and widths == self.hidden_layer_sizes[-2::-1]

    def encoded(self, X: np.ndarray) -> np.ndarray:
        """Return what the encoder's last layer gives, (N, 2M): the means, and u."""
        return _through(self.encoder, X)

    def encode(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and stddev of q(z|x), (N, M) each, in float64."""
        means, u = np.split(self.encoded(X), 2, axis=1)
        if self.stddev == "softplus":
            return means, Activation("softplus")(u) + SMALLEST
        return means, np.exp(u if self.stddev == "exp" else u / 2)

    def logits(self, Z: np.ndarray) -> np.ndarray:
        """Return the logits that codes decode to, (N, D), in float64."""
        return _through(self.decoder, Z)

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return the probabilities that codes decode to, (N, D), in float64."""
        return Activation("sigmoid")(self.logits(Z))


def of_model(model: Model) -> Network:
    """Return what a model computes, with the values that its variables have now.

    Raises
    ------
    ConversionError
        If neither the encoder nor the decoder can be exported.
    """
    if model.n_labels is not None:
        raise ConversionError("the model takes labels, which no other format has a place for yet")
    notes = []
    parts: dict[str, tuple[Dense, ...]] = {}
    for part, layers in (("encoder", model.encoder_layers), ("decoder", model.decoder_layers)):
        try:
            parts[part] = _dense_layers(model, part, layers)
        except ConversionError as error:
            parts[part] = ()
            notes.append(f"the {part} is not exported: {error}")
    if parts["decoder"] and type(model.likelihood) is not Bernoulli:
        parts["decoder"] = ()
        name = type(model.likelihood).__name__
        notes.append(f"the decoder is not exported: its likelihood is {name}, not Bernoulli")
    if not (parts["encoder"] or parts["decoder"]):
        raise ConversionError("; ".join(notes))
    if getattr(model, "flow", None) is not None:
        notes.append("the flow is not exported: means and stddev are those of its base")
    prior = None
    if isinstance(model.prior_distribution, Normal):
        prior = float(model.prior_distribution.mean), float(model.prior_distribution.deviation)
    else:
        notes.append(f"the prior is not exported: it is {type(model.prior_distribution).__name__}")
    return Network(parts["encoder"], parts["decoder"], "softplus", prior, tuple(notes))


def assign(model: Model, network: Network) -> None:
    """Give a model's layers the weights and biases of a network of the same sizes."""
    layers = [*model.encoder_layers, *model.decoder_layers]
    values = [*network.encoder, *network.decoder]
    pairs = [
        (getattr(layer, kind).initializer, getattr(value, kind))
        for layer, value in zip(layers, values, strict=True)
        for kind in "Wb"
    ]
    model.sess.run(
        [initializer for initializer, _ in pairs],
        {initializer.inputs[1]: value for initializer, value in pairs},
    )


def _dense_layers(model: Model, part: str, layers: Sequence) -> tuple[Dense, ...]:
    for number, layer in enumerate(layers, 1):
        shape = getattr(getattr(layer, "W", None), "shape", ())
        if len(shape) != 2 or not hasattr(layer, "b") or not callable(getattr(layer, "f", None)):
            raise ConversionError(
                f"{part} layer {number} is a {type(layer).__name__}, and only dense layers can be"
            )
    found = activations.recognise([layer.f for layer in layers])
    values = model.sess.run([(layer.W, layer.b) for layer in layers])
    dense = tuple(Dense(W, b, f) for (W, b), f in zip(values, found, strict=True))
    for number, layer in enumerate(dense, 1):
        if not (np.isfinite(layer.W).all() and np.isfinite(layer.b).all()):
            raise ConversionError(f"{part} layer {number} has weights that are NaN or infinite")
    return dense


def _through(layers: Sequence[Dense], value: np.ndarray) -> np.ndarray:
    value = np.asarray(value, np.float64)
    for layer in layers:
        value = layer(value)
    return value
