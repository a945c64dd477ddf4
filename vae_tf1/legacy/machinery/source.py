"""From the text of an old module to code: as it stands, or translated from Python 2."""

from __future__ import annotations

import ast
import importlib.machinery
from types import CodeType

__all__ = ["LegacyLoader", "parse", "runs_only_on_python2"]


def parse(
    data: bytes,
    path: str,
    *,
    in_package: bool = False,
    python2: bool = False,
    numpy: set[str] | None = None,
) -> tuple[ast.Module, bool]:
    """Parse a module's source, by way of a translation if it is Python 2.

    Parameters
    ----------
    data : bytes
        The source as it is in the file.
    path : str
        The file's path, for tracebacks.
    in_package : bool
        Whether the module belongs to a package, where Python 2 also imports siblings by bare name.
    python2 : bool
        Whether to take a module that parses as both for Python 2.
    numpy : set of str, optional
        What the module calls NumPy, if that is not in its imports.

    Returns
    -------
    tree : ast.Module
    is_python2 : bool
        Whether the tree is a translation.

    Raises
    ------
    SyntaxError
        It parses neither as Python 3 nor as Python 2.
    ModuleNotFoundError
        It is Python 2, and fissix, which translates it, is not installed.
    """
    from vae_tf1.legacy.libraries import numpy1

    tree, is_python2 = _parse(data, path, in_package, python2)
    return numpy1.rewrite(tree, numpy), is_python2


def _parse(data: bytes, path: str, in_package: bool, python2: bool) -> tuple[ast.Module, bool]:
    error = None
    try:
        tree = compile(data, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as failure:
        error = failure
    if error is None and not (python2 or runs_only_on_python2(tree)):
        return tree, False
    from vae_tf1.legacy.python2 import translate as translator

    try:
        return translator.parse(data, path, in_package=in_package, error=error), True
    except SyntaxError:
        if error is not None:
            raise
        return tree, False


class LegacyLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from source, Python 2 included.

    No bytecode is kept: Python itself would take a translation for the module's own.

    Parameters
    ----------
    fullname, path : str
        As for every loader of files.
    python2 : bool
        Whether to take a module that parses as both for Python 2.
    """

    def __init__(self, fullname: str, path: str, python2: bool = False) -> None:
        super().__init__(fullname, path)
        self._python2 = python2

    def get_code(self, fullname: str) -> CodeType:
        """Return the module's code."""
        path = self.get_filename(fullname)
        in_package = "." in fullname or self.is_package(fullname)
        tree, _ = parse(self.get_data(path), path, in_package=in_package, python2=self._python2)
        return compile(tree, path, "exec", dont_inherit=True)


# Functions and types of Python 2, and what it called some modules: without them at hand a module
# cannot have run on Python 3 even where it parses.
_BUILTINS = frozenset({"xrange", "raw_input", "unicode", "basestring", "unichr", "execfile"})
_MODULES = frozenset(
    {"cPickle", "cStringIO", "StringIO", "urllib2", "ConfigParser", "Queue", "Tkinter"}
)


def runs_only_on_python2(tree: ast.Module) -> bool:
    """Tell whether a module that parses as Python 3 uses, unguarded, what only Python 2 has."""
    guarded = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.Try | ast.If)
        for node in ast.walk(block)
    }
    loads, bound, imports = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            known = bound if not isinstance(node.ctx, ast.Load) else loads
            # A test such as `if sys.version_info[0] < 3` at the top guards what is below it.
            if known is bound or id(node) not in guarded:
                known.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update((alias.asname or alias.name) for alias in node.names)
            if id(node) not in guarded:
                imports.update(
                    {node.module}
                    if isinstance(node, ast.ImportFrom) and not node.level
                    else {alias.name for alias in node.names}
                )
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return bool(_BUILTINS & loads - bound or _MODULES & imports or _prints_python2(tree))


def _prints_python2(tree: ast.Module) -> bool:
    """Tell whether ``print`` stands alone, or before ``>>``: Python 3 would print nothing."""
    for node in ast.walk(tree):
        shifts = isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)
        if shifts or isinstance(node, ast.Expr):
            first = node.left if shifts else node.value
            if isinstance(first, ast.Name) and first.id == "print":
                return True
    return False
