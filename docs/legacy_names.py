"""Write docs/legacy-names.md: what of TensorFlow 1's names the runner of old scripts provides.

Run it from the root of the project: ``python docs/legacy_names.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from vae_tf1.legacy import families  # noqa: E402
from vae_tf1.legacy.machinery.overlay import walk  # noqa: E402
from vae_tf1.legacy.report import usage  # noqa: E402

PAGE = ROOT / "docs" / "legacy-names.md"
OFFERED = ROOT / "tests" / "golden" / "tf1_names.json"
SCRIPTS = ROOT / "tests" / "legacy" / "scripts"

# The scripts whose numbers are compared with those of a genuine TensorFlow 1.
HELD = (
    "layers.py", "cells.py", "training.py", "distributions_of_tf1.py", "distributions_of_tf115.py",
    "bijectors_of_tf115.py", "names_before_tf1.py",
)  # fmt: skip

HEADER = """# Names of TensorFlow 1 that old scripts find

Written by `python docs/legacy_names.py`; do not edit. *Offered*: the module's public names in
TensorFlow 1.4.1 and 1.15.5 (`tests/golden/tf1_names.json`). *Provided*: those of 1.15.5 that the
runner has (of 1.4.1, if the module was gone by 1.15). *Held to numbers*: those used by a script in
`tests/legacy/scripts` whose numbers are compared with those of a genuine TensorFlow 1. All public
names of `tensorflow.compat.v1` are there as well.

| Module | Offered by 1.4 | Offered by 1.15 | Provided | | Held to numbers |
| --- | ---: | ---: | ---: | ---: | ---: |
"""


def page() -> str:
    """Return the page in Markdown."""
    offered = json.loads(OFFERED.read_text(encoding="utf-8"))
    held = _held()
    rows, lacking = [], []
    total = [0, 0, 0]
    for module in sorted({*offered["1.4"], *offered["1.15"]}):
        old, last = offered["1.4"].get(module, []), offered["1.15"].get(module, [])
        names = last or old
        missing = [name for name in names if not _is_there(f"{module}.{name}")]
        kept = sum(f"tf.{module}.{name}" in held for name in names)
        there = len(names) - len(missing)
        total = [a + b for a, b in zip(total, (len(names), there, kept), strict=True)]
        counts = [len(old) or "", len(last) or "", there, f"{100 * there // len(names)} %", kept]
        rows.append(f"| `tf.{module}` | {' | '.join(map(str, counts))} |")
        if missing:
            lacking.append(f"* `tf.{module}`: {', '.join(f'`{name}`' for name in missing)}")
    percent = 100 * total[1] // total[0]
    rows.append(f"| together | | {total[0]} | {total[1]} | {percent} % | {total[2]} |")
    sections = ["\n".join(rows), "## Not provided", "\n".join(lacking), *_other_names()]
    return HEADER + "\n\n".join(sections) + "\n"


def _held() -> set[str]:
    scripts = [SCRIPTS / name for name in HELD if (SCRIPTS / name).exists()]
    return {name for script in scripts for names in usage(script).names.values() for name in names}


def _is_there(dotted: str) -> bool:
    try:
        walk(families.tensorflow(), dotted)
    except (AttributeError, ImportError):
        return False
    return True


def _other_names() -> Iterator[str]:
    """Yield the names outside TensorFlow, a line each package."""
    yield "## Names of other packages"
    for family in families.LIBRARIES:
        yield f"{family.title}: {', '.join(f'`{name}`' for name in sorted(family.names()))}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
