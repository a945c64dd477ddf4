"""Ctrl-C and SIGTERM at a moment of our choosing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import FrameType

__all__ = ["Interrupts"]

_LOOK_EVERY = 0.1  # seconds


class Interrupts:
    """Hold signals back inside a ``with`` block until `deliver` is called, or the block ends.

    Ctrl-C becomes the usual KeyboardInterrupt, but between two steps, never within one; a second
    Ctrl-C does not wait. Any other signal goes to the handler that was there before. Python
    allows this in the main thread alone; in another thread the block does nothing.

    Parameters
    ----------
    signals
        Which to hold back.

    Attributes
    ----------
    received : int or None
        The signal that came.
    """

    def __init__(self, *signals: int) -> None:
        self._signals = signals or (signal.SIGINT,)
        self._before: dict = {}
        self.received: int | None = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in self._signals:
                # None: not installed from Python, so it cannot be put back
                if signal.getsignal(number) not in (None, signal.SIG_IGN):
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._put_back()
        if self.received is not None and error is None:
            signal.raise_signal(self.received)

    def deliver(self) -> None:
        """Deliver the signal that came; hold signals back again if its handler returns."""
        number, self.received = self.received, None
        self._put_back()
        if number is not None:
            signal.raise_signal(number)
        self.__enter__()

    def wait_for(self, work: Callable[[], None]) -> None:
        """Run `work`, which cannot be stopped, in another thread; wait for its end or a signal.

        After Ctrl-C the work goes on to its end in the background.
        """
        pool = ThreadPoolExecutor(1, "vae_tf1")
        done = pool.submit(work)
        pool.shutdown(wait=False)
        while not wait([done], _LOOK_EVERY).done:
            if self.received is not None:
                self.deliver()
        done.result()

    def _put_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:  # asked for twice: do not wait
            self.received = None
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
        self.received = number
