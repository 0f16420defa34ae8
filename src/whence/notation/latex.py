"""Formulas as LaTeX (amsmath; MathJax and KaTeX read it)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from whence.notation.templates import Level, Slot, Template
from whence.notation.textbook import Piece, ShapeOf, Textbook
from whence.ops.entry import Op
from whence.ops.signature import Parameter
from whence.ops.table import TABLE
from whence.read.letters import GREEK, MARKS, SUBSCRIPTS
from whence.read.syntax import Expr, Index, Name, Range

_GREEK = {name: "\\" + name for name in GREEK.values()} | {
    "eps": r"\varepsilon",
    "lam": r"\lambda",
    "Lam": r"\Lambda",
    "phi": r"\varphi",
    "ell": r"\ell",
}
_ACCENTS = {suffix: f"\\{suffix[1:]}" for suffix in MARKS.values()}
_DIGITS = {sign: plain for sign, plain in SUBSCRIPTS.items() if plain.isdigit()}
_NAME = re.compile(r"([A-Za-z]+)([0-9]*)((?:_[A-Za-z0-9]+)*)(_?)([₀-₉]*)\Z")
_COSTS = ("loss", "cost")  # dLoss is a gradient, dim is a word
_TALL = re.compile(r"\\(?:frac|sqrt|left|sum|prod|begin)")
_BIG = (r"\sum", r"\prod")  # operators that take a product without brackets
_UNDERSCORE = r"\text{-}"  # of odd names only; Markdown would eat a backslash before an underscore
_QUOTIENT = re.compile(r"∂([²³⁴]?)(\w+)/((?: ?∂\w+)+)\Z")
_ORDERS = {"²": 2, "³": 3, "⁴": 4}
_LAST_SIGN = re.compile(r"(?:\\[A-Za-z]+|[A-Za-z])\Z")
_NARROW = 60  # a longer numerator or denominator reads better beside a slash


def to_latex(expr: Expr, shape_of: ShapeOf) -> str:
    r"""The formula in LaTeX, without dollar signs.

    `shape_of` gives the full shape of any part: () a number, (n, 1) a column, (n, m) a matrix. A power of the entries
    of a square matrix is written X^{\odot 2}; the value of a comparison stands in Iverson's brackets.

    >>> from whence.read.parser import parse_expression
    >>> print(to_latex(parse_expression("W2.T @ dZ2 * g1_prime(Z1)"), lambda part: ("n", "m")))
    W_2^{\top} \mathrm{d}Z_2 \odot g_1'(Z_1)
    """
    return Latex(shape_of).text(expr)


def latex_name(name: str) -> str:
    r"""A name in LaTeX: the layer as a subscript, the d of a gradient upright, Greek letters and hats.

    >>> print(latex_name("W1"), latex_name("dZ2"), latex_name("lam"), latex_name("y_hat"), latex_name("W_ax"))
    W_1 \mathrm{d}Z_2 \lambda \hat{y} W_{ax}
    """
    if name.startswith("δ") and len(name) > 1:
        return r"\delta " + latex_name(name[1:])
    quotient = _QUOTIENT.match(name)
    if quotient is not None:
        return _derivative(*quotient.groups())
    found = _NAME.match(name)
    if found is None:
        return rf"\mathit{{{_escaped(name)}}}"
    word, layer, labels, bar, entry = found.groups()
    accent = next((sign for suffix, sign in _ACCENTS.items() if labels.endswith(suffix)), "")
    if accent:
        labels = labels[: labels.rindex("_")]
    d, base = _base(word)
    if accent:
        base = f"{accent}{{{base}}}"
    subscripts = [s for s in (layer, *labels.split("_")) if s]
    lowered = ",".join(_label(s) for s in subscripts)
    if entry:
        lowered += (";" if lowered else "") + "".join(_DIGITS[c] for c in entry)
    tail = _UNDERSCORE if bar else ""
    return d + base + _subscript(lowered) + tail


def _derivative(order: str, above: str, below: str) -> str:
    """∂A1/∂W1 as a fraction."""
    power = f"^{{{_ORDERS[order]}}}" if order else ""
    under = " ".join(rf"\partial {latex_name(name)}" for name in below.replace(" ", "").split("∂") if name)
    return rf"\frac{{\partial{power} {latex_name(above)}}}{{{under}}}"


def vec_derivative(of: str, wrt: Sequence[str]) -> str:
    r"""The left side of a derivative in the layout vec.

    >>> vec_derivative("F", ["X"])
    '\\frac{\\partial \\operatorname{vec}(F)}{\\partial \\operatorname{vec}(X)^{\\top}}'
    """
    value = latex_name(of)
    for name in wrt[:-1]:
        value = rf"\partial {value}/\partial {latex_name(name)}"
    below = latex_name(wrt[-1])
    return rf"\frac{{\partial \operatorname{{vec}}({value})}}{{\partial \operatorname{{vec}}({below})^{{\top}}}}"


def _base(word: str) -> tuple[str, str]:
    """The upright d of a gradient, where there is one, and the letter."""
    if word in _GREEK or len(word) == 1:
        return "", _GREEK.get(word, word)
    rest = word[1:]
    if word[0] == "d" and (rest[0].isupper() or len(rest) == 1 or rest in _GREEK or rest in _COSTS):
        inner, base = _base(rest)
        return r"\mathrm{d}" + inner, base
    return "", rf"\mathit{{{word}}}"


def _label(text: str) -> str:
    return text if len(text) < 3 or not text.isalpha() else rf"\mathrm{{{text}}}"


def _subscript(text: str) -> str:
    if not text:
        return ""
    return f"_{text}" if len(text) == 1 else f"_{{{text}}}"


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() else _UNDERSCORE if c == "_" else rf"\text{{{c}}}" for c in text)


class Latex(Textbook):
    plus_signs = {"+": "+", "-": "-", "<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
    elementwise_sign = r"\odot"

    def name(self, text: str) -> str:
        return latex_name(text)

    def number(self, text: str) -> Piece:
        above, _, below = text.partition("/")
        if below:
            sign = "-" if above.startswith("-") else ""
            fraction = rf"{sign}\frac{{{above.lstrip('-')}}}{{{below}}}"
            return Piece(fraction, Level.MINUS if sign else Level.RAISED)
        mantissa, e, exponent = text.lower().partition("e")
        if e:
            power = f"10^{{{int(exponent)}}}"
            return Piece(power, Level.RAISED) if mantissa == "1" else Piece(rf"{mantissa} \cdot {power}", Level.PRODUCT)
        return Piece(text, Level.MINUS if text.startswith("-") else Level.ATOM)

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)" if _TALL.search(text) else f"({text})"

    def touches(self, left: str, right: str) -> bool:
        if right[0].isdigit() or right[0] == ".":
            return True
        last = _LAST_SIGN.search(left)
        return right.startswith(("(", r"\left(")) and last is not None and last.group() in _heads(len(TABLE))

    def dotted(self, left: Piece, right: Piece) -> Piece:
        return Piece(rf"{self.at(Level.PRODUCT, left)} \cdot {self.after(Level.RAISED, right)}", Level.PRODUCT)

    def quotient(self, left: Piece, right: Piece, by_number: bool) -> Piece:
        low = r"\frac" not in left.text + right.text
        if low and max(_width(left.text), _width(right.text)) <= _NARROW:
            sign = left.text.startswith("-") and left.level > Level.SUM  # the sign of all that stands above
            above = _unbracketed(left.text[1:]) if sign else left.text
            fraction = rf"\frac{{{above}}}{{{right.text}}}"
            return Piece("-" + fraction, Level.MINUS) if sign else Piece(fraction, Level.RAISED)
        above = self.at(Level.ELEMENTWISE if by_number else Level.MINUS, left)
        return Piece(f"{above} / {self.after(Level.RAISED, right)}", Level.DIVISION)

    def raised(self, base: str, exponent: Piece, elementwise: bool) -> str:
        sign = r"\odot " if elementwise else ""
        return f"{base}^{{{sign}{exponent.text}}}"

    def transposed(self, base: str) -> str:
        return base + r"^{\top}"

    def compared(self, text: str) -> Piece:
        return Piece(rf"\left[{text}\right]" if _TALL.search(text) else f"[{text}]", Level.ATOM)

    def indexed(self, base: str, places: Sequence[str], node: Index) -> Piece:
        named = all(isinstance(p, Name) or (isinstance(p, Range) and p == Range()) for p in node.places)
        if named and isinstance(node.operand, Name) and "_" not in base and not self.clear:
            return Piece(f"{base}_{{{', '.join(places)}}}", Level.ATOM)
        return Piece(f"{base}[{', '.join(places)}]", Level.ATOM)

    def letters(self, text: str) -> str:
        operands, _, result = text.partition("->")
        return rf"\text{{{operands}}}\to\text{{{result}}}"

    def axis(self, text: str) -> str:
        return rf"\text{{axis }}{text}"

    def template_text(self, op: Op, axis: str) -> str:
        text = op.latex
        if not axis:
            return text.replace("_{{axis}}", "").replace(", {axis}", "")
        return text if "{axis}" in text else text.replace(r"\left(", r"_{{axis}}\left(", 1)

    def between(self, parameter: Parameter) -> str:
        return r" \times " if parameter.kind == "size" else ", "

    def function(self, word: str, primes: int) -> str:
        shown = latex_name(word)
        if shown.startswith(r"\mathit"):
            shown = rf"\operatorname{{{_escaped(word)}}}"
        return self.primed(shown, primes)

    def primed(self, head: str, primes: int) -> str:
        return head + "'" * primes if head else ""

    def filled(self, template: Template, filling: dict[str, Piece]) -> str:
        flat = not any(_TALL.search(filling[p.name].text) for p in template.parts if isinstance(p, Slot))
        out = ""
        for part in template.parts:
            if isinstance(part, str):
                out += part.replace(r"\left(", "(").replace(r"\right)", ")") if flat else part
                continue
            piece = filling[part.name]
            if part.level == Level.COMPARE:
                out += piece.text
            else:
                out += self.at(part.level, piece) if part.first else self.after(part.level, piece)
        return out

    def _from_template(self, template: Template, filling: dict[str, Piece]) -> Piece:
        front, slot = template.parts[0], template.parts[-1]
        if not (template.prefix and isinstance(front, str) and front.startswith(_BIG) and isinstance(slot, Slot)):
            return super()._from_template(template, filling)
        operator = self.filled(Template(template.parts[:-1], Level.LOOSE), filling).rstrip()
        return Piece(f"{operator} {self.after(Level.PRODUCT, filling[slot.name])}", Level.LOOSE)


@lru_cache(maxsize=4)
def _heads(count: int) -> frozenset[str]:  # the table grows when a package registers functions
    """What the table writes before a bracket, such as the σ of a function: a factor σ takes a dot there."""
    return frozenset(op.latex.partition(r"\left(")[0] for op in TABLE.values())


def _unbracketed(text: str) -> str:
    """Without brackets that enclose the whole, which the fraction's line replaces."""
    left, right = (r"\left(", r"\right)") if text.startswith(r"\left(") else ("(", ")")
    inner = text[len(left) : -len(right)]
    if not (text.startswith(left) and text.endswith(right)):
        return text
    depth = 0
    for sign in re.findall(r"[()]", inner):
        depth += 1 if sign == "(" else -1
        if depth < 0:
            return text
    return inner


def _width(text: str) -> int:
    """About how many signs are seen."""
    return len(re.sub(r"\\[A-Za-z]+|[{}^_ ]", lambda m: "x" if m.group()[0] == "\\" else "", text))
