"""Derivatives that are names, `∂J/∂W` and `∇_W J`, and sums."""

from __future__ import annotations

import re
from fractions import Fraction

from whence.messages.errors import ReadError
from whence.read.indexed import OVER
from whence.read.letters import GREEK, add_layer, fold
from whence.read.lexer import Token
from whence.read.names import INDICES, Names
from whence.read.places import error_at, join, span_of
from whence.read.scripts import Scripts, axis_below, label_of, subscript_label
from whence.read.syntax import Binary, Call, Expr, Index, Name, Number, Span, Text, Tuple
from whence.read.vocabulary import PRIME, entry, without_primes
from whence.read.walk import names_of, walk

_GREEK_NAMES = frozenset(GREEK.values())
_COST = re.compile(r"[A-Za-z]{2,}\Z")  # Loss, CE: a word, not the letter of a layer


class Derivatives(Names):
    """Quotients of differentials are names; sums over entries are functions."""

    def derivative_follows(self, k: int) -> bool:
        """`dJ/dW`, and `((∂ …) / (∂ …))` as a fraction gives it."""
        token = self.tokens[k]
        if (
            token.kind == "word"
            and token.text[:1] == "d"
            and token.text not in self.context.names
            and len(token.text) > 1
        ):
            ahead = k + 1
            while self.tokens[ahead].text in ("[", "^", "_", "{") or self.tokens[ahead].kind in ("sub", "sup"):
                ahead = self.closing[ahead] + 1 if self.closing[ahead] else ahead + 1
                if self.tokens[ahead - 1].text in ("^", "_") and self.tokens[ahead].kind in ("word", "number"):
                    ahead += 1
            below = self.tokens[ahead + 1] if ahead + 1 < len(self.tokens) else token
            return (
                self.tokens[ahead].text == "/"
                and below.kind == "word"
                and below.text[:1] == "d"
                and len(below.text) > 1
                and below.text not in self.context.scalars
                and self.is_differential(below.text)
            )
        if token.text == "(" and self.tokens[k + 1].text == "(":
            close = self.closing[k + 1]
            below = self.tokens[close + 2] if close + 2 < len(self.tokens) else token
            top, bottom = self.tokens[k + 2], self.tokens[close + 3] if close + 3 < len(self.tokens) else token
            if (
                self.tokens[close + 1].text == "/"
                and below.text == "("
                and self.closing[close + 2] + 1 == self.closing[k]
            ):
                both = top.text == "∂" and bottom.text == "∂"
                total = (
                    top.kind == bottom.kind == "word"
                    and top.text[:1] == bottom.text[:1] == "d"
                    and self.is_differential(bottom.text)
                )
                return both or (total and top.text not in self.context.names and (len(top.text) > 1 or top.text == "d"))
        return False

    def is_differential(self, text: str) -> bool:
        """A d before one letter, a capital, a Greek letter, a cost or a declared name: depth and d2 are none."""
        whole = text[1:]
        rest = whole.split("_")[0].rstrip("0123456789")
        known = {whole, rest, text, text.split("_")[0]} & self.context.names
        letters = len(rest) == 1 or rest[:1].isupper() or not text.isascii() or rest in _GREEK_NAMES
        return text == "d" or letters or bool(known) or rest in self.dialect.costs

    def derivative(self) -> Expr:
        """The name of a derivative: ∂J/∂Z1, dJ/dZ1, ∇_W J are dZ1, dZ1, dW."""
        token = self.tokens[self.i]
        if token.text == "∇":
            return self.nabla(token)
        fraction = token.text == "("
        if fraction:
            self.i += 2
        start = self.i
        above = self.variable(numerator=True)
        if fraction:
            self.i = self.closing[start - 1] + 1
        if self.tokens[self.i].text != "/":
            raise error_at("derivative-quotient", token, found=token.text)
        self.i += 2 if fraction else 1
        below = self.variable()
        if fraction:
            if self.tokens[self.i].text != ")":
                raise error_at("derivative-quotient", token, found="∂")
            self.i += 2
        span = Span(token.line, token.column, token.line, self.tokens[self.i - 1].end)
        return self.quotient(above, below, span, token)

    def variable(self, *, numerator: bool = False) -> str:
        """The name behind a ∂ or a d; "" for a numerator that is a formula."""
        token = self.tokens[self.i]
        if token.text == "∂" or token.text == "d":
            self.i += 1
        elif token.kind == "word" and token.text[:1] == "d":
            self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1)
        elif not numerator:
            raise error_at("derivative-quotient", token, found=token.text)
        braces = self.tokens[self.i].text == "{"
        close = self.closing[self.i]
        self.i += braces
        word = self.tokens[self.i]
        if word.kind != "word":
            if numerator and word.text != ")":
                return ""
            raise error_at("derivative-quotient", word, found=word.text or "∂")
        self.i += 1
        base = fold(word.text, word.line, word.column)
        if base.endswith("_") and self.tokens[self.i].text == "{":
            base += subscript_label(self.script_text())
        scripts = self.scripts()
        name = self.full_name("lam" if base == "lambda" else base, scripts)
        for value, _ in scripts.maybe:
            name = add_layer(name, label_of(value))
        if numerator and self.tokens[self.i].text == "(":
            self.i = self.closing[self.i] + 1
        if braces:
            self.i = close + 1
        return name + ("ᵀ" if any(kind == "T" for kind, _ in scripts.after) else "")

    def quotient(self, above: str, below: str, span: Span, token: Token) -> Expr:
        context = self.context
        definition = context.definitions.get(above)
        if definition is not None and not self.is_cost(above):
            slope = self.slope(definition, below)
            if slope is None:
                raise error_at("derivative-quotient", token._replace(end=span.end), found=f"d{above}/d{below}")
            return slope
        if not self.is_cost(above):
            raise error_at("derivative-quotient", token._replace(end=span.end), found=f"d{above}/d{below}")
        context.above.add(above)
        context.below.add(below)
        both = sorted(context.above & context.below - {""})
        if both:  # a chain: the second quotient is no derivative of the cost
            found = f"d{above}/d{below}" if above in both else f"d{both[0]}"
            raise error_at("derivative-quotient", token._replace(end=span.end), found=found)
        name = "d" + below
        head, bar, tail = name.rpartition("_")
        if bar and name not in context.names and head in context.names and re.fullmatch(INDICES, tail):
            return Index(Name(head, span), tuple(Text(c, span) for c in tail), span)
        context.note(f"The derivative of {above or 'the value'} by {below} is called {name}.")
        return self.named(name, token, span)

    def is_cost(self, name: str) -> bool:
        """Is a numerator the cost (a number), so that its derivative has a name: J, C0, Loss, f, or a formula?"""
        costs, context = self.dialect.costs, self.context
        if context.shapes.get(name, ()) not in ((), (1, 1)):
            return False
        known = name in costs or name.rstrip("0123456789") in costs or name in context.scalars
        return known or not name or name in ("f", "F") or bool(_COST.match(name))

    def slope(self, definition: Expr, below: str) -> Expr | None:
        """What dA/dZ is as a product of partials is written: g'(Z) for A = g(Z), W for Z = W A + b."""
        if isinstance(definition, Call) and definition.arguments == (Name(below),) and not definition.keywords:
            op = entry(without_primes(definition.name)[0])
            if op is None or op.kind == "elementwise":
                return Call(definition.name + PRIME, definition.arguments)
        stack = [definition]
        while stack:
            node = stack.pop()
            if isinstance(node, Binary) and node.operator == "+":
                stack += [node.left, node.right]
            elif isinstance(node, Binary) and node.operator == "@":
                if node.right == Name(below):
                    return node.left
                if node.left == Name(below):
                    return node.right
        return None

    def nabla(self, token: Token) -> Expr:
        self.i += 1
        by = ""
        if self.tokens[self.i].text == "_":
            self.i += 1
            scripts = Scripts()
            inside = self.tokens[self.i]
            if inside.text == "{":
                close = self.closing[self.i]
                self.i += 1
                by = self.variable(numerator=True)
                self.i = close + 1
            else:
                self.below(self.script_text(), scripts)
                by = scripts.labels[0]
        here = self.tokens[self.i]
        of_bracket = here.text == "("
        if here.kind == "word":
            self.i += 1
            self.scripts()
        if self.tokens[self.i].text == "(":
            close = self.closing[self.i]
            inside_word = self.tokens[self.i + 1]
            if not by and inside_word.kind == "word" and not of_bracket:
                by = fold(inside_word.text, inside_word.line, inside_word.column)
            self.i = close + 1
        if not by:
            raise error_at("derivative-quotient", token, found="∇")
        return self.named("d" + by, token, Span(token.line, token.column, token.line, self.tokens[self.i - 1].end))

    # -- sums

    def check_counted(self, inner: Expr, letters: list[str]) -> None:
        """ReadError where x_i stands under a sum over i, and nothing says whether that is an entry or a sample."""
        for name, span in names_of(inner):
            _, bar, tail = name.rpartition("_")
            if bar and name not in self.context.names and re.fullmatch(INDICES, tail) and set(tail) & set(letters):
                raise ReadError("shape-of-counted", line=span.line, column=span.column, end=span.end, found=name)

    def summation(self, token: Token) -> Expr:
        """Σ of the product that follows: all entries are added up."""
        self.i += 1
        letters: list[str] = []
        axis = ""
        while self.tokens[self.i].text in ("_", "^") or self.tokens[self.i].kind == "sub":
            below = self.tokens[self.i].text != "^"
            self.i += self.tokens[self.i].kind != "sub"
            text = self.script_text()
            axis = axis_below(text) if below else axis
            if below and not axis:
                letters += re.findall("[a-z]", text.partition("=")[0])
        inner = self.products()
        self.check_counted(inner, letters)
        indexed = letters and any(isinstance(node, Index) for node in walk(inner))
        if axis:
            along = Number(Fraction(axis), axis, span_of(token))
            return Call(self.total(), (inner,), (("axis", along),), join(span_of(token), inner.span))
        over = ((OVER, Tuple(tuple(Text(letter) for letter in letters))),) if indexed else ()
        return Call(self.total(), (inner,), over, join(span_of(token), inner.span))
