"""Using the table of identities: products of a term that are the left side of a law become its right side."""

from __future__ import annotations

from functools import lru_cache

from whence.expr.build import Scope, Value, build, parsed
from whence.expr.match import Product, replaced
from whence.expr.node import FUNCTION, SUM, Node
from whence.expr.sums import RawTerm, make_sum
from whence.laws.table import LAWS, Law
from whence.read.syntax import Call
from whence.read.walk import walk
from whence.shapes.dims import Dim

ONE = Dim.parse(1)


def recognised(node: Node) -> Node:
    """The node with every product that a law knows written the short way, in its terms and one level below."""
    if node.kind != SUM or not _may_apply(node):
        return node
    raw: list[RawTerm] = []
    changed = False
    for c, factors in node.terms:
        term: RawTerm = (c, [(recognised(f) if f.kind == SUM else f, idx, e) for f, idx, e in factors])
        while (found := _applied(term, node.rank)) is not None:
            term = found
        changed = changed or tuple(term[1]) != factors
        raw.append(term)
    return make_sum(raw, node.dims) if changed else node


def _may_apply(node: Node) -> bool:
    heads = _heads()
    return any(name in heads for _, fs in node.terms for f, _, _ in fs for name, _ in _functions(f))


def _functions(f: Node) -> list[tuple[str, Node]]:
    """The functions that a factor shows: itself, or those in the terms of a sum, with their argument."""
    if f.kind == FUNCTION:
        return [(f.name, f.arguments[0])] if f.arguments else []
    if f.kind == SUM:
        return [(g.name, g.arguments[0]) for _, fs in f.terms for g, _, _ in fs if g.kind == FUNCTION and g.arguments]
    return []


def _applied(term: RawTerm, rank: int) -> RawTerm | None:
    c, factors = term
    for name, argument in dict.fromkeys(x for f, _, _ in factors for x in _functions(f)):
        for law in _heads().get(name, ()):
            product = _sides(law, argument)
            if product is None:
                continue
            found = replaced(product, c, tuple(factors), rank)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=2_000)
def _sides(law: Law, argument: Node) -> Product | None:
    """The law for this argument: its left side as a product of factors that is its right side."""
    if argument.rank > 2 or (law.axis is not None and argument.rank <= law.axis):
        return None
    x = Value(argument, (*argument.dims, ONE) if argument.rank == 1 else argument.dims)
    scope = Scope({}, axis=None if law.axis is None else (law.axis,), locals={"X": x})
    left, right = build(parsed(law.left), scope).node, build(parsed(law.right), scope).node
    if left.kind != SUM or len(left.terms) != 1:
        return None
    c, factors = left.terms[0]
    if len(factors) == 1 and factors[0][2].denominator != 1:
        return None
    return Product(right, c, factors)


@lru_cache(maxsize=1)
def _heads() -> dict[str, list[Law]]:
    """Which laws speak of a function on their left side."""
    out: dict[str, list[Law]] = {}
    for law in LAWS:
        for name in dict.fromkeys(n.name for n in walk(parsed(law.left)) if isinstance(n, Call)):
            out.setdefault(name, []).append(law)
    return out
