"""The dialects a formula can be typed in, as data, and which one a text is in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from whence.messages.errors import ReadError


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the signs of one way of writing mean.

    `products` gives for each sign + - * / @ the operator it stands for, or "soft": a product by a number
    if one side is a number, else the matrix product. `juxtaposition` says the same of two factors side by
    side; empty where that is an error.
    """

    name: str
    products: dict[str, str]
    juxtaposition: str = ""
    caret: bool = False  # ^ is a power, a layer or a transpose
    prime: bool = False  # ' is a transpose or a derivative
    layers: bool = False  # Z[1] and Z^[1] are names
    bars: dict[str, str] = field(default_factory=dict)  # |x| and ||x||, as the table writes their functions
    words: dict[str, str] = field(default_factory=dict)  # words that are operators
    scalars: frozenset[str] = frozenset()  # names that are numbers unless declared otherwise
    costs: frozenset[str] = frozenset()  # names of a cost: dJ/dW is called dW


CANONICAL = Dialect("canonical", products={"*": "*", "/": "/", "@": "@"})

LECTURE = Dialect(
    "lecture",
    products={"*": "*", "⊙": "*", "∘": "*", "/": "/", "@": "@", "·": "soft", "⋅": "soft", "×": "soft", ".": "soft"},
    juxtaposition="soft",
    caret=True,
    prime=True,
    layers=True,
    bars={"|": "|{X}|", "||": "‖{X}‖"},
    words={"dot": "soft"},
    scalars=frozenset({"alpha", "eta", "lam", "eps", "m", "n", "pi"}),
    costs=frozenset({"J", "L", "C", "E", "Loss", "loss", "Cost", "cost", "ell"}),
)

DIALECTS: dict[str, Dialect] = {d.name: d for d in (CANONICAL, LECTURE)}

_CANONICAL_SIGNS = re.compile(r"@|\*\*|\.m?T(?![A-Za-z0-9_])|_prime\(")
_LECTURE_SIGNS = re.compile(
    r"(?<![=!<>])\^|[⊙∘·⋅×ᵀᵗ⊤′’″²³¹⁰⁴-⁹⁻₀-₉ᵢⱼₖₗₘₙₜ∂½←‖∥|]|:="
    r"|[A-Za-z0-9_\])]'"  # a prime: a quote that opens letters follows a bracket or a comma
    r"|^[ \t]*[^\W\d_]\w*\[[^\],:\n]*\][ \t]*=[^=]",  # Z[1] = ...: only a layer stands there
    re.MULTILINE,
)
_STRINGS = re.compile(r"'[A-Za-z, ]*->[A-Za-z, ]*'|\"[^\"\n]*\"")
_COMMENTS = re.compile(r"#[^\n]*")

# Signs of dialects that whence does not read yet: better refused than read by the wrong rules.
_OTHERS = (
    (re.compile(r"\\[A-Za-z(\[{]|\$"), "LaTeX"),
    (re.compile(r"(?<![A-Za-z0-9_])(?:np|numpy|torch|jnp|tf|F|self)\.[A-Za-z_]"), "Python code"),
    (re.compile(r"\.[*/\\](?![0-9])|(?<=[\w)\]])\.\^|\.'"), "Octave"),
)


def choose(text: str, dialect: str | None = None) -> tuple[Dialect, str]:
    """The dialect of a text, and a sentence that says why.

    >>> choose("Z^[1] = W^[1] X")[0].name, choose("trace(A @ X)")[0].name
    ('lecture', 'canonical')
    """
    if dialect is not None:
        if dialect not in DIALECTS:
            raise ReadError("unknown-dialect", line=1, column=1, found=str(dialect)[:40], expected=", ".join(DIALECTS))
        return DIALECTS[dialect], f"Read as {dialect} notation, as asked."
    bare = _STRINGS.sub(lambda m: " " * len(m.group()), _COMMENTS.sub(lambda m: " " * len(m.group()), text))
    for pattern, name in _OTHERS:
        found = pattern.search(bare)
        if found is not None:
            line, column = _place(bare, found.start())
            end = column + len(found.group())
            raise ReadError("other-dialect", line=line, column=column, end=end, found=found.group(), dialect=name)
    lecture = _LECTURE_SIGNS.search(bare)
    if lecture is not None:
        return LECTURE, f"Read as lecture notation, because of `{lecture.group().strip()}`."
    canonical = _CANONICAL_SIGNS.search(bare)
    if canonical is not None:
        return CANONICAL, f"Read as the canonical language, because of `{canonical.group().strip()}`."
    return LECTURE, "Read as lecture notation: two names side by side are a matrix product, * goes entry by entry."


def _place(text: str, offset: int) -> tuple[int, int]:
    line = text.count("\n", 0, offset) + 1
    return line, offset - text.rfind("\n", 0, offset)
