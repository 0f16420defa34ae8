"""The number between an answer and the truth, where there is one that does not depend on the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from whence.check.point import Point
from whence.verify.algebra import Array
from whence.verify.claim import same_shape

LARGEST = 20_000  # numerators and denominators that are found
_TRIPLES = 4  # up to so many symbols, three together are tried


@dataclass(frozen=True)
class Factor:
    """answer = factor * truth: a number times powers of sizes and scalar variables; `known` is False where it has
    no plain name."""

    number: Fraction = Fraction(1)
    powers: tuple[tuple[str, int], ...] = ()
    known: bool = True

    @property
    def is_number(self) -> bool:
        return self.known and not self.powers

    def complexity(self) -> tuple[int, int, int, tuple[tuple[str, int], ...]]:
        """By how much there is to say, the plainest first."""
        number = abs(self.number.numerator) + self.number.denominator + int(self.number < 0)
        return (
            sum(abs(e) for _, e in self.powers) + number,
            len(self.powers),
            -sum(e for _, e in self.powers),
            self.powers,
        )

    def text(self) -> str:
        """As people write it: -1, 1/2, m, 2/m, n/m.

        >>> Factor(Fraction(1, 2), (("m", -1),)).text(), Factor(Fraction(1), (("m", 1),)).text()
        ('1/(2*m)', 'm')
        """
        if not self.known:
            return "depends on the sizes or on a scalar variable"
        above = [_power(n, e) for n, e in self.powers if e > 0]
        below = [_power(n, -e) for n, e in self.powers if e < 0]
        number = self.number
        if abs(number.numerator) != 1 or not above:
            above.insert(0, str(abs(number.numerator)))
        if number.denominator != 1:
            below.insert(0, str(number.denominator))
        text = "*".join(above)
        if below:
            text += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
        return "-" + text if number < 0 else text


def _power(name: str, exponent: int) -> str:
    return name if exponent == 1 else f"{name}**{exponent}"


def ratio(point: Point, answer: Array, truth: Array) -> int | None:
    """The one number between all entries, in the field; None where there is none."""
    if not same_shape(answer.shape, truth.shape):
        return None
    m = point.ring.set.modulus
    a, t = point.values(answer), point.values(truth)
    if len(a) != len(t):
        return None
    pairs = [(x, y) for x, y in zip(a, t, strict=True) if x or y]
    if not pairs or any(not x or not y for x, y in pairs):
        return None
    x, y = pairs[0]
    if any((x * q - p * y) % m for p, q in pairs):
        return None
    try:
        return x * pow(y, -1, m) % m
    except ValueError:
        return None


def named(point: Point, value: int, scalars: Mapping[str, int]) -> Iterator[Factor]:
    """The factors that have this value at this point: plain numbers first, then with one to three symbols.

    Any value has several names at one point. What holds at points of other sizes too is the factor.
    """
    m = point.ring.set.modulus
    plain = rational(value, m)
    if plain is not None:
        yield Factor(plain)
    symbols = {**point.sizes, **scalars}
    inverse: dict[tuple[str, int], int] = {}
    for name in symbols:
        for exponent in (1, -1, 2, -2):
            try:
                inverse[name, exponent] = pow(symbols[name], -exponent, m)
            except ValueError:
                continue
    powers = [(one,) for one in inverse]
    for count in (2, 3) if len(symbols) <= _TRIPLES else (2,):
        powers += [p for p in combinations([p for p in inverse if abs(p[1]) == 1], count) if _different(p)]
    for product in powers:
        rest = value
        for one in product:
            rest = rest * inverse[one] % m
        number = rational(rest, m)
        if number is not None:
            yield Factor(number, product)


def _different(powers: tuple[tuple[str, int], ...]) -> bool:
    return len({name for name, _ in powers}) == len(powers)


def rational(value: int, modulus: int) -> Fraction | None:
    """The fraction of small numbers that a residue stands for, by Euclid's algorithm; None where there is none.

    >>> rational(2 * pow(3, -1, 10**18 + 9) % (10**18 + 9), 10**18 + 9)
    Fraction(2, 3)
    """
    before, now, old, new = modulus, value % modulus, 0, 1
    while now > LARGEST:
        quotient = before // now
        before, now, old, new = now, before - quotient * now, new, old - quotient * new
    return Fraction(now, new) if now and abs(new) <= LARGEST else None
