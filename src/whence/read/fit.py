"""Which shape a formula has as far as it is sure, and whether two parts fit: what decides how a product is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Name,
    Negative,
    Number,
    Range,
    Shape,
    Transpose,
    Tuple,
)
from whence.read.vocabulary import entry, without_primes

_DEEPEST = 60  # a formula within which more nests is taken as unknown
_ARGUMENT = re.compile(r"(?:size )?(?P<name>\w+)(?:\[(?P<sizes>[^\]]*)\])?")


@dataclass(slots=True)
class Shapes:
    """The shapes of names, and those of the parts of formulas once they were asked for."""

    names: Mapping[str, Shape]
    known: dict[int, tuple[Expr, Shape | None]] = field(default_factory=dict)

    @property
    def tensors(self) -> bool:
        """Has any name more than two axes?"""
        return any(len(shape) > 2 for shape in self.names.values())

    def of(self, expr: Expr, depth: int = _DEEPEST) -> Shape | None:
        """The shape of a formula if it follows from the known ones: () a number, ("n", 1) a column; None if not.

        >>> from whence.read.parser import parse_expression
        >>> Shapes({"W": ("k", "n"), "x": ("n", 1)}).of(parse_expression("W @ x"))
        ('k', 1)
        """
        if isinstance(expr, Name):
            return self.names.get(expr.id)
        if isinstance(expr, Number):
            return ()
        if depth == 0:
            return None
        found = self.known.get(id(expr))
        if found is not None:
            return found[1]
        shape = self._of(expr, depth - 1)
        self.known[id(expr)] = (expr, shape)
        return shape

    def _of(self, expr: Expr, depth: int) -> Shape | None:
        if isinstance(expr, Negative):
            return self.of(expr.operand, depth)
        if isinstance(expr, Transpose):
            inner = self.of(expr.operand, depth)
            return None if inner is None else (*inner[:-2], *inner[:-3:-1])
        if isinstance(expr, Compare):
            return broadcast(self.of(expr.left, depth), self.of(expr.right, depth))
        if isinstance(expr, Binary):
            left, right = self.of(expr.left, depth), self.of(expr.right, depth)
            if expr.operator == "@":
                return product(left, right)
            return left if expr.operator == "**" and right == () else broadcast(left, right)
        if isinstance(expr, Index):
            return self._index(expr, depth)
        return self._call(expr, depth) if isinstance(expr, Call) else None

    def _index(self, expr: Index, depth: int) -> Shape | None:
        inner = self.of(expr.operand, depth)
        if inner is not None and len(inner) == len(expr.places) == 2 and Range() in expr.places:
            rows, columns = expr.places
            if not (isinstance(rows, Range) and isinstance(columns, Range)):
                return (inner[0], 1) if isinstance(rows, Range) else (1, inner[1])
        if inner is None or any(isinstance(place, Range) for place in expr.places):
            return None
        if len(expr.places) == 1 and len(inner) == 2 and 1 not in inner:
            return (inner[1], 1)  # a row of the matrix, as a column
        return () if len(expr.places) == len(inner) or 1 in inner else None

    def _call(self, expr: Call, depth: int) -> Shape | None:
        op = entry(without_primes(expr.name)[0])
        arguments = [self.of(argument, depth) for argument in expr.arguments]
        if op is None or op.kind == "elementwise":
            shape: Shape | None = ()
            for argument in arguments:
                shape = broadcast(shape, argument)
            return shape
        if op.gives in ("[]", "[...]"):
            return ()
        if op.gives == "X":
            return arguments[0]
        if op.gives == "axis":
            return self._reduced(expr, arguments[0])
        return self._by_letters(op.takes, op.gives, expr, arguments)

    @staticmethod
    def _reduced(expr: Call, shape: Shape | None) -> Shape | None:
        axis = next((value for word, value in expr.keywords if word == "axis"), None)
        if axis is None:
            return ()
        if shape is not None and len(shape) > 2 and not isinstance(axis, Tuple):
            at = -axis.operand.value if isinstance(axis, Negative) and isinstance(axis.operand, Number) else None
            at = axis.value if isinstance(axis, Number) else at
            if at is None or not -len(shape) <= at < len(shape):
                return None
            k = int(at) % len(shape)
            return (*shape[:k], 1, *shape[k + 1 :])
        if shape is None or len(shape) != 2 or not isinstance(axis, Number):
            return None
        return (1, shape[1]) if axis.value == 0 else (shape[0], 1)

    @staticmethod
    def _by_letters(takes: str, gives: str, expr: Call, arguments: list[Shape | None]) -> Shape | None:
        """By the notation of the table: X[n,m] binds n and m, [m,n] is then the shape of the value."""
        if gives == "sizes":
            sizes = tuple(_size(argument) for argument in expr.arguments)
            known = tuple(size for size in sizes if size is not None)
            return None if len(known) < len(sizes) else (*known, 1) if len(known) == 1 else known
        first = takes.split("|")[0]
        found = list(_ARGUMENT.finditer(re.sub(r"\[[^\]]*\]", lambda m: m.group().replace(",", ";"), first)))
        sizes_of: dict[str, int | str] = {}
        for k, argument in enumerate(expr.arguments[: len(found)]):
            letters = (found[k].group("sizes") or "").replace("...;", "").split(";")
            shape = arguments[k]
            if first.split(",")[k : k + 1] and found[k].group().startswith("size "):
                size = _size(argument)
                if size is not None:
                    sizes_of[found[k].group("name")] = size
            elif shape is not None and letters != [""]:
                row_or_column = [s for s in shape if s != 1] or [1]
                of = row_or_column if len(letters) == 1 else list(shape) or [1, 1]
                sizes_of.update(zip(letters, of, strict=False))
        wanted = gives.split("|")[0].strip().strip("[]").replace("...,", "").split(",")
        out = [_times([sizes_of.get(s, "1" if s == "1" else "") for s in w.split("*")]) for w in wanted]
        return None if any(size is None for size in out) else tuple(s for s in out if s is not None)


def _size(expr: Expr) -> int | str | None:
    if isinstance(expr, Number):
        return int(expr.value)
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Binary) and expr.operator == "*":
        return _times([_size(expr.left), _size(expr.right)])
    return None


def _times(parts: list[int | str | None]) -> int | str | None:
    """The product of sizes, the symbols in order: n*q and q*n are one size."""
    number, symbols = 1, list[str]()
    for part in parts:
        if part is None or part == "" or (isinstance(part, str) and ("+" in part or "-" in part)):
            return None
        for piece in str(part).split("*"):
            if piece.isdigit():
                number *= int(piece)
            else:
                symbols.append(piece)
    if not symbols:
        return number
    return "*".join([*([str(number)] if number != 1 else []), *sorted(symbols)])


def same_size(a: int | str, b: int | str) -> bool:
    """Are two sizes one? Products of symbols count in any order."""
    return a == b or _times([a]) == _times([b])


def product(left: Shape | None, right: Shape | None) -> Shape | None:
    """The shape of the matrix product where it fits, else None."""
    if left is None or right is None or len(left) < 2 or len(right) < 2 or not same_size(left[-1], right[-2]):
        return None
    shape = (*(left if len(left) > len(right) else right)[:-2], left[-2], right[-1])
    return () if shape == (1, 1) else shape


def broadcast(left: Shape | None, right: Shape | None) -> Shape | None:
    """The shape of a product entry by entry where it fits, else None."""
    if left is None or right is None:
        return None
    if left in ((), (1, 1)):
        return right
    if right in ((), (1, 1)):
        return left
    if len(left) != len(right):
        return left if len(left) > len(right) else right
    out: list[int | str] = []
    for a, b in zip(left, right, strict=True):
        if not (a == 1 or b == 1 or same_size(a, b)):
            return None
        out.append(b if a == 1 else a)
    return tuple(out)
