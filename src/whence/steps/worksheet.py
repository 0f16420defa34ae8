"""The worksheet: a learner finds one gradient by school calculus, and every line typed is read and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random

from whence.messages.errors import WhenceError
from whence.messages.practice import PRACTICE
from whence.notation.scalars import NotScalars, print_scalar
from whence.notation.unicode import display_name, to_unicode
from whence.notation.words import describe_sizes
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Function, Name, Negative
from whence.read.vocabulary import PRIME, without_primes
from whence.read.walk import names_in, walk
from whence.shapes.words import is_scalar
from whence.steps.entries import Entries, Entry, Left, Partial, names_to_entries
from whence.steps.lesson import Lesson, Place
from whence.steps.numbers import Numbers, generic, number_text, numbers
from whence.verify.point import NoPoint, Point, close, slope

LINES_LIMIT = 200
HINTS = 4
_ZERO = re.compile(r"[\[_,] ?0")  # an entry counted from 0, as in code


@dataclass(frozen=True)
class Task:
    """One blank of the sheet: an entry to be expressed."""

    part: str  # forward, gradient or matrix
    left: Entry
    answer: str  # the right side, as it is shown


@dataclass
class State:
    """What is saved: the lines as typed, how many hints were given for each blank, the step of the ladder."""

    lines: list[str] = field(default_factory=list)
    hints: dict[str, int] = field(default_factory=dict)
    ladder: int = 0


@dataclass(frozen=True)
class Judged:
    """What is said of a line. `right`: it may be used further on."""

    right: bool
    said: str
    left: Left | None = None
    value: Decimal | None = None  # of the right side, at the sheet's numbers
    shown: str = ""  # the line, as it was read


class Worksheet:
    """One exercise. `judge_matrix` says of a typed matrix formula whether it is the gradient, why, how it was read."""

    def __init__(
        self,
        lesson: Lesson,
        state: State,
        judge_matrix: Callable[[str], tuple[bool, str, str]],
        easy: bool = False,
    ) -> None:
        self.lesson, self.state, self.judge_matrix = lesson, state, judge_matrix
        self.sizes = lesson.small(one_sample=True)
        self.entries = Entries(lesson, self.sizes, [*lesson.functions])
        self.numbers: Numbers = (numbers if easy else generic)(lesson, self.sizes)
        self.tasks = self._tasks()
        setting = lesson.setting
        self.model_names = {*setting.inputs, *(n for n, _ in setting.definitions)}
        self.true: dict[Entry, Decimal] = {}
        self.partials: dict[Partial, list[Decimal]] = {}

    # ------------------------------------------------------------ the sheet
    def _tasks(self) -> list[Task]:
        lesson = self.lesson
        out: list[Task] = []
        way = {s.statement.name for s in lesson.derivation.stages} - {lesson.output}
        for name, (body, _) in lesson.style.statements.items():
            if name in way:
                for place in lesson.places(name, self.sizes):
                    text = print_scalar(lesson.scalar(body, place, self.sizes))
                    out.append(Task("forward", Entry(name, place), text))
        for place in lesson.places(lesson.target, self.sizes):
            text = print_scalar(lesson.scalar(lesson.answer, place, self.sizes))
            out.append(Task("gradient", Entry("d" + lesson.target, place), text))
        if not is_scalar(lesson.shapes[lesson.target]):
            out.append(Task("matrix", Entry("d" + lesson.target, ()), lesson.text(lesson.answer)))
        return out

    def sheet(self) -> str:
        """The exercise as it stands now, with what is done."""
        lesson = self.lesson
        done = self.done()
        lines = [PRACTICE["title"].format(name=lesson.name), PRACTICE["model"]]
        lines += [f"  {lesson.line(name)}" for name in lesson.style.statements]
        lines.append(PRACTICE["sizes"].format(sizes=describe_sizes(self.sizes), letters=self._letters()))
        lines += self._known()
        titles = {
            "forward": PRACTICE["forward-title"].format(target=display_name(lesson.target)),
            "gradient": PRACTICE["gradient-title"].format(name=lesson.name),
            "matrix": PRACTICE["matrix-title"],
        }
        for part, title in titles.items():
            tasks = [t for t in self.tasks if t.part == part]
            if tasks:
                lines += ["", title]
            for task in tasks:
                stands = done.get(task.left)
                shown = self._left_text(task.left)
                lines.append(f"  {'✓' if stands else ' '} {shown} = {stands or PRACTICE['blank']}")
        example = next((t for t in self.tasks if t.part == "forward"), self.tasks[0])
        lines += ["", PRACTICE["how"].format(example=f"{self.entries.typed(example.left)} = …"), PRACTICE["help"]]
        return "\n".join(lines)

    def _letters(self) -> str:
        lesson = self.lesson
        for name in lesson.setting.inputs:
            places = lesson.places(name, self.sizes) if len(lesson.shapes[name]) == 2 else []
            if (0, 1) in places:
                entry = self.entries.typed(Entry(name, (0, 1)))
                return PRACTICE["letters"].format(name=display_name(name), entry=entry)
        return ""

    def _known(self) -> list[str]:
        lesson = self.lesson
        out = []
        used = names_in(lesson.answer)
        for of, name, _ in lesson.adjoints:
            if name in used and name == "d" + of:
                place = lesson.places(of, self.sizes)[0]
                texts = {"entry": self.entries.typed(Entry(name, place)), "inner": self.entries.typed(Entry(of, place))}
                out.append(PRACTICE["known"].format(of=of, output=lesson.output, **texts))
        return out

    def _left_text(self, left: Entry) -> str:
        return self.lesson.name if self._is_whole(left) else self.entries.typed(left)

    def _is_whole(self, left: Entry) -> bool:
        """Is it the whole matrix, not an entry?"""
        own = left.name == "d" + self.lesson.target
        return own and left.place == () and not is_scalar(self.lesson.shapes[self.lesson.target])

    def done(self) -> dict[Entry, str]:
        """The blanks that are filled, with the right sides as typed."""
        out: dict[Entry, str] = {}
        for line in self.state.lines:
            judged = self.judge(line, upto=0)
            if judged.right and isinstance(judged.left, Entry):
                out.setdefault(judged.left, line.partition("=")[2].strip())
        return out

    def finished(self) -> bool:
        done = self.done()
        return all(t.left in done for t in self.tasks)

    # ------------------------------------------------------------ judging
    def judge(self, line: str, upto: int | None = None) -> Judged:
        """What is to be said of a line, given the first `upto` lines before it (all, unless said)."""
        left_text, sign, right_text = line.partition("=")
        example = self.tasks[0].left
        is_matrix = self._is_matrix(left_text)
        if not sign or ("=" in right_text and not is_matrix) or not right_text.strip():
            return Judged(False, PRACTICE["no-equation"].format(example=f"{self.entries.typed(example)} = …"))
        if is_matrix:
            right, said, read = self.judge_matrix(right_text.strip())
            shown = f"{self.lesson.name} = {read}" if read else line.strip()
            return Judged(right, said, Entry("d" + self.lesson.target, ()), shown=shown)
        try:
            left = self.entries.left(left_text)
            if left is None:
                return Judged(False, self._unknown(left_text.strip()[:40]))
            partials: dict[str, Partial] = {}
            tree = self.entries.right(right_text, partials)
            shown = f"{self.entries.shown(left)} = {self._shown(tree, partials)}"
            unknown = self.entries.unknown(names_in(tree), partials)
            if unknown:
                return Judged(False, self._unknown(unknown[0]), left, shown=shown)
            return replace(self._judged(left, tree, partials, self.state.lines[:upto]), shown=shown)
        except (WhenceError, NoPoint, NotScalars) as problem:
            reason = problem.message if isinstance(problem, WhenceError) else str(problem)
            return Judged(False, PRACTICE["unreadable"].format(reason=reason))

    def _unknown(self, found: str) -> str:
        example = self.entries.typed(self.tasks[0].left)
        said = "from-one" if _ZERO.search(found) else "unknown-left"
        return PRACTICE[said].format(found=found, example=example)

    def _is_matrix(self, left_text: str) -> bool:
        return self.entries.is_whole(left_text) and not is_scalar(self.lesson.shapes[self.lesson.target])

    def _judged(self, left: Left, tree: Expr, partials: dict[str, Partial], before: list[str]) -> Judged:
        if isinstance(left, Entry) and tree == Name(self.entries.ids[left]):
            return Judged(False, PRACTICE["circular"], left)
        wanted = self._values_of(left)
        got = self._number(tree, partials, {})
        if any(close([got], [w]) for w in wanted):
            return Judged(True, PRACTICE["right"], left, got)
        wrong = self._wrong_before(before)
        for number, (entry, value) in wrong.items():
            if close([self._number(tree, partials, {entry: value})], [wanted[0]]):
                continue
            claimed = self._number_of_answer(left, {entry: value})
            if claimed is not None and close([got], [claimed]):
                return Judged(False, PRACTICE["follows"].format(line=number), left, got)
        said = [PRACTICE["wrong"], self._look(left, tree, partials, wanted)]
        return Judged(False, ". ".join(said), left, got)

    def _values_of(self, left: Left) -> list[Decimal]:
        """What an entry or a derivative is: of a derivative in all and, where it differs, through one line alone."""
        if isinstance(left, Entry):
            return [self._true(left)]
        if left not in self.partials:
            self.partials[left] = self._slopes(left)
        return self.partials[left]

    def _true(self, entry: Entry) -> Decimal:
        if entry not in self.true:
            if entry.name in self.model_names:
                self.true[entry] = self.numbers.named(entry.name).at(*entry.place)
            else:
                self.true[entry] = self._slope(self.lesson.output, (), entry.name[1:], entry.place) * self._scale()
        return self.true[entry]

    def _scale(self) -> Decimal:
        return Decimal(self.sizes[self.lesson.samples]) if self.lesson.style.scaled else Decimal(1)

    def _slopes(self, partial: Partial) -> list[Decimal]:
        of, by = partial.of, partial.by
        whole = self._slope(of.name, of.place, by.name, by.place)
        body = self.lesson.style.statements.get(of.name)
        if body is None or by.name not in names_in(body[0]):
            return [whole]
        alone = self._slope(of.name, of.place, by.name, by.place, alone=True)
        return [whole, alone]

    def _slope(self, of: str, place: Place, by: str, at: Place, alone: bool = False) -> Decimal:
        lesson, toy = self.lesson, self.numbers
        flat = lesson.places(by, self.sizes).index(at)
        setting, point = toy.setting, toy.point
        if alone:
            lines = tuple((n, e) for n, e in setting.definitions if n == of)
            held = {n: point.named(n).shape for n in (*setting.inputs, *(m for m, _ in setting.definitions)) if n != of}
            setting = type(setting)(held, lines, {}, setting.functions, setting.defined)
            point = Point(setting, self.sizes, Random(0), {n: toy.named(n).entries for n in held})
        slopes = slope(setting, point, of, by, flat)
        shape = point.named(of).shape
        places = lesson.places(of, self.sizes)
        return slopes[places.index(place)] if place and len(shape) else slopes[0]

    def _number(self, tree: Expr, partials: Mapping[str, Partial], instead: Mapping[Entry, Decimal]) -> Decimal:
        """The value of a right side, with the true values of entries or with others in their place."""
        point = self.numbers.point
        names = names_in(tree)
        by_id = {own: entry for entry, own in self.entries.ids.items()}
        for name in names:
            if name in by_id:
                entry = by_id[name]
                point.let(name, (), [instead.get(entry, self._true(entry)) if instead else self._true(entry)])
            elif name in partials:
                point.let(name, (), [self._values_of(partials[name])[0]])
        return point.value(tree).entries[0]

    def _wrong_before(self, before: list[str]) -> dict[int, tuple[Entry, Decimal]]:
        """The lines before that are wrong, with what they say of which entry."""
        out: dict[int, tuple[Entry, Decimal]] = {}
        for number, line in enumerate(before, start=1):
            judged = self.judge(line, upto=number - 1)
            if not judged.right and isinstance(judged.left, Entry) and judged.value is not None:
                out[number] = (judged.left, judged.value)
        return out

    def _number_of_answer(self, left: Left, instead: Mapping[Entry, Decimal]) -> Decimal | None:
        """What a blank would be if an entry had another value."""
        tree = self._answer(left)
        if tree is None:
            return None
        return self._number(tree, {}, instead)

    def _answer(self, left: Left) -> Expr | None:
        if not isinstance(left, Entry):
            return None
        lesson = self.lesson
        if left.name == "d" + lesson.target:
            body: Expr | None = lesson.answer
        else:
            body = lesson.style.statements.get(left.name, (None, 0))[0]
        if body is None:
            return None
        tree = lesson.scalar(body, left.place, self.sizes)
        to_ids = {}
        for entry, own in self.entries.ids.items():
            shape_of = entry.name if entry.name in lesson.shapes else entry.name[1:]
            suffix = "".join(c for c in lesson.entry_id(shape_of, entry.place, self.sizes) if ord(c) > 0x2079)
            to_ids[(entry.name.lower() if suffix else entry.name) + suffix] = Name(own)
        return substituted(tree, to_ids)

    # ------------------------------------------------------------ where to look
    def _look(self, left: Left, tree: Expr, partials: dict[str, Partial], wanted: list[Decimal]) -> str:
        """One hint at what is wrong: an entry, a sign, a part that is missing or too many; else the numbers."""
        by_id = {own: entry for entry, own in self.entries.ids.items()}
        for name in sorted(names_in(tree) & by_id.keys()):
            entry = by_id[name]
            for other in self.entries.ids:
                if other.name == entry.name and other != entry:
                    swapped = substituted(tree, {name: Name(self.entries.ids[other])})
                    if self._equals(swapped, partials, wanted):
                        return PRACTICE["look"].format(part=self.entries.typed(entry))
        for changed in _other_signs(tree):
            if self._equals(changed, partials, wanted):
                return PRACTICE["look-sign"]
        for function, changed in self._other_primes(tree):
            if self._equals(changed, partials, wanted):
                return PRACTICE["look-prime"].format(function=function)
        answer = self._answer(left)
        if answer is not None and isinstance(left, Entry):
            parts, mine = len(_terms(_expanded(answer))), len(_terms(_expanded(tree)))
            own = Entry(left.name[1:], left.place) if left.name == "d" + self.lesson.target else left
            texts = {"entry": self.entries.typed(own), "output": self.lesson.output}
            if left.name == "d" + self.lesson.target and mine != parts:
                return PRACTICE["look-missing" if mine < parts else "look-extra"].format(**texts)
        return self._look_at_numbers(left, tree, partials)

    def _other_primes(self, tree: Expr) -> list[tuple[str, Expr]]:
        """The tree with the derivative of a function in the place of the function, or the other way; of which one."""
        called = {node.name for node in walk(tree) if isinstance(node, Call)}
        out: list[tuple[str, Expr]] = []
        for name in sorted(called):
            base, primes = without_primes(name)
            if base in self.lesson.functions:
                other = base if primes else base + PRIME
                rule = Function(name, "z", Call(other, (Name("z"),)))
                out.append((display_name(base), substituted(tree, functions={name: rule})))
        return out

    def _look_at_numbers(self, left: Left, tree: Expr, partials: dict[str, Partial]) -> str:
        """Both sides with the easy numbers of the toy example."""
        easy = Worksheet(self.lesson, State(), self.judge_matrix, easy=True)
        got, true = easy._number(tree, partials, {}), easy._values_of(left)[0]
        return PRACTICE["look-number"].format(got=number_text(got), true=number_text(true))

    def _equals(self, tree: Expr, partials: dict[str, Partial], wanted: list[Decimal]) -> bool:
        try:
            found = self._number(tree, partials, {})
        except NoPoint:
            return False
        return any(close([found], [w]) for w in wanted)

    # ------------------------------------------------------------ hints
    def hint(self) -> str:
        """The next hint for the blank tried last, else the first: question, rule, line with a gap, answer."""
        done = self.done()
        last = self.judge(self.state.lines[-1], upto=0).left if self.state.lines else None
        blanks = [t for t in self.tasks if t.left not in done]
        task = next((t for t in blanks if t.left == last), next(iter(blanks), None))
        if task is None:
            return PRACTICE["hint-none"]
        key = f"{task.part} {self._left_text(task.left)}"
        level = min(self.state.hints.get(key, 0) + 1, HINTS)
        self.state.hints[key] = level
        line = f"{self._left_text(task.left)} = {self._typed_answer(task)}"
        if level == HINTS:
            return PRACTICE["hint-answer"].format(line=line)
        entry = self._left_text(task.left)
        if task.part == "gradient":
            entry = self.entries.typed(Entry(self.lesson.target, task.left.place))
        texts: dict[str, object] = {"entry": entry, "name": self.lesson.name, "line": _with_gap(line)}
        texts["factors"] = ", ".join(sorted(display_name(n) for n in self._names_of(task)))
        texts["factor"] = next((lesson_move for lesson_move in self._moved()), "")
        answer = self._answer(task.left) if task.part != "matrix" else None
        texts["count"] = len(_terms(_expanded(answer))) if answer is not None else 0
        if task.part == "matrix":
            texts["entry"] = self.entries.typed(Entry(task.left.name, self._places()[0]))
        label = f"hint-{task.part}-{level}"
        if task.part == "forward" and level < 3 and not self._has_product(task):
            label += "-plain"
        if label == "hint-matrix-1" and not texts["factor"]:
            label += "-plain"
        return PRACTICE[label].format(**texts)

    def _names_of(self, task: Task) -> set[str]:
        body = self.lesson.style.statements.get(task.left.name, (self.lesson.answer, 0))[0]
        return names_in(body) & set(self.lesson.shapes)

    def _places(self) -> list[Place]:
        return self.lesson.places(self.lesson.target, self.sizes)

    def _has_product(self, task: Task) -> bool:
        body, _ = self.lesson.style.statements[task.left.name]
        return any(isinstance(n, Binary) and n.operator == "@" for n in walk(body))

    def _moved(self) -> list[str]:
        return [
            display_name(m.moved[0].name)
            for _, _, m in self.lesson.moves()
            if m.rule in ("left-factor", "right-factor") and m.moved and m.moved[0].name in self.lesson.shapes
        ]

    def _typed_answer(self, task: Task) -> str:
        """The answer to a blank, as it can be typed."""
        tree = self._answer(task.left) if task.part != "matrix" else None
        if tree is None:
            return to_unicode(self.lesson.answer, self.lesson.style.shape, ascii=True)
        names: dict[str, Expr] = {own: Name(self.entries.typed(e)) for e, own in self.entries.ids.items()}
        return to_unicode(substituted(tree, names), lambda part: (), ascii=True)

    def _shown(self, tree: Expr, partials: Mapping[str, Partial]) -> str:
        names = names_to_entries(self.entries)
        names |= {name: Name(self.entries.shown(partial)) for name, partial in partials.items()}
        return print_scalar(substituted(tree, names))


def _with_gap(line: str) -> str:
    """The line with its last factor left out."""
    head, _, _ = line.rpartition(" ")
    return f"{head} …"


def _terms(tree: Expr) -> list[Expr]:
    if isinstance(tree, Binary) and tree.operator in ("+", "-"):
        return [*_terms(tree.left), *_terms(tree.right)]
    return [tree]


def _expanded(tree: Expr) -> Expr:
    """The tree with products of sums multiplied out, so that its terms can be counted."""
    if isinstance(tree, Negative):
        return _expanded(tree.operand)
    if isinstance(tree, Binary) and tree.operator in ("+", "-"):
        return Binary("+", _expanded(tree.left), _expanded(tree.right))
    if isinstance(tree, Binary) and tree.operator in ("*", "@"):
        out: Expr | None = None
        for a in _terms(_expanded(tree.left)):
            for b in _terms(_expanded(tree.right)):
                product = Binary("*", a, b)
                out = product if out is None else Binary("+", out, product)
        return out or tree
    if isinstance(tree, Binary) and tree.operator == "/":
        out = None
        for a in _terms(_expanded(tree.left)):
            quotient = Binary("/", a, tree.right)
            out = quotient if out is None else Binary("+", out, quotient)
        return out or tree
    return tree


def _other_signs(tree: Expr) -> list[Expr]:
    """The tree with one sign changed."""
    out: list[Expr] = [tree.operand if isinstance(tree, Negative) else Negative(tree)]
    if isinstance(tree, Binary) and tree.operator in ("+", "-"):
        flipped = "-" if tree.operator == "+" else "+"
        out.append(Binary(flipped, tree.left, tree.right))
        out += [Binary(tree.operator, t, tree.right) for t in _other_signs(tree.left)]
    elif isinstance(tree, Binary):
        out += [Binary(tree.operator, t, tree.right) for t in _other_signs(tree.left)[1:]]
        out += [Binary(tree.operator, tree.left, t) for t in _other_signs(tree.right)[1:]]
    return out
