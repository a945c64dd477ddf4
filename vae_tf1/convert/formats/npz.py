"""``weights.npz``: every tensor of a checkpoint for NumPy."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vae_tf1.convert.formats.base import TensorFormat

__all__ = ["FORMAT"]


def _write(tensors: Mapping[str, np.ndarray], file: Path) -> None:
    # np.savez takes names as keywords: a tensor called "file" would be refused.
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for name, value in tensors.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, value, allow_pickle=False)


def _read(file: Path) -> Mapping[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as archive:
        return dict(archive)


FORMAT = TensorFormat("npz", (), ("weights.npz",), _write, read=_read)
