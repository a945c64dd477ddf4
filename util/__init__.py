"""The 2017 address of the MNIST loader; everything here is `vae_tf1.data.mnist`."""

from pkgutil import extend_path

# A user's own util/ folder without an __init__.py stands beside this one.
__path__ = extend_path(__path__, __name__)

from vae_tf1.data.mnist import (
    DataError,
    DataWarning,
    Mnist,
    Source,
    builtin_digits,
    get_mnist,
    load_mnist,
)

__all__ = [
    "DataError",
    "DataWarning",
    "Mnist",
    "Source",
    "builtin_digits",
    "get_mnist",
    "load_mnist",
]
