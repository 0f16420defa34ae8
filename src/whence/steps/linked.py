"""Three readings of the same steps, term by term; the one line of reason; every small step with its rule."""

from __future__ import annotations

from whence.expr.node import Node
from whence.messages.labels import LABELS
from whence.messages.lessons import LESSONS
from whence.messages.rules import RULES
from whence.notation.indices import index_formula
from whence.notation.scalars import NotScalars, print_scalar
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes
from whence.ops.table import lookup
from whence.read.syntax import Binary, Call, Expr, Negative, Transpose
from whence.read.walk import names_in
from whence.steps.derivation import Stage
from whence.steps.lesson import Lesson
from whence.steps.record import Move, Pairing

LABEL = 8


# ---------------------------------------------------------------- depth 1: one line


def in_short(lesson: Lesson) -> str:
    """The reason of a formula in one line."""
    reasons = [LESSONS["short-through"].format(target=lesson.target, output=lesson.output, lines=_lines(lesson))]
    for _, _, move in lesson.moves():
        reasons += _short(lesson, move)
    return LESSONS["in-short"].format(reasons="; ".join(dict.fromkeys(reasons)))


def _lines(lesson: Lesson) -> str:
    return " and ".join(lesson.line(name) for name in lesson.reached())


def _short(lesson: Lesson, move: Move) -> list[str]:
    key = f"short-{move.rule}" + ("-turned" if move.turned else "")
    if key not in LESSONS or move.rule in ("number", "pair"):
        return []
    factor = lesson.style.moved(move)
    if not factor and move.rule == "elementwise":
        return []
    return [LESSONS[key].format(factor=factor.removesuffix("ᵀ") if move.turned else factor, turned=turned(factor))]


def turned(text: str) -> str:
    """The transpose of a factor as text."""
    if text.endswith("ᵀ"):
        return text.removesuffix("ᵀ")
    return f"({text})ᵀ" if " " in text and not text.startswith("(") else text + "ᵀ"


# ---------------------------------------------------------------- the same steps in three readings


def linked(lesson: Lesson) -> str:
    """What stands beside the change after each step: as matrices, by indices, and its first entry."""
    sizes = lesson.small(one_sample=True)
    lines = [LESSONS["linked-title"], "  " + LESSONS["linked-legend"].format(sizes=describe_sizes(sizes) or "1 × 1")]
    number = 0
    for stage in lesson.derivation.stages:
        for path in stage.paths:
            pairs = [(path.start, _start_reason(lesson, stage))]
            pairs += [(move.after, lesson.style.reason(move)) for move in path.moves]
            for pair, reason in pairs:
                number += 1
                lines += _term(lesson, number, pair, reason, sizes)
    return "\n".join(lines)


def _start_reason(lesson: Lesson, stage: Stage) -> str:
    name = display_name(stage.statement.name)
    if stage.statement.name == lesson.output:
        return LESSONS["linked-cost"].format(output=name)
    if any(stage.statement.name == s.child for s in lesson.derivation.stages):
        return LABELS["put-in"].format(name=name)
    return LESSONS["linked-start"].format(adjoint="d" + name, name=name)


def _term(lesson: Lesson, number: int, pair: Pairing, reason: str, sizes: dict[str, int]) -> list[str]:
    row = pair.row
    change = lesson.style.node(pair.right, row)
    head = f"  {number:>2}  {LESSONS['linked-beside'].format(change=change):<32}  {reason}"
    left = pair.left
    inside = lesson.style.inside(left) if not (left.rank == 1 and row) else lesson.style.node(left, True)
    readings = [
        (LESSONS["matrix"], inside),
        (LESSONS["index"], index_formula(left).partition(" = ")[2]),
        (LESSONS["scalar"], first_entry(lesson, left, row, sizes)),
    ]
    return [head, *(f"      {label:<{LABEL}}{text}" for label, text in readings)]


def first_entry(lesson: Lesson, node: Node, row: bool, sizes: dict[str, int]) -> str:
    """The entry at the first place of a node."""
    tree = lesson.style.tree(node, row)
    try:
        return print_scalar(lesson.scalar(tree, (0,) * (0 if not node.rank else max(node.rank, 2)), sizes))
    except NotScalars as problem:
        return LESSONS["not-written"].format(reason=problem)


# ---------------------------------------------------------------- depth 3: every small step


def small_steps(lesson: Lesson) -> str:
    """Each change taken apart by the rules of school, and each move with its law and what the law needs."""
    lines = [LESSONS["small-title"]]
    for k, stage in enumerate(lesson.derivation.stages, start=1):
        row = lesson.style.is_row(stage.statement.name)
        change = lesson.style.node(stage.differential, row)
        name = display_name(stage.statement.name)
        lines.append(f"  {k}  {lesson.line(stage.statement.name)}")
        body, _ = lesson.style.statements[stage.statement.name]
        small = _rules_used(lesson, body, stage.child)
        if any("δ(P" in text for text in small):
            small.append(LESSONS["small-dropped"])
        lines += [f"       {text}" for text in dict.fromkeys(small)]
        lines.append(f"     so δ{name} = {change}")
        for path in stage.paths:
            for move in path.moves:
                rule = RULES[move.rule]
                here = lesson.style.pairing(move.before) + " = " + lesson.style.pairing(move.after)
                lines.append(f"     {here}")
                lines.append(f"       {move.rule}: {LESSONS['small-move'].format(law=rule.law, when=rule.when)}")
    return "\n".join(lines)


def _rules_used(lesson: Lesson, tree: Expr, child: str) -> list[str]:
    """The rules of differentiation that a line needs, outermost first, along the parts in which the child stands."""
    out: list[str] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if child not in names_in(node):
            continue
        text = lesson.text(node)
        match node:
            case Binary(operator="+" | "-", left=a, right=b):
                out.append(LESSONS["small-sum"])
                fixed = sorted({n for part in (a, b) if child not in names_in(part) for n in names_in(part)})
                if fixed:
                    label = "small-fixed" if len(fixed) > 1 else "small-fixed-one"
                    out.append(LESSONS[label].format(names=", ".join(display_name(n) for n in fixed)))
                stack += [b, a]
            case Binary(operator=operator, left=a, right=b):
                out.append(LESSONS["small-" + operator].format(product=text))
                fixed = sorted({n for part in (a, b) if child not in names_in(part) for n in names_in(part)})
                if fixed and child not in fixed:
                    label = "small-fixed" if len(fixed) > 1 else "small-fixed-one"
                    out.append(LESSONS[label].format(names=", ".join(display_name(n) for n in fixed)))
                stack += [b, a]
            case Transpose(operand=a):
                out.append(LESSONS["small-transpose"])
                stack.append(a)
            case Negative(operand=a):
                stack.append(a)
            case Call(name=name, arguments=arguments):
                out.append(_of_function(name, text))
                stack += reversed(arguments)
    return out


def _of_function(name: str, text: str) -> str:
    op = lookup(name)
    if op is None or op.kind == "elementwise":
        return LESSONS["small-function"].format(call=text)
    if op.differential:
        return LESSONS["small-entry"].format(call=text, name=name, rule=op.differential)
    return LESSONS["small-linear"].format(call=text)
