"""The derivation of one gradient: stage by stage from the named adjoints to the target."""

from __future__ import annotations

from dataclasses import dataclass

from whence.diff.differential import change
from whence.diff.jacobian import linear_terms
from whence.diff.model import Definition, Forward, FullShape
from whence.expr.canonical import canonical
from whence.expr.node import Node, variable
from whence.expr.sums import add, is_zero, make_sum
from whence.messages.errors import LimitError, RuleError
from whence.steps.record import CannotLayOut, Path, paths


@dataclass(frozen=True)
class Stage:
    """One statement on the way: its adjoint, its differential in the change of one earlier name, the moves."""

    statement: Definition
    child: str
    adjoint: Node
    differential: Node
    mark: Node
    paths: tuple[Path, ...]
    result: Node  # what stands beside the change of the child, summed over the paths

    @property
    def statement_mark(self) -> Node:
        """The small change of the statement's own name."""
        return variable("δ" + self.statement.name, self.statement.atom.dims)


@dataclass(frozen=True)
class Derivation:
    """All stages from the named adjoints (or the cost) to the target. `complete`: their results make up the answer."""

    target: str
    stages: tuple[Stage, ...]
    answer: Node
    complete: bool
    limit: str = ""  # why it stops early


def derivation(model: Forward, target: str, output: str, symbols: dict[str, Node], answer: Node) -> Derivation:
    """The derivation of the gradient of `output` by `target`.

    `symbols` are the adjoint names that may be taken as known. The stages replay the answer: if what they give
    is not the answer for all sizes, the derivation is not complete and says so.
    """
    way = route(model, target, output, symbols)
    known: dict[str, list[Node]] = {}
    stages: list[Stage] = []
    limit = ""
    for d in reversed(way):
        adjoint = _adjoint(d, output, symbols, known)
        if adjoint is None:
            continue
        for child in children(d, target, way, symbols):
            try:
                stage = _stage(model, d, child, adjoint)
            except (CannotLayOut, RuleError, LimitError) as e:
                limit = type(e).__name__
                continue
            if stage is not None:
                stages.append(stage)
                known.setdefault(child, []).append(stage.result)
    parts = known.get(target, [])
    total = add(parts, answer.dims) if parts else None
    return Derivation(target, tuple(stages), answer, not limit and _equal(total, answer, model), limit)


def _equal(total: Node | None, answer: Node, model: Forward) -> bool:
    if total is None:
        return is_zero(answer)
    try:
        return canonical(model.rewriter(total)) is canonical(model.rewriter(answer))
    except LimitError:
        return False


def _adjoint(d: Definition, output: str, symbols: dict[str, Node], known: dict[str, list[Node]]) -> Node | None:
    if d.name in symbols:
        return symbols[d.name]
    if d.name == output:
        return make_sum([(1, ())], d.atom.dims)
    parts = known.get(d.name)
    return add(parts, d.atom.dims) if parts else None


def route(model: Forward, target: str, output: str, symbols: dict[str, Node]) -> list[Definition]:
    """The statements between the target and the named adjoints, in forward order."""
    reached = {target}
    found = []
    for d in model.definitions:
        if d.name == target:
            continue
        if any(leaf.name in reached for leaf in d.body.node.leaves):
            found.append(d)
            if d.name not in symbols:
                reached.add(d.name)
        if d.name == output:
            break
    return found


def children(d: Definition, target: str, way: list[Definition], symbols: dict[str, Node]) -> list[str]:
    """The names on the way that this statement uses, the target last."""
    used = {leaf.name for leaf in d.body.node.leaves}
    inner = [r.name for r in way if r.name in used and r.name not in symbols and r.name != d.name]
    return [*reversed(inner), *([target] if target in used else [])]


def _is_row(shape: FullShape) -> bool:
    return len(shape) == 2 and shape[0] == 1 and shape[1] != 1


def _stage(model: Forward, d: Definition, child: str, adjoint: Node) -> Stage | None:
    atom = model.atom(child)
    mark = variable("δ" + child, atom.dims)
    differential = change(d.body.node, {atom: mark}, model.rewriter)
    if is_zero(differential):
        return None
    terms = [(c, [x for x in fs if x[2] != 0]) for c, fs in linear_terms(differential, mark)]
    rows = [_is_row(model.shape(n)) for n in (d.name, child)]
    ways = paths(adjoint, terms, differential.dims, mark, *rows)
    return Stage(d, child, adjoint, differential, mark, tuple(ways), add([p.result for p in ways], atom.dims))
