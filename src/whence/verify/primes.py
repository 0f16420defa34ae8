"""Four fresh random primes; where asked for, chained so that an exponential can be a true homomorphism.

With primes p₁ > p₂ > p₃ > p₄ > q such that each divides the one before less 1, the map x ↦ gᵏ mod pⱼ with
k = x mod pⱼ₊₁ turns sums into products: exp(a + b) = exp(a)·exp(b) holds modulo p₁ … p₄ for arguments known modulo
p₂ … q. All primes are 3 modulo 4, so −1 is no square and i = √−1 extends the field; modulo those of a chain
2, 3, 5, 7, 11 and 13 are squares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd, prod
from random import Random, SystemRandom

_SMALL = prod(n for n in range(3, 400, 2) if all(n % k for k in range(3, int(n**0.5) + 1, 2)))
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
_COUNT = 4
_BITS = 62
_HELPER_BITS = 48


def is_prime(n: int) -> bool:
    """Miller–Rabin with the first 13 primes as bases: certain below 3·10²⁴, beyond that for random n beyond doubt.

    >>> is_prime(2**61 - 1), is_prime(2**61 + 1)
    (True, False)
    """
    if n < 400:
        return n > 1 and all(n % k for k in range(2, int(n**0.5) + 1))
    if n % 2 == 0 or gcd(n, _SMALL) != 1:
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(n, base, odd, twos) for base in _BASES)


def _passes(n: int, base: int, odd: int, twos: int) -> bool:
    power = pow(base, odd, n)
    if power in (1, n - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % n
        if power == n - 1:
            return True
    return False


@dataclass(frozen=True)
class PrimeSet:
    """Four primes that are 3 modulo 4, their product, and the numbers that are 1 modulo one and 0 modulo the others."""

    primes: tuple[int, ...]
    modulus: int
    idempotents: tuple[int, ...]
    # Of a chain: the last prime, which takes no part in comparisons, and elements of the order of the next prime.
    helper: int = 0
    generators: tuple[int, ...] = ()
    imaginary: tuple[int, ...] = ()  # for the exponential of i


def _idempotents(primes: tuple[int, ...]) -> tuple[int, ...]:
    modulus = prod(primes)
    return tuple(modulus // p * pow(modulus // p, -1, p) for p in primes)


def draw_primes(random: Random) -> PrimeSet:
    """Four random primes of 62 bits."""
    found: list[int] = []
    while len(found) < _COUNT:
        candidate = random.getrandbits(_BITS) | (1 << (_BITS - 1)) | 3
        if candidate not in found and is_prime(candidate):
            found.append(candidate)
    primes = tuple(found)
    return PrimeSet(primes, prod(primes), _idempotents(primes))


# The residues that a prime may leave for the small primes to be squares modulo it (it is 7 modulo 8).
_SQUARES_NEED = {
    3: (2,),
    5: (1, 4),
    7: (3, 5, 6),
    11: (2, 6, 7, 8, 10),
    13: (1, 3, 4, 9, 10, 12),
}


def _next(smaller: int, random: Random) -> int | None:
    """A prime 2·c·smaller + 1 that is 7 modulo 8, with 2, 3, ... 13 squares modulo it and c free of 3, 5, 7."""
    start = random.randrange(4096, 16384)
    start += (3 * pow(smaller, -1, 4) - start) % 4
    for c in range(start, start + 60_000, 4):
        candidate = 2 * c * smaller + 1
        if _has_squares(candidate) and gcd(c, 105) == 1 and is_prime(candidate):
            return candidate
    return None


def _has_squares(prime: int) -> bool:
    return all(prime % q in allowed for q, allowed in _SQUARES_NEED.items())


def _of_order(order: int, prime: int, random: Random) -> int:
    while True:
        g = pow(random.randrange(2, prime - 1), (prime - 1) // order, prime)
        if g != 1:
            return g


def draw_chain(random: Random) -> PrimeSet:
    """Primes of which each divides the one before less 1."""
    chain: list[int] = []
    while len(chain) <= _COUNT or chain[1] < 1 << _BITS - 1:
        helper = random.getrandbits(_HELPER_BITS) | (3 << (_HELPER_BITS - 2)) | 7
        if not _has_squares(helper) or not is_prime(helper):
            continue
        chain = [helper]
        while len(chain) <= _COUNT:
            larger = _next(chain[-1], random)
            if larger is None:
                break
            chain.append(larger)
    primes = tuple(reversed(chain[1:]))
    pairs = list(zip(primes, (*primes[1:], chain[0]), strict=True))
    return PrimeSet(
        primes,
        prod(primes),
        _idempotents((*primes, chain[0])),
        chain[0],
        tuple(_of_order(order, p, random) for p, order in pairs),
        tuple(_of_order(order, p, random) for p, order in pairs),
    )


class _Pool:
    """The primes of the process: nobody can foresee them, and they are replaced every few checks."""

    def __init__(self, draw: Callable[[Random], PrimeSet], uses: int) -> None:
        self.draw = draw
        self.uses = uses
        self.held: tuple[PrimeSet, int] | None = None

    def take(self) -> PrimeSet:
        held = self.held
        primes, left = (
            held
            if held is not None and held[1] > 0
            else (self.draw(Random(SystemRandom().getrandbits(256))), self.uses)
        )
        self.held = primes, left - 1
        return primes


_PLAIN = _Pool(draw_primes, 16)
_CHAINED = _Pool(draw_chain, 256)


def fresh_primes(random: Random | None = None) -> PrimeSet:
    """Primes from the randomness of the operating system, or from the generator that is given."""
    return draw_primes(random) if random else _PLAIN.take()


def fresh_chain(random: Random | None = None) -> PrimeSet:
    """The same for a chain of primes."""
    return draw_chain(random) if random else _CHAINED.take()
