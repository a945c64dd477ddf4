"""One training: where it began, how far it is, and what must agree for it to be resumed."""

from __future__ import annotations

from typing import Any

from vae_tf1.backend import machine
from vae_tf1.checkpoint import store
from vae_tf1.checkpoint.manifest import PARTS
from vae_tf1.checkpoint.store import Saved
from vae_tf1.data.rows import Rows
from vae_tf1.errors import CheckpointError, warn
from vae_tf1.model.graph import Model
from vae_tf1.model.state import Costs
from vae_tf1.training.autosave import NoAutosave

__all__ = ["Run"]


class Run:
    """One training of a model, which can be killed at any moment and go on.

    How far it is follows from the model's own count of steps, which changes together with its
    weights: what is saved is consistent whenever it is saved.

    Parameters
    ----------
    model, rows, batch_sz
        What is trained, on what, in what batches.
    autosave
        Where checkpoints go. What is there already is resumed.

    Attributes
    ----------
    first_epoch, steps_done
        The model's epoch at which this training began, and how many steps it has made since.
    compiled : bool or None
        Whether the loop is compiled, if that was decided already.

    Raises
    ------
    CheckpointError
        If the folder is in use, cannot be written, or belongs to another model or other data.
    """

    def __init__(self, model: Model, rows: Rows, batch_sz: int, autosave: NoAutosave) -> None:
        self._model, self._rows, self._autosave = model, rows, autosave
        self._facts: dict[str, Any] = {"batch_sz": batch_sz, "rows": len(rows)}
        if rows.binarization is not None:
            self._facts["binarization"] = rows.binarization
        if autosave.workers > 1:
            self._facts["workers"] = autosave.workers
        self.first_epoch = model.state.epochs_done
        self._first_step, self._first_cost = self._global_step(), len(model.state.costs)
        self.compiled: bool | None = None
        self._ended = False

    def __enter__(self) -> Run:
        if self._autosave.path is None:
            self._set_protocol()
            return self
        saved = self._autosave.open()
        try:
            self._facts["data"] = self._rows.sample_checksum()
            self._facts["fingerprint"] = self._rows.fingerprint()
            if saved is None:
                self._set_protocol()
                # This pins the seed, and shows now whether the folder can be written.
                self._autosave.save(self._global_step(), self._fit())
            else:
                self._resume(saved)
                self._set_protocol()
        except BaseException:
            self._autosave.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            if not self._ended:
                self.save_if_due(now=True)
        finally:
            self._autosave.close()

    @property
    def steps_done(self) -> int:
        """How many steps this training has made."""
        return len(self._model.state.costs) - self._first_cost

    @property
    def costs(self) -> Costs:
        """The ELBO per image of each step of this training."""
        return Costs(self._model.state.costs[self._first_cost :])

    def advance(self, costs: list[float], epochs_done: int) -> None:
        """Note steps that have been made, and whether they completed an epoch."""
        self._model.state.advance(costs, epochs_done)

    def save_if_due(self, now: bool = False) -> None:
        """Save when it is time, or `now`; a failure is a warning, since training can go on."""
        if not (now or self._autosave.is_due()):
            return
        step = self._global_step()
        if step - self._first_step == self.steps_done:  # not if interrupted by force
            self._autosave.save_if_possible(step, self._fit())

    def end(self) -> None:
        """Save what the training has come to; what becomes of the model now is not its doing."""
        self.save_if_due(now=True)
        self._ended = True

    def _fit(self) -> dict[str, Any]:
        """Return what the checkpoint notes of this training."""
        fit = {
            "first_epoch": self.first_epoch,
            "first_step": self._first_step,
            "first_cost": self._first_cost,
            **self._facts,
            "machine": machine.describe(),
        }
        return fit if self.compiled is None else {**fit, "compiled": self.compiled}

    def _resume(self, saved: Saved) -> None:
        """Put model and run where the checkpoint has them."""
        model, where = self._model, self._autosave.path
        fit = saved.manifest.get("fit")
        if fit is None:
            raise CheckpointError(f"{where} has a saved model, but not one of a training to resume")
        self._check_data(fit)
        step = saved.global_step
        if self._first_step not in (0, step):
            raise CheckpointError(
                f"this model is at step {self._first_step:,}, the newest checkpoint in {where} at "
                f"step {step:,}: give a new model, or another folder"
            )
        if model.state.seed_given and model.seed != saved.manifest["seed"]:
            raise CheckpointError(
                f"{where} belongs to a training with seed {saved.manifest['seed']}, not "
                f"{model.seed}"
            )
        described = store.describe(model)
        for key in ("kl", "prior", *PARTS, "n_labels", "bound", "optimizer"):
            if saved.manifest.get(key) != described.get(key):
                raise CheckpointError(f"{where} belongs to a model with another {key}")
        model.state = store.restore(model, saved)
        self.first_epoch, self._first_step, self._first_cost = (
            fit[key] for key in ("first_epoch", "first_step", "first_cost")
        )
        self.compiled = fit.get("compiled")
        workers, now = fit.get("workers", 1), self._autosave.workers
        if workers != now:
            warn(
                f"{where} was trained by {workers} worker{'s'[: workers > 1]}, not {now}: the "
                "gradients are added in another order, so the steps round otherwise"
            )
        there, here = fit.get("machine"), machine.describe()
        if there is not None and there != here:
            warn(
                f"{where} was trained on {machine.said(there)}; on {machine.said(here)} the steps "
                "round otherwise, so the bits will differ from those of a run that stayed there"
            )

    def _check_data(self, fit: dict[str, Any]) -> None:
        """Raise a CheckpointError if the data or the batches are others than those of `fit`."""
        where, facts = self._autosave.path, self._facts
        protocol, given = fit.get("binarization"), facts.get("binarization")
        if protocol != given:
            raise CheckpointError(
                f"{where} belongs to a training with binarization={protocol!r}, not {given!r}: "
                "their likelihoods are different ones"
            )
        if fit["batch_sz"] != facts["batch_sz"]:
            raise CheckpointError(
                f"{where} belongs to a training on batches of {fit['batch_sz']}, not "
                f"{facts['batch_sz']}"
            )
        if fit["rows"] != facts["rows"]:
            raise CheckpointError(
                f"{where} belongs to a training on {fit['rows']:,} rows, not {facts['rows']:,}"
            )
        known = "fingerprint" if "fingerprint" in fit else "data"  # version 1.0.0 had no other
        if fit[known] != facts[known]:
            raise CheckpointError(f"{where} belongs to a training on other data of the same size")

    def _set_protocol(self) -> None:
        """Note how the images were made binary; a model is trained under one protocol."""
        before, given = self._model.state.binarization, self._rows.binarization
        if before is not None and given != before:
            raise ValueError(
                f"this model was trained with binarization={before!r}, not {given!r}: their "
                "likelihoods are different ones"
            )
        self._model.state.binarization = given

    def _global_step(self) -> int:
        return int(self._model.sess.run(self._model.global_step))
