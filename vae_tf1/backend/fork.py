"""TensorFlow's sessions do not survive a fork: say so, in place of waiting for ever."""

from __future__ import annotations

import os

__all__ = ["check_not_forked", "note_session"]

_process: int | None = None  # in which TensorFlow's threads were started


def note_session() -> None:
    """Note that TensorFlow has threads in this process from now on."""
    global _process
    _process = os.getpid() if _process is None else _process


def check_not_forked() -> None:
    """Raise a RuntimeError in a child that was forked after its parent had opened a session."""
    if _process not in (None, os.getpid()):
        raise RuntimeError(
            f"TensorFlow was in use when process {_process} forked this one, and cannot be used "
            'here: start processes by multiprocessing.get_context("spawn"), or fork before the '
            "first model is built"
        )
