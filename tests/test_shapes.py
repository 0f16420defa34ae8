"""Shapes of models: what follows, what is taken by default and said, and what clashes."""

from __future__ import annotations

from typing import Any

import pytest

from trees import model, tree
from whence.messages.errors import LimitError, ShapeError
from whence.read.model import read_model
from whence.read.syntax import Binary, Expr, Function, Model, Name, Statement
from whence.shapes.dims import Dim
from whence.shapes.infer import ShapeTable, infer
from whence.shapes.words import is_scalar, text, words

NETWORK = """Z1 = W1 @ X + b1
A1 = g1(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
L = -(Y*log(A2) + (1 - Y)*log(1 - A2))
J = sum(L)/m"""
Declared = dict[str, tuple[int | str, ...]]


def table(lines: str, shapes: Declared | None = None, functions: tuple[str, ...] = ()) -> ShapeTable:
    return infer(model(lines, shapes, functions))


def texts(lines: str, shapes: Declared | None = None, functions: tuple[str, ...] = ()) -> dict[str, str]:
    return table(lines, shapes, functions).texts()


LAYERS = {
    "W1": "n1 x n0",
    "b1": "n1 x 1",
    "W2": "n2 x n1",
    "b2": "n2 x 1",
    "X": "n0 x m",
    "Y": "n2 x m",
    "Z1": "n1 x m",
    "A1": "n1 x m",
    "Z2": "n2 x m",
    "A2": "n2 x m",
    "L": "n2 x m",
    "J": "scalar",
}


@pytest.mark.parametrize("shapes", [{"X": ("n0", "m"), "Y": ("n2", "m")}, {"X": ("n0", "m")}, {}, None])
def test_a_network_with_few_declarations(shapes: Declared | None) -> None:
    found = table(NETWORK, shapes, ("g1",))
    assert found.texts() == LAYERS
    assert found.dims == ("m", "n0", "n1", "n2")
    assert any("b1" in sentence for sentence in found.defaults)


def test_a_network_declared_whole_needs_no_default() -> None:
    shapes: Declared = {
        "X": ("n0", "m"),
        "W1": ("n1", "n0"),
        "b1": ("n1", 1),
        "W2": ("n2", "n1"),
        "b2": ("n2", 1),
        "Y": ("n2", "m"),
    }
    found = table(NETWORK, shapes, ("g1",))
    assert found.texts() == LAYERS
    assert found.defaults == []
    assert {row.name: row.line for row in found.rows}["A2"] == 4


def test_every_size_has_one_name() -> None:
    found = table("Z = W @ X; U = W @ V; J = norm(Z - U)")
    assert found.texts()["Z"] == found.texts()["U"]
    assert found.texts()["X"] == found.texts()["V"]
    assert len(found.dims) == 3


@pytest.mark.parametrize(
    ("lines", "shapes"),
    [
        (
            "z = w.T @ X + b; a = sigmoid(z); J = -sum(y*log(a))/m",
            {"w": "n x 1", "X": "n x m", "b": "scalar", "y": "1 x m"},
        ),
        ("J = norm(X @ w - y)**2/n", {"X": "n x m", "w": "m x 1", "y": "n x 1"}),
        ("J = norm(A @ x - b)**2 + lam*sum(x**2)", {"A": "n x m", "x": "m x 1", "b": "n x 1", "lam": "scalar"}),
        ("f = trace(A @ inv(X))", {"A": "n x n", "X": "n x n"}),
        ("f = x.T @ A @ x + c.T @ x", {"x": "n x 1", "A": "n x n", "c": "n x 1"}),
        ("f = logdet(S) + trace(S @ diag(d))", {"S": "n x n", "d": "n x 1"}),
        ("Y = gamma*(X - mu)/sqrt(v + eps) + beta", {"X": "n x m", "gamma": "n x 1", "v": "n x 1", "eps": "scalar"}),
        ("H = relu(X @ W1 + b1); S = H @ W2 + b2; J = -sum(S)/N", {"X": "N x n0", "W1": "n0 x n1", "b2": "1 x n2"}),
        ("J = sum(concat(A, B, axis=1) @ C)", {"A": "n x m", "B": "n x p", "C": "(m + p) x q"}),
        ("y = conv1d(x, k)", {"x": "n x 1", "k": "m x 1", "y": "(n - m + 1) x 1"}),
        ("J = einsum('ij,jk->', A, B)", {"A": "n x m", "B": "m x p"}),
        ("y = X[i,:] @ w; J = (y - t)**2", {"X": "n x m", "w": "m x 1", "t": "scalar", "J": "scalar"}),
        ("J = sum(X @ ones(k))", {"X": "n x k"}),
        ("J = t*trace(A)", {"A": "n x n", "t": "scalar"}),
        ("J = kron(A, eye(k)) @ x", {"A": "n x m", "x": "k*m x 1"}),
    ],
)
def test_undeclared_shapes(lines: str, shapes: dict[str, str]) -> None:
    found = texts(lines)
    assert {name: found[name] for name in shapes} == shapes


def test_solving_is_deterministic() -> None:
    assert texts(NETWORK, None, ("g1",)) == texts(NETWORK, None, ("g1",))
    assert table(NETWORK, None, ("g1",)).defaults == table(NETWORK, None, ("g1",)).defaults


def failure(lines: str, shapes: Declared | None = None, functions: tuple[str, ...] = ()) -> ShapeError:
    with pytest.raises(ShapeError) as caught:
        table(lines, shapes, functions)
    return caught.value


def test_a_clash_names_both_lines_and_both_shapes() -> None:
    error = failure("Z = W @ X\nU = W @ V", {"X": ("n", "m"), "V": ("k", "p")})
    assert (error.code, error.line, error.column) == ("shape-clash", 2, 5)
    assert "line 1: Z = W @ X" in error.found
    assert "(k x p)" in error.found
    assert error.shapes == {"X": "n x m", "V": "k x p"}


def test_a_clash_of_declared_shapes() -> None:
    error = failure("Z = A @ B\nJ = sum(Z + B)", {"A": ("n", "m"), "B": ("m", "p")})
    assert (error.code, error.line, error.column) == ("shape-clash", 2, 9)
    assert "a matrix (n x p)" in error.found and "a matrix (m x p)" in error.found
    assert "(Z: line 1, B: declared)" in error.found
    assert error.shapes["Z"] == "n x p"


@pytest.mark.parametrize(
    ("formula", "code", "column"),
    [
        ("inv(A)", "not-square", 5),
        ("A @ A", "shape-clash", 1),
        ("A + A.T", "shape-clash", 1),
        ("s @ A", "shape-clash", 1),
        ("2 @ A", "shape-clash", 1),
        ("sum(A, axis=2)", "bad-axis", 13),
        ("sum(A, axis=-1)", "bad-axis", 13),
        ("sum(A, axis=(0, 1))", "bad-axis", 13),
        ("softmax(A, axis=(0, 1))", "bad-axis", 17),
        ("softmax(T)", "wrong-arguments", 1),
        ("sum(T, axis=3)", "bad-axis", 13),
        ("trace(S, S)", "wrong-arguments", 1),
        ("trace(S, axis=0)", "wrong-arguments", 1),
        ("sin(A, axis=0)", "wrong-arguments", 1),
        ("sum(A, 0)", "wrong-arguments", 1),
        ("concat(A, A)", "wrong-arguments", 1),
        ("concat(A, S, axis=0)", "shape-clash", 11),
        ("kron(T, A)", "shape-clash", 6),
        ("diag(A)", "shape-clash", 6),
        ("outer(A, x)", "shape-clash", 7),
        ("solve(S, A.T)", "shape-clash", 10),
        ("matpow(S, s)", "wrong-arguments", 1),
        ("matpow(S, 65)", "wrong-arguments", 1),
        ("frechet(inv, S, S)", "wrong-arguments", 1),
        ("ones(s)", "wrong-arguments", 6),
        ("ones(0)", "wrong-arguments", 1),
        ("reshape(A, n, n)", "shape-clash", 9),
        ("transpose(T, (0, 1))", "wrong-arguments", 1),
        ("T.T", "shape-clash", 1),
        ("A[0]", "wrong-arguments", 1),
        ("A[0, 0, 0]", "wrong-arguments", 1),
        ("x[n]", "wrong-arguments", 3),
        ("A[0:n + 1, :]", "wrong-arguments", 3),
        ("A[2:1, :]", "wrong-arguments", 3),
        ("A[x, 0]", "not-scalar", 3),
        ("einsum('ij,jk->ik', A)", "wrong-arguments", 1),
        ("einsum('ij->ik', A)", "wrong-arguments", 1),
        ("einsum('ii->i', A)", "shape-clash", 17),
        ("einsum('ijk->ijk', A)", "shape-clash", 20),
        ("conv2d(eye(2), eye(3))", "shape-clash", 1),
        ("h(A)", "unknown-function", 1),
        ("g(A, A)", "wrong-arguments", 1),
        ("tanh_prime_prime(A)", "unknown-function", 1),
        ("trace_prime(S)", "unknown-function", 1),
        ("u + A", "unknown-name", 1),
    ],
)
def test_what_does_not_fit(formula: str, code: str, column: int) -> None:
    shapes: Declared = {"A": ("n", "m"), "S": ("n", "n"), "x": ("n", 1), "s": (), "T": ("B", "T0", "D")}
    found = infer(Model((), shapes, functions=("g",)))
    with pytest.raises(ShapeError) as caught:
        found.shape_of(tree(formula, 3))
    assert (caught.value.code, caught.value.line, caught.value.column) == (code, 3, column)


@pytest.mark.parametrize(
    ("formula", "shape"),
    [
        ("x.T @ x", "1 x 1"),
        ("x.T @ x/2", "1 x 1"),
        ("s*(x.T @ x)", "scalar"),
        ("sum(A)*n", "scalar"),
        ("sqrt(d)*pi", "scalar"),
        ("A*x + s", "n x m"),
        ("A.mT", "m x n"),
        ("g_prime_prime(A) + tanh_prime(A)", "n x m"),
        ("T @ T.mT", "B x T0 x T0"),
        ("T @ ones(D)", "B x T0 x 1"),
        ("T + ones(D)", "B x T0 x D"),
        ("sum(T, axis=(0, -1))", "1 x T0 x 1"),
        ("logdet(reshape(ones(B*n*n), B, n, n))", "B x 1 x 1"),
        ("solve(S, A)", "n x m"),
        ("transpose(T, (0, 2, 1))", "B x D x T0"),
        ("reshape(T, B, T0*D)", "B x D*T0"),
        ("concat(A, A, axis=0)", "2*n x m"),
        ("A[i, :]", "1 x m"),
        ("A[i, j]", "scalar"),
        ("T[0, :, 0]", "T0 x 1"),
        ("A[1:n - 1, :]", "(n - 2) x m"),
        ("x[:-2]", "(n - 2) x 1"),
        ("x.T[0:2]", "1 x 2"),
        ("diag(x)", "n x n"),
        ("diag(S)", "n x 1"),
        ("outer(x, x.T)", "n x n"),
        ("conv2d(A, ones(2, 3))", "(n - 1) x (m - 2)"),
        ("commutation(n, m) @ vec(A)", "m*n x 1"),
        ("einsum('ij,i->j', A, x)", "m x 1"),
        ("einsum('ij->', A)", "scalar"),
        ("where(A > 0, s, 1)", "n x m"),
        ("maximum(A, 0)", "n x m"),
        ("frechet(expm, S, S)", "n x n"),
        ("argmax_mask(A, axis=0)", "n x m"),
        ("svd_v1(A)", "m x 1"),
    ],
)
def test_shape_of(formula: str, shape: str) -> None:
    shapes: Declared = {"A": ("n", "m"), "S": ("n", "n"), "x": ("n", 1), "s": (), "T": ("B", "T0", "D"), "y": ("d", 1)}
    found = infer(Model((), shapes, functions=("g",)))
    assert text(found.shape_of(tree(formula))) == shape


def test_adjoints_may_be_given() -> None:
    found = table("Z = W @ X", {"W": ("n", "m"), "X": ("m", "k")})
    assert text(found.shape_of(tree("dZ @ X.T"), extra={"dZ": found.shape("Z")})) == "n x m"


def test_functions_of_the_model() -> None:
    swish = Function("swish", "z", tree("z*sigmoid(z)"), 1)
    lines = (Statement("A", tree("swish(W @ x)", 2), 2),)
    found = infer(Model(lines, {}, defined={"swish": swish}))
    assert found.texts() == {"W": "n x m", "x": "m x 1", "A": "n x 1"}
    loop = Function("f", "z", tree("f(z)"), 1)
    with pytest.raises(ShapeError):
        infer(Model((Statement("A", tree("f(x)", 2), 2),), {"x": ("n", 1)}, defined={"f": loop}))


def test_what_cannot_be_solved_is_asked_for() -> None:
    assert failure("J = vec(A).T @ kron(B, C) @ vec(D)").code == "unknown-shape"
    assert failure("Q = X @ Wq", {"X": ("B", "T", "D")}).code == "unknown-shape"


def test_a_clash_after_a_default_says_the_default() -> None:
    error = failure("Z = A * x; J = Z @ x", {"A": ("n", "m")})
    assert error.code == "shape-clash"


def test_long_sums_do_not_nest() -> None:
    total: Expr = Name("X")
    for _ in range(1000):
        total = Binary("+", total, Name("X"))
    for shapes in ({"X": ("n", "m")}, {}):
        found = infer(Model((Statement("Z", total, 1),), dict(shapes)))
        assert found.texts()["Z"] == "n x m"


def test_sizes_have_a_cap() -> None:
    found = infer(Model((), {"x": ("n", 1)} | {f"x{k}": (f"n{k}", 1) for k in range(40)}))
    parts = ", ".join(f"x{k}" for k in range(40))
    formula = f"kron(concat({parts}, axis=0), kron(concat({parts}, axis=0), x))"
    with pytest.raises(LimitError):
        found.shape_of(tree(formula))


def test_words_for_shapes() -> None:
    n, m, one = Dim.parse("n"), Dim.parse("m"), Dim.parse(1)
    assert words((n, m)) == "a matrix (n x m)"
    assert words((one, m)) == "a row (1 x m)"
    assert words(()) == "a number"
    assert is_scalar((one, one)) and not is_scalar((n, one))


# -- what an adversary found


def read(lines: str, shapes: str = "", assume: str = "") -> ShapeTable:
    return infer(read_model(lines, shapes or None, assume or None))


@pytest.mark.parametrize(
    ("lines", "shapes"),
    [
        ("L = -y log(a); J = sum(L)", ""),
        ("L = -y log(a); J = sum(L)", "a: n"),
        ("a = sigmoid(X w); L = -y log(a); J = sum(L)", ""),
        ("z = x · y; J = sum(z)", ""),
    ],
)
def test_vectors_side_by_side_are_not_guessed(lines: str, shapes: str) -> None:
    with pytest.raises(ShapeError) as caught:
        read(lines, shapes)
    assert caught.value.code == "ambiguous-product" and "Write * for entry by entry" in caught.value.help


@pytest.mark.parametrize(
    "lines", ["z = W x + b", "z = w^T x + b", "Z = X w", "z = w X", "J = x^T A x", "z = y (x^T x)"]
)
def test_products_that_are_sure(lines: str) -> None:
    assert read(lines).rows


def test_declared_columns_side_by_side_are_told_of_the_star() -> None:
    with pytest.raises(ShapeError) as caught:
        read("L = y log(a)", "y: n, a: k")
    assert caught.value.code == "shape-clash" and "Write * or ⊙ for entry by entry" in caught.value.help
    with pytest.raises(ShapeError) as caught:
        read("L = y @ log(a)", "y: n, a: n")
    assert "entry by entry" not in caught.value.help


def test_what_a_b_is_combined_with() -> None:
    assert "b is taken as a number, like what it is combined with." in read("z = w^T x + b; J = z^2").defaults
    assert "b is taken as a column, like what it is combined with." in read("z = W x + b").defaults
    assert "b is taken as a column: it is combined with every column." in read("Z = W X + b").defaults


@pytest.mark.parametrize(
    ("shape", "tag"), [("n x m", "symmetric"), ("n", "pd"), ("B x n x m", "invertible"), ("1 x n", "diagonal")]
)
def test_what_only_square_matrices_can_be(shape: str, tag: str) -> None:
    with pytest.raises(ShapeError) as caught:
        read(f"shape X: {shape}\nassume X: {tag}\nJ = sum(X)")
    error = caught.value
    assert (error.code, error.line, error.column) == ("assumption-shape", 2, 8) and tag in error.message
    with pytest.raises(ShapeError) as caught:
        read("J = sum(X)", f"X: {shape}", f"X: {tag}")
    assert caught.value.line == 0


def test_what_is_assumed_makes_a_matrix_square() -> None:
    assert read("assume S: symmetric\nJ = sum(S)").texts()["S"] == "n x n"
    assert read("shape S: B x n x n\nassume S: pd\nJ = sum(S)").texts()["S"] == "B x n x n"


def test_the_inverse_of_a_column() -> None:
    with pytest.raises(ShapeError) as caught:
        read("J = sum(inv(x))", "x: n")
    assert (caught.value.code, caught.value.column) == ("not-square", 13)


@pytest.mark.parametrize(
    "formula",
    [
        "(3*B) @ log(B**2 + 1)",
        "(s*B) @ log(B**2 + 1)",
        "x @ (2*(x.T @ x))",
        "x @ (s + B)",
        "x @ (B + n)",
        "x @ (B + pi)",
        "x @ sum(B)",
        "x @ sin(B)",
        "x @ (B > 0)",
        "x @ maximum(B, 0)",
        "x @ maximum(B, B)",
        "x @ B[0, 0]",
        "x @ B[0:1, :]",
        "x @ sum(B, axis=0)",
        "x @ (B*(x.T @ x))",
        "x @ (-B/2)",
        "x @ where(B > 0, B, 1)",
    ],
)
def test_a_matrix_of_one_entry_and_a_number_are_told_apart_as_the_format_does(formula: str, oracle: Any) -> None:
    inputs = {"B": [[0.5]], "s": 2.0, "x": [[1.0], [2.0], [3.0]]}
    env = {name: oracle.torch.tensor(value, dtype=oracle.torch.float64) for name, value in inputs.items()}
    try:
        fits = oracle.Formula(formula).value({**env, "n": 3.0}) is not None
    except oracle.ShapeError:
        fits = False
    found = infer(Model((), {"B": (1, 1), "s": (), "x": ("n", 1)}))
    try:
        assert found.shape_of(tree(formula)) and fits
    except ShapeError as error:
        assert error.code == "shape-clash" and not fits
