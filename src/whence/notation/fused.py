"""Functions of matrices with composite axes inside a term: each pair of indices becomes one index.

trace(inv(kron(A, B) + ...)) and vec(Y).T @ inv(...) @ vec(Y) are then ordinary terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from whence.expr.node import Factor
from whence.notation import out as o
from whence.notation.kronecker import composite, composite_matrix
from whence.notation.pieces import NotMatrix, Piece, diagonal
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from whence.notation.printer import Printer

FUSED = 50_000  # fused indices are numbered from here


def fused(
    printer: Printer, factors: Sequence[Factor], rank: int, sizes: dict[int, Dim]
) -> tuple[list[Piece], list[Factor]]:
    """The pieces over fused indices, whose sizes are noted, and the factors that have none of them.

    Raises NotMatrix where a factor has one index of a pair alone.
    """
    pairs: dict[tuple[int, int], int] = {}
    pieces: list[Piece] = []
    others: list[Factor] = []
    for f, idx, e in factors:
        if not composite(f):
            others.append((f, idx, e))
            continue
        if e != 1 or any(i < rank for i in idx):
            raise NotMatrix
        rows, columns = ((idx[k], idx[k + 1]) for k in (0, 2))
        names = tuple(pairs.setdefault(pair, FUSED + len(pairs)) for pair in (rows, columns))
        sizes[names[0]], sizes[names[1]] = f.dims[0] * f.dims[1], f.dims[2] * f.dims[3]
        matrix = composite_matrix(printer, f)
        if names[0] == names[1]:
            column = diagonal((matrix,))
            pieces.append(Piece(names[:1], (column, o.transpose(column)), diagonal_of=matrix, place=2))
        else:
            pieces.append(Piece(names, (matrix, o.transpose(matrix)), place=2))
    within = {i for pair in pairs for i in pair}
    if len(within) < 2 * len(pairs):
        raise NotMatrix
    left: list[Factor] = []
    for f, idx, e in others:
        if not within & set(idx):
            left.append((f, idx, e))
            continue
        place = next((pair for pair in (idx, idx[::-1]) if pair in pairs), None)
        if place is None or e != 1 or f.rank != 2:
            raise NotMatrix
        matrix = printer.forms(f)[0 if place == idx[::-1] else 1]
        column = o.call(structured_by("vec").name, matrix)
        pieces.append(Piece((pairs[place],), (column, o.transpose(column))))
    return pieces, left
