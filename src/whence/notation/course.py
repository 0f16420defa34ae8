"""Formulas as a course's forum types them: dZ^[1] = W^[2]T dZ^[2] * g^[1]'(Z^[1]), in plain letters.

The layer stands in brackets above a name. What is entry by entry has the sign *, which is read so as long as a
matrix product stands beside it in another way; with `clear` it is .*, which nothing else can be.
"""

from __future__ import annotations

import re

from whence.notation.textbook import ShapeOf
from whence.notation.unicode import Ascii
from whence.ops.table import TABLE
from whence.read.layer_names import layer_name

_LAYER_LETTERS = ("l", "L")
_LAYERED = re.compile(r"\^\[[^\[\]]*\]\Z")


class Course(Ascii):
    def __init__(self, shape_of: ShapeOf, plain: frozenset[str] = frozenset(), *, clear: bool = False) -> None:
        super().__init__(shape_of, plain, clear=clear)
        if clear:
            self.elementwise_sign = ".*"

    def name(self, text: str) -> str:
        return layered(text) or super().name(text)

    def function(self, word: str, primes: int) -> str:
        return self.primed(word if word in TABLE else self.name(word), primes)

    def transposed(self, base: str) -> str:
        return base + ("T" if _LAYERED.search(base) else "^T")


def layered(name: str) -> str:
    """A name with its layer above it; "" for a name without one.

    >>> layered("dZ2"), layered("A_lm1"), layered("W_ax"), layered("x_hat")
    ('dZ^[2]', 'A^[l-1]', '', '')
    """
    parts = layer_name(name)
    if parts.number is None or not parts.stem.isalpha():
        return ""
    if not parts.letter:
        return f"{parts.stem}^[{parts.number}]"
    if parts.letter not in _LAYER_LETTERS and not parts.number:
        return ""
    return f"{parts.stem}^[{parts.letter}{f'{parts.number:+d}' if parts.number else ''}]"
