"""Checkpoints of a training while it runs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from vae_tf1.checkpoint.folder import CheckpointFolder
from vae_tf1.checkpoint.store import Saved, Writer
from vae_tf1.checks import check_count, check_positive
from vae_tf1.errors import CheckpointError, warn

__all__ = ["Autosave", "NoAutosave"]


class NoAutosave:
    """No checkpoints."""

    path: str | os.PathLike | None = None
    workers = 1  # how many train

    def open(self) -> Saved | None:
        """Begin; return the newest checkpoint there is."""
        return None

    def close(self) -> None:
        """End."""

    def is_due(self) -> bool:
        """Whether the last save was long enough ago."""
        return False

    def save(self, step: int, fit: dict[str, Any]) -> None:
        """Save the model at a step; a failure is an error."""

    def save_if_possible(self, step: int, fit: dict[str, Any]) -> None:
        """Save the model at a step; a failure is a warning, since training can go on."""

    def save_best(self) -> None:
        """Save the model as the best of its training; a failure is a warning."""


class Autosave(NoAutosave):
    """A folder, how often it gets a checkpoint, and how many stay.

    Parameters
    ----------
    writer
        Writes the model's checkpoints.
    path
        The folder. A training that finds its own checkpoints there goes on from the newest.
    every
        Seconds between two checkpoints.
    keep
        How many of them stay.

    Raises
    ------
    TypeError, ValueError
        If `every` is not a positive number, or `keep` not a count.
    """

    path: str | os.PathLike

    def __init__(
        self, writer: Writer, path: str | os.PathLike, every: float = 30.0, keep: int = 3
    ) -> None:
        self._writer, self.path = writer, path
        self._every = check_positive(every, "save_every")
        self._keep = check_count(keep, "keep")
        self._folder: CheckpointFolder | None = None
        self._saved_step, self._saved_at = -1, 0.0

    def open(self) -> Saved | None:
        """Take the folder for this training; return the newest checkpoint in it.

        Raises
        ------
        CheckpointError
            If the folder is in use, cannot be written, or holds only damaged checkpoints.
        """
        self._folder = CheckpointFolder(self.path, self._keep)
        try:
            saved = self._folder.newest()
        except BaseException:
            self.close()
            raise
        self._noted(-1 if saved is None else saved.global_step)
        return saved

    def close(self) -> None:
        """Let other trainings use the folder."""
        if self._folder is not None:
            self._folder.release()
            self._folder = None

    def is_due(self) -> bool:
        """Whether the last save was long enough ago."""
        return time.monotonic() - self._saved_at >= self._every

    def save(self, step: int, fit: dict[str, Any]) -> None:
        """Save the model at a step, unless that was done already.

        Raises
        ------
        CheckpointError
            If it cannot be written.
        """
        if self._folder is not None and step != self._saved_step:
            self._folder.save(self._writer, step, fit=fit)
            self._noted(step)

    def save_if_possible(self, step: int, fit: dict[str, Any]) -> None:
        """Save the model at a step; a failure is a warning, since training can go on."""
        try:
            self.save(step, fit)
        except CheckpointError as error:
            self._saved_at = time.monotonic()
            warn(f"{error}; the checkpoint before it is still good, and training goes on")

    def save_best(self) -> None:
        """Save the model as the best of its training; a failure is a warning.

        It goes into a folder of its own, ``best``: the checkpoints are those of the last step, from
        which the training can go on.
        """
        try:
            self._writer.write(Path(self.path, "best", "model"))
        except CheckpointError as error:
            warn(f"{error}; the best weights are in the newest checkpoint too")

    def _noted(self, step: int) -> None:
        self._saved_step, self._saved_at = step, time.monotonic()
