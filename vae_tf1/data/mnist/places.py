"""MNIST in a file or folder that somebody names, in any of the formats."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vae_tf1.data.mnist.amat import Amat
from vae_tf1.data.mnist.bounded import open_regular
from vae_tf1.data.mnist.format import BEGIN, Format
from vae_tf1.data.mnist.idx import Idx
from vae_tf1.data.mnist.kaggle import Kaggle
from vae_tf1.data.mnist.npz import Npz
from vae_tf1.errors import DataError

__all__ = ["FORMATS", "find_in_folder", "identify"]

FORMATS: tuple[type[Format], ...] = (Idx, Npz, Kaggle, Amat)  # in the order of preference


def find_in_folder(folder: Path, split: str | None) -> Iterator[Format]:
    """Yield each format in which a folder holds the `split`."""
    for each in FORMATS:
        if place := each.find(folder, split):
            yield place


def identify(path: Path, split: str | None) -> Format:
    """Return the place that a user means by `path`; a file is recognised by its first bytes.

    Raises
    ------
    DataError
        If there is nothing, or nothing of the `split`.
    """
    if os.path.isdir(path):
        if place := next(find_in_folder(path, split), None):
            return place
        *others, last = (each.expected(split) for each in FORMATS)
        raise DataError(
            path, f"no MNIST in this folder; expected are {', '.join(others)} or {last}"
        )
    if not os.path.exists(path):
        raise DataError(path, "no such file or folder")
    with open_regular(path) as file:
        begin = file.read(BEGIN)
    # Kaggle's reader says best what is wrong with a text that no format recognises.
    return next((each for each in FORMATS if each.recognises(begin)), Kaggle).open(path)
