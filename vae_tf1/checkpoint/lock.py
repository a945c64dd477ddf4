"""A lock on a folder that a crash does not leave behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["FolderLock"]


class FolderLock:
    """Hold a folder for this process; the operating system lets go of it however the process ends.

    Parameters
    ----------
    folder
        An existing folder. The lock is on a file `lock` in it, which stays.

    Raises
    ------
    BlockingIOError
        If another process, or another training in this one, holds the folder.
    OSError
        If the file cannot be opened or written. A link of that name is not followed.
    """

    def __init__(self, folder: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(folder / "lock", flags, 0o666), "r+b")
        try:
            self._take()
        except BaseException:
            self._file.close()
            raise

    def _take(self) -> None:
        try:
            _lock(self._file.fileno())
        except OSError:
            owner = self._file.read(32).decode("ascii", "replace").strip()
            raise BlockingIOError(f"process {owner}" if owner else "another process") from None
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        self._file.flush()

    def release(self) -> None:
        """Let go."""
        self._file.close()


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which others may read
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
