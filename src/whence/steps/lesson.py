"""What every lesson on one gradient needs: its derivation, how it prints, its numbers and small sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from whence.diff.model import Forward
from whence.expr.node import Node
from whence.notation.scalars import NotScalars, entry_name, expand_entry, print_scalar
from whence.notation.unicode import display_name
from whence.read.syntax import Expr, Name
from whence.shapes.words import is_scalar
from whence.steps.derivation import Derivation, Stage
from whence.steps.record import Move, Path
from whence.steps.style import ONE, FullShape, Style
from whence.verify.point import Setting

Place = tuple[int, ...]


@dataclass(frozen=True)
class Lesson:
    """One gradient to be taught. `adjoints` are the names its formula may use: (of, name, formula), in order."""

    derivation: Derivation
    style: Style
    setting: Setting
    answer: Expr
    name: str  # of the gradient: dZ1
    formula: str  # dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)
    output: str
    derived: str  # what the certificate says of all sizes
    adjoints: tuple[tuple[str, str, Expr], ...] = ()
    sizes: tuple[str, ...] = ()  # the dimension symbols in the order in which a reader expects them
    samples: str = ""
    functions: frozenset[str] = field(default=frozenset())
    forward: Forward | None = field(default=None, repr=False)
    gradient: Callable[[str], str] = field(default=str, repr=False)  # the formula of the gradient by a name

    @property
    def target(self) -> str:
        return self.derivation.target

    @property
    def shapes(self) -> Mapping[str, FullShape]:
        return self.style.shapes

    def text(self, tree: Expr) -> str:
        return self.style.text(tree)

    # ------------------------------------------------------------ sizes and entries
    def small(self, *, one_sample: bool = False) -> dict[str, int]:
        """All sizes 2; where asked, a single sample if the target has samples."""
        out = dict.fromkeys(self.sizes, 2)
        if one_sample and self.samples in out and self.samples in map(str, self.shapes[self.target]):
            out[self.samples] = 1
        return out

    def places(self, name: str, sizes: Mapping[str, int]) -> list[Place]:
        """The places of all entries of a name, one index for each axis."""
        out: list[Place] = [()]
        for d in self.shapes[name]:
            out = [(*p, k) for p in out for k in range(d.value(sizes))]
        return out

    def entry(self, name: str, place: Place, sizes: Mapping[str, int]) -> str:
        """What an entry is called, as shown: z1₁."""
        return print_scalar(Name(self.entry_id(name, place, sizes)))

    def entry_id(self, name: str, place: Place, sizes: Mapping[str, int]) -> str:
        shape = self.shapes[name]
        short = tuple(k for k, d in zip(place, shape, strict=True) if d != ONE)
        return entry_name(name, short, shape, sizes)

    def scalar(self, tree: Expr, place: Place, sizes: Mapping[str, int]) -> Expr:
        """One entry of a formula. Raises NotScalars where it is not written out."""
        marks = {"δ" + n: s for n, s in self.shapes.items()}
        try:
            return expand_entry(tree, place, sizes, {**self.shapes, **marks}, functions=self.functions)
        except ValueError as problem:
            if place and not self._has_axes(tree):
                return expand_entry(tree, (), sizes, {**self.shapes, **marks}, functions=self.functions)
            raise NotScalars(str(problem)) from None

    def _has_axes(self, tree: Expr) -> bool:
        """Is it an array? A number may stand for an array of equal entries."""
        return not is_scalar(self.style.shape(tree))

    # ------------------------------------------------------------ the record
    def moves(self) -> Iterator[tuple[Stage, Path, Move]]:
        for stage in self.derivation.stages:
            for path in stage.paths:
                for move in path.moves:
                    yield stage, path, move

    def factor(self, move: Move) -> Node | None:
        return move.moved[0] if move.moved else None

    def shown(self, name: str) -> str:
        return display_name(name)

    def line(self, name: str) -> str:
        """A line of the model, as shown."""
        body, _ = self.style.statements[name]
        return f"{display_name(name)} = {self.text(body)}"

    def reached(self) -> list[str]:
        """The statements on the way from the target to what is known, nearest to the target first."""
        return list(dict.fromkeys(s.statement.name for s in reversed(self.derivation.stages)))
