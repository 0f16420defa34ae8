"""Places in a formula, and a formula with something else at a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from whence.read.syntax import Binary, Call, Compare, Expr, Index, Name, Negative, Number, Transpose
from whence.read.walk import names_in

Path = tuple[int, ...]
ONE, TWO = Number(Fraction(1)), Number(Fraction(2))
PRODUCTS = ("*", "@")
MAX_TERMS = 12


class Site(NamedTuple):
    """A part of a formula, where it stands, and what it stands in (the outermost first)."""

    path: Path
    node: Expr
    above: tuple[Expr, ...]


def parts(node: Expr) -> tuple[Expr, ...]:
    """The parts of a node that are formulas in their own right."""
    if isinstance(node, Binary | Compare):
        return (node.left, node.right)
    if isinstance(node, Negative | Transpose | Index):
        return (node.operand,)
    return node.arguments if isinstance(node, Call) else ()


def with_part(node: Expr, k: int, new: Expr) -> Expr:
    """The node with another part number k."""
    if isinstance(node, Binary | Compare):
        return replace(node, left=new) if k == 0 else replace(node, right=new)
    if isinstance(node, Negative | Transpose | Index):
        return replace(node, operand=new)
    assert isinstance(node, Call)
    return replace(node, arguments=(*node.arguments[:k], new, *node.arguments[k + 1 :]))


def sites(tree: Expr) -> list[Site]:
    """All places of a formula, outermost first, from left to right."""
    out: list[Site] = []
    todo: list[Site] = [Site((), tree, ())]
    while todo:
        site = todo.pop()
        out.append(site)
        above = (*site.above, site.node)
        inner = parts(site.node)
        todo.extend(Site((*site.path, k), inner[k], above) for k in range(len(inner) - 1, -1, -1))
    return out


def put(tree: Expr, site: Site, new: Expr) -> Expr:
    """The formula with another part at a place."""
    for k, outer in zip(reversed(site.path), reversed(site.above), strict=True):
        new = with_part(outer, k, new)
    return new


def get(tree: Expr, path: Path) -> Expr:
    for k in path:
        tree = parts(tree)[k]
    return tree


def binary(operator: str, left: Expr, right: Expr) -> Expr:
    return Binary(operator, left, right)


def transposed(tree: Expr) -> Expr:
    """The transpose, or what it is the transpose of."""
    return tree.operand if isinstance(tree, Transpose) and not tree.batched else Transpose(tree)


def negated(tree: Expr) -> Expr:
    return tree.operand if isinstance(tree, Negative) else Negative(tree)


class Link(NamedTuple):
    """A factor of a product, with the sign before it (* / @)."""

    operator: str
    factor: Expr


def chain(tree: Expr) -> list[Link]:
    """The factors of a product as it is written, from the left: a * b @ c / d. One link where it is no product."""
    out: list[Link] = []
    node = tree
    while isinstance(node, Binary) and node.operator in ("*", "@", "/"):
        out.append(Link(node.operator, node.right))
        node = node.left
    if isinstance(node, Negative):
        out.append(Link("*", node.operand))
        node = Negative(ONE)
    out.append(Link("*", node))
    return out[::-1]


def joined(links: list[Link]) -> Expr:
    """The product of these factors, from the left; -1 as a sign."""
    first = links[0]
    tree: Expr = first.factor if first.operator != "/" else Binary("/", ONE, first.factor)
    rest = links[1:]
    if tree == Negative(ONE) and rest and rest[0].operator != "/":
        tree, rest = Negative(rest[0].factor), rest[1:]
    for operator, factor in rest:
        tree = Binary(operator, tree, factor)
    return tree


def terms(tree: Expr) -> list[tuple[int, Expr]]:
    """The formula as a sum of signed terms, products distributed; one term where there would be too many."""
    todo: list[tuple[int, Expr]] = [(1, tree)]
    out: list[tuple[int, Expr]] = []
    while todo:
        sign, node = todo.pop(0)
        split = _split(node)
        if split is None:
            out.append((sign, node))
        else:
            todo = [(sign * s, t) for s, t in split] + todo
        if len(out) + len(todo) > MAX_TERMS:
            return [(1, tree)]
    return out


def _split(node: Expr) -> list[tuple[int, Expr]] | None:
    if isinstance(node, Negative):
        return [(-1, node.operand)]
    if isinstance(node, Transpose):
        inner = _split(node.operand)
        return None if inner is None else [(s, Transpose(t)) for s, t in inner]
    if not isinstance(node, Binary):
        return None
    if node.operator in "+-":
        return [(1, node.left), (1 if node.operator == "+" else -1, node.right)]
    if node.operator in ("*", "@", "/"):
        left = _split(node.left)
        if left is not None:
            return [(s, replace(node, left=t)) for s, t in left]
        right = _split(node.right) if node.operator != "/" else None
        if right is not None:
            return [(s, replace(node, right=t)) for s, t in right]
    return None


def renamed_everywhere(tree: Expr, old: Expr, new: Expr) -> Expr:
    """The formula with every occurrence of a part replaced."""
    found = [s for s in sites(tree) if s.node == old]
    for site in found:
        fresh = next(s for s in sites(tree) if s.path == site.path)
        tree = put(tree, fresh, new)
    return tree


def occurrences(tree: Expr, name: str) -> int:
    return sum(isinstance(s.node, Name) and s.node.id == name for s in sites(tree))


def name_pairs(tree: Expr) -> Iterator[tuple[str, str]]:
    """Two different names of a formula, each pair once."""
    names = sorted(names_in(tree))
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            yield one, other
