"""Why one cannot just multiply: the chain rule of school applied to matrices, beside the truth, with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from whence.expr.node import Node
from whence.messages.lessons import LESSONS
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes, shape_in_words
from whence.read.syntax import Binary, Expr
from whence.shapes.dims import Dim
from whence.steps.lesson import Lesson
from whence.steps.numbers import Numbers, array_text, number_text, numbers
from whence.steps.record import Path
from whence.steps.style import ONE
from whence.verify.numeric import USUAL, localcontext
from whence.verify.point import CLOSE, NoPoint, Value

MATRIX_MOVES = {"left-factor", "right-factor", "elementwise"}


@dataclass(frozen=True)
class Factor:
    """One factor of the recipe: what stands in a line beside the change, as a formula and as text."""

    tree: Expr
    text: str
    shape: tuple[Dim, ...]
    partial: str
    line: str = ""
    by: str = ""


def factors(lesson: Lesson) -> list[Factor]:
    """The gradient known from before and the local derivatives, along the first way to the target."""
    stages = list(lesson.derivation.stages)
    chosen = [s for s in stages if s.child == lesson.target][:1]
    while chosen:
        before = next((s for s in stages if s.child == chosen[0].statement.name), None)
        if before is None or before in chosen:
            break
        chosen.insert(0, before)
    if not chosen:
        return []
    first = chosen[0]
    output = display_name(lesson.output)
    out: list[Factor] = []
    if first.statement.name != lesson.output:
        row = lesson.style.is_row(first.statement.name)
        tree = lesson.style.tree(first.adjoint, row)
        shape = lesson.shapes[first.statement.name]
        out.append(Factor(tree, lesson.text(tree), shape, f"∂{output}/∂{display_name(first.statement.name)}"))
    for stage in chosen:
        partial = f"∂{display_name(stage.statement.name)}/∂{display_name(stage.child)}"
        for path in stage.paths[:1]:
            local = _local(lesson, path)
            out += [
                Factor(tree, lesson.text(tree), shape, partial, lesson.line(stage.statement.name), stage.child)
                for tree, shape in local
            ]
    return out


def _local(lesson: Lesson, path: Path) -> list[tuple[Expr, tuple[Dim, ...]]]:
    """The factors that a path moves, as they stand in the line."""
    out: list[tuple[Expr, tuple[Dim, ...]]] = []
    for move in path.moves:
        if move.rule not in MATRIX_MOVES:
            continue
        for node in move.moved:
            tree = lesson.style.printer.forms(node)[1 if move.turned and node.rank == 2 else 0].tree
            out.append((tree, _shape(node, move.turned)))
    return out


def _shape(node: Node, turned: bool) -> tuple[Dim, ...]:
    dims = node.dims[::-1] if turned else node.dims
    return (*dims, ONE) if len(dims) == 1 else dims


def is_plain(lesson: Lesson) -> bool:
    """Does only ⊙ occur on the way? Then the recipe of school is right, entry by entry."""
    return all(m.rule in ("elementwise", "number") for _, _, m in lesson.moves())


def multiply(lesson: Lesson, given: Mapping[str, int]) -> str:
    """The recipe, its products, the truth, and the first entry at which they differ."""
    found = factors(lesson)
    lines = [LESSONS["multiply-title"]]
    if is_plain(lesson):
        return "\n".join([*lines, "  " + LESSONS["multiply-right"]])
    if len(found) < 2:
        reason = LESSONS["multiply-few"]
        return "\n".join([*lines, "  " + LESSONS["multiply-no-matrices"].format(reason=reason)])
    lines += ["  " + LESSONS["multiply-school"], *_recipe(lesson, found), *_true_shapes(found)]
    sizes = {**lesson.small(), **given}
    toy = numbers(lesson, sizes)
    lines += ["", "  " + LESSONS["multiply-toy"], f"    {LESSONS['toy-rows']}", *_inputs(toy)]
    lines += _compared(lesson, toy, found)
    return "\n".join([*lines, "", "  " + LESSONS["multiply-why"]])


def _recipe(lesson: Lesson, found: list[Factor]) -> list[str]:
    lines = []
    for f in found:
        if f.by:
            text = LESSONS["multiply-factor"].format(
                partial=f.partial, line=f.line, by=display_name(f.by), factor=f.text
            )
        else:
            text = LESSONS["multiply-known"].format(partial=f.partial, name=f.text)
        lines.append(f"    {text}")
    return [*lines, f"    {' · '.join(dict.fromkeys(f.partial for f in found))} = {product_text(found)} ?"]


def product_text(found: list[Factor]) -> str:
    return " · ".join(f"({f.text})" if any(sign in f.text for sign in "+-⊙") else f.text for f in found)


def _true_shapes(found: list[Factor]) -> list[str]:
    """The first two neighbours that do not fit with the sizes of the model."""
    left = found[0]
    shape = left.shape
    for right in found[1:]:
        if not shape or not right.shape:
            left, shape = right, shape or right.shape
            continue
        if shape[-1] != right.shape[0]:
            texts = {"left": left.text, "right": right.text}
            texts |= {"left_shape": shape_in_words(shape), "right_shape": shape_in_words(right.shape)}
            return ["  " + LESSONS["multiply-shapes"].format(**texts)]
        left, shape = right, (shape[0], right.shape[-1])
    return []


def _inputs(toy: Numbers) -> list[str]:
    lines = [f"    {describe_sizes(toy.sizes)}"]
    lines += [f"    {LESSONS['toy-stand-in'].format(f=f)}" for f in toy.stand_ins]
    texts = [f"{display_name(n)} = {array_text(toy.named(n))}" for n in toy.setting.inputs]
    return [*lines, "    " + "   ".join(texts)]


def _compared(lesson: Lesson, toy: Numbers, found: list[Factor]) -> list[str]:
    known = [f"{f.text} = {array_text(toy.value(f.tree))}" for f in found]
    true = toy.value(lesson.answer)
    rows: list[tuple[str, str, Value | None]] = []
    for label, order, sign, operator in (
        ("multiply-naive", found, " · ", "@"),
        ("multiply-turned", found[::-1], " · ", "@"),
        ("multiply-hadamard", found, " ⊙ ", "*"),
    ):
        value = _product(toy, order, operator)
        texts = [f"({f.text})" if any(s in f.text for s in "+-⊙") else f.text for f in order]
        if isinstance(value, Value) and value.shape != true.shape and len(value.entries) != len(true.entries):
            value = None
        rows.append((LESSONS[label], sign.join(texts), value))
    rows.append((LESSONS["multiply-true"], lesson.text(lesson.answer), true))
    width = max(len(r[0]) for r in rows)
    wide = max(len(r[1]) for r in rows)
    lines = ["    " + "   ".join(known)]
    for label, text, value in rows:
        shown = array_text(value) if value is not None else LESSONS["multiply-missing"]
        lines.append(f"    {label:<{width}}  {text:<{wide}} = {shown}")
    return lines + _first_difference(lesson, toy, rows, true)


def _product(toy: Numbers, order: list[Factor], operator: str) -> Value | None:
    tree = order[0].tree
    for f in order[1:]:
        tree = Binary(operator if f.shape and order[0].shape else "*", tree, f.tree)
    try:
        return toy.value(tree)
    except NoPoint:
        return None


def _first_difference(
    lesson: Lesson, toy: Numbers, rows: list[tuple[str, str, Value | None]], true: Value
) -> list[str]:
    width = true.shape[-1] if true.shape else 1
    for label, _, value in rows[:-1]:
        if value is None:
            continue
        with localcontext(USUAL[1].context()):
            wrong = [k for k, (a, b) in enumerate(zip(value.entries, true.entries, strict=True)) if abs(a - b) > CLOSE]
        if not wrong:
            continue
        k = wrong[0]
        texts = {"what": label, "wrong": number_text(value.entries[k]), "true": number_text(true.entries[k])}
        lines = ["    " + LESSONS["multiply-first"].format(i=k // width + 1, j=k % width + 1, **texts)]
        return lines + (_nudged(lesson, toy, k) if not lesson.style.scaled else [])
    return []


def _nudged(lesson: Lesson, toy: Numbers, k: int) -> list[str]:
    place = lesson.places(lesson.target, toy.sizes)[k]
    entry = lesson.entry(lesson.target, place, toy.sizes)
    text = LESSONS["multiply-check"].format(entry=entry, output=display_name(lesson.output), **toy.nudged(k))
    return [f"    {text}"]
