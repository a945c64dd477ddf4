"""Runs scripts in processes of their own, as a person would from a shell."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "legacy" / "scripts"
PROJECT = Path(__file__).parents[2]


def environment(**extra: str) -> dict[str, str]:
    """Return the variables of a shell on a machine with neither screen nor network."""
    env = {k: v for k, v in os.environ.items() if k not in ("TF_CPP_MIN_LOG_LEVEL", "DISPLAY")}
    env.pop("WAYLAND_DISPLAY", None)
    env.pop("MPLBACKEND", None)
    path = os.pathsep.join(filter(None, [str(PROJECT), env.get("PYTHONPATH")]))
    return env | {"PYTHONPATH": path, "VAE_TF1_OFFLINE": "1"} | extra


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "vae_tf1.legacy", *map(str, arguments)]


def run(*arguments, stdin: str = "", cwd=None, timeout=120, **extra) -> subprocess.CompletedProcess:
    """Run ``python -m vae_tf1.legacy`` with these arguments."""
    return run_command(command(*arguments), stdin=stdin, cwd=cwd, timeout=timeout, **extra)


def run_command(argv, stdin="", cwd=None, timeout=120, **extra) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(argument) for argument in argv],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=timeout,
        env=environment(**extra),
    )
