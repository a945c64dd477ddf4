"""Keras 2 with TF1's behaviour: `tf.keras`, and `keras` on its own with its older addresses."""

from __future__ import annotations

from importlib import import_module

from vae_tf1.legacy.machinery.lazy import Alias, Lazy

__all__ = ["names", "title"]

title = "Keras 2 with TF1's behaviour: `tf.keras`, and `keras` on its own with its older addresses"

# Where Keras 2 has put what once had a module of its own.
_MOVED = {
    "keras.layers": (
        "advanced_activations",
        "convolutional",
        "core",
        "embeddings",
        "local",
        "merge",
        "noise",
        "normalization",
        "pooling",
        "recurrent",
        "wrappers",
    ),
    "keras.utils": ("generic_utils", "np_utils", "vis_utils"),
    "keras.backend": ("tensorflow_backend",),
}


def names() -> dict[str, object]:
    """Return Keras's names; tf-keras is imported on first use.

    An old module that imports `keras` rather than `tensorflow.keras` gets the very same.
    """
    moved = {f"{place}.{old}": Alias(place) for place, olds in _MOVED.items() for old in olds}
    return moved | {
        "keras": Lazy(lambda: import_module("tf_keras.api._v1.keras")),
        "keras.__version__": Lazy(lambda: import_module("tf_keras").__version__),
        "keras.backend.tf": Alias(""),
        "keras.engine": Alias("keras.layers"),
        "keras.engine.topology": Alias("keras.layers"),
        "keras.objectives": Alias("keras.losses"),
        "contrib.keras": Alias("keras"),
    }
