"""The conditions under which an answer holds: what its functions need, less what is proved of their arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from whence.expr.build import placeholders
from whence.expr.node import DIMENSION, FUNCTION, SUM, Node
from whence.ops.table import TABLE

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
    for node in _functions(nodes):
        op = TABLE.get(node.name)
        if op is None:
            continue
        for need in op.needs:
            if _proved(need, node, facts):
                continue
            text = _filled(need, dict(zip(placeholders(op, len(node.arguments)), node.arguments, strict=False)), show)
            out.setdefault(f"{text} ({op.kink})" if op.kink else text)
    return list(out)


def _functions(nodes: Iterable[Node]) -> list[Node]:
    found: dict[Node, None] = {}
    seen: set[Node] = set()
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.kind == FUNCTION:
            found.setdefault(node)
            stack.extend(reversed(node.arguments))
        elif node.kind == SUM:
            stack.extend(f for _, fs in reversed(node.terms) for f, _, _ in fs)
    return list(found)


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
    weak = [c > 0 and all(is_positive(f, facts) or e % 2 == 0 for f, _, e in fs) for c, fs in node.terms]
    return all(weak) and any(strict)


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
