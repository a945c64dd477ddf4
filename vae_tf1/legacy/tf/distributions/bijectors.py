"""`tf.contrib.distributions.bijectors`: TensorFlow 1's own base class, today's formulas behind it.

`Bijector` is the genuine class, which `tensorflow` still has. Most of the others are TensorFlow
Probability's; where its formula is not TensorFlow 1's, the formula stands here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.ops.distributions import bijector_impl

from vae_tf1.legacy.machinery.lazy import Lazy
from vae_tf1.legacy.tf.distributions.base import bind, tensorflow_probability

__all__ = ["Affine", "AffineLinearOperator", "Bijector", "as_tfp", "names", "non_singular"]


class Bijector(bijector_impl.Bijector):
    """TensorFlow 1's `Bijector`, which up to TF 1.5 was given the rank of its events.

    Parameters
    ----------
    event_ndims
        Rank of the events that a log-determinant is for, unless the call says it. A class of the
        script's own reduces over that many dimensions itself.
    others
        As in TensorFlow 1.15.
    """

    def __init__(
        self, graph_parents=None, is_constant_jacobian=False, validate_args=False, dtype=None,
        forward_min_event_ndims=None, inverse_min_event_ndims=None, name=None, event_ndims=None,
    ):  # fmt: skip
        if forward_min_event_ndims is None and inverse_min_event_ndims is None:
            forward_min_event_ndims = _static(event_ndims)
        self._event_ndims = event_ndims
        super().__init__(
            graph_parents=graph_parents or [],
            is_constant_jacobian=is_constant_jacobian,
            validate_args=validate_args,
            dtype=dtype,
            forward_min_event_ndims=forward_min_event_ndims,
            inverse_min_event_ndims=inverse_min_event_ndims,
            name=name,
        )

    @property
    def event_ndims(self) -> Any:
        """Rank of the events, as up to TF 1.5."""
        known = self._event_ndims is not None
        return self._event_ndims if known else self.forward_min_event_ndims

    def forward(self, x, name="forward", **condition):
        """Return the image of `x`."""
        return self._call_forward(x, name, **condition)

    def inverse(self, y, name="inverse", **condition):
        """Return what `forward` takes to `y`."""
        return self._call_inverse(y, name, **condition)

    def forward_log_det_jacobian(
        self, x, event_ndims=None, name="forward_log_det_jacobian", **condition
    ):
        """Return the log of the Jacobian's determinant at `x`."""
        if event_ndims is None:
            event_ndims = self.event_ndims
        return self._call_forward_log_det_jacobian(x, event_ndims, name, **condition)

    def inverse_log_det_jacobian(
        self, y, event_ndims=None, name="inverse_log_det_jacobian", **condition
    ):
        """Return the log of the inverse's Jacobian's determinant at `y`."""
        if event_ndims is None:
            event_ndims = self.inverse_min_event_ndims
            if self._event_ndims is not None:
                event_ndims += self._event_ndims - self.forward_min_event_ndims
        return self._call_inverse_log_det_jacobian(y, event_ndims, name, **condition)


def _static(event_ndims: Any) -> int:
    if event_ndims is None:
        return 0
    value = tf.get_static_value(tf.convert_to_tensor(event_ndims))
    return 0 if value is None else int(value)


class Identity(Bijector):
    """y = x."""

    def __init__(self, validate_args=False, event_ndims=None, name="identity"):
        super().__init__(
            forward_min_event_ndims=0, is_constant_jacobian=True, validate_args=validate_args,
            name=name, event_ndims=event_ndims,
        )  # fmt: skip

    def _forward(self, x):
        return x

    def _inverse(self, y):
        return y

    def _forward_log_det_jacobian(self, x):
        return tf.zeros([], x.dtype)


# Formulas


def _tensor(value: Any, name: str, dtype: Any = None) -> tf.Tensor | None:
    return None if value is None else tf.convert_to_tensor(value, name=name, dtype=dtype)


class AffineScalar(Bijector):
    """y = scale * x + shift, elementwise."""

    def __init__(
        self, shift=None, scale=None, validate_args=False, name="affine_scalar", event_ndims=None
    ):
        with tf.name_scope(name):
            self.shift, self.scale = _tensor(shift, "shift"), _tensor(scale, "scale")
            if validate_args and scale is not None:
                with tf.control_dependencies([tf.assert_none_equal(self.scale, 0.0)]):
                    self.scale = tf.identity(self.scale)
        super().__init__(
            forward_min_event_ndims=0, is_constant_jacobian=True, validate_args=validate_args,
            name=name, event_ndims=event_ndims,
        )  # fmt: skip

    def _forward(self, x):
        y = tf.identity(x) if self.scale is None else x * self.scale
        return y if self.shift is None else y + self.shift

    def _inverse(self, y):
        x = tf.identity(y) if self.shift is None else y - self.shift
        return x if self.scale is None else x / self.scale

    def _forward_log_det_jacobian(self, x):
        if self.scale is None:
            return tf.constant(0.0, x.dtype.base_dtype)
        return tf.log(tf.abs(self.scale))


class AffineLinearOperator(Bijector):
    """y = scale @ x + shift, `scale` a `tf.linalg.LinearOperator`."""

    def __init__(
        self, shift=None, scale=None, validate_args=False, name="affine_linear_operator",
        event_ndims=None,
    ):  # fmt: skip
        with tf.name_scope(name):
            self.shift, self.scale = _tensor(shift, "shift"), scale
        if scale is not None:
            if not isinstance(scale, tf.linalg.LinearOperator):
                raise TypeError(f"scale is not an instance of tf.LinearOperator: {scale!r}")
            if shift is not None and self.shift.dtype.base_dtype != scale.dtype.base_dtype:
                raise TypeError(
                    f"shift.dtype({self.shift.dtype}) is incompatible with "
                    f"scale.dtype({scale.dtype})."
                )
            if validate_args and not scale.is_non_singular:
                raise ValueError("Scale matrix must be non-singular.")
        known = [p.dtype.base_dtype for p in (scale, self.shift) if p is not None]
        super().__init__(
            forward_min_event_ndims=_static(1 if event_ndims is None else event_ndims),
            is_constant_jacobian=True, validate_args=validate_args,
            dtype=known[0] if known else tf.float32, name=name,
        )  # fmt: skip

    def _forward(self, x):
        with tf.control_dependencies(self._checks()):
            y = tf.identity(x) if self.scale is None else self.scale.matvec(x)
        return y if self.shift is None else y + self.shift

    def _inverse(self, y):
        x = tf.identity(y) if self.shift is None else y - self.shift
        return x if self.scale is None else self.scale.solvevec(x)

    def _forward_log_det_jacobian(self, x):
        if self.scale is None:
            return tf.constant(0.0, x.dtype.base_dtype)
        with tf.control_dependencies(self._checks()):
            return self.scale.log_abs_determinant()

    def _checks(self):
        return non_singular(self.scale) if self.validate_args and self.scale is not None else []


def non_singular(scale: tf.linalg.LinearOperator) -> list[tf.Operation]:
    """Return the checks that a linear operator can be inverted, if it can tell."""
    try:
        return [scale.assert_non_singular()]
    except NotImplementedError:
        return []


class Affine(AffineLinearOperator):
    """y = scale @ x + shift, `scale` the sum of the parts that are given."""

    def __init__(
        self, shift=None, scale_identity_multiplier=None, scale_diag=None, scale_tril=None,
        scale_perturb_factor=None, scale_perturb_diag=None, validate_args=False, name="affine",
        event_ndims=None,
    ):  # fmt: skip
        if scale_perturb_diag is not None and scale_perturb_factor is None:
            raise ValueError(
                "When scale_perturb_diag is specified, scale_perturb_factor must be specified."
            )
        with tf.name_scope(name):
            parts = (scale_identity_multiplier, scale_diag, scale_tril, scale_perturb_factor, shift)
            dtype = next((tf.convert_to_tensor(p).dtype for p in parts if p is not None), None)
            shift = _tensor(shift, "shift", dtype)
            multiplier = _tensor(scale_identity_multiplier, "identity_multiplier", dtype)
            factor = _tensor(scale_perturb_factor, "perturb_factor", dtype)
            size = None if factor is None else tf.shape(factor)[-2]
            scale = _scale_operator(
                _tensor(scale_tril, "tril", dtype), _tensor(scale_diag, "diag", dtype), multiplier,
                size, validate_args,
            )  # fmt: skip
            if factor is not None:
                scale = tf.linalg.LinearOperatorLowRankUpdate(
                    scale, u=factor, diag_update=_tensor(scale_perturb_diag, "diag", dtype),
                    is_diag_update_positive=scale_perturb_diag is None, is_non_singular=True,
                    is_self_adjoint=True, is_positive_definite=True, is_square=True,
                )  # fmt: skip
        self._multiplier = None
        if scale is None:  # of any size, a single number included
            self._multiplier = (
                tf.ones([], dtype or tf.float32) if multiplier is None else multiplier
            )
        scalar = event_ndims is not None and _static(event_ndims) == 0
        if scalar and self._multiplier is None:
            raise ValueError("Affine of scalar events takes scale_identity_multiplier alone.")
        super().__init__(shift, scale, validate_args, name, event_ndims)
        if scale is None:
            self.scale = self._multiplier

    def _forward(self, x):
        if self._multiplier is None:
            return super()._forward(x)
        y = x * self._multiplier
        return y if self.shift is None else y + self.shift

    def _inverse(self, y):
        if self._multiplier is None:
            return super()._inverse(y)
        return (y if self.shift is None else y - self.shift) / self._multiplier

    def _forward_log_det_jacobian(self, x):
        if self._multiplier is None:
            return super()._forward_log_det_jacobian(x)
        size = tf.shape(x)[-1] if self.forward_min_event_ndims else 1
        return tf.log(tf.abs(self._multiplier)) * tf.cast(size, self._multiplier.dtype)


def _scale_operator(tril, diag, multiplier, size, validate_args):
    """Return the linear operator tril + diag + multiplier * I; None if its size is not known."""
    if tril is not None:
        tril = tf.matrix_band_part(tril, -1, 0)
        more = 0.0
        if diag is not None:
            more += diag
        if multiplier is not None:
            more += multiplier[..., tf.newaxis]
        if diag is not None or multiplier is not None:
            tril = tf.matrix_set_diag(tril, tf.matrix_diag_part(tril) + more)
        if validate_args:
            nonzero = tf.assert_none_equal(
                tf.matrix_diag_part(tril), tf.zeros([], tril.dtype),
                message="diagonal part must be non-zero",
            )  # fmt: skip
            with tf.control_dependencies([nonzero]):
                tril = tf.identity(tril)
        return tf.linalg.LinearOperatorLowerTriangular(
            tril, is_non_singular=True, is_self_adjoint=False, is_positive_definite=False
        )
    if diag is not None:
        if multiplier is not None:
            diag = diag + multiplier[..., tf.newaxis]
        return tf.linalg.LinearOperatorDiag(
            diag, is_non_singular=True, is_self_adjoint=True, is_square=True
        )
    if size is None:
        return None
    multiplier = tf.ones([]) if multiplier is None else multiplier
    return tf.linalg.LinearOperatorScaledIdentity(
        size, multiplier, is_non_singular=True, is_self_adjoint=True, is_square=True
    )


class SinhArcsinh(Bijector):
    """y = sinh((arcsinh(x) + skewness) * tailweight); TensorFlow Probability's has a factor."""

    def __init__(
        self, skewness=None, tailweight=None, validate_args=False, name="SinhArcsinh",
        event_ndims=None,
    ):  # fmt: skip
        with tf.name_scope(name):
            self.skewness = _tensor(0.0 if skewness is None else skewness, "skewness")
            self.tailweight = _tensor(
                1.0 if tailweight is None else tailweight, "tailweight", self.skewness.dtype
            )
            if validate_args:
                positive = tf.assert_positive(
                    self.tailweight, message="Argument tailweight was not positive"
                )
                with tf.control_dependencies([positive]):
                    self.tailweight = tf.identity(self.tailweight)
        super().__init__(
            forward_min_event_ndims=0, validate_args=validate_args, name=name,
            event_ndims=event_ndims,
        )  # fmt: skip

    def _forward(self, x):
        return tf.sinh((tf.asinh(x) + self.skewness) * self.tailweight)

    def _inverse(self, y):
        return tf.sinh(tf.asinh(y) / self.tailweight - self.skewness)

    def _forward_log_det_jacobian(self, x):
        slope = tf.cosh((tf.asinh(x) + self.skewness) * self.tailweight) / _root(x)
        return tf.log(slope) + tf.log(self.tailweight)

    def _inverse_log_det_jacobian(self, y):
        slope = tf.cosh(tf.asinh(y) / self.tailweight - self.skewness) / _root(y)
        return tf.log(slope) - tf.log(self.tailweight)


def _root(x: tf.Tensor) -> tf.Tensor:
    """Return sqrt(x² + 1), also where x² overflows."""
    large = tf.abs(x) * np.sqrt(np.finfo(x.dtype.as_numpy_dtype).eps) > 1
    return tf.where_v2(large, tf.abs(x), tf.sqrt(tf.where_v2(large, tf.zeros_like(x), x) ** 2 + 1))


class SoftmaxCentered(Bijector):
    """y = softmax([x, 0]); TensorFlow Probability's cannot be made with today's NumPy."""

    def __init__(self, validate_args=False, name="softmax_centered", event_ndims=None):
        super().__init__(forward_min_event_ndims=1, validate_args=validate_args, name=name)

    def _forward_event_shape(self, input_shape):
        return _last_grown(tf.TensorShape(input_shape), 1)

    def _forward_event_shape_tensor(self, input_shape):
        return input_shape[-1:] + 1

    def _inverse_event_shape(self, output_shape):
        return _last_grown(tf.TensorShape(output_shape), -1)

    def _inverse_event_shape_tensor(self, output_shape):
        return output_shape[-1:] - 1

    def _forward(self, x):
        y = tf.nn.softmax(tf.concat([x, tf.zeros_like(x[..., :1])], -1))
        y.set_shape(x.shape[:-1].concatenate(self._forward_event_shape(x.shape[-1:])))
        return y

    def _inverse(self, y):
        log_y = tf.log(y)
        x = log_y[..., :-1] - log_y[..., -1:]
        x.set_shape(y.shape[:-1].concatenate(self._inverse_event_shape(y.shape[-1:])))
        return x

    def _inverse_log_det_jacobian(self, y):
        return -tf.reduce_sum(tf.log(y), axis=-1)

    def _forward_log_det_jacobian(self, x):
        log_normalization = tf.nn.softplus(tf.reduce_logsumexp(x, axis=-1, keepdims=True))
        return tf.reduce_sum(x - log_normalization, axis=-1) - log_normalization[..., 0]


def _last_grown(shape: tf.TensorShape, by: int) -> tf.TensorShape:
    """Return the shape of the event alone."""
    last = None if shape.rank is None else shape.as_list()[-1]
    if last is None:
        return tf.TensorShape([None])
    if last + by < 1:
        raise ValueError(f"output_shape[-1] = {last} <= 1")
    return tf.TensorShape([last + by])


# TensorFlow Probability's


class _FromTFP(Bijector):
    """A bijector of TensorFlow Probability with the interface of TF1's."""

    _make: Callable
    _parameter_names: tuple[str, ...] = ()
    _defaults: dict[str, Any] = {}  # noqa: RUF012 - of the class, read only

    def __init__(self, *args: Any, **kwargs: Any):
        own_name = type(self).__name__
        event_ndims = kwargs.pop("event_ndims", None)
        order = dict.fromkeys((*self._parameter_names, "validate_args", "name"))
        given = {**self._defaults, **bind(own_name, tuple(order), {}, args, kwargs)}
        self._given = {key: value for key, value in given.items() if value is not None}
        if own_name == "Inline" and "inverse_min_event_ndims" not in self._given:
            self._given.setdefault("forward_min_event_ndims", _static(event_ndims))
        self._tfp = type(self)._make(
            tensorflow_probability().bijectors,
            **{key: as_tfp(value) for key, value in self._given.items()},
        )
        super().__init__(
            is_constant_jacobian=self._tfp.is_constant_jacobian,
            validate_args=given.get("validate_args", False),
            dtype=self._tfp.dtype,
            forward_min_event_ndims=int(self._tfp.forward_min_event_ndims),
            inverse_min_event_ndims=int(self._tfp.inverse_min_event_ndims),
            name=given.get("name") or self._tfp.name,
            event_ndims=event_ndims,
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        given = self._given.get(name)
        if name in ("bijector", "bijectors", "diag_bijector") and given is not None:
            return given
        return getattr(self._tfp, name)


def _forward_to(cls: type, attribute: str) -> type:
    """Give a bijector its methods by another one, TF1's or TensorFlow Probability's."""
    for name in ("forward", "inverse"):

        def value(self, x, _name=name, **condition):
            return getattr(getattr(self, attribute), _name)(x, **condition)

        def log_det(self, x, _name=name, **condition):
            other = getattr(self, attribute)
            ndims = getattr(other, f"{_name}_min_event_ndims")
            found = getattr(other, f"{_name}_log_det_jacobian")
            return found(x, event_ndims=ndims, **condition)

        def shape(self, x, _name=name):
            return tf.TensorShape(getattr(getattr(self, attribute), f"{_name}_event_shape")(x))

        def shape_tensor(self, x, _name=name):
            return getattr(getattr(self, attribute), f"{_name}_event_shape_tensor")(x)

        setattr(cls, f"_{name}", value)
        setattr(cls, f"_{name}_log_det_jacobian", log_det)
        setattr(cls, f"_{name}_event_shape", shape)
        setattr(cls, f"_{name}_event_shape_tensor", shape_tensor)
    cls._is_injective = property(lambda self: getattr(self, attribute)._is_injective)
    return cls


_forward_to(_FromTFP, "_tfp")


class _MatrixInverseTriL(_FromTFP):
    """The log-determinant is TF1's -2 n log|det x|, not the right one, -(n + 1) log|det x|."""

    def _forward_log_det_jacobian(self, x):
        log_det = tf.reduce_sum(tf.log(tf.abs(tf.matrix_diag_part(x))), axis=-1)
        return -2 * tf.cast(tf.shape(x)[-1], x.dtype) * log_det

    def _inverse_log_det_jacobian(self, y):
        return -self._forward_log_det_jacobian(self._inverse(y))


@functools.cache
def _wrapper() -> type:
    class Wrapped(tensorflow_probability().bijectors.Bijector):
        """A bijector of TF1 with the interface of TensorFlow Probability's."""

        def __init__(self, old: bijector_impl.Bijector):
            self.old = old
            super().__init__(
                is_constant_jacobian=old.is_constant_jacobian,
                dtype=old.dtype,
                forward_min_event_ndims=old.forward_min_event_ndims,
                inverse_min_event_ndims=old.inverse_min_event_ndims,
                parameters={"old": old},
                name=old.name,
            )

    return _forward_to(Wrapped, "old")


def as_tfp(value: Any) -> Any:
    """Return TensorFlow Probability's form of a bijector, or of a list of them; all else as is."""
    if isinstance(value, bijector_impl.Bijector):
        return getattr(value, "_tfp", None) or _wrapper()(value)
    if isinstance(value, (list, tuple)) and any(
        isinstance(each, bijector_impl.Bijector) for each in value
    ):
        return [as_tfp(each) for each in value]
    return value


def _named(name: str) -> Callable:
    return lambda tfb, **arguments: getattr(tfb, name)(**arguments)


def _batch_normalization(tfb, batchnorm_layer=None, **arguments):
    """By default with TF1's own layer, whose variables have the names of then."""
    if batchnorm_layer is None:
        module = import_module("tf_keras.src.legacy_tf_layers.normalization")
        batchnorm_layer = module.BatchNormalization(gamma_constraint=lambda x: tf.nn.relu(x) + 1e-6)
    return tfb.BatchNormalization(batchnorm_layer=batchnorm_layer, **arguments)


def _kumaraswamy(tfb, name, **arguments):
    return tfb.Invert(tfb.KumaraswamyCDF(**arguments), name=name)


def _ordered(tfb, name, **arguments):
    return tfb.Invert(tfb.Ascending(**arguments), name=name)


def _scale_tril(tfb, diag_shift=None, **arguments):
    return tfb.FillScaleTriL(diag_shift=diag_shift, **arguments)


_INLINE = (
    "forward_fn inverse_fn inverse_log_det_jacobian_fn forward_log_det_jacobian_fn "
    "forward_event_shape_fn forward_event_shape_tensor_fn inverse_event_shape_fn "
    "inverse_event_shape_tensor_fn is_constant_jacobian validate_args forward_min_event_ndims "
    "inverse_min_event_ndims"
)
# By name: TF 1's arguments in order, what makes it, their defaults if those have changed.
_PROBABILITY: dict[str, tuple[str, Callable, dict[str, Any]]] = {
    "AbsoluteValue": ("", _named("AbsoluteValue"), {}),
    "BatchNormalization": ("batchnorm_layer training", _batch_normalization, {}),
    "Chain": ("bijectors", _named("Chain"), {}),
    "CholeskyOuterProduct": ("", _named("CholeskyOuterProduct"), {}),
    "Exp": ("", _named("Exp"), {"name": "exp"}),
    "FillTriangular": ("upper", _named("FillTriangular"), {}),
    "Gumbel": ("loc scale", _named("GumbelCDF"), {"name": "gumbel"}),
    "Inline": (_INLINE, _named("Inline"), {}),
    "Invert": ("bijector", _named("Invert"), {}),
    "Kumaraswamy": ("concentration1 concentration0", _kumaraswamy, {"name": "kumaraswamy"}),
    "MaskedAutoregressiveFlow": (
        "shift_and_log_scale_fn is_constant_jacobian", _named("MaskedAutoregressiveFlow"), {},
    ),
    "MatrixInverseTriL": ("", _named("MatrixInverseTriL"), {}),
    "Ordered": ("", _ordered, {"name": "ordered"}),
    "Permute": ("permutation", _named("Permute"), {}),
    "PowerTransform": ("power", _named("PowerTransform"), {}),
    "RealNVP": ("num_masked shift_and_log_scale_fn is_constant_jacobian", _named("RealNVP"), {}),
    "Reshape": ("event_shape_out event_shape_in", _named("Reshape"), {}),
    "ScaleTriL": ("diag_bijector diag_shift", _scale_tril, {"diag_shift": 1e-5}),
    "Sigmoid": ("", _named("Sigmoid"), {}),
    "Softplus": ("hinge_softness", _named("Softplus"), {}),
    "Softsign": ("", _named("Softsign"), {}),
    "Square": ("", _named("Square"), {}),
    "TransformDiagonal": ("diag_bijector", _named("TransformDiagonal"), {}),
    "Weibull": ("scale concentration", _named("WeibullCDF"), {"name": "weibull"}),
}  # fmt: skip


def _function(name: str) -> Lazy:
    return Lazy(lambda: getattr(tensorflow_probability().bijectors, name))


def names() -> dict[str, object]:
    """Return the bijectors by TF1's names, relative to their module."""
    made = {
        name: type(
            name,
            (_MatrixInverseTriL if name == "MatrixInverseTriL" else _FromTFP,),
            {
                "_make": staticmethod(make),
                "_parameter_names": tuple(parameters.split()),
                "_defaults": defaults,
                "__doc__": f"TensorFlow Probability's bijector with the interface of TF1's {name}.",
                "__module__": "tensorflow.contrib.distributions.bijectors",
            },
        )
        for name, (parameters, make, defaults) in _PROBABILITY.items()
    }
    ours = (
        Affine,
        AffineLinearOperator,
        AffineScalar,
        Bijector,
        Identity,
        SinhArcsinh,
        SoftmaxCentered,
    )
    functions = (
        "masked_autoregressive_default_template", "masked_dense", "real_nvp_default_template",
    )  # fmt: skip
    return (
        made
        | {cls.__name__: cls for cls in ours}
        | {name: _function(name) for name in functions}
        | {"ConditionalBijector": Bijector, "SigmoidCentered": SoftmaxCentered}
    )
