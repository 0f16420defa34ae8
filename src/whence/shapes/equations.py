"""The equations between sizes that the lines of a model force, for inputs without a declared shape.

Undeclared inputs are numbers, columns, rows or matrices, never tensors: a size is a node of `Unknowns`, a shape a pair
of nodes. A product, a square argument and the like give equations; broadcasting in + and * leaves a choice, kept as a
constraint until its operands are known (`whence.shapes.defaults` settles them).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from whence.messages.errors import ShapeError
from whence.ops.signature import Parameter, Way, signature
from whence.ops.table import TABLE
from whence.read.declarations import SQUARE
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Model,
    Name,
    Negative,
    Number,
    Range,
    Span,
    Text,
    Transpose,
    Tuple,
)
from whence.shapes.dims import Dim
from whence.shapes.forward import Scope, dim_of
from whence.shapes.unknowns import Pair, Reason, Unknowns
from whence.shapes.words import text

_LEFT = (Binary, Compare, Negative, Transpose, Index)


class Operand(NamedTuple):
    """An operand of + or *: its shape, and what is needed to guess at the undeclared input it is made of."""

    pair: Pair
    weights_right: bool = False  # a product whose right factor is named as weights are
    literal: bool = False  # made of literals alone


@dataclass
class Join:
    """Entry by entry with broadcasting: two operands and the result."""

    operator: str
    a: Operand
    b: Operand
    out: Pair
    reason: Reason


@dataclass
class Vector:
    """A column or a row of `length` entries."""

    pair: Pair
    length: int
    reason: Reason


@dataclass
class Computed:
    """A size made of others: n*p, n - p + 1."""

    text: str
    letters: dict[str, int]
    out: int
    reason: Reason


@dataclass
class Choice:
    """A function of two ways, one for vectors and one for matrices."""

    call: Call
    argument: Operand
    ways: tuple[Way, ...]
    out: Pair
    reason: Reason


Constraint = Join | Vector | Computed | Choice


@dataclass
class Equations:
    """The walk over all lines: equations go into `unknowns`, choices into `constraints`."""

    scope: Scope
    unknowns: Unknowns
    inputs: dict[str, Pair]
    by_pair: dict[Pair, str] = field(default_factory=dict)  # of an input's own pair, its name
    declared: dict[str, Pair] = field(default_factory=dict)
    targets: dict[str, Pair] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)  # all of them, settled ones too
    factors: set[str] = field(default_factory=set)  # inputs that stand in a product
    lower_matrices: bool = False  # x @ w, as in code: there the letter case says nothing
    parameters: list[dict[str, Pair]] = field(default_factory=list)  # of user-defined functions being entered
    reason: Reason = Reason()
    scaling: dict[str, None] = field(default_factory=dict)  # inputs that multiply or divide a number
    whole: dict[str, None] = field(default_factory=dict)  # inputs that a function takes as a whole array

    def __post_init__(self) -> None:
        self.by_pair = {pair: name for name, pair in self.inputs.items()}

    def input(self, pair: Pair) -> str:
        """The undeclared input whose shape this is: itself, or a function of it entry by entry; else ""."""
        return self.by_pair.get(pair, "")

    def statement(self, target: str, expression: Expr, reason: Reason) -> None:
        self.reason = reason
        pair = self.walk(expression).pair
        if target in self.scope.shapes:
            self.equal(self.unknowns.pair(self.scope.shapes[target]), pair)
        self.targets[target] = pair

    def equal(self, a: Pair, b: Pair) -> None:
        for m, n in zip(a, b, strict=True):
            self.unknowns.same(m, n, self.reason)

    def walk(self, node: Expr) -> Operand:
        spine: list[Expr] = []
        while isinstance(node, _LEFT):
            spine.append(node)
            node = node.left if isinstance(node, (Binary, Compare)) else node.operand
        out = self.leaf(node)
        for above in reversed(spine):
            if isinstance(above, Binary) and above.operator == "@":
                out = self.product(out, above.right, above.span)
            elif isinstance(above, (Binary, Compare)):
                right = self.walk(above.right)
                out = Operand(self.join(above.operator, out, right, above.span), literal=out.literal and right.literal)
            elif isinstance(above, Transpose):
                out = Operand((out.pair[1], out.pair[0]))
            elif isinstance(above, Index):
                out = Operand(self.entries(out.pair, above))
            else:
                out = Operand(out.pair, literal=out.literal)
        return out

    def leaf(self, node: Expr) -> Operand:
        if isinstance(node, Name):
            return self.name(node.id)
        if isinstance(node, Call):
            return Operand(self.call(node))
        return Operand(self.number, literal=isinstance(node, Number))

    @property
    def number(self) -> Pair:
        return self.unknowns.one, self.unknowns.one

    def name(self, name: str) -> Operand:
        if self.parameters and name in self.parameters[-1]:
            return Operand(self.parameters[-1][name])
        if name in self.targets:
            return Operand(self.targets[name])
        if name in self.inputs:
            return Operand(self.inputs[name])
        shape = self.scope.shapes.get(name, ())
        if len(shape) > 2:
            raise ShapeError(
                "unknown-shape",
                line=self.reason.line,
                found=", ".join(self.inputs),
                expected="declared shapes, where tensors occur",
                shapes={n: text(s) for n, s in self.scope.shapes.items()},
                source=self.scope.source,
                name=", ".join(self.inputs),
            )
        if not shape:
            return Operand(self.number)
        if name not in self.declared:
            self.declared[name] = pair = (self.unknowns.fresh(), self.unknowns.fresh())
            for node, size in zip(pair, shape, strict=True):
                self.unknowns.same(node, self.unknowns.known(size), Reason(0, f"{name} is {text(shape)}"))
        return Operand(self.declared[name])

    def product(self, left: Operand, right_node: Expr, span: Span) -> Operand:
        right = self.walk(right_node)
        reason = Reason(self.reason.line, self.reason.why, (left.pair, "@", right.pair), span)
        self.unknowns.same(left.pair[1], right.pair[0], reason)
        for rows, columns in (left.pair, right.pair):
            self.factors |= {self.input((rows, columns)), self.input((columns, rows))}
        both = self.input(left.pair), self.input(right.pair)
        if all(name[:1].islower() for name in both) and span not in self.scope.soft:
            self.lower_matrices = True
        weights = isinstance(right_node, Name) and right_node.id.lower().startswith("w")
        return Operand((left.pair[0], right.pair[1]), weights_right=weights)

    def join(self, operator: str, a: Operand, b: Operand, span: Span) -> Pair:
        if b.pair == self.number:
            self.beside_number(a, operator == "*" and not b.literal)
            return a.pair
        if a.pair == self.number:
            self.beside_number(b, operator in ("*", "/") and not a.literal)
            return b.pair
        out = (self.unknowns.fresh(), self.unknowns.fresh())
        reason = Reason(self.reason.line, self.reason.why, (a.pair, operator, b.pair), span)
        self.joins.append(Join(operator, a, b, out, reason))
        self.constraints.append(self.joins[-1])
        return out

    def beside_number(self, other: Operand, evidence: bool) -> None:
        name = self.input(other.pair)
        if name and evidence:
            self.scaling.setdefault(name)

    def entries(self, pair: Pair, node: Index) -> Pair:
        places = node.places
        if not any(isinstance(p, Range) for p in places):
            if len(places) == 1:
                self.constraints.append(Vector(pair, self.unknowns.fresh(), self.reason))
            return self.number
        if len(places) == 1:
            self.unknowns.same(pair[1], self.unknowns.one, self.reason)
            places = (*places, Range())
        sizes = [
            self.range(p, n) if isinstance(p, Range) else self.unknowns.one for p, n in zip(places, pair, strict=False)
        ]
        return sizes[0], sizes[-1]

    def range(self, place: Range, size: int) -> int:
        if place.low is None and place.high is None:
            return size
        length = self.unknowns.fresh()
        low, high = (dim_of(b, self.scope.dims) if b is not None else None for b in (place.low, place.high))
        bounded = place.high is not None
        end = str(high) if bounded and high is not None else "size_"
        start = str(low) if low is not None else "0"
        letters = {"size_": size, **{s: self.unknowns.known(Dim.symbol(s)) for s in self.scope.dims}}
        self.constraints.append(Computed(f"{end} - ({start})", letters, length, self.reason))
        return length

    def call(self, node: Call) -> Pair:
        op = TABLE.get(node.name)
        if node.name in self.scope.defined:
            return self.defined(node)
        if op is None:
            pairs = [self.walk(a).pair for a in node.arguments]
            return pairs[0] if pairs else self.number
        read = signature(op)
        way, *others = read.ways
        if others and len(node.arguments) == 1:
            out: Pair = (self.unknowns.fresh(), self.unknowns.fresh())
            self.constraints.append(Choice(node, self.walk(node.arguments[0]), read.ways, out, self.reason))
            return out
        self.reason = replace(self.reason, span=node.span)
        filled = [*way.parameters, *way.parameters[-1:] * (len(node.arguments) - len(way.parameters))]
        letters: dict[str, int] = {}
        arrays: list[Operand] = []
        sizes: list[int] = []
        for parameter, argument in zip(filled, node.arguments, strict=False):
            if parameter.kind == "array":
                arrays.append(self.walk(argument))
                self.bind(parameter, arrays[-1].pair, letters)
                if op.kind != "elementwise":
                    self.whole.setdefault(self.input(arrays[-1].pair))
            elif parameter.kind == "size":
                size = dim_of(argument, self.scope.dims)
                sizes.append(self.unknowns.fresh() if size is None else self.unknowns.known(size))
                letters[parameter.name] = sizes[-1]
        return self.value(node, way, arrays, letters, sizes)

    def defined(self, node: Call) -> Pair:
        function = self.scope.defined[node.name]
        pair = self.walk(node.arguments[0]).pair if node.arguments else self.number
        if len(self.parameters) < 20:
            self.parameters.append({function.parameter: pair})
            out = self.walk(function.body).pair
            self.parameters.pop()
            return out
        return pair

    def bind(self, parameter: Parameter, pair: Pair, letters: dict[str, int]) -> None:
        if parameter.sizes is None:
            return
        if len(parameter.sizes) == 1:
            length = letters.setdefault(parameter.sizes[0], self.unknowns.fresh())
            self.constraints.append(Vector(pair, length, self.reason))
            return
        for letter, size in zip(parameter.sizes, pair, strict=True):
            self.unknowns.same(letters.setdefault(letter, size), size, self.reason)

    def value(self, node: Call, way: Way, arrays: list[Operand], letters: dict[str, int], sizes: list[int]) -> Pair:
        axis = next((value for keyword, value in node.keywords if keyword == "axis"), None)
        along = int(axis.value) if isinstance(axis, Number) and axis.value in (0, 1) else None
        if way.rule == "same" and arrays:
            return arrays[0].pair
        if way.rule == "broadcast" and arrays:
            out = arrays[0]
            for other in arrays[1:]:
                out = Operand(self.join("+", out, other, node.span))
            return out.pair
        if way.rule == "axis" and along is not None and arrays:
            rows, columns = arrays[0].pair
            return (self.unknowns.one, columns) if along == 0 else (rows, self.unknowns.one)
        if way.rule == "given" and 1 <= len(sizes) <= 2:
            return (sizes[0], sizes[1] if len(sizes) == 2 else self.unknowns.one)
        if way.rule == "sizes" and len(way.gives) == 2:
            return self.size(way.gives[0], letters), self.size(way.gives[1], letters)
        if way.rule == "letters" and node.arguments and isinstance(node.arguments[0], Text):
            return self.lettered(node.arguments[0].value, arrays)
        if way.rule == "order" and arrays:
            rows, columns = arrays[0].pair
            return (columns, rows) if _swapped(node) else (rows, columns)
        if way.rule == "joined" and along is not None:
            return self.joined(along, arrays)
        return self.number

    def size(self, given: str, letters: dict[str, int]) -> int:
        if given in letters:
            return letters[given]
        if given.isdigit():
            return self.unknowns.known(Dim.parse(int(given)))
        out = self.unknowns.fresh()
        self.constraints.append(Computed(given, letters, out, self.reason))
        return out

    def lettered(self, spec: str, arrays: list[Operand]) -> Pair:
        left, _, out = spec.replace(" ", "").partition("->")
        letters: dict[str, int] = {}
        for group, array in zip(left.split(","), arrays, strict=False):
            if len(group) == 2:
                for letter, size in zip(group, array.pair, strict=True):
                    self.unknowns.same(letters.setdefault(letter, size), size, self.reason)
            elif len(group) == 1:
                length = letters.setdefault(group, self.unknowns.fresh())
                self.constraints.append(Vector(array.pair, length, self.reason))
        rows, columns = (letters.get(out[k : k + 1], self.unknowns.one) for k in (0, 1))
        return rows, columns

    def joined(self, axis: int, arrays: list[Operand]) -> Pair:
        for other in arrays[1:]:
            self.unknowns.same(arrays[0].pair[1 - axis], other.pair[1 - axis], self.reason)
        letters = {f"part_{k}": a.pair[axis] for k, a in enumerate(arrays)}
        total = self.size(" + ".join(letters), letters)
        across = arrays[0].pair[1 - axis]
        return (total, across) if axis == 0 else (across, total)


def _swapped(node: Call) -> bool:
    order = node.arguments[-1]
    return isinstance(order, Tuple) and bool(order.items) and order.items[0] == Number(Fraction(1))


def equations(model: Model, scope: Scope, inputs: list[str]) -> Equations:
    """All equations of a model."""
    unknowns = Unknowns(model.source, scope.shapes)
    out = Equations(scope, unknowns, {name: (unknowns.fresh(), unknowns.fresh()) for name in inputs})
    for name, (rows, columns) in out.inputs.items():
        square = next((tag for tag in model.assumptions.get(name, ()) if tag in SQUARE), "")
        if square:
            unknowns.same(rows, columns, Reason(0, f"{name} is {square}"))
    for s in model.statements:
        out.statement(s.target, s.expression, Reason(s.line, s.text or f"{s.target} = …"))
    return out
