"""Have glibc keep freed memory for the next block of work."""

from __future__ import annotations

import numpy as np

__all__ = ["keep_freed_memory"]

# Bytes. Just below the 32 MiB to which glibc raises its threshold; see docs/decisions/memory.md
_ALLOCATION = 31 << 20


def keep_freed_memory() -> None:
    """Raise glibc's mmap threshold by one allocation that is never touched.

    glibc returns free memory to the system beyond twice the largest block that it has mapped and
    released, up to 32 MiB (M_MMAP_THRESHOLD in mallopt(3)). Memory that was returned comes back
    page by page, which takes a tenth of the time of an evaluation.
    """
    np.empty(_ALLOCATION, np.uint8)
