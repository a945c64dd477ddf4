"""TensorFlow with its v2 behaviour off and a default graph of its own, for a while or for good."""

from __future__ import annotations

import logging
import re
import warnings

__all__ = ["GraphMode"]


class GraphMode:
    """A block with TensorFlow's v2 behaviour off; all that was found is put back on exit.

    The block starts with an empty default graph and no default session. What it leaves open
    there, such as an `InteractiveSession`, is still usable afterwards but no longer the default.
    TensorFlow's deprecation notices are kept off the screen meanwhile: they advise against
    exactly the names that an old script needs.
    """

    def __enter__(self) -> None:
        import tensorflow.compat.v1 as tf
        from tensorflow.python.framework import ops, stack
        from tensorflow.python.util import deprecation

        graphs, sessions = ops._default_graph_stack, stack._default_session_stack
        self._switches = [(on if is_on() else off) for on, off, is_on in _switches()]
        self._eager = tf.executing_eagerly()
        self._notices = deprecation._PRINT_DEPRECATION_WARNINGS
        self._graphs = graphs.stack, graphs._global_default_graph
        self._sessions = sessions.stack

        deprecation._PRINT_DEPRECATION_WARNINGS = False
        warnings.filters.insert(0, _ADVICE)
        logging.getLogger("tensorflow").addFilter(_is_not_advice)
        tf.disable_v2_behavior()
        graphs.stack, graphs._global_default_graph = [], None
        sessions.stack = []

    def __exit__(self, *_: object) -> None:
        from tensorflow.python.framework import ops, stack
        from tensorflow.python.util import deprecation

        graphs, sessions = ops._default_graph_stack, stack._default_session_stack
        # Eager execution cannot be switched on while there is a global default graph.
        graphs._global_default_graph = None
        for switch in self._switches:
            switch()
        _set_eager(self._eager)
        graphs.stack, graphs._global_default_graph = self._graphs
        sessions.stack = self._sessions
        deprecation._PRINT_DEPRECATION_WARNINGS = self._notices
        logging.getLogger("tensorflow").removeFilter(_is_not_advice)
        if _ADVICE in warnings.filters:  # a script may have reset them
            warnings.filters.remove(_ADVICE)


# What tf-keras says of TensorFlow 1's own layers and cells.
_NOTICE = re.compile(r"`(tf\.layers|tf\.nn\.rnn_cell|layer)\.\w+` is deprecated")
_ADVICE = ("ignore", _NOTICE, UserWarning, None, 0)


def _is_not_advice(record: logging.LogRecord) -> bool:
    return not _NOTICE.match(record.getMessage())


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
