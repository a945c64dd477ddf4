"""What a loader hands over: the images, the labels, and where they come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["BUILTIN", "Mnist", "Source"]

BUILTIN = "builtin"
_IMAGES = {None: "training images", "train": "training images", "test": "test images"}
_ROWS = {"train": "all but the last sixth of the rows of", "test": "the last sixth of the rows of"}


@dataclass(frozen=True)
class Source:
    """Where images come from; ``str(source)`` is the line to show to the user.

    Attributes
    ----------
    kind : {"idx", "npz", "csv", "builtin"}
        The format that was read.
    path : pathlib.Path or None
        The folder of the IDX files, or the file; None for the built-in digits.
    split : {None, "train", "test", "all"}
        What was asked for.
    count : int
        How many images that is.
    because : str
        For the built-in digits: why no MNIST is used; empty where they were asked for.
    """

    kind: str
    path: Path | None
    split: str | None
    count: int
    because: str = ""

    @property
    def is_builtin(self) -> bool:
        """Whether these are the built-in digits, not MNIST."""
        return self.kind == BUILTIN

    def __str__(self) -> str:
        if self.kind == "csv":
            rows = _ROWS.get(self.split, "every row of")
            return f"MNIST, {self.count:,} images: {rows} {self.path}"
        images = f"{self.count:,} {_IMAGES.get(self.split, 'images')}"
        if not self.is_builtin:
            return f"MNIST, {images} from {self.path}"
        text = f"built-in digits, {images} drawn from fonts as a stand-in for MNIST"
        return f"{self.because}, so using the {text}" if self.because else text


class Mnist(NamedTuple):
    """Images (N, 784) and labels (N,), both uint8 and in file order, and their `Source`."""

    images: np.ndarray
    labels: np.ndarray
    source: Source
