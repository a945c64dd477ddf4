"""Every exception of this project, and how its warnings and reasons are said."""

from __future__ import annotations

import os
import sys
import warnings

__all__ = [
    "CheckpointError",
    "ClusterError",
    "ConversionError",
    "DataError",
    "DataWarning",
    "PeerLost",
    "one_line",
    "reason",
    "show_path",
    "warn",
]

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_PREAMBLE = ("Graph execution error:", "Detected at node", "Node:", "\t", " ", "[[")
_LONGEST = 300  # characters of a reason
_LONGEST_PATH = 500


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, written or used; the message says which and why."""

    def __str__(self) -> str:
        return _printable(super().__str__())


class ClusterError(ValueError):
    """Workers that do not train the same model, on the same data; the message says how."""


class ConversionError(ValueError):
    """A model that cannot be converted, or a conversion that is not exact; the message says why."""

    def __str__(self) -> str:
        return _printable(super().__str__())


class PeerLost(SystemExit):
    """Another worker of the cluster is gone, or does not answer; the message says which.

    The workers that are left cannot go on alone. Uncaught, it ends the process without a traceback
    and with status 75, "try again", by which whatever has started the workers starts all of them
    again; `fit` then goes on from the last checkpoint.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 75  # EX_TEMPFAIL of sysexits.h


class DataError(ValueError):
    """Data that is missing, broken or not MNIST: which file (or address), and what is wrong.

    The message is one line of bounded length, whatever a file, a name or a server holds.

    Attributes
    ----------
    path : str
        The file, folder or address, as it was given.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: str | os.PathLike, reason: str) -> None:
        self.path = os.fspath(path)
        self.reason = one_line(reason)
        super().__init__(self.path, self.reason)

    def __str__(self) -> str:
        return f"{show_path(self.path)}: {self.reason}"


class DataWarning(UserWarning):
    """A file in one of the usual places is broken and was passed over."""


def one_line(text: str) -> str:
    """Return `text` as one printable line of bounded length, whatever a hostile file holds."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def show_path(path: str | os.PathLike) -> str:
    r"""Return a path fit for a message: a newline as ``\n``, and the middle left out if long."""
    text = _without_middle(os.fspath(path))
    return _without_middle(_printable(text))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _without_middle(text: str) -> str:
    half = (_LONGEST_PATH - 1) // 2
    return text if len(text) <= _LONGEST_PATH else f"{text[:half]}…{text[-half:]}"


def reason(error: BaseException) -> str:
    """Return the gist of an error in one line, without TensorFlow's preamble."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    lines = (line for line in text.splitlines() if line.strip())
    gist = next((line for line in lines if not line.startswith(_PREAMBLE)), text.splitlines()[0])
    return one_line(gist)


def warn(message: str, category: type[Warning] = RuntimeWarning) -> None:
    """Warn at the line of the user's code that called us."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
