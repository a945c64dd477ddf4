"""The version that a script finds in `tf.__version__`: the last TensorFlow 1, whose ways are kept.

Scripts compare it to choose between spellings; under the shim those of 1.x are the right ones.
"""

from importlib import import_module

from vae_tf1.legacy.machinery.lazy import Lazy

__all__ = ["VERSION", "names", "title"]

title = (
    "The version that a script finds in `tf.__version__`: the last TensorFlow 1, "
    "whose ways are kept"
)

VERSION = "1.15.5"


def names() -> dict[str, object]:
    """Return the version's names, and the inner packages that scripts reach into."""
    return {
        "__version__": VERSION,
        "VERSION": VERSION,
        "version.VERSION": VERSION,
        "core": Lazy(lambda: import_module("tensorflow.core")),
        "python": Lazy(lambda: import_module("tensorflow.python")),
        "tools": Lazy(lambda: import_module("tensorflow.tools")),
    }
