"""All ways to put the factors of a formula together: which fit the shapes, which agree with numbers, which is right.

It shows what shapes can decide and what they cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import permutations, product
from random import Random

from whence.messages.lessons import LESSONS
from whence.notation.unicode import to_unicode
from whence.notation.words import shape_in_words
from whence.read.syntax import Binary, Expr, Transpose
from whence.read.walk import names_in
from whence.shapes.dims import Dim
from whence.steps.lesson import Lesson
from whence.steps.multiply import Factor, factors
from whence.steps.numbers import numbers
from whence.verify.point import NoPoint, Point, close
from whence.verify.sizes import choices

Shape = tuple[Dim, ...]
FEWEST, MOST = 2, 3
MOST_ROWS, MOST_WRONG = 16, 6


@dataclass(frozen=True)
class Way:
    """One arrangement: the formula, its shape with the sizes of the model (None: it does not fit), how it was made."""

    tree: Expr
    shape: Shape | None
    clash: tuple[str, Shape, Shape] | None = None  # the first product in it that does not exist
    order: tuple[int, ...] = ()
    choices: tuple[object, ...] = ()  # which factors are transposed, which products are taken

    def steps_from(self, other: Way) -> int:
        """In how many things two arrangements differ."""
        return (self.order != other.order) + sum(a != b for a, b in zip(self.choices, other.choices, strict=True))


def arrangements(lesson: Lesson, given: Mapping[str, int]) -> str:
    """The table of arrangements that fit and of some that nearly do, with counts of all."""
    found = factors(lesson)
    title = LESSONS["arrangements-title"].format(factors=", ".join(f.text for f in found))
    if not FEWEST <= len(found) <= MOST or any(len(f.shape) != 2 for f in found):
        return "\n".join([title, "  " + LESSONS["arrangements-none"]])
    wanted = lesson.shapes[lesson.target]
    ways = list(_ways(found))
    sizes = {**lesson.small(), **given}
    toy = numbers(lesson, sizes)
    true = toy.value(lesson.answer)
    square = [w for w in ways if _fits_square(toy.point, w, true.shape)]
    on_toy = [w for w in square if close(toy.value(w.tree).entries, true.entries)]
    fit = [w for w in ways if w.shape == wanted]
    right = [w for w in fit if _right(lesson, w)]
    shown = fit + [w for w in on_toy if w not in fit]
    if right:  # the nearest to it first
        shown.sort(key=right[0].steps_from)
        others = sorted((w for w in ways if w not in shown), key=right[0].steps_from)
        shown += others[:MOST_WRONG]
    head = ["", LESSONS["arrangements-sizes"], LESSONS["arrangements-toy"], LESSONS["arrangements-all"], ""]
    rows = [head]
    for way in shown[:MOST_ROWS]:
        cells = (way.shape == wanted, way in on_toy, way in right)
        text = to_unicode(way.tree, lambda part: wanted)  # all factors are matrices, fit or not
        rows.append([text, *(LESSONS["yes" if c else "no"] for c in cells), _why(way, wanted)])
    widths = [max(len(r[k]) for r in rows) for k in range(5)]
    lines = ["  " + "  ".join(t.ljust(w) for t, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    counts = {"count": len(ways), "fit": len(fit), "toy": len(on_toy), "right": len(right)}
    lines.append("  " + LESSONS["arrangements-count"].format(shapes=shape_in_words(wanted), **counts))
    if len(square) > len(fit):
        lines.append("  " + LESSONS["arrangements-square"].format(fit=len(square), right=len(on_toy)))
    return "\n".join([title, *lines])


def _why(way: Way, wanted: Shape) -> str:
    """Why an arrangement does not fit."""
    if way.clash is not None:
        sign, left, right = way.clash
        texts = {"left": shape_in_words(left), "right": shape_in_words(right)}
        return LESSONS[f"arrangements-clash-{'product' if sign == '@' else 'entries'}"].format(**texts)
    if way.shape is not None and way.shape != wanted:
        return LESSONS["arrangements-other"].format(found=shape_in_words(way.shape), wanted=shape_in_words(wanted))
    return ""


def _ways(found: list[Factor]) -> Iterator[Way]:
    """Every order, transpose, product and bracket, each formula once."""
    seen: set[str] = set()
    for order in permutations(range(len(found))):
        for turns in product((False, True), repeat=len(found)):
            parts = [_turned(found[k], turns[k]) for k in order]
            for signs in product("@*", repeat=len(found) - 1):
                for way in _bracketed(parts, signs):
                    key = repr(_ordered(way.tree))
                    if key not in seen:
                        seen.add(key)
                        yield replace(way, order=order, choices=(*turns, *signs))


def _turned(factor: Factor, turned: bool) -> Way:
    if not turned:
        return Way(factor.tree, factor.shape)
    inner = factor.tree
    return Way(inner.operand if isinstance(inner, Transpose) else Transpose(inner), factor.shape[::-1])


def _bracketed(parts: list[Way], signs: tuple[str, ...]) -> Iterator[Way]:
    if len(parts) == 2:
        yield _joined(parts[0], signs[0], parts[1])
        return
    a, b, c = parts
    yield _joined(_joined(a, signs[0], b), signs[1], c)
    if signs != ("@", "@") and signs != ("*", "*"):  # else both brackets give the same
        yield _joined(a, signs[0], _joined(b, signs[1], c))


def _joined(a: Way, sign: str, b: Way) -> Way:
    shape: Shape | None = None
    clash = a.clash or b.clash
    if a.shape is not None and b.shape is not None:
        if sign == "*":
            shape = a.shape if a.shape == b.shape else None
        elif a.shape[1] == b.shape[0]:
            shape = (a.shape[0], b.shape[1])
        clash = None if shape is not None else (sign, a.shape, b.shape)
    return Way(Binary(sign, a.tree, b.tree), shape, clash)


def _ordered(tree: Expr) -> object:
    """The tree with the factors of an elementwise product in one order, and its brackets left out."""
    if isinstance(tree, Binary) and tree.operator == "*":
        return ("*", *sorted(map(repr, map(_ordered, _flat(tree)))))
    if isinstance(tree, Binary):
        return (tree.operator, _ordered(tree.left), _ordered(tree.right))
    if isinstance(tree, Transpose):
        return ("T", _ordered(tree.operand))
    return tree


def _flat(tree: Expr) -> list[Expr]:
    if isinstance(tree, Binary) and tree.operator == "*":
        return [*_flat(tree.left), *_flat(tree.right)]
    return [tree]


def _fits_square(point: Point, way: Way, shape: tuple[int, ...]) -> bool:
    try:
        return point.value(way.tree).shape == shape
    except NoPoint:
        return False


def _right(lesson: Lesson, way: Way) -> bool:
    """Equal to the verified answer at a random point with pairwise different sizes, the gradients free."""
    for sizes in choices(lesson.setting.inputs.values()):
        try:
            point = Point(lesson.setting, sizes, Random(1))
            for name, shape in lesson.shapes.items():
                if name not in point.compiler.program.names and name in names_in(lesson.answer):
                    point.let(name, tuple(d.value(sizes) for d in shape))
            return close(point.value(way.tree).entries, point.value(lesson.answer).entries)
        except NoPoint:
            return False
    return False
