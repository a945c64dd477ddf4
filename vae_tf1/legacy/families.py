"""The families of old names, and the views that they make of `tensorflow` and of other packages."""

from __future__ import annotations

import functools
import sys

from vae_tf1.legacy.libraries import imageio, matplotlib, numpy, scipy_misc
from vae_tf1.legacy.machinery.overlay import Family, Overlay, View
from vae_tf1.legacy.python2 import runtime

__all__ = ["LIBRARIES", "PACKAGES", "library", "of_tensorflow", "provides", "tensorflow"]

LIBRARIES: tuple[Family, ...] = (numpy, scipy_misc, matplotlib, imageio, runtime)

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


def of_tensorflow() -> tuple[Family, ...]:
    """Return the families of TensorFlow's names; a later one wins over an earlier one.

    They are imported here because they import TensorFlow, which an old script may never do.
    """
    from vae_tf1.legacy.tf import distributions, flags, keras, layers, renamed, version
    from vae_tf1.legacy.tf.contrib import (
        arg_scope,
        bayesflow,
        framework,
        initializers,
        losses,
        training,
    )
    from vae_tf1.legacy.tf.contrib import layers as contrib_layers
    from vae_tf1.legacy.tf.examples.tutorials import mnist
    from vae_tf1.legacy.tf.nn import rnn_cell

    return (
        version,
        keras,
        flags,
        mnist,
        distributions,
        bayesflow,
        arg_scope,
        initializers,
        framework,
        contrib_layers,
        losses,
        training,
        rnn_cell,
        layers,
        renamed,
    )


@functools.cache
def tensorflow() -> View:
    """Return what ``import tensorflow`` gives to an old script, the same view each time."""
    import tensorflow.compat.v1 as base

    return Overlay(of_tensorflow(), "tensorflow").view("tensorflow", base)
