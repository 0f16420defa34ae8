"""Where an array is wrong: which rows, columns, heads, blocks, masked positions, and what is not a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import ndarray as Array

MOST = 0.98  # an axis is wrong everywhere from this share of its indices
SHOWN = 6


@dataclass(frozen=True)
class Place:
    """The wrong indices of each axis (None: all), how many entries are wrong, how many of them are not finite."""

    axes: tuple[tuple[int, ...] | None, ...]
    count: int
    size: int
    not_finite: int
    full: bool  # every entry of the block that the axes span is wrong
    mask: str = ""  # the input whose zeros (or ones) are just the wrong entries
    mask_value: int = 0

    @property
    def everywhere(self) -> bool:
        return all(a is None for a in self.axes)


def wrong_entries(got: Array, exact: Array, allowed: Array) -> Array:
    import numpy as np

    with np.errstate(all="ignore"):
        return ~(np.abs(got - exact) <= allowed)


def place(bad: Array, good: Array, got: Array, masks: Mapping[str, Array]) -> Place:
    """The block that the wrong entries span, and the mask they follow. `good`: those that are certainly right.

    What is right only because it is 0 either way leaves an index undecided: it counts as wrong where its like are.
    """
    import numpy as np

    hits = [np.flatnonzero(bad.any(axis=tuple(j for j in range(bad.ndim) if j != k))) for k in range(bad.ndim)]
    axes: list[tuple[int, ...] | None] = []
    for k, hit in enumerate(hits):
        rest = good
        for j, others in enumerate(hits):
            if j != k:
                rest = np.take(rest, others, axis=j)
        right = np.array(rest.any(axis=tuple(j for j in range(bad.ndim) if j != k)))
        right[hit] = False
        found = tuple(int(i) for i in hit)
        axes.append(None if not right.any() or _all(found, bad.shape[k]) else found)
    spanned = bad
    for k, indices in enumerate(axes):
        if indices is not None:
            spanned = np.take(spanned, indices, axis=k)
    name, value = _mask(bad, masks)
    return Place(
        tuple(axes),
        int(bad.sum()),
        bad.size,
        int((bad & ~np.isfinite(got)).sum()),
        bool(spanned.size) and float(spanned.mean()) > 0.5,
        name,
        value,
    )


def _all(found: Sequence[int], size: int) -> bool:
    """Are so many indices wrong, or so many here and there, that it is the whole axis?"""
    return len(found) >= MOST * size or (2 * len(found) >= size and len(_runs(found)) > SHOWN)


def _mask(bad: Array, masks: Mapping[str, Array]) -> tuple[str, int]:
    """The mask whose zeros, or whose ones, hold all that is wrong and little else."""
    import numpy as np

    for name, mask in masks.items():
        try:
            wide = np.broadcast_to(mask, bad.shape)
        except ValueError:
            continue
        for value in (0, 1):
            at = (wide != 0) == bool(value)
            if at.any() and not at.all() and not (bad & ~at).any() and bad[at].mean() > 0.5:
                return name, value
    return "", 0


def masks_among(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The inputs that hold only zeros and ones (or the signs by which a comparison masks)."""
    import numpy as np

    return {n: x for n, x in inputs.items() if x.size > 1 and x.ndim and bool(np.isin(x, (0.0, 1.0)).all())}


def _runs(indices: Sequence[int]) -> list[list[int]]:
    """The first and the last of each run of neighbours."""
    runs: list[list[int]] = []
    for i in indices:
        if runs and i == runs[-1][1] + 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return runs


def listed(indices: Sequence[int], size: int) -> str:
    """480–511 (the last 32), or 0, 2, 4.

    >>> listed((6, 7), 8), listed((0, 2, 5), 8)
    ('6–7 (the last 2)', '0, 2, 5')
    """
    runs = _runs(indices)
    texts = [str(a) if a == b else f"{a}–{b}" for a, b in runs]
    text = ", ".join(texts[:SHOWN]) + (f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else "")
    if len(runs) == 1 and runs[0][1] == size - 1 and runs[0][0] > 0:
        count = runs[0][1] - runs[0][0] + 1
        text += " (the last)" if count == 1 else f" (the last {count})"
    return text
