"""The scalar reading: one entry first, by the chain rule of school, at sizes of one and two."""

from __future__ import annotations

from collections.abc import Mapping

from whence.messages.labels import LABELS
from whence.notation.scalars import entry_name, expand_entry, print_scalar
from whence.read.substitute import substituted
from whence.read.syntax import Expr, Name
from whence.read.walk import names_in
from whence.shapes.dims import Dim
from whence.steps.derivation import Derivation, Stage
from whence.steps.record import Move
from whence.steps.style import ONE, FullShape, Style


def scalar_reading(
    derivation: Derivation, style: Style, answer: Expr, sizes: Mapping[str, int], functions: frozenset[str], output: str
) -> list[tuple[str, str]]:
    """One entry first: the scalar equations in which it stands, and the school chain rule for it."""
    target = derivation.target
    shape = style.shapes[target]
    index = (0,) * sum(d != ONE for d in shape)
    own = entry_name(target, index, shape, sizes)
    shown = print_scalar(Name(own))
    lines: list[tuple[str, str]] = []
    reached: list[str] = []
    for stage in _frontier(derivation):
        name = stage.statement.name
        body = _unfolded(stage.statement.expression, derivation, style)
        for entry in _entries(style.shapes[name], sizes):
            expanded = expand_entry(body, entry, sizes, style.shapes, functions=functions)
            if own in names_in(expanded):
                left = entry_name(name, entry, style.shapes[name], sizes)
                lines.append((f"{print_scalar(Name(left))} = {print_scalar(expanded)}", ""))
                reached.append(left)
    gradient = expand_entry(answer, index, sizes, style.shapes, functions=functions)
    through = [print_scalar(Name(r)) for r in reached if r != output]
    itself = LABELS["itself"].format(output=output) if output in reached and through else ""
    way = "reaches" if through else "reaches-at-once"
    lines.append((LABELS[way].format(entry=shown, output=output, way=_and(through), itself=itself), ""))
    said = remarks(derivation, style, sizes, shown) or [""]
    left = f"{style.scaled} ∂{output}/∂{shown}" if style.scaled else f"∂{output}/∂{shown}"
    lines.append((f"{left} = {print_scalar(gradient)}", said[0]))
    return lines + [("", remark) for remark in said[1:]]


def remarks(derivation: Derivation, style: Style, sizes: Mapping[str, int], own: str) -> list[str]:
    """What the one entry already shows of the matrix form: a column or a row of a factor, its own entry, a sum."""
    out: list[str] = []
    for stage in derivation.stages:
        for path in stage.paths:
            for move in path.moves:
                out += _remark(move, style, sizes, own)
    if any(_entry_by_entry(stage) for stage in derivation.stages if stage.child == derivation.target):
        out.append(LABELS["own-entry"].format(entry=own))
    return list(dict.fromkeys(out))


def _entry_by_entry(stage: Stage) -> bool:
    """Does each entry of the child change only its own entry of the statement, by a factor of its own?"""
    moves = [m.rule for path in stage.paths for m in path.moves]
    whole = stage.mark.rank == stage.statement.atom.rank and stage.mark.dims == stage.statement.atom.dims
    return whole and len(stage.paths) == 1 and "elementwise" in moves and set(moves) <= {"elementwise", "number"}


def _remark(move: Move, style: Style, sizes: Mapping[str, int], own: str) -> list[str]:
    if move.rule in ("left-factor", "right-factor"):
        factor = move.moved[0]
        if factor.name not in style.shapes or factor.rank != 2:
            return []
        if "symmetric" in factor.facts:
            return []
        shape = style.shapes[factor.name]
        by_column = (move.rule == "left-factor") != move.turned
        count = len({e[0 if by_column else 1] for e in _entries(shape, sizes)})
        places = [(k, 0) if by_column else (0, k) for k in range(count)]
        entries = ", ".join(print_scalar(Name(entry_name(factor.name, p, shape, sizes))) for p in places)
        label = ("column" if move.rule == "left-factor" else "row") + ("-turned" if move.turned else "")
        return [LABELS[label].format(entries=entries, factor=style.node(factor), turned=style.node(factor) + "ᵀ")]
    label = LABELS.get(move.rule)
    return [label.format(entry=own)] if label else []


def _frontier(derivation: Derivation) -> list[Stage]:
    """The stages that start at a named adjoint or at the cost, one for each statement."""
    folded = {s.child for s in derivation.stages}
    seen: dict[str, Stage] = {}
    for stage in derivation.stages:
        if stage.statement.name not in folded:
            seen.setdefault(stage.statement.name, stage)
    return list(seen.values())


def _unfolded(tree: Expr, derivation: Derivation, style: Style) -> Expr:
    """A body with the folded intermediates written out, so that the target itself is seen in it."""
    folded = {s.child for s in derivation.stages if s.child != derivation.target}
    bodies: dict[str, Expr] = {}
    for name, (body, _) in style.statements.items():
        if name in folded:
            bodies[name] = substituted(body, bodies)
    return substituted(tree, bodies)


def _entries(shape: FullShape, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
    out: list[tuple[int, ...]] = [()]
    for d in shape:
        if d == ONE:
            continue
        n = d.number if d.number is not None else _size(d, sizes)
        out = [(*e, k) for e in out for k in range(n)]
    return out


def _size(d: Dim, sizes: Mapping[str, int]) -> int:
    return sum(c * _product(m, sizes) for m, c in d.terms)


def _product(monomial, sizes: Mapping[str, int]) -> int:
    out = 1
    for symbol, power in monomial:
        out *= sizes[symbol] ** power
    return out


def _and(names: list[str]) -> str:
    if len(names) <= 1:
        return names[0] if names else ""
    return ", ".join(names[:-1]) + " and through " + names[-1]
