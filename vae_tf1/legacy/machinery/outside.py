"""Packages outside TensorFlow as old scripts knew them: views that put back what has gone.

A view is a module object that answers with the old names first and asks the real module for all
others. Only old modules are given views; the real modules are never written to on their behalf.
"""

from __future__ import annotations

import difflib
import functools
import sys
from importlib import import_module
from types import ModuleType

from vae_tf1.legacy.machinery.lazy import Lazy

__all__ = ["FAMILIES", "PACKAGES", "View", "import_", "provided", "view"]

# Each has `names()`, dotted names with the package's own in front, just as the families of
# TensorFlow's names have.
FAMILIES = (
    "libraries.numpy",
    "libraries.scipy_misc",
    "libraries.matplotlib",
    "libraries.imageio",
    "python2.runtime",
)

# Modules of which something has changed, and the family that knows what.
_HOMES = {
    "imageio": "libraries.imageio",
    "imageio.v2": "libraries.imageio",
    "matplotlib": "libraries.matplotlib",
    "matplotlib.cm": "libraries.matplotlib",
    "matplotlib.pylab": "libraries.matplotlib",
    "matplotlib.pyplot": "libraries.matplotlib",
    "matplotlib.style": "libraries.matplotlib",
    "numpy": "libraries.numpy",
    "numpy.random": "libraries.numpy",
    "pickle": "python2.runtime",
    "pylab": "libraries.matplotlib",
    "scipy": "libraries.scipy_misc",
    "scipy.misc": "libraries.scipy_misc",
    "scipy.misc.pilutil": "libraries.scipy_misc",
}
# Gone altogether, or as good as: these are wholly ours, even where SciPy is not installed.
_OURS = frozenset({"scipy.misc", "scipy.misc.pilutil"})

PACKAGES = frozenset(name.partition(".")[0] for name in _HOMES)


class View(ModuleType):
    """A module as old scripts knew it.

    Parameters
    ----------
    real : ModuleType
        The module that answers for every name that is not an old one.
    old : dict
        The old names and what they stand for.
    """

    def __init__(self, real: ModuleType, old: dict[str, object]) -> None:
        super().__init__(real.__name__, real.__doc__)
        about = ("__file__", "__path__", "__package__", "__spec__", "__version__")
        self.__dict__.update({n: getattr(real, n) for n in about if hasattr(real, n)})
        self.__dict__.update(_real_=real, _old_=old)

    def __getattr__(self, name: str) -> object:
        full = f"{self.__name__}.{name}"
        if name in self._old_:
            value = self._old_[name]
            value = value.load() if isinstance(value, Lazy) else value
        elif full in _OURS:
            value = view(full)
        elif self.__name__ in _OURS:
            raise AttributeError(self._missing_(name), name=name, obj=None)
        else:
            value = getattr(self._real_, name)
            if isinstance(value, ModuleType) and value.__name__ in _HOMES:
                value = view(value.__name__)
            elif name not in ("__all__", "__getattr__"):
                return value  # not kept: the real module's names may change
        self.__dict__[name] = value
        return value

    def _missing_(self, name: str) -> str:
        said = f"module {self.__name__!r} has no attribute {name!r}"
        if name.startswith("__"):
            return said
        nearest = difflib.get_close_matches(name, self._old_, n=1)
        hint = f"; the nearest name is {self.__name__}.{nearest[0]}" if nearest else ""
        return f"{said}: vae_tf1.legacy does not provide it{hint}"

    def __setattr__(self, name: str, value: object) -> None:
        # A script that patches a package means the package, whoever looks at it.
        setattr(self._real_, name, value)
        self.__dict__[name] = value

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._real_), *self._old_})


@functools.cache
def view(name: str) -> View:
    """Return the view of an imported module, the same one each time."""
    prefix = name + "."
    old = {
        dotted.removeprefix(prefix): value
        for dotted, value in import_module(f"vae_tf1.legacy.{_HOMES[name]}").names().items()
        if dotted.startswith(prefix) and "." not in dotted.removeprefix(prefix)
    }
    return View(sys.modules[name] if name not in _OURS else ModuleType(name), old)


def provided() -> dict[str, list[str]]:
    """Return the dotted names that each family provides, sorted, keyed by the family's module."""
    return {
        family: sorted(import_module(f"vae_tf1.legacy.{family}").names()) for family in FAMILIES
    }


def import_(original, name: str, importer: dict, fromlist: tuple[str, ...]) -> ModuleType:
    """Import a module of one of the `PACKAGES` and return what an old module is to see of it.

    Parameters
    ----------
    original : callable
        Python's own `__import__`.
    name, fromlist
        As for `__import__`.
    importer : dict
        The globals of the importing module.
    """
    root = name.partition(".")[0]
    if root == "pickle" and "__python2_divide__" not in importer:
        return original(name, importer, None, fromlist, 0)
    fromlist = fromlist or ()
    real = tuple(n for n in fromlist if f"{name}.{n}" not in _OURS)
    wholly_ours = name in _OURS or (fromlist and not real)
    try:
        original(root if wholly_ours else name, importer, None, real, 0)
    except ModuleNotFoundError as error:
        if not (wholly_ours and error.name == root):
            raise
        found = _without_package(root)
    else:
        found = view(root)
    if fromlist:
        for part in name.split(".")[1:]:
            found = getattr(found, part)
    return found


@functools.cache
def _without_package(name: str) -> View:
    """Return a view of a package that is not installed, for the modules that are wholly ours."""
    return View(ModuleType(name), {})
