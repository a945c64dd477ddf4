"""`get_mnist`: find MNIST wherever it is, or make do with the built-in digits.

In order: the path that the caller names; the environment variable ``VAE_TF1_DATA``; the usual
places (``../large_files``, the working folder, the user's cache, Keras's cache); a download into
the user's cache; the built-in digits. What the user names is used or refused, never replaced. A
broken file in a usual place is named in a `DataWarning` and passed over.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vae_tf1.data.mnist.cache import cache_folder, write_atomically
from vae_tf1.data.mnist.checks import check_count, check_seed, check_split
from vae_tf1.data.mnist.digits import DIGITS_VERSION, builtin_digits
from vae_tf1.data.mnist.download import download_mnist
from vae_tf1.data.mnist.files import PIXELS
from vae_tf1.data.mnist.npz import read_npz
from vae_tf1.data.mnist.places import PARTS, SPLITS, find_in_folder, identify, join, read_place
from vae_tf1.data.mnist.source import BUILTIN, Mnist, Source
from vae_tf1.errors import DataError, DataWarning

__all__ = ["get_mnist", "load_mnist"]

_BUILTIN_SIZES = {"train": 60_000, "test": 10_000}
_BLOCK = 4096  # images converted to float at a time

# Why the download failed in this process. It is tried once, so that the training and the test
# images of one run never come from different sources.
_download_failure: str | None = None


def get_mnist(
    limit: int | None = None,
    path: str | os.PathLike | None = None,
    split: str | None = None,
    seed: int | None = None,
    *,
    download: bool = True,
    quiet: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Load MNIST, shuffled, as the training scripts of the original want it.

    Parameters
    ----------
    limit : int, optional
        Keep only so many of the shuffled images.
    path : str or os.PathLike, optional
        A folder with the IDX files (plain or .gz), ``mnist.npz`` or ``train.csv``; or one such
        file; or "builtin" for the built-in digits. Without it the places that the module lists
        are searched.
    split : {None, "train", "test", "all"}
        None is what the original loads: the training images, and of Kaggle's ``train.csv`` every
        row. "train" and "test" never overlap: of ``train.csv``, which has no test images, the last
        sixth of the rows is "test" and the rest "train".
    seed : int, optional
        Makes the order reproducible. NumPy's global generator is neither used nor changed.
    download : bool
        Whether MNIST may be downloaded where it is not found; ``VAE_TF1_OFFLINE=1`` forbids it too.
    quiet : bool
        Do not say on stderr which data is in use.

    Returns
    -------
    X : numpy.ndarray of float32, shape (N, 784)
        Grey values k / 255 in [0, 1], 0 is the background.
    Y : numpy.ndarray of int64, shape (N,)
        The digits 0 to 9.

    Raises
    ------
    DataError
        If the data that the user names (by `path` or the variable) is missing or broken.
    ValueError, TypeError
        If an argument is none of the above.
    """
    limit = None if limit is None else check_count("limit", limit)
    seed = None if seed is None else check_seed(seed)
    images, labels, _ = load_mnist(path, split, download=download, quiet=quiet)
    order = np.random.default_rng(seed).permutation(len(images))[:limit]
    X = np.empty((len(order), PIXELS), np.float32)
    for start in range(0, len(order), _BLOCK):
        rows = slice(start, start + _BLOCK)
        np.divide(images[order[rows]], np.float32(255), out=X[rows], dtype=np.float32)
    return X, labels[order].astype(np.int64)


def load_mnist(
    path: str | os.PathLike | None = None,
    split: str | None = "train",
    *,
    prefer: str | os.PathLike | None = None,
    download: bool = True,
    quiet: bool = False,
) -> Mnist:
    """Load MNIST as it is stored: bytes, in file order, and where they come from.

    Parameters
    ----------
    path, split, download, quiet
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
    check_split(split, SPLITS)
    variable = os.environ.get("VAE_TF1_DATA")
    if path is not None:
        mnist = _load_named(_path("path", path), split)
    elif variable:
        try:
            mnist = _load_named(_path("VAE_TF1_DATA", variable), split)
        except DataError as error:
            raise DataError(error.path, f"{error.reason} (VAE_TF1_DATA names it)") from error
    else:
        mnist = _search(split, _path("prefer", prefer), download, quiet)
    if not quiet:
        print(f"data: {mnist.source}", file=sys.stderr)
    return mnist


def _load_named(path: Path, split: str | None) -> Mnist:
    if path == Path(BUILTIN):
        return _load_builtin(split, because="")
    return read_place(*identify(path, split), split)


def _path(name: str, value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise TypeError(f"{name} must be the path of a file or folder, got {value!r}")
    return Path(os.path.expanduser(value))


def _search(split: str | None, prefer: Path | None, download: bool, quiet: bool) -> Mnist:
    global _download_failure
    # Only places with both training and test images count, and both are read: so the two
    # splits of one run come from the same place.
    for place in _usual_places(prefer):
        try:
            return read_place(*place, split, whole=True)
        except DataError as error:
            warnings.warn(f"passed over {error}", DataWarning, stacklevel=4)
    folder = cache_folder()
    if not download or os.environ.get("VAE_TF1_OFFLINE", "") not in ("", "0") or folder is None:
        return _load_builtin(split, because="No MNIST found")
    if _download_failure is None:
        try:
            download_mnist(folder, quiet=quiet)
            return read_place("idx", folder, split, whole=True)
        except DataError as error:
            _download_failure = error.reason
    because = f"No MNIST found and none downloaded ({_download_failure})"
    return _load_builtin(split, because)


def _usual_places(prefer: Path | None) -> Iterator[tuple[str, Path]]:
    keras = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    folders = (prefer, Path("..", "large_files"), Path(), cache_folder(), keras / "datasets")
    for folder in folders:
        if folder is not None:
            yield from find_in_folder(Path(os.path.abspath(folder)), PARTS["all"])


def _load_builtin(split: str | None, because: str) -> Mnist:
    images, labels = join({part: _cached_digits(part) for part in PARTS[split]}, split)
    return Mnist(images, labels, Source(BUILTIN, None, split, len(labels), because))


def _cached_digits(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw the digits once; the archive's own checksums tell whether a copy is sound."""
    count = _BUILTIN_SIZES[part]
    folder = cache_folder()
    file = folder and folder / f"builtin-digits-{DIGITS_VERSION}-{part}.npz"
    if file:
        with contextlib.suppress(DataError):
            images, labels = read_npz(file, part)
            if len(images) == count:
                return images, labels
    images, labels = builtin_digits(count, split=part)
    if file:
        arrays = {f"x_{part}": images, f"y_{part}": labels}
        with contextlib.suppress(OSError):  # a cache that cannot be written only costs time
            write_atomically(file, lambda out: np.savez(out, **arrays))
    return images, labels
