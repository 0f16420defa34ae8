"""The documents: the exercise in docs/adding-a-function.md is done, and the commands in the README exist."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import corpus
import whence
from falsify import added, replaced
from solving import ROOT
from whence.ops.entry import Example, Op
from whence.ops.table import TABLE

EXERCISE = (ROOT / "docs" / "adding-a-function.md").read_text(encoding="utf-8")
PROBLEM: dict[str, Any] = {
    "id": "exercise",
    "source": "the exercise",
    "topic": "exercise",
    "variables": {"A": ["n", "m"], "X": ["n", "m"]},
    "expression": "sum(A * softsign(X))",
    "wrt": ["X"],
    "expected": None,
}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", EXERCISE, re.DOTALL)
    assert found is not None
    return found[1]


def literal(node: ast.expr) -> Any:
    """A value of the entry as written on the page: a literal, an Example, or a tuple of Examples."""
    if isinstance(node, ast.Tuple):
        return tuple(literal(item) for item in node.elts)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name) and node.func.id == "Example"
        keywords = {str(k.arg): literal(k.value) for k in node.keywords}
        return Example(*(literal(a) for a in node.args), **keywords)
    return ast.literal_eval(node)


def entry() -> Op:
    call = ast.parse(block("python").strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    return Op(**{str(k.arg): literal(k.value) for k in call.keywords})


def test_the_entry_of_the_exercise_is_new_and_complete() -> None:
    op, model = entry(), TABLE["tanh"]
    assert op.name not in TABLE
    left_out = [f.name for f in fields(Op) if getattr(model, f.name) and not getattr(op, f.name)]
    assert set(left_out) <= {"facts", "aliases", "symmetric_in"}


def test_the_exercise_works() -> None:
    from whence.cli.solve import solve_item

    assert solve_item(PROBLEM)["status"] == "refused"
    with added(entry()):
        answer = solve_item(PROBLEM)
        assert answer["status"] == "ok", answer
        for example in entry().right:
            shown = solve_item({**PROBLEM, "expression": example.expression})
            assert shown["status"] == "ok", shown
    assert solve_item(PROBLEM)["status"] == "refused"


def test_the_answer_of_the_exercise_is_right(oracle: Any) -> None:
    from whence.cli.solve import solve_item

    with added(entry()):
        formula = solve_item(PROBLEM)["formula"]
    spelt_out = {**PROBLEM, "expression": "sum(A * (X/(1 + abs(X))))"}
    assert oracle.judge(spelt_out, formula.replace("softsign(X)", "(X/(1 + abs(X)))")) == ("right", "")


def test_the_exercise_refuses_a_wrong_rule() -> None:
    from whence.cli.solve import solve_item

    op = entry()
    with added(op), replaced(op, differential="(1 + abs(Y))**2 * δX"):
        answer = solve_item(PROBLEM)
    assert answer["status"] == "refused" and answer["error"]["code"] != "internal", answer


def test_a_function_defined_in_the_model() -> None:
    gradient = whence.model(block("text")).gradient("X")
    assert "X" in gradient.formula


@pytest.mark.skipif(not corpus.has_torch(), reason=corpus.NEEDS_TORCH)
def test_the_example_answers_on_the_page_are_right(oracle: Any) -> None:
    """The page's own right example, judged with the function spelt out."""
    for example in entry().right + entry().wrong:
        text = example.derivative.replace("softsign(X)", "(X/(1 + abs(X)))")
        asked = {**PROBLEM, "expression": example.expression.replace("softsign(X)", "X/(1 + abs(X))")}
        kind, _ = oracle.judge(asked, text)
        assert (kind == "right") == (not example.diagnosis)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_files_named_in_the_documents_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/.-])((?:src|tests|docs|examples|benchmarks|\.ci)/[\w./*-]*\w)", text)
    assert named
    for name in named:
        assert list(ROOT.glob(name + "*")), f"{path.name} names {name}"


def test_the_readme_sets_up_with_two_commands_and_without_torch() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in text.split("\n") if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert not any("torch" in c for c in commands)
    assert commands[0].endswith(".venv/bin/whence explain examples/two_layer.txt dZ1")
    assert commands[1].endswith("-m pytest -q")
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "torch" not in re.findall(r"^test = (.*)$", extras, re.MULTILINE)[0]
