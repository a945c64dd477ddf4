"""Checks of arguments that several parts share: one clear sentence at the door."""

import operator
from typing import Any

import numpy as np

__all__ = ["check_count"]


def check_count(value: Any, name: str, least: int = 1) -> int:
    """Return `value` as an int, or say in one sentence why it is not a count."""
    try:
        count = operator.index(value)
    except TypeError:
        count = None
    if count is None or isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if count < least:
        raise ValueError(f"{name} must be at least {least}, not {count}")
    return count
