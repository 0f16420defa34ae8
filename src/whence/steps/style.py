"""How an explanation prints: formulas, pairings and the reasons beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whence.expr.node import SUM, Node
from whence.expr.sums import make_sum
from whence.messages.rules import RULES
from whence.notation.printer import Printer
from whence.read.syntax import Expr
from whence.shapes.dims import Dim
from whence.steps.record import Move, Pairing

FullShape = tuple[Dim, ...]
ONE = Dim.parse(1)
ALL_ONES = "𝟏"


@dataclass(frozen=True)
class Style:
    """How formulas are printed: a function from trees to text, the shapes, and the printer of nodes."""

    text: Callable[[Expr], str]
    printer: Printer
    shapes: Mapping[str, FullShape]
    statements: Mapping[str, tuple[Expr, int]]  # name -> its expression and line
    shape: Callable[[Expr], FullShape]
    scaled: str = ""  # the number by which adjoint names are larger than derivatives (the course's m)

    def tree(self, node: Node, row: bool = False) -> Expr:
        """A node as a formula; a vector as a column, or as a row."""
        return self.printer.forms(node)[1 if row and node.rank == 1 else 0].tree

    def node(self, node: Node, row: bool = False) -> str:
        """A node in textbook notation; a vector as a column, or as a row."""
        return self.text(self.tree(node, row))

    def is_row(self, name: str) -> bool:
        shape = self.shapes[name]
        return len(shape) == 2 and shape[0] == ONE and shape[1] != ONE

    def inside(self, node: Node) -> str:
        """A formula as it stands inside ⟨ , ⟩; an array of equal numbers as that number times ones."""
        if node.rank and node.kind == SUM and node.terms and not any(idx for _, fs in node.terms for _, idx, _ in fs):
            number = self.node(make_sum(node.terms, ()))
            return ALL_ONES if number == "1" else f"({number}) {ALL_ONES}"
        return self.node(node)

    def pairing(self, pair: Pairing) -> str:
        """⟨left, right⟩; of vectors both as columns, or both as rows."""
        if pair.left.rank == 1 and pair.row:
            return f"⟨{self.node(pair.left, True)}, {self.node(pair.right, True)}⟩"
        return f"⟨{self.inside(pair.left)}, {self.inside(pair.right)}⟩"

    def reason(self, move: Move) -> str:
        """The law of a move, and what it explains here."""
        rule = RULES[move.rule]
        return f"{rule.law}    {rule.reason.format(factor=self.moved(move))}"

    def moved(self, move: Move) -> str:
        """What moved, as it stands in the line before: a vector on the right of a product is a row."""
        if not move.moved:
            return ""
        factor = move.moved[0]
        if factor.rank == 2 and move.turned:
            return self.text(self.printer.forms(factor)[1].tree)
        vectors = move.before.left.rank == 1  # ⟨p, Q r⟩: a column r, or in a row ⟨p, r Q⟩ a row r
        row = move.before.row if vectors else move.rule == "right-factor"
        return self.node(factor, row).removeprefix("δ")
