"""`arg_scope` and `add_arg_scope`: default arguments for every call inside a `with` block."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["add_arg_scope", "arg_scope", "current_arg_scope", "has_arg_scope", "names", "title"]

title = "`arg_scope` and `add_arg_scope`: default arguments for every call inside a `with` block"

Scope = dict[Any, dict[str, Any]]
_stack: list[Scope] = [{}]


def arg_scope_func_key(function: Callable) -> Any:
    """Return what a scope files a function's defaults under."""
    return getattr(function, "_key_op", function)


def has_arg_scope(function: Callable) -> bool:
    """Tell whether a function takes defaults from `arg_scope`."""
    return hasattr(function, "_key_op")


def current_arg_scope() -> Scope:
    """Return the defaults in force, which `arg_scope` accepts to open them again."""
    return _stack[-1]


def arg_scoped_arguments(function: Callable) -> tuple[str, ...]:
    """Return the names of the arguments of a decorated function that have defaults."""
    if not has_arg_scope(function):
        raise ValueError(f"{_name(function)} is not decorated with @add_arg_scope.")
    parameters = inspect.signature(function).parameters.values()
    return tuple(p.name for p in parameters if p.default is not inspect.Parameter.empty)


def add_arg_scope(function: Callable) -> Callable:
    """Decorate a function so that `arg_scope` can set its arguments; the caller's own win."""

    @functools.wraps(function)
    def with_scope(*args: Any, **kwargs: Any) -> Any:
        defaults = current_arg_scope().get(with_scope._key_op, {})
        return function(*args, **{**defaults, **kwargs})

    with_scope._key_op = function
    return with_scope


@contextmanager
def arg_scope(list_ops_or_scope: Sequence[Callable] | Scope, **kwargs: Any) -> Iterator[Scope]:
    """Set defaults for calls of decorated functions inside the `with` block.

    Parameters
    ----------
    list_ops_or_scope
        The functions, or a scope that an earlier `with arg_scope(...) as scope` gave.
    **kwargs
        The defaults; they add to those of the enclosing scopes. None with an earlier scope.

    Raises
    ------
    TypeError
        If the first argument is neither a list of functions nor a scope.
    ValueError
        If a function is not decorated with `add_arg_scope`, or a scope comes with keywords.
    """
    if isinstance(list_ops_or_scope, dict):
        if kwargs:
            raise ValueError(
                "An arg_scope that is opened again takes no keywords, but was given "
                f"{', '.join(kwargs)}."
            )
        scope = dict(list_ops_or_scope)
    elif isinstance(list_ops_or_scope, (list, tuple)):
        scope = dict(current_arg_scope())
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                raise ValueError(f"{_name(function)} is not decorated with @add_arg_scope.")
            key = arg_scope_func_key(function)
            scope[key] = {**scope.get(key, {}), **kwargs}
    else:
        raise TypeError(
            "arg_scope takes a list of functions or an earlier scope, but was given "
            f"{list_ops_or_scope!r}."
        )
    _stack.append(scope)
    try:
        yield scope
    finally:
        _stack.pop()


def _name(function: Callable) -> str:
    return getattr(function, "__name__", repr(function))


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    functions = (
        add_arg_scope, arg_scope, arg_scope_func_key, arg_scoped_arguments, current_arg_scope,
        has_arg_scope,
    )  # fmt: skip
    homes = ("contrib.framework", "contrib.framework.python.ops")
    provided = {f"{home}.{f.__name__}": f for home in homes for f in functions}
    provided |= {f"contrib.slim.{f.__name__}": f for f in (add_arg_scope, arg_scope)}
    return provided
