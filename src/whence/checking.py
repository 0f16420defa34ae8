"""Is mine right? The way from a person's text through the rooms to a verdict; every door uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from whence.check.answer import Examination, judged, read_answer
from whence.check.derivation import judged_lines, true_names
from whence.check.reference import Reference
from whence.check.verdict import Verdict
from whence.engine import Engine
from whence.messages.errors import WhenceError
from whence.read.problem import Problem, problem_from_json
from whence.read.syntax import Expr, Model


def make_engine(model: Model, adjoints: Mapping[str, str], asked: tuple[Expr, ...]) -> Engine:
    return Engine(model, adjoints, asked=asked)


def reference_of(problem: Problem) -> Reference:
    """What answers to a problem are compared with."""
    return Reference(problem, make_engine)


def check_item(item: Any) -> Verdict:
    """The verdict of one line of a batch: a problem's fields, and `answer` or `lines` (with `names`)."""
    if "lines" in item:
        return check_lines(item)
    problem = problem_from_json(item)
    reference = reference_of(problem)
    return check_answer(reference, item["answer"])


def check_answer(reference: Reference, text: str, dialect: str | None = "canonical") -> Verdict:
    tree = read_answer(reference, text, dialect)
    return judged(Examination(reference, tree))


def check_lines(item: Any) -> Verdict:
    claims = item["names"]
    problem = problem_from_json({**item, "wrt": item.get("wrt") or list(claims.values())[:1], "adjoints": {}})
    problem = replace(problem, adjoints=true_names(claims, problem.model.targets))
    lines = judged_lines(reference_of(problem), item["lines"], claims)
    return Verdict("", lines=tuple(lines))
