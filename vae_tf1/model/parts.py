"""What the exchangeable parts of a model have in common: likelihood, prior, flow, layers.

A ready-made part is a dataclass of its arguments, so that JSON can describe it. Its variables are
made by ``build``, which the model calls on a copy, in its own graph and with its own seed: one
description serves any number of models, in eager mode too.

A part of one's own is any object with the methods that the model calls. If it has ``build``, that
is called as well; ``variables``, if it has them, are trained and saved with the model.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf

from vae_tf1.model.initializers import INITIALIZERS

__all__ = [
    "ACTIVATIONS",
    "Table",
    "adopted",
    "check_variables",
    "describe",
    "missing",
    "rebuild",
    "variables_of",
]

Table = Mapping[str, Callable[..., Any]]  # ready-made parts by the names of their classes

ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "identity": tf.identity,
    "relu": tf.nn.relu,
    "leaky_relu": tf.nn.leaky_relu,
    "elu": tf.nn.elu,
    "softplus": tf.nn.softplus,
    "sigmoid": tf.nn.sigmoid,
    "tanh": tf.nn.tanh,
}


def adopted(part: Any, *arguments: Any) -> Any:
    """Return a part with its variables in the graph that is the default one.

    A part with ``build`` is copied, and the copy is built with these arguments, unless it has its
    variables in this graph already.
    """
    graph = tf.compat.v1.get_default_graph()
    here = [getattr(variable, "graph", None) is graph for variable in variables_of(part)]
    if hasattr(part, "build") and not (here and all(here)):
        part = copy.copy(part)
        part.build(*arguments)
    return part


def variables_of(part: Any) -> list[tf.Variable]:
    """Return the variables of a part that are trained; a part of one's own may have none."""
    found = getattr(part, "variables", ())
    return [v for v in (() if callable(found) else found) if getattr(v, "trainable", True)]


def check_variables(part: Any, what: str) -> None:
    """Check the variables of a part.

    Raises
    ------
    ValueError
        If one is of another graph than the default one, or not float32.
    """
    for variable in variables_of(part):
        if getattr(variable, "graph", None) is not tf.compat.v1.get_default_graph():
            raise ValueError(
                f"{what} has a variable outside of the model's graph: create it in a method "
                "build(), or give a function that returns the part; the model calls either in its "
                "graph"
            )
        if variable.dtype.base_dtype != tf.float32:
            raise ValueError(
                f"{what} has a variable of {variable.dtype.base_dtype.name}, expected float32"
            )


# In JSON's types ---------------------------------------------------------------------------------


def describe(part: Any, table: Table) -> dict[str, Any]:
    """Return a part as JSON: its class and arguments, or the name of the user's own class."""
    name = type(part).__name__
    if table.get(name) is type(part):
        with suppress(TypeError):
            arguments = {key: _as_json(getattr(part, key), table) for key in _arguments(part)}
            return {"type": name, **arguments}
    return {"own": getattr(part, "__name__", name)}


def _arguments(part: Any) -> list[str]:
    """Return the names of the arguments that a ready-made part is described by."""
    if hasattr(part, "ARGUMENTS"):
        return list(part.ARGUMENTS)
    return [field.name for field in dataclasses.fields(part) if field.init and field.repr]


def rebuild(description: Mapping[str, Any], table: Table) -> Any:
    """Return the part that `describe` has described.

    Raises
    ------
    ValueError, TypeError
        If there is no such part, or it has other arguments.
    """
    arguments = dict(description)
    name = arguments.pop("type", None)
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{str(name)[:60]!r} is not one of {', '.join(table)}")
    return table[name](**{key: _from_json(value, table) for key, value in arguments.items()})


def missing(descriptions: Any) -> list[str]:
    """Return the names of the user's own classes in a description: they must be passed again."""
    if isinstance(descriptions, Mapping):
        own = descriptions.get("own")
        return [own] if isinstance(own, str) else []
    return [name for each in descriptions for name in missing(each)]


def _as_json(value: Any, table: Table) -> Any:
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, np.integer | np.floating | np.bool_):
        return value.item()
    if isinstance(value, Sequence):
        return [_as_json(each, table) for each in value]
    if type(value).__name__ in table:
        described = describe(value, table)
        if "own" not in described:
            return described
    for kind, functions in _FUNCTIONS.items():
        for name, function in functions.items():
            if function is value:
                return {kind: name}
    raise TypeError(f"JSON has no word for {value!r}")


def _from_json(value: Any, table: Table) -> Any:
    if isinstance(value, list):
        return [_from_json(each, table) for each in value]
    if isinstance(value, dict):
        for kind, functions in _FUNCTIONS.items():
            if set(value) == {kind}:
                return functions[value[kind]]
        return rebuild(value, table)
    return value


_FUNCTIONS: dict[str, dict[str, Callable]] = {
    "activation": ACTIVATIONS,
    "initializer": INITIALIZERS,
}
