"""RMSProp as TensorFlow 1 has it: the mean square starts at one, epsilon is inside the root.

mean_square ← decay · mean_square + (1 - decay) · gradient²
momentum    ← coefficient · momentum + learning_rate · gradient / √(mean_square + epsilon)
variable    ← variable - momentum

References
----------
Tieleman & Hinton (2012), *Lecture 6.5: RMSProp*, Neural Networks for Machine Learning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

LEARNING_RATE = 0.001
_DECAY, _COEFFICIENT, _EPSILON = 0.9, 0.0, 1e-10

MEAN_SQUARE, MOMENTUM = "rms", "momentum"  # the names of the optimizer's slots


def rmsprop(
    learning_rate: float | Callable[[], tf.Tensor] = LEARNING_RATE, centered: bool = False
) -> tf.compat.v1.train.RMSPropOptimizer:
    """Return the optimizer of the original, or its centred variant (Graves 2013)."""
    return tf.compat.v1.train.RMSPropOptimizer(
        learning_rate, _DECAY, _COEFFICIENT, _EPSILON, centered=centered
    )


def update(
    optimizer: tf.compat.v1.train.RMSPropOptimizer,
    variables: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
    rate: float | tf.Tensor,
    where: tf.Tensor,
) -> list[tf.Operation]:
    """Apply `gradients` to `variables` and their mean squares, if `where` is true.

    If `where` is false, the arithmetic changes nothing. A conditional would cost a seventh of the
    training time; see docs/decisions/finite-guard.md. `write_momentum` writes the momentum.
    """
    keep = tf.where(where, _DECAY, 1.0)
    operations = []
    for variable, gradient in zip(variables, gradients, strict=True):
        mean_square = optimizer.get_slot(variable, MEAN_SQUARE)
        gradient = tf.where(where, gradient, 0.0)
        squares = mean_square + (gradient * gradient - mean_square) * (1 - keep)
        change = _change(gradient, squares, rate)
        operations += [mean_square.assign(squares).op, variable.assign_sub(change).op]
    return operations


def write_momentum(
    optimizer: tf.compat.v1.train.RMSPropOptimizer,
    variables: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
    rate: float | tf.Tensor,
    where: tf.Tensor,
) -> list[tf.Operation]:
    """Write the momentum of the last of several updates, if `where` is true.

    The coefficient is zero, so no update reads the momentum that an earlier update wrote.
    """
    operations = []
    for variable, gradient in zip(variables, gradients, strict=True):
        momentum = optimizer.get_slot(variable, MOMENTUM)
        change = _change(gradient, optimizer.get_slot(variable, MEAN_SQUARE), rate)
        operations.append(momentum.assign(tf.where(where, change, momentum)).op)
    return operations


def _change(gradient: tf.Tensor, mean_square: tf.Tensor, rate: float | tf.Tensor) -> tf.Tensor:
    # A quotient: no compiler fuses it with the subtraction, which would round differently.
    return rate * gradient / tf.sqrt(mean_square + _EPSILON)
