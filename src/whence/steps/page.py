"""The page that explains one gradient: what is asked, one entry first, all entries at once, the certificate."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from whence.messages.labels import LABELS
from whence.messages.lessons import LESSONS
from whence.notation.linear import NotLinear
from whence.notation.scalars import NotScalars
from whence.notation.unicode import display_name
from whence.notation.words import describe_sizes, shape_in_words
from whence.shapes.dims import Dim
from whence.steps import reasons
from whence.steps.arrangements import arrangements
from whence.steps.chain import chain
from whence.steps.derivation import Derivation, UsesRanges
from whence.steps.lesson import Lesson
from whence.steps.linked import in_short, linked, small_steps
from whence.steps.multiply import multiply
from whence.steps.toy import placed, toy
from whence.verify.certificate import Certificate
from whence.verify.point import NoPoint

WIDTH = 46
ONES = "𝟏"
# The lessons of their own, by the word that asks for them.
SHOWN: dict[str, Callable[[Lesson, Mapping[str, int]], str]] = {
    "chain": chain,
    "multiply": multiply,
    "toy": toy,
    "arrangements": arrangements,
}


class Explained(Protocol):
    """What the page needs of a derivative."""

    @property
    def name(self) -> str: ...
    @property
    def of(self) -> str: ...
    @property
    def wrt(self) -> tuple[str, ...]: ...
    @property
    def shape(self) -> tuple[Dim, ...]: ...
    @property
    def certificate(self) -> Certificate: ...
    @property
    def derivation(self) -> Derivation: ...
    @property
    def lesson(self) -> Lesson: ...
    @property
    def convention(self) -> str: ...
    @property
    def notes(self) -> list[str]: ...
    def toy_sizes(self, given: Mapping[str, int]) -> dict[str, int]: ...
    def scalar_lines(self, sizes: Mapping[str, int]) -> list[tuple[str, str]]: ...
    def written(self, dialect: str) -> str: ...
    def adjoint_texts(self, write: str | None = None) -> list[tuple[str, str]]: ...
    def meaning(self, of: str) -> str: ...
    def law_lines(self) -> list[str]: ...
    def matrix_lines(self) -> list[tuple[str, str]]: ...
    def index_lines(self) -> list[tuple[str, str]]: ...


def explanation(
    d: Explained,
    view: str | None,
    sizes: Mapping[str, int],
    depth: int,
    only: str | None,
    show: str | None,
    write: str | None = None,
) -> str:
    """The explanation as text. `view` None shows the scalar and the matrix reading; else the one named. `write` is the
    way in which the answer is written, None that of the page.
    """
    blocks = ["\n".join([_head(d, write), *d.notes])]
    explained = len(d.wrt) == 1 and d.derivation.complete
    if not explained and not d.notes:
        blocks.append(LABELS["no-steps"].format(reason=_why_not(d)))
    elif not d.notes:
        blocks += _lesson(d, view, sizes, depth, only, show)
    blocks.append(_certificate(d.certificate))
    return "\n\n".join(blocks)


def _lesson(
    d: Explained, view: str | None, sizes: Mapping[str, int], depth: int, only: str | None, show: str | None
) -> list[str]:
    """What is asked for, between the formula and its certificate."""
    if show is not None:
        try:
            return [SHOWN[show](d.lesson, sizes)]
        except (NoPoint, NotScalars, NotLinear) as problem:
            return [LESSONS["toy-none"].format(reason=str(problem) or LESSONS["toy-not-linear"])]
    if only is not None:
        return [reasons.only(d.lesson, only)]
    if depth == 1:
        return [in_short(d.lesson)]
    blocks: list[str] = []
    if view in (None, "scalar"):
        blocks += _scalar(d, sizes, required=view == "scalar")
    if view == "scalar":
        blocks += _placed(d, sizes)
    if view == "index":
        blocks.append("\n".join([LABELS["index-title"], f"  {LABELS['index-legend']}", beside(d.index_lines())]))
    if view in (None, "matrix"):
        blocks.append(_matrix(d))
    if view == "all":
        blocks += [*_scalar(d, sizes, required=False), _matrix(d), linked(d.lesson)]
    if depth == 3:
        blocks.append(small_steps(d.lesson))
    return blocks


def _why_not(d: Explained) -> str:
    if len(d.wrt) != 1:
        return LABELS["second-order"]
    said = {"unverified": "step-unverified", UsesRanges.__name__: "step-ranges"}
    return LABELS[said.get(d.derivation.limit, "layout-limit")]


def _head(d: Explained, write: str | None) -> str:
    shape = shape_in_words(d.shape)
    gradient = len(d.wrt) == 1 and d.name == "d" + d.wrt[0]
    facts = LABELS["shape-of"].format(shape=shape, name=display_name(d.wrt[0])) if gradient else shape
    answer = d.written(write) if write else str(d)
    rows = [(answer, f"{facts}   {d.meaning(d.wrt[0])}" if gradient else facts)]
    rows += [(LABELS["with"].format(formula=text), d.meaning(of)) for of, text in d.adjoint_texts(write)]
    return beside(rows, indent="")


def _scalar(d: Explained, given: Mapping[str, int], required: bool) -> list[str]:
    sizes = d.toy_sizes(given)
    try:
        lines = d.scalar_lines(sizes)
    except NotImplementedError as e:
        return [LABELS["no-scalar"].format(reason=e)] if required else []
    title = LABELS["scalar-title"].format(sizes=describe_sizes(sizes)) if sizes else LABELS["scalar-title-plain"]
    return ["\n".join([title, beside(lines)])]


def _placed(d: Explained, given: Mapping[str, int]) -> list[str]:
    """All entries put back into the matrix, and the matrix form."""
    try:
        lines = placed(d.lesson, d.toy_sizes(given))
    except NotScalars:
        return []
    return ["\n".join([lines[0], *(f"  {line}" for line in [*lines[1:], d.lesson.formula])])] if lines else []


def _matrix(d: Explained) -> str:
    rows: list[tuple[str, str]] = []
    number = 0
    for text, reason in d.matrix_lines():
        if not text.startswith("    ="):
            number += 1
            rows.append((f"{number:>2}  {text}", reason))
        else:
            rows.append((f"  {text}", reason))
    text = beside(rows)
    legend = LABELS["matrix-legend"] + (LABELS["ones-column"] if ONES in text else "")
    legend += "".join(LABELS["prime"].format(f=f) for f in dict.fromkeys(re.findall(r"(\w+)′", text)))
    lines = [LABELS["matrix-title"], f"  {legend}", text]
    proofs = d.law_lines()
    if proofs:
        lines += [f"  {LABELS['laws-title']}", *(f"    {proof}" for proof in proofs)]
    return "\n".join(lines)


def _certificate(c: Certificate) -> str:
    return "\n".join(
        [
            f"{LABELS['certificate']:<14}{LABELS['derived']}: {c.derived} · {LABELS['checked']}: {c.checked}",
            f"{'':<14}{LABELS['assumes']}: {c.assumes}",
        ]
    )


def beside(rows: Sequence[tuple[str, str]], indent: str = "  ") -> str:
    """Two columns: formulas, and what is said of them."""
    width = max((len(left) for left, right in rows if right and len(left) <= 2 * WIDTH), default=0)
    width = min(max(width, WIDTH), 2 * WIDTH)
    out = []
    for left, right in rows:
        if right and len(left) > width:
            out += [f"{indent}{left}", f"{indent}{'':<{width}}  {right}"]
        else:
            out.append(f"{indent}{left:<{width}}  {right}".rstrip())
    return "\n".join(out)
