"""One question alone: why is it transposed, why in this order, why entry by entry, why a sum?"""

from __future__ import annotations

import re

from whence.messages.lessons import LESSONS
from whence.messages.rules import RULES
from whence.notation.scalars import NotScalars, entry_name, print_scalar
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes, shape_in_words
from whence.read.syntax import Name
from whence.read.walk import names_in
from whence.shapes.dims import Dim
from whence.steps.lesson import Lesson
from whence.steps.linked import turned
from whence.steps.record import Move, Pairing
from whence.steps.style import FullShape

# The questions, by the words with which they are asked.
TRANSPOSE, ORDER, HADAMARD, SUM = (k.removeprefix("only-none-") for k in LESSONS if k.startswith("only-none-"))
QUESTIONS: dict[str, tuple[str, ...]] = {
    TRANSPOSE: ("left-factor", "right-factor", "turn"),
    ORDER: ("left-factor", "right-factor"),
    HADAMARD: ("elementwise",),
    SUM: ("broadcast-columns", "broadcast-rows", "broadcast-all", "spread-columns", "spread-rows", "spread-all")
    + ("weighted-sum",),
}


def only(lesson: Lesson, question: str) -> str:
    """The answer to one question about a formula: one entry, all entries, the shapes."""
    blocks = [
        _answered(lesson, question, pair, move)
        for pair, move in _asked(lesson, question)
        if question != TRANSPOSE or move.rule == "turn" or not _is_vector(lesson, move)
    ]
    if not blocks:
        return LESSONS[f"only-none-{question}"].format(name=lesson.name)
    return "\n\n".join(dict.fromkeys(blocks))


def _asked(lesson: Lesson, question: str) -> list[tuple[Pairing, Move]]:
    return [(m.before, m) for _, _, m in lesson.moves() if m.rule in QUESTIONS[question] and m.moved]


def _is_vector(lesson: Lesson, move: Move) -> bool:
    return move.moved[0].rank < 2 and move.rule == "left-factor"


def _answered(lesson: Lesson, question: str, pair: Pairing, move: Move) -> str:
    sizes = lesson.small(one_sample=True)
    lines = [_question(lesson, question, move)]
    one = _one_entry(lesson, move, sizes)
    if one:
        lines += ["  " + LESSONS["one-entry"].format(sizes=describe_sizes(sizes)), *("    " + t for t in one)]
    rule = RULES[move.rule]
    before, after = lesson.style.pairing(move.before), lesson.style.pairing(move.after)
    law = LESSONS["law-proof"].format(law=rule.law, proof=rule.proof) if rule.law not in rule.proof else rule.proof
    lines.append("  " + LESSONS["all-entries"])
    lines += [f"    {text}" for text in _legend(before + after + law)]
    lines += [f"    {before} = {after}", f"    {law}"]
    if question in (TRANSPOSE, ORDER):
        lines += _by_shapes(lesson, move)
    return "\n".join(lines)


def _question(lesson: Lesson, question: str, move: Move) -> str:
    factor = lesson.style.moved(move)
    plain = factor.removesuffix("ᵀ") if move.turned else factor
    key = f"only-{question}"
    if move.rule == "turn":
        key = "only-turn"
    elif question == TRANSPOSE and move.turned:
        key = "only-transpose-back"
    elif question == ORDER:
        key = "only-order-first" if move.rule == "left-factor" else "only-order-last"
    return LESSONS[key].format(factor=plain, turned=turned(factor), name=lesson.name)


def _legend(text: str) -> list[str]:
    """What the signs in a text mean, each once, before they are used."""
    out = [LESSONS["legend-change"]] if "δ" in text else []
    out += [LESSONS["legend-pairing"]] if "⟨" in text else []
    out += [LESSONS["legend-hadamard"]] if "⊙" in text else []
    out += [LESSONS["legend-prime"].format(f=f) for f in dict.fromkeys(re.findall(r"(\w+)′", text))]
    return out


def _one_entry(lesson: Lesson, move: Move, sizes: dict[str, int]) -> list[str]:
    """What one entry of the target already shows."""
    try:
        place = lesson.places(lesson.target, sizes)[0]
        own = lesson.entry(lesson.target, place, sizes)
        gradient = print_scalar(lesson.scalar(lesson.answer, place, sizes))
    except NotScalars:
        return []
    scaled = f"{lesson.style.scaled} " if lesson.style.scaled else ""
    adjoints = [
        LESSONS["small-adjoint"].format(entries=", ".join(found), output=lesson.output)
        for found in [_adjoint_entries(lesson, place, sizes)]
        if found
    ]
    lines = [f"{scaled}∂{lesson.output}/∂{own} = {gradient}", *adjoints]
    factor = move.moved[0]
    if move.rule == "elementwise":
        return [*lines, LESSONS["own-entry-only"].format(entry=own)]
    if move.rule.startswith("broadcast"):
        return [*lines, *_used_in(lesson, own, sizes)]
    if move.rule.startswith("spread") or move.rule == "weighted-sum":
        return [*lines, LESSONS["spread-over"].format(entry=own)]
    if factor.rank != 2 or factor.name not in lesson.shapes or "symmetric" in factor.facts:
        return lines
    shape = lesson.shapes[factor.name]
    left = move.rule == "left-factor"
    down = left != move.turned
    count = shape[0 if down else 1].value(sizes)
    entries = [entry_name(factor.name, (k, 0) if down else (0, k), shape, sizes) for k in range(count)]
    shown = ", ".join(print_scalar(Name(e)) for e in entries)
    if not set(entries) & names_in(lesson.scalar(lesson.answer, place, sizes)):
        return lines
    reads = LESSONS["reads-column" if down else "reads-row"].format(
        entry=own, entries=shown, factor=display_name(factor.name)
    )
    text = display_name(factor.name)
    if move.turned:
        moral = LESSONS["row-is-right" if left else "column-is-right"].format(factor=text, turned=text + "ᵀ")
    else:
        moral = LESSONS["row-wanted" if left else "column-wanted"].format(turned=text + "ᵀ")
    return [*lines, reads, moral]


def _adjoint_entries(lesson: Lesson, place: tuple[int, ...], sizes: dict[str, int]) -> list[str]:
    """The entries of known gradients that stand in one entry of the answer."""
    used = names_in(lesson.scalar(lesson.answer, place, sizes))
    found = []
    for of, name, _ in lesson.adjoints:
        for at in lesson.places(of, sizes):
            entry = lesson.entry_id(name, at, sizes)
            if entry in used:
                found.append(f"{print_scalar(Name(entry))} = ∂{lesson.output}/∂{lesson.entry(of, at, sizes)}")
    return found


def _used_in(lesson: Lesson, own: str, sizes: dict[str, int]) -> list[str]:
    """The entries of the next lines in which an entry of the target stands."""
    found: list[str] = []
    for stage in lesson.derivation.stages:
        if stage.child != lesson.target:
            continue
        body, _ = lesson.style.statements[stage.statement.name]
        for place in lesson.places(stage.statement.name, sizes):
            if own in {print_scalar(Name(n)) for n in names_in(lesson.scalar(body, place, sizes))}:
                found.append(lesson.entry(stage.statement.name, place, sizes))
    return [LESSONS["sum-over"].format(entry=own, entries=", ".join(found))] if len(found) > 1 else []


# ---------------------------------------------------------------- what the shapes say


def _by_shapes(lesson: Lesson, move: Move) -> list[str]:
    """The product with the factor as it stands, and as it should stand, by their shapes."""
    factor = move.moved[0]
    if factor.rank != 2 or move.before.left.rank != 2 or move.after.left.rank != 2:
        return []
    name = lesson.style.moved(move)
    other = lesson.style.inside(move.before.left)
    wide = (factor.dims[1], factor.dims[0]) if move.turned else factor.dims
    flipped, before = (wide[1], wide[0]), move.before.left.dims
    first = move.rule == "left-factor"
    wrong = (name, wide, other, before) if first else (other, before, name, wide)
    right = (turned(name), flipped, other, before) if first else (other, before, turned(name), flipped)
    lines = ["  " + LESSONS["by-shapes"]]
    if wrong[1][1] != wrong[3][0]:
        lines.append("    " + _fit(wrong, ()))
    lines.append("    " + _fit(right, move.after.left.dims))
    if wrong[1][1] != wrong[3][0]:
        lines.append("    " + LESSONS["shapes-no-proof"].format(a=wrong[1][1], b=wrong[3][0]))
    return lines


def _fit(product: tuple[str, FullShape, str, FullShape], result: tuple[Dim, ...]) -> str:
    left, left_shape, right, right_shape = product
    texts = {"left": _bracketed(left), "right": _bracketed(right)}
    texts |= {"left_shape": shape_in_words(left_shape), "right_shape": shape_in_words(right_shape)}
    if not result:
        return LESSONS["shapes-unfit"].format(a=left_shape[1], b=right_shape[0], **texts)
    return LESSONS["shapes-fit"].format(inner=left_shape[1], product_shape=shape_in_words(result), **texts)


def _bracketed(text: str) -> str:
    return f"({text})" if any(sign in text for sign in "+-⊙") else text
