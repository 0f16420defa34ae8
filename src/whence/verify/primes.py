"""Four fresh random primes, chained so that an exponential can be a true homomorphism.

With primes p₁ > p₂ > p₃ > p₄ > q such that each divides the one before less 1, the map x ↦ gᵏ mod pₖ with k = x mod pₖ₊₁
turns sums into products: exp(a + b) = exp(a)·exp(b) holds modulo p₁ … p₄ for arguments known modulo p₂ … q. All pₖ are 7
modulo 8, so −1 is no square (i = √−1 extends the field) and 2 is one.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from math import gcd, prod
from random import Random

_SMALL = prod(n for n in range(3, 400, 2) if all(n % k for k in range(3, int(n**0.5) + 1, 2)))
_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
_COUNT = 4
_HELPER_BITS = 52
_USES = 32  # checks that share one set of primes, unless the caller brings the randomness


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
    """The primes of one check, the helper prime last, and what is computed from them once."""

    primes: tuple[int, ...]
    helper: int
    generators: tuple[int, ...]  # of order: the next prime of the chain
    imaginary: tuple[int, ...]  # a second element of that order, for the exponential of i
    modulus: int
    idempotents: tuple[int, ...]  # 1 modulo one prime, 0 modulo the others
    wide: int  # modulus * helper
    wide_idempotents: tuple[int, ...]


def _coefficients(primes: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    modulus = prod(primes)
    return modulus, tuple(modulus // p * pow(modulus // p, -1, p) for p in primes)


def _next(smaller: int, random: Random) -> int | None:
    """A prime 2·c·smaller + 1 that is 7 modulo 8, c free of 3, 5 and 7 (so that such roots are unique)."""
    start = random.randrange(256, 1024)
    start += (3 * pow(smaller, -1, 4) - start) % 4
    for c in range(start, start + 800, 4):
        candidate = 2 * c * smaller + 1
        if gcd(c, 105) == 1 and is_prime(candidate):
            return candidate
    return None


def _of_order(order: int, prime: int, random: Random) -> int:
    while True:
        g = pow(random.randrange(2, prime - 1), (prime - 1) // order, prime)
        if g != 1:
            return g


def draw_primes(random: Random) -> PrimeSet:
    """A fresh set of primes from the given randomness."""
    while True:
        helper = random.getrandbits(_HELPER_BITS) | (3 << (_HELPER_BITS - 2)) | 1
        if not is_prime(helper):
            continue
        chain = [helper]
        while len(chain) <= _COUNT:
            larger = _next(chain[-1], random)
            if larger is None:
                break
            chain.append(larger)
        if len(chain) > _COUNT and chain[1] > 1 << 61:
            break
    primes = tuple(reversed(chain[1:]))
    orders = primes[1:] + (helper,)
    modulus, idempotents = _coefficients(primes)
    wide, wide_idempotents = _coefficients((*primes, helper))
    return PrimeSet(
        primes,
        helper,
        tuple(_of_order(q, p, random) for p, q in zip(primes, orders, strict=True)),
        tuple(_of_order(q, p, random) for p, q in zip(primes, orders, strict=True)),
        modulus,
        idempotents,
        wide,
        wide_idempotents,
    )


class _Pool:
    """The primes of the process: nobody can foresee them, and they are replaced every few checks."""

    def __init__(self) -> None:
        self.held: PrimeSet | None = None
        self.left = 0

    def take(self) -> PrimeSet:
        held = self.held
        if held is None or self.left <= 0:
            held = self.held = draw_primes(Random(secrets.randbits(256)))
            self.left = _USES
        self.left -= 1
        return held


_POOL = _Pool()


def fresh_primes() -> PrimeSet:
    """Primes from the randomness of the operating system."""
    return _POOL.take()
