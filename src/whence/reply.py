"""The answer a mentor would post: short, with one entry first, and so written that a forum displays it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from whence.messages.errors import ReadError, WhenceError
from whence.messages.lookups import LOOKUPS
from whence.notation.words import describe_sizes
from whence.steps.lesson import Lesson
from whence.uses import Use, judge_product, partials_in

if TYPE_CHECKING:
    from whence.net import Derivative, Net

Level = Literal["hint", "step", "full"]
MOST_WORDS = 200
_ASKED = re.compile(r"(?<![\w∂])d([A-Za-z]{1,12})\^?\{?\\?\[?\\?\{?(\d{0,2})")
_BINDING = re.compile(r"(?<![\w'])([wxyz]) ?(?:=|is|:=) ?([A-Za-z]\^?\\?\[?\d{1,2}\\?\]?)(?![\w(])")
_FENCE = re.compile(r"^```")


@dataclass(frozen=True)
class Post:
    """What is taken from a post: the forward lines, what is asked for, lines with products of partial derivatives."""

    model: str
    target: str
    products: tuple[str, ...]
    bindings: tuple[tuple[str, str], ...]


def read_post(text: str, model: str | None = None, target: str | None = None) -> Post:
    """The model and the target of a post; given ones are taken instead. Raises ReadError `no-question`.

    Forward lines are the lines with an equals sign that define something other than a gradient. The target is the
    first gradient that stands left of an equals sign, else the first that is named.
    """
    lines = [line.strip().strip("`$") for line in text[:100_000].split("\n")]
    products = tuple(line for line in lines if len(partials_in(line.rpartition("=")[2])) > 1)
    found_model = model if model is not None else "\n".join(_forward_lines(lines, products))
    if not found_model.strip():
        raise ReadError("no-question", found=LOOKUPS["no-model"])
    asked = target or _target(lines)
    if not asked:
        raise ReadError("no-question", found=LOOKUPS["no-target"])
    bindings = tuple((m[1], m[2]) for line in lines for m in _BINDING.finditer(line))
    return Post(found_model, asked, products, bindings)


def _forward_lines(lines: list[str], products: tuple[str, ...]) -> list[str]:
    out = []
    for line in lines:
        left, sign, right = line.partition("=")
        declares = re.match(r"(shapes?|assume|functions?)\s", line) is not None
        defines = bool(sign) and bool(re.fullmatch(r"[A-Za-z][\w^\\\[\]{}]{0,12}\s*", left)) and right.strip() != ""
        if declares or (defines and line not in products and not _is_gradient(left)):
            out.append(line.replace("\\[", "[").replace("\\]", "]"))
    return out


def _is_gradient(left: str) -> bool:
    return re.match(r"d[A-Za-z]", left.strip()) is not None


def _target(lines: list[str]) -> str:
    plain = [line.replace("\\", "") for line in lines]
    for line in [*(t for t in plain if _is_gradient(t) and "=" in t), *plain]:
        for found in _ASKED.finditer(line):
            if found[2] or found[1][0].isupper():
                return "d" + found[1] + found[2]
    return ""


def reply(post: Post, level: Level = "step") -> str:
    """The reply in Markdown, at most 200 words. Raises what deriving raises.

    >>> text = reply(read_post("shape W: n x m, x: m\\nz = W x\\nJ = norm(z)^2\\nWhy is dW = 2 z x^T?"))
    >>> "school" in text
    True
    """
    import whence

    net = whence.model(post.model)
    target = _named(net, post.target)
    d = net.gradient(target)
    parts: list[str] = []
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
