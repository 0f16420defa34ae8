"""Selectors: constants that choose a range of an axis, and what they make of each other in a term."""

from __future__ import annotations

from whence.expr.node import Coefficient, Node, function, identity, raw_sum
from whence.shapes.dims import Dim

SELECTS = "selects"  # the fact of a selector
RANGE = "range"  # what a selector is called inside the graph


def selector(low: Dim, count: Dim, size: Dim) -> Node:
    """S with S[t, l] = 1 where l = low + t: the rows low to low + count of the identity."""
    return function(RANGE, (), (count, size), (low,), ("mask", SELECTS, "sums-to-1:1"))


def range_of(node: Node) -> tuple[Dim, Dim]:
    """From where, and to where, a selector chooses."""
    (low,) = node.parameters
    return low, low + node.dims[0]


def at_most(a: Dim, b: Dim) -> bool:
    """Is it certain that a <= b, every symbol being at least 1?"""
    return all(c >= 0 for _, c in (b - a).terms) or _certain(b - a)


def _certain(difference: Dim) -> bool:
    """n - 1 is at least 0: what is taken away is made up for by terms with symbols, each at least 1."""
    constant = sum(c for m, c in difference.terms if not m)
    others = [c for m, c in difference.terms if m]
    return all(c > 0 for c in others) and constant + sum(others) >= 0


def use_selectors(out: dict[tuple[Node, tuple[int, ...]], Coefficient]) -> bool:
    """Two selectors of one axis: the same ranges tie their places together, ranges apart have no entry in common."""
    chosen = [k for k, e in out.items() if SELECTS in k[0].facts and e > 0]
    for n, (a, ia) in enumerate(chosen):
        for b, ib in chosen[n + 1 :]:
            if ia[1] != ib[1]:
                continue
            if a is b:
                out[b, ib] = 0
                tie = (identity(a.dims[0]), (ia[0], ib[0]))
                out[tie] = out.get(tie, 0) + 1
                return True
            (low, high), (start, stop) = range_of(a), range_of(b)
            if at_most(high, start) or at_most(stop, low):
                out[raw_sum((), ()), ()] = 1
                return True
    return False
