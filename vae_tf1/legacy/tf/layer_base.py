"""The layer object of TF1: a variable scope, weights made on first use, graph collections."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

__all__ = ["Layer", "channel_count", "constant_value", "n_tuple", "smart_cond"]


def n_tuple(value: int | Sequence[int], n: int, name: str) -> tuple[int, ...]:
    """Return `value` as a tuple of `n` integers, repeating a single integer.

    Raises
    ------
    ValueError
        If `value` is neither an integer nor `n` of them.
    """
    try:
        values = (int(value),) * n
    except (TypeError, ValueError):
        try:
            values = tuple(int(v) for v in value)
        except (TypeError, ValueError):
            values = ()
    if len(values) != n:
        raise ValueError(f"{name} must be an integer or {n} of them, but is {value!r}.")
    return values


def channel_count(inputs: tf.Tensor, axis: int) -> int:
    """Return the static size of a tensor's channel axis.

    Raises
    ------
    ValueError
        If that size is not known while the graph is built.
    """
    shape = inputs.shape.as_list() if inputs.shape.rank is not None else None
    if shape is None or shape[axis] is None:
        raise ValueError(
            f"The size of axis {axis} must be known to create weights, "
            f"but {inputs.name} has the shape {inputs.shape}."
        )
    return shape[axis]


def constant_value(value: Any) -> Any:
    """Return what a Python value or a constant tensor holds; None where only a run can tell."""
    if isinstance(value, tf.Variable):
        return None
    return tf.get_static_value(value) if tf.is_tensor(value) else value


def smart_cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Choose a branch while the graph is built where `pred` is known, and in the graph otherwise.

    Parameters
    ----------
    pred
        A Python value, or a boolean tensor (a `training` placeholder, say).
    """
    known = constant_value(pred)
    if known is None:
        return tf.cond(tf.cast(pred, tf.bool), true_fn, false_fn)
    return true_fn() if known else false_fn()


def _snake_case(name: str) -> str:
    """Turn `Conv2DTranspose` into `conv2d_transpose`, the default name of a layer's scope."""
    words = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()


class Layer:
    """`tf.layers.Layer` of TF1: subclasses define `build(input_shape)` and `call(inputs)`.

    The first call opens a variable scope (the layer's name, numbered where it had to be made
    up), makes the weights in it and keeps it; later calls share the weights.

    Parameters
    ----------
    trainable
        Whether the weights join the graph's trainable variables.
    name
        Name of the variable scope; by default the class's name, made unique.
    dtype
        Type of the weights; by default that of the first input.
    activity_regularizer
        Function of the output that returns a scalar loss.
    """

    rank: int | None = None  # spatial dimensions of the input, where only one number is accepted

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        activity_regularizer: Callable | None = None,
        _scope: Any = None,
        _reuse: bool | None = None,
    ):
        self.trainable = trainable
        self.built = False
        self.activity_regularizer = activity_regularizer
        self.losses: list = []
        self.updates: list = []
        self._base_name = name or _snake_case(type(self).__name__)
        self._dtype = None if dtype is None else tf.as_dtype(dtype)
        self._reuse = _reuse
        self._trainable_weights: list = []
        self._non_trainable_weights: list = []
        self._scope = None
        if _scope is not None:
            with tf.variable_scope(_scope) as self._scope:
                pass

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create the weights; called once, with the shape of the first input."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; the weights exist by then."""
        return inputs

    @property
    def name(self) -> str:
        """Name of the layer's scope."""
        return self._scope.name if self._scope is not None else self._base_name

    @property
    def scope_name(self) -> str:
        """Full name of the variable scope, known once the layer has been called."""
        if self._scope is None:
            raise ValueError(f"The scope of layer {self.name!r} is chosen when it is first called.")
        return self._scope.name

    @property
    def dtype(self) -> Any:
        """Type of the weights, or None before the first call."""
        return self._dtype

    @property
    def trainable_weights(self) -> list:
        """The weights that an optimizer changes."""
        return list(self._trainable_weights)

    @property
    def non_trainable_weights(self) -> list:
        """The weights that no gradient reaches, such as moving averages."""
        return list(self._non_trainable_weights)

    @property
    def weights(self) -> list:
        """All weights, the trainable ones first."""
        return self._trainable_weights + self._non_trainable_weights

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def count_params(self) -> int:
        """Return the number of scalars in the weights."""
        return sum(v.shape.num_elements() for v in self.weights)

    def add_weight(
        self,
        name: str,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Callable | None = None,
        trainable: bool = True,
        constraint: Callable | None = None,
        **kwargs: Any,
    ) -> tf.Variable:
        """Create, or share, a variable in the layer's scope."""
        self._set_scope(None)
        reuse = self.built or self._reuse
        penalties = tf.get_collection_ref(tf.GraphKeys.REGULARIZATION_LOSSES)
        known_penalties = len(penalties)
        with (
            tf.variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as scope,
            tf.name_scope(scope.original_name_scope),
        ):
            variable = tf.get_variable(
                name,
                shape=shape,
                dtype=dtype or self._dtype or tf.float32,
                initializer=initializer,
                regularizer=regularizer,
                trainable=trainable and self.trainable,
                constraint=constraint,
                **kwargs,
            )
        # Today's `get_variable` puts off the penalty until it is used; TF1 made it at once.
        penalties[known_penalties:] = map(tf.convert_to_tensor, penalties[known_penalties:])
        self.losses += penalties[known_penalties:]
        # A custom getter has the last word on whether a variable is trainable.
        optimized = any(v is variable for v in tf.trainable_variables())
        (self._trainable_weights if optimized else self._non_trainable_weights).append(variable)
        return variable

    add_variable = add_weight

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add ops to run with each training step, such as moving averages, to `UPDATE_OPS`."""
        new = [u for u in tf.nest.flatten(updates) if u is not None]
        self.updates += new
        for update in new:
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, update)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add scalar penalties to the layer and to the graph's regularization losses."""
        for loss in tf.nest.flatten(losses):
            if loss is not None:
                self.losses.append(loss)
                tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, loss)

    def __call__(self, inputs: Any, *args: Any, scope: Any = None, **kwargs: Any) -> Any:
        """Apply the layer to a tensor, or to a structure of tensors."""
        self._set_scope(scope)
        reuse = True if self.built else self._reuse
        with (
            tf.variable_scope(self._scope, reuse=reuse, auxiliary_name_scope=False) as opened,
            tf.name_scope(opened.original_name_scope),
        ):
            inputs = tf.nest.map_structure(tf.convert_to_tensor, inputs)
            if not self.built:
                self._first_input(inputs)
                self.build(tf.nest.map_structure(lambda x: x.shape, inputs))
                self.built = True
            outputs = self.call(inputs, *args, **kwargs)
            if self.activity_regularizer is not None:
                self.add_loss([self.activity_regularizer(x) for x in tf.nest.flatten(outputs)])
        return outputs

    def apply(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the layer."""
        return self(inputs, *args, **kwargs)

    def _first_input(self, inputs: Any) -> None:
        first = tf.nest.flatten(inputs)[0]
        if self._dtype is None:
            self._dtype = first.dtype.base_dtype
        if self.rank is not None and first.shape.rank not in (None, self.rank + 2):
            raise ValueError(
                f"Layer {self.name!r} takes a tensor of {self.rank + 2} axes (batch, "
                f"{self.rank} of space, channels), but got the shape {first.shape}."
            )

    def _set_scope(self, scope: Any) -> None:
        """Choose the variable scope, once: a given one, or the layer's name made unique."""
        if self._scope is not None:
            return
        if self._reuse and scope is None:
            scope = self._base_name  # what is shared has that very name
        with tf.variable_scope(scope, default_name=self._base_name) as self._scope:
            pass
