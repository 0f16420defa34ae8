"""Formulas as code: NumPy and Octave. Signs bind as in Python, and Octave's bind alike where brackets are left out.

A function is written as its entry in the table says; one that the library lacks stands by its own name, as a helper
that the reader of the code has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whence.messages.errors import RefusedError
from whence.notation.letters import is_lettered, operands_of, with_every_axis
from whence.notation.same import written_out
from whence.notation.templates import Level, Slot, Template
from whence.notation.textbook import Piece, ShapeOf, Textbook
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import TABLE, structured_by
from whence.read.canonical import to_text
from whence.read.syntax import Binary, Call, Expr, Index, Name, Number, Range, Transpose
from whence.read.vocabulary import PRIME
from whence.read.walk import children

_CLOSES = (",", ")", "]")
_OPENS = ("(", "[", ", ", ",")
_LAST_AXES = ", axis1=-2, axis2=-1"  # of a matrix they are all it has
# What a whole program says besides: the element type of new arrays, and which axes of a tensor make the matrix.
_PROGRAMS = re.compile(r", (?:dtype=)?\{like\}(?:\.dtype)?|" + _LAST_AXES)
_NO_AXIS = re.compile(r", (?:axis=)?\{axis\}(?:, keepdims=True)?")


@dataclass(frozen=True, slots=True)
class Signs:
    """How a language writes the operators of arrays, and of numbers where those differ."""

    called: str
    matrix_product: str
    entrywise_product: str
    entrywise_quotient: str
    power: str
    entrywise_power: str
    transposed: str
    batched: str  # of a tensor, its last two axes; "" where there is none
    first_index: int
    unequal: str = "!="


NUMPY_SIGNS = Signs("NumPy", "@", "*", "/", "**", "**", ".T", ".mT", 0)
OCTAVE_SIGNS = Signs("Octave", "*", ".*", "./", "^", ".^", "'", "", 1)


class Code(Textbook):
    """What the two languages share."""

    signs: Signs
    elementwise_sign = ""

    def __init__(self, shape_of: ShapeOf, plain: frozenset[str] = frozenset()) -> None:
        super().__init__(shape_of, plain)
        self.plus_signs = {sign: sign for sign in ("+", "-", "<", "<=", ">", ">=", "==")} | {"!=": self.signs.unequal}

    def refused(self, what: str) -> RefusedError:
        return RefusedError("not-expressible-in", found=what, dialect=self.signs.called)

    # ------------------------------------------------------------ names and numbers
    def name(self, text: str) -> str:
        return text

    def number(self, text: str) -> Piece:
        level = Level.PRODUCT if "/" in text else Level.MINUS if text.startswith("-") else Level.ATOM
        return Piece(text, level)

    def bracket(self, text: str) -> str:
        return f"({text})"

    def letters(self, text: str) -> str:
        return f'"{text}"'

    # ------------------------------------------------------------ operators
    def _binary(self, node: Binary, left: Piece, right: Piece) -> Piece:
        if node.operator in ("+", "-", "**"):
            return super()._binary(node, left, right)
        sign, number = self._product_sign(node, left, right)
        tight = sign == "/" and left.level == right.level == Level.ATOM and left.text.isalnum()
        blank = "" if tight else " "
        text = f"{self.at(Level.PRODUCT, left)}{blank}{sign}{blank}{self.after(Level.MINUS, right)}"
        return Piece(text, Level.PRODUCT, number)

    def _product_sign(self, node: Binary, left: Piece, right: Piece) -> tuple[str, bool | None]:
        """The sign of a product or quotient, and whether the value is a number where that is known."""
        if node.operator == "@":
            return self.signs.matrix_product, None
        by_number = self.is_number(node.right, right)
        if node.operator == "/":
            return ("/" if by_number else self.signs.entrywise_quotient), (left.number if by_number else False)
        if by_number or self.is_number(node.left, left):
            return "*", left.number if by_number else False
        return self.signs.entrywise_product, False

    def _power(self, base: Expr, exponent: Expr, left: Piece, right: Piece) -> Piece:
        numbers = self.is_number(base, left) and self.is_number(exponent, right)
        return Piece(self.raised(self.at(Level.ATOM, left), right, elementwise=not numbers), Level.RAISED)

    def raised(self, base: str, exponent: Piece, elementwise: bool) -> str:
        sign = self.signs.entrywise_power if elementwise else self.signs.power
        blank = " " if base[-1].isdigit() and sign.startswith(".") else ""
        return f"{base}{blank}{sign}{blank}{self.after(Level.ATOM, exponent)}"

    def transposed(self, base: str) -> str:
        return base + self.signs.transposed

    def _node(self, node: Expr | Range, parts: list[Piece]) -> Piece:
        if isinstance(node, Transpose) and node.batched and len(self.shape_of(node.operand)) > 2:
            if not self.signs.batched:
                raise self.refused(to_text(node))
            return Piece(self.at(Level.ATOM, parts[0]) + self.signs.batched, Level.RAISED)
        return super()._node(node, parts)

    def compared(self, text: str) -> Piece:
        return Piece(text, Level.COMPARE)

    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece:
        return Piece(f"{base}[{', '.join(places)}]", Level.ATOM)

    def touches(self, left: str, right: str) -> bool:
        raise NotImplementedError("code has a sign for every product")

    def dotted(self, left: Piece, right: Piece) -> Piece:
        raise NotImplementedError("code has a sign for every product")

    def quotient(self, left: Piece, right: Piece, by_number: bool) -> Piece:
        raise NotImplementedError("code writes its quotients in _binary")

    # ------------------------------------------------------------ functions
    def function(self, word: str, primes: int) -> str:
        return word + PRIME * primes

    def primed(self, head: str, primes: int) -> str:
        return ""

    def _call(self, node: Call, parts: list[Piece]) -> Piece:
        whole = written_out(node)
        added = [self.number(to_text(part)) for part in children(whole)[len(parts) :] if not isinstance(part, Range)]
        return super()._call(whole, [*parts, *added])

    def _from_template(self, template: Template, filling: dict[str, Piece]) -> Piece:
        return Piece(self.filled(template, filling), Level.ATOM)

    def filled(self, template: Template, filling: dict[str, Piece]) -> str:
        """The text with its arguments, in brackets where they do not stand between brackets or commas."""
        out = ""
        for k, part in enumerate(template.parts):
            if not isinstance(part, Slot):
                out += part
                continue
            following = template.parts[k + 1] if k + 1 < len(template.parts) else ""
            alone = out.endswith(_OPENS) and isinstance(following, str) and following.startswith(_CLOSES)
            piece = filling[part.name]
            out += piece.text if alone else self.at(Level.ATOM, piece)
        return out


class NumPy(Code):
    signs = NUMPY_SIGNS

    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece:
        """A column or row that is picked out stays one: its place stands in brackets of its own."""
        ranges = any(isinstance(place, Range) for place in node.places)
        pairs = zip(places, node.places, strict=True)
        kept = [text if isinstance(place, Range) or not ranges else f"[{text}]" for text, place in pairs]
        return super().indexed(base, kept, node)

    def template_text(self, op: Op, axis: str) -> str:
        text = _PROGRAMS.sub("", op.numpy)
        return text if axis else _NO_AXIS.sub("", text)

    def _call(self, node: Call, parts: list[Piece]) -> Piece:
        if not is_lettered(node):
            op = TABLE.get(node.name)
            if op is not None and _LAST_AXES in op.numpy and len(self.shape_of(node.arguments[0])) > 2:
                raise self.refused(to_text(node))
            return super()._call(node, parts)
        whole = with_every_axis(node, self.shape_of)
        if whole is None:
            raise self.refused(to_text(node))
        return super()._call(whole, [Piece(to_text(whole.arguments[0]), Level.ATOM), *parts[1:]])


class Octave(Code):
    signs = OCTAVE_SIGNS

    def template_text(self, op: Op, axis: str) -> str:
        return op.octave

    def _call(self, node: Call, parts: list[Piece]) -> Piece:
        if is_lettered(node):
            return self._permuted(node, parts[1:])
        if node.name == structured_by("transpose").name:
            raise self.refused(to_text(node))
        return super()._call(node, parts)

    def _permuted(self, node: Call, parts: list[Piece]) -> Piece:
        """An einsum that adds nothing up: the arrays with their axes where the result has them, entry by entry."""
        operands, result = operands_of(node, self.shape_of)
        factors: list[Piece] = []
        for operand, piece in zip(operands, parts, strict=True):
            letters = operand.letters
            if len(set(letters)) < len(letters) or not set(letters) <= set(result) or operand.rank > 2:
                raise self.refused(to_text(node))
            order = [0] * max(len(result), 2)
            for letter, axis, _ in operand.axes:
                order[result.index(letter)] = axis + 1
            unused = iter(axis for axis in range(1, len(order) + 1) if axis not in order)
            order = [axis or next(unused) for axis in order]
            needed = len(factors) == 1 and not factors[0].text.startswith("permute(")
            if order != sorted(order) or needed:
                piece = Piece(f"permute({piece.text}, [{' '.join(map(str, order))}])", Level.ATOM)
            factors.append(piece)
        first, *others = factors
        texts = [self.at(Level.PRODUCT, first), *(self.after(Level.MINUS, piece) for piece in others)]
        return Piece(" .* ".join(texts), Level.PRODUCT if others else first.level, number=False)

    def axis(self, text: str) -> str:
        if not text.isdigit():
            raise self.refused(f"axis={text}")
        return str(int(text) + self.signs.first_index)

    def _bound(self, op: Op, node: Call, parts: list[Piece]) -> tuple[Template, dict[str, Piece]] | None:
        """Of a vector what gives one number is called by its name."""
        if op.gives == "[]" and self._is_vector(node.arguments[0]):
            return None
        return super()._bound(op, node, parts)

    def _is_vector(self, tree: Expr) -> bool:
        return any(size == 1 for size in self.shape_of(tree))

    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece:
        counted = [self._place(text, place) for text, place in zip(places, node.places, strict=True)]
        return Piece(f"{base}({', '.join(counted)})", Level.ATOM)

    def _place(self, text: str, place: Expr | Range) -> str:
        """A place counted from 1; a range ends with its last place."""
        start = place.low if isinstance(place, Range) else place
        if start is None or isinstance(start, Name):
            return text
        if not isinstance(start, Number):
            raise self.refused(text)
        first = to_text(Number(start.value + self.signs.first_index))
        return first + text[text.index(":") :] if isinstance(place, Range) else first

    def _plain_call(self, node: Call, parts: list[Piece], head: str) -> Piece:
        """A call by name: the axis is counted from 1, and what goes over all entries goes twice over an axis."""
        count = len(node.arguments)
        axes = [self.axis(part.text) for part in parts[count:]]
        if any(word != "axis" for word, _ in node.keywords):
            raise self.refused(node.name)
        text = head + self.bracket(", ".join([*(part.text for part in parts[:count]), *axes]))
        op = TABLE.get(node.name)
        twice = op is not None and op.of_one == "X" and signature(op).axis == "several" and not axes
        if twice and not self._is_vector(node.arguments[0]):
            text = f"{head}({parts[0].text}(:))" if isinstance(node.arguments[0], Name) else f"{head}({text})"
        return Piece(text, Level.ATOM)
