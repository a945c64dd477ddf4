"""Two workers on one processor each, beside one process on one processor."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.problem import Problem
from benchmarks.sides import Entry
from benchmarks.table import show
from benchmarks.timing import disturbance, interleave
from benchmarks.worker import Timed, Worker

__all__ = ["least_bytes", "on_paper", "table"]

_MEMBER = Entry("worker", "cluster:Member")
_WORKERS, _GIGABITS = (2, 4, 8, 16, 32, 64), (10, 100)  # of the table on paper
_SIZES = 1_000, 1_000_000  # numbers of the sums that are timed
_STEPS = 12


class Crew:
    """Workers that are called together, each on a processor of its own."""

    def __init__(self, n: int, problem: Problem, compile: bool, stack: ExitStack) -> None:
        self._workers = [
            stack.enter_context(Worker(_MEMBER, problem, first_processor=i)) for i in range(n)
        ]
        addresses = _free_addresses(n)
        self.each("join", [(addresses, i, compile) for i in range(n)])

    def call(self, method: str, *args: object) -> Timed:
        """Call a method of all workers; return the slowest one's time and everybody's work."""
        answers = self.each(method, [args] * len(self._workers))
        return Timed(
            answers[0].value,
            max(answer.seconds for answer in answers),
            sum(answer.cpu_seconds for answer in answers),
        )

    def each(self, method: str, arguments: Sequence[tuple]) -> list[Timed]:
        """Call a method of all workers at once, each with its own arguments."""
        for worker, args in zip(self._workers, arguments, strict=True):
            worker.send(method, *args)
        return [worker.receive() for worker in self._workers]


def table(problem: Problem, repetitions: int) -> None:
    """Time epochs of one process and of two workers, and what a sum over two workers takes."""
    shown: list[tuple[str, ...]] = []
    notes: list[str] = []
    steps: dict[Problem, float] = {}  # seconds
    small = replace(problem, threads=1, rows=min(problem.rows, 12_000))
    batch_sz = min(1024, small.rows)
    wide = replace(small, sizes=(800, 400), batch_sz=batch_sz, rows=min(small.rows, _STEPS * 1024))
    for each in (small, wide):
        for compile in (True, False):
            with ExitStack() as stack:
                crews = {n: Crew(n, each, compile, stack) for n in (1, 2)}
                calls: dict[str, Any] = {
                    str(n): lambda crew=crew: crew.call("epoch") for n, crew in crews.items()
                }
                for call in calls.values():
                    call()  # the first one compiles
                series = interleave(calls, repetitions)
                before = _loopback_bytes()
                crews[2].call("epoch")
                sent = (_loopback_bytes() - before) / each.n_batches
                if not notes:
                    latency, bandwidth = _line([crews[2].call("sums", n).value for n in _SIZES])
                    notes.append(
                        f"A sum over the two workers takes {latency * 1e3:.2f} ms, and its bytes "
                        f"go at {bandwidth / 1e9:.2f} GB/s."
                    )
            one, two = series["1"].median / each.n_batches, series["2"].median / each.n_batches
            shown.append(
                (
                    f"784-{'-'.join(map(str, each.sizes))}, batch {each.batch_sz}, "
                    f"{'compiled' if compile else 'compile=False'}",
                    f"{one * 1e3:.2f}",
                    f"{two * 1e3:.2f}",
                    f"{one / two:.2f}",
                    f"{sent / least_bytes(each, 2):.2f}" if sent else "",
                )
            )
            notes.append(disturbance(series))
            if compile:
                steps[each] = one
    show(
        "Cluster: milliseconds a step, one processor a process, the same minibatches",
        ("", "one process", "two workers", "times faster", "bytes sent of the least"),
        shown,
        "The least: what a ring of all workers sends to add the gradients.\n" + "\n".join(notes),
    )
    show(
        "Cluster, on paper: times faster than one worker, with the sum's constants from above",
        ("workers", *map(str, _WORKERS)),
        [
            (
                f"784-{'-'.join(map(str, each.sizes))}, batch {each.batch_sz}, {gigabits} Gbit/s",
                *(
                    f"{on_paper(one, each, n, latency, min(bandwidth, gigabits / 8 * 1e9)):.1f}"
                    for n in _WORKERS
                ),
            )
            for each, one in steps.items()
            for gigabits in _GIGABITS
        ],
    )


def on_paper(
    seconds: float, problem: Problem, workers: int, latency: float, bandwidth: float
) -> float:
    """Return how many times faster than one so many workers are, if nothing overlaps.

    T(N) = T(1) / N + (N − 1) · latency + 2 (N − 1) / N · bytes / bandwidth

    Parameters
    ----------
    seconds
        T(1), of a step of one worker.
    problem
        What is trained, for the bytes of its gradient.
    workers
        N.
    latency
        Seconds of a sum of few numbers over two workers.
    bandwidth
        Bytes a second that a worker sends while it receives as many.
    """
    sent = least_bytes(problem, workers) / workers
    return seconds / (seconds / workers + (workers - 1) * latency + sent / bandwidth)


def least_bytes(problem: Problem, workers: int) -> float:
    """Return the bytes that all workers together send in a step of a ring all-reduce."""
    numbers = sum(n * m + m for n, m in problem.shapes)
    # each sends 2 (N − 1) / N of the vector
    return 4 * numbers * 2 * (workers - 1)


def _line(seconds: list[float]) -> tuple[float, float]:
    """Return the latency in seconds, and the bytes a second, of sums over two workers."""
    few, many = _SIZES
    slope = max((seconds[1] - seconds[0]) / (many - few), 1e-12)  # each sends its whole vector
    return max(0.0, seconds[0] - few * slope), 4 / slope


def _loopback_bytes() -> int:
    """Return the bytes that the loopback device has carried; 0 where unknown."""
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.lstrip().startswith("lo:")), 0)


def _free_addresses(n: int) -> list[str]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(n)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
