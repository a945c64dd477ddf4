"""NumPy's removed names, with what they meant in 2017."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

__all__ = ["names", "title"]

title = "NumPy's removed names, with what they meant in 2017"


def names() -> dict[str, object]:
    """Return the old names of `numpy` and of `numpy.random`."""
    aliases = {
        # of Python's own types: as a dtype they still mean float64, int64, bool and object
        "float": float,
        "int": int,
        "bool": bool,
        "complex": complex,
        "object": object,
        "str": str,
        "unicode": str,
        "long": int,
        # of constants
        "Inf": np.inf,
        "Infinity": np.inf,
        "PINF": np.inf,
        "NINF": -np.inf,
        "infty": np.inf,
        "NaN": np.nan,
        "NAN": np.nan,
        "PZERO": 0.0,
        "NZERO": -0.0,
        # of scalar types
        "float_": np.float64,
        "complex_": np.complex128,
        "cfloat": np.complex128,
        "singlecomplex": np.complex64,
        "longfloat": np.longdouble,
        "clongfloat": np.clongdouble,
        "longcomplex": np.clongdouble,
        "string_": np.bytes_,
        "unicode_": np.str_,
        "int0": np.intp,
        "uint0": np.uintp,
        "bool8": np.bool_,
        "object0": np.object_,
        # of functions
        "alltrue": np.all,
        "sometrue": np.any,
        "product": np.prod,
        "cumproduct": np.cumprod,
        "round_": np.round,
        "row_stack": _stacks_any_iterable(np.vstack),
        "in1d": _in1d,
        "trapz": np.trapezoid if hasattr(np, "trapezoid") else np.trapz,  # noqa: NPY201 - NumPy 1
        "asscalar": _asscalar,
        "asfarray": _asfarray,
        "msort": _msort,
        "rank": np.ndim,
        "mat": np.asmatrix,
    }
    changed = {
        "cast": _Cast(),
        "load": _load,
        "sctypes": {
            "int": [np.int8, np.int16, np.int32, np.int64],
            "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
            "float": [np.float16, np.float32, np.float64, np.longdouble],
            "complex": [np.complex64, np.complex128, np.clongdouble],
            "others": [bool, object, bytes, str, np.void],
        },
        "vstack": _stacks_any_iterable(np.vstack),
        "hstack": _stacks_any_iterable(np.hstack),
        "dstack": _stacks_any_iterable(np.dstack),
        "column_stack": _stacks_any_iterable(np.column_stack),
        "stack": _stacks_any_iterable(np.stack),
        "concatenate": _stacks_any_iterable(np.concatenate),
        "fromstring": _fromstring,
        "random.random_integers": _random_integers,
    }
    return {f"numpy.{name}": value for name, value in (aliases | changed).items()}


class _Cast(dict):
    """`np.cast[dtype](x)`, an array of that type; the key may be the type, its name or its code."""

    def __missing__(self, dtype) -> Callable:
        return lambda x: np.asarray(x).astype(dtype)


def _load(file, mmap_mode=None, allow_pickle=True, fix_imports=True, encoding="latin1", **kwargs):
    """Load arrays, those that hold pickled objects included, as NumPy did by default then."""
    return np.load(
        file, mmap_mode=mmap_mode, allow_pickle=allow_pickle, fix_imports=fix_imports,
        encoding=encoding, **kwargs,
    )  # fmt: skip


def _stacks_any_iterable(function: Callable) -> Callable:
    """Return a stacking function that takes a generator too, as all of them did."""

    def stack(arrays: Iterable, *args, **kwargs):
        if not hasattr(arrays, "__len__"):
            arrays = list(arrays)
        return function(arrays, *args, **kwargs)

    stack.__name__, stack.__doc__ = function.__name__, function.__doc__
    return stack


def _in1d(ar1, ar2, assume_unique=False, invert=False) -> np.ndarray:
    """Test whether each element of the flattened first array is in the second."""
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert)


def _asscalar(a) -> object:
    """Return an array of size one as a scalar of Python."""
    return np.asarray(a).item()


def _asfarray(a, dtype=np.float64) -> np.ndarray:
    """Return the input as an array of floats."""
    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else np.float64)


def _msort(a) -> np.ndarray:
    """Return a copy of an array sorted along its first axis."""
    return np.sort(a, axis=0)


def _fromstring(string, dtype=float, count=-1, sep="") -> np.ndarray:
    """Return a new array from text, or from raw bytes where no separator is given."""
    if sep != "":
        return np.fromstring(string, dtype=dtype, count=count, sep=sep)
    data = string.encode("latin1") if isinstance(string, str) else string
    return np.frombuffer(data, dtype=dtype, count=count).copy()


def _random_integers(low, high=None, size=None):
    """Return random integers from `low` to `high`, both ends included; from one if only `low`."""
    low, high = (1, low) if high is None else (low, high)
    return np.random.randint(low, high + 1, size=size)  # noqa: NPY002 - seeded by the script
