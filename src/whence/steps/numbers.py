"""Easy numbers for a toy example: small sizes, small entries, and the values of everything that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random

from whence.messages.errors import RefusedError
from whence.read.syntax import Binary, Expr, Function, Name, Number
from whence.read.vocabulary import PRIME
from whence.steps.lesson import Lesson, Place
from whence.steps.style import ONE
from whence.verify.numeric import USUAL
from whence.verify.point import NoPoint, Point, Setting, Value, moved, slope

SEED = 7
TRIES = 120
POOL = tuple(Decimal(x) for x in ("1", "2", "-1", "0.5", "-0.5", "-2"))
POSITIVE = tuple(Decimal(x) for x in ("1", "2", "0.5", "3", "1.5", "4"))
LARGEST, SMALLEST = Decimal(20), Decimal("0.01")
NUDGE = Decimal("0.001")
_Z = "z"


@dataclass(frozen=True)
class Numbers:
    """The toy example's numbers. Entries are known under their own names, too: w2₁₁."""

    lesson: Lesson
    setting: Setting
    sizes: dict[str, int]
    point: Point
    stand_ins: tuple[str, ...]

    def value(self, tree: Expr) -> Value:
        return self.point.value(tree)

    def number(self, tree: Expr) -> Decimal:
        """The value of a formula of numbers, over the names of entries."""
        return self.point.value(tree).entries[0]

    def named(self, name: str) -> Value:
        return self.point.named(name)

    def slope(self, place: int) -> Decimal:
        """∂(output)/∂(entry of the target), from the values of the output alone."""
        return slope(self.setting, self.point, self.lesson.output, self.lesson.target, place)[0]

    def nudged(self, place: int) -> dict[str, str]:
        """What happens to the output when one entry of the target is moved a little down and up, as texts."""
        entries = self.named(self.lesson.target).entries
        with localcontext(USUAL[1].context()):
            ends = [entries[place] - NUDGE, entries[place] + NUDGE]
            low, high = (self._output_with(place, end) for end in ends)
            rise = (high - low) / (2 * NUDGE)
        return {
            "from_": number_text(ends[0]),
            "to": number_text(ends[1]),
            "before": f"{low:.6f}",
            "after": f"{high:.6f}",
            "slope": f"{rise:.4f}",
        }

    def _output_with(self, place: int, value: Decimal) -> Decimal:
        entries = list(self.named(self.lesson.target).entries)
        entries[place] = value
        point = moved(self.setting, self.point, self.lesson.target, entries)
        return point.named(self.lesson.output).entries[0]


def numbers(lesson: Lesson, sizes: Mapping[str, int]) -> Numbers:
    """Numbers with which the example can be followed by pencil: no entry is zero, nothing is large.

    Raises RefusedError where the model has no values at these sizes.
    """
    setting, stand_ins = _with_stand_ins(lesson.setting)
    random = Random(SEED)
    best: Point | None = None
    smooth = False
    for _ in range(TRIES):
        given = _chosen(lesson, setting, sizes, random)
        try:
            point = Point(setting, sizes, Random(SEED), given)
        except NoPoint:
            continue
        if best is None or (not smooth and _is_smooth(lesson, setting, point)):
            best, smooth = point, _is_smooth(lesson, setting, point)
        if _is_easy(lesson, setting, point):
            best = point
            break
    if best is None:
        raise RefusedError("no-numbers", found=lesson.output)
    found = Numbers(lesson, setting, dict(sizes), best, stand_ins)
    _name_all(found)
    return found


def generic(lesson: Lesson, sizes: Mapping[str, int]) -> Numbers:
    """Numbers without any accident: entries of 50 digits. With them lines are judged, not shown.

    Raises RefusedError where the model has no values at these sizes.
    """
    try:
        point = Point(lesson.setting, sizes, Random(SEED))
    except NoPoint:
        raise RefusedError("no-numbers", found=lesson.output) from None
    found = Numbers(lesson, lesson.setting, dict(sizes), point, ())
    _name_all(found)
    return found


def _with_stand_ins(setting: Setting) -> tuple[Setting, tuple[str, ...]]:
    """An unknown function is z² in the numbers."""
    z, two = Name(_Z), Number(Fraction(2))
    defined = dict(setting.defined)
    for f in setting.functions:
        bodies: list[Expr] = [Binary("**", z, two), Binary("*", two, z), two]
        for k, body in enumerate(bodies):
            defined[f + PRIME * k] = Function(f + PRIME * k, _Z, body)
    return replace(setting, defined=defined), tuple(setting.functions)


def _chosen(lesson: Lesson, setting: Setting, sizes: Mapping[str, int], random: Random) -> dict[str, list[Decimal]]:
    """Entries for the inputs of which nothing but a sign is assumed; labels are 0 and 1."""
    out: dict[str, list[Decimal]] = {}
    for name in setting.inputs:
        tags = set(setting.assume.get(name, ()))
        if tags - {"positive", "nonzero"}:
            continue
        count = len(lesson.places(name, sizes))
        if _are_labels(lesson, name):
            out[name] = [Decimal((k + 1) % 2) for k in range(count)]
            continue
        pool = POSITIVE if "positive" in tags else POOL
        out[name] = random.sample(pool, count) if count <= len(pool) else random.choices(pool, k=count)
    return out


def _are_labels(lesson: Lesson, name: str) -> bool:
    shape = lesson.shapes[name]
    return name[:1].lower() in ("y", "t") and bool(lesson.samples) and lesson.samples in map(str, shape)


def _is_easy(lesson: Lesson, setting: Setting, point: Point) -> bool:
    names = [n for n, _ in setting.definitions]
    values = [abs(v) for n in names for v in point.named(n).entries]
    if max(values, default=Decimal(0)) > LARGEST or min(values, default=Decimal(1)) < SMALLEST:
        return False
    count = len(point.named(lesson.target).entries)
    return all(abs(slope(setting, point, lesson.output, lesson.target, k)[0]) >= SMALLEST for k in range(count))


def _is_smooth(lesson: Lesson, setting: Setting, point: Point) -> bool:
    """Is there no kink at the point? Then the slopes on both sides of it are about the same."""
    here = point.named(lesson.output).entries[0]
    entries = point.named(lesson.target).entries
    try:
        with localcontext(USUAL[1].context()):
            for k, value in enumerate(entries):
                low, high = (
                    moved(setting, point, lesson.target, [*entries[:k], end, *entries[k + 1 :]])
                    .named(lesson.output)
                    .entries[0]
                    for end in (value - NUDGE, value + NUDGE)
                )
                if abs((high - here) - (here - low)) > (NUDGE + abs(high - low)) / 20:
                    return False
        return True
    except NoPoint:
        return False


def _name_all(found: Numbers) -> None:
    """Adjoint names get their values, and every entry its own name."""
    lesson, point = found.lesson, found.point
    for _, name, tree in lesson.adjoints:
        shape = tuple(d.value(found.sizes) for d in lesson.shapes[name])
        entries = point.value(tree).entries
        count = len(lesson.places(name, found.sizes))
        point.let(name, shape, entries * count if len(entries) == 1 else entries)
    names = [*found.setting.inputs, *(n for n, _ in found.setting.definitions), *(n for _, n, _ in lesson.adjoints)]
    for name in names:
        if all(d == ONE for d in lesson.shapes[name]) or len(lesson.shapes[name]) > 2:
            continue
        value = point.named(name)
        for place in lesson.places(name, found.sizes):
            point.let(lesson.entry_id(name, place, found.sizes), (), [value.at(*place)])


# ---------------------------------------------------------------- as text


def number_text(value: Decimal) -> str:
    """A number with at most four decimals; a small one with two digits.

    >>> number_text(Decimal("0.250")), number_text(Decimal("-1.23456")), number_text(Decimal(3))
    ('0.25', '-1.2346', '3')
    """
    with localcontext(USUAL[1].context()):
        shown = value.quantize(Decimal("0.0001"))
        if not shown and value:
            return f"{value:.1e}"
        text = f"{shown:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def array_text(value: Value) -> str:
    """An array in one line: entries of a row between blanks, rows between semicolons.

    >>> array_text(Value((2, 2), tuple(map(Decimal, (1, 2, 3, 4)))))
    '[1, 2; 3, 4]'
    """
    if not value.shape or len(value.entries) == 1:
        return number_text(value.entries[0])
    width = value.shape[-1]
    rows = [value.entries[k : k + width] for k in range(0, len(value.entries), width)]
    return "[" + "; ".join(", ".join(map(number_text, row)) for row in rows) + "]"


def grid(rows: Sequence[Sequence[str]], indent: str) -> list[str]:
    """Texts in columns, each row in brackets."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        indent + "[ " + "   ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip().ljust(0) + " ]"
        for row in rows
    ]


def rows_of(lesson: Lesson, name: str, sizes: Mapping[str, int]) -> list[list[Place]]:
    """The places of an array's entries, row by row."""
    places = lesson.places(name, sizes)
    shape = [d.value(sizes) for d in lesson.shapes[name]]
    width = shape[-1] if shape else 1
    return [places[k : k + width] for k in range(0, len(places), width)]
