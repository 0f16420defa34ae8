"""Which bracket closes which, before anything else is parsed."""

from __future__ import annotations

from whence.messages.errors import ReadError
from whence.read.lexer import Token
from whence.read.places import error_at, limit_at
from whence.read.vocabulary import known_function, without_primes

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
                raise _unopened(tokens, k)
            last = opened.pop()
            if CLOSING[tokens[last].text] != text:
                if _surplus(tokens, tokens[last].text) and not _surplus(tokens, text):
                    raise error_at("unclosed-bracket", tokens[last])
                raise error_at("mismatched-bracket", token, expected=CLOSING[tokens[last].text])
            closing[last] = k
        elif text == "," and opened and not commas[opened[-1]]:
            commas[opened[-1]] = k
    if opened:
        raise error_at("unclosed-bracket", tokens[_likely(tokens, opened)])
    return closing, commas


def _unopened(tokens: list[Token], at: int) -> ReadError:
    """A bracket too many: where a word before runs on from a function's name, its bracket is missing there."""
    for k in range(at - 1, -1, -1):
        word = tokens[k].text
        name = next((word[:n] for n in range(len(word) - 1, 1, -1) if is_function(word[:n])), "")
        if tokens[k].kind == "word" and name and not is_function(word) and tokens[k + 1].text != "(":
            return error_at("bracket-after-function", tokens[k], expected=f"{name}({word[len(name) :]}")
    odd = next((k for k in range(1, at) if tokens[k].text == ")" and _closes_oddly(tokens, k)), at)
    return error_at("unopened-bracket", tokens[odd])


def _closes_oddly(tokens: list[Token], at: int) -> bool:
    """Does a bracket close where none can: behind a sign or a function's name, or with a name glued to it?"""
    before, after = tokens[at - 1], tokens[at + 1]
    bare = before.kind == "word" and is_function(before.text)
    glued = after.kind in ("word", "number") and not after.blank
    return bare or glued or (before.kind == "op" and before.text not in (")", "]", "}", "⟩")) or tokens[at].blank


def is_function(word: str) -> bool:
    """Does a word name a function, or the derivative of one?"""
    base, primes = without_primes(word)
    return known_function(base) is not None or primes > 0


def _likely(tokens: list[Token], opened: list[int]) -> int:
    """Of brackets that are not closed, or took the closing one of another, the one that was most likely put in."""
    round_ones = [k for k in range(len(tokens) - 1) if tokens[k].text == "("]
    return next((k for k in round_ones if _opens_oddly(tokens, k)), opened[-1])


def _opens_oddly(tokens: list[Token], at: int) -> bool:
    """Does a bracket open where none can: before a comma or a blank, or behind a word that is no function?"""
    before, after = tokens[at - 1] if at else tokens[at], tokens[at + 1]
    called = at > 0 and before.kind == "word" and not tokens[at].blank and len(before.text) > 1
    return after.text in (",", ")") or after.blank or (called and not is_function(before.text))


def _surplus(tokens: list[Token], bracket: str) -> bool:
    """Are there more brackets like this one than of those that go with it?"""
    opening, closing = next(pair for pair in CLOSING.items() if bracket in pair)
    counts = [sum(t.text == sign for t in tokens) for sign in (opening, closing)]
    return counts[0] != counts[1] and (counts[0] > counts[1]) == (bracket == opening)
