"""How much memory a training takes: ``python -m benchmarks.memory`` (Linux).

Each way in a process of its own: the peak of the resident memory from the loading of the data on,
above what the process had with TensorFlow imported and one small training done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

D, LAYERS, BATCH = 784, [200, 100], 64
QUIET = {"progress": False, "plot": False}
WAYS = {
    "original": "as the original: float32, shuffled in place, a sess.run a step",
    "floats": "fit, the caller's array in float32",
    "bytes": "fit, the caller's array in bytes",
    "mapped": "fit, numpy.memmap of bytes",
}


def main() -> None:
    """Print a table."""
    with tempfile.TemporaryDirectory() as folder:
        print("| way | rows | epochs | peak memory of the training |\n| --- | --- | --- | --- |")
        # the last two make as many steps: a long training takes more than a short one
        runs = [(way, 60_000, 1) for way in WAYS]
        runs += [("mapped", 60_000, 33), ("mapped", 2_000_000, 1)]
        for way, n, epochs in runs:
            file = Path(folder, f"{n}.u1")
            if not file.exists():
                write_images(file, n)
            command = [sys.executable, "-m", "benchmarks.memory", way, *map(str, (n, epochs, file))]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            print(f"| {WAYS[way]} | {n:,} | {epochs} | {int(done.stdout) >> 20} MiB |", flush=True)


def write_images(file: Path, n: int) -> None:
    """Write `n` random binary images as bytes, a few at a time."""
    rng = np.random.default_rng(0)
    with file.open("wb") as stream:
        for start in range(0, n, 10_000):
            rows = min(10_000, n - start)
            stream.write((rng.random((rows, D), dtype=np.float32) < 0.15).tobytes())


def measure(way: str, n: int, epochs: int, file: Path) -> int:
    """Train on the file in one of the ways; return the bytes that took."""
    from vae_tf1 import VariationalAutoencoder

    with VariationalAutoencoder(D, LAYERS, seed=0) as vae:
        # so that the code is loaded, and the allocators warm, before counting begins
        vae.fit(np.zeros((BATCH, D), np.uint8), 1, BATCH, compile=True, **QUIET)
        vae.sess.run((vae.train_op, vae.elbo), {vae.X: np.zeros((BATCH, D), np.float32)})
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what is resident now
        before = resident("VmHWM")
        if way == "mapped":
            X = np.memmap(file, np.uint8, "r", shape=(n, D))
            vae.fit(X, epochs, BATCH, compile=True, **QUIET)
        else:
            X = np.fromfile(file, np.uint8).reshape(n, D)
            if way != "bytes":
                X = X.astype(np.float32)
            if way == "original":
                for _ in range(epochs):
                    train_as_the_original(vae, X)
            else:
                vae.fit(X, epochs, BATCH, compile=True, **QUIET)
        return resident("VmHWM") - before


def train_as_the_original(vae, X: np.ndarray) -> None:
    """Run an epoch: shuffle the array itself, then feed it a batch at a time."""
    np.random.shuffle(X)  # noqa: NPY002, as the original does
    for j in range(len(X) // BATCH):
        vae.sess.run((vae.train_op, vae.elbo), {vae.X: X[j * BATCH : (j + 1) * BATCH]})


def resident(what: str) -> int:
    """Return a line of /proc/self/status in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) << 10
    raise OSError(f"/proc/self/status has no {what}")


if __name__ == "__main__":
    if len(sys.argv) == 5:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        print(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
    else:
        main()
