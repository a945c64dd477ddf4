"""What a format is."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vae_tf1.convert.compare import TOLERANCE, Inputs, Outputs, difference, exported
from vae_tf1.convert.network import Network
from vae_tf1.errors import ConversionError

__all__ = ["Format", "NetworkFormat", "Source", "TensorFormat", "require"]


_NO_INPUTS, _NO_OUTPUTS = Inputs(np.empty(0), np.empty(0)), Outputs(None, None, None)


@dataclass(frozen=True)
class Source:
    """What is converted.

    Attributes
    ----------
    tensors
        Returns every tensor under its name in the checkpoint.
    network
        Returns encoder and decoder, or raises a `ConversionError` that says why there are none.
    inputs, expected
        What both sides are run on, and what this project computes from it.
    images, labels
        Images (N, D) and digits (N,) that a page shows; None if there are none.
    shape
        Height and width of an image; None for the squarest one.
    title
        What a page is called.
    """

    tensors: Callable[[], Mapping[str, np.ndarray]]
    network: Callable[[], Network]
    inputs: Inputs = _NO_INPUTS
    expected: Outputs = _NO_OUTPUTS
    images: np.ndarray | None = None
    labels: np.ndarray | None = None
    shape: tuple[int, int] | None = None
    title: str = "Variational autoencoder"


@dataclass(frozen=True)
class Format:
    """A format that can be converted to.

    Attributes
    ----------
    name
        What ``--to`` takes.
    packages
        What must be installed.
    files
        What it may write.
    write
        Writes the files into a folder; what it writes is a function of the source alone.
    tolerance
        The largest difference that is still right, relative to the largest magnitude.
    """

    name: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    write: Callable
    tolerance: float = TOLERANCE

    def convert(self, source: Source, folder: Path) -> None:
        """Write the files into a folder that exists."""
        raise NotImplementedError

    def difference(self, source: Source, folder: Path) -> float:
        """Load what is in the folder with the format's own runtime; return the largest difference.

        Raises
        ------
        ConversionError
            If it cannot be loaded, or has other shapes.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class TensorFormat(Format):
    """Tensors of any checkpoint under their names; they come back bit for bit."""

    read: Callable[[Path], Mapping[str, np.ndarray]] = field(kw_only=True)

    def convert(self, source: Source, folder: Path) -> None:
        """Write the tensors."""
        self.write(source.tensors(), folder / self.files[0])

    def difference(self, source: Source, folder: Path) -> float:
        """Return 0.0 if every tensor has come back; there is no other right answer."""
        (file,) = self.files
        expected, found = source.tensors(), self.read(folder / file)
        if expected.keys() != found.keys():
            names = ", ".join(sorted(expected.keys() ^ found.keys())[:3])
            raise ConversionError(f"{file} has other tensors: {names}")
        for name, value in expected.items():
            there = found[name]
            if (there.shape, there.tobytes()) != (value.shape, value.tobytes()):
                raise ConversionError(f"{file} has another value for {name}")
        return 0.0


@dataclass(frozen=True)
class NetworkFormat(Format):
    """Encoder and decoder of a variational autoencoder."""

    run: Callable[[Source, Path], Outputs] = field(kw_only=True)

    def convert(self, source: Source, folder: Path) -> None:
        """Write encoder and decoder, as far as they can be exported."""
        self.write(source, folder)

    def difference(self, source: Source, folder: Path) -> float:
        """Run the files on the source's inputs."""
        expected = exported(source.network(), source.expected)
        return difference(self.run(source, folder), expected)


def require(format: Format) -> None:
    """Check that a format's packages are installed.

    Raises
    ------
    ConversionError
        If one is missing; the message has the command that installs it.
    """
    missing = [name for name in format.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ConversionError(
            f"the format {format.name} needs {' and '.join(missing)}: "
            f"pip install {' '.join(format.packages)}"
        )
