"""`tf.contrib.layers`, and the layers of `slim`: fully_connected, conv2d, batch_norm and others.

Each opens a variable scope of TF1's name (`fully_connected`, `Conv`, `BatchNorm`), takes TF1's
default initialisers (Xavier weights, zero biases) and ReLU, and files its variables under
`model_variables`. The arithmetic is that of `tf.layers`, whose `kernel` and `bias` become
`weights` and `biases`.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Alias
from vae_tf1.legacy.tf import layers as tf_layers
from vae_tf1.legacy.tf.contrib.arg_scope import add_arg_scope
from vae_tf1.legacy.tf.contrib.framework import model_variable
from vae_tf1.legacy.tf.contrib.initializers import xavier_initializer
from vae_tf1.legacy.tf.layer_base import channel_count, smart_cond

__all__ = ["names", "title"]

title = (
    "`tf.contrib.layers`, and the layers of `slim`: fully_connected, conv2d, batch_norm and others"
)

_RENAMED = {
    "kernel": "weights",
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
}
_XAVIER = xavier_initializer()
_ZEROS = tf.zeros_initializer()
_ONES = tf.ones_initializer()


def _model_variable_getter(getter: Callable, name: str, **kwargs: Any) -> tf.Variable:
    """Give a layer's variables contrib's names and file them as model variables."""
    scope, slash, last = name.rpartition("/")
    kwargs = {
        key: kwargs.get(key)
        for key in (
            "shape", "dtype", "initializer", "regularizer", "collections", "caching_device",
            "partitioner", "use_resource", "constraint",
        )
    } | {"trainable": kwargs.get("trainable", True)}  # fmt: skip
    return model_variable(scope + slash + _RENAMED.get(last, last), custom_getter=getter, **kwargs)


def _scope(scope: Any, default: str, inputs: Any, reuse: bool | None = None) -> Any:
    return tf.variable_scope(
        scope, default, [inputs], reuse=reuse, custom_getter=_model_variable_getter
    )


def _collections(collections: Any, name: str) -> list[str]:
    """Return the collections for a variable, from a list for all or a dict of lists by name."""
    chosen = collections.get(name) if isinstance(collections, dict) else collections
    return list(chosen or [])


def _file_variables(collections: Any, **variables: tf.Variable | None) -> None:
    for name, var in variables.items():
        for collection in _collections(collections, name) if var is not None else ():
            if not any(v is var for v in tf.get_collection(collection)):
                tf.add_to_collection(collection, var)


def _collect(collections: Any, alias: str, outputs: tf.Tensor) -> tf.Tensor:
    """Add an output to collections, under the alias that `convert_collection_to_dict` reads."""
    if collections:
        aliases = getattr(outputs, "aliases", [])
        outputs.aliases = [*aliases, alias.rstrip("/")]
        tf.add_to_collections(collections, outputs)
    return outputs


def _finish(
    outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, alias
) -> tf.Tensor:
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return _collect(outputs_collections, alias, outputs)


def _keras_format(data_format: str | None) -> str:
    if data_format not in (None, "NWC", "NCW", "NHWC", "NCHW", "NDHWC", "NCDHW"):
        raise ValueError(f"data_format must be 'NHWC' or 'NCHW', but is {data_format!r}.")
    return "channels_first" if data_format and data_format[1] == "C" else "channels_last"


@add_arg_scope
def fully_connected(
    inputs, num_outputs, activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
    weights_initializer=_XAVIER, weights_regularizer=None, biases_initializer=_ZEROS,
    biases_regularizer=None, reuse=None, variables_collections=None, outputs_collections=None,
    trainable=True, scope=None,
) -> tf.Tensor:  # fmt: skip
    """Return `activation_fn(inputs @ weights + biases)`, ReLU by default.

    With a `normalizer_fn` (batch_norm, say) there are no biases. The variables are
    `<scope>/weights` (inputs, num_outputs) and `<scope>/biases` (num_outputs,).

    Raises
    ------
    ValueError
        If `num_outputs` is not an integer, or the size of the last axis is not known.
    """
    if not isinstance(num_outputs, numbers.Integral):
        raise ValueError(f"num_outputs must be an integer, but is {num_outputs!r}.")
    with _scope(scope, "fully_connected", inputs, reuse) as opened:
        layer = tf_layers.Dense(
            num_outputs, None, not normalizer_fn and biases_initializer is not None,
            weights_initializer, biases_initializer, weights_regularizer, biases_regularizer,
            trainable=trainable, _scope=opened, _reuse=reuse,
        )  # fmt: skip
        outputs = layer(inputs)
        _file_variables(variables_collections, weights=layer.kernel, biases=layer.bias)
        return _finish(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections,
            opened.name,
        )  # fmt: skip


_CONVOLUTIONS = {1: tf_layers.Conv1D, 2: tf_layers.Conv2D, 3: tf_layers.Conv3D}


@add_arg_scope
def convolution(
    inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=None, rate=1,
    activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
    weights_initializer=_XAVIER, weights_regularizer=None, biases_initializer=_ZEROS,
    biases_regularizer=None, reuse=None, variables_collections=None, outputs_collections=None,
    trainable=True, scope=None, conv_dims=None,
) -> tf.Tensor:  # fmt: skip
    """Return the convolution of (batch, *space, channels), then normaliser and activation.

    The variables are `<scope>/weights` (*kernel_size, channels, num_outputs) and, where there is
    no `normalizer_fn`, `<scope>/biases`; the scope is `Conv`, numbered.

    Raises
    ------
    ValueError
        If the input has not `conv_dims` axes of space (1, 2 or 3).
    """
    inputs = tf.convert_to_tensor(inputs)
    space = (inputs.shape.rank or 0) - 2
    if space not in _CONVOLUTIONS or conv_dims not in (None, space):
        wanted = "3, 4 or 5" if conv_dims is None else conv_dims + 2
        raise ValueError(
            f"A convolution here takes a tensor of {wanted} axes, but got the shape {inputs.shape}."
        )
    with _scope(scope, "Conv", inputs, reuse) as opened:
        layer = _CONVOLUTIONS[space](
            num_outputs, kernel_size, stride, padding, _keras_format(data_format), rate, None,
            not normalizer_fn and biases_initializer is not None, weights_initializer,
            biases_initializer, weights_regularizer, biases_regularizer, trainable=trainable,
            _scope=opened, _reuse=reuse,
        )  # fmt: skip
        outputs = layer(inputs)
        _file_variables(variables_collections, weights=layer.kernel, biases=layer.bias)
        return _finish(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections,
            opened.name,
        )  # fmt: skip


def _convolution_of(conv_dims: int) -> Callable:
    """Return `convolution` for one number of spatial axes, with an arg_scope of its own."""

    @functools.wraps(convolution.__wrapped__)
    def function(*args: Any, **kwargs: Any) -> tf.Tensor:
        return convolution(*args, conv_dims=conv_dims, **kwargs)

    function.__name__ = function.__qualname__ = f"convolution{conv_dims}d"
    return add_arg_scope(function)


convolution1d, convolution2d, convolution3d = map(_convolution_of, (1, 2, 3))


def _transposed(layer_class: type, default_scope: str) -> Callable:
    """Make `convolution2d_transpose` or its sister of three axes."""

    def function(
        inputs, num_outputs, kernel_size, stride=1, padding="SAME", data_format=None,
        activation_fn=tf.nn.relu, normalizer_fn=None, normalizer_params=None,
        weights_initializer=_XAVIER, weights_regularizer=None, biases_initializer=_ZEROS,
        biases_regularizer=None, reuse=None, variables_collections=None,
        outputs_collections=None, trainable=True, scope=None,
    ) -> tf.Tensor:  # fmt: skip
        with _scope(scope, default_scope, inputs, reuse) as opened:
            layer = layer_class(
                num_outputs, kernel_size, stride, padding, _keras_format(data_format), None,
                not normalizer_fn and biases_initializer is not None, weights_initializer,
                biases_initializer, weights_regularizer, biases_regularizer, trainable=trainable,
                _scope=opened, _reuse=reuse,
            )  # fmt: skip
            outputs = layer(inputs)
            _file_variables(variables_collections, weights=layer.kernel, biases=layer.bias)
            return _finish(
                outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections,
                opened.name,
            )  # fmt: skip

    function.__name__ = function.__qualname__ = f"convolution{layer_class.rank}d_transpose"
    function.__doc__ = (
        "Return the transposed convolution, then normaliser and activation (ReLU).\n\n"
        f"The variables are `{default_scope}/weights` (*kernel_size, num_outputs, channels) and,\n"
        f"where there is no `normalizer_fn`, `{default_scope}/biases`."
    )
    return add_arg_scope(function)


convolution2d_transpose = _transposed(tf_layers.Conv2DTranspose, "Conv2d_transpose")
convolution3d_transpose = _transposed(tf_layers.Conv3DTranspose, "Conv3d_transpose")


@add_arg_scope
def separable_convolution2d(
    inputs, num_outputs, kernel_size, depth_multiplier=1, stride=1, padding="SAME",
    data_format="NHWC", rate=1, activation_fn=tf.nn.relu, normalizer_fn=None,
    normalizer_params=None, weights_initializer=_XAVIER, pointwise_initializer=None,
    weights_regularizer=None, biases_initializer=_ZEROS, biases_regularizer=None, reuse=None,
    variables_collections=None, outputs_collections=None, trainable=True, scope=None,
) -> tf.Tensor:  # fmt: skip
    """Return a filter per channel followed by a 1x1 convolution to `num_outputs` channels.

    The variables are `<scope>/depthwise_weights`, `<scope>/pointwise_weights` and `<scope>/biases`.
    """
    if num_outputs is None:
        raise ValueError(
            "separable_conv2d without its pointwise part (num_outputs=None) is not offered."
        )
    with _scope(scope, "SeparableConv2d", inputs, reuse) as opened:
        layer = tf_layers.SeparableConv2D(
            num_outputs, kernel_size, stride, padding, _keras_format(data_format), rate,
            depth_multiplier, None, not normalizer_fn and biases_initializer is not None,
            weights_initializer, pointwise_initializer or weights_initializer,
            biases_initializer, weights_regularizer, weights_regularizer, biases_regularizer,
            trainable=trainable, _scope=opened, _reuse=reuse,
        )  # fmt: skip
        outputs = layer(inputs)
        for kernel in (layer.depthwise_kernel, layer.pointwise_kernel):
            _file_variables(variables_collections, weights=kernel)
        _file_variables(variables_collections, biases=layer.bias)
        return _finish(
            outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections,
            opened.name,
        )  # fmt: skip


class _BatchNorm(tf_layers.BatchNormalization):
    """Batch normalisation as contrib has it: its own ways of moving the averages."""

    fused_ranks = (2, 4)
    updates_collections: Any = tf.GraphKeys.UPDATE_OPS
    zero_debias = False

    def _beta_first(self, rank: int) -> bool:
        # contrib handed only the plain case on to `tf.layers`, which creates gamma first.
        plain = self.updates_collections is tf.GraphKeys.UPDATE_OPS and not self.zero_debias
        return not plain or (rank == 2 and self.fused)

    def _move(self, mean: tf.Tensor, variance: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        from tensorflow.python.training.moving_averages import assign_moving_average

        with tf.variable_scope(tf.get_variable_scope(), auxiliary_name_scope=False) as scope:
            scope.set_custom_getter(None)  # what corrects for the start is no model variable
            return (
                tf.identity(
                    assign_moving_average(self.moving_mean, mean, self.momentum, self.zero_debias)
                ),
                tf.identity(
                    assign_moving_average(self.moving_variance, variance, self.momentum, False)
                ),
            )

    def _with_updates(
        self, outputs: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, training: Any
    ) -> tf.Tensor:
        if self.updates_collections is None:

            def after_moving() -> tf.Tensor:
                with tf.control_dependencies(self._move(mean, variance)):
                    return tf.identity(outputs)

            return smart_cond(training, after_moving, lambda: tf.identity(outputs))
        averages = (self.moving_mean, self.moving_variance)
        updates = smart_cond(
            training,
            lambda: self._move(mean, variance),
            lambda: tuple(tf.identity(average) for average in averages),
        )
        for update in updates:
            tf.add_to_collections(self.updates_collections, update)
        return outputs


@add_arg_scope
def batch_norm(
    inputs, decay=0.999, center=True, scale=False, epsilon=0.001, activation_fn=None,
    param_initializers=None, param_regularizers=None,
    updates_collections=tf.GraphKeys.UPDATE_OPS, is_training=True, reuse=None,
    variables_collections=None, outputs_collections=None, trainable=True, batch_weights=None,
    fused=None, data_format="NHWC", zero_debias_moving_mean=False, scope=None, renorm=False,
    renorm_clipping=None, renorm_decay=0.99, adjustment=None,
) -> tf.Tensor:  # fmt: skip
    """Normalise each channel over the batch while training, by moving averages otherwise.

    The variables are `<scope>/beta`, `<scope>/gamma` (only with `scale=True`: contrib's default
    is without), `<scope>/moving_mean` and `<scope>/moving_variance`; the scope is `BatchNorm`.

    Parameters
    ----------
    is_training
        A boolean, or a boolean tensor such as a placeholder.
    updates_collections
        Where the ops go that move the averages; with None the output waits for them instead.

    Raises
    ------
    ValueError
        If `batch_weights`, `renorm` or `adjustment` is asked for: they are not offered.
    """
    if batch_weights is not None:
        raise ValueError("batch_norm with batch_weights is not offered.")
    initializers, regularizers = param_initializers or {}, param_regularizers or {}
    inputs = tf.convert_to_tensor(inputs)
    rank = inputs.shape.rank
    if rank is None:
        raise ValueError(f"batch_norm needs a tensor of known rank, but {inputs.name} has none.")
    with _scope(scope, "BatchNorm", inputs, reuse) as opened:
        layer = _BatchNorm(
            1 if _keras_format(data_format) == "channels_first" else -1, decay, epsilon, center,
            scale, initializers.get("beta"), initializers.get("gamma"),
            initializers.get("moving_mean"), initializers.get("moving_variance"),
            regularizers.get("beta"), regularizers.get("gamma"), renorm=renorm,
            renorm_clipping=renorm_clipping, renorm_momentum=renorm_decay, fused=fused,
            adjustment=adjustment, trainable=trainable, _scope=opened, _reuse=reuse,
        )  # fmt: skip
        layer.updates_collections = updates_collections
        layer.zero_debias = zero_debias_moving_mean
        outputs = layer(inputs, training=is_training)
        _file_variables(
            variables_collections,
            beta=layer.beta,
            gamma=layer.gamma,
            moving_mean=layer.moving_mean,
            moving_variance=layer.moving_variance,
        )
        return _finish(outputs, None, None, activation_fn, outputs_collections, opened.name)


@add_arg_scope
def layer_norm(
    inputs, center=True, scale=True, activation_fn=None, reuse=None, variables_collections=None,
    outputs_collections=None, trainable=True, begin_norm_axis=1, begin_params_axis=-1, scope=None,
) -> tf.Tensor:  # fmt: skip
    """Normalise each example over the axes from `begin_norm_axis` on (Ba et al., 2016).

    The variables `<scope>/beta` and `<scope>/gamma` have the shape of the axes from
    `begin_params_axis` on; the scope is `LayerNorm`.
    """
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        rank = inputs.shape.rank
        if rank is None or not (-rank <= begin_norm_axis < rank and begin_params_axis < rank):
            raise ValueError(
                f"layer_norm with begin_norm_axis={begin_norm_axis} and begin_params_axis="
                f"{begin_params_axis} does not fit a tensor of the shape {inputs.shape}."
            )
        shape = inputs.shape[begin_params_axis:]
        if not shape.is_fully_defined():
            raise ValueError(f"layer_norm needs known sizes of its parameters, but got {shape}.")
        axes = list(range(begin_norm_axis % rank, rank))
        mean, variance = tf.nn.moments(inputs, axes, keep_dims=True)
        outputs = tf.nn.batch_normalization(
            inputs, mean, variance,
            _parameter("beta", shape, _ZEROS, variables_collections, inputs, trainable, center),
            _parameter("gamma", shape, _ONES, variables_collections, inputs, trainable, scale),
            1e-12 if inputs.dtype != tf.float16 else 1e-3,
        )  # fmt: skip
        outputs.set_shape(inputs.shape)
        return _finish(outputs, None, None, activation_fn, outputs_collections, opened.name)


@add_arg_scope
def instance_norm(
    inputs, center=True, scale=True, epsilon=1e-6, activation_fn=None, param_initializers=None,
    reuse=None, variables_collections=None, outputs_collections=None, trainable=True,
    data_format="NHWC", scope=None,
) -> tf.Tensor:  # fmt: skip
    """Normalise each channel of each image over its pixels (Ulyanov et al., 2016)."""
    with tf.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        rank = inputs.shape.rank
        channel_axis = 1 if _keras_format(data_format) == "channels_first" else (rank or 0) - 1
        channels = channel_count(inputs, channel_axis)
        shape = [channels if axis == channel_axis else 1 for axis in range(rank)]
        axes = [axis for axis in range(1, rank) if axis != channel_axis]
        mean, variance = tf.nn.moments(inputs, axes, keep_dims=True)
        given = param_initializers or {}

        def parameter(name, default, wanted):
            value = _parameter(
                name, [channels], given.get(name, default), variables_collections, inputs,
                trainable, wanted,
            )  # fmt: skip
            return None if value is None else tf.reshape(value, shape)

        outputs = tf.nn.batch_normalization(
            inputs, mean, variance, parameter("beta", _ZEROS, center),
            parameter("gamma", _ONES, scale), epsilon, name="instancenorm",
        )  # fmt: skip
        outputs.set_shape(inputs.shape)
        return _finish(outputs, None, None, activation_fn, outputs_collections, opened.name)


def _parameter(name, shape, initializer, collections, inputs, trainable, wanted):
    """Return a model variable of a normaliser, or None where it is not wanted."""
    if not wanted:
        return None
    return model_variable(
        name, shape, inputs.dtype.base_dtype, initializer, trainable=trainable,
        collections=_collections(collections, name),
    )  # fmt: skip


@add_arg_scope
def bias_add(
    inputs, activation_fn=None, initializer=_ZEROS, regularizer=None, reuse=None,
    variables_collections=None, outputs_collections=None, trainable=True, data_format="NHWC",
    scope=None,
) -> tf.Tensor:  # fmt: skip
    """Add a bias per channel, `<scope>/biases`; the scope is `BiasAdd`."""
    with tf.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as opened:
        inputs = tf.convert_to_tensor(inputs)
        channels = channel_count(inputs, 1 if data_format == "NCHW" else -1)
        biases = model_variable(
            "biases", [channels], inputs.dtype.base_dtype, initializer, regularizer, trainable,
            _collections(variables_collections, "biases"),
        )  # fmt: skip
        outputs = tf.nn.bias_add(inputs, biases, data_format=data_format)
        return _finish(outputs, None, None, activation_fn, outputs_collections, opened.name)


@add_arg_scope
def dropout(
    inputs, keep_prob=0.5, noise_shape=None, is_training=True, outputs_collections=None,
    scope=None, seed=None,
) -> tf.Tensor:  # fmt: skip
    """Keep a part `keep_prob` of the input while training, scaled by its inverse."""
    with tf.variable_scope(scope, "Dropout", [inputs]) as opened:
        layer = tf_layers.Dropout(1 - keep_prob, noise_shape, seed, _scope=opened)
        return _collect(outputs_collections, opened.name, layer(inputs, training=is_training))


@add_arg_scope
def flatten(inputs, outputs_collections=None, scope=None) -> tf.Tensor:
    """Join all axes but the first."""
    with tf.name_scope(scope, "Flatten", [inputs]) as alias:
        return _collect(outputs_collections, alias, tf_layers.Flatten()(inputs))


def _pool(layer_class: type, name: str, default_scope: str) -> Callable:
    """Make `max_pool2d` or one of its sisters."""

    def function(
        inputs, kernel_size, stride=2, padding="VALID", data_format=None,
        outputs_collections=None, scope=None,
    ) -> tf.Tensor:  # fmt: skip
        with tf.name_scope(scope, default_scope, [inputs]) as alias:
            layer = layer_class(kernel_size, stride, padding, _keras_format(data_format))
            return _collect(outputs_collections, alias, layer(inputs))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{layer_class.__doc__} Windows of `kernel_size`, `stride` apart."
    return add_arg_scope(function)


@add_arg_scope
def one_hot_encoding(
    labels, num_classes, on_value=1.0, off_value=0.0, outputs_collections=None, scope=None
) -> tf.Tensor:
    """Turn integer labels into rows with a one at the label's place."""
    with tf.name_scope(scope, "OneHotEncoding", [labels, num_classes]) as alias:
        labels = tf.convert_to_tensor(labels)
        labels = tf.cast(labels, tf.int64) if labels.dtype == tf.int32 else labels
        outputs = tf.one_hot(labels, num_classes, on_value=on_value, off_value=off_value)
        return _collect(outputs_collections, alias, outputs)


@add_arg_scope
def softmax(logits, scope=None) -> tf.Tensor:
    """Return the softmax over the last axis."""
    with tf.variable_scope(scope, "softmax", [logits]):
        return tf.nn.softmax(tf.convert_to_tensor(logits))


@add_arg_scope
def maxout(inputs, num_units, axis=-1, scope=None) -> tf.Tensor:
    """Return the maximum over groups of features, so that `num_units` are left.

    Raises
    ------
    ValueError
        If the number of features is not a multiple of `num_units`.
    """
    with tf.variable_scope(scope, "MaxOut", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        features = channel_count(inputs, axis)
        if features % num_units:
            raise ValueError(
                f"maxout needs a multiple of num_units={num_units} features, but got {features}."
            )
        dynamic = tf.shape(inputs)
        shape = [dynamic[i] if n is None else n for i, n in enumerate(inputs.shape.as_list())]
        shape[axis] = num_units
        # TF1 appends the axis it takes the maximum over, whichever `axis` is.
        return tf.reduce_max(tf.reshape(inputs, [*shape, features // num_units]), axis=-1)


@add_arg_scope
def unit_norm(inputs, dim, epsilon=1e-7, scope=None) -> tf.Tensor:
    """Scale to unit length along the axis `dim`: `x / sqrt(epsilon + sum(x²))`."""
    with tf.variable_scope(scope, "UnitNorm", [inputs]):
        inputs = tf.convert_to_tensor(inputs)
        square = tf.reduce_sum(tf.square(inputs), dim, keep_dims=True)
        return inputs / tf.sqrt(epsilon + square)


def _name_of(layer: Callable, default: str) -> str:
    return getattr(layer, "__name__", None) or getattr(
        getattr(layer, "func", None), "__name__", default
    )


def repeat(
    inputs: tf.Tensor, repetitions: int, layer: Callable, *args: Any, **kwargs: Any
) -> tf.Tensor:
    """Apply `layer` several times, in the scopes `<scope>/<scope>_1`, `_2`, etc."""
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Repeat", [inputs]):
        prefix = scope or _name_of(layer, "repeat")
        for i in range(repetitions):
            inputs = layer(inputs, *args, **kwargs, scope=f"{prefix}_{i + 1}")
        return inputs


def stack(
    inputs: tf.Tensor, layer: Callable, stack_args: Sequence[Any], **kwargs: Any
) -> tf.Tensor:
    """Apply `layer` once for each of `stack_args`, in the scopes `<scope>/<scope>_1`, `_2`, etc.

    Raises
    ------
    ValueError
        If `stack_args` is not a list.
    """
    if not isinstance(stack_args, (list, tuple)):
        raise ValueError(f"stack_args must be a list, but is {stack_args!r}.")
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Stack", [inputs]):
        prefix = scope or _name_of(layer, "stack")
        for i, arguments in enumerate(stack_args):
            arguments = arguments if isinstance(arguments, (list, tuple)) else [arguments]
            inputs = layer(inputs, *arguments, **kwargs, scope=f"{prefix}_{i + 1}")
        return inputs


OPTIMIZER_CLS_NAMES = {
    "Adagrad": tf.train.AdagradOptimizer,
    "Adam": tf.train.AdamOptimizer,
    "Ftrl": tf.train.FtrlOptimizer,
    "Momentum": functools.partial(tf.train.MomentumOptimizer, momentum=0.9),
    "RMSProp": tf.train.RMSPropOptimizer,
    "SGD": tf.train.GradientDescentOptimizer,
}


def optimize_loss(
    loss: tf.Tensor, global_step: Any, learning_rate: Any, optimizer: Any,
    gradient_noise_scale: float | None = None, gradient_multipliers: Any = None,
    clip_gradients: Any = None, learning_rate_decay_fn: Callable | None = None,
    update_ops: Sequence[Any] | None = None, variables: Sequence[tf.Variable] | None = None,
    name: str | None = None, summaries: Sequence[str] | None = None,
    colocate_gradients_with_ops: bool = False, increment_global_step: bool = True,
) -> tf.Tensor:  # fmt: skip
    """Return the loss that waits for one optimizer step on it.

    Parameters
    ----------
    global_step
        The step counter; None takes the graph's own, if it has one.
    optimizer
        A name (`'Adam'`, `'SGD'`, …), an optimizer class or object, or a function of the learning
        rate.
    clip_gradients
        The global norm to clip at, or a function of the list of (gradient, variable).
    update_ops
        What runs before the loss is computed; by default the graph's `UPDATE_OPS`.

    Raises
    ------
    ValueError
        If the optimizer or the clipping is none of these, or noise or multipliers are asked for.
    """
    if gradient_noise_scale is not None or gradient_multipliers is not None:
        raise ValueError(
            "optimize_loss with gradient_noise_scale or gradient_multipliers is not offered."
        )
    global_step = tf.train.get_global_step() if global_step is None else global_step
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS) if update_ops is None else update_ops
        with tf.control_dependencies(list(updates)):
            loss = tf.identity(loss)
        if learning_rate is not None:
            rate = tf.get_variable(
                "learning_rate", [], trainable=False,
                initializer=tf.constant_initializer(learning_rate),
            ) if not tf.is_tensor(learning_rate) else learning_rate  # fmt: skip
            if learning_rate_decay_fn is not None:
                rate = learning_rate_decay_fn(rate, global_step)
        else:
            rate = None
        optimizer = _optimizer(optimizer, rate)
        pairs = optimizer.compute_gradients(
            loss, variables or tf.trainable_variables(),
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )  # fmt: skip
        if callable(clip_gradients):
            pairs = clip_gradients(pairs)
        elif isinstance(clip_gradients, numbers.Real):
            clipped, _ = tf.clip_by_global_norm([g for g, _ in pairs], float(clip_gradients))
            pairs = [(g, v) for g, (_, v) in zip(clipped, pairs, strict=True)]
        elif clip_gradients is not None:
            raise ValueError(
                f"clip_gradients must be a number or a function, but is {clip_gradients!r}."
            )
        tf.summary.scalar("loss", loss)
        with tf.control_dependencies([loss]):  # the loss is that before the step
            step = optimizer.apply_gradients(
                pairs, global_step if increment_global_step else None, name="train"
            )
        with tf.control_dependencies([step]):
            return tf.identity(loss, name="train_loss")


def _optimizer(optimizer: Any, rate: Any) -> tf.train.Optimizer:
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZER_CLS_NAMES:
            raise ValueError(
                f"optimizer must be one of {', '.join(OPTIMIZER_CLS_NAMES)}, but is {optimizer!r}."
            )
        optimizer = OPTIMIZER_CLS_NAMES[optimizer]
    made = optimizer
    if not isinstance(optimizer, tf.train.Optimizer):
        made = optimizer(rate) if rate is not None else optimizer()
    if not isinstance(made, tf.train.Optimizer):
        raise ValueError(f"optimizer must give a tf.train.Optimizer, but gave {made!r}.")
    return made


def convert_collection_to_dict(
    collection: str, clear_collection: bool = False
) -> dict[str, tf.Tensor]:
    """Return the outputs that layers added to a collection, by the names of their scopes."""
    tensors = tf.get_collection(collection)
    if clear_collection:
        tf.get_default_graph().clear_collection(collection)
    return {
        alias: tensor
        for tensor in tensors
        for alias in getattr(tensor, "aliases", [tensor.op.name])
    }


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    functions: dict[str, object] = {
        f.__name__: f
        for f in (
            batch_norm, bias_add, convolution, convolution1d, convolution2d, convolution3d,
            convolution2d_transpose, convolution3d_transpose, dropout, flatten, fully_connected,
            instance_norm, layer_norm, maxout, one_hot_encoding, repeat, separable_convolution2d,
            softmax, stack, unit_norm,
        )
    }  # fmt: skip
    for axes in (2, 3):
        for short, kind, layer_class in (
            ("max", "Max", getattr(tf_layers, f"MaxPooling{axes}D")),
            ("avg", "Avg", getattr(tf_layers, f"AveragePooling{axes}D")),
        ):
            name = f"{short}_pool{axes}d"
            functions[name] = _pool(layer_class, name, f"{kind}Pool{axes}D")
    functions |= {
        "conv1d": convolution1d,
        "conv2d": convolution2d,
        "conv3d": convolution3d,
        "conv2d_transpose": convolution2d_transpose,
        "conv3d_transpose": convolution3d_transpose,
        "separable_conv2d": separable_convolution2d,
        "linear": functools.partial(fully_connected, activation_fn=None),
        "relu": functools.partial(fully_connected, activation_fn=tf.nn.relu),
        "relu6": functools.partial(fully_connected, activation_fn=tf.nn.relu6),
        "elu": functools.partial(fully_connected, activation_fn=tf.nn.elu),
    }
    provided = {
        f"{home}.{name}": value
        for home in ("contrib.layers", "contrib.slim")
        for name, value in functions.items()
    }
    return provided | {
        "contrib.layers.optimize_loss": optimize_loss,
        "contrib.layers.OPTIMIZER_CLS_NAMES": OPTIMIZER_CLS_NAMES,
        "contrib.layers.utils.convert_collection_to_dict": convert_collection_to_dict,
        "contrib.slim.utils.convert_collection_to_dict": convert_collection_to_dict,
        "contrib.layers.python.layers": Alias("contrib.layers"),
        "contrib.layers.python.layers.layers": Alias("contrib.layers"),
        "contrib.layers.python.layers.initializers": Alias("contrib.layers"),
        "contrib.layers.python.layers.regularizers": Alias("contrib.layers"),
    }
