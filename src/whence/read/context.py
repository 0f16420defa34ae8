"""What is known while a formula is read: declared names and functions, and what the reading found out."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, fields

from whence.messages.catalogue import nearest
from whence.messages.errors import ReadError
from whence.read.dialects import Dialect
from whence.read.lexer import Token
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Shape, Span, Transpose, symbols_of
from whence.read.vocabulary import PRIME, entry, identity_function, known_function, spellings, without_primes

_NUMBERS = ("[]", "[...]", "axis")  # what an entry gives where the value is a number of the whole array
_CLOSE_ENOUGH = 4  # from this length on, a word one letter away from a known function is taken for a slip


@dataclass(slots=True)
class Context:
    """The dialect and the declared names; `closed` where only the declared functions are functions."""

    dialect: Dialect
    names: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    closed: bool = False
    scalars: set[str] = field(default_factory=set)  # names known to be numbers
    shapes: dict[str, Shape] = field(default_factory=dict)  # those declared, and of targets what follows at once
    forced: bool = False  # the dialect was asked for, not guessed

    definitions: dict[str, Expr] = field(default_factory=dict)  # what was read before, by name
    rules: set[str] = field(default_factory=set)  # functions that a line of the text defines
    layered: bool = False  # a number above a letter was seen that is a layer
    above: set[str] = field(default_factory=set)  # what was differentiated in quotients that are names
    below: set[str] = field(default_factory=set)  # and by what
    soft_star: bool = False  # * is the matrix product where that fits, since nothing else in the text is one

    unknown: dict[str, Token] = field(default_factory=dict)  # unknown elementwise functions, where first met
    notes: list[str] = field(default_factory=list)
    spelled: dict[str, str] = field(default_factory=dict)  # names, as they were first typed
    soft: set[Span] = field(default_factory=set)  # matrix products that were written without a sign of their own
    star: Token | None = None  # the first * between two arrays
    matrix_product: bool = False  # a matrix product was written in a way of its own
    transposed: bool = False  # a transpose was written as on a slide

    def copy(self) -> Context:
        """A context that can be filled without changing this one."""
        other = copy(self)
        for held in _COLLECTIONS:
            setattr(other, held, getattr(self, held).copy())
        return other

    def declare(self, name: str, shape: Shape) -> None:
        """A variable and the sizes of its shape are known."""
        self.names.add(name)
        self.shapes[name] = shape
        self.scalars.update(symbols_of(shape))
        for symbol in symbols_of(shape):
            self.shapes.setdefault(symbol, ())
        if shape in ((), (1, 1)):
            self.scalars.add(name)

    def note(self, sentence: str) -> None:
        """Remember how something was read, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def note_unknown(self, known: Iterable[str] = ()) -> list[str]:
        """Say of each function that nothing declares that it is unknown; those come back."""
        found = [name for name in self.unknown if name not in known]
        for name in found:
            self.note(f"{name} is read as an unknown function, entry by entry (line {self.unknown[name].line}).")
        return found

    def spelling(self, name: str, typed: str) -> None:
        """Remember how a name was typed; two ways of typing it are one name, which is said."""
        first = self.spelled.setdefault(name, typed)
        if first != typed:
            self.note(f"{first} and {typed} are read as one name, {name}.")

    def function(self, word: str, token: Token, *, called: bool, glued: bool) -> str | None:
        """The canonical name of the function that `word` is, or None where it is no function.

        `called` says that a bracket follows (with a prime between or not), `glued` that it follows at once.
        Raises ReadError for a word that can only be a function and is none.
        """
        if word in self.names or word in self.scalars or word in self.dialect.scalars:
            return None
        if word in self.functions:
            return word
        base, primes = without_primes(word)
        known = base if base in self.functions else known_function(base)
        if known is None and self.dialect.typed and len(base) > 1:
            known = known_function(base.lower())
        if known is not None:
            return known + PRIME * primes
        if not called or not glued:
            return None
        identity = identity_function(word)
        if identity is not None:
            return identity
        if not base[0].islower():
            if self.dialect.typed:
                return None
            raise self.unknown_function(base, token)
        if self.closed or (len(base) >= _CLOSE_ENOUGH and nearest(base, spellings(), distance=1)):
            raise self.unknown_function(base, token)
        self.unknown.setdefault(base, token)
        return word

    def unknown_function(self, word: str, token: Token) -> ReadError:
        """The error for a call of something that is no function here."""
        near = nearest(word, sorted(self.functions) + sorted(spellings()))
        code = "not-a-function" if word in self.names else "unknown-function"
        help = f"Did you mean {near[0]}?" if near and code == "unknown-function" else ""
        declared = ", ".join(sorted(self.functions))
        return ReadError(
            code, line=token.line, column=token.column, end=token.end, found=word, expected=declared, help=help
        )

    def is_number(self, expr: Expr) -> bool:
        """Is the value certainly a single number? Names count by declaration or by custom.

        Looks at 40 nodes at most and answers no beyond, so that a long product stays cheap to read. Under a
        written number, as in 1/N, an undeclared name is taken for a number too.
        """
        stack: list[tuple[Expr, bool]] = [(expr, False)]
        for _ in range(40):
            if not stack:
                return True
            node, under = stack.pop()
            if isinstance(node, Name):
                if not self._number_name(node.id, under):
                    return False
            elif isinstance(node, Negative | Transpose):
                stack.append((node.operand, under))
            elif isinstance(node, Binary):
                numerator = node.left.operand if isinstance(node.left, Negative) else node.left
                fraction = node.operator == "/" and isinstance(numerator, Number)
                stack += ((node.left, under), (node.right, under or fraction))
            elif isinstance(node, Call):
                op = entry(without_primes(node.name)[0])
                if op is None or op.kind == "elementwise":
                    stack += ((argument, under) for argument in node.arguments)
                elif op.gives not in _NUMBERS or node.keywords or len(node.arguments) != 1:
                    return False
            elif not isinstance(node, Number):
                return False
        return False

    def _number_name(self, name: str, under: bool = False) -> bool:
        if name in self.scalars:
            return True
        if name in self.names or not (name in self.dialect.scalars or (under and self.dialect.typed)):
            return False
        self.note(as_number(name))
        return True


def as_number(name: str) -> str:
    """What is said of an undeclared name that is taken for a number."""
    return f"{name} is read as a number."


_COLLECTIONS = tuple(field.name for field in fields(Context) if field.default_factory in (set, dict, list))


def make_context(
    dialect: Dialect,
    *,
    functions: Iterable[str] = (),
    names: Iterable[str] = (),
    scalars: Iterable[str] = (),
    closed: bool | None = None,
    forced: bool = False,
) -> Context:
    """A context for the given declarations; closed where functions are declared, unless said otherwise."""
    declared = set(functions)
    return Context(
        dialect,
        names=set(names),
        functions=declared,
        closed=bool(declared) if closed is None else closed,
        scalars=set(scalars),
        forced=forced,
    )
