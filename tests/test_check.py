"""Is mine right? Verdicts, mistakes and derivations of the corpora, and pairs that no one may call equal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import adversarial
import corpus
import whence
from solving import fresh_whence, write_lines
from solving import whence as command
from whence.cli.check import check_item_json

needs_torch = pytest.mark.skipif(not corpus.has_torch(), reason=corpus.NEEDS_TORCH)
LAYER = "Z = W X + b; A = tanh(Z); J = sum((A - Y)^2)/(2 m)"
SHAPES = "W: k x n, X: n x m, b: k, Y: k x m"
HIDDEN = ("lines", "factor", "note", "real")


def asked(name: str) -> list[dict]:
    """The items of a corpus without their verdicts; answers with the problem that they belong to."""
    known = {p["id"]: corpus.question(p) for p in corpus.problems("deep")}
    out = []
    for item in corpus.problems(name):
        if "answer" in item:
            out.append({**known[item["problem"]], "id": item["id"], "answer": item["answer"]})
        else:
            kept = {k: v for k, v in item.items() if k not in HIDDEN}
            out.append({**kept, "lines": [line["line"] for line in item["lines"]]})
    return out


@needs_torch
@pytest.mark.parametrize("name", ["mistakes", "derivations"])
def test_the_score_does_not_fall(name: str, tmp_path: Path) -> None:
    least = json.loads((corpus.DATA / "score.json").read_text(encoding="utf-8"))[name]
    out = tmp_path / "out.jsonl"
    status, _ = command("check", str(write_lines(tmp_path / "in.jsonl", asked(name))), "--out", str(out))
    assert status == 0
    words = [sys.executable, "score.py", "check", str(out), f"{name}.jsonl"]
    bars = ["--min", *(f"{k}={v}" for k, v in least.items()), "--max", "false_positive=0", "false_negative=0"]
    done = subprocess.run([*words, *bars], capture_output=True, text=True, cwd=corpus.DATA, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_repair_is_right() -> None:
    """What is offered as the repaired formula is itself checked."""
    for item in asked("mistakes")[::3]:
        found = check_item_json(item)
        if found.get("repair"):
            again = check_item_json({**item, "answer": found["repair"]})
            assert again["verdict"] == "equivalent", (item["id"], found["repair"], again)


@pytest.mark.parametrize("family", adversarial.FAMILIES, ids=lambda f: f.__name__)
def test_no_adversarial_pair_is_equal(family: Callable[[], Iterator[adversarial.Pair]]) -> None:
    for one, other, shapes in family():
        try:
            found = whence.equivalent(one, other, shapes=shapes)
        except whence.WhenceError:
            continue  # not read, or refused: not accepted
        assert str(found) != "equal", (one, other)


@pytest.mark.parametrize(
    "one, other, shapes",
    [
        ("A @ (B @ C)", "(A @ B) @ C", "A: n x m, B: m x k, C: k x p"),
        ("tanh(x)", "2*sigmoid(2*x) - 1", "x: n"),
        ("vec(A @ X @ B)", "kron(B.T, A) @ vec(X)", "A: p x n, X: n x m, B: m x q"),
        ("norm(x)**2", "x.T @ x", "x: n"),
        ("relu(x)", "x * step(x)", "x: n"),
        ("step(relu(x))", "step(x)", "x: n"),
    ],
)
def test_equal_formulas_are_called_equal_both_ways(one: str, other: str, shapes: str) -> None:
    for a, b in ((one, other), (other, one)):
        found = whence.equivalent(a, b, shapes=shapes)
        assert str(found) == "equal" and found.certificate


def test_not_equal_comes_with_numbers_that_show_it() -> None:
    found = whence.equivalent("A @ B", "B @ A", shapes="A: n x n, B: n x n")
    assert str(found) == "not equal" and found.witness is not None
    assert found.witness.true != found.witness.claimed and set(found.witness.inputs) == {"A", "B"}


def test_symmetric_matrices_are_drawn_symmetric() -> None:
    assert whence.equivalent("A @ x", "A.T @ x", "A: n x n, x: n", "A: symmetric")
    assert not whence.equivalent("A @ x", "A.T @ x", "A: n x n, x: n")


# -- over a model


@pytest.mark.parametrize(
    "answer, verdict, diagnosis",
    [
        ("dZ = (A - Y) * (1 - A^2)/m", "equivalent", ""),
        ("dZ = (A - Y) * (1 - Z^2)/m", "wrong", "derivative-at-wrong-point"),
        ("dZ = (A - Y)/m", "wrong", "missing-activation-derivative"),
        ("dZ = (Y - A) * (1 - A^2)/m", "right up to a factor", "wrong-sign"),
        ("dW = dZ X", "shape error", "missing-transpose"),
        ("dW = X dZ'", "shape error", "layout-transposed"),
        ("db = dZ", "shape error", "missing-sum-over-batch"),
        ("db = sum(dZ, axis=0)", "shape error", "sum-over-wrong-axis"),
        ("dW = dQ X'", "wrong", "undefined-name"),
        ("dX = W dZ", "shape error", "missing-transpose"),
    ],
)
def test_an_answer_over_a_model(answer: str, verdict: str, diagnosis: str) -> None:
    found = whence.model(LAYER, SHAPES).check(answer, convention="exact")
    assert (found.verdict, found.diagnosis) == (verdict, diagnosis)
    assert found.detail or found.certificate


def test_the_course_convention_is_found_out() -> None:
    net = whence.model(LAYER, SHAPES)
    for answer in ("dZ = (A - Y) * (1 - A^2)", "dW = dZ X'/m"):
        found = net.check(answer)
        assert found.right and found.convention == "course", answer
        assert net.check(answer, convention="exact").verdict != "equivalent"
    assert net.check("dW = dZ X'").convention == "exact"


def test_right_once_broadcast_or_at_one_sample_is_said() -> None:
    net = whence.model(LAYER, SHAPES)
    assert "m = 1 only" in net.check("db = dZ").detail
    found = whence.model("J = sum(x)", "x: n").check("dx = 1")
    assert found.verdict == "shape error" and "broadcast" in found.detail


def test_the_layout_of_an_answer() -> None:
    net = whence.model(LAYER, SHAPES)
    assert net.check("dW = X dZ^T").diagnosis == "layout-transposed"
    assert net.check("dW = X dZ^T", layout="numerator").right
    found = net.check("dW = X dZ", layout="numerator")
    assert not found.right and net.check("dW = " + found.repair, layout="numerator").right


@pytest.mark.parametrize(
    "answer, said",
    [
        ("dW = dZ X^T", "lecture notation"),
        ("dW = np.dot(dZ, X.T)", "Python code"),
        ("dW = dZ*X'", "Octave"),
        (r"\frac{\partial J}{\partial W} = dZ X^\top", "LaTeX"),
        ("grad_W = dZ @ X.T", "canonical"),
    ],
)
def test_an_answer_in_any_notation_says_how_it_was_read(answer: str, said: str) -> None:
    found = whence.model(LAYER, SHAPES).check(answer)
    assert found.right and said in found.notes[0] and found.read_as == "dZ @ X.T"


def test_in_a_batch_what_is_not_canonical_is_read_as_typed() -> None:
    item = {"id": "a", "variables": {"x": ["n"], "A": ["n", "n"]}, "expression": "x.T @ A @ x", "wrt": ["x"]}
    found = check_item_json({**item, "answer": "(A + A^T) x"})
    assert found["verdict"] == "equivalent" and "lecture notation" in found["notes"][0]
    assert "notes" not in check_item_json({**item, "answer": "(A + A.T) @ x"})


def test_a_forgotten_average_is_no_convention() -> None:
    """What is built on dZ = m times the derivative shows whether 1/m stands where it belongs."""
    net = whence.model(LAYER, SHAPES)
    helper = "dZ = (A - Y) * (1 - A^2)"
    right = net.check(f"{helper}; dW = dZ X'/m; db = sum(dZ, axis=1)/m")
    assert right.right and right.convention == "course" and all(line.right for line in right.lines)
    wrong = net.check(f"{helper}; dW = dZ X'/m; db = sum(dZ, axis=1)")
    assert not wrong.right and [line.right for line in wrong.lines] == [True, True, False]
    assert not net.check(f"{helper}; dW = dZ X'/m", convention="exact").right


def test_a_slip_is_told_from_what_inherits_it() -> None:
    found = whence.model(LAYER, SHAPES).check("dZ = (A - Y) * (1 - Z^2)/m; dW = dZ X'; db = sum(dZ, axis=1)")
    assert [line.own.verdict for line in found.lines] == ["wrong"] * 3
    assert [line.given for line in found.lines] == ["wrong", "equivalent", "equivalent"]


def test_own_names_are_matched_by_value_and_by_name() -> None:
    net = whence.model(LAYER, SHAPES)
    found = net.check("delta = (A - Y) * (1 - A^2)/m; grad_W = delta X; W_grad = delta X'")
    assert [line.given for line in found.lines] == ["equivalent", "shape error", "equivalent"]


def test_nothing_is_built_on_a_line_that_failed() -> None:
    found = whence.model(LAYER, SHAPES).check("dZ = dZ * 1; dW = dZ X'; db = sum(dU, axis=1); dU = dZ")
    assert [line.own.verdict for line in found.lines] == ["circular", "not judged", "circular", "not judged"]


# -- the command


@pytest.mark.parametrize(
    "answer, status, word",
    [("dW = dZ X'", 0, "equivalent"), ("dW = dZ X", 1, "X must be transposed"), ("dW = dZ X' +", 2, "")],
)
def test_the_command_says_it_and_gives_a_status(answer: str, status: int, word: str) -> None:
    done = fresh_whence("check", LAYER, answer, "--shapes", SHAPES)
    assert done.returncode == status and word in done.stdout, done.stdout + done.stderr


def test_the_output_is_the_same_under_every_hash_seed(tmp_path: Path) -> None:
    path = str(write_lines(tmp_path / "in.jsonl", [*asked("mistakes")[::24], *asked("derivations")[:1]]))
    said = []
    for seed in ("0", "77"):
        lines = fresh_whence("check", path, hash_seed=seed).stdout.splitlines()
        said.append([{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines])
    assert said[0] == said[1] and len(said[0]) > 5


def test_a_bad_line_gets_its_own_error(tmp_path: Path) -> None:
    good = asked("mistakes")[0]
    bad = [
        {"id": "a"},
        {**good, "answer": 3},
        {**good, "answer": "W2 @"},
        {**good, "lines": [3]},
        {**good, "names": 1, "lines": []},
    ]
    status, out = command("check", str(write_lines(tmp_path / "in.jsonl", [*bad, good])))
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and len(answers) == len(bad) + 1
    assert all(a["error"]["code"] not in ("", "internal") for a in answers[:-1]) and "error" not in answers[-1]


# -- scalar worksheets


def test_a_scalar_worksheet() -> None:
    shapes = "w: scalar, x: scalar, b: scalar, y: scalar"
    net = whence.model("z = w x + b; a = sigmoid(z); L = -(y log(a) + (1-y) log(1-a))", shapes)
    assert net.check("dL/dz = a - y; dL/dw = (a - y) x; dL/db = a - y").right
    found = net.check("da = -y/a - (1-y)/(1-a); dz = da * a (1-a); dw = dz * x")
    assert found.lines[0].own.diagnosis == "wrong-sign"
    assert [line.inherits for line in found.lines] == [False, True, True]


def test_true_gradients_may_be_used_before_they_are_found() -> None:
    found = whence.model(LAYER, SHAPES).check("dW = dZ X^T; db = dZ")
    assert [line.right for line in found.lines] == [True, False]


def test_a_factor_is_the_same_at_all_sizes() -> None:
    """88/m is 11 k n/3 where the sizes are 2, 3 and 4 in any order."""
    net = whence.model(LAYER, SHAPES)
    for text in ("88/m", "1/97", "k/n", "-m"):
        found = net.check(f"db = {text} * sum(dZ, axis=1)", convention="exact")
        assert found.factor is not None and found.factor.text() == text
