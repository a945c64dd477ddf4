"""The benchmarks' arithmetic; nothing here is timed."""

import subprocess
import sys

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.problem import Problem
from benchmarks.sides.products import step
from benchmarks.timing import Series
from benchmarks.worker import Timed


def test_the_products_are_those_of_a_training_step():
    problem = Problem(rows=64, batch_sz=4, sizes=(6, 3))
    made = []

    def product(a, b, transpose_a, transpose_b):
        a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
        made.append((*a.shape, b.shape[1]))
        return a @ b

    Ws = [W for W, _ in problem.weights()]
    step(np.ones((4, 784)), np.ones((4, 3)), Ws[:2], Ws[2:], product)
    assert sorted(made) == sorted(problem.products())
    assert problem.flops() == 16 * sum(2 * m * k * n for m, k, n in made)


def test_disturbed_repetitions_do_not_count_where_enough_others_do():
    series = Series()
    for seconds, others in ((1.0, 0.0), (9.0, 0.5), (2.0, 0.0), (3.0, 0.0)):
        series.add(Timed(None, seconds, seconds), others)
    assert series.median == 2.0
    assert series.spread == "1.00-3.00"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("way", ["original", "mapped"])
def test_memory_is_measured_in_a_process_of_its_own(way, tmp_path):
    memory.write_images(tmp_path / "x", 200)
    command = [sys.executable, "-m", "benchmarks.memory", way, "200", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 <= int(done.stdout) < 500 << 20
