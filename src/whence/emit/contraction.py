"""Index sums as products, transposes and sums: the path is fixed here, so that none is searched when the code runs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from whence.emit.graph import ONE, Node, broadcast
from whence.messages.errors import RuleError
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from whence.emit.lower import Lowering


class _Operand(NamedTuple):
    """An array whose axes have these letters, one each."""

    node: Node
    letters: str


def contract(low: Lowering, spec: str, nodes: Sequence[Node]) -> Node:
    """The node of an index sum such as "ij,jk->ik"."""
    left, _, out = spec.partition("->")
    operands = [_operand(low, node, letters) for node, letters in zip(nodes, left.split(","), strict=True)]
    sizes = {c: d for o in operands for c, d in zip(o.letters, o.node.shape, strict=True)}
    plain = _as_matrices(low, operands, out)
    if plain is not None:
        return plain
    numbers = [(o.node, Fraction(1)) for o in operands if not o.letters]
    operands = [o for o in operands if o.letters]
    operands = _halves(low, operands, out) or operands
    while len(operands) > 1:
        i, j = min(combinations(range(len(operands)), 2), key=lambda p: (*_price(low, operands, p, out, sizes), p))
        rest = [o for k, o in enumerate(operands) if k not in (i, j)]
        operands = [*rest, _pair(low, operands[i], operands[j], _kept(operands, (i, j), out), out)]
    if not operands:
        return low.multiplied(numbers)
    last = _summed(low, operands[0], set(out))
    node = low.graph.permuted(last.node, tuple(last.letters.index(c) for c in out)) if len(out) > 1 else last.node
    if len(out) == 1:
        node = low.graph.axes(node, (0, None))
    return low.multiplied([*numbers, (node, Fraction(1))])


def _operand(low: Lowering, node: Node, letters: str) -> _Operand:
    """The array without the axes of length 1 that have no letter; a letter that stands twice is refused."""
    if len(set(letters)) < len(letters):
        raise RuleError("outside-scope", found="an index sum over the diagonal of an operand")
    axes = list(range(len(node.shape)))
    while len(axes) > len(letters) and any(node.shape[k] == ONE for k in axes):
        axes.remove(max(k for k in axes if node.shape[k] == ONE))
    if node.scalar:
        return _Operand(node, "")
    return _Operand(low.graph.axes(node, tuple(axes)) if len(axes) < len(node.shape) else node, letters)


def _as_matrices(low: Lowering, operands: Sequence[_Operand], out: str) -> Node | None:
    """A chain of matrices, where every summed letter joins two of them in a row and nothing else meets there."""
    if len(out) != 2 or any(len(o.letters) != 2 for o in operands):
        return None
    left, chain, rest = out[0], [], list(operands)
    while rest:
        found = next((o for o in rest if left in o.letters), None)
        if found is None or (left in out and len(rest) < len(operands)):
            return None
        rest.remove(found)
        forward = found.letters[0] == left
        chain.append(found.node if forward else low.graph.transposed(found.node))
        left = found.letters[1 if forward else 0]
        if any(left in o.letters for o in rest) and (left in out or sum(left in o.letters for o in rest) > 1):
            return None
    return low.chains.product(chain) if left == out[1] else None


def _kept(operands: Sequence[_Operand], pair: tuple[int, int], out: str) -> set[str]:
    """The letters that something beside this pair speaks of."""
    return {c for k, o in enumerate(operands) if k not in pair for c in o.letters} | set(out)


def _halves(low: Lowering, operands: Sequence[_Operand], out: str) -> list[_Operand] | None:
    """Two pairs of the same arrays that meet in the summed letters: then the whole is Q.T @ Q with one Q."""
    if len(operands) != 4:
        return None
    first = operands[0]
    for k in range(1, 4):
        others = [o for n, o in enumerate(operands) if n not in (0, k)]
        for twins in (others, others[::-1]):
            mine = (first, operands[k])
            if all(a.node is b.node for a, b in zip(mine, twins, strict=True)):
                renamed = [
                    (c, d) for a, b in zip(mine, twins, strict=True) for c, d in zip(a.letters, b.letters, strict=True)
                ]
                shared = {c for c, d in renamed if c == d}
                apart = {c for c, d in renamed if c != d} & {d for c, d in renamed if c != d}
                if shared and not shared & set(out) and not apart and len(dict(renamed)) == len(set(renamed)):
                    every = set("".join(o.letters for o in operands))
                    return [_pair(low, *mine, every, out), _pair(low, twins[0], twins[1], every, out)]
    return None


def _price(
    low: Lowering, operands: Sequence[_Operand], pair: tuple[int, int], out: str, sizes: dict[str, Dim]
) -> tuple[int, int]:
    """How much larger the product is than its operands, and the work; nothing where it is there already."""
    a, b = (operands[k] for k in pair)
    with low.graph.tentative() as made:
        _pair(low, a, b, _kept(operands, pair, out), out)
        if not made():
            return -(10**12), 0
    others = {c for k, o in enumerate(operands) if k not in pair for c in o.letters} | set(out)
    count = {c: low.chains.count(sizes[c]) for c in sizes}
    met = set(a.letters) | set(b.letters)
    size = prod(count[c] for c in met & others)
    return size - prod(count[c] for c in a.letters) - prod(count[c] for c in b.letters), prod(count[c] for c in met)


def _summed(low: Lowering, operand: _Operand, kept: set[str]) -> _Operand:
    """Without the letters that nothing else speaks of."""
    lost = [k for k, c in enumerate(operand.letters) if c not in kept]
    if not lost:
        return operand
    node = operand.node
    if len(lost) == len(operand.letters):
        return _Operand(low.chains.total(node), "")
    shape = tuple(ONE if k in lost else d for k, d in enumerate(node.shape))
    node = low.graph.node("call", [node], shape, (structured_by("sum").name, tuple(lost), ()))
    left = [k for k in range(len(shape)) if k not in lost]
    return _Operand(low.graph.axes(node, tuple(left)), "".join(operand.letters[k] for k in left))


def _pair(low: Lowering, a: _Operand, b: _Operand, kept: set[str], out: str) -> _Operand:
    """The product of two arrays, with the letters summed that nothing else speaks of; `out` are those of the whole."""
    a = _summed(low, a, kept | set(b.letters))
    b = _summed(low, b, kept | set(a.letters))
    both = [c for c in a.letters if c in b.letters]
    batch = [c for c in both if c in kept]
    inner = [c for c in both if c not in kept]
    left = [c for c in a.letters if c not in both]
    right = [c for c in b.letters if c not in both]
    if not inner:
        single = sorted([*left, *right], key=lambda c: out.find(c) % (len(out) + 1))
        last = all(o.letters.endswith("".join(batch)) for o in (a, b))  # where they lie in memory anyway
        letters = "".join([*single, *batch] if last else [*batch, *single])
        nodes = [_spread(low, o, letters) for o in (a, b)]
        factors = [(n, Fraction(1)) for n in nodes]
        return _Operand(low.graph.multiply(Fraction(1), factors, broadcast([n.shape for n in nodes])), letters)
    size = {c: d for o in (a, b) for c, d in zip(o.letters, o.node.shape, strict=True)}
    first = _grouped(low, a, [batch, left, inner])
    second = _grouped(low, b, [batch, inner, right])
    g = low.graph
    shape = (*first.shape[:-1], second.shape[-1])
    if not batch and (not left or not right):
        node = low.chains.pair(first, second)
    else:
        node = g.node("matmul", [first, second], shape) if batch else low.chains.pair(first, second)
    letters = [*batch, *left, *right]
    return _Operand(g.reshaped(node, tuple(size[c] for c in letters)) if letters else node, "".join(letters))


def _spread(low: Lowering, operand: _Operand, letters: str) -> Node:
    """With its axes in the order of these letters, and new axes of length 1 for those it lacks."""
    own = [c for c in letters if c in operand.letters]
    node = low.graph.permuted(operand.node, tuple(operand.letters.index(c) for c in own))
    return low.graph.axes(node, tuple(own.index(c) if c in own else None for c in letters))


def _grouped(low: Lowering, operand: _Operand, groups: Sequence[Sequence[str]]) -> Node:
    """The array with the axes of the last two groups each joined to one."""
    g = low.graph
    *batch, first, second = groups
    if not any(batch) and [*operand.letters] == [*second, *first] and second and first:  # a transpose costs nothing
        return g.transposed(_grouped(low, operand, [[], second, first]))
    order = [operand.letters.index(c) for group in groups for c in group]
    node = g.permuted(operand.node, tuple(order))
    size = dict(zip(operand.letters, operand.node.shape, strict=True))
    joined = [prod((size[c] for c in group), start=ONE) for group in groups[1:]]
    return g.reshaped(node, (*(size[c] for c in groups[0]), *joined))
