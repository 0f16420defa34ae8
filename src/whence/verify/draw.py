"""Inputs drawn so that the assumptions hold by construction, over either arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction
from math import prod
from random import Random
from typing import Any

from whence.verify import algebra, kernels
from whence.verify.algebra import Array, Ring, constant, linear, minus, plus, times, transposed
from whence.verify.exact import ExactRing
from whence.verify.failures import BadPoint, Misfit

_BITS = 130
with localcontext() as _context:
    _context.prec = 100
    _UNIT = Decimal(2) ** -_BITS


class ExactEntries:
    """Random elements of the field. A positive one is a square, so that its root exists and its sign is 1."""

    def __init__(self, ring: ExactRing) -> None:
        self.ring = ring

    def any(self) -> int:
        return self.ring.draw()

    nonzero = any

    def positive(self) -> int:
        return self.ring.draw() ** 2 % self.ring.modulus

    def unit(self) -> int:
        """(2t/(1 + t²))²: it and its complement to 1 are squares."""
        t = self.ring.draw()
        m = self.ring.modulus
        return (2 * t * self.ring.invert(1 + t * t)) ** 2 % m

    def shift(self) -> int:
        return 0


class NumericEntries:
    """Random decimal numbers of moderate size, away from 0 where asked.

    `attempt` varies the draw when an argument fell outside the domain of a function: positive numbers, small ones.
    """

    def __init__(self, random: Random, attempt: int = 0) -> None:
        self.random = random
        scale = Decimal("1.4") if attempt % 4 in (0, 1) else Decimal("0.45")
        # From 0 to the scale, or from minus that on.
        self.low, self.width = (Decimal(0), scale) if attempt % 2 == 1 else (-scale, 2 * scale)

    def share(self) -> Decimal:
        return Decimal(self.random.getrandbits(_BITS) | 1) * _UNIT

    def any(self) -> Decimal:
        return self.low + self.width * self.share()

    def nonzero(self) -> Decimal:
        value = self.any()
        return value + (Decimal("0.3") if value >= 0 else Decimal("-0.3"))

    def positive(self) -> Decimal:
        return Decimal("0.3") + Decimal("1.2") * self.share()

    def unit(self) -> Decimal:
        return Decimal("0.08") + Decimal("0.84") * self.share()

    def shift(self) -> Decimal:
        return Decimal("1.5") if self.random.random() < 0.75 else Decimal("-1.5")


Entries = ExactEntries | NumericEntries


def filled(entry: Callable[[], Any], shape: tuple[int, ...]) -> Array:
    return Array(shape, {0: [entry() for _ in range(prod(shape))]}, 1)


def draw(ring: Ring, entries: Entries, shape: tuple[int, ...], tags: tuple[str, ...]) -> Array:
    """An array of this shape for which the assumptions hold."""
    held = frozenset(tags)
    unknown = held - _TAGS
    if unknown:
        raise Misfit(f"unknown assumption {min(unknown)}")
    if "onehot-last" in held:
        return _onehot(ring, entries, shape, len(shape) - 1)
    if "onehot-columns" in held:
        return _onehot(ring, entries, shape, 0)
    if "orthogonal" in held:
        return _orthogonal(ring, entries, shape)
    n = shape[-1] if shape else 1
    square = len(shape) >= 2 and n == shape[-2]
    if square and held & {"pd", "psd"}:
        x = _definite(ring, entries, shape, held)
    else:
        x = filled(_entry(entries, held), shape)
        if square and "invertible" in held and "diagonal" not in held:
            x = plus(x, _diagonal_of(ring, filled(entries.shift, (*shape[:-1], 1)), n))
        if square and "symmetric" in held:
            x = _symmetrised(ring, x)
        if square and "skew" in held:
            x = minus(x, algebra.transposed(x))
    if square and "diagonal" in held:
        x = times(ring, x, algebra.eye(ring, n))
    if square and "lower" in held:
        x = linear(x, kernels.triangle(x.shape, True))
    return x


_TAGS = frozenset(
    ("symmetric", "skew", "psd", "pd", "orthogonal", "diagonal", "lower")
    + ("positive", "unit-interval", "invertible", "nonzero", "onehot-columns", "onehot-last")
)


def _entry(entries: Entries, held: frozenset[str]) -> Callable[[], Any]:
    if "unit-interval" in held:
        return entries.unit
    if "positive" in held:
        return entries.positive
    if "nonzero" in held or "invertible" in held and held & {"diagonal", "lower"}:
        return entries.nonzero
    return entries.any


def _onehot(ring: Ring, entries: Entries, shape: tuple[int, ...], axis: int) -> Array:
    random = entries.ring.random if isinstance(entries, ExactEntries) else entries.random
    flat = [ring.number(Fraction(0))] * prod(shape)
    for group in kernels.groups(shape, (axis,)):
        flat[group[random.randrange(len(group))]] = ring.number(Fraction(1))
    return Array(shape, {0: flat})


def _orthogonal(ring: Ring, entries: Entries, shape: tuple[int, ...]) -> Array:
    """Cayley: (1 − S)(1 + S)⁻¹ with S skew; of that the first rows or columns."""
    n = max(shape)
    a = filled(entries.any, (n, n))
    skew, identity = minus(a, transposed(a)), algebra.eye(ring, n)
    q = algebra.matmul(ring, minus(identity, skew), algebra.inverse(ring, plus(identity, skew)))
    return q if shape == q.shape else linear(q, kernels.window(q.shape, tuple((0, k) for k in shape), shape))


def _symmetrised(ring: Ring, x: Array) -> Array:
    return times(ring, plus(x, transposed(x, True)), constant(ring, Fraction(1, 2), literal=True))


def _definite(ring: Ring, entries: Entries, shape: tuple[int, ...], held: frozenset[str]) -> Array:
    n = shape[-1]
    b = filled(entries.positive if "positive" in held else entries.any, shape)
    if isinstance(entries, ExactEntries):
        return linear(b, kernels.mirrored(shape))
    x = times(ring, algebra.matmul(ring, b, transposed(b, True)), constant(ring, Fraction(1, n), literal=True))
    least = Fraction(3, 5) if "pd" in held else Fraction(1, 20)
    return plus(x, times(ring, constant(ring, least, literal=True), algebra.eye(ring, n)))


def _diagonal_of(ring: Ring, column: Array, n: int) -> Array:
    return times(ring, column, algebra.eye(ring, n))


def small_enough(x: Array) -> None:
    """A value by decimal numbers that is badly scaled is drawn again."""
    if any(abs(v) > 10**6 for v in x.parts[0]):
        raise BadPoint("badly scaled")
