"""How a conversion is held to the model: inputs, expected outputs, and the largest difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vae_tf1.convert.network import Network
from vae_tf1.errors import ConversionError
from vae_tf1.model.graph import Model

__all__ = [
    "TOLERANCE",
    "Inputs",
    "Outputs",
    "by_model",
    "by_network",
    "difference",
    "exported",
    "inputs",
]

TOLERANCE = 1e-5  # of the largest magnitude
_RANDOM, _REAL = 32, 32  # rows


class Inputs(NamedTuple):
    """Images (N, D) and codes (N, M) that both sides are run on."""

    X: np.ndarray
    Z: np.ndarray


class Outputs(NamedTuple):
    """What encoder and decoder make of the inputs; None for a part that is not exported."""

    means: np.ndarray | None
    stddev: np.ndarray | None
    probabilities: np.ndarray | None


def inputs(D: int, M: int, X: np.ndarray | None = None) -> Inputs:
    """Return random images, some of the real ones if there are any, and random codes."""
    rng = np.random.default_rng(0)
    grey = rng.random((_RANDOM, D))
    images = [grey, grey > 0.5, *([] if X is None else [X[:_REAL]])]
    Z = rng.standard_normal((2 * _RANDOM, M))
    return Inputs(np.concatenate(images).astype(np.float32), Z.astype(np.float32))


def by_model(model: Model, inputs: Inputs) -> Outputs:
    """Return what the model's own graph computes."""
    means, stddev = model.sess.run((model.means, model.stddev), {model.X: inputs.X})
    probabilities = model.sess.run(
        model.prior_predictive_from_input_probs, {model.Z_input: inputs.Z}
    )
    return Outputs(means, stddev, probabilities)


def by_network(network: Network, inputs: Inputs) -> Outputs:
    """Return what the formulas give in float64."""
    means, stddev = network.encode(inputs.X) if network.encoder else (None, None)
    return Outputs(means, stddev, network.decode(inputs.Z) if network.decoder else None)


def exported(network: Network, expected: Outputs) -> Outputs:
    """Return the expected outputs of the parts that a network has."""
    if not network.encoder:
        expected = expected._replace(means=None, stddev=None)
    return expected if network.decoder else expected._replace(probabilities=None)


def difference(outputs: Outputs, expected: Outputs) -> float:
    """Return the largest difference of any output, relative to its largest magnitude.

    Raises
    ------
    ConversionError
        If an output is missing, has another shape, or is NaN or infinite.
    """
    largest = 0.0
    for name, ours, theirs in zip(Outputs._fields, expected, outputs, strict=True):
        if ours is None:
            continue
        if theirs is None:
            raise ConversionError(f"{name} cannot be computed: a file is missing")
        if np.shape(theirs) != ours.shape:
            raise ConversionError(f"{name} have shape {np.shape(theirs)}, not {ours.shape}")
        if not np.isfinite(theirs).all():
            raise ConversionError(f"{name} are NaN or infinite")
        error = np.abs(np.asarray(theirs, np.float64) - ours).max(initial=0)
        largest = max(largest, error / max(np.abs(ours).max(initial=0), 1e-30))
    return float(largest)
