"""Python 2 to Python 3 in memory: fissix rewrites the syntax, the tree then gets its division.

Line numbers stay those of the file, so that a traceback shows the script's own lines.
"""

from __future__ import annotations

import ast
import difflib
import functools
import io
import re
import tokenize
import warnings

from vae_tf1.legacy.libraries.numpy1 import insert_import

__all__ = ["parse", "to_python3", "with_runtime"]

# What a translated module imports from `python2_runtime`, by the name it has in the module: the
# division, under names that no script's own can clash with, and those builtins that fissix leaves
# alone, where the module uses them.
_DIVIDE, _INPLACE = "__python2_divide__", "__python2_inplace_divide__"
_SORT = "__python2_sort__"
_DIVISION = {_DIVIDE: "divide", _INPLACE: "inplace_divide", _SORT: "sort"}
_BUILTINS = {
    "cmp": "cmp", "exec": "exec_", "execfile": "execfile", "file": "open", "raw_input": "input",
    "round": "round_", "sorted": "sorted_",
}  # fmt: skip
# Done at run time instead: only then is it known what is sorted, or run.
_NOT_FIXED = (".fix_execfile", ".fix_sorted")


def parse(data: bytes, path: str, *, in_package: bool, error: SyntaxError | None) -> ast.Module:
    """Translate and parse a module written for Python 2.

    Parameters
    ----------
    data, path, in_package
        As in `vae_tf1.legacy.machinery.source.parse`.
    error : SyntaxError or None
        What Python 3 said of it; raised again if the module is not Python 2 either.
    """
    text = _decode(data, path)
    try:
        translated, classic_division = to_python3(text, path, in_package)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as "\d", common at the time
            tree = compile(translated, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as failure:
        # What a person can act on is Python 3's opinion of the file as it stands.
        raise (error or failure).with_traceback(None) from None
    _restore_lines(tree, text, translated)
    return with_runtime(tree, classic_division)


def with_runtime(tree: ast.Module, classic_division: bool) -> ast.Module:
    """Return a translated module's tree with what Python 2 did otherwise at run time."""
    if classic_division:
        tree = _ClassicDivision().visit(tree)
    tree = _Sorts().visit(tree)
    _import_runtime(tree)
    return tree


class _NotPython2(SyntaxError):
    """The text does not parse as Python 2."""


def _decode(data: bytes, path: str) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    text = io.TextIOWrapper(io.BytesIO(data), encoding).read()  # universal newlines
    return text if text.endswith("\n") else text + "\n"


def to_python3(text: str, path: str, in_package: bool = False) -> tuple[str, bool]:
    """Return the text in Python 3, and whether ``/`` on integers is to round down."""
    text = _expand_tabs(text)
    tool = _tool(in_package)
    try:
        tree = tool.refactor_string(text, path)
    except Exception as failure:  # fissix raises several kinds that share no base
        raise _NotPython2(str(failure)) from None
    if tree is None:
        raise _NotPython2(f"{path} does not parse as Python 2")
    # These are keywords now, which cannot be imported.
    found = re.sub(r"^from builtins import (True|False|None)$", "pass", str(tree), flags=re.M)
    return found, "division" not in tree.future_features


@functools.cache
def _tool(in_package: bool):
    try:
        from fissix import refactor
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the script is written for Python 2, and translating it takes fissix: "
            "pip install 'vae_tf1[legacy]'",
            name="fissix",
        ) from None

    class Tool(refactor.RefactoringTool):
        """Says nothing on the way; problems come as exceptions."""

        def log_message(self, msg, *args):
            pass

        log_debug = log_message

        def log_error(self, msg, *args, **kwds):
            raise _NotPython2(str(msg))

    fixers = refactor.get_fixers_from_package("fissix.fixes")
    # Implicit relative imports are there only inside a package, and never in a main script.
    unwanted = _NOT_FIXED if in_package else (*_NOT_FIXED, ".fix_import")
    return Tool([name for name in fixers if not name.endswith(unwanted)])


def _expand_tabs(text: str) -> str:
    """Widen leading tabs to eight columns as Python 2 does, multi-line strings left alone."""
    if "\t" not in text:
        return text
    inside = set()
    for match in re.finditer(r"('''|\"\"\")(?:\\.|(?!\1).)*?\1", text, flags=re.DOTALL):
        first = text.count("\n", 0, match.start())
        inside.update(range(first + 1, first + 1 + match.group().count("\n")))
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number not in inside:
            body = line.lstrip(" \t")
            lines[number] = line[: len(line) - len(body)].expandtabs(8) + body
    return "\n".join(lines)


def _restore_lines(tree: ast.AST, before: str, after: str) -> None:
    """Give the translated nodes the line numbers of the original text."""
    line_of = _line_map(before.split("\n"), after.split("\n"))
    for node in ast.walk(tree):
        if hasattr(node, "lineno"):
            node.lineno = line_of[node.lineno - 1]
            node.end_lineno = max(line_of[node.end_lineno - 1], node.lineno)
            # Columns belong to the translation: none at all beats a caret in the wrong place.
            node.col_offset = node.end_col_offset = -1


def _line_map(before: list[str], after: list[str]) -> list[int]:
    """Return, for each line after, the number (from 1) of the line before that it came from."""
    line_of = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        last = max(i2 - 1, i1, 0)
        line_of += [min(i1 + j, last) + 1 for j in range(j2 - j1)]
    return [min(line, len(before)) for line in line_of]


def _import_runtime(tree: ast.Module) -> None:
    """Begin the module with the import of what it needs at run time."""
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    wanted = _DIVISION | {name: _BUILTINS[name] for name in sorted(_BUILTINS.keys() & used)}
    aliases = [ast.alias(name, asname) for asname, name in wanted.items()]
    insert_import(tree, ast.ImportFrom("vae_tf1.legacy.python2.runtime", aliases, 0))


class _Sorts(ast.NodeTransformer):
    """Turns ``x.sort(f)`` into a call that knows whether `x` is a list: `f` compares two then."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        compares = node.args or any(keyword.arg == "cmp" for keyword in node.keywords)
        if not (isinstance(function, ast.Attribute) and function.attr == "sort" and compares):
            return node
        call = _call(_SORT, node, function.value, *node.args)
        call.keywords = node.keywords
        return call


class _ClassicDivision(ast.NodeTransformer):
    """Turns every ``/`` into a call that divides as Python 2 did."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(_call(_DIVIDE, node, node.left, node.right), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        # The target's object and index are evaluated once, as in the statement itself.
        before, target = [], node.target
        if isinstance(target, ast.Attribute):
            before = [_assign("__python2_object__", target.value)]
            target = ast.Attribute(_name("__python2_object__"), target.attr, ast.Store())
        elif isinstance(target, ast.Subscript):
            before = [
                _assign("__python2_object__", target.value),
                _assign("__python2_index__", _as_expression(target.slice)),
            ]
            target = ast.Subscript(
                _name("__python2_object__"), _name("__python2_index__"), ast.Store()
            )
        value = _call(_INPLACE, node, _loaded(target), node.value)
        statements = [*before, ast.Assign([target], value)]
        for statement in statements:
            for part in ast.walk(statement):
                if not hasattr(part, "lineno"):
                    ast.copy_location(part, node)
        return statements


def _call(function: str, at: ast.AST, *args: ast.expr) -> ast.Call:
    call = ast.Call(ast.copy_location(_name(function), at), list(args), [])
    return ast.copy_location(call, at)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _loaded(target: ast.expr) -> ast.expr:
    """Return the target of an assignment as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())


def _as_expression(index: ast.expr) -> ast.expr:
    """Return an index with its slices written out, as ``slice(a, b, c)``."""
    if isinstance(index, ast.Slice):
        parts = (index.lower, index.upper, index.step)
        filled = [part or ast.Constant(None) for part in parts]
        return ast.Call(_name("slice"), filled, [])
    if isinstance(index, ast.Tuple):
        return ast.Tuple([_as_expression(part) for part in index.elts], ast.Load())
    return index
