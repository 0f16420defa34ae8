"""Small pieces of the grammar that need no parser: letters, powers, products from the left."""

from __future__ import annotations

from whence.messages.errors import LimitError
from whence.read.context import Context
from whence.read.lexer import Token
from whence.read.places import error_at, join, span_of
from whence.read.syntax import Binary, Expr, Negative, Number, Text
from whence.read.vocabulary import pairwise_function

POWER_LIMIT = 64

_EINSUM_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,->")


def einsum_letters(token: Token) -> Text:
    """The letters of a quoted text such as "ij,jk->ik". Raises ReadError for any other text."""
    value = token.text.replace(" ", "")
    if not set(value) <= _EINSUM_LETTERS or value.count("->") != 1 or not value:
        raise error_at("bad-letters", token)
    if value.replace("->", "").count("-") or value.replace("->", "").count(">"):
        raise error_at("bad-letters", token)
    return Text(value, span_of(token, token))


def of_two(name: str, arguments: list[Expr], context: Context) -> str:
    """The function meant: `max(0, X)` on a slide is the larger of two, entry by entry."""
    if len(arguments) != 2 or not any(isinstance(argument, Number) for argument in arguments):
        return name
    pairwise = pairwise_function(name)
    if pairwise is None:
        return name
    context.note(f"{name} of two arguments is read as {pairwise}, entry by entry.")
    return pairwise


def check_power(exponent: Expr) -> None:
    """LimitError for a written power beyond the cap."""
    number = exponent.operand if isinstance(exponent, Negative) else exponent
    if isinstance(number, Number) and number.value > POWER_LIMIT:
        span = number.span
        raise LimitError(
            "power-too-large", line=span.line, column=span.column, end=span.end, found=number.text, limit=POWER_LIMIT
        )


def fold_left(items: list[Expr], signs: list[str]) -> Expr:
    """The operands joined by their signs, from the left."""
    node = items[0]
    for sign, right in zip(signs, items[1:], strict=True):
        node = Binary(sign, node, right, join(node.span, right.span))
    return node
