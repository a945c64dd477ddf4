"""A lock on a folder that a crash does not leave behind."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["FolderLock"]


class FolderLock:
    """Hold a folder for this process; the operating system lets go of it however we end.

    Parameters
    ----------
    folder
        An existing folder; a file `lock` in it is what is locked, and stays.

    Raises
    ------
    BlockingIOError
        When another process, or another training in this one, holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "lock").open("a+b")
        try:
            _lock(self._file.fileno())
        except OSError:
            self._file.seek(0)
            owner = self._file.read(32).decode("ascii", "replace").strip()
            self._file.close()
            raise BlockingIOError(f"process {owner}" if owner else "another process") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        """Let go."""
        self._file.close()


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
