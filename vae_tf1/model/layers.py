"""The fully connected layer of which encoder and decoder are made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from vae_tf1.backend.gradients import gradient_of


class DenseLayer:
    """A fully connected layer, ``f(X W + b)``.

    Parameters
    ----------
    M1, M2
        Number of inputs and of outputs.
    f
        The activation.
    seed
        Two integers that determine the initial weights; by default they differ from run to run.

    Attributes
    ----------
    W : tf.Variable, shape (M1, M2)
        Weights, initially N(0, 1) · 2/√M1.
    b : tf.Variable, shape (M2,)
        Biases, initially zero.
    """

    def __init__(
        self,
        M1: int,
        M2: int,
        f: Callable[[tf.Tensor], tf.Tensor] = tf.nn.relu,
        seed: tuple[int, int] | None = None,
    ) -> None:
        with tf.name_scope("initial_weights"):
            if seed is None:
                normal = tf.random.normal((M1, M2))
            else:
                normal = tf.random.stateless_normal((M1, M2), seed=seed)
            weights = normal * 2 / np.sqrt(M1)
        self.W = tf.compat.v1.Variable(weights, use_resource=True)
        self.b = tf.compat.v1.Variable(np.zeros(M2, np.float32), use_resource=True)
        self.f = f

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
