"""Rules of random programs for functions of whole matrices: triangles, powers, matrix functions, kron, vec, entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pieces import ATOM, PRODUCT, UNARY, Ground, Misfit, Piece, Shape, combine, product_range

if TYPE_CHECKING:
    from collections.abc import Callable


class MatrixRules(Ground):
    """What a program may also draw; `grow`, `gram` and `between` are the program's own."""

    grow: Callable[[Shape, int], Piece]
    gram: Callable[[Shape, int], Piece]
    between: Callable[[Shape, int, float, float], Piece]

    def triangle(self, shape: Shape, budget: int) -> Piece:
        x = self.grow(shape, budget)
        name = self.random.choice(("tril", "triu"))
        return combine(f"{name}({x.text})", shape, min(0, x.low), max(0, x.high), x, flat=True)

    def matrix_power(self, shape: Shape, budget: int) -> Piece:
        x = self.between(shape, budget, -1, 1)
        k = self.random.choice((2, 2, 3))
        size = 5.0 ** (k - 1)
        return combine(f"matpow({x.text}, {k})", shape, -size, size, x)

    def matrix_function(self, shape: Shape, budget: int) -> Piece:
        """expm of a matrix of small entries, or a function of a positive definite one."""
        name = self.random.choice(("expm", "sqrtm", "logm", "cholesky"))
        if name == "expm":
            x = self.between(shape, budget, -1, 1)
            return combine(f"expm(0.3*{x.within(UNARY)})", shape, -5, 5, x)
        # The oracle goes by eigenvectors, which fail where eigenvalues coincide: eye(n) + X.T @ X of a wide X has such.
        x = self.gram(shape, min(budget, 1)) if name == "cholesky" else self.variable(shape, ("pd",))
        return combine(f"{name}({x.text})", shape, -4, 4, x, flat=name == "cholesky")

    def row_of(self, shape: Shape, budget: int) -> Piece:
        x = self.grow((self.dimension(), shape[1]), budget)
        return combine(f"{x.within(ATOM)}[1, :]", shape, x.low, x.high, x)

    def column_of(self, shape: Shape, budget: int) -> Piece:
        x = self.grow((shape[0], self.dimension()), budget)
        return combine(f"{x.within(ATOM)}[:, 0]", shape, x.low, x.high, x)

    def entry_of(self, shape: Shape, budget: int) -> Piece:
        if self.random.random() < 0.5:
            x = self.grow((self.dimension(), 1), budget)
            return combine(f"{x.within(ATOM)}[1]", (), x.low, x.high, x)
        x = self.grow((self.dimension(), self.dimension()), budget)
        return combine(f"{x.within(ATOM)}[1, 0]", (), x.low, x.high, x)

    def kronecker_number(self, shape: Shape, budget: int) -> Piece:
        """A number made of a Kronecker product, or of stacked columns."""
        n, m = self.dimension(), self.dimension()
        kind = self.random.randrange(4)
        if kind == 0:
            a, b = self.grow((n, m), budget), self.grow((m, n), budget)
            low, high = product_range(a, b)
            return combine(f"sum(kron({a.text}, {b.text}))", (), 60 * min(low, 0), 60 * max(high, 0), a, b)
        if kind == 1:
            a, b = self.grow((n, n), budget), self.grow((m, m), budget)
            low, high = product_range(a, b)
            return combine(f"trace(kron({a.text}, {b.text}))", (), 20 * min(low, 0), 20 * max(high, 0), a, b)
        if kind == 2:
            a, b = self.gram((n, n), min(budget, 1)), self.gram((m, m), min(budget, 1))
            return combine(f"logdet(kron({a.text}, {b.text}))", (), -30, 60, a, b)
        a, b, x = self.grow((n, n), budget), self.grow((m, m), budget), self.grow((n, m), budget)
        if not x.uses:
            raise Misfit("a constant")
        text = f"vec({x.text}).T @ kron({b.text}, {a.text}) @ vec({x.text})"
        size = 400 * a.size * b.size * x.size**2
        return combine(text, (), -size, size, a, b, x, binds=PRODUCT)

    def kronecker_value(self, n: str, m: str, budget: int) -> Piece:
        """A Kronecker product or stacked columns as the value of a program; its shape is not one of a program's."""
        a, b = self.grow((n, m), budget), self.grow((m, n), budget)
        if self.random.random() < 0.5:
            return combine(f"vec({a.within(PRODUCT)} @ {b.within(UNARY)})", (), -10, 10, a, b)
        return combine(f"kron({a.text}, {b.text})", (), -10, 10, a, b)
