"""The structures of the table as array operations: sums, traces, reshapes, constants."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

from whence.emit.contraction import contract
from whence.emit.graph import ONE, Node, Shape
from whence.ops.table import structured_by

if TYPE_CHECKING:
    from whence.emit.lower import Lowering


def _sum_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    node = arrays[0]
    if node.scalar:
        return node
    rank = len(node.shape)
    if axis is None or (rank == 2 and node.shape[1 - axis[0]] == ONE):
        return low.chains.total(node)
    if rank == 2 and node.shape[axis[0]] == ONE:
        return node
    return low.chains.along(node, axis[0]) if rank == 2 else None


def _mean_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    node = arrays[0]
    if node.scalar:
        return node
    if node.kind not in ("product", "matmul", "sum") and len(node.shape) < 3 and not low.steady:
        return None
    axes = range(len(node.shape)) if axis is None else axis
    total = low.function(structured_by("sum"), arrays, axis)
    count = prod((node.shape[k] for k in axes), start=ONE)
    return low.multiplied([(total, Fraction(1)), (low.graph.size(count), Fraction(-1))])


def _trace_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    return low.chains.trace(arrays[0]) if len(arrays[0].shape) < 3 else None


def _outer_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    a, b = arrays
    column = a if not a.row else low.graph.transposed(a)
    return low.chains.product([column, b if b.row else low.graph.transposed(b)])


def _constant(structure: str):
    def made(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node:
        sizes = tuple(words)
        shape = (*sizes, *sizes) if structure == "eye" else sizes if len(sizes) > 1 else (*sizes, ONE)
        if all(d == ONE for d in shape) and len(shape) < 3:
            return low.graph.number(0 if structure == "zeros" else 1)
        return low.graph.structural(structure, shape, *(sizes if structure == "eye" else shape))

    return made


def _power_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    (power,) = words
    if power < 0:
        return None
    if power == 0:
        return low.graph.structural("eye", arrays[0].shape, arrays[0].shape[0])
    return low.chains.matrix_power(arrays[0], power)


def _reshape_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    shape = tuple(words) if len(words) > 1 else (*words, ONE)
    if all(d == ONE for d in shape) and len(shape) < 3:
        return low.chains.total(arrays[0])
    node = arrays[0]
    if node.scalar:
        return (
            low.graph.filled(Fraction(1), shape)
            if node.kind == "number" and node.data == 1
            else _spread(low, node, shape)
        )
    return low.graph.reshaped(node, shape)


def _spread(low: Lowering, node: Node, shape: Shape) -> Node:
    return low.graph.multiply(Fraction(1), [(node, Fraction(1)), (low.graph.ones(*shape), Fraction(1))], shape)


def _transpose_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    return low.graph.permuted(arrays[0], tuple(words[0]))


def _einsum_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    return contract(low, str(words[0]), arrays)


def _diag_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    node = arrays[0]
    if node.scalar:
        return node
    if node.row:
        return low.function(structured_by("diag"), [low.graph.transposed(node)])
    if node.kind == "matmul" and node not in low.graph.named and ONE not in node.shape:
        a, b = node.inputs  # the diagonal of a product needs no product
        both = low.multiplied([(a, Fraction(1)), (low.graph.transposed(b), Fraction(1))])
        return low.chains.along(both, 1)
    return None


def _vec_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    node = arrays[0]
    return node if node.scalar or node.column else low.graph.transposed(node) if node.row else None


def _kron_of(low: Lowering, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Node | None:
    a, b = arrays
    if a.scalar or b.scalar:
        return low.multiplied([(a, Fraction(1)), (b, Fraction(1))])
    return None


STRUCTURES = {
    "sum": _sum_of,
    "mean": _mean_of,
    "trace": _trace_of,
    "outer": _outer_of,
    "eye": _constant("eye"),
    "ones": _constant("ones"),
    "zeros": _constant("zeros"),
    "matpow": _power_of,
    "reshape": _reshape_of,
    "transpose": _transpose_of,
    "einsum": _einsum_of,
    "diag": _diag_of,
    "vec": _vec_of,
    "kron": _kron_of,
}
