"""Sizes at which an equality must hold too: above the degree, where identities of small matrices have ended.

n x n matrices satisfy identities that larger ones do not: those of Cayley and Hamilton have degree n, and every other
one that holds with traces follows from them (Procesi 1976, Razmyslov 1974). Above its degree a formula has none left.
"""

from __future__ import annotations

from collections.abc import Mapping

from whence.check.point import NoPoint, Point
from whence.check.trees import parts
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Expr, Name, Number
from whence.verify.claim import Claim

HIGHEST_DEGREE = 8
_OPAQUE = 4  # what a function of a whole matrix counts for: of small matrices it is a polynomial
SMALLEST = 4


def above_the_degree(claim: Claim, point: Point | None = None) -> dict[str, int] | None:
    """Larger sizes for the symbols of which square matrices are multiplied; None where there are none.

    `point`: one of this claim, where there is one already.
    """
    try:
        point = point or Point(claim)
    except NoPoint:
        return None
    point.value(claim.answer)
    squares = {
        x.shape[-1] for x in point.registers if x is not None and len(x.shape) == 2 and x.shape[0] == x.shape[1] > 1
    }
    risky = [name for name, size in point.sizes.items() if size in squares]
    if not risky:
        return None
    wanted = max(SMALLEST, min(HIGHEST_DEGREE, max(degree(claim, t) for t in (claim.answer, claim.expression)) + 1))
    sizes = dict(point.sizes)
    for name in risky:
        size = wanted + (wanted - sizes[name] + 1) % 2  # odd for even: det(-A) = -det(A) holds at odd sizes
        while size in [k for n, k in sizes.items() if n != name]:
            size += 2
        sizes[name] = size
    return sizes if sizes != point.sizes else None


def degree(claim: Claim, tree: Expr) -> int:
    """How many arrays a term multiplies at most, functions of a whole matrix counted as several.

    The walk is over a stack, and beyond the highest degree it is all the same.
    """
    bodies = dict(claim.definitions)
    known: dict[str, int] = {name: int(bool(shape)) for name, shape in claim.variables.items()}
    for name, body in bodies.items():
        known[name] = _degree(body, known)
    return _degree(tree, known)


def _degree(tree: Expr, known: Mapping[str, int]) -> int:
    values: list[int] = []
    todo: list[tuple[Expr, bool]] = [(tree, False)]
    while todo:
        node, ready = todo.pop()
        inner = parts(node)
        if inner and not ready:
            todo.append((node, True))
            todo.extend((part, False) for part in reversed(inner))
            continue
        below = values[len(values) - len(inner) :]
        del values[len(values) - len(inner) :]
        values.append(min(_of_node(node, below, known), 4 * HIGHEST_DEGREE))
    return values[0]


def _of_node(node: Expr, below: list[int], known: Mapping[str, int]) -> int:
    if isinstance(node, Name):
        return known.get(node.id, 0)
    if isinstance(node, Binary) and node.operator in ("*", "@", "/"):
        return sum(below)
    if isinstance(node, Binary) and node.operator == "**":
        exponent = node.right.value if isinstance(node.right, Number) else 2
        return below[0] * max(1, int(abs(exponent)))
    if isinstance(node, Call):
        op = TABLE.get(node.name)
        whole = op is not None and op.kind == "function" and "n,n" in op.takes
        return max(below, default=0) + (_OPAQUE if whole else 0)
    return max(below, default=0)
