"""One line of a batch: a problem in JSON to a `Problem`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from whence.messages.errors import ReadError, WhenceError
from whence.read.context import make_context
from whence.read.declarations import assumptions_from_data, shape_from_data
from whence.read.dialects import CANONICAL
from whence.read.model import Reader
from whence.read.parser import lex, parse_tokens
from whence.read.syntax import Expr, Model, Span

_LAYOUTS = ("matrix", "vec")
_ORDER_LIMIT = 4


@dataclass(frozen=True)
class Problem:
    """What is differentiated (`expression`, over the model's names), by what, and how it is to be written."""

    id: str
    model: Model
    expression: Expr
    wrt: tuple[str, ...]
    adjoints: dict[str, str] = field(default_factory=dict)
    layout: str = "matrix"
    structured: bool = False


def problem_from_json(item: Any) -> Problem:
    """The problem of one line of a batch (a parsed JSON object). Unknown fields are ignored.

    The formulas are in the canonical language. Lines are counted over the definitions, the expression last.
    Raises ReadError for a field that is missing or of the wrong kind, and for formulas that cannot be read.

    >>> p = problem_from_json({"id": "a", "variables": {"x": ["n"]}, "expression": "x.T @ x", "wrt": ["x"]})
    >>> p.model.shapes, p.wrt
    ({'x': ('n', 1)}, ('x',))
    """
    if not isinstance(item, dict):
        raise _bad("whole line", "one JSON object")
    reader = Reader(make_context(CANONICAL, functions=_functions(item), closed=True, forced=True))
    _declare(reader, item)
    definitions = _strings(item, "definitions", optional=True)
    _define(reader, definitions)
    expression = _formula(reader, _string(item, "expression"), len(definitions) + 1)
    reader.check_assumed((expression,))
    model = reader.model((), "\n".join([*definitions, item["expression"]]))
    wrt = tuple(_strings(item, "wrt"))
    known = {*model.shapes, *model.targets}
    if not 1 <= len(wrt) <= _ORDER_LIMIT:
        raise _bad("wrt", f"a list of one to {_ORDER_LIMIT} names")
    for name in wrt:
        if name not in known:
            raise ReadError("unknown-target", line=1, column=1, found=name[:64], expected=", ".join(sorted(known)))
    layout = item.get("layout", "matrix")
    if layout not in _LAYOUTS:
        raise _bad("layout", "one of matrix, vec")
    structured = item.get("structured", False)
    if not isinstance(structured, bool):
        raise _bad("structured", "true or false")
    return Problem(_id(item), model, expression, wrt, _adjoints(item, known), layout, structured)


def _declare(reader: Reader, item: dict[str, Any]) -> None:
    place = Span(1, 1, 1, 2)
    variables = item.get("variables")
    if not isinstance(variables, dict):
        raise _bad("variables", "an object of names and shapes")
    for name in reader.context.functions:
        _check_word(name, "functions")
    for name in _functions(item):
        reader.declare_function(name, place)
    for name, value in variables.items():
        _check_word(name, "variables")
        reader.declare_shape(name, shape_from_data(value, f"variables.{name}"), 0, place)
    reader.check_sizes()
    assume = item.get("assume", {})
    if not isinstance(assume, dict):
        raise _bad("assume", "an object of names and assumptions")
    for name, words in assumptions_from_data(assume).items():
        reader.assume(name, words, place, name)


def _define(reader: Reader, definitions: list[str]) -> None:
    first: dict[str, int] = {}
    lines = []
    for number, text in enumerate(definitions, start=1):
        try:
            line = reader.line_of(text, number, 0)
            if line is None or not line.target or line.parameter:
                raise ReadError("bad-target", line=number, column=1, found=text[:40])
            reader.check_target(line, first)
        except WhenceError as error:
            error.source = error.source or text
            raise
        lines.append(line)
    reader.context.names.update(first)
    for line in lines:
        try:
            reader.add(line.target, line.place, reader.expression(line), line.text)
        except WhenceError as error:
            error.source = error.source or definitions[line.place.line - 1]
            raise
    reader.check_order()


def _formula(reader: Reader, text: str, line: int) -> Expr:
    try:
        return parse_tokens(lex(text, reader.context, line), reader.context)
    except WhenceError as error:
        error.source = error.source or text
        raise


def _id(item: dict[str, Any]) -> str:
    value = item.get("id", "")
    if not isinstance(value, str | int):
        raise _bad("id", "a text")
    return str(value)


def _functions(item: dict[str, Any]) -> list[str]:
    value = item.get("functions", {})
    if not isinstance(value, dict) or any(kind != "elementwise" for kind in value.values()):
        raise _bad("functions", 'an object of names, each "elementwise"')
    return list(value)


def _adjoints(item: dict[str, Any], known: set[str]) -> dict[str, str]:
    value = item.get("adjoints", {})
    if not isinstance(value, dict):
        raise _bad("adjoints", "an object of names")
    for name, of in value.items():
        _check_word(name, "adjoints")
        if not isinstance(of, str) or of not in known or name in known:
            raise _bad(f"adjoints.{name}"[:64], "a variable or a defined name, under a name of its own")
    return dict(value)


def _string(item: dict[str, Any], field_name: str) -> str:
    value = item.get(field_name)
    if not isinstance(value, str):
        raise _bad(field_name, "a text")
    return value


def _strings(item: dict[str, Any], field_name: str, *, optional: bool = False) -> list[str]:
    value = item.get(field_name, [] if optional else None)
    if not isinstance(value, list) or any(not isinstance(text, str) for text in value):
        raise _bad(field_name, "a list of texts")
    return value


def _check_word(name: Any, field_name: str) -> None:
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier() or len(name) > 64:
        raise _bad(f"{field_name}.{str(name)[:40]}", "a name of letters, digits and underscores")


def _bad(field_name: str, expected: str) -> ReadError:
    return ReadError("bad-problem", line=1, column=1, found=field_name, expected=expected)
