"""Union-find over unknown sizes: which sizes are the same, what they are, and which line said so."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from whence.messages.errors import ShapeError
from whence.read.syntax import NOWHERE, Span
from whence.shapes.dims import Dim
from whence.shapes.words import ONE, Sizes, text

Pair = tuple[int, int]  # rows and columns, each a node


@dataclass(frozen=True, slots=True)
class Reason:
    """Why two sizes are the same: a line and its text, or a sentence without a line."""

    line: int = 0
    why: str = ""
    operands: tuple[Pair, str, Pair] | None = None  # where two arrays meet, for the message
    span: Span = NOWHERE

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}" if self.line else self.why


class Unknowns:
    """Sizes that are not known yet. A node is an int; nodes in one class have the same size."""

    def __init__(self, source: str, bound: dict[str, Sizes]) -> None:
        self.parent: list[int] = []
        self.size: list[Dim | None] = []  # of the class, at its root
        self.edges: list[list[tuple[int, Reason]]] = []  # what was made the same, and why
        self.fixed: dict[Dim, int] = {}
        self.source, self.bound = source, bound
        self.changes = 0
        self.one = self.known(ONE)

    def fresh(self) -> int:
        self.parent.append(len(self.parent))
        self.size.append(None)
        self.edges.append([])
        return len(self.parent) - 1

    def known(self, size: Dim) -> int:
        """The node of a known size; one for each size."""
        if size not in self.fixed:
            self.fixed[size] = node = self.fresh()
            self.size[node] = size
        return self.fixed[size]

    def pair(self, shape: Sizes) -> Pair:
        rows, columns = shape if len(shape) == 2 else (ONE, ONE)
        return self.known(rows), self.known(columns)

    def root(self, node: int) -> int:
        while self.parent[node] != node:
            self.parent[node] = node = self.parent[self.parent[node]]
        return node

    def value(self, node: int) -> Dim | None:
        return self.size[self.root(node)]

    def is_one(self, node: int) -> bool:
        return self.value(node) == ONE

    def wide(self, node: int) -> bool:
        """Known, and not 1."""
        return self.value(node) not in (None, ONE)

    def same(self, a: int, b: int, reason: Reason) -> None:
        """Make two sizes one. ShapeError where both are known and differ."""
        root_a, root_b = self.root(a), self.root(b)
        if root_a == root_b:
            return
        m, n = self.size[root_a], self.size[root_b]
        if m is not None and n is not None:
            raise self.clash(a, b, reason)
        self.edges[a].append((b, reason))
        self.edges[b].append((a, reason))
        # The root is the known one, else the older one: the result does not depend on the order of the arguments.
        if n is not None or (m is None and root_b < root_a):
            root_a, root_b = root_b, root_a
        self.parent[root_b] = root_a
        self.changes += 1

    def why(self, node: int) -> Reason:
        """The line next to `node` on the way to what made it known."""
        seen, queue = {node}, deque([(node, Reason())])
        while queue:
            at, first = queue.popleft()
            if at in self.fixed.values():
                return first
            for other, reason in self.edges[at]:
                if other not in seen:
                    seen.add(other)
                    queue.append((other, first if first.why else reason))
        return Reason()

    def partly(self, pair: Pair) -> str:
        """A shape as far as it is known: (n x ?)."""
        return "(" + " x ".join("?" if self.value(node) is None else str(self.value(node)) for node in pair) + ")"

    def clash(self, a: int, b: int, reason: Reason) -> ShapeError:
        def told(node: int) -> str:
            first = self.why(node)
            return f"{self.value(node)}" + (f" ({first})" if first.why else "")

        left, right = told(a), told(b)
        if reason.operands:
            first, operator, second = reason.operands
            found = f"{self.partly(first)} {operator} {self.partly(second)}: {left} against {right}"
        else:
            found = f"{left} against {right}"
        return ShapeError(
            "shape-clash",
            line=reason.span.line or reason.line,
            column=reason.span.column,
            end=reason.span.end,
            found=found,
            expected="the same size",
            shapes={name: text(shape) for name, shape in self.bound.items()},
            source=self.source,
            name="",
            left=left,
            right=right,
            lines=str(reason),
            function="",
            argument="",
        )
