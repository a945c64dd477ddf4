"""Which TensorFlow 1 names a script uses, and who provides them; nothing of the script is run."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vae_tf1.backend.notices import without_startup_notices
from vae_tf1.legacy import families
from vae_tf1.legacy.machinery.overlay import nearest, origin, walk
from vae_tf1.legacy.machinery.source import parse

__all__ = ["Usage", "report", "usage"]

_NOBODY = "nobody"
_PROVIDERS = ("tensorflow.compat.v1", "vae_tf1.legacy", _NOBODY)


@dataclass
class Usage:
    """What one file uses.

    Attributes
    ----------
    path : Path
    is_python2 : bool
    names : dict
        Provider -> name -> the lines it is used on.
    modules : list of Path
        The modules of the script's own that it imports.
    """

    path: Path
    is_python2: bool = False
    names: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    modules: list[Path] = field(default_factory=list)


def report(script: str) -> int:
    """Print the report of a script and of its own modules.

    Parameters
    ----------
    script : str
        Path of the script.

    Returns
    -------
    int
        The exit status: 0 if everything is provided, 1 if something is not, 2 if the script
        cannot be read or parsed.
    """
    waiting, seen, lacking = [Path(script)], set(), False
    while waiting:
        path = waiting.pop(0)
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            found = usage(path)
        except (OSError, SyntaxError, ModuleNotFoundError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
        print("\n".join(_lines(found)))
        lacking = lacking or bool(found.names[_NOBODY])
        waiting += found.modules
    return int(lacking)


def usage(path: Path) -> Usage:
    """Return what a file uses of TensorFlow 1, and of what other packages have lost since.

    Parameters
    ----------
    path : Path
        A Python 3 or Python 2 source file.

    Raises
    ------
    OSError
        The file cannot be read.
    SyntaxError
        It parses neither as Python 3 nor as Python 2.
    """
    module, is_python2 = parse(path.read_bytes(), str(path))
    found = Usage(path, is_python2, {provider: defaultdict(list) for provider in _PROVIDERS})
    references = _References()
    references.visit(module)
    with without_startup_notices():
        for dotted, line in references.found:
            for name, provider in _judge(dotted, path):
                lines = found.names[provider][name]
                if line not in lines:
                    lines.append(line)
    for dotted in references.imports:
        local = _local(dotted, path.parent)
        if local is not None and local not in found.modules:
            found.modules.append(local)
    return found


class _References(ast.NodeVisitor):
    """Collects the dotted names of imported things, local names resolved to what they stand for."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.imports: list[str] = []
        self._stands_for: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            self._stands_for[alias.asname or root] = alias.name if alias.asname else root
            self._note(alias.name, node)
            self.imports.append(alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level:
            self.imports += [node.module] if node.module else [a.name for a in node.names]
            return
        self.imports.append(node.module)
        for alias in node.names:
            if alias.name != "*":
                dotted = f"{node.module}.{alias.name}"
                self._stands_for[alias.asname or alias.name] = dotted
                self._note(dotted, node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        dotted = self._resolve(node.value)
        if dotted is not None and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._stands_for[node.targets[0].id] = dotted

    def visit_Attribute(self, node: ast.Attribute) -> None:
        dotted = self._resolve(node)
        if dotted is None:
            self.generic_visit(node)
        else:
            self._note(dotted, node)

    def _resolve(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Name):
            return self._stands_for.get(node.id)
        if isinstance(node, ast.Attribute):
            of = self._resolve(node.value)
            return None if of is None else f"{of}.{node.attr}"
        return None

    def _note(self, dotted: str, node: ast.AST) -> None:
        self.found.append((dotted, node.lineno))


def _judge(dotted: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name that an expression begins with and who provides it, if that is of interest."""
    root, _, rest = dotted.partition(".")
    if root == "tensorflow":
        if rest:
            yield from _judge_tensorflow(rest)
    elif root == "keras":
        yield from _judge_tensorflow(dotted)
    elif root in families.PACKAGES:
        for family in families.LIBRARIES:
            for name in family.names():
                if dotted == name or dotted.startswith(name + "."):
                    yield name, "vae_tf1.legacy"
    elif _local(dotted, path.parent) is None and not _is_installed(root):
        yield root, _NOBODY


def _judge_tensorflow(rest: str) -> Iterator[tuple[str, str]]:
    name, provider = origin(families.tensorflow(), rest)
    if provider == "" and rest.startswith(("core.", "python.", "tools.")):
        provider = "tensorflow.compat.v1"  # past the public names, modules are of interest too
    if provider is None:
        yield f"tf.{name}", _NOBODY
    elif provider:
        yield f"tf.{name}", provider


def _is_installed(root: str) -> bool:
    if root in sys.modules or root == "util":
        return True
    try:
        return importlib.util.find_spec(root) is not None
    except ValueError:
        return False


def _local(dotted: str, folder: Path) -> Path | None:
    """Return the file of a module of the script's own, or None."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = folder.joinpath(*parts[:length])
        for file in (place.with_name(place.name + ".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def _lines(found: Usage) -> Iterator[str]:
    counts = [f"{len(found.names[provider])} by {provider}" for provider in _PROVIDERS]
    yield f"{found.path}: {', '.join(counts)}"
    if found.is_python2:
        yield "  Python 2, which is translated in memory"
    for provider in _PROVIDERS:
        names = found.names[provider]
        if names:
            yield f"  {provider}"
        width = max(map(len, names), default=0)
        for name in sorted(names):
            where = ", ".join(map(str, names[name]))
            word = "lines" if len(names[name]) > 1 else "line"
            hint = _hint(name) if provider == _NOBODY else ""
            yield f"    {name:{width}}  {word} {where}{hint}"


def _hint(name: str) -> str:
    if not name.startswith("tf."):
        return "  (not installed)"
    space, _, last = name.removeprefix("tf.").rpartition(".")
    try:
        near = nearest(walk(families.tensorflow(), space), last)
    except AttributeError:
        return ""
    return "" if near is None else f"  (nearest: {near.replace('tensorflow', 'tf', 1)})"
