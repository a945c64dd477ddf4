"""Every exception and warning of this project."""

import os

__all__ = ["CheckpointError", "ConversionError", "DataError", "DataWarning"]


class CheckpointError(ValueError):
    """A checkpoint that cannot be read, written or used; the message says which and why."""


class ConversionError(ValueError):
    """A model that cannot be converted, or a conversion that is not exact; the message says why."""


class DataError(ValueError):
    """Data that is missing, broken or not MNIST: which file (or address), and what is wrong.

    Attributes
    ----------
    path : str
        The file, folder or address.
    reason : str
        What is wrong with it.
    """

    def __init__(self, path: str | os.PathLike, reason: str):
        self.path = os.fspath(path)
        # One line whatever a hostile file or server put into it.
        self.reason = " ".join("".join(c if c.isprintable() else " " for c in reason).split())
        super().__init__(self.path, self.reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DataWarning(UserWarning):
    """A file in one of the usual places is broken and was passed over."""
