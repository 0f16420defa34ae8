"""The answer a mentor would post: short, with one entry first, and so written that a forum displays it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from whence.alone import formula_alone
from whence.messages.errors import ReadError, WhenceError
from whence.messages.lookups import LOOKUPS
from whence.notation.words import describe_sizes
from whence.read.posts import BACKWARD, Post, read_post
from whence.steps.lesson import Lesson
from whence.uses import Use, judge_product, partials_in

if TYPE_CHECKING:
    from whence.net import Derivative, Net

Level = Literal["hint", "step", "full"]
MOST_WORDS = 200
_BINDING = re.compile(r"(?<![\w'])([wxyz]) ?(?:=|is|:=) ?([A-Za-z]\^?\\?\[?\d{1,2}\\?\]?)(?![\w(])")


@dataclass(frozen=True)
class Asked:
    """What is taken from a post: the forward lines, what is asked for, lines with products of partial derivatives."""

    model: str
    target: str
    products: tuple[str, ...]
    bindings: tuple[tuple[str, str], ...]
    presupposed: bool = False  # the post has no forward lines; these are the ones its formula belongs to


def asked(text: str, model: str | None = None, target: str | None = None) -> Asked:
    """The model and the target of a post; given ones are taken instead. Raises ReadError `no-question`.

    Where a post has no forward lines, those that its formula presupposes are taken, and the reply says so.
    """
    post = read_post(text)
    lines = [line.strip().strip("`$") for line in text.split("\n")]
    products = tuple(line for line in lines if len(partials_in(line.rpartition("=")[2])) > 1)
    bindings = tuple((m[1], m[2]) for line in lines for m in _BINDING.finditer(line))
    found = model if model is not None else post.model()
    wanted = target or post.target
    if not found.strip():
        found, wanted = _presupposed(post, wanted)
        return Asked(found, wanted, products, bindings, presupposed=True)
    if not wanted:
        raise ReadError("no-question", found=LOOKUPS["no-target"])
    return Asked(found, wanted, products, bindings)


def _presupposed(post: Post, target: str) -> tuple[str, str]:
    """The forward lines to which the first gradient formula of a post belongs, and its target."""
    for found in post.of_kind(BACKWARD):
        if target in ("", found.lines[0].target):
            best = formula_alone(found.canonical[0], "canonical").best
            return "\n".join([*map("shape {}".format, best.forward.shapes), *best.forward.lines, best.forward.cost]), (
                "d" + best.forward.target
            )
    raise ReadError("no-question", found=LOOKUPS["no-model"])


def reply(post: Asked, level: Level = "step") -> str:
    """The reply in Markdown, at most 200 words. Raises what deriving raises.

    >>> text = reply(asked("shape W: n x m, x: m\\nz = W x\\nJ = norm(z)^2\\nWhy is dW = 2 z x^T?"))
    >>> "school" in text
    True
    """
    import whence

    net = whence.model(post.model)
    target = _named(net, post.target)
    d = net.gradient(target)
    parts: list[str] = [_assumed(net)] if post.presupposed else []
    for line in post.products:
        use = judge_product(net, line, post.bindings)
        if use is not None and use.faults:
            parts.append(_faults(use))
            break
    if d.notes or not d.derivation.complete:
        return "\n\n".join([*parts, _fenced([str(d)]), *d.notes]) + "\n"
    if level == "hint":
        parts.append(_hint(d.lesson))
    else:
        formula, *entry = _one_entry(d)
        if level == "full":
            parts += [formula, _steps(d), LOOKUPS["reply-checked"], *entry]
        else:
            parts += [formula, *entry, _next(d.lesson)]
    return _cut(parts) + "\n"


def _assumed(net: Net) -> str:
    """The lines that the formula presupposes, which the post does not say."""
    lines = [f"{s.target} = {net.text(s.expression)}" for s in net.model.statements]
    return "\n\n".join([LOOKUPS["reply-presupposes"], _fenced(lines)])


def _named(net: Net, target: str) -> str:
    try:
        return net.named(target)
    except WhenceError:
        lower = {n.lower(): n for n in net.engine.shapes}
        name = lower.get(target.removeprefix("d").lower())
        if name is None:
            raise
        return name


def _fenced(lines: list[str]) -> str:
    """Formulas in a block of code, in which a forum changes nothing."""
    return "\n".join(["```text", *lines, "```"])


def _faults(use: Use) -> str:
    items = [f"{k}. {fault}." for k, fault in enumerate(use.faults, start=1)]
    return "\n".join([LOOKUPS["reply-faults"], "", *items, "", *[" ".join(map(safe, use.said[:2]))]])


def _hint(lesson: Lesson) -> str:
    sizes = lesson.small(one_sample=True)
    place = lesson.places(lesson.target, sizes)[0]
    from whence.steps.toy import ToyExample

    count = len(ToyExample(lesson, sizes).ways(lesson.target, place))
    question = LOOKUPS["reply-hint-question"].format(
        entry=lesson.entry(lesson.target, place, sizes), output=lesson.output, count=count
    )
    return LOOKUPS["reply-hint"].format(question=question)


def _one_entry(d: Derivative) -> list[str]:
    """The answer, then one entry of it by school calculus, where it is written out."""
    formulas = _fenced([str(d), *(text for _, text in d.adjoint_texts()[:1])])
    out = [LOOKUPS["reply-formula"] + "\n\n" + formulas]
    sizes = d.toy_sizes({})
    try:
        rows = d.scalar_lines(sizes)
    except NotImplementedError:
        return out
    title = LOOKUPS["reply-one"].format(sizes=describe_sizes(sizes))
    remarks = [safe(f"- {right}") for _, right in rows if right]
    lines = _fenced([left for left, _ in rows if left])
    return [*out, f"{title}\n\n{lines}\n\n" + "\n".join([LOOKUPS["reply-reading"], *remarks])]


def _steps(d: Derivative) -> str:
    lines = [text.strip() for text, _ in d.matrix_lines()]
    return LOOKUPS["reply-steps"] + "\n\n" + _fenced(lines)


def _next(lesson: Lesson) -> str:
    sizes = lesson.small(one_sample=True)
    places = lesson.places(lesson.target, sizes)
    if len(places) < 2:
        return LOOKUPS["reply-checked"]
    return LOOKUPS["reply-next"].format(entry=lesson.entry(lesson.target, places[1], sizes))


def safe(text: str) -> str:
    """A sentence in which a forum eats nothing: signs of Markdown are escaped outside of code.

    >>> safe("Z^[1] and a*b")
    'Z^\\\\[1\\\\] and a\\\\*b'
    """
    return re.sub(r"([\[\]*_])", r"\\\1", text)


def _cut(parts: list[str]) -> str:
    """At most 200 words: what comes last is left out first."""
    while len(parts) > 1 and len(" ".join(parts).split()) > MOST_WORDS:
        parts = parts[:-1]
    return "\n\n".join(parts)
