"""Declarations: shapes, assumptions and functions, from a text or from plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from whence.messages.catalogue import nearest
from whence.messages.errors import LimitError, ReadError, WhenceError
from whence.read.lexer import LINE_LIMIT
from whence.read.syntax import Binary, Name, Number, Shape
from whence.read.walk import children

ASSUMPTIONS = (
    "symmetric",
    "skew",
    "psd",
    "pd",
    "orthogonal",
    "diagonal",
    "lower",
    "positive",
    "unit-interval",
    "invertible",
    "onehot-columns",
    "nonzero",
    "onehot-last",
)

# These are said of matrices with as many rows as columns (in the last two axes of a tensor).
SQUARE = frozenset({"symmetric", "skew", "psd", "pd", "diagonal", "lower", "invertible"})

RANK_LIMIT = 8
SIZE_LIMIT = 1_000_000

_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_NUMBER_WORDS = frozenset({"scalar", "number"})
_SEPARATORS = " \t,;"


def items(text: str, line: int, offset: int) -> Iterator[tuple[str, int, str, int]]:
    """The declarations `name: rest` of a text: name, its offset, rest, its offset.

    A part between commas that has no colon belongs to the declaration before. Raises ReadError where the
    text begins with something else.
    """
    if len(text) > LINE_LIMIT:
        raise LimitError("line-too-long", line=line, column=1, found=f"{len(text):,} characters", limit=LINE_LIMIT)
    starts: list[tuple[int, int]] = []  # of each declaration, and where its colon stands
    at = depth = 0
    for k, sign in enumerate(text):
        if sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign in ",;" and depth <= 0:
            at = k + 1
        elif sign == ":" and depth <= 0:
            starts.append((at, k))
    here = len(text) - len(text.lstrip(_SEPARATORS))
    if not starts or here < starts[0][0]:
        column = offset + min(here, max(0, len(text) - 1)) + 1
        raise ReadError("bad-declaration", line=line, column=column, found=text.strip()[:80])
    for (start, colon), following in zip(starts, [*starts[1:], (len(text), 0)], strict=True):
        name = text[start:colon]
        blanks = len(name) - len(name.lstrip())
        rest = text[colon + 1 : following[0]].rstrip(_SEPARATORS)
        yield name.strip(), offset + start + blanks, rest, offset + colon + 1


def shape_from_text(text: str, line: int, offset: int) -> Shape:
    """The shape that a text declares: `n x m`, `n × m`, `(n, m)`, `n`, `1 x m`, `scalar`.

    >>> shape_from_text("n0 x m", 1, 0), shape_from_text("n", 1, 0), shape_from_text("scalar", 1, 0)
    (('n0', 'm'), ('n', 1), ())
    """
    start = offset + len(text) - len(text.lstrip())
    inner = text.strip()
    if inner.lower() in _NUMBER_WORDS:
        return ()
    if inner[:1] in ("(", "[") and inner[-1:] in (")", "]"):
        parts = [part.strip() for part in inner[1:-1].split(",")]
        parts = parts[:-1] if len(parts) == 2 and not parts[1] else parts
        parts = [] if parts == [""] else parts
    else:
        parts = _sizes(inner)
    shape = _shape([_size(part) for part in parts]) if len(parts) <= RANK_LIMIT else None
    if shape is None:
        raise ReadError("bad-shape", line=line, column=start + 1, end=start + 1 + max(1, len(inner)), found=inner)
    return shape


def _sizes(text: str) -> list[str]:
    """The texts of the sizes in `n x m` or `n × m`."""
    sizes: list[list[str]] = [[]]
    for word in text.replace("×", " x ").split():
        if word in ("x", "X"):
            sizes.append([])
        else:
            sizes[-1].append(word)
    return [" ".join(words) for words in sizes]


def shape_from_data(value: Any, field: str) -> Shape:
    """The shape in plain data: [] a number, ["n"] a column, ["n", "m"] a matrix; a text as in a declaration.

    >>> shape_from_data(["n"], "x"), shape_from_data([1, "m"], "x"), shape_from_data([], "x")
    (('n', 1), (1, 'm'), ())
    """
    if isinstance(value, str):
        return shape_from_text(value, 1, 0)
    if isinstance(value, list | tuple):
        sizes = [size if isinstance(size, int) and not isinstance(size, bool) else _size(size) for size in value]
        shape = _shape(sizes)
        if shape is not None:
            return shape
    raise ReadError("bad-problem", line=1, column=1, found=field, expected='a list of sizes, such as ["n", "m"]')


def _shape(sizes: list[int | str | None]) -> Shape | None:
    """The shape with the given sizes; one size is a column. None where a size is none."""
    kept = [size for size in sizes if size is not None]
    if len(kept) < len(sizes) or len(kept) > RANK_LIMIT:
        return None
    if any(isinstance(size, int) and not 1 <= size <= SIZE_LIMIT for size in kept):
        return None
    return (kept[0], 1) if len(kept) == 1 else tuple(kept)


def _size(text: Any) -> int | str | None:
    """A size: a whole number, a symbol, or a product or sum of them. None for anything else."""
    if not isinstance(text, str) or not text.isascii() or not 0 < len(text) <= 100:
        return None
    if text.isdigit():
        return int(text)
    if _SYMBOL.match(text):
        return text
    from whence.read.parser import parse_expression

    try:
        expr = parse_expression(text, dialect="canonical")
    except WhenceError:
        return None
    stack: list[Any] = [expr]
    while stack:
        node = stack.pop()
        whole = isinstance(node, Number) and node.value.denominator == 1
        if not (whole or isinstance(node, Name) or (isinstance(node, Binary) and node.operator in ("+", "-", "*"))):
            return None
        stack.extend(children(node))
    return text.replace(" ", "")


def assumptions_from_text(text: str, line: int, offset: int) -> tuple[str, ...]:
    """The assumptions in `symmetric, pd`."""
    out: list[str] = []
    at = 0
    for part in text.split(","):
        word = part.strip()
        column = offset + at + len(part) - len(part.lstrip()) + 1
        out.append(checked_assumption(word, line, column))
        at += len(part) + 1
    return tuple(out)


def checked_assumption(word: Any, line: int = 1, column: int = 1) -> str:
    """The assumption, if it is a known one; else ReadError with the nearest."""
    if isinstance(word, str) and word in ASSUMPTIONS:
        return word
    shown = str(word)[:40]
    near = nearest(shown, ASSUMPTIONS)
    help = f"Did you mean {near[0]}?" if near else ""
    known = ", ".join(ASSUMPTIONS)
    end = column + max(1, len(shown))
    raise ReadError("unknown-assumption", line=line, column=column, end=end, found=shown, expected=known, help=help)


def assumptions_from_data(value: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Assumptions in plain data: {"S": ["symmetric"]}, or a text for each name."""
    out: dict[str, tuple[str, ...]] = {}
    for name, words in value.items():
        if isinstance(words, str):
            out[name] = assumptions_from_text(words, 1, 0)
        elif isinstance(words, list | tuple):
            out[name] = tuple(checked_assumption(word) for word in words)
        else:
            raise ReadError("bad-problem", line=1, column=1, found="assume", expected="lists of assumptions")
    return out


def check_types(text: object, shapes: object, assume: object, functions: object, dialect: object) -> None:
    """ReadError where an argument is none of the types it may have."""
    named = isinstance(functions, Iterable) and not isinstance(functions, str | bytes)
    names: list[object] = list(functions) if isinstance(functions, list | tuple | set | frozenset) else []
    checks = (
        (isinstance(text, str), "A model is a text", text),
        (shapes is None or isinstance(shapes, str | Mapping), "Shapes are a text or a dictionary", shapes),
        (assume is None or isinstance(assume, str | Mapping), "Assumptions are a text or a dictionary", assume),
        (functions is None or named, "Functions are a list of names", functions),
        (all(isinstance(name, str) for name in names), "Functions are a list of names", names),
        (dialect is None or isinstance(dialect, str), "A dialect is a text", dialect),
    )
    for fits, expected, value in checks:
        if not fits:
            raise ReadError("not-a-text", line=1, column=1, found=type(value).__name__, expected=expected)
