"""The grammar of the canonical language: a recursive descent parser over the tokens of a line.

Binding, from loose to tight: comparison; + -; * / @ from the left; unary minus; ** from the right; transposes and
indices. What people type is read by the same grammar with more signs: `typed.Typed`.
"""

from __future__ import annotations

from fractions import Fraction
from keyword import iskeyword

from whence.messages.errors import ReadError, WhenceError
from whence.read.brackets import CLOSING, DEPTH_LIMIT, match_brackets
from whence.read.context import Context
from whence.read.lexer import Token
from whence.read.pieces import check_power, einsum_letters
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

SYMBOL_LIMIT = 200

_PRODUCTS = frozenset({"*", "/", "@"})
_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})


class Parser:
    """Recursive descent, four calls deep a bracket; sums and products of any length take loops."""

    def __init__(self, tokens: list[Token], context: Context) -> None:
        self.tokens = tokens
        self.context = context
        self.dialect = context.dialect
        self.i = 0
        self.depth = 0
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
        """A product of any length, from the left."""
        left = self.factor()
        while (token := self.tokens[self.i]).kind == "op" and token.text in _PRODUCTS:
            self.i += 1
            right = self.factor()
            left = Binary(token.text, left, right, join(left.span, right.span))
        return left

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
        if token.text == "**":
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
        check_power(exponent)
        return Binary("**", base, exponent, join(base.span, exponent.span))

    def operand(self) -> Expr:
        """A number, name, call or bracket with its transposes and indices."""
        token = self.tokens[self.i]
        if token.kind == "number":
            self.i += 1
            node: Expr = Number(Fraction(token.text), token.text, span_of(token, token))
        elif token.kind == "word":
            node = self.word(token)
        elif token.text == "(":
            node = self.bracket()
        else:
            raise self.missing_operand(token)
        return self.decorated(node)

    def missing_operand(self, token: Token) -> WhenceError:
        before = self.tokens[self.i - 1] if self.i else None
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
        node = self.expression()
        if self.tokens[self.i].text != CLOSING[opened.text]:
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        return node

    def decorated(self, node: Expr) -> Expr:
        """Transposes and indices after an operand."""
        while True:
            token = self.tokens[self.i]
            if token.text in (".T", ".mT"):
                span = Span(node.span.line, node.span.column, token.line, token.end)
                node = Transpose(node, token.text == ".mT", span)
                self.i += 1
            elif token.text == "[" and not token.blank:
                node = self.index(node)
            else:
                return node

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
        opens = self.tokens[self.i].text == "("
        name = self.context.function(token.text, token, called=opens, glued=opens)
        if name is not None and opens:
            return self.call(name, token)
        if name is not None and not self.is_argument(token):
            raise error_at("function-without-bracket", token)
        if opens:
            raise self.context.unknown_function(token.text, token)
        if iskeyword(token.text):
            raise error_at("reserved-name", token)
        return self.symbol(token.text, token, span_of(token, token))

    def symbol(self, name: str, token: Token, span: Span) -> Expr:
        """A name, one of no more than are allowed in a formula."""
        self.symbols.add(name)
        if len(self.symbols) > SYMBOL_LIMIT:
            raise limit_at("too-many-symbols", token, SYMBOL_LIMIT)
        return Name(name, span)

    def is_argument(self, token: Token) -> bool:
        """A function's name alone is allowed as a whole argument, as in frechet(expm, X, E)."""
        before = self.tokens[self.i - 2] if self.i > 1 else token
        return before.text in ("(", ",") and self.tokens[self.i].text in (",", ")") and self.i > 2

    def call(self, name: str, token: Token) -> Expr:
        close = self.closing[self.i]
        self.i += 1
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
        end = self.tokens[close]
        if not arguments:
            raise error_at("no-argument", end, found=name)
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
