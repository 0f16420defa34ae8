"""docs/coverage.md is what whence answers now (`python tests/coverage_page.py --write` makes it anew)."""

from __future__ import annotations

import itertools
from typing import Any

import coverage_asked as asked
from coverage_page import KINDS, PAGE, STALE, Question, page, problem_of, question_of, solved, structured
from whence.messages.errors import WhenceError
from whence.ops.table import TABLE

QUESTIONS: list[Question] = [
    *(question_of(op.right[0]) for op in TABLE.values()),
    *asked.FIRST_DERIVATIVES,
    *asked.SECOND_DERIVATIVES,
    *(structured(question, word) for question in asked.STRUCTURED for word in asked.STRUCTURES),
]


def test_the_page_is_what_whence_answers() -> None:
    made, kept = page().splitlines(), PAGE.read_text(encoding="utf-8").splitlines()
    differing = [f"made: {a}\nkept: {b}" for a, b in itertools.zip_longest(made, kept, fillvalue="") if a != b]
    assert not differing, STALE + "\n" + "\n".join(differing[:5])


def test_every_function_has_a_row() -> None:
    lines = PAGE.read_text(encoding="utf-8").partition("## 2.")[0].splitlines()
    assert len([line for line in lines if line.startswith("| `")]) == len(TABLE)


def test_every_pairing_has_an_example() -> None:
    found = {found.kinds for found in map(solved, asked.FIRST_DERIVATIVES)}
    assert found == set(itertools.product(KINDS, KINDS))


def test_the_answers_on_the_page_are_right(oracle: Any) -> None:
    """Judged once more, against automatic differentiation."""
    wrong = []
    for found in map(solved, QUESTIONS):
        if not isinstance(found.result, WhenceError):
            answer, problem = found.result, problem_of(found.question)
            kind, detail = oracle.judge(problem, answer.formula, layout=answer.layout, seeds=(0,))
            if kind != "right":
                wrong.append(f"{found.question}: {answer.formula}: {kind} {detail}")
    assert not wrong, "\n".join(wrong)
