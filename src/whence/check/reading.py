"""A person's formulas to syntax trees. The one place where answers are read: every notation comes in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from whence.messages.errors import ReadError, WhenceError
from whence.messages.mistakes import SIZE_NOTE
from whence.read.dialects import CANONICAL, choose
from whence.read.lines import lines_of
from whence.read.parser import parse_expression
from whence.read.program import program_in
from whence.read.reading import Reading, read_typed
from whence.read.substitute import substituted
from whence.read.syntax import Expr
from whence.shapes.words import Sizes, claim_shape


@dataclass(frozen=True)
class Known:
    """The names that an answer may use, with their shapes, and the functions of the model."""

    shapes: Mapping[str, Sizes]
    functions: Sequence[str]
    sizes: Iterable[str] = ()

    @property
    def names(self) -> list[str]:
        return sorted({*self.shapes, *self.sizes})

    def given(self) -> dict[str, Any]:
        """What the reader of typed text is told."""
        declared = {name: list(claim_shape(shape)) for name, shape in self.shapes.items()}
        return {"variables": declared, "functions": list(self.functions)}


@dataclass(frozen=True)
class Written:
    """One line that a person wrote: what it names, its formula, or why that could not be read."""

    text: str
    name: str
    tree: Expr | None
    problem: str = ""


@dataclass(frozen=True)
class Script:
    """The lines that a person wrote, and how they were read."""

    lines: tuple[Written, ...]
    notes: tuple[str, ...] = ()


def as_typed(text: str, known: Known, dialect: str | None = None) -> Script:
    """The lines of a text in whatever notation: a slide, LaTeX, NumPy, Octave, or a pasted program.

    Raises ReadError, LimitError. A line of a program that cannot be read does not stop the others.
    """
    try:
        return _whole(text, known, dialect)
    except ReadError:
        chosen, _ = choose(text, dialect)
        if program_in(text, chosen, again=False) is None:
            raise
        script = as_typed_each(text, known, dialect)
        if all(line.tree is None for line in script.lines):
            raise
        return script


def _whole(text: str, known: Known, dialect: str | None) -> Script:
    reading = read_typed(text, known.given(), dialect)
    sizes, notes = _sizes(reading, known)
    out = []
    for line in reading.lines:
        if line.left is not None or line.parameter:
            place = line.place
            found = line.canonical()[:40]
            raise ReadError("bad-target", line=place.line, column=place.column, found=found, source=text)
        out.append(Written(line.canonical(), line.target, substituted(line.expression, sizes)))
    return Script(tuple(out), (*reading.notes, *notes))


def _sizes(reading: Reading, known: Known) -> tuple[dict[str, Expr], list[str]]:
    """What a program's own names of sizes are in the model: N = X.shape[0] is m."""
    out: dict[str, Expr] = {}
    notes = []
    for name, (array, axis) in reading.counts.items():
        shape = known.shapes.get(array, ())
        if name not in known.names and -len(shape) <= axis < len(shape):
            size = str(shape[axis])
            out[name] = parse_expression(size, names=known.names, dialect=CANONICAL.name)
            notes.append(SIZE_NOTE.format(name=name, size=size, array=array))
    return out, notes


def as_typed_each(text: str, known: Known, dialect: str | None = None) -> Script:
    """The same, but a line that cannot be read never stops the others. Raises LimitError."""
    try:
        return _whole(text, known, dialect)
    except ReadError:
        pass
    chosen, why = choose(text, dialect)
    try:
        program = program_in(text, chosen, again=False)
    except ReadError:
        program = None
    out: list[Written] = []
    notes = dict.fromkeys((why, *(program.notes if program else ())))
    for part in [segment[0] for segment in program.segments()] if program else lines_of(text):
        try:
            script = _whole(part, known, chosen.name)
        except ReadError as error:
            if error.code != "empty-formula":
                out.append(Written(part.strip(), split_line(part)[0], None, error.message))
            continue
        out += script.lines
        notes |= dict.fromkeys(script.notes[1:])
    return Script(tuple(out), tuple(notes))


def in_batch(texts: Sequence[str], known: Known) -> Script:
    """The lines of a batch, one a text: the canonical language, and what is not of it as typed.

    A line that cannot be read does not stop the others.
    """
    names = [*known.names, *(split_line(text)[0] for text in texts)]
    out: list[Written] = []
    notes: dict[str, None] = {}
    for number, text in enumerate(texts, start=1):
        try:
            line, said = _in_batch(text, known, names, number)
        except WhenceError as error:
            line, said = Written(text, split_line(text)[0], None, error.message), ()
        out.append(line)
        notes |= dict.fromkeys(said)
    return Script(tuple(out), tuple(notes))


def one_in_batch(text: str, known: Known) -> tuple[Expr, tuple[str, ...]]:
    """The formula of an answer of a batch, `dZ1 = ...` or the right side alone, and how it was read.

    Raises ReadError, LimitError.
    """
    line, notes = _in_batch(text, known, known.names, 1)
    assert line.tree is not None
    return line.tree, notes


def _in_batch(text: str, known: Known, names: Iterable[str], number: int) -> tuple[Written, tuple[str, ...]]:
    name, body = split_line(text)
    try:
        return Written(text, name, _canonical(body, known, names, number)), ()
    except WhenceError as error:
        try:
            script = as_typed(text, known)
        except WhenceError:
            script = Script(())
        if len(script.lines) != 1:
            raise error from None
        return Written(text, script.lines[0].name or name, script.lines[0].tree), script.notes


def _canonical(text: str, known: Known, names: Iterable[str], line: int) -> Expr:
    return parse_expression(text, functions=known.functions, names=names, dialect=CANONICAL.name, line=line)


def split_line(text: str) -> tuple[str, str]:
    """The name and the formula of `name = formula`; the name is empty where there is none.

    >>> split_line("dZ2 = (A2 - Y)/m"), split_line("A >= B")
    (('dZ2', '(A2 - Y)/m'), ('', 'A >= B'))
    """
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "=" and not depth and text[k + 1 : k + 2] != "=" and text[k - 1 : k] not in ("<", ">", "!", "="):
            return text[:k].strip(), text[k + 1 :].strip()
    return "", text.strip()
