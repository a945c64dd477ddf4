"""Files that survive a power cut, and folders in which nothing is written through a link."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from vae_tf1.data.files import flush_to_disk

__all__ = ["digest", "flush_to_disk", "remove"]

_CHUNK = 1 << 20  # bytes read at a time


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, read in chunks."""
    sha256 = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
    return sha256.hexdigest()


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it; of a link, the link alone."""
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
