"""Copy rows of a `numpy.memmap` without keeping the pages around them in memory.

Reading a row through a mapping also maps the pages around the row, and these count as memory of
this process as long as the mapping lives. Reading the row from the file takes half the time and no
page; see docs/decisions/memmap.md. If the file cannot be identified for certain, the rows are read
through the mapping, and its pages are released every few rows.
"""

from __future__ import annotations

import itertools
import mmap
import os
import weakref
from collections.abc import Callable

import numpy as np

_ROWS = 32  # rows between two releases; each row may have mapped a huge page, 2 MiB


def reader(mapped: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return what copies the rows of those indices out of a mapping."""
    in_file = _locate(mapped)
    return _MappingReader(mapped) if in_file is None else _FileReader(mapped, *in_file)


class _FileReader:
    def __init__(self, mapped: np.ndarray, descriptor: int, offset: int) -> None:
        self._shape, self._dtype = mapped.shape[1:], mapped.dtype
        self._row_bytes = mapped.nbytes // len(mapped)
        self._descriptor, self._offset = descriptor, offset
        weakref.finalize(self, os.close, descriptor)

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        rows = np.empty((len(indices), *self._shape), self._dtype)
        ends_of_runs = np.flatnonzero(np.diff(indices) != 1) + 1
        for start, stop in itertools.pairwise([0, *ends_of_runs.tolist(), len(rows)]):
            run = rows[start:stop]
            where = self._offset + int(indices[start]) * self._row_bytes
            if os.preadv(self._descriptor, [run.data], where) != run.nbytes:
                raise OSError("the file of X has become shorter than it was when it was mapped")
        return rows


class _MappingReader:
    def __init__(self, mapped: np.ndarray) -> None:
        self._mapped, mapping = mapped, getattr(mapped, "_mmap", None)
        releasable = (
            isinstance(mapping, mmap.mmap)
            and not _is_private(mapped)  # which would lose what was written to it
            and hasattr(mapping, "madvise")
        )
        self._releasable: mmap.mmap | None = mapping if releasable else None

    def __call__(self, indices: np.ndarray) -> np.ndarray:
        rows = np.empty((len(indices), *self._mapped.shape[1:]), self._mapped.dtype)
        for start in range(0, len(indices), _ROWS):
            some = slice(start, start + _ROWS)
            rows[some] = self._mapped[indices[some]]
            if self._releasable is not None:
                self._releasable.madvise(mmap.MADV_DONTNEED)
        return rows


def _is_private(mapped: np.ndarray) -> bool:
    return getattr(mapped, "mode", "c") == "c"


def _locate(mapped: np.ndarray) -> tuple[int, int] | None:
    """Return a descriptor of the mapped file, and the offset of the array in it.

    Return None if these are uncertain: the array is not one piece of the file, what was written to
    the array is not in the file, the file was replaced or deleted, or the system is not Linux.
    """
    if _is_private(mapped) or not mapped.flags.c_contiguous:
        return None
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
            path, offset, identity = _mapping_at(mapped.ctypes.data, mapped.nbytes, maps)
        descriptor = os.open(path, os.O_RDONLY)
    except (OSError, LookupError):
        return None
    found = os.fstat(descriptor)
    if (os.major(found.st_dev), os.minor(found.st_dev), found.st_ino) == identity:
        return descriptor, offset
    os.close(descriptor)
    return None


def _mapping_at(address: int, size: int, maps) -> tuple[str, int, tuple[int, int, int]]:
    """Return path, offset and identity of the file behind some memory; see proc(5)."""
    for line in maps:
        place, _, offset, device, inode, *path = line.rstrip("\n").split(maxsplit=5)
        start, end = (int(number, 16) for number in place.split("-"))
        if path and start <= address and address + size <= end:
            major, minor = (int(number, 16) for number in device.split(":"))
            return path[0], int(offset, 16) + address - start, (major, minor, int(inode))
    raise LookupError(f"no file is mapped at {address:#x}")
