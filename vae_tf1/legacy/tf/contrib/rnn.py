"""`tf.contrib.rnn`: recurrent cells and what runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Alias

__all__ = ["names", "title"]

title = "`tf.contrib.rnn`: recurrent cells and what runs them"

_CORE = (
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell",
    "LSTMStateTuple", "MultiRNNCell", "ResidualWrapper", "RNNCell",
)  # fmt: skip


def rnn(
    cell: Any,
    inputs: Sequence[tf.Tensor],
    initial_state: Any = None,
    dtype: Any = None,
    sequence_length: Any = None,
    scope: Any = None,
) -> tuple[list[tf.Tensor], Any]:
    """Run a cell over a list of inputs, in the scope `RNN`, as `tf.nn.rnn` did before TF 1.0."""
    return tf.nn.static_rnn(cell, inputs, initial_state, dtype, sequence_length, scope or "RNN")


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    provided = {
        **{name: Alias(f"nn.rnn_cell.{name}") for name in _CORE},
        "core_rnn_cell": Alias("nn.rnn_cell"),
    }
    return {"nn.rnn": rnn} | {f"contrib.rnn.{name}": value for name, value in provided.items()}
