"""Shapes in words and as texts, for tables and messages."""

from __future__ import annotations

from collections.abc import Iterable

from whence.read.syntax import Shape
from whence.shapes.dims import Dim

Sizes = tuple[Dim, ...]

ONE = Dim.parse(1)


def is_scalar(shape: Sizes) -> bool:
    """Is it a number: () or 1 x 1?

    >>> is_scalar((ONE, ONE)), is_scalar((Dim.parse("n"), ONE))
    (True, False)
    """
    return not shape or (len(shape) == 2 and shape[0] == ONE and shape[1] == ONE)


def text(shape: Sizes) -> str:
    """As it is declared: "n x m", "n x 1", "scalar".

    >>> text((Dim.parse("n"), Dim.parse("m + 1")))
    'n x (m + 1)'
    """
    if not shape:
        return "scalar"
    return " x ".join(f"({d})" if " " in str(d) else str(d) for d in shape)


def words(shape: Sizes) -> str:
    """In words, with the sizes: "a column (n x 1)".

    >>> words((ONE, Dim.parse("m")))
    'a row (1 x m)'
    """
    if is_scalar(shape):
        return "a number" + (" (1 x 1)" if shape else "")
    *leading, rows, columns = shape
    if leading:
        kind = "a tensor"
    elif columns == ONE:
        kind = "a column"
    else:
        kind = "a row" if rows == ONE else "a matrix"
    return f"{kind} ({text(shape)})"


def claim_shape(shape: Iterable[Dim]) -> Shape:
    """Sizes as the judge takes them."""
    return tuple(d.number if d.number is not None else str(d) for d in shape)
