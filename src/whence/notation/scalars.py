"""One entry of a formula, written in the entries of its names: what the first reading of an explanation shows.

At n1 = n2 = 2 and one sample, the first entry of Z2 = W2 @ A1 + b2 is w2₁₁ a1₁ + w2₁₂ a1₂ + b2₁: only school algebra is
left. Functions are taken apart by the text of their entry in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from whence.notation.textbook import POWER_STRUCTURE
from whence.notation.unicode import to_unicode
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import TABLE
from whence.read.letters import SUBSCRIPTS
from whence.read.parser import parse_expression
from whence.read.syntax import Binary, Call, Compare, Expr, Index, Name, Negative, Number, Range, Transpose, Tuple
from whence.read.vocabulary import PRIME, without_primes
from whence.read.walk import children
from whence.shapes.dims import Dim
from whence.shapes.forward import Scope, dim_of, shape_of

FullShape = tuple[Dim, ...]
Place = tuple[int, ...]

MAX_SIZE = 9  # of an axis: an index is one digit
MAX_WORK = 5_000
MAX_DEPTH = 100
ZERO, ONE = Number(Fraction(0)), Number(Fraction(1))
_LOWERED = {plain: sign for sign, plain in SUBSCRIPTS.items()}
_ROOT = "X**(1/2)"  # what the entry of the square root expands to


class NotScalars(NotImplementedError):
    """The formula has no form in entries of its names, or too long a one; the text says why."""


def entry_name(
    name: str, indices: Sequence[int], shape: Sequence[Dim | int], sizes: Mapping[str, int] | None = None
) -> str:
    """What one entry of an array is called: the name in lower case with subscripts, counted from 1.

    `indices` count from 0, one for every axis, or for every axis but those of length 1. A column has one subscript,
    and so has a matrix whose last axis is 1 at these `sizes` (a batch of one sample). A number keeps its name.

    >>> entry_name("Z1", (0,), (2, 1)), entry_name("W2", (0, 1), (2, 2)), entry_name("dZ2", (0,), (2, 1))
    ('z1₁', 'w2₁₂', 'dz2₁')
    """
    dims = [Dim.parse(size) for size in shape]
    long = [k for k, size in enumerate(dims) if size != 1]
    if len(indices) == len(dims):
        indices = [indices[k] for k in long]
    if not indices:
        return name
    last = dims[long[-1]] if len(long) == 2 == len(indices) else None
    if last is not None and sizes is not None and last.value(sizes) == 1:
        indices = indices[:-1]
    if max(indices) >= MAX_SIZE:
        raise NotScalars(f"entries are named up to {MAX_SIZE}")
    return name.lower() + "".join(_LOWERED[str(k + 1)] for k in indices)


def print_scalar(expr: Expr) -> str:
    """A formula of numbers as text.

    >>> print_scalar(Binary("*", Name("w2₁₁"), Name("a1₁")))
    'w2₁₁ a1₁'
    """
    return to_unicode(expr, lambda part: ())


def expand_entry(
    expr: Expr,
    index: Sequence[int],
    sizes: Mapping[str, int],
    shapes: Mapping[str, FullShape] | Callable[[Expr], FullShape],
    *,
    functions: Collection[str] = (),
) -> Expr:
    """One entry of a formula as a tree over the names of entries (`entry_name`).

    `index` counts from 0, one for every axis of the formula, or for every axis but those of length 1. `sizes` are
    those of the dimension symbols, which stay symbols where they are numbers in the formula. `shapes` are the full
    shapes of the names, or a function that gives that of any formula. `functions` are the unknown elementwise ones.
    Raises NotScalars where the formula cannot be taken apart.

    >>> n, one = Dim.parse("n"), Dim.parse(1)
    >>> shapes = {"W": (n, n), "x": (n, one), "b": (n, one)}
    >>> print_scalar(expand_entry(parse_expression("W @ x + b"), (0,), {"n": 2}, shapes))
    'w₁₁ x₁ + w₁₂ x₂ + b₁'
    """
    if isinstance(shapes, Mapping):
        _check_names(expr, shapes)
        known = {*functions, *_called(expr)}
        scope = Scope(dict(shapes), dims=frozenset(sizes), functions=tuple(sorted(known)))
        entries = _Entries(sizes, lambda part: shape_of(part, scope))
    else:
        entries = _Entries(sizes, shapes)
    return _shown(entries.of(expr, entries.place(expr, tuple(index)), 0))


def _check_names(expr: Expr, shapes: Mapping[str, FullShape]) -> None:
    """Refuse x and X in one formula: their entries would have the same names."""
    lower: dict[str, str] = {}
    for node in _nodes(expr):
        if isinstance(node, Name) and node.id in shapes:
            other = lower.setdefault(node.id.lower(), node.id)
            if other != node.id:
                raise NotScalars(f"the entries of {other} and {node.id} would have the same names")


def _called(expr: Expr) -> Iterable[str]:
    """The functions that the table does not have."""
    words = (without_primes(node.name)[0] for node in _nodes(expr) if isinstance(node, Call))
    return [word for word in words if word not in TABLE]


def _nodes(expr: Expr) -> Iterable[Expr | Range]:
    stack: list[Expr | Range] = [expr]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


@dataclass
class _Entries:
    """The walk: `of` gives the entry of a formula at a place, one index for every axis of its full shape."""

    sizes: Mapping[str, int]
    shape_of: Callable[[Expr], FullShape]
    work: int = 0

    def place(self, expr: Expr, index: Place) -> Place:
        """The index filled up with the axes of length 1."""
        shape = self.shape(expr)
        if len(index) == len(shape):
            return index
        long = [k for k, size in enumerate(shape) if size != 1]
        if len(index) < len(long) and all(self.size(shape[k]) == 1 for k in long[len(index) :]):
            long = long[: len(index)]
        if len(index) != len(long):
            raise ValueError(f"{len(index)} indices for a formula of {len(long)} axes")
        at = dict(zip(long, index, strict=True))
        return tuple(at.get(k, 0) for k in range(len(shape)))

    def shape(self, expr: Expr) -> FullShape:
        shape = self.shape_of(expr)
        if len(shape) > 2:
            raise NotScalars("arrays of more than two axes are not written out")
        return shape

    def size(self, dim: Dim) -> int:
        size = dim.value(self.sizes)
        if size > MAX_SIZE:
            raise NotScalars(f"sizes are at most {MAX_SIZE} where entries are written out")
        return size

    def counts(self, shape: FullShape) -> list[range]:
        return [range(self.size(size)) for size in shape]

    # ------------------------------------------------------------ one node
    def of(self, expr: Expr, at: Place, depth: int) -> Expr:
        self.work += 1
        if self.work > MAX_WORK or depth > MAX_DEPTH:
            raise NotScalars("the formula is too long to be written out")
        match expr:
            case Number():
                return expr
            case Name(id=name):
                shape = self.shape(expr)
                return Name(entry_name(name, at, shape, self.sizes)) if shape else expr
            case Negative(operand=inner):
                return minus(self.of(inner, at, depth + 1))
            case Binary(operator="+" | "-"):
                return self._sum(expr, at, depth)
            case Binary(operator="@"):
                return self._matmul(expr, at, depth)
            case Binary(operator=operator, left=a, right=b):
                return combined(operator, self.part(expr, a, at, depth), self.part(expr, b, at, depth))
            case Compare(operator=operator, left=a, right=b):
                sides = _shown(self.part(expr, a, at, depth)), _shown(self.part(expr, b, at, depth))
                return Compare(operator, *sides)
            case Transpose(operand=inner):
                return self.of(inner, at[::-1], depth + 1)
            case Call():
                return self._call(expr, at, depth)
            case Index():
                return self._entry(expr, at, depth)
        raise NotScalars("this formula is not written out")

    def part(self, whole: Expr, part: Expr, at: Place, depth: int) -> Expr:
        """The entry of an operand that is broadcast to the whole."""
        shape = self.shape(part)
        offset = len(at) - len(shape)
        place = tuple(0 if size == 1 else at[k + offset] for k, size in enumerate(shape))
        return self.of(part, place, depth + 1)

    def _sum(self, expr: Binary, at: Place, depth: int) -> Expr:
        """A sum of any length, its terms collected without recursion."""
        terms: list[tuple[bool, Expr]] = []
        whole = node = expr
        while isinstance(node, Binary) and node.operator in ("+", "-"):
            terms.append((node.operator == "+", self.part(whole, node.right, at, depth)))
            node = node.left
        terms.append((True, self.part(whole, node, at, depth)))
        return added(reversed(terms))

    def _matmul(self, expr: Binary, at: Place, depth: int) -> Expr:
        left, right = self.shape(expr.left), self.shape(expr.right)
        if len(left) < 2 or len(right) < 2:
            return combined("*", self.part(expr, expr.left, at, depth), self.part(expr, expr.right, at, depth))
        i, j = at or (0, 0)
        terms = []
        for k in range(self.size(left[1])):
            factors = self.of(expr.left, (i, k), depth + 1), self.of(expr.right, (k, j), depth + 1)
            terms.append((True, combined("*", *factors)))
        return added(terms)

    def _entry(self, expr: Index, at: Place, depth: int) -> Expr:
        """An entry, a row, a column or a range."""
        shape = self.shape(expr.operand)
        kept = iter(at if len(at) == len(expr.places) else at[: 1 if len(expr.places) == 1 else None])
        place = []
        for k, p in enumerate(expr.places):
            if isinstance(p, Range):
                low = self.whole(p.low) if p.low is not None else 0
                place.append(next(kept) + (low if low >= 0 else low + self.size(shape[k])))
            else:
                if len(at) == len(expr.places):
                    next(kept)
                fixed = self.whole(p)
                place.append(fixed if fixed >= 0 else fixed + self.size(shape[k]))
        place += [0] * (len(shape) - len(place))
        if any(not 0 <= i < self.size(size) for i, size in zip(place, shape, strict=True)):
            raise NotScalars("an index lies outside at these sizes")
        return self.of(expr.operand, tuple(place), depth + 1)

    def whole(self, expr: Expr) -> int:
        """A place that numbers and dimension symbols fix."""
        dim = dim_of(expr, frozenset(self.sizes))
        if dim is None:
            raise NotScalars("an index that is a letter is not written out")
        return dim.value(self.sizes)

    # ------------------------------------------------------------ functions
    def _call(self, expr: Call, at: Place, depth: int) -> Expr:
        word, primes = without_primes(expr.name)
        op = TABLE.get(word)
        if op is None or primes:
            return Call(expr.name, tuple(_shown(self.part(expr, a, at, depth)) for a in expr.arguments))
        if op.structure == POWER_STRUCTURE:
            base, exponent = expr.arguments
            return combined("**", self.part(expr, base, at, depth), self.part(expr, exponent, at, depth))
        if op.kind == "elementwise" and not (op.expands and len(expr.arguments) > 1):
            return Call(expr.name, tuple(_shown(self.part(expr, a, at, depth)) for a in expr.arguments))
        built = _STRUCTURES.get(op.structure)
        if built is not None:
            return built(self, expr, at, depth + 1)
        text = op.expands or (op.exact if op.value == "formula" else "")
        if not text:
            raise NotScalars(f"{word} is not written out in entries")
        return self.of(_filled(op, text, expr), at, depth + 1)

    def axes(self, expr: Call, shape: FullShape) -> tuple[int, ...]:
        """The axes that a sum goes over: those given, or all."""
        given = dict(expr.keywords).get("axis")
        if given is None:
            return tuple(range(len(shape)))
        items = given.items if isinstance(given, Tuple) else (given,)
        return tuple(self.whole(item) % len(shape) for item in items)

    def summed(self, expr: Call, at: Place, depth: int) -> Expr:
        """The sum over the axes, axes of length 1 being kept."""
        (argument,) = expr.arguments
        shape = self.shape(argument)
        axes = self.axes(expr, shape)
        at = at or (0,) * len(shape)
        ranges = [r if k in axes else range(at[k], at[k] + 1) for k, r in enumerate(self.counts(shape))]
        return added([(True, self.of(argument, place, depth)) for place in product(*ranges)])

    def averaged(self, expr: Call, at: Place, depth: int) -> Expr:
        shape = self.shape(expr.arguments[0])
        counts: Expr = ONE
        for k in self.axes(expr, shape):
            counts = combined("*", counts, parse_expression(str(shape[k]), dialect="canonical"))
        return combined("/", self.summed(expr, at, depth), counts)

    def traced(self, expr: Call, at: Place, depth: int) -> Expr:
        (argument,) = expr.arguments
        count = self.size(self.shape(argument)[0])
        return added([(True, self.of(argument, (k, k), depth)) for k in range(count)])

    def diagonal(self, expr: Call, at: Place, depth: int) -> Expr:
        (argument,) = expr.arguments
        shape = self.shape(argument)
        if 1 not in shape:  # of a square matrix: the column of its diagonal
            return self.of(argument, (at[0], at[0]), depth)
        if at[0] != at[1]:
            return ZERO
        return self.of(argument, tuple(0 if size == 1 else at[0] for size in shape), depth)

    def outer(self, expr: Call, at: Place, depth: int) -> Expr:
        a, b = expr.arguments
        return combined("*", self.of(a, self._along(a, at[0]), depth), self.of(b, self._along(b, at[1]), depth))

    def _along(self, vector: Expr, k: int) -> Place:
        return tuple(0 if size == 1 else k for size in self.shape(vector))

    def stacked(self, expr: Call, at: Place, depth: int) -> Expr:
        (argument,) = expr.arguments
        rows = self.size(self.shape(argument)[0])
        return self.of(argument, (at[0] % rows, at[0] // rows), depth)

    def kronecker(self, expr: Call, at: Place, depth: int) -> Expr:
        a, b = expr.arguments
        p, q = (self.size(size) for size in self.shape(b))
        left = self.of(a, (at[0] // p, at[1] // q), depth)
        return combined("*", left, self.of(b, (at[0] % p, at[1] % q), depth))

    def lower(self, expr: Call, at: Place, depth: int) -> Expr:
        return self.of(expr.arguments[0], at, depth) if at[0] >= at[1] else ZERO

    def upper(self, expr: Call, at: Place, depth: int) -> Expr:
        return self.of(expr.arguments[0], at, depth) if at[0] <= at[1] else ZERO


def _identity(entries: _Entries, expr: Call, at: Place, depth: int) -> Expr:
    return ONE if at[0] == at[1] else ZERO


_STRUCTURES: dict[str, Callable[[_Entries, Call, Place, int], Expr]] = {
    "sum": _Entries.summed,
    "mean": _Entries.averaged,
    "trace": _Entries.traced,
    "diag": _Entries.diagonal,
    "outer": _Entries.outer,
    "vec": _Entries.stacked,
    "kron": _Entries.kronecker,
    "tril": _Entries.lower,
    "triu": _Entries.upper,
    "eye": _identity,
    "ones": lambda entries, expr, at, depth: ONE,
    "zeros": lambda entries, expr, at, depth: ZERO,
}


def _filled(op: Op, text: str, call: Call) -> Expr:
    """The entry's text with the call's arguments in it; `axis=axis` passes the call's own axis on."""
    way = next(w.parameters for w in signature(op).ways if len(w.parameters) == len(call.arguments))
    arguments = {p.name: a for p, a in zip(way, call.arguments, strict=True)}
    default = signature(op).axis_default
    axis = dict(call.keywords).get("axis", None if default is None else Number(Fraction(default)))
    return _substituted(parse_expression(text, dialect="canonical"), arguments, axis)


def _substituted(tree: Expr, arguments: Mapping[str, Expr], axis: Expr | None) -> Expr:
    match tree:
        case Name(id=name):
            return arguments.get(name, tree)
        case Negative(operand=inner):
            return Negative(_substituted(inner, arguments, axis))
        case Binary(operator=operator, left=a, right=b):
            return Binary(operator, _substituted(a, arguments, axis), _substituted(b, arguments, axis))
        case Compare(operator=operator, left=a, right=b):
            return Compare(operator, _substituted(a, arguments, axis), _substituted(b, arguments, axis))
        case Call(name=name, arguments=inside, keywords=keywords):
            passed = () if axis is None or not keywords else (("axis", axis),)
            return Call(name, tuple(_substituted(a, arguments, axis) for a in inside), passed)
    return tree


# ---------------------------------------------------------------- arithmetic that leaves out 0 and 1


def minus(a: Expr) -> Expr:
    if isinstance(a, Negative):
        return a.operand
    return a if a == ZERO else Negative(a)


def _shown(a: Expr) -> Expr:
    """The sign of a product on its first factor, where it needs no brackets."""
    if not isinstance(a, Negative):
        return a
    spine: list[Binary] = []
    first = a.operand
    while isinstance(first, Binary) and first.operator in ("*", "/"):
        spine.append(first)
        first = first.left
    first = Negative(first)
    for step in reversed(spine):
        first = Binary(step.operator, first, step.right)
    return first


def added(terms: Iterable[tuple[bool, Expr]]) -> Expr:
    """The sum of signed terms; a sum among them is taken apart where that needs no change of sign."""
    flat: list[tuple[bool, Expr]] = []
    for positive, term in terms:
        if isinstance(term, Negative):
            positive, term = not positive, term.operand
        if positive:
            flat += _terms(term)
        elif term != ZERO:
            flat.append((False, term))
    flat = [(positive, term) for positive, term in flat if term != ZERO]
    if not flat:
        return ZERO
    positive, total = flat[0]
    if not positive:
        total = Negative(total)
    for positive, term in flat[1:]:
        total = Binary("+" if positive else "-", _shown(total), term)
    return total


def _terms(expr: Expr) -> list[tuple[bool, Expr]]:
    out: list[tuple[bool, Expr]] = []
    while isinstance(expr, Binary) and expr.operator in ("+", "-"):
        out.append((expr.operator == "+", expr.right))
        expr = expr.left
    out.append((True, expr))
    return out[::-1]


def combined(operator: str, a: Expr, b: Expr) -> Expr:
    """A product, quotient or power of two numbers; a sign moves to the front."""
    if operator == "**":
        return _power(a, b)
    if isinstance(a, Negative):
        return minus(combined(operator, a.operand, b))
    if isinstance(b, Negative):
        return minus(combined(operator, a, b.operand))
    if (a == ZERO and b != ZERO) or (operator == "*" and b == ZERO):
        return ZERO
    if b == ONE:
        return a
    if operator == "*" and a == ONE:
        return b
    if operator == "*" and a == b and isinstance(a, Name):
        return Binary("**", a, Number(Fraction(2)))
    return Binary(operator, a, b)


def _power(a: Expr, b: Expr) -> Expr:
    """The square of a root is what stands under it."""
    if b == ONE:
        return a
    if b == Number(Fraction(2)) and isinstance(a, Call) and not a.name.endswith(PRIME):
        op = TABLE.get(a.name)
        if op is not None and op.expands == _ROOT:
            return a.arguments[0]
    return Binary("**", a, _shown(b))
