"""Matrix products in graphs that XLA compiles: the same values, a faster gradient."""

from __future__ import annotations

import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

from vae_tf1.backend.gradients import gradient_of


def _gradient(product: tf.Operation, delta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the gradients of X and of W, given δ, the gradient of X W.

    The gradient of X is δ Wᵀ, written here as (W δᵀ)ᵀ. On a processor, XLA copies Wᵀ into another
    order for every δ Wᵀ, but reads W in W δᵀ as it is. Without the barrier XLA would turn the
    second form into the first; see docs/decisions/transposed-gradient.md.
    """
    X, W = product.inputs
    (transposed,) = optimization_barrier(tf.matmul(W, delta, transpose_b=True))
    return tf.transpose(transposed), tf.matmul(X, delta, transpose_a=True)


# A context in which `tf.matmul` of two matrices has this gradient. Only XLA can compute it.
for_xla = gradient_of("MatMul", _gradient)
