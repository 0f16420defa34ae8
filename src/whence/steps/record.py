"""The record of a derivation: contraction terms with one marked factor, moved one factor at a time.

A pairing ⟨left, right⟩ is one contraction whose factors stand on two sides; the marked factor δ stands on the
right. In the contraction a move changes nothing: it only says on which side a factor is counted. So every step
is the same term laid out anew, and its law is read off from where the moved factor touches the rest.

    the first axis of the pairing, like a row index     left-factor
    the second axis                                     right-factor
    the same axes                                       elementwise
    no axis                                             number
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from whence.expr.canonical import canonical
from whence.expr.node import Coefficient, Factor, Node, identity
from whence.expr.sums import RawTerm, make_sum
from whence.messages.errors import LimitError
from whence.shapes.dims import Dim

MANY = 100  # transposes, where a factor does not make a pairing alone


@dataclass(frozen=True)
class Pairing:
    """⟨left, right⟩ = Σ left * right over the axes of both; `right` holds the mark."""

    left: Node
    right: Node
    row: bool = False  # of vectors: they lie as rows

    def contraction(self) -> Node:
        own = tuple(range(self.left.rank))
        return make_sum([(1, [(self.left, own, 1), (self.right, own, 1)])], ())


@dataclass(frozen=True)
class Move:
    """One factor (or several at once) counted on the other side."""

    rule: str
    moved: tuple[Node, ...]
    before: Pairing
    after: Pairing
    turned: bool = False  # the factor stands in the product transposed


@dataclass(frozen=True)
class Path:
    """One term of a differential: from ⟨adjoint, term⟩ to ⟨…, δ⟩."""

    start: Pairing
    moves: tuple[Move, ...]

    @property
    def result(self) -> Node:
        return (self.moves[-1].after if self.moves else self.start).left


@dataclass
class _State:
    coefficient: Coefficient  # counted on the right until it is moved
    left_coefficient: Coefficient
    left: list[Factor]
    right: list[Factor]
    axes: tuple[int, ...]
    row: bool = False  # a single axis is that of a row
    mark_row: bool = False
    turned: bool = False  # of the last move: its factor stood transposed
    met: int | None = None  # where a vector that moved as a whole met the mark
    few_transposes: bool = True  # how a scalar's change is laid out as a pairing


class CannotLayOut(Exception):
    """The term has more axes than a pairing of matrices can show."""


def paths(
    adjoint: Node,
    terms: Sequence[RawTerm],
    dims: tuple[Dim, ...],
    mark: Node,
    row: bool = False,
    mark_row: bool = False,
) -> list[Path]:
    """One path for each term of a differential that is linear in the mark, elementwise terms taken together.

    `row`, `mark_row`: the statement, the mark is a row.

    Raises CannotLayOut for terms that need more than two axes at once.
    """
    own = tuple(range(len(dims)))
    elementwise = [(c, fs) for c, fs in terms if _is_elementwise(fs, mark, own)]
    rest = [(c, fs) for c, fs in terms if not _is_elementwise(fs, mark, own)]
    out = []
    if len(elementwise) > 1:
        slope = make_sum([(c, [f for f in fs if f[0] is not mark]) for c, fs in elementwise], dims)
        out.append(_path(adjoint, 1, [(slope, own, 1), (mark, own, 1)], mark, dims, row, mark_row))
    else:
        rest = list(terms)
    for c, fs in rest:
        out.append(_path(adjoint, c, list(fs), mark, dims, row, mark_row))
    return out


def _is_elementwise(factors: Sequence[Factor], mark: Node, own: tuple[int, ...]) -> bool:
    inside = {i for _, idx, _ in factors for i in idx}
    return any(f is mark and idx == own for f, idx, _ in factors) and inside <= set(own)


def _path(
    adjoint: Node, c: Coefficient, factors: list[Factor], mark: Node, dims: tuple[Dim, ...], row: bool, mark_row: bool
) -> Path:
    own = tuple(range(len(dims)))
    sizes = {i: d for f, idx, _ in factors for i, d in zip(idx, f.dims, strict=True)}
    sizes.update(enumerate(dims))
    sizes.update({1 + max(sizes, default=0) + k: mark.dims[0] for k in range(2) if mark.dims})
    state = _State(c, 1, [(adjoint, own, 1)], factors, own, row, mark_row)
    try:
        return _walked(replace(state, left=[*state.left], right=[*state.right]), mark, sizes)
    except CannotLayOut:
        return _walked(replace(state, few_transposes=False), mark, sizes)


def _walked(state: _State, mark: Node, sizes: dict[int, Dim]) -> Path:
    """The moves from a state to the mark alone on the right."""
    start = current = _pairing(state, sizes)
    moves = []
    while True:
        step = _next(state, mark)
        if step is None:
            break
        rule, moved = step
        after = _pairing(state, sizes)
        if after.contraction() is not current.contraction() and not _same(after, current):
            raise CannotLayOut
        moves.append(Move(rule, _moved(rule, moved, state.met, sizes), current, after, state.turned))
        state.turned = False
        current = after
    return Path(start, tuple(moves))


def _moved(rule: str, moved: list[Factor], met: int | None, sizes: dict[int, Dim]) -> tuple[Node, ...]:
    """What moved, as factors; several that make one vector together, as that vector."""
    if met is None or rule not in ("left-factor", "right-factor") or len(moved) < 2:
        return tuple(f for f, _, _ in moved)
    rest = [(f, tuple(0 if i == met else i + 1 for i in idx), e) for f, idx, e in moved]
    return (make_sum([(1, rest)], (sizes[met],)),)


def _same(a: Pairing, b: Pairing) -> bool:
    try:
        return canonical(a.contraction()) is canonical(b.contraction())
    except LimitError:
        return False


def _pairing(state: _State, sizes: dict[int, Dim]) -> Pairing:
    if len(state.axes) > 2:
        raise CannotLayOut
    place = {i: k for k, i in enumerate(state.axes)}
    dims = tuple(sizes[i] for i in state.axes)

    def side(c: Coefficient, factors: list[Factor]) -> Node:
        return make_sum([(c, [(f, tuple(place.get(i, i + 1000) for i in idx), e) for f, idx, e in factors])], dims)

    left, right = side(state.left_coefficient, state.left), side(state.coefficient, state.right)
    return Pairing(left, right, state.row and len(dims) == 1)


def _next(state: _State, mark: Node) -> tuple[str, list[Factor]] | None:
    """Make the next move on the state; None when only the mark is left on the right."""
    scalars = [f for f in state.right if f[0] is not mark and not f[1]]
    others = [f for f in state.right if f[0] is not mark and f[1]]
    if not state.axes and (others or scalars or state.coefficient != 1 or _mark_axes(state, mark)):
        return _collect(state, mark)
    if scalars or state.coefficient != 1:
        _carry(state, scalars)
        state.left_coefficient, state.coefficient = state.left_coefficient * state.coefficient, 1
        return "number", scalars
    if not others:
        return _last(state, mark)
    together = [f for f in others if set(f[1]) <= set(state.axes) and set(f[1]) <= _axes_without(state, f)]
    if together and len(together) == len(others):
        _carry(state, together)
        return "elementwise", together
    if len(state.axes) == 1 and not any(set(f[1]) & set(state.axes) for f in others):
        return _outer(state, mark, others)
    rule, chosen = _outermost(state, mark, others)
    state.turned = _is_turned(state, rule, chosen)
    _carry(state, [chosen])
    state.axes = _new_axes(state, chosen)
    mine = _mark_axes(state, mark)
    if rule == "weighted-sum" and sorted(mine) == sorted(state.axes):
        state.axes = mine
    return rule, [chosen]


def _outer(state: _State, mark: Node, others: list[Factor]) -> tuple[str, list[Factor]]:
    """⟨p, δQ r⟩ of vectors: r, whatever it is made of, goes over to p and makes a matrix of it."""
    axes = _mark_axes(state, mark)
    (own,) = state.axes
    shared = {i for f in others for i in f[1] if i in axes}
    if len(axes) != 2 or own not in axes or len(shared) != 1:
        raise CannotLayOut
    (met,) = shared
    _carry(state, others)
    state.met = met
    state.axes = (met, own) if state.row else (own, met)
    return ("left-factor" if state.row else "right-factor"), others


def _axes_without(state: _State, factor: Factor) -> set[int]:
    return {i for f in state.right if f is not factor for i in f[1]}


def _mark_axes(state: _State, mark: Node) -> tuple[int, ...]:
    return next(idx for f, idx, _ in state.right if f is mark)


def _collect(state: _State, mark: Node) -> tuple[str, list[Factor]]:
    """A scalar's change as a pairing: what is outermost stands on the left, as little as makes a pairing."""
    others = [f for f in state.right if f[0] is not mark and f[1]]
    moved = [f for f in state.right if f[0] is not mark and not f[1]]
    outermost_first = _by_distance(state, mark)[::-1]
    if others and state.few_transposes:
        outermost_first.sort(key=lambda f: _transposes(state, mark, f))  # else as they are
    while True:
        _carry(state, moved)
        shared = _shared_axes(state)
        if not others or (shared and len(shared) <= 2):
            break
        moved = [next(f for f in outermost_first if any(f is o for o in others))]
        others = [o for o in others if o is not moved[0]]
    state.left_coefficient, state.coefficient = state.left_coefficient * state.coefficient, 1
    state.axes = _as_the_mark_lies(state, mark, shared) if others else _separated(state, mark)
    state.row = not others and state.mark_row
    return "pair", []


def _transposes(state: _State, mark: Node, chosen: Factor) -> int:
    """How many transposes are written where this factor alone stands on the left."""
    split = replace(state, left=[chosen], right=[f for f in state.right if f is not chosen and (f[1] or f[0] is mark)])
    shared = _shared_axes(split)
    if not 0 < len(shared) <= 2 or len(split.right) == 1:
        return MANY
    own = set(_mark_axes(state, mark))
    if set(chosen[1]) <= own:  # it lies entry by entry beside the mark
        return MANY
    axes = _as_the_mark_lies(split, mark, shared)
    count = int(len(axes) == 2 and chosen[1] == axes[::-1])
    for side, at in zip((0, 1), _mark_axes(state, mark), strict=False):
        rest, here = [f for f in split.right if len(set(f[1])) == 2 and not set(f[1]) <= own], at
        while factor := next((f for f in rest if here in f[1]), None):
            rest = [f for f in rest if f is not factor]
            count += factor[1][side] == here  # rows of a factor meet columns of what stands left of it
            here = factor[1][1 - factor[1].index(here)]
    return count


def _shared_axes(state: _State) -> list[int]:
    left = {i for f in state.left for i in f[1]}
    return list(dict.fromkeys(i for f in state.right for i in f[1] if i in left))


def _as_the_mark_lies(state: _State, mark: Node, axes: list[int]) -> tuple[int, ...]:
    """The axes in the order in which the right side lies when the mark lies as it is: first what its rows reach."""
    idx = _mark_axes(state, mark)
    reached = {idx[0]} if idx else set()
    rest = [set(f[1]) for f in state.right if not set(f[1]) <= set(idx)]
    grown = True
    while grown:
        more = {i for f in rest if f & reached for i in f} - reached
        reached |= more
        grown = bool(more)
    return tuple(sorted(axes, key=lambda i: (i not in reached, i)))


def _separated(state: _State, mark: Node) -> tuple[int, ...]:
    """The mark's axes; of a diagonal both axes, held together by an identity on the left."""
    axes = _mark_axes(state, mark)
    if len(set(axes)) == len(axes):
        return axes
    if len(axes) != 2:
        raise CannotLayOut
    other = 1 + max(i for f in (*state.left, *state.right) for i in (*f[1], *axes))
    state.right = [(f, (axes[0], other), e) if f is mark else (f, idx, e) for f, idx, e in state.right]
    state.left = [(identity(mark.dims[0]), (axes[0], other), 1), *state.left]
    return axes[0], other


def _carry(state: _State, moved: list[Factor]) -> None:
    state.right = [f for f in state.right if not any(f is m for m in moved)]
    state.left = [*moved, *state.left]


def _last(state: _State, mark: Node) -> tuple[str, list[Factor]] | None:
    axes = _mark_axes(state, mark)
    if axes == state.axes:
        return None
    if len(set(axes)) < len(axes):
        state.axes = _separated(state, mark)
        return "diagonal", []
    gained, lost = set(axes) - set(state.axes), set(state.axes) - set(axes)
    if lost:
        kept = tuple(i for i in state.axes if i in axes)
        rule = "broadcast-all" if not kept else "broadcast-columns" if state.axes[0] in kept else "broadcast-rows"
        state.row = rule == "broadcast-rows"
        state.axes = kept
        return rule, [(mark, axes, 1)]
    if gained:
        rule = "spread-all" if not state.axes else "spread-columns" if axes[0] in state.axes else "spread-rows"
        state.axes = axes
        return rule, [(mark, axes, 1)]
    state.axes = axes
    return "turn", []


def _outermost(state: _State, mark: Node, others: list[Factor]) -> tuple[str, Factor]:
    """The factor to move next, and by which law: of those on the pairing's axes the outermost of the layout."""
    distance = {id(f): k for k, f in enumerate(_by_distance(state, mark))}
    touching = [f for f in others if set(f[1]) & set(state.axes)]
    if not touching:
        raise CannotLayOut
    ranked = sorted(touching, key=lambda f: -distance.get(id(f), 0))
    rules = [(_rule(state, f), f) for f in ranked]
    for wanted in (("left-factor", "right-factor"), ("elementwise",), ("weighted-sum",)):
        for rule, f in rules:
            if rule in wanted:
                return rule, f
    raise CannotLayOut


def _by_distance(state: _State, mark: Node) -> list[Factor]:
    reached = set(_mark_axes(state, mark))
    rest = [f for f in state.right if f[0] is not mark]
    order: list[Factor] = []
    while rest:
        near = [f for f in rest if set(f[1]) <= reached] or [f for f in rest if set(f[1]) & reached] or rest
        order.extend(near)
        reached |= {i for f in near for i in f[1]}
        rest = [f for f in rest if not any(f is n for n in near)]
    return order


def _rule(state: _State, factor: Factor) -> str:
    f, idx, _ = factor
    left_over = _axes_without(state, factor)
    if set(idx) <= set(state.axes) and set(idx) <= left_over:
        return "elementwise"
    shared = [i for i in idx if i in state.axes]
    if len(set(idx)) == len(idx) and len(shared) == 1 and shared[0] not in left_over and len(idx) <= 2:
        if len(state.axes) == 1:
            return "right-factor" if state.row else "left-factor"
        return "left-factor" if shared[0] == state.axes[0] else "right-factor"
    return "weighted-sum"


def _is_turned(state: _State, rule: str, factor: Factor) -> bool:
    """Does the matrix stand transposed in the product: its columns on the pairing's axis where rows are due?"""
    f, idx, _ = factor
    if len(idx) != 2 or "symmetric" in f.facts or rule not in ("left-factor", "right-factor"):
        return False
    return idx[0 if rule == "left-factor" else 1] not in state.axes


def _new_axes(state: _State, factor: Factor) -> tuple[int, ...]:
    _, idx, _ = factor
    right = {i for f in state.right for i in f[1]}
    left = {i for f in state.left for i in f[1]}
    gained = [i for i in idx if i not in state.axes and i in right]
    out: list[int] = []
    for axis in state.axes:
        if axis in right or axis not in idx:
            out.append(axis)
        elif gained:
            out.append(gained.pop(0))
    out.extend(gained)
    found = tuple(i for i in out if i in right or i in left)
    if len(found) == 1 and len(state.axes) == 2:
        state.row = found[0] == state.axes[1]
    return found
