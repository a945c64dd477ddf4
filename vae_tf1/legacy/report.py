"""Which TensorFlow 1 names a script uses, and who provides them; nothing of the script is run."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vae_tf1.backend.notices import without_startup_notices
from vae_tf1.legacy import families, notebook
from vae_tf1.legacy.machinery.overlay import nearest, origin, walk
from vae_tf1.legacy.machinery.source import parse

__all__ = ["Usage", "report", "usage"]

_NOBODY = "nobody"
_PROVIDERS = ("tensorflow.compat.v1", "vae_tf1.legacy", _NOBODY)
_SKIPPED = frozenset({"site-packages", "dist-packages", "node_modules", "build", "dist"})


@dataclass
class Usage:
    """What one file uses.

    Attributes
    ----------
    path : Path
    is_python2 : bool
    names : dict
        Provider -> name -> the lines it is used on; of a notebook, the cells.
    modules : list of Path
        The modules of the script's own that it imports.
    warnings : list of str
        What runs, but may give other numbers.
    """

    path: Path
    is_python2: bool = False
    names: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    modules: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def report(script: str) -> int:
    """Print the report of a script and of its own modules, or a table of a whole folder.

    Parameters
    ----------
    script : str
        Path of the script, of a notebook or of a folder.

    Returns
    -------
    int
        The exit status: 0 if everything is provided, 1 if something is not, 2 if the script
        cannot be read or parsed.
    """
    path = Path(script)
    if path.is_dir():
        return _report_folder(path)
    try:
        usages = _all_usages(path)
    except (OSError, SyntaxError, ModuleNotFoundError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    for found in usages:
        print("\n".join(_lines(found)))
    return int(any(found.names[_NOBODY] for found in usages))


def _all_usages(script: Path) -> list[Usage]:
    """Return what a script and all of its own modules use."""
    waiting, seen, usages = [script], set(), []
    roots, python2 = [script.parent], False
    while waiting:
        path = waiting.pop(0)
        if path.resolve() not in seen:
            seen.add(path.resolve())
            usages.append(usage(path, roots, python2))
            python2 = python2 or usages[0].is_python2  # its modules are Python 2 then
            waiting += usages[-1].modules
    return usages


def _report_folder(folder: Path) -> int:
    """Print a line for each file of a folder: what of it would fail."""
    files = sorted(
        path
        for kind in ("*.py", "*.ipynb")
        for path in folder.rglob(kind)
        if not any(p in _SKIPPED or p.startswith(".") for p in path.relative_to(folder).parts)
    )
    rows, details, status = [], [], 0
    for path in files:
        name = str(path.relative_to(folder))
        try:
            found = usage(path, [path.parent, folder])
        except (OSError, SyntaxError, ModuleNotFoundError) as error:
            rows.append((name, "-", "-", "cannot be read"))
            details.append(f"{name}: {error}")
            status = 1
            continue
        missing = found.names[_NOBODY]
        of_tensorflow = [n for n in missing if _is_of_tensorflow(n)]
        verdict = "runs, as far as names tell"
        if missing:
            others = len(missing) - len(of_tensorflow)
            parts = [_count(len(of_tensorflow), "name missing", "names missing")]
            parts += [_count(others, "package not installed", "packages not installed")]
            verdict, status = ", ".join(filter(None, parts)), 1
            details += [f"{name}:", *list(_lines(found))[1:]]
        elif found.warnings:
            verdict = "runs, numbers may differ"
            details += [f"{name}:", *(f"  {warning}" for warning in found.warnings)]
        used = sum(len(found.names[provider]) for provider in _PROVIDERS)
        rows.append((name, "2" if found.is_python2 else "3", str(used), verdict))
    header = ("file", "Python", "names", "verdict")
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(3)]
    for row in [header, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[3]]))
    if details:
        print("\n".join(["", *details]))
    return status


def usage(path: Path, roots: list[Path] | None = None, python2: bool = False) -> Usage:
    """Return what a file uses of TensorFlow 1, and of what other packages have lost since.

    Parameters
    ----------
    path : Path
        A Python 3 or Python 2 source file, or a notebook.
    roots : list of Path, optional
        The folders in which the script looks for modules of its own: that of the script, and
        what is added to ``sys.path``; the list grows by what this file adds.
    python2 : bool
        Whether to take a file that parses as both for Python 2.

    Raises
    ------
    OSError
        The file cannot be read.
    SyntaxError
        It parses neither as Python 3 nor as Python 2.
    """
    roots = [path.parent] if roots is None else roots
    module, is_python2 = _parse(path, python2)
    found = Usage(path, is_python2, {provider: defaultdict(list) for provider in _PROVIDERS})
    references = _References(path)
    references.visit(module)
    roots += [folder for folder in references.folders if folder not in roots]
    # Python 2 looks beside a module as well.
    places = [*roots, path.parent] if is_python2 else roots
    with without_startup_notices():
        for dotted, line, guarded in references.found:
            for name, provider in _judge(dotted, places):
                unknown = references.adds_unknown and not _is_of_tensorflow(name)
                if provider == _NOBODY and (guarded or unknown):
                    continue
                lines = found.names[provider][name]
                if line not in lines:
                    lines.append(line)
    for dotted, level in references.imports:
        here = path.parent.joinpath(*[".."] * (level - 1)) if level else None
        for local in _local(dotted, [here] if here is not None else places):
            if local not in found.modules and local != path:
                found.modules.append(local)
    found.warnings = [
        f"line {line}: NumPy 1 chose a wider type where a number did not fit; today {what}"
        for line, what in references.promotions
    ]
    return found


def _parse(path: Path, python2: bool) -> tuple[ast.Module, bool]:
    if path.suffix != ".ipynb":
        return parse(path.read_bytes(), str(path), python2=python2)
    cells = notebook.read(path.read_bytes(), str(path))
    whole = ast.Module([], [])
    for cell, tree in notebook.trees(cells, str(path)):
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno = cell.number
        whole.body += tree.body
    return whole, cells.is_python2


class _References(ast.NodeVisitor):
    """Collects the dotted names of imported things, local names resolved to what they stand for."""

    def __init__(self, path: Path) -> None:
        self.found: list[tuple[str, int, bool]] = []
        self.imports: list[tuple[str, int]] = []
        self.folders: list[Path] = []
        self.adds_unknown = False  # to sys.path
        self.promotions: list[tuple[int, str]] = []
        self._path = path
        self._guarded = 0
        self._stands_for: dict[str, str] = {}
        self._narrow: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            self._stands_for[alias.asname or root] = alias.name if alias.asname else root
            self._note(alias.name, node)
            self.imports.append((alias.name, 0))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "__future__":
            return
        prefix = f"{node.module}." if node.module else ""
        # Each name may be a module of its own.
        self.imports += [(f"{prefix}{alias.name}".removesuffix(".*"), node.level)
                         for alias in node.names]  # fmt: skip
        if node.level:
            return
        for alias in node.names:
            if alias.name != "*":
                dotted = f"{node.module}.{alias.name}"
                self._stands_for[alias.asname or alias.name] = dotted
                self._note(dotted, node)

    def visit_Try(self, node: ast.Try) -> None:
        """Note that what is tried may be missing."""
        caught = {
            name.id
            for handler in node.handlers
            for name in ast.walk(handler.type or ast.Name("Exception"))
            if isinstance(name, ast.Name)
        }
        self._visit(node.body, bool(caught & _MISSING))
        self._visit([*node.handlers, *node.orelse, *node.finalbody], False)

    def visit_If(self, node: ast.If) -> None:
        """Note that what `hasattr` asks for, or hangs on a version, may be missing."""
        asks = any(
            (isinstance(part, ast.Name) and part.id == "hasattr")
            or (isinstance(part, ast.Attribute) and part.attr in ("__version__", "version_info"))
            for part in ast.walk(node.test)
        )
        self.visit(node.test)
        self._visit([*node.body, *node.orelse], asks)

    def _visit(self, nodes: list, guarded: bool) -> None:
        self._guarded += guarded
        for node in nodes:
            self.visit(node)
        self._guarded -= guarded

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            target = node.targets[0].id
            dotted = self._resolve(node.value)
            if dotted is not None:
                self._stands_for[target] = dotted
            narrow = self._narrow_type(node.value)
            if narrow is not None:
                self._narrow[target] = narrow

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self._resolve(node)
        if dotted is None:
            self.generic_visit(node)
        else:
            self._note(dotted, node)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if self._resolve(node.func) in ("sys.path.append", "sys.path.insert") and node.args:
            folder = _folder(node.args[-1], self._path)
            if folder is None:
                self.adds_unknown = True
            else:
                # As it is written it hangs on where the script is started.
                self.folders += [Path(folder), self._path.parent / folder]

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self.generic_visit(node)
        for one, other in ((node.left, node.right), (node.right, node.left)):
            kind = self._narrow_type(one)
            number = isinstance(other, ast.Constant) and type(other.value) in (int, float)
            if kind is not None and number and not isinstance(node.op, ast.Mod):
                self.promotions.append((node.lineno, f"np.{kind} with {other.value} is np.{kind}"))

    def _narrow_type(self, node: ast.expr) -> str | None:
        """Return the NumPy type of a number, if it is one of few bits."""
        if isinstance(node, ast.Name):
            return self._narrow.get(node.id)
        if isinstance(node, ast.Call):
            package, _, kind = (self._resolve(node.func) or "").rpartition(".")
            return kind if package == "numpy" and kind in _NARROW else None
        return None

    def _resolve(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._stands_for.get(node.id)
        if isinstance(node, ast.Attribute):
            of = self._resolve(node.value)
            return None if of is None else f"{of}.{node.attr}"
        return None

    def _note(self, dotted: str, node: ast.AST) -> None:
        self.found.append((dotted, node.lineno, bool(self._guarded)))


_NARROW = frozenset({"float16", "float32", "int16", "int8", "uint16", "uint8"})
_MISSING = frozenset(
    {"AttributeError", "BaseException", "Exception", "ImportError", "ModuleNotFoundError"}
)


def _folder(node: ast.expr, path: Path) -> str | None:
    """Return the folder that an argument of ``sys.path.append`` names, if it can be told."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id == "__file__":
        return str(path)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_folder(node.left, path), _folder(node.right, path)]
        return None if None in parts else "".join(parts)
    if isinstance(node, ast.Attribute) and node.attr == "pardir":
        return ".."
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        parts = [_folder(arg, path) for arg in node.args]
        if None not in parts and name in ("abspath", "dirname", "join", "realpath", "normpath"):
            return getattr(os.path, name)(*parts)
        if name == "getcwd":
            return "."
    return None


def _judge(dotted: str, places: list[Path]) -> Iterator[tuple[str, str]]:
    """Yield the name that an expression begins with and who provides it, if that is of interest."""
    root, _, rest = dotted.partition(".")
    if root == "vae_tf1" or _local(dotted, places):
        return
    if root == "tensorflow":
        if rest:
            yield from _judge_tensorflow(rest)
    elif root == "keras":
        yield from _judge_tensorflow(dotted)
    elif root in families.PACKAGES and families.holds(dotted):
        yield families.holds(dotted), "vae_tf1.legacy"
    elif root == "numpy" and rest:
        yield from _judge_numpy(dotted)
    elif not _is_installed(root) and not families.provides(dotted):
        yield root, _NOBODY


def _judge_tensorflow(rest: str) -> Iterator[tuple[str, str]]:
    name, provider = origin(families.tensorflow(), rest)
    if provider == "" and rest.startswith(("core.", "python.", "tools.")):
        provider = "tensorflow.compat.v1"  # past the public names, modules are of interest too
    if provider is None:
        yield f"tf.{name}", _NOBODY
    elif provider:
        yield f"tf.{name}", provider


def _judge_numpy(dotted: str) -> Iterator[tuple[str, str]]:
    """Yield a name that NumPy has lost and nobody gives back."""
    import numpy

    found: object = numpy
    for part in dotted.split(".")[1:]:
        found = getattr(found, part, None)
        if found is None:
            if importlib.util.find_spec(".".join(dotted.split(".")[:2])) is None:
                yield dotted, _NOBODY
            return
        if isinstance(found, type):
            return


def _is_installed(root: str) -> bool:
    if root in sys.modules:
        return True
    try:
        return importlib.util.find_spec(root) is not None
    except (ValueError, ImportError):
        return False


def _local(dotted: str, folders: list[Path]) -> list[Path]:
    """Return the files of a module of the script's own and of its packages, if it is one."""
    parts = [part for part in dotted.split(".") if part]
    for folder in folders:
        files = []
        for length in range(1, len(parts) + 1):
            place = folder.joinpath(*parts[:length])
            for file in (place.with_name(place.name + ".py"), place / "__init__.py"):
                if file.is_file():
                    files.append(file)
        is_folder = bool(parts) and any((folder / parts[0]).glob("*.py"))  # without __init__.py
        if files or is_folder:
            return files
    return []


def _lines(found: Usage) -> Iterator[str]:
    counts = [f"{len(found.names[provider])} by {provider}" for provider in _PROVIDERS]
    yield f"{found.path}: {', '.join(counts)}"
    if found.is_python2:
        yield "  Python 2, which is translated in memory"
    unit = "cell" if found.path.suffix == ".ipynb" else "line"
    for provider in _PROVIDERS:
        names = found.names[provider]
        if names:
            yield f"  {provider}"
        width = max(map(len, names), default=0)
        for name in sorted(names):
            where = ", ".join(map(str, names[name]))
            word = f"{unit}s" if len(names[name]) > 1 else unit
            hint = _hint(name) if provider == _NOBODY else ""
            yield f"    {name:{width}}  {word} {where}{hint}"
    yield from (f"  {warning}" for warning in found.warnings)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _is_of_tensorflow(name: str) -> bool:
    return name.startswith("tf.")


def _hint(name: str) -> str:
    if name.startswith("numpy."):
        return "  (no longer in NumPy)"
    if not _is_of_tensorflow(name):
        return "  (not installed)"
    space, _, last = name.removeprefix("tf.").rpartition(".")
    try:
        near = nearest(walk(families.tensorflow(), space), last)
    except AttributeError:
        return ""
    return "" if near is None else f"  (nearest: {near.replace('tensorflow', 'tf', 1)})"
