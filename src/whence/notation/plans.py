"""Ways to write an array of any rank, each asked for in the layout in which it is needed.

A plan knows its labels and gives its shortest formula for a wanted layout. So a product asks its factors for the
layouts that it needs, and whether K.mT, transpose(K, ...) or reshape(K, ...) is written is decided where it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from whence.expr.node import Coefficient
from whence.notation import out as o
from whence.notation.layouts import (
    Layout,
    Placed,
    Space,
    Summed,
    arranged,
    as_bias,
    axes_of,
    beside_tensors,
    common,
    filled,
    fits,
    only,
    order_of,
    placed,
    stripped,
    turned,
)
from whence.notation.out import Out
from whence.notation.pieces import TRIANGLES, NotMatrix, merged
from whence.ops.table import structured_by
from whence.read.syntax import Transpose
from whence.shapes.dims import Dim

MAX_HINTS = 6
MAX_RANK = 8  # of an array that stands in between


class Plan:
    """A way to write an array; `labels` are those it reaches, in no order that counts."""

    labels: tuple[int, ...]
    space: Space
    triangle = False  # a mask of ones on one side of the diagonal

    def __init__(self, labels: Iterable[int], space: Space) -> None:
        self.labels, self.space = tuple(dict.fromkeys(labels)), space
        self._memo: dict[Layout, Placed | None] = {}
        self._hints: tuple[Layout, ...] | None = None

    def hints(self) -> tuple[Layout, ...]:
        """Layouts that come cheaply, all with every label."""
        if self._hints is None:
            found = [h for h in self.cheap() if set(self.labels) <= set(h)]
            self._hints = tuple(dict.fromkeys(found))[:MAX_HINTS]
        return self._hints

    def at(self, want: Layout) -> Placed:
        """The shortest formula that broadcasts to the layout. Raises NotMatrix where there is none."""
        want = only(want, self.labels)
        if want not in self._memo:
            self._memo[want] = self._shortest(want)
        found = self._memo[want]
        if found is None:
            raise NotMatrix
        return found

    def _shortest(self, want: Layout) -> Placed | None:
        best: Placed | None = None
        for layout in dict.fromkeys((want, *self.hints())):
            try:
                found = arranged(self.direct(layout), want, self.space)
            except NotMatrix:
                continue
            if best is None or found.out.length < best.out.length:
                best = found
        return best

    def all_of(self, want: Layout) -> Placed:
        """The same with every label of the layout there."""
        return filled(self.at(want), want, self.space)

    def anywhere(self) -> Placed:
        """The shortest formula in whatever layout."""
        own = tuple(self.labels)
        options = [*self.hints(), stripped(own) if len(own) != 1 else (*own, None)]
        return min((self.at(h) for h in dict.fromkeys(options)), key=lambda p: p.out.length)

    def cheap(self) -> Iterable[Layout]:
        raise NotImplementedError

    def direct(self, want: Layout) -> Placed:
        """A formula in this layout, by the plan's own means."""
        raise NotImplementedError


class Leaf(Plan):
    """One of several formulas that are at hand."""

    def __init__(self, options: Sequence[Placed], space: Space, *, triangle: bool = False) -> None:
        super().__init__((x for p in options for x in order_of(p.layout)), space)
        self.options, self.triangle = options, triangle

    def cheap(self) -> Iterable[Layout]:
        return [p.layout for p in self.options]

    def direct(self, want: Layout) -> Placed:
        return min((arranged(p, want, self.space) for p in self.options), key=lambda p: p.out.length)


class Product(Plan):
    """An elementwise product of plans with exponents; a mask stands as the word for its triangle where it can."""

    def __init__(self, factors: Sequence[tuple[Plan, Coefficient]], space: Space) -> None:
        super().__init__((x for plan, _ in factors for x in plan.labels), space)
        self.factors = factors

    def cheap(self) -> Iterable[Layout]:
        return [h for plan, _ in self.factors for h in plan.hints()]

    def direct(self, want: Layout) -> Placed:
        rest = [(plan, e) for plan, e in self.factors if not plan.triangle]
        masks = [plan for plan, _ in self.factors if plan.triangle]
        if rest and masks:
            inner = self._product([(plan.at(want), e) for plan, e in rest])
            if all(set(inner.layout[-2:]) == set(m.labels) for m in masks):
                for m in masks:
                    below = inner.layout[-2:] == m.labels
                    inner = placed(o.call(TRIANGLES[0 if below else 1], inner.out), inner.layout)
                return inner
        whole = self._product([(plan.at(want), e) for plan, e in self.factors])
        outer = self._outer(want) if len(want) > 1 else None
        return whole if outer is None or whole.out.length <= outer.out.length else outer

    def _outer(self, want: Layout) -> Placed | None:
        """A column times a row, x @ y.T, times the others; None where no two factors are such."""
        row, column = want[-2:]
        ends = [[f for f in self.factors if f[0].labels == (x,)] for x in (row, column)]
        if not all(ends) or all(e < 0 for side in ends for _, e in side):
            return None
        down, across = (Product(side, self.space) for side in ends)
        a, b = down.at((row, None)), across.at((None, column))
        if a.rank != 2 or b.rank != 2:
            return None
        outer = Leaf([Placed(o.matmul([a.out, b.out]), (row, column))], self.space)
        rest = [f for f in self.factors if f not in ends[0] and f not in ends[1]]
        return self._product([(plan.at(want), e) for plan, e in [(outer, 1), *rest]])

    def _product(self, parts: list[tuple[Placed, Coefficient]]) -> Placed:
        fitted = beside_tensors([p for p, _ in parts], self.space)
        layout = common(fitted)
        above = [(p, e) for p, (_, e) in zip(fitted, parts, strict=True) if e > 0]
        below = [(p, e) for p, (_, e) in zip(fitted, parts, strict=True) if e < 0]
        top = sorted(above, key=lambda x: x[0].out.level != o.PRODUCT_LEVEL or x[1] != 1)
        outs = [o.power(p.out, e) for p, e in _with_columns(top)]
        plain = len(outs) == len(parts)
        if len(outs) == 1 and plain:
            return placed(outs[0], layout)
        out = o.elementwise(outs) if outs else o.number(1)
        for x in merged([o.power(p.out, -e) for p, e in below]):
            out = o.divide(out, x)
        return placed(out if plain else Out(out.tree, out.length, out.level), layout)


def _with_columns(parts: list[tuple[Placed, Coefficient]]) -> list[tuple[Placed, Coefficient]]:
    """The factors in their order, rows as columns where a tensor stands before them."""
    return list(zip(as_bias([p for p, _ in parts]), [e for _, e in parts], strict=True))


class Contraction(Plan):
    """Two plans joined over indices that they share: a batched matrix product, or a sum of a product."""

    def __init__(self, left: Plan, right: Plan, summed: Sequence[int], space: Space) -> None:
        super().__init__((x for x in (*left.labels, *right.labels) if x not in summed), space)
        self.left, self.right, self.summed = left, right, tuple(summed)
        self.shared = set(left.labels) & set(right.labels)
        self.sum = Reduction(Product([(left, 1), (right, 1)], space), summed, structured_by("sum").name, space)

    def cheap(self) -> Iterable[Layout]:
        rows = [x for x in self.left.labels if x not in self.shared] or [None]
        columns = [x for x in self.right.labels if x not in self.shared] or [None]
        for x in reversed(rows):
            for y in reversed(columns):
                for h in (*self.left.hints(), *self.right.hints()):
                    lead = tuple(None if z in self.summed else z for z in h[:-2] if z not in (x, y))
                    ahead = [z for z in self.labels if z not in (*lead, x, y)]
                    before = (*ahead, *lead)
                    yield (*before, x, y)
                    yield (*before, y, x)

    def direct(self, want: Layout) -> Placed:
        options: list[Placed] = []
        if len(want) >= 2 and (self.labels or self.space.sizes):
            options = [p for s in self.summed for swap in (False, True) for p in self._products(want, s, swap)]
        try:
            options.append(self.sum.at(want))
        except NotMatrix:
            if not options:
                raise
        return min(options, key=lambda p: p.out.length)

    def _products(self, want: Layout, s: int, swap: bool) -> Iterable[Placed]:
        """Matrix products over s in this layout, the others summed afterwards."""
        first, second = (self.right, self.left) if swap else (self.left, self.right)
        *lead, row, column = want
        if row in second.labels or column in first.labels:
            return
        others = [x for x in self.summed if x != s]
        for places in _insertions(tuple(lead), others):
            try:
                a, b = first.at((*places, row, s)), second.at((*places, s, column))
            except NotMatrix:
                continue
            if a.rank < 2 or b.rank < 2:
                continue
            layout = (*common([Placed(a.out, a.layout[:-2]), Placed(b.out, b.layout[:-2])]), a.layout[-2], b.layout[-1])
            made = placed(o.matmul([a.out, b.out]), layout)
            if others:
                axis = axes_of(layout, others)
                summed = Summed(structured_by("sum").name, axis, tuple(self.space.dim(x) for x in layout), made.out)
                layout = tuple(None if x in others else x for x in layout)
                made = replace(placed(o.call(summed.word, made.out, axis=axis), layout), summed=summed)
            yield made


def _insertions(lead: Layout, labels: Sequence[int]) -> Iterable[Layout]:
    """The leading axes with more labels: in front, or on axes of length 1."""
    yield (*labels, *lead)
    free = [k for k, x in enumerate(lead) if x is None]
    if labels and len(labels) <= len(free) <= 4:
        for chosen in permutations(free, len(labels)):
            out = list(lead)
            for k, x in zip(chosen, labels, strict=True):
                out[k] = x
            yield tuple(out)


class Reduction(Plan):
    """A function along axes, which then have length 1: sum, mean, max, logsumexp."""

    def __init__(self, inner: Plan, over: Sequence[int], word: str, space: Space) -> None:
        super().__init__((x for x in inner.labels if x not in over), space)
        self.inner, self.over, self.word = inner, tuple(over), word

    def cheap(self) -> Iterable[Layout]:
        return [tuple(None if x in self.over else x for x in h) for h in self.inner.hints()]

    def direct(self, want: Layout) -> Placed:
        if not self.labels and set(self.over) >= set(self.inner.labels):
            whole = self.inner.anywhere() if self.inner.labels else self.inner.at(())
            return Placed(replace(o.call(self.word, whole.out), scalar=True), ())
        options = []
        for layout in _insertions(want, self.over):
            if len(layout) > MAX_RANK:
                continue
            p = self._full(layout)
            reduced = tuple(None if x in self.over else x for x in p.layout)
            options.append(self._called(p, reduced))
        if not options:
            raise NotMatrix
        return min(options, key=lambda p: p.out.length)

    def _called(self, p: Placed, reduced: Layout) -> Placed:
        axis = axes_of(p.layout, self.over)
        made = placed(o.call(self.word, p.out, axis=axis), reduced)
        return replace(made, summed=Summed(self.word, axis, tuple(self.space.dim(x) for x in p.layout), p.out))

    def _full(self, layout: Layout) -> Placed:
        p = self.inner.at(layout)
        return p if set(self.over) <= set(p.layout) else filled(p, only(layout, (*self.labels, *self.over)), self.space)


@dataclass(frozen=True)
class Stretch:
    """From where, and to where, a range goes."""

    low: Dim
    high: Dim


class Sliced(Plan):
    """A range of one axis: the label `old` of the inner plan is `new` outside, None where it is of one entry."""

    def __init__(self, inner: Plan, old: int, new: int | None, stretch: Stretch, space: Space) -> None:
        kept = (new if x == old else x for x in inner.labels)
        super().__init__((x for x in kept if x is not None), space)
        self.inner, self.old, self.new, self.stretch = inner, old, new, stretch

    def cheap(self) -> Iterable[Layout]:
        return [tuple(self.new if x == self.old else x for x in h) for h in self.inner.hints()]

    def direct(self, want: Layout) -> Placed:
        options = []
        for layout in self._inside(want):
            p = filled(self.inner.at(layout), only(layout, (*self.labels, self.old)), self.space)
            options.append(turned(self._cut(turned(p))) if isinstance(p.out.tree, Transpose) else self._cut(p))
        return min(options, key=lambda p: p.out.length)

    def _cut(self, p: Placed) -> Placed:
        write = self.space.write
        ends = (write(self.stretch.low), write(self.stretch.high))
        out = o.ranges(p.out, [ends if x == self.old else None for x in p.layout])
        return placed(out, tuple(self.new if x == self.old else x for x in p.layout))

    def _inside(self, want: Layout) -> Iterable[Layout]:
        if self.new is not None:
            return [tuple(self.old if x == self.new else x for x in want)]
        return list(_insertions(want, (self.old,)))


class Picked(Plan):
    """One entry of an axis by an index name: the axis goes."""

    def __init__(self, inner: Plan, gone: int, name: str, space: Space) -> None:
        super().__init__((x for x in inner.labels if x != gone), space)
        self.inner, self.gone, self.name = inner, gone, name

    def cheap(self) -> Iterable[Layout]:
        return [self._without(h) for h in self.inner.hints()]

    def _without(self, layout: Layout) -> Layout:
        if len(layout) == 2:
            return tuple(None if x == self.gone else x for x in layout)
        left = tuple(x for x in layout if x != self.gone)
        return (*left, None) if len(left) == 1 else left

    def direct(self, want: Layout) -> Placed:
        options = []
        for h in self.inner.hints():
            p = self.inner.at(h)
            if self.gone not in p.layout:
                continue
            left = [x for x in p.layout if x is not None and x != self.gone]
            places = [self.name if x == self.gone else None for x in p.layout]
            if p.rank == 2 and not left:  # x[i] of a vector
                out, layout = o.index(p.out, self.name), ()
            else:
                out, layout = o.index(p.out, *places), self._without(p.layout)
            options.append(arranged(placed(out, layout), want, self.space))
        if not options:
            raise NotMatrix
        return min(options, key=lambda p: p.out.length)


class Joined(Plan):
    """concat: plans one behind the other along a label, zeros between. `parts` are in their order."""

    def __init__(self, parts: Sequence[tuple[Stretch, int | None, Plan]], label: int, space: Space) -> None:
        inner = (x for _, own, plan in parts for x in plan.labels if x != own)
        super().__init__((*inner, label), space)
        self.parts, self.label = parts, label

    def cheap(self) -> Iterable[Layout]:
        for _, own, plan in self.parts:
            for h in plan.hints():
                if own is not None:
                    yield tuple(self.label if x == own else x for x in h)
                else:
                    for k, x in enumerate(h):
                        if x is None:
                            yield (*h[:k], self.label, *h[k + 1 :])

    def direct(self, want: Layout) -> Placed:
        if self.label not in want:
            raise NotMatrix
        found = [self._part(want, own, plan) for _, own, plan in self.parts]
        have = {x for p in found for x in p.layout} - {own for _, own, _ in self.parts}
        base = only(want, [*have, self.label])
        outs: list[Out] = []
        at = Dim.parse(0)
        axis = base.index(self.label)
        for (stretch, own, _), p in zip(self.parts, found, strict=True):
            self._gap(outs, base, axis, at, stretch.low)
            outs.append(self._whole(p, tuple(own if x == self.label else x for x in base)))
            at = stretch.high
        self._gap(outs, base, axis, at, self.space.dim(self.label))
        name = structured_by("concat").name
        return placed(o.call(name, *outs, axis=axes_of(base, [self.label])) if len(outs) > 1 else outs[0], base)

    def _part(self, want: Layout, own: int | None, plan: Plan) -> Placed:
        inside = tuple(own if x == self.label else x for x in want)
        return plan.at(inside)

    def _whole(self, p: Placed, layout: Layout) -> Out:
        """The part in exactly this layout."""
        p = filled(p, layout, self.space)
        if p.layout == layout:
            return p.out
        if fits(p.layout, layout) and p.rank < len(layout) and not p.layout:
            return o.multiply(p.out, self.space.constant("ones", [self.space.dim(x) for x in layout]))
        name = structured_by("reshape").name
        return o.call(name, p.out, *(self.space.size(x) for x in layout))

    def _gap(self, outs: list[Out], base: Layout, axis: int, low: Dim, high: Dim) -> None:
        if low != high:
            dims = [high - low if k == axis else self.space.dim(x) for k, x in enumerate(base)]
            outs.append(self.space.constant("zeros", dims))


class Added(Plan):
    """A sum of plans with signs."""

    def __init__(self, terms: Sequence[tuple[int, Plan]], space: Space) -> None:
        super().__init__((x for _, plan in terms for x in plan.labels), space)
        self.terms = terms

    def cheap(self) -> Iterable[Layout]:
        return [h for _, plan in self.terms for h in plan.hints()]

    def direct(self, want: Layout) -> Placed:
        if len(self.terms) == 1:
            sign, plan = self.terms[0]
            p = plan.at(want)
            return p if sign > 0 else placed(o.negative(p.out), p.layout)
        first = next((k for k, (s, _) in enumerate(self.terms) if s > 0), 0)
        terms = [self.terms[first], *self.terms[:first], *self.terms[first + 1 :]]
        parts = beside_tensors([plan.at(want) for _, plan in terms], self.space)
        layout = common(parts)
        signs = [s for s, _ in terms]
        together = _summed_together(signs, parts)
        if together is not None:
            return together
        return placed(o.add(list(zip(signs, [p.out for p in as_bias(parts)], strict=True))), layout)


def _summed_together(signs: Sequence[int], parts: Sequence[Placed]) -> Placed | None:
    """sum(A, axis=0) + sum(B, axis=0) as sum(A + B, axis=0), where A and B have the same shape."""
    first = parts[0].summed
    sums = [p.summed for p in parts if p.summed is not None and p.layout == parts[0].layout]
    if first is None or len(sums) < len(parts) or any(s.key != first.key for s in sums):
        return None
    inner = o.add([(sign, s.inner) for sign, s in zip(signs, sums, strict=True)])
    return placed(o.call(first.word, inner, axis=first.axis), parts[0].layout)


class Shortest(Plan):
    """The shortest of several ways to write the same array."""

    def __init__(self, ways: Sequence[Plan], space: Space) -> None:
        super().__init__(ways[0].labels, space)
        self.ways = ways

    def cheap(self) -> Iterable[Layout]:
        return [h for way in self.ways for h in way.hints()]

    def direct(self, want: Layout) -> Placed:
        found = []
        for way in self.ways:
            try:
                found.append(way.at(want))
            except NotMatrix:
                continue
        if not found:
            raise NotMatrix
        return min(found, key=lambda p: p.out.length)


class Changed(Plan):
    """A plan whose formula is changed where it stands: numbers and scalars before it, divisors after it."""

    def __init__(self, inner: Plan, change: Callable[[Out], Out], space: Space) -> None:
        super().__init__(inner.labels, space)
        self.inner, self.change = inner, change

    def cheap(self) -> Iterable[Layout]:
        return self.inner.hints()

    def direct(self, want: Layout) -> Placed:
        p = self.inner.at(want)
        return placed(self.change(p.out), p.layout)


class Traced(Plan):
    """The trace of each matrix, both axes kept with length 1."""

    def __init__(self, inner: Plan, row: int, column: int, space: Space) -> None:
        super().__init__((x for x in inner.labels if x not in (row, column)), space)
        self.inner, self.row, self.column = inner, row, column

    def cheap(self) -> Iterable[Layout]:
        return [(*self.labels, None, None)]

    def direct(self, want: Layout) -> Placed:
        if any(x is not None for x in want[-2:]):
            raise NotMatrix
        ways = [(*want[:-2], self.row, self.column), (*want[:-2], self.column, self.row)]
        p = min((self.inner.at(w) for w in ways), key=lambda x: x.out.length)
        out = o.call(structured_by("trace").name, p.out)
        return placed(out, (*p.layout[:-2], None, None)) if p.rank > 2 else Placed(out, ())
