"""TensorFlow with its v2 behaviour off and a default graph of its own, for a while or for good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["graph_mode"]


@contextmanager
def graph_mode() -> Iterator[None]:
    """Switch TensorFlow's v2 behaviour off; put back on exit all that was found.

    The block starts with an empty default graph and no default session. What it leaves open
    there, such as an `InteractiveSession`, is still usable afterwards but no longer the default.
    TensorFlow's deprecation notices are kept off the screen meanwhile: they advise against
    exactly the names that an old script needs.
    """
    import tensorflow.compat.v1 as tf
    from tensorflow.python.framework import ops, stack
    from tensorflow.python.util import deprecation

    stacks = (ops._default_graph_stack, stack._default_session_stack)
    stacked = [each.stack for each in stacks]
    graph = ops._default_graph_stack._global_default_graph
    switches = [(on, off, is_on()) for on, off, is_on in _switches()]
    eager = tf.executing_eagerly()
    notices = deprecation._PRINT_DEPRECATION_WARNINGS

    deprecation._PRINT_DEPRECATION_WARNINGS = False
    tf.disable_v2_behavior()
    for each in stacks:
        each.stack = []
    ops._default_graph_stack._global_default_graph = None
    try:
        yield
    finally:
        # Eager execution cannot be switched on while there is a global default graph.
        ops._default_graph_stack._global_default_graph = None
        for on, off, was_on in switches:
            (on if was_on else off)()
        _set_eager(eager)
        ops._default_graph_stack._global_default_graph = graph
        for each, items in zip(stacks, stacked, strict=True):
            each.stack = items
        deprecation._PRINT_DEPRECATION_WARNINGS = notices


def _switches() -> list[tuple]:
    """Return (on, off, is it on?) for each of the behaviours that v2 changed."""
    import tensorflow.compat.v1 as tf
    from tensorflow.python import tf2
    from tensorflow.python.eager import context
    from tensorflow.python.framework import tensor, tensor_shape

    return [
        # All at once first: this one also moves tf.data between its two versions.
        (tf.enable_v2_behavior, tf.disable_v2_behavior, tf2.enabled),
        (
            tf.enable_eager_execution,
            tf.disable_eager_execution,
            lambda: context.default_execution_mode == context.EAGER_MODE,
        ),
        (
            tf.enable_v2_tensorshape,
            tf.disable_v2_tensorshape,
            lambda: isinstance(tensor_shape.TensorShape([1])[0], int),
        ),
        (
            tf.enable_resource_variables,
            tf.disable_resource_variables,
            tf.resource_variables_enabled,
        ),
        (
            tf.enable_tensor_equality,
            tf.disable_tensor_equality,
            lambda: tensor.Tensor._USE_EQUALITY,
        ),
        (
            tf.enable_control_flow_v2,
            tf.disable_control_flow_v2,
            tf.control_flow_v2_enabled,
        ),
    ]


def _set_eager(eager: bool) -> None:
    """Set whether this thread executes eagerly, inside a graph's block or out of it."""
    from tensorflow.python.eager import context

    active = context.context_safe()
    if active is not None:
        active._thread_local_data.is_eager = eager
