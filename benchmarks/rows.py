"""What it takes to shuffle and to gather rows: ``python -m benchmarks.rows``.

The ways take turns in one process; the medians of the turns are shown.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.memory import D, write_images
from benchmarks.table import show
from benchmarks.timing import interleave
from benchmarks.worker import Timed
from vae_tf1.data import memmap as mapped
from vae_tf1.data.rows import as_rows
from vae_tf1.model import noise

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

        def timed(way: Callable) -> Timed:
            began, cpu_began = time.perf_counter(), time.process_time()
            way()
            return Timed(None, time.perf_counter() - began, time.process_time() - cpu_began)

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
        calls = {name: partial(timed, way) for name, (way, _) in ways.items()}
        series = interleave(calls, turns)
    shown = []
    for name, (_, rows) in ways.items():
        each = np.array(series[name].seconds) / rows * 1e6
        shown.append((name, f"{np.median(each):.3f}", f"{each.min():.3f}-{each.max():.3f}"))
    show(f"Rows: microseconds a row, of {n:,}", ("", "median", "least-most"), shown)


if __name__ == "__main__":
    main()
