"""XLA where it can be had, and the same graph without it where it cannot."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TypeVar

import tensorflow as tf

Built = TypeVar("Built")


def compiled_or_not(build: Callable[[bool], Built], compiled: bool, what: str) -> Built:
    """Return ``build(compiled)``, which runs what it builds once, so that XLA compiles it now.

    Where XLA cannot, a warning says so, at the caller of the model's method, and ``build(False)``
    takes its place.
    """
    try:
        return build(compiled)
    except tf.errors.ResourceExhaustedError:
        raise
    except tf.errors.OpError as error:
        if not compiled:
            raise
        reason = error.message.splitlines()[0]
        message = f"XLA cannot compile {what} here ({reason}); it goes on without"
        warnings.warn(message, RuntimeWarning, stacklevel=5)
        return build(False)
