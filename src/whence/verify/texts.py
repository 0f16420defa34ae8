"""The texts of the table of functions, parsed once."""

from __future__ import annotations

from functools import lru_cache

from whence.ops.entry import Op
from whence.read.syntax import Expr


@lru_cache(2048)
def parsed(text: str) -> Expr:
    """The syntax tree of a text in the canonical language."""
    from whence.read.parser import parse_expression

    return parse_expression(text, dialect="canonical")


@lru_cache(1024)
def parameters(takes: str) -> tuple[str, ...]:
    """The names of the arrays a function takes, from the notation of its entry.

    >>> parameters("A[...,n,n], B[...,n,m], axis")
    ('A', 'B')
    """
    names: list[str] = []
    depth = 0
    word = ""
    for c in takes.split("|")[0] + ",":
        if c == "," and depth == 0:
            if word.isidentifier() and word[0].isupper():
                names.append(word)
            word = ""
            continue
        depth += (c == "[") - (c == "]")
        if depth == 0 and c not in " ]":
            word += c
    return tuple(names)


def default_axis(op: Op) -> int | None:
    """The axis that counts where none is given; None: the whole."""
    start = op.takes.find("axis=")
    return None if start < 0 else int(op.takes[start + 5 :].split(",")[0].split("|")[0])
