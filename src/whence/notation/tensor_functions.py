"""Functions of arrays of any rank: entry by entry, along axes, of each matrix of the last two axes, reshaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from whence.notation import out as o
from whence.notation.layouts import (
    Layout,
    Placed,
    Space,
    axes_of,
    beside_tensors,
    common,
    filled,
    only,
    order_of,
    placed,
    reshaped,
    stripped,
    turned,
)
from whence.notation.out import Out
from whence.notation.pieces import NotMatrix
from whence.notation.plans import Plan
from whence.ops.table import structured_by


class Applied(Plan):
    """An elementwise function of one array or several, which are broadcast."""

    def __init__(self, write: Callable[[list[Out]], Out], arguments: Sequence[Plan], space: Space) -> None:
        super().__init__((x for a in arguments for x in a.labels), space)
        self.write, self.arguments = write, arguments

    def cheap(self) -> Iterable[Layout]:
        return [h for a in self.arguments for h in a.hints()]

    def direct(self, want: Layout) -> Placed:
        parts = beside_tensors([a.at(want) for a in self.arguments], self.space)
        return placed(self.write([p.out for p in parts]), common(parts))


class Along(Plan):
    """A function along one axis or several that keeps the shape: softmax, argmax_mask."""

    def __init__(self, inner: Plan, over: Sequence[int], word: str, labels: Sequence[int], space: Space) -> None:
        super().__init__(labels, space)
        self.inner, self.over, self.word = inner, tuple(over), word

    def cheap(self) -> Iterable[Layout]:
        return self.inner.hints()

    def direct(self, want: Layout) -> Placed:
        layout = only(want, self.labels)
        p = filled(self.inner.at(layout), layout, self.space)
        if not self.over:
            return placed(o.call(self.word, p.out), p.layout)
        return placed(o.call(self.word, p.out, axis=axes_of(p.layout, self.over)), p.layout)


class OfMatrices(Plan):
    """A function of the matrices of the last two axes. `row` and `column` are its own last labels, if it has any.

    `batched`: the language takes tensors for it; else the matrix must be one of rank 2.
    """

    def __init__(
        self,
        word: str,
        words: Sequence[Out],
        arguments: Sequence[tuple[Plan, Layout]],
        ends: Layout,
        space: Space,
        *,
        batched: bool,
        equivariant: bool,
    ) -> None:
        lead = (x for plan, own in arguments for x in plan.labels if x not in own)
        super().__init__((*lead, *order_of(ends)), space)
        self.word, self.words, self.arguments, self.ends = word, words, arguments, ends
        self.batched, self.equivariant = batched, equivariant

    def cheap(self) -> Iterable[Layout]:
        lead = tuple(x for x in self.labels if x not in self.ends)
        return [(*lead, *self.ends)] if self.ends else [(*lead, None, None)]

    def direct(self, want: Layout) -> Placed:
        if not self.ends:
            if any(x is not None for x in want[-2:]):
                raise NotMatrix
            return self._called(want[:-2], False)
        wide = (None,) * (2 - len(want)) + want
        if wide[-2:] == self.ends:
            options = [self._called(wide[:-2], False)]
            if self.equivariant:
                options.append(turned(self._called(wide[:-2], True)))
            return min(options, key=lambda p: p.out.length)
        if wide[-2:] == self.ends[::-1]:
            options = [turned(self._called(wide[:-2], False))]
            if self.equivariant:
                options.append(self._called(wide[:-2], True))
            return min(options, key=lambda p: p.out.length)
        raise NotMatrix

    def _called(self, lead: Layout, flipped: bool) -> Placed:
        parts = []
        for plan, own in self.arguments:
            layout = (*lead, *(own[::-1] if flipped else own))
            p = filled(plan.at(layout), only(layout, (*self.labels, *order_of(own))), self.space)
            p = p if p.rank >= 2 else Placed(p.out, (None, None))
            if not self.batched and p.rank > 2:
                p = reshaped(p, p.layout[-2:], self.space)
            parts.append(p)
        ahead = common([Placed(p.out, p.layout[:-2]) for p in parts])
        out = o.call(self.word, *self.words, *(p.out for p in parts))
        if not self.ends:
            return placed(out, (*ahead, None, None)) if ahead else Placed(replace(out, scalar=True), ())
        return placed(out, (*ahead, *(self.ends[::-1] if flipped else self.ends)))


class Reread(Plan):
    """reshape: the entries of an array in the order of its axes, in a shape with the labels in their order."""

    def __init__(self, inner: Plan, order: Sequence[int], labels: Sequence[int], space: Space) -> None:
        super().__init__(labels, space)
        self.inner, self.order = inner, tuple(order)

    def cheap(self) -> Iterable[Layout]:
        return [stripped(self.labels) if len(self.labels) > 1 else (*self.labels, None)]

    def direct(self, want: Layout) -> Placed:
        layout = only(want, self.labels)
        if order_of(layout) != self.labels:
            raise NotMatrix
        name = structured_by("reshape").name
        out = o.call(name, self._source(), *(self.space.size(x) for x in layout))
        return placed(out, layout)

    def _source(self) -> Out:
        """The array with its axes in order, in whatever shape."""
        best: Placed | None = None
        own = (*self.order, None) if len(self.order) == 1 else self.order
        for h in dict.fromkeys((own, *self.inner.hints())):
            if order_of(h) == self.order:
                p = filled(self.inner.at(h), h, self.space)
                best = p if best is None or p.out.length < best.out.length else best
        if best is None:
            raise NotMatrix
        return best.out
