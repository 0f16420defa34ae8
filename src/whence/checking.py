"""Is mine right? The way from a person's text through the rooms to a verdict; every door uses it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from whence.check.answer import Examination, judged, read_answer
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
