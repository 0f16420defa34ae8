"""Inferred shapes against numbers: every definition, expression and answer of the sample problems."""

from __future__ import annotations

from typing import Any

import pytest

import corpus
from trees import tree
from whence.read.syntax import Model, Statement
from whence.shapes.infer import infer
from whence.shapes.words import Sizes


def problem(item: dict[str, Any]) -> Model:
    shapes = {name: (*shape, 1) if len(shape) == 1 else tuple(shape) for name, shape in item["variables"].items()}
    lines = [line.split("=", 1) for line in item.get("definitions", [])]
    statements = [Statement(name.strip(), tree(right, k), k) for k, (name, right) in enumerate(lines, 1)]
    return Model(tuple(statements), shapes, functions=tuple(item.get("functions", {})))


@pytest.mark.parametrize("name", ["classic", "deep"])
def test_shapes_are_those_of_the_numbers(oracle: Any, name: str) -> None:
    wrong = []
    for item in corpus.problems(name):
        found = infer(problem(item))
        result = oracle.evaluate(item, 0)

        def numbers(shape: Sizes, sizes: dict[str, int] = result["sizes"]) -> tuple[int, ...]:
            return tuple(d.value(sizes) for d in shape)

        pairs = [(numbers(found.shape_of(tree(item["expression"]))), result["value"].shape)]
        for statement in problem(item).statements:
            pairs.append((numbers(found.shape(statement.target)), tuple(result["env"][statement.target].shape)))
        if item["expected"] and result["value"].size == 1:
            adjoints = {a: found.shape(of) for a, of in item.get("adjoints", {}).items()}
            shape = numbers(found.shape_of(tree(item["expected"]), extra=adjoints))
            pairs.append((shape, oracle.run(item["expected"], result["env"]).shape))
        wrong += [(item["id"], got, want) for got, want in pairs if got != tuple(want)]
    assert not wrong
