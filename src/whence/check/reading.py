"""A person's formulas to syntax trees. The one place where answers are read: every dialect comes in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whence.messages.errors import ReadError, WhenceError
from whence.read.context import make_context
from whence.read.dialects import CANONICAL
from whence.read.parser import lex, parse_tokens
from whence.read.syntax import Expr
from whence.read.reading import read_typed
from whence.shapes.words import Sizes, claim_shape


@dataclass(frozen=True)
class Written:
    """One line that a person wrote: what it names, its formula, or why that could not be read."""

    text: str
    name: str
    tree: Expr | None
    problem: str = ""


def read_formula(text: str, *, functions: Iterable[str], names: Iterable[str], line: int = 1) -> Expr:
    """The syntax tree of an answer in the canonical language, as written: nothing is repaired. Raises ReadError."""
    try:
        context = make_context(CANONICAL, functions=functions, names=names, closed=True, forced=True)
        return parse_tokens(lex(text, context, line), context)
    except WhenceError as error:
        error.source = error.source or text
        raise


def read_canonical(texts: Sequence[str], functions: Iterable[str], names: Iterable[str]) -> list[Written]:
    """The lines of a derivation in the canonical language; one that cannot be read does not stop the others."""
    halves = [split_line(text) for text in texts]
    known = [*names, *(name for name, _ in halves if name)]
    out = []
    for number, (text, (name, body)) in enumerate(zip(texts, halves, strict=True), start=1):
        try:
            out.append(Written(text, name, read_formula(body, functions=functions, names=known, line=number)))
        except WhenceError as error:
            out.append(Written(text, name, None, error.message))
    return out


def read_as_typed(
    text: str, functions: Sequence[str], shapes: Mapping[str, Sizes], dialect: str | None = None
) -> list[Written]:
    """The lines of a text in whatever notation: a slide, LaTeX, NumPy, Octave. Raises ReadError, LimitError."""
    variables = {name: list(claim_shape(shape)) for name, shape in shapes.items()}
    context = {"variables": variables, "functions": list(functions)}
    if dialect == CANONICAL.name:
        lines = [part for whole in text.split("\n") for part in whole.split(";") if part.strip()]
        return read_canonical(lines, functions, variables)
    out = []
    for line in read_typed(text, context, dialect).lines:
        if line.left is not None:
            raise ReadError("bad-target", line=line.number, column=1, found=line.canonical()[:40])
        out.append(Written(line.canonical(), line.target, line.expression))
    return out


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
