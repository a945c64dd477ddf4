"""What a loader hands over: the images, the labels, and where they come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vae_tf1.data.binarization import FIXED, THRESHOLD
from vae_tf1.errors import show_path

__all__ = ["BUILTIN", "Mnist", "Source"]

BUILTIN = "builtin"
_IMAGES = {None: "training images", "train": "training images", "test": "test images"}


@dataclass(frozen=True)
class Source:
    """Where images come from; ``str(source)`` is the line to show to the user.

    Attributes
    ----------
    kind : {"idx", "npz", "csv", "amat", "builtin"}
        The format that was read.
    path : pathlib.Path or None
        The folder of the IDX or .amat files, or the file; None for the built-in digits.
    split : {None, "train", "test", "all"}
        What was asked for.
    count : int
        How many images that is.
    because : str
        For the built-in digits: why no MNIST is used; empty if the caller asked for them.
    rows : str
        Which rows of the file these are, if the file itself has no splits; else empty.
    binarization : {None, "threshold", "fixed"}
        How the images were made binary; None if they are grey.
    binarization_seed : int or None
        The seed of a "fixed" draw; None if whoever published the files drew the pixels.
    """

    kind: str
    path: Path | None
    split: str | None
    count: int
    because: str = ""
    rows: str = ""
    binarization: str | None = None
    binarization_seed: int | None = None

    @property
    def is_builtin(self) -> bool:
        """Whether these are the built-in digits, not MNIST."""
        return self.kind == BUILTIN

    def __str__(self) -> str:
        return self._images() + self._binarization()

    def _images(self) -> str:
        if self.rows:
            return f"MNIST, {self.count:,} images: {self.rows} {self._where()}"
        images = f"{self.count:,} {_IMAGES.get(self.split, 'images')}"
        if not self.is_builtin:
            return f"MNIST, {images} from {self._where()}"
        text = f"built-in digits, {images} drawn from fonts as a stand-in for MNIST"
        return f"{self.because}, so using the {text}" if self.because else text

    def _where(self) -> str:
        return show_path(self.path) if self.path else "memory"

    def _binarization(self) -> str:
        if self.binarization == THRESHOLD:
            return ", binarised at one half (threshold)"
        if self.binarization == FIXED and self.binarization_seed is None:
            return ", binarised once by their publisher (fixed)"
        if self.binarization == FIXED:
            return f", each pixel drawn once (fixed, seed {self.binarization_seed})"
        return ""


class Mnist(NamedTuple):
    """Images, labels and their `Source`, in file order.

    Attributes
    ----------
    images : numpy.ndarray of uint8, shape (N, 784)
        Grey values 0 to 255; if ``source.binarization`` is not None, 0 or 1.
    labels : numpy.ndarray of uint8, shape (N,)
        The digits 0 to 9. int8 and all -1 if the files have no labels (Larochelle's ``.amat``).
    source : Source
    """

    images: np.ndarray
    labels: np.ndarray
    source: Source
