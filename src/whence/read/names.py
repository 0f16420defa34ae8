"""Letters with their scripts, words taken apart, derivatives as names, sums over all entries."""

from __future__ import annotations

import re
from keyword import iskeyword

from whence.ops.table import TABLE, in_role, structured_by
from whence.read.grammar import SYMBOL_LIMIT, Parser
from whence.read.indexed import OVER
from whence.read.letters import add_layer, drop_underscore, fold
from whence.read.lexer import Token
from whence.read.places import error_at, join, limit_at, span_of
from whence.read.scripts import Scripts, label_of, subscript_label, superscript_items, text_of
from whence.read.syntax import Binary, Call, Compare, Expr, Index, Name, Number, Span, Transpose, Tuple
from whence.read.vocabulary import PRIME, entry, identity_function, known_function, without_primes
from whence.read.walk import walk

_INDICES = re.compile("[ijkpqrab]{1,3}")  # letters that count entries
_LAYER_LETTERS = frozenset({"l", "L"})
_ONES = frozenset({"𝟙", "𝟏"})
_SIMPLE_LAYER = re.compile(r"-?\d+\Z|[A-Za-z]\w*(?:[+-]\d+)?\Z")


class Names(Parser):
    """What a word with its scripts stands for."""

    style: str
    inside_index = False
    whole_words = False  # no word is taken apart: on the left of =

    # -- scripts

    def scripts(self, *, layers: bool = True) -> Scripts:
        """Take the scripts that stand here."""
        out = Scripts()
        while True:
            token = self.tokens[self.i]
            if token.kind == "sub" and not token.blank:
                self.i += 1
                out.labels.append(text_of([token]))
            elif token.text == "_" and token.kind == "op":
                self.i += 1
                self.below(self.script_text(), out)
            elif token.kind == "prime":
                self.i += 1
                out.primes.append(token)
            elif token.text == "[" and not token.blank and layers and not out.after and self.layer_in_brackets():
                out.labels.append(label_of(self.bracket_text()))
            elif token.text == "{" and not token.blank and self.tokens[self.i + 1].text == "[":
                self.above(superscript_items(self.braced()), out, token)
            elif token.kind == "word" and token.text[0] == "T" and self.glued_transpose(token, out):
                continue
            elif token.kind == "sup" and not out.after:
                self.i += 1
                self.above(superscript_items(text_of([token])), out, token)
            elif token.text == "^":
                start = self.i
                items = self.caret_items()
                if items is None:
                    self.i = start
                    return out
                if not items:
                    raise error_at("empty-superscript", token)
                self.above(items, out, token)
            else:
                return out

    def glued_transpose(self, token: Token, out: Scripts) -> bool:
        """`W^[2]TdZ^[2]`: a T glued to a layer transposes, the rest is the next word."""
        closed = self.tokens[self.i - 1].text in ("]", "}") and not token.blank
        if not closed or token.text in self.context.names or "T" in self.context.names or not out.labels:
            return False
        if len(token.text) > 1 and not token.text[1].isalpha():
            return False
        out.after.append(("T", token._replace(text="", end=token.column + 1)))
        if len(token.text) == 1:
            self.i += 1
        else:
            self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
        return True

    def below(self, text: str, out: Scripts) -> None:
        label = subscript_label(text)
        if not label:
            raise error_at("bad-layer", self.tokens[self.i - 1], found=text)
        out.labels.append(label)

    def above(self, items: list[tuple[str, str]] | None, out: Scripts, token: Token) -> None:
        if items is None:
            raise error_at("bad-superscript", token)
        here = token._replace(end=self.tokens[self.i - 1].end)
        for kind, value in items:
            if kind == "layer":
                out.labels.append(value)
            elif kind == "prime":
                out.primes.append(here)
            elif kind == "maybe" and not out.after:
                out.maybe.append((value, here))
            else:
                out.after.append((kind if kind != "maybe" else "power", here._replace(text=value)))

    def layer_in_brackets(self) -> bool:
        close = self.closing[self.i]
        text = text_of(self.tokens[self.i + 1 : close])
        before = self.tokens[self.i - 1].text
        if (self.style == "code" and before in self.context.names) or f"{before}[{text}]" in self.context.definitions:
            return False
        return bool(_SIMPLE_LAYER.match(text)) and self.tokens[self.i + 1].kind != "text"

    def bracket_text(self) -> str:
        close = self.closing[self.i]
        text = text_of(self.tokens[self.i + 1 : close])
        self.i = close + 1
        return text

    def braced(self) -> str:
        close = self.closing[self.i]
        text = text_of(self.tokens[self.i + 1 : close])
        self.i = close + 1
        return text

    def script_text(self) -> str:
        """The text of the group, or of the one sign, that stands here."""
        token = self.tokens[self.i]
        if token.text == "{":
            if self.closing[self.i] == self.i + 1:
                raise error_at("empty-superscript", token)
            return self.braced()
        if token.kind == "end":
            raise error_at("missing-operand", self.tokens[self.i - 1], side="right")
        self.i += 1
        return text_of([token])

    def caret_items(self) -> list[tuple[str, str]] | None:
        """What the superscript after the caret here means; None where it is a formula (nothing is taken then)."""
        start = self.i
        self.i += 1
        token = self.tokens[self.i]
        if token.kind == "end" or (token.kind == "op" and token.text in (")", "]", ",", "=")):
            raise error_at("missing-operand", self.tokens[start], side="right")
        if token.kind == "sup":
            self.i += 1
            return superscript_items(text_of([token]))
        if token.kind == "word" and token.text[0] == "T" and len(token.text) > 1 and "T" not in self.context.scalars:
            self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
            return [("T", "")]
        if token.text in ("{", "[", "(", "⟨"):
            close = self.closing[self.i]
            inside = text_of(self.tokens[self.i + 1 : close])
            whole = inside if token.text == "{" else f"{token.text}{inside}{self.tokens[close].text}"
            if token.text == "(" and inside in ("T", "-1", "-T"):
                whole = inside
            if not inside:
                self.i = close + 1
                raise error_at("empty-superscript", self.tokens[start])
            items = superscript_items(whole)
            declared = inside in self.context.scalars or inside in self.context.names
            if items is not None and not (declared and items[0][0] == "layer" and token.text == "{"):
                self.i = close + 1
                if token.text == "[" and self.tokens[self.i].text == "T" and not self.tokens[self.i].blank:
                    self.i += 1
                    items.append(("T", ""))
                return items
            self.i = start
            return None
        if token.text == "-" and self.tokens[self.i + 1].text in ("1", "T"):
            self.i += 2
            return superscript_items("-" + self.tokens[self.i - 1].text)
        if token.kind == "prime":
            self.i += 1
            return [("prime", "")]
        if token.kind in ("word", "number") or token.text in ("*", "+"):
            if token.kind == "word" and len(token.text) > 1 and token.text not in self.context.scalars | self.context.names:
                return self.first_letter(token)
            self.i += 1
            return superscript_items(text_of([token]))
        self.i = start
        return None

    def first_letter(self, token: Token) -> list[tuple[str, str]] | None:
        if token.text.isalpha() and token.text[0] not in "tlL":
            self.i += 1
            return [("layer", token.text)]
        self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
        return superscript_items(token.text[0])

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
        if iskeyword(token.text) and token.text != "lambda":
            raise error_at("reserved-name", token)
        if token.text == "lambda" and self.style == "code":
            raise error_at("reserved-name", token)
        if token.text in _ONES:
            return self.ones(token)
        base = fold(token.text, token.line, token.column)
        base = "lam" if base == "lambda" else base
        at_word = self.i
        self.i += 1
        if base.endswith("_") and self.tokens[self.i].text == "{" and not self.tokens[self.i].blank:
            label = subscript_label(self.script_text())
            base += label
            if not label:
                raise error_at("bad-layer", token)
        if base == "e" and self.tokens[self.i].text == "^" and "e" not in self.context.names:
            self.i += 1
            exponent = self.operand() if self.tokens[self.i].text != "-" else self.factor()
            return Call(in_role("exponential").name, (exponent,), (), join(span_of(token), exponent.span))
        if base == "Delta" and self.style == "latex" and self.tokens[self.i].kind == "word":
            following = self.tokens[self.i]
            base = "Delta_" + fold(following.text, following.line, following.column)
            self.i += 1
        if base.endswith("_") and self.tokens[self.i].kind in ("word", "number") and not self.tokens[self.i].blank:
            base += subscript_label(self.script_text())
        scripts = self.scripts()
        called = self.tokens[self.i].text == "(" and base not in self.context.functions
        if called and base.startswith(structured_by("transpose").name):
            inner = self.bracket()
            return Transpose(inner, False, join(span_of(token), inner.span))
        if base == "t" and self.tokens[self.i].text == "(" and "t" not in self.context.names:
            inner = self.bracket()
            return Transpose(inner, False, join(span_of(token), inner.span))
        return self.meaning(base, scripts, token, at_word)

    def meaning(self, base: str, scripts: Scripts, token: Token, at_word: int) -> Expr:
        context = self.context
        full = self.full_name(base, scripts)
        called = self.tokens[self.i].text == "(" or (self.style == "latex" and self.tokens[self.i].text == "{")
        blank = self.tokens[self.i].blank
        stacked = self.stacked(base, token) if called else None
        if stacked is not None:
            return self.with_scripts(stacked, scripts, token)
        function = self.function_of(token, base, full, scripts, called, blank)
        if function is not None:
            return self.applied_function(function, scripts, token)
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
        bar = bar if re.fullmatch(_INDICES, tail) else ""
        labels = [*([tail] if bar else []), *scripts.labels, *(v for v, _ in scripts.maybe if v in "ijk")]
        root = head if bar else base
        if self.whole_words:
            return None
        if full in names or not labels or not names or not all(re.fullmatch(_INDICES, label) for label in labels):
            return None
        array = root if root in names else root.upper() if root.upper() in names and len(root) == 1 else ""
        if not array:
            return None
        span = Span(token.line, token.column, token.line, self.tokens[self.i - 1].end)
        letters = [c for label in labels for c in label]
        node: Expr = Index(Name(array, span), tuple(Name(c, span) for c in letters), span)
        scripts.maybe = [(v, t) for v, t in scripts.maybe if v not in "ijk"]
        return self.with_scripts(node, scripts, token)

    def named(self, name: str, token: Token, span: Span) -> Expr:
        identity = identity_function(name[0]) if name[0] == "I" and name not in self.context.names else None
        if identity is not None and name[1:2] in ("", "_") and len(name) > 2:
            return Call(identity, (Name(name[2:], span),), (), span)
        self.symbols.add(name)
        if len(self.symbols) > SYMBOL_LIMIT:
            raise limit_at("too-many-symbols", token, SYMBOL_LIMIT)
        return Name(name, span)

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
            letter = known_function(token.text) if not token.text.isascii() and full not in context.names else None
            if letter is None or not (called or scripts.primes) or base in context.names:
                return None
        candidates = [full, base, token.text] + ([base.lower()] if len(base) > 1 or base in "F" else [])
        for word in candidates:
            if word in context.functions:
                return word
        for word in candidates:
            plain, primes = without_primes(word)
            known = known_function(plain)
            if known is not None and (called or scripts.primes or self.bare_argument()):
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
        return Index(Name(array, span), (Name(letter, span),), span)

    def bare_argument(self) -> bool:
        """Does an argument without a bracket follow: `log det X`, `log|Σ|`?"""
        token = self.tokens[self.i]
        return token.kind == "word" or token.text in ("|", "||", "{", "√") or (token.kind == "number" and token.blank)

    def applied_function(self, name: str, scripts: Scripts, token: Token) -> Expr:
        opened = self.tokens[self.i]
        name += PRIME * len(scripts.primes)
        if opened.text == "(":
            node: Expr = self.call(name, token)
        elif self.starts_bare(opened):
            inner = self.operand()
            node = Call(name, (inner,), (), join(span_of(token), inner.span))
        elif self.is_argument(token):
            return Name(name, span_of(token))
        else:
            raise error_at("function-without-bracket", token)
        for value, here in scripts.maybe:
            node = self.applied(node, "power", value, here)
        for kind, here in scripts.after:
            node = self.applied(node, kind, here.text, here)
        return node

    def starts_bare(self, token: Token) -> bool:
        return token.kind in ("word", "number") or token.text in ("|", "||", "{", "[", "√")

    def call(self, name: str, token: Token) -> Expr:
        return self.with_axes(super().call(name, token))

    def with_axes(self, node: Expr) -> Expr:
        raise NotImplementedError

    def ones(self, token: Token) -> Expr:
        """𝟙[z > 0] is 1 where it holds; 𝟙 alone is a column of ones whose size follows from its neighbours."""
        self.i += 1
        where = self.choice_name()
        opened = self.tokens[self.i]
        if opened.text in ("[", "(", "{") and not opened.blank:
            self.i += 1
            inner = self.expression()
            if isinstance(inner, Compare):
                self.i += 1
                one, zero = Number(1, "1", span_of(token)), Number(0, "0", span_of(token))  # type: ignore[arg-type]
                return Call(where, (inner, one, zero), (), join(span_of(token), inner.span))
            raise self.unexpected(self.tokens[self.i])
        scripts = self.scripts()
        name = structured_by("ones").name
        size = Name(scripts.labels[0], span_of(token)) if scripts.labels else Name("?", span_of(token))
        return self.with_scripts(Call(name, (size,), (), span_of(token)), scripts, token)

    @staticmethod
    def choice_name() -> str:
        """The function that takes one of two values by a condition."""
        return next(name for name, op in TABLE.items() if op.takes.startswith("C,"))

    # -- words taken apart

    def taken_apart(self, base: str, full: str, token: Token) -> list[str]:
        """The declared names that a word is made of, ᵀ for a T behind one; the word itself where it is none."""
        names = self.context.names | self.context.scalars
        adjoint = base[0] == "d" and (base[1:] in names or base[1:].rstrip("_") in names)
        if self.whole_words or adjoint or not names or len(base) < 2 or known_function(base) is not None:
            return [full]
        split = self.split(base, names)
        if split is None:
            return [full]
        self.context.note(f"{base} is read as {' '.join(split)}.")
        return split

    def split(self, base: str, names: set[str]) -> list[str] | None:
        longest = max(map(len, names))
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
                if piece in names or transposes or (ends and piece not in names and self.tokens[self.i - 1].text != base):
                    best[start] = ["ᵀ" if transposes else piece, *rest]
                    break
        whole = best[0]
        return whole if whole is not None and len(whole) > 1 else None

    # -- derivatives that are names

    def derivative_follows(self, k: int) -> bool:
        """`dJ/dW`, and `((∂ …) / (∂ …))` as a fraction gives it."""
        token = self.tokens[k]
        if token.kind == "word" and token.text[0] == "d" and token.text not in self.context.names and len(token.text) > 1:
            ahead = k + 1
            while self.tokens[ahead].text in ("[", "^", "_", "{") or self.tokens[ahead].kind in ("sub", "sup"):
                ahead = self.closing[ahead] + 1 if self.closing[ahead] else ahead + 1
                if self.tokens[ahead - 1].text in ("^", "_") and self.tokens[ahead].kind in ("word", "number"):
                    ahead += 1
            below = self.tokens[ahead + 1] if ahead + 1 < len(self.tokens) else token
            return self.tokens[ahead].text == "/" and below.kind == "word" and below.text[0] == "d" and len(below.text) > 1 and below.text not in self.context.scalars and self.is_differential(below.text)
        if token.text == "(" and self.tokens[k + 1].text == "(":
            close = self.closing[k + 1]
            below = self.tokens[close + 2] if close + 2 < len(self.tokens) else token
            top, bottom = self.tokens[k + 2], self.tokens[close + 3] if close + 3 < len(self.tokens) else token
            if self.tokens[close + 1].text == "/" and below.text == "(" and self.closing[close + 2] + 1 == self.closing[k]:
                both = top.text == "∂" and bottom.text == "∂"
                total = top.kind == bottom.kind == "word" and top.text[0] == bottom.text[0] == "d" and self.is_differential(bottom.text)
                return both or (total and top.text not in self.context.names and (len(top.text) > 1 or top.text == "d"))
        return False

    def is_differential(self, text: str) -> bool:
        rest = text[1:].split("_")[0].rstrip("0123456789")
        return text == "d" or len(rest) == 1 or rest[:1].isupper() or not text.isascii() or rest in self.context.names or rest.split("_")[0] in ("loss", "out", "sigma", "theta", "beta", "gamma", "alpha", "mu", "delta") or text[1:] in self.context.names

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
        elif token.kind == "word" and token.text[0] == "d":
            self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1)
        elif not numerator:
            raise error_at("derivative-quotient", token, found=token.text)
        braces = self.tokens[self.i].text == "{"
        close = self.closing[self.i]
        self.i += braces
        word = self.tokens[self.i]
        if word.kind != "word":
            if numerator:
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
        if definition is not None and above not in context.dialect.costs:
            slope = self.slope(definition, below)
            if slope is None:
                raise error_at("derivative-quotient", token._replace(end=span.end), found=f"d{above}/d{below}")
            return slope
        name = "d" + below
        head, bar, tail = name.rpartition("_")
        if bar and name not in context.names and head in context.names and re.fullmatch(_INDICES, tail):
            return Index(Name(head, span), tuple(Name(c, span) for c in tail), span)
        context.note(f"The derivative of {above or 'the value'} by {below} is called {name}.")
        return self.named(name, token, span)

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

    def summation(self, token: Token) -> Expr:
        """Σ of the product that follows: all entries are added up."""
        self.i += 1
        letters: list[str] = []
        while self.tokens[self.i].text in ("_", "^") or self.tokens[self.i].kind == "sub":
            below = self.tokens[self.i].text != "^"
            self.i += self.tokens[self.i].kind != "sub"
            text = self.script_text()
            if below:
                letters += re.findall("[a-z]", text.partition("=")[0])
        inner = self.products()
        indexed = letters and any(isinstance(node, Index) for node in walk(inner))
        over = ((OVER, Tuple(tuple(Name(letter) for letter in letters))),) if indexed else ()
        return Call(self.total(), (inner,), over, join(span_of(token), inner.span))

    def products(self) -> Expr:
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

