"""The toy example: the mentor's recipe on the person's own model, in ten steps, with numbers to follow by pencil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from whence.messages.errors import RefusedError
from whence.messages.lessons import LESSONS
from whence.notation.linear import NotLinear, coefficient, is_zero
from whence.notation.scalars import NotScalars, print_scalar
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes
from whence.read.syntax import Expr, Name
from whence.read.walk import names_in
from whence.shapes.words import is_scalar
from whence.steps.derivation import Stage
from whence.steps.lesson import Lesson, Place
from whence.steps.numbers import Numbers, array_text, grid, number_text, numbers, rows_of
from whence.steps.scalar_reading import remarks
from whence.verify.numeric import USUAL, localcontext
from whence.verify.point import close

MOST_LINES = 24
MOST_PATHS = 16


@dataclass(frozen=True)
class Slope:
    """A school derivative: of one entry by one entry."""

    of: str
    by: str
    text: str
    value: Decimal


@dataclass(frozen=True)
class Way:
    """One way from an entry of the target to what is known: the known factor first."""

    factors: tuple[str, ...]
    values: tuple[Decimal, ...]


class ToyExample:
    """The example of one lesson at given sizes. Raises NotScalars, NotLinear, RefusedError where there is none."""

    def __init__(self, lesson: Lesson, sizes: Mapping[str, int]) -> None:
        self.lesson, self.sizes = lesson, dict(sizes)
        self.numbers: Numbers = numbers(lesson, sizes)
        self.places = lesson.places(lesson.target, sizes)
        self.slopes: dict[tuple[str, Place], list[tuple[Stage, Place, Slope]]] = {}
        for stage in lesson.derivation.stages:
            self._add(stage)
        self.check()

    def _add(self, stage: Stage) -> None:
        lesson = self.lesson
        tree = lesson.style.tree(stage.differential, lesson.style.is_row(stage.statement.name))
        for place in lesson.places(stage.statement.name, self.sizes):
            changed = lesson.scalar(tree, place, self.sizes)
            used = names_in(changed)
            for at in lesson.places(stage.child, self.sizes):
                mark = "δ" + lesson.entry_id(stage.child, at, self.sizes)
                if mark not in used:
                    continue
                beside = coefficient(changed, mark)
                if is_zero(beside):
                    continue
                of = lesson.entry(stage.statement.name, place, self.sizes)
                by = lesson.entry(stage.child, at, self.sizes)
                slope = Slope(of, by, print_scalar(beside), self.numbers.number(beside))
                self.slopes.setdefault((stage.child, at), []).append((stage, place, slope))

    def ways(self, name: str, place: Place, tail: tuple[Slope, ...] = ()) -> list[Way]:
        """Every way from an entry to the gradients known from before, or to the output itself."""
        lesson = self.lesson
        out: list[Way] = []
        for stage, at, slope in self.slopes.get((name, place), []):
            path = (slope, *tail)
            above = (stage.statement.name, at)
            if above in self.slopes:
                out += self.ways(*above, path)
                continue
            factors, values = [s.text for s in path], [s.value for s in path]
            if stage.statement.name != lesson.output:
                tree = lesson.style.tree(stage.adjoint, lesson.style.is_row(stage.statement.name))
                known = lesson.scalar(tree, at, self.sizes)
                factors.insert(0, print_scalar(known))
                values.insert(0, self.numbers.number(known))
            out.append(Way(tuple(factors), tuple(values)))
            if len(out) > MOST_PATHS:
                raise NotScalars(LESSONS["toy-many-ways"])
        return out

    def gradient(self, place: Place) -> tuple[list[Way], Decimal]:
        ways = self.ways(self.lesson.target, place)
        total = Decimal(0)
        with localcontext(USUAL[1].context()):
            for way in ways:
                product = Decimal(1)
                for v in way.values:
                    product *= v
                total += product
        return ways, total

    def check(self) -> None:
        """The ways give what the output itself shows when an entry is nudged, and what the formula gives."""
        answer = self.numbers.value(self.lesson.answer)
        with localcontext(USUAL[1].context()):
            scale = Decimal(self.sizes[self.lesson.samples]) if self.lesson.style.scaled else Decimal(1)
            for k, place in enumerate(self.places):
                _, total = self.gradient(place)
                true = self.numbers.slope(k)
                whole = answer.entries[min(k, len(answer.entries) - 1)]
                if not close([total], [true]) or not close([whole], [true * scale]):
                    raise RefusedError("not-verified", found=f"the toy example of {self.lesson.name}")


def toy(lesson: Lesson, given: Mapping[str, int]) -> str:
    """The example as text, in at most ten steps."""
    sizes = {**lesson.small(one_sample=True), **given}
    try:
        example = ToyExample(lesson, sizes)
    except (NotScalars, NotLinear) as problem:
        return LESSONS["toy-none"].format(reason=str(problem) or LESSONS["toy-not-linear"])
    steps = [
        _numbers(example),
        _equations(example),
        _where(example),
        _slopes(example),
        _chain(example, example.places[:1], "toy-5"),
        _chain(example, example.places[1:], "toy-6") if len(example.places) > 1 else [],
        placed(lesson, sizes),
        _read_off(example),
        _with_numbers(example),
        _nudge(example) if not lesson.style.scaled else [],
    ]
    lines = [LESSONS["toy-title"].format(name=lesson.name)]
    for number, step in enumerate([s for s in steps if s], start=1):
        lines += [f"{number:>2}  {step[0]}", *(f"      {text}" for text in step[1:])]
    return "\n".join([*lines, LESSONS["toy-end"].format(derived=lesson.derived)])


def _numbers(e: ToyExample) -> list[str]:
    lines = [LESSONS["toy-1"], LESSONS["toy-sizes"].format(sizes=describe_sizes(e.sizes))]
    lines.append(LESSONS["toy-rows"])
    lines += [f"{display_name(n)} = {array_text(e.numbers.named(n))}" for n in e.numbers.setting.inputs]
    return lines + [LESSONS["toy-stand-in"].format(f=f) for f in e.numbers.stand_ins]


def _equations(e: ToyExample) -> list[str]:
    lesson = e.lesson
    lines: list[str] = []
    for name, (body, _) in lesson.style.statements.items():
        for place in lesson.places(name, e.sizes):
            try:
                tree = lesson.scalar(body, place, e.sizes)
            except NotScalars:
                continue
            value = number_text(e.numbers.named(name).at(*place))
            lines.append(f"{lesson.entry(name, place, e.sizes)} = {print_scalar(tree)} = {value}")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], LESSONS["toy-left-out"].format(count=len(lines) - MOST_LINES)]
    return [LESSONS["toy-2"], *lines, *_known(e)]


def _known(e: ToyExample) -> list[str]:
    """The gradients known from before: what they mean, and their numbers."""
    lesson = e.lesson
    out = []
    for of, name, tree in lesson.adjoints:
        value = array_text(e.numbers.named(name))
        text = f"{display_name(name)} = {lesson.text(tree)} = {value}"
        out.append(
            LESSONS["toy-known"].format(
                meaning=f"{text}; its entries are ∂{display_name(lesson.output)}/∂(entry of {display_name(of)})"
            )
        )
    return out


def _where(e: ToyExample) -> list[str]:
    lesson = e.lesson
    own = lesson.entry(lesson.target, e.places[0], e.sizes)
    above = [slope.of for _, _, slope in e.slopes.get((lesson.target, e.places[0]), [])]
    further = [
        slope.of
        for stage, at, _ in e.slopes.get((lesson.target, e.places[0]), [])
        for _, _, slope in e.slopes.get((stage.statement.name, at), [])
    ]
    lines = [LESSONS["toy-3"].format(entry=own), LESSONS["toy-in"].format(places=_and(above))]
    if further:
        lines.append(LESSONS["toy-and-so"].format(before=_and(above), places=_and(further)))
    return lines


def _and(names: list[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _reachable(e: ToyExample, place: Place) -> list[Slope]:
    """The school derivatives on the ways from one entry, those next to it first."""
    work, out = [(e.lesson.target, place)], []
    seen = set(work)
    while work:
        for stage, at, slope in e.slopes.get(work.pop(0), []):
            out.append(slope)
            if (stage.statement.name, at) not in seen:
                seen.add((stage.statement.name, at))
                work.append((stage.statement.name, at))
    return out


def _slopes(e: ToyExample) -> list[str]:
    lines = [
        f"∂{s.of}/∂{s.by} = {s.text}" + (f" = {number_text(s.value)}" if s.text != number_text(s.value) else "")
        for s in _reachable(e, e.places[0])
    ]
    return [LESSONS["toy-4"], *lines[:MOST_LINES]]


def _chain(e: ToyExample, places: list[Place], title: str) -> list[str]:
    lesson = e.lesson
    output = display_name(lesson.output)
    lines = [LESSONS[title]]
    for place in places:
        ways, total = e.gradient(place)
        own = lesson.entry(lesson.target, place, e.sizes)
        text = " + ".join(" · ".join(_bracketed(f) for f in way.factors) for way in ways) or "0"
        numbers = " + ".join(" · ".join(_number(v) for v in way.values) for way in ways) or "0"
        value = number_text(total)
        shown = f"∂{output}/∂{own} = {text}"
        if numbers != value:
            shown += f" = {numbers}"
        lines.append(f"{shown} = {value}" if text != value else shown)
    return lines


def _bracketed(text: str) -> str:
    return f"({text})" if any(sign in text for sign in ("+", " - ")) or text.startswith("-") else text


def _number(value: Decimal) -> str:
    text = number_text(value)
    return f"({text})" if text.startswith("-") else text


def placed(lesson: Lesson, sizes: Mapping[str, int]) -> list[str]:
    """All entries of the gradient at their places, under a title; nothing for a single number."""
    if is_scalar(lesson.shapes[lesson.target]):
        return []
    rows = [
        [print_scalar(lesson.scalar(lesson.answer, p, sizes)) for p in row]
        for row in rows_of(lesson, lesson.target, sizes)
    ]
    head = f"{lesson.name} = "
    body = grid(rows, "")
    return [LESSONS["toy-7"], *((head if k == 0 else " " * len(head)) + text for k, text in enumerate(body))]


def _read_off(e: ToyExample) -> list[str]:
    lesson = e.lesson
    own = lesson.entry(lesson.target, e.places[0], e.sizes)
    return [LESSONS["toy-8"], *remarks(lesson.derivation, lesson.style, e.sizes, own), lesson.formula]


def _with_numbers(e: ToyExample) -> list[str]:
    """The matrix form computed with the numbers, move by move."""
    lesson = e.lesson
    lines: list[str] = []
    for _, _, move in lesson.moves():
        row = move.after.left.rank == 1 and move.after.row
        tree: Expr = lesson.style.tree(move.after.left, row)
        if not isinstance(tree, Name):
            lines.append(f"{lesson.text(tree)} = {array_text(e.numbers.value(tree))}")
    lines.append(f"{lesson.formula} = {array_text(e.numbers.value(lesson.answer))}")
    return [LESSONS["toy-9"], *_distinct(lines)]


def _distinct(lines: list[str]) -> list[str]:
    """A line whose end repeats another is left out."""
    return [t for k, t in enumerate(lines) if not any(o.endswith(" = " + t) for o in lines[k + 1 :])]


def _nudge(e: ToyExample) -> list[str]:
    lesson = e.lesson
    entry = lesson.entry(lesson.target, e.places[0], e.sizes)
    text = LESSONS["toy-nudge"].format(entry=entry, output=display_name(lesson.output), **e.numbers.nudged(0))
    _, total = e.gradient(e.places[0])
    return [LESSONS["toy-10"], text, LESSONS["toy-nudge-agrees"].format(value=number_text(total))]
