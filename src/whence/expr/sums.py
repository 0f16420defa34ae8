"""Making sums of contractions: every rule that brings a term to its normal form, each with the measure it lowers.

flatten    a factor that is one term only is written out                    fewer nodes
deltas     an identity with a summed index renames it                       fewer factors
merge      the same factor at the same indices: exponents add               fewer factors
known sums a factor that sums to one along a lonely summed axis is dropped  fewer factors
orphans    a summed index that no factor carries is a size                  fewer indices
split      a closed scalar part becomes one factor                          smaller terms
naming     summed indices are numbered canonically
collect    equal terms: coefficients add                                    fewer terms
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm

from whence.expr.deltas import apply_deltas
from whence.expr.known import Exponents, use_facts
from whence.expr.known_sums import drop_known_sums, sums_to_zero
from whence.expr.match import CANCELLING, without_inverses
from whence.expr.naming import canonical_naming
from whence.expr.node import IDENTITY, ITSELF, SUM, Coefficient, Factor, Node, Term, dimension, integer, raw_sum
from whence.expr.powers import exact_power, never_negative
from whence.messages.errors import LimitError, RuleError
from whence.shapes.dims import Dim

MAX_TERMS = 2_000
RawTerm = tuple[Coefficient, Sequence[Factor]]


_OWN_AXES = tuple([tuple(range(rank)) for rank in range(16)])


def own_axes(rank: int) -> tuple[int, ...]:
    """The indices of the axes of a node itself, in order."""
    return _OWN_AXES[rank] if rank < len(_OWN_AXES) else tuple(range(rank))


def make_sum(raw: Iterable[RawTerm], dims: tuple[Dim, ...]) -> Node:
    """The node of a sum of contractions.

    In each raw term indices below len(dims) are the axes of the result; any other number is summed over.
    Equal terms are collected, so the sum is zero exactly when it has no terms.
    """
    rank = len(dims)
    own = own_axes(rank)
    collected: dict[tuple[Factor, ...], Coefficient] = {}
    work = list(raw)
    for coefficient, factors in work:
        normal = normal_term(coefficient, factors, rank)
        if normal is None:
            continue
        c, fs = normal
        whole = _whole_sum(fs[0], rank) if len(fs) == 1 else None
        if whole is None:
            collected[fs] = collected.get(fs, 0) + c
        elif fs[0][1] == own:  # a sum among the terms: its terms are added one by one
            for c2, fs2 in whole.terms:
                collected[fs2] = collected.get(fs2, 0) + c * c2
        else:
            work.extend((c * c2, _turned(fs2, fs[0][1], whole.rank, rank)) for c2, fs2 in whole.terms)
        if len(collected) > MAX_TERMS:
            raise LimitError("too-many-terms", found=str(len(collected)), expected=str(MAX_TERMS))
    terms = [(integer(c), fs) for fs, c in collected.items() if c != 0]
    if len(terms) == 1:
        c, fs = terms[0]
        if c == 1 and len(fs) == 1 and fs[0][2] == 1 and fs[0][1] == own:
            return fs[0][0]
    else:
        terms.sort(key=term_order)
    return raw_sum(tuple(terms), dims)


def _whole_sum(factor: Factor, rank: int) -> Node | None:
    """A sum that is the only factor, its axes all on different axes of the result."""
    node, idx, e = factor
    if e != 1 or node.kind != SUM or len(node.terms) < 2 or len(set(idx)) < len(idx):
        return None
    return node if max(idx, default=-1) < rank else None


def _turned(factors: tuple[Factor, ...], idx: tuple[int, ...], inner: int, rank: int) -> list[Factor]:
    """Factors of an inner term with the inner sum's axes placed at idx."""
    return [(f, tuple([idx[i] if i < inner else i + rank for i in ix]), e) for f, ix, e in factors]


def term_order(term: Term) -> tuple:
    """The sort key of a term inside its sum: structural, the same in every run."""
    return tuple([(f.order, idx, e.numerator, e.denominator) for f, idx, e in term[1]])


_recent: dict[tuple, Term | None] = {}
_RECENT_LIMIT = 4_096


def normal_term(coefficient: Coefficient, factors: Iterable[Factor], rank: int) -> Term | None:
    """A term in normal form, or None where it is zero. Recent ones are remembered: terms come again and again."""
    if coefficient == 0:
        return None
    key = (rank, *factors)
    try:
        found = _recent[key]
    except KeyError:
        if len(_recent) >= _RECENT_LIMIT:
            _recent.clear()
        found = _recent[key] = _normal(key[1:], rank)
    if found is None or coefficient == 1:
        return found
    return integer(coefficient * found[0]), found[1]


def _normal(factors: tuple[Factor, ...], rank: int) -> Term | None:
    flat = _flatten(factors, rank)
    if flat is None:
        return None
    coefficient, merged, summed, facts = flat
    if summed:
        if facts:
            if sums_to_zero(merged, rank):
                return None
            merged = drop_known_sums(merged, summed, rank)
        merged, extra = _orphans(merged, summed)
        coefficient = coefficient * extra
        if facts and not all(CANCELLING.isdisjoint(f.facts) for f, _, _ in merged):
            cancelled = without_inverses(merged, rank)
            if cancelled is not None:
                found = _normal(tuple(cancelled), rank)
                return None if found is None else (integer(coefficient * found[0]), found[1])
        merged = _split_closed(merged, rank)
    return integer(coefficient), canonical_naming(merged, rank)


def _flatten(
    factors: tuple[Factor, ...], rank: int
) -> tuple[Coefficient, list[Factor], dict[int, Dim], bool] | None:
    """Write out one-term factors, apply deltas, merge.

    -> coefficient, factors, sizes of the summed indices, whether any factor has facts; None for zero.
    """
    coefficient: Coefficient = 1
    work = list(factors)
    fresh = 1 + max([rank, *[max(idx, default=0) for _, idx, _ in work]])
    exponents: Exponents = {}
    summed: dict[int, Dim] = {}
    deltas: list[Factor] = []
    facts = False
    products: list[Factor] = []  # products over inner indices: written out unless they cancel against a denominator
    while True:
        for node, idx, e in work:  # which grows
            for i, d in zip(idx, node.dims, strict=True):
                if i >= rank:
                    summed[i] = d
            if e == 0:
                continue
            if node.kind == SUM:
                if not node.terms:
                    if e > 0:
                        return None
                    raise RuleError("division-by-zero", found="something that is zero for all inputs")
                if e == 1 and node.rank and _is_inner_product(node):
                    products.append((node, idx, e))
                    continue
                c, more, fresh = _open(node, idx, e, fresh)
                if more is not None:
                    coefficient = coefficient * c
                    work.extend(more)
                    continue
                if node.rank == 2:
                    node, idx, sign = _upright(node, idx, e)
                    coefficient = coefficient * sign
            elif node.kind == IDENTITY:
                if idx[0] != idx[1]:
                    deltas.append((node, idx, 1))
                continue
            facts = facts or bool(node.facts)
            key = (node, idx)
            exponents[key] = exponents.get(key, 0) + e
        if not products:
            break
        work, fresh = _close_products(products, exponents, fresh)
        products = []
    if deltas:
        exponents = apply_deltas(deltas, exponents, summed, rank)
    if facts:
        exponents, again = use_facts(exponents, rank)
        if again:
            return _flattened_again(coefficient, exponents, summed, rank)
    return coefficient, [(n, i, integer(e)) for (n, i), e in exponents.items() if e != 0], summed, facts


def _flattened_again(coefficient: Coefficient, exponents: Exponents, summed: dict[int, Dim], rank: int):
    """The same for what the facts have left, identities and sums among it."""
    kept = tuple([(n, i, e) for (n, i), e in exponents.items() if e != 0])
    found = _flatten(kept, rank)
    if found is None:
        return None
    more, factors, sizes, facts = found
    carried = {i for _, idx, _ in kept for i in idx}
    sizes.update({i: d for i, d in summed.items() if i not in carried})
    return coefficient * more, factors, sizes, facts


def _is_inner_product(node: Node) -> bool:
    """Is it one product over indices of its own, such as W @ H?"""
    if len(node.terms) != 1:
        return False
    c, factors = node.terms[0]
    return c == 1 and _sums_inside(factors, node.rank)


def _close_products(products: list[Factor], exponents: Exponents, fresh: int) -> tuple[list[Factor], int]:
    """Merge products with the same product in a denominator, write out the others. -> these, the next fresh index."""
    out: list[Factor] = []
    for node, idx, e in products:
        key, place, _ = _upright(node, idx, e) if node.rank == 2 else (node, idx, 1)
        if exponents.get((key, place), 0) < 0:
            exponents[key, place] += e
        else:
            c, factors = node.terms[0]
            _, more, fresh = _inline(c, factors, idx, fresh)
            out.extend(more)
    return out, fresh


def _open(node: Node, idx: tuple[int, ...], e: Coefficient, fresh: int):
    """Numbers, common scalars and, of a one-term sum, all factors taken out of node**e.

    -> coefficient, factors (None where the node stays as it is), next fresh index.
    """
    if len(node.terms) == 1:
        c, factors = node.terms[0]
        inner = _sums_inside(factors, node.rank)
        if not (node.rank == 0 and inner and c == 1):
            if e == 1:
                return _inline(c, factors, idx, fresh) if inner else (c, _placed(factors, idx), fresh)
            root = None if inner else exact_power(c, e)
            if root is not None and (e.denominator == 1 or all(never_negative(f) for f, _, _ in factors)):
                return root, [(f, tuple([idx[i] for i in ix]), integer(ex * e)) for f, ix, ex in factors], fresh
    if e.denominator == 1 or len(node.terms) > 1:
        c, scalars, rest = primitive(node)
        root = None if rest is node else exact_power(c, e)
        if root is not None and (e.denominator == 1 or all(never_negative(f) for f, _, _ in scalars)):
            return root, [(f, ix, integer(ex * e)) for f, ix, ex in scalars] + [(rest, idx, e)], fresh
    return 1, None, fresh


def _sums_inside(factors: tuple[Factor, ...], rank: int) -> bool:
    """Is any index of these factors summed over?"""
    return max([max(idx, default=-1) for _, idx, _ in factors], default=-1) >= rank


def _upright(node: Node, idx: tuple[int, ...], e: Coefficient) -> tuple[Node, tuple[int, ...], int]:
    """Of a primitive sum and its transpose the one of lower order; the indices of a symmetric one in order.

    -> the node, its indices, and the sign that making the transpose primitive took out (to the power e).
    """
    if node.upright is None:
        turned = make_sum([(c, _turned(fs, (1, 0), 2, 2)) for c, fs in node.terms], node.dims[::-1])
        sign, scalars, rest = primitive(turned)
        better = not scalars and abs(sign) == 1 and rest.order < node.order
        node.upright = (rest, True, int(sign)) if better else (None, turned is node, 1)
    best, flag, sign = node.upright
    if best is None:
        return node, (min(idx), max(idx)) if flag else idx, 1
    if sign < 0 and e.denominator != 1:
        return node, idx, 1
    return best, (idx[1], idx[0]), sign if e.denominator == 1 and e % 2 else 1


def _placed(factors: tuple[Factor, ...], idx: tuple[int, ...]) -> list[Factor]:
    """The factors of a node that sums over nothing, its axes placed at idx."""
    return [(f, tuple([idx[i] for i in ix]), ex) for f, ix, ex in factors]


def _inline(c: Coefficient, factors: tuple[Factor, ...], idx: tuple[int, ...], fresh: int):
    names: dict[int, int] = dict(enumerate(idx))
    out = []
    for f, ix, ex in factors:
        for i in ix:
            if i not in names:
                names[i] = fresh
                fresh += 1
        out.append((f, tuple([names[i] for i in ix]), ex))
    return c, out, fresh


def _orphans(factors: list[Factor], summed: dict[int, Dim]) -> tuple[list[Factor], Coefficient]:
    """A summed index that no factor carries any more stands for the size of its axis."""
    carried = {i for _, idx, _ in factors for i in idx}
    if carried.issuperset(summed):
        return factors, 1
    number: Coefficient = 1
    sizes: dict[Node, Coefficient] = {}
    for i in sorted(summed):
        if i not in carried:
            node = size(summed[i])
            if node.kind == SUM and len(node.terms) <= 1:
                for c, fs in node.terms or ((0, ()),):
                    number = number * c
                    for f, _, e in fs:
                        sizes[f] = sizes.get(f, 0) + e
            else:
                sizes[node] = sizes.get(node, 0) + 1
    if not sizes:
        return factors, number
    scalars: dict[tuple[Node, tuple[int, ...]], Coefficient] = {(f, ()): e for f, e in sizes.items()}
    for f, idx, e in factors:
        scalars[f, idx] = scalars.get((f, idx), 0) + e
    return [(f, idx, integer(e)) for (f, idx), e in scalars.items() if e != 0], number


def size(d: Dim) -> Node:
    """The size of an axis as a node: a number, a dimension symbol, or a polynomial in them."""
    raw: list[RawTerm] = []
    for powers, coefficient in d.terms:
        raw.append((coefficient, [(dimension(Dim.parse(symbol)), (), power) for symbol, power in powers]))
    return make_sum(raw, ())


def _split_closed(factors: list[Factor], rank: int) -> list[Factor]:
    """A part with indices, all of them summed, becomes one closed scalar factor."""
    if not _any_closed(factors, rank):
        return factors
    parts = _components(factors)
    closed = [p for p in parts if all(i >= rank for _, idx, _ in p for i in idx) and p[0][1]]
    if not closed:
        return factors
    out = [f for p in parts if p not in closed for f in p]
    exponents = {(f, idx): e for f, idx, e in out}
    for part in closed:
        node = raw_sum(((1, canonical_naming(part, 0)),), ())
        exponents[node, ()] = exponents.get((node, ()), 0) + 1
    return [(f, idx, e) for (f, idx), e in exponents.items() if e != 0]


def _any_closed(factors: list[Factor], rank: int) -> bool:
    """Do some factors with indices hang together with no axis of the result?"""
    reached = set(own_axes(rank))
    apart = [idx for _, idx, _ in factors if idx]
    while apart:
        left = [idx for idx in apart if reached.isdisjoint(idx)]
        if len(left) == len(apart):
            return True
        for idx in apart:
            if not reached.isdisjoint(idx):
                reached.update(idx)
        apart = left
    return False


def _components(factors: list[Factor]) -> list[list[Factor]]:
    """The factors in groups that share indices; factors without indices stand alone."""
    groups: list[tuple[set[int], list[Factor]]] = []
    for factor in factors:
        mine = set(factor[1])
        members = [factor]
        rest = []
        for indices, others in groups:
            if mine & indices:
                mine |= indices
                members = others + members
            else:
                rest.append((indices, others))
        groups = [*rest, (mine, members)]
    return [members for _, members in groups]


def primitive(node: Node) -> tuple[Coefficient, tuple[Factor, ...], Node]:
    """Content, common scalar factors, and what is left: node = content * scalars * rest.

    Of a sum the content makes the coefficients whole and coprime with the first positive; common scalars are
    factors without indices that all terms share. Of any other node the content is 1.
    """
    if node.kind != SUM or not node.terms:
        return 1, (), node
    found = node.primitive
    if found is None:
        found = _primitive(node)
        node.primitive = ITSELF if found[2] is node else found
    return (1, (), node) if isinstance(found, str) else found


def _primitive(node: Node) -> tuple[Coefficient, tuple[Factor, ...], Node]:
    terms = node.terms
    content = _content([c for c, _ in terms])
    if terms[0][0] < 0:
        content = -content
    common = {f: e for f, idx, e in terms[0][1] if not idx}
    for _, factors in terms[1:]:
        if not common:
            break
        here = {f: e for f, idx, e in factors if not idx}
        common = {f: _shared(e, here[f]) for f, e in common.items() if f in here and _shared(e, here[f])}
    if node.rank == 0 and len(terms) == 1:
        common = {}
    if content == 1 and not common:
        return 1, (), node
    left = terms
    if content != 1:
        left = tuple([(integer(Fraction(c) / content), factors) for c, factors in terms])
    if not common and len(terms) > 1:  # the terms are normal as they are
        return content, (), raw_sum(left, node.dims)
    inverse = [(f, (), -e) for f, e in common.items()]
    rest = make_sum([(c, [*factors, *inverse]) for c, factors in left], node.dims)
    return content, tuple([(f, (), e) for f, e in common.items()]), rest


def _content(coefficients: list[Coefficient]) -> Coefficient:
    """The number that makes coefficients whole and coprime; of decimals (x + 0.001) only what all numerators share."""
    top, bottom = gcd(*[c.numerator for c in coefficients]), lcm(*[c.denominator for c in coefficients])
    if bottom == 1:
        return top
    return 1 if bottom % 5 == 0 and any(abs(c) == 1 for c in coefficients) else Fraction(top, bottom)


def _shared(a: Coefficient, b: Coefficient) -> Coefficient:
    if a > 0 and b > 0:
        return min(a, b)
    return max(a, b) if a < 0 and b < 0 else 0


def product(parts: Iterable[Factor], dims: tuple[Dim, ...], coefficient: Coefficient = 1) -> Node:
    """One contraction as a node."""
    return make_sum([(coefficient, list(parts))], dims)


def scaled(node: Node, coefficient: Coefficient) -> Node:
    """A number times a node."""
    if coefficient == 1:
        return node
    return make_sum([(coefficient, [(node, own_axes(node.rank), 1)])], node.dims)


def add(nodes: Sequence[Node], dims: tuple[Dim, ...]) -> Node:
    """The sum of nodes of the same dims."""
    own = own_axes(len(dims))
    return nodes[0] if len(nodes) == 1 else make_sum([(1, [(n, own, 1)]) for n in nodes], dims)


def zero(dims: tuple[Dim, ...]) -> Node:
    """The array of zeros."""
    return raw_sum((), dims)


def number(c: Coefficient) -> Node:
    """A number."""
    return make_sum([(c, ())], ())


def is_zero(node: Node) -> bool:
    return node.kind == SUM and not node.terms


def constant(node: Node) -> Coefficient | None:
    """The value of a node that is the same number at every entry, else None."""
    if node.kind == SUM:
        if not node.terms:
            return 0
        if len(node.terms) == 1 and not node.terms[0][1]:
            return node.terms[0][0]
    return None


def transpose(node: Node, order: Sequence[int]) -> Node:
    """The node with its axes in another order: axis k of the result is axis order[k] of the node."""
    return _transposed(node, tuple(order))


@lru_cache(maxsize=2_000)
def _transposed(node: Node, order: tuple[int, ...]) -> Node:
    own = own_axes(node.rank)
    if order == own:
        return node
    place = tuple([order.index(a) for a in own])
    return make_sum([(1, [(node, place, 1)])], tuple([node.dims[a] for a in order]))
