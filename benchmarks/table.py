"""Tables that read well on a terminal and in Markdown."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

from vae_tf1.backend.machine import vectors

_WIDTHS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX", "asimd": "NEON"}


def processor() -> str:
    """Return the name of the processor, and of its widest vector instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    name = next(named, platform.processor() or platform.machine())
    return f"{name} ({platform.machine()}) with {_WIDTHS.get(vectors(), 'unknown vectors')}"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print a table and what it was measured on; its first column is text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    print(f"\n{title}\nmeasured on {processor()}\n", *map(line, [columns, rule, *rows]), sep="\n")
    if note:
        print(f"\n{note}", flush=True)
