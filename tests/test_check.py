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
