"""Values of a name table that stand for an object: loaded on first use, or found elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Alias", "Lazy", "Moved"]


@dataclass(frozen=True)
class Lazy:
    """An object that is made on the first use of its name, for what is costly to import.

    Parameters
    ----------
    load : callable
        Takes nothing, returns the object; called once.
    """

    load: Callable[[], object]


@dataclass(frozen=True)
class Alias:
    """Another dotted name under which the same object or namespace is found.

    Parameters
    ----------
    target : str
        A dotted name relative to `tensorflow`, such as ``"contrib.layers"``.
    """

    target: str


@dataclass(frozen=True)
class Moved:
    """An object, or a whole module, that lives in another module now; imported on first use.

    Parameters
    ----------
    modules : str
        The module; or several, separated by spaces, whose public names stand side by side.
    name : str, optional
        The object's name there; by default the module itself is meant.
    """

    modules: str
    name: str = ""
