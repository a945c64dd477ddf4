"""`TransformedDistribution` of TF1, which takes a script's own bijectors, and its subclasses.

A sample keeps the bijector's cache: `log_prob(sample())` asks for no inverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from vae_tf1.legacy.tf.distributions.base import Distribution, OldNames, make_class
from vae_tf1.legacy.tf.distributions.bijectors import (
    Affine,
    AffineScalar,
    Identity,
    SinhArcsinh,
    names,
)

__all__ = ["classes"]


class TransformedDistribution(OldNames, Distribution):
    """The distribution of y = bijector.forward(x), x from a base distribution.

    Parameters
    ----------
    distribution
        The base.
    bijector
        None for the identity.
    batch_shape, event_shape
        Shape of the batch, or of one event, if that of the base is a scalar: x then is that many
        independent draws.
    """

    def __init__(
        self, distribution, bijector=None, batch_shape=None, event_shape=None,
        validate_args=False, name=None,
    ):  # fmt: skip
        bijector = Identity() if bijector is None else bijector
        name = name or bijector.name + distribution.name
        parameters = {
            "distribution": distribution, "bijector": bijector, "batch_shape": batch_shape,
            "event_shape": event_shape, "validate_args": validate_args, "name": name,
        }  # fmt: skip
        self._distribution, self._bijector = distribution, bijector
        with tf.name_scope(name):
            base = distribution
            self._batch = _override(batch_shape, base.batch_shape, "batch_shape")
            self._event = _override(event_shape, base.event_shape, "event_shape")
        base_is_one = distribution.batch_shape.rank == 0
        # Axes of an event that is made of draws stand left of the base's batch, and have to move.
        self._moves = self._event is not None and self._batch is None and not base_is_one
        super().__init__(
            dtype=distribution.dtype,
            reparameterization_type=distribution.reparameterization_type,
            validate_args=validate_args,
            allow_nan_stats=distribution.allow_nan_stats,
            parameters=parameters,
            name=name,
        )

    @property
    def distribution(self):
        """The base distribution."""
        return self._distribution

    @property
    def bijector(self):
        """The function that takes x to y."""
        return self._bijector

    def _event_shape_tensor(self):
        base = self._event
        return self.bijector.forward_event_shape_tensor(
            self.distribution.event_shape_tensor() if base is None else base
        )

    def _event_shape(self):
        return self.bijector.forward_event_shape(
            self.distribution.event_shape if self._event is None else _static(self._event)
        )

    def _batch_shape_tensor(self):
        return self.distribution.batch_shape_tensor() if self._batch is None else self._batch

    def _batch_shape(self):
        own = self._batch
        return self.distribution.batch_shape if own is None else _static(own)

    def _draw(self, n, seed, **kwargs):
        """Return n values of x."""
        own = [shape for shape in (self._batch, self._event) if shape is not None]
        shape = tf.concat([*own, [n]] if self._moves else [[n], *own], 0)
        return self._move(self.distribution.sample(shape, seed=seed, **kwargs), left=True)

    def _move(self, x, left=False):
        """Move the event's axes from the front to the end, or back."""
        if not self._moves:
            return x
        rank, moved = tf.rank(x), tf.shape(self._event)[0]
        place = moved if left else rank - moved
        return tf.transpose(x, tf.concat([tf.range(place, rank), tf.range(place)], 0))

    def _call_sample_n(
        self, sample_shape, seed, name, bijector_kwargs=None, distribution_kwargs=None
    ):
        with self._name_scope(name, values=[sample_shape]):
            sample_shape = tf.convert_to_tensor(sample_shape, tf.int32, name="sample_shape")
            sample_shape, n = self._expand_sample_shape_to_vector(sample_shape, "sample_shape")
            x = self._draw(n, seed, **(distribution_kwargs or {}))
            x = tf.reshape(x, tf.concat([sample_shape, tf.shape(x)[1:]], 0))
            # The bijector comes last, or its cache would not know the sample.
            y = self.bijector.forward(x, **(bijector_kwargs or {}))
            return self._set_sample_static_shape(y, sample_shape)

    def _fibers(self, y, of_base, reduce, join, bijector_kwargs, distribution_kwargs):
        """Return a function of the base's density for each x that is taken to `y`."""
        of_bijector, of_distribution = bijector_kwargs or {}, distribution_kwargs or {}
        x = self.bijector.inverse(y, **of_bijector)
        ildj = self.bijector.inverse_log_det_jacobian(
            y, event_ndims=self._event_ndims(), **of_bijector
        )
        single = self.bijector._is_injective
        found = []
        for each, jacobian in [(x, ildj)] if single else zip(x, ildj, strict=True):
            value = getattr(self.distribution, of_base)(self._move(each), **of_distribution)
            if self._event is not None:
                moved = tf.shape(self._event)[0]
                first = 0 if self._moves else -moved
                value = reduce(value, tf.range(first, first + moved))
            found.append(join(value, tf.cast(jacobian, value.dtype)))
        return found

    def _event_ndims(self):
        rank = self.event_shape.rank
        return tf.size(self.event_shape_tensor()) if rank is None else rank

    def _log_prob(self, y, bijector_kwargs=None, distribution_kwargs=None):
        found = self._fibers(
            y, "log_prob", tf.reduce_sum, lambda log_p, ildj: log_p + ildj, bijector_kwargs,
            distribution_kwargs,
        )  # fmt: skip
        return found[0] if len(found) == 1 else tf.reduce_logsumexp(tf.stack(found), axis=0)

    def _prob(self, y, bijector_kwargs=None, distribution_kwargs=None):
        return sum(
            self._fibers(
                y, "prob", tf.reduce_prod, lambda p, ildj: p * tf.exp(ildj), bijector_kwargs,
                distribution_kwargs,
            )
        )  # fmt: skip

    def _monotone(self, method, value):
        if self._event is not None:
            raise NotImplementedError(f"{method} is not implemented when overriding event_shape")
        if not self.bijector._is_injective:
            raise NotImplementedError(
                f"{method} is not implemented when bijector is not injective."
            )
        return getattr(self.distribution, method)(value)

    def _cdf(self, y):
        return self._monotone("cdf", self.bijector.inverse(y))

    def _log_cdf(self, y):
        return self._monotone("log_cdf", self.bijector.inverse(y))

    def _survival_function(self, y):
        return self._monotone("survival_function", self.bijector.inverse(y))

    def _log_survival_function(self, y):
        return self._monotone("log_survival_function", self.bijector.inverse(y))

    def _quantile(self, value):
        return self.bijector.forward(self._monotone("quantile", value))

    def _entropy(self):
        """Return H[x] + log|det J|, if the determinant is the same everywhere."""
        if not (self.bijector.is_constant_jacobian and self.bijector._is_injective):
            raise NotImplementedError("entropy is not implemented")
        entropy = self.distribution.entropy()
        if self._event is not None:
            entropy *= tf.cast(tf.reduce_prod(self._event), entropy.dtype)
        shape = tf.concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        anywhere = tf.zeros(shape, self.dtype)
        ildj = self.bijector.inverse_log_det_jacobian(anywhere, self._event_ndims())
        entropy -= tf.cast(ildj, entropy.dtype)
        entropy += tf.zeros(self.batch_shape_tensor(), entropy.dtype)
        entropy.set_shape(self.batch_shape)
        return entropy


def _override(shape: Any, of_base: tf.TensorShape, name: str) -> tf.Tensor | None:
    """Return the shape that stands for the base's, or None."""
    if shape is None:
        return None
    shape = tf.convert_to_tensor(shape, tf.int32, name=name)
    if shape.shape.rank not in (None, 1):
        raise ValueError("shape override must be a vector")
    value = tf.get_static_value(shape)
    if value is not None and value.size == 0:
        return None
    if value is not None and (value <= 0).any():
        raise ValueError("shape override must have positive elements")
    if of_base.rank:
        raise ValueError(f"base distribution not scalar: its {name} is {of_base}")
    return shape


def _static(shape: tf.Tensor) -> tf.TensorShape:
    value = tf.get_static_value(shape)
    if value is not None:
        return tf.TensorShape(value.tolist())
    return tf.TensorShape([None] * shape.shape.as_list()[0] if shape.shape.rank else None)


class SinhArcsinhDistribution(TransformedDistribution):
    """loc + 2 scale / F₀(2) · F(z): F the bijector of that name, F₀ it without skewness."""

    def __init__(
        self, loc, scale, skewness=None, tailweight=None, distribution=None, validate_args=False,
        allow_nan_stats=True, name="SinhArcsinh",
    ):  # fmt: skip
        with tf.name_scope(name):
            self.loc = tf.convert_to_tensor(loc, name="loc")
            dtype = self.loc.dtype
            values = [scale, 1.0 if tailweight is None else tailweight, skewness or 0.0]
            self.scale, self.tailweight, self.skewness = (
                tf.convert_to_tensor(value, dtype) for value in values
            )
            if distribution is None:
                zero, one = tf.zeros([], dtype), tf.ones([], dtype)
                distribution = tf.distributions.Normal(zero, one, allow_nan_stats=allow_nan_stats)
            parts = (self.loc, self.scale, self.tailweight, self.skewness)
            shape = tf.shape(sum(tf.zeros_like(part) for part in parts))
            symmetric = SinhArcsinh(tf.zeros([], dtype), self.tailweight)
            factor = 2 * self.scale / symmetric.forward(tf.constant(2, dtype))
            chain = names()["Chain"](
                [AffineScalar(self.loc, factor), SinhArcsinh(self.skewness, self.tailweight)]
            )
        super().__init__(distribution, chain, shape, None, validate_args, name)


class _AffineOfVector(TransformedDistribution):
    """loc + scale @ x, the entries of x from one distribution each."""

    _base = staticmethod(lambda dtype: None)
    _moments = (0.0, 1.0)  # of an entry of x: mean and variance

    def __init__(
        self, loc=None, scale_diag=None, scale_identity_multiplier=None, validate_args=False,
        allow_nan_stats=True, name=None,
    ):  # fmt: skip
        if scale_diag is None:
            like = tf.convert_to_tensor(loc)
            unit = tf.zeros if scale_identity_multiplier is not None else tf.ones
            scale_diag = unit(tf.shape(like)[-1:], like.dtype)
        affine = Affine(loc, scale_identity_multiplier, scale_diag, validate_args=validate_args)
        self.loc, self.scale = affine.shift, affine.scale
        diagonal = tf.shape(self.scale.diag_part())
        shape = diagonal if self.loc is None else tf.broadcast_dynamic_shape(
            diagonal, tf.shape(self.loc)
        )  # fmt: skip
        super().__init__(
            type(self)._base(affine.dtype), affine, shape[:-1], shape[-1:], validate_args,
            name or type(self).__name__,
        )  # fmt: skip

    def _mean(self):
        shape = tf.concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        mean = self.scale.matvec(tf.fill(shape, tf.cast(self._moments[0], self.dtype)))
        return mean if self.loc is None else mean + self.loc

    def _mode(self):
        shape = tf.concat([self.batch_shape_tensor(), self.event_shape_tensor()], 0)
        zeros = tf.zeros(shape, self.dtype)
        return zeros if self.loc is None else zeros + self.loc

    def _variance(self):
        return self._moments[1] * self.scale.diag_part() ** 2

    def _stddev(self):
        return np.sqrt(self._moments[1]) * tf.abs(self.scale.diag_part())

    def _covariance(self):
        return tf.matrix_diag(self._variance())


def classes() -> dict[str, type]:
    """Return the classes by TF1's names."""

    def laplace(dtype):
        return tf.distributions.Laplace(tf.zeros([], dtype), tf.ones([], dtype))

    def exponential(dtype):
        return tf.distributions.Exponential(tf.ones([], dtype))

    made = {
        "TransformedDistribution": (TransformedDistribution, {}),
        "ConditionalTransformedDistribution": (TransformedDistribution, {}),
        "SinhArcsinh": (SinhArcsinhDistribution, {}),
        "VectorLaplaceDiag": (
            _AffineOfVector, {"_base": staticmethod(laplace), "_moments": (0.0, 2.0)},
        ),
        "VectorExponentialDiag": (
            _AffineOfVector, {"_base": staticmethod(exponential), "_moments": (1.0, 1.0)},
        ),
    }  # fmt: skip
    return {
        name: make_class(name, (base,), members, base.__doc__)
        for name, (base, members) in made.items()
    }
