"""The engine's own words written in the words of the language, as their entries say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from whence.expr.build import Scope, dim_of, parsed
from whence.expr.node import Node
from whence.expr.opaque import argument_value, letters, placeholders
from whence.notation.out import ATOM_LEVEL, PRODUCT_LEVEL, Out
from whence.ops.entry import Op
from whence.read.canonical import to_text
from whence.read.syntax import Binary, Call, Expr, Index, Name, Number, Range, Transpose
from whence.read.walk import names_in
from whence.shapes.dims import Dim

_TOKEN = re.compile(r"\w+|[^\w\s]")


def spelled(op: Op, node: Node, arguments: Sequence[Out], write: Callable[[Dim], Out]) -> Out:
    """A call of the word as a formula; `write` prints a size."""
    values = [argument_value(node, a) for a in node.arguments]
    sizes = letters(op, values)
    names = {x: a.tree for x, a in zip(placeholders(op, len(values)), arguments, strict=True)}
    tree = _Filled(names, sizes, write).go(parsed(op.spelled))
    level = PRODUCT_LEVEL if isinstance(tree, Binary) else ATOM_LEVEL
    return Out(tree, len(_TOKEN.findall(to_text(tree))), level)


class _Filled:
    """Puts arguments for their letters, and sizes for formulas of sizes."""

    def __init__(self, names: Mapping[str, Expr], sizes: Mapping[str, Dim], write: Callable[[Dim], Out]) -> None:
        self.names, self.sizes, self.write = names, sizes, write

    def go(self, tree: Expr) -> Expr:
        names = set() if isinstance(tree, Number | Call | Index | Transpose) else names_in(tree)
        if names and names <= self.sizes.keys():
            return self.write(dim_of(tree, Scope({}, sizes=self.sizes))).tree
        match tree:
            case Name(id=name):
                return self.names.get(name, tree)
            case Binary(left=a, right=b):
                return replace(tree, left=self.go(a), right=self.go(b))
            case Transpose(operand=a):
                return replace(tree, operand=self.go(a))
            case Call(arguments=arguments):
                return replace(tree, arguments=tuple(self.go(a) for a in arguments))
            case Index(operand=a, places=places):
                return replace(tree, operand=self.go(a), places=tuple(self.place(p) for p in places))
        return tree

    def place(self, place: Expr | Range) -> Expr | Range:
        if not isinstance(place, Range):
            return place
        low, high = (None if end is None else self.go(end) for end in (place.low, place.high))
        return replace(place, low=low, high=high)
