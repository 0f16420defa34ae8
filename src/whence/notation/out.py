"""Formulas under construction: a syntax tree with its length in tokens and how tightly it binds.

Lengths are additive, so the shortest of several forms can be chosen without printing any of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from whence.expr.node import Coefficient
from whence.ops.table import in_role, structured_by
from whence.read.parser import parse_expression
from whence.read.syntax import Binary, Call, Compare, Expr, Index, Name, Negative, Number, Range, Text, Transpose, Tuple

POWER_LIMIT = 64  # the highest power of a matrix that the language has
SUM_LEVEL, PRODUCT_LEVEL, POWER_LEVEL, ATOM_LEVEL = 1, 2, 4, 5


@dataclass(frozen=True, slots=True)
class Out:
    """A formula: tree, length, binding level; `chain` the operands where it is a matrix product."""

    tree: Expr
    length: int
    level: int = ATOM_LEVEL
    chain: tuple[Out, ...] = ()
    hadamard: tuple[Out, ...] = ()  # numerator operands where it is an elementwise product of arrays only
    symmetric: bool = False
    scalar: bool = False
    rank: int = 2  # of a tensor more than 2: its transpose is that of its last two axes

    def within(self, level: int) -> int:
        """Its length where something of this level surrounds it: brackets cost two."""
        return self.length + (2 if self.level < level else 0)


def name(text: str, *, symmetric: bool = False, scalar: bool = False) -> Out:
    return Out(Name(text), 1, symmetric=symmetric, scalar=scalar)


def number(value: Coefficient) -> Out:
    """A non-negative number."""
    if value.denominator == 1:
        return Out(Number(Fraction(value)), 1, scalar=True)
    decimal = _decimal(Fraction(value))
    if decimal:
        return Out(Number(Fraction(value), decimal), 1, scalar=True)
    return divide(number(value.numerator), number(value.denominator))


def _decimal(value: Fraction) -> str:
    """A short decimal text of a number such as 0.044715, or nothing where a quotient reads better."""
    d = value.denominator
    twos = fives = 0
    while d % 2 == 0:
        d, twos = d // 2, twos + 1
    while d % 5 == 0:
        d, fives = d // 5, fives + 1
    digits = max(twos, fives)
    if d == 1 and digits > 6 and fives and abs(value.numerator * 10**digits // value.denominator) < 10_000:
        return f"{value.numerator * 10**digits // value.denominator}e-{digits}"
    if d != 1 or fives == 0 or digits > 12:
        return ""
    whole, part = divmod(value * 10**digits, 10**digits)
    return f"{int(whole)}.{int(part):0{digits}d}"


def call(function: str, *arguments: Out, axis: int | tuple[int, ...] | None = None, extra: int = 0) -> Out:
    keywords = () if axis is None else (("axis", _axes(axis)),)
    shown = 0 if axis is None else 4 if isinstance(axis, int) else 4 + len(axis)
    length = 2 + sum(a.length for a in arguments) + max(len(arguments) - 1, 0) + 1 + shown + extra
    return Out(Call(function, tuple(a.tree for a in arguments), keywords), length)


def _axes(axis: int | tuple[int, ...]) -> Expr:
    if isinstance(axis, tuple):
        return Tuple(tuple(_axes(k) for k in axis))
    return Number(Fraction(axis)) if axis >= 0 else Negative(Number(Fraction(-axis)))


def permuted(a: Out, order: tuple[int, ...]) -> Out:
    """The axes in another order."""
    tree = Call(structured_by("transpose").name, (a.tree, _axes(order)))
    return Out(tree, a.length + 6 + 2 * len(order), rank=len(order))


def ranges(a: Out, places: list[tuple[Out, Out] | None]) -> Out:
    """X[:, low:high]; None is the whole axis."""
    trees = tuple(Range() if p is None else Range(p[0].tree, p[1].tree) for p in places)
    length = sum(2 if p is None else 2 + p[0].length + p[1].length for p in places)
    return Out(Index(a.tree, trees), a.within(ATOM_LEVEL) + 1 + length, rank=a.rank)


def transpose(a: Out) -> Out:
    """The transpose, moved inside where that is no longer than `(...).T`."""
    if a.scalar or a.symmetric:
        return a
    if isinstance(a.tree, Transpose):
        return _unwrapped(a)
    outside = Out(Transpose(a.tree, batched=a.rank > 2), a.within(ATOM_LEVEL) + 2, rank=a.rank)
    if a.chain:
        inside = matmul([transpose(x) for x in reversed(a.chain)])
        return inside if inside.length <= outside.length + 1 else outside
    if a.hadamard:
        inside = elementwise([transpose(x) for x in a.hadamard])
        return inside if inside.length < outside.length else outside
    return outside


def _unwrapped(a: Out) -> Out:
    assert isinstance(a.tree, Transpose)
    level = _level(a.tree.operand)
    return Out(a.tree.operand, a.length - 2 - (2 if level < ATOM_LEVEL else 0), level, rank=a.rank)


def _level(tree: Expr) -> int:
    """How tightly a tree binds."""
    if isinstance(tree, Binary):
        return {"+": SUM_LEVEL, "-": SUM_LEVEL, "**": POWER_LEVEL}.get(tree.operator, PRODUCT_LEVEL)
    return SUM_LEVEL if isinstance(tree, Negative) else ATOM_LEVEL


def matmul(operands: list[Out]) -> Out:
    """A matrix product, flattened: the product is associative."""
    flat: list[Out] = []
    for o in operands:
        flat.extend(o.chain or (o,))
    if len(flat) == 1:
        return flat[0]
    shorter = _powers(_inverses(flat))
    if len(shorter) == 1:
        return replace(shorter[0], chain=tuple(flat))
    return replace(_joined(shorter), chain=tuple(flat))


def _inverses(flat: list[Out]) -> list[Out]:
    """inv(B) @ inv(A) as inv(A @ B)."""
    name = in_role("inverse").name
    out: list[Out] = []
    for x in flat:
        last = out[-1].tree if out else None
        if _is_call(x.tree, name) and last is not None and _is_call(last, name):
            inner = matmul([_operand(x), _operand(out.pop())])
            out.append(call(name, inner))
        else:
            out.append(x)
    return out


def _is_call(tree: Expr, name: str) -> bool:
    return isinstance(tree, Call) and tree.name == name and len(tree.arguments) == 1


def _operand(x: Out) -> Out:
    """What a function of one argument is called with."""
    assert isinstance(x.tree, Call)
    tree = x.tree.arguments[0]
    inner = Out(tree, x.length - 3, _level(tree))
    return inner


def _powers(flat: list[Out]) -> list[Out]:
    """Runs of the same factor as a power, where that is shorter."""
    name = structured_by("matpow").name
    out: list[Out] = []
    k = 0
    while k < len(flat):
        run = 1
        while run < POWER_LIMIT and k + run < len(flat) and flat[k + run].tree == flat[k].tree:
            run += 1
        written = run * (flat[k].within(PRODUCT_LEVEL + 1) + 1) - 1
        power_length = flat[k].length + 5
        if run > 1 and power_length < written:
            made = Call(name, (flat[k].tree, Number(Fraction(run))))
            out.append(Out(made, power_length, symmetric=flat[k].symmetric))
        else:
            out.extend(flat[k : k + run])
        k += run
    return out


def _joined(flat: list[Out]) -> Out:
    tree, length = flat[0].tree, flat[0].within(PRODUCT_LEVEL)
    for o in flat[1:]:
        tree = Binary("@", tree, o.tree)
        length += 1 + o.within(PRODUCT_LEVEL + 1)
    n = len(flat)
    palindrome = n > 1 and all(transpose(flat[k]).tree == flat[n - 1 - k].tree for k in range((n + 1) // 2))
    return Out(tree, length, PRODUCT_LEVEL, chain=tuple(flat), symmetric=palindrome)


def multiply(a: Out, b: Out) -> Out:
    return Out(
        Binary("*", a.tree, b.tree),
        a.within(PRODUCT_LEVEL) + 1 + b.within(PRODUCT_LEVEL + 1),
        PRODUCT_LEVEL,
        scalar=a.scalar and b.scalar,
    )


def divide(a: Out, b: Out) -> Out:
    return Out(
        Binary("/", a.tree, b.tree),
        a.within(PRODUCT_LEVEL) + 1 + b.within(PRODUCT_LEVEL + 1),
        PRODUCT_LEVEL,
        scalar=a.scalar and b.scalar,
    )


def compare(operator: str, a: Out) -> Out:
    """a > 0, for use as an argument."""
    return Out(Compare(operator, a.tree, Number(Fraction(0))), a.length + 2, 0)


def elementwise(operands: list[Out]) -> Out:
    """An elementwise product, a matrix product first because it then needs no brackets."""
    ordered = (
        sorted(operands, key=lambda o: o.level != PRODUCT_LEVEL)
        if sum(o.level == PRODUCT_LEVEL for o in operands)
        else operands
    )
    out = ordered[0]
    for o in ordered[1:]:
        out = multiply(out, o)
    return replace(out, hadamard=tuple(ordered)) if len(ordered) > 1 else out


def power(a: Out, e: Coefficient) -> Out:
    """a**e for a positive e."""
    if e == 1:
        return a
    if e == Fraction(1, 2):
        return _square_root(a)
    exponent = number(e)
    if exponent.level < ATOM_LEVEL:
        return power(_square_root(a), e.numerator) if e.denominator == 2 else _with_exponent(a, exponent)
    return Out(Binary("**", a.tree, exponent.tree), a.within(ATOM_LEVEL) + 2, POWER_LEVEL, scalar=a.scalar)


def _square_root(a: Out) -> Out:
    return replace(call(in_role("root").name, a), scalar=a.scalar)


def _with_exponent(a: Out, exponent: Out) -> Out:
    return Out(
        Binary("**", a.tree, exponent.tree),
        a.within(ATOM_LEVEL) + 1 + exponent.within(ATOM_LEVEL),
        POWER_LEVEL,
        scalar=a.scalar,
    )


def negative(a: Out) -> Out:
    """-a; in a product the sign stands on the first factor, where it needs no brackets."""
    if a.level == PRODUCT_LEVEL:
        return replace(a, tree=_on_first(a.tree, Negative), length=a.length + 1, chain=(), hadamard=())
    return Out(Negative(a.tree), 1 + a.within(PRODUCT_LEVEL), PRODUCT_LEVEL, scalar=a.scalar)


def scale(factor: Out, a: Out) -> Out:
    """A scalar times a formula; in a product it multiplies the first factor, which needs no brackets."""
    if a.level != PRODUCT_LEVEL:
        return multiply(factor, a)
    tree = _on_first(a.tree, lambda first: Binary("*", factor.tree, first))
    return replace(a, tree=tree, length=factor.within(PRODUCT_LEVEL) + 1 + a.length, chain=(), hadamard=())


def times_number(factor: Out, a: Out) -> Out:
    """A number times a formula, in the numerator where that is 1: 2/x."""
    if a.level == PRODUCT_LEVEL and _begins_with_one(a.tree):
        return replace(a, tree=_on_first(a.tree, lambda one: factor.tree), chain=(), hadamard=())
    return scale(factor, a)


def _begins_with_one(tree: Expr) -> bool:
    """Is it a quotient whose numerator is the number 1?"""
    while isinstance(tree, Binary) and tree.operator in "@*/":
        if tree.operator == "/" and isinstance(tree.left, Number):
            return tree.left.value == 1
        tree = tree.left
    return False


def _on_first(tree: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The product with its leftmost factor changed."""
    spine = []
    while isinstance(tree, Binary) and tree.operator in "@*/":
        spine.append(tree)
        tree = tree.left
    tree = change(tree)
    for step in reversed(spine):
        tree = Binary(step.operator, tree, step.right)
    return tree


def add(signed: list[tuple[int, Out]]) -> Out:
    """A sum, a positive term first where there is one."""
    first = next((k for k, (s, _) in enumerate(signed) if s > 0), 0)
    ordered = [signed[first], *signed[:first], *signed[first + 1 :]]
    s, out = ordered[0]
    scalar = all(o.scalar for _, o in ordered)
    tree, length = (out.tree, out.length) if s > 0 else (negative(out).tree, negative(out).length)
    for s, o in ordered[1:]:
        tree = Binary("+" if s > 0 else "-", tree, o.tree)
        length += 1 + o.within(PRODUCT_LEVEL if s > 0 else PRODUCT_LEVEL)
    symmetric = all(o.symmetric for _, o in ordered)
    return Out(tree, length, SUM_LEVEL, scalar=scalar, symmetric=symmetric)


def einsum(function: str, letters: str, operands: list[Out]) -> Out:
    """An index sum written out."""
    arguments = (Text(letters), *(x.tree for x in operands))
    groups = letters.count(",") + 2
    return Out(Call(function, arguments), 4 + 2 * groups + sum(x.length + 1 for x in operands))


def kron(factors: list[Out]) -> Out:
    """The Kronecker product of one factor or more."""
    out = factors[-1]
    for f in reversed(factors[:-1]):
        out = call(structured_by("kron").name, f, out)
    return out


def index(a: Out, *places: str | None) -> Out:
    """a[i, :]; None is the whole axis."""
    trees = tuple(Range() if p is None else parse_expression(p, dialect="canonical") for p in places)
    return Out(Index(a.tree, trees), a.within(ATOM_LEVEL) + 1 + 2 * len(places), scalar=None not in places)
