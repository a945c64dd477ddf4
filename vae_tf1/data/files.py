"""Files that appear whole or not at all."""

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

__all__ = ["flush_to_disk", "write_whole"]

_STALE = 3600.0  # seconds without a change after which an unfinished file has lost its writer
_NEW = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL  # never a file that exists, never the target of a link
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def write_whole(
    path: str | os.PathLike, write: Callable[[BinaryIO], object], *, stale: float = _STALE
) -> None:
    """Create or replace a file with what ``write(file)`` writes.

    The bytes go to a hidden file in the same folder. That file takes the name `path` after its
    bytes have reached the disk, so a crash leaves the earlier file or the new one. A symbolic link
    at `path` is replaced; its target stays as it is.

    Parameters
    ----------
    path : str or os.PathLike
        The file. Its folder is created if need be.
    write : callable
        Takes a binary file that is open for writing.
    stale : float
        Seconds after which the hidden file of a killed process is removed.

    Raises
    ------
    OSError
        If the folder cannot be written; `path` is then as it was. So it is after any exception
        that `write` raises.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name[:60]}."  # 60 characters take at most 240 of the 255 bytes of a name
    _remove_unfinished(path.parent, prefix, stale)
    part = path.parent / f"{prefix}{secrets.token_hex(4)}.part"
    descriptor = os.open(part, _NEW, 0o666)  # minus the umask, as for any new file
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    with contextlib.suppress(OSError):  # some network file systems refuse
        flush_to_disk(path.parent)


def _remove_unfinished(folder: Path, prefix: str, stale: float) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix) and entry.name.endswith(".part"):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and time.time() - status.st_mtime > stale:
                        os.unlink(entry.path)


def flush_to_disk(path: str | os.PathLike) -> None:
    """Wait until a file, or the names in a folder, would survive a loss of power."""
    if os.name == "nt" and os.path.isdir(path):
        return  # Windows does not open folders
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
