"""Keep TensorFlow's notices off the screen: those of its start-up, and of its own deprecations."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_deprecation_notices", "without_first_notices", "without_startup_notices"]

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_lock = threading.Lock()
_quiet = 0  # how many blocks are keeping notices off the screen now
_said: set[str] = set()  # what TensorFlow has said already and will not say again
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

    TensorFlow reads ``TF_CPP_MIN_LOG_LEVEL`` while it is imported, but only once some notices are
    out: hence the detour of the standard error stream. What else is written to the stream follows
    when the block ends, and everything does if the block raises; a crash of the process is still
    reported, with the line that caused it. The variable is afterwards as it was. A user who has set
    it to 0 or 1 sees the notices.
    """
    if _are_wanted():
        yield
        return
    before = os.environ.get(_LEVEL)
    os.environ.setdefault(_LEVEL, _ONLY_FATAL)
    try:
        with _without_notices():
            yield
    finally:
        if before is None:
            os.environ.pop(_LEVEL, None)


@contextmanager
def without_first_notices(of: str) -> Iterator[None]:
    """Drop what TensorFlow logs once in a process, such as at its first session.

    Parameters
    ----------
    of
        What the block does. Only the first block of a name takes the detour.
    """
    with _lock:
        first = of not in _said
        _said.add(of)
    with _without_notices() if first and not _are_wanted() else contextlib.nullcontext():
        yield


def _are_wanted() -> bool:
    return os.environ.get(_LEVEL) in ("0", "1")


@contextmanager
def _without_notices() -> Iterator[None]:
    global _quiet
    with _lock:
        _quiet += 1
        outermost = _quiet == 1  # another thread's block drops this one's notices as well
    try:
        with _detour() if outermost else contextlib.nullcontext():
            yield
    finally:
        with _lock:
            _quiet -= 1


@contextmanager
def _detour() -> Iterator[None]:
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
        keep_all = False
        try:
            yield
        except BaseException:
            keep_all = True
            raise
        finally:
            if report_crashes:
                faulthandler.disable()
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            caught.seek(0)
            rest = b"".join(line for line in caught if keep_all or not _NOTICE.match(line))
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
