"""Letters with their scripts, words taken apart, derivatives as names, sums over all entries."""

from __future__ import annotations

import re
from keyword import iskeyword

from whence.ops.table import TABLE, in_role, structured_by
from whence.read.grammar import SYMBOL_LIMIT, Parser
from whence.read.letters import add_layer, drop_underscore, fold
from whence.read.lexer import Token
from whence.read.places import error_at, join, limit_at, span_of
from whence.read.scripts import Scripts, label_of, subscript_label, superscript_items, text_of
from whence.read.syntax import Call, Compare, Expr, Index, Name, Number, Span, Transpose
from whence.read.vocabulary import PRIME, identity_function, known_function, without_primes

INDICES = re.compile("[ijkpqrab]{1,3}")  # letters that count entries
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
            elif token.kind == "word" and token.text[:1] == "T" and self.glued_transpose(token, out):
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
        if token.kind == "word" and token.text[:1] == "T" and len(token.text) > 1 and "T" not in self.context.scalars:
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
            if (
                token.kind == "word"
                and len(token.text) > 1
                and token.text not in self.context.scalars | self.context.names
            ):
                return self.first_letter(token)
            self.i += 1
            return superscript_items(text_of([token]))
        self.i = start
        return None

    def first_letter(self, token: Token) -> list[tuple[str, str]] | None:
        if token.text.isalpha() and token.text[:1] not in "tlL":
            self.i += 1
            return [("layer", token.text)]
        self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
        return superscript_items(token.text[:1])

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
        defines = self.tokens[self.i + 1].kind == "word" and self.tokens[self.i + 2].text == ":"
        if token.text == "lambda" and (self.style == "code" or defines):
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
        if self.style != "code" and base not in names and re.fullmatch(r"[A-Za-z]+\d+T", base):
            self.context.note(f"{base} is read as {base[:-1]} transposed.")
            return [base[:-1], "ᵀ"]
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
