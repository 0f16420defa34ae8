"""Factoring: a sum of terms with a common part as that part times a shorter sum.

A common part is a scalar, an elementwise factor on the axes of the result, or a matrix that touches the rest of
its term through one summed index only (so that A @ b - A @ c is A @ (b - c)). The part that saves most is taken
out first, and what is left is factored again.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from whence.expr.node import DIMENSION, IDENTITY, SUM, Coefficient, Factor, Node, Term
from whence.expr.sums import make_sum
from whence.form.denominators import over_common_denominator

Handle = tuple[Node, tuple[int, ...], int]  # a factor, its indices with the summed one as -1, the sign of its exponent
MAX_FACTORED = 60


def factored(node: Node, *, sizes: bool = True) -> Node:
    """The node with common parts taken out of its terms, and again inside what is left; `sizes` among these parts."""
    if node.kind != SUM or not 1 < len(node.terms) <= MAX_FACTORED:
        return node
    terms = _with_products_whole(node)
    shared = [(handle, places) for handle, places in _handles(terms, node.rank).items() if len(places) > 1]
    shared = [x for x in shared if sizes or x[0][0].kind != DIMENSION]
    if not shared:
        return node
    (f, pattern, sign), places = max(shared, key=_saving)
    chosen = [terms[k] for k in places]
    grouped = _take_out(f, pattern, sign, chosen, node, sizes)
    if grouped is None:
        return node
    rest = [(c, fs) for k, (c, fs) in enumerate(node.terms) if k not in places]
    if not rest:
        return make_sum([grouped], node.dims)
    remaining = factored(make_sum(rest, node.dims), sizes=sizes)
    return make_sum([grouped, (1, [(remaining, tuple(range(node.rank)), 1)])], node.dims)


def _saving(item: tuple[Handle, list[int]]) -> tuple[int, int, int]:
    (f, pattern, _), places = item
    return (len(places) - 1) * (bulk(f) + (2 if -1 in pattern else 0)), len(places), f.order


@lru_cache(maxsize=2_000)
def bulk(node: Node) -> int:
    """A rough number of tokens of a node."""
    if node.kind == SUM:
        return sum(1 + sum(bulk(f) for f, _, _ in fs) for _, fs in node.terms)
    return 1 + 2 * len(node.arguments) + sum(bulk(a) for a in node.arguments)


def _with_products_whole(node: Node) -> list[Term]:
    """The terms with each product over summed indices that several of them share as one factor.

    Such as W.T @ D in (W.T @ D) * s + (W.T @ D) * t.
    """
    linked = [_linked(factors, node.rank) for _, factors in node.terms]
    if sum(map(len, linked)) < 2:
        return list(node.terms)
    wholes = [_products(factors, groups, node) for (_, factors), groups in zip(node.terms, linked, strict=True)]
    count = Counter(p[:2] for products in wholes for p in products)
    if len(count) == sum(map(len, linked)):
        return list(node.terms)
    out: list[Term] = []
    for (c, factors), products, members in zip(node.terms, wholes, linked, strict=True):
        shared = [(p, m) for p, m in zip(products, members, strict=True) if count[p[:2]] > 1]
        gone = {k for _, m in shared for k in m}
        merged: dict[tuple[Node, tuple[int, ...]], Coefficient] = {}
        for f, idx, e in (*(p for p, _ in shared), *(f for k, f in enumerate(factors) if k not in gone)):
            merged[f, idx] = merged.get((f, idx), 0) + e
        out.append((c, tuple((f, idx, e) for (f, idx), e in merged.items())))
    return out


def _linked(factors: tuple[Factor, ...], rank: int) -> list[list[int]]:
    """The places of factors that hang together by summed indices, in groups of two or more."""
    groups: list[tuple[set[int], list[int]]] = []
    for k, (_, idx, _) in enumerate(factors):
        if not idx or max(idx) < rank:
            continue
        mine, members = {i for i in idx if i >= rank}, [k]
        apart = []
        for indices, ks in groups:
            if indices & mine:
                mine, members = mine | indices, ks + members
            else:
                apart.append((indices, ks))
        groups = [*apart, (mine, members)]
    return [members for _, members in groups if len(members) > 1]


def _products(factors: tuple[Factor, ...], groups: list[list[int]], node: Node) -> list[Factor]:
    """Each group of linked factors as one factor over axes of the result."""
    rank = node.rank
    products: list[Factor] = []
    for members in groups:
        parts = [factors[k] for k in sorted(members)]
        axes = sorted({i for _, idx, _ in parts for i in idx if i < rank})
        place = {a: k for k, a in enumerate(axes)}
        raw = [(f, tuple([place[i] if i in place else i + 1000 for i in idx]), e) for f, idx, e in parts]
        products.append((make_sum([(1, raw)], tuple([node.dims[a] for a in axes])), tuple(axes), 1))
    return products


def _handles(terms: list[Term], rank: int) -> dict[Handle, list[int]]:
    found: dict[Handle, list[int]] = {}
    joined: set[Handle] = set()
    for k, (_, factors) in enumerate(terms):
        for handle, meets in dict(_handles_of(factors, rank)).items():
            found.setdefault(handle, []).append(k)
            if meets:
                joined.add(handle)
    return {handle: places for handle, places in found.items() if handle in joined}


def _handles_of(factors: tuple[Factor, ...], rank: int) -> list[tuple[Handle, bool]]:
    """The parts that may be taken out, each with whether it meets the rest of the term (a sum along it does not)."""
    out: list[tuple[Handle, bool]] = []
    diagonal = {i for f, idx, _ in factors if f.kind == IDENTITY for i in idx}
    for place, (f, idx, e) in enumerate(factors):
        if f.rank == 1 and idx[0] in diagonal:
            continue  # diag(s) - s @ s.T, not (eye(n) - s.T) * s
        if f.kind == IDENTITY or len(set(idx)) < len(idx):
            continue
        sign = 1 if e > 0 else -1
        summed = [i for i in idx if i >= rank]
        if not summed:
            out.append(((f, idx, sign), True))
        elif len(summed) == 1 and e == 1 and _hangs_by_one(factors, place, rank):
            meets = any(summed[0] in ix for k, (_, ix, _) in enumerate(factors) if k != place)
            out.append(((f, tuple(-1 if i >= rank else i for i in idx), 1), meets))
    return out


def _hangs_by_one(factors: tuple[Factor, ...], place: int, rank: int) -> bool:
    """Does the factor touch the rest through its summed index alone, and is what it leaves a matrix at most?"""
    f, idx, _ = factors[place]
    touched = {i for k, (_, ix, _) in enumerate(factors) if k != place for i in ix}
    if any(i in touched for i in idx if i < rank):
        return False
    return sum(i < rank for i in touched) <= 1


def _take_out(f: Node, pattern: tuple[int, ...], sign: int, terms: list[Term], node: Node, sizes: bool):
    """One raw term: the common part times the sum of what is left."""
    if -1 not in pattern:
        return _take_out_elementwise(f, pattern, sign, terms, node, sizes)
    rank = node.rank
    others = sorted({i for _, fs in terms for g, ix, _ in fs for i in ix if i < rank} - set(pattern))
    if len(others) > 1:
        return None
    place = {axis: k for k, axis in enumerate(others)}
    slot = len(others)
    dims = (*(node.dims[a] for a in others), f.dims[pattern.index(-1)])
    raw = []
    for c, fs in terms:
        k, s = _occurrence(fs, f, pattern, rank)
        raw.append(
            (
                c,
                [
                    (g, tuple(slot if i == s else place[i] if i < rank else i + 1000 for i in ix), e)
                    for j, (g, ix, e) in enumerate(fs)
                    if j != k
                ],
            )
        )
    rest = factored(make_sum(raw, dims), sizes=sizes)
    s = rank + 5000
    return (1, [(f, tuple(s if i == -1 else i for i in pattern), 1), (rest, (*others, s), 1)])


def _occurrence(factors: tuple[Factor, ...], f: Node, pattern: tuple[int, ...], rank: int) -> tuple[int, int]:
    for k, (g, idx, e) in enumerate(factors):
        if (
            g is f
            and e == 1
            and tuple(-1 if i >= rank else i for i in idx) == pattern
            and _hangs_by_one(factors, k, rank)
        ):
            return k, next(i for i in idx if i >= rank)
    raise AssertionError("the common part is in every chosen term")


def _take_out_elementwise(f: Node, idx: tuple[int, ...], sign: int, terms: list[Term], node: Node, sizes: bool):
    exponents = [next(e for g, ix, e in fs if g is f and ix == idx and (e > 0) == (sign > 0)) for _, fs in terms]
    common: Coefficient = min(exponents) if sign > 0 else max(exponents)
    if "positive" not in f.facts and any((e - common).denominator != 1 for e in exponents):
        return None
    left = [(c, _without(fs, f, idx, common)) for c, fs in terms]
    used = sorted({i for _, fs in left for _, ix, e in fs for i in ix if i < node.rank and e != 0})
    place = {a: k for k, a in enumerate(used)}
    raw = [
        (c, [(g, tuple(place[i] if i < node.rank else i + 1000 for i in ix), e) for g, ix, e in fs if e != 0])
        for c, fs in left
    ]
    left_over = make_sum(raw, tuple(node.dims[a] for a in used))
    rest = over_common_denominator(left_over) or factored(left_over, sizes=sizes)
    return (1, [(f, idx, common), (rest, tuple(used), 1)])


def _without(factors: tuple[Factor, ...], f: Node, idx: tuple[int, ...], common: Coefficient) -> list[Factor]:
    return [(g, ix, e - common if g is f and ix == idx else e) for g, ix, e in factors]
