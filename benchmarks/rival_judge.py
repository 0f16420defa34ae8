"""Judges the answers of all tools in the same way: by their values at random inputs of pairwise different sizes."""

from __future__ import annotations

import importlib
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rival_graph import Node
from rival_values import value_of
from rival_write import TooLong, formula_of

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "data"))
oracle: Any = importlib.import_module("oracle")  # the numerical truth of the tests
score: Any = importlib.import_module("score")
SEEDS = (0, 1, 2)


@dataclass
class Verdict:
    kind: str  # right, wrong
    detail: str = ""
    formula: str | None = None  # in the corpora's language, where it has the right values there too
    closed: bool = False


class Judge:
    """The truth of one problem, and what it makes of answers."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        self.truths = [oracle.evaluate(problem, seed) for seed in SEEDS]
        texts = [problem["expression"], *(d.split("=", 1)[1] for d in problem.get("definitions", []))]
        self.indexed = any(oracle.Formula(text).indexed for text in texts)
        known = problem["expected"]
        self.closable = bool(known) and score.plain(oracle.Formula(known), self.indexed)

    def formula(self, text: str, layout: str | None) -> Verdict:
        """A formula of the corpora's own language."""
        kind, detail = oracle.judge(self.problem, text, layout=layout, truths=self.truths)
        if kind != "right":
            return Verdict("wrong", f"{kind}: {detail}")
        return Verdict("right", formula=text, closed=score.plain(oracle.Formula(text), self.indexed))

    def graph(self, nodes: list[Node]) -> Verdict:
        """A rival's answer. Blocks of axes (value, variables) may stand in any order, axes of length 1 anywhere."""
        try:
            values = [value_of(nodes, truth["env"], oracle.FUNCTIONS) for truth in self.truths]
        except (ValueError, IndexError, np.linalg.LinAlgError) as fault:
            return Verdict("wrong", f"ill-shaped: {str(fault)[:150]}")
        if not all(np.isfinite(value).all() for value in values):
            return Verdict("wrong", "not finite")
        orders = list(itertools.permutations(range(1 + len(self.problem["wrt"]))))
        details = [self.compared(values, order) for order in orders]
        if "" not in details:
            return Verdict("wrong", details[0])
        return self.written([*nodes, *self.turned(nodes, values[0].ndim, orders[details.index("")])])

    def turned(self, nodes: list[Node], rank: int, order: tuple[int, ...]) -> list[Node]:
        """A last node that puts the blocks of axes as the corpora have them."""
        blocks = blocks_of(self.truths[0], self.problem["wrt"])
        if rank == 2 * len(blocks):  # the axes of length 1 are there, too
            blocks = [[1, 1] for _ in blocks]
        if order == tuple(sorted(order)) or rank != sum(len(block) for block in blocks):
            return []
        places: dict[int, list[int]] = {}
        for k in order:
            start = sum(len(group) for group in places.values())
            places[k] = list(range(start, start + len(blocks[k])))
        out = [axis for k in range(len(blocks)) for axis in places[k]]
        return [["einsum", [list(range(rank))], out, len(nodes) - 1]] if out != list(range(rank)) else []

    def compared(self, values: list[np.ndarray], order: tuple[int, ...]) -> str:
        """What is wrong with the values, at the first inputs where anything is."""
        for value, truth in zip(values, self.truths, strict=True):
            got = value.reshape([n for n in value.shape if n != 1])
            true = reordered(truth, self.problem["wrt"], order)
            kind, detail = oracle.compare(got, true)
            if kind != "right" and (got.any() or true.any()):  # a zero is a zero in every shape
                return f"{detail} (sizes {truth['sizes']})"
        return ""

    def written(self, nodes: list[Node]) -> Verdict:
        """Right; and its formula, if that can be written with the same values."""
        verdict = Verdict("right")
        try:
            text = formula_of(nodes, {n for n, s in self.problem["variables"].items() if len(s) == 2 and s[0] == 1})
        except TooLong:
            return verdict
        for shape, layout in itertools.product((text, f"({text}).T"), ("matrix", "vec")):
            if oracle.judge(self.problem, shape, layout=layout, truths=self.truths)[0] == "right":
                return self.formula(shape, layout)
        return verdict

    def ratio(self, formula: str) -> float | None:
        """Tokens relative to the known answer, where that uses nothing but the variables."""
        problem = self.problem
        if not problem["expected"] or problem.get("definitions"):
            return None
        return score.tokens(oracle.Formula(formula)) / score.tokens(oracle.Formula(problem["expected"]))


def blocks_of(truth: dict[str, Any], names: list[str]) -> list[list[int]]:
    """The axes of the value, then of each variable, without those of length 1."""
    shapes = [truth["value"].shape, *(truth["env"][name].shape for name in names)]
    return [[n for n in shape if n != 1] for shape in shapes]


def reordered(truth: dict[str, Any], names: list[str], order: tuple[int, ...]) -> np.ndarray:
    """The true derivative without axes of length 1, its blocks (value, then each variable) in this order."""
    true = np.asarray(truth["derivative"], float)
    true = true.reshape([n for n in true.shape if n != 1])
    blocks = blocks_of(truth, names)
    starts = [sum(len(block) for block in blocks[:k]) for k in range(len(blocks))]
    return true.transpose([starts[k] + axis for k in order for axis in range(len(blocks[k]))])
