"""A syntax tree as canonical text, with the fewest brackets that read back as the same tree."""

from __future__ import annotations

from fractions import Fraction

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
from whence.read.walk import children

# How tightly a text binds: an operand is put in brackets where its number is below what its place asks for.
_COMPARE, _SUM, _PRODUCT, _MINUS, _POWER, _OPERAND = range(1, 7)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "@": _PRODUCT, "**": _POWER}

_Piece = tuple[str, int]  # a text and how tightly it binds


def to_text(expr: Expr) -> str:
    """The formula in the canonical language.

    Reading it again gives the same tree for every tree the reader makes. A number that no literal can
    write (a negative one, or 1/3) is printed as an expression of the same value.

    >>> from whence.read.syntax import Name
    >>> to_text(Binary("@", Name("A"), Binary("+", Name("B"), Name("C"))))
    'A @ (B + C)'
    """
    work: list[tuple[Expr | Range, bool]] = [(expr, False)]
    done: list[_Piece] = []
    while work:
        node, ready = work.pop()
        parts = children(node)
        if ready or not parts:
            at = len(done) - len(parts)
            pieces = done[at:]
            del done[at:]
            done.append(_print(node, pieces))
        else:
            work.append((node, True))
            work.extend((part, False) for part in reversed(parts))
    return done[0][0]


def _print(node: Expr | Range, parts: list[_Piece]) -> _Piece:
    """One node, from the texts of its parts."""
    if isinstance(node, Name):
        return node.id, _OPERAND
    if isinstance(node, Number):
        return _number(node)
    if isinstance(node, Binary):
        return _binary(node.operator, parts[0], parts[1])
    if isinstance(node, Negative):
        return "-" + _at_least(_MINUS, parts[0]), _MINUS
    if isinstance(node, Transpose):
        return _at_least(_OPERAND, parts[0], number=True) + (".mT" if node.batched else ".T"), _OPERAND
    if isinstance(node, Call):
        count = len(node.arguments)
        words = [text for text, _ in parts[:count]]
        words += [f"{word}={text}" for (word, _), (text, _) in zip(node.keywords, parts[count:], strict=True)]
        return f"{node.name}({', '.join(words)})", _OPERAND
    if isinstance(node, Compare):
        return f"{_at_least(_SUM, parts[0])} {node.operator} {_at_least(_SUM, parts[1])}", _COMPARE
    if isinstance(node, Index):
        places = ", ".join(text for text, _ in parts[1:])
        return f"{_at_least(_OPERAND, parts[0], number=True)}[{places}]", _OPERAND
    return _in_brackets(node, parts)


def _in_brackets(node: Tuple | Text | Range, parts: list[_Piece]) -> _Piece:
    """The nodes that stand only inside the brackets of a call or an index."""
    if isinstance(node, Tuple):
        comma = "," if len(parts) == 1 else ""
        return f"({', '.join(text for text, _ in parts)}{comma})", _OPERAND
    if isinstance(node, Text):
        return f'"{node.value}"', _OPERAND
    low = parts[0][0] if node.low is not None else ""
    high = parts[-1][0] if node.high is not None else ""
    return f"{low}:{high}", _COMPARE


def _binary(operator: str, left: _Piece, right: _Piece) -> _Piece:
    binding = _BINDING[operator]
    if operator == "**":
        # The exponent takes a minus sign and another power without brackets, the base neither.
        return f"{_at_least(_OPERAND, left)}**{_at_least(_MINUS, right)}", _POWER
    blank = "" if operator == "/" and left[1] == right[1] == _OPERAND and left[0].isalnum() else " "
    return f"{_at_least(binding, left)}{blank}{operator}{blank}{_at_least(binding + 1, right)}", binding


def _at_least(binding: int, piece: _Piece, *, number: bool = False) -> str:
    """The text, in brackets where it binds too loosely. A `number` needs them before a dot or an index."""
    text, own = piece
    if own < binding or (number and text[-1] in "0123456789." and text[0] in "0123456789."):
        return f"({text})"
    return text


def _number(node: Number) -> _Piece:
    if node.text:
        return node.text, _OPERAND
    value = node.value
    text = _decimal(abs(value))
    if text:
        return (text, _OPERAND) if value >= 0 else ("-" + text, _MINUS)
    text = f"{abs(value.numerator)}/{value.denominator}"
    return (text, _PRODUCT) if value >= 0 else ("-" + text, _PRODUCT)


def _decimal(value: Fraction) -> str:
    """A whole number or a short decimal; "" where there is none."""
    if value.denominator == 1:
        return str(value.numerator)
    for digits in range(1, 19):
        scaled = value * 10**digits
        if scaled.denominator == 1:
            text = str(scaled.numerator).rjust(digits + 1, "0")
            return f"{text[:-digits]}.{text[-digits:]}"
    return ""
