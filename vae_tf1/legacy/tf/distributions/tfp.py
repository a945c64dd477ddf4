"""The distributions of TF1 that TensorFlow Probability computes."""

from __future__ import annotations

import inspect
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.tf.distributions.base import (
    Distribution,
    OldNames,
    as_tfp,
    bind,
    make_class,
    old_parameters,
    tensorflow_probability,
)  # fmt: skip

__all__ = ["classes"]

_GAMMA = {"alpha": "concentration", "beta": "rate"}

# By name: TensorFlow Probability's name, TF 1's arguments in order, those before TF 1.0.
_PROBABILITY: dict[str, tuple[str, str, dict[str, str]]] = {
    "Binomial": ("Binomial", "total_count logits probs", {"n": "total_count", "p": "probs"}),
    "Cauchy": ("Cauchy", "loc scale", {}),
    "Chi2": ("Chi2", "df", {}),
    "Deterministic": ("Deterministic", "loc atol rtol", {}),
    "ExpRelaxedOneHotCategorical": (
        "ExpRelaxedOneHotCategorical", "temperature logits probs", {},
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
    "Logistic": ("Logistic", "loc scale", {}),
    "Mixture": ("Mixture", "cat components", {}),
    "MixtureSameFamily": (
        "MixtureSameFamily", "mixture_distribution components_distribution", {},
    ),
    "MultivariateNormalDiag": (
        "MultivariateNormalDiag",
        "loc scale_diag scale_identity_multiplier",
        {"mu": "loc", "diag_stdev": "scale_diag"},
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
        "RelaxedOneHotCategorical", "temperature logits probs", {},
    ),
    "TransformedDistribution": (
        "TransformedDistribution", "distribution bijector batch_shape event_shape", {},
    ),
    "VectorDeterministic": ("VectorDeterministic", "loc atol rtol", {}),
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
        arguments["scale_diag"] = multiplier * tf.ones_like(loc)
    else:
        arguments["scale_diag"] = multiplier + diagonal


def _base_shapes(arguments: dict) -> None:
    """Give the base of a transformed distribution the shapes that TF1 took beside it."""
    distributions = tensorflow_probability().distributions
    batch_shape = arguments.pop("batch_shape", None)
    event_shape = arguments.pop("event_shape", None)
    if batch_shape is not None:
        arguments["distribution"] = distributions.BatchBroadcast(
            arguments["distribution"], to_shape=batch_shape
        )
    if event_shape is not None:
        arguments["distribution"] = distributions.Sample(arguments["distribution"], event_shape)


class _FromTFP(OldNames, Distribution):
    """A distribution of TensorFlow Probability with the interface of TF1's."""

    _tfp_name = ""
    _parameter_names: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any):
        own_name = type(self).__name__
        names_in_order = (*self._parameter_names, "validate_args", "allow_nan_stats", "name")
        given = bind(own_name, names_in_order, self._renamed, args, kwargs)
        arguments = {key: as_tfp(value) for key, value in given.items() if value is not None}
        name = arguments.setdefault("name", own_name)
        tfp_class = getattr(tensorflow_probability().distributions, self._tfp_name)
        with tf.name_scope(name):
            self._adapt(arguments)
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

    def _adapt(self, arguments: dict) -> None:
        """Put the arguments in the form that TensorFlow Probability has for them."""
        own_name = type(self).__name__
        if own_name == "MultivariateNormalDiag":
            _identity_multiplier(arguments)
        elif own_name == "MultivariateNormalDiagWithSoftplusScale":
            arguments["scale_diag"] = tf.nn.softplus(arguments["scale_diag"])
        elif own_name == "TransformedDistribution":
            _base_shapes(arguments)
        elif own_name == "InverseGamma" and "rate" in arguments:
            arguments["scale"] = arguments.pop("rate")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            name_there = "scale" if name == "rate" and self._tfp_name == "InverseGamma" else name
            if hasattr(self._tfp, name_there):
                return getattr(self._tfp, name_there)
            if self.parameters.get(name) is not None:
                return tf.convert_to_tensor(self.parameters[name])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _batch_shape_tensor(self):
        return self._tfp.batch_shape_tensor()

    def _batch_shape(self):
        return self._tfp.batch_shape

    def _event_shape_tensor(self):
        return self._tfp.event_shape_tensor()

    def _event_shape(self):
        return self._tfp.event_shape

    def _sample_n(self, n, seed=None):
        return self._tfp.sample(n, seed=seed)

    def _log_prob(self, value):
        return self._tfp.log_prob(value)

    def _cdf(self, value):
        return self._tfp.cdf(value)

    def _log_cdf(self, value):
        return self._tfp.log_cdf(value)

    def _quantile(self, value):
        return self._tfp.quantile(value)

    def _entropy(self):
        return self._tfp.entropy()

    def _mean(self):
        return self._tfp.mean()

    def _stddev(self):
        return self._tfp.stddev()

    def _variance(self):
        return self._tfp.variance()

    def _covariance(self):
        return self._tfp.covariance()

    def _mode(self):
        return self._tfp.mode()


def classes() -> dict[str, type]:
    """Return the classes by TF1's names, those before TF 1.0 included."""
    made = {
        name: make_class(
            name,
            (_FromTFP,),
            {
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
