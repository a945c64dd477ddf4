"""A package that is TensorFlow 1's own code, loaded for old modules: its ``tensorflow`` is theirs.

The modules are loaded under names of their own, so that an import of the same package elsewhere in
the process stays what it is. Nothing of the package is changed; bytecode is shared.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

from vae_tf1.legacy.machinery.overlay import View, find

__all__ = ["PREFIX", "Package"]

PREFIX = "vae_tf1.legacy.genuine."
"""What the names of the loaded modules begin with."""


class Package:
    """An installed package that was written for TensorFlow 1.

    Parameters
    ----------
    name : str
        The package's name, such as ``"tf_slim"``.
    tensorflow : callable
        Returns the view of `tensorflow` that the package's modules import.
    missing : str
        What to say if the package is not installed.
    """

    def __init__(self, name: str, tensorflow: Callable[[], View], missing: str) -> None:
        self._name = name
        self._tensorflow = tensorflow
        self._missing = missing
        self._builtins = {**vars(builtins), "__import__": self._import}

    def load(self, name: str) -> ModuleType:
        """Return a module of the package, loading it on first use.

        Parameters
        ----------
        name : str
            As it is installed, such as ``"tf_slim.layers"``.

        Raises
        ------
        ModuleNotFoundError
            The package is not installed, or has no such module.
        """
        ours = PREFIX + name
        parent, _, last = name.rpartition(".")
        places = self.load(parent).__path__ if parent else None
        if ours in sys.modules:  # maybe only now: a package imports modules of its own
            return sys.modules[ours]
        found = importlib.machinery.PathFinder.find_spec(ours if parent else name, places)
        if found is None:
            said = f"No module named {name!r}" if parent else self._missing
            raise ModuleNotFoundError(said, name=ours)
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_file_location(
                ours, found.origin, submodule_search_locations=found.submodule_search_locations
            )
        )
        module.__dict__["__builtins__"] = self._builtins
        sys.modules[ours] = module
        try:
            module.__spec__.loader.exec_module(module)
        except BaseException:
            del sys.modules[ours]
            raise
        if parent:
            setattr(sys.modules[PREFIX + parent], last, module)
        return module

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        """Stand for `builtins.__import__` in the package's modules."""
        root = name.partition(".")[0]
        if level or root not in (self._name, "tensorflow"):
            return builtins.__import__(name, globals, locals, fromlist, level)
        if root == "tensorflow":
            view = self._tensorflow()
            return find(view, name, fromlist) if fromlist else find(view, name) and view
        module = self.load(name)
        for wanted in fromlist or ():
            if wanted != "*" and not hasattr(module, wanted):
                self.load(f"{name}.{wanted}")
        return module if fromlist else self.load(root)
