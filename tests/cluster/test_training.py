"""Workers on this machine train as one process does, and leave together if one of them is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.ports import free_addresses

from vae_tf1 import VariationalAutoencoder

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "support" / "cluster_workers.py"
LIMITS = {"wait": 120.0, "timeout": 60.0}
MANY = 100_000  # epochs: until something happens
PATIENCE = 200.0  # seconds for what takes one; some machines are busy


class Workers:
    """Starts workers, waits for them, and reads what they have left."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(PATIENCE)

    def start(self, folder: Path, workers: list[dict[str, Any]]) -> list[int]:
        folder.mkdir(exist_ok=True)
        named = [{"folder": str(folder), "name": str(i), **w} for i, w in enumerate(workers)]
        return self._ask(named)

    def wait(self) -> list[int]:
        return self._ask(None)

    def run(self, folder: Path, workers: list[dict[str, Any]]) -> list[int]:
        self.start(folder, workers)
        return self.wait()

    def _ask(self, question: Any) -> list[int]:
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    found = Workers()
    yield found
    found.close()


def team(n: int, limits: dict[str, float] = LIMITS, **common: Any) -> list[dict[str, Any]]:
    """Return n workers on free ports, alike."""
    addresses = free_addresses(n)
    return [{"cluster": {"workers": addresses, "index": i, **limits}, **common} for i in range(n)]


def result(folder: Path, name: int = 0) -> dict[str, Any]:
    return json.loads(Path(folder, f"{name}.json").read_text())


def said(folder: Path, name: int) -> list[str]:
    lines = Path(folder, f"{name}.err").read_text().splitlines()
    return [line for line in lines if not line.startswith("vae_tf1: waiting for")]


def wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def trains(folder: Path, name: int = 0, epoch: int = 1) -> Callable[[], bool]:
    """Return whether a worker has done so many epochs."""
    file = Path(folder, f"{name}.epoch")
    return lambda: file.exists() and int(file.read_text() or 0) >= epoch


def assert_same_elbos(costs: list[float], expected: list[float]) -> None:
    assert len(costs) == len(expected) >= 100
    np.testing.assert_allclose(costs, expected, rtol=1e-5)


def test_two_workers_train_as_one_process_and_hold_the_same_bits(workers, tmp_path):
    pair = team(2, model={"seed": 3}, fit={"batch_sz": 17})
    assert workers.run(tmp_path, [*pair, {}]) == [0, 0, 0]
    first, second, alone = (result(tmp_path, i) for i in range(3))
    assert_same_elbos(first["costs"], alone["costs"])
    assert first["weights"] == second["weights"] != alone["weights"]
    assert first["costs"] == second["costs"]


@pytest.mark.full
@pytest.mark.parametrize(
    ("n", "options"),
    [
        (3, {"fit": {"batch_sz": 16}}),
        (4, {"fit": {"batch_sz": 6}}),
        (2, {"fit": {"batch_sz": 67, "compile": True, "epochs": 14}}),
        (2, {"model": {"importance_samples": 3, "optimizer": "adam", "clip_norm": 1.0}}),
    ],
    ids=["three", "four", "compiled", "parts"],
)
def test_n_workers_train_as_one_process(workers, tmp_path, n, options):
    assert workers.run(tmp_path, [*team(n, **options), options]) == [0] * (n + 1)
    results = [result(tmp_path, i) for i in range(n + 1)]
    assert_same_elbos(results[0]["costs"], results[n]["costs"])
    assert len({each["weights"] for each in results[:n]}) == 1


@pytest.mark.full
def test_without_a_seed_all_take_the_one_of_the_chief(workers, tmp_path):
    given = {"model": {"seed": None}, "fit": {"epochs": 1, "validation_data": 0.1}}
    assert workers.run(tmp_path, team(2, **given)) == [0, 0]
    first, second = (result(tmp_path, i) for i in range(2))
    assert first["seed"] == second["seed"]
    assert first["weights"] == second["weights"]
    assert first["history"] == second["history"] != []


@pytest.mark.full
def test_killed_workers_are_followed_and_a_restart_ends_in_the_same_bits(workers, tmp_path):
    """Three workers; first one of them is killed, then the chief; then all get through."""
    options = {"chunk_steps": 4, "fit": {"epochs": 12, "batch_sz": 20}}
    assert workers.run(tmp_path / "alone", team(3, **options)) == [0, 0, 0]
    options["fit"] |= {"checkpoint_dir": str(tmp_path / "checkpoints"), "save_every": 1e-9}
    for attempt, (lost, epoch) in enumerate(((1, 3), (0, 6))):
        folder = tmp_path / f"killed-{attempt}"
        killed = team(3, **options)
        killed[lost]["at"] = [epoch, signal.SIGKILL, 0.01]
        began = time.monotonic()
        statuses = workers.run(folder, killed)
        assert time.monotonic() - began < PATIENCE
        assert statuses == [-signal.SIGKILL if i == lost else 75 for i in range(3)]
        for i in range(3):
            assert len(said(folder, i)) == int(i != lost)
            if i != lost:
                assert f"worker {i} (" in said(folder, i)[0]
                assert "start all workers again" in said(folder, i)[0]
    folder = tmp_path / "restarted"
    assert workers.run(folder, team(3, **options)) == [0, 0, 0]
    for i in range(3):
        assert result(folder, i)["weights"] == result(tmp_path / "alone")["weights"]
        assert result(folder, i)["costs"] == result(tmp_path / "alone")["costs"]


@pytest.mark.full
def test_a_worker_that_hangs_is_given_up_and_leaves_too_when_it_wakes(workers, tmp_path):
    pids = workers.start(tmp_path, team(3, {"wait": 60.0, "timeout": 5.0}, fit={"epochs": MANY}))
    wait_until(trains(tmp_path, 2))
    os.kill(pids[1], signal.SIGSTOP)
    try:
        wait_until(lambda: all(Path(tmp_path, f"{i}.json").exists() for i in (0, 2)))
    finally:
        os.kill(pids[1], signal.SIGCONT)
    assert workers.wait() == [75, 75, 75]
    assert "worker 0 (" in said(tmp_path, 0)[0]
    assert len(said(tmp_path, 0)) == len(said(tmp_path, 1)) == len(said(tmp_path, 2)) == 1


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_one_stops_all_and_all_is_saved(workers, tmp_path, number):
    folder = tmp_path / "checkpoints"
    pids = workers.start(
        tmp_path, team(2, fit={"epochs": MANY, "checkpoint_dir": str(folder), "save_every": 1e9})
    )
    wait_until(trains(tmp_path, 1, epoch=2))
    os.kill(pids[1], number)
    assert workers.wait() == [-number, -number]
    steps = sorted(int(path.name[5:]) for path in folder.glob("step-*"))
    assert steps[0] == 0 < steps[1]
    with VariationalAutoencoder.load(folder) as vae:
        assert len(vae.costs) == steps[1]
        if number == signal.SIGINT:  # which lets Python say what it has
            assert vae.costs == result(tmp_path, 0)["costs"] == result(tmp_path, 1)["costs"]


@pytest.mark.full
@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"data_seed": 1}, "differ in data"),
        ({"model": {"seed": 4}}, "differ in seed: 3 and 4"),
    ],
)
def test_workers_that_do_not_do_the_same_are_refused(workers, tmp_path, other, message):
    pair = team(2)
    pair[1] |= other
    assert workers.run(tmp_path, pair) == [1, 1]
    for i in range(2):
        last = said(tmp_path, i)[-1]
        assert last.startswith(
            "vae_tf1.errors.ClusterError: the workers do not train the same model: worker 0 ("
        )
        assert message in last


@pytest.mark.full
def test_a_worker_that_does_not_come_is_named_and_waited_for(workers, tmp_path):
    alone = team(2, {"wait": 1.0, "timeout": 1.0})[1:]
    absent = alone[0]["cluster"]["workers"][0]
    assert workers.run(tmp_path, alone) == [75]
    lines = Path(tmp_path, "0.err").read_text().splitlines()
    assert lines[0] == f"vae_tf1: waiting for worker 0 ({absent})"
    assert lines[1].startswith(f"vae_tf1: worker 0 ({absent}) did not come within 1 s")
    assert len(lines) == 2


@pytest.mark.full
def test_a_second_cluster_on_the_same_folder_is_refused(workers, tmp_path):
    fit = {"epochs": MANY, "checkpoint_dir": str(tmp_path / "checkpoints")}
    pids = workers.start(tmp_path / "first", team(2, fit=fit))
    wait_until(trains(tmp_path / "first", 1))
    workers.start(tmp_path / "second", team(2, fit=fit))
    for i in range(2):
        wait_until(lambda i=i: Path(tmp_path, "second", f"{i}.json").exists())
    os.kill(pids[0], signal.SIGTERM)
    assert workers.wait() == [-signal.SIGTERM, -signal.SIGTERM, 1, 1]
    for i in range(2):
        assert f"is in use: process {pids[0]} is training there" in said(tmp_path / "second", i)[-1]


@pytest.mark.full
def test_checkpoints_go_on_with_other_numbers_of_workers_and_unshared_folders(workers, tmp_path):
    """Two workers, then three whose folders are not shared, then one process."""
    shared = tmp_path / "0"

    def options(folder: Path, epochs: int) -> dict[str, Any]:
        return {"fit": {"epochs": epochs, "batch_sz": 20, "checkpoint_dir": str(folder)}}

    assert workers.run(tmp_path / "whole", [{"fit": {"epochs": 6, "batch_sz": 20}}]) == [0]
    assert workers.run(tmp_path / "two", team(2, **options(shared, 2))) == [0, 0]
    three = [
        worker | options(tmp_path / str(i), 4) for i, worker in enumerate(team(3))
    ]  # the chief's is the one that has the checkpoint
    assert workers.run(tmp_path / "three", three) == [0, 0, 0]
    assert not Path(tmp_path, "1").exists()
    assert not Path(tmp_path, "2").exists()
    assert workers.run(tmp_path / "one", [options(shared, 6)]) == [0]
    expected = result(tmp_path / "whole")["costs"]
    for folder, name, steps in (("two", 1, 60), ("three", 2, 120), ("one", 0, 180)):
        found = result(tmp_path / folder, name)["costs"]
        np.testing.assert_allclose(found, expected[:steps], rtol=1e-5)
    assert "was trained by 2 workers, not 3" in Path(tmp_path, "three", "0.err").read_text()
    assert "was trained by 3 workers, not 1" in Path(tmp_path, "one", "0.err").read_text()
