"""Keep TensorFlow's notices off the screen: those of its start-up, and of its own deprecations."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_deprecation_notices", "without_startup_notices"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_ONLY_FATAL = "3"
_NOTICE = re.compile(
    rb"WARNING: All log messages before absl"
    rb"|[IWE]\d{4} \d\d:\d\d:\d+\."  # absl's log
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "  # TensorFlow's own, before 2.20
    rb"|To enable the following instructions:"
)


@contextmanager
def without_startup_notices() -> Iterator[None]:
    """Drop what TensorFlow's C++ side logs below a fatal error while the block imports it.

    ``TF_CPP_MIN_LOG_LEVEL`` comes into force only once TensorFlow is up, hence the detour of the
    standard error stream. What else is written to it follows when the block ends, and everything
    does when the block raises; a crash of the process is still reported, with the line that caused
    it. A user who has set that variable to see the notices sees them.
    """
    with contextlib.ExitStack() as stack:
        if os.environ.setdefault(_LEVEL, _ONLY_FATAL) not in ("0", "1"):
            stack.enter_context(_without_notices())
        yield


@contextmanager
def _without_notices() -> Iterator[None]:
    try:
        screen = os.dup(2)
    except OSError:  # the process has no standard error
        yield
        return
    report_crashes = not faulthandler.is_enabled()
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        if report_crashes:
            faulthandler.enable(screen)
        wanted = _NOTICE.match
        try:
            yield
        except BaseException:
            wanted = None
            raise
        finally:
            if report_crashes:
                faulthandler.disable()
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            caught.seek(0)
            rest = b"".join(line for line in caught if wanted is None or not wanted(line))
            while rest:
                rest = rest[os.write(2, rest) :]


@contextmanager
def without_deprecation_notices() -> Iterator[None]:
    """Drop TensorFlow's messages on deprecated classes; the log level stays as it is."""
    logger, dropped = logging.getLogger("tensorflow"), _DropDeprecations()
    logger.addFilter(dropped)
    try:
        yield
    finally:
        logger.removeFilter(dropped)


class _DropDeprecations(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return "deprecat" not in record.getMessage()
