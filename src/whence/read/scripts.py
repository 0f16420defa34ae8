"""What stands above and below a letter: layers, times, transposes, primes and powers, told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from whence.read.letters import SUBSCRIPTS, SUPERSCRIPTS, fold
from whence.read.lexer import Token

_LABEL = r"(?P<label>\w+(?:[+-]\d+)?|-\d)"
_LAYER = re.compile(rf"(?:\[{_LABEL}\]|\({_LABEL.replace('label', 'round')}\)|⟨{_LABEL.replace('label', 'angle')}⟩)")
_STEP = re.compile(r"(?P<letter>[A-Za-z])(?P<sign>[+-]\d+)?\Z")
_AXIS = re.compile(r"axis=?([0-9])")
TRANSPOSES = ("T", "⊤", "ᵀ", "t")


@dataclass(slots=True)
class Scripts:
    """The scripts of one letter: what belongs to its name, and what is done to its value, in order."""

    labels: list[str] = field(default_factory=list)  # "1", "l", "lp1": below, and the layers above
    indices: list[str] = field(default_factory=list)  # letters below, as typed: "ij"
    primes: list[Token] = field(default_factory=list)
    maybe: list[tuple[str, Token]] = field(default_factory=list)  # above: a layer or a power
    after: list[tuple[str, Token]] = field(default_factory=list)  # "T", "-1", a number
    axis: str = ""  # of a function along an axis, which stands below it
    end: int = 0


def label_of(text: str) -> str:
    """How a layer or a time is written in a name: l+1 is lp1, t-1 is tm1, the last but one Lm1.

    >>> label_of("l+1"), label_of("t-1"), label_of("-1"), label_of("2")
    ('lp1', 'tm1', 'L', '2')
    """
    if re.fullmatch(r"-\d+", text):
        return "L" if text == "-1" else f"Lm{int(text[1:]) - 1}"
    return text.replace("+", "p").replace("-", "m")


def superscript_items(text: str) -> list[tuple[str, str]] | None:
    """What a superscript means: ("layer", "2"), ("T", ""), ("-1", ""), ("prime", ""), ("maybe", "l+1"), ("power", "2").

    None where it is none of these and so a formula.

    >>> superscript_items("[2]T"), superscript_items("-T"), superscript_items("(k-1)T")
    ([('layer', '2'), ('T', '')], [('-1', ''), ('T', '')], [('layer', 'km1'), ('T', '')])
    """
    out: list[tuple[str, str]] = []
    rest = text
    found = _LAYER.match(rest)
    if found is not None:
        out.append(("layer", label_of(found["label"] or found["round"] or found["angle"])))
        rest = rest[found.end() :]
    while rest:
        rest = rest.lstrip("^")
        if rest[:2] in ("-1",):
            out.append(("-1", ""))
            rest = rest[2:]
        elif rest[:1] == "-" and rest[1:2] in TRANSPOSES:
            out.append(("-1", ""))
            rest = rest[1:]
        elif rest[:1] in TRANSPOSES and (len(rest) == 1 or rest[1] in "^-'⊤ᵀ"):
            out.append(("T", ""))
            rest = rest[1:]
        elif rest[:1] in "'’′":
            out.append(("prime", ""))
            rest = rest[1:]
        elif found_power := re.match(r"-?\d+(?=[T⊤ᵀ]|\Z)", rest):
            out.append(("power" if rest.startswith("-") or out else "maybe", found_power.group()))
            rest = rest[found_power.end() :]
        elif not out and (step := _STEP.match(rest)):
            out.append(("maybe", step.group()))
            rest = ""
        elif not out and re.fullmatch(r"[A-Za-z]{2,}", rest):
            out.append(("layer", rest))
            rest = ""
        elif not out and rest in ("*", "+"):
            out.append(("layer", "star" if rest == "*" else "plus"))
            rest = ""
        else:
            return None
    return out


def text_of(tokens: list[Token]) -> str:
    """The tokens as one text, letters folded: what a superscript or subscript says."""
    parts: list[str] = []
    for token in tokens:
        if token.kind == "sup":
            parts.append("".join(SUPERSCRIPTS.get(c, c) for c in token.text))
        elif token.kind == "sub":
            parts.append("".join(SUBSCRIPTS[c] for c in token.text))
        elif token.kind == "word":
            parts.append(fold(token.text, token.line, token.column) if token.text not in TRANSPOSES else token.text)
        elif token.text in (":=",):
            return ""
        else:
            parts.append(token.text)
    return "".join(parts)


def axis_below(text: str) -> str:
    """The axis that a subscript names; "" for any other subscript.

    >>> axis_below("axis1"), axis_below("axis=0"), axis_below("ax")
    ('1', '0', '')
    """
    found = _AXIS.fullmatch(text.replace(" ", ""))
    return found[1] if found else ""


def subscript_label(text: str) -> str:
    """A subscript as part of a name: {t-1} is tm1, {h, f} is hf; "" where it is a formula.

    >>> subscript_label("t-1"), subscript_label("ax"), subscript_label("i,j")
    ('tm1', 'ax', 'ij')
    """
    plain = text.replace(",", "").replace(" ", "")
    found = re.fullmatch(r"\[?\(?(\w+(?:[+-]\d+)?)\)?\]?", plain)
    return label_of(found.group(1)) if found else ""
