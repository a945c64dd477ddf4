"""What `fit` shows: what it waits for, a line an epoch, and on a terminal a bar below them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["Progress", "waiting"]


@contextmanager
def waiting(what: str, shown: bool = True) -> Iterator[None]:
    """Show what the block does while it does it, and then the seconds: "compiling, once: 3.0 s".

    The line goes where those of `Progress` go.

    Parameters
    ----------
    what
        What the user waits for.
    shown
        Whether to show anything.
    """
    if not shown:
        yield
        return
    screen = sys.stderr if sys.stderr.isatty() else sys.stdout
    print(f"{what}: ", end="", file=screen, flush=True)
    began = time.perf_counter()
    try:
        yield
    finally:
        print(f"{time.perf_counter() - began:.1f} s", file=screen, flush=True)


class Progress:
    """Report the steps of a training.

    Parameters
    ----------
    epochs, n_batches
        How many epochs there are, and steps in each.
    shown
        Whether to show anything.
    done
        Steps that an earlier run has made.
    binarization
        The protocol that makes the images binary.
    """

    def __init__(
        self,
        epochs: int,
        n_batches: int,
        shown: bool,
        done: int = 0,
        binarization: str | None = None,
    ) -> None:
        self._binarization = binarization
        self._epochs, self._n_batches, self._shown, self._done = epochs, n_batches, shown, done
        self._bar = None

    def __enter__(self) -> Progress:
        if self._shown and self._binarization is not None:
            print(f"binarization: {self._binarization}", flush=True)
        if self._shown and self._done:
            epoch = self._done // self._n_batches + 1
            print(f"resumed at epoch {epoch}, step {self._done:,}", flush=True)
        if self._shown and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._epochs * self._n_batches,
                initial=self._done,
                unit="step",
                mininterval=0.2,
                dynamic_ncols=True,
            )
        self._began = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, elbos: list[float]) -> None:
        """Report steps of one epoch, given the ELBO per image of each."""
        self._done += len(elbos)
        epoch = self._done // self._n_batches
        if self._bar is not None and elbos:
            self._bar.set_description(f"epoch {min(epoch + 1, self._epochs)}/{self._epochs}", False)
            self._bar.set_postfix_str(f"ELBO {elbos[-1]:.2f} nats/image", False)
            self._bar.update(len(elbos))

    def epoch_end(self, logs: Mapping[str, float]) -> None:
        """Report an epoch, given the ELBO of its steps and of its validation, if there was one."""
        seconds = time.perf_counter() - self._began
        validation = f", validation {logs['val_elbo']:.2f}" if "val_elbo" in logs else ""
        self._say(
            f"epoch {self._done // self._n_batches}/{self._epochs}: ELBO {logs['elbo']:.2f} nats "
            f"per image{validation}, {seconds:.1f} s"
        )
        self._began = time.perf_counter()

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)  # above the bar
        elif self._shown:
            print(line, flush=True)
