"""The lecture's notation: layers, transposes, primes and words side by side, put into plain tokens.

`Z^[1]`, `Z[1]` and `Z₁` become the word Z1; `^T`, `ᵀ` and a glued T become a `sup` token; `Wx` becomes
two words where W and x are declared. What is left is read by the parser.
"""

from __future__ import annotations

import re

from whence.read.context import Context
from whence.read.letters import GREEK, SUBSCRIPTS, SUPERSCRIPTS, add_layer, drop_underscore, fold
from whence.read.lexer import TOKEN_LIMIT, Token
from whence.read.places import error_at, limit_at
from whence.read.vocabulary import known_function

_TRANSPOSES = ("T", "t")
_CAPITALS = re.compile(r"[A-Z][0-9]*(?:(?:[A-Z][0-9]*){1,3}|x)\Z")  # WX, Ax: may be a product


def normalise(tokens: list[Token], context: Context) -> list[Token]:
    """The tokens of a line in plain form. Raises ReadError where a decoration has no clear meaning."""
    plain = _derivative_names(_Pass(tokens, context).run(), context)
    if len(plain) > TOKEN_LIMIT + 1:  # words were taken apart
        raise limit_at("too-many-tokens", plain[TOKEN_LIMIT], TOKEN_LIMIT)
    return plain


class _Pass:
    """One walk from left to right over the tokens of a line."""

    def __init__(self, tokens: list[Token], context: Context) -> None:
        self.tokens = tokens
        self.context = context
        self.out: list[Token] = []
        self.i = 0

    def run(self) -> list[Token]:
        while self.i < len(self.tokens):
            token = self.tokens[self.i]
            if token.kind == "word":
                self.word(token)
            elif token.kind == "sup":
                self.i += 1
                self.superscript(token)
            elif token.kind == "sub" and self.out and self.out[-1].text in self.context.dialect.bars:
                self.i += 1
                self.out.append(token)
            elif token.kind == "sub":
                raise error_at("bad-layer", token)
            elif token.kind == "prime":
                self.i += 1
                self.out.append(_plain_prime(token))
            elif token.text == "^":
                self.caret(token)
            elif token.text == ".":
                self.dot(token)
            else:
                self.i += 1
                self.out.append(token)
        return self.out

    def at(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.i + ahead, len(self.tokens) - 1)]

    def dot(self, token: Token) -> None:
        """A dot is a product between blanks, or after a layer: `W^[1].dZ`. `Z.sum(0)` is Python."""
        before = self.tokens[self.i - 1].text if self.i else ""
        calls = self.at(1).kind == "word" and self.at(2).text == "("
        if not (token.blank and self.at(1).blank) and (before != "]" or calls):
            raise error_at("bad-attribute", token, found="." + self.at(1).text)
        self.i += 1
        self.out.append(token)

    # -- words and their layers

    def word(self, token: Token) -> None:
        """A word with what belongs to its name: subscripts, layers, and a prime that stands before the layer."""
        after_layer = self.i > 0 and self.tokens[self.i - 1].text == "]" and not token.blank
        if (after_layer or self._after_bracket(token)) and self.glued_transpose(token):
            return
        base = fold(token.text, token.line, token.column)
        base = "lam" if base == "lambda" else base
        self.i += 1
        end = token.end
        if base.endswith("_") and self.at().text == "{" and not self.at().blank:
            label, end = self.braced_label()
            base += label
        if self.at().kind == "sub" and not self.at().blank:
            sub = self.at()
            base = add_layer(base, "".join(SUBSCRIPTS[c] for c in sub.text))
            end = sub.end
            self.i += 1
        base = drop_underscore(base)
        count = 0
        while self.at(count).kind == "prime":
            count += 1
        primes = self.tokens[self.i : self.i + count] if self.layer_at(count) else []
        self.i += len(primes)
        plain = end == token.end
        layer, end = self.layer(end)
        pieces = self.pieces(base, layer, token._replace(end=end))
        if plain and not layer and [piece.text for piece in pieces] == [base]:
            self.context.spelling(base, token.text)
        self.out.extend(pieces)
        self.out.extend(_plain_prime(prime) for prime in primes)

    def _after_bracket(self, token: Token) -> bool:
        """`(A x - b)T`: a lone T glued to a closing bracket."""
        return self.i > 0 and self.tokens[self.i - 1].text == ")" and not token.blank and token.text == "T"

    def glued_transpose(self, token: Token) -> bool:
        """`W[2]TdZ[2]`: the T glued to a layer transposes, the rest is the next word."""
        if not token.text.startswith("T") or token.text in self.context.names:
            return False
        if "T" in self.context.names:
            raise error_at("ambiguous-word", token)
        self.out.append(Token("sup", "T", token.line, token.column, token.column + 1, False))
        rest = token.text[1:]
        if rest and not rest[0].isalpha():
            raise error_at("ambiguous-word", token, found=token.text)
        if rest:
            self.tokens[self.i] = token._replace(text=rest, column=token.column + 1, blank=False)
            if rest.startswith("T"):
                raise error_at("ambiguous-word", token, found=token.text)
            self.word(self.tokens[self.i])
        else:
            self.i += 1
        return True

    def braced_label(self) -> tuple[str, int]:
        """The label in `W_{ax}`, and where it ends."""
        opened = self.at()
        self.i += 1
        label = ""
        while self.at().text != "}":
            token = self.at()
            if token.kind not in ("word", "number") or not token.text.isalnum():
                raise error_at("bad-layer", token if token.kind != "end" else opened)
            label += fold(token.text, token.line, token.column)
            self.i += 1
        if not label:
            raise error_at("empty-superscript", opened)
        end = self.at().end
        self.i += 1
        return label, end

    def layer_at(self, ahead: int) -> bool:
        """Does a layer, `[1]` or `^[1]` or `^{[1]…}`, stand here?"""
        first = self.at(ahead)
        if first.text == "^":
            second = self.at(ahead + 1)
            return second.text == "[" or (second.text == "{" and self.at(ahead + 2).text == "[")
        return first.text == "[" and not first.blank and self._simple_content(ahead + 1)

    def _simple_content(self, ahead: int) -> bool:
        """A number, a word, or a word plus or minus a number, up to the closing bracket."""
        first, second = self.at(ahead), self.at(ahead + 1)
        if first.kind not in ("word", "number") or not first.text.isalnum():
            return False
        if second.text == "]":
            return True
        sum_ = second.text in ("+", "-") and self.at(ahead + 2).text.isdigit()
        return first.kind == "word" and sum_ and self.at(ahead + 3).text == "]"

    def layer(self, end: int) -> tuple[str, int]:
        """Take the layer that stands here; "" where there is none. In `^{[2]T}` the T stays for later."""
        if not self.layer_at(0):
            return "", end
        braces = self.at().text == "^" and self.at(1).text == "{"
        self.i += {"[": 0, "^": 1}[self.at().text] + braces
        opened = self.at()
        if not self._simple_content(1):
            raise error_at("bad-layer", opened)
        first, second = self.at(1), self.at(2)
        layer = fold(first.text, first.line, first.column)
        if second.text != "]":
            layer += {"+": "p", "-": "m"}[second.text] + self.at(3).text
        self.i += 3 if second.text == "]" else 5
        end = self.tokens[self.i - 1].end
        if braces:
            end = self.rest_of_braces()
        return layer, end

    def rest_of_braces(self) -> int:
        """What stands after the layer in `^{[2]T}`: pushed back behind the closing brace."""
        rest: list[Token] = []
        while self.at().text != "}":
            token = self.at()
            if token.text == "^" and self.at(1).text in _TRANSPOSES:
                self.i += 1
                continue
            if token.kind not in ("prime", "sup") and token.text not in _TRANSPOSES:
                raise error_at("bad-superscript", token if token.kind != "end" else self.tokens[self.i - 1])
            rest.append(token if token.kind in ("prime", "sup") else token._replace(kind="sup", text="ᵀ"))
            self.i += 1
        end = self.at().end
        self.tokens[self.i : self.i + 1] = rest
        return end

    # -- which words a word is made of

    def pieces(self, base: str, layer: str, token: Token) -> list[Token]:
        """The word, or the declared words that it is made of."""
        context = self.context
        full = add_layer(base, layer) if layer else base
        word = token._replace(text=full)
        names = context.names
        letter = None if token.text.isascii() else known_function(token.text)
        if letter is not None and not {base, full}.isdisjoint(names) and self._call_follows():
            raise error_at("ambiguous-call", token, function=letter, name=base)
        if full in names or full in context.functions:
            return [word]
        if letter is not None and base not in names and self._call_follows():
            return [token._replace(text=letter)]  # σ(Z) is a function, σ alone a name
        if layer and base not in names and (base in context.functions or known_function(base) is not None):
            if self._call_follows():
                if base in context.functions and context.closed:
                    raise context.unknown_function(full, token)
                context.note(f"{base} of layer {layer} is read as {base}.")
                return [token._replace(text=base)]
            return [word]
        if token.text == "Σ" and not layer:
            raise error_at("ambiguous-sum", token)
        if full == "x" and self._between_factors(token):
            raise error_at("ambiguous-word", token)
        mixed = _mixed_scripts(token.text)
        if not mixed and (known_function(base) is not None or full[0] == "d" and full[1:] in names):
            return [word]
        split = self.split(base, layer, names) or self.sizes(base, layer)
        if split is None:
            if mixed:
                raise error_at("ambiguous-word", token, found=token.text)
            if _CAPITALS.match(full):
                context.note(f"{full} is read as one name; write {_taken_apart(full)} for the product.")
            return [word]
        shown = " ".join(split)
        context.note(f"{full} is read as {shown}.")
        return [
            token._replace(kind="sup" if part == "ᵀ" else "word", text="T" if part == "ᵀ" else part)._replace(
                blank=token.blank if k == 0 else False
            )
            for k, part in enumerate(split)
        ]

    def _between_factors(self, token: Token) -> bool:
        """An undeclared x between two factors, where others are declared, may be a times sign."""
        if not self.context.names or not self.out or not token.blank or not self.at().blank:
            return False
        before = self.out[-1]
        ends = before.kind in ("word", "sup", "prime") or before.text in (")", "]", ".T")
        return ends and (self.at().kind == "word" or self.at().text == "(")

    def _call_follows(self) -> bool:
        """Does a bracket follow, with primes or with a power glued on (`σ²(x)`) between?"""
        ahead = 0
        while self.at(ahead).kind == "prime":
            ahead += 1
        if ahead == 0:
            power = self.at().kind == "sup" and all(SUPERSCRIPTS[c].isdigit() for c in self.at().text)
            ahead = 1 if power else 2 if self.at().text == "^" and self.at(1).text.isdigit() else 0
            if ahead and self.at(ahead).blank:
                return False
        return self.at(ahead).text == "("

    def sizes(self, base: str, layer: str) -> list[str] | None:
        """`nm` as the declared sizes n and m."""
        split = None if layer else self.split(base, "", self.context.scalars)
        return split if split is not None and "ᵀ" not in split else None

    def split(self, base: str, layer: str, names: set[str]) -> list[str] | None:
        """`base` as declared names, longest first, the last one with its layer; ᵀ for a T after a name."""
        if not names or len(base) < 2:
            return None
        longest = max(map(len, names))
        best: list[list[str] | None] = [None] * (len(base) + 1)  # best[k]: the pieces of base[k:]
        best[len(base)] = []
        for start in range(len(base) - 1, -1, -1):
            for stop in range(min(len(base), start + longest), start, -1):
                rest = best[stop]
                if rest is None:
                    continue
                piece = base[start:stop]
                if stop == len(base) and layer:
                    piece = add_layer(piece, layer)
                transposes = piece == "T" and "T" not in names and start > 0
                if piece in names or transposes:
                    best[start] = ["ᵀ" if transposes else piece, *rest]
                    break
        whole = best[0]
        return whole if whole is not None and len(whole) > 1 else None

    # -- superscripts

    def superscript(self, token: Token) -> None:
        """`ᵀ`, `²`, `⁻¹ᵀ`: one `sup` token each."""
        text = "".join(SUPERSCRIPTS[c] for c in token.text)
        last = self.out[-1] if self.out else None
        if text == "1" and last is not None and last.kind == "word":
            raise error_at("ambiguous-superscript", token, found=token.text)
        at = 0
        while at < len(text):
            stop = at + 1
            if text[at] != "T":
                while stop < len(text) and text[stop].isdigit():
                    stop += 1
            if text[at:stop] == "-":
                raise error_at("bad-superscript", token)
            self.out.append(token._replace(kind="sup", text=text[at:stop]))
            at = stop

    def caret(self, token: Token) -> None:
        """`^T`, `^{-1}`, `^2`: what stands after a caret that is no layer."""
        after = self.at(1)
        self.i += 1
        if after.kind == "word" and after.text[0] in _TRANSPOSES:
            self.caret_transpose(after)
        elif after.kind == "sup":
            return
        elif after.text == "-" and self.at(1).text == "1":
            self.i += 2
            self.out.append(token._replace(kind="sup", text="-1", end=self.tokens[self.i - 1].end))
        elif after.text == "{":
            self.braces(token)
        elif after.text == "(":
            self.bracketed_power(token)
        elif after.kind == "number" or after.text == "-" or after.kind == "word":
            self.out.append(token)
        else:
            raise error_at("missing-operand" if after.kind == "end" else "bad-superscript", token, found="^")

    def caret_transpose(self, word: Token) -> None:
        """`^T`, and `^TdZ`, where the T alone belongs to the caret."""
        if "T" in self.context.scalars and "T" in self.context.names:
            raise error_at("ambiguous-superscript", word)
        if len(word.text) > 1 and (word.text[0] == "t" or not word.text[1].isalpha()):
            raise error_at("bad-superscript", word)
        self.out.append(word._replace(kind="sup", text="T", end=word.column + 1, blank=False))
        if len(word.text) == 1:
            self.i += 1
        else:
            self.tokens[self.i] = word._replace(text=word.text[1:], column=word.column + 1, blank=False)

    def braces(self, caret: Token) -> None:
        """`^{T}`, `^{-1}`, `^{-T}`, `^{2}`; anything else in braces is an exponent in brackets."""
        inside: list[Token] = []
        ahead = 1
        while self.at(ahead).text != "}":
            if self.at(ahead).kind == "end" or self.at(ahead).text == "{":
                raise error_at("unclosed-bracket", self.at(), found="{")
            inside.append(self.at(ahead))
            ahead += 1
        text = "".join(t.text for t in inside)
        end = self.at(ahead).end
        if not inside:
            raise error_at("empty-superscript", caret)
        sup = caret._replace(kind="sup", end=end)
        shapes = {"T": ["T"], "t": ["T"], "⊤": ["T"], "ᵀ": ["T"], "-1": ["-1"], "-T": ["-1", "T"], "-1T": ["-1", "T"]}
        number_t = "T" in self.context.scalars and "T" in self.context.names
        if text in shapes and not (number_t and "T" in text):
            self.out.extend(sup._replace(text=part) for part in shapes[text])
            self.i += ahead + 1
        elif text == "-1" or text.isdigit():
            self.out.append(sup._replace(text=text))
            self.i += ahead + 1
        else:
            closing = self.i + ahead
            self.tokens[self.i] = self.tokens[self.i]._replace(text="(")
            self.tokens[closing] = self.tokens[closing]._replace(text=")")
            self.out.append(caret)

    def bracketed_power(self, caret: Token) -> None:
        """`a^(2)` may be a layer or a power; `^(1/2)` is a power, `^(-1)` and `^(T)` are what they are in braces."""
        inside = self.at(1)
        word = self.out[-1] if self.out else caret
        if self.at(2).text == ")" and inside.text.isdigit() and word.kind == "word":
            raise error_at("ambiguous-superscript", inside, found=f"^({inside.text})")
        minus_one = inside.text == "-" and self.at(2).text == "1" and self.at(3).text == ")"
        transposes = inside.text == "T" and self.at(2).text == ")" and "T" not in self.context.names
        if minus_one or transposes:
            self.i += 4 if minus_one else 3
            end = self.tokens[self.i - 1].end
            self.out.append(caret._replace(kind="sup", text="-1" if minus_one else "T", end=end))
        else:
            self.out.append(caret)


def _plain_prime(token: Token) -> Token:
    return token._replace(text="''" if token.text == "″" else "'")


def _derivative_names(tokens: list[Token], context: Context) -> list[Token]:
    """`∂J/∂W` and `dJ/dW` as the name dW, where J is a cost. Any other quotient of differentials is refused."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        width = _quotient_width(tokens, i, context.dialect.costs)
        if width == 0:
            if tokens[i].text == "∂":
                raise error_at("derivative-quotient", tokens[i], found="∂")
            out.append(tokens[i])
            i += 1
            continue
        above = tokens[i + width // 2 - 1].text
        below = tokens[i + width - 1]
        signs = width == 5  # with ∂ as tokens of their own
        numerator = above if signs else above[1:]
        if numerator not in context.dialect.costs or f"d{numerator}" in context.names:
            raise error_at("derivative-quotient", tokens[i]._replace(end=below.end), found=f"d{numerator}")
        name = f"d{below.text}" if signs else below.text
        context.note(f"The derivative of {numerator} by {name[1:]} is called {name}.")
        out.append(tokens[i]._replace(kind="word", text=name, end=below.end))
        i += width
    return out


def _quotient_width(tokens: list[Token], i: int, costs: frozenset[str]) -> int:
    """5 for ∂ J / ∂ W, 3 for dJ / dW, 0 for anything else."""
    if tokens[i].text == "∂":
        kinds = [t.kind for t in tokens[i : i + 5]]
        texts = [t.text for t in tokens[i : i + 5]]
        return 5 if kinds[1::2] == ["word", "op"] and texts[2:4] == ["/", "∂"] and kinds[4:] == ["word"] else 0
    if i + 2 >= len(tokens) or tokens[i + 1].text != "/":
        return 0
    above, below = tokens[i], tokens[i + 2]
    of_cost = above.kind == below.kind == "word" and above.text[0] == below.text[0] == "d" and above.text[1:] in costs
    return 3 if (of_cost and len(below.text) > 1) or (_is_differential(above) and _is_differential(below)) else 0


def _is_differential(token: Token) -> bool:
    """dZ1, dLoss, dx: a d before a capital or a single letter. `depth` and `d2` are none."""
    rest = token.text[1:].rstrip("0123456789")
    return token.kind == "word" and token.text[0] == "d" and (len(rest) == 1 or rest[:1].isupper() or rest == "loss")


def _taken_apart(word: str) -> str:
    """How the product would be typed: W X, X^T W."""
    parts = re.findall(r"[A-Za-z][0-9]*", word)
    return " ".join(parts).replace(" T", "^T")


def _mixed_scripts(text: str) -> bool:
    """A Greek letter and a Latin one in one word, as in `λw`; a leading d (`dθ`) does not count."""
    if text.isascii():
        return False
    letters = text[1:] if text[0] == "d" else text
    greek = any(c in GREEK for c in letters)
    return greek and any(c.isascii() and c.isalpha() for c in letters)
