"""imageio's writing of float images, which it used to turn into bytes itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module

import numpy as np

__all__ = ["as_bytes", "names", "title"]

title = "imageio's writing of float images, which it used to turn into bytes itself"

# Formats that hold floats; there the image is left as it is.
_HOLDS_FLOATS = frozenset({".tif", ".tiff", ".exr", ".hdr", ".npz", ".pfm"})


def names() -> dict[str, object]:
    """Return the functions of `imageio` that write images."""
    functions = {
        "imwrite": _one("imwrite"),
        "imsave": _one("imwrite"),
        "mimwrite": _several("mimwrite"),
        "mimsave": _several("mimwrite"),
    }
    return {
        f"{place}.{name}": function
        for place in ("imageio", "imageio.v2")
        for name, function in functions.items()
    }


def as_bytes(image) -> np.ndarray:
    """Return an image as bytes.

    Parameters
    ----------
    image : array
        Floats within 0…1 are scaled to 0…255; numbers beyond that, from the least to the
        greatest; unsigned integers keep their upper eight bits.

    Raises
    ------
    ValueError
        The image is not finite.
    """
    image = np.asarray(image)
    if image.dtype == np.uint8:
        return image
    if image.dtype.kind == "u":
        return (image >> (8 * image.dtype.itemsize - 8)).astype(np.uint8)
    image = image.astype(np.float64)
    least, greatest = np.nanmin(image), np.nanmax(image)
    if not np.isfinite(greatest - least):
        raise ValueError("the image holds infinite values, or nothing but NaN")
    if least < 0 or greatest > 1:
        span = greatest - least
        if span == 0:
            return image.astype(np.uint8)
        image = (image - least) / span
    # Just short of one half, as imageio had it.
    return (np.nan_to_num(image) * 255 + 0.499999999).astype(np.uint8)


def _one(name: str) -> Callable:
    def write(uri, im, format=None, **kwargs):
        """Write an image to a file."""
        if not _holds_floats(uri, format):
            im = as_bytes(im)
        return getattr(import_module("imageio.v2"), name)(uri, im, format=format, **kwargs)

    return write


def _several(name: str) -> Callable:
    def write(uri, ims: Iterable, format=None, **kwargs):
        """Write several images to a file."""
        if not _holds_floats(uri, format):
            ims = [as_bytes(im) for im in ims]
        return getattr(import_module("imageio.v2"), name)(uri, ims, format=format, **kwargs)

    return write


def _holds_floats(uri, format: str | None) -> bool:
    if format is not None:
        return "." + format.lower().lstrip(".").split("-")[0] in _HOLDS_FLOATS
    name = os.fspath(uri) if isinstance(uri, str | os.PathLike) else ""
    return os.path.splitext(name)[1].lower() in _HOLDS_FLOATS
