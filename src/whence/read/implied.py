"""Sizes that nobody writes: the identity in X'X + λI, the ones in 1b', as far as their neighbours give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from whence.ops.table import structured_by
from whence.read.fit import Shapes
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Transpose
from whence.read.vocabulary import entry, identity_function
from whence.read.walk import walk

UNKNOWN = "?"  # the size of 𝟙 as it is read
Want = tuple[int | str | None, ...] | None


_DEEPEST = 60  # what nests deeper is left as it stands


def with_sizes(expr: Expr, shapes: Shapes, want: Want = None) -> Expr:
    """The formula with the sizes of its identities and ones, where what stands beside them tells.

    `want` is the shape that the place asks for, None where a size is not known.
    """
    unsized = (n.id for n in walk(expr) if isinstance(n, Name) and n.id not in shapes.names)
    if not any(name == UNKNOWN or identity_function(name) is not None for name in unsized):
        return expr
    return _sized(expr, shapes, want, _DEEPEST)


def _sized(expr: Expr, shapes: Shapes, want: Want, depth: int) -> Expr:
    def go(part: Expr, want: Want) -> Expr:
        return _sized(part, shapes, want, depth - 1)

    if depth == 0:
        return expr
    if isinstance(expr, Name):
        return _identity(expr, shapes, want)
    if isinstance(expr, Call):
        return _call(expr, want, go)
    if isinstance(expr, Negative):
        return replace(expr, operand=go(expr.operand, want))
    if isinstance(expr, Transpose):
        return replace(expr, operand=go(expr.operand, want[::-1] if want else None))
    if not isinstance(expr, Binary):
        return expr
    left, right = shapes.of(expr.left), shapes.of(expr.right)
    if expr.operator == "@":
        rows = (want[0] if want else None, right[0] if right and len(right) == 2 else None)
        columns = (left[1] if left and len(left) == 2 else None, want[1] if want and len(want) > 1 else None)
        new_left = go(expr.left, rows)
        new_right = go(expr.right, columns)
        again = shapes.of(new_left)
        if again is not None and len(again) == 2 and right is None:
            new_right = go(new_right, (again[1], columns[1]))
        return replace(expr, left=new_left, right=new_right)
    if left == () or right == () or _number(expr.left) or _number(expr.right):
        return replace(expr, left=go(expr.left, want), right=go(expr.right, want))
    new_left = go(expr.left, right or want)
    return replace(expr, left=new_left, right=go(expr.right, shapes.of(new_left) or left or want))


def _number(expr: Expr) -> bool:
    return isinstance(expr, Number) or (isinstance(expr, Negative) and isinstance(expr.operand, Number))


def _identity(expr: Name, shapes: Shapes, want: Want) -> Expr:
    function = identity_function(expr.id)
    size = next((s for s in want if s is not None), None) if want else None
    if function is None or expr.id in shapes.names or size is None or (want and 1 in want):
        return expr
    return Call(function, (_written(size),), (), expr.span)


def _call(expr: Call, want: Want, go: Callable[[Expr, Want], Expr]) -> Expr:
    if expr.name == structured_by("ones").name and expr.arguments == (Name(UNKNOWN),):
        size = next((s for s in want if s not in (None, 1)), None) if want else None
        return expr if size is None else replace(expr, arguments=(_written(size),))
    op = entry(expr.name)
    same = op is not None and op.kind == "function" and op.gives == "[...,n,n]"
    arguments = tuple(go(argument, want if same else None) for argument in expr.arguments)
    return replace(expr, arguments=arguments)


def _written(size: int | str) -> Expr:
    if isinstance(size, int):
        return Number(Fraction(size), str(size))
    from whence.read.parser import parse_expression

    return parse_expression(size, dialect="canonical")
