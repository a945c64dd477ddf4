"""Old notebooks: an ``.ipynb`` run as a script, and ``%load_ext vae_tf1.legacy`` within Jupyter.

A notebook is JSON; nothing of Jupyter is needed to run one. Its magics do what a person expects of
them where there is no browser: `%cd`, `%env`, `%run`, `%time`, `%%bash`, `%%writefile` and ``!`` do
their work, `%matplotlib` and its like do nothing. What would install packages is left out.
"""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import runpy
import shlex
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from io import StringIO
from types import ModuleType
from typing import Any, NamedTuple

from vae_tf1.legacy.libraries import numpy1
from vae_tf1.legacy.machinery.source import parse, runs_only_on_python2

__all__ = ["Cell", "Notebook", "load", "read", "run", "trees", "unload"]


class Cell(NamedTuple):
    """A cell of code: its number among those of code, and its source as a notebook has it."""

    number: int
    source: str


class Notebook(NamedTuple):
    """The cells of code, and whether they are in Python 2."""

    cells: list[Cell]
    is_python2: bool


def read(data: bytes, path: str) -> Notebook:
    """Return what is in a notebook's file, of format 3 or 4.

    Raises
    ------
    SyntaxError
        The file holds no notebook.
    """
    try:
        content = json.loads(data)
        sheets = content.get("worksheets") or [content]
        found = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
        sources = [cell.get("source", cell.get("input", "")) for cell in found]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SyntaxError(f"{path} is named as a notebook, but holds none") from None
    cells = [Cell(n, "".join(source)) for n, source in enumerate(sources, 1)]
    about = content.get("metadata", {})
    version = str(about.get("language_info", {}).get("version", ""))
    kernel = str(about.get("kernelspec", {}).get("name", ""))
    old = version.startswith("2") or kernel == "python2"
    return Notebook(cells, old or any(_is_python2(without_magics(c), path) for c in cells))


def _is_python2(text: str, path: str) -> bool:
    try:
        return runs_only_on_python2(ast.parse(text))
    except SyntaxError:
        pass
    try:
        return parse(text.encode(), path)[1]
    except (SyntaxError, ModuleNotFoundError):
        return False


def trees(notebook: Notebook, path: str) -> Iterator[tuple[Cell, ast.Module]]:
    """Yield each cell with its tree, as Python 3.

    Raises
    ------
    SyntaxError
        A cell parses neither as Python 3 nor as Python 2.
    """
    texts = [(cell, without_magics(cell)) for cell in notebook.cells]
    numpy = {name for _, text in texts for name in _called(text, "numpy")}
    for cell, text in texts:
        file = f"{path}, cell {cell.number}"
        # A traceback shows lines of this.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        tree, _ = parse(text.encode(), file, python2=notebook.is_python2, numpy=numpy or None)
        yield cell, tree


def _called(text: str, package: str) -> list[str]:
    """Return what a cell calls a package that it imports."""
    return re.findall(rf"^\s*import\s+{package}\s+as\s+(\w+)", text, re.MULTILINE) + (
        [package] if re.search(rf"^\s*import\s+{package}\b(?!\s+as)", text, re.MULTILINE) else []
    )


def run(notebook: Notebook, module: ModuleType) -> None:
    """Run the cells one after the other in a module, and print what they end with."""
    path = module.__file__
    module.__dict__.update(
        __notebook_shell__=shell, __notebook_lines__=lines_of_shell, __notebook_magic__=magic,
        __notebook_cell__=cell_magic,
    )  # fmt: skip
    for cell, tree in list(trees(notebook, path)):
        last = tree.body[-1] if tree.body else None
        shown = isinstance(last, ast.Expr) and not cell.source.rstrip().endswith(";")
        file = f"{path}, cell {cell.number}"
        if shown:
            tree.body.pop()
        exec(compile(tree, file, "exec", dont_inherit=True), module.__dict__)
        if shown:
            code = compile(ast.Expression(last.value), file, "eval", dont_inherit=True)
            value = eval(code, module.__dict__)
            if value is not None:
                print(repr(value))


# Magics


def without_magics(cell: Cell) -> str:
    """Return a cell's source in Python, on the same lines."""
    lines = cell.source.split("\n")
    first = lines[0].strip()
    if first.startswith("%%"):
        name, _, rest = first[2:].partition(" ")
        if name not in _CELLS_OF_PYTHON:
            body = "\n".join(lines[1:])
            return f"__notebook_cell__({name!r}, {rest.strip()!r}, {body!r})" + "\n" * len(lines)
        lines[0] = ""
    for number, line in enumerate(lines):
        body = line.strip()
        special = body.startswith(("%", "!", "?")) or body.endswith("?") or _ASSIGNS.match(body)
        if special and not _is_inside("\n".join(lines[:number])):
            lines[number] = line[: len(line) - len(line.lstrip())] + _translated(body)
    return "\n".join(lines) + "\n"


_CELLS_OF_PYTHON = frozenset({"capture", "prun", "python", "python2", "python3", "time", "timeit"})
_ASSIGNS = re.compile(r"([\w, ]+)=\s*([!%])\s*(.+)")
_TIMED = re.compile(r"%(?:time|timeit|prun)\s+(?:-\w+\s*\d*\s+)*(.+)")


def _is_inside(before: str) -> bool:
    """Tell whether a line continues the statement before it, a text of several lines included."""
    if before.endswith("\\"):
        return True
    try:
        list(tokenize.generate_tokens(StringIO(before + "\n").readline))
    except tokenize.TokenError:
        return True
    except (SyntaxError, IndentationError):
        pass
    return False


def _translated(line: str) -> str:
    assigns, timed = _ASSIGNS.fullmatch(line), _TIMED.fullmatch(line)
    if timed:
        return timed.group(1)
    if assigns and assigns.group(2) == "!":
        return f"{assigns.group(1)}= __notebook_lines__({assigns.group(3)!r})"
    if assigns:
        return f"{assigns.group(1)}= {assigns.group(3).removeprefix('time ')}"
    if line.startswith("!"):
        return f"__notebook_shell__({line.lstrip('!')!r})"
    if line.startswith("%pylab"):
        return "import numpy as np; import matplotlib.pyplot as plt; from pylab import *"
    if line.startswith("%"):
        return f"__notebook_magic__({line[1:]!r})"
    is_question = line.startswith("?") or re.fullmatch(r"[\w.]+\?\??", line)
    return "pass" if is_question else line


_INSTALLS = re.compile(r"\s*(sudo\s+)?(pip3?|conda|apt|apt-get|python3? -m pip)\s")


def shell(command: str) -> None:
    """Run a line of the shell, unless it installs packages; ``{name}`` is a variable's value."""
    command = _filled(command, sys._getframe(1))
    if _INSTALLS.match(command):
        sys.stderr.write(f"(Left out, for the packages are those that are here: !{command})\n")
        return
    sys.stdout.flush()
    subprocess.run(command, shell=True, check=False)


def lines_of_shell(command: str) -> list[str]:
    """Return the lines that a command prints."""
    command = _filled(command, sys._getframe(1))
    done = subprocess.run(command, shell=True, check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout.splitlines()


def _filled(command: str, frame: Any) -> str:
    known = frame.f_globals | frame.f_locals

    def value(match: re.Match) -> str:
        return str(known[match.group(1)]) if match.group(1) in known else match.group(0)

    return re.sub(r"\$(\w+)", value, re.sub(r"\{(\w+)\}", value, command))


def magic(line: str) -> None:
    """Do what a ``%`` line asks for, if that makes sense in a script."""
    name, _, rest = line.partition(" ")
    rest = rest.strip()
    if name == "cd":
        os.chdir(os.path.expanduser(rest.strip("'\"") or "~"))
    elif name in ("env", "set_env") and "=" in rest:
        key, _, value = rest.partition("=")
        os.environ[key.strip()] = value.strip()
    elif name in ("pip", "conda"):
        shell(line)
    elif name == "run":
        script, *arguments = shlex.split(rest)
        found, sys.argv = sys.argv, [script, *arguments]
        try:
            sys._getframe(1).f_globals.update(runpy.run_path(script, run_name="__main__"))
        finally:
            sys.argv = found


def cell_magic(name: str, rest: str, body: str) -> None:
    """Do what a ``%%`` cell asks for: run a shell, or write a file."""
    if name in ("bash", "sh", "script"):
        sys.stdout.flush()
        subprocess.run([rest.split()[0] if name == "script" else name, "-c", body], check=False)
    elif name in ("file", "writefile"):
        with open(rest.split()[-1], "a" if "-a" in rest.split() else "w", encoding="utf-8") as file:
            file.write(body)
    else:
        sys.stderr.write(f"(Left out: a cell of %%{name})\n")


# Within Jupyter


class _Extension:
    """TensorFlow 1 for the cells of a running IPython."""

    def __init__(self, ipython: Any) -> None:
        from vae_tf1.legacy import families
        from vae_tf1.legacy.machinery.graph_mode import GraphMode
        from vae_tf1.legacy.machinery.hooks import LegacyImports, Territory

        self._ipython = ipython
        self._is_python2 = False
        self._contexts = [GraphMode(), LegacyImports(Territory(), families.tensorflow)]
        for context in self._contexts:
            context.__enter__()
        ipython.input_transformers_post.append(self.to_python3)
        ipython.ast_transformers.append(self)

    def unload(self) -> None:
        """Put everything back."""
        self._ipython.input_transformers_post.remove(self.to_python3)
        self._ipython.ast_transformers.remove(self)
        for context in reversed(self._contexts):
            context.__exit__(None, None, None)

    def to_python3(self, lines: list[str]) -> list[str]:
        """Translate a cell of Python 2; the cells after it are taken for Python 2 as well."""
        from vae_tf1.legacy.python2 import translate

        text = "".join(lines)
        try:
            is_python2 = self._is_python2 or runs_only_on_python2(ast.parse(text))
            failed = False
        except SyntaxError:
            is_python2 = failed = True
        if not is_python2:
            return lines
        try:
            translated, _ = translate.to_python3(text, "<cell>")
            ast.parse(translated)
        except SyntaxError:
            if failed:
                return lines  # what Python 3 says of it is of more use
            raise
        self._is_python2 = True
        return translated.splitlines(keepends=True)

    def visit(self, tree: ast.Module) -> ast.Module:
        """Give a cell's tree the division of Python 2, and the arrays of NumPy 1."""
        from vae_tf1.legacy.python2 import translate

        if self._is_python2:
            tree = translate.with_runtime(tree, classic_division=True)
        space = self._ipython.user_ns
        numpy = {n for n, value in space.items() if getattr(value, "__name__", "") == "numpy"}
        return ast.fix_missing_locations(numpy1.rewrite(tree, numpy or None))


_extensions: dict[int, _Extension] = {}


def load(ipython: Any) -> None:
    """Run the cells from here on as under TensorFlow 1."""
    if id(ipython) not in _extensions:
        _extensions[id(ipython)] = _Extension(ipython)


def unload(ipython: Any) -> None:
    """Run the cells from here on as before."""
    if id(ipython) in _extensions:
        _extensions.pop(id(ipython)).unload()
