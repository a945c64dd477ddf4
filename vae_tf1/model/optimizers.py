"""What makes a step of training out of gradients: an optimizer, its learning rate, clipping.

The gradients are those of −ELBO summed over the minibatch, as in the original.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from vae_tf1.checks import check_positive
from vae_tf1.model import learning_rates, rmsprop

__all__ = ["NAMES", "Updates", "arguments", "is_description", "updates"]

Step = Callable[[], tf.Tensor]  # the number of steps before this one, int64, read when it is needed
Rate = Any  # a float, a float32 scalar, or None

_Optimizer: Any = tf.compat.v1.train.Optimizer
_DEFAULT = "rmsprop"
_MAKE: dict[str, Callable[..., Any]] = {
    _DEFAULT: rmsprop.rmsprop,
    "rmsprop-centered": lambda rate: rmsprop.rmsprop(rate, centered=True),
    "adam": tf.compat.v1.train.AdamOptimizer,
    "sgd": tf.compat.v1.train.GradientDescentOptimizer,
}
_USUAL_RATE = {_DEFAULT: rmsprop.LEARNING_RATE, "rmsprop-centered": 0.001, "adam": 0.001}

NAMES = tuple(_MAKE)


class OptimizerVariable(NamedTuple):
    """A variable of an optimizer: a slot that belongs to a weight, or one that belongs to none."""

    name: str  # of a slot what follows the weight's name ("/Adam_1"), else its name ("beta1_power")
    what: str  # what to call it: "momentum"
    variable: tf.Variable


class Updates:
    """Applies gradients with any ``tf.compat.v1.train.Optimizer``, through ``apply_gradients``.

    Parameters
    ----------
    optimizer
        The optimizer.
    learning_rate
        What `optimizer` was made with, or a function of the step that takes its place through
        `current_rate`; None if the optimizer brings its own.
    clip_norm
        The largest global norm of the gradients of a step; None does not clip.
    described
        What a manifest notes of the optimizer.

    Attributes
    ----------
    guarded : bool
        Whether `apply` changes nothing in a step that is not finite.
    current_rate : float or tf.Tensor or None
        The learning rate of the next step of ``train_op``.
    """

    guarded = False

    def __init__(
        self,
        make: Callable[..., Any],
        learning_rate: Any,
        clip_norm: float | None,
        described: Mapping[str, Any] | None,
    ) -> None:
        self._learning_rate, self._clip_norm = learning_rate, clip_norm
        self._described = described
        self.current_rate: Rate = None
        # A TF1 optimizer calls a learning rate that is callable each time it is applied.
        scheduled = callable(learning_rate)
        self.optimizer = make(lambda: self.current_rate) if scheduled else make(learning_rate)

    def describe(self) -> dict[str, Any] | None:
        """Return what a manifest notes, in JSON's types: None for the original's RMSProp."""
        if self._described is None:
            return None
        return {
            **self._described,
            "learning_rate": learning_rates.describe(self._learning_rate),
            "clip_norm": self._clip_norm,
        }

    def rate(self, step: Step) -> Rate:
        """Return the learning rate of a step.

        Raises
        ------
        ValueError
            If the user's function does not return one number.
        """
        if not callable(self._learning_rate):
            return self._learning_rate
        rate = tf.convert_to_tensor(self._learning_rate(step()))
        if rate.shape.rank != 0 or not (rate.dtype.is_floating or rate.dtype.is_integer):
            raise ValueError(
                "learning_rate(step) must return one real number, not a tensor of "
                f"{rate.dtype.name} and shape {rate.shape}"
            )
        return tf.cast(rate, tf.float32)

    @staticmethod
    def check_rate(rate: float | None) -> None:
        """Raise a ValueError if the first learning rate is not finite, or negative."""
        if rate is not None and not (math.isfinite(rate) and rate >= 0):
            raise ValueError(
                f"learning_rate(step) must be finite and not negative, but is {rate} at step 0"
            )

    def step(self, gradients: Sequence[tuple[tf.Tensor, tf.Variable]], step: Step) -> Any:
        """Return the op of one step, and with it make the optimizer's slots."""
        of, variables = zip(*gradients, strict=True)
        # At the top level the optimizer's variables have the names that they have in TF1 scripts.
        with variables[0].graph.name_scope(None):
            self.current_rate = self.rate(step)
            return self.optimizer.apply_gradients(zip(self.clipped(of), variables, strict=True))

    def clipped(self, gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return the gradients, scaled down to the largest global norm if it is exceeded."""
        if self._clip_norm is None:
            return list(gradients)
        return tf.clip_by_global_norm(list(gradients), self._clip_norm)[0]

    def apply(
        self,
        variables: Sequence[tf.Variable],
        gradients: Sequence[tf.Tensor],
        rate: Rate,
        where: tf.Tensor,
    ) -> list[tf.Operation]:
        """Apply gradients, in the graph that is the default one; `where` is for `guarded` ones."""
        outside, self.current_rate = self.current_rate, rate
        try:
            clipped = self.clipped(gradients)
            return [self.optimizer.apply_gradients(zip(clipped, variables, strict=True))]
        finally:
            self.current_rate = outside

    def finish(
        self,
        variables: Sequence[tf.Variable],
        gradients: Sequence[tf.Tensor],
        rate: Rate,
        where: tf.Tensor,
    ) -> list[tf.Operation]:
        """Write what `apply` has left out, after the last of several steps."""
        return []

    def slots(self, variable: tf.Variable) -> list[OptimizerVariable]:
        """Return the slots of a weight."""
        slots = []
        for what in self.optimizer.get_slot_names():
            slot = self.optimizer.get_slot(variable, what)
            if slot is not None:
                slots.append(OptimizerVariable("/" + slot.op.name.rpartition("/")[2], what, slot))
        return slots

    def without_weight(self, variables: Sequence[tf.Variable]) -> list[OptimizerVariable]:
        """Return the optimizer's variables that belong to no weight, such as powers of beta."""
        graph = variables[0].graph
        others: dict[str, tf.Variable] = {}
        # Not `optimizer.variables()`, which sees only the graph that is the default one.
        for variable in self.optimizer._non_slot_variables():
            if variable.graph is graph:
                plain = variable.op.name.rpartition("/")[2]
                name = re.sub(r"_\d+$", "", plain)  # a second model in one graph: beta1_power_1
                others[plain if name in others else name] = variable
        return [OptimizerVariable(name, name, variable) for name, variable in others.items()]

    def changing(self, variables: Sequence[tf.Variable]) -> list[tf.Variable]:
        """Return what a step changes, besides the weights, and the next step reads."""
        slots = [slot.variable for variable in variables for slot in self.slots(variable)]
        return slots + [other.variable for other in self.without_weight(variables)]


class RMSPropUpdates(Updates):
    """The original's RMSProp, with an update that is written by hand and guards itself."""

    guarded = True

    def step(self, gradients: Sequence[tuple[tf.Tensor, tf.Variable]], step: Step) -> Any:
        """Return the op of one step, and with it make the optimizer's slots."""
        if self._described is not None:
            return super().step(gradients, step)
        self.current_rate = self._learning_rate
        return self.optimizer.apply_gradients(gradients)

    def apply(
        self,
        variables: Sequence[tf.Variable],
        gradients: Sequence[tf.Tensor],
        rate: Rate,
        where: tf.Tensor,
    ) -> list[tf.Operation]:
        """Apply gradients, or nothing at all where `where` is false."""
        return rmsprop.update(self.optimizer, variables, self.clipped(gradients), rate, where)

    def finish(
        self,
        variables: Sequence[tf.Variable],
        gradients: Sequence[tf.Tensor],
        rate: Rate,
        where: tf.Tensor,
    ) -> list[tf.Operation]:
        """Write the momentum that the last step has made."""
        clipped = self.clipped(gradients)
        return rmsprop.write_momentum(self.optimizer, variables, clipped, rate, where)

    def slots(self, variable: tf.Variable) -> list[OptimizerVariable]:
        """Return mean square and momentum of a weight."""
        names = {"/RMSProp": rmsprop.MEAN_SQUARE, "/RMSProp_1": rmsprop.MOMENTUM}
        return [
            OptimizerVariable(name, what, self.optimizer.get_slot(variable, what))
            for name, what in names.items()
        ]

    def changing(self, variables: Sequence[tf.Variable]) -> list[tf.Variable]:
        """Return the mean squares: the momentum, with a coefficient of zero, is never read."""
        return [self.optimizer.get_slot(variable, rmsprop.MEAN_SQUARE) for variable in variables]


def updates(optimizer: Any = _DEFAULT, learning_rate: Any = None, clip_norm: Any = None) -> Updates:
    """Return what applies gradients.

    Parameters
    ----------
    optimizer
        One of `NAMES`, a ``tf.compat.v1.train.Optimizer``, or a function that makes one of a
        learning rate: the class itself, or ``functools.partial(AdamOptimizer, epsilon=1e-4)``.
    learning_rate
        A positive number, or a function of the step; None for the usual one of a name.
    clip_norm
        The largest global norm of the gradients, a positive number, or None.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.
    """
    if clip_norm is not None:
        clip_norm = check_positive(clip_norm, "clip_norm")
    if learning_rate is not None and not callable(learning_rate):
        learning_rate = check_positive(learning_rate, "learning_rate")
    if isinstance(optimizer, str) and optimizer in NAMES:
        if learning_rate is None:
            learning_rate = _usual_rate(optimizer)
        original = optimizer == _DEFAULT and clip_norm is None
        original = original and learning_rate == rmsprop.LEARNING_RATE
        kind = RMSPropUpdates if optimizer == _DEFAULT else Updates
        described = None if original else {"name": optimizer}
        return kind(_MAKE[optimizer], learning_rate, clip_norm, described)
    if isinstance(optimizer, _Optimizer):
        if learning_rate is not None:
            raise ValueError(
                f"{_name(optimizer)} has a learning rate of its own: give optimizer=a function "
                "that makes it of a learning rate, or leave learning_rate out"
            )
        _check_no_tensor(optimizer)
        return Updates(lambda _: optimizer, None, clip_norm, _described(optimizer))
    if callable(optimizer):
        if learning_rate is None:
            raise ValueError(f"{optimizer!r} makes an optimizer of a learning rate: give one")
        made = optimizer(0.001)  # to see what it makes, and with which settings
        if not isinstance(made, _Optimizer):
            raise TypeError(
                f"{optimizer!r} must make a tf.compat.v1.train.Optimizer of a learning rate, "
                f"but makes {made!r}"
            )
        described = _described(made, without=("lr", "learning_rate"))
        return Updates(optimizer, learning_rate, clip_norm, described)
    raise ValueError(
        f"optimizer must be one of {', '.join(map(repr, NAMES))}, a "
        f"tf.compat.v1.train.Optimizer or a function that makes one, not {optimizer!r}"
    )


def arguments(described: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `updates` that a manifest describes, save those in `given`.

    Raises
    ------
    ValueError
        If the user's own optimizer or function is needed and not in `given`.
    """
    if described is None:
        return {}
    found: dict[str, Any] = {}
    if "optimizer" not in given:
        if described["name"] not in NAMES:
            raise ValueError(f"it was trained with {described['name']}: give load(…, optimizer=…)")
        found["optimizer"] = described["name"]
    rate = described["learning_rate"]
    if "learning_rate" not in given and rate is not None:
        if isinstance(rate, Mapping) and "function" in rate:
            raise ValueError(
                f"its learning rate is a function, {rate['function']}: give load(…, "
                "learning_rate=…)"
            )
        found["learning_rate"] = (
            learning_rates.schedule(dict(rate)) if isinstance(rate, Mapping) else rate
        )
    if "clip_norm" not in given:
        found["clip_norm"] = described["clip_norm"]
    return found


def is_description(value: Any) -> bool:
    """Whether `value` is what `Updates.describe` returns, or None."""
    if value is None:
        return True
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return False
    rate, clip_norm = value.get("learning_rate"), value.get("clip_norm")
    if isinstance(rate, dict):
        rate_good = isinstance(rate.get("function"), str) or _is_schedule(rate)
    else:
        rate_good = _is_positive(rate) or (rate is None and value["name"] not in NAMES)
    return rate_good and (clip_norm is None or _is_positive(clip_norm))


def _is_schedule(rate: dict[str, Any]) -> bool:
    try:
        learning_rates.schedule(rate)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value > 0


def _usual_rate(name: str) -> float:
    if name not in _USUAL_RATE:
        raise ValueError(
            f"optimizer={name!r} has no usual learning rate: give learning_rate=, for gradients "
            "that are summed over the minibatch"
        )
    return _USUAL_RATE[name]


def _name(optimizer: Any) -> str:
    return type(optimizer).__name__


def _described(optimizer: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the class of a user's optimizer, and the numbers that it was made with."""
    settings = {
        key.lstrip("_"): value
        for key, value in vars(optimizer).items()
        if type(value) in (int, float, bool)
    }
    settings = {key: value for key, value in settings.items() if key not in without}
    return {"name": _name(optimizer), "settings": settings}


def _check_no_tensor(optimizer: Any) -> None:
    for key in ("_lr", "_learning_rate"):
        if tf.is_tensor(getattr(optimizer, key, None)):
            raise ValueError(
                f"the learning rate of {_name(optimizer)} is a tensor, which does not change from "
                "step to step inside the loop: give learning_rate=a function of the step, and "
                "optimizer=a function of the rate"
            )
