"""The one node of the expression graph, and the interning that makes identical nodes the same object.

A node is an array with `dims`, the sizes of its axes (axes of length 1 carry no index and are not here).
Its kind says how it came about:

    variable    an input, a named intermediate, an adjoint name or a marked small change
    dimension   a size used as a number
    identity    the Kronecker delta of two axes
    basis       the unit vector of an index name: basis("i")[k] = 1 where k is i
    function    an opaque function of closed nodes
    sum         a sum of contractions: ((coefficient, ((factor, indices, exponent), ...)), ...)

In a sum of rank r, indices 0 to r-1 are the axes of the sum itself and higher ones are summed over. An axis
that a term does not mention is broadcast. Nothing inside a function is bound from outside, so indices never
need renaming below one.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from hashlib import blake2b

from whence.shapes.dims import Dim

Coefficient = int | Fraction
Factor = tuple["Node", tuple[int, ...], Coefficient]
Term = tuple[Coefficient, tuple[Factor, ...]]

ITSELF = "itself"
VARIABLE, DIMENSION, IDENTITY, BASIS, FUNCTION, SUM = "variable", "dimension", "identity", "basis", "function", "sum"
NO_LEAVES: frozenset[Node] = frozenset()
NO_FACTS: frozenset[str] = frozenset()

# Nodes by their content. The references are weak; `_sweep` takes out what is dead, so no node needs a callback.
_interned: dict[tuple, weakref.ref[Node]] = {}
_SWEEP_EVERY = 5_000
_sweep_at = _SWEEP_EVERY
_lock = threading.Lock()


class Node:
    """One array of the expression graph. Immutable; equal nodes are the same object."""

    __slots__ = (
        "arguments",
        "canonical",
        "dims",
        "facts",
        "kind",
        "leaves",
        "name",
        "order",
        "parameters",
        "primitive",
        "rank",
        "terms",
        "upright",
        "__weakref__",
    )

    kind: str
    name: str
    dims: tuple[Dim, ...]
    rank: int
    arguments: tuple[Node, ...]
    parameters: tuple
    terms: tuple[Term, ...]
    facts: frozenset[str]
    order: int  # a structural 64-bit number, the same in every run
    leaves: frozenset[Node]  # the variables it depends on
    # Once computed, else None. `ITSELF` stands for the node: it should not wait for the collector of cycles.
    canonical: Node | str | None  # the fully distributed form
    primitive: tuple[Coefficient, tuple[Factor, ...], Node] | str | None  # content, common scalars, primitive part
    upright: tuple[Node | None, bool, int] | None  # the transpose where its order is lower (sums.py)

    def __repr__(self) -> str:
        if self.kind == SUM:
            return "Σ" + repr(self.terms)
        if self.kind == FUNCTION:
            return f"{self.name}({', '.join(map(repr, self.arguments))}{self.parameters or ''})"
        return self.name or self.kind


@lru_cache(maxsize=100_000)
def _text_order(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def integer(c: Coefficient) -> Coefficient:
    """A whole Fraction as int, so that equal numbers are the same."""
    return c if type(c) is int or c.denominator != 1 else c.numerator


@lru_cache(maxsize=10_000)
def number_order(c: Coefficient) -> int:
    """A stable number for a coefficient or an exponent."""
    return hash((c.numerator, c.denominator))


@lru_cache(maxsize=10_000)
def _dims_order(dims: tuple[Dim, ...]) -> tuple[int, ...]:
    return tuple(_text_order(str(d)) for d in dims)


def _intern(
    key: tuple,
    kind: str,
    name: str,
    dims: tuple[Dim, ...],
    arguments: tuple[Node, ...] = (),
    parameters: tuple = (),
    terms: tuple[Term, ...] = (),
    facts: frozenset[str] = NO_FACTS,
) -> Node:
    reference = _interned.get(key)
    found = None if reference is None else reference()
    if found is not None:
        return found
    with _lock:
        reference = _interned.get(key)  # another thread may have been first
        found = None if reference is None else reference()
        if found is not None:
            return found
        node = object.__new__(Node)
        node.kind, node.name, node.dims, node.rank = kind, name, dims, len(dims)
        node.arguments, node.parameters, node.terms, node.facts = arguments, parameters, terms, facts
        node.canonical = node.primitive = node.upright = None
        node.order = _order(node)
        node.leaves = _leaves(node)
        _interned[key] = weakref.ref(node)
        if len(_interned) >= _sweep_at:
            _sweep()
        return node


def _sweep() -> None:
    """Forget dead nodes, and what only their contents had kept alive."""
    global _sweep_at
    dead = [key for key, reference in _interned.items() if reference() is None]
    while dead:
        for key in dead:
            del _interned[key]
        dead.clear()
        dead = [key for key, reference in _interned.items() if reference() is None]
    _sweep_at = max(len(_interned) + _SWEEP_EVERY, 2 * len(_interned))


def _order(node: Node) -> int:
    parameters = _text_order(repr(node.parameters)) if node.parameters else 0
    if node.terms:
        inside: tuple = tuple(
            [
                (number_order(c), tuple([(f.order, idx, number_order(e)) for f, idx, e in factors]))
                for c, factors in node.terms
            ]
        )
    else:
        inside = tuple([a.order for a in node.arguments])
    whole = (_text_order(node.kind), _text_order(node.name), _dims_order(node.dims), parameters, inside)
    return hash(whole) & 0xFFFFFFFFFFFFFFFF


def _leaves(node: Node) -> frozenset[Node]:
    if node.kind == VARIABLE:
        return frozenset((node,))
    if node.arguments:
        sets = [a.leaves for a in node.arguments]
    else:
        sets = [f.leaves for _, factors in node.terms for f, _, _ in factors]
    if not sets:
        return NO_LEAVES
    first = sets[0]
    return first if all(s is first for s in sets) else first.union(*sets)


def _named(
    kind: str,
    name: str,
    dims: tuple[Dim, ...],
    arguments: tuple[Node, ...] = (),
    parameters: tuple = (),
    facts: frozenset[str] = NO_FACTS,
) -> Node:
    return _intern((kind, name, dims, arguments, parameters, facts), kind, name, dims, arguments, parameters, (), facts)


def variable(name: str, dims: Iterable[Dim], facts: Iterable[str] = ()) -> Node:
    """A named array: an input, an intermediate, an adjoint or a small change."""
    return _named(VARIABLE, name, tuple(dims), facts=frozenset(facts))


def dimension(size: Dim) -> Node:
    """The size of an axis as a number."""
    return _named(DIMENSION, str(size), (), parameters=(size,), facts=frozenset(("positive",)))


def identity(size: Dim) -> Node:
    """The Kronecker delta of two axes of this size."""
    return _named(IDENTITY, "identity", (size, size))


def basis(index: str | Dim, size: Dim) -> Node:
    """The unit vector that is 1 at the entry called `index`, or at a place that is known as a size is."""
    parameters = () if isinstance(index, str) else (index,)
    return _named(BASIS, str(index), (size,), parameters=parameters, facts=frozenset(("mask", "sums-to-1:0")))


def function(
    name: str, arguments: Iterable[Node], dims: Iterable[Dim], parameters: tuple = (), facts: Iterable[str] = ()
) -> Node:
    """An opaque function of closed nodes."""
    return _named(FUNCTION, name, tuple(dims), tuple(arguments), parameters, facts=frozenset(facts))


def raw_sum(terms: tuple[Term, ...], dims: tuple[Dim, ...]) -> Node:
    """A sum whose terms are already normal. Use `sums.make_sum`, which makes them so."""
    return _intern((terms, dims), SUM, "", dims, terms=terms)
