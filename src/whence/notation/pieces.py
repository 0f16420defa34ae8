"""Parts of a term in matrix notation, and the ways in which they are put together."""

from __future__ import annotations

from dataclasses import dataclass

from whence.expr.node import SUM, Coefficient, Node
from whence.notation import out as o
from whence.notation.out import Out
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

COLUMN, ROW = 0, 1
TRIANGLES = (structured_by("tril").name, structured_by("triu").name)


class NotMatrix(Exception):
    """The term has no form in matrix products, axis sums and elementwise products."""


@dataclass
class Piece:
    """What has been built over some indices. Of a vector the column and the row are both at hand."""

    indices: tuple[int, ...]
    forms: tuple[Out, ...]  # scalar: (form,); vector: (column, row); matrix: (as indices say, transposed)
    exponent: Coefficient = 1
    size: Dim | None = None  # of a scalar that is the size of an axis
    diagonal_of: Out | None = None  # of a vector that is the diagonal of a matrix
    triangles: tuple[str, ...] = ()  # of a mask of ones on one side of the diagonal: the words for it and its transpose
    place: int = 1  # where its factor stands in a product: names before formulas

    def over(self, *indices: int) -> Out:
        """The form of a matrix with these indices in this order."""
        return self.forms[0] if indices == self.indices else self.forms[1]


def as_scalar(x: Out) -> Out:
    return Out(x.tree, x.length, x.level, x.chain, x.hadamard, scalar=True)


def merged(under: list[Out]) -> list[Out]:
    """a/(b*c) where it is shorter than a/b/c."""
    if len(under) < 2:
        return under
    out = under[0]
    for x in under[1:]:
        out = o.multiply(out, x)
    return [out]


def without_operands(x: Out) -> Out:
    return Out(x.tree, x.length, x.level)


def shortest(*candidates: Out) -> Out:
    return min(candidates, key=lambda x: x.length)


def shorter(forms: tuple[Out, ...]) -> Out:
    return min(forms, key=lambda x: x.length)


def vector_forms(*candidates: Out) -> tuple[Out, Out]:
    """(column, row) from a column form and a row form, either of which may also come from the other."""
    column, row = candidates
    turned_row, turned_column = o.transpose(row), o.transpose(column)
    return (
        column if column.length <= turned_row.length else turned_row,
        row if row.length <= turned_column.length else turned_column,
    )


def diagonal(forms: tuple[Out, ...]) -> Out:
    return o.call(structured_by("diag").name, shorter(forms))


def hadamard(pieces: list[Piece], orientation: int) -> Out:
    return product_of([(p, p.forms[orientation]) for p in pieces])


def product_of(parts: list[tuple[Piece, Out]]) -> Out:
    """An elementwise product with exponents: numerators, then divisors; masks as words around it."""
    masks = [(p, form) for p, form in parts if p.triangles]
    if masks and len({i for p, _ in parts if not p.triangles for i in p.indices}) == 2:
        out = product_of([(p, form) for p, form in parts if not p.triangles])
        for p, form in masks:
            out = o.call(p.triangles[0 if form is p.forms[0] else 1], out)
        return out
    above = [o.power(form, p.exponent) if p.exponent != 1 else form for p, form in parts if p.exponent > 0]
    below = [o.power(form, -p.exponent) if p.exponent != -1 else form for p, form in parts if p.exponent < 0]
    plain = len(above) == len(parts)
    if len(above) == 1 and plain:
        return above[0]
    out = o.elementwise(above) if above else o.number(1)
    for x in merged(below):
        out = o.divide(out, x)
    return out if plain and len(above) > 1 else without_operands(out)


def count_products(pieces: list[Piece]) -> int:
    """How many factors a vector has, powers counted."""
    return sum(int(p.exponent) if p.exponent.denominator == 1 and p.exponent > 0 else 1 for p in pieces)


def whole(word: str, pieces: list[Piece]) -> Out:
    """sum(v) or mean(v)."""
    return o.call(word, shorter((hadamard(pieces, COLUMN), hadamard(pieces, ROW))))


def total_vector(pieces: list[Piece]) -> Out:
    """The sum of the entries of a vector: a dot product where it is a product of two."""
    candidates = [whole(structured_by("sum").name, pieces)]
    if len(pieces) == 1 and pieces[0].exponent == 1 and pieces[0].diagonal_of is not None:
        candidates.append(o.call(structured_by("trace").name, pieces[0].diagonal_of))
    flat = (
        [p for p in pieces for _ in range(int(p.exponent))]
        if all(p.exponent.denominator == 1 and p.exponent > 0 for p in pieces)
        else []
    )
    if len(flat) >= 2 and len(pieces) <= 3:
        for k in range(len(pieces)):
            one = [
                Piece(p.indices, p.forms, p.exponent - (j == k))
                for j, p in enumerate(pieces)
                if p.exponent - (j == k) != 0
            ]
            candidates.append(o.matmul([pieces[k].forms[ROW], hadamard(one, COLUMN)]))
            candidates.append(o.matmul([hadamard(one, ROW), pieces[k].forms[COLUMN]]))
    best = shortest(*candidates)
    return Out(best.tree, best.length, best.level, scalar=True)


def total_matrix(pieces: list[Piece], s: int, t: int) -> Out:
    """The sum of all entries; a trace where that is shorter."""
    both = [product_of([(p, p.over(*pair)) for p in pieces]) for pair in ((s, t), (t, s))]
    candidates = [o.call(structured_by("sum").name, shorter(tuple(both)))]
    if len(pieces) == 2 and all(p.exponent == 1 for p in pieces):
        a, b = pieces
        trace = structured_by("trace").name
        candidates += [
            o.call(trace, o.matmul([x.over(i, j), y.over(j, i)]))
            for x, y in ((a, b), (b, a))
            for i, j in ((s, t), (t, s))
        ]
    best = shortest(*candidates)
    return Out(best.tree, best.length, best.level, scalar=True)


def row_or_column_sum(pieces: list[Piece], vector: list[Piece], s: int, other: int, total: str) -> tuple[Out, Out]:
    """A matrix summed along s, or times a vector along s. -> (column, row) over the other index."""
    as_rows = product_of([(p, p.over(s, other)) for p in pieces])
    as_columns = product_of([(p, p.over(other, s)) for p in pieces])
    if vector:
        return vector_forms(
            o.matmul([as_columns, hadamard(vector, COLUMN)]), o.matmul([hadamard(vector, ROW), as_rows])
        )
    return vector_forms(o.call(total, as_columns, axis=1), o.call(total, as_rows, axis=0))


def joined(left: list[Piece], right: list[Piece], vector: list[Piece], t: int, s: int, u: int) -> Piece:
    """The matrix product over s, its indices (t, u); a vector on s scales one side or stands as a diagonal between."""

    def product(a: list[Piece], b: list[Piece], x: int, y: int) -> Out:
        first = [(p, p.over(x, s)) for p in a]
        second = [(p, p.over(s, y)) for p in b]
        if not vector:
            return o.matmul([product_of(first), product_of(second)])
        across = [(p, p.forms[ROW]) for p in vector]
        down = [(p, p.forms[COLUMN]) for p in vector]
        middle = o.call(structured_by("diag").name, hadamard(vector, COLUMN))
        return shortest(
            o.matmul([product_of(first + across), product_of(second)]),
            o.matmul([product_of(first), product_of(down + second)]),
            o.matmul([product_of(first), middle, product_of(second)]),
        )

    forward, backward = product(left, right, t, u), product(right, left, u, t)
    other = o.transpose(forward)
    return Piece((t, u), (forward, backward if backward.length <= other.length else other))


def total_of(f: Node) -> Node | None:
    """The sum X where f is the total of all its entries, else None."""
    if f.kind != SUM or f.rank or len(f.terms) != 1 or f.terms[0][0] != 1 or len(f.terms[0][1]) != 1:
        return None
    g, idx, e = f.terms[0][1][0]
    return g if g.kind == SUM and g.rank and e == 1 and len(set(idx)) == len(idx) and len(g.terms) > 1 else None


def mean_of(f: Node) -> Node | None:
    """X where f is the total of the entries of X alone, else None."""
    if f.kind != SUM or f.rank or len(f.terms) != 1 or f.terms[0][0] != 1 or len(f.terms[0][1]) != 1:
        return None
    g, idx, e = f.terms[0][1][0]
    return g if g.rank and e == 1 and len(set(idx)) == len(idx) else None


def sum_of_squares(f: Node) -> Node | None:
    """X where f is the sum of X**2 over all entries, else None."""
    if f.kind != SUM or len(f.terms) != 1:
        return None
    c, factors = f.terms[0]
    if c != 1 or len(factors) != 1:
        return None
    g, idx, e = factors[0]
    return g if e == 2 and len(set(idx)) == len(idx) == g.rank else None
