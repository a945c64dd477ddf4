"""From a model, or from what was recognised in a checkpoint, to files that have been checked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.checkpoint import store
from vae_tf1.convert import compare, network
from vae_tf1.convert import tensors as checkpoint
from vae_tf1.convert.formats import FORMATS, Format, Source, TensorFormat
from vae_tf1.convert.formats.base import require
from vae_tf1.convert.network import Network
from vae_tf1.convert.staging import staged
from vae_tf1.data.rows import ArrayLike
from vae_tf1.errors import CheckpointError, ConversionError, reason
from vae_tf1.model.graph import Model

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Exported", "check", "convert", "export", "of_model", "of_network", "the_format"]

Tensors = Callable[[], Mapping[str, np.ndarray]]


class Exported(NamedTuple):
    """What a conversion has written.

    Attributes
    ----------
    format
        A name in `FORMATS`.
    files
        Files and folders, in alphabetical order.
    difference
        The largest difference from this project's own numbers, relative to the largest magnitude.
    notes
        What could not be exported, and why: a sentence each.
    """

    format: str
    files: list[Path]
    difference: float
    notes: tuple[str, ...] = ()


def export(
    model: Model,
    folder: str | PathLike,
    format: str,
    X: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    shape: tuple[int, int] | None = None,
    *,
    writer: store.Writer | None = None,
) -> Exported:
    """Write a model in another format, load it with that format's own runtime, and compare.

    Parameters
    ----------
    model
        Any model; a part that the format cannot express is left out and named in the result.
    folder
        Where the files go; made if need be. Other files in it stay as they are.
    format
        "npz", "safetensors", "onnx", "keras", "pytorch", "saved_model" or "page".
    X
        Real images, (N, D) with values in [0, 1]: the comparison uses some of them, and a page
        shows where their codes lie.
    labels
        The digit of each image, for the colours of a page.
    shape
        Height and width of an image on a page; by default the squarest.
    writer
        Writes the model's checkpoints; by default a new one, which adds its op to the graph.

    Raises
    ------
    ConversionError
        If the format is unknown, a package is missing, the model cannot be converted, the folder
        cannot be written, or the result differs. The folder is then as it was.
    """
    chosen = the_format(format)
    source = of_model(model, X, labels, shape, _saved(writer or store.Writer(model)))
    return convert(source, chosen, Path(folder))


def of_model(
    model: Model,
    X: ArrayLike | None,
    labels: ArrayLike | None,
    shape: tuple[int, int] | None,
    tensors: Tensors,
) -> Source:
    """Return a model as a source of conversions; `tensors` are those of its checkpoint."""
    X, labels = _data(X, labels, model.D)
    inputs = compare.inputs(model.D, model.M, X)

    @cache
    def described() -> Network:
        found = network.of_model(model)
        ours = compare.exported(found, expected)
        error = compare.difference(compare.by_network(found, inputs), ours)
        if not error <= compare.TOLERANCE:
            raise ConversionError(
                "the model computes something else than encoder_layers and decoder_layers do: "
                f"the outputs differ by {error:.1e}"
            )
        return found

    try:
        expected = compare.by_model(model, inputs)
    except (tf.errors.OpError, TypeError, ValueError) as error:
        raise ConversionError(
            f"the model cannot be run on images and codes alone: {reason(error)}"
        ) from None
    return Source(tensors, described, inputs, expected, X, labels, shape)


def of_network(
    given: Network,
    X: ArrayLike | None,
    labels: ArrayLike | None,
    shape: tuple[int, int] | None,
    tensors: Tensors,
) -> Source:
    """Return a network that `Model` cannot build as a source; its numbers are held to float64."""
    X, labels = _data(X, labels, given.D)
    inputs = compare.inputs(given.D, given.M, X)
    expected = compare.by_network(given, inputs)
    return Source(tensors, lambda: given, inputs, expected, X, labels, shape)


def convert(source: Source, format: Format, folder: Path) -> Exported:
    """Write a source in a format, and compare; leave nothing if that fails.

    Raises
    ------
    ConversionError
        As `export` says.
    """
    require(format)
    with staged(folder) as fresh:
        _write(source, format, fresh)
        difference = _checked(source, format, fresh, "the conversion is not exact")
        names = sorted(path.name for path in fresh.iterdir())
    notes = () if isinstance(format, TensorFormat) else source.network().notes
    return Exported(format.name, [folder / name for name in names], difference, notes)


def check(source: Source, format: Format, folder: Path) -> float:
    """Return the largest difference of files that were written earlier.

    Parameters
    ----------
    source, format
        What they were written from, and as what.
    folder
        Where they are.

    Raises
    ------
    ConversionError
        If they are missing or damaged, or differ.
    """
    require(format)
    return _checked(source, format, folder, "it belongs to another model, or is damaged")


def the_format(name: str) -> Format:
    """Return a format by its name.

    Raises
    ------
    ConversionError
        If there is none of that name.
    """
    if name not in FORMATS:
        raise ConversionError(f"unknown format {name!r}: expected one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _write(source: Source, format: Format, folder: Path) -> None:
    try:
        format.convert(source, folder)
    except (ConversionError, CheckpointError, OSError):
        raise
    except Exception as error:  # each library has exceptions of its own
        raise ConversionError(f"cannot convert to {format.name}: {reason(error)}") from error


def _checked(source: Source, format: Format, folder: Path, otherwise: str) -> float:
    try:
        difference = format.difference(source, folder)
    except (ConversionError, CheckpointError):
        raise
    except Exception as error:  # each runtime has exceptions of its own
        raise ConversionError(
            f"{format.name} in {folder} cannot be loaded: {reason(error)}"
        ) from error
    if not difference <= format.tolerance:
        raise ConversionError(
            f"{format.name} differs by {difference:.1e} of the largest magnitude, more than "
            f"{format.tolerance:.0e}: {otherwise}"
        )
    return difference


def _saved(writer: store.Writer) -> Tensors:
    """Return a function that gives the tensors of the checkpoint that a model's writer writes."""

    @cache
    def values() -> Mapping[str, np.ndarray]:
        with tempfile.TemporaryDirectory(prefix="vae_tf1-") as folder:
            prefix = writer.write(Path(folder, "model"))
            return checkpoint.read(prefix).values()

    return values


def _data(
    X: ArrayLike | None, labels: ArrayLike | None, D: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    if X is None:
        return None, None
    X = np.asarray(X)
    if X.ndim != 2 or X.shape[1] != D:
        raise ConversionError(f"X has shape {X.shape}, expected (N, {D})")
    if not np.isfinite(X[:10_000].astype(np.float32)).all():
        raise ConversionError("X has values that are NaN or infinite")
    if labels is None:
        return X, None
    labels = np.asarray(labels)
    if labels.shape != X.shape[:1]:
        raise ConversionError(f"labels have shape {labels.shape}, expected ({len(X)},)")
    return X, labels
