"""Exact arithmetic modulo a product of four random primes.

Functions that are not rational enter as random atoms: a random element of the field for each function and argument,
the same each time it is asked for. Their algebraic relations hold: exp(−x) = 1/exp(x), exp(y + log x) = x exp(y),
log(exp(x)) = x, cos² + sin² = 1, r² = x for r = √x (in the field with i = √−1, where every number of the prime field
has a root), step(x) + step(−x) = 1.

Two further modes (tried when the plain atoms find a difference) know more: exp(a + b) = exp(a) exp(b), and with it the
addition theorems; in one of them the sign is the quadratic character, so that sign(a b) = sign(a) sign(b) and
√(x²) = |x|.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from enum import Enum
from fractions import Fraction
from functools import reduce
from math import gcd, prod
from operator import mul
from random import Random
from typing import Any

from whence.verify.algebra import Array, Parts, constant
from whence.verify.failures import BadPoint, NoRoot, NotExact
from whence.verify.kernels import Bilinear
from whence.verify.primes import PrimeSet

_SMALL = 1 << 60  # residues this near to 0 are whole numbers that were written, with their own sign
_BATCH = 12
Pair = tuple[int, int]  # the real part and what stands beside i


class Mode(Enum):
    """What the atoms know of one another. Agreement in any mode is enough; each knows what the others do not."""

    PLAIN = 0  # the sign of a number is random modulo each prime
    ADDITIVE = 1  # exp(a + b) = exp(a) exp(b); the sign is the same modulo all primes, the extremes respect it
    # exp as before; sign(a b) = sign(a) sign(b), √(x²) = |x|. Sines are real as in PLAIN: a sign needs real numbers.
    MULTIPLICATIVE = 2


class ExactRing:
    """The arithmetic of one run. It keeps the atoms that were drawn."""

    exact = True

    def __init__(self, primes: PrimeSet, random: Random, order: int = 1, mode: Mode = Mode.PLAIN) -> None:
        self.set = primes
        self.random = random
        self.order = order
        self.mode = mode
        related = self.related = mode is not Mode.PLAIN
        self.primes = (*primes.primes, primes.helper) if related else primes.primes
        self.modulus = prod(self.primes)
        self.idempotents = primes.idempotents
        self.bits = self.modulus.bit_length() + 64
        self.half = self.modulus >> 1
        self.memo: dict[Any, Any] = {}
        self.exponents: dict[int, int] = {}  # exp(x) -> x
        self.logarithms: list[tuple[int, int]] = []  # log(x), x
        self.squares: list[Pair] = []
        self.points: list[Pair] = []
        self.used_relations = False  # atoms that another mode would tie to one another
        self.arguments = 0  # how many were given to functions,
        self.highest = 0  # their highest degree,
        self.collisions = 0  # and what two of them being equal by chance adds to the degree
        self.masks = 0  # how many signs and extremes were drawn

    def copy(self, random: Random) -> ExactRing:
        """One with the same atoms; those drawn in one are not in the other."""
        other = copy(self)
        other.random = random
        other.memo, other.exponents = dict(self.memo), dict(self.exponents)
        other.logarithms, other.squares, other.points = list(self.logarithms), list(self.squares), list(self.points)
        return other

    # ---- numbers

    def number(self, value: Fraction | int) -> int:
        if value.denominator == 1:
            return value.numerator
        residue = value.numerator * pow(value.denominator, -1, self.modulus) % self.modulus
        self._set_positive((residue, 0), int(value > 0))
        return residue

    def draw(self) -> int:
        return self.random.getrandbits(self.bits) % self.modulus

    def contract(self, kernel: Bilinear, a: Sequence[int], b: Sequence[int]) -> list[int]:
        left, right, group, _ = kernel
        m = self.modulus
        if group == 1:
            return [x * y % m for x, y in zip(left(a), right(b), strict=True)]
        products = list(map(mul, left(a), right(b)))
        return [sum(products[k : k + group]) % m for k in range(0, len(products), group)]

    def invert(self, x: int) -> int:
        try:
            return pow(x, -1, self.modulus)
        except ValueError:
            raise BadPoint("a division by zero") from None

    def invert_all(self, flat: Sequence[int]) -> list[int]:
        """All reciprocals with one division: products up, one inverse, down again."""
        if len(flat) == 1:
            return [self.invert(flat[0])]
        m = self.modulus
        before = [1]
        for x in flat:
            before.append(before[-1] * x % m)
        rest = self.invert(before[-1])
        out = [0] * len(flat)
        for k in range(len(flat) - 1, -1, -1):
            out[k] = rest * before[k] % m
            rest = rest * flat[k] % m
        return out

    def reciprocals(self, x: Array) -> Array:
        top, bottom = x.bottom + (x.size - 1) * x.top, x.size * x.top
        if 1 not in x.parts:
            return Array(x.shape, {0: self.invert_all(x.parts[0])}, top, bottom)
        m = self.modulus
        a, b = x.parts[0], x.parts[1]
        norms = self.invert_all([(p * p + q * q) % m for p, q in zip(a, b, strict=True)])
        parts: Parts = {0: [p * n % m for p, n in zip(a, norms, strict=True)]}
        parts[1] = [-q * n % m for q, n in zip(b, norms, strict=True)]
        return Array(x.shape, parts, top, bottom)

    def inverse(self, rows: Sequence[int], n: int) -> list[int]:
        """Gauss and Jordan; a pivot that is 0 modulo one prime alone is a bad point."""
        m = self.modulus
        table = [[*rows[i * n : i * n + n], *(int(i == j) for j in range(n))] for i in range(n)]
        for c in range(n):
            pivot = self._pivot(table, c)
            scale = self.invert(table[pivot][c])
            table[c], table[pivot] = table[pivot], table[c]
            lead = table[c] = [x * scale % m for x in table[c]]
            for r in range(n):
                factor = table[r][c]
                if r != c and factor:
                    table[r] = [(x - factor * y) % m for x, y in zip(table[r], lead, strict=True)]
        return [x for row in table for x in row[n:]]

    def _pivot(self, table: list[list[int]], c: int) -> int:
        for r in range(c, len(table)):
            if gcd(table[r][c], self.modulus) == 1:
                return r
        raise BadPoint("a singular matrix")

    def determinant(self, rows: Sequence[int], n: int) -> int:
        m = self.modulus
        table = [list(rows[i * n : i * n + n]) for i in range(n)]
        value = 1
        for c in range(n):
            try:
                pivot = self._pivot(table, c)
            except BadPoint:
                if all(row[c] % m == 0 for row in table[c:]):
                    return 0
                raise
            if pivot != c:
                table[c], table[pivot] = table[pivot], table[c]
                value = -value
            lead = table[c]
            value = value * lead[c] % m
            scale = self.invert(lead[c])
            for r in range(c + 1, n):
                factor = table[r][c] * scale % m
                if factor:
                    table[r] = [(x - factor * y) % m for x, y in zip(table[r], lead, strict=True)]
        return value % m

    # ---- atoms

    def pairs(self, x: Array) -> list[Pair]:
        m = self.modulus
        if 1 not in x.parts:
            return [(a % m, 0) for a in x.parts[0]]
        return [(a % m, b % m) for a, b in zip(x.parts[0], x.parts[1], strict=True)]

    def from_pairs(self, x: Array, values: Sequence[Pair], top: int = 2, bottom: int = 0) -> Array:
        """Random numbers as the values of a function at x: of their own degree, whatever that of x was."""
        self.distinguish(x)
        parts: dict[int, Sequence[int]] = {0: [a for a, _ in values]}
        if any(b for _, b in values):
            parts[1] = [b for _, b in values]
        return Array(x.shape, parts, top, bottom, x.literal)

    def distinguish(self, x: Array) -> None:
        """Count the chance that two different arguments of functions are equal at this point."""
        degree = x.top + x.bottom
        self.highest = max(self.highest, degree)
        self.arguments += x.size
        self.collisions += x.size * self.arguments * (degree + self.highest)

    def atoms(self, tag: str, x: Array, parity: str = "") -> Array:
        """A random number for each argument, the same for the same tag and argument; odd or even where that is said."""
        if not parity:
            return self.from_pairs(x, [(self.atom(tag, z), 0) for z in self.pairs(x)])
        return self.from_pairs(x, [(self._atom_of_parity(tag, z, parity), 0) for z in self.pairs(x)])

    def _atom_of_parity(self, tag: str, z: Pair, parity: str) -> int:
        mirrored = (-z[0] % self.modulus, -z[1] % self.modulus)
        if parity == "odd" and mirrored == z:
            return 0
        sign = -1 if parity == "odd" and mirrored < z else 1
        return sign * self.atom(tag, min(z, mirrored)) % self.modulus

    def atom(self, tag: str, key: Any) -> int:
        value = self.memo.get((tag, key))
        if value is None:
            value = self.memo[tag, key] = self.draw()
        return value

    def components(self, x: int) -> list[int]:
        return [x % p for p in self.primes]

    def joined(self, residues: Sequence[int]) -> int:
        return sum(map(mul, residues, self.idempotents)) % self.modulus

    def exponential(self, x: Array) -> Array:
        self.used_relations = True
        return self.from_pairs(x, [self._exponential(z) for z in self.pairs(x)])

    def _exponential(self, z: Pair) -> Pair:
        if z == (0, 0):
            return 1, 0
        value = self.memo.get(("exponential", z))
        if value is None:
            value = self._beside_logarithm(z)
            if value is None and not self.related:
                value, reciprocal = self._square()
            else:
                value = value or self._homomorphic(z)
                reciprocal = self.invert(value)
            opposite = (-z[0] % self.modulus, -z[1] % self.modulus)
            self.memo["exponential", z], self.memo["exponential", opposite] = value, reciprocal
            if not z[1]:
                self.exponents[value], self.exponents[reciprocal] = z[0], opposite[0]
        return value, 0

    def _square(self) -> Pair:
        """A random square and its reciprocal; drawn several at a time, with one division."""
        if not self.squares:
            drawn = [self.draw() ** 2 % self.modulus for _ in range(_BATCH)]
            self.squares = list(zip(drawn, self.invert_all(drawn), strict=True))
        return self.squares.pop()

    def _point(self) -> Pair:
        """A random point (sine, cosine) of the unit circle; drawn several at a time, with one division."""
        if not self.points:
            m = self.modulus
            drawn = [self.draw() for _ in range(_BATCH)]
            scales = self.invert_all([(1 + t * t) % m for t in drawn])
            self.points = [(2 * t * s % m, (1 - t * t) * s % m) for t, s in zip(drawn, scales, strict=True)]
        return self.points.pop()

    def _beside_logarithm(self, z: Pair) -> int | None:
        """exp(y + log x) = x exp(y) and exp(y − log x) = exp(y)/x, where exp(y) is known."""
        m = self.modulus
        for log, x in self.logarithms:
            above, below = (z[0] + log) % m, (z[0] - log) % m
            if below == 0 and not z[1]:
                return x
            known = self.memo.get(("exponential", (below, z[1])))
            if known is not None:
                return known * x % m
            known = self.memo.get(("exponential", (above, z[1])))
            if known is not None:
                return known * self.invert(x) % m
        return None

    def _homomorphic(self, z: Pair) -> int:
        """g^(real part) h^(imaginary part) in each component, exponents from the next one of the chain."""
        real, imaginary = self.components(z[0]), self.components(z[1])
        out = []
        for k, p in enumerate(self.set.primes):
            value = pow(self.set.generators[k], real[k + 1], p)
            if imaginary[k + 1]:
                value = value * pow(self.set.imaginary[k], imaginary[k + 1], p) % p
            out.append(value)
        helper = self.set.helper
        last = (real[-1], imaginary[-1])
        value = self.memo.get(("helper", last))
        if value is None:
            value = self.memo["helper", last] = self.random.randrange(1, helper)
            self.memo["helper", (-last[0] % helper, -last[1] % helper)] = pow(value, -1, helper)
        return self.joined([*out, value])

    def circle(self, x: Array, sine: bool) -> Array:
        """A point of the unit circle for each argument: (cos, sin), even and odd."""
        self.used_relations = True
        return self.from_pairs(x, [self._circle(z, sine) for z in self.pairs(x)], 2 * x.size, 2 * x.size)

    def _circle(self, z: Pair, sine: bool) -> Pair:
        m = self.modulus
        if z == (0, 0):
            return (0, 0) if sine else (1, 0)
        if self.mode is Mode.ADDITIVE:
            up, down = self._exponential((-z[1] % m, z[0]))[0], self._exponential((z[1], -z[0] % m))[0]
            half = (m + 1) // 2
            return (0, (down - up) * half % m) if sine else ((up + down) * half % m, 0)
        opposite = (-z[0] % m, -z[1] % m)
        key, flip = (z, 1) if z <= opposite else (opposite, -1)
        point = self.memo.get(("circle", key))
        if point is None:
            point = self.memo["circle", key] = self._point()
        return (flip * point[0] % m, 0) if sine else (point[1], 0)

    def logarithm(self, x: Array) -> Array:
        self.used_relations = True
        return self.from_pairs(x, [self._logarithm(z) for z in self.pairs(x)])

    def _logarithm(self, z: Pair) -> Pair:
        if z == (1, 0):
            return 0, 0
        known = None if z[1] else self.exponents.get(z[0])
        if known is not None:
            return known, 0
        value = self.memo.get(("logarithm", z))
        if value is None:
            value = self.memo["logarithm", z] = self.draw()
            if not z[1]:
                self.logarithms.append((value, z[0]))
                if self.related:
                    self.memo["logarithm", (self.invert(z[0]), 0)] = -value % self.modulus
        return value, 0

    # ---- roots

    def root(self, x: Array, exponent: Fraction) -> Array:
        """x to a power that is no whole number, by roots modulo each prime."""
        self.used_relations = True
        odd, halvings = exponent.denominator, 0
        while odd % 2 == 0:
            odd, halvings = odd // 2, halvings + 1
        values = [self._root(z, exponent.numerator, odd, halvings) for z in self.pairs(x)]
        degree = (x.top + x.bottom + 1) * max(1, abs(exponent.numerator))
        return self.from_pairs(x, values, degree, degree)

    def _root(self, z: Pair, numerator: int, odd: int, halvings: int) -> Pair:
        key = ("root", z, numerator, odd, halvings)
        value = self.memo.get(key)
        if value is None:
            value = z
            for _ in range(halvings):
                value = self._square_root(value)
            if odd > 1:
                value = self._odd_root(value, odd)
            value = self.memo[key] = self._raised(value, numerator)
        return value

    def _raised(self, z: Pair, exponent: int) -> Pair:
        m = self.modulus
        if not z[1]:
            try:
                return pow(z[0], exponent, m), 0
            except ValueError:
                raise BadPoint("a division by zero") from None
        if exponent < 0:
            norm = self.invert(z[0] * z[0] + z[1] * z[1])
            z, exponent = (z[0] * norm % m, -z[1] * norm % m), -exponent
        return reduce(lambda a, b: ((a[0] * b[0] - a[1] * b[1]) % m, (a[0] * b[1] + a[1] * b[0]) % m), [z] * exponent)

    def _square_root(self, z: Pair) -> Pair:
        real: list[int] = []
        imaginary: list[int] = []
        for p in self.primes:
            a, b = _root_modulo(z[0] % p, z[1] % p, p)
            real.append(a)
            imaginary.append(b)
        return self.joined(real), self.joined(imaginary)

    def _odd_root(self, z: Pair, odd: int) -> Pair:
        if z[1]:
            raise NotExact("an odd root of a square root")
        residues = []
        for p in self.primes:
            if gcd(odd, p - 1) != 1:
                raise NotExact(f"a root of order {odd}")
            residues.append(pow(z[0] % p, pow(odd, -1, p - 1), p))
        return self.joined(residues), 0

    # ---- masks

    def greater(self, x: Array) -> Array:
        """1 where x > 0: a random 0 or 1 modulo each prime, opposite for opposite arguments."""
        self.used_relations = True
        self.distinguish(x)
        return Array(x.shape, {0: [self._positive(z) for z in self.pairs(x)]})

    def _positive(self, z: Pair) -> int:
        if not z[1] and (z[0] < _SMALL or self.modulus - z[0] < _SMALL):
            return int(0 < z[0] < _SMALL)
        value = self.memo.get(("mask", z))
        if value is None:
            self.masks += 1
            if self.mode is Mode.MULTIPLICATIVE:
                bits = [self._character(a, b, p) for a, b, p in zip(*map(self.components, z), self.primes, strict=True)]
            elif self.mode is Mode.PLAIN:
                pattern = self.random.randrange(1, (1 << len(self.primes)) - 1)  # both signs occur
                bits = [pattern >> k & 1 for k in range(len(self.primes))]
            else:
                bits = [self.random.getrandbits(1)] * len(self.primes)
            value = self._set_positive(z, self.joined(bits))
        return value

    def _character(self, a: int, b: int, p: int) -> int:
        """Whether a + b i counts as positive modulo p: the quadratic character of its scale, at random by its argument.

        The character cannot be extended to i so that it stays ±1 and multiplicative; real factors are respected.
        """
        if not a:
            a, b = b, 0
        positive = int(pow(a, p >> 1, p) == 1)
        if not b:
            return positive
        key = ("argument", p, b * pow(a, -1, p) % p)
        flip = self.memo.get(key)
        if flip is None:
            flip = self.memo[key] = self.random.getrandbits(1)
        return positive ^ flip

    def _set_positive(self, z: Pair, value: int) -> int:
        m = self.modulus
        self.memo["mask", z] = value
        self.memo["mask", (-z[0] % m, -z[1] % m)] = (1 - value) % m
        if not z[1] and value not in (0, 1):
            # The positive part of z is positive just where z is, the negative part nowhere.
            above, below = value * z[0] % m, (1 - value) * z[0] % m
            for part, sign in ((above, value), (-above % m, 0), (below, 0), (-below % m, (1 - value) % m)):
                self.memo.setdefault(("mask", (part, 0)), sign)
        return value

    def nonzero(self, x: Array) -> Array:
        """1 where x is not 0, modulo each prime."""
        flat = [
            1 if gcd(a, self.modulus) == 1 else self.joined([int(r != 0) for r in self.components(a)])
            for a, _ in self.pairs(x)
        ]
        self.distinguish(x)
        return Array(x.shape, {0: flat})

    def largest(self, x: Array, groups: Sequence[Sequence[int]], smallest: bool) -> Array:
        """A single 1 in each group, at a random place; the same for the same entries up to a common shift."""
        self.used_relations = True
        entries = self.pairs(x)
        out = [0] * len(entries)
        for group in groups:
            places = self._extreme(tuple(entries[k] for k in group), -1 if smallest else 1)
            for place, idempotent in zip(places, self.idempotents, strict=True):
                out[group[place]] += idempotent
        self.distinguish(x)
        return Array(x.shape, {0: [e % self.modulus for e in out]})

    def _extreme(self, group: tuple[Pair, ...], sign: int) -> list[int]:
        m = self.modulus
        first = group[0]
        key = tuple((sign * (a - first[0]) % m, sign * (b - first[1]) % m) for a, b in group)
        places = self.memo.get(("largest", key))
        if places is None:
            self.masks += 1
            if self.mode is not Mode.ADDITIVE:
                places = [self.random.randrange(len(group)) for _ in self.primes]
            else:
                place = self.random.randrange(len(group))
                places = [place] * len(self.primes)
                best = key[place]
                for other in key:  # the extreme is the extreme for comparisons too
                    z = ((best[0] - other[0]) % m, (best[1] - other[1]) % m)
                    if z != (0, 0) and ("mask", z) not in self.memo:
                        self._set_positive(z, 1)
            self.memo["largest", key] = places
        return places

    def circle_constant(self) -> Array:
        return Array((), {0: [self.atom("constant", "pi")]}, 1, 0, True)

    def zero(self, x: int) -> bool:
        """Whether a number vanishes modulo the four primes (the helper prime of `related` does not count)."""
        return x % self.set.modulus == 0

    def one(self) -> Array:
        return constant(self, 1, literal=True)


def _root_modulo(a: int, b: int, p: int) -> Pair:
    """A square root of a + b i modulo a prime that is 3 modulo 4. The root of a residue is a residue itself."""
    exponent = (p + 1) >> 2
    if not b:
        root = pow(a, exponent, p)
        return (root, 0) if root * root % p == a else (0, root)
    norm = (a * a + b * b) % p
    length = pow(norm, exponent, p)
    if length * length % p != norm:
        raise NoRoot("a number without a root")
    half = (p + 1) >> 1
    square = (a + length) * half % p
    root = pow(square, exponent, p)
    if root * root % p != square:
        square = (a - length) * half % p
        root = pow(square, exponent, p)
    return root, b * pow(2 * root, -1, p) % p
