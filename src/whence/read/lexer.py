"""Text to tokens, with the place of each. Knows signs, not their meaning."""

from __future__ import annotations

import re
from typing import NamedTuple

from whence.messages.errors import LimitError, ReadError
from whence.read.letters import SUBSCRIPTS, SUPERSCRIPTS, is_invisible, mark_run

LINE_LIMIT = 10_000
TOKEN_LIMIT = 2_000
DIGIT_LIMIT = 30
EXPONENT_DIGITS = 3


class Token(NamedTuple):
    """One word, number or sign. `kind` is number, word, sup, sub, text, prime, op or end."""

    kind: str
    text: str
    line: int
    column: int
    end: int  # column after the last character
    blank: bool  # True where a blank stands before


_SUP = "".join(SUPERSCRIPTS)
_SUB = "".join(SUBSCRIPTS)
_NUMERIC = "½¼¾⅓⅔"
_FOLLOW = rf"[^\W{_SUP}{_SUB}{_NUMERIC}]|[\u0300-\u036f]"

_TOKEN = re.compile(
    r"(?P<blank>[^\S\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<word>[𝟙𝟏𝟎]|[^\W\d_{_SUP}{_SUB}{_NUMERIC}](?:{_FOLLOW})*)"
    rf"|(?P<sup>[{_SUP}]+)|(?P<sub>[{_SUB}]+)"
    r"|(?P<op>\*\*|:=|[-+*/]=|[=!<>]=|\.m?T(?![A-Za-z0-9_])|\|\||\.[*/^](?!\*)|\.'|[-+*/@^=<>()\[\]{},:;.⊙∘·⋅×∂|_∇√⊗•∑⟨⟩\\])"
    r"|(?P<prime>['’′‘″])"
    r"|(?P<quote>[\"“”])"
    r"|(?P<other>[−–—←≤≥≠½⩽⩾‖∥])"
)  # fmt: skip

_SIGNS = {"−": "-", "–": "-", "—": "-", "←": ":=", "≤": "<=", "≥": ">=", "⩽": "<=", "⩾": ">=", "≠": "!="}
_SIGNS |= {"‖": "||", "∥": "||"}
_BEFORE_A_PRIME = frozenset({")", "]", "}", "||", "|"})
_QUOTES = "'’‘\"“”"


def tokens_of(text: str, line: int = 1, offset: int = 0, *, after: bool = False) -> list[Token]:
    """The tokens of one line, an `end` token last. A `#` begins a comment.

    `offset` characters of the line stand before `text`; `after` says that an operand may end there.

    Raises LimitError beyond the caps, ReadError for a character that has no place in a formula.

    >>> [t.text for t in tokens_of("Z = W @ X  # forward")]
    ['Z', '=', 'W', '@', 'X', '']
    """
    if len(text) > LINE_LIMIT:
        raise LimitError("line-too-long", line=line, column=1, found=f"{len(text):,} characters", limit=LINE_LIMIT)
    run = mark_run(text)
    if run >= 0:
        raise ReadError("combining-marks", line=line, column=run + offset + 1)
    tokens: list[Token] = []
    at, size, blank = 0, len(text), False
    while at < size:
        found = _TOKEN.match(text, at)
        if found is None:
            if text[at] == "#":
                break
            raise _strange(text[at], line, at + offset + 1)
        kind, stop = found.lastgroup or "", found.end()
        if kind == "blank":
            at, blank = stop, True
            continue
        piece = text[at:stop]
        if kind == "quote" or (kind == "prime" and not (_ends_operand(tokens) or (after and not tokens))):
            piece, stop = _quoted(text, at, line, offset)
            tokens.append(Token("text", piece, line, at + offset + 1, stop + offset + 1, blank))
        elif kind == "other":
            tokens.extend(_translated(piece, line, at + offset + 1, blank))
        else:
            if kind == "number":
                _check_number(piece, line, at + offset + 1)
            tokens.append(Token(kind, piece, line, at + offset + 1, stop + offset + 1, blank))
        if len(tokens) > TOKEN_LIMIT:
            raise LimitError("too-many-tokens", line=line, column=at + offset + 1, limit=TOKEN_LIMIT)
        at, blank = stop, False
    last = tokens[-1] if tokens else None
    tokens.append(Token("end", "", line, last.column if last else offset + 1, last.end if last else offset + 1, blank))
    return tokens


def _ends_operand(tokens: list[Token]) -> bool:
    """Is a quote sign here a prime (it stands after an operand) rather than the beginning of letters?"""
    if not tokens:
        return False
    last = tokens[-1]
    return last.kind in ("word", "sup", "sub", "prime") or last.text in _BEFORE_A_PRIME or last.text in (".T", ".mT")


def _quoted(text: str, at: int, line: int, offset: int) -> tuple[str, int]:
    """The letters between two quotes, and where they end."""
    stop = at + 1
    while stop < len(text) and text[stop] not in _QUOTES:
        stop += 1
    if stop == len(text):
        raise ReadError("unclosed-quote", line=line, column=at + offset + 1, found=text[at])
    return text[at + 1 : stop], stop + 1


def _translated(sign: str, line: int, column: int, blank: bool) -> list[Token]:
    """A typographic sign in the signs of the language."""
    if sign == "½":
        parts = (("op", "("), ("number", "1"), ("op", "/"), ("number", "2"), ("op", ")"))
        return [Token(kind, part, line, column, column + 1, blank and part == "(") for kind, part in parts]
    return [Token("op", _SIGNS[sign], line, column, column + 1, blank)]


def _check_number(piece: str, line: int, column: int) -> None:
    mantissa, _, exponent = piece.lower().partition("e")
    end = column + len(piece)
    if len(mantissa) - mantissa.count(".") > DIGIT_LIMIT:
        raise LimitError("number-too-long", line=line, column=column, end=end, limit=DIGIT_LIMIT)
    if len(exponent.lstrip("+-")) > EXPONENT_DIGITS:
        raise LimitError("exponent-too-long", line=line, column=column, end=end, found=piece[:40])


def _strange(character: str, line: int, column: int) -> ReadError:
    if is_invisible(character):
        shown = f"U+{ord(character):04X}"
        return ReadError("invisible-character", line=line, column=column, found=shown)
    return ReadError("unexpected-character", line=line, column=column, found=character)
