"""The scripts of a letter, read: what stands below it, above it and in brackets behind it."""

from __future__ import annotations

import re

from whence.read.grammar import Parser
from whence.read.letters import add_layer
from whence.read.lexer import Token
from whence.read.places import error_at
from whence.read.scripts import Scripts, axis_below, label_of, subscript_label, superscript_items, text_of

_STEP = re.compile(r"([A-Za-z]\w*)[+-]\d+\Z")
_SIMPLE_LAYER = re.compile(r"-?\d+\Z|[A-Za-z]\w*(?:[+-]\d+)?\Z")


class Scripted(Parser):
    """Takes the scripts behind a word; what they mean for its name is said in `scripts` and `names`."""

    def scripts(self) -> Scripts:
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
                out.primes += [token] * (2 if token.text == "″" else 1)
            elif token.text == "[" and not token.blank and not out.after and self.layer_in_brackets():
                out.labels.append(label_of(self.group_text()))
            elif token.text == "{" and not token.blank and self.tokens[self.i + 1].text == "[":
                self.above(superscript_items(self.group_text()), out, token)
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
        if token.text.startswith("TT"):
            raise error_at("ambiguous-word", token)
        out.after.append(("T", token._replace(text="", end=token.column + 1)))
        if len(token.text) == 1:
            self.i += 1
        else:
            self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
        return True

    def below(self, text: str, out: Scripts) -> None:
        axis = axis_below(text)
        if axis:
            out.axis = axis
            return
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
        names = self.context.names
        indexed = before in names and add_layer(before, label_of(text) or "_") not in names
        if indexed or f"{before}[{text}]" in self.context.definitions:
            return False
        return bool(_SIMPLE_LAYER.match(text)) and self.tokens[self.i + 1].kind != "text"

    def group_text(self) -> str:
        """The text between the bracket here and the one that closes it, which is taken."""
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
            return self.group_text()
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
            return self.bracketed_items(start)
        if token.text == "-" and self.tokens[self.i + 1].text in ("1", "T"):
            self.i += 2
            return superscript_items("-" + self.tokens[self.i - 1].text)
        if token.kind == "prime":
            self.i += 1
            return [("prime", "")]
        sign = token.text in ("*", "+") and not token.blank and self.tokens[self.i + 1].kind not in ("word", "number")
        if token.kind in ("word", "number") or sign:
            if (
                token.kind == "word"
                and len(token.text) > 1
                and token.text not in self.context.scalars | self.context.names
            ):
                return self.first_letter(token)
            items = superscript_items(text_of([token]))
            self.i = start if items is None else self.i + 1
            return items
        if token.text in ("*", "+"):
            raise error_at("bad-superscript", self.tokens[start])
        self.i = start
        return None

    def bracketed_items(self, start: int) -> list[tuple[str, str]] | None:
        """What a superscript in brackets means: `^{[2]T}`, `^(l)`; None where it is a formula (nothing is taken)."""
        token, close = self.tokens[self.i], self.closing[self.i]
        inside = text_of(self.tokens[self.i + 1 : close])
        if not inside:
            raise error_at("empty-superscript", self.tokens[start])
        plain = token.text == "{" or inside in ("T", "-1", "-T")
        whole = inside if plain else f"{token.text}{inside}{self.tokens[close].text}"
        layered = add_layer(self.tokens[start - 1].text, inside)
        if token.text == "(" and inside.isdigit() and layered not in self.context.names:
            raise error_at("ambiguous-superscript", self.tokens[self.i + 1], found=f"^({inside})")
        items = superscript_items(whole)
        if items is None and token.text == "[":
            raise error_at("bad-layer", token)
        if items is None and inside.startswith("["):
            raise error_at("bad-superscript", self.tokens[start])
        declared = inside in self.context.scalars or inside in self.context.names
        declared = declared and items is not None and items[0][0] == "layer" and token.text == "{"
        if items is None or declared or self.of_number(start, inside):
            self.i = start
            return None
        self.i = close + 1
        if token.text == "[" and self.tokens[self.i].text == "T" and not self.tokens[self.i].blank:
            self.i += 1
            items.append(("T", ""))
        return items

    def of_number(self, start: int, inside: str) -> bool:
        """`a^(b - 1)`: with a number or a bracket below and a declared number above, no layer but a power."""
        below = self.tokens[start - 1].text
        step = _STEP.match(inside)
        return step is not None and step[1] in self.context.scalars and (below == ")" or below in self.context.scalars)

    def first_letter(self, token: Token) -> list[tuple[str, str]] | None:
        if token.text.isalpha() and token.text[:1] not in "tlL":
            self.i += 1
            return [("layer", token.text)]
        self.tokens[self.i] = token._replace(text=token.text[1:], column=token.column + 1, blank=False)
        return superscript_items(token.text[:1])
