"""What Python's syntax trees of a pasted program say: numbers, texts, counts of rows, shapes of what is drawn."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_DRAWN = frozenset({"randn", "rand", "normal", "uniform", "standard_normal", "zeros", "random"})
_COUNTED = frozenset({"len", "size"})


def called_word(call: ast.Call) -> str:
    """The last word of what is called: `randn` of `np.random.randn`."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def is_bare(value: ast.expr) -> bool:
    """A name, a text, a truth, or a collection: it computes nothing."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str | bool) or value.value is None
    return isinstance(value, ast.Name | ast.Tuple | ast.List | ast.Dict)


def integer(node: ast.expr) -> int | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = integer(node.operand)
        return -value if value is not None else None
    if isinstance(node, ast.BinOp):
        a, b = integer(node.left), integer(node.right)
        if a is None or b is None:
            return None
        if isinstance(node.op, ast.Add | ast.Sub):
            return a + b if isinstance(node.op, ast.Add) else a - b
        return a // b if isinstance(node.op, ast.FloorDiv) and b else None
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def counters_in(node: ast.AST) -> set[str]:
    """The names that a node uses to count or to put together the name of a layer: L of range(L), l of str(l)."""
    counts = isinstance(node, ast.Call) and called_word(node) in ("range", "str")
    if not counts and not isinstance(node, ast.FormattedValue):
        return set()
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def is_count(node: ast.expr) -> bool:
    return any(isinstance(n, ast.Call) and called_word(n) in _COUNTED for n in ast.walk(node))


def count_of(value: ast.expr) -> tuple[str, int] | None:
    """`X.shape[1]`, `len(X)`, `X.size(0)`: of what, and along which axis."""
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Attribute) and value.value.attr == "shape":
        axis = integer(value.slice)
        return (ast.unparse(value.value.value), axis) if axis is not None and axis >= 0 else None
    if isinstance(value, ast.Call) and len(value.args) == 1:
        if isinstance(value.func, ast.Name) and value.func.id == "len":
            return ast.unparse(value.args[0]), 0
        axis = integer(value.args[0])
        if isinstance(value.func, ast.Attribute) and value.func.attr == "size" and axis is not None:
            return ast.unparse(value.func.value), axis
    return None


def drawn_shape(value: ast.expr) -> tuple[int | str, ...] | None:
    """The shape of numbers that are drawn, `np.random.randn(n1, n0) * 0.01`; () where it is not written."""
    for node in factors(value):
        if isinstance(node, ast.Call) and called_word(node) in _DRAWN:
            sizes = node.args
            if len(sizes) == 1 and isinstance(sizes[0], ast.Tuple):
                sizes = sizes[0].elts
            shape = [n.id if isinstance(n, ast.Name) else integer(n) for n in sizes]
            return tuple(s for s in shape if s is not None) if None not in shape else ()
    return None


def factors(value: ast.expr) -> Iterator[ast.expr]:
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div):
        yield value.right
        value = value.left
    yield value


def decided(test: ast.expr) -> bool | None:
    """Whether a test holds, where it can be told from its text: `activation == "relu"`."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = test.left, test.comparators[0]
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            if isinstance(test.ops[0], ast.Eq | ast.Is):
                return left.value == right.value
            if isinstance(test.ops[0], ast.NotEq | ast.IsNot):
                return left.value != right.value
    return None
