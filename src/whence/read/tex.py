"""LaTeX to tokens: commands become the signs and letters of the lecture's notation, each at its place."""

from __future__ import annotations

import re

from whence.messages.errors import LimitError, ReadError
from whence.ops.table import in_role
from whence.read.lexer import TOKEN_LIMIT, Token, tokens_of
from whence.read.places import error_at

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
_SIGNS = {
    "cdot": "·", "times": "×", "odot": "⊙", "circ": "⊙", "bullet": "⊙", "ast": "*", "otimes": "⊗", "partial": "∂",
    "nabla": "∇", "sum": "∑", "leftarrow": ":=", "gets": ":=", "coloneqq": ":=", "triangleq": "=", "equiv": "=",
    "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "ne": "!=", "neq": "!=", "|": "||", "Vert": "||", "lVert": "||",
    "rVert": "||", "vert": "|", "lvert": "|", "rvert": "|", "{": "(", "}": ")", "lbrace": "(", "rbrace": ")",
    "langle": "⟨", "rangle": "⟩", "div": "/", "lbrack": "[", "rbrack": "]", "mid": "|", "colon": ":", "_": "_",
    "^": "^", "*": "*", "#": "#", "lt": "<", "gt": ">",
}  # fmt: skip
_DROPPED = frozenset(
    {"left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "displaystyle",
     "textstyle", "limits", "nolimits", "nonumber", "notag", "!", ",", ";", ":", " ", ">", "quad", "qquad", "cr",
     "\\", "hspace", "middle", "hfill", "relax", "scriptstyle", "hline", "$"}
)  # fmt: skip
_FONTS = frozenset(
    {"text", "mathrm", "mathbf", "mathsf", "mathit", "mathcal", "mathscr", "mathfrak", "mathtt", "mathbb", "bm",
     "boldsymbol", "textbf", "textit", "textrm", "mbox", "hbox", "operatorname", "rm", "bf", "it", "ensuremath",
     "mathop", "mathrel", "mathbin", "pmb", "vec", "underline", "boxed", "cancel", "texttt", "operatorname*", "textsf"}
)  # fmt: skip
_WITH_ARGUMENT_DROPPED = frozenset(
    {"begin", "end", "label", "tag", "color", "textcolor", "phantom", "vspace", "hspace"}
)
_MARKS = {"hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0304", "tilde": "\u0303",
          "widetilde": "\u0303"}  # fmt: skip
_UNDER = frozenset({"underbrace", "overbrace"})
_FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"})
_UPRIGHT = frozenset({"mathrm", "text", "textrm", "operatorname"})
_LETTERS = frozenset({"text", "mathrm", "textrm"})
_ARROWS = frozenset({"to", "rightarrow"})
_ONES, _NOUGHT = "𝟙", "𝟎"
_COMMAND = re.compile(r"\\(?:[A-Za-z]+\*?|.)|\\")


def tex_tokens(text: str, line: int = 1, offset: int = 0) -> list[Token]:
    """The tokens of one line of LaTeX, an `end` token last; a fraction is `((a)/(b))`.

    Raises ReadError for a brace that is never closed and for commands that have no meaning in a formula.

    >>> [t.text for t in tex_tokens(r"\\frac{1}{m} W^T")]
    ['(', '(', '1', ')', '/', '(', 'm', ')', ')', 'W', '^', 'T', '']
    """
    return _Tex(_pieces(text, line, offset)).run()


def _pieces(text: str, line: int, offset: int) -> list[Token]:
    """Commands as tokens of kind `command`, all between them as tokens of the common lexer."""
    out: list[Token] = []
    at, blank = 0, False
    for found in [*_COMMAND.finditer(text), None]:
        stop = found.start() if found else len(text)
        between = text[at:stop].replace("~", " ")
        if between.strip():
            inner = tokens_of(between.replace("&", " ").replace("$", " "), line, offset + at, after=bool(out))
            end = inner.pop()
            if inner and blank:
                inner[0] = inner[0]._replace(blank=True)
            out.extend(inner)
            blank = end.blank
        elif between:
            blank = True
        if found is not None:
            column = offset + found.start() + 1
            out.append(Token("command", found.group()[1:], line, column, column + len(found.group()), blank))
            at, blank = found.end(), False
    last = out[-1] if out else None
    out.append(Token("end", "", line, last.column if last else offset + 1, last.end if last else offset + 1, blank))
    return out


class _Tex:
    """One walk over the pieces; groups are read where a command takes them."""

    def __init__(self, pieces: list[Token]) -> None:
        self.pieces = pieces
        self.i = 0
        self.out: list[Token] = []
        self.blank = False
        self.depth = 0
        self.upright: Token | None = None  # a d in upright letters, which belongs to the letter behind it

    def run(self) -> list[Token]:
        while self.pieces[self.i].kind != "end":
            self.step()
        self.put(self.pieces[self.i])
        if len(self.out) > TOKEN_LIMIT:
            raise LimitError("too-many-tokens", line=self.out[0].line, column=1, limit=TOKEN_LIMIT)
        return self.out

    def put(self, token: Token, **changes: object) -> None:
        token = token._replace(**changes)  # type: ignore[arg-type]
        if self.blank:
            token = token._replace(blank=True)
        self.blank = False
        if self.upright is not None:
            token = self.joined(self.upright, token)
        self.out.append(token)

    def joined(self, upright: Token, token: Token) -> Token:
        """An upright d and the letter behind it are one name, that of a gradient: `\\mathrm{d}Z_2`."""
        self.upright = None
        if token.kind == "word" and not token.blank:
            return token._replace(text=upright.text + token.text, column=upright.column, blank=upright.blank)
        self.out.append(upright)
        return token

    def step(self) -> None:
        token = self.pieces[self.i]
        self.i += 1
        if token.kind != "command":
            self.put(token)
            return
        name = token.text
        if name in _GREEK:
            self.put(token, kind="word", text=_GREEK[name])
        elif name in ("top", "intercal", "mathsf{T}", "trans"):
            self.put(token, kind="sup", text="⊤")
        elif name in ("prime", "'"):
            self.put(token, kind="prime", text="'")
        elif name in ("[", "]", "(", ")"):
            self.escaped(token, name)
        elif name in _SIGNS:
            self.put(token, kind="op", text=_SIGNS[name])
        elif name in _DROPPED:
            self.dropped(token, name)
        elif name in _WITH_ARGUMENT_DROPPED:
            self.blank = True
            if self.pieces[self.i].text == "{":
                self.group()
        else:
            self.built(token, name)

    def dropped(self, token: Token, name: str) -> None:
        self.blank = self.blank or token.blank or name not in ("!", "left", "right")
        if name in ("left", "right") and self.pieces[self.i].text == ".":
            self.i += 1

    def escaped(self, token: Token, name: str) -> None:
        """`Z^\\[1\\]` of a forum; else the signs round a formula, which mean nothing in it."""
        before = self.out[-1] if self.out else None
        layer = (
            name == "["
            and before is not None
            and not token.blank
            and (before.kind in ("word", "prime") or before.text == "^")
        )
        closes = name == "]" and any(t.text == "[" for t in self.out)
        if layer or closes:
            self.put(token, kind="op", text=name)
        else:
            self.blank = True

    def built(self, token: Token, name: str) -> None:
        """Commands that take groups."""
        if name in _FRACTIONS:
            self.put(token, kind="op", text="(", blank=True)
            self.in_brackets(token)
            self.put(token, kind="op", text="/", blank=False)
            self.in_brackets(token)
            self.put(token, kind="op", text=")")
        elif name == in_role("root").name:
            self.put(token, kind="op", text="√")
            self.in_brackets(token)
        elif name in _MARKS:
            self.marked(token, _MARKS[name])
        elif name in _UNDER:
            self.argument(token)
            if self.pieces[self.i].text in ("_", "^"):
                self.i += 1
                self.group()
        elif name in _FONTS:
            self.font(token, name)
        elif name == "over":
            self.over(token)
        elif name in ("ldots", "dots", "cdots", "infty", "int", "prod", "lim", "to", "rightarrow", "Rightarrow"):
            raise error_at("unexpected-sign", token, found="\\" + name)
        elif not name[:1].isalpha():
            raise error_at("unexpected-character", token, found="\\" + name)
        else:
            self.put(token, kind="word", text=name.rstrip("*"))

    def group(self) -> list[Token]:
        """The pieces of the next argument: a group without its braces, or one piece (one digit of a number)."""
        first = self.pieces[self.i]
        if first.kind == "end":
            raise error_at("missing-operand", self.pieces[self.i - 1], side="right")
        if first.text != "{":
            if first.kind in ("number", "word") and len(first.text) > 1:
                head, rest = first.text[0], first.text[1:]
                if head == ".":
                    raise error_at("missing-operand", first, side="before")
                self.pieces[self.i] = first._replace(text=rest, column=first.column + 1, blank=False)
                return [first._replace(text=head, end=first.column + 1)]
            self.i += 1
            takes = first.kind == "command" and (first.text in _FONTS or first.text in _MARKS)
            return [first, *self.whole_group()] if takes and self.pieces[self.i].text == "{" else [first]
        return self.whole_group()[1:-1]

    def whole_group(self) -> list[Token]:
        """The pieces from an opening brace to the one that closes it."""
        first = self.pieces[self.i]
        depth, start = 0, self.i
        while True:
            piece = self.pieces[self.i]
            depth += (piece.text == "{" and piece.kind == "op") - (piece.text == "}" and piece.kind == "op")
            if piece.kind == "end":
                raise error_at("unclosed-bracket", first)
            self.i += 1
            if depth == 0:
                return self.pieces[start : self.i]

    def inner(self, pieces: list[Token], token: Token) -> list[Token]:
        if self.depth > 60:
            raise LimitError("too-deep", line=token.line, column=token.column, limit=60)
        end = Token("end", "", token.line, token.column, token.end, False)
        reader = _Tex([*pieces, end])
        reader.depth = self.depth + 1
        return reader.run()[:-1]

    def argument(self, token: Token) -> None:
        for piece in self.inner(self.group(), token):
            self.put(piece)

    def in_brackets(self, token: Token) -> None:
        self.put(token, kind="op", text="(", blank=False)
        self.argument(token)
        self.put(token, kind="op", text=")", blank=False)

    def marked(self, token: Token, mark: str) -> None:
        inner = self.inner(self.group(), token)
        words = [t for t in inner if t.kind == "word"]
        if not words or inner[0].kind != "word":
            raise error_at("unexpected-sign", token, found="\\" + token.text)
        first = inner[0]
        self.put(first._replace(text=first.text + mark, column=token.column, blank=token.blank))
        for piece in inner[1:]:
            self.put(piece)

    def font(self, token: Token, name: str) -> None:
        """A font changes nothing, but a bold 1 is the vector of ones, and a hyphen joins the words of a function."""
        if self.pieces[self.i].kind == "end" or name in ("rm", "bf", "it"):
            return
        inner = self.inner(self.group(), token)
        if name not in ("text", "mathrm", "mbox", "textrm") and [t.text for t in inner] == ["1"]:
            inner = [inner[0]._replace(kind="word", text=_ONES)]
        if name == "mathbf" and [t.text for t in inner] == ["0"] and self.pieces[self.i].text == "_":
            inner = [inner[0]._replace(kind="word", text=_NOUGHT)]
        if name == "operatorname" and len(inner) > 2 and all(t.kind == "word" or t.text == "-" for t in inner):
            inner = [inner[0]._replace(text="_".join(t.text for t in inner if t.kind == "word"), end=inner[-1].end)]
        if name in _LETTERS and self.pieces[self.i].text in _ARROWS:
            return self.letters(token, inner)
        if inner:
            inner[0] = inner[0]._replace(blank=token.blank or inner[0].blank)
        if name in _UPRIGHT and [t.text for t in inner] == ["d"] and self.pieces[self.i].kind in ("word", "command"):
            self.upright = inner[0]._replace(blank=inner[0].blank or self.blank)
            self.blank = False
            return
        for piece in inner:
            self.put(piece)

    def letters(self, token: Token, inner: list[Token]) -> None:
        """`\\text{ik,kj}\\to\\text{ij}`: the letters of a sum of products."""
        self.i += 1
        following = self.pieces[self.i]
        if following.text not in _LETTERS:
            raise error_at("unexpected-sign", token, found="\\to")
        self.i += 1
        after = self.inner(self.group(), token)
        text = "".join(t.text for t in inner) + "->" + "".join(t.text for t in after)
        self.put(token, kind="text", text=text, end=self.pieces[self.i - 1].end)

    def over(self, token: Token) -> None:
        """`{a \\over b}`: all to the left in the group is the numerator."""
        depth, at = 0, len(self.out)
        while at:
            text = self.out[at - 1].text
            if text in "}" and text:
                depth += 1
            elif text == "{":
                if depth == 0:
                    break
                depth -= 1
            at -= 1
        self.out.insert(at, token._replace(kind="op", text="("))
        self.put(token, kind="op", text=")", blank=False)
        self.put(token, kind="op", text="/")
        rest: list[Token] = []
        depth = 0
        while (piece := self.pieces[self.i]).kind != "end":
            depth += (piece.text == "{") - (piece.text == "}")
            if depth < 0:
                break
            rest.append(piece)
            self.i += 1
        if not rest:
            raise ReadError("missing-operand", line=token.line, column=token.column, found="\\over")
        self.put(token, kind="op", text="(")
        for inner in self.inner(rest, token):
            self.put(inner)
        self.put(token, kind="op", text=")", blank=False)
