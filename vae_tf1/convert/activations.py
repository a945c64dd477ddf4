"""The activations that every format knows, and the recognition of a Python function as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from vae_tf1.errors import ConversionError

__all__ = ["NAMES", "Activation", "recognise"]

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. (2017)


class Activation(NamedTuple):
    """An activation by its name; `alpha` is the slope of a leaky relu below zero."""

    name: str
    alpha: float = 0.2  # TensorFlow's default

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Apply the activation to each value."""
        if self.name == "leaky_relu":
            return np.where(x > 0, x, self.alpha * x)
        return _FORMULAS[self.name](x)

    def __str__(self) -> str:
        return f"leaky_relu({self.alpha:g})" if self.name == "leaky_relu" else self.name


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))  # never overflows


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


_FORMULAS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "elu": _elu,
    "selu": lambda x: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * _sigmoid(x),
}
NAMES = (*_FORMULAS, "leaky_relu")


def recognise(functions: Sequence[Callable]) -> list[Activation]:
    """Return which activations TensorFlow functions are, found by what they compute.

    A lambda or a partial is recognised as well as ``tf.nn.relu`` itself: each function is applied
    to some hundred values, and its results are compared with those of the known formulas.

    Raises
    ------
    ConversionError
        If a function computes none of `NAMES`; the message names the function.
    """
    import tensorflow as tf

    # Two columns in different orders: a function of the whole row, such as softmax, is no match.
    x = np.linspace(-9, 9, 121, dtype=np.float32)
    x = np.stack([x, np.roll(x, 7)], axis=1)
    found: list[Activation] = []
    for f in functions:
        try:
            with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
                y = sess.run(f(tf.constant(x)))
        except Exception:  # whatever a function of the user's own raises
            y = None
        activation = None if y is None else _matching(x, y)
        if activation is None:
            raise ConversionError(
                f"the activation {getattr(f, '__name__', f)!s} cannot be exported; these can: "
                + ", ".join(NAMES)
            )
        found.append(activation)
    return found


def _matching(x: np.ndarray, y: np.ndarray) -> Activation | None:
    known = [Activation(name) for name in _FORMULAS]
    if np.shape(y) != x.shape:
        return None
    slope = float(y[0, 0] / x[0, 0])
    leaky = Activation("leaky_relu", float(np.format_float_positional(slope, 6, fractional=False)))
    for activation in [*known, leaky]:
        if np.allclose(y, activation(x.astype(np.float64)), rtol=1e-5, atol=1e-5):
            return activation
    return None
