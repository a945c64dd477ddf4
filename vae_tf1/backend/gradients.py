"""Replace TensorFlow's gradient of an op in a graph.

`tf.custom_gradient` would do, but it registers every call under a new name, and the registry keeps
the graph of the call alive after the model is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

import tensorflow as tf
from tensorflow.python.eager import record

__all__ = ["gradient_of", "is_taped"]

Gradient = Callable[..., tuple]


def gradient_of(op_type: str, gradient: Gradient) -> Callable[[], AbstractContextManager]:
    """Return a context in which new ops of a type get another gradient.

    Parameters
    ----------
    op_type
        Such as "MatMul".
    gradient
        A function of the op and of the gradient of each output. It returns the gradient of each
        input, or None. It must not keep a tensor.

    Returns
    -------
    callable
        Returns the context, for the default graph at the time of the call.
    """
    name = f"{gradient.__module__}.{gradient.__qualname__}"
    with suppress(KeyError):  # the module has been loaded before
        tf.RegisterGradient(name)(gradient)
    return lambda: tf.compat.v1.get_default_graph().gradient_override_map({op_type: name})


def is_taped() -> bool:
    """Whether a `tf.GradientTape` may be watching: a tape looks past every override."""
    return tf.executing_eagerly() or record.could_possibly_record()
