"""Worksheets: right lines in many spellings, planted slips, hints, the saved file; replies to posts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import whence
from solving import ROOT
from solving import whence as run
from whence.messages.errors import ReadError, RuleError, WhenceError
from whence.practice import LADDER, ladder_judge, ladder_task, saved_from_text, worksheet
from whence.reply import MOST_WORDS, asked, reply
from whence.steps.worksheet import State, Worksheet

NETWORK = (ROOT / "examples" / "two_layer.txt").read_text(encoding="utf-8")
EXAMPLES = [("two_layer", "Z1"), ("two_layer", "W1"), ("two_layer", "b1"), ("two_layer", "W2"), ("layer_norm", "N")]
EXAMPLES += [("logistic_regression", "w"), ("layer_norm", "gamma")]


def sheet(name: str = "two_layer", target: str = "Z1") -> Worksheet:
    return worksheet(whence.model((ROOT / "examples" / f"{name}.txt").read_text(encoding="utf-8")), target)


RIGHT = [
    "z2_1 = w2_11 a1_1 + w2_12 a1_2 + b2_1",
    "z2₂ = w2₂₁ a1₁ + w2₂₂ a1₂ + b2₂",
    "z2[1] = b2[1] + a1[1]*w2[1,1] + w2[1,2]*a1[2]",
    "a1_1 = g1(z1_1)",
    "∂z2_1/∂a1_2 = w2_12",
    "dz2_2/da1_1 = w2_21",
    "∂z2_1/∂z1_1 = w2_11 g1'(z1_1)",
    "∂J/∂z1_1 = (w2_11 dz2_1 + w2_21 dz2_2) g1'(z1_1)",
    "dz1_2 = g1'(z1_2) (dz2_1 w2_12 + dz2_2 w2_22)",
    "dz1_1 = dz2_1 ∂z2_1/∂a1_1 ∂a1_1/∂z1_1 + dz2_2 ∂z2_2/∂a1_1 ∂a1_1/∂z1_1",
    "dZ1 = W2^T dZ2 * g1'(Z1)",
    "dZ^[1] = g1'(Z1) * (W2.T @ dZ2)",
    "dJ/dZ1 = np.dot(W2.T, dZ2) * g1'(Z1)",
    "dZ1 = W2'*dZ2.*g1'(Z1)",
    "z^[2]_1 = w^[2]_11 a^[1]_1 + w^[2]_12 a^[1]_2 + b^[2]_1",
    "z_1^{[2]} = w_{11}^{[2]} a_1^{[1]} + w_{12}^{[2]} a_2^{[1]} + b_{1}^{[2]}",
    "z₁^[2] = w₁₁^[2] a₁^[1] + w₁₂^[2] a₂^[1] + b₁^[2]",
    "\\frac{\\partial z2_1}{\\partial a1_2} = w2_12",
]
WRONG = [
    ("z2_1 = w2_11 a1_1 + w2_21 a1_2 + b2_1", "w2_21"),
    ("dz1_1 = (w2_11 dz2_1 + w2_12 dz2_2) g1'(z1_1)", "w2_12"),
    ("dz1_1 = w2_11 dz2_1 g1'(z1_1)", "missing"),
    ("dz1_1 = (w2_11 dz2_1 - w2_21 dz2_2) g1'(z1_1)", "sign"),
    ("dz1_2 = (w2_12 dz2_1 + w2_22 dz2_2) g1'(z1_1)", "z1_1"),
    ("∂z2_1/∂a1_2 = w2_21", "w2_21"),
    ("dz1_2 = (w2_12 dz2_1 + w2_22 dz2_2) g1(z1_2)", "function or its derivative"),
    ("dZ1 = W2^T dZ2 g1'(Z1)", "side by side"),
    ("dz1_1 = w2_11 dz2_1 + w2_21 dz2_2", "numbers"),
    ("dZ1 = W2 dZ2 * g1'(Z1)", "shapes do not fit"),
    ("dZ1 = dZ2 * g1'(Z1)", "shape"),
    ("dZ1 = 2 W2.T dZ2 * g1'(Z1)", "entry dz1₁"),
    ("foo = 3", "no entry"),
    ("dz1_1 = foo", "foo"),
    ("dz1_1 = dz1_1", "nothing"),
    ("dz1_1", "one ="),
    ("dz1[0] = w2_11 dz2_1", "counted from 1"),
    ("dZ1 = W2.T; dZ2", "2 formulas"),
    ("dz1_1 = w2_11 (", "cannot be read"),
    ("dz1_1 = w2_11.T", "cannot be read"),
    ("dZ1 = dZ1", "nothing"),
]


@pytest.mark.parametrize("line", RIGHT)
def test_right_lines_are_called_right(line: str) -> None:
    judged = sheet().judge(line)
    assert judged.right, judged.said


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_wrong_lines_are_found_with_one_hint(line: str, said: str) -> None:
    judged = sheet().judge(line)
    assert not judged.right and said in judged.said, judged.said


@pytest.mark.parametrize(("name", "target"), EXAMPLES)
def test_the_answers_of_every_sheet_are_right_and_slips_are_found(name: str, target: str) -> None:
    own = sheet(name, target)
    for task in own.tasks:
        line = f"{own._left_text(task.left)} = {own._typed_answer(task)}"
        judged = own.judge(line)
        assert judged.right, (line, judged.said)
        if task.part != "matrix":
            assert not own.judge(f"{line} + 1").right
    own.state.lines = [f"{own._left_text(t.left)} = {own._typed_answer(t)}" for t in own.tasks]
    assert own.finished() and own.sheet().count("✓") == len(own.tasks)


def test_a_line_is_judged_given_the_lines_before() -> None:
    own = sheet()
    own.state.lines = ["a1_1 = 2 g1(z1_1)"]
    judged = own.judge("z2_1 = w2_11 * 2 * g1(z1_1) + w2_12 a1_2 + b2_1")
    assert not judged.right and "line 1" in judged.said


def test_hints_come_one_at_a_time_and_end_in_the_answer() -> None:
    own = sheet()
    said = [own.hint() for _ in range(4)]
    assert len(set(said)) == 4 and "The answer" in said[-1] and "answer" not in said[0]
    answer = said[-1].partition(": ")[2]
    assert own.judge(answer).right


def test_the_ladder() -> None:
    for k, answer in enumerate(("f' = 3 + 2x", "p_12 = q_11 r_12 + q_12 r_22", "du/db = a + 2 b", "dy/dx = 18 x")):
        assert ladder_task(k) and ladder_judge(k, answer)[0]
        assert not ladder_judge(k, "x = 1")[0] and not ladder_judge(k, "((")[0]
    assert ladder_task(len(LADDER)) == ""


def test_there_is_no_worksheet_where_nothing_is_written_out() -> None:
    net = whence.model("J = det(X)", "X: n x n")
    with pytest.raises(RuleError) as caught:
        worksheet(net, "X")
    assert caught.value.code == "no-worksheet"


# ---------------------------------------------------------------- the saved file


def test_a_worksheet_is_kept_and_goes_on(tmp_path: Path) -> None:
    state = str(tmp_path / "sheet.json")
    model = str(ROOT / "examples" / "two_layer.txt")
    status, text = run("practise", model, "dZ1", "--state", state, "--line", "a1_1 = g1(z1_1)", "--line", "hint")
    assert status == 0 and "right" in text and "Hint" in text
    saved = json.loads(Path(state).read_text(encoding="utf-8"))
    assert saved["state"]["lines"] == ["a1_1 = g1(z1_1)"] and saved["state"]["hints"]
    status, text = run("practise", "--state", state, "--line", "show")
    assert status == 0 and "✓ a1_1 = g1(z1_1)" in text
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.json"]  # nothing half written is left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"whence": 1}',
        '{"whence": 2, "model": "J = x"}',
        "{",
        '{"whence": 1, "model": "J=x", "target": "x", "state": {"lines": [1], "hints": {}, "ladder": 0}}',
    ],
)
def test_a_broken_file_is_refused(text: str) -> None:
    with pytest.raises(ReadError) as caught:
        saved_from_text(text, "f.json")
    assert caught.value.code == "bad-state"


# ---------------------------------------------------------------- replies

POST = f"""My lines:
{NETWORK.partition(chr(10))[2]}
I put z = Z^\\[1\\] and z = Z^\\[2\\] into a rule for vectors:
∂J/∂Z^\\[1\\] = ∂A^\\[1\\]/∂Z^\\[1\\] · ∂Z^\\[2\\]/∂A^\\[1\\] · ∂J/∂Z^\\[2\\]
Where does dZ^\\[1\\] come from?
"""


@pytest.mark.parametrize("level", ["hint", "step", "full"])
def test_a_reply_is_short_safe_and_names_both_faults(level: Any) -> None:
    text = reply(asked(POST), level)
    assert len(text.split()) <= MOST_WORDS
    assert "vectors" in text and "z stands for Z1 and Z2" in text
    assert ("dZ1 = W2ᵀ" in text) == (level != "hint")
    outside = text.split("```")[::2]
    assert all("^[" not in part for part in outside)


def test_a_formula_without_forward_lines_is_answered_from_those_it_presupposes() -> None:
    text = reply(asked("Why is W2 transposed in dZ^[1] = W^[2]T dZ^[2] * g^[1]'(Z^[1])?"))
    assert "Z2 = W2 A1 + b2" in text and "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)" in text
    assert len(text.split()) <= MOST_WORDS


def test_a_post_without_a_question_is_refused() -> None:
    for text in ("Hello", "Z1 = W1 X\nJ = sum(Z1)"):
        with pytest.raises(WhenceError) as caught:
            asked(text)
        assert caught.value.code == "no-question"


def test_state_is_plain_data() -> None:
    assert State().lines == [] and State().hints == {}
