"""The texts of the table's entries (`unicode`, `latex`): where their arguments stand, and what binds them.

A text such as `{X}⁻¹` or `\\sum_{{axis}} {X}` has slots for arguments. A slot inside brackets takes any formula, one
before a superscript only what can carry a superscript. How tightly the whole binds follows from what stands
outside its brackets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache


class Level(IntEnum):
    """How tightly a text binds, from loose to tight. LOOSE has no rank among the products: any of them brackets it."""

    COMPARE = 1
    SUM = 2
    LOOSE = 3
    ELEMENTWISE = 4
    DIVISION = 5
    PRODUCT = 6
    MINUS = 7
    RAISED = 8
    ATOM = 9


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an argument: what it must bind at least, and whether anything stands before it."""

    name: str
    level: Level
    first: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A text with slots. `head` is what stands before the bracket where the whole is a call, `infix` says that
    arguments stand without brackets; of a prefix text such as `det {X}` the slot is the last part.
    """

    parts: tuple[str | Slot, ...]
    level: Level
    head: str = ""
    infix: bool = False
    prefix: bool = False


_TOKEN = re.compile(r"\{\w+\}|\\(?:left|right)(?:\\[A-Za-z]+|\\.|.)|\\[A-Za-z]+|\\.|.", re.DOTALL)
_SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ^"
_FENCES = "|‖"
_HOLE = "\0"
_WORD = re.compile(r"\\operatorname\{[^{}]*\}|\\[A-Za-z]+|[^\W\d_]+")


@lru_cache(maxsize=1_000)
def read_template(text: str, names: tuple[str, ...]) -> Template:
    """The template of a text with slots for these arguments.

    >>> read_template("{X}⁻¹", ("X",)).level.name
    'RAISED'
    >>> read_template("sum({X}, axis={axis})", ("X", "axis")).head
    'sum'
    """
    tokens = _with_depth(text, names)
    outside = "".join(_HOLE if is_slot else token for token, depth, is_slot in tokens if depth == 0)
    prefix = outside.endswith(" " + _HOLE) and outside.count(_HOLE) == 1 and not outside.startswith(_HOLE)
    level = _level(outside, prefix)
    parts: list[str | Slot] = []
    for k, (token, depth, is_slot) in enumerate(tokens):
        if is_slot:
            after = tokens[k + 1][0] if k + 1 < len(tokens) else ""
            parts.append(Slot(token[1:-1], _slot_level(level, depth, after, first=k == 0), first=k == 0))
        elif parts and isinstance(parts[-1], str):
            parts[-1] += token
        else:
            parts.append(token)
    head, bracket, _ = text.partition(r"\left(" if r"\left(" in text else "(")
    called = bool(bracket) and level >= Level.RAISED and not any(f"{{{name}}}" in head for name in names)
    return Template(tuple(parts), level, head if called else "", _HOLE in outside, prefix)


def _with_depth(text: str, names: Sequence[str]) -> list[tuple[str, int, bool]]:
    """The tokens, each with the number of brackets round it, and whether it is a slot."""
    out: list[tuple[str, int, bool]] = []
    depth = fences = 0
    for token in _TOKEN.findall(text):
        is_slot = token[0] == "{" and token[1:-1] in names  # not the {1} of \mathbf{1}
        closes = not is_slot and (token in (")", "}") or token.startswith(r"\right"))
        if token in _FENCES:
            closes, fences = fences > 0, 1 - fences
        depth -= closes
        out += [(token, depth, True)] if is_slot else [(token, depth, False)]
        depth += not is_slot and not closes and (token in ("(", "{", *_FENCES) or token.startswith(r"\left"))
    return out


def _level(outside: str, prefix: bool) -> Level:
    """How tightly a text binds, from what stands outside its brackets."""
    if prefix:
        return Level.ATOM if len(_WORD.findall(outside)) == 1 else Level.LOOSE
    if f"{_HOLE} ⊙ {_HOLE}" in outside or rf"{_HOLE} \odot {_HOLE}" in outside:
        return Level.ELEMENTWISE
    if re.search(rf"{_HOLE} \S+ {_HOLE}", outside):
        return Level.LOOSE
    if " " in outside:
        return Level.PRODUCT
    return Level.RAISED if any(c in _SUPERSCRIPT for c in outside) else Level.ATOM


def _slot_level(level: Level, depth: int, after: str, *, first: bool) -> Level:
    if depth:
        return Level.COMPARE
    if after[:1] and after[0] in _SUPERSCRIPT:
        return Level.ATOM
    if level == Level.ELEMENTWISE or (level == Level.PRODUCT and first):
        return Level.PRODUCT
    return Level.RAISED
