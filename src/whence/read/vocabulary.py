"""Which words are functions: the names, spellings and properties that the table of functions holds."""

from __future__ import annotations

from whence.ops.entry import Op
from whence.ops.table import TABLE

PRIME = "_prime"  # g_prime is the derivative of g, g_prime_prime its second derivative

_spellings: dict[str, str] = {}
_spellings_of = -1


def spellings() -> dict[str, str]:
    """Every accepted spelling of a known function, with its name in the table."""
    global _spellings, _spellings_of
    if _spellings_of != len(TABLE):  # the table grows when a package registers functions
        _spellings = {alias: name for name, op in TABLE.items() for alias in op.aliases}
        _spellings.update((name, name) for name in TABLE)
        _spellings_of = len(TABLE)
    return _spellings


def known_function(word: str) -> str | None:
    """The table's name of the function that `word` spells, or None.

    >>> known_function("tanh")
    'tanh'
    """
    return spellings().get(word)


def inverse_function() -> str | None:
    """The function that a superscript −1 of a matrix means: the one the table writes that way."""
    return next((name for name, op in TABLE.items() if op.unicode == "{X}⁻¹"), None)


def written_as(text: str) -> str | None:
    """The function that the table writes in this way, for example "|{X}|"."""
    return next((name for name, op in TABLE.items() if op.unicode == text), None)


def identity_function(letter: str) -> str | None:
    """The function of a size that is written with this letter, as the identity is: I(n)."""
    return written_as(letter + "({n})") if len(letter) == 1 else None


def pairwise_function(name: str) -> str | None:
    """The function of two arguments, entry by entry, that is written with the name of this one of a whole array.

    The largest entry of X is written with one argument, the larger of two entries with two.
    """
    return written_as(name + "({A}, {B})")


def entry(name: str) -> Op | None:
    """The table's entry of a canonical function name; None for an unknown function or a derivative."""
    return TABLE.get(name)


def without_primes(name: str) -> tuple[str, int]:
    """A function's name without its `_prime` endings, and how many there were.

    >>> without_primes("g_prime_prime")
    ('g', 2)
    """
    count = 0
    while name.endswith(PRIME) and len(name) > len(PRIME):
        name = name[: -len(PRIME)]
        count += 1
    return name, count
