"""Formulas in Markdown that GitHub, Jupyter and Discourse show alike."""

from __future__ import annotations

import re

# Escaped wherever they stand: signs that make emphasis, code, links, tables, mathematics, footnotes or HTML.
_ACTIVE = re.compile(r"([\\`*_\[\]<>|~$&])")
# Escaped at the beginning of a line only: lists, headings, rules.
_OPENS = re.compile(r"^([-+=#]|[0-9]+(?=[.)]))")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MENTION = re.compile(r"@(?=\w)")

# Markdown takes a backslash before a sign for its own, and * | < > _ for markup, inside mathematics too on some sites.
_IN_MATHEMATICS = (
    (re.compile(r"\\\|"), r"\\Vert "),
    (re.compile(r"\\left\|"), r"\\left\\vert "),
    (re.compile(r"\\right\|"), r"\\right\\vert "),
    (re.compile(r"\\,"), r"\\thinspace "),
    (re.compile(r"\*"), r"\\ast "),
    (re.compile(r"<"), r"\\lt "),
    (re.compile(r">"), r"\\gt "),
    (re.compile(r"\\(mathbf|mathrm|mathit)\{(\w)\}_"), r"\\\1 \2_"),  # an underscore after a sign would open emphasis
    (re.compile(r"(\\operatorname\{[^{}]*\})_"), r"\1\\nolimits_"),
    (re.compile(r"\\(Vert|vert) +_"), r"\\\1_"),
    (re.compile(r" {2,}"), " "),
)


def to_markdown(latex: str, plain: str = "") -> str:
    r"""The formula between dollar signs, and below it the plain line, escaped so that nothing of it is lost.

    >>> print(to_markdown(r"W_2^{\top} \mathrm{d}Z_2", "W2ᵀ dZ2"))
    $W_2^{\top} \mathrm{d}Z_2$
    <BLANKLINE>
    W2ᵀ dZ2
    """
    mathematics = f"${in_dollars(latex)}$" if latex else ""
    return "\n\n".join(part for part in (mathematics, escaped(plain)) if part)


def escaped(text: str) -> str:
    r"""Plain text in which no sign means anything to Markdown; lines stay lines.

    >>> print(escaped("dW^[1] = X*d_1"))
    dW^\[1\] = X\*d\_1
    """
    return "  \n".join(_line(line) for line in text.strip("\n").split("\n"))


def unescaped(text: str) -> str:
    r"""What Markdown shows of plain text that was escaped.

    >>> unescaped(escaped("dW^[1] = X*d_1"))
    'dW^[1] = X*d_1'
    """
    return _ESCAPED.sub(r"\1", text)


def in_dollars(latex: str) -> str:
    r"""LaTeX in which no sign means anything to Markdown: `\|` becomes `\Vert`, `*` becomes `\ast`.

    >>> print(in_dollars(r"\left\|X\right\|_1"))
    \left\Vert X\right\Vert_1
    """
    for pattern, safe in _IN_MATHEMATICS:
        latex = pattern.sub(safe, latex)
    return latex.strip()


def _line(line: str) -> str:
    line = _ACTIVE.sub(r"\\\1", _MENTION.sub("@ ", line.strip()))
    found = _OPENS.match(line)
    if found is None:
        return line
    if found.group()[0].isdigit():  # "1." would number a list: the dot is escaped, not the number
        return found.group() + "\\" + line[found.end() :]
    return "\\" + line
