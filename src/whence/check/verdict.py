"""What is said of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from whence.check.factor import Factor
from whence.messages.mistakes import LINE_SENTENCES
from whence.verify.claim import Witness

EQUIVALENT, UP_TO_FACTOR = "equivalent", "right up to a factor"
SHAPE_ERROR, WRONG, UNDECIDED = "shape error", "wrong", "cannot decide"
CIRCULAR, NOT_JUDGED = "circular", "not judged"


@dataclass(frozen=True)
class Verdict:
    """The verdict of one answer, with what the mistake is, how it is repaired, and what vouches for the verdict.

    `repair` is the person's formula with the smallest change that makes it right; `hint` does not give it away.
    """

    verdict: str
    diagnosis: str = ""
    detail: str = ""
    hint: str = ""
    repair: str = ""
    factor: Factor | None = None
    witness: Witness | None = None
    convention: str = "exact"  # "course": right for the loss before it is averaged
    certificate: str = ""  # how the verdict was found
    read_as: str = ""
    also: tuple[str, ...] = ()  # diagnoses of further mistakes in the same answer
    lines: tuple[LineVerdict, ...] = ()
    notes: tuple[str, ...] = ()  # how the text was read, where something had to be decided

    @property
    def right(self) -> bool:
        """Is the answer right, in one of the conventions?"""
        course = self.verdict == UP_TO_FACTOR and self.convention == "course"
        return self.verdict == EQUIVALENT or (course and not self.lines)

    def to_json(self) -> dict[str, Any]:
        """The fields of one line of a batch."""
        out: dict[str, Any] = {"verdict": self.verdict}
        if self.factor is not None:
            out["factor"] = number_or_text(self.factor)
        for name in ("diagnosis", "detail", "hint", "repair", "certificate", "read_as"):
            if getattr(self, name):
                out[name] = getattr(self, name)
        for name in ("also", "notes"):
            if getattr(self, name):
                out[name] = list(getattr(self, name))
        if self.convention != "exact":
            out["convention"] = self.convention
        if self.witness is not None:
            out["witness"] = witness_json(self.witness)
        if self.lines:
            out["lines"] = [line.to_json() for line in self.lines]
        return out

    def __str__(self) -> str:
        text = self.verdict
        if self.factor is not None:
            text += f" ({self.factor.text()})"
        return f"{text}: {self.detail}" if self.detail else text


@dataclass(frozen=True)
class LineVerdict:
    """One line of a derivation: against the true derivative, and given the lines before it."""

    line: str
    own: Verdict
    given: str
    given_factor: Factor | None = None
    follows: bool = False  # right given the lines before, or but for the course's factor
    name: str = ""  # what its left side says
    of: str = ""  # the name whose gradient it gives; empty for a name of the person's own
    rests_on: tuple[int, ...] = ()  # the earlier lines it uses, through names of the person's own too
    right: bool = False  # in one of the conventions that are allowed
    inherits: bool = False  # wrong only because of a line that it rests on

    def __str__(self) -> str:
        if self.right:
            factor = self.own.factor
            return LINE_SENTENCES["course"].format(factor=factor.text()) if factor else LINE_SENTENCES["right"]
        return LINE_SENTENCES["follows"] if self.inherits else str(self.own)

    def to_json(self) -> dict[str, Any]:
        out = {"line": self.line, **self.own.to_json(), "given_earlier_lines": self.given, "right": self.right}
        if self.own.factor is not None:
            out["factor"] = self.own.factor.text()
        if self.given_factor is not None:
            out["given_factor"] = self.given_factor.text()
        return out


@dataclass(frozen=True)
class Equality:
    """Whether two formulas are equal. It prints as `equal`, `not equal` or `cannot decide`."""

    outcome: str
    certificate: str = ""
    witness: Witness | None = field(default=None)

    def __str__(self) -> str:
        return self.outcome

    def __bool__(self) -> bool:
        return self.outcome == "equal"


def number_or_text(factor: Factor) -> float | int | str:
    """A number where the factor is one, else its text."""
    if not factor.is_number:
        return factor.text()
    number: Fraction = factor.number
    return number.numerator if number.denominator == 1 else float(number)


def witness_json(witness: Witness) -> dict[str, Any]:
    return {
        "sizes": witness.sizes,
        "entry": witness.entry,
        "right": witness.true,
        "yours": witness.claimed,
        "inputs": {name: list(values) for name, values in witness.inputs.items()},
    }
