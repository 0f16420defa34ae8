"""A witness that a formula is not the derivative: small rational inputs at which a difference quotient disagrees.

It rests on the values of the forward text alone: it uses neither the arithmetic of the exact check nor any
differential.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from itertools import islice, product
from random import Random

from whence.verify.algebra import Array
from whence.verify.claim import Claim, Witness
from whence.verify.draw import NumericEntries, draw, small_enough
from whence.verify.failures import BadPoint, BadSizes, Failure, OutOfDomain
from whence.verify.judge import contracted, projected, quotient, run_forward
from whence.verify.numeric import ARITHMETIC_ERRORS, FINE, NumericRing
from whence.verify.plan import Plan, finish, prepare
from whence.verify.sizes import choices

POINTS = 12
SIZES = 4
_QUARTER = Decimal("0.25")


class SmallEntries(NumericEntries):
    """Quarters of small whole numbers, none of them 0; with kinks about, numbers that hit none of them."""

    def __init__(self, random: Random, attempt: int, kinks: bool) -> None:
        super().__init__(random, attempt)
        self.unit_size = Decimal("0.0001") if kinks else _QUARTER
        self.count = 17500 if kinks else 7

    def any(self) -> Decimal:
        value = self.positive()
        return value if self.low == 0 or self.random.getrandbits(1) else -value

    nonzero = any

    def positive(self) -> Decimal:
        return Decimal(self.random.randrange(1, self.count)) * self.unit_size

    def unit(self) -> Decimal:
        return Decimal(self.random.randrange(1, 8)) / 8 if self.count == 7 else self.positive() / 2


def witness(claim: Claim, random: Random, sizes: Mapping[str, int] | None = None) -> Witness | None:
    """Inputs at which the answer of a first or second order claim is not the derivative, or None where none was found.

    The same generator gives the same witness.
    """
    chosen = islice(choices(claim.variables.values()), SIZES) if sizes is None else [dict(sizes)]
    for here in chosen:
        try:
            plan, compiler = prepare(claim, here)
            finish(plan, compiler, claim)
        except BadSizes:
            continue
        except Failure:
            return None
        for attempt in range(POINTS):
            try:
                with localcontext(FINE[len(claim.wrt)].context()):
                    found = _difference(claim, plan, random, attempt)
            except (BadPoint, *ARITHMETIC_ERRORS):
                continue
            except BadSizes:
                break
            except Failure:
                return None
            if found is not None:
                return found
    return None


def _difference(claim: Claim, plan: Plan, random: Random, attempt: int) -> Witness | None:
    precision = FINE[len(claim.wrt)]
    ring = NumericRing(random, precision.digits)
    entries = SmallEntries(random, attempt, plan.program.masked)
    rest: list[Array | None] = [None] * len(plan.program.code)
    for k, (name, shape) in enumerate(plan.shapes.items()):
        rest[k] = draw(ring, entries, shape, claim.assume.get(name, ()))
    run_forward(plan, ring, rest, range(len(plan.shapes), plan.forward))
    value = rest[plan.result]
    assert value is not None
    small_enough(value)
    try:
        plan.program.run(ring, rest, range(plan.forward, len(plan.program.code)))
    except OutOfDomain:
        return None
    part = plan.parts[-1]
    formula = rest[part.formula]
    shapes = [rest[t] for t in part.by]
    assert formula is not None and all(s is not None for s in shapes)
    for place, entries_at in enumerate(product(*(range(s.size) for s in shapes if s is not None))):
        directions = [_unit(s, k) for s, k in zip(shapes, entries_at, strict=True) if s is not None]
        moves = [
            projected(ring, d, structure, x)
            for d, structure, x in zip(directions, part.structures, shapes, strict=True)
            if x is not None
        ]
        claimed = contracted(ring, part, formula, value.shape, directions).parts[0]
        true = quotient(plan, part.by, ring, rest, moves, precision.step, len(claim.wrt))
        scale = max((*(abs(v) for v in (*claimed, *true)), Decimal("1e-6")))
        errors = [abs(a - b) for a, b in zip(true, claimed, strict=True)]
        worst = max(range(len(errors)), key=lambda k: errors[k])
        if errors[worst] > scale * Decimal(10) ** -(precision.wanted // 2):
            inputs = {n: tuple(_text(v) for v in rest[k].parts[0]) for k, n in enumerate(plan.shapes)}  # type: ignore[union-attr]  # the inputs are filled
            return Witness(plan.sizes, place, f"{true[worst]:.12g}", f"{claimed[worst]:.12g}", inputs)
    return None


def _unit(x: Array, place: int) -> Array:
    return Array(x.shape, {0: [Decimal(int(k == place)) for k in range(x.size)]})


def _text(value: Decimal) -> str:
    text = f"{value:.12g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
