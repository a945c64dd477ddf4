"""Files that appear in a folder whole, and all of them, or not at all."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vae_tf1.errors import ConversionError, reason

__all__ = ["staged"]


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside the target; what is in it at the end moves into the target.

    After an exception nothing has moved, and the folders that were made for it are gone.

    Raises
    ------
    ConversionError
        If the target cannot be written.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
        except OSError as error:
            what = "it is a file" if folder.is_file() else reason(error)
            raise ConversionError(f"cannot write to {folder}: {what}") from None
        try:
            fresh, old = stage / "fresh", stage / "old"
            fresh.mkdir()
            yield fresh
            old.mkdir()
            _move(fresh, folder, old)
        except OSError as error:
            raise ConversionError(f"cannot write to {folder}: {reason(error)}") from None
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except BaseException:
        for path in missing:  # the deepest first
            with contextlib.suppress(OSError):
                path.rmdir()  # only if it is empty
        raise


def _move(fresh: Path, folder: Path, old: Path) -> None:
    """Move each entry of `fresh` into the folder; put everything back if one cannot be moved."""
    moved: list[Path] = []
    try:
        for path in sorted(fresh.iterdir()):
            target = folder / path.name
            if target.exists():
                target.rename(old / path.name)
            moved.append(target)
            path.rename(target)
    except OSError:
        for target in moved:
            if (old / target.name).exists():
                if target.is_dir():
                    shutil.rmtree(target, ignore_errors=True)
                (old / target.name).replace(target)
            else:
                target.unlink(missing_ok=True)
        raise
