"""Formulas with one mistake: what a backward pass computes where a term, a factor, a sum or an axis went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from whence.check.trees import put, sites
from whence.ops.signature import signature
from whence.ops.table import TABLE, in_role, structured_by
from whence.read.syntax import Binary, Call, Expr, Index, Name, Negative, Number, Range, Transpose, Tuple


@dataclass(frozen=True)
class Fault:
    """A wrong formula: the mistake by its word, what it was made with, and how much of it there is to say."""

    word: str
    tree: Expr
    part: Expr | None = None
    other: Expr | None = None


def unused(name: str) -> Fault:
    """An input as if it were all ones: a mask or a scale that is not applied."""
    ones = Binary("+", Binary("*", Name(name), Number(Fraction(0))), Number(Fraction(1)))
    return Fault("not-applied", ones, Name(name))


@dataclass(frozen=True)
class Surroundings:
    """What the mistakes can be made with: the sizes, the shape of every part, names of the same shape."""

    sizes: Mapping[str, int]
    shape: Callable[[Expr], tuple[int, ...]]
    alike: Mapping[str, Sequence[str]]


def faults(tree: Expr, around: Surroundings) -> Iterator[Fault]:
    """The formulas that are one mistake away, the likelier ones first."""
    places = sorted(sites(tree), key=lambda site: len(site.path))
    for maker in (_terms, _alone, _factors, _sums, _powers, _functions, _orders, _signs):
        for site in places:
            for word, new, part, other in maker(site.node, around):
                yield Fault(word, put(tree, site, new), part, other)
    yield from _scaled(tree, around)
    for site in places:
        if isinstance(site.node, Name):
            for name in around.alike.get(site.node.id, ()):
                yield Fault("wrong-variable", put(tree, site, Name(name)), site.node, Name(name))
    for site in places:
        for word, new, part, other in _tails(site.node, around):
            yield Fault(word, put(tree, site, new), part, other)


BLOCKS = (2, 4, 8, 16, 32, 64, 128, 256)
Made = Iterator[tuple[str, Expr, Expr | None, Expr | None]]


# ---------------------------------------------------------------------- terms and factors
def _terms(node: Expr, around: Surroundings) -> Made:
    if not isinstance(node, Binary) or node.operator not in "+-":
        return
    left, right = node.left, node.right
    last = right if node.operator == "+" else Negative(right)
    yield "missing-term", left, last, None
    yield "missing-term", last, left, None
    yield "wrong-sign", Binary("-" if node.operator == "+" else "+", left, right), right, None
    yield "wrong-sign", Binary(node.operator, Negative(left), right), left, None
    yield "double-counted", Binary(node.operator, node, right), right, None
    yield "double-counted", Binary("+", left, node), left, None


def _alone(node: Expr, around: Surroundings) -> Made:
    """One term of three or more alone: all others are missing."""
    terms = _summed(node)
    for term in terms if len(terms) > 2 else ():
        yield "only-term", term, term, None


def _summed(node: Expr) -> list[Expr]:
    """The terms of a sum, with their signs."""
    out: list[Expr] = []
    todo: list[tuple[Expr, bool]] = [(node, True)]
    while todo:
        one, plus = todo.pop()
        if isinstance(one, Binary) and one.operator in "+-":
            todo += [(one.right, plus == (one.operator == "+")), (one.left, plus)]
        else:
            out.append(one if plus else Negative(one))
    return out


def _factors(node: Expr, around: Surroundings) -> Made:
    if isinstance(node, Binary) and node.operator == "*":
        yield "missing-factor", node.left, node.right, None
        yield "missing-factor", node.right, node.left, None
        yield "extra-factor", Binary("*", node, node.right), node.right, None
        yield "extra-factor", Binary("*", node.left, node), node.left, None
        yield "divided-for-multiplied", Binary("/", node.left, node.right), node.right, None
        yield "divided-for-multiplied", Binary("/", node.right, node.left), node.left, None
    elif isinstance(node, Binary) and node.operator == "/":
        yield "missing-divisor", node.left, node.right, None
        yield "extra-divisor", Binary("/", node, node.right), node.right, None
        yield "multiplied-for-divided", Binary("*", node.left, node.right), node.right, None
    elif isinstance(node, Binary) and node.operator == "@":
        yield "elementwise-for-matmul", Binary("*", node.left, node.right), node, None


def _scaled(tree: Expr, around: Surroundings) -> Iterator[Fault]:
    """The whole, times or over a size."""
    for size in [Number(Fraction(2)), *(Name(s) for s in around.sizes)]:
        yield Fault("extra-factor", Binary("*", tree, size), size)
        yield Fault("extra-divisor", Binary("/", tree, size), size)
    yield Fault("wrong-sign", Negative(tree), tree)
    shape = around.shape(tree)
    if len(shape) > 1 and shape[-1] == shape[-2] > 1:
        yield Fault("transposed", Transpose(tree, batched=True))


# ---------------------------------------------------------------------- sums
def _sums(node: Expr, around: Surroundings) -> Made:
    if not isinstance(node, Call) or node.name not in TABLE:
        return
    op = TABLE[node.name]
    said = signature(op)
    if not said.axis:
        return
    if said.ways[0].rule == "axis":
        yield "missing-sum", node.arguments[0], node, None
    rank = len(around.shape(node.arguments[0]))
    axes = dict(node.keywords).get("axis")
    for k in range(rank):
        for new in (Number(Fraction(k)), Number(Fraction(k - rank))) if k == 0 else (Number(Fraction(k)),):
            if axes is not None and new != axes and (rank > 2 or new.value >= 0):
                yield "sum-over-wrong-axis", Call(node.name, node.arguments, (("axis", new),)), node, None
    total, mean = structured_by("sum").name, structured_by("mean").name
    if node.name == total:
        yield "mean-for-sum", Call(mean, node.arguments, node.keywords), node, None
    if node.name == mean:
        yield "sum-for-mean", Call(total, node.arguments, node.keywords), node, None
        count = _count(node, around)
        if count > 1:
            ratio = Number(Fraction(count, count - 1))
            yield "one-less", Binary("*", node, ratio), node, Number(Fraction(count - 1))


def _count(node: Call, around: Surroundings) -> int:
    """How many entries a sum adds up."""
    before, after = around.shape(node.arguments[0]), around.shape(node)
    count = 1
    for n in before:
        count *= n
    for n in after:
        count //= max(n, 1)
    return count


def _tails(node: Expr, around: Surroundings) -> Made:
    """A sum that stops too early: without the last block."""
    if isinstance(node, Binary) and node.operator == "@":
        left, right = around.shape(node.left), around.shape(node.right)
        if len(left) < 2 or len(right) < 2:
            return
        for k in _ends(left[-1]):
            first = _cut(node.left, len(left), len(left) - 1, k)
            second = _cut(node.right, len(right), len(right) - 2, k)
            yield "tail-left-out", Binary("@", first, second), node, Number(Fraction(k))
    elif isinstance(node, Call) and node.name == structured_by("sum").name:
        inner, shape = node.arguments[0], around.shape(node.arguments[0])
        axes = dict(node.keywords).get("axis")
        listed = list(axes.items) if isinstance(axes, Tuple) else [] if axes is None else [axes]
        for axis in listed:
            at = _whole(axis) % max(len(shape), 1)
            for k in _ends(shape[at]) if at < len(shape) else ():
                yield (
                    "tail-left-out",
                    Call(node.name, (_cut(inner, len(shape), at, k),), node.keywords),
                    node,
                    Number(Fraction(k)),
                )


def _whole(node: Expr) -> int:
    if isinstance(node, Negative):
        return -_whole(node.operand)
    return node.value.numerator if isinstance(node, Number) else 0


def _ends(n: int) -> list[int]:
    """Where a loop over blocks may have stopped."""
    blocks = {n - 1, n // 2, *(n - n % b for b in BLOCKS), *(n - b for b in BLOCKS)}
    return sorted((k for k in blocks if 0 < k < n), reverse=True)


def _cut(x: Expr, rank: int, axis: int, k: int) -> Expr:
    return Index(x, tuple(Range(None, Number(Fraction(k))) if j == axis else Range() for j in range(rank)))


# ---------------------------------------------------------------------- powers, functions, order, sign
def _powers(node: Expr, around: Surroundings) -> Made:
    if isinstance(node, Binary) and node.operator == "**" and isinstance(node.right, Number):
        for by in (1, -1):
            exponent = node.right.value + by
            new = node.left if exponent == 1 else Binary("**", node.left, Number(exponent))
            if exponent > 0:
                yield "wrong-power", new, node, new
    root = in_role("root").name
    if isinstance(node, Call) and node.name == root:
        yield "wrong-power", node.arguments[0], node, node.arguments[0]
    if isinstance(node, Binary) and node.operator == "/" and not isinstance(node.right, Number):
        yield "wrong-power", Binary("/", node.left, Call(root, (node.right,))), node.right, None


def _functions(node: Expr, around: Surroundings) -> Made:
    if not isinstance(node, Call) or node.name not in TABLE:
        return
    op = TABLE[node.name]
    if op.kind == "elementwise" and len(node.arguments) == 1 and node.name != in_role("root").name:
        yield "missing-function", node.arguments[0], node, None
    if op.name == structured_by("choose").name and len(node.arguments) == 3:
        yield "missing-mask", node.arguments[1], node, None


def _orders(node: Expr, around: Surroundings) -> Made:
    if isinstance(node, Transpose):
        yield "missing-transpose", node.operand, node, None
    if isinstance(node, Binary) and node.operator == "@":
        yield "wrong-order", Binary("@", node.right, node.left), node, None
        for k, part in enumerate((node.left, node.right)):
            shape = around.shape(part)
            if len(shape) > 1 and shape[-1] == shape[-2] and not isinstance(part, Transpose):
                turned = Transpose(part, batched=True)
                left, right = (turned, node.right) if k == 0 else (node.left, turned)
                yield "extra-transpose", Binary("@", left, right), part, None
    elif isinstance(node, Name):
        shape = around.shape(node)
        if len(shape) > 1 and shape[-1] == shape[-2] > 1:
            yield "extra-transpose", Transpose(node, batched=True), node, None


def _signs(node: Expr, around: Surroundings) -> Made:
    if isinstance(node, Negative):
        yield "wrong-sign", node.operand, node.operand, None
