"""TensorFlow's start-up notices kept off the screen."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_startup_notices"]

_NOTICE = re.compile(rb"WARNING: All log messages before absl|[IWE]\d{4} \d\d:\d\d:\d+\.")


@contextmanager
def without_startup_notices() -> Iterator[None]:
    """Drop what TensorFlow's C++ side logs below a fatal error while the block imports it.

    `TF_CPP_MIN_LOG_LEVEL` comes into force only once TensorFlow is up, hence the detour of the
    standard error stream; all else that is written to it follows when the block ends. A user who
    has set that variable is left alone.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    try:
        screen = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            caught.seek(0)
            rest = b"".join(line for line in caught if not _NOTICE.match(line))
            while rest:
                rest = rest[os.write(2, rest) :]
