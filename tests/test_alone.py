"""A backward formula alone: what it presupposes, whether it is right by that, and what else is said."""

import pytest

import whence
from whence.alone import formula_alone, is_alone, page

TWO_LAYERS = ["Z1 = W1 X + b1", "A1 = g1(Z1)", "Z2 = W2 A1 + b2"]

# What people type, the forward lines it presupposes, the gradient it is, and whether it is right for them.
TYPED = [
    ("dZ^[1] = ((W^[2]).T) (dZ^[2]) * g1’(Z^[1])", TWO_LAYERS, "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)", True),
    ("W^[2]TdZ^[2]*g^[1]'(Z^[1])", TWO_LAYERS, "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)", True),
    ("W[2]T . dZ[2] * g’[1](Z[1])", TWO_LAYERS, "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)", True),
    ("dz^[1] = W^[2]T dz^[2] * g^[1]'(z^[1])", [line.lower().replace("w", "W") for line in TWO_LAYERS],
     "dz1 = W2ᵀ dz2 ⊙ g1′(z1)", True),
    (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot f'(z^l)",
     ["z^[l] = w^[l] a^[l-1] + b^[l]", "a^[l] = f(z^[l])", "z^[l+1] = w^[l+1] a^[l] + b^[l+1]"],
     "dz^[l] = w^[l+1]ᵀ dz^[l+1] ⊙ f′(z^[l])", True),
    ("dz[1] = a[1] - y", ["z1 = W1 x + b1", "a1 = σ(z1)", "J = -sum(y ⊙ log(a1) + (1 - y) ⊙ log(1 - a1))"],
     "dz1 = a1 - y", True),
    ("dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))",
     ["Z1 = W1 X + b1", "A1 = tanh(Z1)", "Z2 = W2 A1 + b2"], "dZ1 = W2ᵀ dZ2 ⊙ (1 - A1²)", True),
    ("dW1 = 1/m * np.dot(dZ1, X.T)", ["Z1 = W1 X + b1"], "dW1 = dZ1 Xᵀ/m", True),
    ("db1 = 1/m*np.sum(dZ1, axis=1, keepdims=True)", ["Z1 = W1 X + b1"], "db1 = sum(dZ1, axis=1)/m", True),
    ("dh = dz2 @ W2.T * h*(1-h)", ["z1 = x W1 + b1", "h = σ(z1)", "z2 = h W2 + b2"],
     "dz1 = dz2 W2ᵀ ⊙ h ⊙ (1 - h)", True),
    ("dx = np.dot(dout, W.T)", ["out = x W"], "dx = dout Wᵀ", True),
    ("dW = x.T @ dout", ["out = x W"], "dW = xᵀ dout", True),
    (r"\frac{\partial L}{\partial W_2} = H^T (P - Y)",
     ["Z = H W2", "P = σ(Z)", "J = -sum(Y ⊙ log(P) + (1 - Y) ⊙ log(1 - P))"], "dW2 = Hᵀ dZ", True),
    ("dZ1 = np.dot(W2, dZ2) * (1 - np.power(A1, 2))",
     ["Z1 = W1 X + b1", "A1 = tanh(Z1)", "Z2 = W2 A1 + b2"], "dZ1 = W2ᵀ dZ2 ⊙ (1 - A1²)", False),
    ("dZ1 = np.dot(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))",
     ["Z1 = W1 X + b1", "A1 = tanh(Z1)", "Z2 = W2 A1 + b2"], "dZ1 = W2ᵀ dZ2 ⊙ (1 - A1²)", False),
    ("dZ^[1] = W^[2]T dZ^[2] * g1(Z^[1])", TWO_LAYERS, "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)", False),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "lines", "formula", "right"), TYPED, ids=[t[0] for t in TYPED])
def test_a_formula_names_its_forward_pass(typed: str, lines: list[str], formula: str, right: bool) -> None:
    assert is_alone(typed)
    best = formula_alone(typed).best
    assert (best.lines(), str(best.derivative), best.verdict.right) == (lines, formula, right)


def test_the_mistake_is_named() -> None:
    verdict = formula_alone("dZ1 = np.dot(W2, dZ2) * g'(Z1)").best.verdict
    assert verdict.diagnosis == "missing-transpose"
    verdict = formula_alone("dZ1 = np.dot(np.dot(W2.T, dZ2), 1 - np.power(A1, 2))").best.verdict
    assert verdict.diagnosis == "matmul-for-elementwise"


def test_one_sample_and_a_batch_and_the_shortcut_are_derived() -> None:
    text = page(formula_alone("dz^[1] = W^[2]T dz^[2] * g^[1]'(z^[1])"))
    assert "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)  a batch" in text and "nothing is added up" in text
    assert "The shortcut dz2 = a2 - y" in text and "softmax(z2, axis=0)" in text
    assert "dz1 means ∂J/∂z1" in text


def test_a_sum_over_samples_is_named() -> None:
    assert "divided by m" in page(formula_alone("dW1 = 1/m * np.dot(dZ1, X.T)"))
    assert "divided by" not in page(formula_alone("dW1 = np.dot(dZ1, X.T)"))


def test_the_general_rule_stands_beside_the_shortcut() -> None:
    assert "dz1 = W2ᵀ dz2 ⊙ g1′(z1)" in page(formula_alone("dz[1] = a[1] - y"))


def test_a_factor_alone_is_no_wrong_gradient() -> None:
    text = page(formula_alone("1-np.power(a1,2)"))
    assert "1 - a1² is tanh′(z1)" in text and "wrong" not in text


@pytest.mark.parametrize("text", ["Z = W X; J = sum(Z)", "J = norm(W x - y)^2", "norm(W x - y)^2", "d = (", "A = f(Z)"])
def test_models_are_no_formula_alone(text: str) -> None:
    assert not is_alone(text)


@pytest.mark.parametrize("typed", ["dq = sin(dr) + ds", "np.dot(W.T, z*(1-z))", "data = W2.T @ X"])
def test_nothing_is_guessed(typed: str) -> None:
    with pytest.raises(whence.WhenceError) as raised:
        formula_alone(typed)
    assert raised.value.code == "no-forward-pass"
