"""Pasted Python: functions, loops, dictionaries and names that are assigned again become equations."""

import pytest

import whence
from whence.read.model import read_model
from whence.read.reading import read_typed

FORWARD = '''
def forward_propagation(X, parameters):
    """X -- input of shape (n_x, m)"""
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    # the hidden layer
    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    assert(A1.shape == (4, X.shape[1]))
    cache = {"Z1": Z1, "A1": A1}
    return A1, cache
'''

LOOP = """
L = 3
A = X
for l in range(1, L):
    A_prev = A
    Z = np.dot(parameters["W" + str(l)], A_prev) + parameters[f"b{l}"]
    A = relu(Z)
AL = sigmoid(np.dot(parameters["W" + str(L)], A) + parameters["b" + str(L)])
cost = -(1/m) * np.sum(Y*np.log(AL) + (1-Y)*np.log(1-AL))
"""

OPENED = """
def sigmoid(z):
    s = 1/(1 + np.exp(-z))
    return s

def layer(A, W, b, activation):
    Z = np.dot(W, A) + b
    if activation == "sigmoid":
        A = sigmoid(Z)
    else:
        A = np.tanh(Z)
    return A, (A, W, b)

A1, cache1 = layer(X, parameters["W1"], parameters["b1"], "tanh")
A2, cache2 = layer(A1, parameters["W2"], parameters["b2"], activation="sigmoid")
m = X.shape[1]
cost = -np.sum(Y*np.log(A2) + (1-Y)*np.log(1-A2))/m
"""


def equations(text: str) -> list[str]:
    return [line.canonical() for line in read_typed(text).lines]


def test_the_body_of_a_function() -> None:
    assert equations(FORWARD) == ["Z1 = W1 @ X + b1", "A1 = tanh(Z1)"]


def test_a_loop_over_layers_is_unrolled() -> None:
    assert equations(LOOP) == [
        "A0 = X",
        "Z1 = W1 @ A0 + b1",
        "A1 = relu(Z1)",
        "Z2 = W2 @ A1 + b2",
        "A2 = relu(Z2)",
        "AL = sigmoid(W3 @ A2 + b3)",
        "cost = -(1/m) * sum(Y * log(AL) + (1 - Y) * log(1 - AL))",
    ]


def test_the_number_of_layers_is_said_where_it_is_not_given() -> None:
    reading = read_typed(LOOP.replace("L = 3\n", ""))
    assert any("3 is taken" in note for note in reading.notes)


def test_functions_of_the_text_are_opened() -> None:
    assert equations(OPENED)[:4] == ["Z1 = W1 @ X + b1", "A1 = tanh(Z1)", "Z2 = W2 @ A1 + b2", "A2 = sigmoid(Z2)"]


def test_a_function_with_a_known_name_and_another_body_is_read_as_written() -> None:
    assert equations("def relu(z):\n    return np.maximum(0.1*z, z)\nA = relu(Z)\nJ = np.sum(A)")[0] == (
        "A = maximum(0.1 * Z, Z)"
    )


def test_a_name_assigned_again_stands_for_one_value_each() -> None:
    net = whence.model("h = x @ w1 + b1\nh = torch.relu(h)\nh = h @ w2 + b2\nloss = ((h - y)**2).mean()")
    assert [s.target for s in net.model.statements] == ["h1", "h2", "h", "loss"]
    assert str(net.gradient("w2")) == "dw2 = h2ᵀ dh"
    assert str(net.gradient("h1")) == "dh1 = dh w2ᵀ ⊙ step(h1)"
    assert "h is assigned in the lines 1, 2, 3; its values are called h1, h2, h." in net.model.notes


def test_an_update_of_an_input_keeps_the_input() -> None:
    assert equations("import numpy as np\nW1 = W1 - 0.1*dW1\nW1 += c") == [
        "W1a = W1 - 0.1 * dW1",
        "W1b = W1a + c",
    ]


def test_what_is_drawn_declares_a_shape() -> None:
    net = whence.model("W = torch.randn((k, 5)) * 0.1\nn = 3\nJ = (X @ W).sum()")
    assert net.shapes.texts()["W"] == "k x 5"


def test_both_ways_of_equations_and_code_agree() -> None:
    written = whence.model("Z1 = W1 X + b1; A1 = tanh(Z1); Z2 = W2 A1 + b2; A2 = sigmoid(Z2); "
                           "cost = -sum(Y*log(A2) + (1-Y)*log(1-A2))/m")  # fmt: skip
    assert [str(d) for d in whence.model(OPENED).lecture()] == [str(d) for d in written.lecture()]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("A = X\nfor W in weights:\n    A = relu(W @ A)\nJ = sum(A)", "loop-not-unrolled", 2),
        ("def f(X):\n    if training:\n        X = 2*X\n    return X", "branch-not-decided", 2),
        ("def f(X):\n    while True:\n        X = 2*X\n    return X", "code-not-opened", 2),
        ("def f(x):\n    return f(x)\nJ = f(X)", "code-not-opened", 2),
        ("for l in range(1000000000):\n    A = relu(A)", "too-many-lines", 2),
        ("for l in range(999):\n    for k in range(999):\n        pass", "too-many-lines", 3),
        ("def f(x):\n    return x*x\nJ = " + "f(" * 40 + "X" + ")" * 40, "too-many-lines", 3),
        ("import numpy\na = (X, X)\n" + "a = (a, a)\n" * 40 + "J = X.sum()", "too-many-lines", 12),
    ],
)
def test_what_is_not_read_says_where(text: str, code: str, line: int) -> None:
    with pytest.raises(whence.WhenceError) as raised:
        read_model(text)
    assert (raised.value.code, raised.value.line) == (code, line)


def test_equations_are_no_program() -> None:
    with pytest.raises(whence.WhenceError) as raised:
        read_model("A = X + Y\nA = A2 - Y")
    assert raised.value.code == "redefined-name"


def test_a_piece_cut_out_of_a_function_may_end_with_return() -> None:
    assert equations("Z = np.dot(W, X)\nreturn np.sum(Z)\n") == ["Z = W @ X", "sum(Z)"]
    assert equations("return Z @ W\n") == ["Z @ W"]
