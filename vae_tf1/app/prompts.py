"""The questions at the terminal."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from typing import TextIO

__all__ = ["another", "can_ask"]

_QUESTION = "Generate another? [Y/n] "
_LOOK_EVERY = 0.05  # seconds; windows look alive at that pace


def can_ask() -> bool:
    """Tell whether somebody sits at a terminal who sees a question and can answer it."""
    return _is_terminal(sys.stdin) and (_is_terminal(sys.stdout) or _is_terminal(sys.stderr))


def another(meanwhile: Callable[[], None] | None = None) -> bool:
    """Ask "Generate another?": what begins with n or N is a no, and so is Ctrl-D; all else a yes.

    Parameters
    ----------
    meanwhile
        Called again and again while there is no answer yet; it keeps windows alive.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C.
    """
    screen = sys.stdout if _is_terminal(sys.stdout) else sys.stderr
    print(_QUESTION, end="", file=screen, flush=True)
    if meanwhile is not None and os.name != "nt":  # Windows cannot wait for a line without reading
        while not select.select([sys.stdin], [], [], _LOOK_EVERY)[0]:
            meanwhile()
    answer = sys.stdin.readline()
    if not answer:
        print(file=screen)
        return False
    return answer.strip()[:1] not in ("n", "N")


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except (AttributeError, ValueError):  # a stand-in, or it has been closed
        return False
