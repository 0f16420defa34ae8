"""Errors of NumPy, PyTorch and JAX about shapes, pasted: what they say, what fits, where in a model it happened."""

import pytest

import whence
from whence.read.array_errors import array_error_in
from whence.shape_errors import explained

MODEL = "Z1 = W1 X + b1; A1 = tanh(Z1); Z2 = W2 A1 + b2; A2 = sigmoid(Z2); J = -sum(Y*log(A2) + (1-Y)*log(1-A2))"

PASTED = [
    ("ValueError: shapes (4,3) and (4,3) not aligned: 3 (dim 1) != 4 (dim 0)", "product", (4, 3), (4, 3)),
    ("ValueError: shapes (5,) and (3,5) not aligned: 5 (dim 0) != 3 (dim 0)", "product", (5,), (3, 5)),
    ("RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x5)", "product", (2, 3), (2, 5)),
    ("TypeError: dot_general requires contracting dimensions to have the same shape, got (3,) and (4,).",
     "product", (3,), (4,)),
    ("ValueError: operands could not be broadcast together with shapes (4,3) (3,4) ", "entrywise", (4, 3), (3, 4)),
    ("RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
     "entrywise", (3,), (4,)),
    ("ValueError: matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature "
     "(n?,k),(k,m?)->(n?,m?) (size 1 is different from 4)", "product", (4,), (1,)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "left", "right"), PASTED, ids=[p[0][:40] for p in PASTED])
def test_the_error_is_read(text: str, kind: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    error = array_error_in("Traceback (most recent call last):\n  File x\n" + text)
    assert error is not None
    assert (error.kind, error.left, error.right) == (kind, left, right)
    assert explained(error)


def test_what_fits_is_listed_with_its_shape() -> None:
    error = array_error_in("shapes (4,3) and (2,3) not aligned")
    assert error is not None
    said = explained(error)
    assert "A @ B.T  4 × 2" in said and "A * B" not in said


def test_the_likely_line_of_a_model_is_named() -> None:
    error = array_error_in(PASTED[0][0])
    assert error is not None
    said = explained(error, whence.model(MODEL))
    place = "dZ1 = W2ᵀ dZ2 ⊙ (1 - A1²): W2ᵀ dZ2 and 1 - A1² are multiplied entry by entry"
    assert place in said and said.index(place) < said.index("in this order")


def test_shapes_that_no_slip_gives_are_said_to_be_none() -> None:
    error = array_error_in("shapes (4,3,2) and (4,3) not aligned")
    assert error is not None
    assert "No product" in explained(error, whence.model(MODEL))


def test_other_texts_are_no_error_about_shapes() -> None:
    assert array_error_in("NameError: name 'W2' is not defined") is None
