"""At run time: arrays of one element as NumPy 1 took them, and methods that arrays have lost.

`numpy1` writes calls of these into the source of old modules.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

__all__ = ["arguments", "call", "element", "item"]


def item(value: Any) -> Any:
    """Return the element of an array that has one, and everything else as it is."""
    return value.item() if type(value) is ndarray and value.size == 1 else value


def arguments(value: Any) -> Any:
    """Return what stands right of the ``%`` of a format, arrays of one element unpacked."""
    return tuple(map(item, value)) if type(value) is tuple else item(value)


def element(sequence: Any, index: Any) -> Any:
    """Return ``sequence[index]``; a list, tuple or string takes an array of one element too."""
    return sequence[item(index) if type(sequence) in (list, tuple, str) else index]


def _tostring(array: Any, order: str = "C") -> bytes:
    return array.tobytes(order)


def _itemset(array: Any, *args: Any) -> None:
    *place, value = args
    if place:
        array[tuple(place[0]) if isinstance(place[0], tuple) else tuple(place)] = value
    else:
        array[...] = value


def _newbyteorder(array: Any, new_order: str = "S") -> Any:
    return array.view(array.dtype.newbyteorder(new_order))


def _ptp(array: Any, *args: Any, **kwargs: Any) -> Any:
    return np.ptp(array, *args, **kwargs)


_METHODS = {
    "itemset": _itemset, "newbyteorder": _newbyteorder, "ptp": _ptp, "tostring": _tostring,
}  # fmt: skip


def call(method: str, owner: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a method that arrays had in NumPy 1; of anything else, its own."""
    is_array = hasattr(owner, "dtype") and hasattr(owner, "tobytes")
    if is_array and (not hasattr(owner, method) or isinstance(owner, ndarray)):
        return _METHODS[method](owner, *args, **kwargs)
    return getattr(owner, method)(*args, **kwargs)
