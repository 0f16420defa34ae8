"""The dialects a formula can be typed in, as data, and which one a text is in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whence.messages.errors import ReadError

_NUMBERS = frozenset({"alpha", "eta", "lam", "eps", "m", "n", "pi"})
_COSTS = frozenset({"J", "L", "C", "E", "Loss", "loss", "Cost", "cost", "ell"})
_HASH = re.compile(r"#.*")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the signs of one way of writing mean.

    `star` is what * is between two arrays: "*" entry by entry, "soft" the matrix product where it fits, "either"
    entry by entry if the text has another sign for the matrix product, else as "soft".
    """

    name: str
    called: str  # in a sentence
    rules: str = ""  # what its signs mean, said where nothing in the text tells the dialect
    typed: bool = True  # read by the grammar of typed formulas; the canonical language has its own, strict one
    star: str = "either"
    matrix_power: bool = False  # X^2 of a square matrix is X @ X
    first_axis: int = 0  # how the first axis is counted
    row_samples: bool = False  # the classes of softmax stand beside each other where nothing else tells
    divides_left: bool = False  # A\b solves
    colon_pairs: bool = True  # A : B is the sum of all products of entries; else a colon counts, 2:end
    commands: bool = False  # commands behind a backslash
    equations: bool = True  # a chain of equal sides, and an identity, are lines of it
    comment: re.Pattern[str] = _HASH
    scalars: frozenset[str] = frozenset()  # names that are numbers unless declared otherwise
    costs: frozenset[str] = _COSTS  # names of a cost: dJ/dW is called dW


CANONICAL = Dialect("canonical", "the canonical language", typed=False, star="*", costs=frozenset())

LECTURE = Dialect(
    "lecture",
    "lecture notation",
    "two names side by side are a matrix product, * goes entry by entry",
    comment=re.compile(r"#.*|%.*|//.*"),
    scalars=_NUMBERS,
)

LATEX = Dialect(
    "latex",
    "LaTeX",
    matrix_power=True,
    commands=True,
    comment=re.compile(r"(?<!\\)%.*"),
    scalars=_NUMBERS,
)

OCTAVE = Dialect(
    "octave",
    "Octave",
    "* is the matrix product, .* goes entry by entry, ' transposes",
    star="soft",
    matrix_power=True,
    first_axis=1,
    divides_left=True,
    colon_pairs=False,
    comment=re.compile(r"%.*|#.*"),
    scalars=_NUMBERS,
)

CODE = Dialect(
    "code",
    "Python code",
    "* goes entry by entry, @ and dot are the matrix product",
    star="*",
    row_samples=True,
    equations=False,
    comment=re.compile(r"#.*|(?<!:)//.*"),
    scalars=_NUMBERS,
)

NO_EVIDENCE = f"Read as {LECTURE.called}: {LECTURE.rules}."  # said where no sign in the text tells its dialect

DIALECTS: dict[str, Dialect] = {d.name: d for d in (CANONICAL, LECTURE, LATEX, OCTAVE, CODE)}

# What only one way of writing has, in the order in which it counts.
_EVIDENCE = (
    (LATEX, re.compile(r"\\(?:[A-Za-z]{2,}|[\[\]({*_|])|\$|\^\{(?!\[)")),
    (
        CODE,
        re.compile(
            r"(?<![A-Za-z0-9_.])(?:np|numpy|torch|th|jnp|tf|F|self)\.[A-Za-z_]|::|\bkeepdims?\b"
            r"|\.(?:dot|mm|t|sum|mean|max|pow|transpose|matmul|astype)\(|\b\w+\[[\"']"
            r"|^[ \t]*(?:def \w+\(|for \w+ in |import \w)",
            re.MULTILINE,
        ),
    ),
    (
        OCTAVE,
        re.compile(
            r"[\w)\]]\\[\w(]|(?<![0-9])\.[*/]|(?<=[\w)\]])\.\^|\.'|(?<=[\w)\]])['’]\s*\*|\*\s*\w+['’](?![\w\s]*(?:\[\w*\])?\()"
        ),
    ),
    (
        LECTURE,
        re.compile(
            r"(?<![=!<>])\^|[⊙∘·⋅×ᵀᵗ⊤′’″²³¹⁰⁴-⁹⁻₀-₉ᵢⱼₖₗₘₙₜ∂∇√½←‖∥|]|:="
            r"|[A-Za-z0-9_\])]'"  # a prime: a quote that opens letters follows a bracket or a comma
            r"|^[ \t]*[^\W\d_]\w*\[[^\],:\n]*\][ \t]*=[^=]",  # Z[1] = ...: only a layer stands there
            re.MULTILINE,
        ),
    ),
    (CANONICAL, re.compile(r"@|\*\*|\.m?T(?![A-Za-z0-9_])|_prime\(")),
)
_STRINGS = re.compile(r"'[A-Za-z, .]*->[A-Za-z, ]*'|\"[^\"\n]*\"")


def choose(text: str, dialect: str | None = None) -> tuple[Dialect, str]:
    """The dialect of a text, and a sentence that says why. Raises ReadError `unknown-dialect`.

    >>> choose("Z^[1] = W^[1] X")[0].name, choose("trace(A @ X)")[0].name, choose("np.dot(A, B)")[0].name
    ('lecture', 'canonical', 'code')
    """
    if dialect is not None:
        if dialect not in DIALECTS:
            raise ReadError("unknown-dialect", line=1, column=1, found=str(dialect)[:40], expected=", ".join(DIALECTS))
        return DIALECTS[dialect], f"Read as {DIALECTS[dialect].called}, as asked."
    bare = _STRINGS.sub(lambda m: m.group()[0] + " " * (len(m.group()) - 1), _blanked(text))
    for chosen, pattern in _EVIDENCE:
        evidence = pattern.search(bare)
        if evidence is not None:
            return chosen, f"Read as {chosen.called}, because of `{evidence.group().strip()}`."
    return LECTURE, NO_EVIDENCE


def _blanked(text: str) -> str:
    """The text without the comments that every dialect but LaTeX has."""
    return _HASH.sub(lambda m: " " * len(m.group()), text)
