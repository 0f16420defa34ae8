"""An answer as a graph that no tool owns: nodes [operation, ...], each after those it uses, the last one the answer.

["number", "1/2"]  ["size", "n"]  ["variable", "X", rank]     an array as the corpus declares it; of rank 1 or 0:
                                                               with its axes of length 1 left out
["eye", n]  ["ones", n, ...]  ["zeros", n, ...]  ["delta", n, order]  ["shift", whole, part, left]
["einsum", [[label, ...] of each operand], [label, ...], operand, ...]
["add", a, ...]  ["times", a, ...]  ["power", a, b]            elementwise, numbers repeated
["call", "exp", a]  ["call", "g_prime", a]                     elementwise
["inverse", a]  ["matpow", a, k]  ["det", a]  ["kron", a, b]  ["diagonal", a]  ["diagonal_of", a]
["reshape", a, n, ...]  ["entry", a, i, j]  ["max", a, [axis, ...]]  ["max_mask", a, [axis, ...]]
"""

from __future__ import annotations

from typing import Any

Node = list[Any]


class Unevaluated(Exception):
    """The answer still has a derivative in it, or something that is no number."""


class Graph:
    """Builds the list; equal nodes are one."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.places: dict[str, int] = {}

    def add(self, operation: str, *arguments: Any) -> int:
        node = [operation, *arguments]
        key = repr(node)
        if key not in self.places:
            self.places[key] = len(self.nodes)
            self.nodes.append(node)
        return self.places[key]

    def einsum(self, operands: list[int], labels: list[list[int]], out: list[int]) -> int:
        if len(operands) == 1:
            return self.rearranged(operands[0], labels[0], out)
        return self.add("einsum", labels, out, *operands)

    def rearranged(self, operand: int, labels: list[int], out: list[int]) -> int:
        """One operand with its axes turned, joined or summed: told to the sum that it is made of, if it is one."""
        node = self.nodes[operand]
        if labels == out:
            return operand
        if node[0] == "einsum":
            named, high = dict(zip(node[2], labels, strict=True)), 1 + max([*labels, *out, -1])
            inner = [[named.get(label, high + label) for label in group] for group in node[1]]
            return self.add("einsum", inner, out, *node[3:])
        if node[0] == "times" and len(node) == 3 and self.nodes[node[1]][0] == "number":
            return self.add("times", node[1], self.rearranged(node[2], labels, out))
        return self.add("einsum", [labels], out, operand)

    def ending_in(self, last: int) -> list[Node]:
        return [*self.nodes[: last + 1]] if last == len(self.nodes) - 1 else [*self.nodes, ["times", last]]
