"""Nodes of any rank as formulas of batched matrix notation.

Where a model has tensors, or ranges, joined or reshaped arrays, every node that they stand in is printed here; the
parts that are matrices alone are left to the printer of matrices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from whence.expr.canonical import canonical
from whence.expr.node import DIMENSION, FUNCTION, SUM, VARIABLE, Coefficient, Factor, Node
from whence.expr.opaque import placeholders, word_of
from whence.expr.regroup import is_reshape
from whence.expr.selectors import SELECTS, at_most
from whence.expr.sums import constant, make_sum, own_axes, primitive, scaled
from whence.expr.values import FullShape, axis_names, simple_parts
from whence.notation import out as o
from whence.notation.layouts import Layout, Placed, Space, filled, order_of, placed, reshaped, stripped
from whence.notation.out import Out
from whence.notation.pieces import NotMatrix
from whence.notation.plans import Added, Joined, Leaf, Plan, Reduction, Shortest, Stretch
from whence.notation.tensor_functions import Along, Applied, OfMatrices, Reread
from whence.notation.tensor_term import TensorTerm, is_triangle
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import lookup, structured_by

if TYPE_CHECKING:
    from whence.notation.printer import Printer

FRESH = 100_000  # labels of axes that a function takes away
MAX_CASES = 8  # terms of a sum that may be written by cases


class Part(Plan):
    """A node whose axes have these labels."""

    def __init__(self, tensors: Tensors, node: Node, labels: Sequence[int], space: Space) -> None:
        self.inner, self.own = tensors.plan(node), tuple(labels)
        super().__init__((self.own[k] for k in self.inner.labels), space)
        self.triangle = is_triangle(node)

    def hints(self) -> tuple[Layout, ...]:
        return tuple(self._outside(h) for h in self.inner.hints())

    def _outside(self, layout: Layout) -> Layout:
        return tuple(None if x is None else self.own[x] for x in layout)

    def at(self, want: Layout) -> Placed:
        p = self.inner.at(tuple(self.own.index(x) if x in self.own else None for x in want))
        return Placed(p.out, self._outside(p.layout), p.summed)


class Tensors:
    """The part of the printer that knows layouts."""

    def __init__(self, printer: Printer) -> None:
        self.printer = printer
        self.batched = any(len(s) > 2 for s in printer.shapes.values())
        sizes = (symbol for shape in printer.shapes.values() for d in shape for symbol in d.symbols)
        self._size_order = {symbol: k for k, symbol in enumerate(dict.fromkeys(sizes))}
        self._plans: dict[Node, Plan] = {}
        self._known: dict[Node, bool] = {}

    # ------------------------------------------------------------ which nodes
    def needed(self, node: Node) -> bool:
        """Does a tensor, a range or a reshaped array stand in the node, outside its scalar factors?"""
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._needed(node)
        return found

    def _needed(self, node: Node) -> bool:
        if node.kind == VARIABLE:
            return node.rank > 2 or len(self.printer.shapes.get(node.name, ())) > 2
        if self.batched and node.rank > 2:
            return True
        if node.kind == FUNCTION:
            return SELECTS in node.facts or is_reshape(node) or any(self.needed(a) for a in node.arguments)
        if node.kind != SUM:
            return False
        return any(f.rank > 0 and self.needed(f) for _, fs in node.terms for f, _, _ in fs)

    def size_order(self, node: Node) -> int:
        """Sizes stand in the order in which the model has them."""
        return self._size_order.get(node.name, len(self._size_order)) if node.kind == DIMENSION else -1

    # ------------------------------------------------------------ formulas
    def forms(self, node: Node) -> tuple[Out, ...]:
        """(form,) of a scalar or a tensor, (column, row) of a vector, (matrix, transpose) of a matrix."""
        if node.rank == 0:
            return (self._number(node),)
        own = own_axes(node.rank)
        if node.rank > 2:
            return (self.shaped(node, own),)
        ways = [(0, None), (None, 0)] if node.rank == 1 else [(0, 1), (1, 0)]
        return tuple(self.strict(node, way) for way in ways)

    def _number(self, node: Node) -> Out:
        p = self.plan(node).at(())
        out = p.out if p.rank < 3 else o.call(structured_by("sum").name, p.out)
        return Out(out.tree, out.length, out.level, scalar=True)

    def strict(self, node: Node, want: Layout) -> Out:
        """In exactly this layout."""
        space = self._space(node)
        p = filled(self.plan(node).at(want), want, space)
        return (p if p.layout == want else reshaped(p, want, space)).out

    def shaped(self, node: Node, want: Layout) -> Out:
        """For an answer: beyond rank 2 axes of length 1 do not count."""
        if len(order_of(want)) == 0:
            return self._number(node)
        space = self._space(node)
        plan = self.plan(node)
        order = order_of(want)
        best: Out | None = None
        for layout in dict.fromkeys((want, *plan.hints(), stripped((None, *order)), (None, None, *order))):
            if order_of(layout) != tuple(x for x in order if x in layout) or set(order_of(layout)) - set(order):
                continue
            wide = layout if set(order) <= set(layout) else want
            try:
                p = filled(plan.at(wide), wide, space)
            except NotMatrix:
                continue
            if p.layout != want and (order_of(p.layout) != order or max(p.rank, len(want)) < 3):
                continue
            if best is None or p.out.length < best.length:
                best = p.out
        if best is not None:
            return best
        return self.strict(node, want)

    def axes(self, node: Node, shape: FullShape) -> Layout:
        """The layout that a full shape asks for."""
        names = axis_names(simple_parts(shape))
        layout = tuple(n[0] if n else None for n in names)
        return layout if len(order_of(layout)) == node.rank else stripped(own_axes(node.rank))

    # ------------------------------------------------------------ plans
    def part(self, node: Node, labels: Sequence[int], space: Space) -> Plan:
        """The plan of a node whose axes have these labels."""
        return Part(self, node, labels, space)

    def plan(self, node: Node) -> Plan:
        found = self._plans.get(node)
        if found is None:
            found = self._plans[node] = self._plan(node)
        return found

    def _space(self, node: Node) -> Space:
        return Space(dict(enumerate(node.dims)), self.printer.size)

    def _plan(self, node: Node) -> Plan:
        space = self._space(node)
        if node.kind == VARIABLE and self.needed(node):
            shape = self.printer.shapes.get(node.name, node.dims)
            return Leaf([placed(o.name(node.name, symmetric="symmetric" in node.facts), self.axes(node, shape))], space)
        if not self.needed(node):
            return self._matrix(node, space)
        return self._function(node, space) if node.kind == FUNCTION else self._sum(node, space)

    def _matrix(self, node: Node, space: Space) -> Plan:
        """What the printer of matrices writes."""
        forms = self.printer.forms(node)
        if node.rank == 0:
            return Leaf([Placed(forms[0], ())], space)
        ways: list[Layout] = [(0, None), (None, 0)] if node.rank == 1 else [(0, 1), (1, 0)]
        if node.rank > 2:
            raise NotMatrix
        return Leaf([Placed(f, w) for f, w in zip(forms, ways, strict=True)], space)

    # ------------------------------------------------------------ functions
    def _function(self, node: Node, space: Space) -> Plan:
        op = lookup(node.name)
        if is_reshape(node):
            return self._reread(node, space)
        own = own_axes(node.rank)
        if op is None or op.kind == "elementwise" or op.structure == "power":
            parts = [self.part(a, own, space) for a in node.arguments]
            return Applied(self._writer(node, op), parts, space)
        how = signature(op)
        if how.axis and node.parameters:
            return self._along_axes(node, op, space)
        if op.spelled:
            raise NotMatrix
        return self._of_matrices(node, op, space)

    def _writer(self, node: Node, op: Op | None):
        if op is not None and op.structure == "power":
            return lambda outs: self.printer.symbolic_power(outs[0], outs[1])
        return lambda outs: o.call(node.name, *outs)

    def _reread(self, node: Node, space: Space) -> Plan:
        (argument,) = node.arguments
        order = tuple(FRESH + k for k in range(argument.rank))
        inner = Space({**space.sizes, **dict(zip(order, argument.dims, strict=True))}, space.write)
        return Reread(self.part(argument, order, inner), order, own_axes(node.rank), inner)

    def _along_axes(self, node: Node, op: Op, space: Space) -> Plan:
        (argument,) = node.arguments
        slots = node.parameters[0]
        keeps = node.rank == argument.rank
        if keeps:
            own = own_axes(node.rank)
            return Along(self.part(argument, own, space), tuple(slots or ()), node.name, own, space)
        gone = range(argument.rank) if slots is None else slots
        kept = iter(own_axes(node.rank))
        labels = tuple(FRESH + k if k in gone else next(kept) for k in range(argument.rank))
        inner = Space({**space.sizes, **dict(zip(labels, argument.dims, strict=True))}, space.write)
        over = tuple(FRESH + k for k in gone)
        return Reduction(self.part(argument, labels, inner), over, node.name, inner)

    def _of_matrices(self, node: Node, op: Op, space: Space) -> Plan:
        way = signature(op).ways[0]
        arrays = [p for p in way.parameters if p.kind == "array"]
        if way.rule not in ("sizes", "same") or any(p.sizes is None or len(p.sizes) != 2 for p in arrays):
            raise NotMatrix
        ends: Layout = own_axes(node.rank)[-2:] if way.gives and node.rank >= 2 else ()
        lead = own_axes(node.rank)[: node.rank - len(ends)]
        sizes = dict(space.sizes)
        arguments: list[tuple[Plan, Layout]] = []
        for k, argument in enumerate(node.arguments):
            if argument.rank != len(lead) + 2:
                raise NotMatrix
            square = len(ends) == 2 and argument.dims == node.dims
            own = ends if square else (FRESH + 2 * k, FRESH + 2 * k + 1)
            labels = (*lead, *(x for x in own if x is not None))
            sizes.update(zip(labels, argument.dims, strict=True))
            arguments.append((self.part(argument, labels, Space(sizes, space.write)), own))
        inner = Space(sizes, space.write)
        words = [o.name(word_of(node))] if word_of(node) else []
        equivariant = op.transposes == "equivariant" and len(placeholders(op)) == 1
        return OfMatrices(
            node.name, words, arguments, ends, inner, batched=way.batched, equivariant=equivariant and bool(ends)
        )

    # ------------------------------------------------------------ sums
    def _sum(self, node: Node, space: Space) -> Plan:
        if not node.terms:
            return self._zero(node, space)
        ways = [self._signed(self.printer.in_order(node.terms), node, space)]
        if len(node.terms) > 1:
            content, _, _ = primitive(node)
            if abs(content) != 1:
                ways.append(self._with_content(node, content, space))
        for other in (self._cases(node, space),):
            if other is not None:
                ways.append(other)
        return ways[0] if len(ways) == 1 else Shortest(ways, space)

    def _zero(self, node: Node, space: Space) -> Plan:
        own = own_axes(node.rank)
        layout = stripped(own) if node.rank != 1 else (0, None)
        return Leaf([placed(space.constant("zeros", [space.dim(x) for x in layout]), layout)], space)

    def _with_content(self, node: Node, content: Coefficient, space: Space) -> Plan:
        rest = scaled_by(node, content)
        return self._signed([(content, [(rest, own_axes(node.rank), 1)])], node, space)

    def _signed(self, terms, node: Node, space: Space) -> Plan:
        terms = [self.printer.complement_outside(c, factors) for c, factors in terms]
        if all(c < 0 for c, _ in terms):
            terms = [self.printer.sign_inside(*terms[0]), *terms[1:]]
        signed: list[tuple[int, Plan]] = []
        parts: dict[int, list[tuple[Stretch, int | None, Plan]]] = {}
        for c, factors in terms:
            found = self._term(abs(c), factors, node).placed_along()
            if found is None:
                signed.append((1 if c > 0 else -1, self._contraction(abs(c), factors, node, space)))
                continue
            axis, stretch, own, plan = found
            plan = plan if c > 0 else Added([(-1, plan)], plan.space)
            parts.setdefault(axis, []).append((stretch, own, plan))
        for axis, found_parts in parts.items():
            signed += [self._joined(group, axis, space) for group in _apart(found_parts)]
        return signed[0][1] if len(signed) == 1 and signed[0][0] > 0 else Added(signed, space)

    def _joined(self, parts: list[tuple[Stretch, int | None, Plan]], axis: int, space: Space) -> tuple[int, Plan]:
        """Parts side by side along an axis; the sign of a single one stands before it."""
        sizes = dict(space.sizes)
        for _, _, plan in parts:
            sizes.update({k: d for k, d in plan.space.sizes.items() if k not in sizes})
        inner = Space(sizes, space.write)
        stretch, own, plan = parts[0]
        if len(parts) == 1 and isinstance(plan, Added) and len(plan.terms) == 1:
            return -1, Joined([(stretch, own, plan.terms[0][1])], axis, inner)
        return 1, Joined(parts, axis, inner)

    def _contraction(self, c: Coefficient, factors: Sequence[Factor], node: Node, space: Space) -> Plan:
        """The plan of one term: the shortest over the orders in which its factors can be put together."""
        first = self._term(c, factors, node)
        ways = [first.plan()]
        orders = [(k, False) for k in range(1, first.choices)]
        for choice, early in [*orders, (0, True)]:
            term = self._term(c, factors, node)
            term.choice, term.early = choice, early
            ways.append(term.plan())
        return Shortest(ways, space)

    def _term(self, c: Coefficient, factors: Sequence[Factor], node: Node) -> TensorTerm:
        return TensorTerm(self, c, factors, own_axes(node.rank), self._space(node))

    # ------------------------------------------------------------ cases
    def _cases(self, node: Node, space: Space) -> Plan | None:
        """A sum that depends on one condition as where(Z > 0, A, B)."""
        if len(node.terms) > MAX_CASES:
            return None
        step = structured_by("step").name
        if any(_shows(f, step) for _, fs in node.terms for f, _, e in fs if e == 1):
            node = canonical(node)
            if node.kind != SUM or len(node.terms) > MAX_CASES:
                return None
        masks = {(f, idx) for _, fs in node.terms for f, idx, _ in fs if f.kind == FUNCTION and f.name == step}
        masks |= {(f, idx) for _, fs in node.terms for f, idx, _ in fs if _is_condition(f)}
        if len(masks) != 1:
            return None
        ((mask, place),) = masks
        if len(set(place)) < len(place) or any(i >= node.rank for i in place):
            return None
        on, off = [], []
        for c, fs in node.terms:
            rest = [(f, idx, e) for f, idx, e in fs if f is not mask or idx != place]
            on.append((c, rest))
            if len(rest) == len(fs):
                off.append((c, rest))
        argument = mask.arguments[0] if mask.name == step else mask
        below = argument.kind == SUM and all(c < 0 for c, _ in argument.terms)
        condition = self.part(scaled(argument, -1) if below else argument, place, space)
        sides = [self._case(make_sum(side, node.dims), space) for side in (on, off)]
        sign, name = "<" if below else ">", structured_by("choose").name
        return Applied(lambda x: o.call(name, o.compare(sign, x[0]), *x[1:]), [condition, *sides], space)

    def _case(self, node: Node, space: Space) -> Plan:
        """One branch; a number stands for the array of it."""
        c = constant(node)
        if c is None:
            return self.part(node, own_axes(node.rank), space)
        out = o.number(abs(c))
        return Leaf([Placed(out if c >= 0 else o.negative(out), ())], space)


def scaled_by(node: Node, content: Coefficient) -> Node:
    """The sum divided by a number."""
    return make_sum([(Fraction(c) / content, factors) for c, factors in node.terms], node.dims)


def _is_condition(f: Node) -> bool:
    """Is the factor an array of 0 and 1 that stands for a condition?"""
    return "mask" in f.facts and f.kind in (VARIABLE, FUNCTION) and SELECTS not in f.facts and f.rank > 1


def _shows(f: Node, name: str) -> bool:
    """Is the factor a sum in which this function stands?"""
    return f.kind == SUM and any(g.kind == FUNCTION and g.name == name for _, fs in f.terms for g, _, _ in fs)


def _apart(
    parts: Iterable[tuple[Stretch, int | None, Plan]],
) -> list[list[tuple[Stretch, int | None, Plan]]]:
    """The parts in groups whose ranges do not overlap, each in order."""
    groups: list[list[tuple[Stretch, int | None, Plan]]] = []
    for part in parts:
        for group in groups:
            place = _place(group, part[0])
            if place is not None:
                group.insert(place, part)
                break
        else:
            groups.append([part])
    return groups


def _place(group: list[tuple[Stretch, int | None, Plan]], own: Stretch) -> int | None:
    """Where a range stands among others, None where it may overlap with one."""
    for k, (other, _, _) in enumerate(group):
        if at_most(own.high, other.low):
            return k
        if not at_most(other.high, own.low):
            return None
    return len(group)

