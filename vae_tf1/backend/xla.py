"""Compile with XLA; fall back to the same graph uncompiled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import tensorflow as tf

from vae_tf1.errors import reason, warn

__all__ = ["Compiled", "graph_function", "graph_lock"]

Built = TypeVar("Built")


def graph_function(function: Callable, compiled: bool) -> Callable:
    """Return a function that adds the graph of `function` to another, for XLA if `compiled`."""
    return tf.function(function, jit_compile=compiled, autograph=False)


def graph_lock(graph: tf.Graph) -> threading.RLock:
    """Return the lock to hold while ops are added to `graph`: two threads may not do it at once."""
    return _locks.setdefault(graph, threading.RLock())


_locks: WeakKeyDictionary[tf.Graph, threading.RLock] = WeakKeyDictionary()


class Compiled(Generic[Built]):
    """What was added to a model's graph, compiled or not: built once for each kind.

    Parameters
    ----------
    graph
        The model's.
    what
        What a warning calls it, such as "the training".
    """

    def __init__(self, graph: tf.Graph, what: str) -> None:
        self._graph, self._what = graph, what
        self._built: dict[tuple, Built] = {}

    def get(self, kind: tuple, build: Callable[[bool], Built], compiled: bool) -> Built:
        """Return ``build(compiled)``, built once for each `kind`.

        `build` runs what it builds once, so that XLA compiles now. If XLA cannot, a warning says so
        the first time, and ``build(False)`` takes the place of what was asked for.
        """
        with graph_lock(self._graph):
            if (kind, compiled) not in self._built:
                self._built[kind, compiled] = self._build(kind, build, compiled)
            return self._built[kind, compiled]

    def _build(self, kind: tuple, build: Callable[[bool], Built], compiled: bool) -> Any:
        try:
            return build(compiled)
        except tf.errors.ResourceExhaustedError:
            raise
        except tf.errors.OpError as error:
            if not compiled:
                raise
            warn(f"XLA cannot compile {self._what} here ({reason(error)}); it goes on without")
            return self.get(kind, build, False)
