"""What a body says about the intermediate that stands for it."""

from __future__ import annotations

from whence.expr.node import SUM, Node
from whence.expr.sums import transpose

_KEPT = ("positive", "mask")


def inherited(body: Node) -> frozenset[str]:
    """The facts of a named intermediate, proved from its body."""
    source, idx = _single_factor(body)
    facts = {f for f in source.facts if f in _KEPT}
    for fact in source.facts:
        if fact.startswith("sums-to-1:"):
            facts.add(f"sums-to-1:{idx[int(fact[10:])]}")
    if body.rank == 2 and body.dims[0] == body.dims[1] and transpose(body, (1, 0)) is body:
        facts.add("symmetric")
    return frozenset(facts)


def _single_factor(body: Node) -> tuple[Node, tuple[int, ...]]:
    """A body that is one factor with its axes in some order, else the body itself."""
    if body.kind == SUM and len(body.terms) == 1:
        c, factors = body.terms[0]
        if c == 1 and len(factors) == 1 and factors[0][2] == 1 and sorted(factors[0][1]) == list(range(body.rank)):
            return factors[0][0], factors[0][1]
    return body, tuple(range(body.rank))
