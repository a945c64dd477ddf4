"""What the public functions accept: one clear sentence at the door."""

import operator
from collections.abc import Sequence

__all__ = ["check_count", "check_seed", "check_split"]


def check_count(name: str, value: object) -> int:
    """Return `value` as an int of at least one."""
    number = _integer(name, value)
    if number < 1:
        raise ValueError(f"{name} must be at least 1, got {number}")
    return number


def check_seed(value: object) -> int:
    """Return `value` as an int of at least zero."""
    number = _integer("seed", value)
    if number < 0:
        raise ValueError(f"seed must be zero or more, got {number}")
    return number


def check_split(value: object, allowed: Sequence[object]) -> object:
    """Return `value`, one of `allowed`."""
    if not isinstance(value, (str, type(None))) or value not in allowed:
        names = ", ".join(repr(name) for name in allowed)
        raise ValueError(f"split must be one of {names}, got {value!r}")
    return value


def _integer(name: str, value: object) -> int:
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
