"""Ranges, joined arrays and other shapes: the constants and the one function that stand for them.

A range of an axis is a product with a selector, the constant S of 0 and 1 with S[t, l] = 1 where l = low + t. So
X[:, low:high] is a contraction over l, what goes back through it is the contraction over t (the entries put in
their place among zeros), and concat(A, B) is the sum of both parts put in their places. Nothing else of the engine
needs to know of them: the algebra of contractions moves them as it moves any matrix.

The order in which a reshape reads the entries is no contraction of axes; it stays one function, linear in its
argument, and what goes back through it is the reshape to the old sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

from whence.expr.node import FUNCTION, Factor, Node, basis, function
from whence.expr.products import split_scalars
from whence.expr.selectors import selector
from whence.expr.sums import constant, make_sum, product
from whence.expr.values import ONE, FullShape, Value, axis_names, core, filled, simple_parts
from whence.messages.errors import RuleError
from whence.ops.table import lookup, structured_by
from whence.shapes.dims import Dim

SUMMED = 1_000  # summed indices are numbered from here while a term is put together
Place = str | Dim | tuple[Dim, Dim] | None  # the name or the number of an entry; a range, from and to; the whole axis


def simple(values: Sequence[Value]) -> None:
    """Raises RuleError where a value has composite axes."""
    if any(v.groups is not None for v in values):
        raise RuleError("outside-scope", found="an entry or an index of a composite axis")


def entry(v: Value, places: Sequence[Place]) -> Value:
    """X[i, j], X[i, :], x[i], X[:, 0:k, :]: contraction with unit vectors and selectors.

    An index takes its axis away; up to rank 2 it stays, of length 1.
    """
    simple([v])
    factors: list[Factor] = []
    names: list[tuple[int, ...]] = []
    shape: list[Dim | None] = []
    kept = 0
    for k, (place, d) in enumerate(zip(places, v.shape, strict=True)):
        if place is None:
            names.append((kept,))
            shape.append(d)
            kept += d != ONE
            continue
        names.append((SUMMED + k,))
        if not isinstance(place, tuple):
            shape.append(ONE if len(places) < 3 else None)
            if d != ONE:
                factors.append((basis(place, d), (SUMMED + k,), 1))
            continue
        low, high = place
        shape.append(high - low)
        if d != ONE:
            factors.append(_chosen(low, high, d, kept, SUMMED + k))
        kept += high - low != ONE
    factors.insert(0, (v.node, v.indices(names), 1))
    left = tuple(d for d in shape if d is not None)
    full_shape: FullShape = () if not any(p is None or isinstance(p, tuple) for p in places) else left
    return Value(make_sum([(1, factors)], core(left)), (*left, ONE) if len(full_shape) == 1 else full_shape)


def _chosen(low: Dim, high: Dim, size: Dim, new: int, old: int) -> Factor:
    """What takes the axis `old` of this size to its range, the axis `new`."""
    if high - low == ONE:
        return basis(low, size), (old,), 1
    return selector(low, high - low, size), (new, old), 1


def joined(*parts_and_axis: Value | tuple[int, ...]) -> Value:
    """concat: each part put in its place among zeros, and added up."""
    *values, axes = parts_and_axis
    parts = [v for v in values if isinstance(v, Value)]
    assert isinstance(axes, tuple)
    simple(parts)
    parts = [v if v.shape else Value(v.node, (ONE, ONE)) for v in parts]
    (axis,) = axes
    size = sum([v.shape[axis] for v in parts[1:]], start=parts[0].shape[axis])
    shape = (*parts[0].shape[:axis], size, *parts[0].shape[axis + 1 :])
    names = axis_names(simple_parts(shape))
    terms: list[tuple[int, list[Factor]]] = []
    low = Dim.parse(0)
    for v in parts:
        inner = [*names[:axis], (SUMMED,), *names[axis + 1 :]]
        high = low + v.shape[axis]
        factors: list[Factor] = [(v.node, v.indices(inner), 1)]
        if size != ONE:
            node, idx, _ = _chosen(low, high, size, SUMMED, names[axis][0])
            factors.append((node, idx, 1))
        terms.append((1, factors))
        low = high
    return Value(make_sum(terms, core(shape)), shape)


def permuted(v: Value, order: tuple[int, ...]) -> Value:
    """transpose: axis k of the result is axis order[k] of the value."""
    simple([v])
    shape = tuple(v.shape[k] for k in order)
    new = axis_names(simple_parts(shape))
    names = [new[order.index(k)] for k in range(len(order))]
    return Value(product([(v.node, v.indices(names), 1)], core(shape)), shape)


def reshaped(v: Value, *sizes: Dim) -> Value:
    """The same entries, read row by row, in another shape; a single size gives a column."""
    simple([v])
    shape = sizes if len(sizes) != 1 else (*sizes, ONE)
    if core(shape) == v.node.dims:
        return Value(v.node, shape)
    content = constant(v.node)
    if content is not None:
        return filled(content, shape)
    c, scalars, rest = split_scalars(v.node)
    if is_reshape(rest):
        rest = rest.arguments[0]
    dims = core(shape)
    if rest.dims != dims:
        rest = function(structured_by("reshape").name, (rest,), dims)
    return Value(product([(rest, tuple(range(len(dims))), 1), *scalars], dims, c), shape)


def is_reshape(node: Node) -> bool:
    """Is the node a reshape of another?"""
    if node.kind != FUNCTION:
        return False
    op = lookup(node.name)
    return op is not None and op.structure == "reshape"
