"""What a word with its scripts is: a name, a function applied, entries of an array, or several declared names."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from keyword import iskeyword

from whence.ops.signature import signature
from whence.ops.table import TABLE, in_role, structured_by
from whence.read.dialects import CODE
from whence.read.fit import Shapes
from whence.read.implied import UNKNOWN
from whence.read.letters import GREEK, add_layer, drop_underscore, fold
from whence.read.lexer import Token
from whence.read.pieces import of_two
from whence.read.places import error_at, join, span_of
from whence.read.scripted import Scripted
from whence.read.scripts import Scripts, label_of, subscript_label, text_of
from whence.read.syntax import Call, Compare, Expr, Index, Name, Number, Span, Text, Transpose
from whence.read.vocabulary import PRIME, identity_function, known_function, without_primes

INDICES = re.compile("[ijkpqrab]{1,3}")  # letters that count entries
_CAPITALS = re.compile(r"[A-Z][0-9]*(?:(?:[A-Z][0-9]*){1,3}|x)\Z")  # WX, Ax: may be a product
_LAYER_LETTERS = frozenset({"l", "L"})
_NOUGHT = "𝟎"
_ONES = frozenset({"𝟙", "𝟏", _NOUGHT})


class Names(Scripted):
    """What a word with its scripts stands for."""

    shapes: Shapes
    in_index = False  # within X[…], where a colon stands between two bounds
    whole_words = False  # no word is taken apart: on the left of =

    # -- words

    def word(self, token: Token) -> Expr:
        """A call, a name with its scripts, or the declared names that a word is made of."""
        if self.module_follows(token):
            return self.library(token)
        if self.tokens[self.i + 1].text == "[" and self.tokens[self.i + 2].kind == "text":
            return self.entry_of_dictionary(token)
        if token.text in ("True", "False", "None") and self.tokens[self.i - 1].text == "=":
            self.i += 1
            return Name(token.text, span_of(token))
        self.check_keyword(token)
        if token.text in _ONES:
            return self.ones(token)
        self.i += 1
        alone = self.i
        base = self.base_of(token)
        if base == "e" and self.tokens[self.i].text == "^" and "e" not in self.context.names:
            self.i += 1
            exponent = self.operand() if self.tokens[self.i].text != "-" else self.factor()
            name, shape = in_role("exponential").name, self.shapes.of(exponent)
            if shape is not None and len(shape) == 2 and 1 not in shape:
                self.context.note(f"e to the power of a matrix is read entry by entry, as {name}(…).")
            return Call(name, (exponent,), (), join(span_of(token), exponent.span))
        scripts = self.scripts()
        if self.tokens[self.i].text == "(" and not self.commas[self.i] and self.transposes(base):
            inner = self.bracket()
            return Transpose(inner, False, join(span_of(token), inner.span))
        if self.i == alone or self.tokens[self.i - 1].kind == "prime":
            self.context.spelling(drop_underscore(base), token.text)
        return self.meaning(base, scripts, token)

    def check_keyword(self, token: Token) -> None:
        """ReadError for a word of Python that can be no name; lambda is λ where it is no function of code."""
        defines = self.tokens[self.i + 1].kind == "word" and self.tokens[self.i + 2].text == ":"
        if iskeyword(token.text) and (token.text != "lambda" or self.dialect is CODE or defines):
            raise error_at("reserved-name", token)

    def base_of(self, token: Token) -> str:
        """The letters of a name, with what stands glued below them and with a Δ before them."""
        base = fold(token.text, token.line, token.column)
        base = "lam" if base == "lambda" else base
        following = self.tokens[self.i]
        if base == "Delta" and self.dialect.commands and following.kind == "word":
            self.i += 1
            base = "Delta_" + fold(following.text, following.line, following.column)
            following = self.tokens[self.i]
        glued = not following.blank and (following.text == "{" or following.kind in ("word", "number"))
        if base.endswith("_") and glued:
            label = subscript_label(self.script_text())
            if not label:
                raise error_at("bad-layer", token)
            base += label
        return base

    def transposes(self, base: str) -> bool:
        """Is a word before a bracket one that transposes: R's t(A), a helper called transpose_last_axis(x)?"""
        if base in self.context.functions or base in self.context.names:
            return False
        return base == "t" or base.startswith(structured_by("transpose").name)

    def meaning(self, base: str, scripts: Scripts, token: Token) -> Expr:
        context = self.context
        if scripts.axis and not self.has_axis(base):
            scripts.labels.append("axis" + scripts.axis)
            scripts.axis = ""
        if scripts.labels == ["plus"] and self.takes_plus(base):
            scripts.labels.clear()
            scripts.after.insert(0, ("+", token))
        full = self.full_name(base, scripts)
        called = self.tokens[self.i].text == "(" or (self.dialect.commands and self.tokens[self.i].text == "{")
        blank = self.tokens[self.i].blank
        called = called and not (blank and (scripts.maybe or scripts.after))  # 1/σ² (x - μ)
        stacked = self.stacked(base, token) if called else None
        if stacked is not None:
            return self.with_scripts(stacked, scripts, token)
        function = self.function_of(token, base, full, scripts, called, blank)
        if function is not None:
            return self.applied_function(function, scripts, token)
        known = known_function(full) if token.text.isascii() and full not in context.names else None
        if known is not None and not self.is_argument(token):
            raise error_at("function-without-bracket", token)
        entries = self.entries(base, full, scripts, token)
        if entries is not None:
            return entries
        pieces = [full] if full in context.names or full in context.scalars else self.taken_apart(base, full, token)
        span = Span(token.line, token.column, token.line, max(token.end, self.tokens[self.i - 1].end))
        node: Expr | None = None
        last: Expr = Name(full, span)
        for k, piece in enumerate(pieces):
            if piece == "ᵀ":
                last = Transpose(last, False, span)
                context.transposed = True
                if k == len(pieces) - 1:
                    break
                continue
            if k:
                node = last if node is None else self.soft_product(node, last)
            whole = len(pieces) == 1 or k < len(pieces) - 1
            last = self.named(piece if whole else self.full_name(piece, scripts), token, span)
        last = self.with_scripts(last, scripts, token)
        return last if node is None else self.soft_product(node, last)

    def entries(self, base: str, full: str, scripts: Scripts, token: Token) -> Expr | None:
        """`W_ij`, `y^(i)`: entries of a declared array by letters, where no such name is declared."""
        names = self.context.names
        head, bar, tail = base.rpartition("_")
        bar = bar if re.fullmatch(INDICES, tail) else ""
        labels = [*([tail] if bar else []), *scripts.labels, *(v for v, _ in scripts.maybe if v in "ijk")]
        root = head if bar else base
        if self.whole_words:
            return None
        if full in names or not labels or not names or not all(re.fullmatch(INDICES, label) for label in labels):
            return None
        array = root if root in names else root.upper() if root.upper() in names and len(root) == 1 else ""
        if not array:
            return None
        span = Span(token.line, token.column, token.line, self.tokens[self.i - 1].end)
        letters = [c for label in labels for c in label]
        node: Expr = Index(Name(array, span), tuple(Text(c, span) for c in letters), span)
        scripts.maybe = [(v, t) for v, t in scripts.maybe if v not in "ijk"]
        return self.with_scripts(node, scripts, token)

    def takes_plus(self, word: str) -> bool:
        """Is `X^+` the pseudoinverse of a declared matrix, and no name of its own?"""
        shape = self.context.shapes.get(word, ())
        matrix = len(shape) == 2 and 1 not in shape
        return matrix and not self.whole_words and add_layer(word, "plus") not in self.context.names

    def has_axis(self, word: str) -> bool:
        """Is the word a function that goes along an axis?"""
        op = TABLE.get(known_function(word) or "")
        return op is not None and word not in self.context.names and bool(signature(op).axis)

    def named(self, name: str, token: Token, span: Span) -> Expr:
        identity = identity_function(name[0]) if name[0] == "I" and name not in self.context.names else None
        if identity is not None and name[1:2] in ("", "_") and len(name) > 2:
            return Call(identity, (Name(name[2:], span),), (), span)
        return self.symbol(name, token, span)

    def full_name(self, base: str, scripts: Scripts) -> str:
        """The name with its layers; a number above is a layer where that name is declared and the plain one is not."""
        name = drop_underscore(base)
        names = self.context.names
        for label in scripts.labels:
            name = add_layer(name, label)
        name = drop_underscore(name)
        if scripts.maybe:
            value, _ = scripts.maybe[0]
            layered = add_layer(name, label_of(value))
            plain = name in names or name in self.context.scalars
            letter = value in _LAYER_LETTERS or value[:2] in ("l+", "l-", "L-") or value[:2] in ("t-", "t+")
            layer = layered in names or (not plain and (letter or (value.isdigit() and self.context.layered)))
            if layer and not (plain and layered not in names):
                scripts.maybe.clear()
                return layered
        if name not in names and names:
            tight = name.replace("_", "")
            if tight in names:
                return tight
        return name

    def with_scripts(self, node: Expr, scripts: Scripts, token: Token) -> Expr:
        for prime in scripts.primes:
            node = self.applied(node, "prime", "", prime)
        for value, here in scripts.maybe:
            node = self.applied(node, "maybe", value, here)
        for kind, here in scripts.after:
            node = self.applied(node, kind, here.text, here)
        return node

    def applied(self, node: Expr, kind: str, value: str, token: Token) -> Expr:
        raise NotImplementedError

    # -- functions

    def function_of(
        self, token: Token, base: str, full: str, scripts: Scripts, called: bool, blank: bool
    ) -> str | None:
        """The function that a word is here, or None."""
        context = self.context
        if full in context.names or base in context.names or base in context.scalars:
            letter = None if token.text.isascii() else known_function(token.text)
            if letter is not None and called:
                raise error_at("ambiguous-call", token, function=letter, name=base)
            return None
        candidates = [full, base, token.text] + ([base.lower()] if base.lower() != base else [])
        for word in candidates:
            if word in context.functions:
                return word
        for word in candidates:
            plain, primes = without_primes(word)
            known = known_function(plain)
            bare = token.text.isascii() and self.bare_argument()
            if known is not None and (called or scripts.primes or bare):
                if word == base and scripts.labels:
                    if context.closed and base in context.functions:
                        return None
                    context.note(f"{base} of layer {scripts.labels[0]} is read as {base}.")
                return known + PRIME * primes
        helper = self.derivative_helper(base)
        if helper is not None and called:
            return helper
        if not called or (blank and not scripts.primes):
            return None
        identity = identity_function(full)
        if identity is not None:
            return identity
        function = context.function(full, token, called=True, glued=True)
        argument = self.tokens[self.i + 1]
        layer, other = re.search(r"\d+$", full), re.search(r"\d+$", argument.text)
        alone = self.closing[self.i] == self.i + 2 and argument.kind == "word"
        if alone and layer and other and layer.group() != other.group() and full not in context.functions:
            raise context.unknown_function(full, token)
        return function

    def stacked(self, base: str, token: Token) -> Expr | None:
        """`h_θ(x^(i))`, `φ(x_i)`: entry or row i of what is declared as h, or as Φ."""
        names = self.context.names
        base = base.partition("_")[0]
        array = base if base in names else base.capitalize() if base.capitalize() in names else ""
        inside = text_of(self.tokens[self.i + 1 : self.closing[self.i]])
        found = re.fullmatch(r"[A-Za-z]+(?:_\{?([ijk])\}?|\^\{?\(?([ijk])\)?\}?)", inside)
        if not array or found is None or base in self.context.functions or known_function(base) is not None:
            return None
        self.i = self.closing[self.i] + 1
        span = span_of(token, self.tokens[self.i - 1])
        letter = found.group(1) or found.group(2)
        self.context.note(f"{base} of sample {letter} is read as entry {letter} of {array}.")
        return Index(Name(array, span), (Text(letter, span),), span)

    def bare_argument(self) -> bool:
        """Does an argument without a bracket follow: `log det X`, `log|Σ|`?"""
        token = self.tokens[self.i]
        return token.kind in ("word", "number") or token.text in ("|", "||", "{", "[", "√")

    def applied_function(self, name: str, scripts: Scripts, token: Token) -> Expr:
        opened = self.tokens[self.i]
        name += PRIME * len(scripts.primes)
        if opened.text == "(":
            node: Expr = self.call(name, token)
        elif self.bare_argument():
            inner = self.operand()
            node = Call(name, (inner,), (), join(span_of(token), inner.span))
        elif self.is_argument(token):
            return Name(name, span_of(token))
        elif scripts.primes and not token.text.isascii():  # δ w σ′: the value of the derivative, as a quantity
            quantity = fold(token.text, token.line, token.column) + PRIME * len(scripts.primes)
            self.context.note(f"{token.text}′ without its argument is read as a quantity of its own, {quantity}.")
            return Name(quantity, span_of(token))
        else:
            raise error_at("function-without-bracket", token)
        if scripts.axis and isinstance(node, Call):
            along = Number(Fraction(scripts.axis), scripts.axis, span_of(token))
            node = replace(node, keywords=(("axis", along),))
        for value, here in scripts.maybe:
            node = self.applied(node, "power", value, here)
        for kind, here in scripts.after:
            node = self.applied(node, kind, here.text, here)
        return node

    def call(self, name: str, token: Token) -> Expr:
        node = super().call(name, token)
        if isinstance(node, Call) and not node.keywords:
            node = replace(node, name=of_two(node.name, list(node.arguments), self.context))
        return self.with_axes(node)

    def with_axes(self, node: Expr) -> Expr:
        raise NotImplementedError

    def ones(self, token: Token) -> Expr:
        """𝟙[z > 0] is 1 where it holds; 𝟙 alone is a column of ones whose size follows from its neighbours.

        Sizes stand below it or in brackets, as the table writes them: 𝟏(n, m).
        """
        self.i += 1
        name = (structured_by("zeros") if token.text == _NOUGHT else structured_by("ones")).name
        opened = self.tokens[self.i]
        if opened.text in ("[", "(", "{") and not opened.blank:
            return self.in_brackets_of_ones(name, token)
        sizes = self.sizes_below()
        if sizes:
            return self.with_scripts(Call(name, sizes, (), span_of(token)), self.scripts(), token)
        scripts = self.scripts()
        size = Name(scripts.labels[0], span_of(token)) if scripts.labels else Name(UNKNOWN, span_of(token))
        return self.with_scripts(Call(name, (size,), (), span_of(token)), scripts, token)

    def in_brackets_of_ones(self, name: str, token: Token) -> Expr:
        opened = self.tokens[self.i]
        self.i += 1
        inside = [self.expression()]
        if isinstance(inside[0], Compare) and token.text != _NOUGHT:
            self.i += 1
            one, zero = Number(Fraction(1), "1", span_of(token)), Number(Fraction(0), "0", span_of(token))
            return Call(self.choice_name(), (inside[0], one, zero), (), join(span_of(token), inside[0].span))
        while self.tokens[self.i].text == ",":
            self.i += 1
            inside.append(self.expression())
        here = self.tokens[self.i]
        if opened.text != "(" or here.text != ")" or not all(self.context.is_number(size) for size in inside):
            raise self.unexpected(here)
        self.i += 1
        return Call(name, tuple(inside), (), span_of(token, here))

    def sizes_below(self) -> tuple[Expr, ...]:
        """The sizes in `_{n × m}`, which is taken; none where anything else stands there."""
        if self.tokens[self.i].text != "_" or self.tokens[self.i + 1].text != "{":
            return ()
        close = self.closing[self.i + 1]
        if not any(token.text == "×" for token in self.tokens[self.i : close]):
            return ()
        self.i += 2
        sizes = [self.factor()]
        while self.tokens[self.i].text == "×":
            self.i += 1
            sizes.append(self.factor())
        if self.i != close:
            raise self.unexpected(self.tokens[self.i])
        self.i += 1
        return tuple(sizes)

    @staticmethod
    def choice_name() -> str:
        """The function that takes one of two values by a condition."""
        return next(name for name, op in TABLE.items() if op.takes.startswith("C,"))

    # -- words taken apart

    def taken_apart(self, base: str, full: str, token: Token) -> list[str]:
        """The declared names that a word is made of, ᵀ for a T behind one; the word itself where it is none."""
        names = self.context.names | self.context.scalars
        adjoint = base[0] == "d" and (base[1:] in names or base[1:].rstrip("_") in names)
        if self.dialect is not CODE and base not in names and re.fullmatch(r"[A-Za-z]+\d+T", base):
            self.context.note(f"{base} is read as {base[:-1]} transposed.")
            return [base[:-1], "ᵀ"]
        if self.whole_words or adjoint or len(base) < 2 or known_function(base) is not None:
            return [full]
        split = self.split(base, names)
        if split is None:
            if mixed_scripts(token.text) and full not in names:
                raise error_at("ambiguous-word", token)
            if _CAPITALS.match(full):
                self.context.note(f"{full} is read as one name; write {_taken_apart(full)} for the product.")
            return [full]
        self.context.note(f"{base} is read as {' '.join(split)}.")
        return split

    def split(self, base: str, names: set[str]) -> list[str] | None:
        longest = max(map(len, names), default=0)
        best: list[list[str] | None] = [None] * (len(base) + 1)
        best[len(base)] = []
        for start in range(len(base) - 1, -1, -1):
            for stop in range(min(len(base), start + longest), start, -1):
                rest = best[stop]
                if rest is None:
                    continue
                piece = base[start:stop]
                ends = stop == len(base) and any(n.startswith(piece) and not n[len(piece) :].isalpha() for n in names)
                transposes = piece == "T" and "T" not in names and start > 0
                if (
                    piece in names
                    or transposes
                    or (ends and piece not in names and self.tokens[self.i - 1].text != base)
                ):
                    best[start] = ["ᵀ" if transposes else piece, *rest]
                    break
        whole = best[0]
        return whole if whole is not None and len(whole) > 1 else None

    # -- what the classes that extend this one say

    def products(self) -> Expr:
        raise NotImplementedError

    def soft_product(self, left: Expr, right: Expr) -> Expr:
        raise NotImplementedError

    @staticmethod
    def total() -> str:
        raise NotImplementedError

    def module_follows(self, token: Token) -> bool:
        raise NotImplementedError

    def library(self, token: Token) -> Expr:
        raise NotImplementedError

    def entry_of_dictionary(self, token: Token) -> Expr:
        raise NotImplementedError

    def derivative_helper(self, base: str) -> str | None:
        raise NotImplementedError

    def derivative_follows(self, k: int) -> bool:
        raise NotImplementedError


def _taken_apart(word: str) -> str:
    """How the product would be typed: W X, X^T W."""
    return " ".join(re.findall(r"[A-Za-z][0-9]*", word)).replace(" T", "^T")


def mixed_scripts(text: str) -> bool:
    """A Greek letter and a Latin one in one word, as in `λw`; a leading d (`dθ`) does not count."""
    letters = text[1:] if text[0] == "d" else text
    return any(c in GREEK for c in letters) and any(c.isascii() and c.isalpha() for c in letters)
