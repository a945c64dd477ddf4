"""`tf.contrib.rnn`: recurrent cells and what runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Alias, Moved

__all__ = ["names", "title"]

title = "`tf.contrib.rnn`: recurrent cells and what runs them"

# TensorFlow 1's own, which tf-keras has.
_CORE = (
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell",
    "LSTMStateTuple", "MultiRNNCell", "ResidualWrapper", "RNNCell",
)  # fmt: skip
# Ours, loaded on first use because they load tf-keras (0.4 s).
_CELLS = (
    "AttentionCellWrapper", "Conv1DLSTMCell", "Conv2DLSTMCell", "Conv3DLSTMCell", "ConvLSTMCell",
    "CoupledInputForgetGateLSTMCell", "EmbeddingWrapper", "GLSTMCell", "GRUBlockCell",
    "GRUBlockCellV2", "HighwayWrapper", "IndRNNCell", "IndyGRUCell", "IndyLSTMCell",
    "InputProjectionWrapper", "IntersectionRNNCell", "LSTMBlockCell", "LSTMBlockFusedCell",
    "LayerNormBasicLSTMCell", "NASCell", "OutputProjectionWrapper", "PhasedLSTMCell", "SRUCell",
    "UGRNNCell",
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


def stack_bidirectional_rnn(
    cells_fw: list, cells_bw: list, inputs: Sequence[tf.Tensor], initial_states_fw: Any = None,
    initial_states_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
    scope: Any = None,
) -> tuple[Any, tuple, tuple]:  # fmt: skip
    """Run layers of cells over a list of inputs, each layer in both directions.

    Returns
    -------
    outputs, forward states, backward states
    """

    def run(forward, backward, values, first, last, place):
        return tf.nn.static_bidirectional_rnn(
            forward, backward, values, first, last, dtype, sequence_length, scope=place
        )

    initial = initial_states_fw, initial_states_bw
    return _stack_both_ways(run, cells_fw, cells_bw, inputs, initial, scope)


def stack_bidirectional_dynamic_rnn(
    cells_fw: list, cells_bw: list, inputs: tf.Tensor, initial_states_fw: Any = None,
    initial_states_bw: Any = None, dtype: Any = None, sequence_length: Any = None,
    parallel_iterations: int | None = None, time_major: bool = False, scope: Any = None,
    swap_memory: bool = False,
) -> tuple[Any, tuple, tuple]:  # fmt: skip
    """Run layers of cells over (batch, time, …), each layer in both directions.

    Returns
    -------
    outputs, forward states, backward states
    """

    def run(forward, backward, values, first, last, place):
        outputs, states = tf.nn.bidirectional_dynamic_rnn(
            forward, backward, values, sequence_length, first, last, dtype,
            parallel_iterations=parallel_iterations, swap_memory=swap_memory,
            time_major=time_major,
        )  # fmt: skip
        return tf.concat(outputs, 2), *states

    initial = initial_states_fw, initial_states_bw
    return _stack_both_ways(run, cells_fw, cells_bw, inputs, initial, scope)


def _stack_both_ways(
    run: Callable, forward: list, backward: list, values: Any, initial: tuple, scope: Any
) -> tuple[Any, tuple, tuple]:
    for direction, cells in (("fw", forward), ("bw", backward)):
        if not cells:
            raise ValueError(f"Must specify at least one {direction} cell for BidirectionalRNN.")
        if not isinstance(cells, list):
            raise ValueError(f"cells_{direction} must be a list of RNNCells (one per layer).")
    if len(forward) != len(backward):
        raise ValueError("Forward and Backward cells must have the same depth.")
    for direction, states in zip(("fw", "bw"), initial, strict=True):
        if states is not None and (not isinstance(states, list) or len(states) != len(forward)):
            raise ValueError(
                f"initial_states_{direction} must be a list of state tensors (one per layer)."
            )
    ends: tuple[list, list] = [], []
    with tf.variable_scope(scope or "stack_bidirectional_rnn"):
        for layer, cells in enumerate(zip(forward, backward, strict=True)):
            first, last = (states[layer] if states else None for states in initial)
            with tf.variable_scope(f"cell_{layer}") as place:
                values, *both = run(*cells, values, first, last, place)
            for end, state in zip(ends, both, strict=True):
                end.append(state)
    return values, tuple(ends[0]), tuple(ends[1])


class FusedRNNCell:
    """What runs over all steps in one call, inputs (time, batch, …)."""


class FusedRNNCellAdaptor(FusedRNNCell):
    """An ordinary cell as a `FusedRNNCell`."""

    def __init__(self, cell: Any, use_dynamic_rnn: bool = False) -> None:
        self._cell, self._dynamic = cell, use_dynamic_rnn

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None,
        sequence_length: Any = None, scope: Any = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Return the outputs of all steps and the last state."""
        is_list = isinstance(inputs, list)
        if self._dynamic:
            outputs, state = tf.nn.dynamic_rnn(
                self._cell, tf.stack(inputs) if is_list else inputs, sequence_length,
                initial_state, dtype, time_major=True, scope=scope,
            )  # fmt: skip
            return tf.unstack(outputs) if is_list else outputs, state
        steps = inputs if is_list else tf.unstack(inputs)
        outputs, state = tf.nn.static_rnn(
            self._cell, steps, initial_state, dtype, sequence_length, scope
        )
        return outputs if is_list else tf.stack(outputs), state


class TimeReversedFusedRNN(FusedRNNCell):
    """A `FusedRNNCell` from the last step to the first."""

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def __call__(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None,
        sequence_length: Any = None, scope: Any = None,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Return the outputs of all steps, first step first, and the last state."""
        outputs, state = self._cell(
            self._reversed(inputs, sequence_length), initial_state=initial_state, dtype=dtype,
            sequence_length=sequence_length, scope=scope,
        )  # fmt: skip
        return self._reversed(outputs, sequence_length), state

    def _reversed(self, values: Any, lengths: Any) -> Any:
        if isinstance(values, list):
            return values[::-1]
        if lengths is None:
            return tf.reverse(values, [0])
        return tf.reverse_sequence(values, lengths, seq_axis=0, batch_axis=1)


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    cells = {name: Moved("vae_tf1.legacy.tf.contrib.rnn_cells", name) for name in _CELLS}
    ours = (
        FusedRNNCell, FusedRNNCellAdaptor, TimeReversedFusedRNN, stack_bidirectional_dynamic_rnn,
        stack_bidirectional_rnn,
    )  # fmt: skip
    provided: dict[str, object] = cells | {f.__name__: f for f in ours}
    provided |= {name: Alias(f"nn.rnn_cell.{name}") for name in _CORE}
    deep = {f"python.ops.{module}": Alias("contrib.rnn") for module in _DEEP}
    everything = provided | deep | {"core_rnn_cell": Alias("nn.rnn_cell")}
    return {"nn.rnn": rnn} | {f"contrib.rnn.{name}": value for name, value in everything.items()}


# Modules of which all names are public ones.
_DEEP = ("core_rnn_cell", "fused_rnn_cell", "gru_ops", "lstm_ops", "rnn", "rnn_cell")
