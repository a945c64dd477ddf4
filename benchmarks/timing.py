"""Interleaved repetitions: every side meets the same weather."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.worker import Timed

_DISTURBED = 0.1  # of the machine's processors, busy with something else


@dataclass
class Series:
    """The repetitions of one side."""

    taken: list[Timed] = field(default_factory=list)
    others: list[float] = field(default_factory=list)  # load by other processes, 0 to 1

    def add(self, timed: Timed, others: float) -> None:
        """Add a repetition."""
        self.taken.append(timed)
        self.others.append(others)

    @property
    def undisturbed(self) -> list[Timed]:
        """The repetitions during which the machine did little else."""
        return [t for t, o in zip(self.taken, self.others, strict=True) if o < _DISTURBED]

    @property
    def seconds(self) -> list[float]:
        """The undisturbed repetitions; all of them if those are fewer than three."""
        kept = self.undisturbed if len(self.undisturbed) >= 3 else self.taken
        return [timed.seconds for timed in kept]

    @property
    def median(self) -> float:
        """Median seconds."""
        return median(self.seconds)

    @property
    def spread(self) -> str:
        """Least and most seconds."""
        return f"{min(self.seconds):.2f}-{max(self.seconds):.2f}"


def interleave(
    calls: dict[str, Callable[[], Timed]],
    repetitions: int,
    patience: int | None = None,
    twice: bool = False,
) -> dict[str, Series]:
    """Call each in turn, again and again.

    Parameters
    ----------
    calls
        What to time, by name.
    repetitions
        How many undisturbed repetitions of each are wanted.
    patience
        How many rounds to make for them at most; by default twice as many.
    twice
        Whether to make each call twice, and time the second. For short calls that take much memory:
        a virtual machine may return free memory to its host within seconds, and the first call
        then waits for the host.

    Returns
    -------
    dict
        The series of each.
    """
    series = {name: Series() for name in calls}
    for _ in range(patience or 2 * repetitions):
        for name, call in calls.items():
            if twice:
                call()
            series[name].add(*_with_others(call))
        if all(len(one.undisturbed) >= repetitions for one in series.values()):
            break
    return series


def disturbance(series: dict[str, Series]) -> str:
    """Say in a line how busy the machine was with something else."""
    others = [share for one in series.values() for share in one.others]
    kept = sum(len(one.seconds) for one in series.values())
    return (
        f"{kept} of {len(others)} repetitions count; meanwhile other processes took "
        f"{median(others):.0%} of the processors (median), at most {max(others):.0%}."
    )


def _with_others(call: Callable[[], Timed]) -> tuple[Timed, float]:
    busy, began = _busy_seconds(), time.perf_counter()
    timed = call()
    busy, took = _busy_seconds() - busy, time.perf_counter() - began
    return timed, max(0.0, busy - timed.cpu_seconds) / (took * (os.cpu_count() or 1))


def _busy_seconds() -> float:
    """Return the seconds that all processors have worked since the start; 0 where unknown."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / 100
