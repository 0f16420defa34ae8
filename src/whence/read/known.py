"""Shapes that are sure while a formula is read, for products that are typed side by side.

This is no inference of shapes: only declared names and what follows from them at once are known, and everything else
is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Shape, Transpose
from whence.read.vocabulary import entry, without_primes

_DEEPEST = 12  # a formula within which more brackets, signs and products nest is taken as unknown


def entry_by_entry(left: Expr, right: Expr, shapes: Mapping[str, Shape]) -> bool:
    """Do both have one shape that is sure, and that fits no matrix product?

    >>> entry_by_entry(Name("y"), Name("a"), {"y": ("n", 1), "a": ("n", 1)})
    True
    >>> entry_by_entry(Name("A"), Name("B"), {"A": ("n", "n"), "B": ("n", "n")})
    False
    """
    if not shapes:
        return False
    first = known_shape(left, shapes)
    if first is None or len(first) != 2 or first != known_shape(right, shapes):
        return False
    rows, columns = first
    # Different symbols are different sizes; of sizes such as H*k the texts do not tell.
    return rows != columns and all(isinstance(size, int) or size.isidentifier() for size in first)


def known_shape(expr: Expr, shapes: Mapping[str, Shape], depth: int = _DEEPEST) -> Shape | None:
    """The shape of a formula if it follows from the known ones: () a number, ("n", 1) a column; None if unknown."""
    if depth == 0:
        return None
    if isinstance(expr, Name):
        return shapes.get(expr.id)
    if isinstance(expr, Number):
        return ()
    if isinstance(expr, Negative | Transpose):
        inner = known_shape(expr.operand, shapes, depth - 1)
        return inner[::-1] if inner is not None and isinstance(expr, Transpose) else inner
    if isinstance(expr, Call):
        op = entry(without_primes(expr.name)[0])
        by_entry = (op is None or op.kind == "elementwise") and len(expr.arguments) == 1 and not expr.keywords
        return known_shape(expr.arguments[0], shapes, depth - 1) if by_entry else None
    if not isinstance(expr, Binary):
        return None
    left, right = (known_shape(part, shapes, depth - 1) for part in (expr.left, expr.right))
    if left is None or right is None:
        return None
    if expr.operator == "@":
        fits = len(left) == len(right) == 2 and left[1] == right[0]
        return (left[0], right[1]) if fits else None
    return left if left == right or not right else right if not left else None
