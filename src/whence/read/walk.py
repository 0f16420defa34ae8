"""Walks over syntax trees, all without recursion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from whence.messages.errors import ReadError
from whence.read.context import Context
from whence.read.places import error_at
from whence.read.syntax import Binary, Call, Compare, Expr, Index, Name, Negative, Number, Range, Span, Transpose, Tuple


def check_star(context: Context) -> None:
    """Refuse `X'*(X*w - y)`: a transpose and * but no other product, so * may be the matrix product."""
    star = context.star
    if star is None or context.matrix_product or context.forced:
        return
    if context.transposed:
        raise error_at("ambiguous-star", star)
    context.note("* is read entry by entry; the matrix product is written with a blank or @.")


def check_roles(exprs: Iterable[Expr], context: Context) -> None:
    """Refuse a word that is called in one place and multiplied in another."""
    if not context.unknown:
        return
    stack: list[Expr | Range] = list(exprs)
    while stack:
        node = stack.pop()
        if isinstance(node, Name) and node.id in context.unknown:
            span = node.span
            raise ReadError("function-and-variable", line=span.line, column=span.column, end=span.end, found=node.id)
        stack.extend(children(node))


def children(node: Expr | Range) -> list[Expr | Range]:
    """The direct parts of a node, in reading order."""
    if isinstance(node, (Name, Number)):  # every other node is one
        return []
    if isinstance(node, (Binary, Compare)):
        return [node.left, node.right]
    if isinstance(node, (Negative, Transpose)):
        return [node.operand]
    if isinstance(node, Call):
        return [*node.arguments, *(value for _, value in node.keywords)]
    if isinstance(node, Index):
        return [node.operand, *node.places]
    if isinstance(node, Tuple):
        return list(node.items)
    if isinstance(node, Range):
        return [part for part in (node.low, node.high) if part is not None]
    return []


def walk(tree: Expr | Range) -> Iterator[Expr | Range]:
    """All nodes of a formula."""
    stack: list[Expr | Range] = [tree]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


def names_in(tree: Expr | Range) -> set[str]:
    """The names that a formula uses."""
    return {node.id for node in walk(tree) if isinstance(node, Name)}


def names_of(expr: Expr) -> list[tuple[str, Span]]:
    """Every name in a formula with its place, in reading order."""
    out: list[tuple[str, Span]] = []
    stack: list[Expr | Range] = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            out.append((node.id, node.span))
        else:
            stack.extend(reversed(children(node)))
    return out
