"""What reaches the terminal: plain text, colour where it is wanted, ASCII where nothing else can be printed."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from typing import IO, Any

from whence.cli.texts import CommandError
from whence.messages.errors import WhenceError
from whence.messages.show import render
from whence.ops.table import TABLE
from whence.read.letters import GREEK

# As a formula is typed in lecture notation, so that what is printed can be read again.
_ASCII = {
    "ᵀ": "^T", "⊤": "^T", "⊙": "*", "∘": "*", "·": "*", "⋅": "*", "×": "x", "−": "-", "–": "-", "—": "-",
    "′": "'", "″": "''", "‴": "'''", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "½": "1/2",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~=", "→": "->", "←": "<-", "↦": "|->", "⇒": "=>", "∂": "d",
    "Σ": "Sum", "∑": "Sum", "∏": "Prod", "∞": "inf", "∈": " in ", "⟨": "<", "⟩": ">", "‖": "||",
    "│": "|", "─": "-", "└": "+", "├": "+", "┌": "+", "┐": "+", "┘": "+", "┤": "+", "┬": "+", "┴": "+", "┼": "+",
    "•": "*", "✓": "ok", "✗": "x", "∇": "grad ", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    **{symbol: op.name for op in TABLE.values() for symbol in op.symbols},
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾", "0123456789+-()", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))


def to_ascii(text: str) -> str:
    """The text in ASCII: signs as they are typed in lecture notation, Greek letters by name.

    Where the ASCII text is longer, blanks that only align columns are left out.

    >>> to_ascii("dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1), n1 × m, X², δA₁, Σ AᵢⱼBᵢⱼ")
    "dZ1 = W2^T dZ2 * g1'(Z1), n1 x m, X^2, delta_A1, Sum A_ij B_ij"
    """
    if text.isascii():
        return text
    return "\n".join(line if line.isascii() else _aligned(line) for line in text.split("\n"))


def _aligned(line: str) -> str:
    out: list[str] = []
    longer = 0
    for words, blanks in re.findall(r"((?:[^ ]| (?! ))*)( *)", line):
        word = _spelt(words)
        longer += len(word) - len(words)
        saved = max(0, min(longer, len(blanks) - 2))
        longer -= saved
        out += [word, blanks[saved:]]
    return "".join(out)


def _spelt(text: str) -> str:
    out: list[str] = []
    before = ""  # what the last character was: raised, lowered, or nothing of the kind
    for place, c in enumerate(text):
        after = text[place + 1 : place + 2]
        if c in _RAISED:
            out.append(_RAISED[c] if before == "raised" else "^" + _RAISED[c])
            before = "raised"
        elif "SUBSCRIPT SMALL LETTER" in (name := "" if c.isascii() else unicodedata.name(c, "")):
            out.append(name[-1].lower() if before == "lowered" else "_" + name[-1].lower())
            before = "lowered"
        elif c in _LOWERED:
            # The entry w2₁₁ of W2 is w2_11, while Z₁ is the name Z1.
            out.append("_" + _LOWERED[c] if text[place - 1 : place].isdecimal() else _LOWERED[c])
            before = ""
        else:
            if before == "lowered" and c.isalnum():
                out.append(" ")
            out.append(c if c.isascii() else _ASCII.get(c) or _letter(c, name, after))
            before = ""
    return "".join(out)


def _letter(c: str, name: str, after: str) -> str:
    """A letter that is not ASCII by its name, any other character by its number."""
    if name.startswith("GREEK"):
        word = GREEK.get(c) or name.split(" LETTER ")[-1].split(" ")[0].lower()
        return word + "_" if after.isalnum() else word
    if c in _signs_of_functions():
        return _signs_of_functions()[c]
    plain = unicodedata.normalize("NFKD", c).encode("ascii", "ignore").decode()
    return plain or f"\\u{ord(c):04x}"


@functools.cache
def _signs_of_functions() -> dict[str, str]:
    """The functions that are written as a sign: √ is the square root's, ⊗ the Kronecker product's."""
    from whence.ops.table import TABLE

    signs = {name: re.sub(r"\{\w+\}|[ ()]", "", op.unicode) for name, op in reversed(TABLE.items())}
    return {sign: name for name, sign in signs.items() if len(sign) == 1 and not sign.isascii() and not sign.isalpha()}


class Output:
    """Writes to standard output and standard error, as `--json`, `--ascii` and the terminal ask for.

    The streams are looked up at every use, so that they can be replaced while the program runs.
    """

    def __init__(self, *, as_json: bool = False, ascii_only: bool = False) -> None:
        self.as_json = as_json
        self.ascii_only = ascii_only

    def text(self, text: str, *, style: str = "") -> None:
        """Print a text and a line break."""
        with _reported():
            self._write(sys.stdout, text, style)

    def table(self, rows: Sequence[tuple[str, ...]], *, indent: str = "", style: str = "") -> None:
        """Print the rows with their cells below each other."""
        if not all(can_print(sys.stdout, cell) for row in rows for cell in row) or self.ascii_only:
            rows = [tuple(map(to_ascii, row)) for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.text(indent + line.rstrip(), style=style)

    def json(self, value: dict[str, Any]) -> None:
        """Print one JSON object on a line of its own."""
        put(json_line(value))

    def error(self, error: WhenceError) -> None:
        """An error: to standard error as text, or with `--json` to standard output as an object."""
        if self.as_json:
            with contextlib.suppress(CommandError):
                self.json({"error": error.to_json()})
                return
        ascii_only = self._needs_ascii(sys.stderr, render(error))
        first, _, rest = (render(_in_ascii(error)) if ascii_only else render(error)).partition("\n")
        with contextlib.suppress(OSError):  # the exit status still tells
            self._write(sys.stderr, first, "bold red")
            if rest:
                self._write(sys.stderr, rest, "")

    def _write(self, stream: IO[str], text: str, style: str) -> None:
        if self._needs_ascii(stream, text):
            text = to_ascii(text)
        if style and wants_colour(stream):
            from rich.console import Console

            Console(file=stream, highlight=False, soft_wrap=True).print(text, style=style, markup=False, emoji=False)
        else:
            stream.write(text + "\n")

    def _needs_ascii(self, stream: IO[str], text: str) -> bool:
        return self.ascii_only or not can_print(stream, text)


def put(text: str) -> None:
    """Write to standard output at once."""
    with _reported():
        sys.stdout.write(text)
        sys.stdout.flush()


def flush() -> None:
    """Write what standard output still holds while a failure can be reported."""
    with _reported():
        sys.stdout.flush()


def drop_output() -> None:
    """Let what standard output still holds go nowhere, else Python complains about it when it ends."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """A full disk, say, becomes a coded error; that nobody reads any more is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        drop_output()
        raise CommandError("cannot-write", found="standard output", expected=problem.strerror or str(problem)) from None


def json_line(value: dict[str, Any]) -> str:
    """The object on one line, in ASCII, which every encoding can write."""
    return json.dumps(value) + "\n"


def can_print(stream: IO[str], text: str) -> bool:
    """Can the stream's encoding write all characters of the text?"""
    if text.isascii():
        return True
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_terminal(stream: IO[str]) -> bool:
    """Does the stream end at a person?"""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def wants_colour(stream: IO[str]) -> bool:
    """Only on a terminal that has colours, and not where NO_COLOR is set (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _in_ascii(error: WhenceError) -> WhenceError:
    """The error with its source line in ASCII and the column moved accordingly."""
    lines = error.source.split("\n")
    line = lines[error.line - 1] if 1 < error.line <= len(lines) else lines[0]
    moved = copy.copy(error)
    moved.message, moved.help = to_ascii(error.message), to_ascii(error.help)
    moved.shapes = {to_ascii(name): to_ascii(shape) for name, shape in error.shapes.items()}
    moved.source = to_ascii(line)
    moved.column = len(to_ascii(line[: error.column - 1])) + 1 if error.column else 0
    moved.end = max(len(to_ascii(line[: error.end - 1])), moved.column) + 1
    return moved
