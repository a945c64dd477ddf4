"""The user's cache folder, and files that appear there whole or not at all."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["cache_folder", "write_atomically"]

_STALE = 3600  # seconds after which an unfinished file has no writer any more


def cache_folder() -> Path | None:
    """Return where this project caches, by the platform's convention; None without a home."""
    home = Path(os.path.expanduser("~"))
    named = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):
        base = Path(named)
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = home / ".cache"
    return base / "vae_tf1" if base.is_absolute() else None


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Create or replace `path` with what ``write(file)`` writes.

    The bytes go to a hidden neighbour that takes the name once it is complete and on the disk.
    What a killed process left of such a neighbour is removed by a later call.

    Raises
    ------
    OSError
        If the folder cannot be written; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _sweep(path: Path) -> None:
    for part in path.parent.glob(f".{path.name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()
