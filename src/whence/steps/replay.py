"""Every step of a derivation as two formulas that must have the same value, replayed by the judge's own arithmetic.

The formulas are those that are printed. The lines of the model are taken as text; nothing of the expression graph or of
the rules of differentiation takes part: a change is compared with a difference quotient of the line itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from random import Random, SystemRandom
from typing import Any

from whence.messages.errors import WhenceError
from whence.notation.pieces import NotMatrix
from whence.read.canonical import to_text
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Expr, Name, Number
from whence.read.walk import names_in
from whence.shapes.dims import Dim
from whence.steps.derivation import Derivation, Stage
from whence.steps.record import Pairing
from whence.steps.style import FullShape, Style
from whence.verify.point import STEP, NoPoint, Point, Setting, Value, close, paired
from whence.verify.replayed import FORMAT
from whence.verify.sizes import choices

MARK = "δ"
_SYMBOL = re.compile(r"[A-Za-z]\w*")
SIZES = 8  # so many sets of sizes are tried
_H = "h_of_the_quotient"


@dataclass(frozen=True)
class Side:
    """A number or an array: a formula, or a pairing ⟨left, right⟩ over an array with these sizes."""

    left: Expr
    right: Expr | None = None
    dims: tuple[Dim, ...] = ()


@dataclass(frozen=True)
class Claimed:
    """That both sides are equal. `quotient`: the first is a line of the model, of which the change is meant."""

    what: str
    before: Side
    after: Side
    quotient: str = ""


def claims(derivation: Derivation, style: Style, answer: Expr) -> list[Claimed]:
    """What a derivation claims, step by step: each change, each start, each move, and that it ends in the answer."""
    out: list[Claimed] = []
    for stage in derivation.stages:
        row = style.is_row(stage.statement.name)
        change = style.tree(stage.differential, row)
        out.append(Claimed("change", Side(stage.statement.expression), Side(change), stage.child))
        for path in stage.paths:
            for move in path.moves:
                out.append(Claimed(move.rule, _side(move.before, style), _side(move.after, style)))
        out.append(_collected(stage, style, row))
    parts = [s.result for s in derivation.stages if s.child == derivation.target]
    if parts:
        row = style.is_row(derivation.target)
        total: Expr = style.tree(parts[0], row)
        for part in parts[1:]:
            total = Binary("+", total, style.tree(part, row))
        scaled = Binary("/", answer, Name(style.scaled)) if style.scaled else answer
        out.append(Claimed("answer", Side(total), Side(scaled)))
    return out


def _side(pair: Pairing, style: Style) -> Side:
    row = pair.left.rank == 1 and pair.row
    return Side(style.tree(pair.left, row), style.tree(pair.right, row), pair.left.dims)


def _collected(stage: Stage, style: Style, row: bool) -> Claimed:
    """⟨adjoint, the change⟩ is what the paths begin with, and ends as ⟨result, δ⟩."""
    own_row = style.is_row(stage.child)
    start = Side(style.tree(stage.adjoint, row), style.tree(stage.differential, row), stage.differential.dims)
    end = Side(style.tree(stage.result, own_row), style.tree(stage.mark, own_row), stage.mark.dims)
    return Claimed("paths", start, end)


def exported(
    derivation: Derivation, style: Style, answer: Expr, lines: Mapping[str, Expr], output: str
) -> dict[str, Any]:
    """The derivation as plain data, in the canonical language: what `verify.replayed` accepts or rejects."""
    stages = []
    for stage in derivation.stages:
        name, child = stage.statement.name, stage.child
        row = style.is_row(name)
        stages.append(
            {
                "line": name,
                "through": child,
                "adjoint": to_text(style.tree(stage.adjoint, row)),
                "change": to_text(style.tree(stage.differential, row)),
                "result": to_text(style.tree(stage.result, style.is_row(child))),
                "paths": [
                    [_exported(path.start, style, ""), *(_exported(m.after, style, m.rule) for m in path.moves)]
                    for path in stage.paths
                ],
            }
        )
    known = {stage.adjoint.name: stage.statement.name for stage in derivation.stages if stage.adjoint.name}
    names = {*lines, *(n for body in lines.values() for n in names_in(body))} & style.shapes.keys()
    shapes = {name: [size.number or str(size) for size in style.shapes[name]] for name in sorted(names)}
    sizes = sorted({word for shape in shapes.values() for size in shape for word in _SYMBOL.findall(str(size))})
    own = {"format": FORMAT, "output": output, "target": derivation.target, "answer": to_text(answer)}
    own |= {"lines": [[name, to_text(body)] for name, body in lines.items()], "scaled": style.scaled}
    return own | {"shapes": shapes, "sizes": sizes, "known": known, "stages": stages}


def _exported(pair: Pairing, style: Style, rule: str) -> dict[str, Any]:
    side = _side(pair, style)
    assert side.right is not None
    over = [size.number or str(size) for size in side.dims]
    return {"rule": rule, "left": to_text(side.left), "right": to_text(side.right), "over": over, "row": pair.row}


def first_wrong(
    claimed: Sequence[Claimed],
    setting: Setting,
    extra: Mapping[str, FullShape],
    random: Random | None = None,
    points: int = 1,
) -> Claimed | None:
    """The first claim that fails at a random point, or None when all hold.

    `extra` are the shapes of adjoint names and small changes, which take any values. A claim that cannot be evaluated
    counts as failed. The sizes are pairwise different.
    """
    random = random or Random(SystemRandom().getrandbits(64))
    for k, sizes in enumerate(choices(setting.inputs.values())):
        try:
            point = Point(setting, sizes, random)
        except NoPoint:
            if k >= SIZES:
                return claimed[0] if claimed else None
            continue
        for name, shape in extra.items():
            point.let(name, tuple(d.value(sizes) for d in shape))
        point.let(_H, (), [STEP])
        try:
            wrong = next((claim for claim in claimed if not _holds(claim, point)), None)
        except NoPoint:  # a singular matrix, say: other sizes may do
            if k >= SIZES:
                return claimed[0]
            continue
        if wrong is not None:
            return wrong
        points -= 1
        if points <= 0:
            return None
    return claimed[0] if claimed else None


def _holds(claim: Claimed, point: Point) -> bool:
    before = _changed(claim, point) if claim.quotient else _value(claim.before, point)
    return close(before, _value(claim.after, point))


def _changed(claim: Claimed, point: Point) -> Sequence[Decimal]:
    """The difference quotient of a line in the direction of the small change of one name."""
    name, step = claim.quotient, Binary("*", Name(_H), Name(MARK + claim.quotient))
    ahead = substituted(claim.before.left, {name: Binary("+", Name(name), step)})
    behind = substituted(claim.before.left, {name: Binary("-", Name(name), step)})
    twice = Binary("*", Number(Fraction(2)), Name(_H))
    return point.value(Binary("/", Binary("-", ahead, behind), twice)).entries


def _value(side: Side, point: Point) -> Sequence[Decimal]:
    left = point.value(side.left)
    if side.right is None:
        return left.entries
    right: Value = point.value(side.right)
    return [paired(left, right, [d.value(point.sizes) for d in side.dims])]


def verified(
    derivation: Derivation, style: Style, answer: Expr, setting: Setting, random: Random | None = None
) -> bool:
    """Do all steps hold? Only then are they shown."""
    names = dict(style.shapes)
    known = {*setting.inputs, *(n for n, _ in setting.definitions)}
    extra = {n: s for n, s in names.items() if n not in known}
    extra |= {MARK + n: names[n] for n in _marked(derivation)}
    try:
        return first_wrong(claims(derivation, style, answer), setting, extra, random) is None
    except (NotMatrix, WhenceError):
        return False


def _marked(derivation: Derivation) -> list[str]:
    return list(dict.fromkeys(n for s in derivation.stages for n in (s.child, s.statement.name)))
