"""Ctrl-C and SIGTERM at a moment of our choosing."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Interrupts"]


class Interrupts:
    """Hold signals back inside a ``with`` block until `check` is called.

    Ctrl-C becomes the usual KeyboardInterrupt, but between two steps, never within one; a second
    Ctrl-C does not wait. Any other signal is delivered again, to whoever handled it before. Only
    the main thread can do this; elsewhere the block does nothing.

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
                # None: not installed from Python, and not ours to put back
                if signal.getsignal(number) not in (None, signal.SIG_IGN):
                    self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def check(self) -> None:
        """Deliver the signal that came, if one did."""
        number, self.received = self.received, None
        if number is not None:
            handler = self._before[number]
            self.__exit__()
            if number == signal.SIGINT and handler is signal.default_int_handler:
                raise KeyboardInterrupt
            signal.raise_signal(number)
            self.__enter__()  # whoever handled it lets us go on

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:  # asked for twice: do not wait
            signal.signal(number, self._before[number])
            signal.raise_signal(number)
        self.received = number
