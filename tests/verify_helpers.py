"""Claims from problems of the corpus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from whence.read.parser import parse_expression
from whence.read.syntax import Expr, Shape
from whence.verify import Claim

DATA = Path(__file__).parent / "data"


def parse(text: str) -> Expr:
    return parse_expression(text, dialect="canonical")


def shape(sizes: list[int | str]) -> Shape:
    return tuple(sizes) if len(sizes) != 1 else (sizes[0], 1)


def claim_of(problem: dict[str, Any], answer: str, adjoints: dict[str, tuple[str, str]] | None = None, **changes: Any) -> Claim:
    """The claim that `answer` solves a problem; `adjoints`: name -> (of, formula)."""
    pairs = [d.split("=", 1) for d in problem.get("definitions", [])]
    functions = tuple(problem.get("functions", {}))

    def read(text: str) -> Expr:
        return parse_expression(text.strip(), functions=functions, dialect="canonical")

    fields: dict[str, Any] = {
        "variables": {n: shape(s) for n, s in problem["variables"].items()},
        "assume": {n: tuple(t) for n, t in problem.get("assume", {}).items()},
        "functions": functions,
        "definitions": tuple((n.strip(), read(e)) for n, e in pairs),
        "expression": read(problem["expression"]),
        "wrt": tuple(problem["wrt"]),
        "answer": read(answer),
        "adjoints": {n: (of, read(f)) for n, (of, f) in (adjoints or {}).items()},
        "layout": problem.get("layout", "matrix"),
        "structured": problem.get("structured", False),
    }
    return Claim(**(fields | changes))


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
