"""What the facts of factors allow inside one term: masks, signs, triangles, entries, powers.

See facts/declared.py for the words. Each rule leaves fewer factors, or factors with fewer indices.
"""

from __future__ import annotations

from whence.expr.naming import canonical_naming
from whence.expr.node import BASIS, SUM, Coefficient, Node, function, identity, raw_sum
from whence.expr.selectors import SELECTS, use_selectors

UNIT_DIAGONAL = "unit-diagonal"  # a triangular mask: ones on one side of the diagonal and on it, zeros on the other
LOWER = "lower"  # zero above the diagonal
SYMBOLIC_POWER = "symbolic-power"  # its first argument to the power of its second

Exponents = dict[tuple[Node, tuple[int, ...]], Coefficient]


def _simple_facts(exponents: Exponents) -> Exponents:
    """What the facts of factors allow: see facts/names.py for each fact and its law."""
    out: Exponents = {}
    for (node, idx), e in exponents.items():
        facts = node.facts
        if "symmetric" in facts and len(idx) > 1 and idx[-2] > idx[-1]:
            idx = (*idx[:-2], idx[-1], idx[-2])
        out[node, idx] = out.get((node, idx), 0) + e
        if UNIT_DIAGONAL in facts and len(idx) > 1 and idx[0] == idx[1]:
            del out[node, idx]
        elif "mask" in facts and out[node, idx] > 0:
            out[node, idx] = 1
        elif "unit-sign" in facts and e.denominator == 1:
            out[node, idx] = out[node, idx] % 2
    for node, idx in list(out):
        if "absorbs-mask" in node.facts:
            for other in [
                k for k in out if "positive-mask" in k[0].facts and k[0].arguments == node.arguments and k[1] == idx
            ]:
                if out[node, idx] > 0:
                    del out[other]
        elif "absolute" in node.facts:
            _absolute(out, node, idx)
    return out


def _absolute(out: Exponents, node: Node, idx: tuple[int, ...]) -> None:
    """abs(x)**2 = x**2 and abs(x) * sign(x) = x."""
    e = out[node, idx]
    argument = (node.arguments[0], idx)
    for other in [k for k in out if "unit-sign" in k[0].facts and k[0].arguments == node.arguments and k[1] == idx]:
        if out[other] == 1 and e != 0 and e.denominator == 1:
            step = 1 if e > 0 else -1
            out[argument] = out.get(argument, 0) + step
            out[node, idx] = e = e - step
            del out[other]
    if e != 0 and e.denominator == 1 and e % 2 == 0:
        out[argument] = out.get(argument, 0) + e
        out[node, idx] = 0


def use_facts(exponents: Exponents, rank: int) -> tuple[Exponents, bool]:
    """The factors after all rules, and whether identities or sums are among the new ones."""
    out = _simple_facts(exponents)
    present = set().union(*[node.facts for node, _ in out])
    changed = UNIT_DIAGONAL in present and _triangles(out)
    changed |= "mask" in present and _entries(out, rank)
    changed |= SYMBOLIC_POWER in present and _powers(out)
    changed |= SELECTS in present and use_selectors(out)
    return out, changed


def _triangles(out: Exponents) -> bool:
    """A lower triangular matrix keeps its lower triangle, and has only its diagonal in the upper one."""
    changed = False
    for node, idx in [k for k in out if UNIT_DIAGONAL in k[0].facts and not k[0].arguments]:
        if out.get((node, idx), 0) <= 0 or idx[0] == idx[1]:
            continue
        turned = idx[::-1]
        if any(LOWER in f.facts and i == idx and e > 0 for (f, i), e in out.items()):
            out[node, idx] = 0
        elif any((LOWER in f.facts or f is node) and i == turned and e > 0 for (f, i), e in out.items()):
            out[node, idx] = 0
            if out.get((node, turned), 0) > 0:
                out[node, turned] = 0
            unit = identity(node.dims[0])
            out[unit, idx] = out.get((unit, idx), 0) + 1
            changed = True
    return changed


def _entries(out: Exponents, rank: int) -> bool:
    """A vector beside the unit vector of the same index is its entry there: f[k] e_i[k] = f[i] e_i[k]."""
    changed = False
    for unit, own in [k for k, e in out.items() if k[0].kind == BASIS and e > 0]:
        if own[0] >= rank:
            continue
        for f, idx in [k for k, e in out.items() if k[1] == own and k[0] is not unit and e != 0]:
            e = out.pop((f, idx))
            if f.kind != BASIS:
                entry = raw_sum(((1, canonical_naming([(f, (0,), 1), (unit, (0,), 1)], 0)),), ())
                out[entry, ()] = out.get((entry, ()), 0) + e
                changed = True
            else:
                out[f, idx] = e
    return changed


def _powers(out: Exponents) -> bool:
    """b**k * b = b**(k + 1), and b**k * b**l = b**(k + l)."""
    changed = False
    for node, idx in [k for k, e in out.items() if SYMBOLIC_POWER in k[0].facts and e != 0]:
        e = out.get((node, idx), 0)
        if e.denominator != 1 or e == 0:
            continue
        base, exponent = node.arguments
        plain = out.get((base, idx), 0)
        others = [
            k
            for k, other in out.items()
            if k[1] == idx and k[0] is not node and SYMBOLIC_POWER in k[0].facts and k[0].arguments[0] is base and other
        ]
        if not others and (plain == 0 or plain.denominator != 1) and e == 1:
            continue
        terms = [(exponent, e), *((k[0].arguments[1], out[k]) for k in others)]
        out[base, idx] = 0
        for key in [(node, idx), *others]:
            out[key] = 0
        changed |= _with_power(out, node, idx, terms, plain)
    return changed


def _with_power(out: Exponents, node: Node, idx: tuple[int, ...], terms, plain: Coefficient) -> bool:
    """Put base**(sum of terms + plain) in the place of what was taken out."""
    base, exponent = node.arguments
    collected: dict = {}
    for f, c in terms:
        for c2, factors in f.terms if f.kind == SUM else ((1, ((f, tuple(range(f.rank)), 1),)),):
            collected[factors] = collected.get(factors, 0) + c * c2
    if plain:
        collected[()] = collected.get((), 0) + plain
    left = [(c, factors) for factors, c in collected.items() if c != 0]
    if not left or (len(left) == 1 and left[0][1] == ()):
        out[base, idx] = left[0][0] if left else 0
        return False
    left.sort(key=lambda term: tuple((f.order, ix, e.numerator, e.denominator) for f, ix, e in term[1]))
    single = left[0][1][0] if len(left) == 1 and left[0][0] == 1 and len(left[0][1]) == 1 else None
    own = tuple(range(exponent.rank))
    total = single[0] if single and single[1] == own and single[2] == 1 else raw_sum(tuple(left), exponent.dims)
    made = function(node.name, (base, total), node.dims, node.parameters, node.facts)
    out[made, idx] = out.get((made, idx), 0) + 1
    return False
