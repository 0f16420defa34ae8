"""The contractions that the graph builds in, by the word that an entry's `structure` has for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from whence.expr.node import SUM, Coefficient, Factor, Node, identity
from whence.expr.opaque import step, triangular_mask
from whence.expr.regroup import SUMMED, joined, permuted, reshaped, simple
from whence.expr.sums import add, make_sum, product, size, transpose
from whence.expr.values import (
    ONE,
    Value,
    aligned,
    axis_names,
    core,
    filled,
    flat,
    full,
    matmul,
    negative,
    power,
    simple_parts,
    together,
    value_of_parts,
)
from whence.expr.values import total as added
from whence.messages.errors import RuleError
from whence.shapes.dims import Dim

Axis = tuple[int, ...] | None


def total(v: Value, axis: Axis) -> Value:
    """The sum over axes, which stay with length 1; over everything where axis is None."""
    if axis is None:
        return Value(product([(v.node, tuple(range(v.node.rank)), 1)], ()), ())
    parts = tuple(() if k in axis else p for k, p in enumerate(v.parts))
    kept = axis_names(parts)
    fresh = [tuple(i + SUMMED for i in names) for names in axis_names(v.parts)]
    names = [fresh[k] if k in axis else kept[k] for k in range(len(parts))]
    return value_of_parts(product([(v.node, v.indices(names), 1)], flat(parts)), parts)


def mean(v: Value, axis: Axis) -> Value:
    """The sum over axes divided by their sizes."""
    summed = total(v, axis)
    over = v.shape if axis is None else [v.shape[a] for a in axis if a < len(v.shape)]
    count = [(size(d), (), -1) for d in over if d != ONE]
    own = tuple(range(summed.node.rank))
    return replace(summed, node=product([(summed.node, own, 1), *count], summed.node.dims))


def trace(v: Value) -> Value:
    """The sum of the diagonal; of a tensor that of each matrix, both axes kept with length 1."""
    if len(v.shape) > 2:
        return _batched_trace(v)
    if not v.node.rank:
        return Value(v.node, ())
    names = (tuple(range(SUMMED, SUMMED + len(_square(v)))),) * 2
    return Value(product([(v.node, v.indices(names), 1)], ()), ())


def _batched_trace(v: Value) -> Value:
    shape = (*v.shape[:-2], ONE, ONE)
    inner = (SUMMED,) if v.shape[-1] != ONE else ()
    names = [*axis_names(simple_parts(shape))[:-2], inner, inner]
    return Value(product([(v.node, v.indices(names), 1)], core(shape)), shape)


def diagonal(v: Value) -> Value:
    """Of a vector the diagonal matrix, of a matrix the column of its diagonal. Raises RuleError for tensors."""
    _at_most_a_matrix(v)
    if all(v.parts) and len(v.parts) == 2:
        parts = (_square(v), ())
        names = (axis_names(parts)[0],) * 2
        return value_of_parts(product([(v.node, v.indices(names), 1)], flat(parts)), parts)
    if v.node.rank == 0:
        return Value(v.node, (ONE, ONE))
    own = next(p for p in v.parts if p)
    parts = (own, own)
    first, second = axis_names(parts)
    deltas = [(identity(d), (a, b), 1) for d, a, b in zip(own, first, second, strict=True)]
    return value_of_parts(product([(v.node, first, 1), *deltas], flat(parts)), parts)


def _square(v: Value) -> tuple[Dim, ...]:
    """The parts of the rows, which are those of the columns too."""
    rows, columns = v.parts
    if rows != columns:
        raise RuleError("outside-scope", found="the diagonal of a matrix whose rows and columns have different parts")
    return rows


def _at_most_a_matrix(v: Value) -> None:
    if len(v.shape) > 2:
        raise RuleError("outside-scope", found="the diagonal of a tensor")


def outer(a: Value, b: Value) -> Value:
    """The products of all entries of one vector with all of another."""
    left, right = (next((p for p in v.parts if p), ()) for v in (a, b))
    return matmul(value_of_parts(a.node, (left, ())), value_of_parts(b.node, ((), right)))


def choose(condition: Value, a: Value, b: Value) -> Value:
    """The entries of a where the condition holds, those of b elsewhere."""
    mask = condition if _is_mask(condition.node) else _nonzero(condition)
    values, parts = together([mask, a, b])
    m, x, y = (aligned(v, parts) for v in values)
    return value_of_parts(make_sum([(1, [m, x]), (1, [y]), (-1, [m, y])], flat(parts)), parts)


def _is_mask(node: Node) -> bool:
    if "mask" in node.facts:
        return True
    if node.kind != SUM or not node.terms:
        return False
    return all("mask" in f.facts for _, factors in node.terms for f, _, _ in factors)


def _nonzero(v: Value) -> Value:
    return replace(v, node=add([step(v).node, step(negative(v)).node], v.node.dims))


def compare(operator: str, left: Value, right: Value) -> Value:
    """1 where the comparison holds, else 0."""
    difference = added([(1, left), (-1, right)])
    above, below = step(difference).node, step(negative(difference)).node
    dims = difference.node.dims
    own = tuple(range(len(dims)))
    one: tuple[Coefficient, list[Factor]] = (1, [])
    terms = {
        ">": [(1, [(above, own, 1)])],
        "<": [(1, [(below, own, 1)])],
        "<=": [one, (-1, [(above, own, 1)])],
        ">=": [one, (-1, [(below, own, 1)])],
        "==": [one, (-1, [(above, own, 1)]), (-1, [(below, own, 1)])],
        "!=": [(1, [(above, own, 1)]), (1, [(below, own, 1)])],
    }
    return replace(difference, node=make_sum(terms[operator], dims))


def eye(n: Dim) -> Value:
    """The identity matrix."""
    if n == ONE:
        return filled(1, (ONE, ONE))
    return Value(product([(identity(n), (0, 1), 1)], (n, n)), (n, n))


def constant_array(content: Coefficient) -> Callable[..., Value]:
    """What makes an array of one number from its sizes; a single size gives a column."""
    return lambda *sizes: filled(content, full(sizes))


def index_sum(spec: str, *operands: Value) -> Value:
    """einsum: a sum over all letters that the result does not have."""
    left, _, out = spec.replace(" ", "").partition("->")
    sizes: dict[str, Dim] = {}
    used: list[tuple[Value, list[tuple[str, Dim]]]] = []
    simple(operands)
    for letters, v in zip(left.split(","), operands, strict=True):
        lettered = list(zip(letters, _without_ones(v.shape, len(letters)), strict=True))
        sizes.update({x: d for x, d in lettered if d != ONE or x not in sizes})
        used.append((v, lettered))
    shape = tuple(sizes[x] for x in out)
    names = {x: i for x, axis in zip(out, axis_names(simple_parts(shape)), strict=True) for i in axis}
    for k, x in enumerate(sizes):
        names.setdefault(x, SUMMED + k)
    factors = [(v.node, tuple(names[x] for x, d in lettered if d != ONE), 1) for v, lettered in used]
    return Value(make_sum([(1, factors)], core(shape)), (*shape, ONE) if len(shape) == 1 else shape)


def _without_ones(shape: Sequence[Dim], count: int) -> list[Dim]:
    """So many axes: those of length 1 are left out, the last first."""
    kept = list(shape)
    while len(kept) > count:
        kept.pop(max(k for k, d in enumerate(kept) if d == ONE))
    return kept


def kronecker(a: Value, b: Value) -> Value:
    """The Kronecker product: its axes are made of those of both factors, those of the second running faster."""
    first, second = (v.parts if len(v.shape) == 2 else ((), ()) for v in (a, b))
    parts = tuple((*p, *q) for p, q in zip(first, second, strict=True))
    names = axis_names(parts)
    left = [axis[: len(p)] for axis, p in zip(names, first, strict=True)]
    right = [axis[len(p) :] for axis, p in zip(names, first, strict=True)]
    factors = [(v.node, tuple(i for axis in own for i in axis), 1) for v, own in ((a, left), (b, right))]
    return value_of_parts(product(factors, flat(parts)), parts)


def stacked(v: Value) -> Value:
    """The columns of a matrix on top of each other: one composite axis, the column slower than the row."""
    if len(v.shape) < 2:
        return v
    rows, columns = axis_names(v.parts)
    parts = ((*v.parts[1], *v.parts[0]), ())
    return value_of_parts(transpose(v.node, (*columns, *rows)), parts)


def commutation(n: Dim, m: Dim) -> Value:
    """The K with K @ vec(X) = vec(X.T) for X of n rows and m columns."""
    if ONE in (n, m):
        return eye(m if n == ONE else n)
    factors = [(identity(n), (0, 3), 1), (identity(m), (1, 2), 1)]
    parts = ((n, m), (m, n))
    return value_of_parts(product(factors, flat(parts)), parts)


def triangle(lower: bool) -> Callable[[Value], Value]:
    """The part of each matrix on and below (or above) its diagonal: it times a mask."""

    def part(v: Value) -> Value:
        simple([v])
        if ONE in v.shape[-2:] or len(v.shape) < 2:
            raise RuleError("outside-scope", found="the triangle of what is no matrix")
        rows, columns = v.shape[-2:]
        mask = triangular_mask(rows, columns) if lower else triangular_mask(columns, rows)
        rank = v.node.rank
        place = (rank - 2, rank - 1) if lower else (rank - 1, rank - 2)
        return Value(product([(v.node, tuple(range(rank)), 1), (mask, place, 1)], v.node.dims), v.shape)

    return part


def chain(x: Value, k: int) -> Value:
    """A square matrix multiplied with itself so many times."""
    if not x.node.rank:
        return power(x, k)
    if k == 0:
        return eye(x.shape[0])
    out = x
    for _ in range(k - 1):
        out = matmul(out, x)
    return out


# What an entry's `structure` builds: of its arrays, sizes, letters (as its signature has them) and, where it takes
# axes, those.
STRUCTURES: dict[str, Callable[..., Value]] = {
    "sum": total,
    "mean": mean,
    "trace": trace,
    "diag": diagonal,
    "outer": outer,
    "choose": choose,
    "eye": eye,
    "ones": constant_array(1),
    "zeros": constant_array(0),
    "einsum": index_sum,
    "kron": kronecker,
    "vec": stacked,
    "commutation": commutation,
    "tril": triangle(True),
    "triu": triangle(False),
    "matpow": chain,
    "reshape": reshaped,
    "transpose": permuted,
    "concat": joined,
}
# Structures that are opaque functions all the same: of which the graph itself makes use, or with affine index maps.
FUNCTIONS = frozenset(("step", "power", "conv1d", "conv2d", "full1d", "full2d"))
