"""What the distributions of TF1 share: old names of methods and arguments, and their KL."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

__all__ = [
    "FORWARDED", "OldNames", "as_tfp", "bind", "is_distribution", "is_stochastic", "kl",
    "kl_divergence", "make_class", "old_parameters", "tensorflow_probability",
]  # fmt: skip

Distribution = tf.distributions.Distribution
_MODULE = "tensorflow.contrib.distributions"


class _Shape(tf.TensorShape):
    """A static shape that can be called: before TF 1.0 `batch_shape()` gave it as a tensor."""

    def __init__(self, shape: tf.TensorShape, as_tensor: Callable[[], tf.Tensor]):
        super().__init__(shape)
        self._as_tensor = as_tensor

    def __call__(self, name: str | None = None) -> tf.Tensor:
        return tf.identity(self._as_tensor(), name=name)

    def __reduce__(self):
        return tf.TensorShape, (self.as_list() if self.rank is not None else None,)


class OldNames:
    """The methods that a distribution had before TF 1.0."""

    _renamed: dict[str, str] = {}  # noqa: RUF012 - today's argument for each old one

    def copy(self, **override: Any) -> Distribution:
        """Return the same distribution with some arguments changed."""
        return super().copy(**{self._renamed.get(k, k): v for k, v in override.items()})

    def sample_n(self, n: Any, seed: int | None = None, name: str = "sample_n") -> tf.Tensor:
        """Draw `n` samples along a new first axis."""
        return self.sample([n], seed=seed, name=name)

    def log_pdf(self, value: Any, name: str = "log_pdf") -> tf.Tensor:
        """Return the log density."""
        return self.log_prob(value, name=name)

    def log_pmf(self, value: Any, name: str = "log_pmf") -> tf.Tensor:
        """Return the log probability mass."""
        return self.log_prob(value, name=name)

    def pdf(self, value: Any, name: str = "pdf") -> tf.Tensor:
        """Return the density."""
        return self.prob(value, name=name)

    def pmf(self, value: Any, name: str = "pmf") -> tf.Tensor:
        """Return the probability mass."""
        return self.prob(value, name=name)

    def std(self, name: str = "std") -> tf.Tensor:
        """Return the standard deviation."""
        return self.stddev(name=name)

    def get_batch_shape(self) -> tf.TensorShape:
        """Return the static shape of the batch."""
        return self.batch_shape

    def get_event_shape(self) -> tf.TensorShape:
        """Return the static shape of one event."""
        return self.event_shape

    def kl_divergence(self, other: Distribution, name: str = "kl_divergence") -> tf.Tensor:
        """Return KL(self || other)."""
        return kl_divergence(self, other, allow_nan_stats=self.allow_nan_stats, name=name)

    @property
    def batch_shape(self) -> tf.TensorShape:
        """The static shape of the batch."""
        return _Shape(super().batch_shape, self.batch_shape_tensor)

    @property
    def event_shape(self) -> tf.TensorShape:
        """The static shape of one event."""
        return _Shape(super().event_shape, self.event_shape_tensor)

    @property
    def is_reparameterized(self) -> bool:
        """Whether gradients reach the parameters through a sample."""
        return self.reparameterization_type == tf.distributions.FULLY_REPARAMETERIZED

    @property
    def is_continuous(self) -> bool:
        """Whether `log_prob` is the log of a density."""
        return type(self).__name__ not in _DISCRETE and self.dtype.is_floating


_DISCRETE = {
    "Bernoulli", "BernoulliWithSigmoidProbs", "Binomial", "Categorical", "DirichletMultinomial",
    "Geometric", "Multinomial", "NegativeBinomial", "OneHotCategorical", "Poisson",
    "QuantizedDistribution",
}  # fmt: skip


def bind(name: str, parameters: tuple[str, ...], renamed: dict[str, str], args, kwargs) -> dict:
    """Return the arguments of a constructor by today's names."""
    if len(args) > len(parameters):
        raise TypeError(f"{name} takes {len(parameters)} arguments, but got {len(args)}.")
    bound = dict(zip(parameters, args, strict=False))
    for given, value in kwargs.items():
        parameter = renamed.get(given, given)
        if parameter not in parameters:
            raise TypeError(
                f"{name} has no argument {given!r}; it takes {', '.join(parameters)}"
                + (f" (before TF 1.0: {', '.join(renamed)})." if renamed else ".")
            )
        if parameter in bound:
            raise TypeError(f"{name} was given {parameter!r} twice.")
        bound[parameter] = value
    return bound


def old_parameters(renamed: dict[str, str]) -> dict[str, property]:
    """Return properties that give a parameter under its name before TF 1.0."""
    return {
        old: property(
            lambda self, new=new: getattr(self, new), doc=f"The parameter `{new}`, by its old name."
        )
        for old, new in renamed.items()
    }


def make_class(name: str, bases: tuple, members: dict, doc: str | None) -> type:
    """Make a class that says it comes from `tf.contrib.distributions`."""
    metaclass = type(Distribution)
    return metaclass(name, bases, {**members, "__doc__": doc, "__module__": _MODULE})


def is_stochastic(value: Any) -> bool:
    """Tell whether a parameter stands for a tensor without being one (a StochasticTensor)."""
    return hasattr(value, "distribution") and hasattr(value, "value")


def is_distribution(value: Any) -> bool:
    """Tell whether a parameter is a distribution, or a list of them."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(is_distribution, value))
    return isinstance(value, Distribution)


def tensorflow_probability() -> Any:
    """Import TensorFlow Probability, which takes a second or two, when it is needed."""
    import tensorflow_probability as tfp

    return tfp


def as_tfp(value: Any) -> Any:
    """Turn a distribution of this family into TensorFlow Probability's; leave all else alone."""
    if hasattr(value, "_tfp"):
        return value._tfp
    if isinstance(value, Distribution):
        genuine = type(value).__module__.startswith(("tensorflow.python", _MODULE))
        for base in type(value).__mro__ if genuine else ():  # a script's own may change a method
            if getattr(tf.distributions, base.__name__, None) is base:
                arguments = {
                    parameter: getattr(value, parameter)
                    for parameter in inspect.signature(base).parameters
                    if hasattr(value, parameter) and parameter != "name"
                }
                if arguments.get("logits") is not None:
                    arguments.pop("probs", None)
                return getattr(tensorflow_probability().distributions, base.__name__)(**arguments)
        return _wrapper()(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(as_tfp, value))
    return tf.convert_to_tensor(value) if is_stochastic(value) else value


FORWARDED = (
    "batch_shape_tensor", "cdf", "covariance", "entropy", "event_shape_tensor", "log_cdf",
    "log_prob", "log_survival_function", "mean", "mode", "prob", "quantile", "stddev",
    "survival_function", "variance",
)  # fmt: skip


@functools.cache
def _wrapper() -> type:
    class Wrapped(tensorflow_probability().distributions.Distribution):
        """A distribution of TF1 with the interface of TensorFlow Probability's."""

        def __init__(self, old: Distribution):
            self.old = old
            kinds = tensorflow_probability().distributions
            fully = old.reparameterization_type == tf.distributions.FULLY_REPARAMETERIZED
            super().__init__(
                dtype=old.dtype,
                reparameterization_type=(
                    kinds.FULLY_REPARAMETERIZED if fully else kinds.NOT_REPARAMETERIZED
                ),
                validate_args=old.validate_args,
                allow_nan_stats=old.allow_nan_stats,
                parameters={"old": old},
                name=old.name,
            )

        def _sample_n(self, n, seed=None, **kwargs):
            return self.old.sample(n, seed=seed if isinstance(seed, int) else None)

    for method in FORWARDED:
        setattr(Wrapped, f"_{method}", lambda self, *x, _m=method: getattr(self.old, _m)(*x))
    for shape in ("batch_shape", "event_shape"):
        setattr(Wrapped, f"_{shape}", lambda self, _s=shape: getattr(self.old, _s))
    return Wrapped


def kl_divergence(
    distribution_a: Distribution,
    distribution_b: Distribution,
    allow_nan_stats: bool = True,
    name: str | None = None,
) -> tf.Tensor:
    """Return the closed form of KL(a || b), one value an event.

    Parameters
    ----------
    allow_nan_stats
        Whether a NaN may come out; if not, the run that meets one fails.

    Raises
    ------
    NotImplementedError
        If no closed form is known for the two distributions.
    """
    return tf.distributions.kl_divergence(
        distribution_a, distribution_b, allow_nan_stats=allow_nan_stats, name=name
    )


def kl(
    dist_a: Distribution, dist_b: Distribution, allow_nan: bool = False, name: str | None = None
) -> tf.Tensor:
    """Return KL(a || b) as before TF 1.0, when a run that met a NaN failed by default."""
    return kl_divergence(dist_a, dist_b, allow_nan_stats=allow_nan, name=name)
