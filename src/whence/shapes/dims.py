"""Sizes as exact expressions: polynomials in dimension symbols with integer coefficients."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# A monomial is ((symbol, power), ...), sorted by symbol; () is the constant.
Monomial = tuple[tuple[str, int], ...]

MAX_POWER = 64
MAX_TERMS = 200
_TOKEN = re.compile(r"\s*(\*\*|[-+*()/]|\d+|[^\W\d]\w*)")


class Dim:
    """A size such as 2, n, H*k, n + m or m - 1: immutable, hashable, in canonical form.

    Two sizes are equal exactly when they agree for all values of their symbols. ValueError where a text is no
    size, or would grow beyond 200 terms.

    >>> Dim.parse("n + m") - Dim.parse("m") == Dim.parse("n")
    True
    >>> str(Dim.parse("(n + 1)*2"))
    '2*n + 2'
    >>> Dim.parse("H*D").divided_by(Dim.parse("H"))
    Dim('D')
    """

    __slots__ = ("_hash", "_text", "terms")
    terms: tuple[tuple[Monomial, int], ...]

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        if len(terms) > MAX_TERMS:
            raise ValueError(f"a size of more than {MAX_TERMS} terms")
        object.__setattr__(self, "terms", tuple(sorted((m, c) for m, c in terms.items() if c)))
        object.__setattr__(self, "_hash", hash(self.terms))
        object.__setattr__(self, "_text", None)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Dim is immutable")

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _parse, (str(self),)

    @staticmethod
    def parse(size: int | str | Dim) -> Dim:
        """The size that a text such as "H*k", or a number, stands for."""
        if isinstance(size, Dim):
            return size
        return number(size) if isinstance(size, int) else _parse(size)

    @staticmethod
    def symbol(name: str) -> Dim:
        return _symbol(name)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Dim):
            return self.terms == other.terms
        return self.number == other if isinstance(other, int) else NotImplemented

    def __hash__(self) -> int:
        return self._hash  # type: ignore[attr-defined]  # set once, in __init__

    @property
    def number(self) -> int | None:
        """The number it is, None where symbols occur."""
        if not self.terms:
            return 0
        return self.terms[0][1] if len(self.terms) == 1 and not self.terms[0][0] else None

    @property
    def is_symbol(self) -> bool:
        """Is it one symbol, alone?"""
        return len(self.terms) == 1 and self.terms[0][1] == 1 and [p for _, p in self.terms[0][0]] == [1]

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that occur, in alphabetical order."""
        return tuple(sorted({s for m, _ in self.terms for s, _ in m}))

    def __add__(self, other: Dim | int) -> Dim:
        out = dict(self.terms)
        for m, c in _dim(other).terms:
            out[m] = out.get(m, 0) + c
        return Dim(out)

    def __neg__(self) -> Dim:
        return Dim({m: -c for m, c in self.terms})

    def __sub__(self, other: Dim | int) -> Dim:
        return self + -_dim(other)

    def __rsub__(self, other: int) -> Dim:
        return _dim(other) - self

    def __mul__(self, other: Dim | int) -> Dim:
        other = _dim(other)
        if len(self.terms) * len(other.terms) > MAX_TERMS:
            raise ValueError(f"a size of more than {MAX_TERMS} terms")
        out: dict[Monomial, int] = {}
        for m, c in self.terms:
            for k, d in other.terms:
                product = _times(m, k)
                out[product] = out.get(product, 0) + c * d
        return Dim(out)

    __radd__ = __add__
    __rmul__ = __mul__

    def __pow__(self, power: int) -> Dim:
        if not 0 <= power <= MAX_POWER:
            raise ValueError(f"a power from 0 to {MAX_POWER} is needed")
        out = number(1)
        for _ in range(power):
            out = out * self
        return out

    def divided_by(self, other: Dim | int) -> Dim | None:
        """The exact quotient, None where it is not a polynomial with integer coefficients."""
        other = _dim(other)
        if not other.terms:
            return None
        order = sorted({*self.symbols, *other.symbols})
        lead, factor = max(other.terms, key=lambda term: _degrees(term[0], order))
        rest, quotient = self, number(0)
        while rest.terms:
            m, c = max(rest.terms, key=lambda term: _degrees(term[0], order))
            monomial = _over(m, lead)
            if monomial is None or c % factor:
                return None
            step = Dim({monomial: c // factor})
            quotient, rest = quotient + step, rest - step * other
        return quotient

    def substitute(self, sizes: Mapping[str, Dim]) -> Dim:
        """With the symbols replaced; a symbol that `sizes` does not have stays."""
        out = number(0)
        for monomial, c in self.terms:
            term = number(c)
            for symbol, power in monomial:
                term = term * sizes.get(symbol, _symbol(symbol)) ** power
            out = out + term
        return out

    def value(self, sizes: Mapping[str, int]) -> int:
        """The number at these sizes of the symbols; KeyError where one lacks."""
        total = 0
        for monomial, c in self.terms:
            for symbol, power in monomial:
                c *= sizes[symbol] ** power
            total += c
        return total

    def __str__(self) -> str:
        if self._text is None:  # type: ignore[attr-defined]  # set once, in __init__
            object.__setattr__(self, "_text", _written(self.terms))
        return self._text  # type: ignore[attr-defined]  # set once, in __init__

    def __repr__(self) -> str:
        return f"Dim({str(self)!r})"


def _dim(size: Dim | int) -> Dim:
    return size if isinstance(size, Dim) else number(size)


@lru_cache(maxsize=4096)
def number(value: int) -> Dim:
    """A size that is a number."""
    return Dim({(): value})


@lru_cache(maxsize=4096)
def _symbol(name: str) -> Dim:
    return Dim({((name, 1),): 1})


def _times(a: Monomial, b: Monomial) -> Monomial:
    powers = dict(a)
    for symbol, power in b:
        powers[symbol] = powers.get(symbol, 0) + power
    return tuple(sorted(powers.items()))


def _over(a: Monomial, b: Monomial) -> Monomial | None:
    powers = dict(a)
    for symbol, power in b:
        powers[symbol] = powers.get(symbol, 0) - power
    if min(powers.values(), default=0) < 0:
        return None
    return tuple(sorted((s, p) for s, p in powers.items() if p))


def _degrees(monomial: Monomial, order: Iterable[str]) -> tuple[int, ...]:
    powers = dict(monomial)
    return tuple(powers.get(symbol, 0) for symbol in order)


def _written(terms: tuple[tuple[Monomial, int], ...]) -> str:
    """Positive terms first, higher degrees before lower, the constant last unless only it is positive."""
    constants = [t for t in terms if not t[0]]
    others = sorted((t for t in terms if t[0]), key=lambda t: (t[1] < 0, -sum(p for _, p in t[0]), t[0]))
    ordered = constants + others if others and others[0][1] < 0 else others + constants
    out = ""
    for monomial, c in ordered:
        factors = [s if p == 1 else f"{s}**{p}" for s, p in monomial]
        if abs(c) != 1 or not factors:
            factors.insert(0, str(abs(c)))
        sign = "-" if c < 0 else "+"
        out += (f" {sign} " if out else sign.strip("+")) + "*".join(factors)
    return out or "0"


@lru_cache(maxsize=4096)
def _parse(text: str) -> Dim:
    tokens, at = [], 0
    stripped = text.rstrip()
    while at < len(stripped):
        found = _TOKEN.match(stripped, at)
        if not found or len(tokens) > MAX_TERMS:
            raise ValueError(f"{text!r} is not a size")
        tokens.append(found.group(1))
        at = found.end()
    reader = _Reader([*tokens, ""], text)
    out = reader.sum(0)
    if reader.next != "":
        raise ValueError(f"{text!r} is not a size")
    return out


class _Reader:
    """Sums of products of powers, at most 20 brackets deep."""

    def __init__(self, tokens: list[str], text: str) -> None:
        self.tokens, self.text, self.at = tokens, text, 0

    @property
    def next(self) -> str:
        return self.tokens[self.at]

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def sum(self, depth: int) -> Dim:
        negative = self.next == "-" and bool(self.take())
        out = -self.product(depth) if negative else self.product(depth)
        while self.next in ("+", "-"):
            out = out + self.product(depth) if self.take() == "+" else out - self.product(depth)
        return out

    def product(self, depth: int) -> Dim:
        out = self.power(depth)
        while self.next in ("*", "/"):
            divide = self.take() == "/"
            factor = self.power(depth)
            quotient = out.divided_by(factor) if divide else out * factor
            if quotient is None:
                raise ValueError(f"{self.text!r} does not divide evenly")
            out = quotient
        return out

    def power(self, depth: int) -> Dim:
        out = self.atom(depth)
        if self.next == "**":
            self.take()
            exponent = self.take()
            if not exponent.isdigit() or len(exponent) > 2:
                raise ValueError(f"{self.text!r} is not a size")
            out = out ** int(exponent)
        return out

    def atom(self, depth: int) -> Dim:
        token = self.take() if self.next else ""
        if token == "(" and depth < 20:
            out = self.sum(depth + 1)
            if self.next == ")":
                self.take()
                return out
        elif token.isdigit() and len(token) <= 30:
            return number(int(token))
        elif token and (token[0].isalpha() or token[0] == "_"):
            return _symbol(token)
        raise ValueError(f"{self.text!r} is not a size")
