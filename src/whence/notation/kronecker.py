"""Arrays of more than two axes as one matrix: Kronecker products, vec and commutation matrices.

The rows of the matrix are several axes of the array, the slowest first, and so are its columns. In a term, each factor
that joins a row axis to a column axis is one factor of a Kronecker product; where two of them cross, the columns are
exchanged by a commutation matrix. Factors on row axes alone scale the rows, or stand as vec(...) where nothing else
reaches their axes; so on the columns.

Source: Magnus & Neudecker, Matrix Differential Calculus (2019), ch. 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

from whence.expr.node import FUNCTION, IDENTITY, SUM, Coefficient, Factor, Node, function, identity
from whence.expr.opaque import COMPOSITE
from whence.expr.sums import make_sum, transpose
from whence.notation import out as o
from whence.notation.out import Out
from whence.notation.pieces import COLUMN, ROW, NotMatrix, Piece, hadamard, product_of, shortest
from whence.notation.term import Term
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from whence.notation.printer import Printer

MAX_AXES = 3  # of a composite axis whose parts may be exchanged


@dataclass(frozen=True)
class Arrangement:
    """Which axes of an array are the rows of the matrix, and which its columns."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]


def matrix_of(printer: Printer, node: Node, arrangement: Arrangement) -> Out:
    """The array as one matrix. Raises NotMatrix where a term is no Kronecker product."""
    if composite(node) and arrangement == Arrangement((0, 1), (2, 3)):
        return composite_matrix(printer, node)
    terms = node.terms if node.kind == SUM else ((1, ((node, tuple(range(node.rank)), 1),)),)
    if not terms:
        sizes = [_size(printer, [node.dims[a] for a in axes]) for axes in (arrangement.rows, arrangement.columns)]
        return o.call(structured_by("zeros").name, *sizes)
    signed = []
    for c, factors in printer.in_order(terms):
        if len(factors) == 1 and factors[0][0].kind == SUM and factors[0][2] == 1 and factors[0][0].rank > 2:
            raise NotMatrix
        out = _through_inverse(printer, abs(c), factors, node, arrangement)
        if out is None:
            term = Term(printer, abs(c), factors, node.rank, node.dims)
            if term.woven:
                raise NotMatrix
            out = term.with_scalars(_Product(printer, term, arrangement).out())
        signed.append((1 if c > 0 else -1, out))
    if len(signed) == 1:
        sign, out = signed[0]
        return out if sign > 0 else o.negative(out)
    return o.add(signed)


def stacked_columns(matrix: Out) -> Out:
    """vec of a formula."""
    return o.call(structured_by("vec").name, matrix)


def composite(f: Node) -> bool:
    """Is it a function of matrices whose rows and columns are made of two axes each?"""
    return f.kind == FUNCTION and f.rank == 4 and COMPOSITE in f.parameters


def composite_matrix(printer: Printer, f: Node) -> Out:
    """inv(kron(A, B) + ...) as it stands, rows and columns composite."""
    halves = Arrangement((0, 1), (2, 3))
    return o.call(f.name, *(matrix_of(printer, a, halves) for a in f.arguments))


def _through_inverse(
    printer: Printer, c: Coefficient, factors: Sequence[Factor], node: Node, arrangement: Arrangement
) -> Out | None:
    """A term with one composite inverse as a product of three matrices; None where it has none."""
    places = [k for k, (f, _, e) in enumerate(factors) if composite(f) and e == 1]
    if not places:
        return None
    if len(places) > 1:
        raise NotMatrix
    f, idx, _ = factors[places[0]]
    rest = [x for k, x in enumerate(factors) if k != places[0]]
    if _reached(idx[:2], rest) & set(arrangement.columns):  # it stands transposed
        turned = transpose(f.arguments[0], (2, 3, 0, 1))
        f, idx = function(f.name, (turned,), turned.dims, f.parameters, f.facts), (*idx[2:], *idx[:2])
    if tuple(idx[:2]) == arrangement.rows[::-1] or tuple(idx[2:]) == arrangement.columns[::-1]:
        swapped = transpose(f.arguments[0], (1, 0, 3, 2))
        f = function(f.name, (swapped,), swapped.dims, f.parameters, f.facts)
        idx = (idx[1], idx[0], idx[3], idx[2])
    if _reached(idx[:2], rest) & set(arrangement.columns) or _reached(idx[2:], rest) & set(arrangement.rows):
        raise NotMatrix
    scalars = [x for x in rest if not x[1]]
    sides = (
        _beside(idx[:2], arrangement.rows, rest, f.dims[:2], node),
        _beside(idx[2:], arrangement.columns, rest, f.dims[2:], node),
    )
    if sum(len(side[1]) for side in sides) + len(scalars) != len(rest):
        raise NotMatrix
    parts = [composite_matrix(printer, f)]
    for k, (matrix, _) in enumerate(sides):
        count = matrix.rank - 2
        if _is_identity(matrix, count):
            continue
        own, inner = tuple(range(count)), (count, count + 1)
        shown = matrix_of(printer, matrix, Arrangement(own, inner) if k == 0 else Arrangement(inner, own))
        parts.insert(0 if k == 0 else len(parts), shown)
    return Term(printer, c, scalars, 0, ()).with_scalars(o.matmul(parts))


def _reached(start: Sequence[int], factors: Sequence[Factor]) -> set[int]:
    """The indices that factors tie to these."""
    reached = set(start)
    for _ in factors:
        for _, idx, _ in factors:
            if reached & set(idx):
                reached |= set(idx)
    return reached


def _beside(
    own: tuple[int, ...], axes: tuple[int, ...], factors: Sequence[Factor], dims: tuple[Dim, ...], node: Node
) -> tuple[Node, list[Factor]]:
    """What joins the axes of the result to the two indices of the inverse, as an array, and the factors it uses."""
    reached = _reached((*own, *axes), factors)
    chosen = [x for x in factors if reached & set(x[1])]
    place: dict[int, int] = {a: k for k, a in enumerate(axes)}
    raw: list[Factor] = []
    for k, i in enumerate(own):
        slot = len(axes) + k
        if i in place:
            raw.append((identity(dims[k]), (place[i], slot), 1))
        else:
            place[i] = slot
    raw += [(f, tuple(place.get(i, i + 10_000) for i in idx), e) for f, idx, e in chosen]
    return make_sum([(1, raw)], (*(node.dims[a] for a in axes), *dims)), chosen


def _is_identity(matrix: Node, count: int) -> bool:
    if count != 2 or matrix.kind != SUM or len(matrix.terms) != 1:
        return False
    c, factors = matrix.terms[0]
    return c == 1 and sorted((f.kind, idx) for f, idx, _ in factors) == [(IDENTITY, (0, 2)), (IDENTITY, (1, 3))]


def _size(printer: Printer, sizes: Sequence[Dim]) -> Out:
    total = Dim.parse(1)
    for d in sizes:
        total = total * d
    return printer.size(total)


class _Product:
    """One term as a Kronecker product."""

    def __init__(self, printer: Printer, term: Term, arrangement: Arrangement) -> None:
        self.printer, self.term = printer, term
        self.rows, self.columns = arrangement.rows, arrangement.columns
        self.link: dict[int, int] = {}
        self.pairs: dict[tuple[int, int], list[Piece]] = {}  # (row, column) -> what joins them; empty: the identity
        self.single: dict[int, list[Piece]] = {}
        self.double: dict[tuple[int, int], list[Piece]] = {}  # two rows, or two columns
        for a, b in term.eyes:
            self._join(a, b, [])
        for key, pieces in term.groups.items():
            if len(key) == 1:
                self.single[key[0]] = pieces
            elif (key[0] in self.rows) == (key[1] in self.rows):
                self.double[key[0], key[1]] = pieces
            else:
                self._join(key[0], key[1], pieces)

    def _join(self, a: int, b: int, pieces: list[Piece]) -> None:
        row, column = (a, b) if a in self.rows else (b, a)
        if (a in self.rows) == (b in self.rows) or row in self.link or column in self.link:
            raise NotMatrix
        self.link[row], self.link[column] = column, row
        self.pairs[row, column] = pieces

    def out(self) -> Out:
        """The matrix, its scalars left out."""
        left = self._scaling(self.rows)
        right = self._scaling(self.columns)
        body = self._arranged()
        parts = [x for x in (left, body, right) if x is not None]
        return o.matmul(parts) if parts else o.call(structured_by("eye").name, self._whole(self.rows))

    def _scaling(self, axes: tuple[int, ...]) -> Out | None:
        """diag(vec(M)) for a factor M on two axes that are both joined to the other side."""
        found = None
        for key, pieces in list(self.double.items()):
            if not set(key) <= set(axes) or not all(a in self.link for a in key):
                continue
            if found is not None or len(axes) != 2:
                raise NotMatrix
            del self.double[key]
            column = self._stacked(pieces, axes)
            found = o.call(structured_by("diag").name, column)
        return found

    def _stacked(self, pieces: list[Piece], axes: Sequence[int]) -> Out:
        """vec of a factor on two axes, the first of them the slower."""
        slow, fast = axes
        return o.call(structured_by("vec").name, product_of([(p, p.over(fast, slow)) for p in pieces]))

    def _arranged(self) -> Out | None:
        """The Kronecker product with its columns in order, or exchanged by a commutation matrix."""
        options = []
        orders = permutations(self.columns) if len(self.columns) <= MAX_AXES else [self.columns]
        for order in orders:
            factors = self._factors(self.rows, order)
            if factors is None:
                continue
            product = _kron(self.printer, factors)
            if order == self.columns:
                return product
            exchange = self._exchange(order)
            if exchange is not None:
                options.append(exchange if product is None else o.matmul([product, exchange]))
        if not options:
            raise NotMatrix
        return shortest(*options)

    def _exchange(self, order: Sequence[int]) -> Out | None:
        """The P with M = M' @ P, where the columns of M' stand in this order: one block exchanged with the other."""
        count = len(order)
        for cut in range(1, count):
            if tuple(order[count - cut :]) + tuple(order[: count - cut]) == self.columns:
                first = self._whole(order[: count - cut])
                second = self._whole(order[count - cut :])
                return o.call(structured_by("commutation").name, first, second)
        return None

    def _whole(self, axes: Sequence[int]) -> Out:
        return _size(self.printer, [self.term.sizes[a] for a in axes])

    def _factors(self, rows: Sequence[int], columns: Sequence[int]) -> list[Out | Dim] | None:
        """The factors of the Kronecker product in order; a size stands for an identity. None where links cross."""
        left, right = list(rows), list(columns)
        out: list[Out | Dim] = []
        above: list[Out | Dim] = []  # columns of what is joined to nothing, and rows: u and v.T of u @ v.T
        beside: list[Out | Dim] = []  # a size stands for ones

        def flush() -> None:
            if above or beside:
                factors = [o.kron(self._with_ones(above, COLUMN))] if above else []
                factors += [o.kron(self._with_ones(beside, ROW))] if beside else []
                out.append(o.matmul(factors))
                above.clear()
                beside.clear()

        while left or right:
            if left and left[0] not in self.link:
                above.append(self._vector(left, COLUMN))
            elif right and right[0] not in self.link:
                beside.append(self._vector(right, ROW))
            elif left and right and self.link[left[0]] == right[0]:
                flush()
                out.append(self._joined(left.pop(0), right.pop(0)))
            else:
                return None
        flush()
        return out

    def _with_ones(self, factors: list[Out | Dim], orientation: int) -> list[Out]:
        """The factors of a column or row, neighbouring ones as one."""
        merged = _neighbours_joined(factors)
        out = [self.printer.filled("ones", f) if isinstance(f, Dim) else f for f in merged]
        return out if orientation == COLUMN else [
            o.transpose(x) if isinstance(f, Dim) else x for f, x in zip(merged, out, strict=True)
        ]

    def _vector(self, axes: list[int], orientation: int) -> Out | Dim:
        """What stands on the first axis, or on the first two, and is joined to nothing."""
        a = axes.pop(0)
        for key, pieces in self.double.items():
            if a in key:
                if not axes or axes[0] not in key or any(x in self.single or x in self.link for x in key):
                    raise NotMatrix
                column = self._stacked(pieces, (a, axes.pop(0)))
                return column if orientation == COLUMN else o.transpose(column)
        pieces = self.single.get(a)
        if pieces:
            return hadamard(pieces, orientation)
        return self.term.sizes[a]

    def _joined(self, row: int, column: int) -> Out | Dim:
        """What joins a row axis to a column axis, scaled by what stands on either."""
        if any(row in key or column in key for key in self.double):
            raise NotMatrix
        pieces = self.pairs[row, column]
        down, across = self.single.get(row, []), self.single.get(column, [])
        if not pieces:
            if not down and not across:
                return self.term.sizes[row]
            return o.call(structured_by("diag").name, hadamard([*down, *across], COLUMN))
        parts = [(p, p.over(row, column)) for p in pieces]
        parts += [(p, p.forms[COLUMN]) for p in down] + [(p, p.forms[ROW]) for p in across]
        return product_of(parts)


def _neighbours_joined(factors: list[Out | Dim]) -> list[Out | Dim]:
    """Neighbouring sizes, which stand for identities or for ones, as one."""
    merged: list[Out | Dim] = []
    for f in factors:
        if isinstance(f, Dim) and merged and isinstance(merged[-1], Dim):
            merged[-1] = merged[-1] * f
        else:
            merged.append(f)
    return merged


def _kron(printer: Printer, factors: list[Out | Dim]) -> Out | None:
    """The Kronecker product of the factors, neighbouring identities as one; None for the identity alone."""
    merged = _neighbours_joined(factors)
    if len(merged) == 1 and isinstance(merged[0], Dim):
        return None
    return o.kron([printer.filled("eye", f) if isinstance(f, Dim) else f for f in merged])
