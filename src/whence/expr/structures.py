"""The contractions that the graph builds in, by the word that an entry's `structure` has for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from whence.expr.node import SUM, Coefficient, Factor, Node, basis, identity
from whence.expr.opaque import step
from whence.expr.sums import add, make_sum, product, size
from whence.expr.values import (
    ONE,
    Value,
    aligned,
    axis_names,
    broadcast,
    core,
    filled,
    full,
    matmul,
    negative,
)
from whence.expr.values import total as added
from whence.messages.errors import RuleError
from whence.shapes.dims import Dim

Axis = tuple[int, ...] | None
SUMMED = 1_000  # summed indices are numbered from here while a term is put together


def total(v: Value, axis: Axis) -> Value:
    """The sum over axes, which stay with length 1; over everything where axis is None."""
    if axis is None:
        return Value(product([(v.node, tuple(range(v.node.rank)), 1)], ()), ())
    shape = tuple(ONE if k in axis else d for k, d in enumerate(v.shape))
    names = [SUMMED + k if k in axis else name for k, name in enumerate(axis_names(shape))]
    return Value(product([(v.node, v.indices(names), 1)], core(shape)), shape)


def mean(v: Value, axis: Axis) -> Value:
    """The sum over axes divided by their sizes."""
    summed = total(v, axis)
    over = v.shape if axis is None else [v.shape[a] for a in axis]
    count = [(size(d), (), -1) for d in over if d != ONE]
    own = tuple(range(summed.node.rank))
    return Value(product([(summed.node, own, 1), *count], summed.node.dims), summed.shape)


def trace(v: Value) -> Value:
    """The sum of the diagonal. Raises RuleError for tensors."""
    _at_most_a_matrix(v)
    if not v.node.rank:
        return Value(v.node, ())
    return Value(product([(v.node, (SUMMED, SUMMED), 1)], ()), ())


def diagonal(v: Value) -> Value:
    """Of a vector the diagonal matrix, of a matrix the column of its diagonal. Raises RuleError for tensors."""
    _at_most_a_matrix(v)
    if v.node.rank == 2:
        return Value(product([(v.node, (0, 0), 1)], v.node.dims[:1]), (v.node.dims[0], ONE))
    if v.node.rank == 0:
        return Value(v.node, (ONE, ONE))
    n = v.node.dims[0]
    return Value(product([(v.node, (0,), 1), (identity(n), (0, 1), 1)], (n, n)), (n, n))


def _at_most_a_matrix(v: Value) -> None:
    if v.node.rank > 2:
        raise RuleError("outside-scope", found="the diagonal of a tensor")


def outer(a: Value, b: Value) -> Value:
    """The products of all entries of one vector with all of another."""
    left = Value(a.node, (*(a.node.dims or (ONE,)), ONE))
    right = Value(b.node, (ONE, *(b.node.dims or (ONE,))))
    return matmul(left, right)


def choose(condition: Value, a: Value, b: Value) -> Value:
    """The entries of a where the condition holds, those of b elsewhere."""
    mask = condition if _is_mask(condition.node) else _nonzero(condition)
    shape = broadcast([mask.shape, a.shape, b.shape])
    m, x, y = aligned(mask, shape), aligned(a, shape), aligned(b, shape)
    return Value(make_sum([(1, [m, x]), (1, [y]), (-1, [m, y])], core(shape)), shape)


def _is_mask(node: Node) -> bool:
    if "mask" in node.facts:
        return True
    if node.kind != SUM or not node.terms:
        return False
    return all("mask" in f.facts for _, factors in node.terms for f, _, _ in factors)


def _nonzero(v: Value) -> Value:
    return Value(add([step(v).node, step(negative(v)).node], v.node.dims), v.shape)


def compare(operator: str, left: Value, right: Value) -> Value:
    """1 where the comparison holds, else 0."""
    difference = added([(1, left), (-1, right)])
    above, below = step(difference).node, step(negative(difference)).node
    dims = core(difference.shape)
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
    return Value(make_sum(terms[operator], dims), difference.shape)


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
    for letters, v in zip(left.split(","), operands, strict=True):
        lettered = list(zip(letters, _without_ones(v.shape, len(letters)), strict=True))
        sizes.update({x: d for x, d in lettered if d != ONE or x not in sizes})
        used.append((v, lettered))
    shape = tuple(sizes[x] for x in out)
    names = dict(zip(out, axis_names(shape), strict=True))
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


def entry(v: Value, places: Sequence[str | None]) -> Value:
    """X[i, j], X[i, :], x[i]: contraction with unit vectors. None keeps the axis, an index takes it to length 1."""
    factors: list[Factor] = []
    names: list[int] = []
    shape: list[Dim] = []
    kept = 0
    for k, (place, d) in enumerate(zip(places, v.shape, strict=True)):
        if place is None:
            names.append(kept)
            shape.append(d)
            kept += d != ONE
            continue
        names.append(SUMMED + k)
        shape.append(ONE)
        if d != ONE:
            factors.append((basis(place, d), (SUMMED + k,), 1))
    factors.insert(0, (v.node, v.indices(names), 1))
    full_shape = () if None not in places else tuple(shape)
    return Value(make_sum([(1, factors)], core(tuple(shape))), full_shape)


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
}
FUNCTIONS = frozenset(("step", "power"))  # structures that are opaque functions of which the graph itself makes use
