"""Learning rates that change with the step: functions of an int64 tensor, computed in the graph.

Any function of the step will do as a `learning_rate`. These are saved with the model by value, so
that a saved model can be built again from its folder alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.checks import check_count, check_positive

__all__ = ["CosineDecay", "ExponentialDecay", "Schedule", "StepDecay", "describe", "schedule"]


class Schedule:
    """A learning rate that is a function of the step."""

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Return the rate, a float32 scalar, at a step, an int64 scalar counted from 0."""
        return tf.cast(self._rate(tf.cast(step, tf.float64)), tf.float32)

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        raise NotImplementedError


@dataclass(frozen=True)
class StepDecay(Schedule):
    """``initial · factor^n``, where n counts the boundaries that the step has reached.

    Parameters
    ----------
    initial
        The rate of the first step.
    factor
        What the rate is multiplied by at each boundary.
    boundaries
        Steps, in rising order.

    Raises
    ------
    TypeError, ValueError
        If `initial` or `factor` is not positive, or the boundaries are not rising counts.
    """

    initial: float
    factor: float
    boundaries: Sequence[int]

    def __post_init__(self) -> None:
        _positive(self, "initial", "factor")
        if not np.iterable(self.boundaries) or isinstance(self.boundaries, str):
            raise TypeError(f"boundaries must be a list of steps, not {self.boundaries!r}")
        boundaries = tuple(check_count(step, "a boundary") for step in self.boundaries)
        if not boundaries or any(np.diff(boundaries) <= 0):
            raise ValueError(f"boundaries must be steps in rising order, not {self.boundaries!r}")
        object.__setattr__(self, "boundaries", boundaries)

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        reached = tf.cast(step >= np.array(self.boundaries, np.float64), tf.float64)
        return self.initial * tf.pow(tf.constant(self.factor, tf.float64), tf.reduce_sum(reached))


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    """``initial · factor^(step / steps)``.

    Parameters
    ----------
    initial
        The rate of the first step.
    factor
        What `steps` steps multiply the rate by.
    steps
        A number of steps.
    """

    initial: float
    factor: float
    steps: int

    def __post_init__(self) -> None:
        _positive(self, "initial", "factor")
        object.__setattr__(self, "steps", check_count(self.steps, "steps"))

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        return self.initial * tf.pow(tf.constant(self.factor, tf.float64), step / self.steps)


@dataclass(frozen=True)
class CosineDecay(Schedule):
    """``final + (initial − final) · ½ (1 + cos(π · step / steps))``, and `final` from then on.

    Parameters
    ----------
    initial
        The rate of the first step.
    steps
        How many steps the descent takes.
    final
        The rate at its end; it may be zero.

    References
    ----------
    Loshchilov & Hutter (2017), *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR.
    """

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        _positive(self, "initial")
        object.__setattr__(self, "steps", check_count(self.steps, "steps"))
        if self.final != 0:
            _positive(self, "final")

    def _rate(self, step: tf.Tensor) -> tf.Tensor:
        progress = tf.minimum(step / self.steps, 1.0)
        return self.final + (self.initial - self.final) * 0.5 * (1 + tf.cos(np.pi * progress))


def describe(learning_rate: Any) -> Any:
    """Return a learning rate in JSON's types: a number, a schedule's table, a function's name."""
    if isinstance(learning_rate, Schedule):
        fields = asdict(learning_rate)  # type: ignore[call-overload]
        if "boundaries" in fields:
            fields["boundaries"] = list(fields["boundaries"])
        return {"schedule": type(learning_rate).__name__, **fields}
    if callable(learning_rate):
        return {"function": getattr(learning_rate, "__qualname__", type(learning_rate).__name__)}
    return learning_rate


def schedule(described: dict[str, Any]) -> Schedule:
    """Return the schedule that `describe` has described.

    Raises
    ------
    KeyError, TypeError, ValueError
        If there is no such schedule, or its numbers are not what it expects.
    """
    fields = dict(described)
    return _SCHEDULES[fields.pop("schedule")](**fields)


_SCHEDULES: dict[str, type] = {
    kind.__name__: kind for kind in (StepDecay, ExponentialDecay, CosineDecay)
}


def _positive(schedule: Schedule, *names: str) -> None:
    for name in names:
        object.__setattr__(schedule, name, check_positive(getattr(schedule, name), name))
