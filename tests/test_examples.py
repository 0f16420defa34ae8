"""The example models of layers: each derives whole, and the formulas that papers print come out."""

from __future__ import annotations

from pathlib import Path

import pytest

import whence

EXAMPLES = Path(__file__).parent.parent / "examples"
FORMULAS = {
    "attention": {
        "V": "P.mT @ dO",
        "S": "P * (dP - sum(dP * P, axis=-1)) * step(M)",
        "Q": "dS @ K / sqrt(D)",
        "K": "dS.mT @ Q / sqrt(D)",
    },
    "attention_recomputed": {"F": "-sum(dP * P, axis=-1)", "S": "P * (dP + dF)"},
    "grouped_query_attention": {"K": "dS.mT @ Q / sqrt(D)"},
    "layer_norm_tokens": {"gamma": "sum(G * N, axis=(0, 1))", "beta": "sum(G, axis=(0, 1))"},
    "rms_norm": {"X": "dN/s + ds * N / D"},
    "group_norm": {"gamma": "sum(G * Z, axis=(0, 3))"},
    "batch_norm": {"beta": "sum(G, axis=(0, 2))"},
    "language_model_loss": {"Z": "dL * (softmax(Z, axis=-1) - Y)", "E": "sum(dZ.mT @ X + I.mT @ dX, axis=0)"},
    "rotary_embedding": {"X": "concat(dA, dU, axis=-1)"},
    "gated_mlp": {"O": "sum(H.mT @ dY, axis=0)"},
    "mixture_of_experts": {"R": "sum(X.mT @ (P * (dP - sum(dP * P, axis=-1))), axis=0)"},
    "lstm_step": {"W": "X.T @ dZ", "c1": "dh1 * (o - h1 * tanh(c1))"},
    "convolution": {"W1": "sum(X[:, 1:1 + T, :].mT @ dY, axis=0)"},
}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_layer_derives_whole(name: str) -> None:
    net = whence.model((EXAMPLES / f"{name}.txt").read_text(encoding="utf-8"))
    assert {n: net.gradient(n).formula for n in FORMULAS[name]} == FORMULAS[name]
    for d in net.backward():
        assert d.answer.closed_form, (d.name, d.formula)
