"""XLA where it can be had, and the same graph without it where it cannot."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

Built = TypeVar("Built")


def graph_function(function: Callable, compiled: bool) -> Callable:
    """Return a function that adds the graph of `function` to another, for XLA if `compiled`."""
    return tf.function(function, jit_compile=compiled, autograph=False)


def compiled_or_not(
    cache: dict, kind: tuple, build: Callable[[bool], Built], compiled: bool, what: str
) -> Built:
    """Return ``build(compiled)``, built once for each `kind`.

    What is built runs once there, so that XLA compiles it now. Where XLA cannot, a warning says so
    the first time, at the caller of the model's method, and ``build(False)`` takes its place.
    """
    if (kind, compiled) not in cache:
        try:
            cache[kind, compiled] = build(compiled)
        except tf.errors.ResourceExhaustedError:
            raise
        except tf.errors.OpError as error:
            if not compiled:
                raise
            reason = error.message.splitlines()[0]
            message = f"XLA cannot compile {what} here ({reason}); it goes on without"
            warnings.warn(message, RuntimeWarning, stacklevel=5)
            cache[kind, True] = compiled_or_not(cache, kind, build, False, what)
    return cache[kind, compiled]
