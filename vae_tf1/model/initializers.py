"""Initial weights: functions of their shape, (…, inputs, outputs), and of a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from vae_tf1.checks import check_one_of

__all__ = ["INITIALIZERS", "Initializer", "glorot", "he", "named", "original"]

Initializer = Callable[[Sequence[int], "tuple[int, int] | None"], tf.Tensor]


def original(shape: Sequence[int], seed: tuple[int, int] | None = None) -> tf.Tensor:
    """Return N(0, 1) · 2/√inputs: how the original begins."""
    inputs, _ = _fans(shape)
    return _normal(shape, seed) * 2 / np.sqrt(inputs)


def glorot(shape: Sequence[int], seed: tuple[int, int] | None = None) -> tf.Tensor:
    """Return uniform weights in ± √(6 / (inputs + outputs)).

    References
    ----------
    Glorot & Bengio (2010), *Understanding the difficulty of training deep feedforward neural
    networks*, AISTATS.
    """
    limit = float(np.sqrt(6 / sum(_fans(shape))))
    if seed is None:
        return tf.random.uniform(shape, -limit, limit)
    return tf.random.stateless_uniform(shape, seed=seed, minval=-limit, maxval=limit)


def he(shape: Sequence[int], seed: tuple[int, int] | None = None) -> tf.Tensor:
    """Return N(0, 2 / inputs), which keeps the variance from one relu layer to the next.

    References
    ----------
    He et al. (2015), *Delving Deep into Rectifiers*, ICCV.
    """
    inputs, _ = _fans(shape)
    return _normal(shape, seed) * np.sqrt(2 / inputs)


INITIALIZERS: dict[str, Initializer] = {"original": original, "glorot": glorot, "he": he}


def named(initializer: Initializer | str) -> Initializer:
    """Return the initializer of that name, or the function itself."""
    if isinstance(initializer, str):
        return INITIALIZERS[check_one_of(initializer, "initializer", tuple(INITIALIZERS))]
    return initializer


def _normal(shape: Sequence[int], seed: tuple[int, int] | None) -> tf.Tensor:
    if seed is None:
        return tf.random.normal(shape)
    return tf.random.stateless_normal(shape, seed=seed)


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return how many inputs an output has, and how many outputs an input."""
    *window, inputs, outputs = shape
    size = int(np.prod(window))
    return size * inputs, size * outputs
