"""The recurrent cells of `tf.contrib.rnn`, of which no package has the code any more.

Each is its paper's formula over the variables, by name and shape, that TensorFlow 1's cell had, so
that old checkpoints fit. `golden/legacy_cells.npz` holds them to a genuine TensorFlow 1.15.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
from tf_keras.src.layers.rnn.legacy_cells import LayerRNNCell, LSTMStateTuple, RNNCell
from tf_keras.src.legacy_tf_layers.base import Layer

__all__ = [
    "AttentionCellWrapper", "Conv1DLSTMCell", "Conv2DLSTMCell", "Conv3DLSTMCell", "ConvLSTMCell",
    "CoupledInputForgetGateLSTMCell", "EmbeddingWrapper", "GLSTMCell", "GRUBlockCell",
    "GRUBlockCellV2", "HighwayWrapper", "IndRNNCell", "IndyGRUCell", "IndyLSTMCell",
    "InputProjectionWrapper", "IntersectionRNNCell", "LSTMBlockCell", "LSTMBlockFusedCell",
    "LayerNormBasicLSTMCell", "NASCell", "OutputProjectionWrapper", "PhasedLSTMCell", "SRUCell",
    "UGRNNCell",
]  # fmt: skip


def _linear(values: Any, size: int, bias: bool = True) -> tf.Tensor:
    """Return values @ kernel + bias for the concatenated values (batch, n)."""
    values = [values] if tf.is_tensor(values) else list(values)
    joined = values[0] if len(values) == 1 else tf.concat(values, 1)
    kernel = tf.get_variable("kernel", [_width(joined), size], joined.dtype)
    product = tf.matmul(joined, kernel)
    if not bias:
        return product
    zero = tf.zeros_initializer(joined.dtype)
    return tf.nn.bias_add(product, tf.get_variable("bias", [size], joined.dtype, zero))


def _affine(values: Sequence[tf.Tensor], kernel: Any, bias: Any) -> tf.Tensor:
    return tf.nn.bias_add(tf.matmul(tf.concat(values, 1), kernel), bias)


def _width(values: tf.Tensor) -> int:
    """Return the known size of the last axis of values (batch, n)."""
    width = tf.TensorShape(values.shape).with_rank(2).as_list()[1]
    if width is None:
        raise ValueError(f"A cell takes inputs of a known size, but got {values.shape}.")
    return width


def _normed(values: tf.Tensor, scope: str, gain: float, shift: float) -> tf.Tensor:
    """Return values of mean 0 and variance 1 over the last axis, times gamma, plus beta."""
    with tf.variable_scope(scope):
        shape, dtype = values.shape[-1:], values.dtype
        gamma = tf.get_variable("gamma", shape, dtype, tf.constant_initializer(gain))
        beta = tf.get_variable("beta", shape, dtype, tf.constant_initializer(shift))
    mean, variance = tf.nn.moments(values, [1], keep_dims=True)
    epsilon = 1e-12 if dtype != tf.float16 else 1e-3
    return tf.nn.batch_normalization(values, mean, variance, beta, gamma, epsilon)


class _Sized:
    """What a cell knows of itself: the sizes of its state's tensors and of its output."""

    def __init__(self, state_size: Any, output_size: Any, reuse: Any = None, **kwargs: Any) -> None:
        super().__init__(_reuse=reuse, **kwargs)
        self._sizes = state_size, output_size

    @property
    def state_size(self) -> Any:
        """Sizes of the state's tensors."""
        return self._sizes[0]

    @property
    def output_size(self) -> Any:
        """Size of the output."""
        return self._sizes[1]


class _Cell(_Sized, RNNCell):
    """A cell that makes its variables when it is called."""


class _LayerCell(_Sized, LayerRNNCell):
    """A cell that makes its variables when it is built, and keeps them."""

    def build(self, inputs_shape: Any) -> None:
        """Make the variables for inputs of a known size."""
        size = tf.TensorShape(inputs_shape).as_list()[-1]
        if size is None:
            raise ValueError(f"A cell takes inputs of a known size, but got {inputs_shape}.")
        self.make(size)
        self.built = True


class _Wrapper(_Cell):
    """A cell around another one, whose zero state it has."""

    def __init__(self, cell: Any, output_size: Any = None, reuse: Any = None) -> None:
        super().__init__(cell.state_size, output_size or cell.output_size, reuse)
        self._cell = cell

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return the inner cell's state of zeros."""
        with tf.name_scope(f"{type(self).__name__}ZeroState", values=[batch_size]):
            return self._cell.zero_state(batch_size, dtype)


class InputProjectionWrapper(_Wrapper):
    """A cell whose input is projected first."""

    def __init__(
        self, cell: Any, num_proj: int, activation: Any = None, input_size: Any = None,
        reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(cell, reuse=reuse)
        self._num_proj, self._activation = num_proj, activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the inner cell's output and next state."""
        projected = _linear(inputs, self._num_proj)
        return self._cell(self._activation(projected) if self._activation else projected, state)


class OutputProjectionWrapper(_Wrapper):
    """A cell whose output is projected."""

    def __init__(
        self, cell: Any, output_size: int, activation: Any = None, reuse: Any = None
    ) -> None:
        if output_size < 1:
            raise ValueError(f"Parameter output_size must be > 0: {output_size}.")
        super().__init__(cell, output_size, reuse)
        self._activation = activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the projected output and the inner cell's next state."""
        output, state = self._cell(inputs, state)
        projected = _linear(output, self.output_size)
        return self._activation(projected) if self._activation else projected, state


class EmbeddingWrapper(_Wrapper):
    """A cell whose inputs are the numbers of classes, which are embedded first."""

    def __init__(
        self, cell: Any, embedding_classes: int, embedding_size: int, initializer: Any = None,
        reuse: Any = None,
    ) -> None:  # fmt: skip
        if embedding_classes <= 0 or embedding_size <= 0:
            raise ValueError(
                "Both embedding_classes and embedding_size must be > 0: "
                f"{embedding_classes}, {embedding_size}."
            )
        super().__init__(cell, reuse=reuse)
        self._shape, self._initializer = [embedding_classes, embedding_size], initializer

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the inner cell's output and next state."""
        limit = math.sqrt(3)  # variance 1
        initializer = (
            self._initializer
            or tf.get_variable_scope().initializer
            or tf.random_uniform_initializer(-limit, limit)
        )
        dtype = tf.nest.flatten(state)[0].dtype
        with tf.device("/cpu:0"):
            table = tf.get_variable("embedding", self._shape, dtype, initializer)
            embedded = tf.nn.embedding_lookup(table, tf.reshape(inputs, [-1]))
        return self._cell(embedded, state)


class HighwayWrapper(_Wrapper):
    """carry * input + transform * output (Srivastava et al., 2015)."""

    def __init__(
        self, cell: Any, couple_carry_transform_gates: bool = True, carry_bias_init: float = 1.0
    ) -> None:
        super().__init__(cell)
        self._coupled, self._bias = couple_carry_transform_gates, carry_bias_init

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Return the highway's output and the inner cell's next state."""
        outputs, state = self._cell(inputs, state, scope=scope)
        tf.nest.assert_same_structure(inputs, outputs)
        return tf.nest.map_structure(self._highway, inputs, outputs), state

    def _highway(self, inputs: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        inputs.shape.assert_is_compatible_with(outputs.shape)
        carry = self._gate("carry", inputs, self._bias)
        transform = 1 - carry if self._coupled else self._gate("transform", inputs, -self._bias)
        return inputs * carry + outputs * transform

    def _gate(self, name: str, inputs: tf.Tensor, bias: float) -> tf.Tensor:
        size = _width(inputs)
        weight = tf.get_variable(f"{name}_w", [size, size])
        start = tf.constant_initializer(bias)
        return tf.sigmoid(
            tf.nn.xw_plus_b(inputs, weight, tf.get_variable(f"{name}_b", [size], None, start))
        )


class AttentionCellWrapper(_Wrapper):
    """A cell that attends to its last `attn_length` outputs (Bahdanau et al., 2014)."""

    def __init__(
        self, cell: Any, attn_length: int, attn_size: int | None = None,
        attn_vec_size: int | None = None, input_size: int | None = None,
        state_is_tuple: bool = True, reuse: Any = None,
    ) -> None:  # fmt: skip
        if tf.nest.is_nested(cell.state_size) and not state_is_tuple:
            raise ValueError(
                "Cell returns tuple of states, but the flag state_is_tuple is not set. "
                f"State size is: {cell.state_size}"
            )
        if attn_length <= 0:
            raise ValueError(f"attn_length should be greater than zero, got {attn_length}")
        size = attn_size or cell.output_size
        super().__init__(cell, size, reuse)
        self._length, self._vector, self._input_size = (
            attn_length,
            attn_vec_size or size,
            input_size,
        )
        sizes = cell.state_size, size, size * attn_length
        self._parts, self._is_tuple = sizes, state_is_tuple
        self._sizes = sizes if state_is_tuple else sum(sizes), size

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return zeros for the inner state, the attention and the memory."""
        return RNNCell.zero_state(self, batch_size, dtype)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output, and the inner state with the attention and the memory."""
        parts = state if self._is_tuple else tf.split(state, self._parts, 1)
        inner, attention, memory = parts
        memory = tf.reshape(memory, [-1, self._length, self.output_size])
        size = self._input_size or _width(inputs)
        output, inner = self._cell(_linear([inputs, attention], size), inner)
        query = tf.concat(tf.nest.flatten(inner), 1) if self._is_tuple else inner
        attention = self._attend(query, memory)
        with tf.variable_scope("attn_output_projection"):
            output = _linear([output, attention], self.output_size)
        memory = tf.concat([memory[:, 1:], output[:, tf.newaxis]], 1)
        memory = tf.reshape(memory, [-1, self._length * self.output_size])
        state = inner, attention, memory
        return output, state if self._is_tuple else tf.concat(state, 1)

    def _attend(self, query: tf.Tensor, memory: tf.Tensor) -> tf.Tensor:
        with tf.variable_scope("attention"):
            w = tf.get_variable("attn_w", [1, 1, self.output_size, self._vector])
            v = tf.get_variable("attn_v", [self._vector])
            features = tf.tensordot(memory, w[0, 0], 1)
            wanted = _linear(query, self._vector)[:, tf.newaxis]
            weights = tf.nn.softmax(tf.reduce_sum(v * tf.tanh(features + wanted), 2))
            return tf.reduce_sum(weights[..., tf.newaxis] * memory, 1)


class LayerNormBasicLSTMCell(_Cell):
    """LSTM with layer normalization (Ba et al., 2016) and recurrent dropout (Semeniuta et al.)."""

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, input_size: Any = None,
        activation: Callable = tf.tanh, layer_norm: bool = True, norm_gain: float = 1.0,
        norm_shift: float = 0.0, dropout_keep_prob: Any = 1.0,
        dropout_prob_seed: int | None = None, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(LSTMStateTuple(num_units, num_units), num_units, reuse)
        self._forget_bias, self._activation = forget_bias, activation
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift
        self._keep, self._seed = dropout_keep_prob, dropout_prob_seed

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c, h = state
        joined, size = tf.concat([inputs, h], 1), 4 * self.output_size
        gates = tf.matmul(joined, tf.get_variable("kernel", [_width(joined), size], joined.dtype))
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, tf.get_variable("bias", [size], joined.dtype))
        names = "input", "transform", "forget", "output"
        i, j, f, o = map(self._norm, tf.split(gates, 4, 1), names)
        g = self._activation(j)
        if not isinstance(self._keep, float) or self._keep < 1:
            g = tf.nn.dropout(g, self._keep, seed=self._seed)
        c = self._norm(c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * g, "state")
        h = self._activation(c) * tf.sigmoid(o)
        return h, LSTMStateTuple(c, h)

    def _norm(self, values: tf.Tensor, scope: str) -> tf.Tensor:
        return _normed(values, scope, self._gain, self._shift) if self._layer_norm else values


class CoupledInputForgetGateLSTMCell(_Cell):
    """LSTM whose input gate is 1 - forget gate (Greff et al., 2015)."""

    def __init__(
        self, num_units: int, use_peepholes: bool = False, initializer: Any = None,
        num_proj: int | None = None, proj_clip: float | None = None, num_unit_shards: int = 1,
        num_proj_shards: int = 1, forget_bias: float = 1.0, state_is_tuple: bool = True,
        activation: Callable = tf.tanh, reuse: Any = None, layer_norm: bool = False,
        norm_gain: float = 1.0, norm_shift: float = 0.0,
    ) -> None:  # fmt: skip
        output = num_proj or num_units
        size = LSTMStateTuple(num_units, output) if state_is_tuple else num_units + output
        super().__init__(size, output, reuse)
        self._units, self._peepholes, self._projected = num_units, use_peepholes, num_proj
        self._clip, self._shards = proj_clip, (num_unit_shards, num_proj_shards)
        self._forget_bias, self._is_tuple, self._activation = (
            forget_bias,
            state_is_tuple,
            activation,
        )
        self._layer_norm, self._gain, self._shift = layer_norm, norm_gain, norm_shift

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        units = self._units
        c, h = state if self._is_tuple else tf.split(state, [units, self.output_size], 1)
        joined, dtype = tf.concat([inputs, h], 1), inputs.dtype
        weights = _shards("W", [_width(joined), 3 * units], dtype, self._shards[0])
        bias = tf.get_variable("B", [3 * units], dtype, tf.zeros_initializer())
        gates = tf.matmul(joined, weights)
        if not self._layer_norm:
            gates = tf.nn.bias_add(gates, bias)
        j, f, o = map(self._norm, tf.split(gates, 3, 1), ("transform", "forget", "output"))
        peep_f, peep_o = (
            [tf.get_variable(f"W_{gate}_diag", [units], dtype) for gate in "FO"]
            if self._peepholes
            else (0.0, 0.0)
        )
        forget = tf.sigmoid(f + self._forget_bias + peep_f * c)
        c = self._norm(forget * c + (1 - forget) * self._activation(j), "state")
        h = tf.sigmoid(o + peep_o * c) * self._activation(c)
        if self._projected is not None:
            h = tf.matmul(h, _shards("W_P", [units, self._projected], dtype, self._shards[1]))
            if self._clip is not None:
                h = tf.clip_by_value(h, -self._clip, self._clip)
        return h, LSTMStateTuple(c, h) if self._is_tuple else tf.concat([c, h], 1)

    def _norm(self, values: tf.Tensor, scope: str) -> tf.Tensor:
        return _normed(values, scope, self._gain, self._shift) if self._layer_norm else values


def _shards(name: str, shape: Sequence[int], dtype: tf.DType, number: int) -> tf.Tensor:
    """Return a matrix that is kept as several variables, its rows in turn."""
    rows = [shape[0] // number + (i < shape[0] % number) for i in range(number)]
    parts = [tf.get_variable(f"{name}_{i}", [n, shape[1]], dtype) for i, n in enumerate(rows)]
    return parts[0] if number == 1 else tf.concat(parts, 0)


class GLSTMCell(_Cell):
    """LSTM in groups of units (Kuchaiev and Ginsburg, 2017)."""

    def __init__(
        self, num_units: int, initializer: Any = None, num_proj: int | None = None,
        number_of_groups: int = 1, forget_bias: float = 1.0, activation: Callable = tf.tanh,
        reuse: Any = None,
    ) -> None:  # fmt: skip
        for name, size in (("num_units", num_units), ("num_proj", num_proj or 0)):
            if size % number_of_groups:
                raise ValueError(f"{name} must be divisible by number_of_groups")
        output = num_proj or num_units
        super().__init__(LSTMStateTuple(num_units, output), output, reuse)
        self._units, self._projected, self._groups = num_units, num_proj, number_of_groups
        self._initializer, self._forget_bias, self._activation = (
            initializer,
            forget_bias,
            activation,
        )

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c, h = state
        if _width(inputs) % self._groups:
            raise ValueError(
                f"input size ({_width(inputs)}) must be divisible by number_of_groups "
                f"({self._groups})"
            )
        gates = []
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            pairs = zip(
                tf.split(inputs, self._groups, 1), tf.split(h, self._groups, 1), strict=True
            )
            for group, pair in enumerate(pairs):
                with tf.variable_scope(f"group{group}"):
                    size = 4 * (self._units // self._groups)
                    gates.append(tf.split(_linear(tf.concat(pair, 1), size, False), 4, 1))
            i, j, f, o = (
                tf.nn.bias_add(tf.concat(parts, 1), self._bias(gate, inputs.dtype))
                for parts, gate in zip(zip(*gates, strict=True), "ijfo", strict=True)
            )
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * self._activation(c)
        if self._projected is not None:
            with tf.variable_scope("projection"):
                h = _linear(h, self._projected, False)
        return h, LSTMStateTuple(c, h)

    def _bias(self, gate: str, dtype: tf.DType) -> tf.Variable:
        return tf.get_variable(f"bias_{gate}", [self._units], dtype, tf.zeros_initializer(dtype))


class UGRNNCell(_Cell):
    """Update-gate recurrent network (Collins et al., 2016)."""

    def __init__(
        self, num_units: int, initializer: Any = None, forget_bias: float = 1.0,
        activation: Callable = tf.tanh, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, num_units, reuse)
        self._initializer, self._forget_bias, self._activation = (
            initializer,
            forget_bias,
            activation,
        )

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the next state twice."""
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            g, c = tf.split(_linear(tf.concat([inputs, state], 1), 2 * self.output_size), 2, 1)
        g = tf.sigmoid(g + self._forget_bias)
        state = g * state + (1 - g) * self._activation(c)
        return state, state


class IntersectionRNNCell(_Cell):
    """The "+RNN" with gates in time and in depth (Collins et al., 2016)."""

    def __init__(
        self, num_units: int, num_in_proj: int | None = None, initializer: Any = None,
        forget_bias: float = 1.0, y_activation: Callable = tf.nn.relu, reuse: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, num_units, reuse)
        self._projects, self._initializer = num_in_proj, initializer
        self._forget_bias, self._activation = forget_bias, y_activation

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next state."""
        units = self.output_size
        with tf.variable_scope(tf.get_variable_scope(), initializer=self._initializer):
            if _width(inputs) != units:
                if not self._projects:
                    raise ValueError(
                        "Must have input size == output size for Intersection RNN. "
                        "To fix, num_in_proj should be set to num_units at cell init."
                    )
                with tf.variable_scope("in_projection"):
                    inputs = _linear(inputs, units)
            joined = _linear(tf.concat([inputs, state], 1), 4 * units)
        gate_h, h, gate_y, y = tf.split(joined, 4, 1)
        gate_h = tf.sigmoid(gate_h + self._forget_bias)
        gate_y = tf.sigmoid(gate_y + self._forget_bias)
        output = gate_y * inputs + (1 - gate_y) * self._activation(y)
        return output, gate_h * state + (1 - gate_h) * tf.tanh(h)


class PhasedLSTMCell(_Cell):
    """LSTM with a time gate (Neil et al., 2016); its inputs are (time, features)."""

    def __init__(
        self, num_units: int, use_peepholes: bool = False, leak: float = 0.001,
        ratio_on: float = 0.1, trainable_ratio_on: bool = True, period_init_min: float = 1.0,
        period_init_max: float = 1000.0, reuse: Any = None,
    ) -> None:  # fmt: skip
        size = LSTMStateTuple(num_units, num_units)
        super().__init__(size, num_units, reuse, autocast=False)
        self._peepholes, self._leak = use_peepholes, leak
        self._ratio_on, self._trains_ratio = ratio_on, trainable_ratio_on
        self._periods = math.log(period_init_min), math.log(period_init_max)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c_before, h_before = state
        time, x = inputs
        units, peep = self.output_size, self._peepholes
        with tf.variable_scope("mask_gates"):
            joined = [x, h_before, *([c_before] if peep else [])]
            i, f = tf.split(tf.sigmoid(_linear(joined, 2 * units)), 2, 1)
        with tf.variable_scope("new_input"):
            c = c_before * f + i * tf.tanh(_linear([x, h_before], units))
        with tf.variable_scope("output_gate"):
            o = tf.sigmoid(_linear([x, h_before, *([c] if peep else [])], units))
        h = tf.tanh(c) * o
        k = self._openness(time)
        c, h = k * c + (1 - k) * c_before, k * h + (1 - k) * h_before
        return h, LSTMStateTuple(c, h)

    def _openness(self, time: tf.Tensor) -> tf.Tensor:
        """Return the time gate: up and down while the cycle is open, a leak while it is not."""

        def draw_period(shape, dtype=tf.float32, **_):
            return tf.exp(tf.random_uniform(shape, *self._periods, dtype=dtype))

        shape = [self.output_size]
        period = tf.get_variable("period", shape, initializer=draw_period)
        up_to_period = tf.random_uniform_initializer(0.0, period.initial_value)
        phase = tf.get_variable("phase", shape, initializer=up_to_period)
        ratio_on = tf.get_variable(
            "ratio_on", shape, initializer=tf.constant_initializer(self._ratio_on),
            trainable=self._trains_ratio,
        )  # fmt: skip
        shifted, period = time - tf.cast(phase, time.dtype), tf.cast(period, time.dtype)
        # The remainder, with the gradient of what it is the remainder of.
        rest = tf.stop_gradient(tf.mod(shifted, period) - shifted) + shifted
        cycle = tf.cast(rest / period, tf.float32)
        up = 2 * cycle / ratio_on
        open_ = tf.where(cycle < 0.5 * ratio_on, up, 2 - up)
        return tf.where(cycle < ratio_on, open_, self._leak * cycle)


class ConvLSTMCell(_Cell):
    """LSTM of convolutions (Shi et al., 2015)."""

    def __init__(
        self, conv_ndims: int, input_shape: Sequence[int], output_channels: int,
        kernel_shape: Sequence[int], use_bias: bool = True, skip_connection: bool = False,
        forget_bias: float = 1.0, initializers: Any = None, name: str = "conv_lstm_cell",
    ) -> None:  # fmt: skip
        if conv_ndims != len(input_shape) - 1:
            raise ValueError(f"Invalid input_shape {input_shape} for conv_ndims={conv_ndims}.")
        places, channels = list(input_shape[:-1]), output_channels
        if skip_connection:
            channels += input_shape[-1]
        size = tf.TensorShape([*places, output_channels])
        output = tf.TensorShape([*places, channels])
        super().__init__(LSTMStateTuple(size, size), output, name=name)
        self._axes, self._channels, self._kernel = conv_ndims, output_channels, list(kernel_shape)
        self._use_bias, self._skips, self._forget_bias = use_bias, skip_connection, forget_bias

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c, h = state
        joined, size = tf.concat([inputs, h], -1), 4 * self._channels
        depth, dtype = joined.shape.as_list()[-1], joined.dtype
        kernel = tf.get_variable("kernel", [*self._kernel, depth, size], dtype)
        gates = tf.nn.convolution(joined, kernel, "SAME")
        if self._use_bias:
            zero = tf.zeros_initializer(dtype)
            gates += tf.get_variable("biases", [size], dtype, zero)
        i, j, f, o = tf.split(gates, 4, self._axes + 1)
        c = tf.sigmoid(f + self._forget_bias) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        if self._skips:
            h = tf.concat([h, inputs], -1)
        return h, LSTMStateTuple(c, h)


class Conv1DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of one axis."""

    def __init__(self, name: str = "conv_1d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=1, name=name, **kwargs)


class Conv2DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of two axes."""

    def __init__(self, name: str = "conv_2d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=2, name=name, **kwargs)


class Conv3DLSTMCell(ConvLSTMCell):
    """`ConvLSTMCell` of three axes."""

    def __init__(self, name: str = "conv_3d_lstm_cell", **kwargs: Any) -> None:
        super().__init__(conv_ndims=3, name=name, **kwargs)


class NASCell(_LayerCell):
    """The cell that a search for architectures found (Zoph and Le, 2016)."""

    def __init__(
        self, num_units: int, num_proj: int | None = None, use_bias: bool = False,
        reuse: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        output = num_proj or num_units
        super().__init__(LSTMStateTuple(num_units, output), output, reuse, **kwargs)
        self._units, self._projected, self._use_bias = num_units, num_proj, use_bias

    def make(self, size: int) -> None:
        """Make the variables."""
        eight = 8 * self._units
        self.recurrent_kernel = self.add_variable("recurrent_kernel", [self.output_size, eight])
        self.kernel = self.add_variable("kernel", [size, eight])
        if self._use_bias:
            zero = tf.zeros_initializer()
            self.bias = self.add_variable("bias", [eight], initializer=zero)
        if self._projected is not None:
            shape = [self._units, self._projected]
            self.projection_weights = self.add_variable("projection_weights", shape)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c, h = state
        of_state = tf.matmul(h, self.recurrent_kernel)
        if self._use_bias:
            of_state = tf.nn.bias_add(of_state, self.bias)
        x, m = (tf.split(v, 8, 1) for v in (tf.matmul(inputs, self.kernel), of_state))
        left = tf.tanh(tf.sigmoid(x[0] + m[0]) * tf.nn.relu(x[1] + m[1]))
        mixed = tf.tanh(tf.sigmoid(x[2] + m[2]) + tf.nn.relu(x[3] * m[3]))
        c = tf.tanh(left + c) * mixed
        right = tf.tanh(tf.tanh(x[4] + m[4]) * tf.sigmoid(x[5] + m[5]))
        gate = tf.sigmoid(tf.tanh(x[6] + m[6]) + tf.sigmoid(x[7] + m[7]))
        h = tf.tanh(c * tf.tanh(right + gate))
        if self._projected is not None:
            h = tf.matmul(h, self.projection_weights)
        return h, LSTMStateTuple(c, h)


class SRUCell(_LayerCell):
    """Simple recurrent unit (Lei et al., 2017)."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        super().__init__(num_units, num_units, reuse, name=name, **kwargs)
        self._activation = activation or tf.tanh

    def make(self, size: int) -> None:
        """Make the variables."""
        units = self.output_size
        self._kernel = self.add_variable("kernel", [size, 4 * units])
        self._bias = self.add_variable("bias", [2 * units], initializer=tf.zeros_initializer())

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next state."""
        x, f, r, skipped = tf.split(tf.matmul(inputs, self._kernel), 4, 1)
        gates = tf.sigmoid(tf.nn.bias_add(tf.concat([f, r], 1), self._bias))
        f, r = tf.split(gates, 2, 1)
        c = f * state + (1 - f) * x
        return r * self._activation(c) + (1 - r) * skipped, c


class _Independent(_LayerCell):
    """A cell whose units do not see one another's states (Li et al., 2018)."""

    def __init__(
        self, state_size: Any, num_units: int, activation: Any, reuse: Any, name: Any, dtype: Any,
        kernel_initializer: Any = None, bias_initializer: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(state_size, num_units, reuse, name=name, dtype=dtype)
        self._activation = activation or tf.tanh
        self._initializers = kernel_initializer, bias_initializer

    def _variables(self, names: Sequence[str], inputs: int, gates: int, bias: float) -> list:
        size = gates * self.output_size
        kernel_initializer, bias_initializer = self._initializers
        within_one = tf.random_uniform_initializer(-1, 1, dtype=self.dtype)
        start = bias_initializer or tf.constant_initializer(bias, self.dtype)
        specs = ([inputs, size], kernel_initializer), ([1, size], within_one), ([size], start)
        return [
            self.add_variable(name, shape, initializer=initializer)
            for name, (shape, initializer) in zip(names, specs, strict=True)
        ]


def _sum(inputs: tf.Tensor, state: tf.Tensor, variables: Sequence[tf.Variable]) -> tf.Tensor:
    """Return inputs @ w + u * state + bias, the state repeated for several gates."""
    w, u, bias = variables
    gates = u.shape.as_list()[1] // state.shape.as_list()[1]
    return tf.nn.bias_add(tf.matmul(inputs, w) + tf.tile(state, [1, gates]) * u, bias)


class IndRNNCell(_Independent):
    """Independently recurrent network."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None, name: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(num_units, num_units, activation, reuse, name, dtype)

    def make(self, size: int) -> None:
        """Make the variables."""
        self._all = self._variables(("kernel_w", "kernel_u", "bias"), size, 1, 0.0)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the next state twice."""
        state = self._activation(_sum(inputs, state, self._all))
        return state, state


class IndyGRUCell(_Independent):
    """Independently gated recurrent unit."""

    def __init__(
        self, num_units: int, activation: Any = None, reuse: Any = None,
        kernel_initializer: Any = None, bias_initializer: Any = None, name: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        initializers = kernel_initializer, bias_initializer
        super().__init__(num_units, num_units, activation, reuse, name, dtype, *initializers)

    def make(self, size: int) -> None:
        """Make the variables."""
        names = "gates/kernel_w", "gates/kernel_u", "gates/bias"
        self._gates = self._variables(names, size, 2, 1.0)
        names = "candidate/kernel", "candidate/kernel_u", "candidate/bias"
        self._candidate = self._variables(names, size, 1, 0.0)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the next state twice."""
        r, u = tf.split(tf.sigmoid(_sum(inputs, state, self._gates)), 2, 1)
        candidate = self._activation(_sum(inputs, r * state, self._candidate))
        state = u * state + (1 - u) * candidate
        return state, state


class IndyLSTMCell(_Independent):
    """Independently recurrent long short-term memory."""

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, activation: Any = None, reuse: Any = None,
        kernel_initializer: Any = None, bias_initializer: Any = None, name: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        size, initializers = (
            LSTMStateTuple(num_units, num_units),
            (kernel_initializer, bias_initializer),
        )
        super().__init__(size, num_units, activation, reuse, name, dtype, *initializers)
        self._forget_bias = forget_bias

    def make(self, size: int) -> None:
        """Make the variables."""
        self._all = self._variables(("kernel_w", "kernel_u", "bias"), size, 4, 0.0)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        c, h = state
        i, j, f, o = tf.split(_sum(inputs, h, self._all), 4, 1)
        c = c * tf.sigmoid(f + self._forget_bias) + tf.sigmoid(i) * self._activation(j)
        h = self._activation(c) * tf.sigmoid(o)
        return h, LSTMStateTuple(c, h)


class GRUBlockCell(_LayerCell):
    """GRU (Cho et al., 2014) with the variables of TF1's fused op."""

    _names = "w_ru", "b_ru", "w_c", "b_c"

    def __init__(
        self, num_units: int | None = None, cell_size: int | None = None, reuse: Any = None,
        name: str = "gru_cell",
    ) -> None:  # fmt: skip
        if (cell_size is None) == (num_units is None):
            raise ValueError("Exactly one of num_units or cell_size must be provided.")
        units = num_units or cell_size
        super().__init__(units, units, reuse, name=name)

    def make(self, size: int) -> None:
        """Make the variables."""
        units = self.output_size
        gates, gates_bias, candidate, candidate_bias = self._names
        one, zero = tf.ones_initializer(), tf.zeros_initializer()
        self._gates = (
            self.add_variable(gates, [size + units, 2 * units]),
            self.add_variable(gates_bias, [2 * units], initializer=one),
        )
        self._candidate = (
            self.add_variable(candidate, [size + units, units]),
            self.add_variable(candidate_bias, [units], initializer=zero),
        )

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the next state twice."""
        r, u = tf.split(tf.sigmoid(_affine([inputs, state], *self._gates)), 2, 1)
        candidate = tf.tanh(_affine([inputs, r * state], *self._candidate))
        state = u * state + (1 - u) * candidate
        return state, state


class GRUBlockCellV2(GRUBlockCell):
    """`GRUBlockCell` with the variables of `GRUCell`."""

    _names = "gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"


def _block_variables(cell: Any, inputs: int, units: int, peephole: bool) -> tuple:
    """Return kernel, bias and the peepholes of the input, forget and output gate."""
    kernel = cell.add_variable("kernel", [inputs + units, 4 * units])
    bias = cell.add_variable("bias", [4 * units], initializer=tf.zeros_initializer())
    names = [f"w_{gate}_diag" for gate in "ifo"] if peephole else []
    return kernel, bias, [cell.add_variable(name, [units]) for name in names]


class LSTMBlockCell(_LayerCell):
    """LSTM with the variables of TF1's fused op."""

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, cell_clip: float | None = None,
        use_peephole: bool = False, dtype: Any = None, reuse: Any = None, name: str = "lstm_cell",
    ) -> None:  # fmt: skip
        size = LSTMStateTuple(num_units, num_units)
        super().__init__(size, num_units, reuse, dtype=dtype, name=name)
        self._forget_bias, self._clip, self._peephole = forget_bias, cell_clip or 0, use_peephole

    def make(self, size: int) -> None:
        """Make the variables."""
        self._all = _block_variables(self, size, self.output_size, self._peephole)

    def call(self, inputs: Any, state: Any) -> tuple[Any, Any]:
        """Return the output and the next (c, h)."""
        if len(state) != 2:
            raise ValueError("Expecting state to be a tuple with length 2.")
        c, h = state
        kernel, bias, peepholes = self._all
        peep_i, peep_f, peep_o = peepholes or (0.0, 0.0, 0.0)
        i, j, f, o = tf.split(_affine([inputs, h], kernel, bias), 4, 1)
        forget = tf.sigmoid(f + self._forget_bias + peep_f * c)
        c = tf.sigmoid(i + peep_i * c) * tf.tanh(j) + forget * c
        if self._clip > 0:
            # TF1's fused op has the gradient of what is not clipped.
            c += tf.stop_gradient(tf.clip_by_value(c, -self._clip, self._clip) - c)
        h = tf.tanh(c) * tf.sigmoid(o + peep_o * c)
        return h, LSTMStateTuple(c, h)


class LSTMBlockFusedCell(Layer):
    """LSTM over all steps as one op; its inputs are (time, batch, features)."""

    def __init__(
        self, num_units: int, forget_bias: float = 1.0, cell_clip: float | None = None,
        use_peephole: bool = False, reuse: Any = None, dtype: Any = None,
        name: str = "lstm_fused_cell",
    ) -> None:  # fmt: skip
        super().__init__(_reuse=reuse, name=name, dtype=dtype)
        self._units, self._forget_bias, self._peephole = num_units, forget_bias, use_peephole
        self._clip = -1 if cell_clip is None else cell_clip

    @property
    def num_units(self) -> int:
        """Size of the output."""
        return self._units

    def build(self, input_shape: Any) -> None:
        """Make the variables."""
        size = tf.TensorShape(input_shape).as_list()[2]
        self._all = _block_variables(self, size, self._units, self._peephole)
        self.built = True

    def call(
        self, inputs: Any, initial_state: Any = None, dtype: Any = None, sequence_length: Any = None
    ) -> tuple[Any, Any]:
        """Return the outputs of all steps and the last (c, h)."""
        is_list = isinstance(inputs, list)
        inputs = tf.stack(inputs) if is_list else inputs
        steps, batch = tf.shape(inputs)[0], tf.shape(inputs)[1]
        if initial_state is None:
            if dtype is None:
                raise ValueError("Either initial_state or dtype needs to be specified")
            zeros = tf.zeros([batch, self.num_units], dtype)
            initial_state = zeros, zeros
        c, h = initial_state
        last = steps if sequence_length is None else tf.reduce_max(sequence_length)
        kernel, bias, peepholes = self._all
        wci, wcf, wco = peepholes or [tf.zeros([self._units], h.dtype)] * 3
        done = tf.raw_ops.BlockLSTM(
            seq_len_max=tf.cast(last, tf.int64), x=inputs, cs_prev=c, h_prev=h, w=kernel, b=bias,
            wci=wci, wcf=wcf, wco=wco, forget_bias=self._forget_bias, cell_clip=self._clip,
            use_peephole=self._peephole,
        )  # fmt: skip
        outputs = done.h
        if sequence_length is None:
            final = LSTMStateTuple(done.cs[-1], outputs[-1])
        else:
            lengths = tf.convert_to_tensor(sequence_length)
            inside = tf.transpose(tf.sequence_mask(lengths, steps, dtype=h.dtype))
            outputs *= inside[..., tf.newaxis]
            places = tf.stack([lengths, tf.range(batch, dtype=lengths.dtype)], 1)
            first_and_rest = (tf.concat([[a], b], 0) for a, b in ((c, done.cs), (h, outputs)))
            final = LSTMStateTuple(*(tf.gather_nd(states, places) for states in first_and_rest))
        return tf.unstack(outputs) if is_list else outputs, final
