"""Arrays of one element as NumPy 1 took them, where an old module's source asks for a number.

`int(a)`, `'%f' % a`, `words[a]` and their like are rewritten to unpack such an array first. Only
the source of old modules is changed; what is passed on to other packages is not.
"""

from __future__ import annotations

import ast

__all__ = ["insert_import", "print_as_then", "rewrite"]

_ITEM, _ARGUMENTS, _ELEMENT, _CALL = (
    "__numpy1_item__", "__numpy1_arguments__", "__numpy1_element__", "__numpy1_call__",
)  # fmt: skip
_RUNTIME = {_ITEM: "item", _ARGUMENTS: "arguments", _ELEMENT: "element", _CALL: "call"}


def print_as_then():
    """Print numbers as NumPy 1 did, ``1.5`` for ``np.float32(1.5)``; return what puts it back."""
    import numpy as np

    found = np.get_printoptions().get("legacy", False)
    if int(np.__version__.partition(".")[0]) >= 2 and not found:
        np.set_printoptions(legacy="1.25")
    return lambda: np.set_printoptions(legacy=found)


# Of the source


def rewrite(tree: ast.Module, numpy: set[str] | None = None) -> ast.Module:
    """Rewrite a module that imports NumPy or TensorFlow; all others are left alone.

    Parameters
    ----------
    tree : ast.Module
        Changed in place.
    numpy : set of str, optional
        What the module calls NumPy; by default its imports tell.
    """
    numpy = numpy or _names_of(tree, "numpy")
    if not (numpy or _names_of(tree, "tensorflow")):
        return tree
    arrays = _from_numpy(tree, numpy)
    rewriter = _Rewriter(numpy, arrays, _counters(tree) - arrays)
    rewriter.visit(tree)
    if rewriter.used:
        imports = [ast.alias(_RUNTIME[name], name) for name in sorted(rewriter.used)]
        insert_import(tree, ast.ImportFrom("vae_tf1.legacy.libraries.arrays", imports, 0))
    return tree


def insert_import(tree: ast.Module, statement: ast.ImportFrom) -> None:
    """Put an import at the top of a module, after its docstring and ``from __future__``."""
    for node in ast.walk(statement):
        node.lineno = node.end_lineno = 1
        node.col_offset = node.end_col_offset = -1
    place = 0
    for place, found in enumerate([*tree.body, None]):  # noqa: B007 - the place is what counts
        is_text = isinstance(found, ast.Expr) and isinstance(found.value, ast.Constant)
        is_future = isinstance(found, ast.ImportFrom) and found.module == "__future__"
        if not (is_text or is_future):
            break
    tree.body.insert(place, statement)


def _names_of(tree: ast.Module, package: str) -> set[str]:
    """Return what a module calls a package that it imports, or things from it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == package:
                    names.add(alias.asname or package)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package:
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def _from_numpy(tree: ast.Module, numpy: set[str]) -> set[str]:
    """Return the names to which a module assigns what may be an array."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _may_be_array(node.value, numpy):
            for target in node.targets:
                names.update(n.id for n in ast.walk(target) if isinstance(n, ast.Name))
    return names


def _counters(tree: ast.Module) -> set[str]:
    """Return the names that count in loops: they are numbers."""
    names = set()
    for node in ast.walk(tree):
        loops = isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Call)
        if loops and isinstance(node.iter.func, ast.Name):
            target = node.target
            if node.iter.func.id == "enumerate" and isinstance(target, ast.Tuple):
                target = target.elts[0]
            elif node.iter.func.id not in ("range", "xrange"):
                continue
            if isinstance(target, ast.Name):
                names.add(target.id)
    return names


def _may_be_array(value: ast.expr, numpy: set[str]) -> bool:
    if not isinstance(value, ast.Call):
        return False
    function = value.func
    if isinstance(function, ast.Attribute) and function.attr in ("argmax", "argmin", "eval", "run"):
        return True
    return _root(function) in numpy


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


_METHODS = frozenset({"itemset", "newbyteorder", "ptp", "tostring"})
_NUMBERS = frozenset({"complex", "float", "int", "long", "range", "xrange"})
_NEVER_ARRAYS = frozenset({"input", "len", "ord", "raw_input", "str"})


class _Rewriter(ast.NodeTransformer):
    def __init__(self, numpy: set[str], arrays: set[str], counters: set[str]) -> None:
        self._numpy = numpy
        self._arrays = arrays
        self._counters = counters
        self.used: set[str] = set()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        function = node.func
        _buffer_lines(node)
        if isinstance(function, ast.Name) and function.id in _NUMBERS:
            node.args = [self._item(arg) for arg in node.args]
        elif isinstance(function, ast.Attribute):
            name, root = function.attr, _root(function)
            if name in _METHODS and root not in self._numpy:
                args = [ast.Constant(name), function.value, *node.args]
                made = ast.Call(self._name(_CALL, node), args, node.keywords)
                return ast.fix_missing_locations(ast.copy_location(made, node))
            if name == "read" or root == "math":
                node.args = [self._item(arg) for arg in node.args]
            elif name in ("empty", "ones", "reshape", "zeros"):
                several = name == "reshape" and len(node.args) > 1 and root not in self._numpy
                node.args = [self._size(arg, several) for arg in node.args]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        is_text = isinstance(node.left, ast.Constant) and isinstance(node.left.value, str)
        if isinstance(node.op, ast.Mod) and is_text:
            if isinstance(node.right, ast.Tuple):
                node.right.elts = [self._item(each) for each in node.right.elts]
            elif not isinstance(node.right, ast.Constant | ast.Dict):
                node.right = self._call(_ARGUMENTS, node.right)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        index = node.slice
        array = (isinstance(index, ast.Name) and index.id in self._arrays) or (
            isinstance(index, ast.Call) and _may_be_array(index, self._numpy)
        )
        if not (array and isinstance(node.ctx, ast.Load)) or _root(node.value) in self._arrays:
            return node
        return self._call(_ELEMENT, node.value, index)

    def _size(self, arg: ast.expr, several: bool) -> ast.expr:
        if isinstance(arg, ast.Tuple | ast.List):
            arg.elts = [self._item(each) for each in arg.elts]
            return arg
        return self._item(arg) if several else arg

    def _item(self, arg: ast.expr) -> ast.expr:
        counts = isinstance(arg, ast.Name) and arg.id in self._counters
        known = (
            counts
            or isinstance(arg, ast.Constant | ast.JoinedStr | ast.Starred | ast.UnaryOp)
            or (
                isinstance(arg, ast.Call)
                and isinstance(arg.func, ast.Name)
                and arg.func.id in _NEVER_ARRAYS | _NUMBERS
            )
        )
        return arg if known else self._call(_ITEM, arg)

    def _call(self, name: str, *args: ast.expr) -> ast.Call:
        made = ast.Call(self._name(name, args[0]), list(args), [])
        return ast.copy_location(made, args[0])

    def _name(self, name: str, at: ast.AST) -> ast.Name:
        self.used.add(name)
        return ast.copy_location(ast.Name(name, ast.Load()), at)


def _buffer_lines(node: ast.Call) -> None:
    """Have ``open(name, 'w', 0)`` buffer lines: text without a buffer is Python 2's alone."""
    function = node.func
    opens = isinstance(function, ast.Name) and function.id in ("file", "open")
    opens = opens or (isinstance(function, ast.Attribute) and function.attr == "fdopen")
    text = len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    if not (opens and text and "b" not in str(node.args[1].value)):
        return
    sizes = [
        *node.args[2:3],
        *(k.value for k in node.keywords if k.arg in ("buffering", "bufsize")),
    ]
    for size in sizes:
        if isinstance(size, ast.Constant) and size.value == 0:
            size.value = 1
