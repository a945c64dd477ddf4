"""The splits of MNIST: which ones a caller may ask for, and which ones files hold."""

from vae_tf1.errors import one_line

__all__ = ["PUBLISHED", "SPLITS", "check_split"]

PUBLISHED = ("train", "test")  # the splits that MNIST is published in

# What a caller may ask for: the published splits that it consists of. None is what the original
# script loads: the training images, and every row of Kaggle's file.
SPLITS = {None: ("train",), "train": ("train",), "test": ("test",), "all": PUBLISHED}


def check_split(value: object) -> str | None:
    """Return `value`, one of `SPLITS`.

    Raises
    ------
    ValueError
        If it is not.
    """
    if isinstance(value, str | None) and value in SPLITS:
        return value
    names = ", ".join(map(repr, SPLITS))
    raise ValueError(f"split must be one of {names}, not {one_line(repr(value))}")
