"""The smallest change that makes a formula right, and from it what the mistake is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from whence.check import edits
from whence.check.bench import Bench
from whence.check.edits import Edit
from whence.check.factor import Factor, named, ratio
from whence.check.point import NoPoint, Point
from whence.check.trees import ONE, Link, binary, chain, joined, negated, put, sites, terms, transposed
from whence.ops.table import structured_by
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Transpose
from whence.read.walk import names_in, walk
from whence.verify.algebra import Array

MAX_SUBSET_TERMS = 8
PAIR_TRIES = 2500


@dataclass(frozen=True)
class Mistake:
    """What the mistake is called, what was put in the place of what, and the formula that comes out."""

    diagnosis: str
    old: Expr | None = None
    new: Expr | None = None
    repair: Expr | None = None
    also: tuple[str, ...] = ()
    about: str = ""  # a size, a name, an assumption


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


# ---- right up to a factor


def of_factor(bench: Bench, factor: Factor) -> Mistake:
    """What a factor says: a sign, a number or a size too many or too few."""
    tree = bench.tree
    if not factor.known:
        return Mistake("missing-factor")
    repaired = _divided(tree, factor)
    if factor.is_number and factor.number == -1:
        for edit in edits.signs(tree, bench):
            if bench.hits(edit.tree):
                return Mistake("wrong-sign", edit.old, edit.new, edit.tree)
        return Mistake("wrong-sign", tree, negated(tree), negated(tree))
    word = factor_word(bench, tree, factor)
    if word in ("mean-for-sum", "double-counted", "wrong-dimension"):
        maker = edits.dimensions if word == "wrong-dimension" else edits.sums
        for edit in maker(tree, bench):
            if bench.hits(edit.tree):
                return Mistake(word, edit.old, edit.new, edit.tree, about=factor.text())
    return Mistake(word, tree, repaired, repaired, about=factor.text())


def factor_word(bench: Bench, tree: Expr, factor: Factor) -> str:
    """answer = factor * truth, for the whole or for one term."""
    mean = structured_by("mean").name
    has_mean = any(isinstance(n, Call) and n.name == mean for n in walk(tree))
    signs = {e > 0 for _, e in factor.powers}
    sizes = {n for n, _ in factor.powers} & set(bench.reference.engine.table.dims)
    if len(factor.powers) == 2 and len(signs) == 2 and len(sizes) == 2:
        return "wrong-dimension"
    below = _divisors(tree)
    if factor.powers:
        name, exponent = factor.powers[0]
        if exponent < 0:
            if has_mean and name in sizes:
                return "double-counted" if name in below else "mean-for-sum"
            return "extra-factor" if name in below else "missing-factor"
        return "extra-factor" if name in names_in(tree) and name not in below and not has_mean else "missing-factor"
    return "extra-factor" if abs(factor.number) > 1 else "missing-factor"


def _divisors(tree: Expr) -> set[str]:
    return {n for node in walk(tree) if isinstance(node, Binary) and node.operator == "/" for n in names_in(node.right)}


def _divided(tree: Expr, factor: Factor) -> Expr:
    """The formula without a factor."""
    out = tree
    if factor.number.denominator != 1:
        out = binary("*", Number(factor.number.denominator * ONE.value), out)
    above = Number(factor.number.numerator * ONE.value)
    for name, exponent in factor.powers:
        power: Expr = Name(name) if abs(exponent) == 1 else binary("**", Name(name), Number(abs(exponent) * ONE.value))
        out = binary("/" if exponent > 0 else "*", out, power)
    if factor.number.numerator == -1:
        return Negative(out)
    return out if factor.number.numerator == 1 else binary("/", out, above)


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
        for wrong, word in bench.wrong_slopes(a):
            if not bench.same(wrong, right) and bench.same(whole, binary("*", truth, wrong)):
                return Mistake(word, wrong, right, _replaced(bench, wrong, right))
    for a in bench.normalised:
        own = binary("*", a.value, binary("-", ONE, a.value))
        if bench.shape(own) == bench.target.shape and bench.same(tree, binary("*", truth, own)):
            return Mistake("extra-activation-derivative", own, None, bench.truth)
    return None


def _dropped(bench: Bench, gone: Expr) -> Expr:
    for edit in edits.dropped(bench.tree, bench):
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
        *edits.names(bench.tree, bench),
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


# ---- terms


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
        for factor in named(bench.point, value, {}) if value is not None else ():
            mended = _sum_of([*own[:k], (sign, _divided(tree, factor)), *own[k + 1 :]])
            if bench.holds_elsewhere(mended):
                word = "wrong-sign" if factor.is_number and factor.number == -1 else factor_word(bench, tree, factor)
                return Mistake(word, tree, _divided(tree, factor), mended, about=factor.text())
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
    for edit in edits.names(_sum_of(own), bench):
        if bench.hits(edit.tree):
            return Mistake(edit.diagnosis, edit.old, edit.new, edit.tree)
    return None


def inserted_and_scaled(bench: Bench) -> Mistake | None:
    """A factor of the model is missing, and with it a number that the model names: w / norm(w)."""
    m = bench.point.ring.set.modulus
    numbers = [p for p in bench.pieces if bench.is_number(p)]
    for edit in edits.inserted(bench.tree, bench):
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
        edits.names,
        edits.dropped,
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
            number = ratio(bench.point, value, bench.target) if value.size > 1 else None
            if number is not None:
                found = _scaled(bench, edit, number)
                if found is not None:
                    return found
            fitting.append(edit)
    for edit in fitting[:40]:
        for maker in (
            edits.signs,
            edits.sums,
            edits.transposes,
            edits.functions,
            edits.points,
            edits.names,
            edits.dropped,
        ):
            for second in maker(edit.tree, bench):
                if bench.hits(second.tree):
                    return Mistake(edit.diagnosis, edit.old, edit.new, second.tree, (second.diagnosis,))
                if bench.exhausted:
                    return None
    return None


def _scaled(bench: Bench, edit: Edit, number: int) -> Mistake | None:
    for factor in named(bench.point, number, {}):
        repaired = _divided(edit.tree, factor)
        if bench.holds_elsewhere(repaired):
            also = "wrong-sign" if factor.is_number and factor.number == -1 else factor_word(bench, edit.tree, factor)
            return Mistake(edit.diagnosis, edit.old, edit.new, repaired, (also,), factor.text())
    return None


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
            value = bench.point.value(product)
            number = ratio(bench.point, value, bench.target) if value is not None and value.size > 1 else None
            for factor in named(bench.point, number, {}) if number is not None else ():
                repaired = _divided(product, factor)
                if bench.holds_elsewhere(repaired):
                    return Mistake("vector-rule-on-matrices", bench.tree, repaired, repaired)
    return None


WAYS: tuple[Callable[[Bench], Mistake | None], ...] = (
    one_edit(edits.precedence),
    one_edit(edits.whole_transposed),
    diagonal_only,
    one_edit(edits.transposes),
    elementwise_slopes,
    one_edit(edits.updated, edits.sums, edits.row_layout),
    one_edit(edits.outer_products, edits.signs_of_products, edits.diagonals, edits.orders),
    by_terms,
    assumptions("onehot-columns"),
    one_edit(edits.signs, edits.functions, edits.points, edits.dimensions, edits.dropped),
    one_edit(edits.adjoints_for_upstream, edits.multiplied_names),
    truth_without,
    later_adjoint,
    one_edit(edits.names, edits.inner_arguments, edits.expressions_for_names, edits.powers),
    distributed_names,
    constant_upstream,
    one_edit(edits.inserted, edits.scaled_parts),
    inserted_and_scaled,
    truth_without_two,
    chain_rule_on_matrices,
    two_edits,
    assumptions("symmetric"),
)
