"""How much memory there is, and have glibc keep what was freed for the next block of work."""

from __future__ import annotations

import os

import numpy as np

__all__ = ["check_room", "keep_freed_memory"]

# Bytes. Just below the 32 MiB to which glibc raises its threshold; see docs/decisions/memory.md
_ALLOCATION = 31 << 20


def keep_freed_memory() -> None:
    """Raise glibc's mmap threshold by one allocation that is never touched.

    glibc returns free memory to the system beyond twice the largest block that it has mapped and
    released, up to 32 MiB (M_MMAP_THRESHOLD in mallopt(3)). Memory that was returned comes back
    page by page, which takes a tenth of the time of an evaluation.
    """
    np.empty(_ALLOCATION, np.uint8)


def check_room(needed: int, what: str) -> None:
    """Raise a MemoryError if `what` takes more bytes than this machine, or its container, has."""
    total = _total()
    if total is not None and needed > total:
        raise MemoryError(
            f"{what} takes {needed / 1e9:,.1f} GB, but this machine has {total / 1e9:,.1f} GB"
        )


def _total() -> int | None:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return None
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            return min(total, int(file.read()))
    except (OSError, ValueError):  # no container, or one without a limit
        return total
