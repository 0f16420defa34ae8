"""The table of functions. A new function is one entry in its family's file, and nothing anywhere else."""

from __future__ import annotations

from functools import lru_cache

from whence.ops.arrays import ARRAYS, HIDDEN_ARRAYS
from whence.ops.elementwise import ELEMENTWISE
from whence.ops.entry import Example, Op
from whence.ops.matrices import MATRICES
from whence.ops.reductions import REDUCTIONS

__all__ = ["ALIASES", "CONSTANTS", "DOMAINS", "HIDDEN", "TABLE", "Example", "Op", "in_role", "lookup", "structured_by"]

TABLE: dict[str, Op] = {op.name: op for family in (ELEMENTWISE, REDUCTIONS, ARRAYS, MATRICES) for op in family}

# Words that only the engine uses, for maps that the language must spell out. No reader knows them.
HIDDEN: dict[str, Op] = {op.name: op for op in HIDDEN_ARRAYS}


def lookup(name: str) -> Op | None:
    """The entry of a function, the engine's own words included."""
    return TABLE.get(name) or HIDDEN.get(name)


@lru_cache(maxsize=1)
def _by_purpose() -> dict[str, Op]:
    return {word: op for op in TABLE.values() for word in (op.structure, op.role) if word}


def structured_by(structure: str) -> Op:
    """The entry that the graph or the notation itself needs, by its `structure`."""
    return _by_purpose()[structure]


def in_role(role: str) -> Op:
    """The entry that the notation writes, by its `role`."""
    return _by_purpose()[role]


# Other spellings, for the readers: spelling -> name.
ALIASES: dict[str, str] = {alias: op.name for op in TABLE.values() for alias in op.aliases}

# Names that are numbers, with mpmath's name for them.
CONSTANTS: dict[str, str] = {"pi": "pi"}

# Where arguments lie -> the assumptions under which they are drawn (an argument that is no size, name or condition).
DOMAINS: dict[str, tuple[str, ...]] = {
    "real": (),
    "distinct": (),  # no two entries equal
    "nonzero": ("nonzero",),
    "positive": ("positive",),
    "unit ball": ("unit-interval",),  # between -1 and 1
    "invertible": ("invertible",),
    "full rank": (),
    "positive determinant": ("pd",),
    "positive definite": ("pd",),
}
