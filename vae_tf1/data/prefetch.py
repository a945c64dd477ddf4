"""Run the next calls in other threads while the caller uses the last result."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def prefetch(
    run: Callable[..., Result], calls: Iterable[tuple], threads: int = 1
) -> Generator[Result, None, None]:
    """Yield the result of each call, in order, while up to `threads` of the next calls run.

    The arguments are made one after the other in the caller's thread, so their source need not be
    safe for several threads.
    """
    with ThreadPoolExecutor(threads, "vae_tf1") as pool:
        running: deque = deque()
        for arguments in calls:
            running.append(pool.submit(run, *arguments))
            if len(running) > threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
