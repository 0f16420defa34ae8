"""The conditions under which an answer holds: what its functions need, less what is proved of their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from whence.expr.node import DIMENSION, FUNCTION, SUM, Coefficient, Node
from whence.expr.opaque import placeholders
from whence.expr.products import oriented
from whence.ops.table import TABLE, lookup

Facts = Callable[[Node], frozenset[str]]

_OF_ENTRIES = re.compile("[A-Z] (>|!=) 0")  # a condition on the entries of the argument itself
_PROVES: dict[str, frozenset[str]] = {  # where an argument must lie -> the facts that put it there
    "nonzero": frozenset(("positive", "nonzero")),
    "invertible": frozenset(("pd", "invertible")),
    "positive determinant": frozenset(("pd",)),
    "positive definite": frozenset(("pd",)),
}


def conditions(nodes: Iterable[Node], facts: Facts, show: Callable[[Node], str]) -> list[str]:
    """The needs of all functions in these nodes, in order: "invertible(A)", "X > 0".

    `facts` gives what is known of a variable or a function, `show` the text of an argument.
    """
    out: dict[str, None] = {}
    nodes = list(nodes)
    for text in _quotients_and_roots(nodes, facts, show):
        out.setdefault(text)
    for node in _functions(nodes):
        op = lookup(node.name)
        if op is None:
            continue
        for need in op.needs:
            if _proved(need, node, facts):
                continue
            arguments = [oriented(a)[0] if op.transposes else a for a in node.arguments]
            if _OF_ENTRIES.fullmatch(need):
                arguments = [_untransposed(a) for a in arguments]
            text = _filled(need, dict(zip(placeholders(op, len(node.arguments)), arguments, strict=False)), show)
            out.setdefault(f"{text} ({op.kink})" if op.kink else text)
    return [text for text in out if not any(other.startswith(text + " (") for other in out)]


def _untransposed(node: Node) -> Node:
    """The factor itself, where the node is one with its axes in another order: its entries are the same."""
    if node.kind == SUM and len(node.terms) == 1 and node.terms[0][0] == 1 and len(node.terms[0][1]) == 1:
        factor, axes, exponent = node.terms[0][1][0]
        if exponent == 1 and sorted(axes) == list(range(node.rank)):
            return factor
    return node


def _quotients_and_roots(nodes: Iterable[Node], facts: Facts, show: Callable[[Node], str]) -> list[str]:
    """What is divided by is not zero, what a root is taken of is positive; unless that is proved."""
    out: dict[str, None] = {}
    for node in _all(nodes):
        if node.kind != SUM:
            continue
        for _, factors in node.terms:
            for f, _, e in factors:
                if f.kind == DIMENSION or (e > 0 and e.denominator == 1) or is_positive(f, facts):
                    continue
                if e.denominator != 1:
                    out.setdefault(f"{show(f)} > 0")
                elif "nonzero" not in facts(f):
                    out.setdefault(f"{show(f)} != 0")
    return [text for text in out if not (text.endswith(" != 0") and text[:-5] + " > 0" in out)]


def _all(nodes: Iterable[Node]) -> list[Node]:
    """All nodes of these graphs, each once, outer ones first."""
    found: dict[Node, None] = {}
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if node in found:
            continue
        found[node] = None
        inner = node.arguments if node.kind == FUNCTION else [f for _, fs in node.terms for f, _, _ in fs]
        stack.extend(reversed(inner))
    return list(found)


def _functions(nodes: Iterable[Node]) -> list[Node]:
    return [n for n in _all(nodes) if n.kind == FUNCTION]


def _proved(need: str, node: Node, facts: Facts) -> bool:
    argument = node.arguments[0]
    entries = _OF_ENTRIES.fullmatch(need)
    if entries:
        return is_positive(argument, facts) or (entries[1] == "!=" and "nonzero" in facts(argument))
    if need.startswith("full-rank"):
        return bool(facts(argument) & _PROVES["invertible"])
    return bool(facts(argument) & _PROVES.get(TABLE[node.name].domain, frozenset()))


def is_positive(node: Node, facts: Facts) -> bool:
    """Is every entry proved to be greater than zero?"""
    if node.kind == DIMENSION or "positive" in facts(node):
        return True
    if node.kind != SUM or not node.terms:
        return False
    if _one_minus_fraction(node, facts):
        return True
    strict = [c > 0 and all(is_positive(f, facts) for f, _, _ in fs) for c, fs in node.terms]
    weak = [c > 0 and all(is_nonnegative(f, e, facts) for f, _, e in fs) for c, fs in node.terms]
    return all(weak) and any(strict)


def is_nonnegative(node: Node, exponent: Coefficient, facts: Facts) -> bool:
    """Is every entry of node**exponent proved to be zero or more?"""
    if exponent % 2 == 0 or "nonnegative" in facts(node) or is_positive(node, facts):
        return True
    return node.kind == SUM and all(
        c > 0 and all(is_nonnegative(f, e, facts) for f, _, e in fs) for c, fs in node.terms
    )


def _one_minus_fraction(node: Node, facts: Facts) -> bool:
    """1 - u with u between 0 and 1."""
    if len(node.terms) != 2:
        return False
    constant = next((c for c, fs in node.terms if not fs), None)
    other = next(((c, fs) for c, fs in node.terms if fs), None)
    if constant is None or other is None:
        return False
    c, fs = other
    return c < 0 and -c <= constant and all("unit-interval" in facts(f) and e > 0 for f, _, e in fs)


def _filled(need: str, arguments: dict[str, Node], show: Callable[[Node], str]) -> str:
    return re.sub(r"\b[A-Z]\b", lambda m: show(arguments[m[0]]) if m[0] in arguments else m[0], need)
