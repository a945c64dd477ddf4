"""What TensorFlow's C++ side says at its start stays off the screen, and nothing else does."""

import os
import subprocess
import sys

import pytest
from support.kinds import full_except

from vae_tf1.backend.notices import without_startup_notices

NOTICES = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795223165.342435   11154 port.cc:153] oneDNN custom operations are on.\n"
    b"E0000 00:00:1795223169.651295   11154 cuda_platform.cc:52] failed call to cuInit\n"
    b"2026-11-21 01:06:24.342435: I tensorflow/core/platform/cpu_feature_guard.cc:210] This\n"
    b"To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow\n"
)


@pytest.fixture
def as_at_start(monkeypatch):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")


@pytest.mark.usefixtures("as_at_start")
def test_notices_are_dropped_and_all_else_comes_through_in_order(capfd, monkeypatch):
    with open(2, "w", closefd=False) as stderr, without_startup_notices():
        monkeypatch.setattr(sys, "stderr", stderr)
        os.write(2, b"first\n" + NOTICES)
        print("second", file=sys.stderr, flush=True)
        assert capfd.readouterr().err == ""
        os.write(2, b"third, without an end of line")
    assert capfd.readouterr().err == "first\nsecond\nthird, without an end of line"
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ  # no process that is started later inherits it


@pytest.mark.usefixtures("as_at_start")
def test_everything_is_shown_where_the_import_fails(capfd):
    def fail():
        os.write(2, NOTICES)
        raise ImportError("libsomething.so")

    with pytest.raises(ImportError, match="libsomething"), without_startup_notices():
        fail()
    assert capfd.readouterr().err.encode() == NOTICES


@pytest.mark.parametrize("level", ["0", "1"])
def test_a_user_who_asks_for_the_notices_sees_them(level, monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with without_startup_notices():
        os.write(2, NOTICES)
        assert capfd.readouterr().err.encode() == NOTICES
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level


@pytest.mark.parametrize("level", ["2", "3"])
def test_a_user_who_wants_less_gets_less(level, monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with without_startup_notices():
        os.write(2, NOTICES)
    assert capfd.readouterr().err == ""


def test_a_crash_inside_is_not_silent():
    code = (
        "import os\n"
        "from vae_tf1.backend.notices import without_startup_notices\n"
        "with without_startup_notices():\n"
        "    os.abort()\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    crashed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, timeout=60
    )
    assert crashed.returncode != 0
    assert b"Aborted" in crashed.stderr
    assert b"line 4" in crashed.stderr


def test_without_a_standard_error_it_is_only_a_block():
    code = (
        "import os; os.close(2)\n"
        "from vae_tf1.backend.notices import without_startup_notices\n"
        "with without_startup_notices(): print('inside')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, b"inside\n")


@pytest.mark.parametrize(
    "first", full_except(["", "import tensorflow as tf; sys.stderr.write('--- ours ---\\n')"], "")
)
def test_a_script_that_uses_the_library_sees_nothing_of_tensorflows(first):
    """Loading the class, the first session and the first compilation are silent."""
    code = f"""
import sys
import numpy as np
{first}
from vae_tf1 import VariationalAutoencoder
X = np.zeros((20, 6))
with VariationalAutoencoder(6, [2]) as vae:
    vae.fit(X, epochs=1, batch_sz=10, compile=True, progress=False, plot=False)
    vae.evaluate(X)
"""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert done.stderr.partition(b"--- ours ---\n")[2 if first else 0] == b""
