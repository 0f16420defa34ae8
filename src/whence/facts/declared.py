"""What an assumption says about a variable, in the words that the expression graph uses.

symmetric      X[i, j] = X[j, i]
positive       every entry is greater than zero (an open condition: it may be used before differentiating)
unit-interval  every entry is between 0 and 1
mask           every entry is 0 or 1
pd, invertible, nonzero   conditions that need not be stated again
skew           X[i, j] = -X[j, i]
orthogonal     X.T @ X is the identity, or X @ X.T where X is wide; of a square matrix both
lower          zero above the diagonal
sums-to-1:k    sums along axis k are one
"""

from __future__ import annotations

from collections.abc import Iterable

from whence.shapes.dims import Dim

ONE = Dim.parse(1)

_FACTS: dict[str, tuple[str, ...]] = {
    "symmetric": ("symmetric",),
    "skew": ("skew",),
    "orthogonal": ("orthogonal",),
    "psd": ("symmetric",),
    "pd": ("symmetric", "pd"),
    "invertible": ("invertible",),
    "nonzero": ("nonzero",),
    "diagonal": ("symmetric",),
    "lower": ("lower",),
    "positive": ("positive",),
    "unit-interval": ("positive", "unit-interval"),
    "onehot-columns": ("mask", "sums-to-1:0"),
    "onehot-last": ("mask",),
}
_OPEN = frozenset(("positive",))


def facts_of_assumptions(tags: Iterable[str], shape: tuple[Dim, ...]) -> frozenset[str]:
    """All facts that the assumptions give a variable of this full shape."""
    facts = {f for tag in tags for f in _FACTS.get(tag, ())}
    if len(shape) != 2 or shape[0] == ONE:
        facts -= {"sums-to-1:0"}
    if "onehot-last" in tags and shape and shape[-1] != ONE:
        facts.add(f"sums-to-1:{sum(d != ONE for d in shape) - 1}")
    return frozenset(facts)


def open_facts(tags: Iterable[str]) -> frozenset[str]:
    """The facts that stay true under small changes, so that they may be used before differentiating."""
    return frozenset(f for tag in tags for f in _FACTS.get(tag, ()) if f in _OPEN)
