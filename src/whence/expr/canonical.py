"""The canonical form: everything distributed, cancelled and collected.

Equal canonical forms prove equality for all sizes.
"""

from __future__ import annotations

from whence.expr.known import UNIT_DIAGONAL
from whence.expr.node import FUNCTION, ITSELF, SUM, Coefficient, Factor, Node, function, identity
from whence.expr.sums import MAX_TERMS, RawTerm, make_sum
from whence.messages.errors import LimitError
from whence.shapes.dims import Dim

MAX_POWER = 4


def canonical(node: Node) -> Node:
    """The fully distributed form of a node. Raises LimitError where it would explode."""
    if node.kind not in (SUM, FUNCTION):
        return node
    found = node.canonical
    if found is None:
        found = _function(node) if node.kind == FUNCTION else _sum(node)
        node.canonical = ITSELF if found is node else found
        if found.canonical is None:
            found.canonical = ITSELF
    return node if isinstance(found, str) else found


def _function(node: Node) -> Node:
    arguments = tuple(canonical(a) for a in node.arguments)
    if arguments == node.arguments:
        return node
    return function(node.name, arguments, node.dims, node.parameters, node.facts)


def _sum(node: Node) -> Node:
    terms: list[RawTerm] = []
    for c, factors in node.terms:
        inside = [(canonical(f), idx, e) for f, idx, e in factors]
        terms.extend(_distribute(c, inside, node.dims))
        if len(terms) > MAX_TERMS:
            raise LimitError("too-many-terms", found=str(len(terms)), expected=str(MAX_TERMS))
    made = make_sum(terms, node.dims)
    if made is not node and made.kind == SUM and _has_open_sum(made):
        return canonical(made)
    return _both_triangles(made) if made.kind == SUM else made


def _both_triangles(node: Node) -> Node:
    """Both triangles of the same are all of it and its diagonal once more."""
    for c, factors in node.terms:
        for k, (f, idx, e) in enumerate(factors):
            if UNIT_DIAGONAL not in f.facts or e != 1 or f.arguments or f.dims[0] != f.dims[1]:
                continue
            rest = [*factors[:k], *factors[k + 1 :]]
            other = make_sum([(c, [*rest, (f, idx[::-1], 1)])], node.dims)
            if other.kind != SUM or other.terms[0] not in node.terms or other.terms[0][1] == factors:
                continue
            left = [t for t in node.terms if t[1] not in (factors, other.terms[0][1])]
            diagonal = (identity(f.dims[0]), idx, 1)
            return canonical(make_sum([*left, (c, [*rest, (f, idx, 0)]), (c, [*rest, diagonal])], node.dims))
    return node


def _has_open_sum(node: Node) -> bool:
    return any(
        _opens(f, e)
        for _, fs in node.terms
        for f, _, e in fs
    )


def _opens(f: Node, e: Coefficient) -> bool:
    """Is the factor written out: a sum, or a product over inner indices to a power?"""
    if f.kind != SUM or e.denominator != 1 or not 0 < e <= MAX_POWER:
        return False
    return len(f.terms) > 1 or (f.rank > 0 and e > 1)


def _distribute(c: Coefficient, factors: list[Factor], dims: tuple[Dim, ...]) -> list[RawTerm]:
    """One product over sums as a list of terms; sums are opened one at a time so that denominators cancel between."""
    single = make_sum([(c, factors)], dims)
    if single.kind != SUM:
        return [(1, [(single, tuple(range(len(dims))), 1)])]
    out: list[RawTerm] = []
    for c1, fs in single.terms:
        place = _next_open(fs)
        if place is None:
            out.append((c1, fs))
            continue
        f, idx, e = fs[place]
        rest = [*fs[:place], *fs[place + 1 :]] + ([(f, idx, e - 1)] if e > 1 else [])
        fresh = 1 + max([1000, *(i for _, ix, _ in fs for i in ix)])
        for c2, inner in f.terms:
            opened, fresh = _opened(inner, idx, fresh)
            out.extend(_distribute(c1 * c2, [*rest, *opened, (f, idx, 0)], dims))  # exponent 0: its axes stay known
            if len(out) > MAX_TERMS:
                raise LimitError("too-many-terms", found=str(len(out)), expected=str(MAX_TERMS))
    return out


def _next_open(factors: tuple[Factor, ...]) -> int | None:
    """The sum to open next: one whose terms hold denominators first, then the smallest."""
    best = None
    for k, (f, _, e) in enumerate(factors):
        if _opens(f, e):
            denominators = any(ex < 0 for _, fs in f.terms for _, _, ex in fs)
            key = (not denominators, len(f.terms), k)
            if best is None or key < best:
                best = key
    return None if best is None else best[2]


def _opened(inner: tuple[Factor, ...], idx: tuple[int, ...], fresh: int):
    names = dict(enumerate(idx))
    out = []
    for h, ix, ex in inner:
        for i in ix:
            if i not in names:
                names[i] = fresh
                fresh += 1
        out.append((h, tuple(names[i] for i in ix), ex))
    return out, fresh
