"""How an array of any rank lies: which index stands on which axis, and what brings it to another place.

A layout has one label for every axis of an expression, None where the axis has length 1; () is a number. Two
expressions may be combined entry by entry where their layouts, written one below the other and flush right, have
the same label or None on each axis. A column is the exception of the language: beside a tensor it counts as the
last axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from whence.expr.values import ONE
from whence.notation import out as o
from whence.notation.out import Out
from whence.notation.pieces import NotMatrix
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

Label = int | None
Layout = tuple[Label, ...]


class Space:
    """The sizes of the labels of one term, and how sizes and constants are written."""

    def __init__(self, sizes: Mapping[int, Dim], write: Callable[[Dim], Out]) -> None:
        self.sizes, self.write = dict(sizes), write

    def dim(self, label: Label) -> Dim:
        return ONE if label is None else self.sizes[label]

    def size(self, label: Label) -> Out:
        return self.write(self.dim(label))

    def constant(self, structure: str, dims: Sequence[Dim]) -> Out:
        """ones(B, T, 1) or zeros(...)."""
        return o.call(structured_by(structure).name, *(self.write(d) for d in dims))


@dataclass(frozen=True, slots=True)
class Summed:
    """What a formula that is a sum along axes is the sum of, with the sizes of its axes."""

    word: str
    axis: int | tuple[int, ...]
    dims: tuple[Dim, ...]
    inner: Out

    @property
    def key(self) -> tuple:
        """Equal where two of them can be one sum."""
        return self.word, self.axis, self.dims


@dataclass(frozen=True, slots=True)
class Placed:
    """A formula and its layout; `summed` where it is a sum along axes."""

    out: Out
    layout: Layout
    summed: Summed | None = None

    @property
    def rank(self) -> int:
        return len(self.layout)


def placed(out: Out, layout: Layout) -> Placed:
    """A formula with its layout; beyond rank 2 it has no operands that may be transposed one by one."""
    rank = max(len(layout), 2)
    if rank > 2:
        return Placed(replace(out, rank=rank, hadamard=(), scalar=False), layout)
    return Placed(replace(out, rank=2), layout)


def stripped(layout: Sequence[Label]) -> Layout:
    """Without leading axes of length 1, but with two axes at least."""
    k = 0
    while k < len(layout) - 2 and layout[k] is None:
        k += 1
    out = tuple(layout[k:])
    return (None,) * (2 - len(out)) + out if out else out


def only(layout: Sequence[Label], labels: Sequence[Label]) -> Layout:
    """The layout as an array with these labels alone sees it."""
    return stripped([x if x in labels else None for x in layout])


def fits(have: Layout, want: Layout) -> bool:
    """Does an array that lies so broadcast to the wanted layout?"""
    extra = len(have) - len(want)
    if extra > 0 and any(x is not None for x in have[:extra]):
        return False
    own = have[max(extra, 0) :]
    return all(x is None or x == y for x, y in zip(reversed(own), reversed(want), strict=False))


def order_of(layout: Layout) -> tuple[int, ...]:
    """The labels in their order."""
    return tuple(x for x in layout if x is not None)


def turned(p: Placed) -> Placed:
    """With the last two axes exchanged."""
    if p.rank < 2:
        return p
    return Placed(o.transpose(p.out), (*p.layout[:-2], p.layout[-1], p.layout[-2]))


def reshaped(p: Placed, layout: Layout, space: Space) -> Placed:
    """In another shape with the same labels in the same order."""
    name = structured_by("reshape").name
    made = o.call(name, p.out, *(space.size(x) for x in layout))
    return placed(made, layout)


def arranged(p: Placed, want: Layout, space: Space) -> Placed:
    """The same array where it broadcasts to the wanted layout, which has all its labels."""
    if fits(p.layout, want):
        return p
    own = order_of(p.layout)
    if any(x not in want for x in own):
        raise NotMatrix
    target = only(want, own)
    if order_of(target) == own:
        options = [reshaped(p, target, space)]
        if fits(turned(p).layout, want):
            options.append(turned(p))
        return min(options, key=lambda x: x.out.length)
    if fits(turned(p).layout, want):
        return turned(p)
    other = turned(p)
    if order_of(other.layout) == order_of(target):
        return reshaped(other, target, space)
    swapped = (*target[:-2], target[-1], target[-2])
    if order_of(swapped) == own:
        return turned(reshaped(p, swapped, space))
    moved = _permuted(p, order_of(target), want)
    return moved if fits(moved.layout, want) else reshaped(moved, target, space)


def _permuted(p: Placed, order: tuple[int, ...], want: Layout) -> Placed:
    """The axes in this order of their labels; axes of length 1 where the wanted layout has them, or in front."""
    ones = [k for k, x in enumerate(p.layout) if x is None]
    shown = list(want[-p.rank :])
    axes: list[int] = []
    if order_of(tuple(x if x in order else None for x in shown)) == order and shown.count(None) <= len(ones):
        free = list(ones)
        for x in shown:
            axes.append(p.layout.index(x) if x in order else free.pop(0))
    else:
        axes = [*ones, *(p.layout.index(x) for x in order)]
    if sorted(axes) != list(range(p.rank)):
        axes = [*ones, *(p.layout.index(x) for x in order)]
    return placed(o.permuted(p.out, tuple(axes)), tuple(p.layout[k] for k in axes))


def common(parts: Sequence[Placed]) -> Layout:
    """The layout of arrays combined entry by entry."""
    wide = max((p.rank for p in parts), default=0)
    rows = [(None,) * (wide - p.rank) + p.layout for p in parts]
    return tuple(next((x for x in column if x is not None), None) for column in zip(*rows, strict=True))


def beside_tensors(parts: Sequence[Placed], space: Space) -> list[Placed]:
    """Columns as rows of axes that a tensor beside them does not take for its last."""
    if max((p.rank for p in parts), default=0) < 3:
        return list(parts)
    return [
        reshaped(p, (None, *p.layout), space) if p.rank == 2 and _is_column(p.layout) else p
        for p in parts
    ]


def _is_column(layout: Layout) -> bool:
    return layout[0] is not None and layout[1] is None


def as_bias(parts: list[Placed]) -> list[Placed]:
    """Rows written as the columns they are the transposes of, where a tensor is combined with them before all else."""
    out = list(parts)
    for k, p in enumerate(parts):
        before = parts[:k] if k else parts[1:2]
        if p.rank == 2 and p.layout[0] is None and any(q.rank > 2 for q in before):
            column = o.transpose(p.out)
            if column.length < p.out.length:
                out[k] = Placed(column, p.layout)
    return out


def axis_number(k: int, rank: int) -> int:
    """How the k-th of so many axes is written."""
    return -1 if rank > 2 and k == rank - 1 else k


def axes_of(layout: Layout, labels: Sequence[int]) -> int | tuple[int, ...]:
    """The places of these labels, as `axis=` takes them."""
    places = sorted(layout.index(x) for x in labels)
    return axis_number(places[0], len(layout)) if len(places) == 1 else tuple(places)


def filled(p: Placed, want: Layout, space: Space) -> Placed:
    """With every label of the layout there: times ones along the axes that broadcasting leaves out."""
    have = ((None,) * len(want) + p.layout)[-len(want) :] if want else ()
    missing = [x for x in want if x is not None and x not in p.layout]
    if not missing:
        return p
    layout = tuple(y if y in missing else x for x, y in zip(have, want, strict=True))
    if p.out.tree == o.number(1).tree:
        return placed(space.constant("ones", [space.dim(x) for x in layout]), layout)
    ones = space.constant("ones", [space.dim(x if x in missing else None) for x in layout])
    return placed(o.multiply(p.out, ones), layout)
