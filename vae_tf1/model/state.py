"""Everything that training changes besides the variables.

`TrainingState` is what Python remembers, `Counters` what the graph counts. The noise and the order
of the images are functions of the two, so a training that is stopped goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.model import noise
from vae_tf1.model.noise import Stream

__all__ = ["Costs", "Counters", "History", "TrainingState", "Validated"]


class Costs(list):
    """The ELBO per image of each step: a list that shows itself in one line."""

    def __repr__(self) -> str:
        if len(self) <= _SHOWN_WHOLE:
            return super().__repr__()
        return f"<ELBO per image of {len(self):,} steps: {self[0]:.2f} … {self[-1]:.2f} nats>"


_SHOWN_WHOLE = 10


class Validated(NamedTuple):
    """What the validation set says of the model after an epoch, in mean nats per image."""

    epoch: int  # how many epochs were done
    step: int  # how many steps were done, of those that `costs` lists
    elbo: float
    reconstruction: float
    kl: float
    active_units: int  # units of the code whose mean varies over the set: variance > 0.01


class History(list):
    """The validations of a model, each a `Validated`.

    Attributes
    ----------
    data : str or None
        The fingerprint of the validation set, so that two sets are never compared.
    """

    def __init__(self, validations: Sequence[Validated] = (), data: str | None = None) -> None:
        super().__init__(validations)
        self.data = data


@dataclass
class TrainingState:
    """How far the training of a model is. The model owns it; the run of a training writes it.

    Attributes
    ----------
    seed
        Everything random about the model follows from this integer.
    seed_given
        Whether the user chose the seed, so that another one in a checkpoint is a conflict.
    epochs_done
        Number of whole epochs.
    costs
        The ELBO per image, in nats, of each step.
    binarization
        The protocol that made the images binary, if `fit` was told one.
    history
        The validations.
    best
        The weights that did best on the validation set, while a training keeps them.
    """

    seed: int
    seed_given: bool = False
    epochs_done: int = 0
    costs: Costs = field(default_factory=Costs)
    binarization: str | None = None
    history: History = field(default_factory=History)
    best: list[np.ndarray] | None = None

    def advance(self, costs: list[float], epochs: int) -> None:
        """Note the steps that were made, and the number of epochs that they completed."""
        self.costs += costs
        self.epochs_done += epochs


class Counters:
    """The counts of steps and of draws in the graph, of which the noise is a function.

    They are local variables: a ``Saver()`` that the caller makes for a checkpoint of the original
    must not look for them in it.

    Attributes
    ----------
    noise_key, global_step, draws : tf.Variable
        int64 scalars: the key of the noise, the number of steps, and the draws since the last one.
    """

    def __init__(self, seed: int) -> None:
        self.noise_key = _counter(noise.key(seed, Stream.EPSILON), "noise_key")
        self.global_step = _counter(0, "global_step")
        self.draws = _counter(0, "draws")

    def next_epsilon(self, batch: tf.Tensor, M: int, k: int = 1) -> tf.Tensor:
        """Draw fresh noise (batch, M), or (batch, k, M) for k > 1 codes an image.

        It is the n-th draw at a global step, from 0 after each step.

        So `fit` and a loop of ``sess.run(train_op)`` see the same noise, and two looks at a sample
        differ.
        """
        draw = self.draws.assign_add(1, read_value=True) - 1
        key, step = self.noise_key.read_value(), self.global_step.read_value()
        epsilon = noise.standard_normal(key, step, draw, (1, batch * k if k > 1 else batch, M))[0]
        return epsilon if k == 1 else tf.reshape(epsilon, (-1, k, M))

    def count(self, steps: tf.Tensor | int) -> tf.Operation:
        """Return the op that notes that so many training steps were made."""
        return tf.group(self.global_step.assign_add(steps), self.draws.assign(0))

    @property
    def initializers(self) -> list[tf.Operation]:
        """The ops that set the counters to their first values."""
        return [v.initializer for v in (self.noise_key, self.global_step, self.draws)]


def _counter(value: int, name: str) -> tf.Variable:
    return tf.compat.v1.Variable(
        np.int64(value),
        trainable=False,
        use_resource=True,
        name=name,
        collections=[tf.compat.v1.GraphKeys.LOCAL_VARIABLES],
    )
