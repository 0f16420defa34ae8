"""Terms that are missing, too many or scaled, and truths with something left out: by sums of values in the field."""

from __future__ import annotations

from itertools import combinations

from whence.check import names
from whence.check.bench import Bench
from whence.check.factor import Factor, named, ratio
from whence.check.factors import Mistake, divided, factor_word
from whence.check.trees import ONE, binary, negated, put, sites, terms
from whence.ops.table import structured_by
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number
from whence.verify.algebra import Array

MAX_SUBSET_TERMS = 8


def by_terms(bench: Bench) -> Mistake | None:
    """A term that is missing, too many, with the wrong sign or with a wrong factor, by sums of values."""
    if bench.answer is None or bench.answer.shape != bench.target.shape:
        return None
    own = terms(bench.tree)
    if len(own) > 1:
        found = _one_term(bench, own)
        if found is not None:
            return found
    for form in bench.forms:
        found = _missing(bench, terms(form))
        if found is not None:
            return found
    return None


def _full(bench: Bench, tree: Expr, like: Expr) -> tuple[int, ...] | None:
    """The entries of a term, broadcast to the shape of the whole."""
    value = bench.point.value(binary("+", binary("*", Number(0 * ONE.value), like), tree))
    if value is None or value.shape != bench.target.shape or 1 in value.parts:
        return None
    return bench.point.values(value)


def _one_term(bench: Bench, own: list[tuple[int, Expr]]) -> Mistake | None:
    m = bench.point.ring.set.modulus
    values = [_full(bench, tree, bench.tree) for _, tree in own]
    if any(v is None for v in values) or 1 in bench.target.parts:
        return None
    flat = [[sign * x for x in v] for (sign, _), v in zip(own, values, strict=True) if v is not None]
    total = [sum(column) for column in zip(*flat, strict=True)]
    for k, (sign, tree) in enumerate(own):
        rest = [(w - t + x) % m for w, t, x in zip(bench.wanted, total, flat[k], strict=True)]
        without = _sum_of([*own[:k], *own[k + 1 :]])
        if not any(rest):
            if bench.holds_elsewhere(without):
                return Mistake(bench.extra_term(tree), tree, None, without)
            continue
        value = ratio(
            bench.point, Array(bench.target.shape, {0: [x % m for x in flat[k]]}), Array(bench.target.shape, {0: rest})
        )
        for factor in sorted(named(bench.point, value, {}), key=Factor.complexity) if value is not None else ():
            mended = _sum_of([*own[:k], (sign, divided(tree, factor)), *own[k + 1 :]])
            if bench.holds_elsewhere(mended):
                word = "wrong-sign" if factor.is_number and factor.number == -1 else factor_word(bench, tree, factor)
                return Mistake(word, tree, divided(tree, factor), mended, about=factor.text())
    return None


def _sum_of(parts: list[tuple[int, Expr]]) -> Expr:
    ordered = sorted(parts, key=lambda p: -p[0])
    sign, tree = ordered[0]
    out = tree if sign > 0 else Negative(tree)
    for sign, tree in ordered[1:]:
        out = binary("+" if sign > 0 else "-", out, tree)
    return out


def _missing(bench: Bench, whole: list[tuple[int, Expr]]) -> Mistake | None:
    """The answer is the sum of some of the truth's terms."""
    if not 1 < len(whole) <= MAX_SUBSET_TERMS:
        return None
    m = bench.point.ring.set.modulus
    assert bench.answer is not None
    values = [_full(bench, tree, bench.truth) for _, tree in whole]
    if any(v is None for v in values) or 1 in bench.answer.parts:
        return None
    said = bench.point.values(bench.answer)
    flat = [[sign * x for x in v] for (sign, _), v in zip(whole, values, strict=True) if v is not None]
    for count in range(len(whole) - 1, 0, -1):
        for chosen in combinations(range(len(whole)), count):
            if all((sum(flat[k][i] for k in chosen) - said[i]) % m == 0 for i in range(len(said))):
                kept = _sum_of([whole[k] for k in chosen])
                if bench.equals_answer(kept):
                    gone = [whole[k] for k in range(len(whole)) if k not in chosen]
                    added = _sum_of(gone)
                    return Mistake("missing-term", None, added, binary("+", bench.tree, added))
    return None


# ---- the truth with something left out


def truth_without(bench: Bench) -> Mistake | None:
    """The answer is the truth with a term, a factor or a diagonal left out at some depth."""
    diagonal, total = structured_by("diag").name, structured_by("sum").name
    for form in bench.forms:
        for site in sites(form):
            node = site.node
            if isinstance(node, Binary) and node.operator in "+-":
                for kept in (node.left, node.right if node.operator == "+" else negated(node.right)):
                    if bench.equals_answer(put(form, site, kept)):
                        return Mistake("missing-term", kept, node, form)
            if isinstance(node, Binary) and node.operator in ("*", "@"):
                for kept, gone in ((node.left, node.right), (node.right, node.left)):
                    if isinstance(gone, Number):
                        continue
                    if bench.equals_answer(put(form, site, kept)):
                        word = "missing-activation-derivative" if bench.is_slope(gone) else "missing-factor"
                        return Mistake(word, None, gone, form)
            if (
                isinstance(node, Call)
                and node.name in (diagonal, total)
                and bench.equals_answer(put(form, site, node.arguments[0]))
            ):
                word = "missing-diag" if node.name == diagonal else "missing-sum-over-batch"
                return Mistake(word, node.arguments[0], node, form)
    return None


def truth_without_two(bench: Bench) -> Mistake | None:
    """A term of the truth is left out, and of what is left a factor."""
    for form in bench.forms:
        shorter = [
            put(form, s, kept)
            for s in sites(form)
            if isinstance(s.node, Binary) and s.node.operator in "+-"
            for kept in (s.node.left, s.node.right)
        ]
        for tree in [*shorter, *(t for _, t in terms(form))]:
            for site in sites(tree):
                if isinstance(site.node, Binary) and site.node.operator in ("*", "@"):
                    for kept in (site.node.left, site.node.right):
                        if bench.equals_answer(put(tree, site, kept)):
                            return Mistake("missing-term", None, None, form, ("missing-factor",))
    return None


def distributed_names(bench: Bench) -> Mistake | None:
    """A name that is right in one term of a distributed product and wrong in another."""
    own = terms(bench.tree)
    if len(own) < 2:
        return None
    for edit in names.names(_sum_of(own), bench):
        if bench.hits(edit.tree):
            return Mistake(edit.diagnosis, edit.old, edit.new, edit.tree)
    return None


def inserted_and_scaled(bench: Bench) -> Mistake | None:
    """A factor of the model is missing, and with it a number that the model names: w / norm(w)."""
    m = bench.point.ring.set.modulus
    numbers = [p for p in bench.pieces if bench.is_number(p)]
    for edit in names.inserted(bench.tree, bench):
        value = bench.point.value(edit.tree)
        found = ratio(bench.point, value, bench.target) if value is not None and value.size > 1 else None
        if found is None:
            continue
        for piece in numbers:
            one = bench.point.value(piece)
            assert one is not None
            x = bench.point.values(one)[0]
            for operator, product in (("/", (found - x) % m), ("*", (found * x - 1) % m)):
                tree = binary(operator, edit.tree, piece)
                if not product and bench.hits(tree):
                    return Mistake(edit.diagnosis, None, edit.new, tree)
    return None


def later_adjoint(bench: Bench) -> Mistake | None:
    """The answer is the derivative by a later line: the way back through a function is missing."""
    problem = bench.reference.problem
    if len(problem.wrt) != 1:
        return None
    of = problem.wrt[0]
    for a in bench.activations:
        if a.argument != Name(of) or not isinstance(a.value, Name):
            continue
        answer = bench.reference.asking((a.value.id,)).answer
        if answer is not None and bench.equals_answer(answer.tree):
            return Mistake("missing-activation-derivative", None, None, bench.truth, about=a.function)
    return None
