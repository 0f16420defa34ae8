"""Canonical numbering of the summed indices of a term, by colour refinement.

Indices and factors are coloured by what they touch, in turns, until nothing splits any more; where indices
stay alike, each of the alike is tried first in turn and the smallest outcome is kept (the cap on tries only
matters for terms with many interchangeable parts).
"""

from __future__ import annotations

from whence.expr.node import Factor, number_order

MAX_TRIES = 64
MASK = 0xFFFFFFFFFFFFFFFF


def canonical_naming(factors: list[Factor], rank: int) -> tuple[Factor, ...]:
    """The factors sorted, with summed indices renamed rank, rank+1, ... in an order that depends on structure only."""
    indices = {i for _, idx, _ in factors for i in idx}
    summed = sorted([i for i in indices if i >= rank])
    if not summed:
        return tuple(sorted(factors, key=_factor_key)) if len(factors) > 1 else tuple(factors)
    if len(summed) == 1:
        return _finish(factors, {summed[0]: rank})
    base = [hash((f.order, number_order(e))) for f, _, e in factors]
    colours = {i: i + 1 if i < rank else 0 for i in indices}
    colours = _refine(factors, base, colours, summed)
    return _individualise(factors, base, colours, summed, rank, [MAX_TRIES])


def _factor_key(factor: Factor) -> tuple:
    f, idx, e = factor
    return (f.order, idx, e.numerator, e.denominator)


def _finish(factors: list[Factor], names: dict[int, int]) -> tuple[Factor, ...]:
    renamed = []
    for f, idx, e in factors:
        new = tuple([names.get(i, i) for i in idx])
        if len(new) > 1 and new[-2] > new[-1] and "symmetric" in f.facts:  # in its last two axes
            new = (*new[:-2], new[-1], new[-2])
        renamed.append((f, new, e))
    if len(renamed) > 1:
        renamed.sort(key=_factor_key)
    return tuple(renamed)


def _refine(factors, base, colours: dict[int, int], summed: list[int]) -> dict[int, int]:
    classes = len({colours[i] for i in summed})
    touched = [(idx, "symmetric" in f.facts, b) for (f, idx, _), b in zip(factors, base, strict=True) if idx]
    for _ in range(len(summed) + 1):
        touching: dict[int, list[int]] = {i: [] for i in summed}
        for idx, symmetric, b in touched:
            seen = [colours[i] for i in idx]
            whole = hash((b, *seen[:-2], *sorted(seen[-2:])) if symmetric else (b, *seen))
            for place, i in enumerate(idx):
                if i in touching:
                    touching[i].append(hash((whole, min(place, len(idx) - 2) if symmetric else place)))
        new = {i: hash((colours[i], *sorted(touching[i]))) & MASK for i in summed}
        colours = {**colours, **new}
        count = len(set(new.values()))
        if count == len(summed) or count == classes:
            break
        classes = count
    return colours


def _individualise(factors, base, colours, summed, rank: int, tries: list[int]) -> tuple[Factor, ...]:
    groups: dict[int, list[int]] = {}
    for i in summed:
        groups.setdefault(colours[i], []).append(i)
    if len(groups) == len(summed):
        ordered = sorted(summed, key=colours.__getitem__)
        return _finish(factors, {i: rank + k for k, i in enumerate(ordered)})
    alike = min((g for g in groups.values() if len(g) > 1), key=lambda g: colours[g[0]])
    best = None
    for i in alike:
        if best is not None and tries[0] <= 0:
            break
        tries[0] -= 1
        marked = _refine(factors, base, {**colours, i: hash((colours[i], 1)) & MASK}, summed)
        outcome = _individualise(factors, base, marked, summed, rank, tries)
        if best is None or [_factor_key(f) for f in outcome] < [_factor_key(f) for f in best]:
            best = outcome
    assert best is not None
    return best
