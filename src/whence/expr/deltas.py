"""Identities as factors of a term: the indices that they tie are one."""

from __future__ import annotations

from whence.expr.known import Exponents
from whence.expr.node import Factor, Node
from whence.shapes.dims import Dim


def apply_deltas(deltas: list[Factor], exponents: Exponents, summed: dict[int, Dim], rank: int) -> Exponents:
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
    renamed: Exponents = {}
    for (node, idx), e in exponents.items():
        key = (node, tuple([find(i) for i in idx]))
        renamed[key] = renamed.get(key, 0) + e
    for node, b in kept:
        renamed[node, (find(b), b)] = 1
    return renamed
