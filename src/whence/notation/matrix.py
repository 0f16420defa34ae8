"""From contractions back to matrix notation.

A term is a set of factors that share indices. Summed indices are removed one at a time: an index that joins two
matrices is a matrix product, a vector on it scales one of them, an index on one factor alone is a sum along an
axis. What is left lies on the axes of the result and is an elementwise product. Where no order of removal works
(three matrices on one index), `NotMatrix` is raised and the term is written with einsum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from whence.expr.node import BASIS, DIMENSION, FUNCTION, IDENTITY, SUM, VARIABLE, Coefficient, Factor, Node
from whence.expr.opaque import structured_by
from whence.expr.sums import make_sum
from whence.notation import out as o
from whence.notation.out import Out
from whence.ops.table import TABLE
from whence.shapes.dims import Dim

ONE = Dim.parse(1)
COLUMN, ROW = 0, 1


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

    def over(self, *indices: int) -> Out:
        """The form of a matrix with these indices in this order."""
        return self.forms[0] if indices == self.indices else self.forms[1]


@dataclass
class Printer:
    """Prints nodes. `shapes` says how named vectors stand (a row or a column); `order` ranks names for ties."""

    shapes: Mapping[str, tuple[Dim, ...]]
    order: Mapping[str, int] = field(default_factory=dict)
    means: bool = False  # write sum(x)/n as mean(x): where the model itself speaks of means
    _memo: dict[Node, tuple[Out, ...]] = field(default_factory=dict)

    # ------------------------------------------------------------ nodes
    def forms(self, node: Node) -> tuple[Out, ...]:
        """(form,) of a scalar, (column, row) of a vector, (matrix, transpose) of a matrix. Rank 3 and more: NotMatrix."""
        found = self._memo.get(node)
        if found is None:
            found = self._memo[node] = self._forms(node)
        return found

    def _forms(self, node: Node) -> tuple[Out, ...]:
        if node.rank > 2 and node.kind not in (SUM, VARIABLE):
            raise NotMatrix
        if node.kind == SUM:
            return self._sum_forms(node)
        if node.kind == FUNCTION:
            return self._function_forms(node)
        if node.kind == IDENTITY:
            eye = self.filled("eye", node.dims[0])
            return (eye, eye)
        if node.kind == BASIS:
            unit = o.index(self.filled("eye", node.dims[0]), None, node.name)
            return (unit, o.transpose(unit))
        if node.kind == DIMENSION:
            return (self.size(node.parameters[0]),)
        symmetric = "symmetric" in node.facts
        base = o.name(node.name, symmetric=symmetric, scalar=node.rank == 0)
        if node.rank == 0:
            return (base,)
        turned = o.transpose(base)
        shape = self.shapes.get(node.name, ())
        return (turned, base) if node.rank == 1 and shape and shape[0] == ONE else (base, turned)

    def filled(self, structure: str, *sizes: Dim) -> Out:
        """eye(n), ones(n, m), by the entry that has this structure."""
        return o.call(structured_by(structure).name, *(self.size(d) for d in sizes))

    def size(self, d: Dim) -> Out:
        """A size as a formula."""
        terms = []
        for powers, c in d.terms:
            factors = [o.power(o.name(symbol, scalar=True), e) for symbol, e in powers]
            if abs(c) != 1 or not factors:
                factors.insert(0, o.number(abs(c)))
            out = factors[0]
            for f in factors[1:]:
                out = o.multiply(out, f)
            terms.append((1 if c > 0 else -1, out))
        return o.add(terms) if len(terms) > 1 or terms[0][0] < 0 else terms[0][1]

    def _function_forms(self, node: Node) -> tuple[Out, ...]:
        name, parameters = node.name, node.parameters
        op = TABLE.get(name)
        if op is not None and op.structure == "power":
            return tuple(self._symbolic_power(a, b) for a, b in zip(*self._loose(node.arguments), strict=True))
        several = op is not None and op.kind == "elementwise" and len(node.arguments) > 1
        arguments = self._loose(node.arguments) if several else [self.forms(a) for a in node.arguments]
        if op is None or op.kind == "elementwise":
            made = [o.call(name, *(a[min(k, len(a) - 1)] for a in arguments)) for k in range(min(node.rank, 1) + 1)]
            return self._both(made, symmetric="symmetric" in node.facts, rank=node.rank)
        slots = parameters[0] if parameters else None
        if parameters and slots is not None and node.arguments[0].rank == 2:
            return self._along_axis(node, name, slots[0], arguments[0])
        if parameters and node.arguments[0].rank == 1:
            column = o.call(name, arguments[0][COLUMN])
            row = o.call(name, arguments[0][ROW], axis=1)
            return self._both([column, row], rank=node.rank)
        if op.transposes == "invariant":
            return self._both([o.call(name, _shorter(arguments[0]))], rank=0)
        made = [o.call(name, a) for a in arguments[0]] if op.transposes else [o.call(name, *(a[0] for a in arguments))]
        return self._both(made, symmetric="symmetric" in node.facts, rank=node.rank)

    def _loose(self, arguments: tuple[Node, ...]) -> list[tuple[Out, ...]]:
        """Arguments that are broadcast against each other: ones need not be written where another has the axis."""
        rank = arguments[0].rank
        reach = [self._axes_of(a) for a in arguments]
        whole = set(range(rank))
        if set().union(*reach) != whole or whole in reach and all(r == whole for r in reach):
            return [self.forms(a) for a in arguments]
        return [self.forms(a) if r == whole else self._unfilled(a) for a, r in zip(arguments, reach, strict=True)]

    def _axes_of(self, node: Node) -> set[int]:
        if node.kind != SUM:
            return set(range(node.rank))
        return {i for _, fs in node.terms for _, idx, _ in fs for i in idx if i < node.rank}

    def _unfilled(self, node: Node) -> tuple[Out, ...]:
        terms = self._sorted(node.terms)
        printed = [(1 if c > 0 else -1, Term(self, abs(c), factors, node.rank, node.dims)) for c, factors in terms]
        return tuple(self._assemble(printed, k) for k in range(2 if node.rank else 1)) if printed else self.forms(node)

    def _along_axis(self, node: Node, name: str, axis: int, argument: tuple[Out, ...]) -> tuple[Out, ...]:
        forms = [o.call(name, argument[0], axis=axis), o.call(name, argument[1], axis=1 - axis)]
        if node.rank == 2:
            return self._both(forms, rank=2)
        # along axis 0 the result is a row, along axis 1 a column
        row, column = (forms[0], forms[1]) if axis == 0 else (forms[1], forms[0])
        return self._both([column, row], rank=1)

    def _both(self, made: list[Out], *, rank: int, symmetric: bool = False) -> tuple[Out, ...]:
        """Each orientation in its shorter form."""
        if rank == 0:
            first = made[0]
            return (Out(first.tree, first.length, first.level, scalar=True),)
        first = made[0]
        if symmetric:
            first = Out(first.tree, first.length, first.level, first.chain, first.hadamard, symmetric=True)
            return (first, first)
        second = made[1] if len(made) > 1 else o.transpose(first)
        turned = o.transpose(first)
        back = o.transpose(second)
        return (first if first.length <= back.length else back, second if second.length < turned.length else turned)

    def _symbolic_power(self, base: Out, exponent: Out) -> Out:
        tree = o.Binary("**", base.tree, exponent.tree)
        return Out(tree, base.within(o.ATOM_LEVEL) + 1 + exponent.within(o.ATOM_LEVEL), o.POWER_LEVEL, scalar=base.scalar and exponent.scalar)

    # ------------------------------------------------------------ sums
    def _sum_forms(self, node: Node) -> tuple[Out, ...]:
        if not node.terms:
            return self._constant_forms(Fraction(0), node.dims)
        if len(node.terms) == 1:
            c, factors = node.terms[0]
            if not factors:
                return self._constant_forms(Fraction(c), node.dims)
            return self._signed_forms([(c, factors)], node.dims)
        return self._signed_forms(self._sorted(node.terms), node.dims)

    def _sorted(self, terms):
        return sorted(terms, key=lambda t: (self._first_name(t[1]), t[0] < 0))

    def _first_name(self, factors) -> tuple:
        ranks = sorted(self.order.get(leaf.name, 10_000) for f, _, _ in factors for leaf in f.leaves)
        return tuple(-r for r in ranks[::-1][:1])

    def _constant_forms(self, c: Fraction, dims: tuple[Dim, ...]) -> tuple[Out, ...]:
        if not dims:
            out = o.number(abs(c))
            return (out if c >= 0 else o.negative(out),)
        sizes = [(dims[0],), (ONE, dims[0])] if len(dims) == 1 else [dims, dims[::-1]] if len(dims) == 2 else [dims]
        forms = []
        for s in sizes:
            out = self.filled("zeros" if c == 0 else "ones", *s)
            if abs(c) not in (0, 1):
                out = o.multiply(o.number(abs(c)), out)
            forms.append(out if c >= 0 else o.negative(out))
        return tuple(forms)

    def _signed_forms(self, terms, dims: tuple[Dim, ...]) -> tuple[Out, ...]:
        rank = len(dims)
        if all(c < 0 for c, _ in terms):
            terms = [self._sign_inside(*terms[0]), *terms[1:]]
        printed = [(1 if c > 0 else -1, Term(self, abs(c), factors, rank, dims)) for c, factors in terms]
        covered = {axis for _, t in printed for axis in t.axes}
        if not covered.issuperset(range(rank)):
            printed[0][1].fill()
        orientations = 2 if 1 <= rank <= 2 else 1
        return tuple(self._assemble(printed, k) for k in range(orientations))

    def _sign_inside(self, c: Coefficient, factors):
        """-(a - b) * c as (b - a) * c, where a sum among the factors can take the sign at no cost."""
        for k, (f, idx, e) in enumerate(factors):
            if f.kind == SUM and len(f.terms) > 1 and abs(e) == 1 and any(c2 < 0 for c2, _ in f.terms):
                turned = make_sum([(-c2, fs) for c2, fs in f.terms], f.dims)
                return -c, (*factors[:k], (turned, idx, e), *factors[k + 1 :])
        return c, factors

    def _assemble(self, printed, orientation: int) -> Out:
        signed = [(s, t.form(orientation)) for s, t in printed]
        if len(signed) == 1:
            s, out = signed[0]
            return out if s > 0 else o.negative(out)
        return o.add(signed)


class Term:
    """One contraction being brought into matrix notation."""

    def __init__(self, printer: Printer, coefficient: Coefficient, factors, rank: int, dims: tuple[Dim, ...]) -> None:
        self.printer, self.coefficient, self.rank, self.dims = printer, coefficient, rank, dims
        self.scalars: list[Piece] = []
        self.groups: dict[tuple[int, ...], list[Piece]] = {}
        self.eyes: list[tuple[int, int]] = []
        self.basis: dict[int, str] = {}
        self.sizes: dict[int, Dim] = {k: d for k, d in enumerate(dims)}
        self.filled = False
        self.stuck = rank > 2  # the term needs an index sum
        for factor in sorted(factors, key=self._rank_of):
            self._take(factor)
        self._pick_entries()
        self._eliminate()

    def _rank_of(self, factor: Factor) -> int:
        f = factor[0]
        order = self.printer.order
        if f.kind == DIMENSION:
            return 20_000
        return min((order.get(leaf.name, 10_000) for leaf in f.leaves), default=10_000)

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
        if f.rank == 0:
            self.scalars.append(self._scalar(f, e))
            return
        forms = self.printer.forms(f)
        if f.rank == 2 and idx[0] == idx[1]:
            column = _diagonal(forms)
            self._join(Piece((idx[0],), (column, o.transpose(column)), e, diagonal_of=_shorter(forms)))
            return
        self._join(Piece(idx, forms, e))

    def _scalar(self, f: Node, e: Coefficient) -> Piece:
        """A scalar factor; a sum of squares to a power may be a norm."""
        squared = _sum_of_squares(f)
        if squared is not None and (e.denominator == 2 or e == 1):
            inner = self.printer.forms(squared)[0]
            norm = o.call("norm", inner)
            plain = self.printer.forms(f)[0]
            doubled = o.power(norm, abs(e) * 2)
            direct = plain if abs(e) == 1 else o.power(plain, abs(e))
            if doubled.length <= direct.length:
                return Piece((), (Out(doubled.tree, doubled.length, doubled.level, scalar=True),), 1 if e > 0 else -1)
        return Piece((), self.printer.forms(f), e, size=f.parameters[0] if f.kind == DIMENSION else None)

    def _join(self, piece: Piece) -> None:
        key = tuple(sorted(piece.indices))
        self.groups.setdefault(key, []).append(piece)

    def _pick_entries(self) -> None:
        """A unit vector on a summed index picks that entry from everything else on the index."""
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
            return Piece((), (o.index(_shorter(piece.forms), name),), piece.exponent)
        other = piece.indices[1] if piece.indices[0] == s else piece.indices[0]
        row = o.index(piece.over(s, other), name, None)
        column = o.index(piece.over(other, s), None, name)
        return Piece((other,), _vector(column, row), piece.exponent)

    # ------------------------------------------------------------ removing summed indices
    def _eliminate(self) -> None:
        while True:
            summed = sorted({i for key in self.groups for i in key if i >= self.rank})
            if not summed:
                return
            ready = [(self._degree(s), s) for s in summed]
            degree, s = min(ready)
            if degree[0] > 2:
                self.stuck = True
                return
            self._remove(s)

    def _degree(self, s: int) -> tuple[int, int]:
        matrices = [key for key in self.groups if s in key and len(key) == 2]
        return (len(matrices), sum(len(self.groups[k]) for k in matrices))

    def _remove(self, s: int) -> None:
        vector = self.groups.pop((s,), [])
        matrices = [key for key in self.groups if s in key]
        if not matrices:
            if _products(vector) > 1 or not self._averages(s):
                self.scalars.append(Piece((), (_total_vector(vector),)))
            else:
                self.scalars.append(Piece((), (_as_scalar(_whole(self._take_average(s), vector)),)))
        elif len(matrices) == 1:
            (key,) = matrices
            other = key[0] if key[1] == s else key[1]
            pieces = self.groups.pop(key)
            if not vector and other >= self.rank and not any(other in k for k in self.groups):
                if self._averages(s, other):
                    both = [_product_of([(p, p.over(*pair)) for p in pieces]) for pair in ((s, other), (other, s))]
                    self.scalars.append(Piece((), (_as_scalar(o.call(self._take_average(s, other), _shorter(tuple(both)))),)))
                else:
                    self.scalars.append(Piece((), (_total_matrix(pieces, s, other),)))
            else:
                word = self._take_average(s) if not vector and self._averages(s) else structured_by("sum").name
                self._join(Piece((other,), _row_or_column_sum(pieces, vector, s, other, word)))
        else:
            a, b = matrices
            t = a[0] if a[1] == s else a[1]
            u = b[0] if b[1] == s else b[1]
            left, right = self.groups.pop(a), self.groups.pop(b)
            self._join(_joined(left, right, vector, t, s, u))

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
        return self._with_scalars(body)

    def _index_sum(self, orientation: int) -> Out:
        """What is left as one einsum; a row is its column transposed."""
        names = dict(zip(range(self.rank), "ijklpqrs", strict=False))
        groups: list[str] = []
        operands: list[Out] = []
        for key, pieces in self.groups.items():
            for i in key:
                names.setdefault(i, "abcdefgh"[len([n for n in names if n >= self.rank])])
            groups.append("".join(names[i] for i in key))
            operands.append(_hadamard(pieces, COLUMN) if len(key) == 1 else _product_of([(p, p.over(*key)) for p in pieces]))
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
        return _hadamard(pieces, orientation)

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
            left, right = _hadamard(down, COLUMN), _hadamard(across, ROW)
            return _shortest(o.matmul([left, right]), _plain(o.elementwise([left, right])))
        if not matrix and (down or across) and self.filled:
            ones = [self.printer.filled("ones", self.dims[columns]), self.printer.filled("ones", self.dims[rows])]
            if down:
                return o.matmul([_hadamard(down, COLUMN), o.transpose(ones[0])])
            return o.matmul([ones[1], _hadamard(across, ROW)])
        if not matrix and not down and not across:
            return self.printer.filled("ones", self.dims[rows], self.dims[columns]) if self.filled else None
        parts = [(p, p.over(rows, columns)) for p in matrix]
        parts += [(p, p.forms[COLUMN]) for p in down] + [(p, p.forms[ROW]) for p in across]
        return _product_of(parts)

    def _with_identity(self, matrix: list[Piece], vectors: list[Piece]) -> Out:
        if len(self.eyes) > 1 or matrix:
            raise NotMatrix
        if not vectors:
            return self.printer.filled("eye", self.dims[0])
        return o.call(structured_by("diag").name, _hadamard(vectors, COLUMN))

    def _with_scalars(self, body: Out | None) -> Out:
        """Numbers and scalars before the body, divisors after it."""
        c = Fraction(self.coefficient)
        above = [p for p in self.scalars if p.exponent > 0]
        below = [p for p in self.scalars if p.exponent < 0]
        decimal = c.denominator != 1 and bool(o._decimal(c))
        front: list[Out] = []
        if decimal:
            front.append(o.number(c))
        elif c.numerator != 1:
            front.append(o.number(c.numerator))
        front += [_as_scalar(o.power(p.forms[0], p.exponent)) for p in above]
        under = [] if decimal or c.denominator == 1 else [o.number(c.denominator)]
        under += [_as_scalar(o.power(p.forms[0], -p.exponent)) for p in below]
        if body is not None and body.scalar:
            front, body = [*front, body], None
        parts = front if body is None else [*front, body]
        parts = sorted(parts, key=lambda x: x.level != o.PRODUCT_LEVEL) if front and body is not None and body.level != o.PRODUCT_LEVEL else parts
        if not parts:
            parts = [o.number(1)]
        out = parts[0]
        for x in parts[1:]:
            out = o.scale(out, x)
        for x in _merged(under):
            out = o.divide(out, x)
        return out


def _as_scalar(x: Out) -> Out:
    return Out(x.tree, x.length, x.level, x.chain, x.hadamard, scalar=True)


def _merged(under: list[Out]) -> list[Out]:
    """a/(b*c) where it is shorter than a/b/c."""
    if len(under) < 2:
        return under
    out = under[0]
    for x in under[1:]:
        out = o.multiply(out, x)
    return [out]


def _plain(x: Out) -> Out:
    return Out(x.tree, x.length, x.level)


def _shortest(*candidates: Out) -> Out:
    return min(candidates, key=lambda x: x.length)


def _shorter(forms: tuple[Out, ...]) -> Out:
    return min(forms, key=lambda x: x.length)


def _vector(*candidates: Out) -> tuple[Out, Out]:
    """(column, row) from a column form and a row form, either of which may also come from the other."""
    column, row = candidates
    turned_row, turned_column = o.transpose(row), o.transpose(column)
    return (column if column.length <= turned_row.length else turned_row, row if row.length <= turned_column.length else turned_column)


def _diagonal(forms: tuple[Out, ...]) -> Out:
    return o.call(structured_by("diag").name, _shorter(forms))


def _hadamard(pieces: list[Piece], orientation: int) -> Out:
    return _product_of([(p, p.forms[orientation]) for p in pieces])


def _product_of(parts: list[tuple[Piece, Out]]) -> Out:
    """An elementwise product with exponents: numerators, then divisors."""
    above = [o.power(form, p.exponent) if p.exponent != 1 else form for p, form in parts if p.exponent > 0]
    below = [o.power(form, -p.exponent) if p.exponent != -1 else form for p, form in parts if p.exponent < 0]
    plain = len(above) == len(parts)
    if len(above) == 1 and plain:
        return above[0]
    out = o.elementwise(above) if above else o.number(1)
    for x in _merged(below):
        out = o.divide(out, x)
    return out if plain and len(above) > 1 else _plain(out)


def _products(pieces: list[Piece]) -> int:
    """How many factors a vector has, powers counted."""
    return sum(int(p.exponent) if p.exponent.denominator == 1 and p.exponent > 0 else 1 for p in pieces)


def _whole(word: str, pieces: list[Piece]) -> Out:
    """sum(v) or mean(v)."""
    return o.call(word, _shorter((_hadamard(pieces, COLUMN), _hadamard(pieces, ROW))))


def _total_vector(pieces: list[Piece]) -> Out:
    """The sum of the entries of a vector: a dot product where it is a product of two."""
    candidates = [_whole(structured_by("sum").name, pieces)]
    if len(pieces) == 1 and pieces[0].exponent == 1 and pieces[0].diagonal_of is not None:
        candidates.append(o.call(structured_by("trace").name, pieces[0].diagonal_of))
    flat = [p for p in pieces for _ in range(int(p.exponent))] if all(p.exponent.denominator == 1 and p.exponent > 0 for p in pieces) else []
    if len(flat) >= 2 and len(pieces) <= 3:
        for k in range(len(pieces)):
            one = [Piece(p.indices, p.forms, p.exponent - (j == k)) for j, p in enumerate(pieces) if p.exponent - (j == k) != 0]
            candidates.append(o.matmul([pieces[k].forms[ROW], _hadamard(one, COLUMN)]))
            candidates.append(o.matmul([_hadamard(one, ROW), pieces[k].forms[COLUMN]]))
    best = _shortest(*candidates)
    return Out(best.tree, best.length, best.level, scalar=True)


def _total_matrix(pieces: list[Piece], s: int, t: int) -> Out:
    """The sum of all entries; a trace where that is shorter."""
    both = [_product_of([(p, p.over(*pair)) for p in pieces]) for pair in ((s, t), (t, s))]
    candidates = [o.call(structured_by("sum").name, _shorter(tuple(both)))]
    if len(pieces) == 2 and all(p.exponent == 1 for p in pieces):
        a, b = pieces
        trace = structured_by("trace").name
        candidates += [o.call(trace, o.matmul([x.over(i, j), y.over(j, i)])) for x, y in ((a, b), (b, a)) for i, j in ((s, t), (t, s))]
    best = _shortest(*candidates)
    return Out(best.tree, best.length, best.level, scalar=True)


def _row_or_column_sum(pieces: list[Piece], vector: list[Piece], s: int, other: int, total: str) -> tuple[Out, Out]:
    """A matrix summed along s, or times a vector along s. -> (column, row) over the other index."""
    as_rows = _product_of([(p, p.over(s, other)) for p in pieces])
    as_columns = _product_of([(p, p.over(other, s)) for p in pieces])
    if vector:
        return _vector(o.matmul([as_columns, _hadamard(vector, COLUMN)]), o.matmul([_hadamard(vector, ROW), as_rows]))
    return _vector(o.call(total, as_columns, axis=1), o.call(total, as_rows, axis=0))


def _joined(left: list[Piece], right: list[Piece], vector: list[Piece], t: int, s: int, u: int) -> Piece:
    """The matrix product over s, its indices (t, u); a vector on s scales one side or stands as a diagonal between."""

    def product(a: list[Piece], b: list[Piece], x: int, y: int) -> Out:
        first = [(p, p.over(x, s)) for p in a]
        second = [(p, p.over(s, y)) for p in b]
        if not vector:
            return o.matmul([_product_of(first), _product_of(second)])
        across = [(p, p.forms[ROW]) for p in vector]
        down = [(p, p.forms[COLUMN]) for p in vector]
        middle = o.call(structured_by("diag").name, _hadamard(vector, COLUMN))
        return _shortest(
            o.matmul([_product_of(first + across), _product_of(second)]),
            o.matmul([_product_of(first), _product_of(down + second)]),
            o.matmul([_product_of(first), middle, _product_of(second)]),
        )

    forward, backward = product(left, right, t, u), product(right, left, u, t)
    other = o.transpose(forward)
    return Piece((t, u), (forward, backward if backward.length <= other.length else other))


def _sum_of_squares(f: Node) -> Node | None:
    """X where f is the sum of X**2 over all entries, else None."""
    if f.kind != SUM or len(f.terms) != 1:
        return None
    c, factors = f.terms[0]
    if c != 1 or len(factors) != 1:
        return None
    g, idx, e = factors[0]
    return g if e == 2 and len(set(idx)) == len(idx) == g.rank else None
