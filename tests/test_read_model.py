"""Models: statements, declarations, functions of a line, the order of definitions, and the notes."""

from __future__ import annotations

import pytest

from whence.messages.errors import LimitError, ReadError
from whence.read.canonical import to_text
from whence.read.model import read_model
from whence.read.problem import problem_from_json
from whence.read.syntax import Call, Model

NETWORK = """
Z^[1] = W^[1] X + b^[1]           # forward
A^[1] = g^[1](Z^[1])
Z^[2] = W^[2] A^[1] + b^[2]
A^[2] = sigmoid(Z^[2])
L = -(Y*log(A^[2]) + (1-Y)*log(1-A^[2]))
J := (1/m) sum(L)
shape X: n0 x m, Y: n2 x m
"""


def lines(model: Model) -> list[str]:
    return [f"{s.target} = {to_text(s.expression)}" for s in model.statements]


def test_the_network_of_the_lecture() -> None:
    model = read_model(NETWORK)
    assert lines(model) == [
        "Z1 = W1 @ X + b1",
        "A1 = g1(Z1)",
        "Z2 = W2 @ A1 + b2",
        "A2 = sigmoid(Z2)",
        "L = -(Y * log(A2) + (1 - Y) * log(1 - A2))",
        "J = 1/m * sum(L)",
    ]
    assert model.shapes == {"X": ("n0", "m"), "Y": ("n2", "m")}
    assert model.functions == ("g1",)
    assert model.declared_at == {"X": 8, "Y": 8}
    assert [s.line for s in model.statements] == [2, 3, 4, 5, 6, 7]
    assert any("lecture" in note for note in model.notes) and any("g1" in note for note in model.notes)
    assert model.statements[0].text == "Z^[1] = W^[1] X + b^[1]"


def test_the_same_in_the_canonical_language_and_with_semicolons() -> None:
    text = "Z1 = W1 @ X + b1; A1 = g1(Z1); Z2 = W2 @ A1 + b2; A2 = sigmoid(Z2)"
    assert [s.expression for s in read_model(text).statements] == [
        s.expression for s in read_model(NETWORK).statements[:4]
    ]


def test_shapes_as_text_and_as_data() -> None:
    text = "X: n0 x m, b: n1, s: scalar, x: 1 x m, Q: B × H × T × D, P: (n, n), v: (k,), K: B x H*k"
    shapes = read_model("J = s", shapes=text).shapes
    assert shapes == {
        "X": ("n0", "m"),
        "b": ("n1", 1),
        "s": (),
        "x": (1, "m"),
        "Q": ("B", "H", "T", "D"),
        "P": ("n", "n"),
        "v": ("k", 1),
        "K": ("B", "H*k"),
    }
    data = {"X": ["n", "m"], "b": ["n"], "s": [], "x": "1 x m", "W^": "n"}
    del data["W^"]
    assert read_model("J = s", shapes=data).shapes == {"X": ("n", "m"), "b": ("n", 1), "s": (), "x": (1, "m")}
    assert read_model("J = Z^[1] W^[2]", shapes="W^[2]: n x m").shapes == {"W2": ("n", "m")}


def test_assumptions_and_functions() -> None:
    model = read_model("assume S: symmetric, pd\nfunction g\nJ = sum(g(S) A)", assume={"A": ["diagonal"]})
    assert model.assumptions == {"A": ("diagonal",), "S": ("symmetric", "pd")}
    assert model.functions == ("g",)
    with pytest.raises(ReadError, match="no function h"):
        read_model("function g\nJ = sum(h(S))")
    with pytest.raises(ReadError, match="no function h"):
        read_model("J = sum(h(S))", functions=[])


def test_a_function_defined_in_a_line() -> None:
    model = read_model("swish(z) = z*sigmoid(z); J = sum(swish(W X))")
    assert model.defined["swish"].parameter == "z" and to_text(model.defined["swish"].body) == "z * sigmoid(z)"
    assert model.targets == ("J",) and isinstance(model.statements[0].expression, Call)
    assert read_model("J(w) = sum(X w)").targets == ("J",)
    assert read_model("f(x) = sum(x)", shapes="x: n").targets == ("f",)


def test_the_cost_without_a_name() -> None:
    assert read_model("Z = W X; sum(Z)").targets == ("Z", "J")
    assert read_model("J = W X; sum(J)").targets == ("J", "cost")


def test_a_number_is_multiplied_with_a_star() -> None:
    model = read_model("c = sum(X); Y = c X; Z = s X; U = n X", shapes="X: n x m, s: scalar")
    assert lines(model)[1:] == ["Y = c * X", "Z = s * X", "U = n * X"]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("A = X; A = Y", "redefined-name", 1, 8),
        ("shape A: n\nA = X", "declared-and-defined", 2, 1),
        ("A = B + 1\nB = X", "used-before-defined", 1, 5),
        ("w = w - a", "used-before-defined", 1, 5),
        ("A =", "missing-operand", 1, 3),
        ("= A", "missing-operand", 1, 1),
        ("J = L = sum(A)", "two-equals", 1, 7),
        ("dZ1 == W X", "compare-as-statement", 1, 5),
        ("2x = 3", "bad-target", 1, 1),
        ("X[0,0] = 3", "bad-target", 1, 2),
        ("g'(z) = 1", "bad-target", 1, 1),
        ("A\nB", "line-without-name", 1, 1),
        ("  \n ; # only a comment", "empty-formula", 1, 1),
        ("softmax = X", "reserved-name", 1, 1),
        ("pi = X", "reserved-name", 1, 1),
        ("in = X @ W", "reserved-name", 1, 1),
        ("J = class + 1", "reserved-name", 1, 5),
        ("shape X: n x m, X: n", "declared-twice", 1, 17),
        ("shape X: n ? m", "bad-shape", 1, 10),
        ("shape X: 0 x m", "bad-shape", 1, 10),
        ("shape X: n, m: k x n\nJ = X", None, 0, 0),
        ("assume S: symetric", "unknown-assumption", 1, 11),
        ("Z = W X; A = Z +; J = A", "missing-operand", 1, 16),
        ("g = X; J = g(Y)", None, 0, 0),
        ("f(z) = f(z) + 1; J = f(X)", "used-before-defined", 1, 8),
        ("f(z) = z; f(z) = 2*z; J = f(X)", "redefined-name", 1, 11),
        ("f(z) = z; f = X", "function-and-variable", 1, 11),
        ("function g\nshape g: n\nJ = g(X)", "function-and-variable", 2, 7),
        ("A = g(X); J = g + A", "function-and-variable", 1, 15),
    ],
)
def test_errors_and_their_places(text: str, code: str | None, line: int, column: int) -> None:
    if code is None:
        read_model(text)
        return
    with pytest.raises(ReadError) as caught:
        read_model(text)
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, line, column)


def test_caps() -> None:
    with pytest.raises(LimitError, match="at most 1,000 lines"):
        read_model("\n" * 1001)
    with pytest.raises(LimitError, match="at most 10,000 characters"):
        read_model("A = B\nx = " + "y" * 10_000)
    deep = "A0 = X\n" + "\n".join(f"Z{k} = W{k} A{k - 1} + b{k}\nA{k} = g(Z{k})" for k in range(1, 65))
    assert len(read_model(deep).statements) == 129


# -- problems

PROBLEM = {
    "id": "p",
    "variables": {"W": ["n", "k"], "x": ["k"], "s": [], "r": [1, "m"]},
    "assume": {"W": ["positive"]},
    "functions": {"g": "elementwise"},
    "definitions": ["z = W @ x", "a = g(z)"],
    "expression": "sum(a)",
    "wrt": ["W"],
    "adjoints": {"dz": "z"},
    "source": "ignored",
}


def test_a_problem() -> None:
    problem = problem_from_json(PROBLEM)
    assert problem.model.shapes == {"W": ("n", "k"), "x": ("k", 1), "s": (), "r": (1, "m")}
    assert problem.model.targets == ("z", "a") and problem.model.functions == ("g",)
    assert problem.wrt == ("W",) and problem.adjoints == {"dz": "z"} and problem.layout == "matrix"
    assert problem.model.assumptions == {"W": ("positive",)} and not problem.structured


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"variables": []}, "bad-problem"),
        ({"variables": {"W": ["n", 0]}}, "bad-problem"),
        ({"variables": {"W": 3}}, "bad-problem"),
        ({"variables": {"а": ["n"]}}, "bad-problem"),  # a Cyrillic letter
        ({"wrt": "W"}, "bad-problem"),
        ({"wrt": []}, "bad-problem"),
        ({"wrt": ["Q"]}, "unknown-target"),
        ({"expression": None}, "bad-problem"),
        ({"expression": "sum(h(z))"}, "unknown-function"),
        ({"expression": "sum(a"}, "unclosed-bracket"),
        ({"definitions": ["z = W @ x", "z"]}, "bad-target"),
        ({"definitions": "z = W @ x"}, "bad-problem"),
        ({"adjoints": {"dz": "q"}}, "bad-problem"),
        ({"functions": {"g": "linear"}}, "bad-problem"),
        ({"assume": {"W": ["small"]}}, "unknown-assumption"),
        ({"layout": "rows"}, "bad-problem"),
        ({"structured": "yes"}, "bad-problem"),
    ],
)
def test_malformed_problems(change: dict, code: str) -> None:
    with pytest.raises(ReadError) as caught:
        problem_from_json({**PROBLEM, **change})
    assert caught.value.code == code


def test_a_problem_is_an_object() -> None:
    for item in (None, [], "x", 3):
        with pytest.raises(ReadError):
            problem_from_json(item)
