"""What a training needs to remember so that it can be killed at any moment and go on."""

from __future__ import annotations

import os
import time
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from vae_tf1.checkpoint import store as checkpoint
from vae_tf1.checkpoint.folder import CheckpointFolder
from vae_tf1.checkpoint.store import Saved
from vae_tf1.data.rows import Rows, check_count
from vae_tf1.errors import CheckpointError

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["Run"]

_SAMPLED_ROWS = 64  # by which data is recognised


class Run:
    """One training: where it began, how far it is, and what of that is on the disk.

    How far it is follows from the model's own count of steps, which changes together with its
    weights; so what is saved is consistent whenever it is saved.

    Parameters
    ----------
    vae, rows, batch_sz
        What is trained, on what, in what batches.
    path
        The folder for checkpoints, None for none. What is there already is resumed.
    save_every
        Seconds between two checkpoints.
    keep
        How many of them stay.

    Attributes
    ----------
    first_epoch, steps_done
        The model's epoch at which this training began, and how many steps it has made since.

    Raises
    ------
    CheckpointError
        When the folder is in use, cannot be written, or belongs to another model or other data.
    """

    def __init__(
        self,
        vae: VariationalAutoencoder,
        rows: Rows,
        batch_sz: int,
        path: str | os.PathLike | None,
        save_every: float,
        keep: int,
    ) -> None:
        self._vae, self._every, self._folder = vae, save_every, None
        self._facts = {"batch_sz": batch_sz, "rows": len(rows), "data": _fingerprint(rows)}
        self.first_epoch = vae.epochs_done
        self._first_step, self._first_cost = self._global_step(), len(vae.costs)
        if path is not None:
            if not isinstance(save_every, int | float) or not save_every > 0:
                raise ValueError(f"save_every must be a positive number, not {save_every!r}")
            keep = check_count(keep, "keep")
            self._folder = CheckpointFolder(path, keep)

    def __enter__(self) -> Run:
        if self._folder is not None:
            try:
                saved = self._folder.newest()
                if saved is None:
                    self._save()  # pins the seed, and shows now whether the folder can be written
                else:
                    self._resume(saved)
            except BaseException:
                self._folder.__exit__()
                raise
            self._saved_step, self._saved_at = self._global_step(), time.monotonic()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._folder is not None:
            self.save_if_due(now=True)
            self._folder.__exit__()

    @property
    def steps_done(self) -> int:
        """How many steps this training has made."""
        return len(self._vae.costs) - self._first_cost

    @property
    def costs(self) -> list[float]:
        """The ELBO per image of each step of this training."""
        return self._vae.costs[self._first_cost :]

    def advance(self, costs: list[float], epochs_done: int) -> None:
        """Note steps that have been made, and whether they completed an epoch."""
        self._vae.costs += costs
        self._vae.epochs_done += epochs_done

    def save_if_due(self, now: bool = False) -> None:
        """Save when it is time, or `now`; a failure is a warning, since training can go on."""
        if self._folder is None:
            return
        step = self._global_step()
        due = now or time.monotonic() - self._saved_at >= self._every
        consistent = step - self._first_step == self.steps_done  # not if interrupted by force
        if due and consistent and step != self._saved_step:
            self._saved_at = time.monotonic()
            try:
                self._save()
                self._saved_step = step
            except CheckpointError as error:
                warnings.warn(
                    f"{error}; the checkpoint before it is still good, and training goes on",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def _save(self) -> None:
        fit = {
            "first_epoch": self.first_epoch,
            "first_step": self._first_step,
            "first_cost": self._first_cost,
            **self._facts,
        }
        self._folder.save(self._vae, self._global_step(), fit=fit)

    def _resume(self, saved: Saved) -> None:
        """Put model and run where the checkpoint has them."""
        vae, where = self._vae, self._folder.path
        fit = saved.manifest.get("fit", {})
        numbers = [fit.get(key) for key in ("first_epoch", "first_step", "first_cost")]
        if not all(type(n) is int and n >= 0 for n in numbers):
            raise CheckpointError(f"{where} has a saved model, but not one of a training to resume")
        for key, value in self._facts.items():
            if fit.get(key) != value:
                raise CheckpointError(f"{where} belongs to a training on {_other(key, fit, value)}")
        step = int(saved.tensors[checkpoint.STEP])
        if self._first_step not in (0, step):
            raise CheckpointError(
                f"this model is at step {self._first_step:,}, the newest checkpoint in {where} at "
                f"step {step:,}: give a new model, or another folder"
            )
        if vae.seed_given and vae.seed != saved.manifest["seed"]:
            raise CheckpointError(
                f"{where} belongs to a training with seed {saved.manifest['seed']}, not {vae.seed}"
            )
        for key in ("kl", "prior"):
            if saved.manifest[key] != checkpoint.describe(vae)[key]:
                raise CheckpointError(f"{where} belongs to a model with another {key}")
        checkpoint.restore(vae, saved)
        self.first_epoch, self._first_step, self._first_cost = numbers

    def _global_step(self) -> int:
        return int(self._vae.sess.run(self._vae.global_step))


def _fingerprint(rows: Rows) -> int:
    """Return a checksum of some rows, evenly spread: enough to tell one data set from another."""
    spread = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLED_ROWS)).astype(np.int64)
    return zlib.crc32(rows.take(spread).tobytes())


def _other(key: str, fit: dict[str, Any], value: int) -> str:
    if key == "batch_sz":
        return f"batches of {fit.get(key)}, not {value}"
    if key == "rows":
        return (
            f"{fit.get(key):,} rows, not {value:,}" if type(fit.get(key)) is int else "other rows"
        )
    return "other data of the same size"
