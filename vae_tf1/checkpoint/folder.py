"""The folder in which a training keeps its checkpoints, so that it can be killed at any moment.

Each checkpoint has a folder of its own, ``step-00011040``, which gets that name by one rename after
all of it is on the disk: a checkpoint is there whole or not at all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vae_tf1.checkpoint import files, store
from vae_tf1.checkpoint.lock import FolderLock
from vae_tf1.checkpoint.store import Saved, Writer
from vae_tf1.errors import CheckpointError, reason, warn

__all__ = ["CheckpointFolder", "find", "newest"]

_NAME = "model"  # of the files in each checkpoint's folder
_UNFINISHED = ".unfinished"
_ENDINGS = (*store.SUFFIXES, ".json", ".meta")


class CheckpointFolder:
    """A training's checkpoints; held by one training at a time.

    Parameters
    ----------
    path
        The folder, made if it is missing.
    keep
        How many checkpoints stay.

    Raises
    ------
    CheckpointError
        If another training uses the folder, or it cannot be written.
    """

    def __init__(self, path: str | os.PathLike, keep: int) -> None:
        self.path, self._keep = Path(path), keep
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = FolderLock(self.path)
        except BlockingIOError as owner:
            raise CheckpointError(f"{self.path} is in use: {owner} is training there") from None
        except OSError as error:
            raise CheckpointError(f"cannot use {self.path}: {reason(error)}") from None

    def release(self) -> None:
        """Let other trainings use the folder."""
        self._lock.release()

    def newest(self) -> Saved | None:
        """Return the newest checkpoint that is whole, None if there has been none at all."""
        return newest(self.path)

    def save(self, writer: Writer, step: int, **more: Any) -> None:
        """Write the checkpoint of a step, and remove those that are too old.

        Raises
        ------
        CheckpointError
            If it cannot be written; the earlier ones are as they were.
        """
        unfinished = self.path / _UNFINISHED
        whole = self.path / f"step-{step:08d}"
        files.remove(unfinished)  # what a killed process left
        try:
            writer.write(unfinished / _NAME, **more)
            files.remove(whole)  # damaged, or training would not be at its step
            unfinished.replace(whole)
            files.flush_to_disk(self.path)
        except OSError as error:
            raise CheckpointError(f"cannot save to {whole}: {reason(error)}") from None
        finally:
            files.remove(unfinished)
        earlier = [folder for number, folder in _steps(self.path) if number <= step]
        later = [folder for number, folder in _steps(self.path) if number > step]  # damaged ones
        for folder in later + earlier[self._keep :]:
            files.remove(folder)


def newest(path: Path) -> Saved | None:
    """Return the newest checkpoint in a training's folder that is whole.

    A damaged or unreadable one is named in a warning, and the one before it is used.

    Raises
    ------
    CheckpointError
        If there are checkpoints and none can be used.
    """
    damaged = None
    for _, folder in _steps(path):
        try:
            saved = store.read(folder / _NAME)
            if not saved.manifest:
                raise CheckpointError(f"{folder} is damaged: it has no {_NAME}.json")
            return saved
        except (CheckpointError, OSError) as error:
            if not isinstance(error, CheckpointError):
                error = CheckpointError(f"{folder} cannot be read: {reason(error)}")
            damaged = damaged or error
            warn(f"{error}; trying the checkpoint before it")
    if damaged is not None:
        raise damaged
    return None


def find(path: str | os.PathLike) -> Saved:
    """Return the checkpoint that a user means by `path`.

    That is the one under this name, also if the name was given with one of its endings; else the
    newest of a training's folder, or the only one in a folder. If there are both, ``"runs/a"``
    means the checkpoint and ``"runs/a/"`` the folder.
    """
    text = os.fspath(path)
    prefix = Path(text)
    try:
        for name in () if text.endswith(os.sep) else _names(prefix):
            if store.exists(prefix.with_name(name)):
                return store.read(prefix.with_name(name))
        if prefix.is_dir():
            return _in_folder(prefix)
    except OSError as error:
        raise CheckpointError(f"{text} cannot be read: {reason(error)}") from None
    return store.read(prefix)


def _names(prefix: Path) -> list[str]:
    """Return the names of a checkpoint that `prefix` may mean, which may end as its files do."""
    name = prefix.name
    shorter = [name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)]
    return [each for each in (name, *shorter) if each]


def _in_folder(folder: Path) -> Saved:
    saved = newest(folder)
    if saved is not None:
        return saved
    ending = store.SUFFIXES[0]
    found = sorted(p.name.removesuffix(ending) for p in folder.iterdir() if p.suffix == ending)
    if len(found) != 1:
        what = "several: " + ", ".join(found) if found else "none"
        raise CheckpointError(f"one saved model is expected in {folder}, but there are {what}")
    return store.read(folder / found[0])


def _steps(path: Path) -> list[tuple[int, Path]]:
    """Return the steps that have a checkpoint, and its folder, the newest first."""
    if not path.is_dir():
        return []
    names = [p for p in path.iterdir() if p.name.startswith("step-") and p.name[5:].isdecimal()]
    return sorted(((int(p.name[5:]), p) for p in names), reverse=True)
