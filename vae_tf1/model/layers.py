"""The layers of which encoder and decoder are made.

A layer has ``forward(X)`` and a list ``variables``. Those given to a model may also have
``build(shape, seed)``: the model calls it, in its graph, with the shape of an input without the
batch and with two integers for the initial weights. `DenseLayer` creates its variables when it is
made, as it always did, the others when they are built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.backend.gradients import gradient_of
from vae_tf1.checks import check_count, check_one_of
from vae_tf1.model.initializers import Initializer, glorot, named, original
from vae_tf1.model.parts import adopted, check_variables

__all__ = [
    "READY_MADE",
    "Conv2DLayer",
    "Conv2DTransposeLayer",
    "DenseLayer",
    "Flatten",
    "Reshape",
    "adopt",
]

Activation = Callable[[tf.Tensor], tf.Tensor]
Seed = tuple[int, int]


class DenseLayer:
    """A fully connected layer, ``f(X W + b)``.

    Parameters
    ----------
    M1, M2
        Number of inputs and of outputs. M1 may be None in a layer that is given to a model, which
        knows it.
    f
        The activation.
    seed
        Two integers that determine the initial weights; by default they differ from run to run.
    initializer
        Of the weights: a function of the shape and the seed, or "original", "glorot" or "he".

    Attributes
    ----------
    W : tf.Variable, shape (M1, M2)
        Weights, initially N(0, 1) · 2/√M1.
    b : tf.Variable, shape (M2,)
        Biases, initially zero.
    """

    ARGUMENTS = ("M1", "M2", "f", "initializer")

    def __init__(
        self,
        M1: int | None,
        M2: int,
        f: Activation | str = tf.nn.relu,
        seed: Seed | None = None,
        *,
        initializer: Initializer | str = original,
    ) -> None:
        self.M1, self.M2 = M1, M2
        self.f = activation(f)
        self.initializer = named(initializer)
        if M1 is not None:
            self._create(M1, seed)

    def build(self, shape: Sequence[int], seed: Seed) -> None:
        """Create W and b in the graph that is the default one."""
        if len(shape) != 1 or self.M1 not in (None, shape[0]):
            raise ValueError(
                f"a DenseLayer of {self.M1} inputs is given values of shape {tuple(shape)}"
            )
        self.M1 = shape[0]
        self._create(shape[0], seed)

    def _create(self, M1: int, seed: Seed | None) -> None:
        with tf.name_scope("initial_weights"):
            weights = self.initializer((M1, self.M2), seed)
        self.W = tf.compat.v1.Variable(weights, use_resource=True)
        self.b = tf.compat.v1.Variable(np.zeros(self.M2, np.float32), use_resource=True)

    @property
    def variables(self) -> list[tf.Variable]:
        """What is trained: W and b."""
        return [self.W, self.b] if hasattr(self, "W") else []

    def forward(self, X: tf.Tensor) -> tf.Tensor:
        """Apply the layer to the rows of X: (batch, M1) to (batch, M2)."""
        product = tf.matmul(X, self.W)
        with _summing_bias_gradients():
            # bias_add, not `+`: TensorFlow fuses MatMul + BiasAdd + Relu into one kernel
            return self.f(tf.nn.bias_add(product, self.b))


def _gradient(bias_add: tf.Operation, delta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradients of X W and of the bias, given that of their sum.

    The gradient of the bias is a plain sum. Compiled, TensorFlow's own gradient rounds differently
    in a loop of one step than in a longer loop; see docs/decisions/bias-add.md.
    """
    return delta, tf.reduce_sum(delta, 0)


_summing_bias_gradients = gradient_of("BiasAdd", _gradient)


@dataclass(eq=False)
class Conv2DLayer:
    """A convolution of pictures (batch, height, width, channels), ``f(X ∗ W + b)``.

    Parameters
    ----------
    filters
        Number of output channels.
    size
        Height and width of the window.
    strides
        By how many pixels the window moves: 2 halves the picture.
    f
        The activation, a function or the name of one.
    padding
        "SAME" or "VALID".
    initializer
        Of the weights: a function of the shape and the seed, or "original", "glorot" or "he".

    Attributes
    ----------
    W : tf.Variable, shape (size, size, channels, filters)
    b : tf.Variable, shape (filters,)
    """

    filters: int
    size: int = 3
    strides: int = 1
    f: Any = tf.nn.relu  # Activation | str; `__post_init__` makes it a function
    padding: str = "SAME"
    initializer: Any = glorot  # Initializer | str, likewise
    variables: list[tf.Variable] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        for name in ("filters", "size", "strides"):
            setattr(self, name, check_count(getattr(self, name), name))
        check_one_of(self.padding, "padding", ("SAME", "VALID"))
        self.f, self.initializer = activation(self.f), named(self.initializer)

    def build(self, shape: Sequence[int], seed: Seed) -> None:
        """Create W and b in the graph that is the default one."""
        _check_picture(self, shape)
        with tf.name_scope("initial_weights"):
            weights = self._weights(shape[-1], seed)
        self.W = tf.compat.v1.Variable(weights, use_resource=True)
        self.b = tf.compat.v1.Variable(np.zeros(self.filters, np.float32), use_resource=True)
        self.variables = [self.W, self.b]

    def _weights(self, channels: int, seed: Seed) -> tf.Tensor:
        return self.initializer((self.size, self.size, channels, self.filters), seed)

    def forward(self, X: tf.Tensor) -> tf.Tensor:
        """Apply the layer to pictures: (batch, height, width, channels) to (…, filters)."""
        # `+`, whose gradient is a plain sum: see DenseLayer's
        return self.f(tf.nn.conv2d(X, self.W, self.strides, self.padding) + self.b)


@dataclass(eq=False)
class Conv2DTransposeLayer(Conv2DLayer):
    """The transpose of a convolution: strides of 2 double the picture.

    Parameters and attributes are those of `Conv2DLayer`, but W has shape (size, size, filters,
    channels).
    """

    def _weights(self, channels: int, seed: Seed) -> tf.Tensor:
        return tf.transpose(super()._weights(channels, seed), (0, 1, 3, 2))

    def forward(self, X: tf.Tensor) -> tf.Tensor:
        """Apply the layer to pictures: (batch, height, width, channels) to (…, filters)."""
        beyond = 0 if self.padding == "SAME" else max(self.size - self.strides, 0)
        height, width = (n * self.strides + beyond for n in X.shape.as_list()[1:3])
        shape = tf.stack([tf.shape(X)[0], height, width, self.filters])
        return self.f(tf.nn.conv2d_transpose(X, self.W, shape, self.strides, self.padding) + self.b)


@dataclass(eq=False)
class Reshape:
    """Gives each row another shape.

    Parameters
    ----------
    shape
        Without the batch, such as (28, 28, 1).
    """

    shape: Sequence[int]

    def __post_init__(self) -> None:
        self.shape = tuple(check_count(n, "a size of the shape") for n in self.shape)

    def build(self, shape: Sequence[int], seed: Seed) -> None:
        """Check that there are as many values; no variable is created."""
        if np.prod(shape) != np.prod(self.shape):
            raise ValueError(f"Reshape({self.shape}) is given values of shape {tuple(shape)}")

    def forward(self, X: tf.Tensor) -> tf.Tensor:
        """Return X in the new shape."""
        return tf.reshape(X, (-1, *self.shape))


@dataclass(eq=False)
class Flatten:
    """Makes a row of each picture."""

    def forward(self, X: tf.Tensor) -> tf.Tensor:
        """Return X with shape (batch, values)."""
        return tf.reshape(X, (-1, int(np.prod(X.shape.as_list()[1:]))))


READY_MADE = {
    cls.__name__: cls for cls in (DenseLayer, Conv2DLayer, Conv2DTransposeLayer, Reshape, Flatten)
}


def adopt(
    layers: Iterable[Any] | Callable[[], Iterable[Any]],
    value: tf.Tensor,
    next_seed: Callable[[], Seed],
    what: str,
) -> tuple[list[Any], list[int]]:
    """Take the layers of an encoder or decoder of one's own into the graph of a model.

    Parameters
    ----------
    layers
        The layers, or a function that returns them, which is called here.
    value
        The input, whose shape but for the batch is known.
    next_seed
        Gives the seed of each layer.
    what
        What a message calls the layers.

    Returns
    -------
    list, list of int
        The layers, built, and the number of values in the output of each.

    Raises
    ------
    TypeError, ValueError
        If they are no layers, do not fit together, or do not end with rows.
    """
    layers = layers() if callable(layers) else layers
    if not isinstance(layers, Iterable) or isinstance(layers, str):
        raise TypeError(f"{what} must be a list of layers, or a function of none that returns it")
    taken, widths = [], []
    for i, layer in enumerate(layers, 1):
        where = f"{what} layer {i}"
        if isinstance(layer, type) or not hasattr(layer, "forward"):
            raise TypeError(f"{where} must have a method forward(X), not {layer!r}")
        try:
            layer = adopted(layer, value.shape[1:].as_list(), next_seed())
            check_variables(layer, where)
            value = layer.forward(value)
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            message = str(error).strip().splitlines()[0]
            raise ValueError(message if where in message else f"{where}: {message}") from None
        check_variables(layer, where)  # some are created by the first `forward`
        if not tf.is_tensor(value) or not value.shape[1:].is_fully_defined():
            raise ValueError(
                f"{where} must return a tensor of known shape but for the batch, not {value!r}"
            )
        taken.append(layer)
        widths.append(int(np.prod(value.shape.as_list()[1:])))
    if value.shape.rank != 2:
        raise ValueError(
            f"{what} must end with rows of values, but ends with shape {value.shape}: add Flatten()"
        )
    return taken, widths


def activation(f: Activation | str) -> Activation:
    """Return the activation of that name, or the function itself."""
    from vae_tf1.model.parts import ACTIVATIONS

    return ACTIVATIONS[check_one_of(f, "f", tuple(ACTIVATIONS))] if isinstance(f, str) else f


def _check_picture(layer: Any, shape: Sequence[int]) -> None:
    if len(shape) != 3:
        raise ValueError(
            f"{type(layer).__name__} takes pictures (height, width, channels), but is given values "
            f"of shape {tuple(shape)}: put Reshape((height, width, channels)) before it"
        )
