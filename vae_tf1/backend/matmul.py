"""Matrix products in graphs that XLA compiles: the same values, a faster gradient."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

from vae_tf1.backend.gradients import gradient_of


def _gradient(product: tf.Operation, delta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradients of X and W, with `delta` that of X W.

    That of X is δ Wᵀ, here as (W δᵀ)ᵀ. On a processor XLA copies the transpose of W into another
    order for every δ Wᵀ, and takes W in W δᵀ as it is. It would write the latter as the former
    again, were it not for the barrier.
    """
    X, W = product.inputs
    (transposed,) = optimization_barrier(tf.matmul(W, delta, transpose_b=True))
    return tf.transpose(transposed), tf.matmul(X, delta, transpose_a=True)


# In this context a `tf.matmul` of two matrices has that gradient, which only XLA can compute.
for_xla = gradient_of("MatMul", _gradient)
