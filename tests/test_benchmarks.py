"""The benchmarks run, and their arithmetic is right; how long anything takes is not asked."""

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from support.benchmarks_here import Here

from benchmarks import __main__ as benchmarks
from benchmarks import cluster, likelihood, memory, rows, table
from benchmarks.load import Load
from benchmarks.problem import Problem
from benchmarks.sides import FLOORS, SESSION, UNCOMPILED, Entry
from benchmarks.sides.products import step
from benchmarks.timing import Series
from benchmarks.worker import Timed, Worker

TINY = ["--layers", "8", "4", "--repetitions", "1"]
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("codes", "components"), [(1, 0), (5, 0), (1, 2)])
def test_the_products_are_those_of_a_training_step(codes, components):
    problem = Problem(rows=64, batch_sz=4, sizes=(6, 3), codes=codes, components=components)
    made = []

    def product(a, b, transpose_a, transpose_b):
        a, b = (a.T if transpose_a else a), (b.T if transpose_b else b)
        made.append((*a.shape, b.shape[1]))
        return a @ b

    Ws = [W for W, _ in problem.weights()]
    factors = [np.eye(3)] * components
    step(np.ones((4, 784)), np.ones((4 * codes, 3)), Ws[:2], Ws[2:], product, factors)
    assert sorted(made) == sorted(problem.products())
    assert problem.flops() == 16 * sum(2 * m * k * n for m, k, n in made)


def test_a_table_names_the_processor_and_its_vectors(capsys, monkeypatch):
    monkeypatch.setattr(table, "vectors", lambda: "avx512f")
    table.show("Speed", ("", "seconds"), [("this", "1.0")])
    title, measured, *_ = capsys.readouterr().out.strip().splitlines()
    assert title == "Speed"
    assert measured.startswith("measured on ")
    assert measured.endswith(" with AVX-512")


def test_disturbed_repetitions_do_not_count_where_enough_others_do():
    series = Series()
    for seconds, others in ((1.0, 0.0), (9.0, 0.5), (2.0, 0.0), (3.0, 0.0)):
        series.add(Timed(None, seconds, seconds), others)
    assert series.median == 2.0
    assert series.spread == "1.00-3.00"


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("way", ["original", "mapped"])
def test_memory_is_measured_in_a_process_of_its_own(way, tmp_path):
    memory.write_images(tmp_path / "x", 200)
    command = [sys.executable, "-m", "benchmarks.memory", way, "200", "1", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 <= int(done.stdout) < 500 << 20


def test_the_ways_to_rows_are_timed(capsys):
    rows.main(n=300, turns=1)
    table = capsys.readouterr().out
    assert table.count("gather from") == 3
    assert table.count("shuffle: sort") == 2


@pytest.mark.full
@pytest.mark.parametrize(
    ("parts", "titles"),
    [
        (
            ["training", "kernels", "--rows", "1300"],
            {"Training: seconds an epoch": 4, "Kernels: microseconds a step": 14},
        ),
        (["busy", "--rows", "130"], {"Busy: seconds an epoch": 2}),
        (["parts", "--rows", "130"], {"Parts: seconds an epoch": 10}),
        (
            ["scaling", "inference", "startup", "--rows", "130"],
            {"Scaling: micros": 5, "Inference: seconds for 151 rows": 4, "Start-up: seconds": 6},
        ),
    ],
)
def test_each_part_prints_its_table(parts, titles, monkeypatch, capsys):
    monkeypatch.setattr(benchmarks, "Worker", Here)
    monkeypatch.setattr(benchmarks, "PEERS", [])
    monkeypatch.setattr(benchmarks, "_LOAD", 1)
    monkeypatch.setattr(benchmarks, "FLOORS", FLOORS[:1])
    monkeypatch.setattr(benchmarks, "_BATCHES", (16, 256))
    monkeypatch.setattr(benchmarks, "_WIDTHS", (50,))
    monkeypatch.setattr(Entry, "is_installed", lambda entry: entry.package is None)
    if "training" not in parts:
        monkeypatch.setattr(benchmarks, "FIT", UNCOMPILED)  # compiling is not what is tested
    benchmarks.main([*parts, *TINY])
    printed = capsys.readouterr().out
    for title, length in titles.items():
        table = printed.split(title)[1].split("\n\n")[1].splitlines()
        assert len(table) == 2 + length
        assert len({line.count("|") for line in table}) == 1


@pytest.mark.full
@pytest.mark.skipif(sys.platform == "win32", reason="no times of ended processes")
def test_the_load_computes_until_it_is_ended():
    before = os.times()
    with Load(Problem(threads=1), 2) as load:
        time.sleep(1)
        assert all(process.is_alive() for process in load._processes)
    after = os.times()
    assert not any(process.is_alive() for process in load._processes)
    assert after.children_user > before.children_user


def test_sides_that_are_not_installed_are_named_with_the_reason():
    absent = [Entry("Tool, fast", "tool:Fast", "no_such_package"), *FLOORS[:1]]
    assert (
        benchmarks._skipped(absent) == "\nSkipped: Tool, fast (no_such_package is not installed)."
    )
    assert benchmarks._skipped(FLOORS[:1]) == ""


@pytest.mark.full
def test_two_workers_are_timed_beside_one_process(capsys):
    benchmarks.main(["cluster", "--rows", "130", *TINY])
    measured, paper = capsys.readouterr().out.split("Cluster, on paper")
    rows = [line for line in measured.splitlines() if line.startswith("| 784-")]
    assert len(rows) == 4
    if sys.platform == "linux":
        for row in rows:  # within a tenth of the least for a model that has something to send
            if "784-800-400" in row:
                assert 0.9 < float(row.split("|")[5]) < 1.1
    assert len([line for line in paper.splitlines() if line.startswith("| 784-")]) == 4


def test_the_paper_has_its_limits():
    problem = Problem(sizes=(800, 400), batch_sz=1024)
    assert cluster.least_bytes(problem, 2) == 2 * 4 * 2_217_584
    assert cluster.on_paper(0.16, problem, 1, 1e-3, 1e9) == 1
    assert cluster.on_paper(0.16, problem, 8, 0.0, 1e15) == pytest.approx(8)
    # 160 / (80 + 16 + 0.7) ms
    assert cluster.on_paper(0.16, problem, 2, 0.7e-3, 8.870e6 / 16e-3) == pytest.approx(1.654, 1e-3)


def test_unknown_parts_and_too_few_rows_are_refused(capsys):
    for arguments, message in ((["speed"], "no such part: speed"), (["--rows", "3"], "3 rows")):
        with pytest.raises(SystemExit) as exit:
            benchmarks.main(arguments)
        assert exit.value.code == 2
        assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_side_works_in_a_process_of_its_own_and_says_what_is_wrong():
    problem = Problem(rows=64, batch_sz=16, sizes=(6, 3))
    with Worker(FLOORS[0], problem) as worker:
        timed = worker.call("epoch")
        assert timed.seconds > 0
        assert np.isnan(timed.value)
        with pytest.raises(RuntimeError, match="has no attribute 'season'"):
            worker.call("season")
    with pytest.raises(RuntimeError, match=r"No module named 'benchmarks\.sides\.nowhere'"):
        Worker(SESSION._replace(home="nowhere:Side"), problem)


@pytest.mark.full
@pytest.mark.parametrize("name", likelihood.ROWS)
def test_each_row_of_the_likelihoods_goes_on_where_it_stopped(name, tmp_path, capsys):
    row = likelihood.ROWS[name]
    tiny = ["--data", "builtin", "--folder", str(tmp_path), "--images", "200", "--samples", "2"]
    printed = []
    for epochs in ("1", "2", "2"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "nothing left to train")
            likelihood.main([name, *tiny, "--epochs", epochs])
        printed.append(capsys.readouterr().out)
    first, second, again = (out.splitlines()[-1].split("|") for out in printed)
    assert second == again
    assert f"{name}: {row.what}" in second[1]
    assert f"{row.binarization}, built-in digits, not MNIST" in second[2]
    assert second[3].strip() == f"2 of {row.epochs:,}"
    assert second[5] != first[5]
    assert second[7].strip() == row.published


def test_the_learning_rates_of_the_rows_are_those_published():
    """At the first step and the last epoch of each stage."""
    rates = {
        "rezende": [(0, 1e-4), (199, 1e-4), (200, 1e-4 * 10**-0.2), (499, 1e-4 * 10**-0.4)],
        "burda-1": [
            (epoch, 10 ** (-3 - stage / 7))
            for epoch, stage in ((0, 0), (1, 1), (3, 1), (4, 2), (1092, 6), (1093, 7), (3279, 7))
        ],
    }
    for name, expected in rates.items():
        rate = likelihood.ROWS[name].model(np.zeros((1, 784)), 500)["learning_rate"]
        for epoch, value in expected:
            with tf.Graph().as_default(), tf.compat.v1.Session() as sess:
                step = tf.constant(500 * epoch, tf.int64)
                assert sess.run(rate(step)) == pytest.approx(value, rel=1e-5)
