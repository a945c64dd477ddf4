"""The families of old names, and the views that they make of `tensorflow` and of other packages."""

from __future__ import annotations

import functools
import sys
from importlib import import_module
from types import ModuleType

from vae_tf1.legacy.libraries import imageio, matplotlib, numpy, scipy_misc, stdlib
from vae_tf1.legacy.machinery.genuine import PREFIX, Package
from vae_tf1.legacy.machinery.overlay import Family, Overlay, View
from vae_tf1.legacy.python2 import runtime

__all__ = ["LIBRARIES", "PACKAGES", "holds", "library", "of_tensorflow", "provides", "tensorflow"]

LIBRARIES: tuple[Family, ...] = (numpy, scipy_misc, matplotlib, imageio, stdlib, runtime)

_libraries = Overlay(LIBRARIES)

PACKAGES = frozenset(_libraries.names.children)
"""The packages outside TensorFlow of which an old module is given views."""


def library(name: str) -> View:
    """Return the view of an imported package outside TensorFlow, the same one each time.

    Parameters
    ----------
    name : str
        One of the `PACKAGES`; if it is not installed, the view has the old names alone.
    """
    return _libraries.view(name, sys.modules.get(name))


def provides(dotted: str) -> bool:
    """Tell whether the old names hold a module, or an object, outside TensorFlow."""
    node = _libraries.names
    for part in dotted.split("."):
        if part not in node.children:
            return False
        node = node.children[part]
    return True


def holds(dotted: str) -> str | None:
    """Return the old name, outside TensorFlow, that a dotted expression begins with."""
    node, parts = _libraries.names, dotted.split(".")
    for length, part in enumerate(parts, 1):
        node = node.children.get(part)
        if node is None:
            return None
        if not node.children:
            return ".".join(parts[:length])
    return None


def of_tensorflow() -> tuple[Family, ...]:
    """Return the families of TensorFlow's names; a later one wins over an earlier one.

    They are imported here because they import TensorFlow, which an old script may never do.
    """
    from vae_tf1.legacy.tf import (
        distributions,
        flags,
        keras,
        moved,
        renamed,
        version,
    )
    from vae_tf1.legacy.tf.contrib import bayesflow, rnn, training
    from vae_tf1.legacy.tf.examples.tutorials import mnist

    return (
        version,
        moved,
        keras,
        flags,
        mnist,
        distributions,
        bayesflow,
        training,
        rnn,
        renamed,
    )


@functools.cache
def tensorflow() -> View:
    """Return what ``import tensorflow`` gives to an old script, the same view each time."""
    import tensorflow.compat.v1 as base

    return Overlay(of_tensorflow(), "tensorflow", _load).view("tensorflow", base)


def _load(name: str) -> ModuleType:
    """Import a module, one of tf-slim's as a module of TensorFlow 1."""
    name = name.removeprefix(PREFIX)
    return _slim.load(name) if name.partition(".")[0] == "tf_slim" else import_module(name)


_slim = Package(
    "tf_slim",
    tensorflow,
    "what tf.contrib.layers, slim and their kin were is found in tf-slim, which is not installed: "
    "pip install 'vae_tf1[legacy]'",
)
