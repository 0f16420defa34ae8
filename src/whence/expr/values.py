"""Nodes with their full shapes, and the arithmetic of arrays on them.

A `Value` is a node with the full shape that the language gives it (a column is (n, 1)): axes of length 1 are
in the shape and not in the node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from whence.expr.node import Coefficient, Factor, Node
from whence.expr.sums import make_sum, product, scaled, transpose
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
FullShape = tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A node and its full shape."""

    node: Node
    shape: FullShape

    def indices(self, names: Sequence[int]) -> tuple[int, ...]:
        """The node's indices, given a name for every axis of the full shape."""
        return tuple(i for i, d in zip(names, self.shape, strict=True) if d != ONE)


def core(shape: FullShape) -> tuple[Dim, ...]:
    """The sizes of the axes that carry an index."""
    return tuple(d for d in shape if d != ONE)


def full(dims: tuple[Dim, ...]) -> FullShape:
    """The full shape of a node seen as an argument: a vector is a column."""
    return (*dims, ONE) if len(dims) == 1 else dims


def axis_names(shape: FullShape) -> list[int]:
    """For every axis of a full shape the axis of the node; one of length 1 has the number of the next."""
    names, k = [], 0
    for d in shape:
        names.append(k)
        k += d != ONE
    return names


def filled(content: Coefficient, shape: FullShape) -> Value:
    """The array that has this number at every entry."""
    return Value(make_sum([(content, ())], core(shape)), shape)


def transposed(v: Value) -> Value:
    """The last two axes exchanged."""
    if len(v.shape) < 2:
        return v
    shape = (*v.shape[:-2], v.shape[-1], v.shape[-2])
    if ONE in v.shape[-2:]:
        return Value(v.node, shape)
    r = v.node.rank
    return Value(transpose(v.node, [*range(r - 2), r - 1, r - 2]), shape)


def negative(v: Value) -> Value:
    """Every entry with the other sign."""
    return Value(scaled(v.node, -1), v.shape)


def broadcast(shapes: Sequence[FullShape]) -> FullShape:
    """The shape to which shapes broadcast; up to rank 2 a number fits all (the language's own rule)."""
    wide = max(len(s) for s in shapes)
    padded = [(ONE,) * (wide - len(s)) + s for s in shapes]
    return tuple(next((d for d in column if d != ONE), ONE) for column in zip(*padded, strict=True))


def aligned(v: Value, shape: FullShape) -> Factor:
    """The value as a factor of an array of this shape."""
    names = axis_names(shape)
    return (v.node, v.indices(names[len(shape) - len(v.shape) :]), 1)


def total(signed: Sequence[tuple[int, Value]]) -> Value:
    """The sum of values with signs, broadcast."""
    shape = broadcast([v.shape for _, v in signed])
    return Value(make_sum([(s, [aligned(v, shape)]) for s, v in signed], core(shape)), shape)


def multiply(left: Value, right: Value, exponent: int = 1) -> Value:
    """The elementwise product left * right**exponent, broadcast."""
    shape = broadcast([left.shape, right.shape])
    node, idx, _ = aligned(right, shape)
    return Value(make_sum([(1, [aligned(left, shape), (node, idx, exponent)])], core(shape)), shape)


def matmul(left: Value, right: Value) -> Value:
    """The matrix product over the last axis of left and the last but one of right, leading axes broadcast."""
    lead = broadcast([left.shape[:-2], right.shape[:-2]])
    shape = (*lead, left.shape[-2], right.shape[-1])
    names = axis_names(shape)
    inner = len(core(shape))
    ahead = names[: len(lead)]
    li = left.indices([*ahead[len(lead) - len(left.shape) + 2 :], names[-2], inner])
    ri = right.indices([*ahead[len(lead) - len(right.shape) + 2 :], inner, names[-1]])
    return Value(make_sum([(1, [(left.node, li, 1), (right.node, ri, 1)])], core(shape)), shape)


def power(v: Value, e: Coefficient) -> Value:
    """Every entry raised to a rational number."""
    return Value(product([(v.node, tuple(range(v.node.rank)), e)], v.node.dims), v.shape)
