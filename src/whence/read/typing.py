"""A text as a person typed it to formulas: its dialect, its lines, their targets, in the canonical language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whence.messages.errors import ReadError, WhenceError
from whence.read.canonical import to_text
from whence.read.context import Context, make_context
from whence.read.declarations import shape_from_data, symbols_of
from whence.read.dialects import LECTURE
from whence.read.implied import UNKNOWN, with_sizes
from whence.read.indexed import has_indices, in_matrices
from whence.read.lexer import LINE_LIMIT, Token, tokens_of
from whence.read.places import error_at
from whence.read.syntax import Binary, Expr, Index, Name, Number, Shape
from whence.read.tex import tex_tokens
from whence.read.typed import Typed
from whence.read.walk import check_star, names_of, walk

_LATEX = re.compile(r"\\(?:[A-Za-z]{2,}|[\[\]({*_|])|\$|[\^_]\{")
_CODE = re.compile(
    r"(?<![\w.])(?:np|numpy|torch|th|jnp|F|tf|self)\.[A-Za-z]|::|\*\*|@|\.(?:dot|mm|t|sum|mean|transpose|matmul|pow|max)\("
    r"|keepdims?\b|\w\[[\"']"
)
_COURSE = re.compile(r"\^?\[\w+\]|[⊙∘·ᵀ⊤∂∇]|'\s*\(|’")
_OCTAVE = re.compile(
    r"[\w)\]]\\[\w(]|(?<!\d)\.[*/]|\.\^|\.'|(?<=[\w)\]])['’]\s*\*|(?<=[\w)\]])['’][A-Za-z(]|\*\s*\w+['’](?!\s*\()|;\s*(?:%.*)?$"
)
_AUGMENTED = {"+=": "+", "-=": "-", "*=": "*", "/=": "/"}
_ASSIGN = ("=", ":=", "==", *_AUGMENTED)


@dataclass(frozen=True)
class Line:
    """One line that was read: what it names (or the left side of an identity), and its formula."""

    target: str
    left: Expr | None
    expression: Expr
    number: int

    def canonical(self) -> str:
        if self.left is not None:
            return f"{to_text(self.left)} == {to_text(self.expression)}"
        return f"{self.target} = {to_text(self.expression)}" if self.target else to_text(self.expression)


@dataclass(frozen=True)
class Reading:
    """How a text was read: its dialect, its lines, and what had to be decided."""

    style: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def read_typed(text: str, context: Mapping[str, Any] | None = None, dialect: str | None = None) -> Reading:
    """The formulas of a text as a person typed it; `context` declares variables, functions and definitions.

    Raises ReadError with the place of what cannot be read, LimitError beyond the caps.

    >>> read_typed("dZ^[1] = W^[2]T dZ^[2] * g'(Z^[1])").lines[0].canonical()
    'dZ1 = W2.T @ dZ2 * g_prime(Z1)'
    """
    try:
        if len(text) > 20 * LINE_LIMIT:
            raise ReadError("line-too-long", line=1, column=1, found=f"{len(text):,} characters", limit=LINE_LIMIT)
        style = dialect or style_of(text)
        lines = clean(text, style)
        reading = _attempt(style, lines, context or {}, star_soft=False)
        if reading is None:
            reading = _attempt(style, lines, context or {}, star_soft=True)
        assert reading is not None
    except WhenceError as error:
        error.source = error.source or text
        raise
    return reading


def style_of(text: str) -> str:
    """latex, code, octave or lecture, by the signs in the text."""
    bare = re.sub(r"(?m)^\s*#.*$", "", text)
    if _LATEX.search(bare):
        return "latex"
    if _CODE.search(bare):
        return "code"
    if _OCTAVE.search(bare.strip()) and not re.search(r"[\^][\[]|\w\[\d\]", bare):
        return "octave"
    return "lecture"


def _attempt(
    style: str, lines: list[tuple[str, int, int]], given: Mapping[str, Any], *, star_soft: bool
) -> Reading | None:
    """Read all lines; None where * has to be read again as a product that may be one of matrices."""
    context = _context(style, given)
    context.star_soft = star_soft
    context.layered = _layers_above(lines, context)
    read: list[Line] = []
    for text, number, offset in lines:
        for tokens in _equations(lex_typed(style, text, number, offset)):
            line = line_typed(tokens, context, style, number)
            if line is not None:
                read.append(line)
    if not read:
        raise ReadError("empty-formula", line=1, column=1)
    if not star_soft and style in ("lecture", "latex") and context.star is not None and not context.matrix_product:
        return None
    if star_soft:
        check_star(context)
    return Reading(style, tuple(read), tuple(context.notes))


def _context(style: str, given: Mapping[str, Any]) -> Context:
    context = make_context(LECTURE, functions=given.get("functions") or (), closed=bool(given.get("functions")))
    for name, sizes in (given.get("variables") or {}).items():
        whole = [int(s) if isinstance(s, str) and s.isdigit() else s for s in sizes]
        declare(context, name, shape_from_data(whole, name))
    for text in given.get("definitions") or ():
        _define(context, text)
    return context


def declare(context: Context, name: str, shape: Shape) -> None:
    context.names.add(name)
    context.shapes[name] = shape
    context.scalars.update(symbols_of(shape))
    for symbol in symbols_of(shape):
        context.shapes.setdefault(symbol, ())
    if shape in ((), (1, 1)):
        context.scalars.add(name)


def _define(context: Context, text: str) -> None:
    """A definition that comes with the text; one that cannot be read (a tuple) is left to the formulas that use it."""
    from whence.read.parser import parse_expression

    name, _, body = text.partition("=")
    unpacked = re.fullmatch(r"\s*\(([\w, ]+)\)\s*", body)
    if unpacked:
        for k, item in enumerate(unpacked.group(1).split(",")):
            context.definitions[f"{name.strip()}[{k}]"] = Name(item.strip())
        return
    context.definitions[name.strip()] = parse_expression(body, dialect="canonical", functions=context.functions or ())
    context.names.add(name.strip())


def _layers_above(lines: list[tuple[str, int, int]], context: Context) -> bool:
    """Is a number above a letter a layer somewhere: a⁴ where a4 is declared and a is not?"""
    digits = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    for text, _, _ in lines:
        if not any(sign in text for sign in digits):
            continue
        for word, above in re.findall(rf"(\w+?)([{digits}]+)", text):
            from whence.read.letters import fold

            try:
                name = fold(word, 1, 1) + "".join(str(digits.index(c)) for c in above)
            except WhenceError:
                continue
            if name in context.names and fold(word, 1, 1) not in context.names:
                return True
    return False


# -- lines

_PROMPT = re.compile(r"^\s*(?:>>> |\.\.\. |In \[\d*\]:|-+> ?\d*|\d+\s{1,}(?=[A-Za-z_]\w*\s*=))")
_COMMENT = {
    "code": re.compile(r"#.*|(?<!:)//.*"),
    "octave": re.compile(r"%.*"),
    "lecture": re.compile(r"(?<!\w)#.*|%.*|//.*"),
    "latex": re.compile(r"(?<!\\)%.*"),
}
_MESSAGE = re.compile(
    r"^\s*(?:\w*Error\b.*|Traceback .*|File \".*|(?:>>> )?[\w.]+\.shape\s*|\[?\w+\.shape.*|\(\d+,.*\)|[~^\s]+)$"
)
_WORDS = re.compile(r"\)\.\s+((?:sum|summ|averag|over|along)\w* (?:over|along|the|each).*)$", re.IGNORECASE)
_REMARK = re.compile(r"\s{3,}\(.*→.*$|\(\d+<=\w<=\w+\)\s*$|↩︎?|\.\s+[A-Za-z][a-z]+ (?:over|is|of|the)\b.*$")


def clean(text: str, style: str) -> list[tuple[str, int, int]]:
    """The lines that hold formulas, noise blanked out, with their numbers and offsets."""
    lines = text.replace("\r\n", "\n").split("\n")
    arrowed = [
        k for k, line in enumerate(lines) if re.match(r"\s*-+> ?\d*", line) and not line.strip().startswith("->")
    ]
    traceback = any(re.match(r"\s*\w*Error\b", line) for line in lines)
    out: list[tuple[str, int, int]] = []
    for k, line in enumerate(lines):
        if len(line) > LINE_LIMIT:
            raise ReadError("line-too-long", line=k + 1, column=1, found=f"{len(line):,} characters", limit=LINE_LIMIT)
        if arrowed and k not in arrowed:
            continue
        if (traceback or ">>>" in text or "In [" in text) and _MESSAGE.match(line):
            continue
        bare = _COMMENT.get(style, _COMMENT["lecture"]).sub("", line)
        said = _WORDS.search(bare)
        if said is not None:
            found, column = said.group(1).strip(), said.start(1) + 1
            raise ReadError("words-after-formula", line=k + 1, column=column, end=said.end() + 1, found=found)
        bare = _REMARK.sub("", bare).replace("`", " ")
        bare = _blanked(bare, _PROMPT)
        parts = _parts(bare)
        offset = 0
        for part in parts:
            if part not in ("\\\\", ";") and part.strip(" .,;&$"):
                kept = re.sub(r"[\s.,;]+$", "", part) if not re.search(r"\d\.$", part.strip()) else part
                out.append((kept, k + 1, offset))
            offset += len(part)
    if not out:
        first = next((k for k, line in enumerate(lines) if line.strip()), 0)
        raise ReadError("empty-formula", line=first + 1, column=1)
    return out


def _parts(text: str) -> list[str]:
    """The statements of a line, with what separates them: a semicolon in no bracket, LaTeX's line break."""
    parts, depth, start = list[str](), 0, 0
    k = 0
    while k < len(text):
        depth += (text[k] in "([{") - (text[k] in ")]}")
        width = 2 if text[k : k + 2] == "\\\\" else 1 if text[k] == ";" and depth <= 0 else 0
        if width:
            parts += [text[start:k], text[k : k + width]]
            start = k + width
        k += max(1, width)
    return [*parts, text[start:]]


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    found = pattern.match(text)
    return " " * found.end() + text[found.end() :] if found and found.group().strip() else text


def lex_typed(style: str, text: str, line: int, offset: int) -> list[Token]:
    if "\\" in text and style != "octave":
        return tex_tokens(text, line, offset)
    if style == "latex":
        text = text.replace("$", " ").replace("&", " ")
    return tokens_of(text, line, offset)


def _equations(tokens: list[Token]) -> list[list[Token]]:
    """The equations of a line; a PDF puts two on one line, `h = … ^y = …`."""
    for k in range(4, len(tokens) - 2):
        if tokens[k].text == "=" and tokens[k - 2].text == "^" and tokens[k - 2].blank and tokens[k - 1].kind == "word":
            hat = tokens[k - 1]._replace(text=tokens[k - 1].text + "\u0302")
            end = tokens[-1]._replace(column=tokens[k - 2].column, end=tokens[k - 2].column)
            return [[*tokens[: k - 2], end], [hat, *tokens[k:]]]
    return [tokens]


def _outside(tokens: list[Token]) -> list[int]:
    out, depth = [], 0
    for k, token in enumerate(tokens):
        if token.kind == "op" and token.text in "([{⟨" and token.text:
            depth += 1
        elif token.kind == "op" and token.text in ")]}⟩" and token.text:
            depth -= 1
        elif depth <= 0 and token.kind == "op" and token.text in _ASSIGN:
            out.append(k)
    return out


def line_typed(tokens: list[Token], context: Context, style: str, number: int) -> Line | None:
    if tokens[0].kind == "end":
        return None
    equals = _outside(tokens)
    if not equals:
        parser = Typed(tokens, context, style)
        expression = parser.whole()
        if has_indices(expression):
            expression = in_matrices(expression, None, parser.shapes)
        return Line("", None, sized(with_sizes(expression, parser.shapes)), number)
    plain = len(equals) > 1 and all(t.kind == "word" or t.text == "=" for t in tokens[: equals[-1]])
    if len(equals) > 1 and (style == "code" or plain):
        raise error_at("two-equals", tokens[equals[1]])
    for before, token in zip(tokens, tokens[1:], strict=False):
        if token.text == "," and before.text in ("(", "=", ":="):
            raise error_at("missing-operand", token, side="left")
    first, last = equals[0], equals[-1]
    sign = tokens[first]
    if sign.text == "==":
        raise error_at("compare-as-statement", sign)
    if tokens[last + 1].kind == "end":
        raise error_at("missing-operand", tokens[last], side="right")
    if first == 0:
        raise error_at("missing-operand", sign, side="left")
    target, left = _target(tokens[:first], sign, context, style)
    parser = Typed(tokens[last + 1 :], context, style)
    expression = parser.whole()
    if has_indices(expression):
        target, wanted = _without_indices(target, context)
        expression = in_matrices(expression, wanted, parser.shapes)
    if sign.text in _AUGMENTED:
        expression = Binary(_AUGMENTED[sign.text], Name(target), expression, expression.span)
    expression = sized(with_sizes(expression, parser.shapes, context.shapes.get(target)))
    if left is None:
        _known(target, expression, parser, context)
    return Line(target, left, expression, number)


def sized(expr: Expr) -> Expr:
    """The formula, where every vector of ones has a size. Raises ReadError `ones-without-size`."""
    for node in walk(expr):
        if isinstance(node, Name) and node.id == UNKNOWN:
            span = node.span
            raise ReadError("ones-without-size", line=span.line, column=span.column, end=span.end)
    return expr


def _without_indices(target: str, context: Context) -> tuple[str, tuple[str, ...] | None]:
    """The left side's name without the letters that are indices, and those."""
    name, bar, letters = target.rpartition("_")
    if not bar or target in context.names or not re.fullmatch("[a-z]{1,2}", letters):
        return target, None if target else ()
    return name, tuple(letters)


def _known(target: str, expression: Expr, parser: Typed, context: Context) -> None:
    """What later lines may know of a line: its name, its shape, its formula."""
    shape = parser.shapes.of(expression)
    context.names.add(target)
    if shape is not None and target not in context.shapes:
        context.shapes[target] = shape
    if shape == () or (shape is None and context.is_number(expression)):
        context.scalars.add(target)
    context.definitions.setdefault(target, expression)


def _target(left: list[Token], sign: Token, context: Context, style: str) -> tuple[str, Expr | None]:
    """The name that a line defines, or the left side of an identity."""
    end = Token("end", "", sign.line, sign.column, sign.column, sign.blank)
    if left[0].kind == "number":
        raise error_at("bad-target", left[0])
    if left[-1].text == "]" and any(t.text in (",", ":") for t in left):
        raise error_at("bad-target", left[1])
    if len(left) == 1 and left[0].kind == "word" and left[0].text == "lambda" and style == "code":
        raise error_at("reserved-name", left[0])
    named = _with_parameters(left, end, context, style)
    if named:
        return named, None
    parser = Typed([*left, end], context, style)
    parser.whole_words = True
    expr = parser.whole()
    if (
        isinstance(expr, Name)
        and expr.id.startswith("Delta_")
        and expr.id not in context.names
        and expr.id[6:] in context.names
    ):
        return "d" + expr.id[6:], None
    if isinstance(expr, Name):
        return expr.id, None
    if isinstance(expr, Index):
        raise error_at("bad-target", left[min(1, len(left) - 1)])
    named = _assigned_square(expr, context)
    if named:
        return named, None
    expr = Typed([*left, end], context, style).whole()
    unknown = [n for n, _ in names_of(expr) if n not in context.names | context.scalars]
    if isinstance(expr, Binary) and expr.operator == "/" and unknown:
        raise error_at("bad-target", left[0])
    if style == "code":
        raise error_at("bad-target", left[0])
    return "", expr


def _assigned_square(expr: Expr, context: Context) -> str:
    """`σ² = …`: a power of one letter that is assigned is one name, sigma2."""
    power = (
        isinstance(expr, Binary)
        and expr.operator == "**"
        and isinstance(expr.left, Name)
        and isinstance(expr.right, Number)
    )
    if (
        not power
        or not isinstance(expr, Binary)
        or not isinstance(expr.left, Name)
        or not isinstance(expr.right, Number)
    ):
        return ""
    if expr.left.id in context.names or expr.right.value.denominator != 1:
        return ""
    context.layered = True
    return f"{expr.left.id}{int(expr.right.value)}"


def _with_parameters(left: list[Token], end: Token, context: Context, style: str) -> str:
    """`J(w) =`, `f(X) :=`, `d f(X) =`: the name alone, where it is no declared function."""
    if left[-1].text != ")" or left[0].kind != "word":
        return ""
    at = next((k for k, token in enumerate(left) if token.text == "("), 0)
    inside = left[at + 1 : -1]
    plain = all(
        t.kind in ("word", "sub") or t.text in (",", "^", "_", "[", "]", "{", "}") or t.kind == "number" for t in inside
    )
    differential = at == 2 and left[0].text == "d"
    if differential and len(inside) == 1:
        return "d" + inside[0].text
    head = Typed([*left[:at], end], context, style) if at else None
    if head is None or not plain or any(t.kind == "prime" for t in left[:at]):
        return ""
    word = left[0].text
    from whence.read.vocabulary import known_function

    if word in context.functions or known_function(word) is not None:
        return ""
    name = head.whole()
    return name.id if isinstance(name, Name) else ""
