"""`tf.nn.rnn_cell` and `tf.contrib.rnn`: recurrent cells, for recurrent encoders and decoders.

A cell is called with an input (batch, size) and a state and returns the output and the new state;
`tf.nn.dynamic_rnn` and `static_rnn` of today run these. Variables have the names of TF 1.2 and
later (`lstm_cell/kernel`, `gru_cell/gates/bias`).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Alias
from vae_tf1.legacy.tf.layer_base import Layer

__all__ = ["names", "title"]

title = (
    "`tf.nn.rnn_cell` and `tf.contrib.rnn`: recurrent cells, for recurrent encoders and decoders"
)


class LSTMStateTuple(namedtuple("LSTMStateTuple", ("c", "h"))):
    """The state of an LSTM: the cell state `c` and the output `h`."""

    __slots__ = ()

    @property
    def dtype(self) -> tf.DType:
        """Type of both parts."""
        return self.c.dtype


def _zeros(size: Any, batch_size: Any, dtype: Any) -> Any:
    """Return zeros of the shape (batch_size, size), for each size of a structure."""
    dimensions = tf.nest.map_structure(lambda n: tf.TensorShape(n).as_list(), size)
    if isinstance(size, LSTMStateTuple):
        return LSTMStateTuple(*(_zeros(n, batch_size, dtype) for n in size))
    if isinstance(size, (list, tuple)) and not isinstance(size, tf.TensorShape):
        return tuple(_zeros(n, batch_size, dtype) for n in size)
    return tf.zeros(tf.stack([batch_size, *dimensions]), dtype)


class RNNCell(Layer):
    """What all cells share; a subclass defines `state_size`, `output_size` and `call`."""

    @property
    def state_size(self) -> Any:
        """Size of the state, or a structure of sizes."""
        raise NotImplementedError(f"{type(self).__name__} defines no state_size.")

    @property
    def output_size(self) -> Any:
        """Size of the output."""
        raise NotImplementedError(f"{type(self).__name__} defines no output_size.")

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return a state of zeros."""
        with tf.name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return _zeros(self.state_size, batch_size, dtype)

    def get_initial_state(
        self, inputs: Any = None, batch_size: Any = None, dtype: Any = None
    ) -> Any:
        """Return a state of zeros for a batch of inputs."""
        if inputs is not None:
            batch_size, dtype = tf.shape(inputs)[0], inputs.dtype
        return self.zero_state(batch_size, dtype)

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Return the output and the next state."""
        return super().__call__(inputs, state, scope=scope)


class _Cell(RNNCell):
    """A cell of `num_units` with weights that act on the input and the last output together."""

    def __init__(
        self, num_units: int, activation: Callable | None, reuse: Any, name: Any, **kwargs: Any
    ):
        super().__init__(name=name, _reuse=reuse, **kwargs)
        self._num_units = int(num_units)
        self._activation = activation or tf.tanh

    @property
    def state_size(self) -> Any:
        """Number of units."""
        return self._num_units

    @property
    def output_size(self) -> int:
        """Number of units."""
        return self._num_units

    def _weights(
        self, prefix: str, inputs: int, outputs: int, initializer: Any = None, bias: Any = None
    ) -> tuple[tf.Variable, tf.Variable]:
        kernel = self.add_weight(f"{prefix}kernel", (inputs, outputs), initializer=initializer)
        bias = tf.zeros_initializer() if bias is None else bias
        return kernel, self.add_weight(f"{prefix}bias", (outputs,), initializer=bias)

    @staticmethod
    def _affine(weights: tuple[tf.Variable, tf.Variable], *parts: tf.Tensor) -> tf.Tensor:
        kernel, bias = weights
        return tf.nn.bias_add(tf.matmul(tf.concat(parts, 1), kernel), bias)

    def _input_size(self, input_shape: tf.TensorShape) -> int:
        size = input_shape.as_list()[-1]
        if size is None:
            raise ValueError(f"A cell needs inputs of a known size, but got shape {input_shape}.")
        return size


class BasicRNNCell(_Cell):
    """`h' = tanh(W [x, h] + b)`."""

    def __init__(self, num_units, activation=None, reuse=None, name=None, dtype=None, **kwargs):
        super().__init__(num_units, activation, reuse, name, dtype=dtype, **_known(kwargs))

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create the weights."""
        inputs = self._input_size(input_shape) + self._num_units
        self._all = self._weights("", inputs, self._num_units)
        self.built = True

    def call(self, inputs: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the output, which is the next state as well."""
        output = self._activation(self._affine(self._all, inputs, state))
        return output, output


class GRUCell(_Cell):
    """The gated recurrent unit of Cho et al. (2014)."""

    def __init__(
        self, num_units, activation=None, reuse=None, kernel_initializer=None,
        bias_initializer=None, name=None, dtype=None, **kwargs,
    ):  # fmt: skip
        super().__init__(num_units, activation, reuse, name, dtype=dtype, **_known(kwargs))
        self._kernel_initializer, self._bias_initializer = kernel_initializer, bias_initializer

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create the weights; the gates' biases begin at one."""
        inputs, units = self._input_size(input_shape) + self._num_units, self._num_units
        kernel, bias = self._kernel_initializer, self._bias_initializer
        ones = tf.constant_initializer(1.0) if bias is None else bias
        self._gates = self._weights("gates/", inputs, 2 * units, kernel, ones)
        self._candidate = self._weights("candidate/", inputs, units, kernel, bias)
        self.built = True

    def call(self, inputs: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the output, which is the next state as well."""
        gates = tf.sigmoid(self._affine(self._gates, inputs, state))
        reset, update = tf.split(gates, 2, axis=1)
        candidate = self._activation(self._affine(self._candidate, inputs, reset * state))
        output = update * state + (1 - update) * candidate
        return output, output


class LSTMCell(_Cell):
    """The long short-term memory of Hochreiter & Schmidhuber (1997), perhaps with peepholes.

    Parameters
    ----------
    use_peepholes
        Let the gates see the cell state (Sak et al., 2014).
    cell_clip, proj_clip
        Bounds of the cell state and of the projected output.
    num_proj
        Size that the output is projected to.
    forget_bias
        Added to the forget gate, so that a new cell remembers.
    state_is_tuple
        Whether the state is an `LSTMStateTuple` or one tensor, the cell state first.
    """

    def __init__(
        self, num_units, use_peepholes=False, cell_clip=None, initializer=None, num_proj=None,
        proj_clip=None, num_unit_shards=None, num_proj_shards=None, forget_bias=1.0,
        state_is_tuple=True, activation=None, reuse=None, name=None, dtype=None, **kwargs,
    ):  # fmt: skip
        super().__init__(num_units, activation, reuse, name, dtype=dtype, **_known(kwargs))
        self._use_peepholes, self._cell_clip = use_peepholes, cell_clip
        self._initializer, self._forget_bias = initializer, forget_bias
        self._num_proj, self._proj_clip = num_proj, proj_clip
        self._state_is_tuple = state_is_tuple

    @property
    def state_size(self) -> Any:
        """Sizes of the cell state and of the output."""
        sizes = LSTMStateTuple(self._num_units, self.output_size)
        return sizes if self._state_is_tuple else sum(sizes)

    @property
    def output_size(self) -> int:
        """Size of the projection, or number of units."""
        return self._num_proj or self._num_units

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create the weights."""
        units, initializer = self._num_units, self._initializer
        inputs = self._input_size(input_shape) + self.output_size
        self._gates = self._weights("", inputs, 4 * units, initializer)
        if self._use_peepholes:
            self._w_f, self._w_i, self._w_o = (
                self.add_weight(f"w_{gate}_diag", (units,), initializer=initializer)
                for gate in "fio"
            )
        if self._num_proj:
            self._projection = self.add_weight(
                "projection/kernel", (units, self._num_proj), initializer=initializer
            )
        self.built = True

    def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """Return the output and the next state."""
        if self._state_is_tuple:
            c, h = state
        else:
            c, h = tf.split(state, [self._num_units, self.output_size], axis=1)
        gates = self._affine(self._gates, inputs, h)
        in_gate, new, forget, out_gate = tf.split(gates, 4, axis=1)
        forget = forget + self._forget_bias
        if self._use_peepholes:
            forget, in_gate = forget + self._w_f * c, in_gate + self._w_i * c
        c = tf.sigmoid(forget) * c + tf.sigmoid(in_gate) * self._activation(new)
        if self._cell_clip is not None:
            c = tf.clip_by_value(c, -self._cell_clip, self._cell_clip)
        if self._use_peepholes:
            out_gate = out_gate + self._w_o * c
        h = tf.sigmoid(out_gate) * self._activation(c)
        if self._num_proj:
            h = tf.matmul(h, self._projection)
            if self._proj_clip is not None:
                h = tf.clip_by_value(h, -self._proj_clip, self._proj_clip)
        return h, LSTMStateTuple(c, h) if self._state_is_tuple else tf.concat([c, h], 1)


class BasicLSTMCell(LSTMCell):
    """An LSTM without peepholes, clipping or projection."""

    def __init__(
        self, num_units, forget_bias=1.0, state_is_tuple=True, activation=None, reuse=None,
        name=None, dtype=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            num_units, forget_bias=forget_bias, state_is_tuple=state_is_tuple,
            activation=activation, reuse=reuse, name=name, dtype=dtype, **kwargs,
        )  # fmt: skip


def _known(kwargs: dict) -> dict:
    """Drop `input_size`, which had no effect from TF 0.7 on."""
    return {key: value for key, value in kwargs.items() if key != "input_size"}


class MultiRNNCell(RNNCell):
    """Cells on top of each other, each fed with the output of the one below."""

    def __init__(self, cells: Sequence[RNNCell], state_is_tuple: bool = True):
        super().__init__()
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"MultiRNNCell takes a list of cells, but was given {cells!r}.")
        self._cells, self._state_is_tuple = list(cells), state_is_tuple

    @property
    def state_size(self) -> Any:
        """Sizes of the cells' states."""
        sizes = tuple(cell.state_size for cell in self._cells)
        return sizes if self._state_is_tuple else sum(tf.nest.flatten(sizes))

    @property
    def output_size(self) -> Any:
        """Size of the top cell's output."""
        return self._cells[-1].output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return a state of zeros."""
        if not self._state_is_tuple:
            return super().zero_state(batch_size, dtype)
        with tf.name_scope("MultiRNNCellZeroState", values=[batch_size]):
            return tuple(cell.zero_state(batch_size, dtype) for cell in self._cells)

    def call(self, inputs: tf.Tensor, state: Any) -> tuple[tf.Tensor, Any]:
        """Return the top cell's output and all next states."""
        if not self._state_is_tuple:
            state = tf.split(state, [cell.state_size for cell in self._cells], axis=1)
        new_states = []
        for i, cell in enumerate(self._cells):
            with tf.variable_scope(f"cell_{i}"):
                inputs, new_state = cell(inputs, state[i])
            new_states.append(new_state)
        return inputs, tuple(new_states) if self._state_is_tuple else tf.concat(new_states, 1)


class _Wrapper(RNNCell):
    """A cell around another one, whose variables keep their names."""

    def __init__(self, cell: RNNCell):
        super().__init__()
        self._cell = cell

    @property
    def state_size(self) -> Any:
        """Size of the inner cell's state."""
        return self._cell.state_size

    @property
    def output_size(self) -> Any:
        """Size of the inner cell's output."""
        return self._cell.output_size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the inner cell's state of zeros."""
        return self._cell.zero_state(batch_size, dtype)


class DropoutWrapper(_Wrapper):
    """Dropout on the input, the state and the output of a cell, new at each step."""

    def __init__(
        self, cell, input_keep_prob=1.0, output_keep_prob=1.0, state_keep_prob=1.0,
        variational_recurrent=False, input_size=None, dtype=None, seed=None,
    ):  # fmt: skip
        if variational_recurrent:
            raise ValueError("DropoutWrapper with variational_recurrent is not offered.")
        super().__init__(cell)
        self._keep = (input_keep_prob, state_keep_prob, output_keep_prob)
        self._seed = seed

    def _drop(self, values: Any, keep: Any) -> Any:
        if isinstance(keep, (int, float)) and keep >= 1:
            return values
        return tf.nest.map_structure(
            lambda x: tf.nn.dropout(x, rate=1 - keep, seed=self._seed), values
        )

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Return the inner cell's output and next state, dropped out."""
        keep_input, keep_state, keep_output = self._keep
        output, new_state = self._cell(self._drop(inputs, keep_input), state, scope)
        if isinstance(new_state, LSTMStateTuple):  # the memory itself stays whole
            new_state = LSTMStateTuple(new_state.c, self._drop(new_state.h, keep_state))
        else:
            new_state = self._drop(new_state, keep_state)
        return self._drop(output, keep_output), new_state


class ResidualWrapper(_Wrapper):
    """A cell whose input is added to its output."""

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Return the inner cell's output plus the input, and its next state."""
        output, new_state = self._cell(inputs, state, scope)
        return inputs + output, new_state


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
    cells = (
        BasicLSTMCell, BasicRNNCell, DropoutWrapper, GRUCell, LSTMCell, LSTMStateTuple,
        MultiRNNCell, ResidualWrapper, RNNCell,
    )  # fmt: skip
    homes = ("nn.rnn_cell", "contrib.rnn")
    provided: dict[str, object] = {f"{home}.{c.__name__}": c for home in homes for c in cells}
    return provided | {
        "nn.rnn": rnn,
        "contrib.rnn.static_rnn": tf.nn.static_rnn,
        "contrib.rnn.static_bidirectional_rnn": tf.nn.static_bidirectional_rnn,
        "contrib.rnn.core_rnn_cell": Alias("nn.rnn_cell"),
    }
