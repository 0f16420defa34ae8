"""Sizes at which a claim is checked: pairwise different, at least 2, the same for the same claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, permutations

from whence.read.syntax import Binary, Expr, Index, Name, Number, Range, Shape
from whence.read.walk import children
from whence.verify.failures import Misfit
from whence.verify.texts import parsed

POOL = (3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13)
TRIES = 40


def names_in(expression: Expr) -> Iterator[str]:
    """All names in a formula, from left to right, function names left out."""
    todo: list[Expr | Range] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, Name):
            yield node.id
        todo.extend(reversed(children(node)))


def index_names(expression: Expr) -> Iterator[str]:
    """Names that stand in the places of an index."""
    todo: list[Expr | Range] = [expression]
    while todo:
        node = todo.pop()
        if isinstance(node, Index):
            for place in node.places:
                if not isinstance(place, Range):
                    yield from names_in(place)
        todo.extend(reversed(children(node)))


def symbols(shapes: Iterable[Shape]) -> tuple[str, ...]:
    """The dimension symbols of the declared shapes, in order."""
    found: dict[str, None] = {}
    for shape in shapes:
        for size in shape:
            if isinstance(size, str) and not size.isdigit():
                found.update(dict.fromkeys([size] if size.isidentifier() else names_in(parsed(size))))
    return tuple(found)


def size_of(size: int | str, sizes: Mapping[str, int]) -> int:
    """A declared size as a number."""
    if isinstance(size, int):
        return size
    if size.isdigit():
        return int(size)
    if size.isidentifier():
        return sizes[size]
    return _value(parsed(size), sizes, 0)


def _value(expression: Expr, sizes: Mapping[str, int], depth: int) -> int:
    if depth > 50:
        raise Misfit("a size that is nested too deeply")
    if isinstance(expression, Name) and expression.id in sizes:
        return sizes[expression.id]
    if isinstance(expression, Number) and expression.value.denominator == 1:
        return expression.value.numerator
    if isinstance(expression, Binary):
        a, b = _value(expression.left, sizes, depth + 1), _value(expression.right, sizes, depth + 1)
        if expression.operator == "*":
            return a * b
        if expression.operator in "+-":
            return a + b if expression.operator == "+" else a - b
        if expression.operator == "/" and b and a % b == 0:
            return a // b
    raise Misfit("a size that is no whole number")


def choices(shapes: Iterable[Shape]) -> Iterator[dict[str, int]]:
    """Sizes for the symbols, the plainest first; composite sizes differ from every symbol and from one another."""
    shapes = list(shapes)
    names = symbols(shapes)
    composite = dict.fromkeys(
        s for shape in shapes for s in shape if isinstance(s, str) and not s.isidentifier() and not s.isdigit()
    )
    count = len(names)
    pool = (3, 4, 2, 5, 6, 7)[:count] if count <= 6 else tuple(range(2, count + 2))
    found = 0
    for values in _orders(pool, count):
        sizes = dict(zip(names, values, strict=True))
        built = [size_of(s, sizes) for s in composite]
        if min(built, default=2) < 2 or len({*values, *built}) < count + len(built):
            continue
        yield sizes
        found += 1
        if found == TRIES:
            return


def _orders(pool: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    yield from islice(permutations(pool, count), 720)
    if count:
        yield from islice(permutations((*pool, max(pool) + 1, max(pool) + 2), count), 5000)
