"""What the facts of factors allow in a term."""

from __future__ import annotations

from functools import lru_cache

from whence.expr.node import Coefficient, Factor, Node
from whence.shapes.dims import Dim

Exponents = dict[tuple[Node, tuple[int, ...]], Coefficient]
UNIT_DIAGONAL = "unit-diagonal"  # the fact of a matrix whose diagonal is made of ones
_TO_ONE, _TO_ZERO = "sums-to-1:", "sums-to-0:"


def use_facts(exponents: Exponents) -> Exponents:
    """Factors with their exponents, simplified by what is known of them."""
    out: Exponents = {}
    for (node, idx), e in exponents.items():
        facts = node.facts
        if "symmetric" in facts and len(idx) == 2 and idx[0] > idx[1]:
            idx = (idx[1], idx[0])
        out[node, idx] = out.get((node, idx), 0) + e
        if UNIT_DIAGONAL in facts and idx[0] == idx[1]:
            del out[node, idx]
        elif "mask" in facts and out[node, idx] > 0:
            out[node, idx] = 1
        elif "unit-sign" in facts and e.denominator == 1:
            out[node, idx] = out[node, idx] % 2
    for node, idx in list(out):
        if "absorbs-mask" in node.facts:
            for other in [
                k for k in out if "positive-mask" in k[0].facts and k[0].arguments == node.arguments and k[1] == idx
            ]:
                if out[node, idx] > 0:
                    del out[other]
        elif "absolute" in node.facts:
            _absolute(out, node, idx)
    return out


def _absolute(out: Exponents, node: Node, idx: tuple[int, ...]) -> None:
    """abs(x)**2 = x**2 and abs(x) * sign(x) = x."""
    e = out[node, idx]
    argument = (node.arguments[0], idx)
    for other in [k for k in out if "unit-sign" in k[0].facts and k[0].arguments == node.arguments and k[1] == idx]:
        if out[other] == 1 and e != 0 and e.denominator == 1:
            step = 1 if e > 0 else -1
            out[argument] = out.get(argument, 0) + step
            out[node, idx] = e = e - step
            del out[other]
    if e != 0 and e.denominator == 1 and e % 2 == 0:
        out[argument] = out.get(argument, 0) + e
        out[node, idx] = 0


def drop_known_sums(factors: list[Factor], summed: dict[int, Dim], rank: int) -> list[Factor]:
    """Leave out factors that sum to one along an index that nothing else carries."""
    if not any(_known_axes(_TO_ONE, f.facts) for f, _, _ in factors):
        return factors
    while True:
        for k, (f, idx, e) in enumerate(factors):
            axes = _known_axes(_TO_ONE, f.facts) if e == 1 else ()
            axis = next((a for a in axes if _lonely(idx, a, factors, k, rank)), None)
            if axis is not None:
                del summed[idx[axis]]
                factors = factors[:k] + factors[k + 1 :]
                break
        else:
            return factors


def sums_to_zero(factors: list[Factor], rank: int) -> bool:
    """Is one of the factors centred along an index that nothing else carries?"""
    for k, (f, idx, e) in enumerate(factors):
        if e == 1 and f.facts and any(_lonely(idx, a, factors, k, rank) for a in _known_axes(_TO_ZERO, f.facts)):
            return True
    return False


@lru_cache(maxsize=1_000)
def _known_axes(fact: str, facts: frozenset[str]) -> tuple[int, ...]:
    """The axes along which a node with these facts is known to sum to one, or to zero."""
    return tuple(sorted(int(f[len(fact) :]) for f in facts if f.startswith(fact)))


def _lonely(idx: tuple[int, ...], axis: int, factors: list[Factor], own: int, rank: int) -> bool:
    i = idx[axis]
    if i < rank or idx.count(i) > 1:
        return False
    return not any(i in ix for k, (_, ix, _) in enumerate(factors) if k != own)
