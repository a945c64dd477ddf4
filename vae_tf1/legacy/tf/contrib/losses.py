"""`tf.contrib.losses` and `slim.losses`: today's `tf.losses`, predictions before labels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

__all__ = ["names", "title"]

title = "`tf.contrib.losses` and `slim.losses`: today's `tf.losses`, predictions before labels"

# The order of the arguments in contrib, by today's names, and what some were called.
_ORDERS: dict[str, tuple[str, ...]] = {
    "absolute_difference": ("predictions", "labels", "weights", "scope"),
    "cosine_distance": ("predictions", "labels", "axis", "weights", "scope"),
    "hinge_loss": ("logits", "labels", "weights", "scope"),
    "log_loss": ("predictions", "labels", "weights", "epsilon", "scope"),
    "mean_pairwise_squared_error": ("predictions", "labels", "weights", "scope"),
    "mean_squared_error": ("predictions", "labels", "weights", "scope"),
    "sigmoid_cross_entropy": (
        "logits", "multi_class_labels", "weights", "label_smoothing", "scope",
    ),
    "softmax_cross_entropy": ("logits", "onehot_labels", "weights", "label_smoothing", "scope"),
    "sparse_softmax_cross_entropy": ("logits", "labels", "weights", "scope"),
}  # fmt: skip
_RENAMED = {"weight": "weights", "targets": "labels", "dim": "axis"}


def _loss(name: str) -> Callable:
    """Return a loss of `tf.losses` that takes its arguments in contrib's order."""
    function, order = getattr(tf.losses, name), _ORDERS[name]

    @functools.wraps(function)
    def loss(*args: Any, **kwargs: Any) -> tf.Tensor:
        if len(args) > len(order):
            raise TypeError(f"{name} takes {', '.join(order)}, but got {len(args)} arguments.")
        arguments = dict(zip(order, args, strict=False))
        for key, value in kwargs.items():
            key = _RENAMED.get(key, key)
            if key in arguments:
                raise TypeError(f"{name} got two values for {key!r}.")
            arguments[key] = value
        return function(**arguments)

    return loss


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    functions: dict[str, object] = {name: _loss(name) for name in _ORDERS}
    functions |= {
        name: getattr(tf.losses, name)
        for name in ("add_loss", "compute_weighted_loss", "get_losses", "get_total_loss",
                     "get_regularization_losses")
    }  # fmt: skip
    homes = ("contrib.losses", "contrib.slim.losses")
    return {f"{home}.{name}": value for home in homes for name, value in functions.items()}
