"""What the Unicode and the LaTeX printer share: which brackets textbook notation needs.

Products from loose to tight: ⊙ and the elementwise quotient, then factors side by side (matrix products, scalar
factors), then signs, then superscripts. So `W2ᵀ dZ2 ⊙ g1′(Z1)` needs no brackets, and an elementwise product inside
a matrix product always has them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from whence.notation.templates import Level, Slot, Template, read_template
from whence.ops.entry import Op
from whence.ops.signature import Parameter, signature
from whence.ops.table import TABLE
from whence.read.canonical import to_text
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
    Text,
    Transpose,
    Tuple,
)
from whence.read.vocabulary import without_primes
from whence.read.walk import children

# The full shape of a formula: () a number, (n, 1) a column, (n, m) a matrix. Only asked whether sizes are 1 or equal.
ShapeOf = Callable[[Expr], tuple]

POWER_STRUCTURE = "power"  # the entry that `**` with a symbolic exponent stands for


@dataclass(frozen=True, slots=True)
class Piece:
    """A printed part, how tightly it binds, and whether its value is a number, where that has been found out."""

    text: str
    level: Level
    number: bool | None = None


class Textbook(ABC):
    """Prints a tree with a stack of its own, so that long sums cost no depth. Subclasses give the signs."""

    plus_signs: dict[str, str]  # of sums and comparisons
    elementwise_sign: str

    def __init__(self, shape_of: ShapeOf, plain: frozenset[str] = frozenset(), *, clear: bool = False) -> None:
        """`plain` are the functions that are called by their name, whatever sign the table has for them; with `clear`
        a sign that can be read in two ways gives way to one that cannot, where the notation has both.
        """
        self.shape_of = shape_of
        self.plain = plain
        self.clear = clear

    # ------------------------------------------------------------ the signs of a notation
    @abstractmethod
    def name(self, text: str) -> str: ...

    @abstractmethod
    def number(self, text: str) -> Piece: ...

    @abstractmethod
    def bracket(self, text: str) -> str: ...

    @abstractmethod
    def dotted(self, left: Piece, right: Piece) -> Piece:
        """A product by a number where standing side by side would not be read as one."""

    @abstractmethod
    def touches(self, left: str, right: str) -> bool:
        """Do these factors need a sign between them?"""

    @abstractmethod
    def quotient(self, left: Piece, right: Piece, by_number: bool) -> Piece: ...

    @abstractmethod
    def raised(self, base: str, exponent: Piece, elementwise: bool) -> str:
        """A power; `elementwise` where it must be told from the power of a matrix."""

    @abstractmethod
    def transposed(self, base: str) -> str: ...

    @abstractmethod
    def compared(self, text: str) -> Piece: ...

    @abstractmethod
    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece: ...

    @abstractmethod
    def letters(self, text: str) -> str: ...

    @abstractmethod
    def template_text(self, op: Op, axis: str) -> str:
        """The entry's text for this notation; "" where it has none that can be used."""

    @abstractmethod
    def function(self, word: str, primes: int) -> str:
        """What stands before the bracket of a function that the entry's text does not write."""

    @abstractmethod
    def primed(self, head: str, primes: int) -> str:
        """The head of an entry's text with primes; "" where it takes none."""

    @abstractmethod
    def filled(self, template: Template, filling: dict[str, Piece]) -> str: ...

    def axis(self, text: str) -> str:
        return text

    # ------------------------------------------------------------ the walk
    def text(self, expr: Expr) -> str:
        """The whole formula."""
        work: list[tuple[Expr | Range, bool]] = [(expr, False)]
        done: list[Piece] = []
        while work:
            node, ready = work.pop()
            parts = children(node)
            if ready or not parts:
                at = len(done) - len(parts)
                pieces = done[at:]
                del done[at:]
                done.append(self._node(node, pieces))
            else:
                work.append((node, True))
                work.extend((part, False) for part in reversed(parts))
        return done[0].text

    def _node(self, node: Expr | Range, parts: list[Piece]) -> Piece:
        if isinstance(node, Name):
            return Piece(self.name(node.id), Level.ATOM)
        if isinstance(node, Number):
            return self.number(to_text(node))
        if isinstance(node, Binary):
            return self._binary(node, parts[0], parts[1])
        if isinstance(node, Negative):
            return Piece("-" + self.after(Level.MINUS, parts[0]), Level.MINUS)
        if isinstance(node, Transpose):
            return Piece(self.transposed(self.at(Level.ATOM, parts[0])), Level.RAISED)
        if isinstance(node, Call):
            return self._call(node, parts)
        if isinstance(node, Compare):
            left, right = (self.at(Level.SUM, part) for part in parts)
            return self.compared(f"{left} {self.plus_signs[node.operator]} {right}")
        if isinstance(node, Index):
            return self.indexed(self.at(Level.ATOM, parts[0]), [part.text for part in parts[1:]], node)
        return Piece(self._inside_brackets(node, [part.text for part in parts]), Level.ATOM)

    def _inside_brackets(self, node: Tuple | Text | Range, parts: list[str]) -> str:
        if isinstance(node, Text):
            return self.letters(node.value)
        if isinstance(node, Tuple):
            return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"
        low = parts[0] if node.low is not None else ""
        return f"{low}:{parts[-1] if node.high is not None else ''}"

    def at(self, level: Level, piece: Piece) -> str:
        """The text, in brackets where it binds too loosely."""
        return piece.text if piece.level >= level else self.bracket(piece.text)

    def after(self, level: Level, piece: Piece) -> str:
        """The same behind an operator: a sign in front needs brackets, too."""
        return self.bracket(piece.text) if piece.text.startswith("-") else self.at(level, piece)

    # ------------------------------------------------------------ operators
    def is_number(self, node: Expr, piece: Piece) -> bool:
        """Known from the parts in a long product, so that its shape is not found again at every factor."""
        if piece.number is not None:
            return piece.number
        return isinstance(node, Number) or all(size == 1 for size in self.shape_of(node))

    def _binary(self, node: Binary, left: Piece, right: Piece) -> Piece:
        if node.operator in ("+", "-"):
            sign = self.plus_signs[node.operator]
            return Piece(f"{self.at(Level.SUM, left)} {sign} {self.after(Level.LOOSE, right)}", Level.SUM)
        if node.operator == "**":
            return self._power(node.left, node.right, left, right)
        if node.operator == "@":
            return self._side_by_side(left, right)
        by_number = self.is_number(node.right, right)
        if node.operator == "/":
            printed = self.quotient(left, right, by_number)
            return replace(printed, number=left.number if by_number else False)
        if by_number or self.is_number(node.left, left):
            return replace(self._side_by_side(left, right), number=left.number if by_number else False)
        return replace(self._elementwise(left, right), number=False)

    def _side_by_side(self, left: Piece, right: Piece) -> Piece:
        a, b = self.at(Level.PRODUCT, left), self.after(Level.RAISED, right)
        return self.dotted(left, right) if self.touches(a, b) else Piece(f"{a} {b}", Level.PRODUCT)

    def _elementwise(self, left: Piece, right: Piece) -> Piece:
        a = self.bracket(left.text) if left.level == Level.DIVISION else self.at(Level.ELEMENTWISE, left)
        b = self.after(Level.PRODUCT, right)
        return Piece(f"{a} {self.elementwise_sign} {b}", Level.ELEMENTWISE)

    def _power(self, base: Expr, exponent: Expr, left: Piece, right: Piece) -> Piece:
        whole = isinstance(exponent, Number) and exponent.value.denominator == 1 and exponent.value >= 0
        elementwise = not (self.is_number(base, left) and self.is_number(exponent, right))
        if elementwise and whole:  # no power of the matrix itself exists, so the plain sign is clear
            shape = self.shape_of(base)
            elementwise = len(shape) > 1 and shape[-1] == shape[-2]
        return Piece(self.raised(self.at(Level.ATOM, left), right, elementwise), Level.RAISED)

    # ------------------------------------------------------------ functions
    def _call(self, node: Call, parts: list[Piece]) -> Piece:
        word, primes = without_primes(node.name)
        op = None if word in self.plain else TABLE.get(word)
        if op is not None and op.structure == POWER_STRUCTURE and not primes and len(parts) == 2:
            return self._power(node.arguments[0], node.arguments[1], parts[0], parts[1])
        bound = None if op is None else self._bound(op, node, parts)
        if op is None or bound is None:
            return self._plain_call(node, parts, self.function(word, primes))
        template, filling = bound
        if primes:
            head = self.primed(template.head, primes) or self.function(word, primes)
            return self._plain_call(node, parts, head)
        return self._from_template(template, filling)

    def _plain_call(self, node: Call, parts: list[Piece], head: str) -> Piece:
        count = len(node.arguments)
        words = [part.text for part in parts[:count]]
        words += [f"{word}={part.text}" for (word, _), part in zip(node.keywords, parts[count:], strict=True)]
        return Piece(head + self.bracket(", ".join(words)), Level.ATOM)

    def _from_template(self, template: Template, filling: dict[str, Piece]) -> Piece:
        if not template.prefix:
            return Piece(self.filled(template, filling), template.level)
        slot = template.parts[-1]
        assert isinstance(slot, Slot)
        front = Template(template.parts[:-1], template.level)
        return Piece(self.filled(front, filling).rstrip() + self.bracket(filling[slot.name].text), template.level)

    def _bound(self, op: Op, node: Call, parts: list[Piece]) -> tuple[Template, dict[str, Piece]] | None:
        """The entry's text and what stands for each of its slots; None where the call does not fit the text."""
        way = next((w.parameters for w in signature(op).ways if _fits(w.parameters, node)), None)
        if way is None or any(word != "axis" for word, _ in node.keywords):
            return None
        axis = self.axis(parts[-1].text) if node.keywords else ""
        text = self.template_text(op, axis)
        if not text:
            return None
        template = read_template(text, (*(p.name for p in way), "axis"))
        if template.infix and not self._upright(way, node):
            return None
        filling = {"axis": Piece(axis, Level.ATOM)}
        for k, parameter in enumerate(way):
            given = parts[k : len(node.arguments)] if parameter.many else parts[k : k + 1]
            separator = self.between(parameter)
            filling[parameter.name] = given[0] if len(given) == 1 else _joined(given, separator)
        return template, filling

    def between(self, parameter: Parameter) -> str:
        """What stands between repeated arguments."""
        return ", "

    def _upright(self, way: Sequence[Parameter], node: Call) -> bool:
        """Are the vectors columns, as a text without brackets such as `a bᵀ` takes them to be?"""
        vectors = [a for p, a in zip(way, node.arguments, strict=False) if p.sizes is not None and len(p.sizes) == 1]
        shapes = [self.shape_of(v) for v in vectors]
        return all(len(shape) < 2 or shape[-1] == 1 for shape in shapes)


def _fits(parameters: Sequence[Parameter], node: Call) -> bool:
    count = len(node.arguments)
    many = any(p.many for p in parameters)
    return count >= len(parameters) if many else count == len(parameters)


def _joined(pieces: Sequence[Piece], separator: str) -> Piece:
    return Piece(separator.join(piece.text for piece in pieces), Level.COMPARE)
