"""MNIST: looked for, downloaded, or replaced by digits that the program draws itself.

Importing this package is quick and has no side effects: matplotlib and tqdm are loaded when they
are first needed.
"""

from vae_tf1.data.mnist.digits import builtin_digits
from vae_tf1.data.mnist.loader import get_mnist, load_mnist
from vae_tf1.data.mnist.source import Mnist, Source
from vae_tf1.errors import DataError, DataWarning

__all__ = [
    "DataError",
    "DataWarning",
    "Mnist",
    "Source",
    "builtin_digits",
    "get_mnist",
    "load_mnist",
]
