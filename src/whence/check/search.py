"""The smallest change that makes a formula right, and from it what the mistake is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from whence.check import edits, names
from whence.check.bench import Bench
from whence.check.edits import Edit
from whence.check.factor import Factor, ratio
from whence.check.factors import Mistake, divided, factor_word, of_factor
from whence.check.point import NoPoint, Point
from whence.check.terms import (
    by_terms,
    distributed_names,
    inserted_and_scaled,
    later_adjoint,
    truth_without,
    truth_without_two,
)
from whence.check.trees import ONE, Link, binary, chain, joined, put, sites, transposed
from whence.ops.table import structured_by
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name, Number, Transpose
from whence.read.walk import names_in


def mistake(bench: Bench, factor: Factor | None) -> Mistake | None:
    """The mistake in an answer that is not right, None where no small change was found."""
    if factor is not None:
        return of_factor(bench, factor)
    for way in WAYS:
        found = way(bench)
        if found is not None:
            return found
        if bench.exhausted:
            break
    return None


# ---- one edit


def one_edit(*makers: edits.Maker) -> Callable[[Bench], Mistake | None]:
    def way(bench: Bench) -> Mistake | None:
        for maker in makers:
            for edit in maker(bench.tree, bench):
                if bench.hits(edit.tree):
                    return Mistake(edit.diagnosis, edit.old, edit.new, edit.tree)
                if bench.exhausted:
                    return None
        return None

    return way


# ---- the activation's slope, too many or wrong: by the quotient of the answer and the truth


def elementwise_slopes(bench: Bench) -> Mistake | None:
    """answer * f′ = truth * what people write for f′, entry by entry."""
    if bench.answer is None or bench.answer.shape != bench.target.shape:
        return None
    truth, tree = bench.truth, bench.tree
    for a, right in bench.slopes:
        if bench.shape(right) != bench.target.shape:
            continue
        if bench.same(tree, binary("*", truth, right)):
            return Mistake("extra-activation-derivative", right, None, _dropped(bench, right))
        if bench.same(binary("*", tree, right), truth):
            return Mistake("missing-activation-derivative", None, right, binary("*", tree, right))
        whole = binary("*", tree, right)
        factor = bench.factor_of(whole, truth)
        if factor is not None:  # left out, and scaled
            word = "wrong-sign" if factor.is_number and factor.number == -1 else factor_word(bench, tree, factor)
            mended = divided(whole, factor)
            return Mistake("missing-activation-derivative", None, right, mended, (word,), factor.text())
        for wrong, word in bench.wrong_slopes(a):
            if not bench.same(wrong, right) and bench.same(whole, binary("*", truth, wrong)):
                return Mistake(word, wrong, right, _replaced(bench, wrong, right))
    for a in bench.normalised:
        own = binary("*", a.value, binary("-", ONE, a.value))
        if bench.shape(own) == bench.target.shape and bench.same(tree, binary("*", truth, own)):
            return Mistake("extra-activation-derivative", own, None, bench.truth)
    return None


def _dropped(bench: Bench, gone: Expr) -> Expr:
    for edit in names.dropped(bench.tree, bench):
        if bench.hits(edit.tree):
            return edit.tree
    return binary("/", bench.tree, gone)


def _replaced(bench: Bench, wrong: Expr, right: Expr) -> Expr:
    for site in sites(bench.tree):
        if bench.same(site.node, wrong):
            new = put(bench.tree, site, right)
            if bench.hits(new):
                return new
    for edit in [
        *edits.functions(bench.tree, bench),
        *edits.points(bench.tree, bench),
        *names.names(bench.tree, bench),
    ]:
        if bench.hits(edit.tree):
            return edit.tree
    return bench.truth


# ---- softmax taken as elementwise


def diagonal_only(bench: Bench) -> Mistake | None:
    """p * (1 - p) for the Jacobian diag(p) - p @ p.T, alone, on a diagonal, or applied to a gradient."""
    total = structured_by("sum").name
    for a in bench.normalised:
        p = a.value
        own = binary("*", p, binary("-", ONE, p))
        axis = next((value for key, value in a.call.keywords if key == "axis"), Number(0 * ONE.value))
        for site in sites(bench.tree):
            node = site.node
            value = bench.point.value(node)
            if value is not None and bench.same(node, own):
                full = binary("-", Call(structured_by("diag").name, (p,)), binary("@", p, Transpose(p)))
                for place in (site, *(s for s in sites(bench.tree) if s.node in site.above[-1:])):
                    new = put(bench.tree, place, full)
                    if bench.hits(new):
                        return Mistake("diagonal-only-jacobian", place.node, full, new)
            if isinstance(node, Binary) and node.operator in ("*", "@"):
                for rest in _beside(bench, chain(node), p):
                    applied = binary("*", p, binary("-", rest, Call(total, (binary("*", p, rest),), (("axis", axis),))))
                    new = put(bench.tree, site, applied)
                    if bench.hits(new):
                        return Mistake("diagonal-only-jacobian", node, applied, new)
    return None


def _beside(bench: Bench, links: list[Link], p: Expr) -> Iterator[Expr]:
    """What stands beside p and 1 - p in a product."""
    places = [k for k, link in enumerate(links) if bench.same(link.factor, p)]
    others = [k for k, link in enumerate(links) if bench.same(link.factor, binary("-", ONE, p))]
    for k in places[:2]:
        for j in others[:2]:
            rest = [link for i, link in enumerate(links) if i not in (k, j)]
            if rest:
                yield joined([Link("*", rest[0].factor), *rest[1:]])


# ---- assumptions


def assumptions(*tags: str) -> Callable[[Bench], Mistake | None]:
    """Is it right where something is assumed of one input?"""

    def way(bench: Bench) -> Mistake | None:
        base = bench.examination.base
        if base is None or bench.answer is None:
            return None
        for name, shape in bench.reference.engine.inputs.items():
            if len(shape) != 2 or name not in names_in(bench.truth) | names_in(bench.tree):
                continue
            for tag in tags:
                if tag in base.assume.get(name, ()) or (tag == "symmetric" and shape[0] != shape[1]):
                    continue
                if _holds(bench, bench.reference.assuming(base, name, tag)):
                    word = "hidden-assumption"
                    if tag == "onehot-columns" and not base.assume.get(name):
                        word = "unused-upstream"
                    return Mistake(word, Name(name), None, bench.truth, about=tag)
        return None

    return way


def _holds(bench: Bench, claim: object) -> bool:
    for seed in (11, 12):
        try:
            point = Point(claim, seed=seed, sizes=bench.point.sizes)  # type: ignore[arg-type]  # a claim
        except NoPoint:
            return False
        if not point.same(point.value(bench.tree), point.value(bench.truth)):
            return False
    return True


def constant_upstream(bench: Bench) -> Mistake | None:
    """The upstream gradient taken as all ones."""
    ones = structured_by("ones").name
    for name, shape in bench.reference.engine.inputs.items():
        if len(shape) == 2 and name in names_in(bench.truth) and name not in names_in(bench.tree):
            all_ones = Call(
                ones, tuple(Name(str(d)) if str(d).isidentifier() else Number(int(str(d)) * ONE.value) for d in shape)
            )
            if all(str(d).isidentifier() or str(d).isdigit() for d in shape) and bench.equals_answer(
                substituted(bench.truth, {name: all_ones})
            ):
                return Mistake("unused-upstream", Name(name), None, bench.truth)
    return None


# ---- two edits


def two_edits(bench: Bench) -> Mistake | None:
    """Two changes together; those that make the formula fit come first."""
    makers = (
        edits.transposes,
        edits.signs_of_products,
        edits.sums,
        edits.signs,
        names.names,
        names.dropped,
        edits.orders,
    )
    first = [edit for maker in makers for edit in maker(bench.tree, bench)]
    fitting: list[Edit] = []
    seen: set[Expr] = set()
    for edit in first:
        if edit.tree in seen:
            continue
        seen.add(edit.tree)
        value = bench.point.value(edit.tree)
        if value is None:
            continue
        if value.shape == bench.target.shape:
            if value.size > 1 and ratio(bench.point, value, bench.target) is not None:
                found = _scaled(bench, edit)
                if found is not None:
                    return found
            fitting.append(edit)
    for edit in fitting[:12]:
        for maker in (
            edits.signs,
            edits.sums,
            edits.transposes,
            edits.functions,
            edits.points,
            names.names,
            names.dropped,
        ):
            for second in maker(edit.tree, bench):
                if bench.hits(second.tree):
                    return Mistake(edit.diagnosis, edit.old, edit.new, second.tree, (second.diagnosis,))
                if bench.exhausted:
                    return None
    return None


def _scaled(bench: Bench, edit: Edit) -> Mistake | None:
    """An edit that makes the formula right but for a number: a second mistake, or the course's convention."""
    factor = bench.factor_of(edit.tree, bench.truth)
    if factor is None:
        return None
    repaired = divided(edit.tree, factor)
    if not bench.examination.wanted and [n for n, _ in factor.powers] == [bench.reference.samples]:
        return Mistake(edit.diagnosis, edit.old, edit.new, edit.tree)  # between a person's own lines
    if not bench.holds_elsewhere(repaired):
        return None
    also = "wrong-sign" if factor.is_number and factor.number == -1 else factor_word(bench, edit.tree, factor)
    return Mistake(edit.diagnosis, edit.old, edit.new, repaired, (also,), factor.text())


def chain_rule_on_matrices(bench: Bench) -> Mistake | None:
    """Outer times inner derivative as for numbers: right, up to a number, turned round and transposed."""
    links = chain(bench.tree)
    matrices = [k for k, (sign, factor) in enumerate(links) if sign != "/" and not bench.is_number(factor)]
    if len(matrices) != 2:
        return None
    one, two = (links[k].factor for k in matrices)
    scalars = [link for k, link in enumerate(links) if k not in matrices]
    for a in (one, transposed(one)):
        for b in (two, transposed(two)):
            product = joined([Link("*", binary("@", b, a)), *scalars])
            factor = bench.factor_of(product, bench.truth)
            if factor is not None and bench.holds_elsewhere(divided(product, factor)):
                repaired = divided(product, factor)
                return Mistake("vector-rule-on-matrices", bench.tree, repaired, repaired)
    return None


WAYS: tuple[Callable[[Bench], Mistake | None], ...] = (
    one_edit(edits.precedence),
    one_edit(edits.whole_transposed),
    diagonal_only,
    one_edit(edits.transposes),
    elementwise_slopes,
    one_edit(names.updated, edits.sums, edits.row_layout),
    one_edit(edits.outer_products, edits.signs_of_products, edits.diagonals, edits.orders),
    by_terms,
    assumptions("onehot-columns"),
    one_edit(edits.signs, edits.functions, edits.points, edits.dimensions, names.dropped),
    one_edit(names.adjoints_for_upstream, names.multiplied_names),
    truth_without,
    later_adjoint,
    one_edit(names.names, edits.inner_arguments, names.expressions_for_names, edits.powers),
    distributed_names,
    constant_upstream,
    one_edit(names.inserted, names.scaled_parts),
    inserted_and_scaled,
    truth_without_two,
    chain_rule_on_matrices,
    two_edits,
    assumptions("symmetric"),
)
