"""What only Octave writes: X(:), entries in round brackets counted from 1, arrays with their axes permuted."""

from __future__ import annotations

import re
from fractions import Fraction

from whence.messages.errors import ReadError
from whence.ops.table import structured_by
from whence.read.code import Code
from whence.read.code_words import PERMUTED
from whence.read.context import Context
from whence.read.dialects import OCTAVE
from whence.read.lexer import Token
from whence.read.names import INDICES
from whence.read.places import join, span_of
from whence.read.syntax import Binary, Call, Expr, Index, Number, Range, Span, Text, Transpose, Tuple

_LETTERS = "ijklpqrs"
_Parts = list[tuple[str, Expr]]  # the factors of a product of arrays, each with the letters of its axes


class Octave(Code):
    """Only in its dialect; in all others these are products."""

    def __init__(self, tokens: list[Token], context: Context) -> None:
        super().__init__(tokens, context)
        self.permuted: dict[int, tuple[Expr, _Parts, int]] = {}  # arrays with their axes permuted, by their node

    def word(self, token: Token) -> Expr:
        called = self.tokens[self.i + 1].text == "("
        if self.dialect is OCTAVE and called and token.text in PERMUTED and token.text not in self.context.names:
            return self.permutation(token)
        return super().word(token)

    # -- entries

    def entries_follow(self, node: Expr) -> bool:
        """Do the round brackets here hold places: `X(:)`, `X(i, :)`, `x(1)` and `x(i)` of a vector?"""
        token = self.tokens[self.i]
        if self.dialect is not OCTAVE or token.text != "(" or token.blank or isinstance(node, Number):
            return False
        inside = self.tokens[self.i + 1 : self.closing[self.i]]
        if self.commas[self.i] or [t.text for t in inside] == [":"]:
            return True
        shape = self.shapes.of(node)
        if len(inside) != 1 or shape is None or len(shape) != 2 or 1 not in shape:
            return False
        word = inside[0].text
        counts = re.fullmatch(INDICES, word) and word not in self.context.names | self.context.scalars
        return inside[0].kind == "number" or bool(counts)

    def entries_in_brackets(self, node: Expr) -> Expr:
        token, close = self.tokens[self.i], self.closing[self.i]
        span = Span(node.span.line, node.span.column, token.line, self.tokens[close].end)
        around, self.in_index = self.in_index, True
        places: list[Expr | Range] = []
        while self.i < close:
            self.i += 1
            places.append(self.place_from_one())
            if self.tokens[self.i].text not in (",", ")"):
                raise self.unexpected(self.tokens[self.i])
        self.i = close + 1
        self.in_index = around
        if places == [Range()]:
            return Call(structured_by("vec").name, (node,), (), span)
        return Index(node, tuple(places), span)

    def place_from_one(self) -> Expr | Range:
        if self.tokens[self.i].text == ":" and self.tokens[self.i + 1].text in (",", ")"):
            self.i += 1
            return Range()
        place = self.place()
        if isinstance(place, Range):
            return place if place.low is None else Range(_one_less(place.low), place.high, place.span)
        return _one_less(place) if isinstance(place, Number) else place

    # -- axes

    def permutation(self, token: Token) -> Expr:
        """`permute(A, [1 3 2])`: the axes of A in another order, with axes of length 1 where it has none."""
        self.i += 1
        close = self.closing[self.i]
        self.i += 1
        inner = self.expression()
        opened = self.tokens[self.i + 1]
        inside = [t for t in self.tokens[self.i + 2 : max(close - 1, self.i + 2)] if t.text != ","]
        order = [int(t.text) for t in inside if t.text.isdigit()]
        if self.tokens[self.i].text != "," or opened.text != "[" or sorted(order) != list(range(1, len(inside) + 1)):
            raise self.unexpected(self.tokens[self.i])
        self.i = close + 1
        span = span_of(token, self.tokens[close])
        if order == [2, 1]:
            return Transpose(inner, False, span)
        places = Tuple(tuple(Number(Fraction(axis - 1), str(axis - 1)) for axis in order), span)
        node = Call(structured_by("transpose").name, (inner, places), (), span)
        shape = self.shapes.of(inner)
        if shape is not None and len(shape) == 2 and len(order) <= len(_LETTERS):
            letters = "".join(_LETTERS[order.index(k + 1)] for k in (0, 1) if shape[k] != 1)
            self.permuted[id(node)] = (node, [(letters, inner)], len(order))
        return node

    def with_letters(self, left: Expr, right: Expr) -> Expr | None:
        """The product, entry by entry, of arrays of which one has its axes permuted: a sum without a sum."""
        if id(left) not in self.permuted and id(right) not in self.permuted:
            return None
        a, b = self.factors(left), self.factors(right)
        if a is None or b is None:
            return None
        parts, rank = [*a[0], *b[0]], max(a[1], b[1])
        result = "".join(c for c in _LETTERS if any(c in letters for letters, _ in parts))
        span = join(left.span, right.span)
        text = Text(f"{','.join(letters for letters, _ in parts)}->{result}", span)
        node = Call(structured_by("einsum").name, (text, *(array for _, array in parts)), (), span)
        self.permuted[id(node)] = (node, parts, rank)
        return node

    def factors(self, node: Expr) -> tuple[_Parts, int] | None:
        known = self.permuted.get(id(node))
        if known is not None:
            return known[1], known[2]
        shape = self.shapes.of(node)
        if shape is None or len(shape) != 2 or shape == (1, 1):
            return None
        return [("".join(_LETTERS[k] for k in (0, 1) if shape[k] != 1), node)], 2


def _one_less(place: Expr) -> Expr:
    """A place counted from 1 as one counted from 0."""
    if isinstance(place, Number) and place.value < 1:
        span = place.span
        raise ReadError("bad-place", line=span.line, column=span.column, end=span.end, found=place.text)
    if isinstance(place, Number):
        return Number(place.value - 1, str(place.value - 1), place.span)
    return Binary("-", place, Number(Fraction(1), "1", place.span), place.span)
