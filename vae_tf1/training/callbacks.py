"""What a user's own code sees of a training, under the names that Keras gave these moments.

Many steps run in one call of the session, so there are moments of an epoch, and none of a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from vae_tf1.model.graph import Model

__all__ = ["Callback", "Callbacks"]

Logs = dict[str, float]

_MOMENTS = ("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end")


class Callback:
    """A base for callbacks; override what you need. Any object with some of these methods will do.

    `epoch` counts all epochs of the model, from 0. `logs` has ``elbo``, the mean of the epoch's
    steps in nats per image, and after a validation ``val_elbo``, ``val_reconstruction``, ``val_kl``
    and ``val_active_units``. Setting ``self.model.stop_training = True`` ends the training.

    Attributes
    ----------
    model
        The model that is trained.
    """

    model: Any = None

    def set_model(self, model: Any) -> None:
        """Be told the model, before the training begins."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Be called before the first step; the model is where a resumed training goes on."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Be called before the first step of an epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Be called after the last step of an epoch, and after its validation."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Be called at the end, if no exception ended the training."""


class Callbacks:
    """Calls several callbacks, in order.

    Parameters
    ----------
    model
        The model.
    callbacks
        Objects with some of the methods of `Callback`; a function stands for an `on_epoch_end`.

    Raises
    ------
    TypeError
        If something in `callbacks` is neither.
    """

    def __init__(self, model: Model, callbacks: Iterable[Any] = ()) -> None:
        if isinstance(callbacks, str | bytes) or not isinstance(callbacks, Iterable):
            raise TypeError(f"callbacks must be a list of callbacks, not {callbacks!r}")
        self._model = model
        self._callbacks = [_checked(callback) for callback in callbacks]

    def add(self, callback: Any) -> None:
        """Add one more, which is called after the others."""
        self._callbacks.append(_checked(callback))

    def train_begin(self) -> None:
        """Tell that a training begins."""
        self._model.stop_training = False
        for callback in self._callbacks:
            if hasattr(callback, "set_model"):
                callback.set_model(self._model)
        self._call("on_train_begin")

    def epoch_begin(self, epoch: int) -> None:
        """Tell that an epoch begins."""
        self._call("on_epoch_begin", epoch)

    def epoch_end(self, epoch: int, logs: Logs) -> None:
        """Tell that an epoch has ended."""
        self._call("on_epoch_end", epoch, logs)

    def train_end(self) -> None:
        """Tell that the training has ended."""
        self._call("on_train_end")

    def _call(self, moment: str, *arguments: Any) -> None:
        for callback in self._callbacks:
            method: Callable | None = getattr(callback, moment, None)
            if method is not None:
                method(*arguments)


class _EpochEnd(Callback):
    """A function in the place of a callback."""

    def __init__(self, function: Callable[[int, Logs], object]) -> None:
        self._function = function

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._function(epoch, logs or {})


def _checked(callback: Any) -> Any:
    if isinstance(callback, type):
        raise TypeError(f"a callback must be an object, not the class {callback.__name__} itself")
    if any(hasattr(callback, moment) for moment in _MOMENTS):
        return callback
    if callable(callback):
        return _EpochEnd(callback)
    raise TypeError(
        f"a callback must be a function of (epoch, logs), or have a method such as on_epoch_end, "
        f"not {callback!r}"
    )
