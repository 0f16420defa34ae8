"""Arithmetic by value: decimal numbers of 56 digits (75 for second derivatives) and the values of functions.

Values only: no differential is ever used here. Arrays have a single part.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, getcontext, localcontext
from fractions import Fraction
from functools import lru_cache
from operator import mul
from random import Random
from typing import Any

from whence.verify.algebra import Array, real
from whence.verify.failures import BadPoint, OutOfDomain, Singular
from whence.verify.kernels import Bilinear


@dataclass(frozen=True)
class Precision:
    """The digits of every value, the step of the difference quotients, and how many digits of them must agree."""

    digits: int
    step: Decimal
    wanted: int

    def context(self) -> Context:
        """The decimal context of a check by value, to be entered with `localcontext`."""
        traps = [DivisionByZero, InvalidOperation, Overflow]
        return Context(prec=self.digits, traps=traps, Emax=10**6, Emin=-(10**6))


# By the order of the derivative.
USUAL = {1: Precision(56, Decimal("1e-17"), 20), 2: Precision(75, Decimal("1e-16"), 20)}
# Where exact arithmetic does not vouch for the claim: a term of exp(-100) beside 1 must not go unseen.
FINE = {1: Precision(200, Decimal("1e-65"), 100), 2: Precision(300, Decimal("1e-75"), 100)}
ARITHMETIC_ERRORS = (DivisionByZero, InvalidOperation, Overflow)

_ONE, _ZERO = Decimal(1), Decimal(0)
_SINGULAR = Decimal("1e-6")
_GUARD_DIGITS = 15
_local = threading.local()


def mpmath_context(digits: int) -> Any:
    """mpmath with its own precision, one for each thread: the user's is left alone."""
    context = getattr(_local, "context", None)
    if context is None:
        from mpmath import MPContext

        context = _local.context = MPContext()
    if context.dps != digits + _GUARD_DIGITS:
        context.dps = digits + _GUARD_DIGITS
    return context


class NumericRing:
    """The arithmetic of one point by value."""

    exact = False
    order = 1

    def __init__(self, random: Random, digits: int) -> None:
        self.random = random
        self.digits = digits

    def number(self, value: Fraction | int) -> Decimal:
        if value.denominator == 1:
            return Decimal(value.numerator)
        return Decimal(value.numerator) / Decimal(value.denominator)

    def contract(self, kernel: Bilinear, a: Sequence[Decimal], b: Sequence[Decimal]) -> list[Decimal]:
        left, right, group, _ = kernel
        products = list(map(mul, left(a), right(b)))
        if group == 1:
            return products
        return [sum(products[k : k + group], _ZERO) for k in range(0, len(products), group)]

    def each(self, x: Array, function: Callable[[Decimal], Decimal]) -> Array:
        return Array(x.shape, {0: [function(v) for v in x.parts[0]]}, literal=x.literal)

    def reciprocals(self, x: Array) -> Array:
        return self.each(x, lambda v: _ONE / v)

    def inverse(self, rows: Sequence[Decimal], n: int) -> list[Decimal]:
        units = [[_ZERO] * k + [_ONE] + [_ZERO] * (n - k - 1) for k in range(n)]
        table = [[*rows[k * n : k * n + n], *unit] for k, unit in enumerate(units)]
        for c in range(n):
            self._bring_pivot(table, c)
            scale = _ONE / table[c][c]
            lead = table[c] = [x * scale for x in table[c]]
            for r in range(n):
                factor = table[r][c]
                if r != c and factor:
                    table[r] = [x - factor * y for x, y in zip(table[r], lead, strict=True)]
        return [x for row in table for x in row[n:]]

    def _bring_pivot(self, table: list[list[Decimal]], c: int) -> bool:
        """The largest entry on the diagonal; whether rows were swapped."""
        sizes = [abs(row[c]) for row in table[c:]]
        largest = max(sizes)
        pivot = c + sizes.index(largest)
        if largest < _SINGULAR:
            raise Singular("a singular matrix")
        table[c], table[pivot] = table[pivot], table[c]
        return pivot != c

    def determinant(self, rows: Sequence[Decimal], n: int) -> Decimal:
        table = [list(rows[i * n : i * n + n]) for i in range(n)]
        value = _ONE
        for c in range(n):
            if self._bring_pivot(table, c):
                value = -value
            lead = table[c]
            value *= lead[c]
            for r in range(c + 1, n):
                factor = table[r][c] / lead[c]
                if factor:
                    table[r] = [x - factor * y for x, y in zip(table[r], lead, strict=True)]
        return value

    def exponential(self, x: Array) -> Array:
        return self.each(x, _exp)

    def logarithm(self, x: Array) -> Array:
        return self.each(x, _log)

    def root(self, x: Array, exponent: Fraction) -> Array:
        if exponent.denominator == 2 and abs(exponent.numerator) < 64:
            return self.each(x, lambda v: _square_root(v) ** exponent.numerator)
        power = self.number(exponent)
        return self.each(x, lambda v: _exp(power * _log(v)))

    def circle(self, x: Array, sine: bool) -> Array:
        context = mpmath_context(self.digits)
        return self.primitive(x, context.sin if sine else context.cos)

    def primitive(self, x: Array, function: Callable[[Any], Any]) -> Array:
        """A function of mpmath, entry by entry."""
        context = mpmath_context(self.digits)
        return self.each(x, lambda v: _from_mpmath(function(_to_mpmath(v, context, self.digits)), context, self.digits))

    def named(self, x: Array, name: str) -> Array:
        return self.primitive(x, getattr(mpmath_context(self.digits), name))

    def quotient(self, x: Array, function: Callable[[NumericRing, Array], Array]) -> Array:
        """The derivative of an elementwise function by a central quotient of its values at twice the digits."""
        with localcontext() as context:
            context.prec = 2 * self.digits + 10
            step = Decimal(10) ** -(self.digits - 10)
            finer = NumericRing(self.random, context.prec)
            up = function(finer, self.each(x, lambda v: v + step))
            down = function(finer, self.each(x, lambda v: v - step))
            flat = [(a - b) / (2 * step) for a, b in zip(up.parts[0], down.parts[0], strict=True)]
        return Array(x.shape, {0: flat}, literal=x.literal)

    def greater(self, x: Array) -> Array:
        return self.each(x, lambda v: _ONE if v > 0 else _ZERO)

    def nonzero(self, x: Array) -> Array:
        return self.each(x, lambda v: _ONE if v else _ZERO)

    def largest(self, x: Array, groups: Sequence[Sequence[int]], smallest: bool) -> Array:
        entries = real(x)
        out = [_ZERO] * len(entries)
        for group in groups:
            pick = min if smallest else max
            out[pick(group, key=lambda k: entries[k])] = _ONE
        return Array(x.shape, {0: out})

    def circle_constant(self) -> Array:
        return Array((), {0: [_pi(self.digits)]}, literal=True)


@lru_cache(16)
def _pi(digits: int) -> Decimal:
    """Machin's formula in whole numbers."""
    one = 10 ** (digits + 10)
    quarter = 4 * _arc_of_reciprocal(5, one) - _arc_of_reciprocal(239, one)
    with localcontext() as context:
        context.prec = digits
        return Decimal(4 * quarter) / one


def _arc_of_reciprocal(n: int, one: int) -> int:
    """atan(1/n) in units of 1/one."""
    term = one // n
    total, k = 0, 1
    while term:
        total += term // k if k % 4 == 1 else -(term // k)
        term //= n * n
        k += 2
    return total


# An argument is split at 2**-32: what is above is looked up byte by byte, what is below needs a short series.
_SPLIT = 32
_UNITS = Decimal(2**_SPLIT)
_UNIT = 1 / _UNITS


def _exp(v: Decimal) -> Decimal:
    """exp(n + a/2⁸ + b/2¹⁶ + … + s) by tables of exp(n), exp(a/2⁸), … and a series; Decimal's own is slower by far."""
    if v > 2000:
        raise BadPoint("an exponential out of range")
    if v < -100_000:
        return v.exp()
    digits = getcontext().prec
    units = int(v * _UNITS)
    s = v - units * _UNIT
    coefficients = _exp_coefficients(digits)
    out = coefficients[0]
    for c in coefficients[1:]:
        out = out * s + c
    whole = units >> _SPLIT
    if whole:
        out *= _exp_of(whole, 0, digits)
    for bits in range(8, _SPLIT + 1, 8):
        byte = units >> (_SPLIT - bits) & 255
        if byte:
            out *= _exp_of(byte, bits, digits)
    return out


@lru_cache(16)
def _exp_coefficients(digits: int) -> tuple[Decimal, ...]:
    """1/k!, the last first: as many as numbers below 2**-32 need."""
    with localcontext() as context:
        context.prec = digits + 5
        found = [_ONE]
        while found[-1] * _UNIT ** len(found) > Decimal(10) ** -(digits + 2):
            found.append(found[-1] / len(found))
    return tuple(reversed(found))


@lru_cache(8192)
def _exp_of(k: int, bits: int, digits: int) -> Decimal:
    """exp(k/2**bits), a whole power of exp(2**-bits)."""
    with localcontext() as context:
        context.prec = digits + 8
        return _exp_of_unit(bits, digits + 8) ** k


@lru_cache(64)
def _exp_of_unit(bits: int, digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits
        return (1 / Decimal(2**bits)).exp()


@lru_cache(4096)
def _power_of_two(exponent: int, digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits + 10
        return Decimal(2) ** exponent


def _log(v: Decimal) -> Decimal:
    """From the machine's logarithm y, right to 15 digits: y + 2 artanh(t) with t = (v − eʸ)/(v + eʸ)."""
    if v <= 0:
        raise OutOfDomain("the logarithm of a number that is not positive")
    tens = v.adjusted()
    v = v.scaleb(-tens)
    y = Decimal(math.log(v))
    wanted = getcontext().prec
    e = _exp(y)
    t = (v - e) / (v + e)
    square, power, correction = t * t, t, t
    for k in range(3, wanted // 15 + 3, 2):  # each two powers of t are 30 digits more
        power *= square
        correction += power / k
    y += 2 * correction
    return y + tens * _log_of_ten(wanted) if tens else y


@lru_cache(16)
def _log_of_ten(digits: int) -> Decimal:
    with localcontext() as context:
        context.prec = digits + 10
        return Decimal(10).ln()


def _square_root(v: Decimal) -> Decimal:
    if v < 0:
        raise OutOfDomain("the root of a negative number")
    return v.sqrt()


def _to_mpmath(v: Decimal, context: Any, digits: int) -> Any:
    """The number in the binary arithmetic, by whole numbers: mpmath reads texts slowly."""
    bits = (digits - v.adjusted()) * 10 // 3 + 32 if v else 0
    return context.mpf((int(v * _power_of_two(bits, digits)), -bits))


def _from_mpmath(value: Any, context: Any, digits: int) -> Decimal:
    if not isinstance(value, context.mpf) or not context.isfinite(value):
        raise OutOfDomain("an argument outside the domain")
    sign, mantissa, exponent, _ = value._mpf_
    return (-mantissa if sign else mantissa) * _power_of_two(exponent, digits)


# Three smooth functions stand for the unknown ones, each with its derivatives up to the third.
def _cubic(v: Decimal) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    a, b, c, d = Decimal("0.3"), Decimal("-0.7"), Decimal("1.1"), Decimal("0.2")
    return ((a * v + b) * v + c) * v + d, (3 * a * v + 2 * b) * v + c, 6 * a * v + 2 * b, 6 * a


def _decay(v: Decimal) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    e = _exp(-v / 2)
    return e + Decimal("0.4") * v, Decimal("0.4") - e / 2, e / 4, -e / 8


def _quotient(v: Decimal) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """(v + 1)/(v² + 2) by partial steps: q = 1/(v² + 2)."""
    q = _ONE / (v * v + 2)
    q1 = -2 * v * q * q
    q2 = -2 * q * q - 4 * v * q * q1
    q3 = -4 * q * q1 - 4 * q * q1 - 4 * v * (q1 * q1 + q * q2)
    u = v + 1
    return u * q, q + u * q1, 2 * q1 + u * q2, 3 * q2 + u * q3


STAND_INS = (_quotient, _cubic, _decay)


def stand_in(which: int, derivative: int, v: Decimal) -> Decimal:
    """The value of a derivative of the function that stands for the unknown function number `which`."""
    scale = Decimal(1) + Decimal(which // len(STAND_INS)) / 2
    return STAND_INS[which % len(STAND_INS)](scale * v)[derivative] * scale**derivative


__all__ = ["ARITHMETIC_ERRORS", "FINE", "USUAL", "NumericRing", "Precision", "localcontext", "stand_in"]
