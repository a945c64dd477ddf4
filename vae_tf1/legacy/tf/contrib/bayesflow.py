"""`tf.contrib.bayesflow`: stochastic tensors, a distribution and its sample in one object.

A `StochasticTensor` stands for its value wherever a tensor does: in ops, in arithmetic, in
`session.run`. Gradients reach the parameters through a sample of a reparameterised distribution;
for the others `stochastic_graph.surrogate_loss` adds a score-function term.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.machinery.lazy import Moved
from vae_tf1.legacy.tf import distributions

__all__ = ["StochasticTensor", "names", "score_function", "title", "upstream_of"]

title = "`tf.contrib.bayesflow`: stochastic tensors, a distribution and its sample in one object"

STOCHASTIC_TENSOR_COLLECTION = "_stochastic_tensor_collection_"
Distribution = tf.distributions.Distribution
Loss = Callable[["BaseStochasticTensor", tf.Tensor, tf.Tensor], tf.Tensor]


class _ValueType:
    """What the value of a stochastic tensor is."""

    def __init__(self, stop_gradient: bool = False):
        self.stop_gradient = stop_gradient

    def value_of(self, distribution: Distribution) -> tf.Tensor:
        """Return the value for a distribution."""
        raise NotImplementedError


class MeanValue(_ValueType):
    """The value is the mean."""

    def value_of(self, distribution: Distribution) -> tf.Tensor:
        """Return the mean."""
        return distribution.mean()


class SampleValue(_ValueType):
    """The value is a sample.

    Parameters
    ----------
    shape
        Axes of independent samples put before the distribution's own; none by default.
    n
        The same for one axis, as before TF 0.12.
    """

    def __init__(self, shape: Any = (), stop_gradient: bool = False, n: Any = None):
        super().__init__(stop_gradient)
        self.shape = shape if n is None else n

    def value_of(self, distribution: Distribution) -> tf.Tensor:
        """Draw the sample."""
        return distribution.sample(self.shape)


class SampleAndReshapeValue(_ValueType):
    """The value is `n` samples, joined along the distribution's first axis (usually the batch)."""

    def __init__(self, n: Any = 1, stop_gradient: bool = False):
        super().__init__(stop_gradient)
        self.n = n

    def value_of(self, distribution: Distribution) -> tf.Tensor:
        """Draw the samples and reshape (n, batch, ...) to (n * batch, ...)."""
        if isinstance(self.n, int) and self.n == 1:
            return distribution.sample()
        samples = distribution.sample([self.n])
        static, dynamic = samples.shape.as_list(), tf.shape(samples)
        if len(static) < 2:
            raise ValueError(
                "SampleAndReshapeValue joins samples along the first axis of a distribution, but "
                "this one is a scalar."
            )
        joined = tf.reshape(samples, tf.concat([[dynamic[0] * dynamic[1]], dynamic[2:]], 0))
        first = None if None in static[:2] else static[0] * static[1]
        joined.set_shape([first, *static[2:]])
        return joined


class NoValueTypeSetError(ValueError):
    """There is no `with value_type(...)` around."""


class _Stack(threading.local):
    def __init__(self):
        self.value_types: list[_ValueType] = []


_stack = _Stack()


@contextmanager
def value_type(dist_value_type: _ValueType) -> Iterator[None]:
    """Set what the value of each stochastic tensor made inside the `with` block is.

    Raises
    ------
    TypeError
        If that is not a `SampleValue()`, `MeanValue()` or `SampleAndReshapeValue()`.
    """
    if not isinstance(dist_value_type, _ValueType):
        raise TypeError(
            "value_type takes SampleValue(), MeanValue() or SampleAndReshapeValue(), but was given "
            f"{dist_value_type!r}."
        )
    _stack.value_types.append(dist_value_type)
    try:
        yield
    finally:
        _stack.value_types.pop()


def get_current_value_type() -> _ValueType:
    """Return the value type of the innermost `with value_type(...)`.

    Raises
    ------
    NoValueTypeSetError
        If there is none.
    """
    if not _stack.value_types:
        raise NoValueTypeSetError(
            "No value type is set; use `with value_type(SampleValue()):` around this."
        )
    return _stack.value_types[-1]


def score_function(
    stochastic_tensor: BaseStochasticTensor,
    value: tf.Tensor,
    loss: tf.Tensor,
    baseline: Any = None,
    name: str = "ScoreFunction",
) -> tf.Tensor:
    """Return `log p(value) * (loss - baseline)`, whose gradient is the score-function estimate."""
    with tf.name_scope(name, values=[value, loss, baseline]):
        advantage = loss if baseline is None else loss - baseline
        return stochastic_tensor.distribution.log_prob(value) * tf.stop_gradient(advantage)


def get_score_function_with_constant_baseline(baseline: Any, name: str = "ScoreFunction") -> Loss:
    """Return `score_function` with one baseline."""
    return lambda tensor, value, loss: score_function(tensor, value, loss, baseline, name)


def get_score_function_with_baseline(
    baseline_fn: Callable | None = None, name: str = "ScoreFunction"
) -> Loss:
    """Return `score_function` with the baseline `baseline_fn(stochastic_tensor, loss)`.

    By default that is a moving average of the loss.
    """
    baseline_fn = baseline_fn or get_mean_baseline()

    def with_baseline(tensor: BaseStochasticTensor, value: tf.Tensor, loss: tf.Tensor):
        return score_function(tensor, value, loss, baseline_fn(tensor, loss), name)

    return with_baseline


def get_mean_baseline(ema_decay: float = 0.99, name: str | None = None) -> Callable:
    """Return a baseline function: the moving average of the mean loss, corrected for its start."""

    def baseline(_: Any, loss: tf.Tensor) -> tf.Tensor:
        with tf.variable_scope(name, default_name="MeanBaseline"):
            mean = tf.reduce_mean(loss)
            average = tf.train.ExponentialMovingAverage(ema_decay, zero_debias=True)
            with tf.control_dependencies([average.apply([mean])]):
                return tf.identity(average.average(mean))

    return baseline


class BaseStochasticTensor:
    """What stands for a tensor, its value, and may add a term to the loss."""

    __array_priority__ = 100  # an array on the left leaves arithmetic to the operators here

    def __init__(self):
        tf.add_to_collection(STOCHASTIC_TENSOR_COLLECTION, self)

    def value(self, name: str | None = None) -> tf.Tensor:
        """Return the tensor; the same one at each call."""
        raise NotImplementedError

    def loss(self, sample_loss: tf.Tensor) -> tf.Tensor | None:
        """Return the term that `surrogate_loss` adds, or None."""
        raise NotImplementedError

    @property
    def dtype(self) -> tf.DType:
        """Type of the value."""
        return self.value().dtype

    @property
    def shape(self) -> tf.TensorShape:
        """Static shape of the value."""
        return self.value().shape

    @property
    def graph(self) -> tf.Graph:
        """The graph that holds the value."""
        return self.value().graph

    @property
    def op(self) -> tf.Operation:
        """The op that makes the value."""
        return self.value().op

    def get_shape(self) -> tf.TensorShape:
        """Return the static shape of the value."""
        return self.value().get_shape()

    def eval(self, feed_dict: dict | None = None, session: Any = None) -> Any:
        """Compute the value in a session."""
        return self.value().eval(feed_dict, session)

    def _as_graph_element(self) -> tf.Tensor:  # what `session.run` fetches
        return self.value()

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> tf.Tensor:
        """Return the value, for any op that converts its arguments to tensors."""
        return tf.convert_to_tensor(self.value(), dtype=dtype, name=name)

    def __iter__(self) -> Iterator[tf.Tensor]:
        return iter(self.value())


def _add_operators() -> None:
    """Let arithmetic, comparison and indexing act on the value; `==` stays identity, as in TF1."""

    def operator(method: str) -> Callable:
        def apply(self: BaseStochasticTensor, *args: Any) -> Any:
            args = [a.value() if isinstance(a, BaseStochasticTensor) else a for a in args]
            return getattr(self.value(), method)(*args)

        apply.__name__ = method
        return apply

    for method in set(tf.Tensor.OVERLOADABLE_OPERATORS) - {"__eq__", "__ne__"}:
        setattr(BaseStochasticTensor, method, operator(method))


_add_operators()


class StochasticTensor(BaseStochasticTensor):
    """A distribution, and a value drawn from it once.

    Parameters
    ----------
    dist
        A distribution. Before TF 0.12: its class, with its parameters as further keywords.
    name
        Name of the ops' scope.
    dist_value_type
        What the value is; by default that of the enclosing `value_type`, or else a sample.
    loss_fn
        Function of (this, value, downstream loss) that returns a term of the surrogate loss,
        used where no gradient goes through the value; None for no term.

    Raises
    ------
    TypeError
        If `dist` is neither a distribution nor the class of one, or `loss_fn` is not a function.
    """

    def __init__(
        self,
        dist: Distribution | type,
        name: str | None = None,
        dist_value_type: _ValueType | None = None,
        loss_fn: Loss | None = score_function,
        **dist_args: Any,
    ):
        if loss_fn is not None and not callable(loss_fn):
            raise TypeError(f"loss_fn must be a function or None, but is {loss_fn!r}.")
        if dist_value_type is not None:
            with value_type(dist_value_type):
                self._value_type = get_current_value_type()
        else:
            self._value_type = _stack.value_types[-1] if _stack.value_types else SampleValue()
        self._loss_fn = loss_fn
        with tf.name_scope(name, "StochasticTensor") as scope:
            self._name = scope
            self._dist = _distribution(dist, dist_args)
            self._value = self._create_value()
        super().__init__()

    def _create_value(self) -> tf.Tensor:
        value = self._value_type.value_of(self._dist)
        if self._value_type.stop_gradient or not (self._is_mean or self._is_reparameterized):
            return tf.stop_gradient(value)
        return value

    @property
    def _is_mean(self) -> bool:
        return isinstance(self._value_type, MeanValue)

    @property
    def _is_reparameterized(self) -> bool:
        """A class of before TF 1.0 says so itself."""
        kind = self._dist.reparameterization_type
        by_kind = kind == tf.distributions.FULLY_REPARAMETERIZED
        return getattr(self._dist, "is_reparameterized", by_kind)

    @property
    def value_type(self) -> _ValueType:
        """What the value is."""
        return self._value_type

    @property
    def distribution(self) -> Distribution:
        """The distribution that the value comes from."""
        return self._dist

    @property
    def name(self) -> str:
        """Name of the ops' scope."""
        return self._name

    @property
    def dtype(self) -> tf.DType:
        """Type of the value."""
        return self._dist.dtype

    def value(self, name: str = "value") -> tf.Tensor:
        """Return the value; the same tensor at each call."""
        return self._value

    def mean(self, name: str = "mean") -> tf.Tensor:
        """Return the mean of the distribution."""
        return self._dist.mean(name=name)

    def entropy(self, name: str = "entropy") -> tf.Tensor:
        """Return the entropy of the distribution."""
        return self._dist.entropy(name=name)

    def loss(self, final_loss: tf.Tensor, name: str = "Loss") -> tf.Tensor | None:
        """Return the term for the surrogate loss; None where gradients go through the value."""
        stopped = self._value_type.stop_gradient
        if self._loss_fn is None or (not stopped and (self._is_reparameterized or self._is_mean)):
            return None
        with tf.name_scope(self._name), tf.name_scope(name):
            return self._loss_fn(self, self._value, final_loss)


class ObservedStochasticTensor(StochasticTensor):
    """A distribution with a given value.

    Raises
    ------
    ValueError
        If the value's type or shape is not that of a sample.
    """

    def __init__(self, dist: Distribution, value: Any, name: str | None = None):
        with tf.name_scope(name, "ObservedStochasticTensor", [value]) as scope:
            self._name = scope
            self._dist = _distribution(dist, {})
            value = tf.convert_to_tensor(value)
            wanted = self._dist.batch_shape.concatenate(self._dist.event_shape)
            tail = value.shape[value.shape.rank - wanted.rank :] if (
                value.shape.rank is not None and wanted.rank is not None
                and value.shape.rank >= wanted.rank
            ) else value.shape  # fmt: skip
            if not tail.is_compatible_with(wanted):
                raise ValueError(
                    f"An observed value of the shape {value.shape} does not fit a distribution "
                    f"whose samples have the shape {wanted}."
                )
            if value.dtype != self._dist.dtype:
                raise ValueError(
                    f"The observed value is {value.dtype.name}, but the distribution gives "
                    f"{self._dist.dtype.name}."
                )
            self._value = tf.identity(value)
        self._value_type = SampleValue()
        BaseStochasticTensor.__init__(self)

    def loss(self, final_loss: tf.Tensor, name: str | None = None) -> None:
        """Return None: nothing was drawn."""
        return


def _distribution(dist: Any, dist_args: dict) -> Distribution:
    if isinstance(dist, type) and issubclass(dist, Distribution):
        return dist(**dist_args)
    if not isinstance(dist, Distribution) or dist_args:
        raise TypeError(
            "A StochasticTensor takes a distribution, or the class of one and its parameters as "
            f"keywords, but was given {dist!r}"
            + (f" and {', '.join(dist_args)}." if dist_args else ".")
        )
    return dist


def upstream_of(model: tf.Tensor) -> list[BaseStochasticTensor]:
    """Return the stochastic tensors of the graph that a tensor depends on."""
    nodes = tf.get_collection(STOCHASTIC_TENSOR_COLLECTION)
    return _upstream(model, {node.value().name: node for node in nodes})


def _upstream(loss: tf.Tensor, values: dict[str, BaseStochasticTensor]) -> list:
    """Return the stochastic tensors that a loss depends on, walking back through the graph."""
    found, seen, boundary = [], set(), [loss]
    while boundary:
        tensor = boundary.pop()
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        if tensor.name in values:
            found.append(values[tensor.name])
        boundary.extend(tensor.op.inputs)
    return found


def surrogate_loss(
    sample_losses: Sequence[tf.Tensor],
    stochastic_tensors: Sequence[BaseStochasticTensor] | None = None,
    name: str = "SurrogateLoss",
) -> tf.Tensor:
    """Return the sum of losses plus, for each stochastic tensor upstream of them, its own term.

    Its gradient is an unbiased estimate where some values let no gradient through.

    Parameters
    ----------
    sample_losses
        Losses with one value an example at least (no scalars).
    stochastic_tensors
        Those to consider; by default all of the graph.

    Raises
    ------
    TypeError
        If the losses are not a list of tensors.
    ValueError
        If a loss is a scalar.
    """
    if not isinstance(sample_losses, (list, tuple)) or not all(map(tf.is_tensor, sample_losses)):
        raise TypeError(f"sample_losses must be a list of tensors, but is {sample_losses!r}.")
    for loss in sample_losses:
        if not loss.shape.rank:
            raise ValueError(f"A loss must have an axis of examples, but {loss.name} has none.")
    with tf.name_scope(name, values=sample_losses):
        nodes = stochastic_tensors or tf.get_collection(STOCHASTIC_TENSOR_COLLECTION)
        values = {node.value().name: node for node in nodes}
        downstream: dict[str, list[tf.Tensor]] = {}
        for loss in sample_losses:
            for node in _upstream(loss, values):
                downstream.setdefault(node.value().name, []).append(loss)
        if not downstream:
            logging.getLogger(__name__).warning("No stochastic tensor is upstream of the losses.")
        terms = [
            values[key].loss(tf.stop_gradient(_sum(losses))) for key, losses in downstream.items()
        ]
        return _sum([*sample_losses, *(term for term in terms if term is not None)])


def _sum(terms: Sequence[tf.Tensor]) -> tf.Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _named_tensors() -> dict[str, type]:
    """Return `NormalTensor`, `BernoulliTensor`, …, which took their parameters as keywords."""

    def make(dist_class: type) -> type:
        def __init__(self, name=None, dist_value_type=None, loss_fn=score_function, **dist_args):
            StochasticTensor.__init__(
                self, dist_class, name or f"{dist_class.__name__}Tensor", dist_value_type, loss_fn,
                **dist_args,
            )  # fmt: skip

        doc = f"A `StochasticTensor` of `{dist_class.__name__}(**dist_args)`."
        name = f"{dist_class.__name__}Tensor"
        return type(name, (StochasticTensor,), {"__init__": __init__, "__doc__": doc})

    provided = distributions.names()
    return {
        f"{name}Tensor": make(provided[f"distributions.{name}"])
        for name in (key.partition(".")[2] for key in provided if key.startswith("distributions."))
        if isinstance(provided[f"distributions.{name}"], type)
    }


# What is made of stochastic tensors has a module of its own, loaded on first use.
_VARIATIONAL = {
    "monte_carlo": (
        "expectation expectation_importance_sampler expectation_importance_sampler_logspace"
    ),
    "stochastic_gradient_estimators": "get_score_function_with_advantage get_vimco_advantage_fn",
    "stochastic_variables": "get_stochastic_variable make_stochastic_variable_getter",
    "variational_inference": "ELBOForms elbo elbo_with_log_joint register_prior",
}


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    value_types = {cls.__name__: cls for cls in (MeanValue, SampleValue, SampleAndReshapeValue)} | {
        "value_type": value_type,
        "get_current_value_type": get_current_value_type,
    }
    estimators = {
        f.__name__: f
        for f in (
            score_function, get_score_function_with_constant_baseline,
            get_score_function_with_baseline, get_mean_baseline,
        )
    }  # fmt: skip
    tensors = value_types | {
        "BaseStochasticTensor": BaseStochasticTensor,
        "StochasticTensor": StochasticTensor,
        "ObservedStochasticTensor": ObservedStochasticTensor,
        "NoValueTypeSetError": NoValueTypeSetError,
        "STOCHASTIC_TENSOR_COLLECTION": STOCHASTIC_TENSOR_COLLECTION,
        **_named_tensors(),
    }
    # Before TF 0.10 all of it was in stochastic_graph, and called DistributionTensor.
    graph = tensors | estimators | {
        "DistributionTensor": StochasticTensor, "surrogate_loss": surrogate_loss
    }  # fmt: skip
    homes = {
        "stochastic_tensor": tensors,
        "stochastic_graph": graph,
        "stochastic_gradient_estimators": estimators,
    }
    variational = {
        f"contrib.bayesflow.{home}.{name}": Moved("vae_tf1.legacy.tf.contrib.variational", name)
        for home, found in _VARIATIONAL.items()
        for name in found.split()
    }
    return variational | {
        f"contrib.bayesflow.{home}.{name}": value
        for home, provided in homes.items()
        for name, value in provided.items()
    }
