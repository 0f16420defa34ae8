"""A person's formulas to syntax trees. The one place where answers are read: every notation comes in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whence.messages.errors import ReadError, WhenceError
from whence.read.dialects import CANONICAL
from whence.read.lines import lines_of
from whence.read.parser import parse_expression
from whence.read.reading import read_typed
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

    def given(self) -> dict[str, object]:
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
    """The lines of a text in whatever notation: a slide, LaTeX, NumPy, Octave. Raises ReadError, LimitError."""
    reading = read_typed(text, known.given(), dialect)
    out = []
    for line in reading.lines:
        if line.left is not None or line.parameter:
            place = line.place
            found = line.canonical()[:40]
            raise ReadError("bad-target", line=place.line, column=place.column, found=found, source=text)
        out.append(Written(line.canonical(), line.target, line.expression))
    return Script(tuple(out), reading.notes)


def as_typed_each(text: str, known: Known, dialect: str | None = None) -> Script:
    """The same, but a line that cannot be read does not stop the others. Raises LimitError."""
    try:
        return as_typed(text, known, dialect)
    except ReadError:
        pass
    out: list[Written] = []
    notes: dict[str, None] = {}
    for whole in lines_of(text):
        try:
            script = as_typed(whole, known, dialect)
        except ReadError as error:
            if error.code != "empty-formula":
                out.append(Written(whole.strip(), split_line(whole)[0], None, error.message))
            continue
        out += script.lines
        notes |= dict.fromkeys(script.notes)
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
