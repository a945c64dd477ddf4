"""Sessions whose threads sleep while they wait for work."""

from __future__ import annotations

import tensorflow as tf

__all__ = ["open_session", "quiet_config"]


def quiet_config() -> tf.compat.v1.ConfigProto:
    """Return the options of a session whose threads sleep; see docs/decisions/spinning.md.

    The threads are those of the process: the first session that is opened decides for all.
    """
    config = tf.compat.v1.ConfigProto()
    config.experimental.disable_thread_spinning = True
    return config


def open_session(graph: tf.Graph) -> tf.compat.v1.Session:
    """Open a session on this process' own processors."""
    return tf.compat.v1.Session(graph=graph, config=quiet_config())
