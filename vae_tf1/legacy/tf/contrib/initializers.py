"""`tf.contrib.layers` initialisers (Xavier, variance scaling) and regularizers (L1, L2)."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

__all__ = [
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "names",
    "sum_regularizer",
    "title",
    "variance_scaling_initializer",
    "xavier_initializer",
]

title = "`tf.contrib.layers` initialisers (Xavier, variance scaling) and regularizers (L1, L2)"

_MODES = ("FAN_IN", "FAN_OUT", "FAN_AVG")


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = tf.float32,
) -> Callable:
    """Return an initialiser of variance `factor / n`, n the number of inputs, outputs or both.

    For a kernel of shape (..., inputs, outputs) the leading sizes multiply both numbers.
    Uniform: over ±sqrt(3 factor / n). Otherwise a normal cut at two standard deviations with
    `stddev = sqrt(1.3 factor / n)`, 1.3 making up (nearly) for what the cut takes away.

    Parameters
    ----------
    factor
        2 for He et al. (2015), 1 for Glorot & Bengio (2010).
    mode
        `FAN_IN` (inputs), `FAN_OUT` (outputs) or `FAN_AVG` (the mean of both).

    Raises
    ------
    TypeError
        If `mode` is none of these or `dtype` is not floating.
    """
    if mode not in _MODES:
        raise TypeError(f"mode must be one of {', '.join(_MODES)}, but is {mode!r}.")
    if not tf.as_dtype(dtype).is_floating:
        raise TypeError(f"Weights are drawn in a floating type, but dtype is {dtype!r}.")

    def initializer(
        shape: Sequence[int], dtype: Any = dtype, partition_info: Any = None
    ) -> tf.Tensor:
        shape = [int(size) for size in shape]
        receptive = math.prod(shape[:-2])
        fan_out = (shape[-1] if shape else 1) * receptive
        fan_in = (shape[-2] if len(shape) > 1 else shape[-1] if shape else 1) * receptive
        n = {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2}[mode]
        if uniform:
            limit = math.sqrt(3.0 * factor / n)
            return tf.random_uniform(shape, -limit, limit, dtype, seed=seed)
        stddev = math.sqrt(1.3 * factor / n)
        return tf.truncated_normal(shape, 0.0, stddev, dtype, seed=seed)

    return initializer


def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = tf.float32
) -> Callable:
    """Return the initialiser of Glorot & Bengio (2010), of variance `2 / (inputs + outputs)`."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


def _penalty(
    scale: float, scope: str | None, name: str, measure: Callable[[tf.Tensor], tf.Tensor]
) -> Callable:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"The scale of {name} must be a float, but is the integer {scale}.")
    if isinstance(scale, numbers.Real):
        if scale < 0:
            raise ValueError(f"The scale of {name} must not be negative, but is {scale}.")
        if scale == 0:
            return lambda _: None

    def regularizer(weights: tf.Tensor) -> tf.Tensor:
        with tf.name_scope(scope, name, [weights]) as full_name:
            factor = tf.convert_to_tensor(scale, weights.dtype.base_dtype, name="scale")
            return tf.multiply(factor, measure(weights), name=full_name)

    return regularizer


def l1_regularizer(scale: float, scope: str | None = None) -> Callable:
    """Return the penalty `scale * sum(|w|)`.

    Raises
    ------
    ValueError
        If `scale` is negative or an integer (TF1 asks for a float).
    """
    return _penalty(scale, scope, "l1_regularizer", lambda w: tf.reduce_sum(tf.abs(w)))


def l2_regularizer(scale: float, scope: str | None = None) -> Callable:
    """Return the penalty `scale * sum(w²) / 2`.

    Raises
    ------
    ValueError
        If `scale` is negative or an integer (TF1 asks for a float).
    """
    return _penalty(scale, scope, "l2_regularizer", tf.nn.l2_loss)


def sum_regularizer(
    regularizer_list: Sequence[Callable | None], scope: str | None = None
) -> Callable | None:
    """Return the sum of penalties, without those that are None."""
    regularizers = [r for r in regularizer_list if r is not None]
    if not regularizers:
        return None

    def regularizer(weights: tf.Tensor) -> tf.Tensor | None:
        with tf.name_scope(scope, "sum_regularizer", [weights]) as full_name:
            penalties = [p for p in (r(weights) for r in regularizers) if p is not None]
            return tf.add_n(penalties, name=full_name) if penalties else None

    return regularizer


def l1_l2_regularizer(
    scale_l1: float = 1.0, scale_l2: float = 1.0, scope: str | None = None
) -> Callable:
    """Return the penalty `scale_l1 * sum(|w|) + scale_l2 * sum(w²) / 2`."""
    both = [l1_regularizer(scale_l1), l2_regularizer(scale_l2)]
    return sum_regularizer(both, scope or "l1_l2_regularizer")


def apply_regularization(
    regularizer: Callable, weights_list: Sequence[tf.Tensor] | None = None
) -> tf.Tensor:
    """Return the summed penalty of weights, and add it to the graph's regularization losses.

    Parameters
    ----------
    weights_list
        The weights; by default the graph's collection `weights`.

    Raises
    ------
    ValueError
        If there are no weights.
    """
    weights = list(weights_list or tf.get_collection(tf.GraphKeys.WEIGHTS))
    if not weights:
        raise ValueError("There are no weights to regularize.")
    with tf.name_scope("get_regularization_penalty", values=weights) as full_name:
        penalties = [regularizer(w) for w in weights]
        total = tf.add_n([0.0 if p is None else p for p in penalties], name=full_name)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, total)
    return total


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    provided = {
        "xavier_initializer": xavier_initializer,
        "xavier_initializer_conv2d": xavier_initializer,
        "variance_scaling_initializer": variance_scaling_initializer,
        "l1_regularizer": l1_regularizer,
        "l2_regularizer": l2_regularizer,
        "l1_l2_regularizer": l1_l2_regularizer,
        "sum_regularizer": sum_regularizer,
        "apply_regularization": apply_regularization,
    }
    homes = ("contrib.layers", "contrib.slim")
    return {f"{home}.{name}": value for home in homes for name, value in provided.items()}
