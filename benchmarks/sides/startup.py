"""What a user waits for before the first step, in a fresh process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.problem import D, Problem

_ROOT = Path(__file__).resolve().parents[2]
IMPORTS = ("import vae_tf1", "import tensorflow", "from vae_tf1 import VariationalAutoencoder")


def importing(statement: str) -> float:
    """Return the seconds that an import takes in a fresh process, without Python's own start."""
    clock = "import time; began = time.perf_counter()"
    script = f"{clock}; {statement}; print(time.perf_counter() - began)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def first_line() -> float:
    """Return the seconds from the start of ``python run_mnist.py`` to the end of its first line."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "run_mnist.py", "--data", "builtin"],
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        process.stdout.readline()
        took = time.perf_counter() - began
        process.kill()
    return took


class Startup:
    """Build the model and make the first steps, each way in its own model; TensorFlow is there."""

    def __init__(self, problem: Problem) -> None:
        import tensorflow  # noqa: F401

        self.problem = problem

    def first_step(self, compile: bool) -> float:
        """Return the seconds from `import vae_tf1` to the end of the first training step."""
        B = self.problem.batch_sz
        X = self.problem.images()[:B]  # drawing them is not part of it
        began = time.perf_counter()
        from vae_tf1 import VariationalAutoencoder

        with VariationalAutoencoder(D, self.problem.sizes, seed=0) as vae:
            vae.fit(X, epochs=1, batch_sz=B, progress=False, plot=False, compile=compile)
        return time.perf_counter() - began
