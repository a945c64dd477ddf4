"""Names and argument orders that went with TensorFlow 1.0, such as `tf.pack` and `tf.concat(0, x)`.

Where an order changed, the old and the new one are told apart by what is given, and both work.
"""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

__all__ = ["names", "title"]

title = (
    "Names and argument orders that went with TensorFlow 1.0, such as `tf.pack` and "
    "`tf.concat(0, x)`"
)


def _is_axis(value: Any) -> bool:
    """Tell whether a value can be the axis of `concat`: an integer, or a scalar integer tensor."""
    if isinstance(value, numbers.Integral):
        return not isinstance(value, bool)
    if isinstance(value, (np.ndarray, tf.Tensor)):
        return tf.as_dtype(value.dtype).is_integer and tf.TensorShape(value.shape).rank == 0
    return False


def concat(*args: Any, **kwargs: Any) -> tf.Tensor:
    """Join tensors along an axis: `concat(values, axis)`, or `concat(concat_dim, values)`.

    Raises
    ------
    TypeError
        If the values or the axis are missing.
    """
    arguments = _arguments("concat", ("values", "axis", "name"), args, kwargs, old=_concat_order)
    return tf.concat(**arguments)


def _concat_order(args: tuple, kwargs: dict) -> tuple[str, ...] | None:
    """Return the order before TF 1.0 if the call is in that order."""
    old = ("axis", "values", "name")
    if "concat_dim" in kwargs:
        return old
    if not args:
        return None
    if "values" in kwargs:
        return old
    if "axis" in kwargs or len(args) == 1:
        return None
    return old if _is_axis(args[0]) and not _is_axis(args[1]) else None


def split(*args: Any, **kwargs: Any) -> list[tf.Tensor]:
    """Cut a tensor: `split(value, num_or_size_splits, axis=0)`, or `split(axis, num, value)`.

    Raises
    ------
    TypeError
        If an argument is missing.
    """
    new = ("value", "num_or_size_splits", "axis", "num", "name")
    return tf.split(**_arguments("split", new, args, kwargs, old=_split_order))


def _split_order(args: tuple, kwargs: dict) -> tuple[str, ...] | None:
    old = ("axis", "num_or_size_splits", "value", "name")
    if "split_dim" in kwargs or "num_split" in kwargs or (args and "value" in kwargs):
        return old
    # split(axis, number, value): only there is the third one a tensor with axes of its own.
    if len(args) >= 3 and _is_axis(args[0]) and not _is_axis(args[2]):
        return old
    return None


_OLD_KEYWORDS = {
    "concat": {"concat_dim": "axis"},
    "split": {"split_dim": "axis", "num_split": "num_or_size_splits"},
}


def _arguments(
    function: str,
    order: tuple[str, ...],
    args: tuple,
    kwargs: dict,
    old: Callable[[tuple, dict], tuple[str, ...] | None],
) -> dict[str, Any]:
    """Return the arguments of a call by name, whichever order they came in."""
    order = old(args, kwargs) or order
    if len(args) > len(order):
        raise TypeError(f"{function} takes {len(order)} arguments, but got {len(args)}.")
    arguments = dict(zip(order, args, strict=False))
    for key, value in kwargs.items():
        key = _OLD_KEYWORDS[function].get(key, key)
        if key in arguments:
            raise TypeError(f"{function} got two values for {key!r}.")
        arguments[key] = value
    for needed in order[:2]:
        if needed not in arguments:
            raise TypeError(f"{function} needs {needed!r}.")
    return arguments


def split_v(
    value: Any, size_splits: Any, split_dim: int = 0, num: int | None = None, name: str = "split_v"
) -> list[tf.Tensor]:
    """Cut a tensor into pieces of given sizes."""
    return tf.split(value, size_splits, split_dim, num, name)


def reverse(tensor: Any, axis: Any = None, name: str | None = None, dims: Any = None) -> tf.Tensor:
    """Reverse some axes: their numbers, or, before TF 1.0, one boolean for each axis."""
    axis = dims if axis is None else axis
    known = tf.get_static_value(axis) if tf.is_tensor(axis) else axis
    flags = None if known is None else np.asarray(known)
    if flags is not None and flags.dtype == bool:
        axis = np.flatnonzero(flags).astype(np.int32)
    return tf.reverse(tensor, axis, name)


def _cross_entropy(function: Callable, old_order: tuple[str, ...]) -> Callable:
    """Return a cross entropy that takes its arguments in the order before TF 1.0 as well.

    From 1.0 to 1.15 these functions refused positional arguments, so that whoever passes some
    means the old order: logits first.
    """
    name = function.__name__

    @functools.wraps(function)
    def cross_entropy(*args: Any, **kwargs: Any) -> tf.Tensor:
        if len(args) > len(old_order):
            raise TypeError(f"{name} takes {', '.join(old_order)}, but got {len(args)} arguments.")
        if "targets" in kwargs:
            kwargs["labels"] = kwargs.pop("targets")
        arguments = dict(zip(old_order, args, strict=False))
        twice = arguments.keys() & kwargs.keys()
        if twice:
            raise TypeError(f"{name} got two values for {', '.join(sorted(twice))}.")
        arguments |= kwargs
        if arguments.get("labels") is None or arguments.get("logits") is None:
            raise ValueError(f"{name} needs both labels and logits.")
        return function(**arguments)

    return cross_entropy


def _collect(summary: tf.Tensor, collections: Sequence[str] | None) -> tf.Tensor:
    keys = [tf.GraphKeys.SUMMARIES] if collections is None else list(collections)
    tf.add_to_collections(keys, summary)
    return summary


def scalar_summary(
    tags: Any, values: Any, collections: Sequence[str] | None = None, name: str | None = None
) -> tf.Tensor:
    """Return the summary of scalars, whose tags are used as they are.

    Parameters
    ----------
    tags
        A string, or as many of them as there are values.
    """
    return _collect(tf.raw_ops.ScalarSummary(tags=tags, values=values, name=name), collections)


def histogram_summary(
    tag: Any, values: Any, collections: Sequence[str] | None = None, name: str | None = None
) -> tf.Tensor:
    """Return the summary of a histogram of values."""
    return _collect(tf.raw_ops.HistogramSummary(tag=tag, values=values, name=name), collections)


def image_summary(
    tag: Any,
    tensor: Any,
    max_images: int = 3,
    collections: Sequence[str] | None = None,
    name: str | None = None,
) -> tf.Tensor:
    """Return the summary of up to `max_images` images (batch, height, width, 1, 3 or 4)."""
    made = tf.raw_ops.ImageSummary(tag=tag, tensor=tensor, max_images=max_images, name=name)
    return _collect(made, collections)


def audio_summary(
    tag: Any,
    tensor: Any,
    sample_rate: float,
    max_outputs: int = 3,
    collections: Sequence[str] | None = None,
    name: str | None = None,
) -> tf.Tensor:
    """Return the summary of up to `max_outputs` clips (batch, frames, or also channels)."""
    made = tf.raw_ops.AudioSummaryV2(
        tag=tag, tensor=tensor, sample_rate=sample_rate, max_outputs=max_outputs, name=name
    )
    return _collect(made, collections)


def merge_all_summaries(key: str = tf.GraphKeys.SUMMARIES) -> tf.Tensor | None:
    """Return one summary of all those in a collection, or None where there is none."""
    return tf.summary.merge_all(key)


def batch_matmul(
    x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None
) -> tf.Tensor:
    """Multiply matrices in batches: (…, r, k) by (…, k, c); `adj_x` takes the adjoint of x."""
    return tf.matmul(x, y, adjoint_a=bool(adj_x), adjoint_b=bool(adj_y), name=name)


def batch_matrix_transpose(a: Any, name: str | None = None) -> tf.Tensor:
    """Transpose the last two axes."""
    return tf.matrix_transpose(a, name or "matrix_transpose")


def select(condition: Any, t: Any, e: Any, name: str | None = None) -> tf.Tensor:
    """Return `t` where the condition holds and `e` elsewhere."""
    return tf.where(condition, t, e, name)


# The function of today for each name from before TF 1.0 that takes the same arguments.
_SAME_ARGUMENTS = {
    "complex_abs": "abs",
    "inv": "reciprocal",
    "listdiff": "setdiff1d",
    "mul": "multiply",
    "neg": "negative",
    "pack": "stack",
    "sub": "subtract",
    "unpack": "unstack",
    "concat_v2": "concat",
    "initialize_all_variables": "global_variables_initializer",
    "initialize_local_variables": "local_variables_initializer",
    "initialize_variables": "variables_initializer",
    "all_variables": "global_variables",
    "merge_summary": "summary.merge",
    "train.SummaryWriter": "summary.FileWriter",
    "train.SummaryWriterCache": "summary.FileWriterCache",
    "batch_cholesky": "cholesky",
    "batch_cholesky_solve": "cholesky_solve",
    "batch_fft": "fft",
    "batch_fft2d": "fft2d",
    "batch_fft3d": "fft3d",
    "batch_ifft": "ifft",
    "batch_ifft2d": "ifft2d",
    "batch_ifft3d": "ifft3d",
    "batch_matrix_band_part": "matrix_band_part",
    "batch_matrix_determinant": "matrix_determinant",
    "batch_matrix_diag": "matrix_diag",
    "batch_matrix_diag_part": "matrix_diag_part",
    "batch_matrix_inverse": "matrix_inverse",
    "batch_matrix_set_diag": "matrix_set_diag",
    "batch_matrix_solve": "matrix_solve",
    "batch_matrix_solve_ls": "matrix_solve_ls",
    "batch_matrix_triangular_solve": "matrix_triangular_solve",
    "batch_self_adjoint_eig": "self_adjoint_eig",
    "batch_self_adjoint_eigvals": "self_adjoint_eigvals",
    "batch_svd": "svd",
}


def names() -> dict[str, object]:
    """Return what this family provides, by its TF1 name under `tensorflow`."""
    provided: dict[str, object] = {
        f.__name__: f
        for f in (
            audio_summary, batch_matmul, batch_matrix_transpose, concat, histogram_summary,
            image_summary, merge_all_summaries, reverse, scalar_summary, select, split, split_v,
        )
    }  # fmt: skip
    for old, new in _SAME_ARGUMENTS.items():
        provided[old] = functools.reduce(getattr, new.split("."), tf)
    for function, more in (
        ("sigmoid_cross_entropy_with_logits", ()),
        ("softmax_cross_entropy_with_logits", ("dim",)),
        ("sparse_softmax_cross_entropy_with_logits", ()),
    ):
        order = ("logits", "labels", *more, "name")
        provided[f"nn.{function}"] = _cross_entropy(getattr(tf.nn, function), order)
    return provided
