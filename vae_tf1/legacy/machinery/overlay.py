"""Old names laid over real modules: `View`s answer with the old names first.

A view is a module object of its own. Only old modules are given views. At every depth a view
looks a name up in the families first and asks the real module for all other names.
"""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import Protocol

from vae_tf1.legacy.machinery.lazy import Alias, Lazy, Moved

__all__ = ["NOTHING", "Family", "Overlay", "View", "find", "nearest", "origin", "walk"]

NOTHING = object()
"""As a value: nothing real lies below this name (a module that is gone, or wholly ours)."""

_ABSENT = object()

# Packages that TensorFlow 1's interface is read from: their modules become views too, so that a
# missing name is reported with the nearest one. They are never written to.
_INTERFACES = (
    "tensorflow._api.",
    "tensorflow.compat.v1",
    "tf_keras.api.",
    "vae_tf1.legacy.genuine.",
)


class Family(Protocol):
    """What a module of `legacy.tf` or `legacy.libraries` provides."""

    title: str
    """What the family is, for the table of names."""

    def names(self) -> Mapping[str, object]:
        """Return objects by dotted name.

        An object may be `Lazy` or an `Alias`; a module stands for all the names that it has.
        """


class Names:
    """One name of the families: the object it stands for, the names below it, or both."""

    def __init__(self) -> None:
        self.value: object = _ABSENT
        self.children: dict[str, Names] = {}

    def place(self, dotted: str, value: object) -> None:
        """Put an object under a dotted name."""
        node = self
        for part in dotted.split("."):
            node = node.children.setdefault(part, Names())
        node.value = value

    def below(self, prefix: str = "") -> Iterator[str]:
        """Yield every dotted name that stands for an object."""
        for name, child in self.children.items():
            if child.value is not _ABSENT and child.value is not NOTHING:
                yield prefix + name
            yield from child.below(f"{prefix}{name}.")


class Overlay:
    """The names of some families, and the views that they make of real packages.

    Parameters
    ----------
    families : iterable of Family
        A later family wins over an earlier one.
    package : str, optional
        What the families' names are relative to; by default each begins with its package.
    load : callable, optional
        Imports a module by its dotted name.
    """

    def __init__(
        self,
        families: Iterable[Family],
        package: str = "",
        load: Callable[[str], ModuleType] = import_module,
    ) -> None:
        self.load = load
        self.names = Names()
        for family in families:
            for dotted, value in family.names().items():
                self.names.place(f"{package}.{dotted}" if package else dotted, value)
        self._views: dict[tuple[str, ModuleType | None], View] = {}

    def view(self, package: str, real: ModuleType | None) -> View:
        """Return the view of a package, the same one each time.

        Parameters
        ----------
        package : str
        real : module or None
            The package itself; if there is none, the view has the old names alone.
        """
        key = package, real
        if key not in self._views:
            self._views[key] = View(package, self.names.children[package], real, self)
        return self._views[key]

    def of_module(self, module: ModuleType) -> object:
        """Return the view of a real module, or the module itself if it has no old names."""
        names = self.names
        package, *parts = module.__name__.split(".")
        for part in (package, *parts):
            if part not in names.children:
                return module
            names = names.children[part]
        return walk(self.view(package, sys.modules[package]), ".".join(parts))

    def moved(self, value: Moved) -> object:
        """Return the object, or the module, that has moved."""
        modules = [self.load(name) for name in value.modules.split()]
        if value.name:
            return getattr(modules[0], value.name)
        if len(modules) == 1:
            return modules[0]
        together = ModuleType(modules[0].__name__, modules[0].__doc__)
        for module in modules:
            names = getattr(module, "__all__", [n for n in vars(module) if n[0] != "_"])
            together.__dict__.update({name: getattr(module, name) for name in names})
        return together

    def submodule(self, parent: object, name: str) -> object:
        """Return an attribute of a module, which may be a submodule to import, or None.

        Parameters
        ----------
        parent : object
            A real module, or None.
        name : str
        """
        found = getattr(parent, name, None)
        if found is None and hasattr(parent, "__path__"):
            full = f"{parent.__name__}.{name}"
            try:
                found = self.load(full)
            except ModuleNotFoundError as error:
                if error.name != full:
                    raise
        return found

    def step(self, found: object, name: str, module: bool = False) -> object:
        """Return an attribute of a view or of a module, which may be a submodule to import.

        Parameters
        ----------
        found : object
        name : str
        module : bool
            Whether a module is meant, if there are a function and a module of that name.

        Raises
        ------
        AttributeError
            It is neither.
        """
        try:
            value = getattr(found, name)
        except AttributeError:
            base = found._base_ if isinstance(found, View) else found
            inner = self.submodule(base, name)
            if inner is None:
                raise
            return getattr(found, name, inner)
        if module and isinstance(found, View) and not isinstance(value, ModuleType):
            node = found._names_.children.get(name)
            if node is not None and node.children:
                return View(f"{found.__name__}.{name}", node, None, self, found._root_)
        return value


class View(ModuleType):
    """A module as old scripts knew it.

    Parameters
    ----------
    name : str
        What an old script calls the module, such as ``"tensorflow.contrib.slim"``.
    names : Names
        The families' names at this place.
    base : object
        The module, or other object, that answers for every other name; None if there is none.
    overlay : Overlay
    root : View, optional
        The view of the whole package, if this is one of a part of it.
    """

    def __init__(
        self, name: str, names: Names, base: object, overlay: Overlay, root: View | None = None
    ) -> None:
        super().__init__(name, getattr(base, "__doc__", None))
        about = {"__path__": [], "__package__": name, "__spec__": None}
        if _is_real(base):
            of_modules = ("__file__", "__path__", "__package__", "__spec__", "__version__")
            about = {n: getattr(base, n) for n in of_modules if hasattr(base, n)}
        self.__dict__.update(about, _names_=names, _base_=base, _root_=root or self)
        self.__dict__["_overlay_"] = overlay

    def __getattr__(self, name: str) -> object:
        node = self._names_.children.get(name)
        if node is None:
            value = self._from_base_(name)
            if _is_real(value) and not isinstance(value, View):
                value = self._overlay_.of_module(value)
            if not _is_interface(value) and not _is_interface(self._base_):
                return value  # not kept: the real module's names may change
            node = Names()
        else:
            value = self._of_families_(name, node)
        if _is_interface(value) or (node.children and isinstance(value, ModuleType | None)):
            value = View(f"{self.__name__}.{name}", node, value, self._overlay_, self._root_)
        self.__dict__[name] = value
        return value

    def _of_families_(self, name: str, node: Names) -> object:
        value = node.value
        if isinstance(value, Lazy):
            return value.load()
        if isinstance(value, Alias):
            return functools.reduce(getattr, filter(None, value.target.split(".")), self._root_)
        if isinstance(value, Moved):
            return self._overlay_.moved(value)
        if value is NOTHING:
            return None
        return self._overlay_.submodule(self._base_, name) if value is _ABSENT else value

    def _from_base_(self, name: str) -> object:
        """Return what the real module has under a name, or say what is missing."""
        if name == "__all__" and not hasattr(self._base_, name):
            return [n for n in dir(self) if not n.startswith("_")]
        try:
            return getattr(self._base_, name)
        except (AttributeError, ImportError, NotImplementedError):
            if _is_real(self._base_) and self._root_.__name__ != "tensorflow":
                raise
            # `obj` is withheld: with it, newer Pythons would append a second suggestion.
            raise AttributeError(self._missing_(name), name=name, obj=None) from None

    def _missing_(self, name: str) -> str:
        said = f"module {self.__name__!r} has no attribute {name!r}"
        if name.startswith("__"):
            return said
        who = "neither tensorflow.compat.v1 nor vae_tf1.legacy provides it"
        found = nearest(self, name)
        if self._root_.__name__ != "tensorflow":
            who = "vae_tf1.legacy does not provide it"
        return f"{said}: {who}" + (f"; the nearest name is {found}" if found else "")

    def __setattr__(self, name: str, value: object) -> None:
        # A script that patches a package means the package, whoever looks at it.
        if _is_real(self._base_):
            setattr(self._base_, name, value)
        self.__dict__[name] = value

    def __dir__(self) -> list[str]:
        mine = [n for n in self.__dict__ if not (n.endswith("_") and n.startswith("_"))]
        return sorted({*mine, *self._names_.children, *dir(self._base_ or object())})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} (with vae_tf1.legacy)>"


def _is_interface(value: object) -> bool:
    # Past the module's own `__getattr__`: those of Keras's places load Keras, or complain.
    if not isinstance(value, ModuleType) or isinstance(value, View):
        return False
    name = ModuleType.__getattribute__(value, "__dict__").get("__name__", "")
    return name.startswith(_INTERFACES)


def _is_real(value: object) -> bool:
    return isinstance(value, ModuleType) and not _is_interface(value)


def walk(root: View, dotted: str) -> object:
    """Return what an ``import`` of the dotted name gives: submodules of real packages are imported.

    Parameters
    ----------
    root : View
    dotted : str
        Relative to `root`.

    Raises
    ------
    AttributeError
        There is no such name.
    """
    found: object = root
    parts = [part for part in dotted.split(".") if part]
    for place, part in enumerate(parts):
        found = root._overlay_.step(found, part, module=place < len(parts) - 1)
    return found


def find(root: View, name: str, fromlist: Iterable[str] = ()) -> object:
    """Return the module under a dotted name, with all that is to be imported from it.

    Parameters
    ----------
    root : View
    name : str
        The name in an ``import``, the package's own in front.
    fromlist : iterable of str

    Raises
    ------
    ImportError
        Something is missing, and what it is.
    """
    found: object = root
    try:
        for part in name.split(".")[1:]:
            found = root._overlay_.step(found, part, module=True)
    except AttributeError as error:
        raise ModuleNotFoundError(f"No module named {name!r}: {error}", name=name) from None
    for wanted in fromlist:
        if wanted != "*":
            try:
                root._overlay_.step(found, wanted)
            except AttributeError as error:
                raise ImportError(
                    f"cannot import name {wanted!r} from {name!r}: {error}", name=name
                ) from None
    return found


def origin(root: View, dotted: str) -> tuple[str, str | None]:
    """Tell who provides the name that a dotted expression begins with.

    Parameters
    ----------
    root : View
    dotted : str
        Relative to `root`; what follows the name of an object, such as ``.FLAGS`` in
        ``app.flags.FLAGS``, is not looked at.

    Returns
    -------
    name : str
        The part that names an object, or the first part that is missing.
    provider : str or None
        ``"vae_tf1.legacy"``, ``"tensorflow.compat.v1"`` (the installed TensorFlow), None if nobody
        does, and the empty string if the expression names a module.
    """
    here: object = root
    seen, names, ours = [], root._names_, False
    parts = dotted.split(".")
    for part in parts:
        seen.append(part)
        of_today = _is_real(here._base_ if isinstance(here, View) else here)
        try:
            here = root._overlay_.step(here, part, module=len(seen) < len(parts))
        except (AttributeError, ImportError):
            return ".".join(seen), None
        names = names.children.get(part, Names())
        ours = names.value is not _ABSENT or (ours and not of_today)
        if not isinstance(here, ModuleType):
            return ".".join(seen), "vae_tf1.legacy" if ours else "tensorflow.compat.v1"
    return dotted, ""


def nearest(view: View, name: str) -> str | None:
    """Return the full name that `name` was most likely meant to be, or None.

    A slip of the pen in the same place comes first, then the very name in another place (many
    functions moved out of `contrib`), then whatever in the same place is closest.
    """
    here = [n for n in dir(view) if not n.startswith("_")]
    slip = difflib.get_close_matches(name, here, n=1, cutoff=0.8)
    root = view._root_
    elsewhere = [dotted for dotted in _all_names(root) if dotted.rpartition(".")[2] == name]
    close = difflib.get_close_matches(name, here, n=1, cutoff=0.6)
    if slip:
        return f"{view.__name__}.{slip[0]}"
    if elsewhere:
        found = min(elsewhere, key=lambda dotted: (dotted.count("."), dotted))
        return f"{root.__name__}.{found}"
    return f"{view.__name__}.{close[0]}" if close else None


def _all_names(root: View) -> Iterator[str]:
    """Yield every dotted name of the families, and of the real modules two levels deep."""
    yield from root._names_.below()
    for name in dir(root._base_):
        yield name
        value = getattr(root._base_, name, None)
        if _is_interface(value):
            yield from (f"{name}.{n}" for n in dir(value) if not n.startswith("_"))
