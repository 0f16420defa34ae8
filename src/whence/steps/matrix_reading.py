"""The matrix reading: the pairing ⟨adjoint, change⟩ carried to the target, one law a line; and the index reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whence.expr.node import Node
from whence.expr.sums import add
from whence.messages.labels import LABELS
from whence.messages.rules import RULES
from whence.notation.indices import LETTERS, SUBSCRIPTS, index_formula
from whence.notation.unicode import display_name
from whence.steps.derivation import Derivation, Stage
from whence.steps.record import Move, Pairing, Path
from whence.steps.style import Style

Line = tuple[str, str]


@dataclass(frozen=True)
class Step:
    """One step as shown: rule, the term before and after, the reason, the shape of what stands beside the change."""

    rule: str
    before: str
    after: str
    reason: str
    shape: str
    law: str = ""


def matrix_reading(derivation: Derivation, style: Style, output: str, answer: str) -> list[Line]:
    """Lines with their reasons: (line, what stands beside it). `answer` is the formula as shown: dZ1 = …"""
    lines = [_change_line(stage, style) for stage in derivation.stages]
    chain = _is_chain(derivation)
    lines += _chain(derivation, style, output) if chain else _parts(derivation, style, output)
    lines.append((LABELS["beside"].format(name=display_name(derivation.target)), ""))
    if style.scaled:
        lines.append((answer, LABELS["times"].format(number=style.scaled, name=display_name(derivation.target))))
    elif _total(derivation) is not derivation.answer:
        lines.append((answer, LABELS["collected" if chain else "added"]))
    return lines


def laws(derivation: Derivation) -> list[str]:
    """Each law that the derivation used, proved entry by entry."""
    used = [move.rule for stage in derivation.stages for path in stage.paths for move in path.moves]
    return [RULES[code].proof for code in dict.fromkeys(used) if code != "number"]


def _change_line(stage: Stage, style: Style) -> Line:
    body, _ = style.statements[stage.statement.name]
    name = display_name(stage.statement.name)
    change = style.node(stage.differential, style.is_row(stage.statement.name))
    return f"δ{name} = {change}", LABELS["from"].format(line=f"{name} = {style.text(body)}")


def _is_chain(derivation: Derivation) -> bool:
    """One way only: each name reached once, by one term."""
    children = [s.child for s in derivation.stages]
    starts = {s.statement.name for s in derivation.stages} - set(children)
    return (
        len(set(children)) == len(children) and len(starts) == 1 and all(len(s.paths) == 1 for s in derivation.stages)
    )


def _total(derivation: Derivation) -> Node | None:
    parts = [s.result for s in derivation.stages if s.child == derivation.target]
    return add(parts, parts[0].dims) if parts else None


def _start(stage: Stage, style: Style, output: str) -> str:
    """⟨dZ2, δZ2⟩, or δJ for the cost itself."""
    if stage.statement.name == output:
        return f"δ{display_name(output)}"
    return style.pairing(Pairing(stage.adjoint, stage.statement_mark, style.is_row(stage.statement.name)))


def _chain(derivation: Derivation, style: Style, output: str) -> list[Line]:
    lines: list[Line] = []
    for k, stage in enumerate(derivation.stages):
        (path,) = stage.paths
        name = stage.statement.name
        if name == output:
            if len(derivation.stages) > 1:  # else the line stands just above
                lines.append((f"δ{display_name(output)} = {style.node(path.start.right)}", ""))
        elif k == 0:
            lead = f"δ{display_name(output)} = {_start(stage, style, output)}"
            lines.append(
                (
                    f"{lead} = {style.pairing(path.start)}",
                    LABELS["school"].format(name=display_name(name), output=display_name(output)),
                )
            )
        else:
            lines.append((f"    = {style.pairing(path.start)}", LABELS["put-in"].format(name=display_name(name))))
        lines += _moves(path, style)
    return lines


def _moves(path: Path, style: Style) -> list[Line]:
    return [(f"    = {style.pairing(move.after)}", style.reason(move)) for move in path.moves]


def _parts(derivation: Derivation, style: Style, output: str) -> list[Line]:
    """Several ways from the target to the cost: each is followed alone, then what they give is added."""
    lines: list[Line] = []
    starts = _starts(derivation)
    own = next((s for s in starts if s.statement.name == output), None)
    named = [s for s in starts if s.statement.name != output]
    if named:
        sum_of = " + ".join(_start(s, style, output) for s in named)
        more = (
            LABELS["and-itself"].format(name=display_name(derivation.stages[-1].child), output=display_name(output))
            if own
            else ""
        )
        reason = LABELS["school"].format(
            name=" and ".join(display_name(s.statement.name) for s in named), output=display_name(output)
        )
        lines.append((f"δ{display_name(output)} = {sum_of}{more}", reason))
    for stage in derivation.stages:
        lines += _part(stage, style, output)
    for child in _joined(derivation):
        parts = [s.result for s in derivation.stages if s.child == child]
        mark = next(s.mark for s in derivation.stages if s.child == child)
        total = Pairing(add(parts, parts[0].dims), mark, style.is_row(child))
        lines.append((LABELS["together"].format(pairing=style.pairing(total)), LABELS["add-up"]))
    return lines


def _joined(derivation: Derivation) -> list[str]:
    return list(dict.fromkeys([s.child for s in derivation.stages if s.child == derivation.target]))


def _starts(derivation: Derivation) -> list[Stage]:
    """The first stage of each statement that no other stage leads to."""
    children = {s.child for s in derivation.stages}
    seen: dict[str, Stage] = {}
    for stage in derivation.stages:
        if stage.statement.name not in children:
            seen.setdefault(stage.statement.name, stage)
    return list(seen.values())


def _part(stage: Stage, style: Style, output: str) -> list[Line]:
    name = display_name(stage.statement.name)
    lines: list[Line] = []
    for k, path in enumerate(stage.paths):
        label = LABELS["through" if len(stage.paths) == 1 else "through-part"].format(
            name=name, child=display_name(stage.child), part=k + 1
        )
        if stage.statement.name == output:
            lines.append(
                (f"{label}: {style.node(path.start.right)}", LABELS["put-in"].format(name=name) if k == 0 else "")
            )
        else:
            shown = style.pairing(path.start)
            start = f"{_start(stage, style, output)} = {shown}" if len(stage.paths) == 1 else shown
            lines.append((f"{label}: {start}", LABELS["put-in"].format(name=name) if k == 0 else ""))
        lines += _moves(path, style)
    return lines


def steps(derivation: Derivation, style: Style, shape_text: Callable[[Node], str]) -> list[Step]:
    """The moves as data."""
    return [
        Step(
            move.rule,
            style.pairing(move.before),
            style.pairing(move.after),
            RULES[move.rule].reason.format(factor=style.moved(move)),
            shape_text(move.after.left),
            RULES[move.rule].law,
        )
        for stage in derivation.stages
        for path in stage.paths
        for move in path.moves
    ]


def index_reading(derivation: Derivation, style: Style, name: str, output: str) -> list[Line]:
    """The changes, the change of the cost, and what stands beside each change, as sums over indices; with reasons."""
    lines: list[Line] = []
    for stage in derivation.stages:
        own = display_name(stage.statement.name)
        if stage.statement.name != output:
            body, _ = style.statements[stage.statement.name]
            reason = LABELS["from"].format(line=f"{own} = {style.text(body)}")
            lines.append((f"δ{own}{index_formula(stage.differential)}", reason))
    lines += _index_cost(derivation, output)
    for child in dict.fromkeys(s.child for s in derivation.stages):
        stages = [s for s in derivation.stages if s.child == child]
        total = add([s.result for s in stages], stages[0].result.dims)
        own = display_name(child)
        paths = [path for s in stages for path in s.paths]
        moves = sorted(paths[0].moves, key=lambda move: move.rule) if len(paths) == 1 else []
        reasons = [_index_reason(move, style) for move in moves]
        kept = list(dict.fromkeys(filter(None, reasons))) or [LABELS["index-beside"].format(name=own)]
        lines.append((f"∂{display_name(output)}/∂{own}{index_formula(total)}", kept[0]))
        lines += [("", reason) for reason in kept[1:]]
    if _total(derivation) is not derivation.answer:
        lines.append((f"{name}{index_formula(derivation.answer)}", LABELS["collected"]))
    return lines


def _index_cost(derivation: Derivation, output: str) -> list[Line]:
    """The change of the cost, by the entries of what is known from before."""
    own = display_name(output)
    lines: list[Line] = []
    for stage in _starts(derivation):
        name = display_name(stage.statement.name)
        if stage.statement.name == output:
            lines.append((f"δ{own}{index_formula(stage.differential)}", ""))
            continue
        letters = LETTERS[: stage.adjoint.rank]
        place = f"[{','.join(letters)}]" if letters else ""
        sums = "Σ" + "".join(SUBSCRIPTS[c] for c in letters) + " " if letters else ""
        adjoint = index_formula(stage.adjoint).partition(" = ")[2]
        lines.append(
            (f"δ{own} = {sums}{adjoint} δ{name}{place}", LABELS["school"].format(name=name, output=own))
        )
    return lines


def _index_reason(move: Move, style: Style) -> str:
    """Over which of its indices a factor is summed, and so where it stands in the matrix form."""
    code = f"index-{move.rule}" + ("-turned" if move.turned else "")
    if code not in LABELS or (move.rule.endswith("factor") and move.moved[0].rank != 2):
        return ""
    factor = style.node(move.moved[0]) if move.moved else ""
    return LABELS[code].format(factor=factor, turned=f"({factor})ᵀ" if " " in factor else f"{factor}ᵀ")
