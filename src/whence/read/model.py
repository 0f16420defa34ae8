"""A model text to a `Model`: lines, declarations, functions defined in a line, and how it all was read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any

from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError, WhenceError
from whence.read.context import Context, make_context
from whence.read.declarations import (
    assumptions_from_data,
    assumptions_from_text,
    check_types,
    items,
    shape_from_data,
    shape_from_text,
)
from whence.read.dialects import choose
from whence.read.letters import is_invisible
from whence.read.lexer import Token
from whence.read.lines import Line, Segment, lines_of, name_of, read_lines, segments_of, signs_of
from whence.read.parser import lex, parse_tokens
from whence.read.places import error_at, span_of
from whence.read.program import Program, program_in
from whence.read.syntax import (
    Binary,
    Call,
    Expr,
    Function,
    Model,
    Name,
    Range,
    Shape,
    Span,
    Statement,
    Transpose,
    symbols_of,
)
from whence.read.vocabulary import entry, identity_function, without_primes
from whence.read.walk import check_roles, children, names_of

_DECLARATION = re.compile(r"\s*(?P<kind>shapes?|assume|functions?)(?=\s+[^\W\d]|\s*$)", re.IGNORECASE)


@dataclass(slots=True)
class _Line:
    """A statement before its formula is read. `parameter` only in `f(z) = …`."""

    target: str
    parameter: str
    place: Token  # of the target
    formula: list[Token]
    text: str


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
        self.shapes[name] = shape
        self.declared_at.setdefault(name, line)
        self.context.declare(name, shape)

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
        """Split a statement of the canonical language at its `=`. None for a blank text."""
        raw = lex(text, self.context, line, offset)
        if raw[0].kind == "end":
            return None
        equals = [k for k in signs_of(raw) if raw[k].text != "=="]
        if len(equals) > 1:
            raise error_at("two-equals", raw[equals[1]])
        if not equals:
            compare = signs_of(raw)
            if compare:
                raise error_at("compare-as-statement", raw[compare[0]])
            return _Line("", "", raw[0], raw, text.strip())
        target, parameter = _target(raw[: equals[0]], raw[equals[0]])
        if raw[equals[0] + 1].kind == "end":
            raise error_at("missing-operand", raw[equals[0]], side="right")
        return _Line(target, parameter, raw[0], raw[equals[0] + 1 :], text.strip())

    def expression(self, line: _Line) -> Expr:
        """The formula of a line of the canonical language."""
        return parse_tokens(line.formula, self.context)

    def add(self, target: str, place: Token, expr: Expr, text: str) -> None:
        """Add a statement and remember whether its value is a number."""
        if self.context.is_number(expr):
            self.context.scalars.add(target)
        self.statements.append(Statement(target, expr, place.line, text))

    def check_target(self, line: _Line | Line, first: dict[str, int]) -> None:
        """A target is new, not declared, not a size, and no word of the language."""
        place = span_of(line.place)
        self.check_name(line.target, place)
        if line.target in first:
            raise _at("redefined-name", place, line.target, first=first[line.target])
        if line.target in self.context.functions:
            raise _at("function-and-variable", place, line.target)
        if line.target in self.shapes:
            raise _at("declared-and-defined", place, line.target)
        if any(line.target in symbols_of(shape) for shape in self.shapes.values()):
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
        self.functions += self.context.note_unknown(self.functions)
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
        lines = lines_of(text)
        chosen, why = choose(text, dialect)
        context = make_context(chosen, functions=functions or (), closed=functions is not None)
        context.forced = dialect is not None
        reader = Reader(context)
    except WhenceError as error:
        error.source = error.source or text
        raise
    _declare(reader, shapes, assume, functions)
    try:
        statements = _declarations(reader, lines, text)
        reader.check_sizes()
        _read_statements(reader, statements, text)
        reader.check_assumed()
    except WhenceError as error:
        error.source = error.source or text
        raise
    return reader.model([why], text)


def _declare(
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


def _declarations(reader: Reader, lines: list[str], source: str) -> list[Segment]:
    """Read the declarations; the other segments come back with their line and offset."""
    rest: list[Segment] = []
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
    try:
        name = name_of(text, line, offset)
    except WhenceError:
        name = ""
    if not name:
        place = Span(line, offset + 1, line, offset + 1 + max(1, len(text)))
        raise _at("bad-declaration", place, text)
    return name


def _read_statements(reader: Reader, segments: list[Segment], text: str) -> None:
    formulas = _without_declarations(segments, text)
    program = program_in(formulas, reader.context.dialect)
    if program is not None:
        _declare_program(reader, program)
        segments = program.segments()
    if reader.context.dialect.typed:
        read, reader.context = read_lines(
            segments if program else segments_of(formulas, reader.context.dialect), reader.context
        )
    else:
        read = _canonical_lines(reader, segments)
    if not read:
        raise ReadError("empty-formula", line=1, column=1)
    _check_lines(read)
    last = read[-1]
    if not last.target:
        read[-1] = replace(last, target=_cost_name(reader, {line.target for line in read}, last.place))
    first: dict[str, int] = {}
    for line in _definitions(reader, read):
        reader.check_target(line, first)
        reader.add(line.target, line.place, line.expression, line.text)
    check_roles((s.expression for s in reader.statements), reader.context)
    reader.check_order()


def _declare_program(reader: Reader, program: Program) -> None:
    """What a program says of its inputs, and how it was read."""
    for note in program.notes:
        reader.context.note(note)
    for name, shape in program.shapes.items():
        if name not in reader.shapes:
            reader.declare_shape(name, shape, 0, Span(1, 1, 1, 2))


def _without_declarations(segments: list[Segment], text: str) -> str:
    """The text with blanks in the place of its declarations."""
    typed = lines_of(text)
    lines = [" " * len(line) for line in typed]
    for segment, number, offset in segments:
        line = lines[number - 1]
        behind = offset + len(segment)
        sign = ";" if typed[number - 1].startswith(";", behind) else ""
        lines[number - 1] = line[:offset] + segment + sign + line[behind + len(sign) :]
    return "\n".join(lines)


def _check_lines(lines: list[Line]) -> None:
    """Each line but the last names what it defines, once."""
    for line in lines:
        if line.second is not None:
            raise error_at("two-equals", line.second)
        if line.left is not None:
            raise error_at("bad-target", line.place)
    for line in lines[:-1]:
        if not line.target:
            raise error_at("line-without-name", line.place)


def _canonical_lines(reader: Reader, segments: list[Segment]) -> list[Line]:
    """The lines of a text in the canonical language; a function is known from its definition on."""
    split = [line for line in (reader.line_of(*segment) for segment in segments) if line is not None]
    context = reader.context
    quantities = [line for line in split if not _defines_function(reader, line)]
    context.names.update(line.target for line in quantities if line.target and line.target not in context.functions)
    read: list[Line] = []
    for line in split:
        if line in quantities:
            read.append(Line(line.target, "", None, reader.expression(line), line.place, line.text))
            continue
        context.names.add(line.parameter)
        body = reader.expression(line)
        context.names.discard(line.parameter)
        context.functions.add(line.target)
        read.append(Line(line.target, line.parameter, None, body, line.place, line.text))
    return read


def _defines_function(reader: Reader, line: _Line) -> bool:
    """`swish(z) = z*sigmoid(z)` defines a function; `J(w) = …` and `f(x) = x'A x` name what depends on something."""
    if not line.parameter:
        return False
    if line.target[0].isupper() or line.parameter in reader.context.names:
        reader.context.note(f"{line.target}({line.parameter}) is read as the quantity {line.target}.")
        return False
    return True


def _cost_name(reader: Reader, targets: set[str], place: Token) -> str:
    """The name of a last line that has none."""
    taken = targets | set(reader.shapes) | reader.context.scalars
    name = next((word for word in ("J", "cost") if word not in taken), "")
    if not name:
        raise error_at("line-without-name", place)
    reader.context.note(f"The last line has no name; it is called {name}.")
    return name


def _definitions(reader: Reader, lines: list[Line]) -> list[Line]:
    """Take out the functions that the model defines; the other lines come back."""
    rest: list[Line] = []
    for line in lines:
        if not line.parameter:
            rest.append(line)
            continue
        place = span_of(line.place)
        reader.check_name(line.target, place)
        if line.target in reader.defined:
            raise _at("redefined-name", place, line.target, first=reader.defined[line.target].line)
        if line.target in reader.shapes or line.target in reader.functions:
            raise _at("declared-and-defined", place, line.target)
        _check_elementwise(line)
        reader.defined[line.target] = Function(line.target, line.parameter, line.expression, line.place.line)
    for name, function in reader.defined.items():
        if name in reader.context.unknown:
            raise error_at("used-before-defined", reader.context.unknown[name], first=function.line)
    return rest


def _check_elementwise(line: Line) -> None:
    stack: list[Expr | Range] = [line.expression]
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


def _at(code: str, place: Span, found: str, **values: Any) -> ReadError:
    found = "".join(c for c in found if not is_invisible(c))[:80]
    return ReadError(code, line=place.line, column=place.column, end=place.end, found=found, **values)
