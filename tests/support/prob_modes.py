"""Run a function of tensors in the two ways that all probability code must work."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf


def eagerly(function: Callable, *arrays: np.ndarray) -> Any:
    """Call it on eager tensors; return its outputs as arrays."""
    assert tf.executing_eagerly()
    outputs = function(*map(tf.constant, arrays))
    assert all(tf.is_tensor(output) for output in tf.nest.flatten(outputs))
    return tf.nest.map_structure(np.asarray, outputs)


def in_a_session(function: Callable, *arrays: np.ndarray) -> Any:
    """Build it on placeholders of unknown batch size; return what a session makes of it."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
        placeholders = [tf.compat.v1.placeholder(a.dtype, (None, *a.shape[1:])) for a in arrays]
        outputs = function(*placeholders)
        return sess.run(outputs, dict(zip(placeholders, arrays, strict=True)))


both_modes = pytest.mark.parametrize("run", [eagerly, in_a_session])
both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}
