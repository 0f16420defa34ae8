"""A pasted implementation: its assignments are judged, each for the gradient that it should be."""

from __future__ import annotations

import pytest

import whence

MODEL = "Z1 = W1 X + b1; A1 = tanh(Z1); Z2 = W2 A1 + b2; A2 = sigmoid(Z2)"
COST = "L = -(Y*log(A2) + (1 - Y)*log(1 - A2)); J = sum(L)/m"
SHAPES = "X: n0 x m, Y: n2 x m, W1: n1 x n0, b1: n1, W2: n2 x n1, b2: n2"
BACKWARD = """
import numpy as np

def backward_propagation(parameters, cache, X, Y):
    '''The backward pass.'''
    m = X.shape[1]
    W2 = parameters["W2"]
    A1, A2 = cache["A1"], cache["A2"]
    dZ2 = A2 - Y
    dW2 = (1/m) * np.dot(dZ2, A1.T)
    db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = (1/m) * np.dot(
        dZ1, X.T)
    db1 = (1/m) * np.sum(dZ1, axis=1, keepdims=True)
    grads = {"dW1": dW1, "db1": db1}
    return grads
"""


def net() -> whence.net.Net:  # type: ignore[name-defined]  # loaded with the model
    return whence.model(f"{MODEL}; {COST}", SHAPES)


def test_a_right_one_is_right_in_the_course_convention() -> None:
    found = net().check(BACKWARD)
    assert found.right and found.convention == "course"
    assert [line.name for line in found.lines] == ["dZ2", "dW2", "db2", "dZ1", "dW1", "db1"]
    assert "Python" in found.notes[0]


@pytest.mark.parametrize(
    "old, new, name, diagnosis",
    [
        ("np.dot(W2.T, dZ2)", "np.dot(W2, dZ2)", "dZ1", "missing-transpose"),
        ("1 - np.power(A1, 2)", "1 - A1", "dZ1", "wrong-power"),
        ("np.sum(dZ1, axis=1", "np.sum(dZ1, axis=0", "db1", "sum-over-wrong-axis"),
        ("(1/m) * np.sum(dZ2", "np.sum(dZ2", "db2", "missing-factor"),
        ("dZ1, X.T", "X, dZ1.T", "dW1", "layout-transposed"),
        ("dZ2 = A2 - Y", "dZ2 = Y - A2", "dZ2", "wrong-sign"),
    ],
)
def test_the_first_wrong_line_and_its_mistake(old: str, new: str, name: str, diagnosis: str) -> None:
    assert old in BACKWARD
    found = net().check(BACKWARD.replace(old, new))
    faults = [line for line in found.lines if not line.right and not line.inherits and line.of]
    assert not found.right and faults[0].name == name
    assert diagnosis in (faults[0].own.diagnosis, *faults[0].own.also)


def test_what_a_program_calls_its_gradients() -> None:
    text = """
class Layer(Module):
    def backward(self, X):
        N = X.shape[1]
        out = self.W @ X + self.b
        Z = W @ X + b
        dZ = (torch.tanh(Z) - Y) * (1 - torch.tanh(Z)**2) / N
        self.W.grad = dZ.mm(X.t())
        grads["b"] = dZ.sum(1, keepdim=True)
        return grads
"""
    layer = whence.model("Z = W X + b; A = tanh(Z); J = sum((A - Y)^2)/(2 m)", "W: k x n, X: n x m, b: k, Y: k x m")
    found = layer.check(text)
    assert found.right and [line.name for line in found.lines][-2:] == ["dW", "db"]
    assert any("N is m" in note for note in found.notes)


def test_a_forward_line_is_compared_with_the_model() -> None:
    found = net().check("import numpy\nZ1 = W1 @ X - b1\ndZ1 = np.dot(W2.T, dZ2) * (1 - np.tanh(Z1)**2)")
    assert found.lines[0].own.verdict == "wrong" and "model" in found.lines[0].own.detail
