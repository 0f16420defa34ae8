"""Arrays over a ring with infinitesimals, and the arithmetic on them.

An array is a shape and its parts: flat lists, one for each basis element of the ring that occurs. A basis element is a
bit set: bit 0 is i = √−1 (exact arithmetic only), bit k + 1 the infinitesimal εₖ (εₖ² = 0). In order 1 also εₖ·εₗ = 0,
so that one pass carries any number of directions; in order 2 there are two directions and their product, which carries
the second derivative. Linear maps act part by part, products run over pairs of parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from operator import add, neg, sub
from typing import Any, Protocol

from whence.verify import kernels
from whence.verify.failures import Misfit, NotExact
from whence.verify.kernels import Bilinear, Linear

Shape = tuple[int, ...]
Parts = dict[int, Sequence[Any]]


class Array:
    """A shape and its parts. `literal`: a number written out, which takes the shape of a 1 x 1 it meets.

    `top` and `bottom` bound the degree of the entries, changes included, as quotients of polynomials over one common
    denominator; `rest` is the same pair for the entries without their changes.
    """

    __slots__ = ("bottom", "literal", "parts", "rest", "shape", "top")

    def __init__(
        self,
        shape: Shape,
        parts: Parts,
        top: int = 0,
        bottom: int = 0,
        literal: bool = False,
        rest: tuple[int, int] | None = None,
    ) -> None:
        self.shape = shape
        self.parts = parts
        self.top = top
        self.bottom = bottom
        self.literal = literal
        self.rest = (top, bottom) if rest is None else rest

    @property
    def size(self) -> int:
        return next((len(part) for part in self.parts.values()), prod(self.shape))

    def like(self, parts: Parts) -> Array:
        return Array(self.shape, parts, self.top, self.bottom, self.literal, self.rest)

    def reshaped(self, shape: Shape) -> Array:
        return Array(shape, self.parts, self.top, self.bottom, rest=self.rest)


class Ring(Protocol):
    """What the arithmetic needs of the entries."""

    order: int
    exact: bool

    def number(self, value: Fraction | int) -> Any: ...
    def contract(self, kernel: Bilinear, a: Sequence[Any], b: Sequence[Any]) -> Sequence[Any]: ...
    def reciprocals(self, x: Array) -> Array: ...
    def inverse(self, rows: Sequence[Any], n: int) -> Sequence[Any]: ...
    def determinant(self, rows: Sequence[Any], n: int) -> Any: ...
    def root(self, x: Array, exponent: Fraction) -> Array: ...
    def logarithm(self, x: Array) -> Array: ...
    def exponential(self, x: Array) -> Array: ...
    def greater(self, x: Array) -> Array: ...
    def nonzero(self, x: Array) -> Array: ...
    def largest(self, x: Array, groups: Sequence[Sequence[int]], smallest: bool) -> Array: ...


def constant(ring: Ring, value: Fraction | int, shape: Shape = (), literal: bool = False) -> Array:
    return Array(shape, {0: [ring.number(value)] * prod(shape)}, 0, 0, literal)


def linear(x: Array, kernel: Linear) -> Array:
    """A gather and a sum of groups, part by part."""
    get, group, shape, padded = kernel
    parts: Parts = {}
    for key, flat in x.parts.items():
        picked = get([*flat, type(flat[0])()] if padded else flat)  # 0 of the arithmetic at hand
        if group > 1:
            picked = [sum(picked[k : k + group]) for k in range(0, len(picked), group)]
        parts[key] = picked
    return Array(shape, parts, x.top, x.bottom, rest=x.rest)


def bilinear(ring: Ring, x: Array, y: Array, kernel: Bilinear) -> Array:
    """A product of entries and a sum of groups, over all pairs of parts whose product is not 0."""
    top, bottom, literal = x.top + y.top, x.bottom + y.bottom, x.literal and y.literal
    left, right = x.parts, y.parts
    if len(left) == len(right) == 1 and 0 in left and 0 in right:
        return Array(kernel.shape, {0: ring.contract(kernel, left[0], right[0])}, top, bottom, literal)
    first_order = ring.order == 1
    parts: Parts = {}
    for k, a in left.items():
        for m, b in right.items():
            if (k > 1 and m > 1) if first_order else (k & m) >> 1:
                continue
            product = ring.contract(kernel, a, b)
            if k & m & 1:
                product = list(map(neg, product))
            key = k ^ m
            parts[key] = list(map(add, parts[key], product)) if key in parts else product
    rest = (x.rest[0] + y.rest[0], x.rest[1] + y.rest[1])
    return Array(kernel.shape, parts, top, bottom, literal, rest)


def fitted(x: Array, y: Array) -> tuple[Shape, Shape]:
    """The shapes with which two arrays meet entry by entry (FORMAT: numbers, columns that meet tensors)."""
    a, b = x.shape, y.shape
    if a == b:
        return a, b
    if len(a) > 2 or len(b) > 2:
        return last_axis(x), last_axis(y)
    if not a and b and y.size == 1 and not x.literal:
        return a, ()
    if not b and a and x.size == 1 and not y.literal:
        return (), b
    return a, b


def last_axis(x: Array) -> Shape:
    """A column that meets a tensor is a list along the last axis, a single number fits anything."""
    if len(x.shape) > 2:
        return x.shape
    if x.size == 1:
        return ()
    return (x.size,) if x.shape[-1:] == (1,) else x.shape


def negative(x: Array) -> Array:
    return x.like({k: list(map(neg, flat)) for k, flat in x.parts.items()})


def _summed(x: Array, y: Array, minus: bool) -> Array:
    literal = x.literal and y.literal
    a = x.shape
    if a != y.shape:
        a, b = fitted(x, y)
        target = kernels.broadcast_shape(a, b)
        x = x.reshaped(a) if a == target else linear(x, kernels.stretch(a, target))
        y = y.reshaped(b) if b == target else linear(y, kernels.stretch(b, target))
        a = target
    parts = dict(x.parts)
    for k, flat in y.parts.items():
        if k in parts:
            parts[k] = list(map(sub if minus else add, parts[k], flat))
        else:
            parts[k] = list(map(neg, flat)) if minus else flat
    bottom = x.bottom + y.bottom
    top, other = x.top + y.bottom, y.top + x.bottom
    (x_top, x_bottom), (y_top, y_bottom) = x.rest, y.rest
    still, moving = x_top + y_bottom, y_top + x_bottom
    rest = (still if still > moving else moving, x_bottom + y_bottom)
    return Array(a, parts, top if top > other else other, bottom, literal, rest)


def plus(x: Array, y: Array) -> Array:
    return _summed(x, y, False)


def minus(x: Array, y: Array) -> Array:
    return _summed(x, y, True)


def times(ring: Ring, x: Array, y: Array) -> Array:
    """The elementwise product, with broadcasting."""
    return bilinear(ring, x, y, kernels.entrywise(*fitted(x, y)))


def matmul(ring: Ring, x: Array, y: Array) -> Array:
    return bilinear(ring, x, y, kernels.product(x.shape, y.shape))


def transposed(x: Array, batched: bool = False) -> Array:
    """The last two axes swapped; of a number itself. Only `.mT` takes tensors."""
    rank = len(x.shape)
    if rank > 2 and not batched:
        raise Misfit(f"transpose of {x.shape}")
    if rank < 2:
        return x
    if 1 in x.shape and rank == 2:
        return x.reshaped((x.shape[1], x.shape[0]))
    return linear(x, kernels.permute(x.shape, (*range(rank - 2), rank - 1, rank - 2)))


def still(x: Array) -> Array:
    """The array without its changes."""
    if max(x.parts) <= 1:
        return x
    return Array(x.shape, {k: flat for k, flat in x.parts.items() if k <= 1}, *x.rest, x.literal)


def moved_part(x: Array) -> Array | None:
    """The infinitesimal parts alone: products with them need no part 0."""
    if max(x.parts) <= 1:
        return None
    moved = {k: flat for k, flat in x.parts.items() if k > 1}
    return Array(x.shape, moved, x.top, x.bottom, x.literal, rest=(0, 0))


def reciprocal(ring: Ring, x: Array) -> Array:
    """1/x entry by entry: y₀ − y₀ t + y₀ t² with t = y₀ δx."""
    base = ring.reciprocals(still(x))
    moved = moved_part(x)
    if moved is None:
        return Array(base.shape, base.parts, base.top, base.bottom, x.literal, base.rest)
    t = times(ring, base, moved)
    out = minus(base, times(ring, base, t))
    return plus(out, times(ring, base, times(ring, t, t))) if ring.order > 1 else out


def divided(ring: Ring, x: Array, y: Array) -> Array:
    return times(ring, x, reciprocal(ring, y))


def power(ring: Ring, x: Array, exponent: Fraction) -> Array:
    """Entry by entry to a fixed power."""
    if exponent.denominator == 1:
        return _whole_power(ring, x, exponent.numerator)
    base = ring.root(still(x), exponent)
    moved = moved_part(x)
    if moved is None:
        return base
    t = times(ring, moved, ring.reciprocals(still(x)))
    slope = times(ring, base, times(ring, constant(ring, exponent), t))
    out = plus(base, slope)
    if ring.order > 1:
        half = constant(ring, (exponent - 1) / 2)
        out = plus(out, times(ring, slope, times(ring, half, t)))
    return out


def _whole_power(ring: Ring, x: Array, exponent: int) -> Array:
    if abs(exponent) > 10_000:
        raise Misfit("a power beyond 10000")
    if exponent < 0:
        return reciprocal(ring, _whole_power(ring, x, -exponent))
    if exponent == 0:
        return constant(ring, 1, x.shape)
    out: Array | None = None
    while exponent:
        if exponent & 1:
            out = x if out is None else times(ring, out, x)
        exponent >>= 1
        if exponent:
            x = times(ring, x, x)
    assert out is not None
    return out


def general_power(ring: Ring, x: Array, exponent: Array) -> Array:
    """x**y = exp(y log x) for an exponent that is itself an array."""
    logarithm = ring.logarithm(still(x))
    moved = moved_part(x)
    if moved is not None:
        t = times(ring, moved, ring.reciprocals(still(x)))
        logarithm = plus(logarithm, t)
        if ring.order > 1:
            logarithm = minus(logarithm, times(ring, times(ring, t, t), constant(ring, Fraction(1, 2))))
    whole = times(ring, exponent, logarithm)
    base = ring.exponential(still(whole))
    moved = moved_part(whole)
    if moved is None:
        return base
    out = plus(base, times(ring, base, moved))
    if ring.order > 1:
        square = times(ring, times(ring, moved, moved), constant(ring, Fraction(1, 2)))
        out = plus(out, times(ring, base, square))
    return out


def square_size(x: Array) -> int:
    """n of an n x n matrix (or of a tensor of them); a number counts as 1 x 1."""
    if len(x.shape) < 2:
        return 1
    if x.shape[-1] != x.shape[-2]:
        raise Misfit(f"a square matrix is needed, got {x.shape}")
    return x.shape[-1]


def as_matrix(x: Array) -> Array:
    """A number as a 1 x 1 matrix; tensors are refused."""
    if len(x.shape) > 2:
        raise Misfit(f"a matrix is needed, got {x.shape}")
    return x if len(x.shape) == 2 else x.reshaped((1, 1))


def as_matrices(x: Array) -> Array:
    return x if len(x.shape) >= 2 else x.reshaped((1, 1))


def inverse(ring: Ring, x: Array) -> Array:
    """The inverse of each matrix: Y₀ − T Y₀ + T T Y₀ with T = Y₀ δX."""
    x = as_matrices(x)
    n = square_size(x)
    base = _base_inverse(ring, still(x), n)
    moved = moved_part(x)
    if moved is None:
        return base
    t = matmul(ring, base, moved)
    out = minus(base, matmul(ring, t, base))
    return plus(out, matmul(ring, t, matmul(ring, t, base))) if ring.order > 1 else out


def _base_inverse(ring: Ring, x: Array, n: int) -> Array:
    batch = x.size // (n * n)
    top = x.bottom + (n - 1) * x.top + (batch - 1) * n * x.top
    bottom = batch * n * x.top
    if max(x.parts) == 0:
        flat: list[Any] = []
        for k in range(0, x.size, n * n):
            flat.extend(ring.inverse(x.parts[0][k : k + n * n], n))
        return Array(x.shape, {0: flat}, top, bottom)
    real: list[Any] = []
    imaginary: list[Any] = []
    for k in range(0, x.size, n * n):
        a, b = (x.parts[m][k : k + n * n] for m in (0, 1))
        rows = [[*a[i * n : i * n + n], *map(neg, b[i * n : i * n + n])] for i in range(n)]
        rows += [[*b[i * n : i * n + n], *a[i * n : i * n + n]] for i in range(n)]
        inverted = ring.inverse([e for row in rows for e in row], 2 * n)
        for i in range(n):
            real.extend(inverted[i * 2 * n : i * 2 * n + n])
            imaginary.extend(inverted[(n + i) * 2 * n : (n + i) * 2 * n + n])
    return Array(x.shape, {0: real, 1: imaginary}, top, bottom)


def determinant(ring: Ring, x: Array) -> Array:
    """A number of every matrix; of a tensor the two axes stay, of length 1."""
    x = as_matrices(x)
    n = square_size(x)
    lead = x.shape[:-2]
    if max(x.parts) == 0:
        flat = [ring.determinant(x.parts[0][k : k + n * n], n) for k in range(0, x.size, n * n)]
        out = Array((*lead, 1, 1), {0: flat}, n * x.top, n * x.bottom)
    else:
        out = _characteristic(ring, x, n)[0]
    return out if lead else out.reshaped(())


def adjugate(ring: Ring, x: Array) -> Array:
    x = as_matrix(x)
    return _characteristic(ring, x, square_size(x))[1]


def _characteristic(ring: Ring, x: Array, n: int) -> tuple[Array, Array]:
    """Determinant (shape (..., 1, 1)) and adjugate by Faddeev and LeVerrier: products and division by 1 ... n alone."""
    identity = eye(ring, n)
    m, c = identity, constant(ring, 1, (1, 1))
    for k in range(1, n + 1):
        if k > 1:
            m = plus(matmul(ring, x, m), times(ring, c, identity))
        kernel = kernels.trace(x.shape)
        traced = linear(matmul(ring, x, m), kernel._replace(shape=(*x.shape[:-2], 1, 1)))
        c = times(ring, traced, constant(ring, Fraction(-1, k)))
    if n % 2:
        c = negative(c)
    else:
        m = negative(m)
    c.top, c.bottom = n * x.top, n * x.bottom
    m.top, m.bottom = max(n - 1, 0) * x.top, max(n - 1, 0) * x.bottom
    return c, m


def eye(ring: Ring, n: int) -> Array:
    flat = [ring.number(0)] * (n * n)
    flat[:: n + 1] = [ring.number(1)] * n
    return Array((n, n), {0: flat})


def compared(ring: Ring, operator: str, x: Array, y: Array) -> Array:
    """0 or 1, entry by entry."""
    x, y = still(x), still(y)
    if operator in ("<", ">="):
        mask = ring.greater(minus(y, x))
    elif operator in (">", "<="):
        mask = ring.greater(minus(x, y))
    else:
        mask = ring.nonzero(minus(x, y))
    if operator in ("<=", ">=", "=="):
        mask = minus(constant(ring, 1, literal=True), mask)
    return mask


def real(x: Array) -> Sequence[Any]:
    """The entries of an array that must have no i in it."""
    if 1 in x.parts:
        raise NotExact("the root of a number that is no square, where an order is needed")
    return x.parts[0]
