"""`tf.layers`: dense, convolutional, pooling, dropout and batch-normalisation layers.

Today's TensorFlow has them only where Keras 2 stands behind it. These keep TF1's variable names
(`dense/kernel`, `conv2d_1/bias`, `batch_normalization/moving_mean`), collections and defaults:
Glorot-uniform kernels, zero biases, moving averages updated by the ops in `UPDATE_OPS`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from vae_tf1.legacy.tf.layer_base import Layer, constant_value, n_tuple, smart_cond

__all__ = ["names", "title"]

title = "`tf.layers`: dense, convolutional, pooling, dropout and batch-normalisation layers"

_LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def _zeros() -> Any:
    return tf.zeros_initializer()


class _Spatial(Layer):
    """What convolution and pooling share: strides, padding and the order of the axes."""

    def _set_geometry(self, strides: Any, padding: str, data_format: str) -> None:
        if str(padding).lower() not in ("valid", "same"):
            raise ValueError(f"padding must be 'valid' or 'same', but is {padding!r}.")
        if data_format not in ("channels_first", "channels_last"):
            raise ValueError(
                f"data_format must be 'channels_last' or 'channels_first', but is {data_format!r}."
            )
        self.strides = n_tuple(strides, self.rank, "strides")
        self.padding = padding.lower()
        self.data_format = data_format

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else -1

    @property
    def _layout(self) -> str:
        """The order of the axes in the words of `tf.nn`, such as `NHWC`."""
        space = _LETTERS[self.rank]
        return f"NC{space}" if self.data_format == "channels_first" else f"N{space}C"

    def _with_batch_and_channels(self, spatial: tuple[int, ...]) -> list[int]:
        """Put ones beside spatial sizes for the axes of the batch and of the channels."""
        if self.data_format == "channels_first":
            return [1, 1, *spatial]
        return [1, *spatial, 1]


class _Weighted(Layer):
    """A kernel, perhaps a bias, perhaps an activation."""

    def _set_weights(
        self, width, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
        bias_regularizer, kernel_constraint, bias_constraint,
    ):  # fmt: skip
        self.width = int(width)
        self.activation = activation
        self.use_bias = bool(use_bias)
        self.kernel_initializer = kernel_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.bias_regularizer = bias_regularizer
        self.kernel_constraint = kernel_constraint
        self.bias_constraint = bias_constraint
        self.kernel = self.bias = None

    def _add_kernel(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(
            "kernel",
            shape,
            initializer=self.kernel_initializer,  # None: Glorot uniform, or the scope's own
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self._add_bias()

    def _add_bias(self) -> None:
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                (self.width,),
                initializer=_zeros() if self.bias_initializer is None else self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _finish(self, outputs: tf.Tensor, data_format: str | None = None) -> tf.Tensor:
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias, data_format=data_format)
        return outputs if self.activation is None else self.activation(outputs)


class Dense(_Weighted):
    """`activation(inputs @ kernel + bias)` over the last axis, with `units` outputs."""

    def __init__(
        self, units, activation=None, use_bias=True, kernel_initializer=None,
        bias_initializer=None, kernel_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True,
        name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self._set_weights(
            units, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, kernel_constraint, bias_constraint,
        )  # fmt: skip
        self.units = self.width

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create `kernel` (inputs, units) and `bias` (units,)."""
        if input_shape.rank is None or input_shape.rank < 2 or input_shape.as_list()[-1] is None:
            raise ValueError(
                "A dense layer takes a tensor of two axes or more whose last one has a known "
                f"size, but got the shape {input_shape}."
            )
        self._add_kernel((input_shape.as_list()[-1], self.units))
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the affine map, then the activation."""
        if inputs.shape.rank == 2:
            outputs = tf.matmul(inputs, self.kernel)
        else:
            outputs = tf.tensordot(inputs, self.kernel, [[inputs.shape.rank - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        return self._finish(outputs)


class _Conv(_Spatial, _Weighted):
    """Convolution over `rank` spatial axes with `filters` outputs."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format="channels_last",
        dilation_rate=1, activation=None, use_bias=True, kernel_initializer=None,
        bias_initializer=None, kernel_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, kernel_constraint=None, bias_constraint=None, trainable=True,
        name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(trainable, name, activity_regularizer=activity_regularizer, **kwargs)
        self._set_geometry(strides, padding, data_format)
        self._set_weights(
            filters, activation, use_bias, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, kernel_constraint, bias_constraint,
        )  # fmt: skip
        self.filters = self.width
        self.kernel_size = n_tuple(kernel_size, self.rank, "kernel_size")
        self.dilation_rate = n_tuple(dilation_rate, self.rank, "dilation_rate")

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create `kernel` (*kernel_size, channels, filters) and `bias` (filters,)."""
        self._add_kernel((*self.kernel_size, self._channels(input_shape), self.filters))
        self.built = True

    def _channels(self, input_shape: tf.TensorShape) -> int:
        channels = input_shape.as_list()[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"A convolution needs a known number of channels, but got the shape {input_shape}."
            )
        return channels

    def _finish(self, outputs: tf.Tensor, data_format: str | None = None) -> tf.Tensor:
        return super()._finish(outputs, "N..C" if self._channel_axis == -1 else "NC..")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the cross-correlation with the kernel, the bias and the activation."""
        outputs = tf.nn.convolution(
            inputs,
            self.kernel,
            self.padding.upper(),
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            data_format=self._layout,
        )
        return self._finish(outputs)


class Conv1D(_Conv):
    """Convolution of (batch, steps, channels)."""

    rank = 1


class Conv2D(_Conv):
    """Convolution of images (batch, height, width, channels)."""

    rank = 2


class Conv3D(_Conv):
    """Convolution of volumes (batch, depth, height, width, channels)."""

    rank = 3


class _ConvTranspose(_Conv):
    """The transpose of a convolution: from `(n - 1) * stride + …` pixels back to `n`."""

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format="channels_last",
        activation=None, use_bias=True, kernel_initializer=None, bias_initializer=None,
        kernel_regularizer=None, bias_regularizer=None, activity_regularizer=None,
        kernel_constraint=None, bias_constraint=None, trainable=True, name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, 1, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, trainable, name, **kwargs,
        )  # fmt: skip

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create `kernel` (*kernel_size, filters, channels) and `bias` (filters,)."""
        self._add_kernel((*self.kernel_size, self.filters, self._channels(input_shape)))
        self.built = True

    def _output_length(self, length: Any, axis: int) -> Any:
        """Return the length of one spatial axis, for a number or for a scalar tensor."""
        if length is None:
            return None
        extra = max(self.kernel_size[axis] - self.strides[axis], 0)
        return length * self.strides[axis] + (extra if self.padding == "valid" else 0)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the transposed convolution, the bias and the activation."""
        first = self.rank and (2 if self._channel_axis == 1 else 1)
        static, dynamic = inputs.shape.as_list(), tf.shape(inputs)
        known = [self._output_length(static[first + i], i) for i in range(self.rank)]
        asked = [
            self._output_length(dynamic[first + i], i) if size is None else size
            for i, size in enumerate(known)
        ]
        with_channels = (
            (lambda space: [self.filters, *space])
            if self._channel_axis == 1
            else (lambda space: [*space, self.filters])
        )
        transpose = tf.nn.conv2d_transpose if self.rank == 2 else tf.nn.conv3d_transpose
        outputs = transpose(
            inputs,
            self.kernel,
            tf.stack([dynamic[0], *with_channels(asked)]),
            self._with_batch_and_channels(self.strides),
            padding=self.padding.upper(),
            data_format=self._layout,
        )
        outputs.set_shape([static[0], *with_channels(known)])
        return self._finish(outputs)


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of images (batch, height, width, channels)."""

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of volumes (batch, depth, height, width, channels)."""

    rank = 3


class SeparableConv2D(_Conv):
    """A filter per channel (`depthwise_kernel`), then a 1x1 convolution (`pointwise_kernel`)."""

    rank = 2

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format="channels_last",
        dilation_rate=1, depth_multiplier=1, activation=None, use_bias=True,
        depthwise_initializer=None, pointwise_initializer=None, bias_initializer=None,
        depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, depthwise_constraint=None, pointwise_constraint=None,
        bias_constraint=None, trainable=True, name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(
            filters, kernel_size, strides, padding, data_format, dilation_rate, activation,
            use_bias, None, bias_initializer, None, bias_regularizer, activity_regularizer, None,
            bias_constraint, trainable, name, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = int(depth_multiplier)
        self.depthwise_arguments = {
            "initializer": depthwise_initializer,
            "regularizer": depthwise_regularizer,
            "constraint": depthwise_constraint,
        }
        self.pointwise_arguments = {
            "initializer": pointwise_initializer,
            "regularizer": pointwise_regularizer,
            "constraint": pointwise_constraint,
        }

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create the depthwise and the pointwise kernel and `bias` (filters,)."""
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            **self.depthwise_arguments,
        )
        self.pointwise_kernel = self.add_weight(
            "pointwise_kernel",
            (1, 1, channels * self.depth_multiplier, self.filters),
            **self.pointwise_arguments,
        )
        self._add_bias()
        self.built = True

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return both convolutions in turn, the bias and the activation."""
        outputs = tf.nn.separable_conv2d(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self._with_batch_and_channels(self.strides),
            padding=self.padding.upper(),
            rate=self.dilation_rate,
            data_format=self._layout,
        )
        return self._finish(outputs)


class _Pooling(_Spatial):
    """The mean or the maximum of windows of `pool_size`, `strides` apart."""

    kind = "max"

    def __init__(
        self, pool_size, strides, padding="valid", data_format="channels_last", name=None, **kwargs
    ):
        super().__init__(name=name, **kwargs)
        self._set_geometry(strides, padding, data_format)
        self.pool_size = n_tuple(pool_size, self.rank, "pool_size")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the pooled tensor."""
        size, strides = self.pool_size, self.strides
        if self.rank == 1:  # as an image of one column
            column = 3 if self.data_format == "channels_first" else 2
            inputs = tf.expand_dims(inputs, column)
            size, strides = (*size, 1), (*strides, 1)
        volume = "3d" if self.rank == 3 else ""
        pool = getattr(tf.nn, f"{self.kind}_pool{volume}")
        outputs = pool(
            inputs,
            self._with_batch_and_channels(size),
            self._with_batch_and_channels(strides),
            self.padding.upper(),
            self._layout if self.rank > 1 else self._layout.replace("W", "HW"),
        )
        return outputs if self.rank > 1 else tf.squeeze(outputs, [column])


class MaxPooling1D(_Pooling):
    """Maximum over windows of steps."""

    rank = 1


class MaxPooling2D(_Pooling):
    """Maximum over windows of pixels."""

    rank = 2


class MaxPooling3D(_Pooling):
    """Maximum over windows of a volume."""

    rank = 3


class AveragePooling1D(_Pooling):
    """Mean over windows of steps."""

    rank, kind = 1, "avg"


class AveragePooling2D(_Pooling):
    """Mean over windows of pixels."""

    rank, kind = 2, "avg"


class AveragePooling3D(_Pooling):
    """Mean over windows of a volume."""

    rank, kind = 3, "avg"


class Flatten(Layer):
    """Join all axes but the first."""

    def __init__(self, name=None, data_format="channels_last", **kwargs):
        super().__init__(name=name, **kwargs)
        self.data_format = data_format

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return a tensor (batch, everything else), channels last."""
        rank = inputs.shape.rank
        if self.data_format == "channels_first" and rank is not None and rank > 2:
            inputs = tf.transpose(inputs, [0, *range(2, rank), 1])
        sizes = None if rank is None else inputs.shape.as_list()[1:]
        if sizes is not None and None not in sizes:
            return tf.reshape(inputs, [-1, int(np.prod(sizes, dtype=np.int64))])
        return tf.reshape(inputs, tf.stack([tf.shape(inputs)[0], -1]))


class Dropout(Layer):
    """Zero a part `rate` of the input while training, and scale up what is left."""

    def __init__(self, rate=0.5, noise_shape=None, seed=None, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: tf.Tensor, training: Any = False) -> tf.Tensor:
        """Return `inputs` where not training."""
        return smart_cond(
            training,
            lambda: tf.nn.dropout(
                inputs, rate=self.rate, noise_shape=self.noise_shape, seed=self.seed
            ),
            lambda: tf.identity(inputs),
        )


class BatchNormalization(Layer):
    """Normalise each channel by its moments over the batch, or, not training, by their averages.

    The moving averages change by the ops in the graph's `UPDATE_OPS`. As in TF1, an image batch
    goes through the fused kernel, whose variance for the moving average is unbiased (N - 1).
    """

    fused_ranks: tuple[int, ...] = (4,)

    def __init__(
        self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
        beta_initializer=None, gamma_initializer=None, moving_mean_initializer=None,
        moving_variance_initializer=None, beta_regularizer=None, gamma_regularizer=None,
        beta_constraint=None, gamma_constraint=None, renorm=False, renorm_clipping=None,
        renorm_momentum=0.99, fused=None, trainable=True, virtual_batch_size=None,
        adjustment=None, name=None, **kwargs,
    ):  # fmt: skip
        super().__init__(trainable, name, **kwargs)
        if renorm or virtual_batch_size is not None or adjustment is not None:
            raise ValueError(
                "Batch normalisation with renorm, virtual_batch_size or adjustment is not offered."
            )
        self.axis = axis
        self.momentum, self.epsilon = momentum, epsilon
        self.center, self.scale = center, scale
        self.fused = fused
        self._beta = (beta_initializer or _zeros(), beta_regularizer, beta_constraint)
        self._gamma = (
            gamma_initializer or tf.ones_initializer(), gamma_regularizer, gamma_constraint
        )  # fmt: skip
        self._averages = (
            moving_mean_initializer or _zeros(),
            moving_variance_initializer or tf.ones_initializer(),
        )
        self.beta = self.gamma = self.moving_mean = self.moving_variance = None

    def build(self, input_shape: tf.TensorShape) -> None:
        """Create `gamma`, `beta`, `moving_mean` and `moving_variance`, each (channels,)."""
        rank = input_shape.rank
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        if rank is None or len(axes) != 1 or not -rank <= axes[0] < rank:
            raise ValueError(
                f"Batch normalisation takes one axis of its input, but axis is {self.axis!r} and "
                f"the input has the shape {input_shape}."
            )
        self.axis = int(axes[0]) % rank
        channels = input_shape.as_list()[self.axis]
        if channels is None:
            raise ValueError(
                f"Batch normalisation needs a known size of axis {self.axis}, but got the shape "
                f"{input_shape}."
            )
        self.fused = self.fused is not False and rank in self.fused_ranks and self.axis in (1, 3)
        dtype = tf.float32 if self._dtype == tf.float16 else self._dtype

        def weight(name, initializer, regularizer=None, constraint=None, trainable=True):
            return self.add_weight(
                name, (channels,), dtype, initializer, regularizer, trainable, constraint
            )

        wanted = {"gamma": self.scale, "beta": self.center}
        for name in ("beta", "gamma") if self._beta_first(rank) else ("gamma", "beta"):
            if wanted[name]:
                setattr(self, name, weight(name, *getattr(self, f"_{name}")))
        partitioner = self._scope.partitioner
        self._scope.set_partitioner(None)  # an average is updated as a whole
        self.moving_mean = weight("moving_mean", self._averages[0], trainable=False)
        self.moving_variance = weight("moving_variance", self._averages[1], trainable=False)
        self._scope.set_partitioner(partitioner)
        self.built = True

    def _beta_first(self, rank: int) -> bool:
        """Tell whether `beta` is created before `gamma`."""
        return False

    def call(self, inputs: tf.Tensor, training: Any = False) -> tf.Tensor:
        """Return the normalised input; `training` may be a tensor."""
        normalise = self._fused if self.fused else self._unfused
        outputs, mean, variance = normalise(inputs, training)
        known = constant_value(training)
        if known is not None and not known:
            return outputs
        return self._with_updates(outputs, mean, variance, training)

    def _with_updates(
        self, outputs: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, training: Any
    ) -> tf.Tensor:
        """Add the ops that move the averages to `UPDATE_OPS`; they do nothing when not training."""
        momentum = smart_cond(
            training, lambda: tf.constant(self.momentum), lambda: tf.constant(1.0)
        )
        self.add_update(_move_average(self.moving_mean, mean, momentum))
        self.add_update(_move_average(self.moving_variance, variance, momentum))
        return outputs

    def _fused(self, inputs: tf.Tensor, training: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        shape, channels = inputs.shape, self.moving_mean.shape[0]
        if shape.rank == 2:  # the kernel takes images
            inputs = tf.reshape(inputs, [-1, 1, 1, channels])
        ones, zeros = tf.ones([channels]), tf.zeros([channels])
        arguments = {
            "scale": ones if self.gamma is None else self.gamma,
            "offset": zeros if self.beta is None else self.beta,
            "epsilon": self.epsilon,
            "data_format": "NCHW" if shape.rank == 4 and self.axis == 1 else "NHWC",
        }
        outputs, mean, variance = smart_cond(
            training,
            lambda: tuple(tf.nn.fused_batch_norm(inputs, **arguments))[:3],
            lambda: tuple(
                tf.nn.fused_batch_norm(
                    inputs,
                    mean=self.moving_mean,
                    variance=self.moving_variance,
                    is_training=False,
                    **arguments,
                )
            )[:3],
        )
        if shape.rank == 2:
            outputs = tf.reshape(outputs, [-1, channels])
        outputs.set_shape(shape)
        return outputs, mean, variance

    def _unfused(self, inputs: tf.Tensor, training: Any) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        rank = inputs.shape.rank
        others = [axis for axis in range(rank) if axis != self.axis]
        mean, variance = smart_cond(
            training,
            lambda: tuple(tf.nn.moments(tf.cast(inputs, self.moving_mean.dtype), others)),
            lambda: (
                tf.convert_to_tensor(self.moving_mean),
                tf.convert_to_tensor(self.moving_variance),
            ),
        )
        shape = [inputs.shape.as_list()[axis] if axis == self.axis else 1 for axis in range(rank)]

        def broadcast(v):
            return v if v is None or self.axis == rank - 1 else tf.reshape(v, shape)

        outputs = tf.nn.batch_normalization(
            inputs,
            broadcast(mean),
            broadcast(variance),
            broadcast(self.beta),
            broadcast(self.gamma),
            self.epsilon,
        )
        outputs.set_shape(inputs.shape)
        return outputs, mean, variance


def _move_average(average: tf.Variable, value: tf.Tensor, momentum: tf.Tensor) -> tf.Operation:
    """Return the op `average -= (1 - momentum) * (average - value)`."""
    with tf.name_scope("AssignMovingAvg"):
        rate = tf.cast(1.0 - momentum, average.dtype.base_dtype)
        return tf.assign_sub(average, rate * (average - tf.cast(value, rate.dtype)))


def _function(layer_class: type[Layer], name: str) -> Callable:
    """Make the function of a layer class, as `tf.layers.dense` is that of `Dense`.

    It takes `inputs` before the arguments of the class, and `reuse` after them where there are
    weights to share.
    """
    keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [
        parameter
        for parameter in inspect.signature(layer_class).parameters.values()
        if parameter.kind is keyword
    ]
    reuse = [inspect.Parameter("reuse", keyword, default=None)]
    signature = inspect.Signature(
        [inspect.Parameter("inputs", keyword), *own]
        + (reuse if issubclass(layer_class, _Weighted) else [])
    )

    def function(*args: Any, **kwargs: Any) -> tf.Tensor:
        try:
            arguments = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"tf.layers.{name}: {error}") from None
        inputs, reuse = arguments.pop("inputs"), arguments.pop("reuse", None)
        return layer_class(**arguments, _scope=arguments.get("name"), _reuse=reuse)(inputs)

    function.__name__ = function.__qualname__ = name
    function.__signature__ = signature
    function.__doc__ = f"Apply a new `{layer_class.__name__}` layer. {layer_class.__doc__}"
    return function


def dropout(
    inputs: tf.Tensor, rate: Any = 0.5, noise_shape: Any = None, seed: int | None = None,
    training: Any = False, name: str | None = None,
) -> tf.Tensor:  # fmt: skip
    """Apply a new `Dropout` layer; `training` is a boolean or a boolean tensor."""
    return Dropout(rate, noise_shape, seed, name)(inputs, training=training)


def batch_normalization(
    inputs: tf.Tensor, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
    beta_initializer=None, gamma_initializer=None, moving_mean_initializer=None,
    moving_variance_initializer=None, beta_regularizer=None, gamma_regularizer=None,
    beta_constraint=None, gamma_constraint=None, training=False, trainable=True, name=None,
    reuse=None, renorm=False, renorm_clipping=None, renorm_momentum=0.99, fused=None,
    virtual_batch_size=None, adjustment=None,
) -> tf.Tensor:  # fmt: skip
    """Apply a new `BatchNormalization` layer; `training` is a boolean or a boolean tensor."""
    layer = BatchNormalization(
        axis, momentum, epsilon, center, scale, beta_initializer, gamma_initializer,
        moving_mean_initializer, moving_variance_initializer, beta_regularizer, gamma_regularizer,
        beta_constraint, gamma_constraint, renorm, renorm_clipping, renorm_momentum, fused,
        trainable, virtual_batch_size, adjustment, name, _scope=name, _reuse=reuse,
    )  # fmt: skip
    return layer(inputs, training=training)


_CLASSES: dict[str, type[Layer]] = {
    "dense": Dense,
    "conv1d": Conv1D,
    "conv2d": Conv2D,
    "conv3d": Conv3D,
    "conv2d_transpose": Conv2DTranspose,
    "conv3d_transpose": Conv3DTranspose,
    "separable_conv2d": SeparableConv2D,
    "max_pooling1d": MaxPooling1D,
    "max_pooling2d": MaxPooling2D,
    "max_pooling3d": MaxPooling3D,
    "average_pooling1d": AveragePooling1D,
    "average_pooling2d": AveragePooling2D,
    "average_pooling3d": AveragePooling3D,
    "flatten": Flatten,
}


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    classes = [Layer, Dropout, BatchNormalization, *_CLASSES.values()]
    functions = {name: _function(layer_class, name) for name, layer_class in _CLASSES.items()}
    functions |= {"dropout": dropout, "batch_normalization": batch_normalization}
    return {f"layers.{layer_class.__name__}": layer_class for layer_class in classes} | {
        f"layers.{name}": function for name, function in functions.items()
    }
