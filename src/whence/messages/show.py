"""An error as text for a person: the sentence, the place, the shapes so far, one next step."""

from __future__ import annotations

import unicodedata

from whence.messages.errors import WhenceError

_WIDTH = 100  # columns of a source line that are shown around the place


def render(error: WhenceError) -> str:
    """The error as several lines of plain text.

    >>> print(render(WhenceError("unexpected-sign", line=1, column=3, found=",", source="(A, B)")))
    error[unexpected-sign]: , cannot stand here.
      line 1:  (A, B)
                 ^
    help: Check the signs before and after it.
    more: whence explain --code unexpected-sign
    """
    lines = [f"error[{error.code}]: {_plain(error.message)}"]
    source = _line_of(error)
    if source and error.column:
        label = f"  line {error.line}:  "
        lines.extend(_underlined(label, source, error.column, error.end))
    elif error.line:
        lines.append(f"  in line {error.line}")
    if error.shapes:
        lines.append("  shapes so far: " + ", ".join(f"{name}: {shape}" for name, shape in error.shapes.items()))
    if error.extended:
        letter, _, formula = error.extended.partition(": ")
        lines.append(f"known: the change in a direction {letter} is {_plain(formula)}")
    if error.help:
        lines.append(f"help: {_plain(error.help)}")
    lines.append(f"more: whence explain --code {error.code}")
    return "\n".join(lines)


def _line_of(error: WhenceError) -> str:
    """The source line; `source` is that line, or a whole text that has it."""
    lines = error.source.split("\n")
    return lines[error.line - 1] if 1 < error.line <= len(lines) else lines[0]


def _underlined(label: str, source: str, column: int, end: int) -> list[str]:
    start = max(0, column - 1 - _WIDTH // 2) if len(source) > _WIDTH else 0
    shown = source[start : start + _WIDTH]
    before = shown[: column - 1 - start]
    marked = shown[column - 1 - start : end - 1 - start]
    carets = "^" * max(1, _columns(marked))
    return [label + _plain(shown), " " * (len(label) + _columns(before)) + carets]


def _plain(text: str) -> str:
    """The text without control characters, which could steer a terminal."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else " " for c in text)


def _columns(text: str) -> int:
    """How many columns a text takes on a terminal."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
