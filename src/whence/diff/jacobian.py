"""Derivatives of arrays: the adjoint of a symbolic upstream is linear in it; its coefficient is the Jacobian."""

from __future__ import annotations

from whence.expr.build import Scope, build, parsed
from whence.expr.node import FUNCTION, SUM, Coefficient, Factor, Node, identity
from whence.expr.opaque import argument_value, letters, placeholders
from whence.expr.sums import make_sum
from whence.messages.errors import RuleError
from whence.ops.table import lookup


def coefficient_of(node: Node, upstream: Node) -> Node:
    """The array J with node[x…] = Σ J[u…, x…] upstream[u…]; axes of the upstream first.

    The node must be linear in the upstream variable. Sums that hold the upstream are distributed, others stay.
    """
    shift = upstream.rank
    dims = upstream.dims + node.dims
    raw = []
    for c, factors in linear_terms(node, upstream):
        (place,) = [k for k, (f, _, _) in enumerate(factors) if f is upstream]
        raw.append((c, _released(factors, place, shift, node)))
    return make_sum(raw, dims)


def _released(factors: list[Factor], place: int, shift: int, node: Node) -> list[Factor]:
    upstream, idx, _ = factors[place]
    names: dict[int, int] = {k: k + shift for k in range(node.rank)}
    out: list[Factor] = []
    for slot, i in enumerate(idx):
        if i in names:
            out.append((identity(upstream.dims[slot]), (slot, names[i]), 1))
        else:
            names[i] = slot
    fresh = 1000
    for k, (f, ix, e) in enumerate(factors):
        if k == place:
            continue
        for i in ix:
            if i not in names:
                names[i] = fresh
                fresh += 1
        out.append((f, tuple(names[i] for i in ix), e))
    return out


def linear_terms(node: Node, upstream: Node) -> list[tuple[Coefficient, list[Factor]]]:
    """The terms of a node, distributed until the upstream stands in each as a factor of its own."""
    own = tuple(range(node.rank))
    work: list[tuple[Coefficient, list[Factor]]] = [(1, [(node, own, 1)])]
    done: list[tuple[Coefficient, list[Factor]]] = []
    while work:
        c, factors = work.pop(0)
        place = next(
            (k for k, (f, _, e) in enumerate(factors) if e != 0 and f is not upstream and upstream in f.leaves), None
        )
        if place is None:
            if any(f is upstream for f, _, _ in factors):
                done.append((c, factors))
            continue
        f, idx, e = factors[place]
        if f.kind == FUNCTION and e == 1:
            work.append((c, [*factors[:place], *_as_matrix(f, idx, upstream), *factors[place + 1 :]]))
            continue
        if e != 1 or f.kind != SUM:
            raise RuleError("outside-format", found="a derivative that stays inside a function")
        fresh = 1 + max([1000, *(i for _, ix, _ in factors for i in ix)])
        for c2, inner in f.terms:
            names = dict(enumerate(idx))
            opened = []
            for h, ix, ex in inner:
                for i in ix:
                    if i not in names:
                        names[i] = fresh
                        fresh += 1
                opened.append((h, tuple(names[i] for i in ix), ex))
            work.append((c * c2, [*factors[:place], *opened, *factors[place + 1 :], (f, idx, 0)]))
    return done


def _as_matrix(f: Node, idx: tuple[int, ...], upstream: Node) -> list[Factor]:
    """A linear map of the upstream as the array M of its entries times its argument.

    Raises RuleError where the entry knows no such matrix.
    """
    op = lookup(f.name)
    moving = [k for k, a in enumerate(f.arguments) if upstream in a.leaves]
    text = ""
    if op is not None and len(moving) == 1:
        text = op.jacobians.get(placeholders(op, len(f.arguments))[moving[0]], "")
    if op is None or not text:
        what = f.name if op is None or not op.spelled else op.sentence[:-1].lower()
        raise RuleError("outside-format", found=f"the array of the derivative of {what}")
    values = [argument_value(f, a) for a in f.arguments]
    names = dict(zip(placeholders(op, len(values)), values, strict=True))
    made = build(parsed(text), Scope({}, locals=names, sizes=letters(op, values))).node
    argument = f.arguments[moving[0]]
    fresh = 1 + max([1000, *idx]) + 1000
    inner = tuple(range(fresh, fresh + argument.rank))
    return [(made, (*reversed(idx), *reversed(inner)), 1), (argument, inner, 1)]
