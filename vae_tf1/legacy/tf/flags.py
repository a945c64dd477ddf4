"""`tf.app.flags`, where a script may define flags that the libraries of today have taken."""

from __future__ import annotations

import functools
from collections.abc import Callable

__all__ = ["names", "title"]

title = "`tf.app.flags`, where a script may define flags that the libraries of today have taken"

_KINDS = ("bool", "boolean", "enum", "float", "integer", "list", "string")


def names() -> dict[str, object]:
    """Return the functions that define a flag, under both of their addresses."""
    from tensorflow.compat.v1 import flags

    functions = {f"DEFINE_{kind}": _overriding(getattr(flags, f"DEFINE_{kind}")) for kind in _KINDS}
    return {
        f"{place}.{name}": function
        for place in ("app.flags", "flags")
        for name, function in functions.items()
    }


def _overriding(define: Callable) -> Callable:
    """Return a function that defines a flag even if there is one of that name, as `log_dir`."""

    @functools.wraps(define)
    def function(*args, **kwargs):
        return define(*args, allow_override=True, **kwargs)

    return function
