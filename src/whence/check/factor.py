"""The number between an answer and the truth, where there is one that does not depend on the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from whence.check.point import Point
from whence.verify.algebra import Array
from whence.verify.claim import same_shape

_NUMBERS = tuple(
    sorted(
        {Fraction(s * p, q) for p in range(1, 17) for q in (1, 2, 3, 4, 6, 8) for s in (1, -1)},
        key=lambda f: (f.denominator, abs(f), -f),
    )
)


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
    """The factors that have this value at this point: plain numbers first, then with one or two symbols."""
    m = point.ring.set.modulus
    numbers = {(f.numerator * pow(f.denominator, -1, m)) % m: f for f in reversed(_NUMBERS)}
    if value in numbers:
        yield Factor(numbers[value])
    symbols = {**point.sizes, **scalars}
    powers = [(n, e) for n in symbols for e in (1, -1, 2, -2)]
    inverse = {}
    for name, exponent in powers:
        try:
            inverse[name, exponent] = pow(symbols[name], -exponent, m)
        except ValueError:
            continue
    for one in powers:
        if one in inverse and value * inverse[one] % m in numbers:
            yield Factor(numbers[value * inverse[one] % m], (one,))
    for one, two in combinations(powers, 2):
        if one[0] != two[0] and abs(one[1]) == abs(two[1]) == 1 and one in inverse and two in inverse:
            rest = value * inverse[one] * inverse[two] % m
            if rest in numbers:
                yield Factor(numbers[rest], (one, two))
