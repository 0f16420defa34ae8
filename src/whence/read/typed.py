"""Formulas as people type them: slides, LaTeX, Octave and code, one grammar with positions.

What a sign means depends on the dialect, then on the shapes that are sure: a product typed without a sign of its own
is one by a number if one side is a number, else the matrix product where it fits, else entry by entry.
"""

from __future__ import annotations

from fractions import Fraction

from whence.messages.errors import LimitError
from whence.ops.table import in_role, structured_by
from whence.read.brackets import DEPTH_LIMIT
from whence.read.code import Code
from whence.read.context import Context
from whence.read.fit import Shapes, broadcast, product
from whence.read.lexer import Token
from whence.read.pieces import check_power, fold_left
from whence.read.places import error_at, join, span_of
from whence.read.scripts import superscript_items, text_of
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Span, Transpose
from whence.read.vocabulary import inverse_function, written_as

_HALF = Binary("/", Number(Fraction(1)), Number(Fraction(2)))
_AHEAD = 4  # so many tokens are looked ahead, beyond the end too
_SOFT = frozenset({"·", "⋅", "×"})
_ENTRYWISE = frozenset({"⊙", "∘", "•", ".*"})


class Typed(Code):
    """Recursive descent; the parts about names and about code are in the classes it extends."""

    def __init__(self, tokens: list[Token], context: Context, style: str = "lecture") -> None:
        super().__init__([*tokens, *[tokens[-1]] * _AHEAD], context)
        self.style = style  # lecture, latex, octave, code
        self.shapes = Shapes(context.shapes)
        self.star = "*" if style == "code" else "soft" if style == "octave" else ("soft" if context.star_soft else "*")

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
        while self.tokens[self.i].text == ":" and not self.inside_index and self.starts_at(self.i + 1):
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
                if sign == "soft":
                    items[-1] = self.fold_back(items, signs)
                    items[-1] = self.decided(fold_left(items, signs), right, token)
                    signs.clear()
                    del items[:-1]
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
                return self.divided(items, signs)

    def divided(self, items: list[Expr], signs: list[str]) -> Expr:
        return fold_left(items, signs)

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
            if text == "\\" and self.style == "octave":
                return "left"
            if text in _SOFT or (text == "." and self.dot_is_product(token)):
                return "soft"
            return ""
        if token.kind == "word" and token.text not in self.context.names:
            if token.text == "dot" and self.starts_at(self.i + 1):
                return "soft"
            between = token.text in ("x", "X") and token.blank and self.tokens[self.i + 1].blank
            return "soft" if between and self.starts_at(self.i + 1) and self.context.names else ""
        return ""

    def dot_is_product(self, token: Token) -> bool:
        return self.starts_at(self.i + 1)

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
            return self.bar != text and not (self.bar and text in self.bar)
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
        elif a is not None and b is not None and (broadcast(a, b) is not None or (sign and sign.text == "*")):
            return Binary("*", left, right, span)
        elif sign is not None and sign.text == "*" and (a is None or b is None) and self.style != "octave":
            self.see_star(sign, left, right)
            return Binary("*", left, right, span)
        self.context.matrix_product = True
        self.context.soft.add(span)
        return Binary("@", left, right, span)

    def see_star(self, token: Token, left: Expr, right: Expr) -> None:
        context = self.context
        earlier = context.star is not None and (context.star.line, context.star.column) < (token.line, token.column)
        if self.style == "code" or earlier or context.is_number(left) or context.is_number(right):
            return
        context.star = token

    def denominator(self, right: Expr) -> Expr:
        """What is glued on under the slash: 1/2m is 1/(2m); a bracket begins a new factor."""
        glued = False
        while not (token := self.tokens[self.i]).blank and self.starts_factor(token) and token.text != "(":
            right = self.soft_product(right, self.factor())
            glued = True
        if glued:
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
        if closing.text != opened.text:
            raise error_at(
                "ambiguous-bars", opened._replace(end=closing.end), found="other bars", expected="a norm by its name"
            )
        self.i += 1
        span = span_of(opened, closing)
        if opened.text == "|":
            shape = self.shapes.of(node)
            square = shape is not None and len(shape) == 2 and shape[0] == shape[1] != 1
            name = written_as("det {X}" if square else "|{X}|")
            return Call(str(name), (node,), (), span)
        below = ""
        if self.tokens[self.i].text == "_":
            self.i += 1
            below = self.script_text()
        elif self.tokens[self.i].kind == "sub":
            below = text_of([self.tokens[self.i]])
            self.i += 1
        elif self.tokens[self.i].kind == "number" and not self.tokens[self.i].blank and self.tokens[self.i].text == "2":
            self.context.note("The 2 after the norm is read as a lost square.")
            two = self.tokens[self.i]
            self.i += 1
            call = Call(str(written_as("‖{X}‖")), (node,), (), span)
            return Binary("**", call, Number(Fraction(2), "2", span_of(two)), join(span, span_of(two)))
        written = {"": "‖{X}‖", "2": "‖{X}‖", "F": "‖{X}‖", "1": "‖{X}‖₁", "*": "‖{X}‖∗"}.get(below)
        if below == "2" and (shape := self.shapes.of(node)) is not None and len(shape) == 2 and 1 not in shape:
            self.context.note("The norm with a 2 below is read as the Frobenius norm.")
        function = written_as(written) if written else None
        if function is None:
            raise error_at(
                "ambiguous-bars", opened._replace(end=closing.end), found=f"‖·‖_{below}", expected="a norm by its name"
            )
        return Call(function, (node,), (), span)

    def bracket(self) -> Expr:
        opened = self.tokens[self.i]
        if opened.text == "[" and any(t.text in (";", ",") for t in self.tokens[self.i : self.closing[self.i]]):
            raise error_at("unexpected-sign", opened)
        return super().bracket()

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
            items = self.caret_items()
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
            return Transpose(node, False, span)
        if kind == "-1":
            return self.inverted(node, token, span)
        if kind in ("power", "maybe") and value.lstrip("-").isdigit():
            number: Expr = Number(Fraction(abs(int(value))), value.lstrip("-"), span_of(token))
            exponent = Negative(number, span_of(token)) if value.startswith("-") else number
            return self.powered(node, exponent, token, span)
        if kind == "maybe" and value in self.context.scalars | self.context.names:
            return self.powered(node, Name(value, span_of(token)), token, span)
        raise error_at("ambiguous-superscript", token, found=token.text + value)

    def formula_power(self, node: Expr, token: Token) -> Expr:
        """A power that is a formula: `^{1/2}`, `^(n-1)`."""
        self.i += 1 if self.tokens[self.i].text in ("^", ".^") else 0
        exponent = self.operand() if self.tokens[self.i].text != "-" else self.factor()
        return self.powered(node, exponent, token, join(node.span, exponent.span))

    def powered(self, node: Expr, exponent: Expr, token: Token, span: Span) -> Expr:
        check_power(exponent)
        shape = self.shapes.of(node)
        square = shape is not None and len(shape) == 2 and shape[0] == shape[1] != 1
        number = exponent.operand if isinstance(exponent, Negative) else exponent
        whole = isinstance(number, Number) and number.value.denominator == 1
        if square and self.style in ("octave", "latex") and token.text != ".^":
            if whole:
                return Call(structured_by("matpow").name, (node, exponent), (), span)
            if exponent == _HALF:
                return Call(in_role("matrix root").name, (node,), (), span)
        if square and self.style == "lecture" and token.text != ".^" and not isinstance(node, Call):
            self.context.note("A power of a matrix is read entry by entry.")
        return Binary("**", node, exponent, span)

    def inverted(self, node: Expr, token: Token, span: Span) -> Expr:
        shape = self.shapes.of(node)
        number = self.context.is_number(node) or shape in ((), (1, 1))
        flat = shape is not None and len(shape) == 2 and shape[0] != shape[1]
        if number or flat:
            one = Number(Fraction(1), "1", span_of(token))
            return Binary("/", one, node, span)
        sure = not isinstance(node, Name) or node.id[0].isupper() or shape is not None
        inverse = inverse_function()
        if inverse is None or not sure:
            raise error_at("ambiguous-superscript", token)
        return Call(inverse, (node,), (), span)
