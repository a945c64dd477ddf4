"""The splits of MNIST: which ones a caller may ask for, and which ones files hold."""

from vae_tf1.errors import shorten

__all__ = ["PUBLISHED", "SPLITS", "check_split"]

PUBLISHED = ("train", "test")  # the splits that MNIST is published in

# What a caller may ask for: the published splits that it consists of. None is what the original
# script loads: the training images, and every row of Kaggle's file.
SPLITS = {None: ("train",), "train": ("train",), "test": ("test",), "all": PUBLISHED}


def check_split(value: object, allowed: tuple[str | None, ...] = tuple(SPLITS)) -> str | None:
    """Return `value`, one of `allowed`.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, str | None) and value in allowed:
        return value
    names = ", ".join(map(repr, allowed))
    raise ValueError(f"split must be one of {names}, not {shorten(repr(value), 100)}")
