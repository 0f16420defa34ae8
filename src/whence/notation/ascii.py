"""Text in ASCII, where nothing else can be printed: signs as they are typed, letters by name."""

from __future__ import annotations

import functools
import re
import unicodedata

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
    signs = {name: re.sub(r"\{\w+\}|[ ()]", "", op.unicode) for name, op in reversed(TABLE.items())}
    return {sign: name for name, sign in signs.items() if len(sign) == 1 and not sign.isascii() and not sign.isalpha()}
