"""Python 2 at run time: its division, rounding and comparison, and `pickle` as its `cPickle`."""

from __future__ import annotations

import decimal
import functools
import io
import numbers
import operator
import pickle
import sys
from builtins import input, open  # noqa: UP029 - handed on by name

# `open` and `input` are here for modules that call them `file` and `raw_input`.
__all__ = [
    "cmp", "divide", "exec_", "execfile", "inplace_divide", "input", "names", "open", "round_",
    "sort", "sorted_", "title",
]  # fmt: skip

title = "Python 2 at run time: its division, rounding and comparison, and `pickle` as its `cPickle`"


def divide(a: object, b: object) -> object:
    """Return ``a / b`` of Python 2: rounded down between integers, arrays of them included."""
    if _divides_classically(a):
        return a.__div__(b)
    if _divides_classically(b) and hasattr(b, "__rdiv__"):
        return b.__rdiv__(a)
    if _is_integral(a) and _is_integral(b):
        return a // b
    return a / b


def inplace_divide(a: object, b: object) -> object:
    """Return what ``a /= b`` of Python 2 leaves in `a`; arrays are changed in place."""
    if hasattr(a, "__idiv__"):
        return a.__idiv__(b)
    if _is_integral(a):
        # Also by a float where `a` is an integer array: NumPy put the quotient back as integers.
        if _is_integral(b):
            return operator.ifloordiv(a, b)
        if hasattr(a, "dtype") and getattr(a, "ndim", 0):
            a[...] = a / b
            return a
    return divide(a, b) if _divides_classically(a) else operator.itruediv(a, b)


def _divides_classically(value: object) -> bool:
    """Tell whether a class of the script's, or a tensor, has a division of its own."""
    return hasattr(type(value), "__div__")


def _is_integral(value: object) -> bool:
    dtype = getattr(value, "dtype", None)
    kind = getattr(dtype, "kind", None)
    return isinstance(value, numbers.Integral) or (isinstance(kind, str) and kind in "biu")


def round_(number: float, ndigits: int = 0) -> float:
    """Return a float rounded half away from zero, as Python 2's ``round`` does."""
    if not isinstance(number, numbers.Real):
        return round(number, ndigits)
    exact = float(number)
    if exact - exact != 0:  # infinite or not a number
        return exact
    step = decimal.Decimal(1).scaleb(-ndigits)
    # Enough digits for any float, exactly.
    context = decimal.Context(prec=1100, rounding=decimal.ROUND_HALF_UP)
    return float(decimal.Decimal(exact).quantize(step, context=context))


def cmp(a: object, b: object) -> int:
    """Return -1, 0 or 1 as `a` is less than, equal to or greater than `b`."""
    return (a > b) - (a < b)


def sorted_(iterable, cmp=None, key=None, reverse=False) -> list:
    """Return what ``sorted`` of Python 2 does, whose second argument compares two values."""
    return sorted(iterable, key=_key(cmp, key), reverse=reverse)


def sort(owner: object, *args: object, **kwargs: object) -> object:
    """Call ``owner.sort``; the first argument of a list's compares two values."""
    if not isinstance(owner, list):
        return owner.sort(*args, **kwargs)
    given = dict(zip(("cmp", "key", "reverse"), args, strict=False)) | kwargs
    key = _key(given.get("cmp"), given.get("key"))
    return owner.sort(key=key, reverse=given.get("reverse", False))


def _key(cmp, key):
    if cmp is None:
        return key
    compared = functools.cmp_to_key(cmp)
    return compared if key is None else lambda value: compared(key(value))


def exec_(code, globals=None, locals=None) -> None:
    """Run code, text in Python 2 included, as ``exec code in globals, locals`` does."""
    frame = sys._getframe(1)
    if globals is None:
        globals, locals = frame.f_globals, frame.f_locals
    if isinstance(code, io.IOBase):
        code = code.read()
    if isinstance(code, str | bytes):
        code = _compiled(code, "<string>")
    exec(code, globals, globals if locals is None else locals)


def execfile(filename, globals=None, locals=None) -> None:
    """Run a file in Python 2, by default in the namespace of who calls."""
    frame = sys._getframe(1)
    if globals is None:
        globals, locals = frame.f_globals, frame.f_locals
    with open(filename, "rb") as file:
        code = _compiled(file.read(), filename)
    exec(code, globals, globals if locals is None else locals)


def _compiled(source: str | bytes, path: str):
    from vae_tf1.legacy.machinery.source import parse

    data = source.encode() if isinstance(source, str) else source
    tree, _ = parse(data, path, python2=True)
    return compile(tree, path, "exec", dont_inherit=True)


def _load(file, **options):
    """Return what `pickle.load` does, strings of a Python 2 pickle read byte for byte."""
    return pickle.load(_binary(file), **{"encoding": "latin1"} | options)


def _loads(data, **options):
    data = data.encode("latin1") if isinstance(data, str) else data
    return pickle.loads(data, **{"encoding": "latin1"} | options)


def _dump(obj, file, protocol=None, **options):
    pickle.dump(obj, _binary(file), protocol, **options)


def _binary(file):
    """Return the bytes behind a file that was opened as text, which Python 2 told not apart."""
    return file.buffer if isinstance(file, io.TextIOBase) else file


def names() -> dict[str, object]:
    """Return what a translated module finds changed in `pickle`, which is its `cPickle` too."""
    return {"pickle.load": _load, "pickle.loads": _loads, "pickle.dump": _dump}
