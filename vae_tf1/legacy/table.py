"""The table of what is provided, generated from the families themselves."""

from __future__ import annotations

from collections import defaultdict
from importlib import import_module
from itertools import chain

from vae_tf1.legacy import outside, tree

__all__ = ["table"]


def table() -> str:
    """Return the table in Markdown: a row a family, its names gathered by where they live."""
    rows = ["| What | Names |", "| --- | --- |"]
    of_tensorflow = ((f, names, "tf.") for f, names in tree.provided().items())
    elsewhere = ((f, names, "") for f, names in outside.provided().items())
    for family, names, prefix in chain(of_tensorflow, elsewhere):
        what = import_module(f"vae_tf1.legacy.{family}").__doc__.partition("\n")[0]
        rows.append(f"| {what.rstrip('.')} | {_gathered([prefix + name for name in names])} |")
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
        f"{', '.join(f'`{space}`' for space in spaces)}: {', '.join(lasts)}"
        for lasts, spaces in spaces_of.items()
    )
