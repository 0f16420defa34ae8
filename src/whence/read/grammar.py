"""The grammar: a recursive descent parser over the plain tokens of a line.

Binding, from loose to tight: comparison; + -; * / @ from the left (two factors side by side bind tighter
than these); unary minus; ** and ^ from the right; transposes, primes and indices.
"""

from __future__ import annotations

from fractions import Fraction
from keyword import iskeyword

from whence.messages.errors import ReadError, WhenceError
from whence.read.brackets import CLOSING, DEPTH_LIMIT, match_brackets
from whence.read.canonical import to_text
from whence.read.context import Context
from whence.read.known import entry_by_entry
from whence.read.letters import SUBSCRIPTS
from whence.read.lexer import Token
from whence.read.pieces import check_power, einsum_letters, fold_left, of_two
from whence.read.places import error_at, join, limit_at, span_of
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Name,
    Negative,
    Number,
    Range,
    Span,
    Transpose,
    Tuple,
)
from whence.read.vocabulary import PRIME, inverse_function, written_as
from whence.read.walk import names_of

SYMBOL_LIMIT = 200

_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


class Parser:
    """Recursive descent, four calls deep a bracket; sums and products of any length take loops."""

    def __init__(self, tokens: list[Token], context: Context) -> None:
        self.tokens = tokens
        self.context = context
        self.dialect = context.dialect
        self.i = 0
        self.depth = 0
        self.bar = ""  # the bar that closes next, inside bars
        self.symbols: set[str] = set()
        self.closing, self.commas = match_brackets(tokens)

    def whole(self) -> Expr:
        first = self.tokens[0]
        if first.kind == "end":
            raise ReadError("empty-formula", line=first.line, column=first.column)
        expr = self.expression()
        last = self.tokens[self.i]
        if last.kind != "end":
            raise self.unexpected(last)
        return expr

    def unexpected(self, token: Token) -> WhenceError:
        """The error for a token that cannot stand where an operator or the end was expected."""
        if token.text in ("=", ":="):
            return error_at("equals-in-formula", token)
        if token.text in ("^", "{") or token.kind in ("sup", "sub", "prime"):
            return error_at("other-sign", token, dialect=self.dialect.name)
        if token.kind in ("word", "number", "text") or token.text in ("(", "["):
            return error_at("missing-operator", token)
        if token.text == ".":
            return error_at("bad-attribute", token, found="." + self.tokens[self.i + 1].text)
        return error_at("unexpected-sign", token)

    # -- sums and comparisons

    def expression(self) -> Expr:
        """A comparison of sums, or a sum."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise limit_at("too-deep", self.tokens[self.i], DEPTH_LIMIT)
        compared: tuple[Expr, Token] | None = None
        while True:
            left = self.term()
            while (token := self.tokens[self.i]).text in ("+", "-") and token.kind == "op":
                self.i += 1
                right = self.term()
                left = Binary(token.text, left, right, join(left.span, right.span))
            if compared is not None:
                first, sign = compared
                left = Compare(sign.text, first, left, join(first.span, left.span))
            if token.kind != "op" or token.text not in _COMPARISONS:
                self.depth -= 1
                return left
            if compared is not None:
                raise error_at("two-comparisons", token)
            compared = (left, token)
            self.i += 1

    # -- products

    def term(self) -> Expr:
        """A product. `A * B C` is A * (B C); after `1/m dZ` the fraction is one factor of what follows."""
        items, signs = [self.factor()], list[str]()
        while True:
            token = self.tokens[self.i]
            sign = self.product_sign(token)
            if sign:
                self.i += 1
                right = self.factor()
                if sign == "/" and self.dialect.juxtaposition:
                    right = self.denominator(right)
                if sign == "soft":
                    self.see_soft(token, items[-1], right)
                    items[-1] = self.fold_back(items, signs)
                    items[-1] = self.soft_product(items[-1], right)
                    continue
                if sign == "*":
                    self.see_star(token, items[-1], right)
                elif sign == "@":
                    self.context.matrix_product = True
                items.append(right)
                signs.append(sign)
            elif self.dialect.juxtaposition and self.starts_factor(token):
                items[-1] = self.fold_back(items, signs)
                items[-1] = self.soft_product(items[-1], self.factor())
            else:
                return fold_left(items, signs)

    def product_sign(self, token: Token) -> str:
        if token.kind == "op":
            return self.dialect.products.get(token.text, "")
        if token.kind == "word" and token.text not in self.context.names:
            return self.dialect.words.get(token.text, "")
        return ""

    def starts_factor(self, token: Token) -> bool:
        opens = token.text == "(" or (token.text == "[" and token.blank)
        return token.kind == "word" or opens or (token.text in self.dialect.bars and not self.bar)

    def fold_back(self, items: list[Expr], signs: list[str]) -> Expr:
        """Where a product side by side follows a quotient, the quotient is taken first: `1/m dZ`."""
        start = len(signs)
        while start and signs[start - 1] == "/":
            start -= 1
        folded = fold_left(items[start:], signs[start:])
        del items[start + 1 :], signs[start:]
        return folded

    def soft_product(self, left: Expr, right: Expr) -> Expr:
        """A product by a number, else the matrix product where it can fit, else entry by entry."""
        number = self.context.is_number(left) or self.context.is_number(right)
        span = join(left.span, right.span)
        if not number and entry_by_entry(left, right, self.context.shapes):
            self.context.note("Equal shapes side by side that fit no matrix product are multiplied entry by entry.")
            number = True
        if not number:
            self.context.matrix_product = True
            self.context.soft.add(span)
        return Binary("*" if number else "@", left, right, span)

    def see_soft(self, token: Token, left: Expr, right: Expr) -> None:
        number = self.context.is_number(left) or self.context.is_number(right)
        if not number and not entry_by_entry(left, right, self.context.shapes):
            self.context.note(f"{token.text} is read as the matrix product.")

    def see_star(self, token: Token, left: Expr, right: Expr) -> None:
        context = self.context
        if token.text != "*" or not self.dialect.juxtaposition:
            return
        earlier = context.star is not None and (context.star.line, context.star.column) < (token.line, token.column)
        if not earlier and not context.is_number(left) and not context.is_number(right):
            context.star = token

    def denominator(self, right: Expr) -> Expr:
        """What is glued on under the slash: 1/2m is 1/(2m), xᵀx after a slash is one denominator.

        `1/2(x - y)` and `1/2xᵀx` are written for both readings, so they are refused.
        """
        count, first = 1, right
        while not (token := self.tokens[self.i]).blank and self.starts_factor(token):
            if token.text == "(" or (isinstance(first, Number) and count == 2):
                raise error_at("ambiguous-division", token, found=token.text)
            right = self.soft_product(right, self.factor())
            if isinstance(right, Binary) and isinstance(right.right, Call):
                raise error_at("ambiguous-division", token, found=token.text)
            count += 1
        if count > 1:
            self.context.note("What is glued together after / is read as one denominator.")
        return right

    # -- signs, powers, decorations

    def factor(self) -> Expr:
        """Minus signs, an operand, a power."""
        start = self.i
        while self.tokens[self.i].text == "-":
            self.i += 1
        minus = self.i - start
        if self.depth + minus > DEPTH_LIMIT:
            raise limit_at("too-deep", self.tokens[start], DEPTH_LIMIT)
        node = self.operand()
        token = self.tokens[self.i]
        if token.text == "**" or (token.text == "^" and self.dialect.caret):
            node = self.power(node, token)
        for k in range(minus):
            sign = self.tokens[start + minus - 1 - k]
            node = Negative(node, Span(sign.line, sign.column, node.span.end_line, node.span.end))
        return node

    def power(self, base: Expr, sign: Token) -> Expr:
        self.i += 1
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise limit_at("too-deep", sign, DEPTH_LIMIT)
        exponent = self.factor()
        self.depth -= 1
        self.check_meaning(base, exponent, sign)
        return Binary("**", base, exponent, join(base.span, exponent.span))

    def operand(self) -> Expr:
        """A number, name, call or bracket with its transposes and indices."""
        token = self.tokens[self.i]
        if token.kind == "number":
            self.i += 1
            node: Expr = Number(Fraction(token.text), token.text, span_of(token, token))
        elif token.kind == "word":
            node = self.word(token)
        elif token.text == "(" or (token.text == "[" and self.dialect.layers):
            node = self.bracket()
        elif token.kind == "op" and token.text in self.dialect.bars and self.bar != token.text:
            node = self.between_bars(token)
        else:
            raise self.missing_operand(token)
        return self.decorated(node)

    def missing_operand(self, token: Token) -> WhenceError:
        before = self.tokens[self.i - 1] if self.i else None
        if token.kind == "op" and token.text in self.dialect.bars:
            named = " or ".join(f"{written_as(bars)}(…)" for bars in self.dialect.bars.values())
            return error_at("ambiguous-bars", token, found="other bars", expected=named)
        if token.kind == "text":
            return error_at("unexpected-sign", token, found="a quote")
        if token.kind == "end" and before is not None:
            return error_at("missing-operand", before, side="right")
        if token.text in ("*", "/", "@", "**", ")", ",", "]") or token.kind == "op":
            return error_at("missing-operand", token, side="left" if token.text not in (")", "]", ",") else "before")
        return error_at("unexpected-sign", token)

    def bracket(self) -> Expr:
        opened = self.tokens[self.i]
        if self.commas[self.i]:
            raise error_at("unexpected-sign", self.tokens[self.commas[self.i]])
        self.i += 1
        around, self.bar = self.bar, ""
        node = self.expression()
        self.bar = around
        if self.tokens[self.i].text != CLOSING[opened.text]:
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        return node

    def between_bars(self, opened: Token) -> Expr:
        """`|x|`, entry by entry, and the norm `||x||`. Bars round a matrix may be its determinant: refused."""
        self.i += 1
        around, self.bar = self.bar, opened.text
        node = self.expression()
        closing, self.bar = self.tokens[self.i], around
        if closing.kind == "end":
            raise error_at("unclosed-bracket", opened)
        self.i += 1
        written = self.dialect.bars[opened.text]
        plain, entries = written_as(written), opened.text == "|"
        function = written_as(written + self.norm_subscript()) if not entries else plain
        capital = any(name[0].isupper() and name not in self.context.scalars for name, _ in names_of(node))
        if function is None or (entries and capital) or closing.text != opened.text:
            expected = f"{plain}(…), or {'the determinant' if entries else 'another norm'} by its name"
            raise error_at("ambiguous-bars", opened._replace(end=closing.end), found=to_text(node), expected=expected)
        return Call(function, (node,), (), span_of(opened, closing))

    def norm_subscript(self) -> str:
        """What stands below the closing bars: "" for none, 2 and F, which all mean the root of the sum of squares."""
        token = self.tokens[self.i]
        text = ""
        if token.kind == "sub":
            text = token.text
            self.i += 1
        elif token.text == "_" and not token.blank:
            digit = self.tokens[self.i + 1].text
            text = next((sign for sign, plain in SUBSCRIPTS.items() if plain == digit), digit or "_")
            self.i += 2 if digit else 1
        return "" if text in ("₂", "F") else text

    def decorated(self, node: Expr) -> Expr:
        """Transposes, superscripts and indices after an operand."""
        while True:
            token = self.tokens[self.i]
            span = Span(node.span.line, node.span.column, token.line, token.end)
            if token.text in (".T", ".mT"):
                node = Transpose(node, token.text == ".mT", span)
            elif token.kind == "prime" and self.dialect.prime:
                self.context.transposed = True
                for _ in token.text:
                    node = Transpose(node, False, span)
            elif token.kind == "sup" and self.dialect.caret:
                node = self.superscript(node, token, span)
            elif token.text == "[" and not token.blank:
                node = self.index(node)
                continue
            else:
                return node
            self.i += 1

    def superscript(self, node: Expr, token: Token, span: Span) -> Expr:
        if token.text == "T":
            self.context.transposed = True
            return Transpose(node, False, span)
        if token.text == "-1":
            return self.inverse(node, token, span)
        exponent = Number(Fraction(token.text), token.text, span_of(token, token))
        self.check_meaning(node, exponent, token)
        return Binary("**", node, exponent, span)

    def check_meaning(self, base: Expr, exponent: Expr, sign: Token) -> None:
        """A power of a matrix goes entry by entry; where it may be one of the matrix itself, it is refused."""
        check_power(exponent)
        if sign.text == "**" or self.context.is_number(base):
            return
        whole = isinstance(exponent, Number) and exponent.value.denominator == 1
        if not whole or (isinstance(base, Name) and base.id in self.context.squares):
            raise error_at("ambiguous-power", sign)
        self.context.note("A power such as X² is read entry by entry.")

    def inverse(self, node: Expr, token: Token, span: Span) -> Expr:
        """⁻¹: the inverse of a matrix, one over a number; refused where neither is sure."""
        if self.context.is_number(node):
            return Binary(
                "**", node, Negative(Number(Fraction(1), "1", span_of(token, token)), span_of(token, token)), span
            )
        inverse = inverse_function()
        sure = not isinstance(node, Name) or node.id[0].isupper() or node.id in self.context.names
        if inverse is None or not sure:
            raise error_at("ambiguous-superscript", token)
        return Call(inverse, (node,), (), span)

    def index(self, node: Expr) -> Expr:
        close = self.closing[self.i]
        self.i += 1
        places: list[Expr | Range] = []
        while True:
            places.append(self.place())
            token = self.tokens[self.i]
            if self.i == close:
                break
            if token.text != ",":
                raise self.unexpected(token)
            self.i += 1
        self.i += 1
        end = self.tokens[close]
        return Index(node, tuple(places), Span(node.span.line, node.span.column, end.line, end.end))

    def place(self) -> Expr | Range:
        """One place of an index: an expression, or a range `low:high` with either side missing."""
        first = self.tokens[self.i]
        low = None if first.text == ":" else self.expression()
        if self.tokens[self.i].text != ":":
            assert low is not None
            return low
        colon = self.tokens[self.i]
        self.i += 1
        high = None if self.tokens[self.i].text in (",", "]") else self.range_end()
        if self.tokens[self.i].text == ":":
            raise error_at("range-step", self.tokens[self.i])
        last = self.tokens[self.i - 1]
        start = low.span if low is not None else span_of(colon, colon)
        return Range(low, high, Span(start.line, start.column, last.line, last.end))

    def range_end(self) -> Expr:
        token = self.tokens[self.i]
        if token.text == ":":
            raise error_at("range-step", token)
        return self.expression()

    # -- words and calls

    def word(self, token: Token) -> Expr:
        """A call, where a bracket follows a function; else a name."""
        self.i += 1
        ahead, primes, power = self.i, 0, None
        if self.dialect.prime:
            while self.tokens[ahead].kind == "prime":
                primes += len(self.tokens[ahead].text)
                ahead += 1
        if not primes and self.dialect.caret:
            power, ahead = self.function_power(ahead)
        opens = self.tokens[ahead].text == "("
        glued = opens and (primes > 0 or not self.tokens[ahead].blank or not self.dialect.juxtaposition)
        name = self.context.function(token.text, token, called=opens, glued=glued)
        if name is not None and opens:
            self.i = ahead
            call = self.call(name + PRIME * primes, token)
            return call if power is None else Binary("**", call, power, join(call.span, power.span))
        if name is not None and not self.is_argument(token):
            raise error_at("function-without-bracket", token)
        if opens and not self.dialect.juxtaposition:
            raise self.context.unknown_function(token.text, token)
        if iskeyword(token.text):
            raise error_at("reserved-name", token)
        self.symbols.add(token.text)
        if len(self.symbols) > SYMBOL_LIMIT:
            raise limit_at("too-many-symbols", token, SYMBOL_LIMIT)
        return Name(token.text, span_of(token, token))

    def function_power(self, ahead: int) -> tuple[Expr | None, int]:
        """`tanh^2(x)`, `f²(x)`: a whole power between a function and its bracket."""
        token = self.tokens[ahead]
        if token.text == "^" and self.tokens[ahead + 1].kind == "number":
            ahead, token = ahead + 1, self.tokens[ahead + 1]
        elif token.kind != "sup":
            return None, ahead
        if not token.text.isdigit() or self.tokens[ahead + 1].text != "(":
            return None, ahead
        exponent = Number(Fraction(token.text), token.text, span_of(token, token))
        check_power(exponent)
        return exponent, ahead + 1

    def is_argument(self, token: Token) -> bool:
        """A function's name alone is allowed as a whole argument, as in frechet(expm, X, E)."""
        before = self.tokens[self.i - 2] if self.i > 1 else token
        return before.text in ("(", ",") and self.tokens[self.i].text in (",", ")") and self.i > 2

    def call(self, name: str, token: Token) -> Expr:
        close = self.closing[self.i]
        self.i += 1
        around, self.bar = self.bar, ""
        arguments: list[Expr] = []
        keywords: list[tuple[str, Expr]] = []
        while self.i < close:
            self.argument(arguments, keywords)
            here = self.tokens[self.i]
            if self.i == close:
                break
            if here.text != ",":
                raise self.unexpected(here)
            self.i += 1
            if self.i == close:
                raise error_at("missing-operand", here, side="right")
        self.i = close + 1
        self.bar = around
        end = self.tokens[close]
        if not arguments:
            raise error_at("no-argument", end, found=name)
        if self.dialect.juxtaposition and not keywords:
            name = of_two(name, arguments, self.context)
        return Call(name, tuple(arguments), tuple(keywords), span_of(token, end))

    def argument(self, arguments: list[Expr], keywords: list[tuple[str, Expr]]) -> None:
        token = self.tokens[self.i]
        if token.kind == "text":
            if arguments or keywords:
                raise error_at("unexpected-sign", token, found="a quote")
            arguments.append(einsum_letters(token))
            self.i += 1
        elif token.kind == "word" and self.tokens[self.i + 1].text == "=":
            if any(word == token.text for word, _ in keywords):
                raise error_at("repeated-keyword", token)
            self.i += 2
            keywords.append((token.text, self.value()))
        elif keywords:
            raise error_at("positional-after-keyword", token)
        else:
            arguments.append(self.value())

    def value(self) -> Expr:
        """An argument: an expression, or a tuple of them in brackets."""
        opened = self.tokens[self.i]
        comma = self.commas[self.i] if opened.text == "(" else 0
        if not comma:
            return self.expression()
        close = self.closing[self.i]
        if self.tokens[close + 1].text not in (",", ")"):
            raise error_at("unexpected-sign", self.tokens[comma])
        self.i += 1
        items = [self.expression()]
        while self.tokens[self.i].text == ",":
            self.i += 1
            if self.i < close:
                items.append(self.expression())
            elif len(items) > 1:
                raise error_at("missing-operand", self.tokens[self.i - 1], side="right")
        if self.i != close:
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        return Tuple(tuple(items), span_of(opened, self.tokens[close]))
