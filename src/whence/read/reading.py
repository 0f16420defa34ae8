"""A text as a person typed it, read: which dialect it is in, its lines in the canonical language, what was decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError, WhenceError
from whence.ops.table import CONSTANTS
from whence.read.context import Context, as_number, make_context
from whence.read.declarations import shape_from_data
from whence.read.dialects import CANONICAL, CODE, Dialect, choose
from whence.read.lines import Line, read_lines, segments_of
from whence.read.parser import parse_expression
from whence.read.program import program_in
from whence.read.syntax import Call, Expr, Name
from whence.read.vocabulary import entry
from whence.read.walk import names_in, names_of, walk


@dataclass(frozen=True)
class Reading:
    """How a text was read: its dialect, its lines, and what had to be decided."""

    dialect: Dialect
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    counts: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # of a program: N = X.shape[1]


def read_typed(text: str, given: Mapping[str, Any] | None = None, dialect: str | None = None) -> Reading:
    """The formulas of a text as a person typed it; `given` declares variables, functions and definitions.

    Raises ReadError with the place of what cannot be read, LimitError beyond the caps.

    >>> read_typed("dZ^[1] = W^[2]T dZ^[2] * g'(Z^[1])").lines[0].canonical()
    'dZ1 = W2.T @ dZ2 * g_prime(Z1)'
    """
    try:
        chosen, why = choose(text, dialect)
        if chosen is CANONICAL:  # it is Python, and typed text may leave more open than the language does
            chosen = CODE
        context = _context(chosen, given or {})
        program = program_in(text, chosen, again=False)
        for note in program.notes if program else ():
            context.note(note)
        lines, context = read_lines(program.segments() if program else segments_of(text, chosen), context)
        if not lines:
            raise ReadError("empty-formula", line=1, column=1)
        context.note_unknown()
    except WhenceError as error:
        error.source = error.source or text
        raise
    return Reading(chosen, tuple(lines), (why, *context.notes), program.counts if program else {})


def _context(dialect: Dialect, given: Mapping[str, Any]) -> Context:
    functions = given.get("functions") or ()
    context = make_context(dialect, functions=functions, closed=bool(functions))
    for name, sizes in (given.get("variables") or {}).items():
        whole = [int(size) if isinstance(size, str) and size.isdigit() else size for size in sizes]
        context.declare(name, shape_from_data(whole, name))
    for text in given.get("definitions") or ():
        _define(context, text)
    return context


def _define(context: Context, text: str) -> None:
    """A definition that comes with the text; of a tuple, `cache = (A, W)`, each item."""
    name, _, body = text.partition("=")
    name = name.strip()
    unpacked = re.fullmatch(r"\s*\(([\w, ]+)\)\s*", body)
    if unpacked is None:
        context.definitions[name] = parse_expression(body, dialect="canonical", functions=context.functions)
        context.names.add(name)
        return
    for k, item in enumerate(unpacked.group(1).split(",")):
        context.definitions[f"{name}[{k}]"] = Name(item.strip())


def check_declared(reading: Reading, given: Mapping[str, Any]) -> None:
    """ReadError `unknown-name` for a name in a formula that is none of those declared, where variables are declared.

    A name that was taken apart wrongly, such as yi for the entry of y, would else pass as a quantity of its own.
    """
    variables = given.get("variables") or {}
    if not variables:
        return
    known = {*variables, *(str(size) for shape in variables.values() for size in shape), *reading.dialect.scalars}
    known.update(text.partition("=")[0].strip() for text in given.get("definitions") or ())
    known.update(name for line in reading.lines for name in (line.target, line.parameter))
    known.update(name for line in reading.lines for name in _sizes_in(line.expression))
    for line in reading.lines:
        for name, span in names_of(line.expression):
            if name not in known and name not in CONSTANTS and as_number(name) not in reading.notes:
                near = nearest(name, sorted(variables))
                help = f"Did you mean {near[0]}?" if near else f"Declared are: {', '.join(variables)}."
                raise ReadError(
                    "unknown-name", line=span.line, column=span.column, end=span.end, found=name, help=help
                )


def _sizes_in(expr: Expr) -> set[str]:
    """The names that a formula gives as sizes: N and D of ones(N, D), which takes no array."""
    calls = [node for node in walk(expr) if isinstance(node, Call)]
    sized = [call for call in calls if (op := entry(call.name)) is not None and op.takes.islower()]
    return {name for call in sized for argument in call.arguments for name in names_in(argument)}
