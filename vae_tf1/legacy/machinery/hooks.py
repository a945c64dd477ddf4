"""Who imports decides: an old script gets the shim, every installed library the real thing.

While the hook is in place, ``import tensorflow`` means the tree of `vae_tf1.legacy` in the script
and its own modules, and the installed TensorFlow in Keras, TensorFlow Probability and whatever
else lives in site-packages; `sys.modules` holds the real modules throughout. The same goes for
the packages outside TensorFlow that have lost names since.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import FrameType, ModuleType

from vae_tf1.legacy import families
from vae_tf1.legacy.libraries.numpy1 import print_as_then
from vae_tf1.legacy.machinery.overlay import View, find
from vae_tf1.legacy.machinery.source import LegacyLoader

__all__ = ["LegacyImports", "Territory"]

# What old modules are given something else for.
_PACKAGES = families.PACKAGES | {"keras", "tensorflow", "tf_slim"}

# These are at home in TensorFlow 2 wherever they are installed, a working copy included.
_MODERN = frozenset({"tensorflow", "keras", "tf_keras", "tensorflow_probability", "vae_tf1"})


class Territory:
    """Which modules count as old: all that is not installed, and what is asked for by name.

    Parameters
    ----------
    packages : sequence of str
        Installed top-level packages that were written for TensorFlow 1 as well.
    elsewhere : sequence of str
        Folders on the path that hold other people's packages, though not installed ones.
    """

    def __init__(self, packages: Sequence[str] = (), elsewhere: Sequence[str] = ()) -> None:
        self._packages = frozenset(packages)
        self._elsewhere = tuple(os.path.join(os.path.realpath(f), "") for f in elsewhere)
        self.holds_file = cache(self._holds_file)

    def holds(self, importer: dict) -> bool:
        """Tell whether the module with these globals is old."""
        name = importer.get("__name__") or "__main__"
        root = name.partition(".")[0]
        if name == "__main__" or root in self._packages:
            return True
        if root in _MODERN:
            return False
        file = importer.get("__file__")
        return file is None or self.holds_file(file)

    def holds_module(self, name: str, file: str) -> bool:
        """Tell whether a module about to be loaded from `file` is old."""
        return self.holds({"__name__": name, "__file__": file})

    def owns(self, file: str) -> bool:
        """Tell whether an old module belongs to the script itself."""
        return not os.path.realpath(file).startswith(self._elsewhere)

    def _holds_file(self, file: str) -> bool:
        path = os.path.realpath(file)
        parts = path.split(os.sep)
        if "site-packages" in parts or "dist-packages" in parts:
            return False
        return not path.startswith(_new_folders())


@cache
def _new_folders() -> tuple[str, ...]:
    """Return the folder of the standard library."""
    return (os.path.realpath(os.path.dirname(os.__file__)) + os.sep,)


class LegacyImports:
    """A block in which old modules get what they expect of an ``import``.

    Parameters
    ----------
    territory : Territory
        Which modules are old.
    tensorflow : callable
        Returns the root of the tree; called when an old module first imports TensorFlow.
    python2 : bool
        Whether to take old modules that parse as both for Python 2.
    """

    def __init__(
        self, territory: Territory, tensorflow: Callable[[], ModuleType], python2: bool = False
    ) -> None:
        self._territory = territory
        self._tensorflow = tensorflow
        self._finder = _Finder(territory, python2)

    def take_for_python2(self) -> None:
        """Take the script's own modules for Python 2 from now on: the script is."""
        self._finder.python2 = True

    def __enter__(self) -> None:
        self._hook = hook = _Hook(self._territory, self._tensorflow)
        self._found = builtins.__import__, importlib.import_module
        builtins.__import__, importlib.import_module = hook.import_, hook.import_module
        _insert_before_path_finder(self._finder)

    def __exit__(self, *_: object) -> None:
        builtins.__import__, importlib.import_module = self._found
        sys.meta_path.remove(self._finder)
        if self._hook.print_as_now is not None:
            self._hook.print_as_now()


class _Hook:
    """The two doors through which modules come in: the ``import`` statement and `import_module`."""

    def __init__(self, territory: Territory, tensorflow: Callable[[], ModuleType]) -> None:
        self._territory = territory
        self._tensorflow = tensorflow
        self._import = builtins.__import__
        self._import_module = importlib.import_module
        self.print_as_now: Callable[[], None] | None = None

    def import_(self, name, globals=None, locals=None, fromlist=(), level=0):
        """Stand for `builtins.__import__`."""
        root = name.partition(".")[0]
        level = max(level, 0)  # -1, Python 2's default, comes from an `__import__` of the script's
        if level or root not in _PACKAGES:
            return self._import(name, globals, locals, fromlist, level)
        importer = _importer(sys._getframe(1), globals)
        if not self._territory.holds(importer):
            return self._import(name, globals, locals, fromlist, level)
        if root == "pickle" and "__python2_divide__" not in importer:
            return self._import(name, globals, locals, fromlist, level)
        view = self._view(root, name, fromlist or ())
        return find(view, name, fromlist) if fromlist else find(view, name) and view

    def _view(self, root: str, name: str, fromlist: tuple[str, ...]) -> View:
        """Return the view of a package, from which a module or some names are imported."""
        if root in ("numpy", "tensorflow") and self.print_as_now is None:
            self.print_as_now = print_as_then()
        if root == "tensorflow":
            return self._tensorflow()
        if root == "keras":
            return self._tensorflow().keras
        if root == "tf_slim":
            return self._tensorflow().contrib.slim
        try:
            self._import(root, {}, None, (), 0)
        except ModuleNotFoundError as error:
            ours = [name] if root != name else [f"{name}.{n}" for n in fromlist]
            if error.name != root or not (ours and all(map(families.provides, ours))):
                raise
        return families.library(root)

    def import_module(self, name, package=None):
        """Stand for `importlib.import_module`."""
        root = name.partition(".")[0]
        importer = _importer(sys._getframe(1), None)
        if root in _PACKAGES and self._territory.holds(importer):
            return find(self.import_(name, importer), name)
        return self._import_module(name, package)


def _importer(frame: FrameType | None, globals: dict | None) -> dict:
    """Return the globals of the module that imports.

    Code that is made on the fly, by ``exec`` for instance, belongs to the module that runs it.
    """
    found = frame.f_globals if globals is None else globals
    while frame is not None and "__file__" not in found and found.get("__name__") != "__main__":
        frame = frame.f_back
        found = {} if frame is None else frame.f_globals
    return found


class _Finder:
    """Finds what Python itself would, and has old modules loaded by the loader that translates."""

    def __init__(self, territory: Territory, python2: bool) -> None:
        self._territory = territory
        self.python2 = python2

    def find_spec(self, name, path=None, target=None):
        """Return the module's spec, or None if it is not on the path."""
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if (
            spec is not None
            and type(spec.loader) is importlib.machinery.SourceFileLoader
            and self._territory.holds_module(name, spec.origin)
        ):
            python2 = self.python2 and self._territory.owns(spec.origin)
            spec.loader = LegacyLoader(spec.loader.name, spec.loader.path, python2)
        return spec


def _insert_before_path_finder(finder: _Finder) -> None:
    path_finder = importlib.machinery.PathFinder
    found = path_finder in sys.meta_path
    sys.meta_path.insert(sys.meta_path.index(path_finder) if found else 0, finder)
