"""Matplotlib's removed names and spellings."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from vae_tf1.legacy.machinery.lazy import Lazy

__all__ = ["names", "title"]

title = "Matplotlib's removed names and spellings"

_FILE_BACKENDS = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")


def names() -> dict[str, object]:
    """Return the old names of `matplotlib` and its modules."""
    pyplot = {
        "axes": _axes,
        "get_cmap": get_cmap,
        "grid": _grid,
        "hist": _hist,
        "hold": _hold,
        "ishold": _ishold,
        "subplot": _subplot,
        "subplots": _subplots,
        "switch_backend": _switch_backend,
    }
    return {
        "matplotlib.use": _use,
        "matplotlib.cm.get_cmap": get_cmap,
        "matplotlib.cm.register_cmap": _register_cmap,
        "matplotlib.cm.spectral": Lazy(lambda: get_cmap("spectral")),
        "matplotlib.style.use": _style_use,
        "matplotlib.style.context": _style_context,
        **{f"matplotlib.pyplot.{name}": value for name, value in pyplot.items()},
        **{f"matplotlib.pylab.{name}": value for name, value in pyplot.items()},
        **{f"pylab.{name}": value for name, value in pyplot.items()},
    }


def _pyplot():
    return import_module("matplotlib.pyplot")


def get_cmap(name=None, lut=None):
    """Return a colormap by its name, the default one for None, resampled to `lut` colours."""
    if name == "spectral":
        name = "nipy_spectral"
    return _pyplot().get_cmap(name, lut)


def _register_cmap(name=None, cmap=None, *, override_builtin=False) -> None:
    """Add a colormap to those that are known by name."""
    import matplotlib

    matplotlib.colormaps.register(cmap, name=name, force=override_builtin)


# Where pictures are drawn


def _subplot(*args, **kwargs):
    """Return an axes of the present figure; the numbers may be floats and are cut to integers."""
    return _pyplot().subplot(*map(_whole, args), **_facecolor(kwargs))


def _subplots(nrows=1, ncols=1, *args, **kwargs):
    """Return a new figure and its axes; the numbers may be floats and are cut to integers."""
    return _pyplot().subplots(_whole(nrows), _whole(ncols), *args, **kwargs)


def _axes(arg=None, **kwargs):
    """Return new axes of the present figure; `axisbg` is their background."""
    return _pyplot().axes(arg, **_facecolor(kwargs))


def _whole(number):
    return int(number) if hasattr(number, "__float__") else number


def _facecolor(kwargs: dict) -> dict:
    for old in ("axisbg", "axis_bgcolor"):
        if old in kwargs:
            kwargs["facecolor"] = kwargs.pop(old)
    return kwargs


def _hold(b=None) -> None:
    """Do nothing: axes keep what is drawn on them, which was the default then as well."""


def _ishold() -> bool:
    """Return True: axes keep what is drawn on them."""
    return True


def _grid(*args, **kwargs):
    """Switch the grid lines on or off; `b` is what `visible` is called now."""
    if "b" in kwargs:
        kwargs["visible"] = kwargs.pop("b")
    return _pyplot().grid(*args, **kwargs)


def _hist(*args, **kwargs):
    """Draw a histogram; `normed` is what `density` is called now."""
    if "normed" in kwargs:
        kwargs["density"] = bool(kwargs.pop("normed"))
    return _pyplot().hist(*args, **kwargs)


# How they look


def _style_use(style) -> None:
    """Use a style; seaborn's are found under the names that they used to have."""
    import_module("matplotlib.style").use(_renamed(style))


def _style_context(style, after_reset=False):
    """Use a style within a block; seaborn's are found under the names that they used to have."""
    return import_module("matplotlib.style").context(_renamed(style), after_reset=after_reset)


def _renamed(style):
    if isinstance(style, list | tuple):
        return [_renamed(each) for each in style]
    if isinstance(style, str) and style.split("-")[0] == "seaborn" and "v0_8" not in style:
        new = style.replace("seaborn", "seaborn-v0_8", 1)
        if new in import_module("matplotlib.style").available:
            return new
    return style


# Where they are shown


def _use(backend, warn=None, force=True) -> None:
    """Choose a backend; one that needs a screen gives way to Agg where there is none."""
    import_module("matplotlib").use(_possible(backend), force=force)


def _switch_backend(newbackend) -> None:
    """Close the figures and change the backend, with the same consideration."""
    _pyplot().switch_backend(_possible(newbackend))


def _possible(backend: str) -> str:
    needs_screen = backend.lower() not in _FILE_BACKENDS and not backend.startswith("module://")
    return "agg" if needs_screen and not _has_screen() else backend


def _has_screen() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
