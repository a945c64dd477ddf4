"""Every exception and warning of this project."""

import os

__all__ = ["CheckpointError", "DataError", "DataWarning", "one_line", "shorten"]

_LONGEST = 500  # characters of a path, and of a reason, in a message


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, written or used; the message says which and why."""


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

    def __init__(self, path: str | os.PathLike, reason: str):
        self.path = os.fspath(path)
        # Slice first: a reason may quote megabytes.
        words = "".join(c if c.isprintable() else " " for c in shorten(reason, 10_000)).split()
        self.reason = shorten(" ".join(words), _LONGEST)
        super().__init__(self.path, self.reason)

    def __str__(self) -> str:
        return f"{one_line(self.path)}: {self.reason}"


class DataWarning(UserWarning):
    """A file in one of the usual places is broken and was passed over."""


def one_line(name: str | os.PathLike) -> str:
    r"""Return a path or a name fit for a message: a newline as ``\n``, the middle cut if long."""
    text = shorten(os.fspath(name), _LONGEST)
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shorten("".join(shown), _LONGEST)


def shorten(text: str, most: int) -> str:
    """Return `text`, without its middle if it has more than `most` characters."""
    if len(text) <= most:
        return text
    half = (most - 3) // 2
    return f"{text[:half]}...{text[-half:]}"
