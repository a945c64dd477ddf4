"""The distributions of TF1 that TensorFlow Probability computes."""

from __future__ import annotations

import inspect
from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.python.ops.distributions import kullback_leibler

from vae_tf1.legacy.tf.distributions.base import (
    FORWARDED,
    Distribution,
    OldNames,
    as_tfp,
    bind,
    is_distribution,
    make_class,
    old_parameters,
    tensorflow_probability,
)  # fmt: skip
from vae_tf1.legacy.tf.distributions.samples import SAMPLERS

__all__ = ["classes"]

_GAMMA = {"alpha": "concentration", "beta": "rate"}

_MVN_DIAG = "loc scale_diag scale_identity_multiplier"
_WISHART = "df scale cholesky_input_output_matrices"

# By name: TensorFlow Probability's name, TF 1's arguments in order, those before TF 1.0.
_PROBABILITY: dict[str, tuple[str, str, dict[str, str]]] = {
    "Autoregressive": ("Autoregressive", "distribution_fn sample0 num_steps", {}),
    "BatchReshape": ("BatchReshape", "distribution batch_shape", {}),
    "Binomial": ("Binomial", "total_count logits probs", {"n": "total_count", "p": "probs"}),
    "Cauchy": ("Cauchy", "loc scale", {}),
    "Chi2": ("Chi2", "df", {}),
    "Chi2WithAbsDf": ("Chi2", "df", {}),
    "Deterministic": ("Deterministic", "loc atol rtol", {}),
    "ExpRelaxedOneHotCategorical": (
        "ExpRelaxedOneHotCategorical", "temperature logits probs dtype", {},
    ),
    "Geometric": ("Geometric", "logits probs", {}),
    "Gumbel": ("Gumbel", "loc scale", {}),
    "HalfNormal": ("HalfNormal", "scale", {}),
    "Independent": (
        "Independent",
        "distribution reinterpreted_batch_ndims",
        {"reduce_batch_ndims": "reinterpreted_batch_ndims"},
    ),
    "InverseGamma": ("InverseGamma", "concentration rate", _GAMMA),
    "InverseGammaWithSoftplusConcentrationRate": ("InverseGamma", "concentration rate", _GAMMA),
    "Kumaraswamy": ("Kumaraswamy", "concentration1 concentration0", {}),
    "Logistic": ("Logistic", "loc scale", {}),
    "Mixture": (
        "Mixture", "cat components validate_args allow_nan_stats use_static_graph", {},
    ),
    "MixtureSameFamily": (
        "MixtureSameFamily", "mixture_distribution components_distribution", {},
    ),
    "MultivariateNormalDiag": (
        "MultivariateNormalDiag",
        _MVN_DIAG,
        {"mu": "loc", "diag_stdev": "scale_diag"},
    ),
    "MultivariateNormalDiagPlusLowRank": (
        "MultivariateNormalDiagPlusLowRank",
        _MVN_DIAG + " scale_perturb_factor scale_perturb_diag",
        {},
    ),
    "MultivariateNormalDiagWithSoftplusScale": (
        "MultivariateNormalDiag",
        "loc scale_diag",
        {"mu": "loc", "diag_stdev": "scale_diag"},
    ),
    "MultivariateNormalFullCovariance": (
        "MultivariateNormalFullCovariance",
        "loc covariance_matrix",
        {"mu": "loc", "sigma": "covariance_matrix"},
    ),
    "MultivariateNormalTriL": (
        "MultivariateNormalTriL", "loc scale_tril", {"mu": "loc", "chol": "scale_tril"},
    ),
    "NegativeBinomial": ("NegativeBinomial", "total_count logits probs", {}),
    "OneHotCategorical": ("OneHotCategorical", "logits probs dtype", {"p": "probs"}),
    "Poisson": ("Poisson", "rate log_rate", {"lam": "rate"}),
    "QuantizedDistribution": (
        "QuantizedDistribution",
        "distribution low high",
        {"lower_cutoff": "low", "upper_cutoff": "high"},
    ),
    "RelaxedBernoulli": ("RelaxedBernoulli", "temperature logits probs", {}),
    "RelaxedOneHotCategorical": (
        "RelaxedOneHotCategorical", "temperature logits probs dtype", {},
    ),
    "VectorDeterministic": ("VectorDeterministic", "loc atol rtol", {}),
    "WishartCholesky": ("WishartTriL", _WISHART, {}),
    "WishartFull": ("WishartTriL", _WISHART, {}),
}  # fmt: skip
_OLD_CLASS_NAMES = {
    "MultivariateNormalCholesky": "MultivariateNormalTriL",
    "MultivariateNormalFull": "MultivariateNormalFullCovariance",
    "MultivariateNormalDiagWithSoftplusStDev": "MultivariateNormalDiagWithSoftplusScale",
}


def _identity_multiplier(arguments: dict) -> None:
    """Fold `scale_identity_multiplier`, which multiplies a unit diagonal, into `scale_diag`."""
    multiplier = arguments.pop("scale_identity_multiplier", None)
    if multiplier is None:
        return
    multiplier = tf.convert_to_tensor(multiplier)[..., tf.newaxis]
    diagonal = arguments.get("scale_diag")
    if diagonal is None:
        loc = arguments.get("loc")
        if loc is None:
            raise ValueError(
                "MultivariateNormalDiag with only a scale_identity_multiplier has no known size; "
                "give loc or scale_diag as well."
            )
        size = tf.shape(tf.convert_to_tensor(loc))[-1:]
        arguments["scale_diag"] = multiplier * tf.ones(size, multiplier.dtype)
    else:
        arguments["scale_diag"] = multiplier + diagonal


def _abs_df(arguments: dict) -> None:
    arguments["df"] = tf.floor(tf.abs(arguments["df"]))


def _inverse_gamma(arguments: dict) -> None:
    arguments["scale"] = arguments.pop("rate")


def _softplus_inverse_gamma(arguments: dict) -> None:
    arguments["concentration"] = tf.nn.softplus(arguments["concentration"])
    arguments["scale"] = tf.nn.softplus(arguments.pop("rate"))


def _softplus_scale(arguments: dict) -> None:
    arguments["scale_diag"] = tf.nn.softplus(arguments["scale_diag"])


def _wishart(arguments: dict) -> None:
    """`scale` is a Cholesky factor."""
    arguments["scale_tril"] = arguments.pop("scale")
    arguments["input_output_cholesky"] = arguments.pop("cholesky_input_output_matrices", False)


def _wishart_full(arguments: dict) -> None:
    arguments["scale"] = tf.cholesky(tf.convert_to_tensor(arguments["scale"]))
    _wishart(arguments)


# By TF1's name: what puts its arguments in the form that TensorFlow Probability has for them.
_ADAPT = {
    "Chi2WithAbsDf": _abs_df,
    "InverseGamma": _inverse_gamma,
    "InverseGammaWithSoftplusConcentrationRate": _softplus_inverse_gamma,
    "MultivariateNormalDiag": _identity_multiplier,
    "MultivariateNormalDiagPlusLowRank": _identity_multiplier,
    "MultivariateNormalDiagWithSoftplusScale": _softplus_scale,
    "WishartCholesky": _wishart,
    "WishartFull": _wishart_full,
}

# What `param_shapes` tells of, in those classes that had it.
_SHAPED = {
    "Cauchy": ("loc", "scale"),
    "Chi2": ("df",),
    "Chi2WithAbsDf": ("df",),
    "Gumbel": ("loc", "scale"),
    "HalfNormal": ("scale",),
    "InverseGamma": ("concentration", "rate"),
    "InverseGammaWithSoftplusConcentrationRate": ("concentration", "rate"),
    "Logistic": ("loc", "scale"),
    "RelaxedBernoulli": ("logits",),
}


class _FromTFP(OldNames, Distribution):
    """A distribution of TensorFlow Probability with the interface of TF1's."""

    _own_name = _tfp_name = ""
    _parameter_names: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any):
        own_name = self._own_name
        order = (*self._parameter_names, "validate_args", "allow_nan_stats", "name")
        given = bind(own_name, tuple(dict.fromkeys(order)), self._renamed, args, kwargs)
        arguments = {key: as_tfp(value) for key, value in given.items() if value is not None}
        name = arguments.setdefault("name", own_name)
        tfp_class = getattr(tensorflow_probability().distributions, self._tfp_name)
        with tf.name_scope(name):
            _ADAPT.get(own_name, lambda _: None)(arguments)
            accepted = inspect.signature(tfp_class.__init__).parameters
            self._tfp = tfp_class(**{k: v for k, v in arguments.items() if k in accepted})
        fully = tensorflow_probability().distributions.FULLY_REPARAMETERIZED
        super().__init__(
            dtype=self._tfp.dtype,
            reparameterization_type=(
                tf.distributions.FULLY_REPARAMETERIZED
                if self._tfp.reparameterization_type == fully
                else tf.distributions.NOT_REPARAMETERIZED
            ),
            validate_args=given.get("validate_args", False),
            allow_nan_stats=given.get("allow_nan_stats", True),
            parameters=given,
            name=name,
        )

    @classmethod
    def _param_shapes(cls, sample_shape):
        names = next((_SHAPED[c.__name__] for c in cls.__mro__ if c.__name__ in _SHAPED), None)
        if names is None:
            raise NotImplementedError(f"{cls.__name__} has no param_shapes")
        return {name: tf.convert_to_tensor(sample_shape, tf.int32) for name in names}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        given = self.parameters.get(name)
        if is_distribution(given):
            return given
        if name in ("dimension", "event_size"):
            return self.event_shape_tensor()[-1]
        name_there = "scale" if name == "rate" and self._tfp_name == "InverseGamma" else name
        value = getattr(self._tfp, name_there, None)
        if value is None and hasattr(self._tfp, f"{name}_parameter"):
            value = getattr(self._tfp, f"{name}_parameter")()  # from the other parameter
        if value is None and given is not None:
            value = tf.convert_to_tensor(given)
        if value is None and name not in self._parameter_names:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return value

    def _batch_shape(self):
        return self._tfp.batch_shape

    def _event_shape(self):
        return self._tfp.event_shape

    def _sample_n(self, n, seed=None):
        sampler = SAMPLERS.get(self._own_name)
        return self._tfp.sample(n, seed=seed) if sampler is None else sampler(self, n, seed)


for _method in FORWARDED:
    setattr(_FromTFP, f"_{_method}", lambda self, *x, _m=_method: getattr(self._tfp, _m)(*x))


def _kl(a: Distribution, b: Distribution, name: str | None = None) -> tf.Tensor:
    """Return KL(a || b) as TensorFlow Probability knows it."""
    with tf.name_scope(name or "KullbackLeibler"):
        return tensorflow_probability().distributions.kl_divergence(as_tfp(a), as_tfp(b))


# By hand: `RegisterKL` would first give the advice not to use it.
for _pair in ((_FromTFP, _FromTFP), (_FromTFP, Distribution), (Distribution, _FromTFP)):
    kullback_leibler._DIVERGENCES[_pair] = _kl


class _MultivariateNormal(_FromTFP):
    """Moments of the second order have the shape of the scale alone, as in TF1."""

    def _variance(self):
        return tf.square(self._stddev())

    def _stddev(self):
        if isinstance(self.scale, tf.linalg.LinearOperatorDiag):
            return tf.abs(self.scale.diag_part())
        return tf.sqrt(tf.matrix_diag_part(self._covariance()))

    def _covariance(self):
        return self.scale.matmul(self.scale.to_dense(), adjoint_arg=True)


def classes() -> dict[str, type]:
    """Return the classes by TF1's names, those before TF 1.0 included."""
    made = {
        name: make_class(
            name,
            (_MultivariateNormal if name.startswith("MultivariateNormal") else _FromTFP,),
            {
                "_own_name": name,
                "_tfp_name": tfp_name,
                "_parameter_names": tuple(parameters.split()),
                "_renamed": renamed,
                **old_parameters(renamed),
            },
            f"TensorFlow Probability's {tfp_name} with the interface of TF1's.",
        )
        for name, (tfp_name, parameters, renamed) in _PROBABILITY.items()
    }
    return made | {old: made[new] for old, new in _OLD_CLASS_NAMES.items()}
