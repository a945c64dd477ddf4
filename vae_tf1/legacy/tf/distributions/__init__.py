"""`tf.contrib.distributions` and `tf.distributions`, in the spelling before TF 1.0 as well.

The twelve distributions that `tensorflow.compat.v1` still has are those very classes, which here
also take the old arguments (`Normal(mu=, sigma=)`, `Bernoulli(p=)`) and answer to the old methods
(`sample_n`, `log_pmf`, `std`). The others are TensorFlow Probability's, in the same dress; it is
imported when the first of them is made.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.python.ops.distributions import util as distribution_util

from vae_tf1.legacy.machinery.lazy import Lazy
from vae_tf1.legacy.tf.distributions import bijectors, transformed
from vae_tf1.legacy.tf.distributions import tfp as distributions_tfp
from vae_tf1.legacy.tf.distributions.base import (
    OldNames,
    bind,
    is_stochastic,
    kl,
    kl_divergence,
    make_class,
    old_parameters,
    tensorflow_probability,
)  # fmt: skip

__all__ = ["names", "title"]

title = "`tf.contrib.distributions` and `tf.distributions`, in the spelling before TF 1.0 as well"

_NORMAL = {"mu": "loc", "sigma": "scale"}
_BERNOULLI = {"p": "probs"}
_BETA = {"a": "concentration1", "b": "concentration0"}
_GAMMA = {"alpha": "concentration", "beta": "rate"}

_V1 = {
    "Bernoulli": _BERNOULLI,
    "Beta": _BETA,
    "Categorical": {"p": "probs"},
    "Dirichlet": {"alpha": "concentration"},
    "DirichletMultinomial": {"n": "total_count", "alpha": "concentration"},
    "Exponential": {"lam": "rate"},
    "Gamma": _GAMMA,
    "Laplace": {},
    "Multinomial": {"n": "total_count", "p": "probs"},
    "Normal": _NORMAL,
    "StudentT": _NORMAL,
    "Uniform": {"a": "low", "b": "high"},
}


def _dressed(
    base: type, renamed: dict[str, str], transforms: dict[str, Callable] | None = None,
    name: str | None = None,
) -> type:  # fmt: skip
    """Make a subclass of a v1 distribution that takes the old arguments too.

    Parameters
    ----------
    renamed
        The argument of today for each one from before TF 1.0.
    transforms
        What is applied to an argument before it is used, as softplus in `NormalWithSoftplusScale`.
    """
    name = name or base.__name__
    transforms = transforms or {}
    signature = inspect.signature(base)
    parameters = tuple(signature.parameters)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        given = bind(name, parameters, renamed, args, kwargs)
        missing = [
            parameter
            for parameter, spec in signature.parameters.items()
            if spec.default is inspect.Parameter.empty and parameter not in given
        ]
        if missing:
            raise TypeError(f"{name} needs {' and '.join(missing)}.")
        given = {k: tf.convert_to_tensor(v) if is_stochastic(v) else v for k, v in given.items()}
        given.setdefault("name", name)
        arguments = {
            key: transforms[key](value) if key in transforms else value
            for key, value in given.items()
        }
        base.__init__(self, **arguments)
        if transforms:
            self._parameters = {**self._parameters, **given}  # for copy()

    __init__.__signature__ = inspect.signature(base.__init__)  # what `help` and a subclass see
    members = {"__init__": __init__, "_renamed": renamed}
    if issubclass(base, OldNames):
        return make_class(name, (base,), members, base.__doc__)
    return make_class(name, (OldNames, base), members | old_parameters(renamed), base.__doc__)


def _softplus(*parameters: str) -> dict[str, Callable]:
    return dict.fromkeys(parameters, tf.nn.softplus)


# By name: the distribution, what is applied to its arguments, the name before TF 1.0.
_TRANSFORMED: dict[str, tuple[str, dict[str, Callable], str]] = {
    "NormalWithSoftplusScale": ("Normal", _softplus("scale"), "NormalWithSoftplusSigma"),
    "LaplaceWithSoftplusScale": ("Laplace", _softplus("scale"), "LaplaceWithSoftplusScale"),
    "ExponentialWithSoftplusRate": (
        "Exponential",
        _softplus("rate"),
        "ExponentialWithSoftplusLam",
    ),
    "GammaWithSoftplusConcentrationRate": (
        "Gamma",
        _softplus("concentration", "rate"),
        "GammaWithSoftplusAlphaBeta",
    ),
    "BetaWithSoftplusConcentration": (
        "Beta",
        _softplus("concentration1", "concentration0"),
        "BetaWithSoftplusAB",
    ),
    "StudentTWithAbsDfSoftplusScale": (
        "StudentT",
        {"df": lambda df: tf.floor(tf.abs(df)), "scale": tf.nn.softplus},
        "StudentTWithAbsDfSoftplusSigma",
    ),
}


@functools.cache  # the same classes at each call, for isinstance
def _classes() -> dict[str, type]:
    classes = {name: _dressed(getattr(tf.distributions, name), old) for name, old in _V1.items()}
    for name, (base, transforms, old_name) in _TRANSFORMED.items():
        made = _dressed(classes[base], _V1[base], transforms, name)
        classes |= {name: made, old_name: made}
    # Bernoulli of logits alone; before TF 1.0 its argument was called `p` nevertheless.
    made = _dressed(classes["Bernoulli"], {"p": "logits"}, name="BernoulliWithSigmoidProbs")
    return classes | {"BernoulliWithSigmoidProbs": made, "BernoulliWithSigmoidP": made}


# TensorFlow 1's own, which TensorFlow still has.
_UTIL = (
    "fill_triangular", "fill_triangular_inverse", "matrix_diag_transform",
    "reduce_weighted_logsumexp", "softplus_inverse", "tridiag",
)  # fmt: skip


def _posterior(prior: Any, scale: Any, s: Any, n: Any) -> Any:
    """Return p(mean | n values of the sum s), which are normal with a known scale."""
    return _conjugate(prior, scale, s, n, 0.0)


def _predictive(prior: Any, scale: Any, s: Any, n: Any) -> Any:
    """Return p(the next value | n values of the sum s), which are normal with a known scale."""
    return _conjugate(prior, scale, s, n, 1.0)


def _conjugate(prior: Any, scale: Any, s: Any, n: Any, noise: float) -> Any:
    scale = tf.convert_to_tensor(scale)
    prior_precision = 1 / prior.scale**2
    variance = 1 / (prior_precision + tf.cast(n, scale.dtype) / scale**2)
    loc = (prior.loc * prior_precision + s / scale**2) * variance
    return _classes()["Normal"](loc=loc, scale=tf.sqrt(variance + noise * scale**2))


# Modules of `tf.contrib.distributions.python.ops` that hold classes of other names too.
_MODULE_OF = {
    "Chi2WithAbsDf": "chi2",
    "ExpRelaxedOneHotCategorical": "relaxed_onehot_categorical",
    "InverseGammaWithSoftplusConcentrationRate": "inverse_gamma",
    "MultivariateNormalDiag": "mvn_diag",
    "MultivariateNormalDiagPlusLowRank": "mvn_diag_plus_low_rank",
    "MultivariateNormalDiagWithSoftplusScale": "mvn_diag",
    "MultivariateNormalFullCovariance": "mvn_full_covariance",
    "MultivariateNormalTriL": "mvn_tril",
    "OneHotCategorical": "onehot_categorical",
    "RelaxedOneHotCategorical": "relaxed_onehot_categorical",
    "VectorDeterministic": "deterministic",
    "WishartCholesky": "wishart",
    "WishartFull": "wishart",
}


def _addresses(contrib: dict[str, object], made: dict[str, object]) -> dict[str, object]:
    """Return the distributions, and the bijectors, under the modules that held their code."""

    def module_of(name: str) -> str:
        return _MODULE_OF.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()

    ops = "python.ops"
    found = {f"{ops}.{module_of(n)}.{n}": v for n, v in contrib.items() if n[0].isupper()}
    for name, value in made.items():
        found |= {f"{ops}.bijectors.{name}": value}
        found |= {f"{ops}.bijectors.{module_of(name)}.{name}": value}
    util = {name: getattr(distribution_util, name) for name in dir(distribution_util)}
    return found | {
        f"{ops}.distribution_util.{name}": value for name, value in util.items() if name[0] != "_"
    }


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    classes = _classes()
    constants = {
        name: getattr(tf.distributions, name)
        for name in (
            "Distribution", "FULLY_REPARAMETERIZED", "NOT_REPARAMETERIZED", "RegisterKL",
            "ReparameterizationType",
        )
    }  # fmt: skip
    contrib = (
        classes
        | distributions_tfp.classes()
        | transformed.classes()
        | constants
        | {"kl": kl, "kl_divergence": kl_divergence}
    )
    contrib |= {
        "percentile": Lazy(lambda: tensorflow_probability().stats.percentile),
        "auto_correlation": Lazy(lambda: tensorflow_probability().stats.auto_correlation),
        "normal_conjugates_known_scale_posterior": _posterior,
        "normal_conjugates_known_scale_predictive": _predictive,
        "ConditionalDistribution": tf.distributions.Distribution,
        **{name: getattr(distribution_util, name) for name in _UTIL},
    }
    made = bijectors.names()
    for place in ("bijector", "bijectors"):
        contrib |= {f"{place}.{name}": value for name, value in made.items()}
    contrib |= _addresses(contrib, made)
    core = {name: classes[name] for name in _V1} | {"kl_divergence": kl_divergence}
    core |= {f"bijectors.{name}": made[name] for name in ("Bijector", "Identity")}
    genuine = "python.ops.distributions.transformed_distribution.TransformedDistribution"
    return (
        {genuine: contrib["TransformedDistribution"]}
        | {f"contrib.distributions.{name}": value for name, value in contrib.items()}
        | {f"distributions.{name}": value for name, value in core.items()}
    )
