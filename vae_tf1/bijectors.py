"""A cubic bijector for TensorFlow Probability, and maximum likelihood for flows made of bijectors.

The other bijectors (Shift, Scale, Chain, Softfloor, GumbelCDF, ScaleMatvecDiag, Invert, …) are
TensorFlow Probability's own, and work in a graph and session as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
import tensorflow_probability as tfp
from tensorflow_probability.python.internal import (
    assert_util,
    dtype_util,
    parameter_properties,
    tensor_util,
)

from vae_tf1.checks import check_count

__all__ = ["Cubic", "LikelihoodCurves", "fit_distribution"]

ArrayLike = Any  # a number, nested list, NumPy array, or TensorFlow tensor or variable

_LEAST_SLOPE = 1e-5


class Cubic(tfp.bijectors.Bijector):
    """The bijector y = (a x + b)³, elementwise.

        forward       y = (a x + b)³
        inverse       x = (∛y − b) / a
        log |dy/dx| = log 3|a| + 2 log |a x + b|
        log |dx/dy| = −log 3|a| − ⅔ log |y|

    At the critical point x = −b/a the logarithms stop at that of the least normal number, so that
    a single sample there spoils neither a loss nor its gradient.

    Parameters
    ----------
    a
        Slope, not zero; its shape broadcasts with the input's.
    b
        Offset.
    validate_args
        Whether to check, in the graph, that a is at least 1e-5 in magnitude.
    name
        Name of the bijector.

    Raises
    ------
    InvalidArgumentError
        With `validate_args`, from the graph (in eager mode at once), if a is too small.
    """

    def __init__(
        self, a: ArrayLike, b: ArrayLike, validate_args: bool = False, name: str = "Cubic"
    ) -> None:
        parameters = dict(locals())
        with tf.name_scope(name) as name:
            dtype = dtype_util.common_dtype([a, b], dtype_hint=tf.float32)
            self._a = tensor_util.convert_nonref_to_tensor(a, dtype=dtype, name="a")
            self._b = tensor_util.convert_nonref_to_tensor(b, dtype=dtype, name="b")
            super().__init__(
                dtype=dtype,
                forward_min_event_ndims=0,
                validate_args=validate_args,
                parameters=parameters,
                name=name,
            )

    @classmethod
    def _parameter_properties(cls, dtype: Any) -> dict[str, Any]:
        return {
            "a": parameter_properties.ParameterProperties(),
            "b": parameter_properties.ParameterProperties(),
        }

    @property
    def a(self) -> tf.Tensor | tf.Variable:
        """Slope."""
        return self._a

    @property
    def b(self) -> tf.Tensor | tf.Variable:
        """Offset."""
        return self._b

    def _is_increasing(self, **_: Any) -> tf.Tensor:
        return self.a > 0

    def _forward(self, x: tf.Tensor) -> tf.Tensor:
        return tf.pow(self.a * x + self.b, 3)

    def _inverse(self, y: tf.Tensor) -> tf.Tensor:
        return (_cube_root(y) - self.b) / self.a

    def _forward_log_det_jacobian(self, x: tf.Tensor) -> tf.Tensor:
        a = tf.convert_to_tensor(self.a)
        return math.log(3) + _log_abs(a) + 2 * _log_abs(a * x + self.b)

    def _inverse_log_det_jacobian(self, y: tf.Tensor) -> tf.Tensor:
        return -math.log(3) - _log_abs(self.a) - 2 / 3 * _log_abs(y)

    def _parameter_control_dependencies(self, is_init: bool) -> list[Any]:
        # A constant is checked once, a variable each time it is used.
        if not self.validate_args or is_init == tensor_util.is_ref(self.a):
            return []
        return [
            assert_util.assert_greater_equal(
                tf.abs(self.a),
                tf.constant(_LEAST_SLOPE, self.dtype),
                message=f"Cubic: |a| must be at least {_LEAST_SLOPE}",
            )
        ]


class LikelihoodCurves(NamedTuple):
    """Negative log-likelihood in nats per sample, after each epoch; see `fit_distribution`.

    Attributes
    ----------
    train_losses
        (epochs,) mean over the minibatches of the epoch, each before its update.
    valid_losses
        (epochs,) mean over the validation data after the epoch.
    """

    train_losses: np.ndarray
    valid_losses: np.ndarray


def fit_distribution(
    distribution: Any,
    x_train: ArrayLike,
    x_valid: ArrayLike,
    epochs: int = 10,
    batch_size: int = 128,
    *,
    learning_rate: float = 1e-3,
    clip_norm: float = 5.0,
    seed: int | None = None,
    sess: tf.compat.v1.Session | None = None,
) -> LikelihoodCurves:
    """Fit the trainable variables of a distribution by maximum likelihood, with Adam.

    Parameters
    ----------
    distribution
        A TensorFlow Probability distribution, such as a ``TransformedDistribution`` whose
        bijector's parameters are variables; eager or in a graph.
    x_train, x_valid
        Samples, along the first axis, to fit to and to validate on.
    epochs
        How often to go through `x_train`, each time in another order.
    batch_size
        Samples in a minibatch; the last one of an epoch may be smaller.
    learning_rate
        Of Adam.
    clip_norm
        The largest norm of a gradient; longer ones are scaled down to it. The likelihood of a
        flow can be singular, as at the critical point of `Cubic`: without a bound, the one huge
        gradient of a sample there would keep Adam's later steps tiny for a thousand minibatches.
    seed
        Makes the order reproducible.
    sess
        In a graph: the session that holds the variables, by default the default session. There
        variables that have no value yet are initialised first.

    Returns
    -------
    LikelihoodCurves
        Training and validation curves; the variables hold the fit.

    Raises
    ------
    TypeError
        If `distribution` is not one, or the samples are not numbers.
    ValueError
        If the distribution has no trainable variables, the samples are empty or not finite, a
        number is out of range, there is no session, or the likelihood stops being finite.
    """
    for name in ("log_prob", "trainable_variables", "dtype"):
        if not hasattr(distribution, name):
            raise TypeError(
                f"distribution must be a TensorFlow Probability distribution, "
                f"not {type(distribution).__name__}"
            )
    if not distribution.trainable_variables:
        raise ValueError("distribution has no trainable variables: make its parameters tf.Variable")
    epochs, batch_size = check_count(epochs, "epochs"), check_count(batch_size, "batch_size")
    for name, value in (("learning_rate", learning_rate), ("clip_norm", clip_norm)):
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive and finite, not {value}")
    dtype = tf.as_dtype(distribution.dtype).as_numpy_dtype
    x_train, x_valid = _samples("x_train", x_train, dtype), _samples("x_valid", x_valid, dtype)

    rng = np.random.default_rng(seed)
    train_losses, valid_losses = [], []
    with _steps(distribution, x_train, learning_rate, clip_norm, sess) as (train, evaluate):
        for epoch in range(epochs):
            train_losses.append(
                _mean_loss(train, x_train[rng.permutation(len(x_train))], batch_size)
            )
            valid_losses.append(_mean_loss(evaluate, x_valid, batch_size))
            for data, loss in (("training", train_losses[-1]), ("validation", valid_losses[-1])):
                if not math.isfinite(loss):
                    raise ValueError(
                        f"the negative log-likelihood of the {data} data is {loss} in epoch "
                        f"{epoch + 1}: are all samples in the support, the learning rate small?"
                    )
    return LikelihoodCurves(np.array(train_losses), np.array(valid_losses))


def _mean_loss(step: Callable[[np.ndarray], Any], x: np.ndarray, batch_size: int) -> float:
    """Take a step a minibatch; return the mean of the losses over all samples."""
    batches = [x[i : i + batch_size] for i in range(0, len(x), batch_size)]
    return sum(float(step(batch)) * len(batch) for batch in batches) / len(x)


@contextmanager
def _steps(
    distribution: Any,
    x: np.ndarray,
    learning_rate: float,
    clip_norm: float,
    sess: tf.compat.v1.Session | None,
) -> Iterator[tuple[Callable[[np.ndarray], Any], Callable[[np.ndarray], Any]]]:
    """Yield functions of a minibatch that return its loss: a step of Adam, and a mere look."""
    variables = distribution.trainable_variables
    adam = tf.compat.v1.train.AdamOptimizer(learning_rate)

    def negative_log_likelihood(batch: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(distribution.log_prob(batch))

    def update(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = negative_log_likelihood(batch)
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), clip_norm)
        with tf.control_dependencies(
            [adam.apply_gradients(zip(gradients, variables, strict=True))]
        ):
            return tf.identity(loss)

    if sess is None and tf.executing_eagerly():
        signature = [tf.TensorSpec((None, *x.shape[1:]), x.dtype)]
        yield (
            tf.function(update, input_signature=signature),
            tf.function(negative_log_likelihood, input_signature=signature),
        )
        return

    sess = sess or tf.compat.v1.get_default_session()
    if sess is None:
        raise ValueError("in a graph a session is wanted: pass sess, or make one the default")
    with sess.graph.as_default(), tf.name_scope("fit_distribution"):
        placeholder = tf.compat.v1.placeholder(x.dtype, (None, *x.shape[1:]), name="x")
        loss_then_update, loss = update(placeholder), negative_log_likelihood(placeholder)
        mine = [*variables, *adam.variables()]
        has_value = sess.run([tf.compat.v1.is_variable_initialized(v) for v in mine])
        sess.run([v.initializer for v, known in zip(mine, has_value, strict=True) if not known])
        yield (
            lambda batch: sess.run(loss_then_update, {placeholder: batch}),
            lambda batch: sess.run(loss, {placeholder: batch}),
        )


def _samples(name: str, x: ArrayLike, dtype: Any) -> np.ndarray:
    try:
        x = np.asarray(x, dtype)
    except (TypeError, ValueError, NotImplementedError):
        raise TypeError(f"{name} must be an array of numbers, not {type(x).__name__}") from None
    if x.ndim == 0 or not x.size:
        raise ValueError(f"{name} must hold at least one sample, not shape {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"{name} must be finite everywhere")
    return x


def _cube_root(y: tf.Tensor) -> tf.Tensor:
    """Return ∛y; where y is zero its infinite derivative is taken as zero."""
    zero = tf.equal(y, 0)
    y = tf.where(zero, tf.ones_like(y), y)
    return tf.where(zero, tf.zeros_like(y), tf.sign(y) * tf.pow(tf.abs(y), 1 / 3))


def _log_abs(x: tf.Tensor) -> tf.Tensor:
    """Return log |x|, with the least normal number in place of zero."""
    x = tf.convert_to_tensor(x)
    tiny = np.finfo(x.dtype.as_numpy_dtype).tiny
    return tf.math.log(tf.maximum(tf.abs(x), tiny))
