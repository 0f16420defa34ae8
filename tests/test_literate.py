"""Runs the examples of tests/literate/*.md; their format is described at the top of each file."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import corpus
import whence

FOLDER = Path(__file__).parent / "literate"
ITEM = re.compile(r"- `(?P<asked>[^`]+)` (?P<verb>is|error) (?P<rest>.+)")
JACOBIAN = re.compile(r"d (\w+) / d (\w+)")


@dataclass(frozen=True)
class Item:
    """One line of a literate file: what is asked of a model, and what must come out."""

    path: Path
    line: int  # of the item in the file, from 0
    model: str
    asked: str
    verb: str
    rest: str

    def __str__(self) -> str:
        return f"{self.path.stem}:{self.line + 1}:{self.asked.replace(' ', '')}"


def items(path: Path) -> list[Item]:
    out: list[Item] = []
    lines = path.read_text(encoding="utf-8").split("-->", 1)
    skipped = lines[0].count("\n")
    model: list[str] = []
    inside = False
    for number, line in enumerate(lines[1].split("\n"), skipped):
        if line.startswith("```"):
            inside = line.strip() == "```model"
            model = [] if inside else model
        elif inside:
            model.append(line)
        elif match := ITEM.fullmatch(line.strip()):
            out.append(Item(path, number, "\n".join(model), match["asked"], match["verb"], match["rest"]))
        else:
            assert not line.startswith("- "), f"{path.name}:{number + 1} is no item: {line}"
    return out


ITEMS = [item for path in sorted(FOLDER.glob("*.md")) for item in items(path)]


def canonical(formula: str, model: str) -> Any:
    """The syntax tree, normalised as the scores do it; the model's sizes and scalars count as numbers."""
    if str(corpus.DATA) not in sys.path:
        sys.path.insert(0, str(corpus.DATA))
    declared = " ".join(line.partition(" ")[2] for line in model.split("\n") if line.startswith("shape "))
    sizes = {w for shape in re.findall(r":([^,:]+)", declared) for w in re.findall(r"\w+", shape)} - {"x", "scalar"}
    scalars = set(re.findall(r"(\w+): *scalar", declared))
    return importlib.import_module("score").canonical(formula, frozenset(sizes | scalars))


def derive(item: Item) -> Any:
    net = whence.model(item.model)
    jacobian = JACOBIAN.fullmatch(item.asked)
    if jacobian:
        return net.jacobian(jacobian[1], jacobian[2])
    assert item.asked.startswith("d"), item.asked
    return net.gradient(item.asked[1:])


def test_there_are_examples_of_both_kinds() -> None:
    assert len([i for i in ITEMS if i.verb == "is"]) >= 30
    assert len([i for i in ITEMS if i.verb == "error"]) >= 12


@pytest.mark.parametrize("item", ITEMS, ids=str)
def test_literate(item: Item, update_golden: bool) -> None:
    if item.verb == "error":
        check_error(item)
        return
    formula = derive(item).formula
    accepted = re.findall(r"`([^`]+)`", item.rest)
    if canonical(formula, item.model) in [canonical(a, item.model) for a in accepted]:
        return
    if update_golden:
        lines = item.path.read_text(encoding="utf-8").split("\n")
        lines[item.line] = f"- `{item.asked}` is `{formula}`"
        item.path.write_text("\n".join(lines), encoding="utf-8")
        return
    pytest.fail(f"{item.asked} is {formula}, the file says {' or '.join(accepted)}")


def check_error(item: Item) -> None:
    match = re.fullmatch(r"`([\w-]+)`(?: at (\d+):(\d+))?", item.rest)
    assert match is not None, item.rest
    with pytest.raises(whence.WhenceError) as caught:
        derive(item)
    error = caught.value
    assert error.code == match[1], error
    assert str(error) and error.help, "an error says what happened, and one next step"
    if match[2]:
        assert (error.line, error.column) == (int(match[2]), int(match[3]))
