"""From the syntax tree to the expression graph.

A `Value` is a node with the full shape that the language gives it (a column is (n, 1)): axes of length 1 are
in the shape and not in the node. Which contraction a function stands for is said by its entry in the table
(`structure`, `expands`); no function is known here by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import permutations

from whence.expr.node import VARIABLE, Coefficient, Factor, Node, basis, function, identity, variable
from whence.expr.sums import add, constant, integer, make_sum, primitive, product, scaled, size, transpose, zero
from whence.messages.errors import RuleError, UnknownError
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import CONSTANTS, TABLE
from whence.read.parser import parse_expression
from whence.read.syntax import Binary, Call, Compare, Expr, Function, Index, Name, Negative, Number, Range, Text, Transpose, Tuple
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
FullShape = tuple[Dim, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A node and its full shape."""

    node: Node
    shape: FullShape

    def indices(self, names: Sequence[int]) -> tuple[int, ...]:
        """The node's indices, given a name for every axis of the full shape."""
        return tuple(i for i, d in zip(names, self.shape, strict=True) if d != ONE)


@dataclass(frozen=True)
class Scope:
    """What names mean while a formula is built."""

    values: Mapping[str, Value]
    functions: frozenset[str] = frozenset()
    defined: Mapping[str, Function] = field(default_factory=dict)
    axis: object = None  # what `axis=axis` stands for inside an entry's own text
    locals: Mapping[str, Value] = field(default_factory=dict)


def core(shape: FullShape) -> tuple[Dim, ...]:
    """The sizes of the axes that carry an index."""
    return tuple(d for d in shape if d != ONE)


def structured_by(structure: str) -> Op:
    """The entry of the table that the graph itself needs, by its structure."""
    return _by_structure()[structure]


@lru_cache(maxsize=1)
def _by_structure() -> dict[str, Op]:
    return {op.structure: op for op in TABLE.values() if op.structure}


@lru_cache(maxsize=2_000)
def parsed(text: str) -> Expr:
    """A text of the table as a syntax tree."""
    return parse_expression(text, dialect="canonical")


def placeholders(op: Op, count: int | None = None) -> list[str]:
    """What an entry calls its array arguments, of the first way to call it with so many."""
    ways = [[p.name for p in way.parameters if p.kind == "array"] for way in signature(op).ways]
    return next((w for w in ways if len(w) == count), ways[0])


def build(expr: Expr, scope: Scope) -> Value:
    """The value of a formula.

    Shapes must have been checked before (shapes/). Raises RuleError for what the graph cannot hold.
    """
    match expr:
        case Number(value=v):
            return Value(make_sum([(integer(v), ())], ()), ())
        case Name(id=name):
            return _name(name, scope, expr)
        case Negative(operand=inner):
            v = build(inner, scope)
            return Value(scaled(v.node, -1), v.shape)
        case Binary(operator="+" | "-"):
            return _sum(expr, scope)
        case Binary(operator="**"):
            return _power(expr, scope)
        case Binary(operator=op):
            left, right = build(expr.left, scope), build(expr.right, scope)
            return matmul(left, right) if op == "@" else multiply(left, right, -1 if op == "/" else 1)
        case Compare():
            return _compare(expr, scope)
        case Transpose(operand=inner):
            return transposed(build(inner, scope))
        case Call():
            return _call(expr, scope)
        case Index():
            return _entry(expr, scope)
    raise RuleError("outside-scope", found=type(expr).__name__, **_at(expr))


def _at(expr: Expr) -> dict[str, int]:
    return {"line": expr.span.line, "column": expr.span.column, "end": expr.span.end}


def _name(name: str, scope: Scope, expr: Expr) -> Value:
    v = scope.locals.get(name) or scope.values.get(name)
    if v is None and name in CONSTANTS:
        return Value(variable(name, (), ("positive",)), ())
    if v is None:
        raise UnknownError("unknown-name", found=name, **_at(expr))
    return v


def transposed(v: Value) -> Value:
    """The last two axes exchanged."""
    if len(v.shape) < 2:
        return v
    shape = (*v.shape[:-2], v.shape[-1], v.shape[-2])
    if ONE in v.shape[-2:]:
        return Value(v.node, shape)
    r = v.node.rank
    return Value(transpose(v.node, [*range(r - 2), r - 1, r - 2]), shape)


def broadcast(shapes: Sequence[FullShape]) -> FullShape:
    """The shape to which shapes broadcast; up to rank 2 a number fits all (FORMAT.md)."""
    wide = max(len(s) for s in shapes)
    padded = [(ONE,) * (wide - len(s)) + s for s in shapes]
    return tuple(next((d for d in column if d != ONE), ONE) for column in zip(*padded, strict=True))


def aligned(v: Value, shape: FullShape) -> Factor:
    """The value as a factor of an array of this shape."""
    names = _axis_names(shape)
    return (v.node, v.indices(names[len(shape) - len(v.shape) :]), 1)


def _axis_names(shape: FullShape) -> list[int]:
    names, k = [], 0
    for d in shape:
        names.append(k)
        k += d != ONE
    return names


def _sum(expr: Expr, scope: Scope) -> Value:
    signed: list[tuple[int, Expr]] = []
    sign_right: list[tuple[int, Expr]] = []
    node = expr
    while isinstance(node, Binary) and node.operator in "+-":
        sign_right.append((1 if node.operator == "+" else -1, node.right))
        node = node.left
    signed = [(1, node), *reversed(sign_right)]
    values = [(s, build(e, scope)) for s, e in signed]
    shape = broadcast([v.shape for _, v in values])
    return Value(make_sum([(s, [aligned(v, shape)]) for s, v in values], core(shape)), shape)


def multiply(left: Value, right: Value, exponent: int = 1) -> Value:
    """The elementwise product left * right**exponent, broadcast."""
    shape = broadcast([left.shape, right.shape])
    node, idx, _ = aligned(right, shape)
    return Value(make_sum([(1, [aligned(left, shape), (node, idx, exponent)])], core(shape)), shape)


def matmul(left: Value, right: Value) -> Value:
    """The matrix product over the last axis of left and the last but one of right, leading axes broadcast."""
    lead = broadcast([left.shape[:-2], right.shape[:-2]]) if len(left.shape) > 2 or len(right.shape) > 2 else ()
    shape = (*lead, left.shape[-2], right.shape[-1])
    names = _axis_names(shape)
    inner = len(core(shape))
    ahead = names[: len(lead)]
    li = left.indices([*ahead[len(lead) - len(left.shape) + 2 :], names[-2], inner])
    ri = right.indices([*ahead[len(lead) - len(right.shape) + 2 :], inner, names[-1]])
    return Value(make_sum([(1, [(left.node, li, 1), (right.node, ri, 1)])], core(shape)), shape)


def _power(expr: Binary, scope: Scope) -> Value:
    base, exponent = build(expr.left, scope), build(expr.right, scope)
    e = constant(exponent.node)
    if e is None:
        return apply(structured_by("power"), [base, exponent], scope)
    return power(base, e)


def power(v: Value, e: Coefficient) -> Value:
    """Every entry raised to a rational number."""
    return Value(product([(v.node, tuple(range(v.node.rank)), e)], v.node.dims), v.shape)


def step(v: Value) -> Value:
    """1 where the value is positive, else 0."""
    return apply(structured_by("step"), [v], Scope({}))


def _compare(expr: Compare, scope: Scope) -> Value:
    left, right = build(expr.left, scope), build(expr.right, scope)
    shape = broadcast([left.shape, right.shape])
    dims = core(shape)
    difference = Value(make_sum([(1, [aligned(left, shape)]), (-1, [aligned(right, shape)])], dims), shape)
    opposite = Value(scaled(difference.node, -1), shape)
    above, below = step(difference).node, step(opposite).node
    own = tuple(range(len(dims)))
    one: tuple[Coefficient, list[Factor]] = (1, [])
    terms = {
        ">": [(1, [(above, own, 1)])],
        "<": [(1, [(below, own, 1)])],
        "<=": [one, (-1, [(above, own, 1)])],
        ">=": [one, (-1, [(below, own, 1)])],
        "==": [one, (-1, [(above, own, 1)]), (-1, [(below, own, 1)])],
        "!=": [(1, [(above, own, 1)]), (1, [(below, own, 1)])],
    }
    return Value(make_sum(terms[expr.operator], dims), shape)


def _call(expr: Call, scope: Scope) -> Value:
    name = expr.name
    if name in scope.defined:
        f = scope.defined[name]
        return build(f.body, replace(scope, locals={f.parameter: build(expr.arguments[0], scope)}))
    base, order = derivative_order(name, scope)
    if base in scope.functions:
        arguments = [build(a, scope) for a in expr.arguments]
        return unknown(base, order, arguments[0])
    op = TABLE.get(name)
    if op is None:
        inner = TABLE.get(base)
        if order != 1 or inner is None or inner.kind != "elementwise":
            raise UnknownError("unknown-function", found=name, **_at(expr))
        return slope(inner, build(expr.arguments[0], scope))
    if op.structure in STRUCTURES:
        return STRUCTURES[op.structure](expr, scope)
    if op.structure and op.structure not in GRAPH_FUNCTIONS:
        raise RuleError("outside-scope", found=op.name, **_at(expr))
    if any(p.kind != "array" for p in signature(op).ways[0].parameters):
        raise RuleError("outside-scope", found=op.name, **_at(expr))
    keywords = dict(expr.keywords)
    array_count = len(placeholders(op))
    arguments = [build(a, scope) for a in expr.arguments[:array_count]]
    axis: object = keywords.get("axis", expr.arguments[array_count] if len(expr.arguments) > array_count else None)
    return apply(op, arguments, scope, _axis(axis, scope, arguments[0] if arguments else None))


def derivative_order(name: str, scope: Scope) -> tuple[str, int]:
    """`g_prime_prime` -> g, 2."""
    order = 0
    while name.endswith("_prime") and name not in scope.functions:
        name, order = name[: -len("_prime")], order + 1
    return name, order


def unknown(name: str, order: int, v: Value) -> Value:
    """An unknown elementwise function, or its derivative of this order, of a value."""
    return elementwise(name + "_prime" * order, [v], parameters=("unknown",))


def slope(op: Op, v: Value) -> Value:
    """The derivative of a known elementwise function at a value."""
    text = op.differential
    if op.zero:
        return Value(zero(v.node.dims), v.shape)
    ones = Value(make_sum([(1, ())], v.node.dims), v.shape)
    names = {"X": v, "Y": apply(op, [v], Scope({})), "δX": ones}
    return build(parsed(text), Scope({}, locals=names))


def _axis(axis: object, scope: Scope, v: Value | None) -> tuple[int, ...] | None:
    """The axes that a call names, counted from 0, or None for the whole."""
    if axis is None or v is None:
        return None
    if isinstance(axis, Name) and axis.id == "axis":
        return scope.axis  # type: ignore[return-value]
    items = axis.items if isinstance(axis, Tuple) else (axis,)
    out = []
    for item in items:
        number = -item.operand.value if isinstance(item, Negative) and isinstance(item.operand, Number) else getattr(item, "value", None)
        if not isinstance(number, (int, Fraction)):
            raise RuleError("bad-axis", found="axis")
        out.append(int(number) % max(len(v.shape), 1))
    return tuple(out)


def apply(op: Op, arguments: Sequence[Value], scope: Scope, axis: tuple[int, ...] | None = None) -> Value:
    """A function of the table applied to values."""
    if op.structure and op.structure not in GRAPH_FUNCTIONS:
        raise RuleError("outside-scope", found=op.name)
    if op.expands:
        names = dict(zip(placeholders(op, len(arguments)), arguments, strict=True))
        return build(parsed(op.expands), Scope({}, axis=axis, locals=names))
    if op.kind == "elementwise":
        return elementwise(op.name, arguments, facts=op.facts)
    return _opaque(op, arguments, axis)


def elementwise(name: str, arguments: Sequence[Value], parameters: tuple = (), facts: Sequence[str] = ()) -> Value:
    """An elementwise function, its axes in canonical order so that f(X).T and f(X.T) are one node."""
    shape = broadcast([a.shape for a in arguments])
    nodes = [a.node for a in arguments]
    if len(arguments) > 1:
        nodes = [product([aligned(a, shape)], core(shape)) for a in arguments]
    coefficient: Coefficient = 1
    if "sign" in facts or "absolute" in facts or "mask" in facts:
        nodes, coefficient = _without_content(nodes[0], facts)
    rank = len(core(shape))
    used = [k for k in range(rank) if any(_depends_on_axis(n, k) for n in nodes)]
    if len(used) < rank:
        nodes = [_without_axes(n, used) for n in nodes]
    best, order = nodes, tuple(range(len(used)))
    for p in list(permutations(range(len(used))))[1:]:
        turned = [transpose(n, p) for n in nodes]
        if [n.order for n in turned] < [n.order for n in best]:
            best, order = turned, p
    own = frozenset(facts)
    if len(used) == 2 and all(transpose(n, (1, 0)) is n for n in best):
        own |= {"symmetric"}
    made = function(name, best, best[0].dims, parameters, own)
    place = tuple(used[a] for a in order)
    return Value(make_sum([(coefficient, [(made, place, 1)])], core(shape)), shape)


def _without_content(node: Node, facts: Sequence[str]) -> tuple[list[Node], Coefficient]:
    """abs(c X) = |c| abs(X); sign(c X) = sign(c) sign(X); a mask ignores positive numbers."""
    content, _, rest = primitive(node)
    if rest is not node:
        rest = scaled(node, Fraction(1) / Fraction(content))
    if content == 1 or node.kind == VARIABLE:
        return [node], 1
    if "mask" in facts:
        return [scaled(node, Fraction(1) / abs(Fraction(content)))], 1
    if "sign" in facts:
        return [rest], 1 if content > 0 else -1
    return [rest], abs(content)


def _depends_on_axis(node: Node, axis: int) -> bool:
    if node.kind != "sum":
        return True
    return any(axis in idx for _, factors in node.terms for _, idx, _ in factors)


def _without_axes(node: Node, used: list[int]) -> Node:
    """The node without the axes along which it is constant."""
    place = {a: k for k, a in enumerate(used)}
    shift = 10_000
    raw = []
    for c, factors in node.terms if node.kind == "sum" else ((1, ((node, tuple(range(node.rank)), 1),)),):
        raw.append((c, [(f, tuple(place[i] if i in place else i + shift for i in idx), e) for f, idx, e in factors]))
    return make_sum(raw, tuple(node.dims[a] for a in used))


def _opaque(op: Op, arguments: Sequence[Value], axis: tuple[int, ...] | None) -> Value:
    """A function of whole arrays."""
    first = arguments[0]
    how = signature(op)
    if axis is None and how.axis_default is not None:
        axis = (how.axis_default,)
    shape = _result_shape(op, arguments, axis)
    nodes = [a.node for a in arguments]
    facts = {f for f in op.facts if f != "sums-to-1"}
    if how.axis:
        slots = _slots(first.shape, axis)
        if slots == ():  # along an axis of length 1
            return _along_nothing(op, first, shape)
        if "sums-to-1" in op.facts and slots is not None and len(slots) == 1:
            facts.add(f"sums-to-1:{slots[0]}")
        return _axis_canonical(op, first, slots, shape, facts)
    if op.transposes and len(nodes) == 1 and nodes[0].rank == 2:
        turned = transpose(nodes[0], (1, 0))
        if turned is nodes[0] and op.transposes == "equivariant":
            facts.add("symmetric")
        if turned.order < nodes[0].order:
            made = function(op.name, [turned], _core_turned(shape, op), (), facts)
            return Value(made if op.transposes == "invariant" else transpose(made, (1, 0)), shape)
    return Value(function(op.name, nodes, core(shape), (), facts), shape)


def _core_turned(shape: FullShape, op: Op) -> tuple[Dim, ...]:
    dims = core(shape)
    return dims if op.transposes == "invariant" else tuple(reversed(dims))


def _axis_canonical(op: Op, v: Value, slots: tuple[int, ...] | None, shape: FullShape, facts: set[str]) -> Value:
    """softmax(X.T, axis=0) is softmax(X, axis=1) turned: keep the one of lower order."""
    same = len(shape) == len(v.shape) and core(shape) == v.node.dims
    node = v.node
    if node.rank == 2 and slots is not None and len(slots) == 1:
        turned = transpose(node, (1, 0))
        if (turned.order, 1 - slots[0]) < (node.order, slots[0]):
            other = {f if not f.startswith("sums-to-1:") else f"sums-to-1:{1 - slots[0]}" for f in facts}
            dims = turned.dims if same else core(shape)
            made = function(op.name, [turned], dims, ((1 - slots[0],),), other)
            return Value(transpose(made, (1, 0)) if same else made, shape)
    elif node.rank == 2 and slots is None:
        turned = transpose(node, (1, 0))
        if turned.order < node.order:
            made = function(op.name, [turned], turned.dims if same else core(shape), (slots,), facts)
            return Value(transpose(made, (1, 0)) if same else made, shape)
    return Value(function(op.name, [node], core(shape), (slots,), facts), shape)


def _slots(shape: FullShape, axis: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if axis is None:
        return None
    names = _axis_names(shape)
    return tuple(names[a] for a in axis if shape[a] != ONE)


def _along_nothing(op: Op, v: Value, shape: FullShape) -> Value:
    """Along an axis of length 1: a mean of one thing is that thing, and so on (the entry says what)."""
    if op.of_one == "X":
        return Value(v.node, shape)
    if op.of_one == "1":
        return Value(make_sum([(1, ())], core(shape)), shape)
    raise RuleError("outside-scope", found=op.name)


def _result_shape(op: Op, arguments: Sequence[Value], axis: tuple[int, ...] | None) -> FullShape:
    first = arguments[0]
    way = signature(op).ways[0]
    if way.rule == "axis":
        return () if axis is None else tuple(ONE if k in axis else d for k, d in enumerate(first.shape))
    if way.rule in ("same", "broadcast"):
        named = dict(zip(placeholders(op, len(arguments)), arguments, strict=True))
        return broadcast([named[n].shape for n in way.gives if n in named])
    if way.rule != "sizes":
        raise RuleError("outside-scope", found=op.name)
    letters: dict[str, Dim] = {}
    for parameter, v in zip(way.parameters, arguments, strict=False):
        for letter, d in zip(parameter.sizes or (), v.shape[-len(parameter.sizes or ()) :], strict=False):
            letters.setdefault(letter, d)
    lead = first.shape[:-2] if way.batched else ()
    return (*lead, *(letters[x] if x in letters else Dim.parse(x) for x in way.gives))


# ---------------------------------------------------------------- the contractions that the graph builds in
def _reduce(expr: Call, scope: Scope) -> Value:
    v = build(expr.arguments[0], scope)
    axis = _call_axis(expr, scope, v)
    return reduce(v, axis)


def reduce(v: Value, axis: tuple[int, ...] | None) -> Value:
    """The sum over axes, which stay with length 1; over everything where axis is None."""
    if axis is None:
        return Value(product([(v.node, tuple(range(v.node.rank)), 1)], ()), ())
    shape = tuple(ONE if k in axis else d for k, d in enumerate(v.shape))
    names, kept, gone = [], 0, 1000
    for k, d in enumerate(v.shape):
        if d == ONE:
            names.append(-1)
        elif k in axis:
            names.append(gone)
            gone += 1
        else:
            names.append(kept)
            kept += 1
    return Value(product([(v.node, v.indices(names), 1)], core(shape)), shape)


def _call_axis(expr: Call, scope: Scope, v: Value) -> tuple[int, ...] | None:
    axis = dict(expr.keywords).get("axis", expr.arguments[1] if len(expr.arguments) > 1 else None)
    return _axis(axis, scope, v)


def _mean(expr: Call, scope: Scope) -> Value:
    v = build(expr.arguments[0], scope)
    axis = _call_axis(expr, scope, v)
    total = reduce(v, axis)
    over = v.shape if axis is None else [v.shape[a] for a in axis]
    count = [(size(d), (), -1) for d in over if d != ONE]
    own = tuple(range(total.node.rank))
    return Value(product([(total.node, own, 1), *count], total.node.dims), total.shape)


def _trace(expr: Call, scope: Scope) -> Value:
    v = build(expr.arguments[0], scope)
    if not v.node.rank:
        return Value(v.node, ())
    return Value(product([(v.node, (5, 5), 1)], ()), ())


def _diag(expr: Call, scope: Scope) -> Value:
    v = build(expr.arguments[0], scope)
    if v.node.rank == 2:
        return Value(product([(v.node, (0, 0), 1)], v.node.dims[:1]), (v.node.dims[0], ONE))
    if v.node.rank == 0:
        return Value(v.node, (ONE, ONE))
    n = v.node.dims[0]
    return Value(product([(v.node, (0,), 1), (identity(n), (0, 1), 1)], (n, n)), (n, n))


def _outer(expr: Call, scope: Scope) -> Value:
    a, b = (build(x, scope) for x in expr.arguments)
    left = Value(a.node, (*(a.node.dims or (ONE,)), ONE))
    right = Value(b.node, (ONE, *(b.node.dims or (ONE,))))
    return matmul(left, right)


def _hadamard(expr: Call, scope: Scope) -> Value:
    return multiply(build(expr.arguments[0], scope), build(expr.arguments[1], scope))


def _where(expr: Call, scope: Scope) -> Value:
    condition, a, b = (build(x, scope) for x in expr.arguments)
    mask = condition if _is_mask(condition.node) else _nonzero(condition)
    shape = broadcast([mask.shape, a.shape, b.shape])
    m, x, y = aligned(mask, shape), aligned(a, shape), aligned(b, shape)
    return Value(make_sum([(1, [m, x]), (1, [y]), (-1, [m, y])], core(shape)), shape)


def _is_mask(node: Node) -> bool:
    if "mask" in node.facts:
        return True
    return node.kind == "sum" and bool(node.terms) and all("mask" in f.facts for _, factors in node.terms for f, _, _ in factors)


def _nonzero(v: Value) -> Value:
    above, below = step(v).node, step(Value(scaled(v.node, -1), v.shape)).node
    return Value(add([above, below], v.node.dims), v.shape)


def dim_of(expr: Expr, scope: Scope) -> Dim:
    """A size given as an argument: eye(n), ones(n, 2)."""
    match expr:
        case Number(value=v) if v.denominator == 1:
            return Dim.parse(str(v))
        case Name(id=name):
            return Dim.parse(name)
        case Binary(operator=op):
            a, b = dim_of(expr.left, scope), dim_of(expr.right, scope)
            return a * b if op == "*" else a + b if op == "+" else a - b
    raise RuleError("outside-scope", found="size", **_at(expr))


def _eye(expr: Call, scope: Scope) -> Value:
    n = dim_of(expr.arguments[0], scope)
    if n == ONE:
        return Value(make_sum([(1, ())], ()), (ONE, ONE))
    return Value(product([(identity(n), (0, 1), 1)], (n, n)), (n, n))


def _filled(content: Coefficient) -> Callable[[Call, Scope], Value]:
    def filled(expr: Call, scope: Scope) -> Value:
        sizes = [dim_of(a, scope) for a in expr.arguments]
        shape = tuple(sizes if len(sizes) > 1 else [*sizes, ONE])
        return Value(make_sum([(content, ())], core(shape)), shape)

    return filled


def _einsum(expr: Call, scope: Scope) -> Value:
    spec = expr.arguments[0]
    assert isinstance(spec, Text)
    left, _, out = spec.value.replace(" ", "").partition("->")
    operands = [build(a, scope) for a in expr.arguments[1:]]
    names: dict[str, int] = {}
    sizes: dict[str, Dim] = {}
    used = []
    for letters, v in zip(left.split(","), operands, strict=True):
        shape = list(v.shape)
        while len(shape) > len(letters):
            shape.pop(max(k for k, d in enumerate(shape) if d == ONE))
        sizes.update({x: d for x, d in zip(letters, shape, strict=True) if d != ONE or x not in sizes})
        used.append((v, letters, shape))
    result = tuple(sizes[x] for x in out)
    k = 0
    for x in out:
        if sizes[x] != ONE:
            names[x] = k
            k += 1
    for x in sizes:
        names.setdefault(x, 1000 + len(names))
    factors = [(v.node, tuple(names[x] for x, d in zip(letters, shape, strict=True) if d != ONE), 1) for v, letters, shape in used]
    full = (*result, ONE) if len(result) == 1 else result
    return Value(make_sum([(1, factors)], core(result)), full)


def _entry(expr: Index, scope: Scope) -> Value:
    """X[i, j], X[i, :], x[i]: contraction with unit vectors; an index takes its axis to length 1."""
    v = build(expr.operand, scope)
    places = list(expr.places)
    shape = v.shape
    if len(places) == 1 and len(shape) == 2:
        places = [places[0], Number(Fraction(0))] if shape[1] == ONE else [Number(Fraction(0)), places[0]]
    factors: list[Factor] = []
    names, out_shape, kept, gone = [], [], 0, 1000
    for place, d in zip(places, shape, strict=True):
        if isinstance(place, Range):
            if place.low is not None or place.high is not None:
                raise RuleError("outside-scope", found="a range of entries", **_at(expr))
            names.append(kept)
            out_shape.append(d)
            kept += d != ONE
            continue
        names.append(gone)
        if d != ONE:
            factors.append((basis(index_name(place), d), (gone,), 1))
        gone += 1
        out_shape.append(ONE)
    factors.insert(0, (v.node, v.indices(names), 1))
    full = tuple(out_shape) if any(isinstance(p, Range) for p in places) else ()
    return Value(make_sum([(1, factors)], core(tuple(out_shape))), full)


def index_name(place: Expr) -> str:
    """The text of an index: a name or a whole number."""
    if isinstance(place, Name):
        return place.id
    if isinstance(place, Number) and place.value.denominator == 1:
        return str(place.value)
    raise RuleError("outside-scope", found="an index that is not a name or a number", **_at(place))


GRAPH_FUNCTIONS = frozenset(("step", "power"))  # functions that the graph itself makes use of
STRUCTURES: dict[str, Callable[[Call, Scope], Value]] = {
    "sum": _reduce,
    "mean": _mean,
    "trace": _trace,
    "diag": _diag,
    "outer": _outer,
    "hadamard": _hadamard,
    "choose": _where,
    "eye": _eye,
    "ones": _filled(1),
    "zeros": _filled(0),
    "einsum": _einsum,
}
