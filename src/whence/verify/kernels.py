"""Index lists for arrays kept as flat lists, rows first: every structural function is a gather and a sum of groups.

A `Linear` kernel picks entries and adds up consecutive groups; a `Bilinear` kernel picks entries of two arrays,
multiplies them pairwise and adds up groups. They depend on shapes alone and are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from operator import itemgetter
from typing import Any, NamedTuple

from whence.verify.failures import Misfit, TooLarge

MAX_ENTRIES = 200_000

Getter = Callable[[Sequence[Any]], Sequence[Any]]


class Linear(NamedTuple):
    get: Getter
    group: int
    shape: tuple[int, ...]
    padded: bool = False  # an index one past the end stands for 0


class Bilinear(NamedTuple):
    left: Getter
    right: Getter
    group: int
    shape: tuple[int, ...]


def getter(indices: Sequence[int]) -> Getter:
    """A function that picks these entries, in this order."""
    if len(indices) == 1:
        only = indices[0]
        return lambda flat: (flat[only],)
    return itemgetter(*indices)


def strides(shape: Sequence[int]) -> list[int]:
    """The step in a flat list, rows first, that each axis takes.

    >>> strides((2, 3, 4))
    [12, 4, 1]
    """
    steps = [1] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        steps[k] = steps[k + 1] * shape[k + 1]
    return steps


def offsets(steps: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """All positions reached by walking axes of these sizes with these steps, the last axis fastest."""
    if prod(sizes) > MAX_ENTRIES:
        raise TooLarge(f"more than {MAX_ENTRIES} products")
    places = [0]
    for step, size in zip(steps, sizes, strict=True):
        places = (
            [p + k for p in places for k in range(0, step * size, step)]
            if step
            else [p for p in places for _ in range(size)]
        )
    return places


def _stretched(shape: Sequence[int], target: Sequence[int]) -> list[int]:
    """Steps that walk an array of this shape as if it had the target shape (axes of length 1 stand still)."""
    steps = [0 if n == 1 else s for n, s in zip(shape, strides(shape), strict=True)]
    return [0] * (len(target) - len(shape)) + steps


def broadcast_shape(a: Sequence[int], b: Sequence[int]) -> tuple[int, ...]:
    """The shape to which two shapes broadcast, last axes aligned.

    >>> broadcast_shape((3, 1), (1, 4))
    (3, 4)
    """
    wide = max(len(a), len(b))
    left, right = (1,) * (wide - len(a)) + tuple(a), (1,) * (wide - len(b)) + tuple(b)
    if any(m != n and 1 not in (m, n) for m, n in zip(left, right, strict=True)):
        raise Misfit(f"{tuple(a)} does not fit {tuple(b)}")
    return tuple(map(max, left, right))


@lru_cache(4096)
def stretch(shape: tuple[int, ...], target: tuple[int, ...]) -> Linear:
    return Linear(getter(offsets(_stretched(shape, target), target)), 1, target)


@lru_cache(4096)
def entrywise(a: tuple[int, ...], b: tuple[int, ...]) -> Bilinear:
    target = broadcast_shape(a, b)
    left, right = (getter(offsets(_stretched(s, target), target)) for s in (a, b))
    return Bilinear(left, right, 1, target)


@lru_cache(4096)
def product(a: tuple[int, ...], b: tuple[int, ...]) -> Bilinear:
    """The matrix product over the last two axes; leading axes broadcast."""
    if len(a) < 2 or len(b) < 2:
        raise Misfit("@ needs two matrices")
    if a[-1] != b[-2]:
        raise Misfit(f"{a} @ {b}")
    lead = broadcast_shape(a[:-2], b[:-2])
    sizes = (*lead, a[-2], b[-1], a[-1])
    sa, sb = strides(a), strides(b)
    la = _stretched_by(a[:-2], sa[:-2], len(lead)) + [sa[-2], 0, sa[-1]]
    lb = _stretched_by(b[:-2], sb[:-2], len(lead)) + [0, sb[-1], sb[-2]]
    return Bilinear(getter(offsets(la, sizes)), getter(offsets(lb, sizes)), a[-1], (*lead, a[-2], b[-1]))


def _stretched_by(shape: Sequence[int], steps: Sequence[int], rank: int) -> list[int]:
    return [0] * (rank - len(shape)) + [0 if n == 1 else s for n, s in zip(shape, steps, strict=True)]


@lru_cache(4096)
def lettered(la: str, a: tuple[int, ...], lb: str, b: tuple[int, ...], out: str) -> Bilinear:
    """einsum of two operands; letters that are not in `out` are summed."""
    sizes = dict(zip(la, a, strict=True)) | dict(zip(lb, b, strict=True))
    order = out + "".join(c for c in dict.fromkeys(la + lb) if c not in out)
    lengths = [sizes[c] for c in order]
    left, right = (
        getter(offsets(_letter_steps(order, letters, shape), lengths)) for letters, shape in ((la, a), (lb, b))
    )
    return Bilinear(left, right, prod(lengths[len(out) :]), tuple(sizes[c] for c in out))


@lru_cache(4096)
def lettered_one(letters: str, shape: tuple[int, ...], out: str) -> Linear:
    """einsum of one operand: diagonals, sums and permutations."""
    sizes = dict(zip(letters, shape, strict=True))
    order = out + "".join(c for c in dict.fromkeys(letters) if c not in out)
    lengths = [sizes[c] for c in order]
    steps = _letter_steps(order, letters, shape)
    return Linear(getter(offsets(steps, lengths)), prod(lengths[len(out) :]), tuple(sizes[c] for c in out))


def _letter_steps(order: str, letters: str, shape: Sequence[int]) -> list[int]:
    steps = dict.fromkeys(order, 0)
    for c, s in zip(letters, strides(shape), strict=True):
        steps[c] += s
    return [steps[c] for c in order]


@lru_cache(4096)
def permute(shape: tuple[int, ...], order: tuple[int, ...]) -> Linear:
    steps = strides(shape)
    target = tuple(shape[k] for k in order)
    return Linear(getter(offsets([steps[k] for k in order], target)), 1, target)


@lru_cache(4096)
def total(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> Linear:
    """The sum over some axes, which are kept with length 1; over everything for None."""
    if axes is None:
        return Linear(tuple, prod(shape), ())
    steps = strides(shape)
    kept = [k for k in range(len(shape)) if k not in axes]
    order = kept + list(axes)
    places = offsets([steps[k] for k in order], [shape[k] for k in order])
    target = tuple(1 if k in axes else n for k, n in enumerate(shape))
    return Linear(getter(places), prod(shape[k] for k in axes), target)


@lru_cache(4096)
def diagonal(shape: tuple[int, ...]) -> Linear:
    """The diagonal of each matrix of the last two axes, as columns."""
    n = shape[-1]
    lead = shape[:-2]
    places = [base * n * n + k * (n + 1) for base in range(prod(lead)) for k in range(n)]
    return Linear(getter(places), 1, (*lead, n, 1))


@lru_cache(4096)
def trace(shape: tuple[int, ...]) -> Linear:
    lead = shape[:-2]
    return Linear(diagonal(shape).get, shape[-1], (*lead, 1, 1) if lead else ())


@lru_cache(4096)
def on_diagonal(n: int) -> Linear:
    """A list of n numbers as a diagonal matrix."""
    return Linear(getter([i if i == j else n for i in range(n) for j in range(n)]), 1, (n, n), True)


@lru_cache(4096)
def triangle(shape: tuple[int, ...], lower: bool) -> Linear:
    """Each matrix of the last two axes with the entries above (or below) its diagonal set to 0."""
    rows, columns = shape[-2:]
    end = prod(shape)
    places = [
        base + i * columns + j if (i >= j if lower else i <= j) else end
        for base in range(0, end, rows * columns)
        for i in range(rows)
        for j in range(columns)
    ]
    return Linear(getter(places), 1, shape, True)


@lru_cache(4096)
def mirrored(shape: tuple[int, ...]) -> Linear:
    """Each matrix of the last two axes with its lower triangle copied to the upper one."""
    n = shape[-1]
    end = prod(shape)
    places = [base + max(i, j) * n + min(i, j) for base in range(0, end, n * n) for i in range(n) for j in range(n)]
    return Linear(getter(places), 1, shape)


@lru_cache(4096)
def window(shape: tuple[int, ...], ranges: tuple[tuple[int, int], ...], target: tuple[int, ...]) -> Linear:
    """The entries from low to high along each axis."""
    steps = strides(shape)
    start = sum(low * s for (low, _), s in zip(ranges, steps, strict=True))
    places = offsets(steps, [high - low for low, high in ranges])
    return Linear(getter([start + p for p in places]), 1, target)


@lru_cache(4096)
def kronecker(a: tuple[int, ...], b: tuple[int, ...]) -> Bilinear:
    kernel = lettered("ij", a, "kl", b, "ikjl")
    return kernel._replace(shape=(a[0] * b[0], a[1] * b[1]))


@lru_cache(4096)
def correlation(a: tuple[int, int], k: tuple[int, int]) -> Bilinear:
    """The valid cross-correlation of a matrix with a kernel, stride 1."""
    rows, columns = a[0] - k[0] + 1, a[1] - k[1] + 1
    if rows < 1 or columns < 1:
        raise Misfit("the kernel is larger than the signal")
    sizes = (rows, columns, *k)
    left = offsets((a[1], 1, a[1], 1), sizes)
    right = offsets((0, 0, k[1], 1), sizes)
    return Bilinear(getter(left), getter(right), k[0] * k[1], (rows, columns))


@lru_cache(4096)
def joined(shapes: tuple[tuple[int, ...], ...], axis: int) -> Linear:
    """Arrays one behind the other along an axis: picks from their flat lists put one behind the other."""
    rank = len(shapes[0])
    if any(len(s) != rank for s in shapes) or len({s[:axis] + s[axis + 1 :] for s in shapes}) > 1:
        raise Misfit("parts of different shapes: " + ", ".join(map(str, shapes)))
    outer = prod(shapes[0][:axis])
    starts = [sum(map(prod, shapes[:k])) for k in range(len(shapes))]
    places = []
    for block in range(outer):
        for start, shape in zip(starts, shapes, strict=True):
            width = prod(shape[axis:])
            places.extend(range(start + block * width, start + (block + 1) * width))
    target = (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
    return Linear(getter(places), 1, target)


@lru_cache(4096)
def groups(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[tuple[int, ...], ...]:
    """The positions that a reduction over these axes puts together."""
    if axes is None:
        return (tuple(range(prod(shape))),)
    steps = strides(shape)
    kept = [k for k in range(len(shape)) if k not in axes]
    inner = offsets([steps[k] for k in axes], [shape[k] for k in axes])
    return tuple(
        tuple(start + p for p in inner) for start in offsets([steps[k] for k in kept], [shape[k] for k in kept])
    )
