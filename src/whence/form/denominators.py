"""A sum of quotients over its common denominator, where that leaves fewer terms: 1/x + 1/(1 - x) = 1/(x*(1 - x))."""

from __future__ import annotations

from whence.expr.canonical import canonical
from whence.expr.node import DIMENSION, SUM, Coefficient, Factor, Node
from whence.expr.sums import make_sum
from whence.messages.errors import LimitError

MAX_TERMS = 12
Key = tuple[Node, tuple[int, ...]]


def over_common_denominator(node: Node) -> Node | None:
    """The node as one quotient, None where the numerator would not be shorter than the sum."""
    if node.kind != SUM or not 1 < len(node.terms) <= MAX_TERMS:
        return None
    common = _denominators(node)
    if not common:
        return None
    raw = []
    for c, factors in node.terms:
        exponents = {(f, idx): e for f, idx, e in factors}
        for key, e in common.items():
            exponents[key] = exponents.get(key, 0) - e
        if any(exponents[key].denominator != 1 for key in common):
            return None
        raw.append((c, [(f, idx, e) for (f, idx), e in exponents.items()]))
    try:
        numerator = canonical(make_sum(raw, node.dims))
    except LimitError:
        return None
    if numerator.kind == SUM and len(numerator.terms) >= len(node.terms):
        return None
    own = tuple(range(node.rank))
    below: list[Factor] = [(f, idx, e) for (f, idx), e in common.items()]
    return make_sum([(1, [(numerator, own, 1), *below])], node.dims)


def _denominators(node: Node) -> dict[Key, Coefficient]:
    """The factors on axes of the result that stand in a denominator of some terms but not alike in all."""
    lowest: dict[Key, Coefficient] = {}
    for _, factors in node.terms:
        for f, idx, e in factors:
            if e < 0 and f.kind != DIMENSION and all(i < node.rank for i in idx):
                lowest[f, idx] = min(e, lowest.get((f, idx), 0))
    uneven = {}
    for key, e in lowest.items():
        here = [next((x for f, idx, x in factors if (f, idx) == key), 0) for _, factors in node.terms]
        if any(x != e for x in here):
            uneven[key] = e
    return uneven
