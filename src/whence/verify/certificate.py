"""The certificate of an answer: what it holds for, how far it is proved, what was checked, what it assumes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from whence.verify.claim import Check

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STATED_BOUND = -128
_STATED_DIGITS = 50


@dataclass(frozen=True)
class Certificate:
    """Four lines that go with every answer.

    >>> print(Certificate("J = sum(L)/m", "proved for all sizes", "4 random primes", "nothing").text())
    read as: J = sum(L)/m · derived: proved for all sizes · checked: 4 random primes · assumes: nothing
    """

    read_as: str
    derived: str
    checked: str
    assumes: str = "nothing"

    def lines(self) -> tuple[str, ...]:
        """The four lines, each with its label."""
        named = (
            ("read as", self.read_as),
            ("derived", self.derived),
            ("checked", self.checked),
            ("assumes", self.assumes),
        )
        return tuple(f"{label}: {text}" for label, text in named)

    def text(self) -> str:
        """The lines in one, with middle dots between them."""
        return " · ".join(self.lines())


def certificate(
    read_as: str, check: Check, *, proved: bool = False, replayed: bool = False, assumes: Iterable[str] = ()
) -> Certificate:
    """The certificate of a checked answer.

    `proved`: the canonical forms agree for all sizes; `replayed`: the recorded steps do, one by one. `assumes`: the
    conditions of the answer (invertible(X), X > 0) and the assumptions it was derived under.
    """
    if proved:
        derived = "proved for all sizes"
    elif replayed:
        derived = "proved for all sizes, step by step"
    else:
        derived = "not proved for all sizes"
    return Certificate(read_as, derived, checked_text(check), "; ".join(assumes) or "nothing")


def checked_text(check: Check) -> str:
    """What was checked, at which sizes, and how sure it is there.

    >>> checked_text(Check(True, True, {"n": 3, "m": 4}, 4, -230, 33))
    '4 random primes at n, m = 3, 4 (chance of error there < 2⁻¹²⁸) and at 50 digits by value'
    >>> checked_text(Check(True, False, {"n": 3}, digits=33, reason="by value only: ..."))
    'at 50 digits by value, at n = 3 (by value only: ...)'
    """
    if not check.ok:
        return f"not verified ({check.reason})"
    by_value = f"at {_STATED_DIGITS} digits by value"
    if not check.exact:
        return f"{by_value}{_at(check.sizes, ', at')}{f' ({check.reason})' if check.reason else ''}"
    bound = f"2{str(max(check.bound_log2, _STATED_BOUND)).translate(_RAISED)}"
    text = f"{check.primes} random primes{_at(check.sizes, ' at')} (chance of error there < {bound})"
    return text if check.digits is None else f"{text} and {by_value}"


def _at(sizes: Mapping[str, int], word: str) -> str:
    return f"{word} {', '.join(sizes)} = {', '.join(map(str, sizes.values()))}" if sizes else ""
