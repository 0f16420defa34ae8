"""Formulas as people type them: slides, LaTeX, Octave and code, one grammar with positions.

What a sign means depends on the dialect, then on the shapes that are sure: a product typed without a sign of its own
is one by a number if one side is a number, else the matrix product where it fits, else entry by entry.
"""

from __future__ import annotations

from fractions import Fraction

from whence.messages.errors import LimitError, WhenceError
from whence.ops.table import in_role, structured_by
from whence.read.brackets import DEPTH_LIMIT
from whence.read.canonical import to_text
from whence.read.context import Context
from whence.read.dialects import CODE
from whence.read.fit import Shapes, broadcast, product
from whence.read.lexer import Token
from whence.read.octave import Octave
from whence.read.pieces import check_power, fold_left
from whence.read.places import error_at, join, span_of
from whence.read.scripts import superscript_items, text_of
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Span, Transpose
from whence.read.vocabulary import inverse_function, written_as
from whence.read.walk import names_of

_HALF = Binary("/", Number(Fraction(1)), Number(Fraction(2)))
_AHEAD = 4  # so many tokens are looked ahead, beyond the end too
_NORMS = {"": "‖{X}‖", "2": "‖{X}‖", "F": "‖{X}‖", "1": "‖{X}‖₁", "*": "‖{X}‖∗"}  # by what stands below
_SOFT = frozenset({"·", "⋅", "×"})
_ENTRYWISE = frozenset({"⊙", "∘", "•", ".*"})


class Typed(Octave):
    """Recursive descent; the parts about names and about code are in the classes it extends."""

    def __init__(self, tokens: list[Token], context: Context) -> None:
        super().__init__([*tokens, *[tokens[-1]] * _AHEAD], context)
        self.shapes = Shapes(context.shapes)
        self.bar = ""  # the bar that closes next, inside bars
        soft = self.dialect.star == "soft" or (self.dialect.star == "either" and context.soft_star)
        self.star = "soft" if soft else "*"

    def whole(self) -> Expr:
        try:
            return super().whole()
        except RecursionError:
            first = self.tokens[0]
            raise LimitError("too-deep", line=first.line, column=first.column, limit=DEPTH_LIMIT) from None

    # -- products

    def term(self) -> Expr:
        """Products of products, where `A : B` (the sum of all products of entries) binds weakest."""
        left = self.products()
        pairs = self.dialect.colon_pairs
        while pairs and self.tokens[self.i].text == ":" and not self.in_index and self.starts_at(self.i + 1):
            self.i += 1
            right = self.products()
            left = self.inner_product(left, right)
        return left

    def inner_product(self, left: Expr, right: Expr) -> Expr:
        span = join(left.span, right.span)
        return Call(self.total(), (Binary("*", left, right, span),), (), span)

    @staticmethod
    def total() -> str:
        """The function that adds all entries up."""
        return structured_by("sum").name

    def products(self) -> Expr:
        items, signs = [self.factor()], list[str]()
        while True:
            token = self.tokens[self.i]
            sign = self.sign_here(token)
            if sign == "kron":
                self.i += 1
                right = self.factor()
                items[-1] = Call(structured_by("kron").name, (items[-1], right), (), join(items[-1].span, right.span))
            elif sign == "left":
                self.i += 1
                items[-1] = self.solved(items[-1], self.factor())
            elif sign:
                self.i += 1
                right = self.factor()
                if sign == "/":
                    right = self.denominator(right)
                if self.permuted and sign == "*":
                    together = self.with_letters(fold_left(items, signs), right)
                    if together is not None:
                        items, signs = [together], []
                        continue
                if sign == "soft":
                    if self.dialect.star == "soft" and token.text == "*":  # in Octave all products bind alike
                        items, signs = [fold_left(items, signs)], []
                    items[-1] = self.fold_back(items, signs)
                    items[-1] = self.decided(items[-1], right, token)
                    continue
                if sign == "@":
                    self.context.matrix_product = True
                elif token.text == "*":
                    self.see_star(token, items[-1], right)
                items.append(right)
                signs.append(sign)
            elif self.starts_factor(token):
                items[-1] = self.fold_back(items, signs)
                items[-1] = self.soft_product(items[-1], self.factor())
            else:
                return fold_left(items, signs)

    def fold_back(self, items: list[Expr], signs: list[str]) -> Expr:
        """Where a product side by side follows a quotient, the quotient is taken first: `1/m dZ`."""
        start = len(signs)
        while start and signs[start - 1] == "/":
            start -= 1
        folded = fold_left(items[start:], signs[start:])
        del items[start + 1 :], signs[start:]
        return folded

    def solved(self, left: Expr, right: Expr) -> Expr:
        """Octave's `A\\b`."""
        inverse = inverse_function()
        assert inverse is not None
        span = join(left.span, right.span)
        return Binary("@", Call(inverse, (left,), (), left.span), right, span)

    def sign_here(self, token: Token) -> str:
        text = token.text
        if token.kind == "op":
            if text == "*":
                return self.star
            if text in ("@", "/"):
                return text
            if text in _ENTRYWISE:
                return "*"
            if text == "./":
                return "/"
            if text == "⊗":
                return "kron"
            if text == "\\" and self.dialect.divides_left:
                return "left"
            return "soft" if text in _SOFT or (text == "." and self.starts_at(self.i + 1)) else ""
        if token.kind == "word" and token.text not in self.context.names:
            if token.text == "dot" and self.starts_at(self.i + 1):
                return "soft"
            between = token.text in ("x", "X") and token.blank and self.tokens[self.i + 1].blank
            return "soft" if between and self.starts_at(self.i + 1) and self.context.names else ""
        return ""

    def starts_at(self, k: int) -> bool:
        token = self.tokens[k]
        return token.kind in ("word", "number") or token.text in ("(", "∂", "∇", "||", "|", "√", "{", "[", "⟨", "∑")

    def starts_factor(self, token: Token) -> bool:
        text = token.text
        if token.kind == "word":
            return True
        if token.kind != "op":
            return False
        if text in ("|", "||"):
            return not self.bar
        return text in ("(", "{", "∂", "∇", "√", "∑", "⟨") or (text == "[" and (token.blank or self.i == 0))

    def soft_product(self, left: Expr, right: Expr) -> Expr:
        return self.decided(left, right, None)

    def decided(self, left: Expr, right: Expr, sign: Token | None) -> Expr:
        """A product without a meaning of its own, by the shapes."""
        a, b = self.shapes.of(left), self.shapes.of(right)
        span = join(left.span, right.span)
        number = a in ((), (1, 1)) or b in ((), (1, 1)) or self.context.is_number(left) or self.context.is_number(right)
        if number:
            return Binary("*", left, right, span)
        if sign is not None and sign.text == "dot" and a == b and a is not None and a[1:] == (1,):
            return Binary("@", Transpose(left, False, left.span), right, span)
        if product(a, b) is not None:
            if broadcast(a, b) is not None and sign is not None and sign.text == "*":
                self.context.note(f"{sign.text} is read as the matrix product, which fits.")
        elif broadcast(a, b) is not None:
            if sign is None:
                self.context.note("Factors side by side that fit no matrix product are multiplied entry by entry.")
            return Binary("*", left, right, span)
        elif (
            sign is not None
            and sign.text == "*"
            and (self.dialect.star == "either" or (a is not None and b is not None))
        ):
            self.see_star(sign, left, right)
            return Binary("*", left, right, span)
        elif sign is not None and sign.text != "*":
            self.context.note(f"{sign.text} is read as the matrix product.")
        self.context.matrix_product = True
        self.context.soft.add(span)
        return Binary("@", left, right, span)

    def see_star(self, token: Token, left: Expr, right: Expr) -> None:
        context = self.context
        earlier = context.star is not None and (context.star.line, context.star.column) < (token.line, token.column)
        if self.dialect.star == "*" or earlier or context.is_number(left) or context.is_number(right):
            return
        context.star = token

    def denominator(self, right: Expr) -> Expr:
        """What is glued on under the slash: 1/2m is 1/(2m), xᵀx after a slash is one denominator.

        `1/2(x - y)` and `1/2xᵀx` are written for both readings, so they are refused.
        """
        count, first = 1, right
        while not (token := self.tokens[self.i]).blank and self.starts_factor(token):
            if token.text == "(" or (isinstance(first, Number) and count == 2):
                raise error_at("ambiguous-division", token)
            right = self.soft_product(right, self.factor())
            if isinstance(right, Binary) and isinstance(right.right, Call):
                raise error_at("ambiguous-division", token)
            count += 1
        if count > 1:
            self.context.note("What is glued together after / is read as one denominator.")
        return right

    # -- operands

    def factor(self) -> Expr:
        while self.tokens[self.i].text == "+":
            self.i += 1
        return super().factor()

    def power(self, base: Expr, sign: Token) -> Expr:
        if sign.text == "^":
            return base  # taken in decorated
        return super().power(base, sign)

    def operand(self) -> Expr:
        token = self.tokens[self.i]
        if token.kind == "number":
            self.i += 1
            node: Expr = Number(Fraction(token.text), token.text, span_of(token, token))
        elif token.text in ("∂", "∇") or self.derivative_follows(self.i):
            node = self.derivative()
        elif token.text == "∑" or (token.text == "Σ" and "Sigma" not in self.context.names):
            return self.summation(token)
        elif token.text == "√":
            node = self.root(token)
        elif token.kind == "word":
            return self.decorated(self.word(token))
        elif token.text in ("(", "[", "{"):
            node = self.bracket()
        elif token.text == "⟨":
            node = self.angle(token)
        elif token.kind == "op" and token.text in ("|", "||") and self.bar != token.text:
            node = self.between_bars(token)
        else:
            raise self.missing_operand(token)
        return self.decorated(node)

    def missing_operand(self, token: Token) -> WhenceError:
        if token.text in ("|", "||"):
            named = f"{written_as('|{X}|')}(…) or {written_as(_NORMS[''])}(…)"
            return error_at("ambiguous-bars", token, found="other bars", expected=named)
        return super().missing_operand(token)

    def root(self, token: Token) -> Expr:
        self.i += 1
        inner = self.operand()
        return Call(in_role("root").name, (inner,), (), join(span_of(token), inner.span))

    def angle(self, opened: Token) -> Expr:
        """⟨A, B⟩."""
        self.i += 1
        left = self.expression()
        if self.tokens[self.i].text not in (",", "|"):
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        right = self.expression()
        if self.tokens[self.i].text != "⟩":
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        return self.inner_product(left, right)

    def between_bars(self, opened: Token) -> Expr:
        """A norm, the determinant of a square matrix, or absolute values, by what stands inside and below."""
        self.i += 1
        around, self.bar = self.bar, opened.text
        node = self.expression()
        closing, self.bar = self.tokens[self.i], around
        if closing.kind == "end":
            raise error_at("unclosed-bracket", opened)
        whole = opened._replace(end=max(opened.end, closing.end))
        if closing.text != opened.text:
            raise error_at("ambiguous-bars", whole, found="other bars", expected="the function by its name")
        self.i += 1
        if opened.text == "||":
            return self.norm(node, whole)
        shape = self.shapes.of(node)
        square = shape is not None and len(shape) == 2 and shape[0] == shape[1] != 1
        entries, determinant = str(written_as("|{X}|")), str(written_as("det {X}"))
        capital = any(name[0].isupper() and name not in self.context.scalars for name, _ in names_of(node))
        if shape is None and capital:
            named = f"{entries}(…), or the determinant by its name"
            raise error_at("ambiguous-bars", whole, found=to_text(node), expected=named)
        return Call(determinant if square else entries, (node,), (), span_of(opened, closing))

    def norm(self, node: Expr, bars: Token) -> Expr:
        """The norm that stands below the bars: none, 2 and F mean the root of the sum of squares."""
        below, token = "", self.tokens[self.i]
        if token.text == "_":
            self.i += 1
            below = self.script_text()
        elif token.kind in ("sub", "number") and not token.blank:
            self.i += 1
            below = text_of([token])
        function = written_as(_NORMS.get(below, "?"))
        if function is None:
            named = f"{written_as(_NORMS[''])}(…), or another norm by its name"
            raise error_at("ambiguous-bars", bars, found=f"‖·‖_{below}", expected=named)
        call = Call(function, (node,), (), span_of(bars))
        if token.kind != "number":
            return call
        if below != "2":
            raise error_at("ambiguous-bars", bars, found=f"‖·‖{below}", expected="the norm by its name")
        self.context.note("The 2 after the norm is read as a lost square.")
        return Binary("**", call, Number(Fraction(2), "2", span_of(token)), join(call.span, span_of(token)))

    def bracket(self) -> Expr:
        opened = self.tokens[self.i]
        if opened.text == "[" and any(t.text in (";", ",") for t in self.tokens[self.i : self.closing[self.i]]):
            raise error_at("unexpected-sign", opened)
        around, self.bar, within, self.in_index = self.bar, "", self.in_index, False
        node = super().bracket()
        self.bar, self.in_index = around, within
        return node

    def call(self, name: str, token: Token) -> Expr:
        around, self.bar, within, self.in_index = self.bar, "", self.in_index, False
        node = super().call(name, token)
        self.bar, self.in_index = around, within
        return node

    # -- what follows an operand

    def decorated(self, node: Expr) -> Expr:
        while True:
            token = self.tokens[self.i]
            span = Span(node.span.line, node.span.column, token.line, token.end)
            if token.text in (".T", ".mT"):
                node = Transpose(node, token.text == ".mT", span)
            elif token.text == ".'" or token.kind == "prime":
                self.context.transposed = True
                for _ in token.text.lstrip("."):
                    node = Transpose(node, False, span)
            elif token.kind == "sup" or token.text in ("^", ".^", "**"):
                if token.text == "**":
                    return node
                node = self.raised(node, token)
                continue
            elif token.text == "." and self.method_follows():
                node = self.method(node)
                continue
            elif token.text == "[" and not token.blank and not isinstance(node, Number):
                node = self.index(node)
                continue
            elif self.entries_follow(node):
                node = self.entries_in_brackets(node)
                continue
            elif token.kind == "word" and token.text == "T" and not token.blank and self.lost_transpose():
                node = Transpose(node, False, span)
            else:
                return node
            self.i += 1

    def lost_transpose(self) -> bool:
        """`(A x - b)T`: a T glued to a closing bracket."""
        return self.tokens[self.i - 1].text in (")", "]", "}") and "T" not in self.context.names

    def raised(self, node: Expr, token: Token) -> Expr:
        """A superscript of a value: a transpose, an inverse, a power."""
        start = self.i
        items: list[tuple[str, str]] | None
        if token.kind == "sup":
            self.i += 1
            items = superscript_items(text_of([token]))
        else:
            items = None if token.text == ".^" else self.caret_items()
        if items is None:
            return self.formula_power(node, token)
        for kind, value in items:
            here = token._replace(end=self.tokens[self.i - 1].end)
            node = self.applied(node, kind, value, here)
        if not items:
            raise error_at("empty-superscript", self.tokens[start])
        return node

    def applied(self, node: Expr, kind: str, value: str, token: Token) -> Expr:
        """One item of a superscript done to a value."""
        span = Span(node.span.line, node.span.column, token.line, token.end)
        if kind in ("T", "prime") or (kind == "maybe" and value == "t" and "t" not in self.context.scalars):
            self.context.transposed = True
            shape = self.shapes.of(node)
            return Transpose(node, shape is not None and len(shape) > 2, span)  # of a tensor the last two axes
        if kind == "+" or (kind == "layer" and value == "plus"):
            self.context.note("A + above a matrix is read as its pseudoinverse.")
            return Call(str(written_as("{X}⁺")), (node,), (), span)
        if kind == "-1":
            return self.inverted(node, token, span)
        if kind == "maybe" and value == "1" and token.kind == "sup":
            raise error_at("ambiguous-superscript", token, found=token.text)
        if kind in ("power", "maybe") and value.lstrip("-").isdigit():
            number: Expr = Number(Fraction(abs(int(value))), value.lstrip("-"), span_of(token))
            exponent = Negative(number, span_of(token)) if value.startswith("-") else number
            return self.powered(node, exponent, token, span)
        if kind == "maybe" and value in self.context.scalars | self.context.names:
            return self.powered(node, Name(value, span_of(token)), token, span)
        raise error_at("ambiguous-superscript", token, found=token.text + value)

    def formula_power(self, node: Expr, token: Token) -> Expr:
        """A power that is a formula: `^{1/2}`, `^(n-1)`; behind `.^` and `^⊙` one of the entries."""
        self.i += 1
        brace = self.tokens[self.i].text == "{" and self.tokens[self.i + 1].text in _ENTRYWISE
        self.i += brace
        if self.tokens[self.i].text in _ENTRYWISE:
            self.i += 1
            token = token._replace(text=".^")
        here = self.tokens[self.i]
        if brace:
            exponent = self.expression()
            if self.tokens[self.i].text != "}":
                raise self.unexpected(self.tokens[self.i])
            self.i += 1
        elif here.kind == "number":
            self.i += 1
            exponent = Number(Fraction(here.text), here.text, span_of(here))
        else:
            exponent = self.factor() if here.text == "-" else self.operand()
        return self.powered(node, exponent, token, join(node.span, exponent.span))

    def powered(self, node: Expr, exponent: Expr, token: Token, span: Span) -> Expr:
        """A power entry by entry, or one of a square matrix itself; refused where nothing tells which."""
        check_power(exponent)
        entrywise = Binary("**", node, exponent, span)
        shape = self.shapes.of(node)
        square = shape is not None and len(shape) == 2 and shape[0] == shape[1] != 1
        number = exponent.operand if isinstance(exponent, Negative) else exponent
        whole = isinstance(number, Number) and number.value.denominator == 1
        if (
            token.text == ".^"
            or self.dialect is CODE
            or self.context.is_number(node)
            or (shape is not None and not square)
        ):
            return entrywise
        if square and self.dialect.matrix_power and whole:
            return Call(structured_by("matpow").name, (node, exponent), (), span)
        if square and self.dialect.matrix_power and exponent == _HALF:
            return Call(in_role("matrix root").name, (node,), (), span)
        if not whole or (square and isinstance(node, Name)):
            raise error_at("ambiguous-power", token)
        self.context.note("A power such as X² is read entry by entry.")
        return entrywise

    def inverted(self, node: Expr, token: Token, span: Span) -> Expr:
        """⁻¹: the inverse of a matrix, one over a number or over each entry; refused where nothing tells which."""
        shape = self.shapes.of(node)
        if self.context.is_number(node):
            one = Number(Fraction(1), "1", span_of(token))
            return Binary("**", node, Negative(one, span_of(token)), span)
        if shape is not None and not (len(shape) >= 2 and shape[-1] == shape[-2] != 1):
            return Binary("/", Number(Fraction(1), "1", span_of(token)), node, span)
        sure = not isinstance(node, Name) or node.id[0].isupper() or shape is not None
        inverse = inverse_function()
        if inverse is None or not sure:
            raise error_at("ambiguous-superscript", token)
        return Call(inverse, (node,), (), span)
