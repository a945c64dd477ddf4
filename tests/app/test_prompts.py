"""The question between two pictures, asked at a pseudo-terminal."""

import io
import os
import pty
import select
import types

import pytest

from vae_tf1.app import prompts

CTRL_D = "\x04"


class Streams(types.SimpleNamespace):
    """What `prompts` takes for ``sys``; the real one's streams belong to pytest."""


@pytest.fixture
def terminal(monkeypatch):
    """Make a pseudo-terminal the program's; the result is its other end."""
    ours, theirs = pty.openpty()
    with open(theirs) as stdin, open(theirs, "w", closefd=False) as screen:
        monkeypatch.setattr(prompts, "sys", Streams(stdin=stdin, stdout=screen, stderr=screen))
        yield ours
    os.close(ours)


def read_until(terminal, words):
    """Read what is on the screen (what was typed is, too) until the words come."""
    text = b""
    while words not in text:
        assert select.select([terminal], [], [], 10)[0], f"no {words!r} in {text!r}"
        text += os.read(terminal, 1000)


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        *[("\n", True), ("y\n", True), ("Y\n", True), ("yes\n", True), ("what?\n", True)],
        *[("n\n", False), ("N\n", False), ("no\n", False), ("Never\n", False), ("  n\n", False)],
        (CTRL_D, False),
    ],
)
@pytest.mark.parametrize("windows", [False, True])
def test_answers(terminal, keys, wanted, windows):
    os.write(terminal, keys.encode())
    assert prompts.another(meanwhile=(lambda: None) if windows else None) is wanted
    read_until(terminal, b"Generate another? [Y/n] ")


def test_each_question_takes_one_line(terminal):
    os.write(terminal, b"y\nn\ny\n")
    assert [prompts.another() for _ in range(3)] == [True, False, True]


def test_windows_are_kept_alive_until_the_answer_comes(terminal):
    looks = []

    def look():
        looks.append(None)
        if len(looks) == 3:
            os.write(terminal, b"n\n")

    assert prompts.another(meanwhile=look) is False
    assert len(looks) == 3


def test_a_question_is_seen_where_the_output_goes_to_a_file(terminal):
    prompts.sys.stdout = file = io.StringIO()
    assert prompts.can_ask()
    os.write(terminal, b"n\n")
    prompts.another()
    assert file.getvalue() == ""
    read_until(terminal, b"Generate another? [Y/n] ")


def test_somebody_at_a_terminal_can_be_asked(terminal):
    assert prompts.can_ask()


@pytest.mark.usefixtures("terminal")
def test_nobody_is_asked_without_a_terminal_on_stdin():
    closed = io.StringIO()
    closed.close()
    for prompts.sys.stdin in (io.StringIO("y\n"), closed, None):
        assert not prompts.can_ask()


@pytest.mark.usefixtures("terminal")
def test_nobody_is_asked_who_could_not_see_the_question():
    prompts.sys.stdout = prompts.sys.stderr = io.StringIO()
    assert not prompts.can_ask()
