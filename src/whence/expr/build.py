"""From the syntax tree to the expression graph.

Which contraction a function stands for is said by its entry in the table (`structure`, `expands`); no function is
known here by its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

from whence.expr.node import FUNCTION, IDENTITY, SUM, Coefficient, Factor, variable
from whence.expr.opaque import elementwise, letters, opaque, placeholders, result_shape, unknown
from whence.expr.products import as_value, commutes, diagonal_of, kron_factors, matrix_chain, oriented, split_scalars
from whence.expr.regroup import Place, entry
from whence.expr.structures import FUNCTIONS, STRUCTURES, compare
from whence.expr.sums import constant, integer, is_zero, product, size, zero
from whence.expr.values import (
    ONE,
    Value,
    core,
    filled,
    full,
    matmul,
    multiply,
    negative,
    power,
    total,
    transposed,
)
from whence.messages.errors import RuleError, UnknownError, WhenceError
from whence.ops.entry import Op
from whence.ops.signature import Parameter, signature
from whence.ops.table import CONSTANTS, TABLE, in_role, lookup, structured_by
from whence.read.parser import parse_expression
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Function,
    Index,
    Name,
    Negative,
    Number,
    Range,
    Text,
    Transpose,
    Tuple,
)
from whence.shapes.dims import Dim

Axis = tuple[int, ...] | None


@dataclass(frozen=True)
class Scope:
    """What names mean while a formula is built."""

    values: Mapping[str, Value]
    functions: frozenset[str] = frozenset()
    defined: Mapping[str, Function] = field(default_factory=dict)
    axis: Axis = None  # what `axis=axis` stands for inside an entry's own text
    locals: Mapping[str, Value] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)  # which function a name stands for: F in frechet(F, X, E)
    sizes: Mapping[str, Dim] = field(default_factory=dict)  # what the letters of an entry's own text stand for


@lru_cache(maxsize=2_000)
def parsed(text: str) -> Expr:
    """A text of the table as a syntax tree."""
    return parse_expression(text, dialect="canonical")


def _refused(error: type[WhenceError], code: str, found: str, expr: Expr | Range) -> WhenceError:
    return error(code, found=found, line=expr.span.line, column=expr.span.column, end=expr.span.end)


def build(expr: Expr, scope: Scope) -> Value:
    """The value of a formula.

    Shapes must have been checked before (shapes/). Raises RuleError for what the graph cannot hold.
    """
    match expr:
        case Number(value=v):
            return filled(integer(v), ())
        case Name(id=name):
            return _name(name, scope, expr)
        case Negative(operand=inner):
            return negative(build(inner, scope))
        case Binary(operator="+" | "-"):
            return _sum(expr, scope)
        case Binary(operator="**"):
            return _power(expr, scope)
        case Binary(operator=op):
            left, right = build(expr.left, scope), build(expr.right, scope)
            return matmul(left, right) if op == "@" else multiply(left, right, -1 if op == "/" else 1)
        case Compare():
            return compare(expr.operator, build(expr.left, scope), build(expr.right, scope))
        case Transpose(operand=inner):
            return transposed(build(inner, scope))
        case Call():
            return _call(expr, scope)
        case Index():
            return _entry(expr, scope)
    raise _refused(RuleError, "outside-scope", type(expr).__name__, expr)


def _name(name: str, scope: Scope, expr: Expr) -> Value:
    v = scope.locals.get(name) or scope.values.get(name)
    if v is None and name in scope.sizes:
        return Value(size(scope.sizes[name]), ())
    if v is None and name in CONSTANTS:
        return Value(variable(name, (), ("positive",)), ())
    if v is None:
        raise _refused(UnknownError, "unknown-name", name, expr)
    return v


def _sum(expr: Expr, scope: Scope) -> Value:
    """A chain of + and - at once, however long."""
    right: list[tuple[int, Expr]] = []
    while isinstance(expr, Binary) and expr.operator in "+-":
        right.append((1 if expr.operator == "+" else -1, expr.right))
        expr = expr.left
    return total([(sign, build(e, scope)) for sign, e in [(1, expr), *reversed(right)]])


def _power(expr: Binary, scope: Scope) -> Value:
    base, exponent = build(expr.left, scope), build(expr.right, scope)
    e = constant(exponent.node)
    if e is None:
        return apply(structured_by("power"), [base, exponent])
    return power(base, e)


# ---------------------------------------------------------------- calls
def _call(expr: Call, scope: Scope) -> Value:
    name = expr.name
    if name in scope.defined:
        f = scope.defined[name]
        return build(f.body, replace(scope, locals={f.parameter: build(expr.arguments[0], scope)}))
    base, order = derivative_order(name, scope)
    if base in scope.functions:
        return unknown(base, order, build(expr.arguments[0], scope))
    op = lookup(name)
    if op is None:
        inner = TABLE.get(base)
        if order != 1 or inner is None or inner.kind != "elementwise":
            raise _refused(UnknownError, "unknown-function", name, expr)
        return slope(inner, build(expr.arguments[0], scope))
    if op.structure in STRUCTURES:
        return _structure(op, expr, scope)
    if not _is_function_of_arrays(op):
        raise _refused(RuleError, "outside-scope", op.name, expr)
    given = expr.arguments
    word = ""
    if op.functions and isinstance(given[0], Name):
        word, given = scope.words.get(given[0].id, given[0].id), given[1:]
    count = len(placeholders(op))
    arguments = [build(a, scope) for a in given[:count]]
    axis = _axis(expr, count, arguments[0], scope) if signature(op).axis else None
    return apply(op, arguments, axis, word)


def _is_function_of_arrays(op: Op) -> bool:
    if op.structure and op.structure not in FUNCTIONS:
        return False
    return all(p.kind in ("array", "name") for p in signature(op).ways[0].parameters)


def _structure(op: Op, expr: Call, scope: Scope) -> Value:
    """A contraction of the arguments, each read as the entry's signature says."""
    how = signature(op)
    parameters = how.ways[0].parameters
    if parameters[-1].many:
        parameters = (*parameters[:-1], *[parameters[-1]] * (len(expr.arguments) - len(parameters) + 1))
    arguments = [_argument(p, a, scope) for p, a in zip(parameters, expr.arguments, strict=False)]
    if how.axis:
        first = arguments[0]
        assert isinstance(first, Value)
        arguments.append(_axis(expr, len(parameters), first, scope))
    base, last = arguments[0], arguments[-1]
    if isinstance(base, Value) and isinstance(last, int) and last < 0:
        arguments = [apply(in_role("inverse"), [base]), -last]
    return STRUCTURES[op.structure](*arguments)


def _argument(parameter: Parameter, expr: Expr, scope: Scope) -> Value | Dim | str | int | Axis:
    if parameter.kind == "size":
        return dim_of(expr, scope)
    if parameter.kind == "integer":
        return _whole_number(expr)
    if isinstance(expr, Text):
        return expr.value
    if isinstance(expr, Tuple):
        return tuple(_whole_number(item) for item in expr.items)
    return build(expr, scope)


def _axis(expr: Call, place: int, v: Value, scope: Scope) -> Axis:
    """The axes that a call names, by keyword or at this place, counted from 0; None for the whole."""
    given = dict(expr.keywords).get("axis", expr.arguments[place] if len(expr.arguments) > place else None)
    if given is None:
        return None
    if isinstance(given, Name) and given.id == "axis":
        return scope.axis
    items = given.items if isinstance(given, Tuple) else (given,)
    return tuple(_whole_number(item) % max(len(v.shape), 1) for item in items)


def _whole_number(expr: Expr) -> int:
    sign, inner = (-1, expr.operand) if isinstance(expr, Negative) else (1, expr)
    if not isinstance(inner, Number) or inner.value.denominator != 1:
        raise _refused(RuleError, "bad-axis", "axis", expr)
    return sign * int(inner.value)


def derivative_order(name: str, scope: Scope) -> tuple[str, int]:
    """`g_prime_prime` -> g, 2."""
    order = 0
    while name.endswith("_prime") and name not in scope.functions:
        name, order = name[: -len("_prime")], order + 1
    return name, order


def slope(op: Op, v: Value) -> Value:
    """The derivative of a known elementwise function at a value."""
    if op.zero:
        return Value(zero(v.node.dims), v.shape)
    names = {"X": v, "Y": apply(op, [v]), "δX": filled(1, v.shape)}
    return build(parsed(op.differential), Scope({}, locals=names))


def apply(op: Op, arguments: Sequence[Value], axis: Axis = None, word: str = "") -> Value:
    """A function of the table applied to values. Raises RuleError for what the graph cannot hold.

    `word` is the name of a function among the arguments: frechet(expm, X, E).
    """
    if op.structure and op.structure not in FUNCTIONS:
        raise RuleError("outside-scope", found=op.name)
    if op.of_number and arguments and not arguments[0].node.rank:
        return from_text(op.of_number, arguments, op)
    if op.of_vector and arguments[0].node.rank == 1:
        return from_text(op.of_vector, arguments, op)
    if op.expands:
        return from_text(op.expands, arguments, op, axis=axis)
    if op.kind == "elementwise":
        return elementwise(op.name, arguments, facts=op.facts)
    named = zip(placeholders(op, len(arguments)), arguments, strict=False)
    if any(is_zero(v.node) for x, v in named if x in op.linear_in):
        shape = result_shape(op, arguments, axis)
        return Value(zero(core(shape)), shape)
    shorter = _simplified(op, arguments, word)
    return opaque(op, arguments, axis, word) if shorter is None else shorter


def from_text(text: str, arguments: Sequence[Value], op: Op, *, axis: Axis = None, **more: Value) -> Value:
    """A text of an entry, with its letters standing for these arguments and their sizes."""
    names = dict(zip(placeholders(op, len(arguments)), arguments, strict=True)) | more
    return build(parsed(text), Scope({}, axis=axis, locals=names, sizes=letters(op, arguments)))


def _simplified(op: Op, arguments: Sequence[Value], word: str) -> Value | None:
    """What algebra makes of a function of whole matrices, as its entry says; None where it stays."""
    if len(arguments) == 1:
        return _simplified_of_one(op, arguments[0])
    if not op.linear_in or not op.adjoints:
        return None
    if len(op.linear_in) > 1:
        return _scalars_outside(op, arguments)
    *fixed, last = arguments
    if word and not TABLE[word].slope and not TABLE[word].forward:  # its derivative has other words
        f = TABLE[word]
        return from_text(f.differential, fixed, f, Y=apply(f, fixed), δX=last)
    c, scalars, rest = split_scalars(last.node)
    if c != 1 or scalars:
        inner = apply(op, [*fixed, Value(rest, last.shape)], None, word)
        return _times(inner, c, scalars, 1)
    if commutes(last.node, fixed[0].node):
        if word:
            if not TABLE[word].slope:
                return None
            return matmul(from_text(TABLE[word].slope, fixed, TABLE[word]), last)
        return from_text(op.commuting, arguments, op) if op.commuting else None
    return None


def _scalars_outside(op: Op, arguments: Sequence[Value]) -> Value | None:
    """conv2d(X, 2*K) = 2*conv2d(X, K); None where no number or scalar stands before an argument."""
    split = [split_scalars(v.node) for v in arguments]
    if all(c == 1 and not scalars for c, scalars, _ in split):
        return None
    made = apply(op, [Value(rest, v.shape) for v, (_, _, rest) in zip(arguments, split, strict=True)])
    for c, scalars, _ in split:
        made = _times(made, c, scalars, 1)
    return made


def _simplified_of_one(op: Op, v: Value) -> Value | None:
    if op.of_kron and v.groups is not None:
        pair = kron_factors(v)
        if pair is not None:
            return build(parsed(op.of_kron), Scope({}, locals=dict(zip("AB", pair, strict=True)), sizes=_of(pair)))
    if v.groups is not None or len(v.shape) != 2:
        return None
    if op.of_transpose and oriented(v.node)[1]:
        return apply(TABLE[op.of_transpose], [transposed(v)])
    if op.undoes:
        inner, turned = oriented(v.node)
        if inner.kind == FUNCTION and inner.name == op.undoes:
            undone = Value(inner.arguments[0], full(inner.arguments[0].dims))
            return transposed(undone) if turned else undone
    if op.of_diagonal:
        on_diagonal = diagonal_of(v.node)
        if on_diagonal is not None:
            x = Value(on_diagonal, (v.shape[0], ONE))
            return build(parsed(op.of_diagonal), Scope({}, locals={"X": x}))
    if op.reciprocal:
        c, scalars, rest = split_scalars(v.node)
        if c != 1 or scalars:
            return _times(apply(op, [Value(rest, v.shape)]), c, scalars, -1)
    if op.of_product:
        scaled_matrix = _of_scaled(op, v)
        if scaled_matrix is not None:
            return scaled_matrix
        chain = matrix_chain(v.node)
        if chain is not None and len(chain) > 1 and all(f.dims[0] == f.dims[1] for f, _ in chain):
            parts = [as_value(f) for f in chain]
            rest = parts[1]
            for more in parts[2:]:
                rest = matmul(rest, more)
            names = {"A": parts[0], "B": rest}
            return build(parsed(op.of_product), Scope({}, locals=names))
    return None


def _of_scaled(op: Op, v: Value) -> Value | None:
    """inv(diag(a) @ X @ diag(b)) = inv(X) / a.T / b; None where the matrix is not scaled along its rows or columns."""
    if v.node.kind != SUM or len(v.node.terms) != 1:
        return None
    _, factors = v.node.terms[0]
    both_axes = [(f, idx) for f, idx, e in factors if f.rank == 2 and e == 1 and set(idx) == {0, 1}]
    matrices = [(f, idx) for f, idx in both_axes if f.kind != IDENTITY]
    vectors = [f for f in factors if f[0].rank == 1 and f[1] in ((0,), (1,))]
    if len(matrices) != 1 or not vectors or len(vectors) + 1 != len(factors):
        return None
    f, idx = matrices[0]
    inverse = apply(op, [as_value((f, idx == (1, 0)))])
    turned = [(g, (1 - ix[0],), -e) for g, ix, e in vectors]
    return Value(product([(inverse.node, (0, 1), 1), *turned], v.node.dims), v.shape)


def _times(v: Value, c: Coefficient, scalars: Sequence[Factor], exponent: int) -> Value:
    """v * (c * scalars)**exponent."""
    powers = [(f, idx, e * exponent) for f, idx, e in scalars]
    own = tuple(range(v.node.rank))
    number = Fraction(c) ** exponent
    return Value(product([(v.node, own, 1), *powers], v.node.dims, integer(number)), v.shape)


def _of(pair: Sequence[Value]) -> dict[str, Dim]:
    a, b = pair
    return {"n": a.shape[0], "p": a.shape[1], "m": b.shape[0], "q": b.shape[1]}


# ---------------------------------------------------------------- sizes and entries
def dim_of(expr: Expr, scope: Scope) -> Dim:
    """A size given as an argument: eye(n), ones(n, 2). Raises RuleError for what is no size."""
    match expr:
        case Number(value=v) if v.denominator == 1:
            return Dim.parse(int(v))
        case Name(id=name):
            return scope.sizes.get(name) or Dim.parse(name)
        case Negative(operand=inner):
            return -dim_of(inner, scope)
        case Binary(operator="*" | "+" | "-" | "/" as op):
            a, b = dim_of(expr.left, scope), dim_of(expr.right, scope)
            if op != "/":
                return a * b if op == "*" else a + b if op == "+" else a - b
            quotient = a.divided_by(b)
            if quotient is not None:
                return quotient
    raise _refused(RuleError, "outside-scope", "size", expr)


def _entry(expr: Index, scope: Scope) -> Value:
    v = build(expr.operand, scope)
    given = expr.places
    if len(given) == 1 and len(v.shape) == 2:
        other = Range() if isinstance(given[0], Range) else Number(Fraction(0))
        given = (given[0], other) if v.shape[1] == ONE else (other, given[0])
    return entry(v, [_place(p, d, scope) for p, d in zip(given, v.shape, strict=True)])


def _place(place: Expr | Range, size: Dim, scope: Scope) -> Place:
    """The text of an index, a name or a place counted from 0; a range; None for the whole axis."""
    match place:
        case Range():
            low = _bound(place.low, size, scope) if place.low is not None else Dim.parse(0)
            high = _bound(place.high, size, scope) if place.high is not None else size
            return None if not low.terms and high == size else (low, high)
        case Name(id=name) if name not in scope.values and name not in scope.sizes:
            return name
    return _bound(place, size, scope)


def _bound(expr: Expr, size: Dim, scope: Scope) -> Dim:
    """A place along an axis; a negative one counts from the end."""
    out = dim_of(expr, scope)
    return out + size if out.terms and all(c < 0 for _, c in out.terms) else out
