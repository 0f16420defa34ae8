"""Is mine right? The way from a person's text through the rooms to a verdict; every door uses it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from whence.check.answer import Examination, read_answer
from whence.check.derivation import judged_lines, overall, true_names
from whence.check.reading import split_line
from whence.check.reference import Reference
from whence.check.report import examined, unknown_function, unknown_name
from whence.check.verdict import Verdict
from whence.engine import Engine
from whence.messages.errors import ReadError
from whence.read.problem import Problem, problem_from_json
from whence.read.syntax import Expr, Model


def make_engine(model: Model, adjoints: Mapping[str, str], asked: tuple[Expr, ...]) -> Engine:
    return Engine(model, adjoints, asked=asked)


def reference_of(problem: Problem) -> Reference:
    """What answers to a problem are compared with."""
    return Reference(problem, make_engine)


def check_item(item: Any) -> Verdict:
    """The verdict of one line of a batch: a problem's fields, and `answer` or `lines` (with `names`).

    Raises WhenceError for a problem or an answer that cannot be read.
    """
    if not isinstance(item, dict):
        raise ReadError("bad-problem", line=1, column=1, found="whole line", expected="one JSON object")
    if "lines" in item:
        return check_lines(item)
    answer = item.get("answer")
    if not isinstance(answer, str):
        raise ReadError("bad-problem", line=1, column=1, found="answer", expected="a text")
    return check_answer(_known_reference(item), answer)


def check_answer(reference: Reference, text: str, dialect: str | None = "canonical") -> Verdict:
    """The verdict of one formula, `dZ1 = ...` or the right side alone."""
    _, body = split_line(text)
    try:
        tree = read_answer(reference, body, dialect)
    except ReadError as error:
        verdict = unknown_function(reference, error)
        if verdict is None:
            raise
        return verdict
    unknown = reference.unknown_names(tree)
    if unknown:
        return unknown_name(reference, unknown[0], tree)
    return examined(Examination(reference, tree))


def check_lines(item: Mapping[str, Any]) -> Verdict:
    """The verdicts of a derivation's lines. `names` says which adjoint each left side stands for."""
    claims, texts = item.get("names", {}), item["lines"]
    if not isinstance(claims, dict) or any(not isinstance(v, str) for v in claims.values()):
        raise ReadError("bad-problem", line=1, column=1, found="names", expected="an object of names")
    if not isinstance(texts, list) or any(not isinstance(t, str) for t in texts):
        raise ReadError("bad-problem", line=1, column=1, found="lines", expected="a list of texts")
    variables = item.get("variables")
    first = [*claims.values(), *(variables if isinstance(variables, dict) else ())][:1]
    problem = problem_from_json({**item, "wrt": item.get("wrt") or first, "adjoints": {}})
    claims = {n: of for n, of in claims.items() if of in problem.model.shapes or of in problem.model.targets}
    problem = replace(problem, adjoints=true_names(claims, problem.model.targets))
    lines = tuple(judged_lines(reference_of(problem), texts, claims))
    return Verdict(overall(lines), lines=lines)


_KEPT = 64  # problems whose derivative is kept, since many answers are to the same one


def _known_reference(item: Mapping[str, Any]) -> Reference:
    """The reference of a problem; that of the last problems is kept."""
    key = json.dumps({k: v for k, v in item.items() if k not in _OWN_FIELDS}, sort_keys=True)
    found = _REFERENCES.pop(key, None) or reference_of(problem_from_json(item))
    _REFERENCES[key] = found
    while len(_REFERENCES) > _KEPT:
        del _REFERENCES[next(iter(_REFERENCES))]
    return found


_OWN_FIELDS = frozenset(("id", "answer", "topic"))
_REFERENCES: dict[str, Reference] = {}
