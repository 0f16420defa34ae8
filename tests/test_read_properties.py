"""Whatever is typed: it is read, or refused with a code and a place in the text, in no time."""

from __future__ import annotations

import contextlib
import random
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whence.messages.catalogue import CATALOGUE
from whence.messages.errors import WhenceError
from whence.messages.show import render
from whence.read.model import read_model
from whence.read.parser import parse_expression
from whence.read.reading import read_typed

SEEDS = [
    "Z^[1] = W^[1] X + b^[1]; J = 1/m sum(L)",
    "dZ^[1] = W^[2]TdZ^[2]*g^[1]'(Z^[1])",
    "W₂ᵀ δ₂ ⊙ g′(z₁) + ½ x̂",
    "einsum('ik,jl->ijkl', A, B) @ X[0:k, :].T",
    "sum(softmax(X, axis=(0, 1))**2 > 0.5)",
    "X^{-T} W_{ax} - ∂J/∂W^[1] + h^{[2]'}(Z)",
    r"\frac{\partial J}{\partial W^{(l)}} = \frac{1}{m} \sum_{i} \delta_i^{(l)} \hat{x}_i^\top \odot \sigma'(z)",
    r"{1 \over 2} \|A x - b\|_2^2 + \underbrace{\lambda I}_{n} X^{-\top} \mathbf{1}",
    "dZ = np.dot(W.T, dA) * (1 - np.power(A, 2)).sum(axis=-1, keepdims=True)[0:k] + np.einsum('ij,jk', A, B)",
    'grads["dW" + str(l-1)] -= self.W.t().mm(x.data) / m  # F.softmax(x, dim=1)',
    "J = x'*A*x .* (B\\c).^2 + norm(y - X*w)^2; % Octave",
    ">>> S_{ij} = Σ_k Q_{ik} K_{jk} + ⟨A, B⟩ : C ⊗ D − √(2)|x|",
    "shape X: n0 x m, W1: n1 x n0\nassume S: symmetric, pd\nfunction g\nswish(z) = z*sigmoid(z)",
]
LONGEST = 0.05  # seconds, for texts of ordinary length; a line of 2,000 tokens may take a little more
SIGNS = "\\$&%~⟨⟩∇∑√⊗𝟙:!()[]{}^'’′.,;:=+-*/@⊙∘·×_#\"ᵀ²⁻¹₁½∂σλΣ \n\tTXxg1e0\u0302\u200b\x00"


def check(text: str, longest: float = LONGEST) -> None:
    for read in (read_model, parse_expression, read_typed):
        start = time.process_time()
        try:
            read(text)
        except WhenceError as error:
            assert error.code in CATALOGUE
            rows = text.replace("\r\n", "\n").split("\n")
            assert 1 <= error.line <= max(1, len(rows))
            assert 1 <= error.column <= max(1, len(rows[error.line - 1]))
            assert error.end > error.column
            render(error)
        if time.process_time() - start > longest:  # once more: the machine may have been busy
            start = time.process_time()
            with contextlib.suppress(WhenceError):
                read(text)
            assert time.process_time() - start <= longest


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=30))
@example("x^")
@example("X'")
@example("W[2]T1")
@example("^[1]")
@example("W_{")
@example("x_{a}^{")
@example("f(,)")
def test_any_signs(text: str) -> None:
    check(text)


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_mutated_formulas(seed: int) -> None:
    random_ = random.Random(seed)
    for _ in range(300):
        letters = list(SEEDS[seed])
        for _ in range(random_.randint(1, 4)):
            at = random_.randrange(len(letters) + 1)
            kind = random_.randrange(3)
            if kind == 0:
                letters.insert(at, random_.choice(SIGNS))
            elif kind == 1 and letters:
                del letters[min(at, len(letters) - 1)]
            else:
                other = random_.choice(SEEDS)
                letters[at:at] = other[random_.randrange(len(other)) :][:8]
        check("".join(letters))


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "(" * 10_000,
        "-" * 10_000,
        "x'" * 900,
        "x^" * 900,
        "1/" * 900 + "1",
        "a b " * 900,
        "Wx" * 31,
        "x\u0302" * 30,
        "{" * 2000,
        "[1]" * 600,
        "W^[1]T" * 200,
        "W^[1]" + "T" * 1000,
        "^{" * 900,
        "x^{[1]" + "'" * 5000,
        "'" * 9000,
        "9" * 10_000,
        "1e" * 900,
        ";" * 9000,
        "#" * 9000,
        "shape " + "X: n x m, " * 900,
        "shape X: " + "n x " * 2000,
        "a[" * 100 + "i" + "]" * 100,
        "f(" * 100 + ")" * 100,
        "∂" * 1000,
        "½" * 500,
        "\u0301" * 9999,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_texts_end_quickly(text: str) -> None:
    check(text, longest=4 * LONGEST)
    with pytest.raises(WhenceError):
        read_model("J = x", shapes=text * 2)
