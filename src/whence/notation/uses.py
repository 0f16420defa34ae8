"""Whether a formula speaks of means or of index sums: the printer writes only what the model itself speaks of."""

from __future__ import annotations

from collections.abc import Iterable

from whence.ops.table import TABLE
from whence.read.syntax import Call, Expr, Range
from whence.read.walk import children


def uses_index_sum(tree: Expr) -> bool:
    """Is a part of the formula an index sum written out?"""
    return _calls(tree, "einsum")


def speaks_of_means(trees: Iterable[Expr]) -> bool:
    """Does one of the formulas take a mean?"""
    return any(_calls(tree, "mean") for tree in trees)


def _calls(tree: Expr, structure: str) -> bool:
    stack: list[Expr | Range] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.name in TABLE and TABLE[node.name].structure == structure:
            return True
        stack.extend(children(node))
    return False
