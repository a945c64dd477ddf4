"""Other work on the same processors, for as long as a block lasts."""

from __future__ import annotations

import multiprocessing
import os

from benchmarks.problem import Problem

__all__ = ["Load"]


class Load:
    """Processes that compute without a pause on the processors of the sides.

    Parameters
    ----------
    problem
        Of the sides; its threads say which processors they have.
    n
        How many processes.
    """

    def __init__(self, problem: Problem, n: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._started = context.Barrier(n + 1)
        arguments = problem.threads, self._started
        self._processes = [
            context.Process(target=_compute, args=arguments, daemon=True) for _ in range(n)
        ]

    def __enter__(self) -> Load:
        for process in self._processes:
            process.start()
        self._started.wait(60)
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join()


def _compute(threads: int, started) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    started.wait(60)
    benchmark = multiprocessing.parent_process()
    while benchmark.is_alive():  # it may be killed, which ends no child
        sum(range(1_000_000))
