"""The lecture's notation, as typed in forums and on slides."""

from __future__ import annotations

import pytest

from whence.messages.errors import ReadError
from whence.read.canonical import to_text
from whence.read.parser import parse_expression

READ = [
    ("((W^[2]).T) (dZ^[2]) * g’(Z^[1])", "W2.T @ dZ2 * g_prime(Z1)"),
    ("W^[2]TdZ^[2]*g^[1]'(Z^[1])", "W2.T @ dZ2 * g1_prime(Z1)"),
    ("W[2]T . dZ[2] * g’[1](Z[1])", "W2.T @ dZ2 * g1_prime(Z1)"),
    ("W^{[2]T} dZ^{[2]} * g^{[1]'}(Z^{[1]})", "W2.T @ dZ2 * g1_prime(Z1)"),
    ("W^{[2]T} dZ^{[2]} ⊙ g'^{[1]}(Z^{[1]})", "W2.T @ dZ2 * g1_prime(Z1)"),
    ("W₂ᵀ δ₂ ⊙ g′(z₁)", "W2.T @ delta2 * g_prime(z1)"),
    ("W2' dZ2 * g1' (Z1)", "W2.T @ dZ2 * g1_prime(Z1)"),
    ("g''(Z)", "g_prime_prime(Z)"),
    ("σ'(Z)", "sigmoid_prime(Z)"),
    ("σ^[2](Z^[2])", "sigmoid(Z2)"),
    ("σ x", "sigma @ x"),
    ("f(x)'", "f(x).T"),
    ("1/m dZ X^T", "1/m * dZ @ X.T"),
    ("1/m dz[L]", "1/m * dz_L"),
    ("(1/m) sum(L)", "1/m * sum(L)"),
    ("1/m sum(L)", "1/m * sum(L)"),
    ("dW/2m", "dW / (2 * m)"),
    ("xᵀAx / xᵀx", "x.T @ Ax / (x.T @ x)"),
    ("1/N dZ X^T", "1/N * dZ @ X.T"),
    ("-1/2N X", "-1 / (2 * N) * X"),
    ("A * 1/m dZ X^T", "A * (1/m * dZ @ X.T)"),
    ("A * B C", "A * (B @ C)"),
    ("A B * C", "A @ B * C"),
    ("-2 X^T(y - X w)", "-2 * X.T @ (y - X @ w)"),
    ("tanh^2(Z1)", "tanh(Z1)**2"),
    ("1 - A1²", "1 - A1**2"),
    ("dZ[i] A[i-1].T", "dZ_i @ A_im1.T"),
    ("X⁻¹ᵀ y", "inv(X).T @ y"),
    ("X^{-T} y", "inv(X).T @ y"),
    ("m^-1 dW", "m**-1 * dW"),
    ("A − B", "A - B"),
    ("½ A", "1/2 * A"),
    ("x̂ + W_{ax} + d_3", "x_hat + W_ax + d3"),
    ("det(A) B", "det(A) * B"),
    ("ReLU(Z)", "relu(Z)"),
    ("X[i,j] + X[:,0]", "X[i, j] + X[:, 0]"),
    ("[dy * w] x", "dy * w @ x"),
    ("lambda w", "lam * w"),
    ("X^TWr", "X.T @ Wr"),
    ("a1^[2] + a^[12]", "a1_2 + a12"),
]


@pytest.mark.parametrize(("typed", "meaning"), READ, ids=[typed for typed, _ in READ])
def test_reads(typed: str, meaning: str) -> None:
    tree = parse_expression(typed, dialect="lecture")
    assert to_text(tree) == to_text(parse_expression(meaning, dialect="canonical"))
    assert tree == parse_expression(meaning, dialect="canonical")


@pytest.mark.parametrize(
    ("typed", "names", "meaning"),
    [
        ("Wx + b", ["W", "x", "b"], "W @ x + b"),
        ("xW1 + b1", ["x", "W1", "b1"], "x @ W1 + b1"),
        ("XTWr", ["X", "W", "r"], "X.T @ W @ r"),
        ("W2T dZ2", ["W2", "dZ2"], "W2.T @ dZ2"),
        ("Wx", ["W", "x", "Wx"], "Wx"),
        ("dX + X", ["X", "d"], "dX + X"),
        ("a(1 - a)", ["a"], "a @ (1 - a)"),
        ("x'(y - X w)", ["x", "y", "X", "w"], "x.T @ (y - X @ w)"),
        ("λw", ["lam", "w"], "lam @ w"),
        ("PTV", ["P", "T", "V"], "P @ T @ V"),
    ],
)
def test_declared_names_take_words_apart(typed: str, names: list[str], meaning: str) -> None:
    assert parse_expression(typed, names=names, dialect="lecture") == parse_expression(meaning, dialect="canonical")


@pytest.mark.parametrize(
    ("typed", "code", "column"),
    [
        ("1/2(x - y)", "ambiguous-division", 4),
        ("1/2xᵀx", "ambiguous-division", 6),
        ("a^(2)", "ambiguous-superscript", 4),
        ("W¹ x", "ambiguous-superscript", 2),
        ("x⁻¹ y", "ambiguous-superscript", 2),
        ("log + x", "function-without-bracket", 1),
        ("x(1-x)", "function-and-variable", 5),
        ("X^T*(X*w - y)", "ambiguous-star", 4),
        ("(X w - y)^T * (Y w - y) * A^T", None, 0),
        ("dA^[2]/dZ^[2] x", "derivative-quotient", 1),
        ("A^{1/2} x", "ambiguous-power", 2),
        ("λw", "ambiguous-word", 1),
        ("X^ + 1", "bad-superscript", 2),
        ("W 2", "missing-operator", 3),
    ],
)
def test_refuses(typed: str, code: str | None, column: int) -> None:
    if code is None:
        parse_expression(typed)
        return
    with pytest.raises(ReadError) as caught:
        parse_expression(typed)
    assert (caught.value.code, caught.value.column) == (code, column)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("A @ B", "A @ B"),
        ("X.T * Y", "X.T * Y"),
        ("A * B", "A * B"),
        ("X[1] @ Y", "X[1] @ Y"),
        ("Z[1] W2ᵀ", "Z1 @ W2.T"),
        ("log x", "log(x)"),
        ("X'*(X*w - y)", "X.T @ (X @ w - y)"),
        ("dh.sum(0)", "sum(dh, axis=0)"),
        ("\\sigma(z)", "sigmoid(z)"),
        ("np.dot(W, x)", "W @ x"),
        ("A .* B", "A * B"),
        ("grad @ B^T", "grad @ B.T"),
        ("einsum('ij,jk->ik', A, B) @ C", "einsum('ij,jk->ik', A, B) @ C"),
    ],
)
def test_the_dialect_is_told_from_the_text(text: str, meaning: str) -> None:
    assert parse_expression(text) == parse_expression(meaning, dialect="canonical")
