"""Any checkpoint of TensorFlow 1, V1 or V2, as names and arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from vae_tf1.checkpoint import folder as checkpoint_folder
from vae_tf1.errors import CheckpointError, reason

__all__ = ["Checkpoint", "Tensor", "read"]

_ENDING = re.compile(r"\.(index|meta|json|data-\d{5}-of-\d{5})$")
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
    reader: object

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
            return {name: _standard(self.reader.get_tensor(name)) for name in names}
        except (RuntimeError, ValueError, KeyError, tf.errors.OpError) as error:
            raise CheckpointError(
                f"the checkpoint {self.prefix} is damaged: {reason(error)}"
            ) from None


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
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
    except (RuntimeError, ValueError, KeyError, tf.errors.OpError) as error:
        raise CheckpointError(f"the checkpoint {prefix} is damaged: {reason(error)}") from None
    names = sorted(shapes, key=_natural)
    slot_of = _slots({name: tuple(shapes[name]) for name in names})
    tensors = tuple(
        Tensor(name, tuple(shapes[name]), dtypes[name], slot_of.get(name)) for name in names
    )
    if index.is_file():
        _check_size(prefix, tensors)
    return Checkpoint(prefix, "V2" if index.is_file() else "V1", tensors, reader)


def _prefix(path: Path) -> Path:
    if path.is_dir():
        if (path / "variables" / "variables.index").is_file():
            return path / "variables" / "variables"
        if latest := tf.train.latest_checkpoint(str(path)):
            return Path(latest)
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
    pattern = prefix.name.replace("[", "[[]") + "-?????-of-?????"
    return sorted(prefix.parent.glob(pattern if "?" not in prefix.name else prefix.name))


def _standard(value: np.ndarray) -> np.ndarray:
    """Return a bfloat16 array, which NumPy's files do not have, as float32, which holds it."""
    return value.astype(np.float32) if value.dtype == tf.bfloat16.as_numpy_dtype else value


def _check_size(prefix: Path, tensors: tuple[Tensor, ...]) -> None:
    shards = list(prefix.parent.glob(prefix.name.replace("[", "[[]") + ".data-?????-of-?????"))
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
