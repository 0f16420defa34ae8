"""A derivation exported as data, replayed in school algebra: accepted or rejected for all sizes.

Every formula is written out as its entry at row i, column j: a sum of products of numbers, in which sums over further
indices stand. Nothing of the expression graph, of the rules of differentiation or of their layout takes part; what is
used is listed in `MOVES`. A formula that cannot be written out so is not accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count, permutations, product
from math import factorial, prod
from typing import Any

from whence.ops.entry import Op
from whence.ops.table import CONSTANTS, TABLE
from whence.read.fit import Shapes
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative, Number, Shape, Transpose, Tuple
from whence.read.vocabulary import without_primes
from whence.verify.changes import NotWritten, constant, in_other_words
from whence.verify.texts import parsed

MOVES = {  # all that a replay uses
    "constant rule": "what does not hold the name does not change",
    "sum rule": "δ(P + Q) = δP + δQ",
    "product rule": "δ(P Q) = δP Q + P δQ, of numbers, entry by entry, and of matrices",
    "quotient rule": "δ(P/Q) = δP/Q - P δQ/Q²",
    "power rule": "δ(Pᶜ) = c Pᶜ⁻¹ δP",
    "function rule": "δf(P) as the table of functions gives it",
    "entry of a product": "(P Q)ᵢⱼ = Σₖ Pᵢₖ Qₖⱼ",
    "entry of a transpose": "(Pᵀ)ᵢⱼ = Pⱼᵢ",
    "entry by entry": "(P ⊙ Q)ᵢⱼ = Pᵢⱼ Qᵢⱼ, and so for functions",
    "broadcast": "a column counts the same in every column, a row in every row, a number everywhere",
    "pairing": "⟨P, Q⟩ = Σᵢⱼ Pᵢⱼ Qᵢⱼ; a trace is Σᵢ Pᵢᵢ",
    "distributing": "a (b + c) = a b + a c, also with Σ",
    "order": "factors, terms and Σ may stand in any order; an index under Σ may have any name",
    "equal indices": "Σᵢ [i = j] aᵢ = aⱼ",
    "idle sum": "Σᵢ a = n a, where a does not hold i and there are n",
    "cancelling": "aᵇ aᶜ = aᵇ⁺ᶜ, and what adds up to zero falls away",
    "parts of a fraction": "a/(c + d a) = (1 - c/(c + d a))/d",
}
MOST_TERMS, MOST_SUMS, MOST_ORDERS, MOST_FACTORS = 400, 12, 2_000, 40
Place = tuple[int | None, int | None]  # the indices of row and column; None where there is only one
Factor = tuple[int, tuple[int, ...], Fraction]  # of which number, at which indices, to which power
Term = tuple[Fraction, tuple[Factor, ...], tuple[int, ...]]  # coefficient, factors, the indices summed over
Sum = tuple[Term, ...]
EQUAL = 0  # the number [i = j]


@dataclass
class Entries:
    """Formulas as sums over entries. Every kind of number that occurs has a whole number as its name."""

    shapes: Mapping[str, Shape]
    sizes: frozenset[str]
    symmetric: frozenset[str] = frozenset()
    known: Shapes = field(init=False)
    numbers: dict[object, int] = field(default_factory=lambda: {"=": EQUAL})
    inner: dict[int, Sum] = field(default_factory=dict)  # what a sum in a power is, at the indices -1, -2, …
    turning: set[int] = field(default_factory=lambda: {EQUAL})  # what is the same with row and column exchanged
    named: dict[int, int] = field(default_factory=dict)  # a function's value that a line gives a name
    fresh: Any = field(default_factory=lambda: count(1))
    ranges: dict[int, int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = Shapes(dict(self.shapes) | dict.fromkeys((*self.sizes, *CONSTANTS), ()))

    # ------------------------------------------------------------ shapes and indices
    def shape(self, tree: Expr) -> tuple[int | str, int | str]:
        found = self.known.of(tree)
        if found is None:
            return self.shape_of_parts(tree)
        if len(found) not in (0, 2):
            raise NotWritten
        return (1, 1) if not found else (found[0], found[1])

    def shape_of_parts(self, tree: Expr) -> tuple[int | str, int | str]:
        match tree:
            case Negative(operand=a) | Binary(operator="**", left=a):
                return self.shape(a)
            case Transpose(operand=a):
                rows, columns = self.shape(a)
                return columns, rows
            case Binary(operator=sign, left=a, right=b):
                left, right = self.shape(a), self.shape(b)
                if sign == "@" and left[1] == right[0]:
                    return left[0], right[1]
                if sign != "@" or (1, 1) in (left, right):
                    return (left[0] if right[0] == 1 else right[0]), (left[1] if right[1] == 1 else right[1])
        raise NotWritten

    def index(self, size: int | str) -> int | None:
        """A new index that runs to this size; none where there is only one."""
        if size == 1:
            return None
        new = next(self.fresh)
        self.ranges[new] = size
        return new

    def places(self, tree: Expr) -> Place:
        rows, columns = self.shape(tree)
        return self.index(rows), self.index(columns)

    def at(self, tree: Expr, place: Place) -> Place:
        """The place in a part that is broadcast: it has no index where its size is one."""
        rows, columns = self.shape(tree)
        return (None if rows == 1 else place[0], None if columns == 1 else place[1])

    def number(self, key: object) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    # ------------------------------------------------------------ the entry of a formula
    def entry(self, tree: Expr, place: Place) -> Sum:
        match tree:
            case Number(value=value):
                return ((value, (), ()),)
            case Name(id=name):
                own = indices_of(self.at(tree, place)) if name in self.shapes else ()
                key = self.number(name)
                if name in self.symmetric:
                    self.turning.add(key)
                return ((Fraction(1), ((key, own, Fraction(1)),), ()),)
            case Negative(operand=a):
                return times(((Fraction(-1), (), ()),), self.entry(a, place))
            case Transpose(operand=a):
                return self.entry(a, (place[1], place[0]))
            case Binary(operator="+" | "-" as sign, left=a, right=b):
                second = self.part(b, place)
                return self.part(a, place) + (second if sign == "+" else times(((Fraction(-1), (), ()),), second))
            case Binary(operator="*", left=a, right=b):
                return times(self.part(a, place), self.part(b, place))
            case Binary(operator="/", left=a, right=b):
                return times(self.part(a, place), self.power(b, place, Fraction(-1)))
            case Binary(operator="**", left=a, right=b) if (c := constant(b)) is not None:
                return self.power(a, place, c)
            case Binary(operator="@", left=a, right=b):
                if self.shape(a) == (1, 1) and self.shape(b)[0] != 1:
                    return times(self.part(a, place), self.part(b, place))
                shared = self.index(self.shape(a)[1])
                found = times(self.entry(a, (place[0], shared)), self.entry(b, (shared, place[1])))
                return summed(found, shared)
            case Compare(operator=sign, left=a, right=b):
                return self.function(("?", sign), (a, b), place)
            case Call():
                return self.call(tree, place)
        raise NotWritten

    def part(self, tree: Expr, place: Place) -> Sum:
        return self.entry(tree, self.at(tree, place))

    def power(self, tree: Expr, place: Place, exponent: Fraction) -> Sum:
        if exponent.denominator == 1 and 0 <= exponent <= 4:
            out: Sum = ((Fraction(1), (), ()),)
            for _ in range(int(exponent)):
                out = times(out, self.part(tree, place))
            return out
        whole = exponent.denominator == 1
        match tree:
            case Binary(operator="**", left=a, right=b) if whole and (c := constant(b)) is not None:
                return self.power(a, self.at(a, place), exponent * c)
            case Binary(operator="*" | "/" as sign, left=a, right=b) if whole:
                second = self.power(b, self.at(b, place), exponent if sign == "*" else -exponent)
                return times(self.power(a, self.at(a, place), exponent), second)
            case Negative(operand=a) if whole:
                return times(((Fraction(-1) ** int(exponent), (), ()),), self.power(a, place, exponent))
        found = self.normal(self.part(tree, place), indices_of(place))
        if not found:
            raise NotWritten
        alone = found[0][0] == 1 and len(found[0][1]) == 1 and found[0][1][0][2] == 1
        if len(found) == 1 and not found[0][2] and (alone or whole):
            c, factors, _ = found[0]
            return ((c ** int(exponent) if c != 1 else c, tuple((f, i, e * exponent) for f, i, e in factors), ()),)
        own = tuple(i for i in indices_of(place) if any(i in f[1] for t in found for f in t[1]))
        names = {i: -k - 1 for k, i in enumerate(own)}
        local = self.normal(_renamed(found, names), tuple(names.values()))
        key = self.number(("sum", local))
        self.inner[key] = local
        return ((Fraction(1), ((key, own, exponent),), ()),)

    def function(self, name: object, arguments: Sequence[Expr], place: Place) -> Sum:
        """A function entry by entry: a number of its own for each value of its arguments."""
        parts = [self.normal(self.part(a, place), indices_of(place)) for a in arguments]
        own = tuple(i for i in indices_of(place) if any(i in f[1] for p in parts for t in p for f in t[1]))
        names = {i: -k - 1 for k, i in enumerate(own)}
        local = tuple(self.normal(_renamed(p, names), tuple(names.values())) for p in parts)
        key = self.number((name, local))
        return ((Fraction(1), ((self.named.get(key, key), own, Fraction(1)),), ()),)

    def call(self, tree: Call, place: Place) -> Sum:
        word, primes = without_primes(tree.name)
        op = TABLE.get(word)
        if op is None or primes:
            return self.function(tree.name, tree.arguments, place)
        other = in_other_words(op, tree)
        if other is not None:
            return self.part(other, place)
        inner = tree.arguments[0]
        if op.of_product and isinstance(inner, Binary) and inner.operator == "@":
            sides = {"A": inner.left, "B": inner.right}
            if all(rows == columns != 1 for rows, columns in map(self.shape, sides.values())):
                return self.part(substituted(parsed(op.of_product), sides), place)
        if op.kind == "elementwise":
            return self.of_sign(op, tree, place) if op.parity else self.function(word, tree.arguments, place)
        if op.structure:
            return self.structure(op, tree, place)
        whole = [self.whole(a) for a in tree.arguments]
        own, turned = indices_of(place), [self.whole(Transpose(a)) for a in tree.arguments]
        if op.transposes and turned < whole:
            whole, own = turned, own[::-1] if op.transposes == "equivariant" else own
        key = self.number((word, repr(tree.keywords), tuple(whole)))
        if op.transposes == "equivariant" and turned == whole:
            self.turning.add(key)
        return ((Fraction(1), ((self.named.get(key, key), own, Fraction(1)),), ()),)

    def whole(self, tree: Expr) -> Sum:
        """An array as a whole: its entry at the places -1, -2."""
        own = self.places(tree)
        names = {i: -k - 1 for k, i in enumerate(indices_of(own))}
        return self.normal(_renamed(self.normal(self.entry(tree, own), indices_of(own)), names), tuple(names.values()))

    def of_sign(self, op: Op, tree: Call, place: Place) -> Sum:
        """f(-x) by f(x), where the table says how: the first term of the argument is made positive."""
        (a,) = tree.arguments
        found = self.normal(self.part(a, place), indices_of(place))
        if not found or found[0][0] > 0:
            return self.function(op.name, tree.arguments, place)
        other = self.function(op.name, (Negative(a),), place)
        if op.parity == "even":
            return other
        minus = times(((Fraction(-1), (), ()),), other)
        return minus if op.parity == "odd" else ((Fraction(1), (), ()), *minus)

    def structure(self, op: Op, tree: Call, place: Place) -> Sum:
        first = tree.arguments[0]
        match op.structure:
            case "ones":
                return ((Fraction(1), (), ()),)
            case "zeros":
                return ()
            case "eye":
                return self.equal(*place)
            case "outer":
                second = tree.arguments[1]
                return times(self.along(first, place[0]), self.along(second, place[1]))
            case "trace":
                one = self.index(self.shape(first)[0])
                return summed(self.entry(first, (one, one)), one)
            case "diag" if 1 in self.shape(first):
                return times(self.along(first, place[0]), self.equal(*place))
            case "diag":
                return self.entry(first, (place[0], place[0]))
            case "sum" | "mean":
                axes = _axes(dict(tree.keywords).get("axis"))
                sizes = self.shape(first)
                inner = [self.index(n) if k in axes else place[k] for k, n in enumerate(sizes)]
                found = self.entry(first, (inner[0], inner[1]))
                for k in axes:
                    found = summed(found, inner[k])
                    if op.structure == "mean" and sizes[k] != 1:
                        found = times(found, self.power(parsed(str(sizes[k])), (None, None), Fraction(-1)))
                return found
        raise NotWritten

    def along(self, vector: Expr, i: int | None) -> Sum:
        """An entry of a column or of a row."""
        return self.entry(vector, (None, i) if self.shape(vector)[0] == 1 else (i, None))

    def equal(self, i: int | None, j: int | None) -> Sum:
        if i is None or j is None or i == j:
            return ((Fraction(1), (), ()),)
        return ((Fraction(1), ((EQUAL, (i, j), Fraction(1)),), ()),)

    # ------------------------------------------------------------ one form for equal sums
    def normal(self, terms: Sum, free: Sequence[int]) -> Sum:
        """The same sum in the form that all equal ones have; `free` are the indices that are not summed over."""
        total: dict[tuple[tuple[Factor, ...], int], Fraction] = {}
        work = list(terms)
        steps = 0
        while work:
            steps += 1
            if steps > MOST_TERMS or len(work[-1][1]) > MOST_FACTORS:
                raise NotWritten
            more = self.simpler(work[-1])
            if more is not None:
                work[-1:] = more
                continue
            c, factors, summed = work.pop()
            key = _canonical(factors, summed, self.turning), len(summed)
            total[key] = total.get(key, Fraction(0)) + c
        out = [(c, factors, tuple(range(-100, -100 - n, -1))) for (factors, n), c in total.items() if c]
        return tuple(sorted(out, key=lambda t: (t[1], t[0])))

    def name(self, name: str, body: Expr) -> None:
        """A line gives a function's value a name."""
        place = self.places(Name(name))
        try:
            found = self.entry(body, place)
        except NotWritten:
            return
        if len(found) == 1 and found[0][0] == 1 and not found[0][2] and len(found[0][1]) == 1:
            ((key, own, exponent),) = found[0][1]
            if exponent == 1 and own == indices_of(place) and key not in self.inner and key != EQUAL:
                self.named.setdefault(key, self.number(name))

    def simpler(self, term: Term) -> list[Term] | None:
        """One simplification of a term; None where it is done."""
        c, factors, summed = term
        gathered: dict[tuple[int, tuple[int, ...]], Fraction] = {}
        for f, i, e in factors:
            i = tuple(sorted(i)) if f in self.turning else i
            gathered[f, i] = Fraction(1) if f == EQUAL else gathered.get((f, i), Fraction(0)) + e
        kept = tuple((f, i, e) for (f, i), e in gathered.items() if e and not (f == EQUAL and i[0] == i[1]))
        for f, i, e in kept:
            if f == EQUAL and (i[0] in summed or i[1] in summed):
                gone, stays = (i[0], i[1]) if i[0] in summed else (i[1], i[0])
                rest = tuple(x for x in kept if x != (f, i, e))
                left = tuple(s for s in summed if s != gone)
                return [(c, _at(rest, {gone: stays}), left)]
            if f in self.inner and e >= 1:  # a sum to a whole power is written out
                rest = tuple(x for x in kept if x != (f, i, e)) + (((f, i, e - 1),) if e != 1 else ())
                return list(times(((c, rest, summed),), self.opened(f, i)))
            if f in self.inner:
                split = self.split((c, kept, summed), (f, i, e))
                if split is not None:
                    return split
        idle = [s for s in summed if not any(s in i for _, i, _ in kept)]
        if idle:
            size = self.part(parsed(str(self.ranges[idle[0]])), (None, None)) if idle[0] in self.ranges else None
            if size is None:
                raise NotWritten
            return list(times(((c, kept, tuple(s for s in summed if s != idle[0])),), size))
        return [(c, kept, summed)] if len(kept) != len(factors) else None

    def opened(self, key: int, indices: tuple[int, ...]) -> Sum:
        """What a sum is, at these indices, its own sums over new ones."""
        out = []
        for c, factors, summed in self.inner[key]:
            names = {-k - 1: i for k, i in enumerate(indices)}
            for s in summed:
                names[s] = next(self.fresh)
            out.append((c, _at(factors, names), tuple(names[s] for s in summed)))
        return tuple(out)

    def split(self, term: Term, below: Factor) -> list[Term] | None:
        """a/(c + d a) in parts, where the first number of a sum stands above it too."""
        c, factors, summed = term
        key, indices, exponent = below
        lead = next((t for t in self.inner[key] if len(t[1]) == 1 and not t[2] and t[1][0][2] == 1), None)
        if lead is None:
            return None
        d, ((name, own, _),), _ = lead
        at = tuple(indices[-k - 1] for k in own)
        above = next((x for x in factors if x[0] == name and x[1] == at and x[2] >= 1), None)
        if above is None:
            return None
        rest = tuple(x for x in factors if x not in (above, below))
        rest += ((name, at, above[2] - 1),) if above[2] != 1 else ()
        others = tuple(t for t in self.opened(key, indices) if t[1] != ((name, at, Fraction(1)),))
        up = ((c / d, (*rest, (key, indices, exponent + 1)), summed),)
        return [*up, *times(((-c / d, (*rest, below), summed),), others)]


def indices_of(place: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(i for i in place if i is not None)


def _at(factors: tuple[Factor, ...], names: Mapping[int, int]) -> tuple[Factor, ...]:
    return tuple((f, tuple(names.get(i, i) for i in idx), e) for f, idx, e in factors)


def _renamed(terms: Sum, names: Mapping[int, int]) -> Sum:
    return tuple((c, _at(factors, names), summed) for c, factors, summed in terms)


def times(a: Sum, b: Sum) -> Sum:
    if len(a) * len(b) > MOST_TERMS:
        raise NotWritten
    return tuple((c * d, f + g, s + t) for (c, f, s), (d, g, t) in product(a, b))


def summed(terms: Sum, index: int | None) -> Sum:
    return terms if index is None else tuple((c, factors, (*summed, index)) for c, factors, summed in terms)


def _axes(axis: Expr | None) -> tuple[int, ...]:
    items = axis.items if isinstance(axis, Tuple) else () if axis is None else (axis,)
    if not all(isinstance(item, Number) for item in items):
        raise NotWritten
    return tuple(int(item.value) for item in items if isinstance(item, Number)) or (0, 1)


def _canonical(factors: tuple[Factor, ...], summed: tuple[int, ...], turning: set[int]) -> tuple[Factor, ...]:
    """The factors with the indices under Σ named in the way that sorts first."""
    look: dict[int, str] = dict.fromkeys(summed, "Σ")
    for _ in summed:  # tell indices apart by what they stand in, and beside what

        def seen(s: int, factor: Factor, look: Mapping[int, str] = look) -> str:
            f, indices, e = factor
            words = ["*" if i == s else look.get(i, str(i)) for i in indices]
            return repr((f, e, sorted(words) if f in turning else words))

        texts = {s: look[s] + repr(sorted(seen(s, f) for f in factors if s in f[1])) for s in summed}
        ranks = {text: f"Σ{k}" for k, text in enumerate(sorted({*texts.values()}))}
        finer = {s: ranks[text] for s, text in texts.items()}
        if len({*finer.values()}) == len({*look.values()}):
            break
        look = finer
    classes: dict[str, list[int]] = {}
    for s in sorted(summed, key=lambda s: (look[s], s)):
        classes.setdefault(look[s], []).append(s)
    if len(summed) > MOST_SUMS or prod(factorial(len(c)) for c in classes.values()) > MOST_ORDERS:
        raise NotWritten
    best: tuple[Factor, ...] | None = None
    for chosen in product(*(permutations(c) for c in classes.values())):
        order = [s for c in chosen for s in c]
        at = _at(factors, {s: -100 - k for k, s in enumerate(order)})
        named = tuple(sorted((f, tuple(sorted(i)) if f in turning else i, e) for f, i, e in at))
        best = named if best is None or named < best else best
    assert best is not None  # without sums there is one order, of none
    return best
