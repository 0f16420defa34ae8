"""The graph of array operations that code is made of: interned nodes, so that equal parts are one node.

Kinds, with what `data` holds:

    input      its name                          number    a Fraction         size   a Dim           constant  its name
    sum        the coefficients of the inputs    product   (coefficient, the exponents of the inputs)
    matmul     None, two inputs                  transpose the order of the axes
    compare    the operator                      call      (function, axes or None, words), by the table
    unknown    the name of a function that is given
    index      the places: an input's number, or a pair of bounds
    axes       for every axis of the value the axis of the input, or None for a new one of length 1
    reshape    the sizes                         dot       None: the sum of products of two arrays of one shape
    factor     pd (Cholesky) or lu               factored  (function, factor, transposed), of [factor, right side]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from whence.ops.table import TABLE, structured_by
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
Shape = tuple[Dim, ...]
Term = tuple[Fraction, "Node"]
Factor = tuple["Node", Fraction]

NUMBERS = ("number", "size", "constant")


class Node:
    """One operation, or a leaf. Equal nodes of a graph are the same object."""

    __slots__ = ("data", "inputs", "kind", "number", "shape")

    def __init__(self, kind: str, inputs: tuple[Node, ...], shape: Shape, data: Any, number: int) -> None:
        self.kind, self.inputs, self.shape, self.data, self.number = kind, inputs, shape, data, number

    @property
    def scalar(self) -> bool:
        """Is it one number when the program runs? A 1 x 1 matrix is."""
        return not self.shape or (len(self.shape) == 2 and self.shape[0] == ONE == self.shape[1])

    @property
    def column(self) -> bool:
        return len(self.shape) == 2 and self.shape[1] == ONE != self.shape[0]

    @property
    def row(self) -> bool:
        return len(self.shape) == 2 and self.shape[0] == ONE != self.shape[1]

    def __repr__(self) -> str:
        return f"{self.kind}{self.number}{self.data if self.data is not None else ''}"


class Graph:
    """Makes nodes; every constructor simplifies what is simple whatever the values are."""

    def __init__(self) -> None:
        self._nodes: dict[tuple, Node] = {}
        self.named: dict[Node, str] = {}  # intermediates of the model: sums and products are not merged across them

    def node(self, kind: str, inputs: Iterable[Node] = (), shape: Shape = (), data: Any = None) -> Node:
        """The node of these parts."""
        inputs = tuple(inputs)
        key = (kind, tuple(n.number for n in inputs), data, shape if kind in ("input", "reshape", "call") else None)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(kind, inputs, shape, data, len(self._nodes))
        return found

    def has(self, kind: str, inputs: Sequence[Node], data: Any = None) -> bool:
        """Is there such a node already?"""
        return (kind, tuple(n.number for n in inputs), data, None) in self._nodes

    @contextmanager
    def tentative(self) -> Iterator[Callable[[], bool]]:
        """Nodes made inside are forgotten; what is given tells whether any had to be made."""
        before = len(self._nodes)
        try:
            yield lambda: len(self._nodes) > before
        finally:
            for key in list(self._nodes)[before:]:
                del self._nodes[key]

    def find_call(self, name: str, argument: Node) -> Node | None:
        """The call of a function of one argument, where the graph has it."""
        return self._nodes.get(("call", (argument.number,), (name, None, ()), argument.shape))

    # ------------------------------------------------------------ leaves
    def number(self, value: int | Fraction) -> Node:
        return self.node("number", (), (), Fraction(value))

    def size(self, size: Dim) -> Node:
        known = size.number
        return self.number(known) if known is not None else self.node("size", (), (), size)

    def structural(self, structure: str, shape: Shape, *sizes: Dim) -> Node:
        """A constant array of the table, such as the identity."""
        return self.node("call", [self.size(d) for d in sizes], shape, (structured_by(structure).name, None, ()))

    def ones(self, *sizes: Dim) -> Node:
        return self.structural("ones", sizes, *sizes)

    def is_structural(self, node: Node, structure: str) -> bool:
        return node.kind == "call" and TABLE[node.data[0]].structure == structure

    # ------------------------------------------------------------ sums and products
    def add(self, terms: Iterable[Term], shape: Shape) -> Node:
        """The sum, with like terms collected. `shape` is that to which the terms broadcast."""
        collected: dict[Node, Fraction] = {}
        constant = Fraction(0)
        for c, node in self._flat_terms(terms):
            if node.kind == "number":
                constant += c * node.data
            else:
                collected[node] = collected.get(node, Fraction(0)) + c
        parts = [(c, self._smaller(n, shape, collected)) for n, c in collected.items() if c]
        if constant:
            parts.append((constant, self.number(1)))
        if not parts:
            return self.filled(Fraction(0), shape)
        if len(parts) == 1 and broadcasts_to([parts[0][1].shape], shape):
            return self.scaled(parts[0][0], parts[0][1])
        if not broadcasts_to([n.shape for _, n in parts], shape):
            parts.append((Fraction(1), self.structural("zeros", shape, *shape)))
        if all(c < 0 for c, n in parts) and len(parts) > 1:
            return self.scaled(Fraction(-1), self.add([(-c, n) for c, n in parts], shape))
        parts.sort(key=lambda p: p[0] < 0)
        return self.node("sum", [n for _, n in parts], shape, tuple(c for c, _ in parts))

    def _flat_terms(self, terms: Iterable[Term]) -> Iterable[Term]:
        for c, node in terms:
            if node.kind == "sum" and node not in self.named:
                yield from ((c * k, n) for k, n in zip(node.data, node.inputs, strict=True))
            elif node.kind == "product" and node not in self.named and node.data[0] != 1:
                yield c * node.data[0], self.multiply(Fraction(1), pairs(node), node.shape)
            else:
                yield c, node

    def _smaller(self, node: Node, shape: Shape, others: Iterable[Node]) -> Node:
        """A term without a factor of ones, where the other terms have the whole shape."""
        if node.kind != "product" or not any(n is not node and n.shape == shape for n in others):
            return node
        kept = [(n, e) for n, e in pairs(node) if not self.is_structural(n, "ones")]
        if len(kept) == len(node.inputs):
            return node
        return self.multiply(node.data[0], kept, broadcast([n.shape for n, _ in kept]))

    def multiply(self, coefficient: Fraction, factors: Iterable[Factor], shape: Shape) -> Node:
        """The product entry by entry, equal bases collected. `shape` is that to which the factors broadcast."""
        collected: dict[Node, Fraction] = {}
        work = list(factors)[::-1]
        while work:
            node, e = work.pop()
            if node.kind == "number" and (e.denominator == 1 and (node.data or e > 0)):
                coefficient *= node.data**e
            elif node.kind == "product" and node not in self.named and e.denominator == 1:
                coefficient *= node.data[0] ** int(e)
                work.extend((n, k * e) for n, k in reversed(pairs(node)))
            else:
                collected[node] = collected.get(node, Fraction(0)) + e
        if coefficient == 0:
            return self.filled(Fraction(0), shape)
        kept = [(n, e) for n, e in collected.items() if e]
        spare = [(n, e) for n, e in kept if self.is_structural(n, "ones")]
        for one in spare:
            rest = [f for f in kept if f is not one]
            if rest and broadcasts_to([n.shape for n, _ in rest], shape):
                kept = rest
        if not kept:
            return self.filled(coefficient, shape)
        if not broadcasts_to([n.shape for n, _ in kept], shape):
            kept.append((self.ones(*shape), Fraction(1)))
        if coefficient == 1 and len(kept) == 1 and kept[0][1] == 1:
            return kept[0][0]
        if len(kept) == 1 and kept[0][1] == 1 and kept[0][0].kind == "sum" and coefficient == -1:
            inner = kept[0][0]  # the sign goes into a difference
            if any(c < 0 for c in inner.data) and any(c > 0 for c in inner.data) and inner not in self.named:
                terms = [(-c, n) for c, n in zip(inner.data, inner.inputs, strict=True)]
                terms.sort(key=lambda t: t[0] < 0)
                return self.node("sum", [n for _, n in terms], shape, tuple(c for c, _ in terms))
        return self.node("product", [n for n, _ in kept], shape, (coefficient, tuple(e for _, e in kept)))

    def filled(self, value: Fraction, shape: Shape) -> Node:
        """A constant array."""
        if all(d == ONE for d in shape) and len(shape) < 3:
            return self.number(value)
        if value == 0:
            return self.structural("zeros", shape, *shape)
        return (
            self.node("product", [self.ones(*shape)], shape, (value, (Fraction(1),)))
            if value != 1
            else self.ones(*shape)
        )

    def scaled(self, c: Fraction, node: Node) -> Node:
        return self.multiply(c, [(node, Fraction(1))], node.shape)

    def power(self, node: Node, exponent: Fraction) -> Node:
        return self.multiply(Fraction(1), [(node, exponent)], node.shape)

    # ------------------------------------------------------------ axes
    def transposed(self, node: Node) -> Node:
        """The last two axes exchanged."""
        if node.scalar:
            return node
        rank = len(node.shape)
        return self.permuted(node, (*range(rank - 2), rank - 1, rank - 2))

    def permuted(self, node: Node, order: tuple[int, ...]) -> Node:
        if order == tuple(range(len(order))) or node.scalar:
            return node
        if node.kind == "transpose":
            return self.permuted(node.inputs[0], tuple(node.data[k] for k in order))
        shape = tuple(node.shape[k] for k in order)
        if node not in self.named and len(order) == 2:
            inside = self._transposed_inside(node, shape)
            if inside is not None:
                return inside
        return self.node("transpose", [node], shape, order)

    def _transposed_inside(self, node: Node, shape: Shape) -> Node | None:
        """The transpose brought to the leaves, where it is no operation."""
        if node.kind == "product" and sum(not n.scalar for n in node.inputs) == 1:
            return self.multiply(node.data[0], [(self.transposed(n), e) for n, e in pairs(node)], shape)
        if node.kind == "call":
            op = TABLE[node.data[0]]
            if op.structure in ("eye",) or (op.structure == "diag" and node.shape[0] == node.shape[1]):
                return node
            if op.structure in ("ones", "zeros"):
                return self.structural(op.structure, shape, *shape)
        return None

    def axes(self, node: Node, places: tuple[int | None, ...]) -> Node:
        """The axes of a node spread over a new rank."""
        if places == tuple(range(len(node.shape))):
            return node
        return self.node("axes", [node], tuple(ONE if k is None else node.shape[k] for k in places), places)

    def reshaped(self, node: Node, shape: Shape) -> Node:
        return node if node.shape == shape else self.node("reshape", [node], shape, shape)


def pairs(product: Node) -> list[Factor]:
    """The factors of a product node with their exponents."""
    return list(zip(product.inputs, product.data[1], strict=True))


def factors_of(node: Node) -> tuple[Fraction, list[Factor]]:
    """Any node as a product."""
    return (node.data[0], pairs(node)) if node.kind == "product" else (Fraction(1), [(node, Fraction(1))])


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape to which arrays broadcast, as NumPy has it."""
    shapes = [() if len(s) == 2 and s == (ONE, ONE) else s for s in shapes]
    wide = max((len(s) for s in shapes), default=0)
    padded = [(ONE,) * (wide - len(s)) + s for s in shapes]
    return tuple(next((d for d in column if d != ONE), ONE) for column in zip(*padded, strict=True))


def broadcasts_to(shapes: Sequence[Shape], shape: Shape) -> bool:
    """Do these arrays together fill the shape? (Numbers fill numbers.)"""
    found = broadcast(shapes)
    return found == shape or all(d == ONE for d in (*found, *shape)) and len(shape) < 3
