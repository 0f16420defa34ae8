"""A person's formula to a syntax tree. The one place where answers are read: other dialects come in here."""

from __future__ import annotations

from collections.abc import Iterable

from whence.messages.errors import WhenceError
from whence.read.context import make_context
from whence.read.dialects import CANONICAL
from whence.read.parser import lex, parse_expression, parse_tokens
from whence.read.syntax import Expr


def read_formula(
    text: str, *, functions: Iterable[str], names: Iterable[str], dialect: str | None = "canonical", line: int = 1
) -> Expr:
    """The syntax tree of an answer, as written: nothing is repaired. Raises ReadError, LimitError."""
    try:
        if dialect == CANONICAL.name:
            context = make_context(CANONICAL, functions=functions, names=names, closed=True, forced=True)
            return parse_tokens(lex(text, context, line), context)
        return parse_expression(text, functions=functions, names=names, dialect=dialect, line=line)
    except WhenceError as error:
        error.source = error.source or text
        raise


def split_line(text: str) -> tuple[str, str]:
    """The name and the formula of `name = formula`; the name is empty where there is none.

    >>> split_line("dZ2 = (A2 - Y)/m"), split_line("A >= B")
    (('dZ2', '(A2 - Y)/m'), ('', 'A >= B'))
    """
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "=" and not depth and text[k + 1 : k + 2] != "=" and text[k - 1 : k] not in ("<", ">", "!", "="):
            return text[:k].strip(), text[k + 1 :].strip()
    return "", text.strip()
