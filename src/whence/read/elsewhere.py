"""Models typed in LaTeX, Octave or code: their formulas are read as typed, the rest as in any model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from whence.messages.errors import ReadError
from whence.read.model import Reader, cost_name, declarations, declare_beside
from whence.read.places import error_at
from whence.read.syntax import Model, Statement
from whence.read.typing import Line, clean, lex_typed, line_typed
from whence.read.walk import check_roles

STYLES = {"LaTeX": "latex", "Python code": "code", "Octave": "octave"}


def read_elsewhere(
    reader: Reader,
    text: str,
    style: str,
    shapes: str | Mapping[str, Any] | None,
    assume: str | Mapping[str, Any] | None,
    functions: Iterable[str] | None,
) -> Model:
    """The model of a text in another style than a slide's. Raises ReadError as `read_model` does."""
    declare_beside(reader, shapes, assume, functions)
    lines = text.split("\n")
    kept = declarations(reader, lines, text)
    stands = {number for segment, number, _ in kept if segment.strip()}
    formulas = "\n".join(line if k in stands else "" for k, line in enumerate(lines, start=1))
    reader.check_sizes()
    context = reader.context
    for symbol in context.scalars:
        context.shapes.setdefault(symbol, ())
    read: list[tuple[Line, str]] = []
    for segment, number, offset in clean(formulas, style):
        tokens = lex_typed(style, segment, number, offset)
        line = line_typed(tokens, context, style, number)
        if line is None:
            continue
        if line.left is not None:
            raise error_at("bad-target", tokens[0])
        if line.target in {earlier.target for earlier, _ in read}:
            first = next(earlier.number for earlier, _ in read if earlier.target == line.target)
            raise error_at("redefined-name", tokens[0], found=line.target, first=first)
        if line.target in reader.shapes:
            raise error_at("declared-and-defined", tokens[0], found=line.target)
        read.append((line, segment.strip()))
    unnamed = [line for line, _ in read[:-1] if not line.target]
    if unnamed:
        raise ReadError("line-without-name", line=unnamed[0].number, column=1)
    for line, typed in read:
        target = line.target or cost_name(reader, {other.target for other, _ in read}, line.number)
        reader.statements.append(Statement(target, line.expression, line.number, typed))
    check_roles((s.expression for s in reader.statements), context)
    reader.check_order()
    reader.check_assumed()
    return reader.model([f"Read as {style}: see whence read --help for the styles."], text)
