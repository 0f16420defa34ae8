"""What a body says about the intermediate that stands for it."""

from __future__ import annotations

from collections.abc import Callable

from whence.expr.canonical import canonical
from whence.expr.node import DIMENSION, SUM, Coefficient, Node
from whence.expr.sums import constant, make_sum, transpose
from whence.messages.errors import LimitError

_KEPT = ("positive", "nonnegative", "mask", "unit-interval", "pd", "invertible", "nonzero")


def inherited(body: Node, rename: Callable[[Node], Node]) -> frozenset[str]:
    """The facts of a named intermediate, proved from its body."""
    source, idx = _single_factor(body)
    facts = {f for f in source.facts if f in _KEPT}
    if _nonnegative(body):
        facts.add("nonnegative")
    facts |= {f"sums-to-0:{k}" for k in range(body.rank) if _centred(body, k, rename)}
    facts |= {f"sums-to-1:{k}" for k in range(body.rank) if _total_along(body, k, rename) == 1}
    for fact in source.facts:
        if fact.startswith("sums-to-1:"):
            facts.add(f"sums-to-1:{idx[int(fact[10:])]}")
    if body.rank == 2 and body.dims[0] == body.dims[1] and transpose(body, (1, 0)) is body:
        facts.add("symmetric")
    return frozenset(facts)


def _centred(body: Node, axis: int, rename: Callable[[Node], Node]) -> bool:
    """Is the sum along this axis zero, whatever the inputs?"""
    return _total_along(body, axis, rename) == 0


def _total_along(body: Node, axis: int, rename: Callable[[Node], Node]) -> Coefficient | None:
    """The sum along this axis where it is the same number whatever the inputs."""
    if body.kind != SUM:
        return None
    kept = [k for k in range(body.rank) if k != axis]
    place = {k: n for n, k in enumerate(kept)} | {axis: 1000}
    total = make_sum([(1, [(body, tuple(place[k] for k in range(body.rank)), 1)])], tuple(body.dims[k] for k in kept))
    try:
        return constant(rename(canonical(total)))
    except LimitError:
        return None


def _single_factor(body: Node) -> tuple[Node, tuple[int, ...]]:
    """A body that is one factor with its axes in some order, else the body itself."""
    if body.kind == SUM and len(body.terms) == 1:
        c, factors = body.terms[0]
        if c == 1 and len(factors) == 1 and factors[0][2] == 1 and sorted(factors[0][1]) == list(range(body.rank)):
            return factors[0][0], factors[0][1]
    return body, tuple(range(body.rank))


def _nonnegative(body: Node) -> bool:
    """A sum of squares and of other things that are zero or more."""
    if body.kind != SUM or not body.terms:
        return False
    return all(
        c > 0
        and all(
            e % 2 == 0 or f.facts & {"positive", "nonnegative"} or f.kind == DIMENSION or _nonnegative(f)
            for f, _, e in fs
        )
        for c, fs in body.terms
    )
