"""Places: from tokens to spans, and errors that point at a token."""

from __future__ import annotations

from typing import Any

from whence.messages.errors import LimitError, ReadError
from whence.read.lexer import Token
from whence.read.syntax import Span


def span_of(first: Token, last: Token | None = None) -> Span:
    """From the beginning of one token to the end of it, or of another."""
    return Span(first.line, first.column, (last or first).line, (last or first).end)


def join(first: Span, last: Span) -> Span:
    """From the beginning of one span to the end of another."""
    return Span(first.line, first.column, last.end_line, last.end)


def error_at(code: str, token: Token, **values: Any) -> ReadError:
    """A ReadError that points at a token; `found` is its text unless given."""
    values.setdefault("found", token.text)
    return ReadError(code, line=token.line, column=token.column, end=token.end, **values)


def limit_at(code: str, token: Token, limit: int) -> LimitError:
    """A LimitError that points at a token."""
    return LimitError(code, line=token.line, column=token.column, end=token.end, found=token.text, limit=limit)
