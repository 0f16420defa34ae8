"""Derivations exported as data: accepted by school algebra alone, rejected with any step corrupted."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

import whence
from solving import ROOT
from test_steps import corpus_derivatives
from whence.net import Derivative
from whence.read.canonical import to_text
from whence.read.parser import parse_expression
from whence.read.syntax import Binary, Expr, Negative, Transpose
from whence.verify.replayed import replayed
from whence.verify.school import MOVES

# Models of two axes: steps of tensors, and of the layers of engineers, are not written out yet.
WITH_STEPS = ("layer_norm", "logistic_regression", "two_layer", "two_layer_canonical", "two_layer_slide")
EXAMPLES = [ROOT / "examples" / f"{name}.txt" for name in WITH_STEPS]


def as_json(d: Derivative) -> dict[str, Any]:
    return json.loads(json.dumps(d.exported()))


def derivations() -> list[Derivative]:
    found = [d for path in EXAMPLES for d in whence.model(path.read_text(encoding="utf-8")).backward()]
    return [d for d in found if d.derivation.complete and not d.notes]


def test_the_moves_are_few() -> None:
    assert len(MOVES) <= 20


def test_every_gradient_of_the_examples_is_accepted() -> None:
    for d in derivations():
        assert replayed(as_json(d)), d


def test_most_of_the_developers_corpus_is_accepted() -> None:
    found = [d for name in ("classic", "deep") for d in corpus_derivatives(name, 40) if d.derivation.complete]
    accepted = sum(bool(replayed(as_json(d))) for d in found)
    assert accepted >= 0.8 * len(found)


def slips(tree: Expr, random: Random) -> Expr:
    """The formula with one slip: a sign, twice as much, a transpose, an order, a part left out."""
    out: list[Expr] = [Negative(tree), Binary("+", tree, tree)]
    if isinstance(tree, Binary):
        if tree.operator in ("+", "-"):
            out.append(tree.left)
        if tree.operator == "@":
            out += [Binary("@", tree.right, tree.left), Binary("@", Transpose(tree.left), tree.right)]
    return random.choice(out)


def places(data: Any) -> list[tuple[Any, str]]:
    """Every formula of a derivation that is claimed, with the object that holds it."""
    out: list[tuple[Any, str]] = [(data, "answer")]
    for stage in data["stages"]:
        out += [(stage, key) for key in ("adjoint", "change", "result")]
        out += [(step, key) for path in stage["paths"] for step in path for key in ("left", "right")]
    return out


def test_one_corrupted_step_is_rejected() -> None:
    random = Random(7)
    total = 0
    for d in derivations():
        data = as_json(d)
        for k in range(len(places(data))):
            wrong = json.loads(json.dumps(data))
            holder, key = places(wrong)[k]
            tree = parse_expression(holder[key], dialect="canonical", functions=data["functions"])
            slip = slips(tree, random)
            holder[key] = to_text(slip)
            total += 1
            assert not replayed(wrong), (str(d), key, holder[key])
    assert total >= 200


@pytest.mark.parametrize("change", [{"stages": []}, {"format": 2}, {"answer": "W2 @"}, {"shapes": {}}])
def test_what_is_no_derivation_is_rejected(change: dict[str, Any]) -> None:
    net = whence.model(EXAMPLES[-1].read_text(encoding="utf-8"))
    data = as_json(net.gradient(net.model.targets[0])) | change
    assert not replayed(data)


def test_a_stage_left_out_is_told() -> None:
    net = whence.model("a = tanh(x)\nb = x**2\nJ = sum(a * b)", shapes="x: n")
    data = as_json(net.gradient("x"))
    assert replayed(data)
    kept = [s for s in data["stages"] if s["line"] != "b"]
    assert "missing" in replayed(data | {"stages": kept}).failed
