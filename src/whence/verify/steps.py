"""The steps of a program that need no table: arithmetic, indexing, functions that are unknown."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from whence.verify import algebra, kernels
from whence.verify.algebra import Array, Ring
from whence.verify.claim import same_shape
from whence.verify.failures import BadSizes, Misfit
from whence.verify.numeric import NumericRing, stand_in

Step = Callable[..., Array]


def itself(ring: Ring, x: Array) -> Array:
    return x


def in_shape_of(ring: Ring, x: Array, other: Array) -> Array:
    """The value of an adjoint's name: beyond rank 2 its formula may have other axes of length 1."""
    return x.reshaped(other.shape) if x.shape != other.shape and same_shape(x.shape, other.shape) else x


def negative(ring: Ring, x: Array) -> Array:
    return algebra.negative(x)


def plus(ring: Ring, x: Array, y: Array) -> Array:
    return algebra.plus(x, y)


def minus(ring: Ring, x: Array, y: Array) -> Array:
    return algebra.minus(x, y)


BINARY: dict[str, Step] = {"+": plus, "-": minus, "*": algebra.times, "/": algebra.divided, "@": algebra.matmul}


def power(exponent: Fraction, ring: Ring, x: Array) -> Array:
    return algebra.power(ring, x, exponent)


def transpose(batched: bool, ring: Ring, x: Array) -> Array:
    return algebra.transposed(x, batched)


def compare(operator: str) -> Step:
    def step(ring: Ring, x: Array, y: Array) -> Array:
        return algebra.compared(ring, operator, x, y)

    return step


def call_routine(
    function: Callable[..., Array],
    kinds: str,
    extra: tuple[Any, ...],
    axis: Any,
    has_axis: bool,
    ring: Ring,
    *arrays: Array,
) -> Array:
    fixed, given = iter(extra), iter(arrays)
    arguments = [next(given) if kind == "A" else next(fixed) for kind in kinds]
    return function(ring, *arguments, axis=axis) if has_axis else function(ring, *arguments)


def indexed(places: tuple[Any, ...], ring: Ring, x: Array) -> Array:
    if len(places) == 1 and len(x.shape) == 2:
        if 1 not in x.shape:
            raise Misfit("one index into a matrix")
        places = (places[0], 0) if x.shape[1] == 1 else (0, places[0])
    if len(places) != len(x.shape):
        raise Misfit(f"{len(places)} indices into {x.shape}")
    ranges = [_range(p, n) if isinstance(p, tuple) else _single(p, n) for p, n in zip(places, x.shape, strict=True)]
    kept = [isinstance(p, tuple) for p in places]
    lengths = tuple(high - low for low, high in ranges)
    if not any(kept):
        target: tuple[int, ...] = ()
    elif len(x.shape) > 2:
        target = tuple(n for n, keep in zip(lengths, kept, strict=True) if keep)
        target = (target[0], 1) if len(target) == 1 else target
    else:
        target = lengths
    return algebra.linear(x, kernels.window(x.shape, tuple(ranges), target))


def _single(place: int, n: int) -> tuple[int, int]:
    if not -n <= place < n:
        raise Misfit("an index out of range")
    return place % n, place % n + 1


def _range(bounds: tuple[int | None, int | None, bool], n: int) -> tuple[int, int]:
    low, high = (d if b is None else b for b, d in zip(bounds[:2], (0, n), strict=True))
    low, high = (b + n if b < 0 else b for b in (low, high))
    if not 0 <= low < high <= n:
        raise Misfit("a range that is empty or out of range")
    if high - low == 1 and bounds[2]:
        raise BadSizes("a range down to a single entry")
    return low, high


def chained(ring: Ring, x: Array, base: Array, slope: Callable[[Array, Array], Array]) -> Array:
    """An elementwise function of an array that changes: its value at rest, and slope(x, y) beside every change."""
    moved = algebra.moved_part(x)
    if moved is None:
        return base
    rest = algebra.still(x)
    first = slope(rest, base)
    if ring.order == 1:
        return algebra.plus(base, algebra.times(ring, first, moved))
    # The part of ε₂ alone first; then the slope at x + ε₂ δ₂x carries what stands beside ε₁.
    second = moved.like({k: flat for k, flat in moved.parts.items() if k >> 1 == 2})
    other = moved.like({k: flat for k, flat in moved.parts.items() if k >> 1 != 2})
    value, place = base, rest
    if second.parts:
        place = algebra.plus(rest, second)
        value = algebra.plus(base, algebra.times(ring, first, second))
    if not other.parts:
        return value
    steep = slope(place, value) if second.parts else first
    return algebra.plus(value, algebra.times(ring, steep, other))


def unknown(which: int, derivative: int, ring: Any, x: Array) -> Array:
    if isinstance(ring, NumericRing):
        return ring.each(x, lambda v: stand_in(which, derivative, v))

    def value(at: Array, order: int) -> Array:
        if algebra.moved_part(at) is None:
            return ring.atoms(f"unknown {which} {order}", at)
        return chained(
            ring, at, ring.atoms(f"unknown {which} {order}", algebra.still(at)), lambda z, _: value(z, order + 1)
        )

    return value(x, derivative)
