"""A heat map: how far the entries of an array are off, as text and as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from numpy import ndarray as Array

SHADES = " ░▒▓█"
TEXT_SIZE, IMAGE_SIZE = (12, 64), (64, 96)
_CELL, _GAP, _LINE = 8, 24, 18


def _flat(heat: Array, most: tuple[int, int]) -> Array:
    """As a matrix of at most so many rows and columns, each cell the largest of what it covers, from 0 to 1.

    0 is what rounding explains, 1 a thousand times that and more, in a logarithmic scale.
    """
    import numpy as np

    x = heat.reshape(prod(heat.shape[:-1]), heat.shape[-1]) if heat.ndim else heat.reshape(1, 1)
    x = np.where(np.isfinite(x), x, 1e9)
    for axis in (0, 1):
        count = min(x.shape[axis], most[axis])
        starts = [k * x.shape[axis] // count for k in range(count)]
        x = np.maximum.reduceat(x, starts, axis=axis)
    return np.clip(np.log10(np.maximum(x, 1.0)) / 3.0, 0.0, 1.0)


def as_text(heat: Array) -> list[str]:
    """The lines of a picture in letters.

    >>> import numpy as np
    >>> as_text(np.array([[0.5, 0.5], [0.5, 5e4]]))
    ['  ', ' █']
    """
    cells = _flat(heat, TEXT_SIZE)
    last = len(SHADES) - 1
    return ["".join(SHADES[0 if v <= 0 else 1 + int(v * (last - 1))] for v in row) for row in cells]


def as_svg(heats: Iterable[tuple[str, Array]]) -> str:
    """The pictures one below the other, each with its title."""
    parts: list[str] = []
    top = width = 0
    for title, heat in heats:
        cells = _flat(heat, IMAGE_SIZE)
        rows, columns = cells.shape
        parts.append(f'<text x="0" y="{top + 14}" font-family="sans-serif" font-size="14">{escape(title)}</text>')
        top += _LINE
        for i in range(rows):
            for j in range(columns):
                green = round(245 * (1 - float(cells[i, j])))
                place = f'x="{j * _CELL}" y="{top + i * _CELL}" width="{_CELL}" height="{_CELL}"'
                parts.append(f'<rect {place} fill="rgb(245,{green},{green})"/>')
        top += rows * _CELL + _GAP
        width = max(width, columns * _CELL, 9 * len(title))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}">'
    return "\n".join([head, *parts, "</svg>\n"])
