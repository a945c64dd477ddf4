"""Names that the standard library has lost since 2017."""

from __future__ import annotations

import collections.abc
import inspect
import time
from importlib import import_module
from typing import NamedTuple

from vae_tf1.legacy.machinery.lazy import Lazy

__all__ = ["names", "title"]

title = "Names that the standard library has lost since 2017"


class ArgSpec(NamedTuple):
    """What `inspect.getargspec` returned."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple | None


def _getargspec(func) -> ArgSpec:
    """Return the names and defaults of a function's arguments."""
    return ArgSpec(*inspect.getfullargspec(func)[:4])


def _clock() -> float:
    """Return the time that this process has used, in seconds."""
    return time.process_time()


def names() -> dict[str, object]:
    """Return the old names of the standard library's modules."""
    abstract = {name: getattr(collections.abc, name) for name in collections.abc.__all__}
    return {f"collections.{name}": value for name, value in abstract.items()} | {
        "base64.decodestring": Lazy(lambda: import_module("base64").decodebytes),
        "base64.encodestring": Lazy(lambda: import_module("base64").encodebytes),
        "cgi.escape": Lazy(lambda: import_module("html").escape),
        "fractions.gcd": Lazy(lambda: import_module("math").gcd),
        "inspect.ArgSpec": ArgSpec,
        "inspect.getargspec": _getargspec,
        "time.clock": _clock,
    }
