"""Gradients in place of those that TensorFlow has for an op, in a graph.

`tf.custom_gradient` would do, but registers every call under a name of its own, and with the call
its graph, which then outlives the model.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import tensorflow as tf
from tensorflow.python.eager import record

__all__ = ["gradient_of", "is_taped"]

Gradient = Callable[..., tuple]


def gradient_of(op_type: str, gradient: Gradient) -> Callable[[], AbstractContextManager]:
    """Return a context in which ops of that type are given that gradient.

    Parameters
    ----------
    op_type
        Such as "MatMul".
    gradient
        A function of the op and of the gradient of each of its outputs; it returns that of each of
        its inputs, or None. It must hold on to no tensor.

    Returns
    -------
    callable
        The context, of the graph that is the default one when it is called.
    """
    name = f"{gradient.__module__}.{gradient.__qualname__}"
    with suppress(KeyError):  # the module has been loaded before
        tf.RegisterGradient(name)(gradient)
    return lambda: tf.compat.v1.get_default_graph().gradient_override_map({op_type: name})


def is_taped() -> bool:
    """Whether a `tf.GradientTape` may be watching: a tape looks past every override."""
    return tf.executing_eagerly() or record.could_possibly_record()
