"""The lines of a text as a person typed it: noise left out, equations split at their sign, names and formulas read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from whence.messages.errors import LimitError, ReadError, WhenceError
from whence.read.canonical import to_text
from whence.read.context import Context
from whence.read.dialects import LECTURE, Dialect
from whence.read.implied import UNKNOWN, with_sizes
from whence.read.indexed import has_indices, in_matrices
from whence.read.letters import fold
from whence.read.lexer import LINE_LIMIT, Token, tokens_of
from whence.read.names import INDICES
from whence.read.places import error_at
from whence.read.syntax import Binary, Call, Expr, Index, Name, Number
from whence.read.tex import tex_tokens
from whence.read.typed import Typed
from whence.read.vocabulary import known_function
from whence.read.walk import check_star, names_of, walk

Segment = tuple[str, int, int]  # a statement's text, its line, and how many characters stand before it

LINES_LIMIT = 1_000
_AUGMENTED = {"+=": "+", "-=": "-", "*=": "*", "/=": "/"}
_ASSIGN = ("=", ":=", "==", *_AUGMENTED)
_NABLA = "Delta_"  # Δ_x, typed for ∇_x


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was read: `target = expression`, `target(parameter) = …`, an identity `left == …`, or a formula."""

    target: str
    parameter: str  # of a function that the line defines
    left: Expr | None
    expression: Expr
    place: Token  # of the target
    text: str
    second: Token | None = None  # the second sign of a chain of equal sides

    def canonical(self) -> str:
        """The line in the canonical language; == marks an identity and the rule of a function.

        >>> from whence.read.reading import read_typed
        >>> read_typed("swish(z) = z σ(z)").lines[0].canonical()
        'swish(z) == z @ sigmoid(z)'
        """
        formula = to_text(self.expression)
        if self.left is not None:
            return f"{to_text(self.left)} == {formula}"
        if self.parameter:
            return f"{self.target}({self.parameter}) == {formula}"
        return f"{self.target} = {formula}" if self.target else formula


# -- which lines hold formulas

_PROMPT = re.compile(r"\s*(?:>>> |\.\.\. |In \[\d*\]:|-+> ?\d*|return (?=\S))")
_FULL_STOP = re.compile(r"[.,](?=\s*(?:\\\]|\$+)\s*\Z)")  # of the sentence that a displayed formula ends
_NUMBERED = re.compile(r"\s*\d+\s+(?=[A-Za-z_]\w*\s*=)")  # of the lines round the faulty one
_ARROW = re.compile(r"\s*--+> ?\d*")
_ERROR = re.compile(r"\s*\w*Error\b")
_NO_FORMULA = re.compile(
    r"\s*(?:\w*Error\b.*|Traceback .*|File \".*|(?:>>> )?[\w.]+\.shape\s*|\[?\w+\.shape.*|\(\d+,.*\)|[~^\s]+)\Z"
)
_WORDS = re.compile(r"\)\.\s+((?:sum|averag|over|along)\w* (?:over|along|the|each).*)\Z", re.IGNORECASE)
_REMARK = re.compile(
    r"(?<!\s)\s{3,}\([^()]*\).*→.*\Z|\(\d+<=\w<=\w+\)\s*\Z|↩︎?|\.\s+[A-Za-z][a-z]+ (?:over|is|of|the)\b.*\Z"
)
_BREAK_OR_BRACKET = re.compile(r"\\\\|[;()\[\]{}]")
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def segments_of(text: str, dialect: Dialect) -> list[Segment]:
    """The statements of a text, without comments, prompts, tracebacks and remarks. Raises LimitError beyond the caps.

    >>> from whence.read.dialects import CODE
    >>> segments_of(">>> Z = W @ X  # forward", CODE)
    [('    Z = W @ X', 1, 0)]
    """
    lines = lines_of(text)
    arrowed = any(_ARROW.match(line) for line in lines)
    quoted = arrowed or ">>>" in text or "In [" in text or any(_ERROR.match(line) for line in lines)
    out: list[Segment] = []
    for number, line in enumerate(lines, start=1):
        if (arrowed and not _ARROW.match(line)) or (quoted and _NO_FORMULA.match(line)):
            continue
        bare = dialect.comment.sub("", line)
        said = _WORDS.search(bare)
        if said is not None:
            found, column = said.group(1).strip(), said.start(1) + 1
            raise ReadError("words-after-formula", line=number, column=column, end=said.end() + 1, found=found)
        bare = _FULL_STOP.sub(" ", _REMARK.sub("", bare).replace("`", " "))
        for pattern in (_PROMPT, _NUMBERED) if quoted else (_PROMPT,):
            bare = pattern.sub(lambda found: " " * len(found.group()), bare, count=1) if pattern.match(bare) else bare
        out += _statements(bare, number)
    return out


def lines_of(text: str) -> list[str]:
    """The lines of a text. Raises LimitError for too many, and for one that is too long."""
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > LINES_LIMIT:
        raise LimitError("too-many-lines", line=LINES_LIMIT + 1, column=1, limit=LINES_LIMIT)
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LIMIT:
            found = f"{len(line):,} characters"
            raise LimitError("line-too-long", line=number, column=1, found=found, limit=LINE_LIMIT)
    return lines


def _statements(text: str, number: int) -> list[Segment]:
    """The statements of a line: a semicolon in no bracket, or LaTeX's line break, stands between two."""
    out: list[Segment] = []
    depth = start = 0
    for found in [*_BREAK_OR_BRACKET.finditer(text), None]:
        sign = found.group() if found else ""
        depth += (sign in _OPENING) - (sign in _CLOSING)
        if found is not None and (sign in _OPENING or sign in _CLOSING or (sign == ";" and depth > 0)):
            continue
        kept = text[start : found.start() if found else len(text)]
        trimmed = kept.rstrip() if re.search(r"\d\.\s*\Z", kept) else kept.rstrip(" \t.,")
        if trimmed.strip(" \t&$"):
            out.append((trimmed, number, start))
        start = found.end() if found else start
    return out


def lex(text: str, dialect: Dialect, line: int, offset: int = 0) -> list[Token]:
    """The tokens of a statement as typed."""
    if "\\" in text and not dialect.divides_left:
        return tex_tokens(text, line, offset)
    if dialect.commands:
        text = text.replace("$", " ").replace("&", " ")
    return tokens_of(text, line, offset)


# -- reading them


def read_lines(segments: list[Segment], context: Context) -> tuple[list[Line], Context]:
    """The lines, and the context with what was found out. Where * is the only product, the shapes decide what it is.

    Raises ReadError with a place, also `ambiguous-star` where nothing decides.
    """
    twice = context.dialect.star == "either" and any("*" in text for text, _, _ in segments)
    trial = context.copy() if twice else context
    trial.layered = _layers_above(segments, context)
    lines = _read_all(segments, trial)
    if twice and trial.star is not None and not trial.matrix_product:
        layered, trial = trial.layered, context.copy()
        trial.layered, trial.soft_star = layered, True
        lines = _read_all(segments, trial)
    check_star(trial)
    return lines, trial


def _read_all(segments: list[Segment], context: Context) -> list[Line]:
    read: list[Line] = []
    for text, number, offset in segments:
        for tokens in _equations(lex(text, context.dialect, number, offset)):
            line = _line(tokens, context, text.strip())
            if line is not None:
                read.append(line)
    return read


def formula(tokens: list[Token], context: Context) -> Expr:
    """The formula that tokens state, in matrices, with every size."""
    parser = Typed(tokens, context)
    expr = parser.whole()
    if has_indices(expr):
        expr = in_matrices(expr, None, parser.shapes)
    return _finished(expr, parser)


def _finished(expr: Expr, parser: Typed, shape: tuple[int | str, ...] | None = None) -> Expr:
    """The formula with the sizes of its ones and identities. Raises ReadError `ones-without-size`."""
    expr = with_sizes(expr, parser.shapes, shape)
    for node in walk(expr):
        if isinstance(node, Name) and node.id == UNKNOWN:
            span = node.span
            raise ReadError("ones-without-size", line=span.line, column=span.column, end=span.end)
    return expr


def _layers_above(segments: list[Segment], context: Context) -> bool:
    """Is a number above a letter a layer somewhere: a⁴ where a4 is declared and a is not?"""
    digits = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    for text, _, _ in segments:
        if not any(sign in text for sign in digits):
            continue
        for word, above in re.findall(rf"([^\W\d]\w{{0,40}}?)([{digits}]+)", text):
            try:
                name = fold(word, 1, 1)
            except WhenceError:
                continue
            layered = name + "".join(str(digits.index(c)) for c in above)
            if layered in context.names and name not in context.names:
                return True
    return False


def _equations(tokens: list[Token]) -> list[list[Token]]:
    """The equations of a line; a PDF puts two on one line and the hat before its letter, `h = … ^y = …`."""
    for k in range(4, len(tokens) - 2):
        if tokens[k].text == "=" and tokens[k - 2].text == "^" and tokens[k - 2].blank and tokens[k - 1].kind == "word":
            hat = tokens[k - 1]._replace(text=tokens[k - 1].text + "\u0302")
            end = tokens[-1]._replace(column=tokens[k - 2].column, end=tokens[k - 2].column + 1)
            return [[*tokens[: k - 2], end], [hat, *tokens[k:]]]
    return [tokens]


def signs_of(tokens: list[Token]) -> list[int]:
    """Where the signs of assignment stand that are in no bracket."""
    out, depth = [], 0
    for k, token in enumerate(tokens):
        if token.kind != "op":
            continue
        if token.text in ("(", "[", "{", "⟨"):
            depth += 1
        elif token.text in (")", "]", "}", "⟩"):
            depth -= 1
        elif depth <= 0 and token.text in _ASSIGN:
            out.append(k)
    return out


def _line(tokens: list[Token], context: Context, text: str) -> Line | None:
    if tokens[0].kind == "end":
        return None
    equals = signs_of(tokens)
    if not equals:
        return Line("", "", None, formula(tokens, context), tokens[0], text)
    _check_signs(tokens, equals, context)
    first, last = equals[0], equals[-1]
    target, parameter, left = _target(tokens[:first], tokens[first], context)
    context.names.update({parameter} - {""})
    parser = Typed(tokens[last + 1 :], context)
    expr = parser.whole()
    context.names.discard(parameter)
    if has_indices(expr):
        target, wanted = _without_indices(target, context)
        expr = in_matrices(expr, wanted, parser.shapes)
    if tokens[first].text in _AUGMENTED:
        expr = Binary(_AUGMENTED[tokens[first].text], Name(target, expr.span), expr, expr.span)
    expr = _finished(expr, parser, context.shapes.get(target))
    if parameter:
        context.functions.add(target)
        context.rules.add(target)
    elif left is None:
        _known(target, expr, parser, context)
    second = tokens[equals[1]] if len(equals) > 1 else None
    if second is not None:
        context.note("Of a chain of equal sides the first and the last are read.")
    return Line(target, parameter, left, expr, tokens[0], text, second)


def _check_signs(tokens: list[Token], equals: list[int], context: Context) -> None:
    """ReadError where the sides of a line are not what they can be."""
    first, last = equals[0], equals[-1]
    plain = all(token.kind == "word" or token.text == "=" for token in tokens[:last])
    if len(equals) > 1 and (plain or not context.dialect.equations):
        raise error_at("two-equals", tokens[equals[1]])
    for before, token in zip(tokens, tokens[1:], strict=False):
        if token.text == "," and before.text in ("(", "=", ":="):
            raise error_at("missing-operand", token, side="left")
    if tokens[first].text == "==":
        raise error_at("compare-as-statement", tokens[first])
    if tokens[last + 1].kind == "end":
        raise error_at("missing-operand", tokens[last], side="right")
    if first == 0:
        raise error_at("missing-operand", tokens[first], side="left")


def _without_indices(target: str, context: Context) -> tuple[str, tuple[str, ...] | None]:
    """The left side's name without the letters that are indices, and those."""
    name, bar, letters = target.rpartition("_")
    if not bar or target in context.names or not re.fullmatch(INDICES, letters):
        return target, None if target else ()
    return name, tuple(letters)


def _known(target: str, expression: Expr, parser: Typed, context: Context) -> None:
    """What later lines may know of a line: its name, its shape, its formula."""
    shape = parser.shapes.of(expression)
    context.names.add(target)
    if shape is not None:
        context.shapes.setdefault(target, shape)
    if shape == () or context.is_number(expression):
        context.scalars.add(target)
    context.definitions.setdefault(target, expression)


def name_of(text: str, line: int, offset: int) -> str:
    """The name that a text is, which may be typed with its layer, `W^[1]`; "" where it is none."""
    context = Context(LECTURE)
    parser = Typed(lex(text, LECTURE, line, offset), context)
    parser.whole_words = True
    expr = parser.whole()
    return expr.id if isinstance(expr, Name) else ""


# -- the left side


def _target(left: list[Token], sign: Token, context: Context) -> tuple[str, str, Expr | None]:
    """The name that a line defines, the parameter of a function it defines; or the left side of an identity."""
    end = Token("end", "", sign.line, sign.column, sign.column + 1, sign.blank)
    if left[0].kind == "number":
        raise error_at("bad-target", left[0])
    if left[-1].text == "]" and any(t.text in (",", ":") for t in left):
        raise error_at("bad-target", left[1])
    declared = {*context.names, *context.functions}
    if len(left) == 1 and left[0].text in context.functions:
        return left[0].text, "", None
    if len(left) == 1 and left[0].text not in declared and known_function(left[0].text) is not None:
        raise error_at("reserved-name", left[0])
    with_brackets = _with_parameters(left, end, context)
    if with_brackets is not None:
        return (*with_brackets, None)
    parser = Typed([*left, end], context)
    parser.whole_words = True
    expr = parser.whole()
    if isinstance(expr, Name):
        change_of = expr.id.removeprefix(_NABLA)
        gradient = change_of != expr.id and expr.id not in context.names and change_of in context.names
        return "d" + change_of if gradient else expr.id, "", None
    if isinstance(expr, Index):
        raise error_at("bad-target", left[min(1, len(left) - 1)])
    squared = _assigned_square(expr, context)
    return (squared, "", None) if squared else ("", "", _identity(left, end, context))


def _identity(left: list[Token], end: Token, context: Context) -> Expr:
    """The left side of an identity: a formula of what is declared, or the derivative of a function."""
    expr = Typed([*left, end], context).whole()
    unknown = any(name not in context.names | context.scalars for name, _ in names_of(expr))
    rule = isinstance(expr, Call) and len(expr.arguments) == 1
    if not context.dialect.equations or (unknown and not rule):
        raise error_at("bad-target", left[0])
    return expr


def _assigned_square(expr: Expr, context: Context) -> str:
    """`σ² = …`: a power of one letter that is assigned is one name, sigma2."""
    if not isinstance(expr, Binary) or expr.operator != "**":
        return ""
    base, power = expr.left, expr.right
    if not isinstance(base, Name) or not isinstance(power, Number) or base.id in context.names:
        return ""
    context.layered = True
    return f"{base.id}{power.text}" if power.text.isdigit() else ""


def _with_parameters(left: list[Token], end: Token, context: Context) -> tuple[str, str] | None:
    """`J(w) =`, `f(X) :=`, `d f(X) =` name a quantity; `swish(z) =` defines a function. None for anything else."""
    at = next((k for k, token in enumerate(left) if token.text == "("), 0)
    if left[-1].text != ")" or left[0].kind != "word" or not at or any(t.kind == "prime" for t in left[:at]):
        return None
    inside = left[at + 1 : -1]
    signs = (",", "^", "_", "[", "]", "{", "}")
    if not inside or any(t.kind not in ("word", "sub", "number") and t.text not in signs for t in inside):
        return None
    if at == 2 and left[0].text == "d" and len(inside) == 1:
        return "d" + inside[0].text, ""
    own = left[0].text in context.rules
    if not own and (left[0].text in context.functions or known_function(left[0].text) is not None):
        return None
    if own and len(inside) == 1:
        return left[0].text, inside[0].text
    head = Typed([*left[:at], end], context)
    head.whole_words = True
    name = head.whole()
    if not isinstance(name, Name):
        return None
    words = [fold(t.text, t.line, t.column) for t in inside if t.kind == "word"]
    known = any(word in context.names or word in context.scalars for word in words)
    if len(inside) == 1 and len(words) == 1 and name.id[0].islower() and not known:
        return name.id, words[0]
    context.note(f"{name.id}({', '.join(words)}) is read as the quantity {name.id}.")
    return name.id, ""
