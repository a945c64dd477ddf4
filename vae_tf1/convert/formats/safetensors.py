"""``weights.safetensors``: every tensor of a checkpoint, for whatever reads that format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vae_tf1.convert.formats.base import TensorFormat

__all__ = ["FORMAT"]


def _write(tensors: Mapping[str, np.ndarray], file: Path) -> None:
    from safetensors.numpy import save_file

    # It writes the memory as it lies there, whatever the strides say.
    save_file({name: np.asarray(value, order="C") for name, value in tensors.items()}, file)


def _read(file: Path) -> Mapping[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(file)


FORMAT = TensorFormat("safetensors", ("safetensors",), ("weights.safetensors",), _write, read=_read)
