"""The marks of one submission."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from whence.check.reading import split_line
from whence.check.verdict import NOT_JUDGED, UNDECIDED, Verdict
from whence.checking import check_text
from whence.grade.rubric import Rubric
from whence.messages.errors import WhenceError
from whence.net import Net
from whence.read.model import read_model

JUDGED = ("equivalent", "right up to a factor", "shape error", "wrong")
REVIEW = "review"
MISSING = "missing"


@lru_cache(8)
def net_of(rubric: Rubric) -> Net:
    """The rubric's model. Raises WhenceError where it cannot be read."""
    return Net(read_model(rubric.model, rubric.shapes or None, rubric.assume or None))


@lru_cache(4096)
def _verdict(rubric: Rubric, text: str, several: bool) -> Verdict:
    """The verdict of a text; of one that many hand in, once."""
    return check_text(net_of(rubric), text, rubric.convention, each=several)


def marked(rubric: Rubric, item: Mapping[str, Any]) -> dict[str, Any]:
    """The marks of a submission: for each target points, verdict, the mistake, and the cluster it belongs to.

    What cannot be read or decided has no points (None) and goes to review; it is never 0.
    """
    found = _from_text(rubric, str(item["text"])) if "text" in item else _from_answers(rubric, item.get("answers"))
    marks = {}
    for target, worth in rubric.points:
        marks[target] = found.get(target) or {
            "points": 0.0,
            "of": worth,
            "verdict": MISSING,
            "cluster": f"{target}: {MISSING}",
        }
    known = [mark["points"] for mark in marks.values()]
    total = None if None in known else sum(known)
    return {"id": item["id"], "points": total, "of": rubric.total, "marks": marks}


def _from_answers(rubric: Rubric, answers: Any) -> dict[str, dict[str, Any]]:
    out = {}
    worth = dict(rubric.points)
    for target, text in (answers if isinstance(answers, dict) else {}).items():
        if target not in worth or not isinstance(text, str) or not text.strip():
            continue
        several = any(sign in text.strip() for sign in "\n;")
        whole = text if several else f"{target} = {split_line(text)[1]}"
        try:
            verdict = _verdict(rubric, whole, several)
        except WhenceError as error:
            out[target] = _for_review(target, worth[target], text, error.message)
            continue
        if verdict.lines:
            out |= _of_lines(rubric, verdict)
        else:
            out[target] = _mark(rubric, target, text, verdict, verdict.right)
    return out


def _from_text(rubric: Rubric, text: str) -> dict[str, dict[str, Any]]:
    worth = dict(rubric.points)
    try:
        verdict = _verdict(rubric, text, True)
    except WhenceError as error:
        return {target: _for_review(target, worth[target], "", error.message) for target in worth}
    return _of_lines(rubric, verdict)


def _of_lines(rubric: Rubric, verdict: Verdict) -> dict[str, dict[str, Any]]:
    """The last line of each target counts. With follow-through a line is right that is right given the earlier ones.

    A line that could not be read, or that bears a name of the person's own, may be the one that seems to be missing:
    then what is missing goes to review.
    """
    out = {}
    worth = dict(rubric.points)
    unread = ""
    for line in verdict.lines:
        target = line.name if line.name in worth else "d" + line.of
        if target in worth:
            right = line.right or (rubric.follow_through and line.inherits)
            out[target] = _mark(rubric, target, line.line, line.own, right)
        elif line.own.verdict in (UNDECIDED, NOT_JUDGED):
            unread = unread or f"{line.line}: {line.own.detail}"
    if unread:
        out |= {target: _for_review(target, worth[target], "", unread) for target in worth.keys() - out.keys()}
    return out


def _for_review(target: str, worth: float, text: str, reason: str) -> dict[str, Any]:
    return {
        "points": None,
        "of": worth,
        "verdict": REVIEW,
        "answer": text,
        "feedback": reason,
        "cluster": f"{target}: {REVIEW}",
    }


def _mark(rubric: Rubric, target: str, text: str, verdict: Verdict, right: bool) -> dict[str, Any]:
    worth = dict(rubric.points)[target]
    if not right and verdict.verdict not in JUDGED:
        return _for_review(target, worth, text, verdict.detail)
    told = {
        "none": "",
        "hint": verdict.hint,
        "sentence": verdict.detail,
        "repair": f"{verdict.detail} {verdict.repair}".strip(),
    }[rubric.feedback]
    kind = "right" if right else verdict.diagnosis or "no small change makes it right"
    return {
        "points": worth if right else 0.0,
        "of": worth,
        "verdict": verdict.verdict,
        "answer": text,
        "diagnosis": "" if right else verdict.diagnosis,
        "feedback": "" if right else told,
        "cluster": f"{target}: {kind}" + ("" if right or not verdict.detail else f" ({verdict.detail})"),
    }
