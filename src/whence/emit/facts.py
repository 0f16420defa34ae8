"""What is known of a node of the graph of operations: entries of one sign, symmetric, positive definite."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from whence.emit.graph import Graph, Node, pairs
from whence.ops.table import TABLE

Facts = Mapping[str, frozenset[str]]  # of named inputs and intermediates

_NO_SIGN = frozenset(("positive", "nonnegative", "mask", "unit-interval"))


def nonnegative(node: Node, facts: Facts) -> bool:
    """Is no entry negative?"""
    match node.kind:
        case "number":
            return node.data >= 0
        case "size" | "constant":
            return True
        case "input":
            return bool(facts.get(node.data, frozenset()) & _NO_SIGN)
        case "call":
            return bool(set(TABLE[node.data[0]].facts) & _NO_SIGN)
        case "transpose" | "axes" | "reshape":
            return nonnegative(node.inputs[0], facts)
        case "compare":
            return True
        case "sum":
            return _sum_nonnegative(node, facts)
        case "product":
            return node.data[0] >= 0 and all(
                e.denominator == 1 and e % 2 == 0 or nonnegative(n, facts) for n, e in pairs(node)
            )
        case "dot":
            return node.inputs[0] is node.inputs[1]
    return False


def _sum_nonnegative(node: Node, facts: Facts) -> bool:
    terms = list(zip(node.data, node.inputs, strict=True))
    if all(c > 0 and nonnegative(n, facts) for c, n in terms):
        return True
    if len(terms) != 2:  # 1 - y, where y lies between 0 and 1; 1 - tanh(x)**2
        return False
    (c, one), (d, other) = sorted(terms, key=lambda t: t[1].kind != "number")
    return c == 1 == one.data and d == -1 and _at_most_one(other, facts)


def _at_most_one(node: Node, facts: Facts) -> bool:
    if node.kind == "input":
        return bool(facts.get(node.data, frozenset()) & {"unit-interval", "mask"})
    return node.kind == "call" and bool({"unit-interval", "mask"} & set(TABLE[node.data[0]].facts))


def symmetric(node: Node, graph: Graph, facts: Facts) -> bool:
    """Is it equal to its transpose?"""
    if len(node.shape) != 2 or node.shape[0] != node.shape[1]:
        return False
    if node.kind == "input":
        return "symmetric" in facts.get(node.data, frozenset())
    if node.kind == "sum":
        return all(n.scalar or symmetric(n, graph, facts) for n in node.inputs)
    if node.kind == "call":
        op = TABLE[node.data[0]]
        whole = [n for n in node.inputs if n.shape == node.shape]
        inherits = op.symmetric_in == "symmetric" and all(symmetric(n, graph, facts) for n in whole)
        return "symmetric" in op.facts or inherits
    if node.kind == "product":
        return all(n.scalar or symmetric(n, graph, facts) for n in node.inputs)
    if node.kind == "matmul":
        flat = _factors(node)
        return all(
            a is graph.transposed(b) or symmetric(a, graph, facts) and a is b
            for a, b in zip(flat, flat[::-1], strict=True)
        )
    return False


def positive_definite(node: Node, graph: Graph, facts: Facts) -> bool:
    """Is it symmetric with positive eigenvalues, for all sizes?"""
    return symmetric(node, graph, facts) and _definite(node, graph, facts)


def _definite(node: Node, graph: Graph, facts: Facts) -> bool:
    if node.kind == "input":
        return "pd" in facts.get(node.data, frozenset())
    if node.kind == "call":
        return "positive-definite" in TABLE[node.data[0]].facts
    if node.kind == "sum":
        parts = list(zip(node.data, node.inputs, strict=True))
        semi = all(c > 0 and _semidefinite(n, graph, facts) for c, n in parts)
        return semi and any(_definite(n, graph, facts) for _, n in parts)
    if node.kind == "product":
        matrices = [n for n in node.inputs if not n.scalar]
        return _positive_scale(node, facts, strict=True) and len(matrices) == 1 and _definite(matrices[0], graph, facts)
    return False


def _semidefinite(node: Node, graph: Graph, facts: Facts) -> bool:
    if _definite(node, graph, facts):
        return True
    if node.kind == "product":
        matrices = [n for n in node.inputs if not n.scalar]
        if _positive_scale(node, facts, strict=False) and len(matrices) == 1:
            return _semidefinite(matrices[0], graph, facts)
        column, row = (n for n in matrices) if len(matrices) == 2 else (None, None)
        return column is not None and row is graph.transposed(column) and _positive_scale(node, facts, strict=False)
    if node.kind == "matmul":
        flat = _factors(node)
        middle = flat[len(flat) // 2]
        palindrome = all(a is graph.transposed(b) for a, b in zip(flat, flat[::-1], strict=True))
        return palindrome and (len(flat) % 2 == 0 or _definite(middle, graph, facts))
    return False


def _positive_scale(node: Node, facts: Facts, *, strict: bool) -> bool:
    def positive(n: Node, e: Fraction) -> bool:
        if n.kind in ("number", "size", "constant"):
            return True
        fact = n.kind == "input" and "positive" in facts.get(n.data, frozenset())
        call = n.kind == "call" and "positive" in TABLE[n.data[0]].facts
        return fact or call or not strict and (e.denominator == 1 and e % 2 == 0 or nonnegative(n, facts))

    return node.data[0] > 0 and all(positive(n, e) for n, e in pairs(node) if n.scalar)


def _factors(node: Node) -> list[Node]:
    """The factors of a matrix product, in order."""
    out: list[Node] = []
    work = [node]
    while work:
        top = work.pop()
        if top.kind == "matmul":
            work.extend(top.inputs[::-1])
        else:
            out.append(top)
    return out
