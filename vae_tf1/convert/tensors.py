"""Any checkpoint of TensorFlow 1, V1 or V2, as names and arrays."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.checkpoint import folder as checkpoint_folder
from vae_tf1.errors import CheckpointError, reason

__all__ = ["Checkpoint", "Tensor", "read"]

_ENDING = re.compile(r"(\.index|\.meta|\.json|(\.data)?-[\d?]{5}-of-\d{5})$")
_PATTERN = frozenset("*?[]\\{}")  # what TensorFlow reads as a pattern, not as a name
_SHARDS = "-?????-of-?????"  # the pattern by which a V1 checkpoint of several files is opened
_OURS = "vae_tf1/"  # counts and keys that this project adds
_SLOT = re.compile(
    r"/(RMSProp|Adam|Momentum|Adagrad|AdagradDA|Adadelta|Ftrl|AMSGrad|LARS|LAMB|"
    r"ExponentialMovingAverage)(Optimizer)?(_\d+)?$"
)


class Tensor(NamedTuple):
    """A tensor as the checkpoint's index describes it.

    Attributes
    ----------
    slot_of
        The variable that an optimizer keeps this tensor for; None for a variable.
    """

    name: str
    shape: tuple[int, ...]
    dtype: tf.DType
    slot_of: str | None

    @property
    def nbytes(self) -> int:
        """Size in memory; 0 for strings, whose size the index does not tell."""
        return 0 if self.dtype == tf.string else math.prod(self.shape) * self.dtype.size

    @property
    def is_variable(self) -> bool:
        """Whether it is a variable of the user's: neither a slot nor a count."""
        return self.slot_of is None and bool(self.shape) and not self.name.startswith(_OURS)


class Checkpoint(NamedTuple):
    """An open checkpoint: its index in memory, its values on the disk."""

    prefix: Path
    format: str  # "V1" or "V2"
    tensors: tuple[Tensor, ...]  # in natural order: Variable_2 before Variable_10
    readable: str  # by which TensorFlow knows it
    links: tempfile.TemporaryDirectory | None  # whose end would take the values with it

    def values(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """Return the named tensors, or all that are not strings; bfloat16 as float32.

        Raises
        ------
        CheckpointError
            If a value is damaged.
        """
        if names is None:
            names = [tensor.name for tensor in self.tensors if tensor.dtype != tf.string]
        try:
            read = self._read_v1 if self.format == "V1" else self._read_v2
            return {name: _standard(value) for name, value in read(list(names)).items()}
        except Exception as error:  # TensorFlow's reader raises many kinds on damaged files
            raise CheckpointError(
                f"the checkpoint {self.prefix} is damaged: {reason(error)}"
            ) from None

    def _read_v2(self, names: list[str]) -> dict[str, np.ndarray]:
        reader = tf.compat.v1.train.NewCheckpointReader(self.readable)
        return {name: np.asarray(reader.get_tensor(name)) for name in names}

    def _read_v1(self, names: list[str]) -> dict[str, np.ndarray]:
        """Read by an op: the reader refuses variables in parts."""
        dtypes = {tensor.name: tensor.dtype for tensor in self.tensors}
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as sess:
            return sess.run(
                {
                    name: tf.raw_ops.Restore(
                        file_pattern=self.readable, tensor_name=name, dt=dtypes[name]
                    )
                    for name in names
                }
            )


def read(path: str | Path) -> Checkpoint:
    """Open a checkpoint.

    Parameters
    ----------
    path
        What was given to the Saver, one of the files that it wrote, the folder that they are in,
        a `checkpoint_dir` of `fit`, or a SavedModel.

    Raises
    ------
    CheckpointError
        If there is none, or it is damaged; the message names the file.
    """
    prefix = _prefix(Path(path))
    index = prefix.with_name(prefix.name + ".index")
    if not index.is_file() and not _v1_files(prefix):
        raise CheckpointError(f"there is no checkpoint at {prefix}: no {index.name} beside it")
    try:
        links = _links(prefix)
        readable = str(prefix if links is None else Path(links.name, "checkpoint"))
        if not (index.is_file() or prefix.is_file()):
            readable += _SHARDS
        reader = tf.compat.v1.train.NewCheckpointReader(readable)
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
    except OSError as error:
        raise CheckpointError(f"the checkpoint {prefix} cannot be read: {reason(error)}") from None
    except Exception as error:  # TensorFlow's reader raises many kinds on damaged files
        raise CheckpointError(f"the checkpoint {prefix} is damaged: {reason(error)}") from None
    names = sorted(shapes, key=_natural)
    slot_of = _slots({name: tuple(shapes[name]) for name in names})
    tensors = tuple(
        Tensor(name, tuple(shapes[name]), dtypes[name], slot_of.get(name)) for name in names
    )
    if index.is_file():
        _check_size(prefix, tensors)
    return Checkpoint(prefix, "V2" if index.is_file() else "V1", tensors, readable, links)


def _prefix(path: Path) -> Path:
    if path.is_dir():
        if (path / "variables" / "variables.index").is_file():
            return path / "variables" / "variables"
        if latest := tf.train.latest_checkpoint(str(path)):
            return Path(_ENDING.sub("", latest))  # a V1 checkpoint of several files is a pattern
        if saved := checkpoint_folder.newest(path):
            return saved.prefix
        found = sorted(path.glob("*.index"))
        if len(found) != 1:
            names = ", ".join(file.stem for file in found) or "none"
            raise CheckpointError(f"expected one checkpoint in {path}, but there are: {names}")
        return found[0].with_suffix("")
    if path.is_file() and _ENDING.search(path.name):
        return path.with_name(_ENDING.sub("", path.name))
    return path


def _v1_files(prefix: Path) -> list[Path]:
    """Return the file, or the shards, of a V1 checkpoint."""
    if prefix.is_file():
        return [prefix]
    return _files(prefix, r"-\d{5}-of-\d{5}")


def _files(prefix: Path, ending: str) -> list[Path]:
    """Return the files whose names are the prefix and an ending."""
    name = re.compile(re.escape(prefix.name) + ending)
    try:
        return sorted(path for path in prefix.parent.iterdir() if name.fullmatch(path.name))
    except OSError:
        return []


def _links(prefix: Path) -> tempfile.TemporaryDirectory | None:
    """Return a folder of links to a checkpoint whose name TensorFlow takes for a pattern."""
    if _PATTERN.isdisjoint(str(prefix)):
        return None
    folder = tempfile.TemporaryDirectory(prefix="vae_tf1-")
    for file in _files(prefix, r"(\.index|(\.data)?-\d{5}-of-\d{5})?"):
        Path(folder.name, "checkpoint" + file.name[len(prefix.name) :]).symlink_to(file.resolve())
    return folder


def _standard(value: np.ndarray) -> np.ndarray:
    """Return a bfloat16 array, which NumPy's files do not have, as float32, which holds it."""
    return value.astype(np.float32) if value.dtype == tf.bfloat16.as_numpy_dtype else value


def _check_size(prefix: Path, tensors: tuple[Tensor, ...]) -> None:
    shards = _files(prefix, r"\.data-\d{5}-of-\d{5}")
    expected = sum(tensor.nbytes for tensor in tensors)
    if not shards:
        raise CheckpointError(f"{prefix}.data-00000-of-00001 is missing")
    counts = {int(file.name[-5:]) for file in shards}
    if len(shards) < max(counts) or sum(file.stat().st_size for file in shards) < expected:
        raise CheckpointError(
            f"{prefix}.data-… is damaged: {expected:,} bytes of tensors expected in "
            f"{len(shards)} of {max(counts)} files"
        )


def _slots(shapes: dict[str, tuple[int, ...]]) -> dict[str, str]:
    """Return the variable of each optimizer slot: "W" for "W/Adam" and for "train/W/Adam_1".

    A slot's name is that of its variable and a part that the optimizer adds, and its shape is the
    variable's. The optimizer's name may be anything, unless a scope stands before the variable.
    """
    slots = {}
    for name, shape in shapes.items():
        parts = name.split("/")[:-1]
        for first in range(len(parts)):
            owner = "/".join(parts[first:])
            if shapes.get(owner) == shape and (first == 0 or _SLOT.search(name)):
                slots[name] = owner
                break
    return {name: slots.get(owner, owner) for name, owner in slots.items()}


def _natural(name: str) -> tuple:
    return tuple(
        tuple(int(s) if s.isdecimal() else s for s in re.split(r"(\d+)", part))
        for part in name.split("/")
    )
