"""Further changes: factors and terms left out or put in, names for other names."""

from __future__ import annotations

from whence.check.bench import Bench
from whence.check.edits import Edit, Edits, at, is_literal, is_product, surrounding
from whence.check.known import family
from whence.check.trees import (
    ONE,
    TWO,
    Link,
    binary,
    chain,
    joined,
    name_pairs,
    negated,
    occurrences,
    sites,
    transposed,
)
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name, Transpose
from whence.read.walk import names_in

# ---- factors and terms of the person's own


def dropped(tree: Expr, bench: Bench) -> Edits:
    """One factor or two, or a term, too many."""
    for site in sites(tree):
        node, outer = site.node, surrounding(site)
        if isinstance(node, Binary) and node.operator in "+-":
            yield at(tree, site, node.left, bench.extra_term(node.right))
            yield at(
                tree, site, node.right if node.operator == "+" else negated(node.right), bench.extra_term(node.left)
            )
        if is_product(node) and not (outer is not None and is_product(outer) and site.path[-1] == 0):
            links = chain(node)
            for k in range(len(links)):
                for width in (1, 2):
                    if k + width > len(links) or len(links) - width < 1:
                        continue
                    rest = links[:k] + links[k + width :]
                    gone = joined([Link("*", links[k].factor), *links[k + 1 : k + width]])
                    if not k and rest[0].operator == "/":
                        rest = [Link("*", ONE), *rest]
                    elif not k:
                        rest = [Link("*", rest[0].factor), *rest[1:]]
                    yield at(tree, site, joined(rest), bench.extra_factor(tree, gone))


# ---- names


def names(tree: Expr, bench: Bench) -> Edits:
    """Another name in one place, or in all; two names exchanged."""
    shapes = bench.reference.shapes
    for name in sorted(names_in(tree)):
        if name not in shapes:
            continue
        count = occurrences(tree, name)
        others = sorted(
            (n for n in shapes if n != name),
            key=lambda n: (shapes[n] != shapes[name], family(n)[0] != family(name)[0], n),
        )
        for other in others:
            if count > 1:
                new = substituted(tree, {name: Name(other)})
                yield Edit(new, bench.confused(tree, None, name, other, count), Name(name), Name(other))
            for site in sites(tree):
                if site.node == Name(name):
                    yield at(tree, site, Name(other), bench.confused(tree, site, name, other, 1))
    yield from _families(tree, bench)
    for one, two in name_pairs(tree):
        if one in shapes and two in shapes and shapes[one] == shapes[two]:
            new = substituted(tree, {one: Name(two), two: Name(one)})
            word = "index-mixup" if family(one)[0] == family(two)[0] else "swapped-substitution"
            yield Edit(new, word, Name(one), Name(two))


def _families(tree: Expr, bench: Bench) -> Edits:
    """All names that begin alike for those of another beginning: Ui, Uf, Uo for Wi, Wf, Wo."""
    shapes = bench.reference.shapes
    used = sorted(n for n in names_in(tree) if n in shapes)
    for first in sorted({n[0] for n in used}):
        old = [n for n in used if n[0] == first]
        for other in sorted({n[0] for n in shapes} - {first}):
            if len(old) > 1 and all(other + n[1:] in shapes for n in old):
                new = substituted(tree, {n: Name(other + n[1:]) for n in old})
                yield Edit(new, "wrong-variable", Name(old[0]), Name(other + old[0][1:]))


def adjoints_for_upstream(tree: Expr, bench: Bench) -> Edits:
    """The gradient at the output where that at an inner line is meant."""
    for name in sorted(names_in(tree)):
        for adjoint in bench.reference.problem.adjoints:
            if name in bench.reference.engine.inputs and occurrences(tree, name) > 1:
                yield Edit(substituted(tree, {name: Name(adjoint)}), "swapped-substitution", Name(name), Name(adjoint))


def expressions_for_names(tree: Expr, bench: Bench) -> Edits:
    """A name that stands for a part of the model's formulas: h1 for tanh(c)."""
    pieces = [p for p in bench.pieces if isinstance(p, Call)]
    for site in sites(tree):
        if not isinstance(site.node, Name) or site.node.id not in bench.reference.shapes:
            continue
        for piece in pieces:
            word = (
                "derivative-at-wrong-point"
                if piece.arguments[:1] == (site.node,) and bench.in_slope(site)
                else "swapped-substitution"
            )
            yield at(tree, site, piece, word)
    for site in sites(tree):
        if isinstance(site.node, Binary) and site.node.operator in "/**" and len(names_in(site.node)) == 1:
            (inside,) = names_in(site.node)
            for name in bench.bodies:
                if bench.made_of(name, inside):
                    yield at(tree, site, Name(name), "swapped-substitution")


def updated(tree: Expr, bench: Bench) -> Edits:
    """Weights after their own update, by name or written out."""
    for name, body in bench.bodies.items():
        if (
            isinstance(body, Binary)
            and body.operator == "-"
            and isinstance(body.left, Name)
            and body.left.id in bench.reference.engine.inputs
        ):
            if name in names_in(tree):
                yield Edit(substituted(tree, {name: body.left}), "updated-weights", Name(name), body.left)
            for site in sites(tree):
                if site.node == body:
                    yield at(tree, site, body.left, "updated-weights")


# ---- factors that are missing


def inserted(tree: Expr, bench: Bench) -> Edits:
    """A factor of the right answer, or of the model, beside the whole or one part of it."""
    pool = bench.factors
    for factor, word in pool:
        for new in (
            binary("*", tree, factor),
            binary("@", tree, factor),
            binary("@", tree, transposed(factor)),
            binary("@", factor, tree),
            binary("@", transposed(factor), tree),
            binary("/", tree, factor),
        ):
            yield Edit(new, word, tree, new)
    for site in sites(tree):
        if not site.path or is_literal(site.node) or isinstance(surrounding(site), Transpose):
            continue
        for factor, word in pool:
            for operator in ("*", "/", "@"):
                yield at(tree, site, binary(operator, site.node, factor), word)
            yield at(tree, site, binary("@", factor, site.node), word)


def multiplied_names(tree: Expr, bench: Bench) -> Edits:
    """A name that needs a factor wherever it stands; a factor that was moved out of a sum."""
    pool = bench.factors
    for name in sorted(names_in(tree)):
        if occurrences(tree, name) > 1:
            for factor, word in pool:
                new = binary("*", Name(name), factor)
                moved = factor in [link.factor for s in sites(tree) for link in chain(s.node)]
                yield Edit(substituted(tree, {name: new}), word, Name(name), new)
                if moved:
                    without = _without(tree, factor)
                    if without is not None:
                        yield Edit(substituted(without, {name: new}), "factor-moved-out-of-sum", factor, new)


def _without(tree: Expr, factor: Expr) -> Expr | None:
    links = chain(tree)
    rest = [link for link in links if link.factor != factor]
    if len(rest) == len(links) or not rest:
        return None
    return joined([Link("*", rest[0].factor), *rest[1:]])


def scaled_parts(tree: Expr, bench: Bench) -> Edits:
    """A number or a size beside one part of the formula."""
    sizes = bench.reference.engine.table.dims
    factors = [(TWO, "*", "missing-factor"), (TWO, "/", "extra-factor")]
    for n in sizes:
        factors += [(Name(n), "/", "missing-factor"), (Name(n), "*", "missing-factor")]
    for site in sites(tree):
        if is_literal(site.node) or isinstance(surrounding(site), Transpose):
            continue
        for factor, operator, word in factors:
            yield at(tree, site, binary(operator, site.node, factor), word)
