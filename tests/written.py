"""Every known answer of the corpora written in every dialect and read again.

    python tests/written.py [--list] [DIALECT ...]

prints how many come back the same, how many are refused, and that none comes back as anything else. `whence` itself
takes a text only if it is read as the same tree (`notation.same`). Here it is judged a second time, by the expression
graph, in which what is equal by the rules of algebra is one object.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import corpus
from whence.expr.build import Scope, build
from whence.expr.canonical import canonical
from whence.expr.node import Node, dimension, variable
from whence.expr.values import Value, core
from whence.messages.errors import RefusedError
from whence.notation.markdown import unescaped
from whence.notation.writing import WRITINGS, written
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json
from whence.read.reading import read_typed
from whence.read.syntax import Expr
from whence.shapes.dims import Dim
from whence.shapes.infer import infer

DIALECTS = ("unicode", "course", "latex", "numpy", "octave", "canonical")


@dataclass
class Formula:
    """A known answer with what is declared where it stands."""

    id: str
    text: str
    tree: Expr
    table: Any
    shapes: dict[str, Any]
    functions: tuple[str, ...]

    def shape_of(self, part: Expr) -> Any:
        return self.table.shape_of(part, extra=self.shapes)

    def node(self, tree: Expr) -> Node:
        values = {n: Value(variable(n, core(s)), s) for n, s in self.shapes.items()}
        values |= {symbol: Value(dimension(Dim.parse(symbol)), ()) for symbol in self.table.dims}
        return canonical(build(tree, Scope(values, frozenset(self.functions))).node)


@dataclass
class Count:
    """What became of the formulas in one dialect."""

    same: int = 0
    refused: list[Formula] = field(default_factory=list)
    different: list[tuple[Formula, str]] = field(default_factory=list)


def formulas(*names: str) -> Iterator[Formula]:
    """The known answers of corpora, both classic and deep where none is named."""
    for item in corpus.problems(*names):
        if not item.get("expected"):
            continue
        problem = problem_from_json(corpus.question(item))
        table = infer(problem.model)
        shapes = {row.name: row.shape for row in table.rows}
        shapes |= {adjoint: shapes[of] for adjoint, of in problem.adjoints.items()}
        functions = tuple(problem.model.functions)
        tree = parse_expression(item["expected"], dialect="canonical", functions=functions)
        yield Formula(item["id"], item["expected"], tree, table, shapes, functions)


def put(formula: Formula, dialect: str) -> str:
    """The formula in a dialect, as whence gives it out."""
    return written(formula.tree, dialect, formula.shape_of, formula.shapes, formula.functions)


def read_again(formula: Formula, text: str, dialect: str) -> Expr:
    """The formula that the text is read as."""
    way = WRITINGS[dialect]
    given = {
        "variables": {name: [str(size) for size in shape] for name, shape in formula.shapes.items()},
        "functions": dict.fromkeys(formula.functions, "elementwise"),
    }
    (line,) = read_typed(unescaped(text) if way.markdown else text, given, way.read_as).lines
    return line.expression


def count(some: list[Formula], dialect: str) -> Count:
    out = Count()
    for formula in some:
        try:
            text = put(formula, dialect)
        except RefusedError:
            out.refused.append(formula)
            continue
        back = read_again(formula, text, dialect)
        if back == formula.tree or formula.node(back) is formula.node(formula.tree):
            out.same += 1
        else:
            out.different.append((formula, text))
    return out


def main(arguments: list[str]) -> int:
    asked = [a for a in arguments if a in WRITINGS] or [*DIALECTS, "discourse"]
    some = list(formulas())
    counts = {dialect: count(some, dialect) for dialect in asked}
    print(f"{len(some)} formulas")
    for dialect, found in counts.items():
        share = 100 * len(found.refused) / len(some)
        refused, different = len(found.refused), len(found.different)
        print(f"{dialect:10} same {found.same:4}   refused {refused:3} ({share:.1f} %)   different {different}")
        for formula in found.refused if "--list" in arguments else ():
            print("    refused   ", formula.id, formula.text)
        for formula, text in found.different:
            print("    different ", formula.id, formula.text, "|", text)
    return int(any(found.different for found in counts.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
