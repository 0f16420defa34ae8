"""The index reading: a contraction as a sum over named indices, W2[k,i] dZ2[k,j]."""

from __future__ import annotations

from fractions import Fraction

from whence.expr.node import BASIS, DIMENSION, FUNCTION, IDENTITY, SUM, Coefficient, Factor, Node
from whence.notation.unicode import display_name

LETTERS = "ijklpqrstuvw"
SUBSCRIPTS = dict(zip("ijklpqrstuv", "ᵢⱼₖₗₚqᵣₛₜᵤᵥ", strict=True))


def index_formula(node: Node) -> str:
    """`[i,j] = Σₖ W2[k,i] dZ2[k,j]`: the entry of a node, with its indices before the equals sign.

    Shapes: any rank up to the number of letters. The indices of the result come first, summed ones after them.
    """
    letters = LETTERS[: node.rank]
    return f"{_place(letters)} = {_entry(node, tuple(range(node.rank)), node.rank)}"


def _place(letters) -> str:
    return f"[{','.join(letters)}]" if letters else ""


def _entry(node: Node, at: tuple[int, ...], used: int) -> str:
    """One entry of a node; `at` are the letters of its axes, letters from `used` on are free."""
    if node.kind == SUM:
        if not node.terms:
            return "0"
        return _signed([_term(c, fs, at, node.rank, used) for c, fs in node.terms])
    here = _place([LETTERS[i] for i in at])
    if node.kind == FUNCTION:
        return _function(node, at, used, here)
    if node.kind == IDENTITY:
        return f"[{LETTERS[at[0]]} = {LETTERS[at[1]]}]"
    if node.kind == BASIS:
        return f"[{LETTERS[at[0]]} = {node.name}]"
    return node.name if node.kind == DIMENSION else display_name(node.name) + here


def _function(node: Node, at: tuple[int, ...], used: int, here: str) -> str:
    name = node.name.replace("_prime_prime", "″").replace("_prime", "′")
    same = all(a.rank == node.rank for a in node.arguments)
    if same and not node.parameters or node.parameters == ("unknown",):
        return f"{name}({', '.join(_entry(a, at, used) for a in node.arguments)})"
    inner = ", ".join(_whole(a) for a in node.arguments)
    return f"{name}({inner}){here}"


def _whole(node: Node) -> str:
    if node.kind in (SUM, FUNCTION):
        return _entry(node, tuple(range(node.rank)), node.rank)
    return display_name(node.name)


def _term(c: Coefficient, factors: tuple[Factor, ...], at: tuple[int, ...], rank: int, used: int) -> tuple[bool, str]:
    ordered = sorted(factors, key=lambda factor: _order(factor, rank))
    summed = list(dict.fromkeys(i for _, idx, _ in ordered for i in idx if i >= rank))
    names = dict(enumerate(at)) | {s: used + k for k, s in enumerate(summed)}
    inner = used + len(summed)
    above, within, below = list[str](), list[str](), list[str]()
    for f, idx, e in ordered:
        text = _power(_entry(f, tuple(names[i] for i in idx), inner), f, abs(e))
        # What no sum reaches stands before it.
        (below if e < 0 else within if any(i >= rank for i in idx) else above).append(text)
    number = Fraction(abs(c))
    if number.numerator != 1 or not (above or within):
        above.insert(0, str(number.numerator))
    if number.denominator != 1:
        below.insert(0, str(number.denominator))
    letters = "".join(SUBSCRIPTS.get(LETTERS[names[s]], LETTERS[names[s]]) for s in summed)
    return c > 0, " ".join([*above, *([f"Σ{letters}"] if summed else []), *within]) + "".join(" / " + b for b in below)


def _order(factor: Factor, rank: int) -> tuple[bool, bool, float, bool]:
    """Where a factor stands: [i = j] first, then as in a product of matrices, by its index in the result; δ last."""
    node, indices, _ = factor
    own = min((i for i in indices if i < rank), default=0.5)
    return node.kind == DIMENSION, node.kind not in (IDENTITY, BASIS), own, node.name.startswith("δ")


def _power(text: str, f: Node, e: Coefficient) -> str:
    if f.kind == SUM and (len(f.terms) > 1 or e != 1):
        text = f"({text})"
    return text if e == 1 else f"{text}^{e}" if e.denominator == 1 else f"{text}^({e})"


def _signed(terms: list[tuple[bool, str]]) -> str:
    out = ""
    for k, (positive, text) in enumerate(terms):
        out += ("" if positive else "-") + text if k == 0 else (" + " if positive else " - ") + text
    return out
