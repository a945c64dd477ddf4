"""The JSON beside a checkpoint: what is needed to build the model again and to go on training it.

``check`` is the one schema. A manifest that passes it can be used without looking again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vae_tf1.data.binarization import PROTOCOLS
from vae_tf1.errors import CheckpointError, reason
from vae_tf1.model import optimizers
from vae_tf1.model.bound import Objective

__all__ = ["FORMAT", "PARTS", "read", "text"]

FORMAT = 1
_LONGEST = 1 << 24  # bytes; a manifest has a few hundred
_LARGEST = 2**63 - 1

Check = Callable[[Any], bool]


def _count(least: int = 0) -> Check:
    return lambda value: type(value) is int and least <= value <= _LARGEST


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e38 and math.isfinite(value)


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) < 1000 and all(map(_count(1), value))


def _validation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("data"), str)
        and isinstance(value.get("history"), list)
        and all(map(_validated, value["history"]))
    )


def _validated(row: Any) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 6
        and all(_count()(row[i]) for i in (0, 1, 5))
        and all(value is None or _finite(value) for value in row[2:5])
    )


def _part(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type", value.get("own")), str)


def _prior(value: Any) -> bool:
    return (
        value is None
        or _part(value)
        or (
            isinstance(value, dict)
            and _finite(value.get("mean"))
            and _finite(value.get("variance"))
            and value["variance"] > 0
        )
    )


def _layers(value: Any) -> bool:
    return isinstance(value, list) and len(value) < 1000 and all(map(_part, value))


def _bound(value: Any) -> bool:
    try:
        return Objective(**value).describe() == value
    except (TypeError, ValueError):
        return False


# What `describe` writes of every model: the key, its check, and what is expected in words.
_SCHEMA: dict[str, tuple[Check, str]] = {
    "D": (_count(1), "a count"),
    "hidden_layer_sizes": (_sizes, "a list of counts"),
    "seed": (_count(), "a count"),
    "epochs_done": (_count(), "a count"),
    "prior": (_prior, "null, a mean and a positive variance, or a part"),
    "kl": (lambda value: value in ("analytic", "monte_carlo"), "'analytic' or 'monte_carlo'"),
}
# What `describe` adds for parts other than the default ones; see vae_tf1/parts.py.
PARTS: dict[str, tuple[Check, str]] = {
    "likelihood": (_part, "a part"),
    "encoder": (_layers, "a list of layers"),
    "decoder": (_layers, "a list of layers"),
    "flow": (_part, "a part"),
}
# What `describe` adds of how the model is trained.
_OPTIONS: dict[str, tuple[Check, str]] = {
    "n_labels": (_count(2), "a count"),
    "bound": (_bound, "the arguments of an objective"),
    "optimizer": (optimizers.is_description, "an optimizer's name, learning rate and clip_norm"),
    "binarization": (lambda value: value in PROTOCOLS, "a protocol of binarisation"),
    "validation": (_validation, "the fingerprint of a validation set and rows of six numbers"),
}
# What a training adds under "fit". Folders of version 1.0.0 lack the last two.
_FIT: dict[str, tuple[Check, str]] = {
    "first_epoch": (_count(), "a count"),
    "first_step": (_count(), "a count"),
    "first_cost": (_count(), "a count"),
    "batch_sz": (_count(1), "a count"),
    "rows": (_count(1), "a count"),
    "data": (_count(), "a checksum"),
}
_FIT_OPTIONAL: dict[str, tuple[Check, str]] = {
    "fingerprint": (lambda value: isinstance(value, str), "a text"),
    "compiled": (lambda value: type(value) is bool, "true or false"),
    "machine": (lambda value: isinstance(value, dict), "a table"),
    "binarization": (lambda value: value in PROTOCOLS, "a protocol of binarisation"),
    "workers": (_count(1), "a count"),
}


def text(facts: Mapping[str, Any]) -> str:
    """Return the manifest of these facts, as it stands in the file."""
    return json.dumps({"format": FORMAT, **facts}, indent=2) + "\n"


def read(file: Path, files: set[str]) -> dict[str, Any]:
    """Return the manifest in `file`, an empty one if there is no such file.

    Parameters
    ----------
    file
        The JSON.
    files
        Names of the files whose checksums it must list.

    Raises
    ------
    CheckpointError
        If it is damaged, or of a later format.
    """
    try:
        if not file.is_file():
            return {}
        if file.stat().st_size > _LONGEST:
            raise ValueError(f"it has more than {_LONGEST:,} bytes")
        manifest = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(manifest, dict):
            raise ValueError("it is not a JSON object")
        version: Any = manifest.get("format")
        if not _count(1)(version):
            raise ValueError(f"its format is {version!r}")
        if version <= FORMAT:
            _check(manifest, files)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is damaged: {reason(error)}") from None
    if version > FORMAT:
        raise CheckpointError(f"{file} has format {version}; this version reads up to {FORMAT}")
    return manifest


def _check(manifest: Mapping[str, Any], files: set[str]) -> None:
    """Raise a ValueError unless the manifest is one that `Writer.write` could have made."""
    _check_table(manifest, _SCHEMA, "")
    _check_table(manifest, PARTS, "", optional=True)
    _check_table(manifest, _OPTIONS, "", optional=True)
    digests = manifest.get("sha256")
    if not isinstance(digests, dict) or set(digests) != files:
        raise ValueError("it does not list the files of this checkpoint")
    if not all(isinstance(digest, str) for digest in digests.values()):
        raise ValueError("a checksum in it is not a text")
    fit = manifest.get("fit")
    if fit is not None:
        if not isinstance(fit, dict):
            raise ValueError("fit is not a table")
        _check_table(fit, _FIT, "fit: ")
        _check_table({**fit}, _FIT_OPTIONAL, "fit: ", optional=True)


def _check_table(
    table: Mapping[str, Any],
    schema: Mapping[str, tuple[Check, str]],
    where: str,
    optional: bool = False,
) -> None:
    for key, (check, expected) in schema.items():
        if key not in table:
            if optional:
                continue
            raise ValueError(f"{where}{key} is missing")
        if not check(table[key]):
            raise ValueError(f"{where}{key} is {str(table[key])[:60]}, expected {expected}")
