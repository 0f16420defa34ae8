"""What is claimed, and what a check of it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod

from whence.read.syntax import Expr, Function, Shape


@dataclass(frozen=True)
class Claim:
    """That `answer` is the derivative of `expression` by the names in `wrt`.

    Sizes are whole numbers or dimension texts. `wrt` names inputs or definitions (then the total derivative by that
    intermediate). `adjoints` lists, in order, the names the answer may use: name -> (of, formula); each formula may use
    earlier ones and is itself checked first as the derivative of `expression` by `of`.
    """

    variables: dict[str, Shape]
    assume: dict[str, tuple[str, ...]]
    functions: tuple[str, ...]
    definitions: tuple[tuple[str, Expr], ...]
    expression: Expr
    wrt: tuple[str, ...]
    answer: Expr
    adjoints: dict[str, tuple[str, Expr]] = field(default_factory=dict)
    layout: str = "matrix"
    structured: bool = False
    defined: Mapping[str, Function] = field(default_factory=dict)  # functions that the model defines in one line


@dataclass(frozen=True)
class Witness:
    """Where a wrong answer differs: the sizes, the entry of the value's change, what it is and what was claimed."""

    sizes: dict[str, int]
    entry: int
    true: str
    claimed: str
    inputs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    adjoint: str = ""  # the adjoint whose formula is wrong; empty: the answer


@dataclass(frozen=True)
class Check:
    """The outcome. `exact`: exact arithmetic and values agree (or exact arithmetic alone, for a rational claim).

    The chance that a wrong answer passed the exact check at these sizes is below 2**bound_log2. `digits`: how far the
    answer agrees with difference quotients of the values, None where that check was not made.
    """

    ok: bool
    exact: bool = False
    sizes: dict[str, int] = field(default_factory=dict)
    primes: int = 0
    bound_log2: int = 0
    digits: int | None = None
    reason: str = ""
    witness: Witness | None = None
    redraws: int = 0


def canonical_shape(value: tuple[int, ...], variables: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of a derivative in the table of layouts.

    >>> canonical_shape((), [(3, 4)]), canonical_shape((2, 1), [(3, 4)]), canonical_shape((1, 5), [()])
    ((3, 4), (2, 3, 4), (1, 5))
    """
    blocks = [b for b in (value, *variables) if prod(b) > 1]
    if len(blocks) < 2:
        return blocks[0] if blocks else ()
    return tuple(n for b in blocks for n in b if n > 1)


def vec_shape(value: tuple[int, ...], variables: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape of d vec(value, first variable) / d vec(last variable).T."""
    return prod(value) * prod(map(prod, variables[:-1])), prod(variables[-1])


def same_shape(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Shapes must match exactly; a 1 x 1 is a number, and beyond rank 2 axes of length 1 do not count."""
    if prod(found) == prod(wanted) == 1 or found == wanted:
        return True
    if max(len(found), len(wanted)) < 3:
        return False
    return tuple(n for n in found if n != 1) == tuple(n for n in wanted if n != 1)
