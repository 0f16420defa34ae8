"""A gradient of another shape: transposed, or not summed over an axis that its variable does not have."""

from __future__ import annotations

from itertools import combinations

from whence.arrays.search import Given, squeezed


def shape_fault(g: Given) -> tuple[str, tuple[int, ...]] | None:
    """The mistake by its word, with the lengths of the axes that it is about; None where it is another."""
    if squeezed(g.got) == squeezed(g.exact):
        return None
    if g.got.ndim == 2 and g.explained_by(g.got_as(g.got.T)):
        return "transposed", ()
    for count in range(1, g.got.ndim + 1):
        for axes in combinations(range(g.got.ndim), count):
            if g.explained_by(g.got_as(g.got.sum(axis=axes))):
                return "not-summed", tuple(g.got.shape[k] for k in axes)
    return None
