"""What it takes to shuffle and to gather rows: ``python -m benchmarks.rows``.

The ways take turns in one process; the medians of the turns are shown.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.memory import D, write_images
from benchmarks.table import show
from vae_tf1 import mapped, noise
from vae_tf1.rows import as_rows

_GATHERED = 8192  # rows at a time, as a chunk of `fit` does


def main(n: int = 500_000, turns: int = 9) -> None:
    """Print a table for `n` rows."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        write_images(Path(folder, "x"), n)
        X = np.memmap(Path(folder, "x"), np.uint8, "r", shape=(n, D))
        in_memory, through_mapping = as_rows(np.array(X), D), mapped._MappingReader(X)
        from_file = mapped.reader(X)

        def gathering(take: Callable) -> Callable:
            return lambda: take(rng.integers(0, n, _GATHERED))

        ways = {
            "gather from an array in memory": (gathering(in_memory.take), _GATHERED),
            "gather from a mapping, read from its file": (gathering(from_file), _GATHERED),
            "gather from a mapping, through its pages": (gathering(through_mapping), _GATHERED),
            "shuffle: sort words that carry their index": (
                lambda: noise.minibatch_order(0, 0, n),
                n,
            ),
            "shuffle: sort the indices by their words": (
                lambda: np.argsort(np.random.Philox(0).random_raw(n), kind="stable"),
                n,
            ),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(turns):
            for name, (way, rows) in ways.items():
                began = time.perf_counter()
                way()
                taken[name].append((time.perf_counter() - began) / rows * 1e6)
    show(
        f"Rows: microseconds a row, of {n:,}",
        ("", "median", "least-most"),
        [(k, f"{np.median(v):.3f}", f"{min(v):.3f}-{max(v):.3f}") for k, v in taken.items()],
    )


if __name__ == "__main__":
    main()
