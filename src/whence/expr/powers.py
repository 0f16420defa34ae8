"""Powers of numbers and of factors that are known not to be negative."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from whence.expr.node import SUM, Coefficient, Node
from whence.messages.errors import RuleError


def exact_power(c: Coefficient, e: Coefficient) -> Coefficient | None:
    """c**e where it is a rational number, else None."""
    if c == 1:
        return 1
    if c == 0 and e < 0:
        raise RuleError("division-by-zero", found="the number 0")
    if e == 1:
        return c
    if e.denominator == 1:
        return Fraction(c) ** e.numerator
    if c < 0 or e.denominator != 2:
        return None
    top, bottom = isqrt(c.numerator), isqrt(c.denominator)
    if top * top != c.numerator or bottom * bottom != c.denominator:
        return None
    return Fraction(top, bottom) ** e.numerator


def never_negative(f: Node) -> bool:
    """Positive, or a sum of squares."""
    if "positive" in f.facts:
        return True
    return f.kind == SUM and all(c > 0 and all(e % 2 == 0 for _, _, e in fs) for c, fs in f.terms)
