"""TensorFlow Probability's distributions and bijectors as parts of a model's graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["in_graph", "is_tfp", "values_of"]


def is_tfp(part: Any) -> bool:
    """Whether it is a distribution or a bijector, told without importing the library."""
    modules = (cls.__module__ for cls in type(part).__mro__)
    return any(module.startswith("tensorflow_probability.") for module in modules)


def values_of(part: Any) -> dict[int, np.ndarray]:
    """Return the values of the variables made in eager mode, which can only be read there."""
    if not tf.executing_eagerly():
        return {}
    return {id(v): v.numpy() for v in part.variables if not _is_of_a_graph(v)}


def in_graph(part: Any, values: Mapping[int, np.ndarray]) -> Any:
    """Return a distribution or bijector made in eager mode as one of the default graph.

    It is made again of the arguments that it was made of, and each variable in them as a variable
    of this graph. What is of a graph already is returned as it is.

    Parameters
    ----------
    part
        The distribution or bijector.
    values
        What `values_of` returned of it in eager mode: the initial values.

    Raises
    ------
    ValueError
        If that cannot be done.
    """
    try:
        return _in_graph(part, values, {})
    except (TypeError, AttributeError, KeyError, NotImplementedError, RuntimeError) as error:
        message = str(error).splitlines()[0]
        raise ValueError(
            f"{type(part).__name__} cannot be made again in the model's graph ({message}): give a "
            "function that returns it, which the model calls there"
        ) from None


def _in_graph(value: Any, values: Mapping[int, np.ndarray], made: dict[int, Any]) -> Any:
    def again(value: Any) -> Any:
        return _in_graph(value, values, made)

    if id(value) not in made:
        made[id(value)] = _made_again(value, values, again)
    return made[id(value)]


def _made_again(value: Any, values: Mapping[int, np.ndarray], again: Callable[[Any], Any]) -> Any:
    if isinstance(value, tf.Variable):
        if _is_of_a_graph(value):
            return value
        return tf.compat.v1.Variable(
            values[id(value)], trainable=value.trainable, use_resource=True
        )
    if tf.is_tensor(value) and not is_tfp(value):
        return value if _is_of_a_graph(value) else value.numpy()
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(again(each) for each in value)
    if isinstance(value, dict):
        return {key: again(each) for key, each in value.items()}
    if not is_tfp(value):
        return list(value) if type(value).__name__ == "ListWrapper" else value
    if hasattr(value, "pretransformed_input"):  # tfp.util.TransformedVariable
        import tensorflow_probability as tfp

        variable = again(value.pretransformed_input)
        return tfp.util.DeferredTensor(variable, value.transform_fn, dtype=value.dtype)
    arguments = {
        key: again(each)
        for key, each in value.parameters.items()
        if not key.startswith("__") and key != "self"
    }
    made = type(value)(**arguments)
    if not all(_is_of_a_graph(variable) for variable in made.variables):
        raise TypeError("it has variables that are not among its arguments")
    return made


def _is_of_a_graph(value: Any) -> bool:
    return getattr(value, "graph", None) is not None
