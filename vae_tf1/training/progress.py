"""What `fit` shows: a line an epoch, and on a terminal a bar below them."""

from __future__ import annotations

import sys
import time


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
    """

    def __init__(self, epochs: int, n_batches: int, shown: bool, done: int = 0) -> None:
        self._epochs, self._n_batches, self._shown, self._done = epochs, n_batches, shown, done
        self._bar = None
        self._elbo = 0.0  # sum over the epoch's steps seen here
        self._seen = 0

    def __enter__(self) -> Progress:
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
        self._elbo += sum(elbos)
        self._seen += len(elbos)
        self._done += len(elbos)
        epoch, step = divmod(self._done, self._n_batches)
        if self._bar is not None and elbos:
            self._bar.set_description(f"epoch {min(epoch + 1, self._epochs)}/{self._epochs}", False)
            self._bar.set_postfix_str(f"ELBO {elbos[-1]:.2f} nats/image", False)
            self._bar.update(len(elbos))
        if step == 0 and self._seen:
            seconds = time.perf_counter() - self._began
            self._say(
                f"epoch {epoch}/{self._epochs}: ELBO {self._elbo / self._seen:.2f} nats per image, "
                f"{seconds:.1f} s"
            )
            self._elbo, self._seen, self._began = 0.0, 0, time.perf_counter()

    def _say(self, line: str) -> None:
        if self._bar is not None:
            self._bar.write(line, file=sys.stderr)  # above the bar
        elif self._shown:
            print(line, flush=True)
