"""One command, one table: ``python -m benchmarks``; see ``docs/benchmarks.md``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from benchmarks import cluster
from benchmarks.load import Load
from benchmarks.problem import Problem
from benchmarks.sides import (
    CODES,
    FIT,
    FLOORS,
    IN_JAX,
    PARTS,
    PEERS,
    SESSION,
    UNCOMPILED,
    Entry,
)
from benchmarks.sides.startup import IMPORTS, first_line, importing
from benchmarks.table import show
from benchmarks.timing import disturbance, interleave
from benchmarks.worker import Timed, Worker

_REPLAYED = 100  # steps
_REPLAYED_PARTS = 50  # of two codes that weigh alike, rounding soon decides which one counts
_AGREEMENT = 1e-5  # of the ELBO, relative, at each of those steps
_FLOOR_TRIES = 3
_LOAD = 2  # processes
_LONGEST = 12  # kernels
_BATCHES, _WIDTHS = (16, 64, 256, 1024), (50, 200, 400, 800)  # of the scaling


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that the command line asks for."""
    tables = {
        "training": training,
        "busy": busy,
        "scaling": scaling,
        "inference": inference,
        "startup": startup,
        "kernels": kernels,
        "parts": parts,
        "cluster": cluster.table,
    }
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(tables)}; all")
    parser.add_argument("--rows", type=int, default=60_000, help="images an epoch (60000)")
    parser.add_argument("--batch", type=int, default=64, help="images a step (64)")
    parser.add_argument("--layers", type=int, nargs="+", default=[200, 100], help="(200 100)")
    parser.add_argument("--repetitions", type=int, default=5, help="of each side, undisturbed (5)")
    parser.add_argument("--threads", type=int, default=_processors(), help="for every side (all)")
    options = parser.parse_args(arguments)
    unknown = set(options.parts) - set(tables)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(tables)}")
    if options.rows < options.batch:
        parser.error(f"{options.rows} rows are fewer than one batch of {options.batch}")

    problem = Problem(options.rows, options.batch, tuple(options.layers), options.threads)
    print(_machine(problem))
    for name in options.parts or tables:
        tables[name](problem, options.repetitions)


# The parts ---------------------------------------------------------------------------------------


def training(problem: Problem, repetitions: int) -> None:
    """Time an epoch of every side, next to its matrix products."""
    entries = [FIT, UNCOMPILED, SESSION, *_installed(PEERS)]
    with ExitStack() as stack:
        workers = {e.label: stack.enter_context(Worker(e, problem)) for e in entries}
        steps = min(_REPLAYED, problem.n_batches)
        difference = _check_agreement(workers, steps)
        floor, tried = _fastest(_installed(FLOORS), problem, stack, "epoch")
        for worker in workers.values():
            worker.call("epoch")  # the first one compiles, and touches the data
        workers[floor.label] = tried
        series = interleave({k: _calling(w, "epoch") for k, w in workers.items()}, repetitions)
    elbos = {e.label: series[e.label].taken[0].value for e in entries}
    _check_alike(elbos)
    fit, products = series[FIT.label].median, series[floor.label].median
    images = problem.n_batches * problem.batch_sz
    show(
        f"Training: seconds an epoch ({_describe(problem)})",
        ("", "median", "least-most", "images/s", "of this fit", "of the products", "ELBO"),
        [
            (
                label,
                f"{one.median:.2f}",
                one.spread,
                f"{images / one.median:,.0f}",
                f"{one.median / fit:.2f}",
                f"{one.median / products:.2f}",
                f"{elbos[label]:.1f}" if label in elbos else "",
            )
            for label, one in series.items()
        ],
        f"First all sides made the same {steps} steps: the ELBO of each step agrees to "
        f"{difference:.0e} relative.\nELBO: nats per image over the first epoch timed.\n"
        f"{disturbance(series)}{_skipped([*PEERS, *FLOORS])}",
    )


def busy(problem: Problem, repetitions: int) -> None:
    """Time an epoch of this fit and of the session, alone and beside processes at full load."""
    entries = [FIT, SESSION]
    with ExitStack() as stack:
        workers = {e.label: stack.enter_context(Worker(e, problem)) for e in entries}
        calls = {label: _calling(worker, "epoch") for label, worker in workers.items()}
        for call in calls.values():
            call()  # the first one compiles, and touches the data
        alone = interleave(calls, repetitions)
        with Load(problem, _LOAD):
            beside = interleave(calls, repetitions, patience=repetitions)
    fit = beside[FIT.label].median
    show(
        f"Busy: seconds an epoch beside {_LOAD} processes at full load ({_describe(problem)})",
        ("", "median", "least-most", "of this fit", "alone", "busy / alone"),
        [
            (
                label,
                f"{one.median:.2f}",
                one.spread,
                f"{one.median / fit:.2f}",
                f"{alone[label].median:.2f}",
                f"{one.median / alone[label].median:.2f}",
            )
            for label, one in beside.items()
        ],
        f"Alone: {disturbance(alone)}",
    )


def scaling(problem: Problem, repetitions: int) -> None:
    """Time this fit, the session and the products as the work grows in each direction."""
    fewer = min(problem.rows, 12_000)
    rows = sorted({max(problem.batch_sz, problem.rows // 10), problem.rows, 10 * problem.rows})
    problems = {f"{n:,} rows": replace(problem, rows=n) for n in rows}
    for batch_sz in _BATCHES:
        if batch_sz <= fewer:
            problems[f"batch {batch_sz}"] = replace(problem, rows=fewer, batch_sz=batch_sz)
    for width in _WIDTHS:
        sizes = (width, width // 2)
        problems[f"layers {width}-{width // 2}"] = replace(problem, rows=fewer, sizes=sizes)
    shown = []
    for name, scaled in problems.items():
        print(f"{name} ...", file=sys.stderr, flush=True)  # the whole takes a quarter of an hour
        with ExitStack() as stack:
            floor, products = _fastest(_installed(FLOORS), scaled, stack, "epoch")
            workers = {e: stack.enter_context(Worker(e, scaled)) for e in (FIT, SESSION)}
            for worker in workers.values():
                worker.call("epoch")
            workers[floor] = products
            calls = {e.label: _calling(worker, "epoch") for e, worker in workers.items()}
            # an epoch of many rows is as good as many epochs
            wanted = repetitions if scaled.rows <= problem.rows else 1
            series = interleave(calls, wanted)
        fit, session, least = (series[e.label].median for e in (FIT, SESSION, floor))
        images = scaled.n_batches * scaled.batch_sz / 1e6
        shown.append(
            (
                name,
                *(f"{seconds / images:.2f}" for seconds in (fit, session, least)),
                f"{session / fit:.2f}",
                f"{fit / least:.2f}",
                _maker(floor),
            )
        )
    show(
        "Scaling: microseconds an image",
        ("", "fit", "sess.run", "products", "sess.run / fit", "fit / products", "products by"),
        shown,
        f"Batch {problem.batch_sz}, layers {'-'.join(map(str, problem.sizes))} and {fewer:,} rows "
        "where nothing else is said; more rows than that are read from a file mapping.",
    )


def inference(problem: Problem, repetitions: int) -> None:
    """Time the methods of a model over many rows, next to their forward products."""
    problem = replace(problem, rows=problem.rows * 7 // 6)  # of 60,000: the whole of MNIST
    methods = {
        "encode": "transform",
        "decode": "prior_predictive_with_input",
        "evaluate": "evaluate",
        "likelihood": "log_likelihood",
    }
    ours = Entry("this", "inference:Inference")
    floors = [
        floor._replace(home=floor.home.replace("products:", "inference:"))
        for floor in _installed(FLOORS)
    ]
    shown = []
    for method, name in methods.items():
        with ExitStack() as stack:
            floor, products = _fastest(floors, problem, stack, method)
            sides = [ours, *(_installed([IN_JAX]) if method == "likelihood" else [])]
            workers = {e.label: stack.enter_context(Worker(e, problem)) for e in sides}
            values = {label: worker.call(method).value for label, worker in workers.items()}
            if len(values) > 1:
                _check_alike(values, 0.1)  # before a training, one code in 5,000 decides
            calls = {label: _calling(worker, method) for label, worker in workers.items()}
            calls["products"] = _calling(products, method)
            series = interleave(calls, repetitions, twice=True)
        least = series["products"]
        for label in workers:
            one = series[label]
            shown.append(
                (
                    name if label == ours.label else f"the same in {label}",
                    f"{one.median:.3f}",
                    one.spread,
                    f"{least.median:.3f}",
                    f"{one.median / least.median:.2f}",
                    _maker(floor),
                )
            )
    show(
        f"Inference: seconds for {problem.rows:,} rows",
        ("", "median", "least-most", "products", "of the products", "products by"),
        shown,
        f"log_likelihood: so many codes in all, {min(CODES, problem.rows):,} an image.",
    )


def startup(problem: Problem, repetitions: int) -> None:
    """Time what comes before the first step, in fresh processes."""
    entry = Entry("start", "startup:Startup")

    def first_step(compile: bool) -> float:
        with Worker(entry, problem) as worker:
            return worker.call("first_step", compile).value

    ways: dict[str, Callable[[], float]] = {"python run_mnist.py: its first line": first_line}
    ways |= {statement: partial(importing, statement) for statement in IMPORTS}
    for compile, name in ((True, "compiled"), (False, "compile=False")):
        after = f"after import tensorflow: import vae_tf1, build and first step, {name}"
        ways[after] = partial(first_step, compile)
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repetitions):
        for name, way in ways.items():
            taken[name].append(way())
    show(
        "Start-up: seconds in a fresh process",
        ("", "median", "least-most", "of import tensorflow"),
        [
            (
                name,
                f"{np.median(seconds):.3f}",
                f"{min(seconds):.3f}-{max(seconds):.3f}",
                f"{np.median(seconds) / np.median(taken['import tensorflow']):.2f}",
            )
            for name, seconds in taken.items()
        ],
        "The first line includes the start of Python; the imports do not.",
    )


def kernels(problem: Problem, repetitions: int) -> None:
    """Show where the time of a step goes, in the repetition that took least."""
    entry = Entry("kernels", "kernels:Kernels")
    with Worker(entry, problem) as worker:
        profiles = [worker.call("profile").value for _ in range(repetitions)]
    profile = min(profiles, key=lambda spent: sum(us for _, us in spent))
    products = sum(us for name, us in profile if name.startswith("MatMul"))
    others = [(name, us) for name, us in profile if not name.startswith("MatMul")]
    show(
        "Kernels: microseconds a step, of all threads",
        ("", "microseconds"),
        [
            ("matrix products", f"{products:.0f}"),
            *((name, f"{us:.0f}") for name, us in others[:_LONGEST]),
            ("all others", f"{sum(us for _, us in others[_LONGEST:]):.0f}"),
        ],
    )


def parts(problem: Problem, repetitions: int) -> None:
    """Time an epoch with each part: its products, the same model in JAX, and the default model."""
    rows: list[tuple[str, ...]] = []
    notes: list[str] = []
    floors: dict[Problem, Entry] = {}
    for name, part in PARTS.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        entries = _installed(part.sides)
        its_own = replace(problem, codes=part.codes, components=part.components)
        if its_own not in floors:
            with ExitStack() as stack:
                floors[its_own], _ = _fastest(_installed(FLOORS), its_own, stack, "epoch")
        with ExitStack() as stack:
            workers = {e.label: stack.enter_context(Worker(e, problem)) for e in entries}
            default = stack.enter_context(Worker(FIT, problem))
            if len(workers) > 1:
                difference = _check_agreement(workers, min(_REPLAYED_PARTS, problem.n_batches))
                notes.append(f"{name}: {difference:.0e}")
            floor = floors[its_own]
            workers[floor.label] = stack.enter_context(Worker(floor, its_own))
            calls = {k: _calling(worker, "epoch") for k, worker in workers.items()}
            calls["default"] = _calling(default, "epoch")
            for call in calls.values():
                call()  # the first one compiles, and touches the data
            series = interleave(calls, repetitions)
        fit, products = series[entries[0].label].median, series[floor.label].median
        for label in workers:
            one = series[label]
            rows.append(
                (
                    name,
                    label,
                    f"{one.median:.2f}",
                    one.spread,
                    f"{one.median / fit:.2f}",
                    f"{one.median / products:.2f}",
                    f"{one.median / series['default'].median:.2f}",
                )
            )
    show(
        f"Parts: seconds an epoch ({_describe(problem)})",
        (
            "",
            "",
            "median",
            "least-most",
            "of this fit",
            "of its products",
            "of the default model's fit",
        ),
        rows,
        "Relative difference of the ELBO over the first steps: " + ", ".join(notes)
        if notes
        else "JAX is not installed: nothing to compare with.",
    )


# What they share ---------------------------------------------------------------------------------


def _installed(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.is_installed()]


def _skipped(entries: list[Entry]) -> str:
    """Say in a line which sides are left out, and why; nothing if none is."""
    left_out = [
        f"{entry.label} ({entry.package} is not installed)"
        for entry in entries
        if not entry.is_installed()
    ]
    return f"\nSkipped: {', '.join(left_out)}." if left_out else ""


def _calling(worker: Worker, method: str) -> Callable[[], Timed]:
    return lambda: worker.call(method)


def _maker(floor: Entry) -> str:
    return floor.label.split(": ")[1]


def _fastest(
    entries: list[Entry], problem: Problem, stack: ExitStack, method: str
) -> tuple[Entry, Worker]:
    """Try every way to make the products, and keep the fastest."""
    workers = [Worker(entry, problem) for entry in entries]
    seconds = []
    for worker in workers:
        stack.enter_context(worker)
        worker.call(method)
        seconds.append(min(worker.call(method).seconds for _ in range(_FLOOR_TRIES)))
    best = int(np.argmin(seconds))
    for worker in workers[:best] + workers[best + 1 :]:
        worker.close()
    return entries[best], workers[best]


def _check_agreement(workers: dict[str, Worker], steps: int) -> float:
    """Let all sides make the steps of the first; return the largest difference of an ELBO."""
    first, *others = workers.items()
    images, epsilon, expected = first[1].call("reference", steps).value
    worst = 0.0
    for label, worker in others:
        elbos = worker.call("replay", images, epsilon).value
        difference = float(np.max(np.abs(elbos / expected - 1)))
        if not difference <= _AGREEMENT:
            raise SystemExit(f"{label} trains something else: its ELBO is {difference:.1e} off")
        worst = max(worst, difference)
    return worst


def _check_alike(nats: dict[str, float], tolerance: float = 0.03) -> None:
    """Refuse to compare sides whose training has gone different ways."""
    if max(nats.values()) - min(nats.values()) > tolerance * abs(np.median(list(nats.values()))):
        raise SystemExit(f"the sides do not learn alike: {nats}")


def _describe(problem: Problem) -> str:
    layers = "-".join(map(str, (784, *problem.sizes)))
    return (
        f"{problem.rows:,} images, batch {problem.batch_sz}, {layers}, "
        f"{problem.flops() / 1e9:.0f} GFLOP of products"
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _machine(problem: Problem) -> str:
    packages = []
    for name in ("tensorflow", "numpy", "torch", "jax"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            packages.append(f"{name} is not installed")
    threads = f"{problem.threads} thread{'s' if problem.threads > 1 else ''}"
    python = f"Python {platform.python_version()}"
    return ", ".join([platform.machine(), threads, python, *packages])


if __name__ == "__main__":
    main()
