"""Factors that are known to sum to one, or to zero, along an axis."""

from __future__ import annotations

from functools import lru_cache

from whence.expr.node import Factor
from whence.shapes.dims import Dim

_TO_ONE, _TO_ZERO = "sums-to-1:", "sums-to-0:"


def drop_known_sums(factors: list[Factor], summed: dict[int, Dim], rank: int) -> list[Factor]:
    """Leave out factors that sum to one along an index that nothing else carries."""
    if not any(_known_axes(_TO_ONE, f.facts) for f, _, _ in factors):
        return factors
    while True:
        for k, (f, idx, e) in enumerate(factors):
            axes = _known_axes(_TO_ONE, f.facts) if e == 1 else ()
            axis = next((a for (a,) in axes if _lonely(idx, a, factors, k, rank)), None)
            if axis is not None:
                del summed[idx[axis]]
                factors = factors[:k] + factors[k + 1 :]
                break
        else:
            return factors


def sums_to_zero(factors: list[Factor], rank: int) -> bool:
    """Is one of the factors centred along an index that nothing else carries?"""
    for k, (f, idx, e) in enumerate(factors):
        if e != 1 or not f.facts:
            continue
        for axes in _known_axes(_TO_ZERO, f.facts):
            if all(_lonely(idx, a, factors, k, rank) for a in axes) and len({idx[a] for a in axes}) == len(axes):
                return True
    return False


@lru_cache(maxsize=1_000)
def _known_axes(fact: str, facts: frozenset[str]) -> tuple[tuple[int, ...], ...]:
    """The axes along which, together, a node with these facts is known to sum to one, or to zero."""
    return tuple(sorted(tuple(map(int, f[len(fact) :].split("+"))) for f in facts if f.startswith(fact)))


def _lonely(idx: tuple[int, ...], axis: int, factors: list[Factor], own: int, rank: int) -> bool:
    i = idx[axis]
    if i < rank or idx.count(i) > 1:
        return False
    return not any(i in ix for k, (_, ix, _) in enumerate(factors) if k != own)
