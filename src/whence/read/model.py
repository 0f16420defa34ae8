"""A model text to a `Model`: lines, declarations, functions defined in a line, and how it all was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import Any

from whence.messages.catalogue import nearest
from whence.messages.errors import LimitError, ReadError, WhenceError
from whence.read.context import Context, make_context
from whence.read.declarations import (
    assumptions_from_data,
    assumptions_from_text,
    check_types,
    items,
    shape_from_data,
    shape_from_text,
    symbols_of,
)
from whence.read.dialects import LECTURE, choose
from whence.read.known import known_shape
from whence.read.letters import is_invisible
from whence.read.lexer import LINE_LIMIT, Token
from whence.read.parser import lex, parse_tokens
from whence.read.places import error_at, span_of
from whence.read.syntax import Binary, Call, Expr, Function, Model, Name, Range, Shape, Span, Statement, Transpose
from whence.read.vocabulary import entry, identity_function, without_primes
from whence.read.walk import check_roles, check_star, children, names_of

LINES_LIMIT = 1_000

_DECLARATION = re.compile(r"\s*(?P<kind>shapes?|assume|functions?)(?=\s+[^\W\d]|\s*$)", re.IGNORECASE)
_ASSIGN = ("=", ":=")


@dataclass(slots=True)
class _Line:
    """A statement before its formula is read. `parameter` only in `f(z) = …`."""

    target: str
    parameter: str
    place: Token  # of the target
    formula: list[Token]
    text: str
    segment: tuple[str, int, int]  # text, line, offset


@dataclass(slots=True)
class Reader:
    """Collects a model line by line. `read_model` and the batch's problems fill it."""

    context: Context
    shapes: dict[str, Shape] = field(default_factory=dict)
    assumptions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    declared_at: dict[str, int] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    defined: dict[str, Function] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)  # declared names as they were typed
    assumed_at: dict[str, tuple[Span, str]] = field(default_factory=dict)  # the first place, and its text

    # -- declarations

    def declare_shape(self, name: str, shape: Shape, line: int, place: Span) -> None:
        """Record a declared variable and the sizes of its shape."""
        self.check_name(name, place)
        if name in self.context.functions:
            raise _at("function-and-variable", place, name)
        if name in self.shapes and self.shapes[name] != shape:
            raise _at("declared-twice", place, name)
        self.shapes[name] = self.context.shapes[name] = shape
        self.declared_at.setdefault(name, line)
        self.context.names.add(name)
        self.context.scalars.update(symbols_of(shape))
        if shape == () or shape == (1, 1):
            self.context.scalars.add(name)
        if len(shape) == 2 and shape[0] == shape[1]:
            self.context.squares.add(name)

    def check_typed(self, name: str, typed: str, place: Span) -> None:
        """W_1 and W1 are one name: declaring both is a slip, even with one shape."""
        first = self.typed.setdefault(name, typed)
        if first != typed:
            help = f"{first} and {typed} are one name here, {name}: leave one out, or rename it."
            raise _at("declared-twice", place, typed, help=help)
        self.context.spelling(name, typed)

    def assume(self, name: str, words: tuple[str, ...], place: Span, source: str) -> None:
        """Add what is assumed of a name."""
        self.assumptions[name] = tuple(dict.fromkeys((*self.assumptions.get(name, ()), *words)))
        self.assumed_at.setdefault(name, (place, source))

    def check_assumed(self, used: Iterable[Expr] = ()) -> None:
        """What is assumed is assumed of a name that the model has."""
        exprs = [*(s.expression for s in self.statements), *used]
        known = {*self.shapes, *self.context.scalars, *(s.target for s in self.statements)}
        known.update(name for expr in exprs for name, _ in names_of(expr))
        for name, (place, source) in self.assumed_at.items():
            if name not in known:
                near = nearest(name, sorted(known))
                help = f"Did you mean {near[0]}?" if near else f"Names are: {', '.join(sorted(known))}."
                error = _at("unknown-name", place, name, help=help)
                error.source = source
                raise error

    def check_sizes(self) -> None:
        """A size may be declared as a number, which it is; as anything else it would be two things of one name."""
        sizes = {symbol for shape in self.shapes.values() for symbol in symbols_of(shape)}
        for name in [name for name in self.shapes if name in sizes]:
            if self.shapes[name] == ():
                del self.shapes[name], self.declared_at[name]
            else:
                raise ReadError("size-and-variable", line=self.declared_at[name] or 1, column=1, found=name)

    def declare_function(self, name: str, place: Span) -> None:
        self.check_name(name, place)
        if name in self.shapes:
            raise _at("function-and-variable", place, name)
        if name not in self.functions:
            self.functions.append(name)
        self.context.functions.add(name)

    def check_name(self, name: str, place: Span) -> None:
        if iskeyword(name) or entry(without_primes(name)[0]) is not None or name == "pi":
            raise _at("reserved-name", place, name)

    # -- statements

    def line_of(self, text: str, line: int, offset: int) -> _Line | None:
        """Split a statement at its `=` and read its left side. None for a blank text."""
        bare = make_context(self.context.dialect, functions=self.context.functions)
        bare.spelled = self.context.spelled
        raw = lex(text, bare, line, offset)
        if raw[0].kind == "end":
            return None
        equals = [k for k in _outside_brackets(raw) if raw[k].text in _ASSIGN]
        if len(equals) > 1:
            second = raw[equals[1]]
            raise error_at("two-equals", second)
        if not equals:
            compare = [k for k in _outside_brackets(raw) if raw[k].text == "=="]
            if compare:
                raise error_at("compare-as-statement", raw[compare[0]])
            formula = [] if self.context.dialect.layers else raw
            return _Line("", "", raw[0], formula, text.strip(), (text, line, offset))
        target, parameter = _target(raw[: equals[0]], raw[equals[0]])
        sign = raw[equals[0]]
        cut = sign.end - 1 - offset
        if raw[equals[0] + 1].kind == "end":
            raise error_at("missing-operand", sign, side="right")
        formula = [] if self.context.dialect.layers else raw[equals[0] + 1 :]
        return _Line(target, parameter, raw[0], formula, text.strip(), (text[cut:], line, offset + cut))

    def expression(self, line: _Line) -> Expr:
        """The formula of a line. The lecture's words are taken apart by the names known only now."""
        text, number, offset = line.segment
        return parse_tokens(line.formula or lex(text, self.context, number, offset), self.context)

    def add(self, target: str, place: Token, expr: Expr, text: str) -> None:
        """Add a statement and remember whether its value is a number."""
        if self.context.is_number(expr):
            self.context.scalars.add(target)
        shape = known_shape(expr, self.context.shapes)
        if shape is not None:
            self.context.shapes[target] = shape
        self.statements.append(Statement(target, expr, place.line, text))

    def check_target(self, line: _Line, first: dict[str, int]) -> None:
        """A target is new, not declared, not a size, and no word of the language."""
        place = span_of(line.place)
        self.check_name(line.target, place)
        if line.target in first:
            raise _at("redefined-name", place, line.target, first=first[line.target])
        if line.target in self.context.functions:
            raise _at("function-and-variable", place, line.target)
        if line.target in self.shapes:
            raise _at("declared-and-defined", place, line.target)
        if line.target in self.context.scalars:
            raise _at("size-and-variable", place, line.target)
        first[line.target] = line.place.line

    def check_order(self) -> None:
        """No formula uses a name that is defined in its own line or later."""
        later = {s.target: s.line for s in self.statements}
        for statement in self.statements:
            for name, span in names_of(statement.expression):
                if name in later:
                    raise _at("used-before-defined", span, name, first=later[name])
            del later[statement.target]

    def model(self, notes: Iterable[str], source: str) -> Model:
        self.note_identity()
        for name, token in self.context.unknown.items():
            if name not in self.functions:
                self.functions.append(name)
                self.context.note(f"{name} is read as an unknown function, entry by entry (line {token.line}).")
        return Model(
            statements=tuple(self.statements),
            shapes=self.shapes,
            assumptions=self.assumptions,
            functions=tuple(self.functions),
            defined=self.defined,
            notes=(*notes, *self.context.notes),
            declared_at=self.declared_at,
            assumed_at={name: place for name, (place, text) in self.assumed_at.items() if text == source},
            soft=frozenset(self.context.soft),
            source=source,
        )

    def note_identity(self) -> None:
        """Say it where I is an input: many write it for the identity."""
        names = {name for s in self.statements for name, _ in names_of(s.expression)} - self.context.names
        for name in sorted(names):
            function = identity_function(name)
            if function is not None:
                self.context.note(f"{name} is taken as an input of the model; write {function}(n) for the identity.")


def read_model(
    text: str,
    shapes: str | Mapping[str, Any] | None = None,
    assume: str | Mapping[str, Any] | None = None,
    functions: Iterable[str] | None = None,
    dialect: str | None = None,
) -> Model:
    """The model that a text states: one equation or declaration a line (or between semicolons).

    `shapes` and `assume` add declarations, as text ("X: n x m, b: n") or as a dictionary; `functions`
    names the unknown elementwise functions, and then only those are functions. A last line without `=`
    is the cost. Raises ReadError and LimitError with a code and a place; ReadError `not-a-text` where an argument
    is of another type.

    >>> read_model("Z = W X + b; sum(Z)", shapes="W: k x n, X: n x m, b: k").targets
    ('Z', 'J')
    """
    check_types(text, shapes, assume, functions, dialect)
    try:
        lines = _lines(text)
        style = _style(text, dialect)
        if style:
            from whence.read.elsewhere import read_elsewhere

            reader = Reader(make_context(LECTURE, functions=functions or (), closed=functions is not None))
            return read_elsewhere(reader, text, style, shapes, assume, functions)
        chosen, why = choose(text, dialect)
        context = make_context(chosen, functions=functions or (), closed=functions is not None)
        context.forced = dialect is not None
        reader = Reader(context)
    except WhenceError as error:
        error.source = error.source or text
        raise
    declare_beside(reader, shapes, assume, functions)
    try:
        statements = declarations(reader, lines, text)
        reader.check_sizes()
        _read_statements(reader, statements)
        reader.check_assumed()
    except WhenceError as error:
        error.source = error.source or text
        raise
    return reader.model([why], text)


def _style(text: str, dialect: str | None) -> str:
    """latex, code or octave, where a text is in none of the dialects of this file; "" where it is."""
    from whence.read.elsewhere import STYLES

    if dialect is not None:
        return dialect if dialect in STYLES.values() else ""
    try:
        choose(text)
    except ReadError as error:
        return STYLES.get(str(error.values.get("dialect", "")), "")
    return ""


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > LINES_LIMIT:
        raise LimitError("too-many-lines", line=LINES_LIMIT + 1, column=1, limit=LINES_LIMIT)
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LIMIT:
            found = f"{len(line):,} characters"
            raise LimitError("line-too-long", line=number, column=1, found=found, limit=LINE_LIMIT)
    return lines


def declare_beside(
    reader: Reader,
    shapes: str | Mapping[str, Any] | None,
    assume: str | Mapping[str, Any] | None,
    functions: Iterable[str] | None,
) -> None:
    """The declarations given beside the text."""
    nowhere = Span(1, 1, 1, 2)
    for name in functions or ():
        reader.declare_function(name, nowhere)
    if isinstance(shapes, str):
        _with_source(shapes, lambda: _shape_items(reader, shapes, 1, 0, 0))
    elif shapes is not None:
        for typed, value in shapes.items():
            name = _given_name(reader, typed)
            reader.check_typed(name, typed, nowhere)
            reader.declare_shape(name, shape_from_data(value, name), 0, nowhere)
    _with_source(shapes if isinstance(shapes, str) else "", reader.check_sizes)
    if isinstance(assume, str):
        _with_source(assume, lambda: _assume_items(reader, assume, 1, 0, assume))
    elif assume is not None:
        for typed, words in assumptions_from_data(assume).items():
            reader.assume(_given_name(reader, typed), words, nowhere, typed)


def _given_name(reader: Reader, typed: object) -> str:
    """The name that a key of a dictionary stands for."""
    if not isinstance(typed, str):
        raise ReadError("not-a-text", line=1, column=1, found=type(typed).__name__, expected="A name is a text")
    name = ""

    def read() -> None:
        nonlocal name
        name = _name(reader, typed, 1, 0)

    _with_source(typed, read)
    return name


def _with_source(source: str, work: Any) -> None:
    try:
        work()
    except WhenceError as error:
        error.source = error.source or source
        raise


def declarations(reader: Reader, lines: list[str], source: str) -> list[tuple[str, int, int]]:
    """Read the declarations; the other segments come back with their line and offset."""
    rest: list[tuple[str, int, int]] = []
    for number, line in enumerate(lines, start=1):
        offset = 0
        for segment in line.partition("#")[0].split(";"):
            found = _DECLARATION.match(segment)
            if found is None:
                rest.append((segment, number, offset))
            else:
                _declaration(reader, found, segment, number, offset, source)
            offset += len(segment) + 1
    return rest


def _declaration(reader: Reader, found: re.Match[str], segment: str, line: int, offset: int, source: str) -> None:
    kind = found.group("kind").lower()
    after, start = segment[found.end() :], offset + found.end()
    if not after.strip():
        place = Span(line, start, line, start + 1)
        raise _at("bad-declaration", place, segment.strip())
    if kind.startswith("shape"):
        _shape_items(reader, after, line, start, line)
    elif kind == "assume":
        _assume_items(reader, after, line, start, source)
    else:
        at = start
        for word in after.split(","):
            column = at + len(word) - len(word.lstrip())
            reader.declare_function(_name(reader, word.strip(), line, column), Span(line, column + 1, line, column + 2))
            at += len(word) + 1
        reader.context.closed = True


def _shape_items(reader: Reader, text: str, line: int, offset: int, declared_at: int) -> None:
    for name, at, rest, rest_at in items(text, line, offset):
        shape = shape_from_text(rest, line, rest_at)
        place = Span(line, at + 1, line, at + 1 + len(name))
        key = _name(reader, name, line, at)
        reader.check_typed(key, name, place)
        reader.declare_shape(key, shape, declared_at, place)


def _assume_items(reader: Reader, text: str, line: int, offset: int, source: str) -> None:
    for name, at, rest, rest_at in items(text, line, offset):
        words = assumptions_from_text(rest, line, rest_at)
        place = Span(line, at + 1, line, at + 1 + len(name))
        reader.assume(_name(reader, name, line, at), words, place, source)


def _name(reader: Reader, text: str, line: int, offset: int) -> str:
    """A declared name, which may be typed with its layer: `W^[1]`."""
    tokens = lex(text, make_context(reader.context.dialect), line, offset)
    if len(tokens) != 2 or tokens[0].kind != "word":
        place = Span(line, offset + 1, line, offset + 1 + max(1, len(text)))
        raise _at("bad-declaration", place, text)
    return tokens[0].text


def _read_statements(reader: Reader, segments: list[tuple[str, int, int]]) -> None:
    read = [line for line in (reader.line_of(*segment) for segment in segments) if line is not None]
    if not read:
        line, column = (segments[0][1], segments[0][2] + 1) if segments else (1, 1)
        raise ReadError("empty-formula", line=line, column=column)
    for line in read[:-1]:
        if not line.target:
            raise error_at("line-without-name", line.place)
    if not read[-1].target:
        read[-1].target = cost_name(reader, {line.target for line in read}, read[-1].place.line)
    statements = _definitions(reader, read)
    first: dict[str, int] = {}
    for line in statements:
        reader.check_target(line, first)
    reader.context.names.update(first)
    for line in statements:
        reader.add(line.target, line.place, reader.expression(line), line.text)
    check_star(reader.context)
    check_roles((s.expression for s in reader.statements), reader.context)
    reader.check_order()


def cost_name(reader: Reader, targets: set[str], line: int) -> str:
    """The name of a last line that has none."""
    taken = targets | set(reader.shapes) | reader.context.scalars
    name = next((word for word in ("J", "cost") if word not in taken), "")
    if not name:
        raise ReadError("line-without-name", line=line, column=1)
    reader.context.note(f"The last line has no name; it is called {name}.")
    return name


def _definitions(reader: Reader, lines: list[_Line]) -> list[_Line]:
    """Take out the functions that the model defines; the other lines come back.

    `swish(z) = z*sigmoid(z)` defines a function; `J(w) = …` and `f(x) = x'A x` name a quantity and what it
    depends on.
    """
    rest: list[_Line] = []
    for line in lines:
        if not line.parameter:
            rest.append(line)
            continue
        if line.target[0].isupper() or line.parameter in reader.context.names:
            reader.context.note(f"{line.target}({line.parameter}) is read as the quantity {line.target}.")
            rest.append(line)
            continue
        place = span_of(line.place)
        reader.check_name(line.target, place)
        if line.target in reader.defined:
            raise _at("redefined-name", place, line.target, first=reader.defined[line.target].line)
        if line.target in reader.shapes or line.target in reader.functions:
            raise _at("declared-and-defined", place, line.target)
        reader.context.names.add(line.parameter)
        body = reader.expression(line)
        reader.context.names.discard(line.parameter)
        _check_elementwise(line, body)
        reader.defined[line.target] = Function(line.target, line.parameter, body, line.place.line)
        reader.context.functions.add(line.target)
    for name, function in reader.defined.items():
        if name in reader.context.unknown:
            raise error_at("used-before-defined", reader.context.unknown[name], first=function.line)
    return rest


def _check_elementwise(line: _Line, body: Expr) -> None:
    stack: list[Expr | Range] = [body]
    while stack:
        node = stack.pop()
        wrong = isinstance(node, Transpose | Range) or (isinstance(node, Binary) and node.operator == "@")
        if isinstance(node, Call):
            op = entry(without_primes(node.name)[0])
            wrong = op is not None and op.kind != "elementwise"
        if isinstance(node, Name):
            wrong = node.id not in (line.parameter, "pi")
        if wrong:
            raise _at("function-not-elementwise", node.span, line.target)
        stack.extend(children(node))


def _target(left: list[Token], sign: Token) -> tuple[str, str]:
    """The name that a line defines, and the parameter of `f(z) = …`."""
    kinds = [t.kind if t.kind == "word" else t.text for t in left]
    if kinds == ["word"]:
        return left[0].text, ""
    if kinds == ["word", "(", "word", ")"]:
        return left[0].text, left[2].text
    if not left:
        raise error_at("missing-operand", sign, side="left")
    place = left[1] if len(left) > 1 and left[1].text == "[" else left[0]
    raise error_at("bad-target", place)


def _outside_brackets(tokens: list[Token]) -> list[int]:
    """The places of the tokens that stand in no bracket."""
    out, depth = [], 0
    for k, token in enumerate(tokens):
        if token.kind == "op" and token.text in ("(", "[", "{"):
            depth += 1
        elif token.kind == "op" and token.text in (")", "]", "}"):
            depth -= 1
        elif depth <= 0:
            out.append(k)
    return out


def _at(code: str, place: Span, found: str, **values: Any) -> ReadError:
    found = "".join(c for c in found if not is_invisible(c))[:80]
    return ReadError(code, line=place.line, column=place.column, end=place.end, found=found, **values)
