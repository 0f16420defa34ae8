"""Shapes and sizes as readers see them: n1 × m."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whence.shapes.dims import Dim


def shape_in_words(shape: Sequence[Dim | int | str]) -> str:
    """A shape with a times sign: `n1 × m`, a column `n1 × 1`, a number `1 × 1`.

    >>> shape_in_words(("n1", "m")), shape_in_words(("H*k + 1", 1)), shape_in_words(())
    ('n1 × m', '(H·k + 1) × 1', '1 × 1')
    """
    sizes = [_size(size) for size in shape]
    sizes += ["1"] * (2 - len(sizes))
    return " × ".join(sizes)


def describe_sizes(sizes: Mapping[str, int]) -> str:
    """Sizes in one line: all names, then all values.

    >>> describe_sizes({"n0": 3, "n1": 5, "n2": 2, "m": 4})
    'n0, n1, n2, m = 3, 5, 2, 4'
    >>> describe_sizes({"n": 2, "m": 2})
    'n, m = 2, 2'
    """
    return f"{', '.join(sizes)} = {', '.join(map(str, sizes.values()))}" if sizes else ""


def _size(size: Dim | int | str) -> str:
    text = str(Dim.parse(size)).replace("**", "^").replace("*", "·")
    return f"({text})" if " " in text else text
