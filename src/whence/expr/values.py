"""Nodes with their full shapes, and the arithmetic of arrays on them.

A `Value` is a node with the full shape that the language gives it (a column is (n, 1)): axes of length 1 are
in the shape and not in the node. A composite axis, such as the rows of a Kronecker product, is one axis of the
shape and several of the node, the slowest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from whence.expr.node import IDENTITY, SUM, Coefficient, Factor, Node, identity
from whence.expr.sums import make_sum, product, scaled, transpose
from whence.messages.errors import RuleError
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
FullShape = tuple[Dim, ...]
Parts = tuple[tuple[Dim, ...], ...]  # for every axis of a full shape the sizes of the node's axes that make it up
Names = Sequence[tuple[int, ...]]  # for every axis of a full shape the indices of the node's axes


@dataclass(frozen=True, slots=True)
class Value:
    """A node and its full shape; `groups` where an axis is composite."""

    node: Node
    shape: FullShape
    groups: Parts | None = None

    @property
    def parts(self) -> Parts:
        """The sizes of the node's axes, axis by axis of the full shape."""
        return simple_parts(self.shape) if self.groups is None else self.groups

    def indices(self, names: Names) -> tuple[int, ...]:
        """The node's indices, given those of every axis of the full shape; an axis of length 1 has none."""
        return tuple([i for axis, parts in zip(names, self.parts, strict=True) if parts for i in axis])


def simple_parts(shape: FullShape) -> Parts:
    """The parts of a shape without composite axes."""
    return tuple([() if d == ONE else (d,) for d in shape])


def value_of_parts(node: Node, parts: Parts) -> Value:
    """A value from the parts of its axes."""
    if max(map(len, parts), default=0) < 2:
        return Value(node, tuple([p[0] if p else ONE for p in parts]))
    return Value(node, tuple([prod(p[1:], start=p[0]) if p else ONE for p in parts]), parts)


def core(shape: FullShape) -> tuple[Dim, ...]:
    """The sizes of the axes that carry an index."""
    return tuple([d for d in shape if d != ONE])


def flat(parts: Parts) -> tuple[Dim, ...]:
    """The sizes of all axes of the node."""
    return tuple([d for axis in parts for d in axis])


def full(dims: tuple[Dim, ...]) -> FullShape:
    """The full shape of a node seen as an argument: a vector is a column."""
    return (*dims, ONE) if len(dims) == 1 else dims


def axis_names(parts: Parts) -> list[tuple[int, ...]]:
    """For every axis the indices of the node's axes, counted through."""
    names, k = [], 0
    for axis in parts:
        names.append(tuple(range(k, k + len(axis))))
        k += len(axis)
    return names


def filled(content: Coefficient, shape: FullShape) -> Value:
    """The array that has this number at every entry."""
    return Value(make_sum([(content, ())], core(shape)), shape)


def transposed(v: Value) -> Value:
    """The last two axes exchanged."""
    if len(v.shape) < 2:
        return v
    shape = (*v.shape[:-2], v.shape[-1], v.shape[-2])
    if v.groups is None:
        if ONE in v.shape[-2:]:
            return Value(v.node, shape)
        r = v.node.rank
        return Value(transpose(v.node, [*range(r - 2), r - 1, r - 2]), shape)
    names = axis_names(v.groups)
    order = [i for axis in (*names[:-2], names[-1], names[-2]) for i in axis]
    return Value(transpose(v.node, order), shape, (*v.groups[:-2], v.groups[-1], v.groups[-2]))


def negative(v: Value) -> Value:
    """Every entry with the other sign."""
    return Value(scaled(v.node, -1), v.shape, v.groups)


# ---------------------------------------------------------------- broadcasting
def broadcast(shapes: Sequence[FullShape]) -> FullShape:
    """The shape to which shapes broadcast; up to rank 2 a number fits all (the language's own rule)."""
    wide = max(len(s) for s in shapes)
    padded = [(ONE,) * (wide - len(s)) + s for s in shapes]
    return tuple(next((d for d in column if d != ONE), ONE) for column in zip(*padded, strict=True))


def together(values: Sequence[Value]) -> tuple[list[Value], Parts]:
    """Values whose composite axes agree, and the parts to which they broadcast."""
    if all(v.groups is None for v in values):
        if max(len(v.shape) for v in values) > 2:  # a column that meets a tensor counts as its last axis
            values = [Value(v.node, v.shape[:1]) if len(v.shape) == 2 and v.shape[1] == ONE else v for v in values]
        return list(values), simple_parts(broadcast([v.shape for v in values]))
    wide = max(len(v.shape) for v in values)
    parts: list[tuple[Dim, ...]] = []
    for axis in range(-wide, 0):
        here = [v.parts[axis] for v in values if len(v.shape) >= -axis]
        parts.append(max(here, key=len))
    split = [_split(v, parts[wide - len(v.shape) :]) for v in values]
    return split, tuple(parts)


def _split(v: Value, wanted: Sequence[tuple[Dim, ...]]) -> Value:
    """The value with its axes made of these parts, where identities and ones alone stand on them."""
    for axis, parts in enumerate(wanted):
        mine = v.parts[axis]
        if mine and mine != parts:
            v = _split_axis(v, axis, parts)
    return v


def _split_axis(v: Value, axis: int, parts: tuple[Dim, ...]) -> Value:
    """One simple axis as a composite one; with it the axis that an identity ties to it."""
    places = axis_names(v.parts)
    if len(places[axis]) != 1 or prod(parts[1:], start=parts[0]) != v.shape[axis]:
        raise RuleError("outside-scope", found="arrays whose composite axes have different parts")
    (k,) = places[axis]
    node = v.node
    terms = node.terms if node.kind == SUM else ((1, ((node, tuple(range(node.rank)), 1),)),)
    tied = {i for _, fs in terms for f, idx, _ in fs if f.kind == IDENTITY and k in idx for i in idx}
    split = {k, *tied}
    if any(i >= node.rank for i in tied) or any(len(axis) > 1 and split & set(axis) for axis in places):
        raise RuleError("outside-scope", found="arrays whose composite axes have different parts")
    new = tuple(parts if split & set(places[a]) else p for a, p in enumerate(v.parts))
    names = axis_names(new)
    place = {places[a][0]: names[a] for a in range(len(new)) if len(places[a]) == 1}
    place |= {i: (j,) for a in range(len(new)) if len(places[a]) > 1 for i, j in zip(places[a], names[a], strict=True)}
    raw: list[tuple[Coefficient, list[Factor]]] = []
    for c, factors in terms:
        out: list[Factor] = []
        for f, idx, e in factors:
            if f.kind == IDENTITY and k in idx:
                out += [
                    (identity(d), (a, b), 1) for d, a, b in zip(parts, place[idx[0]], place[idx[1]], strict=True)
                ]
            elif split & set(idx):
                raise RuleError("outside-scope", found="arrays whose composite axes have different parts")
            else:
                out.append((f, tuple(place[i][0] if i in place else i + 10_000 for i in idx), e))
        raw.append((c, out))
    return value_of_parts(make_sum(raw, flat(new)), new)


def aligned(v: Value, parts: Parts) -> Factor:
    """The value as a factor of an array with these axes."""
    names = axis_names(parts)
    return (v.node, v.indices(names[len(parts) - len(v.shape) :]), 1)


def total(signed: Sequence[tuple[int, Value]]) -> Value:
    """The sum of values with signs, broadcast."""
    values, parts = together([v for _, v in signed])
    terms = [(s, [aligned(v, parts)]) for (s, _), v in zip(signed, values, strict=True)]
    return value_of_parts(make_sum(terms, flat(parts)), parts)


def multiply(left: Value, right: Value, exponent: int = 1) -> Value:
    """The elementwise product left * right**exponent, broadcast."""
    (left, right), parts = together([left, right])
    node, idx, _ = aligned(right, parts)
    return value_of_parts(make_sum([(1, [aligned(left, parts), (node, idx, exponent)])], flat(parts)), parts)


def matmul(left: Value, right: Value) -> Value:
    """The matrix product over the last axis of left and the last but one of right, leading axes broadcast."""
    left, right = (v if len(v.shape) > 1 else Value(v.node, (ONE, ONE)) for v in (left, right))
    if left.groups is not None or right.groups is not None:
        left, right = _joinable(left, right)
    lead = simple_parts(broadcast([left.shape[:-2], right.shape[:-2]]))
    parts = (*lead, left.parts[-2], right.parts[-1])
    names = axis_names(parts)
    inner = sum(map(len, parts))
    summed = tuple(range(inner, inner + len(left.parts[-1])))
    ahead = names[: len(lead)]
    li = left.indices([*ahead[len(lead) - len(left.shape) + 2 :], names[-2], summed])
    ri = right.indices([*ahead[len(lead) - len(right.shape) + 2 :], summed, names[-1]])
    return value_of_parts(make_sum([(1, [(left.node, li, 1), (right.node, ri, 1)])], flat(parts)), parts)


def _joinable(left: Value, right: Value) -> tuple[Value, Value]:
    """Two matrices whose common axis has the same parts."""
    a, b = left.parts[-1], right.parts[-2]
    if len(a) > len(b) > 0:
        right = _split(right, (*right.parts[:-2], a, right.parts[-1]))
    elif len(b) > len(a) > 0:
        left = _split(left, (*left.parts[:-1], b))
    if left.parts[-1] != right.parts[-2]:
        raise RuleError("outside-scope", found="arrays whose composite axes have different parts")
    return left, right


def power(v: Value, e: Coefficient) -> Value:
    """Every entry raised to a rational number."""
    return Value(product([(v.node, tuple(range(v.node.rank)), e)], v.node.dims), v.shape, v.groups)
