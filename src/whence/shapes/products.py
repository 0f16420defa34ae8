"""Products typed side by side whose factors have no declared shape: refused where only an unlikely shape fits."""

from __future__ import annotations

from collections.abc import Iterable

from whence.messages.errors import ShapeError
from whence.read.canonical import to_text
from whence.read.syntax import Binary, Expr, Name, Negative, Range, Statement
from whence.shapes.forward import Scope, children, shape_of
from whence.shapes.words import ONE, Sizes, text


def refuse_unlikely(statement: Statement, scope: Scope, undeclared: Iterable[str]) -> None:
    """ShapeError for `y log(a)` where nothing says that y is a matrix, or that one factor is a number.

    Lower-case names without a declared shape are vectors. Such a name beside a column can be meant entry by entry,
    and a shape that makes it a factor of a matrix product would be a guess.
    """
    if not scope.soft:
        return
    lower = {name for name in undeclared if name[0].islower()}
    stack: list[Expr | Range] = [statement.expression] if lower else []
    while stack:
        node = stack.pop()
        stack.extend(reversed(children(node)))
        if isinstance(node, Binary) and node.operator == "@" and node.span in scope.soft:
            name = _guessed(node, scope, lower, statement.line)
            if name:
                raise ShapeError(
                    "ambiguous-product",
                    line=node.span.line,
                    column=node.span.column,
                    end=node.span.end,
                    found=f"{to_text(node.left)} beside {to_text(node.right)}",
                    shapes={n: text(s) for n, s in scope.shapes.items() if n not in lower},
                    source=scope.source,
                    name=name,
                )


def _guessed(node: Binary, scope: Scope, lower: set[str], line: int) -> str:
    """The undeclared lower-case factor of a product that only an unlikely shape explains; "" where there is none."""
    factors = [part.operand if isinstance(part, Negative) else part for part in (node.left, node.right)]
    try:
        shapes = [shape_of(factor, scope, line) for factor in factors]
    except ShapeError:
        return ""
    a_number = any(len(shape) < 2 for shape in shapes)
    for factor, own, other in zip(factors, shapes, reversed(shapes), strict=True):
        if isinstance(factor, Name) and factor.id in lower and (a_number or _matrix_beside_vector(own, other)):
            return factor.id
    return ""


def _matrix_beside_vector(own: Sizes, other: Sizes) -> bool:
    return len(own) == len(other) == 2 and ONE not in own and ONE in other
