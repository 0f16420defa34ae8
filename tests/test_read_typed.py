"""Formulas as people type them: the corpus of notations, and the traps one by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from whence.cli.reading import read_item
from whence.messages.errors import ReadError, WhenceError
from whence.read.canonical import to_text
from whence.read.model import read_model
from whence.read.reading import read_typed

DATA = Path(__file__).parent / "data"
NET = {
    "variables": {
        "W1": ["n1", "n0"], "W2": ["n2", "n1"], "X": ["n0", "m"], "Z1": ["n1", "m"], "A1": ["n1", "m"],
        "dZ1": ["n1", "m"], "dZ2": ["n2", "m"], "b1": ["n1"], "x": ["n0"], "y": ["n0"], "S": ["n0", "n0"], "c": [],
    },
    "functions": {"g": "elementwise", "g1": "elementwise"},
}  # fmt: skip


def test_the_corpus_of_notations_is_read(tmp_path: Path) -> None:
    """By the score that graders use; the figures may not fall."""
    pytest.importorskip("torch", reason="the judge of the corpora computes with torch")
    out = tmp_path / "out.jsonl"
    items = [json.loads(line) for line in (DATA / "notations.jsonl").read_text("utf-8").splitlines()]
    out.write_text("".join(json.dumps(read_item(item)) + "\n" for item in items), "utf-8")
    bars = json.loads((DATA / "score.json").read_text("utf-8"))["notations"]
    command = [sys.executable, str(DATA / "score.py"), "read", str(out), str(DATA / "notations.jsonl")]
    command += ["--min", f"read={bars['read']}", "--max", f"silent={bars['silent']}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("dZ^[1] = ((W^[2]).T) (dZ^[2]) * g’(Z^[1])", "dZ1 = W2.T @ dZ2 * g_prime(Z1)"),
        ("W^[2]TdZ^[2]*g^[1]'(Z^[1])", "W2.T @ dZ2 * g1_prime(Z1)"),
        (r"dZ^\[1\] = W^\[2\]T dZ^\[2\] * g^\[1\]'(Z^\[1\])", "dZ1 = W2.T @ dZ2 * g1_prime(Z1)"),
        (r"\frac{\partial J}{\partial W^{[2]}} = \frac{1}{m} dZ^{[2]} A^{[1]T}", "dW2 = 1/m * dZ2 @ A1.T"),
        ("dZ1 = np.multiply(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))", "dZ1 = W2.T @ dZ2 * (1 - A1**2)"),
        ("np.sum(dZ1, axis=1, keepdims=True)/m", "sum(dZ1, axis=1) / m"),
        ("dZ1.sum(-1)", "sum(dZ1, axis=1)"),
        ("x'*S*x", "x.T @ S @ x"),
        ("S*x .* x", "S @ x * x"),
        ("1/2m sum(dZ1)", "1 / (2 * m) * sum(dZ1)"),
        ("1/m dZ1", "1/m * dZ1"),
        ("x^T S x / x^T x", "x.T @ S @ x / x.T @ x"),
        ("xᵀSx / xᵀx", "x.T @ (S @ x) / (x.T @ x)"),
        (r"S^{-2T} x", "matpow(S, -2).T @ x"),
        ("S^{-T} x", "inv(S).T @ x"),
        (r"\log \det S + \|x - y\|_2^2", "log(det(S)) + norm(x - y)**2"),
        (r"(S + c I)^{-1} x", "inv(S + c * eye(n0)) @ x"),
        (r"y_i = \sum_j S_{ij} x_j", "y = S @ x"),
        (r"\sum_{i,j} S_{ij}^2", "sum(S**2)"),
        (r"{1 \over 2} x^\top x", "1/2 * x.T @ x"),
        ("x · y", "x * y"),
        ("W1 · x", "W1 @ x"),
        ("⟨x, y⟩", "sum(x * y)"),
        ("S\\x", "inv(S) @ x"),
        ("𝟙[Z1 > 0] * dZ1", "where(Z1 > 0, 1, 0) * dZ1"),
        ('grads["dW2"] = cache["dZ2"] @ A1.T', "dW2 = dZ2 @ A1.T"),
        ("W1 -= c * dW1", "W1 = W1 - c * dW1"),
        ("W2T dZ2", "W2.T @ dZ2"),
        ("y[j] * x", "y[j] * x"),
        ("W1[0:2, :] @ X", "W1[0:2, :] @ X"),
        ("dZ1 = W2' dZ2 * g1' (Z1)", "dZ1 = W2.T @ dZ2 * g1_prime(Z1)"),
        ("(Z1 > 0).astype(int) * dZ1", "where(Z1 > 0, 1, 0) * dZ1"),
        ("swish(z) = z*sigmoid(z)", "swish(z) == z * sigmoid(z)"),
        ("In [3]: Z1 = W1 @ X  # forward", "Z1 = W1 @ X"),
    ],
)
def test_reads(typed: str, meaning: str) -> None:
    assert read_typed(typed, NET).lines[0].canonical() == meaning


@pytest.mark.parametrize(
    ("typed", "code", "column"),
    [
        ("dZ1 = np.dot(W2.T, dZ2)) * (1 - A1**2)", "unopened-bracket", 24),
        ("J = L = sum(A1)", "two-equals", 7),
        ("dx[np.arange(N), y] -= 1", "bad-target", 3),
        ("f = np.foo(X)", "unknown-function", 8),
        (r"\delta^{} = W_2^T \delta^{}", "empty-superscript", 7),
        ("W1·x → Z1", "unexpected-character", 6),
        ("", "empty-formula", 1),
        ("dZ1 = W2.T @ dZ2 * sigmod(Z1)", "unknown-function", 20),
        ("∂L/∂A · ∂A/∂Z", "derivative-quotient", 9),
        ("f = lambda x: x", "reserved-name", 5),
        ("P^T*Q", "ambiguous-star", 4),
        ("np.sum(x.astype(int))", "unknown-function", 17),
        ("dA2/dZ2", "derivative-quotient", 1),
        (r"\sum_i u_i v_i", "shape-of-counted", 8),
        ("dZ1[Z1 <= 0] = 0", "bad-target", 4),
        (r"\frac{d}{dx} f(x)", "derivative-quotient", 1),
    ],
)
def test_refuses(typed: str, code: str, column: int) -> None:
    with pytest.raises(ReadError) as caught:
        read_typed(typed, NET)
    assert (caught.value.code, caught.value.column) == (code, column)


def test_a_batch_never_stops() -> None:
    items: list[Any] = [{}, {"typed": 3}, [], {"id": "a", "typed": "x^("}, {"typed": "x", "context": 3}]
    assert all("error" in read_item(item) for item in items)


def test_only_our_own_errors(typed_noise: list[str]) -> None:
    for text in typed_noise:
        try:
            read_typed(text, NET)
        except WhenceError:
            continue


@pytest.fixture
def typed_noise() -> list[str]:
    """The corpus with single characters taken out."""
    texts = [json.loads(line)["typed"] for line in (DATA / "notations.jsonl").read_text("utf-8").splitlines()]
    return [text[:k] + text[k + 1 :] for text in texts for k in range(0, len(text), 3)]


@pytest.mark.parametrize(
    "bomb",
    [
        "(" * 5000,
        "log " * 900 + "x",
        "√" * 1500 + "x",
        "x^{" * 90 + "2" + "}" * 90,
        r"\frac{" * 400,
        "a" * 10_000,
        "x^" * 3000,
    ],
    ids=["brackets", "functions", "roots", "powers", "fractions", "name", "carets"],
)
def test_bombs_are_refused(bomb: str) -> None:
    with pytest.raises(WhenceError):
        read_typed(bomb, NET)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("Z = np.dot(W, X)\nJ = np.sum(Z**2)/m", "2 * Z @ X.T / m"),
        (r"Z = W X" + "\n" + r"J = \frac{1}{m} \sum_{i,j} Z_{ij}^2", "2 * Z @ X.T / m"),
        ("Z = W*X\nJ = sum(Z.^2)/m;", "2 * Z @ X.T / m"),
    ],
)
def test_a_model_in_any_style(text: str, formula: str) -> None:
    import whence

    net = whence.model(text, shapes="W: n1 x n0, X: n0 x m")
    assert net.gradient("W").expanded == formula


def test_the_last_axis_of_a_tensor_is_not_that_of_a_matrix() -> None:
    """axis=-1 is axis=1 of a matrix alone; where the rank does not follow it stays as it was typed."""
    text = "A = X[:, :, 0:h]\nY = sum(A, axis=-1)\nZ = concat(A*C, A*C, axis=-1)\nV = sum(C, axis=-1)"
    model = read_model(text, shapes="X: B x T x 2*h, C: T x h")
    assert [to_text(s.expression) for s in model.statements][1:] == [
        "sum(A, axis=-1)",
        "concat(A * C, A * C, axis=-1)",
        "sum(C, axis=1)",
    ]


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("return -(S.T @ (dS @ S.T))", "-(S.T @ (dS @ S.T))"),
        (r"\[ \frac{\partial J}{\partial v} = U^T(\hat{y} - y). \]", "dv = U.T @ (y_hat - y)"),
        (r"$$a = W x,$$", "a = W @ x"),
    ],
)
def test_what_stands_round_a_formula_is_left_out(typed: str, canonical: str) -> None:
    assert read_typed(typed).lines[0].canonical() == canonical


def test_an_unknown_function_is_named() -> None:
    assert any("d_tanh is read as an unknown function" in note for note in read_typed("x = d_tanh(y) + c").notes)


@pytest.mark.parametrize(
    ("typed", "variables", "found"),
    [
        (r"$\sum_i \log(1 + \exp(-y_iw^Tx_i))$", {"y": ["n"], "w": ["d"], "X": ["n", "d"]}, "y_iw"),
        ("L = -1/m Σ[yi log(ŷi)]", {"y": ["m"], "y_hat": ["m"]}, "yi"),
    ],
)
def test_a_name_that_is_not_declared_is_refused(typed: str, variables: dict[str, list[str]], found: str) -> None:
    error = read_item({"id": 1, "typed": typed, "context": {"variables": variables}})["error"]
    assert (error["code"], error["found"]) == ("unknown-name", found)


def test_a_colon_counts_in_octave() -> None:
    with pytest.raises(ReadError):
        read_typed("d2 = (Theta2' * d3)(2:end) .* sigmoidGradient(z2);")
