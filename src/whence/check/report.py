"""From a verdict and a mistake to the sentences that a person reads."""

from __future__ import annotations

from dataclasses import replace

from whence.check.answer import Examination, judged, shape_sentence
from whence.check.bench import Bench
from whence.check.factors import Mistake
from whence.check.reference import Reference
from whence.check.remarks import remark
from whence.check.search import mistake
from whence.check.verdict import SHAPE_ERROR, UP_TO_FACTOR, WRONG, Verdict
from whence.messages.catalogue import nearest
from whence.messages.errors import WhenceError
from whence.messages.mistakes import (
    ASSUMED,
    COURSE_SENTENCE,
    FACTOR_SENTENCE,
    SECOND_SENTENCE,
    SENTENCES,
    UNKNOWN_SENTENCE,
    UNNAMED_FACTOR_SENTENCE,
)
from whence.read.canonical import to_text
from whence.read.syntax import Expr, Name, Transpose
from whence.shapes.words import text as shape_text


def examined(examination: Examination) -> Verdict:
    """The verdict, and for an answer that is not right the mistake, a sentence, a hint and the repaired formula."""
    return explained(examination, judged(examination))


def explained(examination: Examination, verdict: Verdict) -> Verdict:
    """A verdict with the mistake that leads from the examination's truth to its formula."""
    if verdict.verdict not in (UP_TO_FACTOR, SHAPE_ERROR, WRONG) or examination.point is None:
        return verdict
    bench = Bench(examination, examination.point)
    found = mistake(bench, verdict.factor)
    further = remark(examination) if verdict.verdict != UP_TO_FACTOR else ""
    if found is None:
        detail = shape_sentence(examination) if verdict.verdict == SHAPE_ERROR else UNKNOWN_SENTENCE
        return replace(verdict, detail=f"{detail} {further}".strip())
    return replace(
        verdict,
        diagnosis=found.diagnosis,
        detail=f"{_detail(bench, verdict, found)} {further}".strip(),
        hint=SENTENCES[found.diagnosis][1],
        repair=_shown(found.repair),  # equal to the verified truth at two points of the field
        also=found.also,
    )


def _detail(bench: Bench, verdict: Verdict, found: Mistake) -> str:
    reference = bench.reference
    if verdict.convention == "course":
        return COURSE_SENTENCE.format(size=reference.samples)
    before = ""
    if verdict.factor is not None and not verdict.factor.known:
        return UNNAMED_FACTOR_SENTENCE
    if verdict.factor is not None:
        before = FACTOR_SENTENCE.format(factor=verdict.factor.text())
    old, new = (_shown(t) for t in (found.old, found.new))
    sentence = SENTENCES[found.diagnosis][0].format(
        old=old,
        new=new or old,
        inner=_shown(found.old.operand) if isinstance(found.old, Transpose) else old,
        about=ASSUMED.get(found.about, found.about),
        shapes=_shapes(reference, found),
    )
    if found.also:
        sentence += " " + SECOND_SENTENCE.format(second=", ".join(found.also))
    return before + sentence


def _shown(tree: Expr | None) -> str:
    return "" if tree is None else to_text(tree)


def _shapes(reference: Reference, found: Mistake) -> str:
    """The shapes of the named parts: ": W2 is n2 x n1"."""
    said = []
    for tree in (found.old, found.new):
        for part in (tree, tree.operand if isinstance(tree, Transpose) else None):
            if isinstance(part, Name) and part.id in reference.shapes:
                line = f"{part.id} is {shape_text(reference.shapes[part.id])}"
                if line not in said:
                    said.append(line)
    wanted = reference.answer.shape if reference.answer is not None else ()
    if said and len(reference.problem.wrt) == 1:
        said.append(f"the derivative {shape_text(wanted)}")
    return ": " + ", ".join(said) if said else ""


# ---- names that are not there


def unknown_name(reference: Reference, name: str, tree: Expr | None) -> Verdict:
    """The verdict of a formula that uses a name the problem does not have."""
    known = [*reference.shapes, *reference.model.functions, *(f + "_prime" for f in reference.model.functions)]
    detail = SENTENCES["undefined-name"][0].format(old=name)
    if name[:1] == "d" and name[1:] in reference.engine.shapes:
        detail += f" It would be the gradient by {name[1:]}."
    else:
        close = nearest(name, known)
        if close:
            detail += f" Is {close[0]} meant?"
    return Verdict(
        WRONG,
        diagnosis="undefined-name",
        detail=detail,
        hint=SENTENCES["undefined-name"][1],
        read_as=to_text(tree) if tree is not None else "",
    )


def unknown_function(reference: Reference, error: WhenceError) -> Verdict | None:
    """The same for an unknown function, which is an error of reading."""
    return unknown_name(reference, error.found, None) if error.code == "unknown-function" else None
