"""The shape of an expression whose names all have known shapes: one walk, no guessing.

FORMAT of the language: up to rank 2 a vector is a column, arrays broadcast as NumPy's of the same order do, and a
number fits all; from rank 3 on NumPy's rules hold, and a column that meets a tensor is its last axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

from whence.messages.errors import LimitError, ShapeError
from whence.ops.table import CONSTANTS
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
    Span,
    Transpose,
    Tuple,
)
from whence.shapes.calls import call_shape
from whence.shapes.dims import Dim
from whence.shapes.words import ONE, Sizes, is_scalar, text, words

_LEFT = (Binary, Compare, Negative, Transpose, Index)


@dataclass
class Scope:
    """What the names of a model are: shapes, dimension symbols (numbers), index names, functions."""

    shapes: dict[str, Sizes]
    dims: frozenset[str] = frozenset()
    indices: frozenset[str] = frozenset()
    functions: tuple[str, ...] = ()
    defined: Mapping[str, Function] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)  # the line that fixed a name's shape
    source: str = ""
    depth: int = 0  # of user-defined functions being entered
    soft: frozenset[Span] = frozenset()  # products typed side by side, with no sign of their own

    def inside(self, function: Function, shape: Sizes) -> Scope:
        """The scope of a user-defined function's body."""
        return Scope(
            {function.parameter: shape},
            self.dims,
            frozenset(),
            self.functions,
            self.defined,
            self.lines,
            self.source,
            self.depth + 1,
        )


def shape_of(expression: Expr, scope: Scope, line: int = 0) -> Sizes:
    """The shape of an expression: () a scalar, (n, 1) a column, (n, m) a matrix.

    ShapeError, with the place and both shapes, where it has none; LimitError where a size has too many terms.
    """
    try:
        return Walk(scope, line).shape(expression)
    except ValueError as error:  # of whence.shapes.dims
        raise LimitError("size-too-long", line=line, found=str(error), source=scope.source) from error


class Walk:
    """One walk over an expression; `line` is that of its statement."""

    def __init__(self, scope: Scope, line: int) -> None:
        self.scope, self.line = scope, line

    def shape(self, node: Expr) -> Sizes:
        # Long sums lean to the left: that spine is walked in a loop, so that only brackets nest.
        spine: list[Binary | Compare | Negative | Transpose | Index] = []
        while isinstance(node, _LEFT):
            spine.append(node)
            node = node.left if isinstance(node, (Binary, Compare)) else node.operand
        out = self.leaf(node)
        for above in reversed(spine):
            if isinstance(above, Binary):
                right = self.shape(above.right)
                out = self.product(out, right, above) if above.operator == "@" else self.fit(out, right, above)
            elif isinstance(above, Compare):
                out = self.fit(out, self.shape(above.right), above)
            elif isinstance(above, Transpose):
                out = self.transposed(out, above)
            elif isinstance(above, Index):
                out = self.entries(out, above)
        return out

    def leaf(self, node: Expr) -> Sizes:
        if isinstance(node, Name):
            return self.name(node)
        if isinstance(node, Number):
            return ()
        if isinstance(node, Call):
            return call_shape(node, self)
        self.fail("wrong-arguments", node.span, found=type(node).__name__.lower(), expected="a formula")

    def name(self, node: Name) -> Sizes:
        shape = self.scope.shapes.get(node.id)
        if shape is not None:
            return shape
        if node.id in self.scope.dims or node.id in self.scope.indices or node.id in CONSTANTS:
            return ()
        self.fail("unknown-name", node.span, found=node.id, name=node.id)

    def product(self, a: Sizes, b: Sizes, node: Binary) -> Sizes:
        if len(a) < 2 or len(b) < 2:
            self.fail(
                "shape-clash",
                node.span,
                found=f"{words(a)} @ {words(b)}",
                expected="two matrices",
                help=self.advice(node) or "A number is multiplied with *, not with @.",
                nodes=(node.left, node.right),
                left=words(a),
                right=words(b),
            )
        if a[-1] != b[-2]:
            self.fail(
                "shape-clash",
                node.span,
                found=f"{words(a)} @ {words(b)}",
                expected=f"as many rows on the right as columns on the left ({a[-1]}, not {b[-2]})",
                help=self.advice(node),
                nodes=(node.left, node.right),
                left=words(a),
                right=words(b),
            )
        if len(a) == 2 and len(b) == 2:
            return (a[0], b[1])
        return (*self.broadcast(a[:-2], b[:-2], a, b, node), a[-2], b[-1])

    def advice(self, node: Binary) -> str:
        """What to do about a product that was typed side by side; "" where it has a sign of its own."""
        if node.span not in self.scope.soft:
            return ""
        return "Side by side is the matrix product. Write * or ⊙ for entry by entry, x^T y for the product of columns."

    def fit(self, a: Sizes, b: Sizes, node: Binary | Compare | Call) -> Sizes:
        """Entry by entry, with broadcasting."""
        if a == b:
            return a
        if not a or not b:
            return self.with_number(a or b, not a, node)
        if len(a) == 2 and len(b) == 2:
            return self.broadcast(a, b, a, b, node)
        return self.broadcast(_last_axis(a), _last_axis(b), a, b, node)

    def with_number(self, a: Sizes, left: bool, node: Binary | Compare | Call) -> Sizes:
        """A number keeps the other's shape; a 1 x 1 stays a matrix only beside a number written out."""
        if len(a) != 2 or not is_scalar(a):
            return a
        number = isinstance(node, Binary) and (node.left if left else node.right)
        return a if number and self.written_out(number) else ()

    def written_out(self, node: Expr) -> bool:
        """Is it made of literals and dimension symbols alone?"""
        if isinstance(node, Name):
            return node.id not in self.scope.shapes
        if isinstance(node, (Binary, Negative)):
            return all(self.written_out(k) for k in children(node) if not isinstance(k, Range))
        return isinstance(node, Number)

    def broadcast(self, a: Sizes, b: Sizes, whole_a: Sizes, whole_b: Sizes, node: Expr) -> Sizes:
        wide = max(len(a), len(b))
        a, b = (ONE,) * (wide - len(a)) + a, (ONE,) * (wide - len(b)) + b
        for m, n in zip(a, b, strict=True):
            if m != n and m != ONE and n != ONE:
                operator = f" {node.operator} " if isinstance(node, (Binary, Compare)) else " and "
                operands = (node.left, node.right) if isinstance(node, (Binary, Compare)) else (node,)
                self.fail(
                    "shape-clash",
                    node.span,
                    found=words(whole_a) + operator + words(whole_b),
                    expected=f"the same sizes, or 1 ({m} is not {n})",
                    nodes=operands,
                    left=words(whole_a),
                    right=words(whole_b),
                )
        return tuple(n if m == ONE else m for m, n in zip(a, b, strict=True))

    def transposed(self, a: Sizes, node: Transpose) -> Sizes:
        if len(a) > 2 and not node.batched:
            self.fail(
                "shape-clash",
                node.span,
                found=f".T of {words(a)}",
                expected="a matrix",
                help="Of a tensor .mT swaps the last two axes.",
                left=words(a),
                right="",
            )
        return (*a[:-2], *a[:-3:-1])

    def entries(self, a: Sizes, node: Index) -> Sizes:
        places = node.places
        if len(places) == 1 and len(a) == 2:
            if ONE not in a:
                self.fail("wrong-arguments", node.span, found=words(a), expected="two indices, X[i, j]")
            whole = Range()
            places = (places[0], whole if isinstance(places[0], Range) else Number(Fraction(0)))
            if a[1] != ONE:
                places = (places[1], places[0])
        if len(places) != len(a):
            self.fail("wrong-arguments", node.span, found=words(a), expected=f"{len(a)} indices, not {len(places)}")
        kept = [self.range(p, n) if isinstance(p, Range) else self.index(p, n) for p, n in zip(places, a, strict=True)]
        if not any(isinstance(p, Range) for p in places):
            return ()
        if len(a) == 2:
            return tuple(ONE if n is None else n for n in kept)
        out = tuple(n for n in kept if n is not None)
        return (*out, ONE) if len(out) == 1 else out

    def index(self, place: Expr | Range, size: Dim) -> None:
        """One index: its axis goes. A number that is out of range for sure is refused."""
        assert not isinstance(place, Range)
        at = dim_of(place, self.scope.dims)
        beyond = None if at is None else (size - 1 - at).number
        before = None if at is None else (at + size).number
        if (beyond is not None and beyond < 0) or (before is not None and before < 0):
            found, expected = f"an axis of {size}", f"indices from 0 to {size - 1}, not {at}"
            self.fail("wrong-arguments", place.span, found=found, expected=expected)
        if at is None and not is_scalar(self.with_indices(place)):
            found = f"the index is {words(self.with_indices(place))}"
            self.fail("not-scalar", place.span, found=found, expected="an index")

    def with_indices(self, place: Expr) -> Sizes:
        """The shape of a place, where a name that is unknown elsewhere is an index name."""
        if isinstance(place, Name) and place.id not in self.scope.shapes:
            return ()
        return self.shape(place)

    def range(self, place: Range, size: Dim) -> Dim:
        low = self.bound(place.low, size) if place.low is not None else Dim.parse(0)
        high = self.bound(place.high, size) if place.high is not None else size
        for bound in (low, high):
            beyond = (size - bound).number
            if beyond is not None and beyond < 0 or bound.number is not None and bound.number < 0:
                self.fail(
                    "wrong-arguments",
                    place.span,
                    found=f"an axis of {size}",
                    expected=f"ranges up to {size}, not to {bound}",
                )
        length = high - low
        if length.number is not None and length.number < 1:
            self.fail("wrong-arguments", place.span, found="a range", expected=f"at least one place, not {low}:{high}")
        return length

    def bound(self, node: Expr, size: Dim) -> Dim:
        out = self.dim(node)
        return out + size if out.terms and all(c < 0 for _, c in out.terms) else out

    def dim(self, node: Expr) -> Dim:
        """A size, from an expression of numbers and dimension symbols."""
        found = dim_of(node, self.scope.dims)
        if found is None:
            self.fail("wrong-arguments", node.span, found="a size", expected="numbers and dimension symbols")
        return found

    def whole(self, node: Expr) -> int | None:
        """A whole number that stands there as such."""
        if isinstance(node, Negative):
            inner = self.whole(node.operand)
            return None if inner is None else -inner
        if isinstance(node, Number) and node.value.denominator == 1:
            return int(node.value)
        return None

    def fail(
        self,
        code: str,
        span: Span,
        *,
        found: str = "",
        expected: str = "",
        help: str = "",
        nodes: tuple[Expr, ...] = (),
        **values: str,
    ) -> NoReturn:
        fixed = self.where(nodes)
        raise ShapeError(
            code,
            line=span.line or self.line,
            column=span.column,
            end=span.end,
            found=f"{found} ({fixed})" if fixed and code == "shape-clash" else found,
            expected=expected,
            help=help,
            shapes={name: text(shape) for name, shape in self.scope.shapes.items()},
            source=self.scope.source,
            lines=fixed,
            **{"name": "", "left": "", "right": "", "function": "", "argument": "", **values},
        )

    def where(self, nodes: tuple[Expr, ...]) -> str:
        """Which lines fixed the shapes of the names in these operands: "W1: line 2, X: declared"."""
        names = dict.fromkeys(name for node in nodes for name in names_in(node) if name in self.scope.shapes)
        lines = self.scope.lines
        return ", ".join(f"{n}: line {lines[n]}" if lines.get(n) else f"{n}: declared" for n in names)


def _last_axis(a: Sizes) -> Sizes:
    """As a tensor sees it: a column is a list along the last axis, a 1 x 1 is a number."""
    if len(a) != 2 or a[1] != ONE:
        return a
    return () if a[0] == ONE else a[:1]


def dim_of(node: Expr, dims: frozenset[str]) -> Dim | None:
    """The size that an expression of numbers and dimension symbols is; None where it is none."""
    if isinstance(node, Number):
        return Dim.parse(int(node.value)) if node.value.denominator == 1 else None
    if isinstance(node, Name):
        return Dim.symbol(node.id) if node.id in dims else None
    if isinstance(node, Negative):
        inner = dim_of(node.operand, dims)
        return None if inner is None else -inner
    if not isinstance(node, Binary):
        return None
    left, right = dim_of(node.left, dims), dim_of(node.right, dims)
    if left is None or right is None:
        return None
    try:
        return _arithmetic(node.operator, left, right)
    except ValueError:
        return None


def _arithmetic(operator: str, left: Dim, right: Dim) -> Dim | None:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/":
        return left.divided_by(right)
    power = right.number
    return left**power if operator == "**" and power is not None else None


def children(node: Expr | Range) -> tuple[Expr | Range, ...]:
    """The nodes directly below."""
    if isinstance(node, (Binary, Compare)):
        return (node.left, node.right)
    if isinstance(node, (Negative, Transpose)):
        return (node.operand,)
    if isinstance(node, Index):
        return (node.operand, *node.places)
    if isinstance(node, Call):
        return (*node.arguments, *(value for _, value in node.keywords))
    if isinstance(node, Tuple):
        return node.items
    if isinstance(node, Range):
        return tuple(bound for bound in (node.low, node.high) if bound is not None)
    return ()


def names_in(node: Expr | Range) -> list[str]:
    """The names of an expression from left to right, each once; names of called functions are none."""
    out: dict[str, None] = {}
    stack: list[Expr | Range] = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, Name):
            out.setdefault(top.id)
        stack.extend(reversed(children(top)))
    return list(out)
