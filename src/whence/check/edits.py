"""Small changes of a person's own formula, each with the name of the mistake that it would undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from whence.check.bench import Bench
from whence.check.trees import (
    ONE,
    TWO,
    Link,
    Site,
    binary,
    chain,
    joined,
    negated,
    occurrences,
    put,
    renamed_everywhere,
    sites,
    transposed,
)
from whence.ops.table import TABLE, structured_by
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Text, Transpose
from whence.read.vocabulary import PRIME
from whence.read.walk import names_in


@dataclass(frozen=True)
class Edit:
    """A changed formula, the mistake it undoes, and what was put in the place of what."""

    tree: Expr
    diagnosis: str
    old: Expr
    new: Expr


Edits = Iterator[Edit]
Maker = Callable[[Expr, Bench], Edits]


def number(value: int) -> Expr:
    return Number(ONE.value * value)


def at(tree: Expr, site: Site, new: Expr, diagnosis: str) -> Edit:
    return Edit(put(tree, site, new), diagnosis, site.node, new)


def is_product(node: Expr) -> bool:
    return isinstance(node, Binary) and node.operator in ("*", "@", "/")


def _is_matrix_product(node: Expr | None) -> bool:
    return isinstance(node, Binary) and node.operator == "@"


def surrounding(site: Site) -> Expr | None:
    return site.above[-1] if site.above else None


def is_literal(node: Expr) -> bool:
    return isinstance(node, Number | Text)


# ---- brackets and order


def precedence(tree: Expr, bench: Bench) -> Edits:
    """Brackets that are missing: a * b @ c for a * (b @ c), a + b/c for (a + b)/c."""
    for site in sites(tree):
        node = site.node
        if not isinstance(node, Binary):
            continue
        left, right = node.left, node.right
        if isinstance(left, Binary) and (left.operator, node.operator) in (("*", "@"), ("/", "*"), ("/", "/")):
            inner = node.operator if left.operator == "*" else "*"
            yield at(tree, site, binary(left.operator, left.left, binary(inner, left.right, right)), "precedence")
        if node.operator in "+-" and isinstance(right, Binary) and right.operator in ("*", "@", "/"):
            links = chain(right)
            head, rest = links[0].factor, links[1:]
            yield at(tree, site, joined([Link("*", binary(node.operator, left, head)), *rest]), "precedence")
            whole = binary(node.operator, left, joined(links[:-1]))
            yield at(tree, site, binary(links[-1].operator, whole, links[-1].factor), "precedence")
        if node.operator in "+-" and isinstance(left, Binary) and left.operator in ("*", "@"):
            inside = binary(node.operator, left.right, right)
            yield at(tree, site, binary(left.operator, left.left, inside), "precedence")


def whole_transposed(tree: Expr, bench: Bench) -> Edits:
    yield Edit(transposed(tree), "layout-transposed", tree, transposed(tree))


def row_layout(tree: Expr, bench: Bench) -> Edits:
    """The formula of the other way to lay out samples: every array of samples transposed, and the whole."""
    samples = bench.reference.samples
    shapes = bench.reference.shapes
    data = {
        n: Transpose(Name(n)) for n in names_in(tree) if samples and any(str(d) == samples for d in shapes.get(n, ()))
    }
    if data:
        new = transposed(substituted(tree, data))
        yield Edit(new, "layout-transposed", tree, new)
    for name in sorted(names_in(tree)):
        if occurrences(tree, name) > 1 and len(shapes.get(name, ())) == 2 and not bench.is_vector(Name(name)):
            new = substituted(tree, {name: Transpose(Name(name))})
            yield Edit(_tidy(new), "layout-transposed", Name(name), Transpose(Name(name)))


def _tidy(tree: Expr) -> Expr:
    """Two transposes of one another are none."""
    for site in sites(tree):
        if isinstance(site.node, Transpose) and isinstance(site.node.operand, Transpose):
            return _tidy(put(tree, site, site.node.operand.operand))
    return tree


def transposes(tree: Expr, bench: Bench) -> Edits:
    """One transpose too few or too many; then one at every product alike."""
    for site in sites(tree):
        node, outer = site.node, surrounding(site)
        if is_literal(node) or isinstance(node, Negative) or (isinstance(node, Binary) and not site.path):
            continue
        if isinstance(outer, Transpose):
            continue
        word = "extra-transpose" if isinstance(node, Transpose) else "missing-transpose"
        if word == "missing-transpose" and _scales(site, bench):
            word = "broadcasting-accident"
        yield at(tree, site, transposed(node), word)
    for side in (0, 1):
        places = [s for s in sites(tree) if s.path[-1:] == (side,) and _is_matrix_product(surrounding(s))]
        if len(places) > 1:
            new = tree
            for place in sorted(places, key=lambda s: -len(s.path)):
                fresh = next(s for s in sites(new) if s.path == place.path)
                new = put(new, fresh, transposed(fresh.node))
            yield Edit(new, "missing-transpose", places[0].node, transposed(places[0].node))


def _scales(site: Site, bench: Bench) -> bool:
    """Is it a vector that multiplies a matrix entry by entry?"""
    outer = surrounding(site)
    return isinstance(outer, Binary) and outer.operator in "*/" and bench.is_vector(site.node)


def signs_of_products(tree: Expr, bench: Bench) -> Edits:
    """An elementwise product for a matrix product, or the other way round; transposed as the shapes ask."""
    for site in sites(tree):
        node = site.node
        if not isinstance(node, Binary) or node.operator not in ("*", "@"):
            continue
        if node.operator == "*":
            for a in (node.left, transposed(node.left)):
                for b in (node.right, transposed(node.right)):
                    yield at(tree, site, binary("@", a, b), "elementwise-for-matmul")
        else:
            yield at(tree, site, binary("*", node.left, node.right), "matmul-for-elementwise")


def orders(tree: Expr, bench: Bench) -> Edits:
    """Factors in another order, or at another depth."""
    for site in sites(tree):
        node = site.node
        if not is_product(node):
            if (
                isinstance(node, Call)
                and len(node.arguments) == 2
                and node.name in TABLE
                and TABLE[node.name].structure
            ):
                a, b = node.arguments
                yield at(tree, site, replace(node, arguments=(b, a)), "layout-transposed")
            continue
        outer = surrounding(site)
        if outer is not None and is_product(outer) and site.path[-1] == 0:
            continue  # part of a longer chain, which is seen to as a whole
        links = chain(node)
        matrices = [k for k, (sign, _) in enumerate(links) if sign != "/"]
        if any(sign == "@" for sign, _ in links) and 2 <= len(matrices) <= 5:
            for order in permutations(matrices) if len(matrices) <= 4 else _moves(matrices):
                if list(order) != matrices:
                    yield at(tree, site, _ordered(links, matrices, list(order)), "wrong-order")
        yield from _depths(tree, site, links)


def _moves(places: list[int]) -> Iterator[tuple[int, ...]]:
    for k in places:
        rest = [p for p in places if p != k]
        for j in range(len(rest) + 1):
            yield (*rest[:j], k, *rest[j:])


def _ordered(links: list[Link], matrices: list[int], order: list[int]) -> Expr:
    """The chain with its factors permuted; the signs between them stay."""
    out = list(links)
    for place, source in zip(matrices, order, strict=True):
        out[place] = Link(links[place].operator, links[source].factor)
    return joined(out)


def _depths(tree: Expr, site: Site, links: list[Link]) -> Edits:
    """One factor taken out of a product and put beside another part of it."""
    if not 2 <= len(links) <= 8:
        return
    for k, (sign, factor) in enumerate(links):
        if (
            sign == "/"
            or is_literal(factor)
            or factor == Negative(ONE)
            or (k == 0 and len(links) > 1 and links[1].operator == "/")
        ):
            continue
        rest = links[:k] + links[k + 1 :]
        if k == 0:
            rest[0] = Link("*", rest[0].factor)
        remaining = joined(rest)
        for place in sites(remaining):
            if is_literal(place.node) or any(isinstance(o, Binary) and o.operator in "+-" for o in place.above):
                continue
            for new in (
                binary("*", place.node, factor),
                binary("*", factor, place.node),
                binary("@", place.node, factor),
                binary("@", factor, place.node),
            ):
                yield at(tree, site, put(remaining, place, new), "wrong-order")
    for k, (_, factor) in enumerate(links):  # a factor inside a bracket that belongs outside
        if isinstance(factor, Binary) and factor.operator == "*":
            for inner, outer in ((factor.left, factor.right), (factor.right, factor.left)):
                opened = links[:k] + [Link(links[k].operator, inner)] + links[k + 1 :]
                yield at(tree, site, binary("*", joined(opened), outer), "wrong-order")


# ---- signs, numbers, powers


def signs(tree: Expr, bench: Bench) -> Edits:
    for site in sites(tree):
        node = site.node
        if isinstance(node, Binary) and node.operator in "+-":
            other = "-" if node.operator == "+" else "+"
            yield at(tree, site, replace(node, operator=other), "wrong-sign")
        if not is_literal(node):
            yield at(tree, site, negated(node), "wrong-sign")


def powers(tree: Expr, bench: Bench) -> Edits:
    for site in sites(tree):
        node = site.node
        if isinstance(node, Binary) and node.operator == "**":
            yield at(tree, site, node.left, "wrong-power")
            if isinstance(node.right, Number):
                for shift in (1, -1):
                    yield at(tree, site, binary("**", node.left, Number(node.right.value + shift)), "wrong-power")
            yield at(tree, site, binary("**", node.left, negated(node.right)), "wrong-power")
            if isinstance(node.left, Call) and len(node.left.arguments) == 1:
                inside = replace(node.left, arguments=(binary("**", node.left.arguments[0], node.right),))
                yield at(tree, site, inside, "wrong-power")
        elif isinstance(node, Name | Call) and not isinstance(surrounding(site), Transpose):
            yield at(tree, site, binary("**", node, TWO), "wrong-power")
            yield at(tree, site, Call(_root(), (node,)), "wrong-power")


def _root() -> str:
    return next(n for n, op in TABLE.items() if op.role == "root")


def dimensions(tree: Expr, bench: Bench) -> Edits:
    """Divided by the wrong size."""
    sizes = bench.reference.engine.table.dims
    for name in sorted(names_in(tree) & set(sizes)):
        for other in sizes:
            if other != name:
                new = substituted(tree, {name: Name(other)})
                yield Edit(new, "wrong-dimension", Name(name), Name(other))
    for site in sites(tree):
        if isinstance(site.node, Name) and site.node.id in sizes:
            for other in sizes:
                if other != site.node.id:
                    yield at(tree, site, Name(other), "wrong-dimension")


# ---- sums


def sums(tree: Expr, bench: Bench) -> Edits:
    """Sums over the wrong axis, over too much, that are missing, or that are means."""
    total, mean = structured_by("sum").name, structured_by("mean").name
    axes = [("axis", number(0)), ("axis", number(1))]
    calls = [
        s for s in sites(tree) if isinstance(s.node, Call) and s.node.name in TABLE and "ax" in TABLE[s.node.name].takes
    ]
    for site in calls:
        node = site.node
        assert isinstance(node, Call)
        for axis in axes:
            if node.keywords != (axis,):
                word = "sum-over-wrong-axis" if node.keywords or node.name not in (total, mean) else "oversummed"
                yield at(tree, site, replace(node, keywords=(axis,)), word)
        if node.keywords and node.name in (total, mean):
            yield at(tree, site, replace(node, keywords=()), "missing-sum-over-batch")
        if node.name in (total, mean):
            word = "mean-for-sum" if node.name == mean else "missing-factor"
            yield at(tree, site, replace(node, name=total if node.name == mean else mean), word)
            yield at(tree, site, node.arguments[0], "oversummed")
    if len(calls) > 1:
        for axis in axes:
            new = tree
            for site in sorted(calls, key=lambda s: -len(s.path)):
                fresh = next(s for s in sites(new) if s.path == site.path)
                new = put(new, fresh, replace(fresh.node, keywords=(axis,)))  # type: ignore[type-var]  # a call
            first = calls[0].node
            assert isinstance(first, Call)
            yield Edit(
                new, "sum-over-wrong-axis" if first.keywords else "oversummed", first, replace(first, keywords=(axis,))
            )
    for site in sites(tree):
        node = site.node
        if is_literal(node) or isinstance(node, Negative):
            continue
        for keywords in ((axes[1],), (axes[0],), ()):
            if site.path and (not keywords or isinstance(surrounding(site), Transpose)):
                continue
            yield at(tree, site, Call(total, (node,), keywords), "missing-sum-over-batch")


# ---- functions


def functions(tree: Expr, bench: Bench) -> Edits:
    """The function for its derivative, the derivative of another function, or at another point."""
    for site in sites(tree):
        node = site.node
        if isinstance(node, Call) and len(node.arguments) == 1 and node.name in bench.reference.model.functions:
            yield at(tree, site, replace(node, name=node.name + PRIME), "function-value-for-derivative")
        if isinstance(node, Call) and node.name.endswith(PRIME):
            yield at(tree, site, replace(node, name=node.name.removesuffix(PRIME)), "extra-activation-derivative")
    for a in bench.activations:
        if not a.entrywise:
            continue
        right = a.slope
        for site in sites(tree):
            if is_literal(site.node) or site.node == right:
                continue
            word = bench.wrong_slope(a, site.node)
            if word:
                yield at(tree, site, right, word)
            elif isinstance(site.node, Binary) and site.node.operator == "*":
                links = chain(site.node)
                for k in range(1, len(links) - 1):
                    word = bench.wrong_slope(a, binary("*", links[k].factor, links[k + 1].factor))
                    if word and links[k + 1].operator == "*":
                        merged = [*links[:k], Link(links[k].operator, right), *links[k + 2 :]]
                        yield at(tree, site, joined(merged), word)


def points(tree: Expr, bench: Bench) -> Edits:
    """A derivative taken at another point: Z for A, A for Z, f(c) for c."""
    for a in bench.activations:
        for old, new in (
            (a.value, a.argument),
            (a.argument, a.value),
            (Call(a.function, (a.value,)), a.value),
            (a.call, a.value),
        ):
            if old == new:
                continue
            for site in sites(tree):
                if site.node == old and bench.in_slope(site):
                    yield at(tree, site, new, "derivative-at-wrong-point")
            if sum(s.node == old for s in sites(tree)) > 1:
                single = names_in(tree) - set(bench.reference.engine.table.dims) == names_in(old)
                word = "derivative-at-wrong-point" if single else "swapped-substitution"
                yield Edit(renamed_everywhere(tree, old, new), word, old, new)


def inner_arguments(tree: Expr, bench: Bench) -> Edits:
    """Names inside a function that should be the argument the model has there: Z for Z/sqrt(2)."""
    for site in sites(tree):
        if not isinstance(site.node, Name):
            continue
        for part in bench.arguments_with(site.node.id):
            if part != site.node:
                yield Edit(renamed_everywhere(tree, site.node, part), "derivative-at-wrong-point", site.node, part)


def diagonals(tree: Expr, bench: Bench) -> Edits:
    """A vector that must stand on a diagonal, a number that stands for a multiple of the identity."""
    diagonal, identity = structured_by("diag").name, structured_by("eye").name
    for site in sites(tree):
        outer = surrounding(site)
        in_sum = isinstance(outer, Binary) and outer.operator in "+-"
        if is_literal(site.node) and not in_sum:
            continue
        if isinstance(outer, Binary) and outer.operator == "@" or in_sum or not site.path:
            word = "broadcasting-accident" if in_sum else "missing-diag"
            yield at(tree, site, Call(diagonal, (site.node,)), word)
        if in_sum:
            for size in bench.reference.engine.table.dims:
                unit = Call(identity, (Name(size),))
                new = unit if site.node == ONE else binary("*", site.node, unit)
                yield at(tree, site, new, "broadcasting-accident")


def outer_products(tree: Expr, bench: Bench) -> Edits:
    """x.T @ x for x @ x.T where a matrix is meant: the number is broadcast to every entry."""
    for site in sites(tree):
        node = site.node
        if not (isinstance(node, Binary) and node.operator == "@" and isinstance(node.left, Transpose)):
            continue
        in_sum = any(isinstance(o, Binary) and o.operator in "+-" for o in site.above)
        if in_sum and bench.is_vector(node.left) and bench.is_vector(node.right):
            yield at(tree, site, binary("@", node.right, node.left), "broadcasting-accident")
