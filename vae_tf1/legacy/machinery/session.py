"""TensorFlow 1 for the length of a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType

__all__ = ["tensorflow1"]


@contextmanager
def tensorflow1(
    packages: str | Iterable[str] = (), *, python2: bool = False
) -> Iterator[ModuleType]:
    """Let old modules be imported and run as under TensorFlow 1.

    Within the block ``import tensorflow`` gives this module's own code, and every module that is
    not an installed package, TensorFlow 1 as `vae_tf1.legacy` provides it; v2 behaviour is off
    and the default graph is a fresh one. On exit all of it is as before. Modules imported in the
    block stay imported and keep the TensorFlow they were given, so an object of theirs that holds
    its own session can be used afterwards; what builds a graph belongs into a block again.

    Parameters
    ----------
    packages : str or iterable of str, optional
        Installed top-level packages that were written for TensorFlow 1 as well.
    python2 : bool
        Whether to take modules that parse as Python 2 and 3 for Python 2, where integers divide
        to integers. Those that parse as Python 2 alone are taken for it anyway.

    Yields
    ------
    module
        What ``import tensorflow as tf`` gives in the block.

    Raises
    ------
    TypeError
        `packages` holds anything but strings.
    """
    packages = (packages,) if isinstance(packages, str) else tuple(packages)
    if not all(isinstance(name, str) for name in packages):
        raise TypeError(f"packages: names of packages are wanted, got {packages!r}")
    from vae_tf1.legacy import families
    from vae_tf1.legacy.machinery.graph_mode import GraphMode
    from vae_tf1.legacy.machinery.hooks import LegacyImports, Territory

    with GraphMode(), LegacyImports(Territory(packages), families.tensorflow, python2):
        yield families.tensorflow()
