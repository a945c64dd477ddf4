"""How the program ends: one sentence and a status, never a traceback of what the user did."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable

__all__ = ["FAILED", "INTERRUPTED", "PROGRAM", "JobError", "quit_on_ctrl_c", "run"]

PROGRAM = "run_mnist.py"
FAILED = 1
INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C has ended: 128 + SIGINT

_GOODBYE = f"\n{PROGRAM}: interrupted\n"


class JobError(Exception):
    """Why the job cannot be done, in one sentence for the user."""


def run(main: Callable[[], int]) -> int:
    """Return the exit status of ``main()``, having told the user what stopped it, if anything did.

    Parameters
    ----------
    main
        Returns the status where nothing goes wrong.

    Returns
    -------
    int
        That status; 1 after a `JobError` or when nobody reads the output any more; 130 after
        Ctrl-C.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return main()
    except JobError as error:
        print(f"{PROGRAM}: error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(_GOODBYE, end="", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # as in `run_mnist.py | head`
        # What is still buffered would fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def quit_on_ctrl_c() -> None:
    """Let the next Ctrl-C end the process at once.

    The usual KeyboardInterrupt is lost where it happens to meet a callback of the garbage
    collector, say; whoever asks for the second time should not have to ask a third.
    """

    def quit_now(*_: object) -> None:
        os.write(2, _GOODBYE.encode())
        os._exit(INTERRUPTED)

    signal.signal(signal.SIGINT, quit_now)


def _show_warning(message: Warning | str, *where: object, **more: object) -> None:
    """Show a warning to a user, who is not interested in the line of code it comes from."""
    print(f"{PROGRAM}: warning: {message}", file=sys.stderr)
