"""What a body says about the intermediate that stands for it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from whence.expr.canonical import canonical
from whence.expr.node import DIMENSION, SUM, Coefficient, Node, Term
from whence.expr.opaque import last_two_turned
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
    facts |= {f"sums-to-0:{'+'.join(map(str, axes))}" for axes in _centred_together(body, facts, rename)}
    facts |= {f"sums-to-1:{k}" for k in range(body.rank) if _total_along(body, k, rename) == 1}
    for fact in source.facts:
        if fact.startswith("sums-to-1:"):
            facts.add(f"sums-to-1:{idx[int(fact[10:])]}")
    if body.rank >= 2 and body.dims[-2] == body.dims[-1] and transpose(body, last_two_turned(body.rank)) is body:
        facts.add("symmetric")
    return frozenset(facts)


def _centred(body: Node, axis: int, rename: Callable[[Node], Node]) -> bool:
    """Is the sum along this axis zero, whatever the inputs?"""
    return _total_along(body, axis, rename) == 0


def _centred_together(body: Node, facts: set[str], rename: Callable[[Node], Node]) -> list[tuple[int, ...]]:
    """The axes of a tensor along which together, but along none of them alone, the sum is zero whatever the inputs."""
    alone = [k for k in range(body.rank) if f"sums-to-0:{k}" not in facts]
    if body.rank < 3 or not any(e < 0 for _, fs in _terms(body) for _, _, e in fs):
        return []
    found: list[tuple[int, ...]] = []
    for count in (2, 3):
        for axes in combinations(alone, count):
            if not any(set(known) <= set(axes) for known in found) and _total_along(body, axes, rename) == 0:
                found.append(axes)
    return found


def _terms(body: Node) -> tuple[Term, ...]:
    return body.terms if body.kind == SUM else ()


def _total_along(body: Node, axis: int | tuple[int, ...], rename: Callable[[Node], Node]) -> Coefficient | None:
    """The sum along these axes where it is the same number whatever the inputs."""
    if body.kind != SUM:
        return None
    axes = (axis,) if isinstance(axis, int) else axis
    kept = [k for k in range(body.rank) if k not in axes]
    place = {k: n for n, k in enumerate(kept)} | {k: 1000 + k for k in axes}
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
