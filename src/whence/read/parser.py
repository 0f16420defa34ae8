"""Text to a syntax tree, in the canonical language or in a dialect that people type."""

from __future__ import annotations

from collections.abc import Iterable

from whence.messages.errors import LimitError, WhenceError
from whence.read.brackets import DEPTH_LIMIT
from whence.read.context import Context, make_context
from whence.read.dialects import choose
from whence.read.grammar import Parser
from whence.read.letters import fold
from whence.read.lexer import LINE_LIMIT, Token, tokens_of
from whence.read.lines import formula
from whence.read.lines import lex as lex_typed
from whence.read.syntax import (
    Expr,
)
from whence.read.vocabulary import known_function
from whence.read.walk import check_roles, check_star


def parse_expression(
    text: str,
    *,
    functions: Iterable[str] = (),
    names: Iterable[str] = (),
    dialect: str | None = None,
    line: int = 1,
) -> Expr:
    """The syntax tree of one formula.

    `functions` are the declared unknown elementwise functions (where given, only they and the known ones
    are functions), `names` the declared names, by which words such as `Wx` are taken apart. The dialect is
    told from the text unless given (`dialects.DIALECTS`).

    Raises ReadError with a code and a place, LimitError beyond the caps.

    >>> from whence.read.canonical import to_text
    >>> to_text(parse_expression("W^[2]T dZ^[2] * g^[1]'(Z^[1])"))
    'W2.T @ dZ2 * g1_prime(Z1)'
    """
    try:
        chosen, _ = choose(text, dialect)
        context = make_context(chosen, functions=functions, names=names, forced=dialect is not None)
        tokens = [token for k, part in enumerate(text.split("\n")) for token in _tokens(part, context, line + k)]
        tokens = [token for token in tokens[:-1] if token.kind != "end"] + tokens[-1:]
        expr = formula(tokens, context) if chosen.typed else parse_tokens(tokens, context)
        check_star(context)
        check_roles((expr,), context)
    except WhenceError as error:
        error.source = error.source or text
        raise
    return expr


def parse_printed(text: str, *, functions: Iterable[str] = (), names: Iterable[str] = ()) -> Expr:
    """The syntax tree of a formula that whence itself printed, in the canonical language.

    Raises LimitError `output-too-long` where it is beyond what is read: nobody typed that line.
    """
    try:
        return parse_expression(text, functions=functions, names=names, dialect="canonical")
    except LimitError as error:
        found = f"{len(text):,} characters"
        raise LimitError("output-too-long", found=found, expected=f"{LINE_LIMIT:,}") from error


def _tokens(text: str, context: Context, line: int) -> list[Token]:
    typed = context.dialect.typed
    return lex_typed(text, context.dialect, line) if typed else lex(text, context, line)


def lex(text: str, context: Context, line: int, offset: int = 0) -> list[Token]:
    """The tokens of a line in the canonical language."""
    tokens = tokens_of(text, line, offset)
    if text.isascii():
        return tokens
    return [_folded(token, context, tokens, k) if token.kind == "word" else token for k, token in enumerate(tokens)]


def _folded(token: Token, context: Context, tokens: list[Token], k: int) -> Token:
    if token.text.isascii():
        return token
    name = fold(token.text, token.line, token.column, small_change=True)
    letter = known_function(token.text)
    if letter is not None and name not in context.names and tokens[k + 1].text == "(":
        name = letter
    return token._replace(text=name)


def parse_tokens(tokens: list[Token], context: Context) -> Expr:
    """The syntax tree of a token list that ends with an `end` token."""
    parser = Parser(tokens, context)
    try:
        return parser.whole()
    except RecursionError:  # the caller stood deep already
        raise LimitError("too-deep", line=tokens[0].line, column=tokens[0].column, limit=DEPTH_LIMIT) from None
