"""From the expression graph back to matrix notation: nodes as formulas, a column and a row form of every vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property

from whence.expr.canonical import canonical
from whence.expr.known import UNIT_DIAGONAL
from whence.expr.node import BASIS, DIMENSION, FUNCTION, IDENTITY, SUM, VARIABLE, Coefficient, Node, function, raw_sum
from whence.expr.opaque import COMPOSITE, word_of
from whence.expr.sums import constant, make_sum, primitive, scaled, transpose
from whence.expr.values import ONE
from whence.notation import out as o
from whence.notation import pieces
from whence.notation.out import Out
from whence.notation.pieces import COLUMN, ROW, TRIANGLES, NotMatrix, shorter, total_of
from whence.notation.spelled import spelled
from whence.notation.tensors import Tensors
from whence.notation.term import Term
from whence.ops.table import lookup, structured_by
from whence.shapes.dims import Dim

MAX_CASES = 8  # terms of a sum that may be written by cases


def _shows(f: Node, name: str) -> bool:
    """Is the factor a sum in which this function stands?"""
    return f.kind == SUM and any(g.kind == FUNCTION and g.name == name for _, fs in f.terms for g, _, _ in fs)


def scaled_raw(f: Node) -> Node:
    """The sum with every sign changed, as it stands."""
    return raw_sum(tuple((-c, fs) for c, fs in f.terms), f.dims)


@dataclass
class Printer:
    """Prints nodes. `shapes` says how named vectors stand (a row or a column); `order` ranks names for ties."""

    shapes: Mapping[str, tuple[Dim, ...]]
    order: Mapping[str, int] = field(default_factory=dict)
    upstream: frozenset[str] = frozenset()  # names of adjoints, which stand first in an elementwise product
    last: frozenset[str] = frozenset()  # names of small changes, which stand last in a product
    inputs: int = 0  # how many of the ranked names are inputs; the others are computed
    means: bool = False  # write sum(x)/n as mean(x): where the model itself speaks of means
    _memo: dict[Node, tuple[Out, ...]] = field(default_factory=dict)

    # ------------------------------------------------------------ nodes
    def forms(self, node: Node) -> tuple[Out, ...]:
        """(form,) of a scalar, (column, row) of a vector, (matrix, transpose) of a matrix.

        Raises NotMatrix where a function of more than two axes stands inside.
        """
        found = self._memo.get(node)
        if found is None:
            found = self._memo[node] = self._forms(node)
        return found

    @cached_property
    def tensors(self) -> Tensors:
        """What prints nodes in which tensors, ranges or reshaped arrays stand."""
        return Tensors(self)

    def shaped(self, node: Node, shape: tuple[Dim, ...]) -> Out:
        """A node as an array of this full shape. Beyond rank 2 axes of length 1 do not count."""
        if self.tensors.needed(node):
            with suppress(NotMatrix):
                return self.tensors.shaped(node, self.tensors.axes(node, shape))
        row = len(shape) == 2 and shape[0] == ONE and shape[1] != ONE
        return self.forms(node)[1 if row else 0]

    def _forms(self, node: Node) -> tuple[Out, ...]:
        if self.tensors.needed(node) and node.kind in (SUM, FUNCTION, VARIABLE):
            with suppress(NotMatrix):
                return self.tensors.forms(node)
        if node.rank > 2 and node.kind not in (SUM, VARIABLE):
            raise NotMatrix
        if node.kind == SUM:
            return self._sum_forms(node)
        if node.kind == FUNCTION:
            return self._function_forms(node)
        if node.kind == IDENTITY:
            eye = self.filled("eye", node.dims[0])
            return (eye, eye)
        if node.kind == BASIS:
            unit = o.index(self.filled("eye", node.dims[0]), None, node.name)
            return (unit, o.transpose(unit))
        if node.kind == DIMENSION:
            return (self.size(node.parameters[0]),)
        symmetric = "symmetric" in node.facts
        base = o.name(node.name, symmetric=symmetric, scalar=node.rank == 0)
        if node.rank == 0:
            return (base,)
        turned = o.transpose(base)
        shape = self.shapes.get(node.name, ())
        return (turned, base) if node.rank == 1 and shape and shape[0] == ONE else (base, turned)

    def filled(self, structure: str, *sizes: Dim) -> Out:
        """eye(n), ones(n, m), by the entry that has this structure."""
        return o.call(structured_by(structure).name, *(self.size(d) for d in sizes))

    def reshaped(self, node: Node, sizes: Sequence[Dim]) -> Out:
        """The array, read row by row, in another shape."""
        return o.call(structured_by("reshape").name, self.forms(node)[0], *(self.size(d) for d in sizes))

    def size(self, d: Dim) -> Out:
        """A size as a formula."""
        if not d.terms:
            return o.number(0)
        terms = []
        for powers, c in d.terms:
            factors = [o.power(o.name(symbol, scalar=True), e) for symbol, e in powers]
            if abs(c) != 1 or not factors:
                factors.insert(0, o.number(abs(c)))
            out = factors[0]
            for f in factors[1:]:
                out = o.multiply(out, f)
            terms.append((1 if c > 0 else -1, out))
        return o.add(terms) if len(terms) > 1 or terms[0][0] < 0 else terms[0][1]

    def _function_forms(self, node: Node) -> tuple[Out, ...]:
        name, parameters = node.name, node.parameters
        op = lookup(name)
        if UNIT_DIAGONAL in node.facts:
            lower, upper = (
                o.call(word, self.filled("ones", *dims))
                for word, dims in zip(TRIANGLES, (node.dims, node.dims[::-1]), strict=True)
            )
            return (lower, upper)
        if COMPOSITE in parameters:
            return (self._composite(node),)
        first = node.arguments[0]
        if op is not None and op.structure == "power":
            return tuple(self.symbolic_power(a, b) for a, b in zip(*self._loose(node.arguments), strict=True))
        several = op is not None and op.kind == "elementwise" and len(node.arguments) > 1
        arguments = self._loose(node.arguments) if several else [self.forms(a) for a in node.arguments]
        if op is None or op.kind == "elementwise":
            made = [o.call(name, *(a[min(k, len(a) - 1)] for a in arguments)) for k in range(min(node.rank, 1) + 1)]
            return self._both(made, symmetric="symmetric" in node.facts, rank=node.rank)
        slots = parameters[0] if parameters else None
        if parameters and slots is not None and first.rank == 2:
            return self._along_axis(node, name, slots[0], arguments[0])
        if parameters and first.rank == 1:
            column = o.call(name, arguments[0][COLUMN])
            row = o.call(name, arguments[0][ROW], axis=1)
            return self._both([column, row], rank=node.rank)
        if op.spelled:
            columns = [a[COLUMN] for a in arguments]
            return self._both([spelled(op, node, columns, self.size)], rank=node.rank)
        word = word_of(node)
        if op.transposes == "invariant":
            return self._both([o.call(name, shorter(arguments[0]))], rank=0)
        words = [o.name(word)] if word else []
        turns = range(2) if op.transposes and node.rank == 2 else range(1)
        made = [o.call(name, *words, *(a[k] for a in arguments)) for k in turns]
        return self._both(made, symmetric="symmetric" in node.facts, rank=node.rank)

    def _composite(self, node: Node) -> Out:
        """A function of a matrix with composite axes, itself a number: logdet(kron(A, B) + ...)."""
        from whence.notation.kronecker import composite_matrix

        if node.rank:
            raise NotMatrix
        return replace(composite_matrix(self, node), scalar=True)

    def _loose(self, arguments: tuple[Node, ...]) -> list[tuple[Out, ...]]:
        """Arguments that are broadcast against each other: ones need not be written where another has the axis."""
        rank = arguments[0].rank
        reach = [self._axes_of(a) for a in arguments]
        whole = set(range(rank))
        if set().union(*reach) != whole or whole in reach and all(r == whole for r in reach):
            return [self.forms(a) for a in arguments]
        return [self.forms(a) if r == whole else self._unfilled(a) for a, r in zip(arguments, reach, strict=True)]

    def _axes_of(self, node: Node) -> set[int]:
        if node.kind != SUM:
            return set(range(node.rank))
        return {i for _, fs in node.terms for _, idx, _ in fs for i in idx if i < node.rank}

    def _unfilled(self, node: Node) -> tuple[Out, ...]:
        terms = self.in_order(node.terms)
        printed = [(1 if c > 0 else -1, Term(self, abs(c), factors, node.rank, node.dims)) for c, factors in terms]
        return tuple(self._assemble(printed, k) for k in range(2 if node.rank else 1)) if printed else self.forms(node)

    def _along_axis(self, node: Node, name: str, axis: int, argument: tuple[Out, ...]) -> tuple[Out, ...]:
        forms = [o.call(name, argument[0], axis=axis), o.call(name, argument[1], axis=1 - axis)]
        if node.rank == 2:
            return self._both(forms, rank=2)
        # along axis 0 the result is a row, along axis 1 a column
        row, column = (forms[0], forms[1]) if axis == 0 else (forms[1], forms[0])
        return self._both([column, row], rank=1)

    def _both(self, made: list[Out], *, rank: int, symmetric: bool = False) -> tuple[Out, ...]:
        """Each orientation in its shorter form."""
        if rank == 0:
            first = made[0]
            return (Out(first.tree, first.length, first.level, scalar=True),)
        first = made[0]
        if symmetric:
            first = Out(first.tree, first.length, first.level, first.chain, first.hadamard, symmetric=True)
            return (first, first)
        second = made[1] if len(made) > 1 else o.transpose(first)
        turned = o.transpose(first)
        back = o.transpose(second)
        return (first if first.length <= back.length else back, second if second.length < turned.length else turned)

    def symbolic_power(self, base: Out, exponent: Out) -> Out:
        tree = o.Binary("**", base.tree, exponent.tree)
        return Out(
            tree,
            base.within(o.ATOM_LEVEL) + 1 + exponent.within(o.ATOM_LEVEL),
            o.POWER_LEVEL,
            scalar=base.scalar and exponent.scalar,
        )

    # ------------------------------------------------------------ sums
    def _sum_forms(self, node: Node) -> tuple[Out, ...]:
        if not node.terms:
            return self._constant_forms(Fraction(0), node.dims)
        if len(node.terms) == 1:
            c, factors = node.terms[0]
            if not factors:
                return self._constant_forms(Fraction(c), node.dims)
            return self._signed_forms([(c, factors)], node.dims)
        apart = self._signed_forms(self.in_order(node.terms), node.dims)
        if node.rank == 2:
            apart = tuple(pieces.shortest(a, o.transpose(b)) for a, b in (apart, apart[::-1]))
        for other in (self._with_content(node), self._complement(node), self._cases(node)):
            if other is not None:
                apart = tuple(w if w.length <= a.length else a for w, a in zip(other, apart, strict=True))
        return apart

    def apart(self, node: Node) -> tuple[Out, ...]:
        """A sum term by term: 1 - sigmoid(Z), where sigmoid(Z) stands beside it."""
        return self._signed_forms(self.in_order(node.terms), node.dims)

    def complemented(self, node: Node) -> Node | None:
        """The sigmoid(Z) of c - c * sigmoid(Z), None where the node is nothing like it."""
        if node.kind != SUM or len(node.terms) != 2 or node.rank > 2:
            return None
        own = tuple(range(node.rank))
        (c, one), (d, other) = sorted(node.terms, key=lambda term: len(term[1]))
        if one or d != -c or len(other) != 1 or other[0][1:] != (own, 1) or other[0][0].kind != FUNCTION:
            return None
        op = lookup(other[0][0].name)
        return other[0][0] if op is not None and op.parity == "complement" else None

    def _complement(self, node: Node) -> tuple[Out, ...] | None:
        """1 - sigmoid(Z) as sigmoid(-Z)."""
        f = self.complemented(node)
        if f is None:
            return None
        c, own = next(c for c, fs in node.terms if not fs), tuple(range(node.rank))
        turned = function(f.name, (scaled(f.arguments[0], -1),), f.dims, f.parameters, f.facts)
        return self._signed_forms([(c, ((turned, own, 1),))], node.dims)

    def complement_outside(self, c: Coefficient, factors):
        """(sigmoid(Z) - 1) * Y as -sigmoid(-Z) * Y: the sign of such a factor belongs to the whole term."""
        for k, (f, idx, e) in enumerate(factors):
            if e == 1 and self._is_negative_complement(f):
                return -c, (*factors[:k], (scaled_raw(f), idx, e), *factors[k + 1 :])
        return c, factors

    def _is_negative_complement(self, f: Node) -> bool:
        return self.complemented(f) is not None and next(c for c, fs in f.terms if not fs) < 0

    def _cases(self, node: Node) -> tuple[Out, ...] | None:
        """A sum that depends on one condition as where(Z > 0, A, B)."""
        if node.rank > 2 or len(node.terms) > MAX_CASES:
            return None
        step = structured_by("step").name
        own = tuple(range(node.rank))
        if any(_shows(f, step) for _, fs in node.terms for f, _, e in fs if e == 1):
            node = canonical(node)
            if node.kind != SUM or len(node.terms) > MAX_CASES:
                return None
        found = [(f, idx) for _, fs in node.terms for f, idx, _ in fs if f.name == step and f.kind == FUNCTION]
        masks = {(f, idx) for f, idx in found if tuple(sorted(idx)) == own}
        if len(masks) != 1:
            return None
        ((mask, place),) = masks
        on, off = [], []
        for c, fs in node.terms:
            rest = [(f, idx, e) for f, idx, e in fs if f is not mask or idx != place]
            on.append((c, rest))
            if len(rest) == len(fs):
                off.append((c, rest))
        argument = mask.arguments[0]
        condition = self._positive(argument if place == own else transpose(argument, (1, 0)))
        cases = [self._case(make_sum(side, node.dims)) for side in (on, off)]
        name = structured_by("choose").name
        return tuple(o.call(name, condition[k], *(case[k] for case in cases)) for k in range(min(node.rank, 1) + 1))

    def _positive(self, argument: Node) -> list[Out]:
        """The condition that an array is positive, in both orientations."""
        negative = argument.kind == SUM and all(c < 0 for c, _ in argument.terms)
        shown = scaled(argument, -1) if negative else argument
        return [o.compare("<" if negative else ">", form) for form in self.forms(shown)]

    def _case(self, node: Node) -> tuple[Out, ...]:
        """One branch; a number stands for the array of it."""
        c = constant(node)
        if c is None:
            return self.forms(node)
        out = o.number(abs(c))
        return (out if c >= 0 else o.negative(out),) * 2

    def _with_content(self, node: Node) -> tuple[Out, ...] | None:
        """The number that all coefficients share, times the rest: 2 * (b - A @ x). None where it is 1."""
        content, _, _ = primitive(node)
        if abs(content) == 1 or node.rank > 2:
            return None
        if content < 0 and any(c > 0 for c, _ in node.terms):
            content = -content
        rest = make_sum([(Fraction(c) / content, factors) for c, factors in node.terms], node.dims)
        return self._signed_forms([(content, ((rest, tuple(range(node.rank)), 1),))], node.dims)

    def in_order(self, terms):
        """Terms in the order in which they are written."""
        return sorted(terms, key=lambda t: (self._first_name(t[1]), t[0] < 0))

    def _first_name(self, factors) -> tuple:
        """What is computed last stands first (A2 - Y); inputs stand in the order in which they are declared."""
        ranks = sorted({self.order.get(leaf.name, 10_000) for f, _, _ in factors for leaf in f.leaves})
        if not ranks:
            return (0,) if all(f.kind != IDENTITY for f, _, _ in factors) else (3,)
        if ranks[-1] >= self.inputs:
            return (1, -ranks[-1])
        return (2, *ranks)

    def _constant_forms(self, c: Fraction, dims: tuple[Dim, ...]) -> tuple[Out, ...]:
        if not dims:
            out = o.number(abs(c))
            return (out if c >= 0 else o.negative(out),)
        sizes = [(dims[0],), (ONE, dims[0])] if len(dims) == 1 else [dims, dims[::-1]] if len(dims) == 2 else [dims]
        forms = []
        for s in sizes:
            out = self.filled("zeros" if c == 0 else "ones", *s)
            if abs(c) not in (0, 1):
                out = o.multiply(o.number(abs(c)), out)
            forms.append(out if c >= 0 else o.negative(out))
        return tuple(forms)

    def _signed_forms(self, terms, dims: tuple[Dim, ...]) -> tuple[Out, ...]:
        rank = len(dims)
        terms = [self.complement_outside(c, factors) for c, factors in terms]
        if all(c < 0 for c, _ in terms):
            terms = [self.sign_inside(*terms[0]), *terms[1:]]
        printed = [(1 if c > 0 else -1, Term(self, abs(c), factors, rank, dims)) for c, factors in terms]
        covered = {axis for _, t in printed for axis in t.axes}
        if not covered.issuperset(range(rank)):
            printed[0][1].fill()
        orientations = 2 if 1 <= rank <= 2 else 1
        return tuple(self._assemble(printed, k) for k in range(orientations))

    def sign_inside(self, c: Coefficient, factors):
        """-(a - b) * c as (b - a) * c, where a sum among the factors can take the sign at no cost."""
        for k, (f, idx, e) in enumerate(factors):
            total = total_of(f)
            if total is not None and abs(e) == 1 and any(c2 < 0 for c2, _ in total.terms):
                turned = raw_sum(((1, ((scaled(total, -1), tuple(range(total.rank)), 1),)),), ())
                return -c, (*factors[:k], (turned, idx, e), *factors[k + 1 :])
            if self.complemented(f) is not None:
                continue
            if f.kind == SUM and len(f.terms) > 1 and abs(e) == 1 and any(c2 < 0 for c2, _ in f.terms):
                turned = make_sum([(-c2, fs) for c2, fs in f.terms], f.dims)
                return -c, (*factors[:k], (turned, idx, e), *factors[k + 1 :])
        return c, factors

    def _assemble(self, printed, orientation: int) -> Out:
        signed = [(s, t.form(orientation)) for s, t in printed]
        if len(signed) == 1:
            s, out = signed[0]
            return out if s > 0 else o.negative(out)
        return o.add(signed)
