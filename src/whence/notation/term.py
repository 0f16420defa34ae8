"""One contraction in matrix notation.

A term is a set of factors that share indices. Summed indices are removed one at a time: an index that joins two
matrices is a matrix product, a vector on it scales one of them, an index on one factor alone is a sum along an
axis. What is left lies on the axes of the result and is an elementwise product. Where no order of removal works
(three matrices on one index), the term is written with einsum.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from whence.expr.known import UNIT_DIAGONAL
from whence.expr.node import BASIS, DIMENSION, IDENTITY, VARIABLE, Coefficient, Factor, Node
from whence.expr.values import ONE
from whence.notation import out as o
from whence.notation.out import Out
from whence.notation.pieces import (
    COLUMN,
    ROW,
    TRIANGLES,
    NotMatrix,
    Piece,
    as_scalar,
    count_products,
    diagonal,
    hadamard,
    joined,
    mean_of,
    merged,
    product_of,
    row_or_column_sum,
    shorter,
    shortest,
    sum_of_squares,
    total_matrix,
    total_vector,
    vector_forms,
    whole,
    without_operands,
)
from whence.ops.table import in_role, structured_by
from whence.read.syntax import Transpose
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from whence.notation.printer import Printer


AXES = "ijklpqrs"  # the letters of the axes in an index sum


def _same(a: Piece, b: Piece) -> bool:
    """Do two pieces print the same over the same indices, and may their exponents be added?"""
    if a.exponent.denominator != 1 or b.exponent.denominator != 1 or a.exponent + b.exponent == 0:
        return False
    return a.forms[0].tree == (b.forms[0] if len(a.indices) < 2 else b.over(*a.indices)).tree


class Term:
    """One contraction being brought into matrix notation."""

    def __init__(self, printer: Printer, coefficient: Coefficient, factors, rank: int, dims: tuple[Dim, ...]) -> None:
        self.printer, self.coefficient, self.rank, self.dims = printer, coefficient, rank, dims
        self.scalars: list[Piece] = []
        self.groups: dict[tuple[int, ...], list[Piece]] = {}
        self.eyes: list[tuple[int, int]] = []
        self.basis: dict[int, str] = {}
        self.sizes: dict[int, Dim] = dict(enumerate(dims))
        self.filled = False
        self.stuck = rank > 2  # the term needs an index sum
        self.woven = False  # three matrices meet on one summed index
        if any(f.rank == 4 for f, _, _ in factors):
            factors = self._fuse(factors)
        self.present = {f for f, _, _ in factors}
        for factor in self._averaged(sorted(factors, key=self.rank_of)):
            self._take(factor)
        self._pick_entries()
        self._eliminate()

    def rank_of(self, factor: Factor) -> tuple[int, int]:
        """Where a factor stands in a product: what comes from above, then names, then formulas; sizes last."""
        f = factor[0]
        order = self.printer.order
        if f.kind == DIMENSION:
            return (3, 0)
        if self.printer.last and any(leaf.name in self.printer.last for leaf in f.leaves):
            return (4, 0)
        place = 2 if f.kind != VARIABLE else 0 if f.name in self.printer.upstream else 1
        return (place, min((order.get(leaf.name, 10_000) for leaf in f.leaves), default=10_000))

    # ------------------------------------------------------------ factors
    def _take(self, factor: Factor) -> None:
        f, idx, e = factor
        for i, d in zip(idx, f.dims, strict=True):
            self.sizes[i] = d
        if f.kind == IDENTITY:
            self.eyes.append((idx[0], idx[1]))
            return
        if f.kind == BASIS and idx[0] >= self.rank:
            self.basis[idx[0]] = f.name
            return
        if f.rank > 2:
            raise NotMatrix
        if UNIT_DIAGONAL in f.facts:
            self._join(Piece(idx, self.printer.forms(f), triangles=TRIANGLES))
            return
        if f.rank == 0:
            self.scalars.append(self._scalar(f, e))
            return
        forms = self._forms(f)
        if f.rank == 2 and idx[0] == idx[1]:
            column = diagonal(forms)
            self._join(Piece((idx[0],), (column, o.transpose(column)), e, diagonal_of=shorter(forms)))
            return
        self._join(Piece(idx, forms, e, place=self.rank_of(factor)[0]))

    def _fuse(self, factors):
        """Take the functions of matrices with composite axes, and what is tied to their indices."""
        from whence.notation.fused import fused  # which prints matrices of its own, by terms

        pieces, left = fused(self.printer, factors, self.rank, self.sizes)
        for piece in pieces:
            self._join(piece)
        return left

    def _forms(self, f: Node) -> tuple[Out, ...]:
        """A factor's forms; 1 - sigmoid(Z) keeps its form beside sigmoid(Z)."""
        return self.printer.apart(f) if self.printer.complemented(f) in self.present else self.printer.forms(f)

    def _averaged(self, factors: list[Factor]) -> list[Factor]:
        """A total divided by the number of its entries stands as a mean, where the model speaks of means."""
        if not self.printer.means:
            return factors
        for f, _, e in factors:
            g = mean_of(f) if e == 1 else None
            if g is None or len(set(g.dims)) < g.rank:
                continue
            divisors = [x for x in factors if x[0].kind == DIMENSION and x[0].parameters[0] in g.dims and x[2] == -1]
            if len(divisors) == g.rank:
                mean = o.call(structured_by("mean").name, shorter(self.printer.forms(g)))
                self.scalars.append(Piece((), (as_scalar(mean),)))
                return [x for x in factors if x[0] is not f and x not in divisors]
        return factors

    def _scalar(self, f: Node, e: Coefficient) -> Piece:
        """A scalar factor; a sum of squares to a power may be a norm."""
        squared = sum_of_squares(f)
        if squared is not None and (e.denominator == 2 or e == 1):
            inner = shorter(self.printer.forms(squared))
            norm = o.call(in_role("length").name, inner)
            plain = self.printer.forms(f)[0]
            doubled = o.power(norm, abs(e) * 2)
            direct = plain if abs(e) == 1 else o.power(plain, abs(e))
            if doubled.length <= direct.length:
                return Piece((), (Out(doubled.tree, doubled.length, doubled.level, scalar=True),), 1 if e > 0 else -1)
        return Piece((), self._forms(f), e, size=f.parameters[0] if f.kind == DIMENSION else None)

    def _join(self, piece: Piece) -> None:
        group = self.groups.setdefault(tuple(sorted(piece.indices)), [])
        for k, other in enumerate(group):
            if not piece.triangles and _same(piece, other):
                group[k] = replace(other, exponent=other.exponent + piece.exponent)
                return
        group.append(piece)

    def _pick_entries(self) -> None:
        """A unit vector on a summed index picks that entry from everything else on the index."""
        for key in [k for k in self.groups if len(k) == 2 and k[0] in self.basis and k[1] in self.basis]:
            for piece in self.groups.pop(key):
                entry = o.index(piece.over(*key), self.basis[key[0]], self.basis[key[1]])
                self.scalars.append(Piece((), (entry,), piece.exponent))
        for s, name in self.basis.items():
            touching = [key for key in self.groups if s in key]
            if not touching:
                continue
            for key in touching:
                for piece in self.groups.pop(key):
                    self._join_or_scalar(self._picked(piece, s, name))

    def _join_or_scalar(self, piece: Piece) -> None:
        if piece.indices:
            self._join(piece)
        else:
            self.scalars.append(piece)

    def _picked(self, piece: Piece, s: int, name: str) -> Piece:
        if len(piece.indices) == 1:
            return Piece((), (o.index(shorter(piece.forms), name),), piece.exponent)
        other = piece.indices[1] if piece.indices[0] == s else piece.indices[0]
        row = o.index(piece.over(s, other), name, None)
        column = o.index(piece.over(other, s), None, name)
        forms = vector_forms(column, row)
        if isinstance(piece.over(s, other).tree, Transpose):
            forms = (column, o.transpose(column))
        elif isinstance(piece.over(other, s).tree, Transpose):
            forms = (o.transpose(row), row)
        return Piece((other,), forms, piece.exponent)

    # ------------------------------------------------------------ removing summed indices
    def _eliminate(self) -> None:
        while True:
            summed = sorted({i for key in self.groups for i in key if i >= self.rank})
            if not summed:
                return
            ready = [(self._degree(s), s) for s in summed]
            degree, s = min(ready)
            if degree[0] > 2:
                self.stuck = self.woven = True
                return
            self._remove(s)

    def _degree(self, s: int) -> tuple[int, int, int]:
        """How many matrices meet at an index, of how many factors; names are joined before formulas."""
        matrices = [key for key in self.groups if s in key and len(key) == 2]
        pieces = [p for key in matrices for p in self.groups[key]]
        return (len(matrices), len(pieces), sum(p.place for p in pieces))

    def _remove(self, s: int) -> None:
        vector = self.groups.pop((s,), [])
        matrices = [key for key in self.groups if s in key]
        if not matrices:
            if count_products(vector) > 1 or not self._averages(s):
                self.scalars.append(Piece((), (total_vector(vector),)))
            else:
                self.scalars.append(Piece((), (as_scalar(whole(self._take_average(s), vector)),)))
        elif len(matrices) == 1:
            (key,) = matrices
            other = key[0] if key[1] == s else key[1]
            pieces = self.groups.pop(key)
            if not vector and other >= self.rank and not any(other in k for k in self.groups):
                if self._averages(s, other):
                    both = [product_of([(p, p.over(*pair)) for p in pieces]) for pair in ((s, other), (other, s))]
                    self.scalars.append(
                        Piece((), (as_scalar(o.call(self._take_average(s, other), shorter(tuple(both)))),))
                    )
                else:
                    self.scalars.append(Piece((), (total_matrix(pieces, s, other),)))
            else:
                word = self._take_average(s) if not vector and self._averages(s) else structured_by("sum").name
                self._join(Piece((other,), row_or_column_sum(pieces, vector, s, other, word)))
        else:
            a, b = matrices
            t = a[0] if a[1] == s else a[1]
            u = b[0] if b[1] == s else b[1]
            left, right = self.groups.pop(a), self.groups.pop(b)
            self._join(joined(left, right, vector, t, s, u))

    def _averages(self, *indices: int) -> bool:
        """Does the term divide by the sizes of these axes, and does the model speak of means?"""
        sizes = [self.sizes[i] for i in indices]
        return self.printer.means and all(self._divisor(d) is not None for d in sizes) and len(set(sizes)) == len(sizes)

    def _divisor(self, d: Dim) -> int | None:
        return next((k for k, p in enumerate(self.scalars) if p.size == d and p.exponent == -1), None)

    def _take_average(self, *indices: int) -> str:
        """Leave out the division by the sizes and name the mean instead of the sum."""
        for i in indices:
            place = self._divisor(self.sizes[i])
            assert place is not None
            self.scalars.pop(place)
        return structured_by("mean").name

    # ------------------------------------------------------------ the result
    @property
    def axes(self) -> set[int]:
        """The axes of the result that the term reaches without ones."""
        if self.filled or self.stuck:
            return set(range(self.rank))
        found = {i for key in self.groups for i in key}
        return found | {i for pair in self.eyes for i in pair}

    def fill(self) -> None:
        """Make the term reach all axes: write the ones that broadcasting leaves out."""
        self.filled = True

    def form(self, orientation: int) -> Out:
        """The whole term, as a column or row, or with axes in order or turned."""
        body = self._index_sum(orientation) if self.stuck else self._body(orientation)
        return self.with_scalars(body)

    def _index_sum(self, orientation: int) -> Out:
        """What is left as one einsum; a row is its column transposed."""
        if self.rank > len(AXES):
            raise NotMatrix
        names = dict(zip(range(self.rank), AXES, strict=False))
        groups: list[str] = []
        operands: list[Out] = []
        for key, pieces in self.groups.items():
            for i in key:
                names.setdefault(i, "abcdefgh"[len([n for n in names if n >= self.rank])])
            groups.append("".join(names[i] for i in key))
            operands.append(
                hadamard(pieces, COLUMN) if len(key) == 1 else product_of([(p, p.over(*key)) for p in pieces])
            )
        for a, b in self.eyes:
            groups.append(names[a] + names[b])
            operands.append(self.printer.filled("eye", self.sizes[a]))
        for k in range(self.rank):
            if not any(names[k] in g for g in groups):
                groups.append(names[k])
                operands.append(self.printer.filled("ones", self.dims[k]))
        out = "".join(names[k] for k in range(self.rank))
        if orientation == 1 and self.rank == 2:
            out = out[::-1]
        made = o.einsum(structured_by("einsum").name, ",".join(groups) + "->" + out, operands)
        return o.transpose(made) if orientation == 1 and self.rank == 1 else made

    def _body(self, orientation: int) -> Out | None:
        if self.rank == 0:
            return None
        if self.rank == 1:
            return self._vector_body(orientation)
        return self._matrix_body(orientation)

    def _vector_body(self, orientation: int) -> Out | None:
        pieces = self.groups.get((0,), [])
        if not pieces:
            return self._ones(orientation) if self.filled else None
        return hadamard(pieces, orientation)

    def _ones(self, orientation: int) -> Out:
        d = self.dims[0]
        return self.printer.filled("ones", d) if orientation == COLUMN else self.printer.filled("ones", ONE, d)

    def _matrix_body(self, orientation: int) -> Out | None:
        rows, columns = (0, 1) if orientation == 0 else (1, 0)
        matrix = self.groups.get((0, 1), [])
        down, across = self.groups.get((rows,), []), self.groups.get((columns,), [])
        if self.eyes:
            return self._with_identity(matrix, down + across)
        if not matrix and down and across:
            return self._outer(down, across)
        if matrix and down and across and all(p.triangles for p in matrix):
            made = self._outer(down, across)
            for p in matrix:
                made = o.call(p.triangles[0 if p.over(rows, columns) is p.forms[0] else 1], made)
            return made
        if not matrix and (down or across) and self.filled:
            ones = [self.printer.filled("ones", self.dims[columns]), self.printer.filled("ones", self.dims[rows])]
            if down:
                return o.matmul([hadamard(down, COLUMN), o.transpose(ones[0])])
            return o.matmul([ones[1], hadamard(across, ROW)])
        if not matrix and not down and not across:
            return self.printer.filled("ones", self.dims[rows], self.dims[columns]) if self.filled else None
        parts = [(p, p.over(rows, columns)) for p in matrix]
        parts += [(p, p.forms[COLUMN]) for p in down] + [(p, p.forms[ROW]) for p in across]
        return product_of(parts)

    def _outer(self, down: list[Piece], across: list[Piece]) -> Out:
        left, right = hadamard(down, COLUMN), hadamard(across, ROW)
        return shortest(o.matmul([left, right]), without_operands(o.elementwise([left, right])))

    def _with_identity(self, matrix: list[Piece], vectors: list[Piece]) -> Out:
        if len(self.eyes) > 1 or matrix:
            raise NotMatrix
        if not vectors:
            return self.printer.filled("eye", self.dims[0])
        on_diagonal = o.call(structured_by("diag").name, hadamard(vectors, COLUMN))
        if len(vectors) == 1 and vectors[0].diagonal_of is not None and vectors[0].exponent == 1:
            eye = self.printer.filled("eye", self.dims[0])
            return shortest(on_diagonal, without_operands(o.elementwise([vectors[0].diagonal_of, eye])))
        return on_diagonal

    def with_scalars(self, body: Out | None) -> Out:
        """Numbers and scalars before the body, divisors after it."""
        c = Fraction(self.coefficient)
        above = [p for p in self.scalars if p.exponent > 0]
        below = [p for p in self.scalars if p.exponent < 0]
        decimal = c.denominator != 1 and bool(o._decimal(c))
        number = o.number(c) if decimal else o.number(c.numerator) if c.numerator != 1 else None
        front: list[Out] = []
        front += [as_scalar(o.power(p.forms[0], p.exponent)) for p in above]
        under = [] if decimal or c.denominator == 1 else [o.number(c.denominator)]
        under += [as_scalar(o.power(p.forms[0], -p.exponent)) for p in below]
        if body is not None and body.scalar:
            front, body = [*front, body], None
        parts = front if body is None else [*front, body]
        parts = (
            sorted(parts, key=lambda x: x.level != o.PRODUCT_LEVEL)
            if front and body is not None and body.level != o.PRODUCT_LEVEL
            else parts
        )
        if not parts:
            parts = [number or o.number(1)]
            number = None
        out = parts[0]
        for x in parts[1:]:
            out = o.times_number(out, x) if out.level >= o.POWER_LEVEL else o.scale(out, x)
        if number is not None:
            out = o.times_number(number, out)
        for x in merged(under):
            out = o.divide(out, x)
        return out
