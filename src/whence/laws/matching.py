"""Does a formula have the form of an identity? Trees are compared, with the identity's names standing for parts.

A match is a proposal: whoever shows it checks the outcome by the judge. Neighbouring matrix factors may be one name, a
transpose of a product is taken apart, sums and elementwise products match in any order, traces in any rotation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Expr, Name, Negative, Number, Transpose
from whence.read.walk import names_in, walk

Bound = dict[str, Expr]
MOST_STEPS = 4_000
# The trace: a contraction of a square matrix to a number, which rotating the factors of a product leaves as it is.
CYCLIC = tuple(
    op.name for op in TABLE.values() if op.kind == "structure" and "n,n]" in op.takes and op.gives in ("[]", "[...]")
)


class _Spent(Exception):
    """The search is given up."""


class _Search:
    def __init__(self, free: frozenset[str], fixed: Mapping[str, str]) -> None:
        self.free, self.fixed, self.steps = free, fixed, 0
        self.kept = frozenset(fixed.values())  # the user's variable may not hide in another name

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise _Spent

    def match(self, pattern: Expr, tree: Expr, bound: Bound) -> Iterator[Bound]:
        self.step()
        if isinstance(pattern, Name):
            yield from self.name(pattern.id, tree, bound)
            return
        if isinstance(pattern, Transpose) and isinstance(pattern.operand, Name) and pattern.operand.id in self.free:
            yield from self.name(pattern.operand.id, turned(tree), bound)
            return
        match pattern, tree:
            case Number(value=a), Number(value=b):
                if a == b:
                    yield bound
            case Binary(operator="@"), Binary(operator="@"):
                yield from self.chain(factors(pattern), factors(tree), bound)
            case Binary(operator="+" | "-"), Binary(operator="+" | "-"):
                yield from self.bag(signed(pattern), signed(tree), bound)
            case Binary(operator="*"), Binary(operator="*"):
                left = [(True, t) for t in flat(pattern)]
                yield from self.bag(left, [(True, t) for t in flat(tree)], bound)
            case Binary(operator=o, left=a, right=b), Binary(operator=p, left=c, right=d):
                if o == p:
                    for more in self.match(a, c, bound):
                        yield from self.match(b, d, more)
            case Negative(operand=a), Negative(operand=b):
                yield from self.match(a, b, bound)
            case Transpose(operand=a), Transpose(operand=b):
                yield from self.match(a, b, bound)
            case Call(name=f, arguments=a), Call(name=g, arguments=b):
                if f == g and len(a) == len(b) and pattern.keywords == tree.keywords:
                    if f in CYCLIC:
                        for rotated in rotations(b[0]):
                            yield from self.match(a[0], rotated, bound)
                    else:
                        yield from self.all(list(zip(a, b, strict=True)), bound)

    def name(self, name: str, tree: Expr, bound: Bound) -> Iterator[Bound]:
        if name in self.fixed:
            if tree == Name(self.fixed[name]):
                yield bound
        elif name not in self.free:
            if tree == Name(name):
                yield bound
        elif name in bound:
            if bound[name] == tree:
                yield bound
        elif not self.kept & names_in(tree):
            yield {**bound, name: tree}

    def all(self, pairs: list[tuple[Expr, Expr]], bound: Bound) -> Iterator[Bound]:
        if not pairs:
            yield bound
            return
        for more in self.match(*pairs[0], bound):
            yield from self.all(pairs[1:], more)

    def chain(self, pattern: list[Expr], tree: list[Expr], bound: Bound) -> Iterator[Bound]:
        """Matrix factors in order; a name may stand for several neighbours."""
        self.step()
        if not pattern:
            if not tree:
                yield bound
            return
        for count in range(1, len(tree) - len(pattern) + 2):
            part = tree[0]
            for f in tree[1:count]:
                part = Binary("@", part, f)
            for more in self.match(pattern[0], part, bound):
                yield from self.chain(pattern[1:], tree[count:], more)

    def bag(self, pattern: list[tuple[bool, Expr]], tree: list[tuple[bool, Expr]], bound: Bound) -> Iterator[Bound]:
        """Terms or elementwise factors in any order."""
        self.step()
        if len(pattern) != len(tree):
            return
        if not pattern:
            yield bound
            return
        sign, first = pattern[0]
        for k, (own, part) in enumerate(tree):
            if own == sign:
                for more in self.match(first, part, bound):
                    yield from self.bag(pattern[1:], tree[:k] + tree[k + 1 :], more)


def matches(pattern: Expr, tree: Expr, free: frozenset[str], fixed: Mapping[str, str]) -> list[Bound]:
    """What the free names of a pattern may stand for so that it becomes the tree; at most a few ways."""
    out: list[Bound] = []
    search = _Search(free, fixed)
    try:
        for found in search.match(plain(pattern), plain(tree), {}):
            if found not in out:
                out.append(found)
            if len(out) == 4:
                break
    except _Spent:
        pass
    return out


@lru_cache(4096)
def plain(tree: Expr) -> Expr:
    """Transposes taken to single factors, the rest as it stands."""
    match tree:
        case Transpose(operand=inner):
            return turned(plain(inner))
        case Binary(operator=o, left=a, right=b):
            return Binary(o, plain(a), plain(b))
        case Negative(operand=a):
            return Negative(plain(a))
        case Call(name=f, arguments=a, keywords=k):
            return Call(f, tuple(plain(x) for x in a), k)
    return tree


def turned(tree: Expr) -> Expr:
    """The transpose, written on single factors."""
    match tree:
        case Transpose(operand=inner):
            return inner
        case Binary(operator="@", left=a, right=b):
            return Binary("@", turned(b), turned(a))
        case Binary(operator="+" | "-" as o, left=a, right=b):
            return Binary(o, turned(a), turned(b))
        case Negative(operand=a):
            return Negative(turned(a))
        case Number():
            return tree
    return Transpose(tree)


def factors(tree: Expr) -> list[Expr]:
    """The factors of a matrix product."""
    if isinstance(tree, Binary) and tree.operator == "@":
        return [*factors(tree.left), *factors(tree.right)]
    return [tree]


def flat(tree: Expr) -> list[Expr]:
    if isinstance(tree, Binary) and tree.operator == "*":
        return [*flat(tree.left), *flat(tree.right)]
    return [tree]


def signed(tree: Expr, sign: bool = True) -> list[tuple[bool, Expr]]:
    """The terms of a sum with their signs."""
    if isinstance(tree, Binary) and tree.operator in ("+", "-"):
        return [*signed(tree.left, sign), *signed(tree.right, sign == (tree.operator == "+"))]
    if isinstance(tree, Negative):
        return signed(tree.operand, not sign)
    return [(sign, tree)]


def rotations(tree: Expr) -> list[Expr]:
    """What a trace may hold instead: the factors rotated, and the transposes of these."""
    chain = factors(tree)
    out = []
    for k in range(len(chain)):
        rotated = chain[k:] + chain[:k]
        whole = rotated[0]
        for f in rotated[1:]:
            whole = Binary("@", whole, f)
        out += [whole, turned(whole)]
    return out


def size(tree: Expr) -> int:
    """How much of a pattern is fixed: the nodes that are no plain names."""
    return sum(1 for node in walk(tree) if not isinstance(node, Name))
