"""Letters: which are accepted in names, and what a decorated or Greek letter is called."""

from __future__ import annotations

import re
import unicodedata

from whence.messages.errors import LimitError, ReadError

NAME_LIMIT = 64
MARKS_IN_A_ROW = 4

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lam", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lam", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
# Greek capitals that look like Latin ones are missing on purpose: A and Α would be two names that read alike.

OWN_LETTERS = {"ℓ": "ell"}  # would otherwise fold to l
MARKS = {"\u0302": "_hat", "\u0304": "_bar", "\u0303": "_tilde"}
SMALL_CHANGE = "δ"  # δX is a small change of X; only in the canonical language, where differentials are written

SUPERSCRIPTS = {
    "⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9",
    "⁻": "-", "⁺": "+", "ˡ": "l", "ⁱ": "i", "ⁿ": "n", "⁽": "(", "⁾": ")", "ᵀ": "T", "ᵗ": "T", "⊤": "T",
}  # fmt: skip
SUBSCRIPTS = {
    "₀": "0", "₁": "1", "₂": "2", "₃": "3", "₄": "4", "₅": "5", "₆": "6", "₇": "7", "₈": "8", "₉": "9",
    "ᵢ": "i", "ⱼ": "j", "ₖ": "k", "ₗ": "l", "ₘ": "m", "ₙ": "n", "ₜ": "t",
}  # fmt: skip

_MARK_RUN = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{5,}")
_ASCII_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def mark_run(text: str) -> int:
    """Where more combining marks than allowed stand in a row, or -1."""
    found = None if text.isascii() else _MARK_RUN.search(text)
    return found.start() if found else -1


def is_invisible(character: str) -> bool:
    """True for control, format and direction characters: they can make a text read differently than it looks."""
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp")


def fold(word: str, line: int, column: int, *, small_change: bool = False) -> str:
    """The name a word stands for: plain Latin letters, digits and underscores.

    Fonts fold away (𝐗 is X), Greek letters are called by name, a hat, bar or tilde becomes a suffix.
    Raises ReadError for letters that look like others or are not used in formulas.

    >>> fold("λ", 1, 1), fold("x\u0302", 1, 1)
    ('lam', 'x_hat')
    """
    if len(word) > NAME_LIMIT:
        raise LimitError("name-too-long", line=line, column=column, end=column + len(word), limit=NAME_LIMIT)
    if word.isascii():
        return word
    parts: list[str] = []
    for offset, character in enumerate(word):
        if unicodedata.decomposition(character).startswith(("<super>", "<sub>")):
            raise ReadError("unexpected-character", line=line, column=column + offset, found=character)
        parts.append(_fold_letter(character, line, column + offset))
    folded = "".join(parts)
    if small_change and word.startswith(SMALL_CHANGE) and _ASCII_NAME.match(word[1:]):
        return word
    return folded


def _fold_letter(character: str, line: int, column: int) -> str:
    if character.isascii():
        return character
    if character in OWN_LETTERS:
        return OWN_LETTERS[character]
    out: list[str] = []
    for piece in unicodedata.normalize("NFD", unicodedata.normalize("NFKC", character)):
        name = piece if piece.isascii() else GREEK.get(piece) or MARKS.get(piece)
        if name is None or not (name.isalnum() or "_" in name):
            code = "look-alike-letter" if piece.isalpha() else "unexpected-character"
            raise ReadError(code, line=line, column=column, found=character, letter=_letter_name(character))
        out.append(name)
    return "".join(out)


def _letter_name(character: str) -> str:
    return unicodedata.name(character, "unnamed character").lower()


def add_layer(name: str, layer: str) -> str:
    """The name of a quantity of one layer: Z of layer 1 is Z1, of layer l it is Z_l.

    >>> add_layer("Z", "1"), add_layer("a1", "2"), add_layer("W", "l")
    ('Z1', 'a1_2', 'W_l')
    """
    glued = layer.isdigit() and not name[-1].isdigit()
    return f"{name}{layer}" if glued else f"{name}_{layer}"


def drop_underscore(name: str) -> str:
    """A trailing `_1` loses its underscore (W_1 is W1), unless a digit stands before it.

    >>> drop_underscore("W_1"), drop_underscore("a1_2")
    ('W1', 'a1_2')
    """
    head, bar, digits = name.rpartition("_")
    if bar and digits.isdigit() and head and head[-1].isalpha():
        return head + digits
    return name
