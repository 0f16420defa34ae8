"""Formulas as plain text in textbook notation, with typographic signs or in ASCII.

    a matrix product      W2ᵀ dZ2          factors side by side, as on paper
    an elementwise one    dA1 ⊙ g1′(Z1)    binds less than the matrix product; ASCII: *
    a number as a factor  2 λ W            side by side too, with · before a numeral: x · 2
    a quotient            (A2 - Y)/m       of arrays entry by entry
    a power               1 - A1²          entry by entry: of an array that is not square nothing else exists
    a power of a square   A^⊙2             array, entry by entry; A² is A A. ASCII: A**2, as in NumPy
    a derivative          g1′(Z1), g1″(Z1)
    Greek letters, hats    λ for lam, ŷ for y_hat: what the reader folds back to the same name

Functions are written as their entry in the table says, and by their name in ASCII where that text has other signs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from whence.notation.templates import Level, Slot, Template
from whence.notation.textbook import Piece, ShapeOf, Textbook
from whence.ops.entry import Op
from whence.ops.table import TABLE
from whence.read.letters import GREEK, MARKS, OWN_LETTERS, SUBSCRIPTS, SUPERSCRIPTS
from whence.read.syntax import Expr, Index

_LETTER = {name: letter for letter, name in {**GREEK, **OWN_LETTERS}.items()}
_MARK = {suffix: mark for mark, suffix in MARKS.items()}
_RAISED = {plain: sign for sign, plain in SUPERSCRIPTS.items() if plain.isdigit() or plain == "-"}
_LOWERED = {sign: plain for sign, plain in SUBSCRIPTS.items() if plain.isdigit()}
_NAME = re.compile(r"(d?)([A-Za-z]+)(.*)", re.DOTALL)
_LAYER = re.compile(r"_([lL]|[a-zA-Z](?=[pm]\d))(?:([pm])(\d+))?")  # a layer that is a letter, as readers write it
_STEPS = {"p": "+", "m": "-"}
_WHOLE = re.compile(r"-?[0-9]+\Z")
_LAST_WORD = re.compile(r"[^\W_]+\Z")
_PRIMES = ("", "′", "″", "‴")
# What a sign of the table's texts is in ASCII; a text with any other sign is left for a plain call.
_PLAIN_SIGNS = {"⁻¹": "^-1", "ᵀ": "^T", "⊙": "*"}


def to_unicode(expr: Expr, shape_of: ShapeOf, *, ascii: bool = False) -> str:
    """The formula as a textbook writes it (the conventions stand at the top of this module).

    `shape_of` gives the full shape of any part: () a number, (n, 1) a column, (n, m) a matrix. With `ascii` only
    ASCII signs are used. The brackets follow the tree, so different trees give different texts, apart from functions
    that the table writes in terms of others (`solve`, `outer`).

    >>> from whence.read.parser import parse_expression
    >>> tree = parse_expression("W2.T @ dZ2 * g1_prime(Z1)")
    >>> to_unicode(tree, lambda part: ("n", "m"))
    'W2ᵀ dZ2 ⊙ g1′(Z1)'
    >>> to_unicode(tree, lambda part: ("n", "m"), ascii=True)
    "W2^T dZ2 * g1'(Z1)"
    """
    return (Ascii(shape_of) if ascii else Unicode(shape_of)).text(expr)


def display_name(name: str) -> str:
    """A name with its Greek letter and its hat: what the reader folds back to the same name.

    >>> display_name("lam"), display_name("dtheta1"), display_name("W2"), display_name("dZ_lp1")
    ('λ', 'dθ1', 'W2', 'dZ^[l+1]')
    """
    if name.startswith("δ"):  # a small change of what follows
        return "δ" + display_name(name[1:])
    found = _NAME.match(name)
    if found is None:
        return name
    d, word, rest = found.groups()
    whole = d + word
    shown = _LETTER.get(whole) or (d + _LETTER[word] if word in _LETTER else whole)
    entry = rest[len(rest.rstrip("".join(_LOWERED))) :]
    layer = _LAYER.fullmatch(rest[: len(rest) - len(entry)])
    if layer is not None:
        letter, sign, step = layer.groups()
        return f"{shown}^[{letter}{_STEPS[sign] + step if sign else ''}]{entry}"
    mark = _MARK.get(rest[: len(rest) - len(entry)])
    return unicodedata.normalize("NFC", shown + mark) + entry if mark else shown + rest


class Unicode(Textbook):
    plus_signs = {"+": "+", "-": "-", "<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "==", "!=": "≠"}
    elementwise_sign = "⊙"

    def name(self, text: str) -> str:
        return display_name(text)

    def number(self, text: str) -> Piece:
        if "/" in text:
            return Piece(text, Level.DIVISION)
        return Piece(text, Level.MINUS if text.startswith("-") else Level.ATOM)

    def bracket(self, text: str) -> str:
        return f"({text})"

    def touches(self, left: str, right: str) -> bool:
        if right[0].isdigit() or right[0] == ".":
            return True
        last = _LAST_WORD.search(left)
        return right[0] == "(" and last is not None and last.group() in _heads()

    def dotted(self, left: Piece, right: Piece) -> Piece:
        return Piece(f"{self.at(Level.PRODUCT, left)} · {self.after(Level.RAISED, right)}", Level.PRODUCT)

    def quotient(self, left: Piece, right: Piece, by_number: bool) -> Piece:
        # A number divides a product as a whole or any of its factors; an array does not.
        above = self.at(Level.ELEMENTWISE if by_number else Level.MINUS, left)
        return Piece(f"{above}/{self.after(Level.RAISED, right)}", Level.DIVISION)

    def raised(self, base: str, exponent: Piece, elementwise: bool) -> str:
        if elementwise:
            return f"{base}^⊙{self._exponent(exponent)}"
        if _WHOLE.match(exponent.text) and exponent.text != "1":  # X¹ may be the X of layer 1
            return base + _superscript(exponent.text)
        return f"{base}^{self._exponent(exponent)}"

    def _exponent(self, exponent: Piece) -> str:
        """An exponent behind a caret; the T of a transpose must not be mistaken for a number T."""
        return self.bracket(exponent.text) if exponent.text == "T" else self.after(Level.ATOM, exponent)

    def transposed(self, base: str) -> str:
        return base + "ᵀ"

    def compared(self, text: str) -> Piece:
        return Piece(text, Level.COMPARE)

    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece:
        return Piece(f"{base}[{', '.join(places)}]", Level.ATOM)

    def letters(self, text: str) -> str:
        return f'"{text}"'

    def template_text(self, op: Op, axis: str) -> str:
        text = op.unicode
        return text if axis else text.replace(", axis={axis}", "")

    def function(self, word: str, primes: int) -> str:
        return self.primed(self.name(word), primes)

    def primed(self, head: str, primes: int) -> str:
        if not head or not (head[-1].isalnum() or head[-1] in "′"):
            return ""
        return head + (_PRIMES[primes] if primes < len(_PRIMES) else "′" * primes)

    def filled(self, template: Template, filling: dict[str, Piece]) -> str:
        out = ""
        for part in template.parts:
            if isinstance(part, str):
                out += part
                continue
            piece = filling[part.name]
            if out.endswith("^") and _WHOLE.match(piece.text):
                out = self.raised(out[:-1], piece, elementwise=False)
            else:
                out += self._placed(part, piece)
        return out

    def _placed(self, slot: Slot, piece: Piece) -> str:
        if slot.level == Level.COMPARE:
            return piece.text
        return self.at(slot.level, piece) if slot.first else self.after(slot.level, piece)


class Ascii(Unicode):
    plus_signs = {sign: sign for sign in ("+", "-", "<", "<=", ">", ">=", "==", "!=")}
    elementwise_sign = "*"

    def name(self, text: str) -> str:
        plain = re.sub(f"[{''.join(_LOWERED)}]+", _lowered, text).replace("δ", "delta_")
        return plain if plain.isascii() else plain.encode("ascii", "backslashreplace").decode()

    def touches(self, left: str, right: str) -> bool:
        return right[0].isdigit() or right[0] == "."

    def dotted(self, left: Piece, right: Piece) -> Piece:
        return self._elementwise(left, right)

    def raised(self, base: str, exponent: Piece, elementwise: bool) -> str:
        if elementwise:
            return f"{base}**{self.after(Level.ATOM, exponent)}"
        if _WHOLE.match(exponent.text):
            return f"{base}^{exponent.text}"
        return f"{base}^{self._exponent(exponent)}"

    def transposed(self, base: str) -> str:
        return base + "^T"

    def primed(self, head: str, primes: int) -> str:
        return head + "'" * primes if head.isascii() else ""

    def template_text(self, op: Op, axis: str) -> str:
        text = super().template_text(op, axis)
        if text.isascii():
            return text
        for sign, plain in _PLAIN_SIGNS.items():
            text = text.replace(sign, plain)
        return text if text.isascii() and text.startswith("{") else ""


def _superscript(whole: str) -> str:
    return "".join(_RAISED[c] for c in whole)


def _lowered(found: re.Match[str]) -> str:
    return "_" + "".join(_LOWERED[c] for c in found.group())


def _heads() -> frozenset[str]:
    """The words that the table writes before a bracket: a factor of that name takes a sign after it."""
    return _heads_of(len(TABLE))


@lru_cache(maxsize=4)
def _heads_of(count: int) -> frozenset[str]:  # the table grows when a package registers functions
    return frozenset(op.unicode.partition("(")[0] for op in TABLE.values())
