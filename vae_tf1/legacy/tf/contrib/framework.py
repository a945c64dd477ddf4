"""`tf.contrib.framework`: model variables, finding variables by scope, the global step."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from vae_tf1.legacy.tf.contrib.arg_scope import add_arg_scope

__all__ = ["get_variables", "model_variable", "names", "title", "variable"]

title = "`tf.contrib.framework`: model variables, finding variables by scope, the global step"

_Scope = str | tf.VariableScope | None


@add_arg_scope
def variable(
    name: str, shape: Any = None, dtype: Any = None, initializer: Any = None,
    regularizer: Callable | None = None, trainable: bool = True,
    collections: Sequence[str] | None = None, caching_device: Any = None, device: Any = None,
    partitioner: Any = None, custom_getter: Callable | None = None,
    use_resource: bool | None = None, **kwargs: Any,
) -> tf.Variable:  # fmt: skip
    """Return the variable of a name in the current scope, creating it where it is new.

    Parameters are those of `tf.get_variable`; `device` is where the variable is placed.
    """
    getter, more = tf.get_variable, kwargs
    if custom_getter is not None:
        # The getter that a scope was opened with; it gets what `tf.get_variable` would look up.
        getter, more = custom_getter, {**kwargs, "reuse": tf.get_variable_scope().reuse}
    with tf.device(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=list(dict.fromkeys(collections or [tf.GraphKeys.GLOBAL_VARIABLES])),
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
            **more,
        )


@add_arg_scope
def model_variable(
    name: str, shape: Any = None, dtype: Any = tf.float32, initializer: Any = None,
    regularizer: Callable | None = None, trainable: bool = True,
    collections: Sequence[str] | None = None, caching_device: Any = None, device: Any = None,
    partitioner: Any = None, custom_getter: Callable | None = None,
    use_resource: bool | None = None, **kwargs: Any,
) -> tf.Variable:  # fmt: skip
    """Return `variable(...)`, which joins the graph's `model_variables` when it is created."""
    return variable(
        name, shape, dtype, initializer, regularizer, trainable,
        [*(collections or []), tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES],
        caching_device, device, partitioner, custom_getter, use_resource, **kwargs,
    )  # fmt: skip


def add_model_variable(var: tf.Variable) -> None:
    """Add a variable to the graph's `model_variables`, once."""
    if not any(v is var for v in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES)):
        tf.add_to_collection(tf.GraphKeys.MODEL_VARIABLES, var)


def _outside_models(initial_value, validate_shape, name, use_resource, collection):
    return tf.Variable(
        initial_value,
        trainable=False,
        collections=[collection],
        validate_shape=validate_shape,
        name=name,
        use_resource=use_resource,
    )


def local_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> tf.Variable:
    """Return a new untrainable variable of the collection `local_variables`."""
    return _outside_models(
        initial_value, validate_shape, name, use_resource, tf.GraphKeys.LOCAL_VARIABLES
    )


def global_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: bool | None = None,
) -> tf.Variable:
    """Return a new untrainable variable of the collection `variables`."""
    return _outside_models(
        initial_value, validate_shape, name, use_resource, tf.GraphKeys.GLOBAL_VARIABLES
    )


def get_variables(
    scope: _Scope = None,
    suffix: str | None = None,
    collection: str = tf.GraphKeys.GLOBAL_VARIABLES,
) -> list[tf.Variable]:
    """Return the variables of a collection whose names begin with `scope` and end in `suffix`."""
    if isinstance(scope, tf.VariableScope):
        scope = scope.name
    if suffix is not None:
        scope = f"{scope or ''}.*{suffix if ':' in suffix else suffix + ':'}"
    return tf.get_collection(collection, scope)


def get_model_variables(scope: _Scope = None, suffix: str | None = None) -> list[tf.Variable]:
    """Return `get_variables` of the collection `model_variables`."""
    return get_variables(scope, suffix, tf.GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: _Scope = None, suffix: str | None = None) -> list[tf.Variable]:
    """Return `get_variables` of the collection `local_variables`."""
    return get_variables(scope, suffix, tf.GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope: _Scope = None, suffix: str | None = None) -> list[tf.Variable]:
    """Return `get_variables` of the collection `trainable_variables`."""
    return get_variables(scope, suffix, tf.GraphKeys.TRAINABLE_VARIABLES)


def get_variables_by_suffix(suffix: str, scope: _Scope = None) -> list[tf.Variable]:
    """Return the variables whose names end in `suffix`."""
    return get_variables(scope, suffix)


def get_variables_by_name(given_name: str, scope: _Scope = None) -> list[tf.Variable]:
    """Return the variables whose last part of the name is `given_name`."""
    return get_variables(scope, f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name: str) -> tf.Variable:
    """Return the variable of exactly that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    for candidate in get_variables(re.escape(var_op_name)):
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"There is no variable {var_op_name!r} in the graph.")


def get_variables_to_restore(
    include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
) -> list[tf.Variable]:
    """Return the variables under the scopes `include` (default: all) but not under `exclude`."""
    for name, scopes in (("include", include), ("exclude", exclude)):
        if scopes is not None and not isinstance(scopes, (list, tuple)):
            raise TypeError(f"{name} must be a list of scopes, but is {scopes!r}.")
    wanted = (
        get_variables()
        if include is None
        else [v for scope in include for v in get_variables(scope)]
    )
    unwanted = {id(v) for scope in exclude or [] for v in get_variables(scope)}
    return [v for v in wanted if id(v) not in unwanted]


def filter_variables(
    var_list: Sequence[tf.Variable],
    include_patterns: Sequence[str] | None = None,
    exclude_patterns: Sequence[str] | None = None,
    reg_search: bool = True,
) -> list[tf.Variable]:
    """Return the variables whose names match one of `include_patterns` and no excluded one."""
    match = re.search if reg_search else re.match

    def matches(var: tf.Variable, patterns: Sequence[str]) -> bool:
        return any(match(pattern, var.op.name) for pattern in patterns)

    included = [v for v in var_list if not include_patterns or matches(v, include_patterns)]
    return [v for v in included if not matches(v, exclude_patterns or [])]


def get_variable_full_name(var: tf.Variable) -> str:
    """Return a variable's name without the `:0`."""
    return var.op.name


def assign_from_checkpoint_fn(
    model_path: str,
    var_list: Sequence[tf.Variable] | dict[str, tf.Variable],
    ignore_missing_vars: bool = False,
    reshape_variables: bool = False,
) -> Callable[[tf.Session], None]:
    """Return a function of a session that restores variables from a checkpoint.

    Parameters
    ----------
    ignore_missing_vars
        Leave out, rather than fail on, what the checkpoint does not hold.

    Raises
    ------
    ValueError
        If there is nothing to restore.
    """
    if not var_list:
        raise ValueError("There are no variables to restore: var_list is empty.")
    by_name = var_list if isinstance(var_list, dict) else {v.op.name: v for v in var_list}
    if ignore_missing_vars:
        reader = tf.train.NewCheckpointReader(model_path)
        by_name = {name: v for name, v in by_name.items() if reader.has_tensor(name)}
    if not by_name:
        return lambda session: None
    saver = tf.train.Saver(by_name, reshape=reshape_variables)
    return lambda session: saver.restore(session, model_path)


def is_tensor(x: Any) -> bool:
    """Tell whether something is a tensor, a sparse tensor or a variable."""
    return tf.is_tensor(x) or isinstance(x, tf.Variable)


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    for_slim = (
        add_model_variable, assign_from_checkpoint_fn, filter_variables, get_local_variables,
        get_model_variables, get_trainable_variables, get_unique_variable, get_variable_full_name,
        get_variables, get_variables_by_name, get_variables_by_suffix, get_variables_to_restore,
        global_variable, local_variable, model_variable, variable, tf.train.create_global_step,
        tf.train.get_global_step, tf.train.get_or_create_global_step,
    )  # fmt: skip
    for_framework = (
        *for_slim, is_tensor, tf.train.assert_global_step, tf.train.list_variables,
        tf.train.load_checkpoint, tf.train.load_variable, tf.train.init_from_checkpoint,
    )  # fmt: skip
    provided = {f"contrib.framework.{f.__name__}": f for f in for_framework}
    provided |= {f"contrib.slim.{f.__name__}": f for f in for_slim}
    provided["contrib.framework.nest"] = tf.nest
    return provided
