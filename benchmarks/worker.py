"""A side in a process of its own, asked over a pipe."""

from __future__ import annotations

import multiprocessing
import os
import time
import traceback
from typing import Any, NamedTuple

from benchmarks.problem import Problem
from benchmarks.sides import Entry


class Timed(NamedTuple):
    """What a call returned, and what it took."""

    value: Any
    seconds: float
    cpu_seconds: float  # of all threads of the side's process


class Worker:
    """A process that holds one side.

    Parameters
    ----------
    entry
        The side.
    problem
        What it trains.
    first_processor
        The first of the processors that it runs on.

    Raises
    ------
    RuntimeError
        From any call, when the side fails; the message is its traceback.
    """

    def __init__(self, entry: Entry, problem: Problem, first_processor: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        given = theirs, entry, problem, first_processor
        self._process = context.Process(target=_serve, args=given, daemon=True)
        # read by BLAS and OpenMP when they are loaded; the child inherits them
        variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(problem.threads))
        variables |= {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            self._process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        theirs.close()
        self.receive()

    def call(self, method: str, *args: object) -> Timed:
        """Call a method of the side and time it there."""
        self.send(method, *args)
        return self.receive()

    def send(self, method: str, *args: object) -> None:
        """Call a method of the side, whose answer `receive` waits for."""
        self._pipe.send((method, args))

    def close(self) -> None:
        """End the process."""
        self._pipe.close()  # which ends it
        self._process.join(20)
        if self._process.is_alive():
            self._process.terminate()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def receive(self) -> Timed:
        """Return the answer to `send`."""
        try:
            result = self._pipe.recv()
        except EOFError:
            raise RuntimeError("a side of the benchmark died; is there enough memory?") from None
        if isinstance(result, str):
            raise RuntimeError(result)
        return result


def _serve(pipe: Any, entry: Entry, problem: Problem, first: int) -> None:
    # The libraries' start-up chatter; what goes wrong comes back through the pipe.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if hasattr(os, "sched_setaffinity"):  # every framework takes its number of threads from it
        processors = sorted(os.sched_getaffinity(0))
        first = min(first, len(processors) - problem.threads)
        os.sched_setaffinity(0, processors[max(first, 0) :][: problem.threads])
    side = None
    method, args = "build", ()
    while True:
        try:
            began, cpu_began = time.perf_counter(), time.process_time()
            if side is None:
                side, value = entry.load()(problem), None
            else:
                value = getattr(side, method)(*args)
            took = time.perf_counter() - began, time.process_time() - cpu_began
            pipe.send(Timed(value, *took))
        except Exception:
            pipe.send(traceback.format_exc())
            return
        try:
            method, args = pipe.recv()
        except EOFError:
            return
