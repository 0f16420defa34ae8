"""What an adversary found: names that fold to one, powers of calls, bars, words of capitals, wrong arguments."""

from __future__ import annotations

from typing import Any

import pytest

from whence.messages.errors import LimitError, ReadError
from whence.read.canonical import to_text
from whence.read.model import read_model
from whence.read.parser import parse_expression, parse_printed
from whence.read.problem import problem_from_json


def last(text: str, **options: Any) -> str:
    """The last formula of a model, in the canonical language."""
    return to_text(read_model(text, **options).statements[-1].expression)


def notes(text: str, **options: Any) -> str:
    return " ".join(read_model(text, **options).notes)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("shape W1: n x m, W_1: n x m\nJ = sum(W1)", "declared-twice", 1, 18),
        ("shape lam: scalar, λ: scalar\nJ = lam", "declared-twice", 1, 20),
        ("shape W1: n x m\nshape W^[1]: k x m\nJ = sum(W1)", "declared-twice", 2, 7),
        ("shape sigma: scalar, x: n\nJ = sum(σ(x))", "ambiguous-call", 2, 9),
        ("sigma = sum(y)\nJ = sum(σ²(x))", "ambiguous-call", 2, 9),
        ("shape sigma: scalar\nJ = sum(σ'(x))", "ambiguous-call", 2, 9),
        ("assume y: positive\nJ = sum(x)", "unknown-name", 1, 8),
        ("J = sum(|A|)", "ambiguous-bars", 1, 9),
        ("J = sum(|x| |y - |z||)", "ambiguous-bars", 1, 18),
        ("J = ||x||_p", "ambiguous-bars", 1, 5),
        ("J = |x", "unclosed-bracket", 1, 5),
        ("J = ||x|", "ambiguous-bars", 1, 5),
        ("J = |x||y|", "ambiguous-bars", 1, 5),
        ("J = |x + ||y||", "unclosed-bracket", 1, 5),
        ("J = x² (1 - x)\nK = z²(1 - z)", "function-and-variable", 2, 12),
    ],
)
def test_refused(text: str, code: str, line: int, column: int) -> None:
    with pytest.raises(ReadError) as caught:
        read_model(text)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)
    assert "…" not in caught.value.message


def test_two_spellings_in_a_dictionary_or_across_the_declarations() -> None:
    for text, shapes in (("J = sum(W1)", {"W_1": "n", "W1": "n"}), ("shape W_1: n\nJ = sum(W1)", "W1: n")):
        with pytest.raises(ReadError) as caught:
            read_model(text, shapes=shapes)
        assert caught.value.code == "declared-twice"
    assert read_model("J = sum(W1)", shapes={"W_1": "n"}).shapes == {"W1": ("n", 1)}


def test_the_same_declaration_twice_is_no_clash() -> None:
    assert read_model("shape W1: n\nJ = sum(W1)", shapes="W1: n").shapes == {"W1": ("n", 1)}


def test_two_spellings_in_formulas_are_said() -> None:
    assert "W_1 and W1 are read as one name, W1." in notes("J = sum(W_1 x) + sum(W1 y)")
    assert "λ and lam are read as one name, lam." in notes("J = λ sum(x) + lam sum(y)")
    assert "one name" not in notes("Z^[1] = W^[1] X; J = sum(Z1)")


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("σ²(x)", "sigmoid(x)**2"),
        ("f²(x)", "f(x)**2"),
        ("f^2(x)", "f(x)**2"),
        ("g1²(x)", "g1(x)**2"),
        ("X²(Y)", "X**2 @ Y"),
        ("m²(x)", "m**2 * x"),
        ("1/σ² (x - μ)", "1 / sigma**2 * (x - mu)"),
        ("A + I(n)", "A + eye(n)"),
        ("max(0, X)", "maximum(0, X)"),
        ("max(X, 0)", "maximum(X, 0)"),
        ("min(X, 1)", "minimum(X, 1)"),
        ("‖x‖²", "norm(x)**2"),
        ("||X w - y||^2", "norm(X @ w - y)**2"),
        ("||x||_2^2", "norm(x)**2"),
        ("‖x‖₂²", "norm(x)**2"),
        ("||W||_F^2", "norm(W)**2"),
        ("||x||_1", "norm1(x)"),
        ("‖x‖₁", "norm1(x)"),
        ("sum(|x|)", "sum(abs(x))"),
        ("|x - ||y|| |", "abs(x - norm(y))"),
        ("2|x - y|", "2*abs(x - y)"),
        ("|f(|x|)|", "abs(f(abs(x)))"),
        ("(1/2)‖A x - b‖² + λ ‖x‖", "1/2*norm(A @ x - b)**2 + lam*norm(x)"),
    ],
)
def test_reads(typed: str, meaning: str) -> None:
    tree = parse_expression(typed, dialect="lecture")
    assert tree == parse_expression(meaning, dialect="canonical", functions=["f", "g1"])


def test_a_declared_name_before_a_power_and_a_bracket_is_a_factor() -> None:
    assert last("J = sum(x²(1 - x))", shapes="x: scalar") == "sum(x**2 * (1 - x))"


def test_the_identity() -> None:
    assert last("J = trace(A + I(n))", shapes="A: n x n") == "trace(A + eye(n))"
    assert last("J = trace(A @ I(n))", shapes="A: n x n") == "trace(A @ eye(n))"
    assert "I is taken as an input of the model; write eye(n) for the identity." in notes("J = trace(A + I)")
    declared = read_model("J = trace(I (A))", shapes="A: n x n, I: n x n")
    assert to_text(declared.statements[0].expression) == "trace(I @ A)"
    assert "identity" not in " ".join(declared.notes)


def test_words_of_capitals() -> None:
    assert last("J = sum(WX)", shapes="W: n x m, X: m x k") == "sum(W @ X)"
    assert last("A = B C\nJ = tr(AB)", shapes="B: n x n") == "trace(A @ B)"
    assert last("J = sum(WX)") == "sum(WX)"
    assert "WX is read as one name; write W X for the product." in notes("J = sum(WX)")
    assert "write X^T X for the product." in notes("J = sum(XTX)")
    assert "one name" not in notes("J = sum(WX)", shapes="WX: n x m")
    assert "one name" not in notes("Loss = sum(Yhat)")


def test_sizes_side_by_side() -> None:
    assert last("J = sum(X)/(nm)", shapes="X: n x m") == "sum(X) / (n * m)"
    assert last("J = nm sum(X)", shapes="X: n x m, nm: scalar") == "nm * sum(X)"


@pytest.mark.parametrize(
    "arguments",
    [
        {"text": None},
        {"text": b"J = x"},
        {"text": 3},
        {"text": "J = x", "shapes": 3},
        {"text": "J = x", "shapes": {3: "n"}},
        {"text": "J = x", "assume": ["x"]},
        {"text": "J = x", "functions": "g"},
        {"text": "J = x", "functions": [3]},
        {"text": "J = x", "dialect": []},
    ],
)
def test_arguments_of_another_type(arguments: dict[str, Any]) -> None:
    with pytest.raises(ReadError) as caught:
        read_model(**arguments)
    assert caught.value.code == "not-a-text"


def test_assumptions_of_names_that_are_not_there() -> None:
    with pytest.raises(ReadError) as caught:
        read_model("J = sum(Xs)", assume="Xss: positive")
    assert caught.value.code == "unknown-name" and "Xs" in caught.value.help and caught.value.source == "Xss: positive"
    with pytest.raises(ReadError, match="not a name"):
        read_model("J = sum(x)", assume={"y": ["positive"]})
    with pytest.raises(ReadError, match="not a name"):
        item = {"variables": {"x": ["n"]}, "expression": "sum(x)", "wrt": ["x"], "assume": {"y": ["positive"]}}
        problem_from_json(item)
    assert read_model("J = sum(x)/m", shapes="x: m", assume="m: positive").assumptions == {"m": ("positive",)}


def test_a_printed_formula_beyond_the_caps_blames_no_line() -> None:
    assert to_text(parse_printed("A @ B")) == "A @ B"
    with pytest.raises(LimitError) as caught:
        parse_printed(" + ".join(["x"] * 3000))
    assert (caught.value.code, caught.value.line) == ("output-too-long", 0)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("-y log(a)", "-y * log(a)"),
        ("y · log(a)", "y * log(a)"),
        ("y (1 - a) a", "y * (1 - a) * a"),
        ("y^T a", "y.T @ a"),
        ("A B", "A @ B"),
        ("C C", "C * C"),
        ("C D", "C @ D"),
        ("z y", "z * y"),
        ("y u", "y @ u"),
        ("K L", "K @ L"),
    ],
)
def test_side_by_side_with_declared_shapes(typed: str, meaning: str) -> None:
    shapes = "y: n, a: n, A: n x n, B: n x n, C: n x m, D: m x k, K: H*k x k*H, L: H*k x k*H"
    assert last(f"z = C (D v)\nJ = {typed}", shapes=shapes + ", v: k") == meaning


def test_entry_by_entry_is_said() -> None:
    assert "entry by entry" in notes("L = y log(a); J = sum(L)", shapes="y: n, a: n").replace("* goes entry", "")
