"""Running the main job as a user does: from another folder, with or without a terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "run_mnist.py"
TIMEOUT = 60  # seconds; far beyond what anything here takes

# Makes the terminal on stdin the one whose Ctrl-C counts, before it becomes the program.
_AT_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def environment(**more):
    """A user's environment: nothing of the tests' own that makes the program quieter."""
    kept = {k: v for k, v in os.environ.items() if k not in ("TF_CPP_MIN_LOG_LEVEL", "DISPLAY")}
    return {**kept, "CUDA_VISIBLE_DEVICES": "-1", **more}


def start(*arguments, cwd, **options):
    """Start the program with its output in pipes."""
    return subprocess.Popen(
        [sys.executable, PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


class Terminal:
    """The program at a terminal, and somebody who reads and types there.

    Attributes
    ----------
    text
        All that has been on the screen.
    """

    def __init__(self, *arguments, cwd, **variables):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", _AT_TERMINAL, PROGRAM, *map(str, arguments)],
            cwd=cwd,
            env=environment(TERM="xterm", **variables),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""
        self._read_to = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, words):
        """Read on until the words are there; return what was read before them."""
        until = time.monotonic() + TIMEOUT
        while (found := self.text.find(words, self._read_to)) < 0:
            assert time.monotonic() < until, f"no {words!r} in {self.text!r}"
            assert self._read(), f"the program ended without {words!r}: {self.text!r}"
        before = self.text[self._read_to : found]
        self._read_to = found + len(words)
        return before

    def type(self, keys):
        os.write(self._ours, keys.encode())

    def end(self):
        """Read to the end; return the rest of the text and the exit status."""
        while self._read():
            pass
        return self.text[self._read_to :], self.process.wait(TIMEOUT)

    def _read(self):
        assert select.select([self._ours], [], [], TIMEOUT)[0], f"silence after {self.text!r}"
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            data = b""
        self.text += data.decode()
        return bool(data)


def results(output):
    """Return (ELBO, reconstruction, KL) as the program has printed them."""
    found = re.search(
        r"test ELBO +(-?[\d.]+) nats per image.*\s+= reconstruction (-?[\d.]+) - KL ([\d.]+)",
        output,
    )
    assert found, output
    return tuple(map(float, found.groups()))


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
