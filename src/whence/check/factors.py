"""What a factor between an answer and the truth, or between two terms, says about the mistake."""

from __future__ import annotations

from dataclasses import dataclass

from whence.check import edits
from whence.check.bench import Bench
from whence.check.factor import Factor
from whence.check.trees import ONE, binary, negated
from whence.ops.table import structured_by
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number
from whence.read.walk import names_in, walk


@dataclass(frozen=True)
class Mistake:
    """What the mistake is called, what was put in the place of what, and the formula that comes out."""

    diagnosis: str
    old: Expr | None = None
    new: Expr | None = None
    repair: Expr | None = None
    also: tuple[str, ...] = ()
    about: str = ""  # a size, a name, an assumption


def of_factor(bench: Bench, factor: Factor) -> Mistake:
    """What a factor says: a sign, a number or a size too many or too few."""
    tree = bench.tree
    if not factor.known:
        return Mistake("missing-factor")
    repaired = divided(tree, factor)
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
    if factor.number == -1:  # two mistakes; a missing average may be the course's convention, a sign is none
        first, second = ("wrong-sign", word) if word == "missing-factor" else (word, "wrong-sign")
        return Mistake(first, tree, repaired, repaired, (second,), factor.text())
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


def divided(tree: Expr, factor: Factor) -> Expr:
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
