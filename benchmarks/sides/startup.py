# ruff: noqa: D102 - every side has the methods that benchmarks/sides/__init__.py describes
"""What a user waits for before the first step, in a fresh process."""

from __future__ import annotations

import time

from benchmarks.problem import D, Problem


class Startup:
    """Build the model and make the first steps, each way in its own model; TensorFlow is there."""

    def __init__(self, problem: Problem) -> None:
        began = time.perf_counter()
        import tensorflow  # noqa: F401

        self.seconds_to_import = time.perf_counter() - began
        self.problem = problem

    def import_tensorflow(self) -> float:
        return self.seconds_to_import

    def first_step(self, compile: bool) -> float:
        """Return the seconds from `import vae_tf1` to the end of the first training step."""
        B = self.problem.batch_sz
        X = self.problem.images()[:B]  # drawing them is not part of it
        began = time.perf_counter()
        from vae_tf1 import VariationalAutoencoder

        with VariationalAutoencoder(D, self.problem.sizes, seed=0) as vae:
            vae.fit(X, epochs=1, batch_sz=B, progress=False, plot=False, compile=compile)
        return time.perf_counter() - began
