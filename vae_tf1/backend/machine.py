"""What the bits of a training depend on besides seed, data and version: how this machine rounds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

__all__ = ["describe", "said", "vectors"]

_VECTORS = ("avx512f", "avx2", "avx", "asimd")


def describe() -> dict[str, Any]:
    """Return the facts that change the order of sums: see docs/reliability.md."""
    import tensorflow as tf

    return {
        "tensorflow": tf.__version__,
        "cores": _cores(),
        "vectors": vectors(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }


def said(facts: Mapping[str, Any]) -> str:
    """Return the facts in words."""
    return (
        f"{facts.get('cores')} cores with {facts.get('vectors')}, "
        f"TensorFlow {facts.get('tensorflow')}"
    )


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def vectors() -> str:
    """Return the widest vector instructions that TensorFlow's kernels choose by."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
            line = next((line for line in info if line.startswith(("flags", "Features"))), "")
    except OSError:
        return "unknown"
    flags = set(line.split())
    return next((name for name in _VECTORS if name in flags), "unknown")
