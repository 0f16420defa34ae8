"""Rewriting a graph from the leaves up: leaves replaced, sums and functions made anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from whence.expr.build import Scope, Value, apply, elementwise
from whence.expr.node import FUNCTION, SUM, Node
from whence.expr.sums import make_sum, primitive
from whence.ops.table import TABLE
from whence.shapes.dims import Dim

ONE = Dim.parse(1)


class Rewriter:
    """Replaces leaves, and whole nodes by the names of intermediates that stand for them."""

    def __init__(self, leaves: Mapping[Node, Node]) -> None:
        self.leaves = leaves
        self._names: dict[Node, tuple[Fraction, tuple, Node]] = {}
        self._memo: dict[Node, Node] = {}

    def name(self, body: Node, atom: Node) -> None:
        """From now on the (rewritten) body is written by its name."""
        if body.kind == FUNCTION:
            self._names[body] = (Fraction(1), (), atom)
        elif body.kind == SUM and body.terms and body.rank == atom.rank:
            content, scalars, rest = primitive(body)
            if rest.kind == SUM and (len(rest.terms) > 1 or rest.rank == 0 or _has_sum_inside(rest)):
                self._names[rest] = (1 / Fraction(content), tuple((f, ix, -e) for f, ix, e in scalars), atom)
        self._memo.clear()

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
        raw = []
        changed = False
        for c, factors in node.terms:
            new = [(self(f), idx, e) for f, idx, e in factors]
            changed = changed or any(g is not f for (g, _, _), (f, _, _) in zip(new, factors, strict=True))
            raw.append((c, new))
        return make_sum(raw, node.dims) if changed else node

    def _named(self, node: Node) -> Node:
        """The name of an intermediate, times what distinguishes the node from its body."""
        if node in self._names:
            content, scalars, atom = self._names[node]
            return make_sum([(content, [(atom, tuple(range(atom.rank)), 1), *scalars])], atom.dims)
        if node.kind == SUM and node.terms:
            content, scalars, rest = primitive(node)
            if rest is not node and rest in self._names:
                c, s, atom = self._names[rest]
                return make_sum([(content * c, [(atom, tuple(range(atom.rank)), 1), *s, *scalars])], atom.dims)
            if rest is node and node.rank == 2 and len(node.terms) > 1:
                return self._named_turned(node)
        return node

    def _named_turned(self, node: Node) -> Node:
        turned = make_sum([(1, [(node, (1, 0), 1)])], node.dims[::-1])
        content, scalars, rest = primitive(turned)
        if rest in self._names:
            c, s, atom = self._names[rest]
            return make_sum([(content * c, [(atom, (1, 0), 1), *s, *scalars])], node.dims)
        return node


def _has_sum_inside(node: Node) -> bool:
    return any(i >= node.rank for _, fs in node.terms for _, ix, _ in fs for i in ix)


def remade(node: Node, arguments: list[Node]) -> Node:
    """The same function of other arguments."""
    if all(a is b for a, b in zip(arguments, node.arguments, strict=True)):
        return node
    values = [Value(a, (*a.dims, ONE) if a.rank == 1 else a.dims) for a in arguments]
    op = TABLE.get(node.name)
    if op is None:
        return elementwise(node.name, values, parameters=node.parameters).node
    axis = node.parameters[0] if node.parameters else None
    return apply(op, values, Scope({}), axis).node


Replace = Callable[..., object]
__all__ = ["Rewriter", "remade", "replace"]
