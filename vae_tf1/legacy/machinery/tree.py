"""The `tensorflow` that an old script sees: `tensorflow.compat.v1` with the families laid over it.

The tree is made of module objects of its own; the installed TensorFlow is read, never written to.
A name is looked up in the families first and in `tensorflow.compat.v1` next, at every depth.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from vae_tf1.legacy.machinery.lazy import Alias, Lazy

__all__ = ["FAMILIES", "Namespace", "lookup", "nearest", "origin", "provided", "tensorflow"]

# A later family wins over an earlier one.
FAMILIES = (
    "tf.version",
    "tf.keras",
    "tf.flags",
    "tf.examples.tutorials.mnist",
    "tf.distributions",
    "tf.contrib.bayesflow",
    "tf.contrib.arg_scope",
    "tf.contrib.initializers",
    "tf.contrib.framework",
    "tf.contrib.layers",
    "tf.contrib.losses",
    "tf.contrib.training",
    "tf.nn.rnn_cell",
    "tf.layers",
    "tf.renamed",
)

_NOTHING = object()


class _Node:
    """One name of the families: the object it stands for, the names below it, or both."""

    def __init__(self) -> None:
        self.value: object = _NOTHING
        self.children: dict[str, _Node] = {}

    def place(self, dotted: str, value: object) -> None:
        node = self
        for part in dotted.split("."):
            node = node.children.setdefault(part, _Node())
        node.value = value


class Namespace(ModuleType):
    """A module of the tree: the families' names over a module of `tensorflow.compat.v1`.

    Parameters
    ----------
    name : str
        What an old script calls the module, such as ``"tensorflow.contrib.slim"``.
    node : _Node
        The families' names at this place.
    base : object
        The module, or other object, that answers for every other name; None if there is none.
    """

    def __init__(self, name: str, node: _Node, base: object) -> None:
        super().__init__(name, getattr(base, "__doc__", None))
        self.__dict__.update(
            __path__=[], __package__=name, _names_=node, _base_=base, __spec__=None
        )

    def __getattr__(self, name: str) -> object:
        value = self._find_(name)
        if value is _NOTHING:
            # `obj` is withheld: with it, newer Pythons would append a second suggestion.
            raise AttributeError(_missing(self, name), name=name, obj=None)
        self.__dict__[name] = value
        return value

    def _find_(self, name: str) -> object:
        if name == "__all__":
            return [n for n in dir(self) if not n.startswith("_")]
        node = self._names_.children.get(name)
        if node is None:
            value = getattr(self._base_, name, _NOTHING)
            return self._wrap_(name, value) if _is_api_module(value) else value
        value = _resolve(node.value)
        if not node.children:
            return value
        below = value if value is not _NOTHING else getattr(self._base_, name, None)
        return Namespace(f"{self.__name__}.{name}", node, below)

    def _wrap_(self, name: str, module: object) -> Namespace:
        return Namespace(f"{self.__name__}.{name}", _Node(), module)

    def __dir__(self) -> list[str]:
        mine = [n for n in self.__dict__ if not (n.endswith("_") and n.startswith("_"))]
        return sorted({*mine, *self._names_.children, *dir(self._base_ or object())})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} (tensorflow.compat.v1 with vae_tf1.legacy)>"


@functools.cache
def tensorflow() -> Namespace:
    """Return the root of the tree, which is what ``import tensorflow`` gives to an old script.

    Returns
    -------
    Namespace
        Built on the first call; the same object ever after.
    """
    import tensorflow.compat.v1 as base

    return Namespace("tensorflow", _families(), base)


def lookup(dotted: str) -> object:
    """Return the object under a dotted name relative to `tensorflow`.

    Parameters
    ----------
    dotted : str
        Such as ``"contrib.slim.fully_connected"``; the empty string is the root.

    Raises
    ------
    AttributeError
        Neither the families nor `tensorflow.compat.v1` provide the name.
    """
    return functools.reduce(getattr, filter(None, dotted.split(".")), tensorflow())


def origin(dotted: str) -> tuple[str, str | None]:
    """Tell who provides the name that a dotted expression begins with.

    Parameters
    ----------
    dotted : str
        Relative to `tensorflow`; what follows the name of an object, such as ``.FLAGS`` in
        ``app.flags.FLAGS``, is not looked at.

    Returns
    -------
    name : str
        The part that names an object, or the first part that is missing.
    provider : str or None
        ``"vae_tf1.legacy"``, ``"tensorflow.compat.v1"``, None if nobody does, and the empty
        string if the expression names a module.
    """
    here, seen, ours = tensorflow(), [], False
    for part in dotted.split("."):
        seen.append(part)
        try:
            value = getattr(here, part)
        except AttributeError:
            return ".".join(seen), None
        node = here._names_.children.get(part)
        ours = ours or (node is not None and node.value is not _NOTHING)
        if not isinstance(value, Namespace):
            return ".".join(seen), "vae_tf1.legacy" if ours else "tensorflow.compat.v1"
        here = value
    return dotted, ""


def provided() -> dict[str, list[str]]:
    """Return the dotted names that each family provides, sorted, keyed by the family's module."""
    return {family: sorted(_load(family).names()) for family in FAMILIES}


def _load(family: str) -> ModuleType:
    return import_module(f"vae_tf1.legacy.{family}")


@functools.cache
def _families() -> _Node:
    root = _Node()
    for family in FAMILIES:
        for dotted, value in _load(family).names().items():
            root.place(dotted, value)
    return root


def _resolve(value: object) -> object:
    if isinstance(value, Lazy):
        return value.load()
    if isinstance(value, Alias):
        return lookup(value.target)
    return value


def _is_api_module(value: object) -> bool:
    # Past the module's own `__getattr__`: those of Keras's places load Keras, or complain.
    if not isinstance(value, ModuleType):
        return False
    name = ModuleType.__getattribute__(value, "__dict__").get("__name__", "")
    return name.startswith(("tensorflow._api.", "tf_keras.api."))


def _missing(namespace: Namespace, name: str) -> str:
    said = f"module {namespace.__name__!r} has no attribute {name!r}"
    if name.startswith("__"):
        return said
    said += ": neither tensorflow.compat.v1 nor vae_tf1.legacy provides it"
    found = nearest(namespace, name)
    return f"{said}; the nearest name is {found}" if found else said


def nearest(namespace: Namespace, name: str) -> str | None:
    """Return the full name that `name` was most likely meant to be, or None.

    A slip of the pen in the same place comes first, then the very name in another place (many
    functions moved out of `contrib`), then whatever in the same place is closest.
    """
    here = [n for n in dir(namespace) if not n.startswith("_")]
    slip = difflib.get_close_matches(name, here, n=1, cutoff=0.8)
    elsewhere = [dotted for dotted in _all_names() if dotted.rpartition(".")[2] == name]
    close = difflib.get_close_matches(name, here, n=1, cutoff=0.6)
    if slip:
        return f"{namespace.__name__}.{slip[0]}"
    if elsewhere:
        return "tensorflow." + min(elsewhere, key=lambda dotted: (dotted.count("."), dotted))
    return f"{namespace.__name__}.{close[0]}" if close else None


def _all_names() -> Iterator[str]:
    """Yield every dotted name of the families, and of `tensorflow.compat.v1` two levels deep."""
    root = tensorflow()
    yield from _below(root._names_, "")
    for name in dir(root._base_):
        yield name
        value = getattr(root._base_, name, None)
        if _is_api_module(value):
            yield from (f"{name}.{n}" for n in dir(value) if not n.startswith("_"))


def _below(node: _Node, prefix: str) -> Iterator[str]:
    for name, child in node.children.items():
        if child.value is not _NOTHING:
            yield prefix + name
        yield from _below(child, f"{prefix}{name}.")
