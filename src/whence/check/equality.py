"""Three outcomes, each with what vouches for it: equal, not equal, cannot decide."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from whence.check.point import Point
from whence.check.sizes import above_the_degree
from whence.check.verdict import Equality
from whence.read.canonical import to_text
from whence.read.syntax import Binary, Name
from whence.verify.certificate import checked_text
from whence.verify.claim import Check, Claim, Witness
from whence.verify.judge import check
from whence.verify.witness import witness

EQUAL, NOT_EQUAL, UNDECIDED = "equal", "not equal", "cannot decide"
TOO_LARGE = "more than"
_NUMBERS = ("t", "tau", "h")


def is_derivative(
    claim: Claim, likely: bool | None = None, point: Point | None = None
) -> tuple[str, Check | None, Witness | None]:
    """Whether the claim's answer is the derivative: the outcome, and the check or the witness that vouches for it.

    `likely` says what is expected, so that the shorter way is tried first; it changes no outcome. `point` is one of
    the claim, where there is one already.
    """
    if likely is not False:
        found = check(claim)
        if found.ok:
            return _above_the_degree(claim, found, point)
    seen = witness(claim, seeded(claim))
    if seen is not None:
        return NOT_EQUAL, None, seen
    if likely is False:
        found = check(claim)
        if found.ok:
            return _above_the_degree(claim, found, point)
    return UNDECIDED, None, None


def _above_the_degree(claim: Claim, found: Check, point: Point | None) -> tuple[str, Check | None, Witness | None]:
    """The same at sizes where the identities of small matrices have ended. What is too large there stays as found."""
    sizes = above_the_degree(claim, point)
    if sizes is None:
        return EQUAL, found, None
    again = check(claim, sizes=sizes)
    if again.ok:
        return EQUAL, again, None
    seen = witness(claim, seeded(claim), sizes)
    if seen is not None:
        return NOT_EQUAL, None, seen
    return (EQUAL, found, None) if again.reason.startswith(TOO_LARGE) else (UNDECIDED, None, None)


def seeded(claim: Claim) -> Random:
    """Randomness that is the same for the same question."""
    parts = [to_text(claim.expression), to_text(claim.answer), *claim.wrt, *claim.variables]
    return Random(hashlib.sha256("\n".join(parts).encode()).digest())


def are_equal(claim: Claim) -> Equality:
    """Whether `answer` and `expression` of a claim are equal for all inputs of the declared shapes.

    The question is put to the judge of derivatives: A = B just if B is the derivative of t A by the number t.
    """
    taken = {*claim.variables, *(name for name, _ in claim.definitions)}
    number = next(n for n in _letters() if n not in taken)
    scaled = replace(
        claim,
        variables={**claim.variables, number: ()},
        assume={**claim.assume, number: ("positive",)},
        expression=Binary("*", Name(number), claim.expression),
        wrt=(number,),
        adjoints={},
    )
    outcome, found, seen = is_derivative(scaled)
    if seen is not None:
        seen = replace(seen, inputs={n: v for n, v in seen.inputs.items() if n != number})
    return Equality(outcome, checked_text(found) if found is not None else "", seen)


def _letters() -> Iterator[str]:
    yield from _NUMBERS
    yield from (f"{_NUMBERS[0]}{k}" for k in range(1, 1000))
