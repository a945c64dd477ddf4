"""The table of what is provided, generated from the families themselves."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from vae_tf1.legacy import families
from vae_tf1.legacy.machinery.overlay import NOTHING

__all__ = ["table", "update"]

_BEGIN, _END = "<!-- legacy table -->", "<!-- /legacy table -->"


def table() -> str:
    """Return the table in Markdown: a row a family, its names gathered by where they live."""
    rows = ["| What | Names |", "| --- | --- |"]
    for prefix, group in (("tf.", families.of_tensorflow()), ("", families.LIBRARIES)):
        for family in group:
            found = family.names().items()
            names = sorted(prefix + name for name, value in found if value is not NOTHING)
            rows.append(f"| {family.title} | {_gathered(names)} |")
    return "\n".join(rows)


def _gathered(names: list[str]) -> str:
    """Return the names, those of the same namespace together, namespaces alike only once."""
    by_space = defaultdict(list)
    for name in names:
        space, _, last = name.rpartition(".")
        by_space[space].append(last)
    spaces_of = defaultdict(list)
    for space, lasts in by_space.items():
        spaces_of[tuple(lasts)].append(space)
    return "<br>".join(
        f"{', '.join(f'`{space}`' for space in spaces)}: {', '.join(map(_escaped, lasts))}"
        for lasts, spaces in spaces_of.items()
    )


def _escaped(name: str) -> str:
    """Return a name whose leading underscores do not make it bold."""
    stem = name.lstrip("_")
    return "\\_" * (len(name) - len(stem)) + stem


def update(path: Path) -> None:
    """Put the present table between its two markers in a Markdown file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        The markers are not there.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{path}: lines {_BEGIN} and {_END} are wanted")
    path.write_text(f"{before}{begin}\n{table()}\n{end}{after}", encoding="utf-8")
