"""Which gradients get a name of their own, as lectures name them: dZ2 and dZ1, but not dA1 and not dL."""

from __future__ import annotations

from whence.ops.signature import signature
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Expr, Index, Model, Statement, Transpose
from whence.read.walk import names_in, walk


def adjoint_names(model: Model) -> dict[str, str]:
    """Intermediate -> the name of its gradient, for the intermediates that are named.

    Folded into what they are made of are: an activation A1 = g1(Z1), a residual or a loss that is one earlier
    intermediate entry by entry (with labels used only there); and an output such as P = softmax(Z) of which
    nothing but the cost is made.
    """
    targets = set(model.targets)
    uses = {s.target: names_in(s.expression) for s in model.statements}
    leaves = set().union(*uses.values()) - targets if uses else set()
    often = {n for n in leaves if sum(n in used for used in uses.values()) > 1}
    cost = model.targets[-1] if model.targets else ""
    tail = {cost}  # the cost, and what leads to nothing else
    out: dict[str, str] = {}
    for statement in reversed(model.statements):
        used_by = {t for t, used in uses.items() if statement.target in used}
        folded = _is_entry_by_entry(statement, targets, often) or (used_by <= tail and _is_output(statement, targets))
        if folded and used_by <= tail:
            tail.add(statement.target)
        name = "d" + statement.target
        if not folded and statement.target != cost and name not in targets | leaves:
            out[statement.target] = name
    return dict(reversed(out.items()))


def _is_entry_by_entry(statement: Statement, targets: set[str], often: set[str]) -> bool:
    used = names_in(statement.expression)
    return len(used & targets) == 1 and not used & often and _elementwise(statement.expression)


def _elementwise(tree: Expr) -> bool:
    """No matrix product, no transpose, no reduction anywhere."""
    for node in walk(tree):
        if isinstance(node, Transpose | Index) or (isinstance(node, Binary) and node.operator == "@"):
            return False
        if isinstance(node, Call) and node.name in TABLE and TABLE[node.name].kind != "elementwise":
            return False
    return True


def _is_output(statement: Statement, targets: set[str]) -> bool:
    """A function of one earlier intermediate or of inputs, of the same shape: P = softmax(Z)."""
    body = statement.expression
    if not isinstance(body, Call) or body.name not in TABLE or len(names_in(body) & targets) > 1:
        return False
    return len(body.arguments) == 1 and signature(TABLE[body.name]).ways[0].rule == "same"
