"""One contraction of arrays of any rank as a plan: the summed indices are removed one at a time.

An index on one factor alone is a sum along an axis, one that joins two is a batched matrix product; where it is on
more, those that broadcast to others are multiplied with them first. A selector on a summed index is a range of what
stands there, on an axis of the result it puts its factor in place among zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from whence.expr.known import UNIT_DIAGONAL
from whence.expr.node import BASIS, DIMENSION, IDENTITY, Coefficient, Factor, identity
from whence.expr.selectors import SELECTS, range_of
from whence.notation import out as o
from whence.notation.layouts import Placed, Space
from whence.notation.pieces import NotMatrix
from whence.notation.plans import (
    MAX_RANK,
    Changed,
    Contraction,
    Joined,
    Leaf,
    Picked,
    Plan,
    Product,
    Reduction,
    Sliced,
    Stretch,
    Traced,
)
from whence.notation.term import Term
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from whence.notation.tensors import Tensors

Weighed = tuple[Plan, Coefficient]
MAX_CHOICES = 3  # ways to multiply three factors on one index that are tried


class TensorTerm:
    """Builds the plan of one term; `labels` are the axes of the result."""

    def __init__(
        self, tensors: Tensors, coefficient: Coefficient, factors: Sequence[Factor], labels: Sequence[int], space: Space
    ) -> None:
        self.tensors, self.printer, self.coefficient = tensors, tensors.printer, coefficient
        self.kept, self.space = set(labels), space
        self.scalars: list[Factor] = []
        self.pieces: list[Weighed] = []
        self.ranges: list[tuple[int | None, int, Stretch]] = []  # new label, old label
        self.picks: dict[int, str] = {}
        self.choice, self.choices, self.early = 0, 1, False
        self.fresh = 1 + max([1_000, *space.sizes, *(i for _, idx, _ in factors for i in idx)])
        for f, idx, _ in factors:
            self.space.sizes.update(zip(idx, f.dims, strict=True))
        order = Term(self.printer, 1, [], 0, ())
        self.count = {i: sum(i in idx for _, idx, _ in factors) for _, idx, _ in factors for i in idx}
        for factor in sorted(factors, key=order.rank_of):
            self._take(factor)

    # ------------------------------------------------------------ factors
    def _take(self, factor: Factor) -> None:
        f, idx, e = factor
        if f.rank == 0:
            self.scalars.append(factor)
        elif f.kind == BASIS:
            self._take_place(factor)
        elif SELECTS in f.facts:
            new, old = idx
            low, high = range_of(f)
            if new in self.kept and old in self.kept:
                self.pieces.append((self._rows_of_identity(new, old, low, high), e))
            else:
                self.ranges.append((new, old, Stretch(low, high)))
        elif f.kind == IDENTITY:
            eye = self.space.constant("eye", [f.dims[0]])
            options = [Placed(replace(eye, symmetric=True), idx), Placed(replace(eye, symmetric=True), idx[::-1])]
            self.pieces.append((Leaf(options, self.space), 1))
        else:
            self._take_array(factor)

    def _take_place(self, factor: Factor) -> None:
        """A unit vector: it picks an entry of a summed axis, or puts what it meets at that place of an axis."""
        f, (i,), e = factor
        if not f.parameters:
            if i in self.kept:
                forms = self.printer.forms(f)
                options = [Placed(forms[0], (i, None)), Placed(forms[1], (None, i))]
                self.pieces.append((Leaf(options, self.space), e))
            else:
                self.picks[i] = f.name
            return
        (low,) = f.parameters
        self.ranges.append((None, i, Stretch(low, low + 1)))

    def _take_array(self, factor: Factor) -> None:
        f, idx, e = factor
        own = list(idx)
        for k, i in enumerate(idx):
            if i in idx[:k]:  # an entry of the diagonal
                own[k] = self.fresh
                self.space.sizes[self.fresh] = f.dims[k]
                self.fresh += 1
        plan = self.tensors.part(f, own, self.space)
        doubled = [(i, j) for i, j in zip(idx, own, strict=True) if i != j]
        if len(doubled) == 1 and doubled[0][0] not in self.kept and e == 1 and self.count[doubled[0][0]] == 1:
            self.pieces.append((Traced(plan, *doubled[0], self.space), 1))
            return
        self.pieces.append((plan, e))
        for i, j in doubled:
            self._take((identity(self.space.sizes[i]), (i, j), 1))

    def _rows_of_identity(self, new: int, old: int, low: Dim, high: Dim) -> Plan:
        eye = self.space.constant("eye", [self.space.sizes[old]])
        write = self.space.write
        rows = o.ranges(eye, [(write(low), write(high)), None])
        return Leaf([Placed(rows, (new, old)), Placed(o.transpose(rows), (old, new))], self.space)

    # ------------------------------------------------------------ the whole
    def plan(self) -> Plan:
        """The plan of the whole term. Raises NotMatrix where no order of removing indices works."""
        self._pick()
        self._slice()
        later = {new for new, _, _ in self.ranges if new is not None}
        self._group()
        if self.early:
            self._broadcast_first()
        self._eliminate(later)
        for new, old, stretch in self.ranges:
            self._put(new, old, stretch)
        self.scalars.sort(key=lambda x: self.tensors.size_order(x[0]))
        body = self._body()
        word = Term(self.printer, self.coefficient, self.scalars, 0, ())
        if body is None:
            return Leaf([Placed(word.with_scalars(None), ())], self.space)
        if self.coefficient == 1 and not self.scalars:
            return body
        return Changed(body, word.with_scalars, self.space)

    def placed_along(self) -> tuple[int, Stretch, int | None, Plan] | None:
        """Where the whole term is one part put in place along an axis: that axis, where, the part's label, the part."""
        outside = [r for r in self.ranges if r[1] in self.kept]
        if len(outside) != 1 or self.count[outside[0][1]] > 1:
            return None
        new, old, stretch = outside[0]
        self.ranges = [r for r in self.ranges if r is not outside[0]]
        self.kept = self.kept - {old} | ({new} if new is not None else set())
        return old, stretch, new, self.plan()

    def _pick(self) -> None:
        for i, name in self.picks.items():
            self.pieces = [(Picked(p, i, name, self.space) if i in p.labels else p, e) for p, e in self.pieces]

    def _slice(self) -> None:
        """Ranges of summed indices are ranges of what stands there."""
        left = []
        for new, old, stretch in self.ranges:
            if old in self.kept:
                left.append((new, old, stretch))
                continue
            self.pieces = [
                (Sliced(p, old, new, stretch, self.space) if old in p.labels else p, e) for p, e in self.pieces
            ]
        self.ranges = left

    def _group(self) -> None:
        """Factors with the same labels are one product."""
        groups: dict[frozenset[int], list[Weighed]] = {}
        for plan, e in self.pieces:
            groups.setdefault(frozenset(plan.labels), []).append((plan, e))
        self.pieces = [self._product(members) for members in groups.values()]

    def _product(self, members: list[Weighed]) -> Weighed:
        if len(members) == 1:
            return members[0]
        flat = [x for p, e in members for x in (p.factors if isinstance(p, Product) and e == 1 else [(p, e)])]
        return Product(flat, self.space), 1

    def _eliminate(self, later: set[int]) -> None:
        while True:
            summed = {i for p, _ in self.pieces for i in p.labels if i not in self.kept and i not in later}
            if not summed:
                return
            holders = {i: [x for x in self.pieces if i in x[0].labels] for i in summed}
            i = min(summed, key=lambda s: (len(holders[s]), len(self._union(holders[s])), s))
            self._remove(i, holders[i], {s for s in summed if holders[s] == holders[i]})

    def _union(self, pieces: list[Weighed]) -> set[int]:
        return {x for p, _ in pieces for x in p.labels}

    def _remove(self, i: int, holders: list[Weighed], together: set[int]) -> None:
        over = sorted(together)
        if len(holders) == 1:
            made: Weighed = (self._sum(holders[0], over), 1)
        elif len(holders) == 2:
            (a, e), (b, d) = holders
            made = (Contraction(self._whole(a, e), self._whole(b, d), over, self.space), 1)
        else:
            holders = self._to_merge(holders)
            made = self._product(holders)
            if len(made[0].labels) > MAX_RANK:
                raise NotMatrix
        left = [x for x in self.pieces if not any(x is h for h in holders)]
        self.pieces = [*left, made]
        self._group()

    def _whole(self, plan: Plan, e: Coefficient) -> Plan:
        return plan if e == 1 else Product([(plan, e)], self.space)

    def _to_merge(self, holders: list[Weighed]) -> list[Weighed]:
        """Two of three or more: one that broadcasts to another, else by choice of those with the fewest labels."""
        pairs = [(a, b) for k, a in enumerate(holders) for b in holders[k + 1 :]]
        found = sorted([p for p in pairs if _within(*p)] or pairs, key=lambda pair: len(self._union(list(pair))))
        self.choices = max(self.choices, len(found[:MAX_CHOICES]))
        return list(found[min(self.choice, len(found) - 1)])

    def _broadcast_first(self) -> None:
        """Factors that broadcast to another with a common summed index are multiplied with it before any sum."""
        while True:
            pairs = [(a, b) for k, a in enumerate(self.pieces) for b in self.pieces[k + 1 :]]
            pair = next((p for p in pairs if _within(*p) and self._share_summed(*p)), None)
            if pair is None:
                return
            rest = [x for x in self.pieces if x is not pair[0] and x is not pair[1]]
            self.pieces = [*rest, self._product([pair[0], pair[1]])]

    def _share_summed(self, a: Weighed, b: Weighed) -> bool:
        return any(i in b[0].labels and i not in self.kept for i in a[0].labels)

    def _sum(self, piece: Weighed, over: Sequence[int]) -> Plan:
        """A sum along axes; a mean where the term divides by their sizes and the model speaks of means."""
        word = structured_by("sum").name
        divisors = self._divisors(over) if self.printer.means else None
        if divisors is not None:
            word = structured_by("mean").name
            for f, count in divisors.items():
                k = next(k for k, x in enumerate(self.scalars) if x[0] is f)
                _, idx, e = self.scalars.pop(k)
                if e + count:
                    self.scalars.insert(k, (f, idx, e + count))
        return Reduction(self._whole(*piece), over, word, self.space)

    def _divisors(self, over: Sequence[int]) -> dict | None:
        """The dimensions that a mean along these axes divides by, None where the term does not."""
        needed: dict[str, int] = {}
        for i in over:
            terms = self.space.sizes[i].terms
            if len(terms) != 1 or terms[0][1] != 1:
                return None
            for symbol, power in terms[0][0]:
                needed[symbol] = needed.get(symbol, 0) + power
        here = {f.name: (f, e) for f, _, e in self.scalars if f.kind == DIMENSION}
        if not needed or any(s not in here or here[s][1] > -n for s, n in needed.items()):
            return None
        return {here[s][0]: n for s, n in needed.items()}

    def _put(self, new: int | None, old: int, stretch: Stretch) -> None:
        """What stands on the label `new` put in its place along the axis `old` of the result."""
        mine: list[Weighed] = [x for x in self.pieces if new is not None and new in x[0].labels]
        rest = [x for x in self.pieces if not any(x is m for m in mine)]
        if not mine:  # a unit vector, or ones
            if new is None:
                mine, rest = rest, []
                if any(old in p.labels for p, _ in mine):
                    rest = [x for x in mine if old in x[0].labels]
                    mine = [x for x in mine if old not in x[0].labels]
            if not mine:
                mine = [(Leaf([Placed(o.number(1), ())], self.space), 1)]
        inner, e = self._product(mine)
        if old in inner.labels:
            raise NotMatrix
        joined = Joined([(stretch, new, self._whole(inner, e))], old, self.space)
        self.pieces = [*rest, (joined, 1)]

    def _body(self) -> Plan | None:
        if not self.pieces:
            return None
        plan, e = self._product(self.pieces)
        return self._whole(plan, e)


def _within(a: Weighed, b: Weighed) -> bool:
    return set(a[0].labels) <= set(b[0].labels) or set(b[0].labels) <= set(a[0].labels)


def is_triangle(f) -> bool:
    """Is the node a mask of ones on one side of the diagonal?"""
    return UNIT_DIAGONAL in f.facts and not f.arguments
