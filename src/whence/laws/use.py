"""Using the table of identities: products of a term that are the left side of a law become its right side."""

from __future__ import annotations

from functools import lru_cache

from whence.expr.build import Scope, Value, build, parsed
from whence.expr.canonical import canonical
from whence.expr.match import Product, replaced
from whence.expr.node import FUNCTION, SUM, Factor, Node
from whence.expr.sums import RawTerm, make_sum, transpose
from whence.laws.table import LAWS, Law
from whence.messages.errors import RuleError
from whence.read.syntax import Binary, Call
from whence.read.walk import walk
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
MAX_TERMS = 30  # of a sum in which laws are looked for


def recognised(node: Node) -> Node:
    """The node with every product or sum that a law knows written the short way, in its terms and one level below."""
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
    made = make_sum(raw, node.dims) if changed else node
    found = _sums_recognised(made)
    if found is made and changed and made.kind == SUM and _heads_of_sums(made):
        flat = canonical(made)
        short = _sums_recognised(flat)
        return made if short is flat else short
    return found


def _heads_of_sums(node: Node) -> bool:
    """Does the node show a function of which a law of sums speaks?"""
    return any(name in _sum_heads() for _, fs in node.terms for f, _, _ in fs for name, _ in _functions(f))


@lru_cache(maxsize=1)
def _sum_heads() -> frozenset[str]:
    sums = [law for law in LAWS if isinstance(tree := parsed(law.left), Binary) and tree.operator in "+-"]
    return frozenset(n.name for law in sums for n in walk(parsed(law.left)) if isinstance(n, Call))


def _may_apply(node: Node) -> bool:
    heads = _heads()
    return any(name in heads for _, fs in node.terms for f, _, _ in fs for name, _ in _functions(f))


@lru_cache(maxsize=20_000)
def _functions(f: Node) -> tuple[tuple[str, Node], ...]:
    """The functions that a factor shows, with what may stand for X in a law: the argument, or the X of X.T @ X.

    They are the factor itself, those in its argument, and those in the terms of a sum.
    """
    if f.kind == FUNCTION and f.arguments:
        argument = f.arguments[0]
        found = [(f.name, argument)]
        inside = [argument]
        if argument.kind == SUM and len(argument.terms) == 1 and argument.rank == 2:
            inside = [g for g in dict.fromkeys(g for g, _, _ in argument.terms[0][1]) if g.rank == 2]
            found += [(f.name, g) for g in inside]
        found += [(g.name, g.arguments[0]) for g in inside if g.kind == FUNCTION and g.arguments]
        return tuple(found)
    if f.kind == SUM:
        inner = [g for _, fs in f.terms for g, _, _ in fs]
        return tuple((g.name, g.arguments[0]) for g in inner if g.kind == FUNCTION and g.arguments)
    return ()


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


def _sums_recognised(node: Node) -> Node:
    """A sum in which the terms of a law's left side, all times the same, are its right side times that."""
    if node.kind != SUM or len(node.terms) < 2 or len(node.terms) > MAX_TERMS:
        return node
    for name, argument in dict.fromkeys(x for _, fs in node.terms for f, _, _ in fs for x in _functions(f)):
        for law in _heads().get(name, ()):
            found = _sum_applied(law, argument, node)
            if found is not None:
                return _sums_recognised(found)
    return node


def _sum_applied(law: Law, argument: Node, node: Node) -> Node | None:
    sides = _sum_sides(law, argument)
    if sides is None:
        return None
    left, right = sides
    present = {factors: c for c, factors in node.terms}
    lead = max(left.terms, key=lambda term: len(term[1]))
    own = Product(right, lead[0], lead[1])
    for c, factors in node.terms:
        found = replaced(own, c, factors, node.rank)
        if found is None:
            continue
        place = next(k for k, (f, _, e) in enumerate(found[1]) if f is right and e == 1)
        _, idx, _ = found[1][place]
        beside = [*found[1][:place], *found[1][place + 1 :]]
        wanted = make_sum([(found[0], [*beside, (left, idx, 1), _unit(right, idx)])], node.dims)
        opened = canonical(wanted)
        terms = opened.terms if opened.kind == SUM else ()
        if len(terms) == len(left.terms) and all(present.get(fs) == c2 for c2, fs in terms):
            taken = {fs for _, fs in terms}
            rest = [(c2, fs) for c2, fs in node.terms if fs not in taken]
            return make_sum([*rest, found], node.dims)
    return None


def _unit(node: Node, idx: tuple[int, ...]) -> Factor:
    """A factor to the power 0, by which the sizes of summed indices stay known."""
    return (node, idx, 0)


@lru_cache(maxsize=2_000)
def _sum_sides(law: Law, argument: Node) -> tuple[Node, Node] | None:
    """The law for this argument, where its left side is a sum."""
    built = _built(law, argument)
    if built is None or built[0].kind != SUM or len(built[0].terms) < 2:
        return None
    return canonical(built[0]), built[1]


def _built(law: Law, argument: Node) -> tuple[Node, Node] | None:
    if argument.rank > 2 or (law.axis is not None and argument.rank <= law.axis):
        return None
    if law.when and law.when not in argument.facts and not _equals_its_transpose(argument):
        return None
    x = Value(argument, (*argument.dims, ONE) if argument.rank == 1 else argument.dims)
    scope = Scope({}, axis=None if law.axis is None else (law.axis,), locals={"X": x})
    try:
        return build(parsed(law.left), scope).node, build(parsed(law.right), scope).node
    except (RuleError, ValueError):  # a law of matrices, and X is none
        return None


def _equals_its_transpose(node: Node) -> bool:
    return node.rank == 2 and node.dims[0] == node.dims[1] and transpose(node, (1, 0)) is node


@lru_cache(maxsize=2_000)
def _sides(law: Law, argument: Node) -> Product | None:
    """The law for this argument: its left side as a product of factors that is its right side."""
    built = _built(law, argument)
    if built is None:
        return None
    left, right = built
    if left.kind != SUM or len(left.terms) != 1:
        return None
    c, factors = left.terms[0]
    if len(factors) == 1 and (factors[0][2] == 1 or factors[0][2].denominator != 1):
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
