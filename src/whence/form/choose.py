"""Choosing the nicest form: a few candidates, the shortest one wins. Lengths are additive (notation/ measures them)."""

from __future__ import annotations

from collections.abc import Callable

from whence.expr.canonical import canonical
from whence.expr.node import SUM, Node, identity
from whence.expr.products import diagonal_of
from whence.expr.sums import make_sum
from whence.form.denominators import over_common_denominator
from whence.form.factor import factored
from whence.laws.use import recognised
from whence.messages.errors import LimitError

Measure = Callable[[Node], int]
Rename = Callable[[Node], Node]


class Chooser:
    """Finds the shortest form of nodes, remembering what it has found. `means`: the measure knows means."""

    def __init__(self, measure: Measure, rename: Rename = lambda n: n, *, means: bool = False) -> None:
        self.measure, self.rename, self.means = measure, rename, means
        self._memo: dict[Node, Node] = {}

    def nicest(self, node: Node) -> Node:
        """The shortest of: the node as derived, its factored form, and its distributed form factored again."""
        found = self._memo.get(node)
        if found is None:
            found = self._memo[node] = self._nicest(node)
            self._memo[found] = found
        return found

    def _nicest(self, node: Node) -> Node:
        if node.kind != SUM:
            return node
        inner = self.rename(recognised(self._inside(node)))
        if _one_product(inner):
            return inner
        candidates = [inner]
        on_diagonal = self._diagonal(inner)
        if on_diagonal is not None:
            return on_diagonal
        quotient = over_common_denominator(inner)
        quotients = [] if quotient is None else [self.nicest(quotient)]
        for candidate in dict.fromkeys((*quotients, factored(inner), *self._distributed(inner))):
            short = self.rename(recognised(candidate))
            if short not in candidates:
                candidates.append(short)
        if len(candidates) == 1:
            return inner
        return min(candidates, key=lambda n: (self.measure(n), not _is_product(n)))

    def _diagonal(self, node: Node) -> Node | None:
        """diag(a) + diag(b) as diag(a + b), in its own nicest form."""
        if node.kind != SUM or len(node.terms) < 2:
            return None
        x = diagonal_of(node)
        if x is None:
            return None
        delta = (identity(node.dims[0]), (0, 1), 1)
        return make_sum([(1, [(self.nicest(x), (0,), 1), delta])], node.dims)

    def _inside(self, node: Node) -> Node:
        """The node with every whole sum among its factors in its own nicest form."""
        changed = False
        raw = []
        for c, factors in node.terms:
            new = []
            for f, idx, e in factors:
                g = self.nicest(f) if f.kind == SUM and f is not node else f
                changed = changed or g is not f
                new.append((g, idx, e))
            raw.append((c, new))
        return make_sum(raw, node.dims) if changed else node

    def _distributed(self, node: Node) -> list[Node]:
        """Everything distributed and cancelled, then factored; with the names of definitions used before or after."""
        try:
            flat = canonical(node)
        except LimitError:
            return []
        named = self.rename(recognised(flat))
        if self.means and flat.kind == SUM and len(flat.terms) > 2:  # sums divided by sizes may be means
            return [factored(flat), factored(named), factored(named, sizes=False)]
        if named is not flat:
            return [factored(flat), factored(named)]
        return [] if flat is node else [factored(flat)]  # of the node itself there is the factored form already


def _is_product(node: Node) -> bool:
    """Of equally short forms a product that keeps its sum whole is preferred: P * (G - sum(G * P))."""
    return node.kind != SUM or len(node.terms) == 1


def _one_product(node: Node) -> bool:
    """A single product without sums inside: it has no other form."""
    if node.kind != SUM or len(node.terms) != 1:
        return node.kind != SUM
    return not any(f.kind == SUM for f, _, _ in node.terms[0][1])
