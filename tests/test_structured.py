"""Derivatives by structured matrices, in other layouts, of higher order, and what is known where no word fits."""

from __future__ import annotations

import pytest

import whence

SHAPES = "X: n x n, A: n x n, C: n x n"


@pytest.mark.parametrize(
    ("structure", "formula"),
    [
        ("symmetric", "A + A.T - A * eye(n)"),
        ("pd", "A + A.T - A * eye(n)"),
        ("skew", "A.T - A"),
        ("diagonal", "A * eye(n)"),
        ("lower", "tril(A.T)"),
        ("orthogonal", "(A.T - X @ A @ X) / 2"),
    ],
)
def test_structure(structure: str, formula: str) -> None:
    net = whence.model("J = trace(A @ X)", shapes=SHAPES, assume=f"X: {structure}")
    d = net.gradient("X", structured=True)
    assert d.formula == formula
    assert d.answer.verified == "exact"
    assert "inner product" in d.certificate.assumes
    assert net.gradient("X").formula == "A.T"


def test_a_function_that_is_constant_on_the_manifold() -> None:
    net = whence.model("J = trace(X.T @ A @ X)", shapes=SHAPES, assume="X: orthogonal")
    assert net.gradient("X", structured=True).formula == "zeros(n, n)"


@pytest.mark.parametrize(
    ("order", "formula"),
    [
        (1, "4 * x**3"),
        (2, "12 * diag(x**2)"),
        (3, '24 * einsum("i,ij,ik->ijk", x, eye(n), eye(n))'),
        (4, '24 * einsum("ij,ik,il->ijkl", eye(n), eye(n), eye(n))'),
    ],
)
def test_higher_orders(order: int, formula: str) -> None:
    assert whence.model("J = sum(x**4)", shapes="x: n").derivative("J", ["x"] * order).formula == formula


def test_the_highest_order_is_said() -> None:
    with pytest.raises(whence.WhenceError) as caught:
        whence.model("J = sum(x**6)", shapes="x: n").derivative("J", ["x"] * 5)
    assert caught.value.code == "order-too-high"


@pytest.mark.parametrize(
    ("layout", "formula"),
    [("gradient", "(A + A.T) @ X"), ("denominator", "(A + A.T) @ X"), ("vec", "vec((A + A.T) @ X).T")],
)
def test_layouts_of_a_gradient(layout: str, formula: str) -> None:
    net = whence.model("J = trace(X.T @ A @ X)", shapes="X: n x m, A: n x n")
    assert net.gradient("X", layout=layout).formula == formula


def test_a_matrix_by_a_matrix_is_a_kronecker_product() -> None:
    net = whence.model("F = A @ X @ B", shapes="X: n x m, A: p x n, B: m x q")
    d = net.jacobian("F", "X")
    assert (d.formula, d.answer.layout) == ("kron(B.T, A)", "vec")


def test_what_has_no_word_is_given_in_a_direction() -> None:
    net = whence.model("F = expm(X) @ B", shapes="X: n x n, B: n x m")
    with pytest.raises(whence.WhenceError) as caught:
        net.jacobian("F", "X")
    assert caught.value.code == "outside-format"
    assert caught.value.extended == "E: frechet(expm, X, E) @ B"
    assert caught.value.to_json()["extended"] == caught.value.extended


def test_the_layout_vec_is_said() -> None:
    net = whence.model("F = A @ X @ B\nJ = sum(X**2)", shapes="X: n x m, A: p x n, B: m x q")
    d = net.jacobian("F", "X")
    assert str(d) == "∂vec(F)/∂vec(X)ᵀ = Bᵀ ⊗ A"
    assert d.layout == "vec"
    assert d.latex().startswith(r"\frac{\partial \operatorname{vec}(F)}{\partial \operatorname{vec}(X)^{\top}} = ")
    assert str(net.hessian("X", of="J")).startswith("∂vec(∂J/∂X)/∂vec(X)ᵀ = 2 I(")


def test_certificates_do_not_mix() -> None:
    """The proof for all sizes is found when asked, whatever was derived in between."""
    net = whence.model("F = X.T\nJ = sum(X**2)", shapes="X: n x m")
    transposed, gradient = net.jacobian("F", "X"), net.gradient("X", of="J")
    assert net.hessian("X", of="J").certificate.derived == "proved for all sizes"
    assert transposed.certificate.derived == gradient.certificate.derived == "proved for all sizes"


def test_tensors_have_no_layout_vec() -> None:
    with pytest.raises(whence.WhenceError) as caught:
        whence.model("J = sum(T**2)", shapes="T: b x n x m").gradient("T", layout="vec")
    assert caught.value.code == "outside-scope"
