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
from math import gcd, isqrt, lcm

from whence.expr.match import INVERSE, without_inverses
from whence.expr.known import use_facts
from whence.expr.naming import canonical_naming
from whence.expr.node import IDENTITY, SUM, Coefficient, Factor, Node, Term, dimension, integer, raw_sum
from whence.messages.errors import LimitError, RuleError
from whence.shapes.dims import Dim

MAX_TERMS = 2_000
RawTerm = tuple[Coefficient, Sequence[Factor]]


def exact_power(c: Coefficient, e: Coefficient) -> Coefficient | None:
    """c**e where it is a rational number, else None."""
    if c == 1:
        return 1
    if c == 0 and e < 0:
        raise RuleError("division-by-zero", found="the number 0")
    if e.denominator == 1:
        return Fraction(c) ** e.numerator
    if c < 0 or e.denominator != 2:
        return None
    top, bottom = isqrt(c.numerator), isqrt(c.denominator)
    if top * top != c.numerator or bottom * bottom != c.denominator:
        return None
    return Fraction(top, bottom) ** e.numerator


def make_sum(raw: Iterable[RawTerm], dims: tuple[Dim, ...]) -> Node:
    """The node of a sum of contractions.

    In each raw term indices below len(dims) are the axes of the result; any other number is summed over.
    Equal terms are collected, so the sum is zero exactly when it has no terms.
    """
    rank = len(dims)
    own = tuple(range(rank))
    collected: dict[tuple[Factor, ...], Coefficient] = {}
    work = list(raw)
    for coefficient, factors in work:
        normal = normal_term(coefficient, factors, rank)
        if normal is None:
            continue
        c, fs = normal
        whole = _whole_sum(fs, rank)
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
        if c == 1 and len(fs) == 1 and fs[0][2] == 1 and fs[0][1] == own and fs[0][0].rank == rank:
            return fs[0][0]
    else:
        terms.sort(key=term_order)
    return raw_sum(tuple(terms), dims)


def _whole_sum(factors: tuple[Factor, ...], rank: int) -> Node | None:
    """A sum that is the only factor, its axes all on different axes of the result."""
    if len(factors) != 1:
        return None
    node, idx, e = factors[0]
    if e != 1 or node.kind != SUM or len(node.terms) < 2:
        return None
    return node if len(set(idx)) == len(idx) and all(i < rank for i in idx) else None


def _turned(factors: tuple[Factor, ...], idx: tuple[int, ...], inner: int, rank: int) -> list[Factor]:
    """Factors of an inner term with the inner sum's axes placed at idx."""
    return [(f, tuple([idx[i] if i < inner else i + rank for i in ix]), e) for f, ix, e in factors]


def term_order(term: Term) -> tuple:
    """The sort key of a term inside its sum: structural, the same in every run."""
    return tuple((f.order, idx, e.numerator, e.denominator) for f, idx, e in term[1])


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
    flat = _flatten(1, factors, rank)
    if flat is None:
        return None
    coefficient, merged, summed = flat
    if summed:
        if _sums_to_zero(merged, rank):
            return None
        merged = _drop_known_sums(merged, summed, rank)
        merged, extra = _orphans(merged, summed, rank)
        coefficient = coefficient * extra
        if any([INVERSE in f.facts for f, _, _ in merged]):
            cancelled = without_inverses(merged, rank)
            if cancelled is not None:
                found = _normal(tuple(cancelled), rank)
                return None if found is None else (integer(coefficient * found[0]), found[1])
        merged = _split_closed(merged, rank)
    return integer(coefficient), canonical_naming(merged, rank)


def _flatten(coefficient: Coefficient, factors: Iterable[Factor], rank: int):
    """Write out one-term factors, apply deltas, merge.

    -> coefficient, factors, sizes of the summed indices; None for zero.
    """
    work = list(factors)
    fresh = 1 + max([rank, *(i for _, idx, _ in work for i in idx)])
    exponents: dict[tuple[Node, tuple[int, ...]], Coefficient] = {}
    summed: dict[int, Dim] = {}
    deltas: list[Factor] = []
    facts = False
    products: list[Factor] = []  # products over inner indices: written out unless they cancel against a denominator
    k = 0
    while k < len(work) or products:
        if k == len(work):
            fresh = _close_products(products, exponents, work, fresh)
            continue
        node, idx, e = work[k]
        k += 1
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
    if deltas:
        exponents = _apply_deltas(deltas, exponents, summed, rank)
    if facts:
        exponents, again = use_facts(exponents, rank)
        if again:
            kept = [(n, i, e) for (n, i), e in exponents.items() if e != 0]
            found = _flatten(coefficient, kept, rank)
            if found is not None:
                carried = {i for _, idx, _ in kept for i in idx}
                found[2].update({i: d for i, d in summed.items() if i not in carried})
            return found
    return coefficient, [(n, i, integer(e)) for (n, i), e in exponents.items() if e != 0], summed


def _is_inner_product(node: Node) -> bool:
    """Is it one product over indices of its own, such as W @ H?"""
    if len(node.terms) != 1:
        return False
    c, factors = node.terms[0]
    return c == 1 and any([i >= node.rank for _, ix, _ in factors for i in ix])


def _close_products(products: list[Factor], exponents, work: list[Factor], fresh: int) -> int:
    """Merge products with the same product in a denominator, write out the others. -> the next fresh index."""
    for node, idx, e in products:
        key, place, _ = _upright(node, idx, e) if node.rank == 2 else (node, idx, 1)
        if exponents.get((key, place), 0) < 0:
            exponents[key, place] += e
        else:
            c, factors = node.terms[0]
            _, more, fresh = _inline(c, factors, idx, fresh)
            work.extend(more)
    products.clear()
    return fresh


def _open(node: Node, idx: tuple[int, ...], e: Coefficient, fresh: int):
    """Numbers, common scalars and, of a one-term sum, all factors taken out of node**e.

    -> coefficient, factors (None where the node stays as it is), next fresh index.
    """
    if len(node.terms) == 1:
        c, factors = node.terms[0]
        inner = any(i >= node.rank for _, ix, _ in factors for i in ix)
        if not (node.rank == 0 and inner and c == 1):
            if e == 1:
                return _inline(c, factors, idx, fresh)
            root = exact_power(c, e)
            if not inner and root is not None and (e.denominator == 1 or all(_never_negative(f) for f, _, _ in factors)):
                return root, [(f, tuple([idx[i] for i in ix]), integer(ex * e)) for f, ix, ex in factors], fresh
    if e.denominator == 1 or len(node.terms) > 1:
        c, scalars, rest = primitive(node)
        root = exact_power(c, e)
        if rest is not node and root is not None and (e.denominator == 1 or all(_never_negative(f) for f, _, _ in scalars)):
            return root, [(f, ix, integer(ex * e)) for f, ix, ex in scalars] + [(rest, idx, e)], fresh
    return 1, None, fresh


def _never_negative(f: Node) -> bool:
    """Positive, or a sum of squares."""
    if "positive" in f.facts:
        return True
    return f.kind == SUM and all([c > 0 and all([e % 2 == 0 for _, _, e in fs]) for c, fs in f.terms])


def _upright(node: Node, idx: tuple[int, ...], e: Coefficient) -> tuple[Node, tuple[int, ...], int]:
    """Of a primitive sum and its transpose the one of lower order; the indices of a symmetric one in order.

    -> the node, its indices, and the sign that making the transpose primitive took out (to the power e).
    """
    if node.upright is None:
        turned = make_sum([(c, _turned(fs, (1, 0), 2, 2)) for c, fs in node.terms], node.dims[::-1])
        sign, scalars, rest = primitive(turned)
        better = not scalars and abs(sign) == 1 and rest.order < node.order
        node.upright = (rest, True, int(sign)) if better else (node, turned is node, 1)
    best, flag, sign = node.upright
    if best is node:
        return node, (min(idx), max(idx)) if flag else idx, 1
    if sign < 0 and e.denominator != 1:
        return node, idx, 1
    return best, (idx[1], idx[0]), sign if e.denominator == 1 and e % 2 else 1


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


def _apply_deltas(deltas: list[Factor], exponents, summed: dict[int, Dim], rank: int):
    """Rename along identities to the lowest index; an identity between two axes of the result stays as a factor."""
    parent: dict[int, int] = {}

    def find(i: int) -> int:
        while i in parent:
            i = parent[i]
        return i

    kept: list[tuple[Node, int]] = []
    for node, (a, b), _ in deltas:
        a, b = sorted((find(a), find(b)))
        if a == b:
            continue
        parent[b] = a
        if b < rank:
            kept.append((node, b))
    for i in [i for i in summed if i in parent]:
        root, size = find(i), summed.pop(i)
        if root >= rank:
            summed[root] = size
    renamed: dict[tuple[Node, tuple[int, ...]], Coefficient] = {}
    for (node, idx), e in exponents.items():
        key = (node, tuple([find(i) for i in idx]))
        renamed[key] = renamed.get(key, 0) + e
    for node, b in kept:
        renamed[node, (find(b), b)] = 1
    return renamed


def _drop_known_sums(factors: list[Factor], summed: dict[int, Dim], rank: int) -> list[Factor]:
    """Leave out factors that sum to one along an index that nothing else carries."""
    if not any(fact.startswith("sums-to-1:") for f, _, _ in factors for fact in f.facts):
        return factors
    while True:
        for k, (f, idx, e) in enumerate(factors):
            axis = next((a for a in _unit_axes(f) if _lonely(f, idx, a, factors, k, rank)), None) if e == 1 else None
            if axis is not None:
                del summed[idx[axis]]
                factors = factors[:k] + factors[k + 1 :]
                break
        else:
            return factors


def _sums_to_zero(factors: list[Factor], rank: int) -> bool:
    """Is one of the factors centred along an index that nothing else carries?"""
    return any(
        e == 1 and fact.startswith("sums-to-0:") and _lonely(f, idx, int(fact[10:]), factors, k, rank)
        for k, (f, idx, e) in enumerate(factors)
        for fact in f.facts
    )


def _unit_axes(f: Node) -> list[int]:
    return sorted(int(fact[10:]) for fact in f.facts if fact.startswith("sums-to-1:"))


def _lonely(f: Node, idx: tuple[int, ...], axis: int, factors: list[Factor], own: int, rank: int) -> bool:
    i = idx[axis]
    if i < rank or idx.count(i) > 1:
        return False
    others = {j for k, (_, ix, _) in enumerate(factors) if k != own for j in ix}
    return i not in others


def _orphans(factors: list[Factor], summed: dict[int, Dim], rank: int) -> tuple[list[Factor], Coefficient]:
    """A summed index that no factor carries any more stands for the size of its axis."""
    carried = {i for _, idx, _ in factors for i in idx}
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
    if not any(i >= rank for _, idx, _ in factors for i in idx):
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
    if node.primitive is None:
        node.primitive = _primitive(node)
    return node.primitive


def _primitive(node: Node) -> tuple[Coefficient, tuple[Factor, ...], Node]:
    terms = node.terms
    top = gcd(*(c.numerator for c, _ in terms))
    content: Coefficient = integer(Fraction(top, lcm(*(c.denominator for c, _ in terms))))
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
    inverse = [(f, (), -e) for f, e in common.items()]
    rest = make_sum([(Fraction(c) / content, [*factors, *inverse]) for c, factors in terms], node.dims)
    return content, tuple((f, (), e) for f, e in common.items()), rest


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
    return make_sum([(coefficient, [(node, tuple(range(node.rank)), 1)])], node.dims)


def add(nodes: Sequence[Node], dims: tuple[Dim, ...]) -> Node:
    """The sum of nodes of the same dims."""
    own = tuple(range(len(dims)))
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
    if tuple(order) == tuple(range(node.rank)):
        return node
    place = {axis: k for k, axis in enumerate(order)}
    return make_sum([(1, [(node, tuple(place[a] for a in range(node.rank)), 1)])], tuple(node.dims[a] for a in order))
