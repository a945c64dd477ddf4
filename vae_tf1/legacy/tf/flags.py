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
    functions["DEFINE_integer"] = _taking_floats(functions["DEFINE_integer"])
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


def _taking_floats(define: Callable) -> Callable:
    """Return `DEFINE_integer` with its default as it is, if that is a float, as up to TF 1.4."""

    @functools.wraps(define)
    def function(name, default, *args, **kwargs):
        from tensorflow.compat.v1 import flags

        is_float = isinstance(default, float)
        made = define(name, None if is_float else default, *args, **kwargs)
        if is_float:
            flag = flags.FLAGS[name]
            flag.default = flag.value = default
        return made

    return function
