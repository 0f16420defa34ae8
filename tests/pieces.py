"""Pieces of random programs: formulas with shapes and bounds of their entries, and what a program declares."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

Size = str | int
Shape = tuple[Size, ...]  # () a scalar, ("n", 1) a column, (1, "m") a row, ("n", "m") a matrix

DIMENSIONS = ("n", "m", "p", "q")
LARGEST = 30.0  # entries beyond this are brought back before they are used further
SUM, PRODUCT, UNARY, POWER, ATOM = range(1, 6)  # how strongly the outermost operation of a text binds


@dataclass(frozen=True)
class Piece:
    """A formula with what is known of its entries."""

    text: str
    shape: Shape
    low: float
    high: float
    depth: int = 0
    binds: int = ATOM
    flat: bool = False  # may take one value with positive probability: relu(x), step(x), where(C, 1, 0)
    uses: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        assert self.low <= self.high, self

    @property
    def size(self) -> float:
        return max(abs(self.low), abs(self.high))

    def within(self, strength: int) -> str:
        """The text as an operand of an operation that needs operands binding at least so strongly."""
        return self.text if self.binds >= strength else f"({self.text})"


class Misfit(Exception):
    """This draw leads nowhere (no room for a variable, an operand outside a domain): draw again."""


def is_square(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == shape[1] != 1


def is_column(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] != 1 and shape[1] == 1


def is_row(shape: Shape) -> bool:
    return len(shape) == 2 and shape[0] == 1 and shape[1] != 1


def is_matrix(shape: Shape) -> bool:
    return len(shape) == 2 and 1 not in shape


def declared(shape: Shape) -> list[Size]:
    """The shape as a problem declares it: a column by its one size."""
    return [shape[0]] if is_column(shape) else list(shape)


def product_range(a: Piece, b: Piece, terms: float = 1) -> tuple[float, float]:
    """Bounds of a sum of `terms` products of an entry of `a` and an entry of `b`."""
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return min(terms * min(corners), min(corners)), max(terms * max(corners), max(corners))


def combine(
    text: str, shape: Shape, low: float, high: float, *parts: Piece, binds: int = ATOM, flat: bool | None = None
) -> Piece:
    return Piece(
        text,
        shape,
        low,
        high,
        depth=1 + max((p.depth for p in parts), default=0),
        binds=binds,
        flat=any(p.flat for p in parts) if flat is None else flat,
        uses=frozenset().union(*(p.uses for p in parts)),
    )


# name, argument range, value range: functions that are monotone or bounded on the range they are given
ELEMENTWISE: tuple[tuple[str, float, float, Callable[[float, float], tuple[float, float]]], ...] = (
    ("tanh", -LARGEST, LARGEST, lambda a, b: (-1, 1)),
    ("sigmoid", -LARGEST, LARGEST, lambda a, b: (0.0, 1)),
    ("sin", -LARGEST, LARGEST, lambda a, b: (-1, 1)),
    ("cos", -LARGEST, LARGEST, lambda a, b: (-1, 1)),
    ("atan", -LARGEST, LARGEST, lambda a, b: (-1.6, 1.6)),
    ("erf", -LARGEST, LARGEST, lambda a, b: (-1, 1)),
    ("softplus", -LARGEST, LARGEST, lambda a, b: (0.0, max(b, 0) + 0.7)),
    ("gelu", -LARGEST, LARGEST, lambda a, b: (-0.2, max(b, 0))),
    ("exp", -8.0, 3.0, lambda a, b: (0.0003, 20.1)),
    ("sinh", -3.0, 3.0, lambda a, b: (-10.1, 10.1)),
    ("cosh", -3.0, 3.0, lambda a, b: (1, 10.1)),
    ("tan", -1.2, 1.2, lambda a, b: (-2.6, 2.6)),
    ("asin", -0.9, 0.9, lambda a, b: (-1.2, 1.2)),
    ("acos", -0.9, 0.9, lambda a, b: (0.45, 2.7)),
    ("log", 0.05, 10 * LARGEST, lambda a, b: (-3, 6)),
    ("sqrt", 0.05, 10 * LARGEST, lambda a, b: (0.2, 18)),
    ("abs", -LARGEST, LARGEST, lambda a, b: (0.0, max(-a, b))),
    ("relu", -LARGEST, LARGEST, lambda a, b: (0.0, max(b, 0))),
)
EXPONENTS = (("(1/2)", 0.5), ("0.5", 0.5), ("(-1)", -1.0), ("(-1/2)", -0.5), ("1.5", 1.5))
KINKED = frozenset({"abs", "relu"})
FLATTENING = frozenset({"relu"})


class Overgrown(Exception):
    """So many draws were in vain that a fresh start is quicker."""


@dataclass
class Ground:
    """What a program declares: its variables, functions and intermediates. `random` is the only source of chance."""

    random: random.Random
    variables: dict[str, Piece] = field(default_factory=dict)
    assume: dict[str, list[str]] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)
    definitions: dict[str, Piece] = field(default_factory=dict)
    bodies: dict[str, str] = field(default_factory=dict)
    steps: int = 0

    def dimension(self) -> str:
        return self.random.choice(DIMENSIONS[:3]) if self.random.random() < 0.9 else DIMENSIONS[3]

    def variable(self, shape: Shape, tags: tuple[str, ...] = ()) -> Piece:
        """A variable of this shape: one that is there already, or a new one."""
        there = [n for n, v in self.variables.items() if v.shape == shape and self.assume.get(n, []) == list(tags)]
        if there and (self.random.random() < 0.55 or len(self.variables) >= 8):
            return self.variables[self.random.choice(there)]
        if len(self.variables) >= 8:
            raise Misfit("enough variables")
        pool = "ABCWXY" if is_matrix(shape) else "abuvwxy" if shape else "stck"
        taken = set(self.variables) | set(DIMENSIONS)
        free = [c + d for d in ("", "1", "2", "3") for c in pool if c + d not in taken]
        name = self.random.choice(free[: len(pool)])
        low, high = (0.3, 1.5) if "positive" in tags else (0.08, 0.92) if "unit-interval" in tags else (-2.5, 2.5)
        self.variables[name] = Piece(name, shape, low, high, uses=frozenset({name}))
        if tags:
            self.assume[name] = list(tags)
        return self.variables[name]

    def leaf(self, shape: Shape) -> Piece:
        if not shape and self.random.random() < 0.35:
            number = self.random.choice(("2", "3", "0.5", "1.5"))
            return Piece(number, (), float(number), float(number))
        plain = self.random.random() < 0.75 or is_square(shape)
        return self.variable(shape, () if plain else (self.random.choice(("positive", "unit-interval")),))

    def named(self, piece: Piece) -> Piece:
        """The piece as a named intermediate of the program."""
        if len(self.definitions) >= 5 or piece.depth == 0 or not piece.uses or piece.text in self.definitions:
            return piece
        letter = "Z" if is_matrix(piece.shape) else "z" if piece.shape else "r"
        name = f"{letter}{1 + len(self.definitions)}"
        self.bodies[name] = piece.text
        self.definitions[name] = Piece(
            name, piece.shape, piece.low, piece.high, piece.depth, flat=piece.flat, uses=piece.uses | {name}
        )
        return self.definitions[name]
