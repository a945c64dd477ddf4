"""Writers of every format that the loader reads, and a place where nothing else is found.

The writers follow the formats' published descriptions and share no code with the readers.
"""

import functools
import gzip
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from vae_tf1.data.mnist import builtin_digits, loader
from vae_tf1.data.mnist.builtin import StandIn
from vae_tf1.data.mnist.loader import Loader

IDX_NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@functools.lru_cache
def digits(n=30, split="train"):
    return builtin_digits(n, seed=7, split=split)


def idx_images(images, magic=0x803, count=None, rows=28, columns=28):
    count = len(images) if count is None else count
    return struct.pack(">4I", magic, count, rows, columns) + images.tobytes()


def idx_labels(labels, magic=0x801, count=None):
    count = len(labels) if count is None else count
    return struct.pack(">2I", magic, count) + labels.astype(np.uint8).tobytes()


def write_idx(folder, splits=("train", "test"), zipped=True, dot="-", n=30):
    """Write the IDX files of `splits`; return {split: (images, labels)}."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {}
    for split in splits:
        images, labels = content[split] = digits(n, split)
        for name, data in zip(
            IDX_NAMES[split], (idx_images(images), idx_labels(labels)), strict=True
        ):
            name = name.replace("-idx", f"{dot}idx")
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(data, 1))
            else:
                (folder / name).write_bytes(data)
    return content


def write_npz(path, n=30, compressed=True, **replaced):
    """Write a file as Keras's mnist.npz; keywords replace arrays, None leaves one out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {split: digits(n, split) for split in ("train", "test")}
    arrays = {
        f"{letter}_{split}": values.reshape(-1, 28, 28) if letter == "x" else values
        for split, pair in content.items()
        for letter, values in zip("xy", pair, strict=True)
    }
    arrays.update(replaced)
    arrays = {name: values for name, values in arrays.items() if values is not None}
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return content


CSV_HEADER = ",".join(["label", *(f"pixel{i}" for i in range(784))])


def csv_lines(images, labels):
    return [
        ",".join(map(str, [label, *image]))
        for image, label in zip(images.tolist(), labels.tolist(), strict=True)
    ]


def write_csv(path, n=30, header=CSV_HEADER, end="\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    images, labels = digits(n)
    path.write_bytes((end.join([header, *csv_lines(images, labels)]) + end).encode())
    return images, labels


def write_amat(folder, end="\n", sizes=(("train", 20), ("valid", 5), ("test", 10))):
    """Write Larochelle's files; return {"train", "valid", "test": images of 0 and 1}."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {}
    for seed, (name, n) in enumerate(sizes):
        images = np.random.default_rng(seed).integers(0, 2, (n, 784)).astype(np.uint8)
        lines = [" ".join(map(str, image)) + end for image in images]
        (folder / f"binarized_mnist_{name}.amat").write_bytes("".join(lines).encode())
        content[name] = images
    return content


def rewrite_zip(path, method=zipfile.ZIP_DEFLATED, **members):
    """Write a zip archive of the given members as they are."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)


@pytest.fixture
def nowhere(tmp_path, monkeypatch) -> Path:
    """Enter an empty working folder of an empty home without network; return the home."""
    home = tmp_path / "home"
    (home / "course" / "script").mkdir(parents=True)
    monkeypatch.chdir(home / "course" / "script")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("VAE_TF1_OFFLINE", "1")
    for variable in ("VAE_TF1_DATA", "KERAS_HOME"):
        monkeypatch.delenv(variable, raising=False)
    # What the public functions use: here with few built-in digits, and no failure remembered.
    monkeypatch.setattr(loader, "_LOADER", Loader(stand_in=StandIn({"train": 60, "test": 10})))
    return home
