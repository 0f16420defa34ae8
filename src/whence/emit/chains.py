"""Matrix products of several factors: what each pair is, and the order in which they are multiplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from whence.emit.facts import nonnegative
from whence.emit.graph import ONE, Graph, Node, factors_of, pairs
from whence.ops.table import structured_by
from whence.shapes.dims import Dim

USUAL_SIZE = 60  # what a size counts that is not given
LONGEST = 40  # beyond, factors are multiplied from the left

_Best = tuple[float, Node]


class Chains:
    """Multiplies matrices in the cheapest order. `sizes` are those known of the dimension symbols."""

    def __init__(self, graph: Graph, sizes: Mapping[str, int], facts: Mapping[str, frozenset[str]]) -> None:
        self.graph, self.facts = graph, facts
        self.apart = False  # sums of sums term by term: in loops of one's own they cost nothing more
        self._sizes = dict(sizes)

    def count(self, size: Dim) -> int:
        """The size as a number, as far as it is known."""
        return max(1, size.value({s: self._sizes.get(s, USUAL_SIZE) for s in size.symbols}))

    # ------------------------------------------------------------ products
    def product(self, nodes: Sequence[Node]) -> Node:
        """The matrix product of the factors, in order."""
        coefficient, scalars, factors = self._flat(nodes)
        if not factors:
            return self.graph.multiply(coefficient, scalars, ())
        if len(factors) > 2 and len(set(factors)) == 1:
            inner = self.matrix_power(factors[0], len(factors))
        else:
            inner = self._associated(factors)[1]
        return self.graph.multiply(coefficient, [*scalars, (inner, Fraction(1))], inner.shape)

    def trace(self, node: Node) -> Node:
        """The sum of the diagonal: of a product P Q the sum of P * Q.T, after the cheapest turn of the cycle."""
        coefficient, scalars, factors = self._flat([node])
        if len(factors) < 2:
            return self._plain_trace(node)
        best: _Best | None = None
        if factors[0].kind == "transpose" and len(set(factors)) == 1:  # the trace of a transpose is the same
            factors = [n.inputs[0] for n in factors]
        for turn in range(len(factors)):
            turned = self._powers([*factors[turn:], *factors[:turn]])
            if len(turned) < 2 or len(turned) > LONGEST:
                return self._plain_trace(node)
            table = self._table(turned)
            for k in range(1, len(turned)):
                (c, left), (d, right) = table[0, k], table[k, len(turned)]
                cost = c + d + self.entries(left)
                if best is None or cost < best[0]:
                    best = (cost, self.dot(left, self.graph.transposed(right)))
        assert best is not None
        return self.graph.multiply(coefficient, [*scalars, (best[1], Fraction(1))], ())

    def _plain_trace(self, node: Node) -> Node:
        op = structured_by("trace")
        return node if node.scalar else self.graph.node("call", [node], (), (op.name, None, ()))

    def dot(self, a: Node, b: Node) -> Node:
        """The sum of all products of entries with the same place."""
        g = self.graph
        if a.scalar or b.scalar:
            return g.multiply(Fraction(1), [(a, Fraction(1)), (b, Fraction(1))], ())
        if g.is_structural(a, "ones"):
            return self.total(b)
        if g.is_structural(b, "ones"):
            return self.total(a)
        if g.is_structural(a, "eye") or g.is_structural(b, "eye"):
            return self.trace(b if g.is_structural(a, "eye") else a)
        if a.kind == "transpose" and b.kind == "transpose":
            a, b = a.inputs[0], b.inputs[0]
        if a.row and b.row and (a.kind == "transpose" or b.kind == "transpose"):
            a, b = g.transposed(a), g.transposed(b)
        (c, left), (d, right) = factors_of(a), factors_of(b)
        outside = [f for f in (*left, *right) if f[0].scalar]
        a = g.multiply(Fraction(1), [f for f in left if not f[0].scalar], a.shape)
        b = g.multiply(Fraction(1), [f for f in right if not f[0].scalar], b.shape)
        first, second = sorted((a, b), key=lambda n: n.number)
        return g.multiply(c * d, [*outside, (g.node("dot", [first, second], ()), Fraction(1))], ())

    def total(self, node: Node) -> Node:
        """The sum of all entries."""
        g = self.graph
        if node.scalar:
            return node
        if len(node.shape) == 2 and node.kind == "matmul" and node not in g.named:
            rows, columns = node.shape
            return self.product([g.ones(ONE, rows), node, g.ones(columns, ONE)])
        c, factors = factors_of(node)
        outside = [f for f in factors if f[0].scalar]
        inside = [f for f in factors if not f[0].scalar]
        if node.kind == "product" and node not in g.named and (c != 1 or outside):
            rest = g.multiply(Fraction(1), inside, node.shape)
            return g.multiply(c, [*outside, (self.total(rest), Fraction(1))], ())
        whole = [n for n, e in inside if n.shape == node.shape for _ in range(int(e) if e.denominator == 1 else 0)]
        if node.kind == "product" and node not in g.named and len(inside) == len({n for n, _ in inside}):
            if len(whole) == 2 and sum(int(e) if e.denominator == 1 else 9 for _, e in inside) == 2:
                return self.dot(*whole)
            ends = self._ends(inside, node)
            if ends is not None:
                return self.product(ends)
        if g.is_structural(node, "ones"):
            return g.multiply(Fraction(1), [(g.size(d), Fraction(1)) for d in node.shape], ())
        if node.kind == "transpose":
            return self.total(node.inputs[0])
        return g.node("call", [node], (), (structured_by("sum").name, None, ()))

    def _ends(self, factors: Sequence[tuple[Node, Fraction]], node: Node) -> list[Node] | None:
        """sum(a * A * b.T) as the product a.T, A, b; None where it is something else."""
        if len(node.shape) != 2 or ONE in node.shape:
            return None
        g, one = self.graph, Fraction(1)
        columns = [f for f in factors if f[0].column]
        rows = [f for f in factors if f[0].row]
        whole = [f for f in factors if f[0].shape == node.shape]
        if len(whole) != 1 or whole[0][1] != 1 or len(columns) + len(rows) + 1 != len(factors) or len(factors) < 2:
            return None
        left = g.multiply(one, columns, (node.shape[0], ONE)) if columns else g.ones(node.shape[0], ONE)
        right = g.multiply(one, rows, (ONE, node.shape[1])) if rows else g.ones(ONE, node.shape[1])
        return [g.transposed(left), whole[0][0], g.transposed(right)]

    def along(self, node: Node, axis: int) -> Node:
        """The sums along one axis of a matrix, as a row or a column."""
        g = self.graph
        rows, columns = node.shape
        if node.kind == "matmul" and node not in g.named:
            ends = [g.ones(ONE, rows), node] if axis == 0 else [node, g.ones(columns, ONE)]
            return self.product(ends)
        shape = (ONE, columns) if axis == 0 else (rows, ONE)
        if self.apart and node.kind == "sum" and all(n.shape == node.shape for n in node.inputs):
            return g.add([(c, self.along(n, axis)) for c, n in zip(node.data, node.inputs, strict=True)], shape)
        if g.is_structural(node, "ones"):
            return g.multiply(
                Fraction(1), [(g.size(node.shape[axis]), Fraction(1)), (g.ones(*shape), Fraction(1))], shape
            )
        c, factors = factors_of(node)
        if node.kind == "product" and node not in g.named:
            kept = [f for f in factors if f[0].scalar or f[0].shape == shape]
            if kept or c != 1:
                rest = [f for f in factors if f not in kept]
                total = self.along(g.multiply(Fraction(1), rest, node.shape), axis)
                return g.multiply(c, [*kept, (total, Fraction(1))], shape)
        if node.kind == "transpose":
            return g.transposed(self.along(node.inputs[0], 1 - axis))
        return g.node("call", [node], shape, (structured_by("sum").name, (axis,), ()))

    # ------------------------------------------------------------ the order
    def entries(self, node: Node) -> int:
        count = 1
        for size in node.shape:
            count *= self.count(size)
        return count

    def _flat(self, nodes: Sequence[Node]) -> tuple[Fraction, list[tuple[Node, Fraction]], list[Node]]:
        """Numbers in front, the scalars, and the matrices in order."""
        coefficient, scalars, factors = Fraction(1), [], []
        work = list(nodes)[::-1]
        while work:
            node = work.pop()
            if node.kind == "matmul" and node not in self.graph.named and len(node.shape) < 3:
                work.extend(node.inputs[::-1])
                continue
            turned = self._turned(node)
            if turned:
                work.extend(turned)
                continue
            if node.scalar:
                scalars.append((node, Fraction(1)))
                continue
            if node.kind == "product" and node not in self.graph.named:
                coefficient *= node.data[0]
                scalars += [f for f in pairs(node) if f[0].scalar]
                rest = [f for f in pairs(node) if not f[0].scalar]
                inner = self.graph.multiply(Fraction(1), rest, node.shape)
                outer = self._outer(rest, inner)
                if len(outer) > 1 or inner.kind == "matmul":
                    work.extend(outer[::-1])
                    continue
                node = inner
            if not self.graph.is_structural(node, "eye") or len(nodes) == 1 or (not work and not factors):
                factors.append(node)
        return coefficient, scalars, factors

    def _turned(self, node: Node) -> list[Node]:
        """The factors, the last first, of the transpose of a product that is no power and has no name; else none."""
        if node.kind != "transpose" or node.inputs[0].kind != "matmul" or len(node.shape) != 2:
            return []
        inner = node.inputs[0]
        _, _, factors = self._flat([inner]) if inner not in self.graph.named else (0, 0, [])
        if len(set(factors)) < 2:
            return []
        return [self.graph.transposed(n) for n in inner.inputs]

    def _outer(self, factors: Sequence[tuple[Node, Fraction]], node: Node) -> list[Node]:
        """The column and the row that a product entry by entry is made of; itself where it is no outer product."""
        columns, rows = [f for f in factors if f[0].column], [f for f in factors if f[0].row]
        if node.column or node.row or not columns or not rows or len(columns) + len(rows) < len(factors):
            return [node]
        one = Fraction(1)
        column = self.graph.multiply(one, columns, (node.shape[0], ONE))
        return [column, self.graph.multiply(one, rows, (ONE, node.shape[1]))]

    def _powers(self, factors: Sequence[Node]) -> list[Node]:
        """Runs of the same factor as powers, whose parts are shared."""
        out: list[Node] = []
        k = 0
        while k < len(factors):
            run = 1
            while k + run < len(factors) and factors[k + run] is factors[k]:
                run += 1
            out += self.halves(factors[k], run) if run > 2 else [factors[k]] * run
            k += run
        return out

    def halves(self, node: Node, power: int) -> list[Node]:
        """X to a power as two factors of about half of it."""
        return [self.matrix_power(node, (power + 1) // 2), self.matrix_power(node, power // 2)]

    def matrix_power(self, node: Node, power: int) -> Node:
        """X to a power of at least 1, by halves."""
        if power == 1 or node.scalar:
            return self.graph.power(node, Fraction(power))
        if node.kind == "transpose":
            return self.graph.transposed(self.matrix_power(node.inputs[0], power))
        return self.graph.node("matmul", self.halves(node, power), node.shape)

    def _associated(self, factors: Sequence[Node]) -> _Best:
        factors = self._powers(factors)
        if len(factors) > LONGEST:
            node = factors[0]
            for other in factors[1:]:
                node = self.pair(node, other)
            return 0.0, node
        return self._table(factors)[0, len(factors)]

    def _table(self, factors: Sequence[Node]) -> dict[tuple[int, int], _Best]:
        """The cheapest product of every run of factors (dynamic programming over where the last product stands)."""
        n = len(factors)
        best: dict[tuple[int, int], _Best] = {(k, k + 1): (0.0, f) for k, f in enumerate(factors)}
        for length in range(2, n + 1):
            for i in range(n - length + 1):
                j = i + length
                costs = []
                for k in range(i + 1, j):
                    (c, left), (d, right) = best[i, k], best[k, j]
                    costs.append((c + d + self._cost(left, right), -k if length == n else k, k))
                cost, _, k = min(costs)
                best[i, j] = cost, self.pair(best[i, k][1], best[k, j][1])
        return best

    def _cost(self, a: Node, b: Node) -> float:
        if self.graph.has("matmul", (a, b)):
            return 0.0
        if a.scalar or b.scalar:
            return self.entries(b if a.scalar else a)
        rows, inner, columns = self.count(a.shape[0]), self.count(a.shape[1]), self.count(b.shape[1])
        if any(self.diagonal(n) or self.graph.is_structural(n, "ones") for n in (a, b)):
            return min(rows * columns + rows * inner, inner * columns + rows * columns)
        return rows * inner * columns + (rows * inner + inner * columns + rows * columns) / 4

    def diagonal(self, node: Node) -> bool:
        """Is it the diagonal matrix of a column?"""
        return self.graph.is_structural(node, "diag") and node.inputs[0].column

    def pair(self, a: Node, b: Node) -> Node:
        """The product of two matrices, by what is cheapest for them."""
        g, one = self.graph, Fraction(1)
        if a.scalar or b.scalar:
            return g.multiply(one, [(a, one), (b, one)], b.shape if a.scalar else a.shape)
        shape = (a.shape[0], b.shape[1])
        if g.is_structural(a, "eye"):
            return b
        if g.is_structural(b, "eye"):
            return a
        if self.diagonal(a):
            return g.multiply(one, [(a.inputs[0], one), (b, one)], shape)
        if self.diagonal(b):
            return g.multiply(one, [(a, one), (g.transposed(b.inputs[0]), one)], shape)
        if a.shape[1] == ONE:
            return g.multiply(one, [(a, one), (b, one)], shape)
        if all(d == ONE for d in shape):
            return self.dot(g.transposed(a), b)
        if g.is_structural(a, "ones"):
            return g.multiply(one, [(g.ones(a.shape[0], ONE), one), (self.along(b, 0), one)], shape)
        if g.is_structural(b, "ones"):
            return g.multiply(one, [(self.along(a, 1), one), (g.ones(ONE, b.shape[1]), one)], shape)
        return self._symmetric(a, b, shape) or g.node("matmul", [a, b], shape)

    def _symmetric(self, a: Node, b: Node, shape: tuple[Dim, ...]) -> Node | None:
        """B.T @ (s * B) with s of no negative entry as C.T @ C: half the work where the library sees it."""
        g = self.graph
        for scaled, plain in ((b, g.transposed(a)), (g.transposed(a), b)):
            if scaled.kind != "product" or shape[0] != shape[1] or scaled in g.named:
                continue
            c, factors = factors_of(scaled)
            weights = [f for f in factors if f[0] is not plain]
            if len(weights) != len(factors) - 1 or not weights or c < 0 or (plain, Fraction(1)) not in factors:
                continue
            if all(n.column or n.scalar for n, _ in weights):
                weight = g.multiply(c, weights, (scaled.shape[0], ONE))
                if weight.column and nonnegative(weight, self.facts):
                    root = g.multiply(
                        Fraction(1),
                        [(g.power(weight, Fraction(1, 2)), Fraction(1)), (plain, Fraction(1))],
                        scaled.shape,
                    )
                    return g.node("matmul", [g.transposed(root), root], shape)
        return None
