"""exp(X - logsumexp(X)) is softmax(X), also where logsumexp(X) has a name and where only a mask lets X be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from whence.expr.canonical import canonical
from whence.expr.node import FUNCTION, SUM, Factor, Node
from whence.expr.opaque import opaque
from whence.expr.sums import RawTerm, is_zero, make_sum, own_axes, product
from whence.expr.values import Value, full
from whence.messages.errors import LimitError
from whence.ops.table import TABLE, in_role


def shift_of(node: Node) -> str:
    """softmax, where the node is a logsumexp along one axis; "" else."""
    if node.kind != FUNCTION or node.name not in TABLE or not TABLE[node.name].shifted:
        return ""
    slots = node.parameters[0]
    return TABLE[node.name].shifted if slots is not None and len(slots) == 1 else ""


def as_softmax(node: Node, names: Mapping[Node, Node]) -> Node:
    """The node with exp(A - L) as softmax(X), where L is one of the names or a logsumexp itself, of X, and A is X.

    Beside a mask A need be X only where the mask is 1.
    """
    if node.kind == FUNCTION:
        return _of_factor((node, own_axes(node.rank), 1), (), names) or node
    if node.kind != SUM:
        return node
    raw: list[RawTerm] = []
    changed = False
    for c, factors in node.terms:
        masks = tuple(x for x in factors if "mask" in x[0].facts)
        new: list[Factor] = []
        for f, idx, e in factors:
            made = _of_factor((f, idx, e), masks, names)
            changed = changed or made is not None
            new.append((made or f, idx, e))
        raw.append((c, new))
    return make_sum(raw, node.dims) if changed else node


def _of_factor(factor: Factor, masks: tuple[Factor, ...], names: Mapping[Node, Node]) -> Node | None:
    f, own, _ = factor
    if f.kind != FUNCTION or f.name != in_role("exponential").name:
        return None
    a = f.arguments[0]
    for y, idx in _taken_away(a):
        of = names.get(y, y)
        word = shift_of(of)
        if not word or of.arguments[0].rank != a.rank:
            continue
        x, slots = of.arguments[0], of.parameters[0]
        place = list(idx)
        place.insert(slots[0], next(k for k in own_axes(a.rank) if k not in idx))
        difference: list[RawTerm] = [(1, [(a, own, 1)]), (1, [(y, tuple(own[i] for i in idx), 1)])]
        difference.append((-1, [(x, tuple(own[i] for i in place), 1)]))
        if _vanishes(difference, masks, f, own):
            made = opaque(TABLE[word], [Value(x, full(x.dims))], slots).node
            return product([(made, tuple(place), 1)], a.dims)
    return None


def _taken_away(a: Node) -> Iterator[tuple[Node, tuple[int, ...]]]:
    """What is subtracted from the rest of a sum, broadcast along one axis."""
    for c, factors in a.terms if a.kind == SUM else ():
        if c == -1 and len(factors) == 1 and factors[0][2] == 1 and len(set(factors[0][1])) == a.rank - 1:
            yield factors[0][:2]


def _vanishes(difference: list[RawTerm], masks: tuple[Factor, ...], f: Node, own: tuple[int, ...]) -> bool:
    """Is the difference zero for all values, at least where all masks are 1?"""
    places = sorted({*own, *(i for _, idx, _ in masks for i in idx)})
    at = {i: k for k, i in enumerate(places)}
    dims = {i: d for g, idx, _ in (*masks, (f, own, 1)) for i, d in zip(idx, g.dims, strict=True)}
    beside = [(g, tuple(at[i] for i in idx), e) for g, idx, e in masks]
    raw = [(c, [(g, tuple(at[i] for i in idx), e) for g, idx, e in fs] + beside) for c, fs in difference]
    try:
        return is_zero(canonical(make_sum(raw, tuple(dims[i] for i in places))))
    except LimitError:
        return False
