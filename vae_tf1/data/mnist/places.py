"""MNIST in a named file or folder, in any of the formats.

A place is a pair (format, path): IDX files by their folder or by one of them, an npz file, a CSV
file. In a folder the formats are looked for in this order.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vae_tf1.data.mnist.files import open_regular
from vae_tf1.data.mnist.idx import IDX_MAGICS, find_idx, find_partner, read_idx_pair
from vae_tf1.data.mnist.kaggle import held_out, read_csv
from vae_tf1.data.mnist.npz import ZIP_MAGIC, read_npz
from vae_tf1.data.mnist.source import Mnist, Source
from vae_tf1.errors import DataError

__all__ = ["PARTS", "SPLITS", "find_in_folder", "identify", "join", "read_place"]

Arrays = tuple[np.ndarray, np.ndarray]

# None is what the original asks for: the training images, and of Kaggle's file every row.
SPLITS = (None, "train", "test", "all")
PARTS = {None: ("train",), "train": ("train",), "test": ("test",), "all": ("train", "test")}


def find_in_folder(folder: Path, parts: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Name the places in a folder that have the `parts` "train" and "test"."""
    if all(find_idx(folder, part) for part in parts):
        yield "idx", folder
    for kind, name in (("npz", "mnist.npz"), ("csv", "train.csv")):
        if os.path.isfile(folder / name):
            yield kind, folder / name


def identify(path: Path, split: str | None) -> tuple[str, Path]:
    """Return the place that a user means by `path`; a file is known by its first bytes.

    Raises
    ------
    DataError
        If there is nothing, or nothing of the wanted split.
    """
    if os.path.isdir(path):
        place = next(find_in_folder(path, PARTS[split]), None)
        if place is None:
            names = " and ".join({"train": "train", "test": "t10k"}[part] for part in PARTS[split])
            raise DataError(
                path,
                f"no MNIST in this folder; wanted are the IDX files ({names}, images and labels, "
                "plain or .gz), mnist.npz or train.csv",
            )
        return place
    if not os.path.exists(path):
        raise DataError(path, "no such file or folder")
    with open_regular(path) as file:
        begins = file.read(4)
    if begins == ZIP_MAGIC:
        return "npz", path
    return ("idx" if begins.startswith(IDX_MAGICS) else "csv"), path


def read_place(kind: str, path: Path, split: str | None, whole: bool = False) -> Mnist:
    """Read the `split` of a place; if `whole`, the rest too, so that a broken part is noticed.

    Raises
    ------
    DataError
        If anything about the files is wrong.
    """
    parts = PARTS["all"] if whole else PARTS[split]
    if kind == "csv":
        images, labels = _cut(path, *read_csv(path), split)
    elif kind == "npz":
        images, labels = join({part: read_npz(path, part) for part in parts}, split)
    elif os.path.isdir(path):
        pairs = {part: find_idx(path, part) for part in parts}
        images, labels = join({part: read_idx_pair(*pairs[part]) for part in parts}, split)
    else:
        part, images_path, labels_path = find_partner(path)
        if split not in (None, part):
            raise DataError(path, f"holds the {part} images; for split={split!r} name the folder")
        images, labels = read_idx_pair(images_path, labels_path)
    return Mnist(images, labels, Source(kind, path, split, len(labels)))


def join(pairs: dict[str, Arrays], split: str | None) -> Arrays:
    """Put the parts of a split one behind the other."""
    chosen = [pairs[part] for part in PARTS[split]]
    if len(chosen) == 1:
        return chosen[0]
    return tuple(np.concatenate(arrays) for arrays in zip(*chosen, strict=True))


def _cut(path: Path, images: np.ndarray, labels: np.ndarray, split: str | None) -> Arrays:
    """Kaggle labels no test images, so the last rows serve as such."""
    end = len(labels) - held_out(len(labels))
    rows = {"train": slice(end), "test": slice(end, None)}.get(split, slice(None))
    if not len(labels[rows]):
        raise DataError(path, f"{len(labels)} images are too few to keep a sixth for the test")
    return images[rows], labels[rows]
