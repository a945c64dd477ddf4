"""The validation set: a history of what it says, early stopping, the best weights.

Everything follows from the weights at the end of an epoch: the noise of a validation is keyed by
the seed and the row, so a training that is killed and resumed has the same history.

References
----------
Prechelt (1998), *Early Stopping — But When?*, Neural Networks: Tricks of the Trade.
Burda, Grosse & Salakhutdinov (2016), *Importance Weighted Autoencoders*, section 5.2 (the active
units).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from vae_tf1.checks import check_count
from vae_tf1.data.rows import ArrayLike, Rows
from vae_tf1.errors import CheckpointError, warn
from vae_tf1.inference.rows import Evaluation, Inference
from vae_tf1.model.graph import Model
from vae_tf1.model.state import History, Validated

__all__ = ["NoValidation", "Validation", "split"]

_ACTIVE = 0.01  # the least variance of an active unit's mean, of Burda et al.


class NoValidation:
    """No validation set."""

    @property
    def data(self) -> str | None:
        """The fingerprint of the set."""
        return None

    def begin(self, first_epoch: int, at_epoch_end: bool) -> None:
        """Begin, or go on with, a training."""

    def observe(self) -> dict[str, float]:
        """Validate after an epoch, if it is time; return what a callback is told."""
        return {}

    def restore_best(self) -> bool:
        """Put the best weights into the model; return whether there were any."""
        return False


class Validation(NoValidation):
    """A validation set, how often it is looked at, and what follows from it.

    Parameters
    ----------
    model, inference
        What is validated, and what runs the rows through it.
    rows
        The validation set.
    every
        Epochs from one validation to the next.
    patience
        After how many validations in a row without a better ELBO the training stops; None goes on.
    restore_best
        Whether the weights at the end are those of the best validation.
    of_chief
        Calls a function, and returns what it returns for the chief of several workers.

    Raises
    ------
    TypeError, ValueError
        If `every` or `patience` is not a count, or `restore_best` not a bool.
    """

    def __init__(
        self,
        model: Model,
        inference: Inference,
        rows: Rows,
        *,
        every: int = 1,
        patience: int | None = None,
        restore_best: bool = True,
        of_chief: Callable[[Callable[[], Any]], Any] = lambda value: value(),
    ) -> None:
        self._model, self._inference, self._rows = model, inference, rows
        self._of_chief = of_chief
        self._every = check_count(every, "validation_every")
        self._patience = patience if patience is None else check_count(patience, "patience")
        if not isinstance(restore_best, bool | np.bool_):
            raise TypeError(f"restore_best must be True or False, not {restore_best!r}")
        self._restore_best = bool(restore_best)
        self._best, self._waited = -math.inf, 0  # the best ELBO, and how many came since

    @property
    def data(self) -> str | None:
        """The fingerprint of the set."""
        return self._rows.fingerprint()

    def begin(self, first_epoch: int, at_epoch_end: bool) -> None:
        """Begin, or go on with, a training.

        Parameters
        ----------
        first_epoch
            The epoch of the model at which this training began.
        at_epoch_end
            Whether the model is at the end of an epoch, which a killed process may not have
            validated.

        Raises
        ------
        CheckpointError
            If the training that goes on was validated on other data.
        """
        state, data = self._model.state, self.data
        resumed = state.epochs_done > first_epoch
        earlier = [each for each in state.history if each.epoch > first_epoch]
        if state.history.data != data:
            if resumed and earlier:
                raise CheckpointError("this training was validated on other data than these")
            state.history = History(data=data)
        if not (resumed and self._restore_best):
            state.best = None
        self._best, self._waited = -math.inf, 0
        for validated in earlier:
            self._is_best(validated.elbo)
        if resumed and at_epoch_end and state.epochs_done not in [each.epoch for each in earlier]:
            self.observe()
        if self._out_of_patience():
            warn(
                "nothing left to train: the validation ELBO has not improved for "
                f"{self._patience} validations"
            )
            self._model.stop_training = True

    def observe(self) -> dict[str, float]:
        """Validate after an epoch, if it is time; return what a callback is told."""
        state = self._model.state
        if state.epochs_done % self._every:
            return {}
        # Of one worker, so that all take the same for the best.
        *evaluation, active = self._of_chief(self._looked_at)
        evaluation = Evaluation(*evaluation)
        state.history.append(Validated(state.epochs_done, len(state.costs), *evaluation, active))
        if self._is_best(evaluation.elbo) and self._restore_best:
            state.best = self._model.sess.run(self._model.variables)
        if self._out_of_patience():
            self._model.stop_training = True
        return {
            **{f"val_{name}": value for name, value in evaluation._asdict().items()},
            "val_active_units": active,
        }

    def restore_best(self) -> bool:
        """Put the best weights into the model; return whether there were any."""
        state = self._model.state
        best, state.best = state.best, None
        if best is None:
            return False
        variables = self._model.variables
        self._model.sess.run(
            [variable.initializer for variable in variables],
            {v.initializer.inputs[1]: value for v, value in zip(variables, best, strict=True)},
        )
        return True

    def _is_best(self, elbo: float) -> bool:
        """Note an ELBO; return whether it is better than all before it, as no NaN is."""
        better = elbo > self._best
        self._best, self._waited = (elbo, 0) if better else (self._best, self._waited + 1)
        return better

    def _out_of_patience(self) -> bool:
        return self._patience is not None and self._waited >= self._patience

    def _looked_at(self) -> tuple[float, float, float, int]:
        return (*self._inference.evaluate(self._rows), self._active_units())

    def _active_units(self) -> int:
        """Return how many units of the code have a mean that varies over the set."""
        means = self._inference.run(self._model.means, self._model.X, self._rows)
        return int(np.sum(means.var(axis=0, dtype=np.float64) > _ACTIVE))


def split(
    rows: Rows, validation_data: Any, as_rows: Callable[[ArrayLike, str], Rows]
) -> tuple[Rows, Rows]:
    """Return training and validation rows.

    Parameters
    ----------
    rows
        The data of the training.
    validation_data
        Images, as `fit` takes them, or the fraction of `rows` at their end.
    as_rows
        Checks images that are called by a name.

    Raises
    ------
    TypeError, ValueError
        If the images are not such rows, or the fraction leaves one part empty.
    """
    if not _is_number(validation_data):
        return rows, as_rows(_images(validation_data), "validation_data")
    fraction = float(validation_data)
    if not 0 < fraction < 1:
        raise ValueError(
            "validation_data must be images, or a fraction of X between 0 and 1, not "
            f"{validation_data!r}"
        )
    first = len(rows) - round(fraction * len(rows))
    if not 0 < first < len(rows):
        raise ValueError(
            f"validation_data={validation_data!r} of {len(rows)} rows leaves one part empty"
        )
    return rows.part(0, first), rows.part(first, len(rows))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | np.number) or (
        isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "buif"
    )


def _images(validation_data: Any) -> ArrayLike:
    pair = isinstance(validation_data, tuple) and len(validation_data) == 2
    parts: Any = validation_data
    if pair and all(np.ndim(part) == 2 for part in parts):
        raise ValueError("validation_data must be images alone: there are no targets")
    return validation_data
