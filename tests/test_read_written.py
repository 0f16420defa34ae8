"""What whence itself writes, read: the signs of its own texts, and how Octave's products bind."""

from __future__ import annotations

import pytest

from whence.messages.errors import ReadError
from whence.read.reading import read_typed

GIVEN = {"variables": {"A": ["n", "p"], "B": ["m", "q"], "X": ["n", "m"], "x": ["n", "1"], "a": [], "b": []}}
GIVEN["variables"]["Q"] = ["t", "n", "m"]


@pytest.mark.parametrize(
    ("typed", "dialect", "canonical"),
    [
        ("X .* X * B", "octave", "X * X @ B"),
        ("X * B .* A", "octave", "X @ B * A"),
        ("x.^1.5 * x'", "octave", "x**1.5 @ x.T"),
        ("permute(A, [1 3 2 4]) .* permute(B, [3 1 4 2])", "octave", 'einsum("ik,jl->ijkl", A, B)'),
        ("permute(A, [2 1])", "octave", "A.T"),
        ("sum(X(:))", "octave", "sum(vec(X))"),
        ("X(:, 2) * X(1, :)", "octave", "X[:, 1] @ X[0, :]"),
        ("x(1) + x(i)", "octave", "x[0] + x[i]"),
        ("X^⊙2", "lecture", "X**2"),
        ("a^(b - 1)", "lecture", "a**(b - 1)"),
        ("𝟏(n, m)", "lecture", "ones(n, m)"),
        ("X⁺", "lecture", "pinv(X)"),
        ("h″(X)", "lecture", "h_prime_prime(X)"),
        ("Qᵀ Q", "lecture", "Q.mT @ Q"),
        ("transpose(Q, (0, 2, 1))", "code", "transpose(Q, (0, 2, 1))"),
        (r"X^{\odot 2}", "latex", "X**2"),
        (r"X^T \mathrm{d}Z_2", "latex", "X.T @ dZ2"),
        (r"\mathrm{d}\theta", "latex", "dtheta"),
        (r"\sum_{\text{axis }1} X", "latex", "sum(X, axis=1)"),
        (r"\mathbf{1}_{n \times m}", "latex", "ones(n, m)"),
        (r"\operatorname{einsum}(\text{ik,kj}\to\text{ij}, A, B)", "latex", 'einsum("ik,kj->ij", A, B)'),
    ],
)
def test_read(typed: str, dialect: str, canonical: str) -> None:
    (line,) = read_typed(typed, GIVEN, dialect).lines
    assert line.canonical() == canonical


@pytest.mark.parametrize("typed", ["X(0, :)", "permute(A, [1 1])", "permute(A)", "X(,)", "X(1"])
def test_refused(typed: str) -> None:
    with pytest.raises(ReadError):
        read_typed(typed, GIVEN, "octave")
