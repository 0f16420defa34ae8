"""Calls and attributes as NumPy, PyTorch, JAX and Octave write them."""

from __future__ import annotations

from fractions import Fraction

from whence.ops.table import in_role, structured_by
from whence.read.code_words import (
    AXIS,
    CASTS,
    COMPARISONS,
    DERIVATIVE,
    LIBRARIES,
    NEGATED,
    NOT_AXES,
    OBJECTS,
    OPERATORS,
    PRODUCTS,
    SAME,
    SQUARED,
    TRANSPOSED,
    UNDER_ONE,
)
from whence.read.derivatives import Derivatives
from whence.read.dialects import CODE
from whence.read.grammar import Parser
from whence.read.letters import add_layer
from whence.read.lexer import Token
from whence.read.places import error_at, join, span_of
from whence.read.scripts import label_of
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative, Number, Span, Text, Transpose, Tuple
from whence.read.vocabulary import PRIME, entry, known_function, without_primes


class Code(Derivatives):
    """What code means; the values of its words stand in `code_words` and in the table of functions."""

    def module_follows(self, token: Token) -> bool:
        dotted = self.tokens[self.i + 1].text == "." and self.tokens[self.i + 2].kind == "word"
        colons = self.tokens[self.i + 1].text == ":" == self.tokens[self.i + 2].text
        if not (dotted or colons) or self.tokens[self.i + 1].blank or token.text in self.context.names:
            return False
        after = self.tokens[self.i + (2 if dotted else 3)]
        return (
            token.text in LIBRARIES
            or token.text in OBJECTS
            or (after.text in self.context.names and self.dialect is CODE and not self.is_method(after.text))
        )

    def is_method(self, word: str) -> bool:
        words = (PRODUCTS, OPERATORS, SAME, CASTS, TRANSPOSED, SQUARED, NEGATED, UNDER_ONE)
        return any(word in some for some in words) or known_function(word) is not None

    def call(self, name: str, token: Token) -> Expr:
        op = entry(without_primes(name)[0])
        if op is not None and op.gives == "letters":
            return self.einsum(name, token, self.closing[self.i])
        return super().call(name, token)

    def library(self, token: Token) -> Expr:
        """`np.linalg.inv(A)`, `self.W`: what stands behind the last dot."""
        self.i += 1
        while self.tokens[self.i].text in (".", ":") and self.tokens[self.i + 1].text in (*LIBRARIES, ":", *OBJECTS):
            self.i += 2 if self.tokens[self.i + 1].text != ":" else 1
        self.i += 1
        word = self.tokens[self.i]
        if word.kind != "word":
            raise error_at("bad-attribute", token, found=token.text + ".")
        if token.text in OBJECTS or word.text in self.context.names or self.tokens[self.i + 1].text != "(":
            return self.word(word)
        return self.function_of_code(word, [])

    def function_of_code(self, word: Token, before: list[Expr]) -> Expr:
        """A function or method of a library with what stands before its dot as the first argument."""
        self.i += 1
        name = word.text
        opened = self.tokens[self.i]
        if opened.text != "(":
            if name in SAME and before:
                return before[0]
            raise error_at("bad-attribute", word, found="." + name)
        known = None if name in PRODUCTS or name in UNDER_ONE else known_function(name) or known_function(name.lower())
        if known is None and not self.is_method(name) and name not in COMPARISONS:
            raise error_at("unknown-function", word, found=name)
        op = entry(known) if known else None
        if op is not None and not op.operator and op.structure not in ("reshape", "transpose"):
            return self.table_call(op.name, word, before)
        arguments, _ = self.arguments_of(before)
        span = join(before[0].span if before else span_of(word), span_of(self.tokens[self.i - 1]))
        built = self.built(name, arguments, span)
        if built is None and op is not None and op.structure == "transpose" and len(arguments) == 1:
            built = Transpose(arguments[0], False, span)
        if built is None:
            raise error_at("unknown-function", word, found=name)
        return built

    def arguments_of(self, before: list[Expr]) -> tuple[list[Expr], list[tuple[str, Expr]]]:
        """What stands in the bracket here, behind what stood before the dot."""
        close = self.closing[self.i]
        self.i += 1
        arguments = list(before)
        keywords: list[tuple[str, Expr]] = []
        while self.i < close:
            if self.tokens[self.i].text in CASTS and self.tokens[self.i + 1].text in (")", ","):
                if not (before and isinstance(before[0], Compare)):
                    raise error_at("unknown-function", self.tokens[self.i])
                self.i += 1
            else:
                self.argument(arguments, keywords)
            if self.tokens[self.i].text == ",":
                self.i += 1
            elif self.i != close:
                raise self.unexpected(self.tokens[self.i])
        self.i = close + 1
        return arguments, keywords

    def built(self, name: str, arguments: list[Expr], span: Span) -> Expr | None:
        """The operator that a word of code is."""
        if len(arguments) >= 2:
            left, right = arguments[0], arguments[1]
            if name in PRODUCTS:
                self.context.matrix_product = True
                number = self.context.is_number(left) or self.context.is_number(right)
                return Binary("*" if number else "@", left, right, span)
            op = entry(known_function(name) or "")
            operator = op.operator if op is not None else OPERATORS.get(name, "")
            if operator:
                return Binary(operator, left, right, span)
            if name in COMPARISONS:
                return Compare(COMPARISONS[name], left, right, span)
        if not arguments:
            return None
        first = arguments[0]
        if name in TRANSPOSED:
            return Transpose(first, False, span)
        if name in SAME or (name in CASTS and isinstance(first, Compare)):
            return self.as_numbers(first)
        if name in SQUARED:
            return Binary("**", first, Number(Fraction(2), "2", span), span)
        if name in NEGATED:
            return Negative(first, span)
        if name in UNDER_ONE:
            under: Expr = first if UNDER_ONE[name] == 1 else Call(in_role("root").name, (first,), (), span)
            return Binary("/", Number(Fraction(1), "1", span), under, span)
        return None

    def as_numbers(self, expr: Expr) -> Expr:
        """A cast of a comparison is 1 where it holds, else 0."""
        if not isinstance(expr, Compare):
            return expr
        where = self.choice_name()
        one, zero = Number(Fraction(1), "1", expr.span), Number(Fraction(0), "0", expr.span)
        return Call(where, (expr, one, zero), (), expr.span)

    def table_call(self, name: str, word: Token, before: list[Expr]) -> Expr:
        op = entry(name)
        assert op is not None
        close = self.closing[self.i]
        if op.gives == "letters":
            return self.einsum(name, word, close)
        if op.gives == "sizes" and self.commas[self.i] == 0 and self.tokens[self.i + 1].text in ("(", "["):
            self.i += 1
            node = Parser.call(self, name, word)
            self.i = close + 1
            return node
        if not before:
            return super().call(name, word)
        arguments, keywords = self.arguments_of(before)
        span = join(before[0].span, span_of(self.tokens[close]))
        return self.with_axes(Call(name, tuple(arguments), tuple(keywords), span))

    def with_axes(self, node: Expr) -> Expr:
        """Axes as the language has them: `dim=-1` and a second number are `axis=1`; keepdims says nothing new."""
        if not isinstance(node, Call):
            return node
        op = entry(without_primes(node.name)[0])
        reduces = op is not None and "axis" in op.takes.replace("axes", "axis").split(", ")[-1]
        keywords: list[tuple[str, Expr]] = []
        for word, value in node.keywords:
            if word in AXIS:
                if not (isinstance(value, Name) and value.id == "None"):
                    keywords.append(("axis", self.axis(value, node)))
            elif word not in NOT_AXES:
                keywords.append((word, value))
        arguments = node.arguments
        if reduces and len(arguments) == 2 and not keywords and isinstance(arguments[1], Number | Negative | Tuple):
            value = arguments[1]
            if isinstance(value, Number):
                number = value.value - self.dialect.first_axis
                value = Number(number, str(number), value.span)
            keywords, arguments = [("axis", self.axis(value, node))], arguments[:1]
        if op is not None and "sums-to-1" in op.facts and not keywords and len(arguments) == 1:
            keywords = self.classes_axis(arguments[0])
        return Call(node.name, arguments, tuple(keywords), node.span)

    def classes_axis(self, argument: Expr) -> list[tuple[str, Expr]]:
        """Along which axis probabilities add up where it is not written: that of the classes, by what stands beside."""
        shape = self.shapes.of(argument)
        if shape is not None and (len(shape) != 2 or shape[1] == 1):
            return []
        following = self.tokens[self.i]
        rows = self.dialect.row_samples or self.rows_are_samples(argument)
        weights = following.kind == "word" or following.text in ("@", "·")
        if not rows and not (weights and self.rows_are_samples(argument) is not False):
            return []
        self.context.note("The probabilities of each row add up to one (axis=1).")
        one = Number(Fraction(1), "1", argument.span)
        return [("axis", one)]

    def rows_are_samples(self, argument: Expr) -> bool | None:
        """True where a row or 1b' is added, False where a column is; None where nothing tells."""
        stack, seen = [argument], 0
        while stack and seen < 50:
            node = stack.pop()
            seen += 1
            if isinstance(node, Name) and node.id in self.context.definitions:
                stack.append(self.context.definitions[node.id])
            elif isinstance(node, Binary) and node.operator in "+-":
                for part in (node.left, node.right):
                    shape = self.shapes.of(part)
                    ones = (
                        isinstance(part, Binary)
                        and isinstance(part.left, Call)
                        and part.left.name == structured_by("ones").name
                    )
                    if (shape is not None and len(shape) == 2 and shape[0] == 1) or ones:
                        return True
                    if shape is not None and len(shape) == 2 and shape[1] == 1:
                        return False
                stack += [node.left, node.right]
        return None

    def axis(self, value: Expr, node: Call) -> Expr:
        if isinstance(value, Negative) and isinstance(value.operand, Number):
            number = value.operand.value
            shape = self.shapes.of(node.arguments[0])
            flat = len(shape) <= 2 if shape is not None else not self.shapes.tensors
            if flat and number in (1, 2):
                axis = 2 - number
                return Number(axis, str(axis), value.span)
        return value

    def einsum(self, name: str, word: Token, close: int) -> Expr:
        """einsum with its letters in quotes; without an arrow the letters that occur once, in order."""
        self.i += 1
        letters = self.tokens[self.i]
        if letters.kind != "text":
            raise error_at("bad-letters", letters)
        self.i += 1
        text = letters.text.replace(" ", "")
        operands: list[Expr] = []
        while self.i < close:
            if self.tokens[self.i].text in (",", "{", "}"):
                self.i += 1
                continue
            operands.append(self.expression())
        self.i = close + 1
        if text.startswith("...") or ",..." in text:
            text = text.replace("...", "z") if "->..." not in text else text
        if "->" not in text:
            once = sorted(c for c in set(text) if text.count(c) == 1 and c.isalpha())
            text += "->" + "".join(once)
        parts = text.split("->")[0].split(",")
        for part, operand in zip(parts, operands, strict=False):
            shape = self.shapes.of(operand)
            if len(part) > 2 and (shape is None or len(shape) < 3):
                raise error_at("bad-letters", letters)
        return Call(
            name, (Text(text, span_of(letters)), *operands), (), join(span_of(word), span_of(self.tokens[close]))
        )

    # -- attributes

    def index(self, node: Expr) -> Expr:
        """An index; `cache[0]` is what the text says that the tuple holds."""
        text = self.tokens[self.i + 1].text
        if isinstance(node, Name) and (item := self.context.definitions.get(f"{node.id}[{text}]")) is not None:
            self.i = self.closing[self.i] + 1
            return item
        around, self.in_index = self.in_index, True
        indexed = super().index(node)
        self.in_index = around
        return indexed

    def method_follows(self) -> bool:
        """Is the dot here one of an attribute, and no product?"""
        dot, word = self.tokens[self.i], self.tokens[self.i + 1]
        if dot.blank or word.kind != "word" or word.blank:
            return False
        return self.tokens[self.i + 2].text == "(" or word.text in SAME or word.text == "shape"

    def method(self, node: Expr) -> Expr:
        self.i += 1
        word = self.tokens[self.i]
        if word.text == "at" and isinstance(node, Name):
            return self.picked(node)
        return self.function_of_code(word, [node])

    def picked(self, node: Name) -> Expr:
        """C++ `grads.at(0)`: an item of a list is a name of its own."""
        close = self.closing[self.i + 1]
        number = self.tokens[self.i + 2].text
        self.i = close + 1
        return Name(add_layer(node.id, number), node.span)

    def entry_of_dictionary(self, token: Token) -> Expr:
        """`params["W1"]`, `grads["dZ" + str(l)]`: the name in the quotes."""
        opened = self.i + 1
        close = self.closing[opened]
        inside = self.tokens[opened + 1 : close]
        name = inside[0].text
        rest = [t.text for t in inside[1:] if t.text not in ("+", "(", ")", "str")]
        if rest:
            name = add_layer(name, label_of(self.step(inside[1:])))
        self.i = close + 1
        if not name.isidentifier():
            raise error_at("bad-layer", inside[0], found=name)
        return self.named(name, token, span_of(token, self.tokens[close]))

    @staticmethod
    def step(inside: list[Token]) -> str:
        """The layer in `+ str(l - 1)`."""
        texts = [t.text for t in inside]
        if "str" in texts:
            start = texts.index("str") + 2
            return "".join(t for t in texts[start:] if t != ")")
        return "".join(t for t in texts if t not in "+()")

    def derivative_helper(self, base: str) -> str | None:
        found = DERIVATIVE.match(base)
        known = known_function(found["name"].lower()) if found else None
        op = entry(known) if known else None
        if known is None or op is None or op.kind != "elementwise":
            return None
        self.context.note(f"{base} is read as the derivative of {known}.")
        return known + PRIME
