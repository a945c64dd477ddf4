"""`scipy.misc`: images by way of Pillow, and functions that live elsewhere in SciPy now."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from vae_tf1.legacy.machinery.lazy import Lazy
from vae_tf1.legacy.machinery.overlay import NOTHING

__all__ = [
    "bytescale",
    "fromimage",
    "imread",
    "imresize",
    "imrotate",
    "imsave",
    "names",
    "title",
    "toimage",
]

title = "`scipy.misc`: images by way of Pillow, and functions that live elsewhere in SciPy now"

# Pillow's numbers of the ways to interpolate, which have not changed.
_RESAMPLING = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}
_MODE_OF_CHANNELS = {3: ("RGB", "YCbCr"), 4: ("RGBA", "CMYK")}


def names() -> dict[str, object]:
    """Return the old names of `scipy`."""
    images = {
        function.__name__: function
        for function in (
            bytescale,
            fromimage,
            imfilter,
            imread,
            imresize,
            imrotate,
            imsave,
            imshow,
            toimage,
        )
    }
    moved = {
        name: Lazy(lambda name=name: getattr(import_module("scipy.special"), name))
        for name in ("logsumexp", "factorial", "factorial2", "comb")
    }
    return {
        "scipy.misc": NOTHING,  # also if an old SciPy still has something there
        "scipy.misc.pilutil": NOTHING,
        **{f"scipy.misc.{name}": value for name, value in (images | moved).items()},
        **{f"scipy.misc.pilutil.{name}": value for name, value in images.items()},
    }


def bytescale(data, cmin=None, cmax=None, high=255, low=0) -> np.ndarray:
    """Return an array's values scaled linearly to bytes; an array of bytes is returned as it is.

    Parameters
    ----------
    data : ndarray
    cmin, cmax : float, optional
        The values that become `low` and `high`; the extremes of the data by default.
    high, low : int
        Within 0…255.
    """
    if data.dtype == np.uint8:
        return data
    if not 0 <= low <= high <= 255:
        raise ValueError(f"0 <= low <= high <= 255 is wanted, got low={low}, high={high}")
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    if cmax < cmin:
        raise ValueError(f"`cmax` should be larger than `cmin`, got {cmax} and {cmin}")
    scale = (high - low) / ((cmax - cmin) or 1)
    return (((data - cmin) * scale + low).clip(low, high) + 0.5).astype(np.uint8)


def toimage(
    arr, high=255, low=0, cmin=None, cmax=None, pal=None, mode=None, channel_axis=None
):  # fmt: skip
    """Return an array as an image of Pillow's.

    Parameters
    ----------
    arr : (M, N) array, or of three axes, one of which has 3 or 4 channels
    high, low, cmin, cmax
        As for `bytescale`.
    pal : (256, 3) array, optional
        Palette, for a two-dimensional array.
    mode : str, optional
        Pillow's mode: 'L', 'P', '1', 'F' or 'I' of two axes, 'RGB', 'YCbCr', 'RGBA' or 'CMYK'
        of three.
    channel_axis : int, optional
        Which axis holds the channels; the first of length 3, or else of length 4, by default.

    Raises
    ------
    ValueError
        The array is complex, or of a shape that makes no image of that mode.
    """
    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot convert a complex-valued array.")
    scaling = {"high": high, "low": low, "cmin": cmin, "cmax": cmax}
    if data.ndim == 2:
        return _gray(data, scaling, pal, mode)
    if data.ndim == 3 and {3, 4} & {*data.shape}:
        return _colour(data, scaling, mode, channel_axis)
    raise ValueError(
        f"'arr' does not have a suitable array shape for any mode: {data.shape}; wanted are two "
        "axes, or three with 3 or 4 channels"
    )


def _gray(data: np.ndarray, scaling: dict, pal, mode: str | None):
    if mode in (None, "L", "P"):
        image = _frombytes("L", bytescale(data, **scaling))
        if pal is None and mode == "P":
            pal = np.repeat(np.arange(256)[:, np.newaxis], 3, axis=1)
        if pal is not None:
            image.putpalette(np.asarray(pal, dtype=np.uint8).tobytes())
        return image
    if mode == "F":
        return _frombytes("F", data.astype(np.float32))
    high, low = scaling["high"], scaling["low"]
    if mode == "1":
        return _image().fromarray(data > high)
    if mode != "I":
        raise _wrong_mode(mode, data)
    cmin = data.min() if scaling["cmin"] is None else scaling["cmin"]
    cmax = data.max() if scaling["cmax"] is None else scaling["cmax"]
    scaled = (data * 1.0 - cmin) * (high - low) / (cmax - cmin) + low
    return _frombytes("I", scaled.astype(np.uint32))


def _colour(data: np.ndarray, scaling: dict, mode: str | None, axis: int | None):
    if axis is None:
        axis = data.shape.index(3 if 3 in data.shape else 4)
    channels = data.shape[axis]
    if channels not in _MODE_OF_CHANNELS:
        raise ValueError(f"axis {axis} has {channels} channels, 3 or 4 are wanted")
    if mode is None:
        mode = _MODE_OF_CHANNELS[channels][0]
    if mode not in _MODE_OF_CHANNELS[channels]:
        raise _wrong_mode(mode, data)
    return _frombytes(mode, np.moveaxis(bytescale(data, **scaling), axis, 2))


def _frombytes(mode: str, data: np.ndarray):
    return _image().frombytes(mode, data.shape[1::-1], data.tobytes())


def _wrong_mode(mode: str, data: np.ndarray) -> ValueError:
    return ValueError(f"mode {mode!r} is unknown or incompatible with an array {data.shape}")


def fromimage(im, flatten=False, mode=None) -> np.ndarray:
    """Return an image of Pillow's as an array.

    Parameters
    ----------
    im : PIL.Image.Image
    flatten : bool
        Convert to gray, as floats.
    mode : str, optional
        Convert to this mode of Pillow's first.
    """
    if not isinstance(im, _image().Image):
        raise TypeError("Input is not a PIL image.")
    if mode is not None:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im)


def imread(name, flatten=False, mode=None) -> np.ndarray:
    """Return the image in a file as an array; parameters as for `fromimage`."""
    with _image().open(name) as im:
        return fromimage(im, flatten=flatten, mode=mode)


def imsave(name, arr, format=None) -> None:
    """Save an array as an image, scaled to bytes as `bytescale` does.

    Parameters
    ----------
    name : path or open file
    arr : (M, N), (M, N, 3) or (M, N, 4) array
    format : str, optional
        Pillow's name of the format, for a file whose name does not tell.
    """
    toimage(arr, channel_axis=2).save(name, format)


def imresize(arr, size, interp="bilinear", mode=None) -> np.ndarray:
    """Return an image, scaled to bytes, in another size.

    Parameters
    ----------
    arr : array, as for `toimage`
    size : int, float or pair of int
        Percentage, fraction, or (height, width).
    interp : {'nearest', 'lanczos', 'bilinear', 'bicubic', 'cubic'}
    mode : str, optional
        As for `toimage`.
    """
    im = toimage(arr, mode=mode)
    if isinstance(size, int | np.signedinteger):
        size = size / 100.0
    if isinstance(size, float | np.floating):
        size = tuple(int(side * size) for side in im.size)
    else:
        size = (int(size[1]), int(size[0]))
    return fromimage(im.resize(size, resample=_resampling(interp)))


def imrotate(arr, angle, interp="bilinear") -> np.ndarray:
    """Return an image, scaled to bytes, turned counter-clockwise by `angle` degrees."""
    return fromimage(toimage(arr).rotate(angle, resample=_resampling(interp)))


def imfilter(arr, ftype) -> np.ndarray:
    """Return an image, scaled to bytes, after one of Pillow's filters, such as 'blur'."""
    filters = import_module("PIL.ImageFilter")
    known = (
        "blur", "contour", "detail", "edge_enhance", "edge_enhance_more", "emboss", "find_edges",
        "smooth", "smooth_more", "sharpen",
    )  # fmt: skip
    if ftype not in known:
        raise ValueError(f"Unknown filter type: {ftype!r}, known are {', '.join(known)}")
    return fromimage(toimage(arr).filter(getattr(filters, ftype.upper())))


def imshow(arr) -> None:
    """Show an array as an image in a viewer."""
    toimage(arr).show()


def _resampling(interp: str) -> int:
    if interp not in _RESAMPLING:
        raise ValueError(f"interp: one of {', '.join(_RESAMPLING)} is wanted, got {interp!r}")
    return _RESAMPLING[interp]


def _image():
    """Return Pillow's module, or say how to get it."""
    try:
        return import_module("PIL.Image")
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the image functions of scipy.misc take Pillow: pip install 'vae_tf1[legacy]'",
            name="PIL",
        ) from None
