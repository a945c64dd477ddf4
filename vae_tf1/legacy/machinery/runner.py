"""Runs a script as `python script.py` does, with TensorFlow 1 as `vae_tf1.legacy` provides it."""

from __future__ import annotations

import functools
import importlib.util
import linecache
import os
import re
import runpy
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vae_tf1.legacy.machinery.hooks import LegacyImports

__all__ = ["run_module", "run_script"]

_LEGACY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_script(
    path: str, arguments: Sequence[str], packages: Sequence[str] = (), python2: bool = False
) -> None:
    """Run the script as the main module of this process.

    Parameters
    ----------
    path : str
        The script, as it was named on the command line.
    arguments : sequence of str
        What the script is to find in ``sys.argv[1:]``.
    packages : sequence of str, optional
        Installed top-level packages that were written for TensorFlow 1 as well.
    python2 : bool
        Whether to take modules that parse as Python 2 and 3 for Python 2.

    Raises
    ------
    SystemExit
        With status 2 if the file cannot be read; whatever the script raises otherwise.
    """
    file = os.path.abspath(path)
    try:
        with open(file, "rb") as script:
            data = script.read()
    except OSError as error:
        sys.stderr.write(
            f"{sys.executable}: can't open file {file!r}: [Errno {error.errno}] {error.strerror}\n"
        )
        sys.exit(2)
    sys.argv[:] = [path, *arguments]
    _set_first_path(os.path.dirname(os.path.realpath(file)))
    module = ModuleType("__main__")
    module.__dict__.update(
        __file__=file,
        __cached__=None,
        __annotations__={},
        __loader__=SourceFileLoader("__main__", file),
    )
    _run(data, module, python2, _start(packages, python2))


def run_module(
    name: str, arguments: Sequence[str], packages: Sequence[str] = (), python2: bool = False
) -> None:
    """Run a module, or a package's `__main__`, as ``python -m name`` does.

    Parameters
    ----------
    name : str
        Dotted name of the module.
    arguments, packages, python2
        As for `run_script`.

    Raises
    ------
    SystemExit
        With status 1 if there is no such module; whatever the module raises otherwise.
    """
    _set_first_path(os.getcwd())
    imports = _start(packages, python2)
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except BaseException as error:  # of a package, which is imported on the way
        if not (isinstance(error, ImportError) and name.startswith(f"{error.name}.")):
            _report_only_the_scripts_frames()
            raise
        sys.stderr.write(
            f"{sys.executable}: Error while finding module specification for {name!r} "
            f"({type(error).__name__}: {error})\n"
        )
        sys.exit(1)
    if spec is None or not spec.has_location:
        sys.stderr.write(f"{sys.executable}: No module named {name}\n")
        sys.exit(1)
    sys.argv[:] = [spec.origin, *arguments]
    module = ModuleType("__main__")
    module.__dict__.update(
        __file__=spec.origin,
        __cached__=None,
        __annotations__={},
        __loader__=spec.loader,
        __spec__=spec,
        __package__=spec.parent,
    )
    with open(spec.origin, "rb") as script:
        _run(script.read(), module, python2, imports)


def _set_first_path(folder: str) -> None:
    """Put the folder where ``python -m`` had put its own, and what is ours at the end."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder
    # This project's `util`, which the course's scripts import, unless they bring one themselves.
    project = os.path.dirname(os.path.dirname(_LEGACY))
    if project not in sys.path:
        sys.path.append(project)


def _start(packages: Sequence[str], python2: bool) -> LegacyImports:
    """Give old modules what they import, for good: a script's threads may outlive its last line."""
    from vae_tf1.legacy.machinery.hooks import LegacyImports, Territory

    here = os.path.join(os.path.realpath(os.getcwd()), "")
    mine = os.path.join(os.path.realpath(sys.path[0]), "")
    others = [os.path.join(os.path.realpath(folder), "") for folder in sys.path[1:]]
    elsewhere = [o for o in others if not (here.startswith(o) or mine.startswith(o))]
    imports = LegacyImports(Territory(packages, elsewhere), _tensorflow, python2)
    imports.__enter__()
    return imports


def _run(data: bytes, module: ModuleType, python2: bool, imports: LegacyImports) -> None:
    from vae_tf1.legacy.machinery.source import parse

    module.__builtins__ = sys.modules["builtins"]
    sys.modules["__main__"] = module
    try:
        if module.__file__.endswith(".ipynb"):
            from vae_tf1.legacy import notebook

            found = notebook.read(data, module.__file__)
            if python2 or found.is_python2:
                imports.take_for_python2()
            notebook.run(found._replace(is_python2=python2 or found.is_python2), module)
            return
        in_package = bool(module.__package__)
        tree, is_python2 = parse(data, module.__file__, in_package=in_package, python2=python2)
        if is_python2:
            imports.take_for_python2()
        code = compile(tree, module.__file__, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException:
        _report_only_the_scripts_frames(b"tensorflow" in data, module.__file__.endswith(".ipynb"))
        raise


@functools.cache
def _tensorflow() -> ModuleType:
    """Return the tree, with TensorFlow's v2 behaviour off from the first time on."""
    from vae_tf1.backend.notices import without_startup_notices
    from vae_tf1.legacy import families
    from vae_tf1.legacy.machinery.graph_mode import GraphMode

    with without_startup_notices():
        GraphMode().__enter__()
    # Keras 2's advice on what has changed since is lost on an old script.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"tf_keras\.", append=True)
    return families.tensorflow()


def _report_only_the_scripts_frames(of_tensorflow: bool = False, is_notebook: bool = False) -> None:
    """Have the exception that is on its way shown as if there were no runner around the script.

    Parameters
    ----------
    of_tensorflow : bool
        Whether to say in a last line what kind of thing is missing.
    is_notebook : bool
        Whether the script is one.
    """
    show = sys.excepthook

    def hook(kind: type, error: BaseException, trace: TracebackType | None) -> None:
        _trim(error, set())
        if show is sys.__excepthook__ and is_notebook:  # whose lines no file holds
            traceback.print_exception(kind, error, error.__traceback__)
        else:
            show(kind, error, error.__traceback__)
        advice = _advice(error) if of_tensorflow else None
        if isinstance(error, TypeError) and _SLIPS_OF_DIVISION.search(str(error)):
            advice = (
                "If the script was written for Python 2, where 7 / 2 is 3, "
                "run it with --python2 before its name."
            )
        if advice:
            sys.stderr.write(f"({advice})\n")

    sys.excepthook = hook


def _advice(error: BaseException) -> str | None:
    """Tell a missing package, file or argument apart from a missing name, which says so itself."""
    text, name = str(error), str(getattr(error, "name", "") or "")
    if isinstance(error, ModuleNotFoundError) and name and "pip install" not in text:
        if name.partition(".")[0] == "tensorflow":
            return None
        return f"A package is missing, not a name of TensorFlow's: {name.partition('.')[0]}"
    if isinstance(error, FileNotFoundError):
        return f"The script's data is missing, not a name of TensorFlow's: {error.filename}"
    if type(error).__name__ in ("HTTPError", "URLError"):
        return f"The script's data could not be fetched; no name of TensorFlow's is missing: {text}"
    if isinstance(error, IndexError) and _reads_arguments(error):
        return "An argument of the script is missing, not a name of TensorFlow's."
    return None


def _reads_arguments(error: BaseException) -> bool:
    """Tell whether the line that failed is one of the script's that reads `sys.argv`."""
    *_, last = [None, *_chain(error.__traceback__)]
    if last is None:
        return False
    line = linecache.getline(last.tb_frame.f_code.co_filename, last.tb_lineno)
    return "argv" in line


# What becomes of a quotient that Python 2 would have rounded down.
_SLIPS_OF_DIVISION = re.compile(
    "'float' object cannot be interpreted as an integer"
    "|(slice|list|tuple|string) indices must be integers"
    "|only integers.* are valid indices"
)


def _trim(error: BaseException | None, seen: set[int]) -> None:
    """Take this package's own frames out of an exception and of those that led to it."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    frames = [
        (trace.tb_frame, trace.tb_lasti, trace.tb_lineno)
        for trace in _chain(error.__traceback__)
        if not _is_machinery(trace.tb_frame.f_code.co_filename)
    ]
    trimmed = None
    for frame in reversed(frames):
        trimmed = TracebackType(trimmed, *frame)
    error.__traceback__ = trimmed
    _trim(error.__cause__, seen)
    _trim(error.__context__, seen)


def _chain(trace: TracebackType | None):
    while trace is not None:
        yield trace
        trace = trace.tb_next


_MACHINERY = (
    # runpy and importlib are frozen from Python 3.11 on.
    "<frozen runpy",
    "<frozen importlib",
    runpy.__file__,
    importlib.util.__file__,
    os.path.join(_LEGACY, "__main__.py"),
    os.path.join(_LEGACY, "notebook.py"),
    os.path.join(_LEGACY, "libraries", "arrays.py"),
    os.path.join(_LEGACY, "machinery", ""),
    os.path.join(_LEGACY, "python2", ""),
)


def _is_machinery(file: str) -> bool:
    return file.startswith(_MACHINERY)
