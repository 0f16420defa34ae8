"""Rewriting a graph from the leaves up: leaves replaced, bodies written by the names of their intermediates."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from whence.expr.build import apply
from whence.expr.match import Product, replaced
from whence.expr.node import FUNCTION, SUM, Factor, Node
from whence.expr.opaque import argument_value, elementwise, word_of
from whence.expr.regroup import is_reshape, reshaped
from whence.expr.sums import RawTerm, make_sum, primitive
from whence.ops.table import lookup


class Rewriter:
    """Replaces leaves, and what is the body of a named intermediate by its name."""

    def __init__(self, leaves: Mapping[Node, Node]) -> None:
        self.leaves = leaves
        self._names: dict[Node, tuple[Fraction, tuple[Factor, ...]]] = {}  # node -> coefficient, factors of its axes
        self._products: list[Product] = []
        self._memo: dict[Node, Node] = {}

    def name(self, body: Node, atom: Node) -> None:
        """From now on the (rewritten) body is written by the name of the atom."""
        own = tuple(range(atom.rank))
        if body.kind == FUNCTION:
            self._names[body] = (Fraction(1), ((atom, own, 1),))
        elif body.kind == SUM and body.terms and body.rank == atom.rank:
            if len(body.terms) == 1:
                self._name_product(body, atom)
            else:
                content, scalars, rest = primitive(body)
                undone = tuple((f, ix, -e) for f, ix, e in scalars)
                self._names[rest] = (1 / Fraction(content), ((atom, own, 1), *undone))
        self._memo.clear()

    def _name_product(self, body: Node, atom: Node) -> None:
        c, factors = body.terms[0]
        if atom.rank == 0 and any(idx for _, idx, _ in factors):  # a closed scalar: it occurs as one factor
            self._names[body] = (Fraction(1), ((atom, (), 1),))
            return
        if not factors or not {i for _, ix, _ in factors for i in ix} >= set(range(atom.rank)):
            return
        f, idx, e = factors[0]
        if len(factors) == 1 and e == 1 and sorted(idx) == list(range(atom.rank)) and f.rank == atom.rank:
            if f.kind in (FUNCTION, SUM):  # the body is f with its axes in another order
                self._names[f] = (1 / Fraction(c), ((atom, tuple(idx.index(k) for k in range(f.rank)), 1),))
            return
        arrays = tuple(x for x in factors if x[1]) or factors
        if len(arrays) == 1 and arrays[0][2] == 1 and len(arrays[0][1]) == arrays[0][0].rank == atom.rank:
            return  # a number or a scalar times one array: its name would only hide it
        undone = tuple((g, ix, -ex) for g, ix, ex in factors if not ix) if arrays is not factors else ()
        self._products.insert(0, Product(atom, c, arrays, undone))

    def __call__(self, node: Node) -> Node:
        found = self._memo.get(node)
        if found is None:
            found = self._memo[node] = self._rewritten(node)
        return found

    def _rewritten(self, node: Node) -> Node:
        if node.kind == FUNCTION:
            made = remade(node, [self(a) for a in node.arguments])
        elif node.kind == SUM:
            made = self._sum(node)
        else:
            return self.leaves.get(node, node)
        return self._named(made)

    def _sum(self, node: Node) -> Node:
        raw: list[RawTerm] = []
        changed = False
        for c, factors in node.terms:
            new = [(self(f), idx, e) for f, idx, e in factors]
            changed = changed or any(g is not f for (g, _, _), (f, _, _) in zip(new, factors, strict=True))
            raw.append((c, new))
        made = make_sum(raw, node.dims) if changed else node
        return self._with_products(made) if self._products and made.kind == SUM else made

    def _with_products(self, node: Node) -> Node:
        """Named products inside the terms written by their names, until none is left."""
        raw: list[RawTerm] = []
        changed = False
        for c, factors in node.terms:
            found = next((r for p in self._products if (r := replaced(p, c, factors, node.rank)) is not None), None)
            changed = changed or found is not None
            raw.append(found or (c, factors))
        if not changed:
            return node
        made = make_sum(raw, node.dims)
        return self._with_products(made) if made.kind == SUM and made is not node else made

    def _named(self, node: Node) -> Node:
        """The name of an intermediate, times what distinguishes the node from its body."""
        if node.kind == FUNCTION:
            return self._by_name(node, node, 1, (), tuple(range(node.rank)))
        if node.kind != SUM or not node.terms:
            return node
        content, scalars, rest = primitive(node)
        own = tuple(range(node.rank))
        if rest in self._names:
            return self._by_name(node, rest, content, scalars, own)
        if node.rank == 2 and len(rest.terms) > 1:
            turned = make_sum([(1, [(rest, (1, 0), 1)])], rest.dims[::-1])
            if turned.kind == SUM:
                c, s, upright = primitive(turned)
                return self._by_name(node, upright, content * c, (*scalars, *s), (1, 0))
        return node

    def _by_name(self, node: Node, key: Node, content, scalars: tuple[Factor, ...], places: tuple[int, ...]) -> Node:
        if key not in self._names:
            return node
        c, factors = self._names[key]
        renamed = [(f, tuple(places[i] for i in ix), e) for f, ix, e in factors]
        return make_sum([(content * c, [*renamed, *scalars])], node.dims)


def remade(node: Node, arguments: list[Node]) -> Node:
    """The same function of other arguments."""
    if all(a is b for a, b in zip(arguments, node.arguments, strict=True)):
        return node
    values = [argument_value(node, a) for a in arguments]
    if is_reshape(node):
        return reshaped(values[0], *node.dims).node
    op = lookup(node.name)
    if op is None:
        return elementwise(node.name, values, parameters=node.parameters).node
    axis = node.parameters[0] if node.parameters else None
    return apply(op, values, axis, word_of(node)).node
