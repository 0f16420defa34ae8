"""Markdown that loses nothing, on a CommonMark parser; shapes and sizes in words."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

import corpus
from test_notation_text import printable
from whence.notation.latex import to_latex
from whence.notation.markdown import escaped, in_dollars, to_markdown
from whence.notation.unicode import to_unicode
from whence.notation.words import describe_sizes, shape_in_words
from whence.shapes.dims import Dim


def shown(markdown: str) -> str:
    """What a reader sees: the text of the rendered page."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table").enable("strikethrough")
    rendered = parser.render(markdown)
    return html.unescape(re.sub(r"</?(p|br ?/?)>", "", rendered)).strip()


@pytest.mark.parametrize(
    "text",
    [
        "dW^[1] = X*d_1*d_2",
        "a*b*c", "_x_ y_hat z_", "`x`", "W[1](x)", "[a]: b", "A<b>c", "x | y", "~~x~~", "$x$ and $y$", "&amp; &lt;",
        "- x", "+ x", "# x", "1. x", "12) x", "> x", "=====", "\\alpha", "W2ᵀ dZ2 ⊙ g1′(Z1)", "A1^⊙2", "‖x‖² < 1",
        "***", "| a | b |",
    ],
)  # fmt: skip
def test_plain_text_comes_through(text: str) -> None:
    assert shown(escaped(text)) == text


def test_lines_stay_lines_and_nobody_is_called() -> None:
    assert escaped("a*b\n# c") == "a\\*b  \n\\# c"
    assert escaped("W.T @x") == "W.T @ x"  # @x would notify somebody


@pytest.mark.parametrize(
    ("latex", "safe"),
    [
        (r"\left\|X\right\|_1", r"\left\Vert X\right\Vert_1"),
        (r"\left|x\right|", r"\left\vert x\right\vert"),
        (r"\left\|X\right\|_{*}", r"\left\Vert X\right\Vert_{\ast }"),
        (r"[a < b]", r"[a \lt b]"),
        (r"\mathbf{1}_{n}", r"\mathbf 1_{n}"),
        (r"\operatorname{mean}_{\text{axis }0}(X)", r"\operatorname{mean}\nolimits_{\text{axis }0}(X)"),
        (r"W_1^{\top}", r"W_1^{\top}"),
    ],
)
def test_mathematics_without_signs_of_markdown(latex: str, safe: str) -> None:
    assert in_dollars(latex) == safe


def test_both_lines() -> None:
    assert to_markdown(r"\mathrm{d}W_1", "dW_1") == "$\\mathrm{d}W_1$\n\ndW\\_1"
    assert to_markdown("", "x") == "x"


def test_the_corpora_come_through() -> None:
    """No formula's LaTeX has a sign that Markdown takes, whether or not the site knows mathematics; nor its text."""
    for item in corpus.problems():
        found: Any = printable(item)
        trees, shape_of = found
        for tree in trees:
            mathematics = in_dollars(to_latex(tree, shape_of))
            assert shown(f"${mathematics}$") == f"${mathematics}$", item["id"]
            text = to_unicode(tree, shape_of)
            assert shown(escaped(text)) == text, item["id"]


def test_shapes_in_words() -> None:
    n, one = Dim.parse("n1"), Dim.parse(1)
    assert shape_in_words((n, Dim.parse("m"))) == "n1 × m"
    assert shape_in_words((n, one)) == "n1 × 1"
    assert shape_in_words((one, n)) == "1 × n1"
    assert shape_in_words(("B", "H*k", "m - 1")) == "B × H·k × (m - 1)"
    assert describe_sizes({"n0": 3, "n1": 5, "n2": 2, "m": 4}) == "n0, n1, n2, m = 3, 5, 2, 4"
    assert describe_sizes({}) == ""
