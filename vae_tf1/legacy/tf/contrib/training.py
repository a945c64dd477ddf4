"""`tf.contrib.training`'s hyperparameters, the one part of it that no package has any more."""

from __future__ import annotations

import json
import numbers
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["HParams", "names", "parse_values", "title"]

title = "`tf.contrib.training.HParams`: hyperparameters by name"

# name = value, name[index] = value or name = [values], up to a comma or the end.
_CLAUSE = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
    r"((?P<value>[^,\[]*)|\[(?P<values>[^\]]*)\])($|,\s*)"
)


class HParams:
    """Named hyperparameters, as attributes: `HParams(learning_rate=0.1).learning_rate`.

    The type of a parameter, and whether it is a list, are those of its first value.
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any) -> None:
        if hparam_def is not None:
            raise ValueError("HParams from a protocol buffer are not provided: pass keywords.")
        self._hparam_types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Add a parameter.

        Raises
        ------
        ValueError
            The name is taken, or the value is an empty list.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        is_list = isinstance(value, list | tuple)
        if is_list and not value:
            raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
        self._hparam_types[name] = type(value[0] if is_list else value), is_list
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Change a parameter.

        Raises
        ------
        KeyError
            There is no such parameter.
        ValueError
            The value's type does not fit, or a list is given for a single value or vice versa.
        """
        kind, is_list = self._hparam_types[name]
        if is_list != isinstance(value, list):
            how = "Must pass a list for multi" if is_list else "Must not pass a list for single"
            raise ValueError(f"{how}-valued parameter: {name}")
        setattr(self, name, [_cast(name, kind, v) for v in value] if is_list
                else _cast(name, kind, value))  # fmt: skip

    def del_hparam(self, name: str) -> None:
        """Remove a parameter, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values: str) -> HParams:
        """Change parameters by a text such as ``learning_rate=0.3,sizes=[20,10],name=vae``."""
        types = {name: kind for name, (kind, _) in self._hparam_types.items()}
        return self.override_from_dict(parse_values(values, types))

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Change the parameters that a mapping names."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    set_from_map = override_from_dict

    def parse_json(self, values_json: str) -> HParams:
        """Change the parameters that a JSON object names."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """Return the parameters as a JSON object."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key: str, default: Any = None) -> Any:
        """Return a parameter, or the default if there is no such parameter.

        Raises
        ------
        ValueError
            The default is not of the parameter's type.
        """
        if key not in self._hparam_types:
            return default
        kind, is_list = self._hparam_types[key]
        if default is not None:
            if is_list != isinstance(default, list):
                raise ValueError(f"Hparam {key!r} is incompatible with default={default}")
            for value in default if is_list else [default]:
                _cast(key, kind, value)
        return getattr(self, key)

    def set_model_structure(self, model_structure: Any) -> None:
        """Keep a structure of the script's own."""
        self._model_structure = model_structure

    def get_model_structure(self) -> Any:
        """Return what `set_model_structure` kept."""
        return self._model_structure

    def __contains__(self, key: str) -> bool:
        return key in self._hparam_types

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.values().items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({sorted(self.values().items())})"


def _cast(name: str, kind: type, value: Any) -> Any:
    """Return a value in its parameter's type; only integers become floats, by themselves."""
    if type(value) is kind or kind is type(None):
        return value
    fits = (
        isinstance(value, str | bytes) or not issubclass(kind, str | bytes),
        isinstance(value, bool) == issubclass(kind, bool),
        isinstance(value, numbers.Integral) or not issubclass(kind, numbers.Integral),
        isinstance(value, numbers.Number) or not issubclass(kind, numbers.Number),
    )
    if not all(fits):
        raise ValueError(f"Could not cast hparam {name!r} of type {kind!r} from value {value!r}")
    return kind(value)


def parse_values(
    values: str, type_map: Mapping[str, type], ignore_unknown: bool = False
) -> dict[str, Any]:
    """Return what a text such as ``a=1,b[2]=0.5,c=[x,y]`` assigns.

    Parameters
    ----------
    values : str
    type_map : mapping
        The type of each parameter; of its elements, if it is a list.
    ignore_unknown : bool
        Whether to leave out parameters that have no type, rather than to refuse them.

    Returns
    -------
    dict
        A value, a list of values, or a dict of values by index, for each name.

    Raises
    ------
    ValueError
        The text is malformed, a value is not of its type, or something is assigned twice.
    """
    found: dict[str, Any] = {}
    position = 0
    while position < len(values):
        clause = _CLAUSE.match(values, position)
        if clause is None:
            raise ValueError(f"Malformed hyperparameter value: {values[position:]}")
        position = clause.end()
        name, index = clause["name"], clause["index"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        kind = type_map[name]
        parse = _parse_bool if kind is bool else kind
        text = clause["value"] if clause["values"] is None else clause["values"]
        try:
            parsed = _parsed(clause, parse)
        except ValueError:
            raise ValueError(
                f"Could not parse hparam {name!r} of type {kind.__name__!r} with value {text!r} "
                f"in {values}"
            ) from None
        if index is None:
            target, key = found, name
        elif isinstance(parsed, list):
            raise ValueError("Assignment of a list to a list index.")
        else:
            target, key = found.setdefault(name, {}), int(index)
        if not isinstance(target, dict) or key in target:
            what = name if index is None or not isinstance(target, dict) else f"{name}[{index}]"
            raise ValueError(f"Multiple assignments to variable {what!r} in {values}")
        target[key] = parsed
    return found


def _parsed(clause: re.Match, parse: Callable[[str], Any]) -> Any:
    if clause["values"] is None:
        return parse(clause["value"])
    return [parse(element) for element in re.split("[ ,]", clause["values"]) if element]


def _parse_bool(text: str) -> bool:
    words = {"true": True, "True": True, "false": False, "False": False}
    return words[text] if text in words else bool(int(text))


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    homes = ("contrib.training", "contrib.training.python.training.hparam")
    return {f"{home}.{f.__name__}": f for home in homes for f in (HParams, parse_values)}
