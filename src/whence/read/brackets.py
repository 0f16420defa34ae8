"""Which bracket closes which, before anything else is parsed."""

from __future__ import annotations

from whence.read.lexer import Token
from whence.read.places import error_at, limit_at

DEPTH_LIMIT = 100
CLOSING = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}


def match_brackets(tokens: list[Token]) -> tuple[list[int], list[int]]:
    """For each opening bracket where it closes, and where its first comma stands (0: none)."""
    closing, commas = [0] * len(tokens), [0] * len(tokens)
    opened: list[int] = []
    for k, token in enumerate(tokens):
        if token.kind != "op":
            continue
        text = token.text
        if text in CLOSING:
            opened.append(k)
            if len(opened) > DEPTH_LIMIT:
                raise limit_at("too-deep", token, DEPTH_LIMIT)
        elif text in (")", "]", "}", "⟩"):
            if not opened:
                raise error_at("unopened-bracket", token)
            last = opened.pop()
            if CLOSING[tokens[last].text] != text:
                raise error_at("mismatched-bracket", token, expected=CLOSING[tokens[last].text])
            closing[last] = k
        elif text == "," and opened and not commas[opened[-1]]:
            commas[opened[-1]] = k
    if opened:
        raise error_at("unclosed-bracket", tokens[opened[-1]])
    return closing, commas
