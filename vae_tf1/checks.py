"""What a number given by the caller must be: one sentence at the door."""

from __future__ import annotations

import math
import operator
from numbers import Real

import numpy as np

from vae_tf1.errors import one_line

__all__ = ["check_count", "check_one_of", "check_positive"]


def check_count(value: object, name: str, least: int = 1) -> int:
    """Return `value` as an int.

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If it is below `least`.
    """
    try:
        count = None if isinstance(value, bool | np.bool_) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        count = None
    if count is None:
        raise TypeError(f"{name} must be an integer, not {one_line(repr(value))}")
    if count < least:
        raise ValueError(f"{name} must be at least {least}, not {count}")
    return count


def check_positive(value: object, name: str) -> float:
    """Return `value`, a real number above zero, as a float.

    Raises
    ------
    ValueError
        If `value` is something else, infinity and NaN included.
    """
    real = isinstance(value, Real | np.number) and not isinstance(value, bool | np.bool_)
    number = float(value) if real else math.nan  # type: ignore[arg-type]
    if not (math.isfinite(number) and number > 0):
        raise ValueError(f"{name} must be a positive number, not {one_line(repr(value))}")
    return number


def check_one_of(value: object, name: str, allowed: tuple[str, ...]) -> str:
    """Return `value`, one of the strings `allowed`.

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, allowed))}, not {one_line(repr(value))}"
        )
    return value
