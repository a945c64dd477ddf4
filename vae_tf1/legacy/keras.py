"""Keras 2 with TF1's behaviour, as `tf.keras` had it."""

from importlib import import_module

from vae_tf1.legacy.lazy import Alias, Lazy

__all__ = ["names"]


def names() -> dict[str, object]:
    """Return `tf.keras` and its earlier place in contrib; tf-keras is imported on first use."""
    return {
        "keras": Lazy(lambda: import_module("tf_keras.api._v1.keras")),
        "contrib.keras": Alias("keras"),
    }
