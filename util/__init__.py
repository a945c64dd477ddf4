"""The data of the original's scripts: `get_mnist` and what it needs.

Importing this package is quick and has no side effects: matplotlib and tqdm are loaded when they
are first needed.
"""

from util.digits import builtin_digits
from util.errors import DataError, DataWarning
from util.mnist import get_mnist, load_mnist
from util.source import Mnist, Source

__all__ = [
    "DataError",
    "DataWarning",
    "Mnist",
    "Source",
    "builtin_digits",
    "get_mnist",
    "load_mnist",
]
