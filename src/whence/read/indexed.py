"""Formulas with indices, `y_i = Σ_j W_ij x_j + b_i`, in matrices: the repeated is contracted, the free stays."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from whence.messages.errors import ReadError
from whence.ops.table import structured_by
from whence.read.fit import Shapes
from whence.read.syntax import Binary, Call, Expr, Index, Negative, Number, Text, Transpose, Tuple
from whence.read.walk import walk

OVER = "over"  # the keyword under which a sum keeps its indices


@dataclass(frozen=True, slots=True)
class _Part:
    """A formula over matrices and the indices its axes stand for; `row`: the rows are vectors, one for each index."""

    expr: Expr
    free: tuple[str, ...] = ()
    row: bool = False


def has_indices(expr: Expr) -> bool:
    """Does a formula name entries by letters?"""
    return any(isinstance(node, Index) and all(isinstance(p, Text) for p in node.places) for node in walk(expr))


def in_matrices(expr: Expr, wanted: tuple[str, ...] | None, shapes: Shapes) -> Expr:
    """The formula without its indices. `wanted` are those of the left side; a repeated one beside them is summed.

    Raises ReadError `indices-unread` where the indices make no matrix formula of two axes.
    """
    if wanted and isinstance(expr, Binary) and expr.operator in ("*", "@"):
        letters = {
            p.value for node in walk(expr) if isinstance(node, Index) for p in node.places if isinstance(p, Text)
        }
        repeated = tuple(sorted(letters - set(wanted)))
        bound = any(isinstance(node, Call) and any(word == OVER for word, _ in node.keywords) for node in walk(expr))
        if len(repeated) == 1 and not bound:
            return _ordered(_summed(expr, repeated, shapes), wanted).expr
    part = _part(expr, shapes)
    if wanted is not None:
        extra = tuple(i for i in part.free if i not in wanted)
        if extra:
            part = _summed(expr, extra, shapes)
        part = _ordered(part, wanted)
    return part.expr


def _ordered(part: _Part, wanted: tuple[str, ...]) -> _Part:
    """A matrix with its rows counted by the first index of the left side."""
    turned = len(part.free) == 2 and part.free != wanted and set(part.free) == set(wanted)
    return _aligned(part, wanted) if turned else part


def _refuse(expr: Expr) -> ReadError:
    span = expr.span
    return ReadError("indices-unread", line=span.line, column=span.column, end=span.end)


def _part(expr: Expr, shapes: Shapes) -> _Part:
    if isinstance(expr, Index) and all(isinstance(p, Text) for p in expr.places):
        letters = tuple(p.value for p in expr.places if isinstance(p, Text))
        shape = shapes.of(expr.operand)
        row = len(letters) == 1 and shape is not None and len(shape) == 2 and 1 not in shape
        if len(set(letters)) < len(letters) or len(letters) > 2:
            raise _refuse(expr)
        return _Part(expr.operand, letters, row)
    if isinstance(expr, Negative):
        part = _part(expr.operand, shapes)
        return _Part(Negative(part.expr, expr.span), part.free, part.row)
    if isinstance(expr, Transpose):
        part = _part(expr.operand, shapes)
        return part if part.row else _Part(Transpose(part.expr, expr.batched, expr.span), part.free)
    if isinstance(expr, Binary):
        return _binary(expr, shapes)
    if isinstance(expr, Call):
        over = next((value for word, value in expr.keywords if word == OVER), None)
        if isinstance(over, Tuple):
            letters = tuple(item.value for item in over.items if isinstance(item, Text))
            return _summed(expr.arguments[0], letters, shapes)
        parts = [_part(argument, shapes) for argument in expr.arguments]
        free = next((p.free for p in parts if p.free), ())
        row = any(p.row for p in parts)
        return _Part(Call(expr.name, tuple(p.expr for p in parts), expr.keywords, expr.span), free, row)
    return _Part(expr)


def _binary(expr: Binary, shapes: Shapes) -> _Part:
    left, right = _part(expr.left, shapes), _part(expr.right, shapes)
    if not left.free and not right.free:
        return _Part(Binary(expr.operator, left.expr, right.expr, expr.span))
    if left.row or right.row:
        return _rows(expr, left, right)
    free = tuple(dict.fromkeys((*left.free, *right.free)))
    if len(free) > 2:
        raise _refuse(expr)
    if len(left.free) == len(right.free) == 1 and left.free != right.free and expr.operator in ("*", "@"):
        return _Part(Binary("@", left.expr, Transpose(right.expr), expr.span), free)
    if len(right.free) == 2 and len(left.free) < 2:
        free = right.free
    a, b = _aligned(left, free), _aligned(right, free)
    operator = "*" if expr.operator == "@" else expr.operator
    return _Part(Binary(operator, a.expr, b.expr, expr.span), free)


def _rows(expr: Binary, left: _Part, right: _Part) -> _Part:
    """wᵀ x_i for every i is X w."""
    if left.row and right.row or expr.operator not in ("@", "*"):
        if left.free == right.free and expr.operator in ("+", "-"):
            return _Part(Binary(expr.operator, left.expr, right.expr, expr.span), left.free, True)
        raise _refuse(expr)
    rows, other = (left, right) if left.row else (right, left)
    if other.free:
        raise _refuse(expr)
    vector = other.expr.operand if isinstance(other.expr, Transpose) and not left.row else other.expr
    return _Part(Binary("@", rows.expr, vector, expr.span), rows.free)


def _aligned(part: _Part, free: tuple[str, ...]) -> _Part:
    """The part with its axes in the order of `free`: one axis alone is a column, or a row where it comes second."""
    if part.free == free or not part.free:
        return part
    if len(part.free) == 2 or (len(free) == 2 and part.free == free[1:]):
        return _Part(Transpose(part.expr), free)
    return _Part(part.expr, free)


def _summed(body: Expr, letters: tuple[str, ...], shapes: Shapes) -> _Part:
    """Σ over some indices of a product: a matrix product where one index is contracted, else a sum over entries."""
    if isinstance(body, Binary) and body.operator in ("*", "@") and len(letters) == 1:
        left, right = _part(body.left, shapes), _part(body.right, shapes)
        if not left.free and left.expr != body.left or not left.free:
            inner = _summed(body.right, letters, shapes)
            return _Part(Binary("*", left.expr, inner.expr, body.span), inner.free)
        k = letters[0]
        if k in left.free and k in right.free and not left.row and not right.row and {*left.free} != {*right.free}:
            first = (
                left if left.free[-1] == k and len(left.free) == 2 else _Part(Transpose(left.expr), (*left.free[1:], k))
            )
            second = right if right.free[0] == k else _Part(Transpose(right.expr), (k, right.free[0]))
            free = (*first.free[:-1], *second.free[1:])
            if len(free) <= 2 and len(left.free) + len(right.free) > 2:
                if len(first.free) == 1:
                    return _Part(Binary("@", Transpose(second.expr), left.expr, body.span), free)
                return _Part(Binary("@", first.expr, second.expr, body.span), free)
    part = _part(body, shapes)
    total = structured_by("sum").name
    left_over = tuple(i for i in part.free if i not in letters)
    if not part.free or part.row or not left_over:
        if part.row and left_over == ():
            axis = (("axis", Number(Fraction(0), "0")),)
            return _Part(Transpose(Call(total, (part.expr,), axis, body.span)))
        return _Part(Call(total, (part.expr,), (), body.span))
    axis_at = 1 if part.free[0] in left_over else 0
    call = Call(total, (part.expr,), (("axis", Number(Fraction(axis_at), str(axis_at))),), body.span)
    return _Part(call if axis_at else Transpose(call), left_over)
