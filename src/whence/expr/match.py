"""Finding a definition's product inside a term: C * r inside C * r**3 * G, or E @ T inside E @ T @ D."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from whence.expr.node import SUM, Coefficient, Factor, Node, Term, identity, integer

Binding = dict[int, int]
ORTHOGONAL = "orthogonal"  # the fact of a matrix whose transpose is its inverse, where it is square
INVERSE = "inverse"  # the fact of a matrix that is the inverse of its argument
CANCELLING = frozenset((INVERSE, ORTHOGONAL))


@dataclass(frozen=True)
class Product:
    """A named product: coefficient * factors = atom[axes] * undone (what scalars the body has, inverted)."""

    atom: Node
    coefficient: Coefficient
    factors: tuple[Factor, ...]
    undone: tuple[Factor, ...] = ()

    @property
    def rank(self) -> int:
        return self.atom.rank


def replaced(
    product: Product, coefficient: Coefficient, factors: tuple[Factor, ...], rank: int
) -> tuple[Coefficient, list[Factor]] | None:
    """The term with one occurrence of the product written by its name, or None where there is none."""
    if len(product.factors) == 1 and product.factors[0][2].denominator != 1:
        return _replaced_power(product, coefficient, factors)
    present = {f for f, _, _ in factors}
    if not all(f in present for f, _, _ in product.factors):
        return None
    for binding, used in _occurrences(product, factors, 0, {}, {}):
        if _inner_closed(product, binding, used, factors, rank):
            rest = [
                (f, idx, integer(e - used.get(k, 0))) for k, (f, idx, e) in enumerate(factors) if e != used.get(k, 0)
            ]
            named = (product.atom, tuple(binding[i] for i in range(product.rank)), 1)
            return Fraction(coefficient) / Fraction(product.coefficient), [*rest, named, *product.undone]
    return None


def _replaced_power(product: Product, coefficient: Coefficient, factors: tuple[Factor, ...]):
    """One factor f**e with a name: f**(k e) is that name to the power k."""
    ((f, own, e),) = product.factors
    if product.coefficient != 1 or e.denominator == 1 or product.undone:
        return None
    for k, (g, idx, ex) in enumerate(factors):
        if g is not f:
            continue
        ratio = Fraction(ex) / e
        if ratio.denominator == 1:
            place = dict(zip(own, idx, strict=True))
            if len(place) < product.rank:
                return None
            named = (product.atom, tuple(place[i] for i in range(product.rank)), integer(ratio))
            return coefficient, [*factors[:k], named, *factors[k + 1 :]]
    return None


def _occurrences(
    product: Product, factors, k: int, binding: Binding, used: dict[int, Coefficient]
) -> Iterator[tuple[Binding, dict[int, Coefficient]]]:
    if k == len(product.factors):
        if all(i in binding for i in range(product.rank)):
            yield binding, used
        return
    f, idx, e = product.factors[k]
    inner = any(i >= product.rank for i in idx)
    for place, (g, ix, ex) in enumerate(factors):
        left = ex - used.get(place, 0)
        if g is not f or left == 0 or (left > 0) != (e > 0) or abs(left) < abs(e) or (inner and left != e):
            continue
        for order in _orders(f, ix):
            bound = _bound(binding, idx, order)
            if bound is not None:
                yield from _occurrences(product, factors, k + 1, bound, {**used, place: used.get(place, 0) + e})


def _orders(f: Node, ix: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [ix, (*ix[:-2], ix[-1], ix[-2])] if "symmetric" in f.facts and len(ix) > 1 else [ix]


def _bound(binding: Binding, idx: tuple[int, ...], ix: tuple[int, ...]) -> Binding | None:
    out = dict(binding)
    for a, b in zip(idx, ix, strict=True):
        if out.setdefault(a, b) != b:
            return None
    return out if len(set(out.values())) == len(out) else None


def _inner_closed(product: Product, binding: Binding, used, factors, rank: int) -> bool:
    """What the product sums over must be summed in the term, and occur nowhere else in it."""
    for a, b in binding.items():
        if a < product.rank:
            continue
        if b < rank or any(b in idx for k, (_, idx, _) in enumerate(factors) if k not in used):
            return False
    return True


def without_inverses(factors: list[Factor], rank: int) -> list[Factor] | None:
    """The factors with one inv(A) @ A or A @ inv(A) written as the identity; None where there is none."""
    for k, (f, _, e) in enumerate(factors):
        if ORTHOGONAL in f.facts and e == 1 and f.rank == 2 and f.dims[0] == f.dims[1]:
            rest = _with_its_transpose(factors, k, rank)
            if rest is not None:
                return rest
        if INVERSE not in f.facts or e != 1 or f.rank != 2:
            continue
        diagonal = _on_diagonal(f, factors, rank)
        if diagonal is not None:
            return diagonal
        for product in _with_inverse(f):
            found = replaced(product, 1, tuple(factors), rank)
            if found is not None and found[0] == 1:
                return found[1]
    return None


def _with_its_transpose(factors: list[Factor], k: int, rank: int) -> list[Factor] | None:
    """The factors with Q @ Q.T or Q.T @ Q, of which the k-th is one, written as the identity."""
    q, mine, _ = factors[k]
    for other in range(k + 1, len(factors)):
        g, its, e = factors[other]
        if g is not q or e != 1:
            continue
        rest = [x for n, x in enumerate(factors) if n not in (k, other)]
        for slot in (0, 1):
            s, ends = mine[slot], (mine[1 - slot], its[1 - slot])
            if s >= rank and its[slot] == s and s not in ends and not any(s in idx for _, idx, _ in rest):
                return [*rest, (identity(q.dims[0]), ends, 1)]
    return None


def _on_diagonal(inverse: Node, factors: list[Factor], rank: int) -> list[Factor] | None:
    """The factors without the entries [i, i] of inv(A) @ A, which are ones."""
    a = inverse.arguments[0]
    places = [k for k, (f, _, e) in enumerate(factors) if f is inverse and e == 1]
    others = [k for k, (f, _, e) in enumerate(factors) if f is a and e == 1]
    for k in places:
        for other in others:
            mine, its = factors[k][1], factors[other][1]
            if any(order == its[::-1] for order in _orders(inverse, mine)) and mine[0] != mine[1]:
                beside = {i for n, (_, idx, _) in enumerate(factors) if n not in (k, other) for i in idx}
                gone = next((i for i in mine if i >= rank and i not in beside), None)
                if gone is not None:
                    kept = next(i for i in mine if i != gone)
                    rest = [x for n, x in enumerate(factors) if n not in (k, other)]
                    place = mine.index(kept)
                    return [*rest, (identity(inverse.dims[place]), (kept, kept), 1)]
    return None


@lru_cache(maxsize=500)
def _with_inverse(inverse: Node) -> list[Product]:
    """inv(A) @ A and A @ inv(A), their inner index numbered 2."""
    a = inverse.arguments[0]
    whole: Term = (1, ((a, (0, 1), 1),))
    c, inner = a.terms[0] if a.kind == SUM and len(a.terms) == 1 else whole
    if c != 1:
        return []
    after = tuple((g, tuple(2 if i == 0 else 1 if i == 1 else i + 1 for i in ix), e) for g, ix, e in inner)
    before = tuple((g, tuple(0 if i == 0 else 2 if i == 1 else i + 1 for i in ix), e) for g, ix, e in inner)
    unit = identity(a.dims[0])
    return [Product(unit, 1, ((inverse, (0, 2), 1), *after)), Product(unit, 1, (*before, (inverse, (2, 1), 1)))]
