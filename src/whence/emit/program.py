"""What is to be emitted: a model's lines and verified derivatives, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from whence.read.syntax import Expr, Function
from whence.shapes.dims import Dim

Shape = tuple[Dim, ...]


@dataclass(frozen=True)
class Output:
    """One verified derivative: what the code calls it, its formula and shape, and how it reads in a textbook."""

    name: str
    tree: Expr
    shape: Shape
    wrt: tuple[str, ...]
    layout: str = "matrix"  # vec, or turned: the transpose of it
    times: str = ""  # the size by which the convention multiplies it


@dataclass(frozen=True)
class Program:
    """A model with derivatives of one of its names. All formulas are in the canonical language."""

    inputs: Mapping[str, Shape]
    dims: tuple[str, ...]
    statements: tuple[tuple[str, Expr], ...]
    of: str
    of_shape: Shape
    outputs: tuple[Output, ...]
    adjoints: tuple[tuple[str, Expr], ...] = ()  # in the order in which they are computed
    functions: tuple[str, ...] = ()
    defined: Mapping[str, Function] = field(default_factory=dict)
    assume: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)  # of all names
    verified: tuple[str, ...] = ()  # the certificate's lines
    sizes: Mapping[str, int] = field(default_factory=dict)  # those known: they decide the order of products
    tried: Mapping[str, int] = field(default_factory=dict)  # the sizes at which it was verified
    changes: tuple[str, ...] = ()  # inputs that may be plain zeros, by which an intermediate is moved
    places: frozenset[str] = frozenset()  # names that stand for a place in an array
    structured: bool = False

    @property
    def with_value(self) -> bool:
        """Does the code give the value too? A cost with its gradients does."""
        return not self.of_shape_wide and all(len(o.wrt) == 1 for o in self.outputs)

    @property
    def of_shape_wide(self) -> bool:
        return any(d.number != 1 for d in self.of_shape)
