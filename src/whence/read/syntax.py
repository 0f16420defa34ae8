"""The syntax tree: what a person wrote, with positions, before any meaning is given to it.

Every formula in whence, typed or printed, is one of these nodes. They are immutable and compare by
content; `span` (where the text stood) is left out of comparison and hashing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple


class Span(NamedTuple):
    """Where a node stood: line and column count from 1 (code points), `end` is the column after its last."""

    line: int = 0
    column: int = 0
    end_line: int = 0
    end: int = 0


NOWHERE = Span()


@dataclass(frozen=True, slots=True)
class Number:
    """A literal. `text` keeps how it was typed, so that 0.044715 is printed as it came."""

    value: Fraction
    text: str = field(default="", compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    id: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is one of + - * / @ **."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`operator` is one of < <= > >= == !=; the value is 0 or 1, entry by entry."""

    operator: str
    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Transpose:
    """`X.T`, or `X.mT` (the last two axes) where `batched`."""

    operand: Expr
    batched: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A known or unknown function applied: `name` is canonical (`g`, `g_prime`, `sum`)."""

    name: str
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Index:
    """`X[i, j]`, `X[i, :]`, `X[0:k, :]`."""

    operand: Expr
    places: tuple[Expr | Range, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    low: Expr | None = None
    high: Expr | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Tuple:
    """Only as an argument: `axis=(0, 1)`, `transpose(X, (0, 2, 1))`."""

    items: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """Only as an argument: the letters of einsum."""

    value: str
    span: Span = field(default=NOWHERE, compare=False)


Expr = Number | Name | Negative | Binary | Compare | Transpose | Call | Index | Tuple | Text


@dataclass(frozen=True, slots=True)
class Statement:
    """One line `target = expression`. `text` is the line as typed."""

    target: str
    expression: Expr
    line: int = 0
    text: str = field(default="", compare=False)


# Sizes of a declared variable: () a scalar, ("n", 1) a column, (1, "m") a row, ("n", "m") a matrix,
# ("B", "T", "H*k") a tensor. A size is a positive int or the text of a dimension expression.
Shape = tuple[int | str, ...]


def symbols_of(shape: Shape) -> list[str]:
    """The size symbols of a shape, in order.

    >>> symbols_of(("B", "H*k"))
    ['B', 'H', 'k']
    """
    return [word for size in shape if isinstance(size, str) for word in re.findall(r"[A-Za-z][A-Za-z0-9_]*", size)]


@dataclass(frozen=True, slots=True)
class Function:
    """A function the model itself defines in one line: `swish(z) = z*sigmoid(z)`."""

    name: str
    parameter: str
    body: Expr
    line: int = 0


@dataclass(frozen=True)
class Model:
    """What was read: declarations and statements in order. Shapes that were not declared are not here."""

    statements: tuple[Statement, ...]
    shapes: dict[str, Shape] = field(default_factory=dict)
    assumptions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()  # unknown elementwise functions
    defined: dict[str, Function] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # how the text was read, for the read-back
    declared_at: dict[str, int] = field(default_factory=dict)  # line of each shape declaration
    assumed_at: dict[str, Span] = field(default_factory=dict, compare=False)  # where the text assumes something
    soft: frozenset[Span] = field(default=frozenset(), compare=False)  # matrix products typed without a sign
    source: str = field(default="", compare=False)

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(s.target for s in self.statements)
