"""Matrix products and Kronecker products inside a node: their factors, and which matrices commute."""

from __future__ import annotations

from whence.expr.node import FUNCTION, IDENTITY, SUM, Coefficient, Factor, Node
from whence.expr.sums import make_sum, primitive
from whence.expr.values import Value, axis_names, flat, value_of_parts
from whence.ops.table import lookup
from whence.shapes.dims import Dim

Oriented = tuple[Node, bool]  # a matrix, and whether it stands transposed


def oriented(node: Node) -> Oriented:
    """The node, or the one whose transpose it is."""
    if node.kind == SUM and len(node.terms) == 1 and node.rank == 2:
        c, factors = node.terms[0]
        if c == 1 and len(factors) == 1 and factors[0][1:] == ((1, 0), 1) and factors[0][0].rank == 2:
            return factors[0][0], True
    return node, False


def split_scalars(node: Node) -> tuple[Coefficient, tuple[Factor, ...], Node]:
    """The number and the scalar factors that stand before a node, and what is left."""
    if node.kind == SUM and len(node.terms) == 1:
        c, factors = node.terms[0]
        scalars = tuple(f for f in factors if not f[1])
        if c == 1 and not scalars:
            return 1, (), node
        rest = make_sum([(1, [f for f in factors if f[1]])], node.dims)
        return c, scalars, rest
    return primitive(node)


def matrix_chain(node: Node) -> list[Oriented] | None:
    """The factors of a matrix product in order, None where the node is no product of matrices alone."""
    if node.rank != 2:
        return None
    if node.kind != SUM:
        return [(node, False)]
    if len(node.terms) != 1:
        return [(node, False)]
    _, factors = node.terms[0]
    left = [f for f in factors if f[1]]
    if any(f.rank != 2 or e.denominator != 1 or e < 1 for f, _, e in left):
        return None
    chain: list[Oriented] = []
    here = 0
    while left:
        touching = [(f, idx, e) for f, idx, e in left if here in idx]
        if len(touching) != 1 or touching[0][2] != 1 or touching[0][1][0] == touching[0][1][1]:
            return None
        f, idx, _ = touching[0]
        turned = idx[1] == here
        chain.append((f, turned))
        left.remove(touching[0])
        here = idx[0] if turned else idx[1]
        if here == 1:
            return None if left else chain
    return None


def diagonal_of(node: Node) -> Node | None:
    """The x of diag(x), None where the node is no diagonal matrix."""
    if node.rank != 2 or node.kind == SUM and not node.terms:
        return None
    terms = node.terms if node.kind == SUM else ((1, ((node, (0, 1), 1),)),)
    raw = []
    for c, factors in terms:
        left = [f for f in factors if f[0].kind != IDENTITY]
        if len(left) == len(factors) or any(1 in idx for _, idx, _ in left):
            return None
        raw.append((c, [(f, tuple(i + 10_000 if i > 1 else i for i in idx), e) for f, idx, e in left]))
    return make_sum(raw, node.dims[:1])


def as_value(part: Oriented) -> Value:
    """One factor of a product as a matrix of its own."""
    node, turned = part
    if turned:
        node = make_sum([(1, [(node, (1, 0), 1)])], node.dims[::-1])
    return Value(node, node.dims)


def commutes(e: Node, x: Node) -> bool:
    """Is it certain that e @ x = x @ e? True where e is made of x, of what x is a function of, and of identities."""
    return _made_of((e, False), _base(oriented(x)))


def _base(part: Oriented) -> Oriented:
    """X where the matrix is a function of X that commutes with whatever commutes with X."""
    node, turned = part
    while True:
        _, _, bare = split_scalars(node)
        bare, flip = oriented(bare)
        turned ^= flip
        if bare.kind != FUNCTION or len(bare.arguments) != 1 or not _analytic(bare):
            return bare, turned
        node = bare.arguments[0]


def _analytic(node: Node) -> bool:
    op = lookup(node.name)
    return op is not None and op.commutes


def _made_of(part: Oriented, base: Oriented) -> bool:
    node, turned = part
    if node is base[0] and node.rank == 2:
        return turned == base[1] or "symmetric" in node.facts
    if node.kind == IDENTITY:
        return True
    if node.kind == FUNCTION and len(node.arguments) == 1 and _analytic(node):
        inner, flip = oriented(node.arguments[0])
        return _made_of((inner, turned ^ flip), base)
    if node.kind != SUM:
        return False
    _, _, bare = split_scalars(node)
    if bare is not node:
        bare, flip = oriented(bare)
        return _made_of((bare, turned ^ flip), base)
    if len(node.terms) > 1:
        parts = [make_sum([term], node.dims) for term in node.terms]
        return all(_made_of((p, turned), base) for p in parts)
    chain = matrix_chain(node)
    if chain is None or chain == [(node, False)]:
        return False
    return all(_made_of((f, turned ^ flip), base) for f, flip in chain)


def kron_factors(v: Value) -> tuple[Value, Value] | None:
    """A and B where the value is kron(A, B), both square where it is; None where it is no Kronecker product."""
    rows, columns = v.parts
    if len(rows) != len(columns) or len(rows) < 2 or v.node.kind != SUM or len(v.node.terms) != 1:
        return None
    c, factors = v.node.terms[0]
    places = axis_names(v.parts)
    rank = v.node.rank
    group = {a: k for names in places for k, a in enumerate(names)}
    tied = _tied(factors, rank, group, len(rows))
    for cut in range(1, len(rows)):
        if any(min(t) < cut <= max(t) for t in tied if t):
            continue
        first, second = _side(factors, v, range(cut)), _side(factors, v, range(cut, len(rows)))
        scalars = [f for f in factors if not f[1]]
        a = make_sum([(c, [(first.node, tuple(range(first.node.rank)), 1), *scalars])], first.node.dims)
        return Value(a, first.shape, first.groups), second
    return None


def _tied(factors: tuple[Factor, ...], rank: int, group: dict[int, int], count: int) -> list[set[int]]:
    """The positions that factors or summed indices tie together."""
    sets = [(set(idx), {group[i] for i in idx if i < rank}) for _, idx, _ in factors]
    merged = True
    while merged:
        merged = False
        for a in range(len(sets)):
            for b in range(a + 1, len(sets)):
                if sets[a][0] & sets[b][0]:
                    sets[a] = (sets[a][0] | sets[b][0], sets[a][1] | sets[b][1])
                    del sets[b]
                    merged = True
                    break
            if merged:
                break
    return [positions for _, positions in sets]


def _side(factors: tuple[Factor, ...], v: Value, positions: range) -> Value:
    """What stands on these positions of the composite axes."""
    parts: tuple[tuple[Dim, ...], ...] = tuple(tuple(p[k] for k in positions) for p in v.parts)
    names = axis_names(v.parts)
    own = [axis[k] for axis in names for k in positions]
    place = {a: k for k, a in enumerate(own)}
    rank = v.node.rank
    inner: set[int] = set()
    chosen: list[Factor] = []
    grown = True
    while grown:
        grown = False
        for f in factors:
            if f in chosen or not any(i in place or i in inner for i in f[1]):
                continue
            chosen.append(f)
            inner |= {i for i in f[1] if i >= rank}
            grown = True
    raw = [(f, tuple(place[i] if i < rank else i + 10_000 for i in idx), e) for f, idx, e in chosen]
    return value_of_parts(make_sum([(1, raw)], flat(parts)), parts)
