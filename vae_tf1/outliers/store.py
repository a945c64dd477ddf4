"""A detector in one file: arrays and a JSON text in NumPy's npz format; nothing is pickled."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from vae_tf1.data.files import write_whole
from vae_tf1.errors import CheckpointError, reason, show_path

__all__ = ["read", "write"]

_FORMAT = 1
_FACTS = "facts"  # the member with the JSON text, as bytes
_MAX_HEADER = 10_000  # characters; NumPy writes 128


def write(
    path: str | os.PathLike, facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write facts and arrays, whole or not at all.

    Raises
    ------
    CheckpointError
        If the file cannot be written; a file that was there is as it was.
    """
    text = json.dumps({"format": _FORMAT, **facts}, default=_plain)
    members = {_FACTS: np.frombuffer(text.encode(), np.uint8), **arrays}
    try:
        write_whole(path, lambda file: np.savez(file, **members))  # type: ignore[arg-type]
    except OSError as error:
        raise CheckpointError(f"cannot write {show_path(path)}: {reason(error)}") from None


def read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `write` has written; every array fits into the size of the file.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of a later format, or something else.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {
                info.filename.removesuffix(".npy"): _array(archive, info)
                for info in archive.infolist()
            }
        facts = json.loads(arrays.pop(_FACTS, np.empty(0, np.uint8)).tobytes())
        if not isinstance(facts, dict) or type(facts.get("format")) is not int:
            raise ValueError("it does not say its format")
    except FileNotFoundError:
        raise CheckpointError(f"there is no detector {show_path(path)}") from None
    except OSError as error:
        raise CheckpointError(f"cannot read {show_path(path)}: {reason(error)}") from None
    except Exception as error:  # a damaged archive raises nearly anything
        raise CheckpointError(
            f"{show_path(path)} is damaged, or not a detector: {reason(error)}"
        ) from None
    if facts["format"] != _FORMAT:
        raise CheckpointError(
            f"{show_path(path)} has format {facts['format']}; this version reads {_FORMAT}"
        )
    return facts, arrays


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read a member, without believing what its header says of its size."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError("it is compressed")
    with archive.open(info) as file:
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{info.filename} is not in npy format 1.0")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, _MAX_HEADER)
        if dtype.kind not in "fiu" or (fortran and len(shape) > 1):
            raise ValueError(f"{info.filename} is of type {dtype}")
        data = file.read()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{info.filename} is not as long as its header says")
    return np.frombuffer(data, dtype).reshape(shape)


def _plain(value: Any) -> Any:
    """Return a NumPy number as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} cannot be written as JSON")
