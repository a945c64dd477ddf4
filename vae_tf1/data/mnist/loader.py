"""`get_mnist`: find MNIST wherever it is, or make do with the built-in digits.

In order: the path that the caller names; the environment variable ``VAE_TF1_DATA``; the usual
places (``../large_files``, the working folder, the user's cache, Keras's cache); a download into
the user's cache; the built-in digits. What the user names is used or refused, never replaced. A
broken file in a usual place is named in a `DataWarning` and passed over.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vae_tf1.checks import check_count
from vae_tf1.data.binarization import FIXED, THRESHOLD, binarize, check_protocol
from vae_tf1.data.mnist.bounded import PIXELS
from vae_tf1.data.mnist.builtin import StandIn
from vae_tf1.data.mnist.cache import cache_folder
from vae_tf1.data.mnist.download import Mirrors
from vae_tf1.data.mnist.format import Content, Format
from vae_tf1.data.mnist.places import find_in_folder, identify
from vae_tf1.data.mnist.source import BUILTIN, Mnist, Source
from vae_tf1.data.mnist.splits import check_split
from vae_tf1.errors import DataError, DataWarning, one_line, warn

__all__ = ["Loader", "get_mnist", "load_mnist"]

_BLOCK = 4096  # images converted to float at a time


def get_mnist(
    limit: int | None = None,
    path: str | os.PathLike | None = None,
    split: str | None = None,
    seed: int | None = None,
    *,
    download: bool = True,
    quiet: bool = False,
    binarization: str | None = None,
    binarization_seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Load MNIST, shuffled, as the original's training scripts expect it.

    Parameters
    ----------
    limit : int, optional
        Keep only so many of the shuffled images.
    path : str or os.PathLike, optional
        A folder with the IDX files (plain or .gz), ``mnist.npz`` or ``train.csv``; or one such
        file; or "builtin" for the built-in digits. With ``binarization="fixed"`` also Larochelle's
        ``binarized_mnist_*.amat``, as a folder or a file. Without a path the places that the
        module lists are searched.
    split : {None, "train", "test", "all"}
        None is what the original loads: the training images, and of Kaggle's ``train.csv`` every
        row. "train" and "test" never overlap: of ``train.csv``, which has no test images, the last
        sixth of the rows is "test" and the rest "train".
    seed : int, optional
        Makes the order reproducible. NumPy's global generator is neither used nor changed.
    download : bool
        Whether MNIST may be downloaded if it is not found; ``VAE_TF1_OFFLINE=1`` forbids it too.
    quiet : bool
        Do not say on stderr which data is in use.
    binarization : {None, "threshold", "fixed"}
        How the images are made binary. None: not at all. "threshold": 1 where the grey value
        exceeds one half, as the original does with X. "fixed": each pixel drawn once, 1 with a
        probability equal to its grey value. Likelihoods under different protocols must not be
        compared. ("dynamic" draws anew in every epoch: ``fit(X, binarization="dynamic")``.)
    binarization_seed : int, optional
        The seed of the "fixed" draw; None is 0. What an image becomes depends on this seed and on
        the image's place in its file alone, so `seed`, `limit` and `split` do not change it.

    Returns
    -------
    X : numpy.ndarray of float32, shape (N, 784)
        Grey values k / 255 in [0, 1], 0 is the background; 0 or 1 if binarised.
    Y : numpy.ndarray of int64, shape (N,)
        The digits 0 to 9. All -1 from ``.amat`` files: they have no labels.

    Raises
    ------
    DataError
        If the data that the user names (by `path` or the variable) is missing or broken.
    ValueError, TypeError
        If an argument is none of the above.
    """
    limit = None if limit is None else check_count(limit, "limit")
    seed = None if seed is None else check_count(seed, "seed", 0)
    images, labels, source = _LOADER.load(
        path,
        split,
        download=download,
        quiet=quiet,
        binarization=binarization,
        binarization_seed=binarization_seed,
    )
    levels = np.float32(255 if source.binarization is None else 1)
    order = np.random.default_rng(seed).permutation(len(images))[:limit]
    X = np.empty((len(order), PIXELS), np.float32)
    for start in range(0, len(order), _BLOCK):
        rows = slice(start, start + _BLOCK)
        np.divide(images[order[rows]], levels, out=X[rows], dtype=np.float32)
    return X, labels[order].astype(np.int64)


def load_mnist(
    path: str | os.PathLike | None = None,
    split: str | None = "train",
    *,
    prefer: str | os.PathLike | None = None,
    download: bool = True,
    quiet: bool = False,
    binarization: str | None = None,
    binarization_seed: int | None = None,
) -> Mnist:
    """Load MNIST as it is stored: bytes, in file order, and where they come from.

    Parameters
    ----------
    path, split, download, quiet, binarization, binarization_seed
        As for `get_mnist`.
    prefer : str or os.PathLike, optional
        A folder to look into before the usual places; nothing need be there.

    Returns
    -------
    Mnist
        ``images`` (N, 784) uint8, ``labels`` (N,) uint8, ``source``.

    Raises
    ------
    DataError, ValueError, TypeError
        As for `get_mnist`.
    """
    return _LOADER.load(
        path,
        split,
        prefer=prefer,
        download=download,
        quiet=quiet,
        binarization=binarization,
        binarization_seed=binarization_seed,
    )


class _Protocol(NamedTuple):
    """How images are made binary."""

    name: str | None
    seed: int | None  # as the caller gave it


class Loader:
    """The search for MNIST that stands behind `get_mnist` and `load_mnist`.

    Parameters
    ----------
    mirrors : Mirrors, optional
        Where MNIST is downloaded from.
    stand_in : StandIn, optional
        The built-in digits that serve if there is no MNIST.
    """

    def __init__(self, mirrors: Mirrors | None = None, stand_in: StandIn | None = None) -> None:
        self._mirrors = mirrors or Mirrors()
        self._stand_in = stand_in or StandIn()
        # Why the download failed. It is tried once, so that the training and the test images of
        # one run never come from different sources.
        self._download_failure: str | None = None

    def load(
        self,
        path: str | os.PathLike | None = None,
        split: str | None = "train",
        *,
        prefer: str | os.PathLike | None = None,
        download: bool = True,
        quiet: bool = False,
        binarization: str | None = None,
        binarization_seed: int | None = None,
    ) -> Mnist:
        """Do what the function `load_mnist` says."""
        check_split(split)
        protocol = _check_protocol(binarization, binarization_seed)
        variable = os.environ.get("VAE_TF1_DATA")
        if path is not None:
            content, source = self._load_named(_check_path(path, "path"), split, protocol)
        elif variable:
            try:
                named = _check_path(variable, "VAE_TF1_DATA")
                content, source = self._load_named(named, split, protocol)
            except DataError as error:
                raise DataError(error.path, f"{error.reason} (VAE_TF1_DATA names it)") from error
        else:
            preferred = None if prefer is None else _check_path(prefer, "prefer")
            content, source = self._search(split, preferred, download, quiet)
        mnist = _binarise(content, source, protocol)
        if not quiet:
            print(f"data: {mnist.source}", file=sys.stderr)
        return mnist

    def _load_named(
        self, path: Path, split: str | None, protocol: _Protocol
    ) -> tuple[Content, Source]:
        if path == Path(BUILTIN):
            return self._load_stand_in(split, because="")
        place = identify(path, split)
        if place.binarization is not None:
            _check_published(place, protocol)
        return _read(place, split)

    def _search(
        self, split: str | None, prefer: Path | None, download: bool, quiet: bool
    ) -> tuple[Content, Source]:
        # Only places with both training and test images count, and both are read: so the two
        # splits of one run come from the same place.
        for place in _usual_places(prefer):
            try:
                return _read(place, split, whole=True)
            except DataError as error:
                warn(f"passed over {error}", DataWarning)
        folder = cache_folder()
        offline = os.environ.get("VAE_TF1_OFFLINE", "") not in ("", "0")
        if not download or offline or folder is None:
            return self._load_stand_in(split, because="No MNIST found")
        if self._download_failure is None:
            try:
                self._mirrors.download(folder, quiet=quiet)
                return _read(identify(folder, "all"), split, whole=True)
            except DataError as error:
                self._download_failure = error.reason
        because = f"No MNIST found and none downloaded ({self._download_failure})"
        return self._load_stand_in(split, because)

    def _load_stand_in(self, split: str | None, because: str) -> tuple[Content, Source]:
        content = self._stand_in.read(split)
        return content, Source(BUILTIN, None, split, len(content.labels), because)


def _check_path(value: object, name: str) -> Path:
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(path, str) or not path:
        shown = one_line(repr(value))
        raise TypeError(f"{name} must be the path of a file or folder, not {shown}")
    return Path(os.path.expanduser(path))


def _check_protocol(binarization: object, seed: object) -> _Protocol:
    name = check_protocol(binarization, (THRESHOLD, FIXED))
    if seed is None:
        return _Protocol(name, None)
    if name != FIXED:
        raise ValueError(f"binarization_seed belongs to binarization='fixed', not to {name!r}")
    return _Protocol(name, check_count(seed, "binarization_seed", 0))


def _check_published(place: Format, protocol: _Protocol) -> None:
    """Refuse to take binary files for grey ones, or to draw their pixels again."""
    if protocol.name != place.binarization:
        raise DataError(
            place.path,
            "holds images that are binary already and have no labels; "
            f"say binarization={place.binarization!r} to use them",
        )
    if protocol.seed is not None:
        raise DataError(
            place.path, "holds images that are binary already; binarization_seed cannot apply"
        )


def _usual_places(prefer: Path | None) -> Iterator[Format]:
    keras = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    folders = (prefer, Path("..", "large_files"), Path(), cache_folder(), keras / "datasets")
    for folder in folders:
        if folder is not None:
            for place in find_in_folder(Path(os.path.abspath(folder)), "all"):
                if place.binarization is None:
                    yield place


def _read(place: Format, split: str | None, whole: bool = False) -> tuple[Content, Source]:
    content = place.read(split, whole)
    return content, place.source(split, len(content.labels))


def _binarise(content: Content, source: Source, protocol: _Protocol) -> Mnist:
    images, labels, rows = content
    if protocol.name is not None and source.binarization is None:
        images = binarize(images, protocol.name, protocol.seed or 0, rows)
        seed = (protocol.seed or 0) if protocol.name == FIXED else None
        source = replace(source, binarization=protocol.name, binarization_seed=seed)
    return Mnist(images, labels, source)


_LOADER = Loader()
