"""The folder in which a training keeps its checkpoints, so that it can be killed at any moment.

Each checkpoint has a folder of its own, ``step-00011040``, which gets that name by one rename after
all of it is on the disk: a checkpoint is there whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vae_tf1.checkpoint import store as checkpoint
from vae_tf1.checkpoint.lock import FolderLock
from vae_tf1.checkpoint.store import Saved
from vae_tf1.errors import CheckpointError

if TYPE_CHECKING:
    from vae_tf1.autoencoder import VariationalAutoencoder

__all__ = ["CheckpointFolder", "find", "newest"]

_NAME = "model"  # of the files in each checkpoint's folder
_UNFINISHED = ".unfinished"


class CheckpointFolder:
    """A training's checkpoints; held by one training at a time.

    Parameters
    ----------
    path
        The folder, made where it is missing.
    keep
        How many checkpoints stay.

    Raises
    ------
    CheckpointError
        When another training uses the folder, or it cannot be written.
    """

    def __init__(self, path: str | os.PathLike, keep: int) -> None:
        self.path, self._keep = Path(path), keep
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.path)
        except BlockingIOError as owner:
            raise CheckpointError(f"{self.path} is in use: {owner} is training there") from None
        except OSError as error:
            raise CheckpointError(f"cannot use {self.path}: {checkpoint.reason(error)}") from None

    def __enter__(self) -> CheckpointFolder:
        return self

    def __exit__(self, *exception: object) -> None:
        self._lock.release()

    def newest(self) -> Saved | None:
        """Return the newest checkpoint that is whole, None where there has been none at all."""
        return newest(self.path)

    def save(self, vae: VariationalAutoencoder, step: int, **more: Any) -> None:
        """Write the checkpoint of a step, and remove those that are too old.

        Raises
        ------
        CheckpointError
            When it cannot be written; the earlier ones are as they were.
        """
        unfinished = self.path / _UNFINISHED
        whole = self.path / f"step-{step:08d}"
        shutil.rmtree(unfinished, ignore_errors=True)  # what a killed process left
        try:
            checkpoint.write(vae, unfinished / _NAME, **more)
            shutil.rmtree(whole, ignore_errors=True)  # damaged, or we would not be at its step
            unfinished.replace(whole)
            checkpoint.flush_to_disk(self.path)
        except OSError as error:
            raise CheckpointError(f"cannot save to {whole}: {checkpoint.reason(error)}") from None
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        earlier = [folder for number, folder in _steps(self.path) if number <= step]
        later = [folder for number, folder in _steps(self.path) if number > step]  # damaged ones
        for folder in later + earlier[self._keep :]:
            shutil.rmtree(folder, ignore_errors=True)


def newest(path: Path) -> Saved | None:
    """Return the newest checkpoint in a training's folder that is whole.

    A damaged one is named in a warning, and the one before it is used.

    Raises
    ------
    CheckpointError
        When there are checkpoints and all are damaged.
    """
    damaged = None
    for _, folder in _steps(path):
        try:
            saved = checkpoint.read(folder / _NAME)
            if not saved.manifest:
                raise CheckpointError(f"{folder} is damaged: it has no {_NAME}.json")
            return saved
        except CheckpointError as error:
            damaged = damaged or error
            warnings.warn(f"{error}; trying the checkpoint before it", RuntimeWarning, stacklevel=2)
    if damaged is not None:
        raise damaged
    return None


def find(path: str | os.PathLike) -> Saved:
    """Return the checkpoint from which a model can be built: `path` itself, or the one in it."""
    path = Path(path)
    if path.is_dir():
        saved = newest(path)
        if saved is not None:
            return saved
        found = sorted(path.glob("*.json"))
        if len(found) != 1:
            what = "several: " + ", ".join(p.stem for p in found) if found else "none"
            raise CheckpointError(f"one saved model is wanted in {path}, but there are {what}")
        path = found[0].with_suffix("")
    saved = checkpoint.read(path)
    if not saved.manifest:
        raise CheckpointError(
            f"there is no {path}.json to build a model from; build one and use restore()"
        )
    return saved


def _steps(path: Path) -> list[tuple[int, Path]]:
    """Return the steps that have a checkpoint, and its folder, the newest first."""
    found = [(int(p.name[5:]), p) for p in path.glob("step-*") if p.name[5:].isdecimal()]
    return sorted(found, reverse=True)
