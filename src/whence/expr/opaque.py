"""Functions that the graph does not look into: elementwise ones, and those of whole arrays.

Each is brought to one of several equal forms: f(X).T and f(X.T) are one node, and so are softmax(X, axis=0).T
and softmax(X.T, axis=1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

from whence.expr.known import LOWER, UNIT_DIAGONAL
from whence.expr.node import IDENTITY, SUM, VARIABLE, Coefficient, Node, function
from whence.expr.sums import make_sum, primitive, product, scaled, transpose
from whence.expr.values import (
    ONE,
    FullShape,
    Value,
    aligned,
    axis_names,
    broadcast,
    core,
    filled,
    flat,
    full,
    simple_parts,
    together,
    value_of_parts,
)
from whence.messages.errors import RuleError
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import TABLE, structured_by
from whence.shapes.dims import Dim


def placeholders(op: Op, count: int | None = None) -> list[str]:
    """What an entry calls its array arguments, of the first way to call it with so many."""
    ways = [[p.name for p in way.parameters if p.kind == "array"] for way in signature(op).ways]
    return next((w for w in ways if len(w) == count), ways[0])


# ---------------------------------------------------------------- entry by entry
def step(v: Value) -> Value:
    """1 where the value is positive, else 0."""
    if "mask" in v.node.facts:
        return v
    op = structured_by("step")
    return elementwise(op.name, [v], facts=op.facts)


def unknown(name: str, order: int, v: Value) -> Value:
    """An unknown elementwise function, or its derivative of this order, of a value."""
    return elementwise(name + "_prime" * order, [v], parameters=("unknown",))


def elementwise(name: str, arguments: Sequence[Value], parameters: tuple = (), facts: Sequence[str] = ()) -> Value:
    """An elementwise function, its axes in canonical order so that f(X).T and f(X.T) are one node."""
    arguments, parts = together(arguments)
    dims = flat(parts)
    nodes = [a.node for a in arguments]
    if len(arguments) > 1:
        nodes = [product([aligned(a, parts)], dims) for a in arguments]
    coefficient: Coefficient = 1
    if len(dims) > 2 and ("unit-sign" in facts or "absolute" in facts):
        apart = _of_each_factor(name, nodes[0], facts)
        if apart is not None:
            return value_of_parts(apart, parts)
    if "unit-sign" in facts or "absolute" in facts or "mask" in facts:
        nodes, coefficient = _without_multiple(nodes[0], facts)
    parity = TABLE[name].parity if name in TABLE and not parameters else ""
    if parity and primitive(nodes[0])[0] < 0:
        turned = value_of_parts(scaled(nodes[0], -1), parts)
        if parity == "complement":
            mirrored = elementwise(name, [turned], parameters, facts)
            own = tuple(range(len(dims)))
            return value_of_parts(make_sum([(1, []), (-1, [(mirrored.node, own, 1)])], dims), parts)
        nodes, coefficient = [turned.node], -1 if parity == "odd" else 1
    rank = len(dims)
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
    return value_of_parts(make_sum([(coefficient, [(made, place, 1)])], dims), parts)


def _of_each_factor(name: str, node: Node, facts: Sequence[str]) -> Node | None:
    """|a b| = |a| |b| and sign(a b) = sign(a) sign(b), such as in a Kronecker product; None where it is a sum."""
    if node.kind != SUM or len(node.terms) != 1:
        return None
    c, factors = node.terms[0]
    if any(i >= node.rank for _, idx, _ in factors for i in idx) or any(e.denominator != 1 for _, _, e in factors):
        return None
    raw = []
    for f, idx, e in factors:
        made = f if f.kind == IDENTITY else elementwise(name, [Value(f, full(f.dims))], facts=facts).node
        raw.append((made, idx, e))
    return make_sum([(abs(c) if "absolute" in facts else (1 if c > 0 else -1), raw)], node.dims)


def _without_multiple(node: Node, facts: Sequence[str]) -> tuple[list[Node], Coefficient]:
    """abs(c X) = |c| abs(X); sign(c X) = sign(c) sign(X); a mask ignores positive numbers."""
    content, _, rest = primitive(node)
    if rest is not node:
        rest = scaled(node, Fraction(1) / Fraction(content))
    if content == 1 or node.kind == VARIABLE:
        return [node], 1
    if "mask" in facts:
        return [scaled(node, Fraction(1) / abs(Fraction(content)))], 1
    if "unit-sign" in facts:
        return [rest], 1 if content > 0 else -1
    return [rest], abs(content)


def _depends_on_axis(node: Node, axis: int) -> bool:
    if node.kind != SUM:
        return True
    return any(axis in idx for _, factors in node.terms for _, idx, _ in factors)


def _without_axes(node: Node, used: list[int]) -> Node:
    """The node without the axes along which it is constant."""
    place = {a: k for k, a in enumerate(used)}
    shift = 10_000
    raw = []
    for c, factors in node.terms if node.kind == SUM else ((1, ((node, tuple(range(node.rank)), 1),)),):
        raw.append((c, [(f, tuple(place.get(i, i + shift) for i in idx), e) for f, idx, e in factors]))
    return make_sum(raw, tuple(node.dims[a] for a in used))


def triangular_mask(rows: Dim, columns: Dim) -> Node:
    """1 on and below the diagonal, 0 above."""
    return function(structured_by("tril").name, (), (rows, columns), (), ("mask", UNIT_DIAGONAL))


# ---------------------------------------------------------------- of whole arrays
DISTINCT = "distinct"  # the domain of what picks the first of equal entries: that of X.T is another than that of X


COMPOSITE = "composite"  # the parameter of a function whose arguments have composite axes: halves of the node's axes


def opaque(op: Op, arguments: Sequence[Value], axis: tuple[int, ...] | None, word: str = "") -> Value:
    """A function of whole arrays. Raises RuleError for a shape that the graph cannot hold."""
    first = arguments[0]
    how = signature(op)
    if first.groups is not None and how.axis and axis is None and how.axis_default is None and first.node.rank <= 2:
        first = Value(first.node, first.node.dims)  # of the whole, in whatever shape its entries stand
        arguments = [first]
    if any(a.groups is not None for a in arguments):
        return _of_composite(op, arguments)
    if axis is None and how.axis_default is not None:
        axis = (how.axis_default,)
    shape = result_shape(op, arguments, axis)
    nodes = [a.node for a in arguments]
    facts = {f for f in op.facts if f != "sums-to-1"}
    if how.axis:
        slots = _slots(first.shape, axis)
        if slots == ():  # along an axis of length 1
            return _along_nothing(op, first, shape)
        if "sums-to-1" in op.facts and slots is not None and len(slots) == 1:
            facts.add(f"sums-to-1:{slots[0]}")
        return _axis_canonical(op, first, slots, shape, facts)
    parameters = (None, word) if word else ()
    if op.transposes and all(n.rank == len(a.shape) >= 2 for n, a in zip(nodes, arguments, strict=True)):
        turned = [transpose(n, last_two_turned(n.rank)) for n in nodes]
        if op.transposes == "equivariant" and all(t is n for t, n in zip(turned, nodes, strict=True)):
            facts.add("symmetric")
        if [t.order for t in turned] < [n.order for n in nodes]:
            made = function(op.name, turned, _core_turned(shape, op), parameters, facts | _kept(op, turned[0]))
            return Value(made if op.transposes == "invariant" else transpose(made, last_two_turned(made.rank)), shape)
    return Value(function(op.name, nodes, core(shape), parameters, facts | _kept(op, nodes[0])), shape)


def last_two_turned(rank: int) -> tuple[int, ...]:
    """The order of axes that exchanges the last two."""
    return (*range(rank - 2), rank - 1, rank - 2)


def _kept(op: Op, argument: Node) -> set[str]:
    """The inverse of a lower triangular matrix is one too."""
    return {LOWER} & argument.facts if op.role == "inverse" else set()


def _of_composite(op: Op, arguments: Sequence[Value]) -> Value:
    """A function of one square matrix whose rows and columns are composite."""
    v = arguments[0]
    number = op.gives in ("[]", "[...]")
    if len(arguments) > 1 or v.parts[0] != v.parts[-1] or not (op.role == "inverse" or number) or v.node.rank != 4:
        raise RuleError("outside-scope", found=f"{op.name} of a matrix with composite axes")
    if number:
        return Value(function(op.name, [v.node], (), (None, COMPOSITE), op.facts), ())
    made = function(op.name, [v.node], v.node.dims, (None, COMPOSITE), op.facts)
    return Value(made, v.shape, v.groups)


def argument_value(node: Node, argument: Node) -> Value:
    """An argument of a function, or its value, as it stands in the function's texts."""
    if COMPOSITE in node.parameters and argument.rank == 4:
        return value_of_parts(argument, (argument.dims[:2], argument.dims[2:]))
    return Value(argument, full(argument.dims))


def word_of(node: Node) -> str:
    """The function named among the arguments: expm in frechet(expm, X, E)."""
    return node.parameters[1] if len(node.parameters) > 1 and node.parameters[1] != COMPOSITE else ""


def letters(op: Op, arguments: Sequence[Value]) -> dict[str, Dim]:
    """What the letters of the entry's signature stand for."""
    found: dict[str, Dim] = {}
    arrays = [p for p in signature(op).ways[0].parameters if p.kind == "array"]
    for parameter, v in zip(arrays, arguments, strict=False):
        sizes = parameter.sizes or ()
        shape = v.shape if len(sizes) != 1 else core(v.shape) or (ONE,)
        for letter, d in zip(sizes, shape[-len(sizes) :] if sizes else (), strict=False):
            found.setdefault(letter, d)
    return found


def _core_turned(shape: FullShape, op: Op) -> tuple[Dim, ...]:
    dims = core(shape)
    return dims if op.transposes == "invariant" else (*dims[:-2], *dims[:-3:-1])


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
    elif node.rank == 2 and slots is None and not same and op.domain != DISTINCT:
        turned = transpose(node, (1, 0))
        node = turned if turned.order < node.order else node
    return Value(function(op.name, [node], core(shape), (slots,), facts), shape)


def _slots(shape: FullShape, axis: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if axis is None:
        return None
    names = axis_names(simple_parts(shape))
    return tuple(names[a][0] for a in axis if a < len(shape) and shape[a] != ONE)


def _along_nothing(op: Op, v: Value, shape: FullShape) -> Value:
    """Along an axis of length 1: the largest of one thing is that thing, and so on (the entry says what)."""
    if op.of_one == "X":
        return Value(v.node, shape)
    if op.of_one == "1":
        return filled(1, shape)
    raise RuleError("outside-scope", found=op.name)


def result_shape(op: Op, arguments: Sequence[Value], axis: tuple[int, ...] | None) -> FullShape:
    """The full shape of a function's value. Raises RuleError for what the graph cannot hold."""
    first = arguments[0]
    way = signature(op).ways[0]
    if way.rule == "axis":
        return () if axis is None else tuple(ONE if k in axis else d for k, d in enumerate(first.shape))
    if way.rule in ("same", "broadcast"):
        named = dict(zip(placeholders(op, len(arguments)), arguments, strict=True))
        return broadcast([named[n].shape for n in way.gives if n in named])
    if way.rule != "sizes":
        raise RuleError("outside-scope", found=op.name)
    own = letters(op, arguments)
    lead = first.shape[:-2] if way.batched else ()
    sizes = tuple(_size(x, own) for x in way.gives)
    return (*lead, *sizes) if sizes or not lead else (*lead, ONE, ONE)


def _size(text: str, own: dict[str, Dim]) -> Dim:
    """A size such as n - p + 1, in the letters of a signature."""
    return own[text] if text in own else Dim.parse(text).substitute(own)
