"""One random point of a prime field, at which thousands of formulas are compared in little time.

Agreement here is a hint, never a verdict: what is said is decided by `verify/`. The primes and the point are always
the same, so that the same question takes the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from random import Random

from whence.read.syntax import Expr
from whence.verify.algebra import Array
from whence.verify.claim import Claim, same_shape
from whence.verify.draw import ExactEntries, draw
from whence.verify.exact import ExactRing
from whence.verify.failures import BadPoint, Failure
from whence.verify.judge import run_forward
from whence.verify.plan import prepare
from whence.verify.primes import PrimeSet, draw_primes
from whence.verify.sizes import choices

REDRAWS = 24
CHOICES = 40
_COPIES = 1_000_003  # the randomness of a copy: that of no point
Values = tuple[int, ...]


class NoPoint(Exception):
    """The forward text has no value in the field: an exotic function, or no sizes that fit."""


@lru_cache(1)
def _primes() -> PrimeSet:
    first, second = draw_primes(Random("whence: the primes of the search")).primes[:2]
    modulus = first * second
    idempotents = (second * pow(second, -1, first), first * pow(first, -1, second))
    return PrimeSet((first, second), modulus, idempotents)


class Point:
    """The names of a problem at one point. `value` gives that of any formula over them, None where it has none."""

    def __init__(
        self,
        claim: Claim,
        seed: int = 0,
        sizes: Mapping[str, int] | None = None,
        skip: int = 0,
        fixed: Mapping[str, Array] | None = None,
    ) -> None:
        """`skip`: how many choices of sizes to pass over; `fixed`: inputs that are not drawn."""
        self.fixed = fixed or {}
        last: Failure | None = None
        found = [dict(sizes)] if sizes is not None else _some(claim, skip)
        for chosen in found:
            try:
                self.plan, self.compiler = prepare(claim, chosen)
            except Failure as failure:
                last = failure
                continue
            for attempt in range(REDRAWS):
                try:
                    self._draw(claim, 1000 * seed + attempt, last_try=attempt == REDRAWS - 1)
                except BadPoint as failure:
                    last = failure
                    continue
                except Failure as failure:
                    last = failure
                    break
                self._ready(claim)
                return
        raise NoPoint(str(last))

    def _draw(self, claim: Claim, seed: int, last_try: bool) -> None:
        self.ring = ring = ExactRing(_primes(), Random(seed))
        registers: list[Array | None] = [None] * self.plan.forward
        entries = ExactEntries(ring)
        for k, (name, shape) in enumerate(self.plan.shapes.items()):
            registers[k] = self.fixed.get(name) or draw(ring, entries, shape, claim.assume.get(name, ()))
        run_forward(self.plan, ring, registers, range(len(self.plan.shapes), self.plan.forward))
        if not last_try and any(x is not None and 1 in x.parts for x in registers):
            raise BadPoint("a root that is no number of the field")
        self.registers = registers

    def _ready(self, claim: Claim) -> None:
        self.sizes = self.plan.sizes
        self.code = self.plan.program.code
        self.names = self.plan.program.names
        self.inputs = len(self.plan.shapes)
        self.work = 0  # entries computed so far
        for name, (_, formula) in claim.adjoints.items():
            self.bind(name, formula)
        self.compiler.seen = {}

    def copy(self) -> Point:
        """One with the same values; what is added to one is not in the other."""
        other = copy(self)
        other.compiler = self.compiler.copy()
        other.code, other.names = other.compiler.program.code, other.compiler.program.names
        other.registers = list(self.registers)
        other.ring = self.ring.copy(Random(_COPIES))
        other.work = 0
        return other

    def bind(self, name: str, formula: Expr) -> bool:
        """Let a name stand for a formula's value from now on; False where that has no value."""
        register = self._register(formula)
        if register is None:
            return False
        self.names[name] = register
        return True

    def value(self, formula: Expr) -> Array | None:
        """The formula's value, or None where it does not fit."""
        register = self._register(formula)
        return None if register is None else self.registers[register]

    def _register(self, formula: Expr) -> int | None:
        try:
            register = self.compiler.add(formula)
        except (Failure, RecursionError, ValueError, TypeError):
            register = None
        code, registers, ring = self.code, self.registers, self.ring
        for k in range(len(registers), len(code)):
            step, places = code[k]
            arguments = [registers[a] for a in places]
            value: Array | None = None
            if step is not None and None not in arguments:
                try:
                    value = step(ring, *arguments)
                    self.work += value.size
                except (Failure, ValueError, TypeError, IndexError):
                    value = None
            registers.append(value)
        return register if register is None or registers[register] is not None else None

    def scalars(self) -> dict[str, Array]:
        """The inputs that are single numbers."""
        return {
            n: x
            for n, k in self.names.items()
            if k < self.inputs and (x := self.registers[k]) is not None and x.size == 1
        }

    def values(self, x: Array) -> Values:
        """The entries, reduced; those with i in them behind the real ones."""
        m = self.ring.set.modulus
        real = [v % m for v in x.parts[0]]
        if 1 in x.parts:
            real += [v % m for v in x.parts[1]]
            if not any(real[len(x.parts[0]) :]):
                del real[len(x.parts[0]) :]
        return tuple(real)

    def same(self, x: Array | None, y: Array | None) -> bool:
        """Have both the same shape and the same entries?"""
        if x is None or y is None or not same_shape(x.shape, y.shape):
            return False
        return self.values(x) == self.values(y)


def _some(claim: Claim, skip: int) -> list[dict[str, int]]:
    """Choices of sizes: the plainest; for another point those in which the most symbols differ from them.

    There each size is larger by one first: of the same sizes in another order every product of all is the same.
    """
    found: list[dict[str, int]] = []
    for sizes in choices(claim.variables.values()):
        found.append(sizes)
        if len(found) == (CHOICES if skip else 4):
            break
    if not skip or not found:
        return found
    first = found[0]
    others = sorted(found, key=lambda sizes: sum(sizes[n] == first[n] for n in first))[:4]
    return [{n: size + 1 for n, size in others[0].items()}, *others]
