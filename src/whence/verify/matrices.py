"""Functions of matrices that are not rational, by value only: in exact arithmetic they raise `NotExact`.

Each is computed from first principles in the precision of the moment: series, Newton iterations, rotations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, getcontext, localcontext
from fractions import Fraction
from functools import wraps
from math import isqrt, log10
from operator import mul
from typing import Any

from whence.verify import algebra
from whence.verify.algebra import (
    Array,
    as_matrices,
    as_matrix,
    matmul,
    minus,
    plus,
    square_size,
    transposed,
)
from whence.verify.failures import BadPoint, Kink, Misfit, NotExact, Singular
from whence.verify.numeric import NumericRing
from whence.verify.routines import ROUTINES, routine, trace

ROUNDS = 60
DIRECTIONAL: set[str] = set()


def by_value(function: Callable[..., Array]) -> Callable[..., Array]:
    """A routine that only the check by value can run."""

    @wraps(function)
    def guarded(ring: Any, *arguments: Any) -> Array:
        if ring.exact:
            raise NotExact(f"{function.__name__} has no exact value")
        return function(ring, *arguments)

    return guarded


def directional(function: Callable[..., Array]) -> Callable[..., Array]:
    DIRECTIONAL.add(function.__name__)
    return function


def _largest(x: Array) -> Decimal:
    return max(abs(v) for v in x.parts[0])


def _tiny() -> Decimal:
    return Decimal(10) ** (3 - getcontext().prec)


def _scaled(ring: Any, x: Array, factor: Fraction) -> Array:
    scale = ring.number(factor)
    return ring.each(x, lambda v: scale * v)


def _series(ring: Any, coefficients: list[Fraction], x: Array) -> Array:
    """Σ cₖ Xᵏ with about 2√n matrix products: powers up to a block's length, then Horner over the blocks.

    Source: Paterson & Stockmeyer (1973), On the number of nonscalar multiplications.
    """
    width = isqrt(len(coefficients)) + 1
    powers = [algebra.eye(ring, square_size(x)), x]
    while len(powers) <= width:
        powers.append(matmul(ring, powers[-1], x))
    entries = list(zip(*[power.parts[0] for power in powers], strict=True))
    out: Array | None = None
    for start in range((len(coefficients) - 1) // width * width, -1, -width):
        block = [ring.number(c) for c in coefficients[start : start + width]]
        sums = Array(x.shape, {0: [sum(map(mul, block, entry)) for entry in entries]})
        out = sums if out is None else plus(matmul(ring, out, powers[width]), sums)
    assert out is not None
    return out


@routine("A")
@directional
@by_value
def expm(ring: Any, x: Array) -> Array:
    """Taylor's series of X/2ˢ, squared s times."""
    x = as_matrix(x)
    halvings = max(0, 10 + int(_largest(x) * square_size(x) + 1).bit_length())
    small = _scaled(ring, x, Fraction(1, 2**halvings))
    with localcontext() as context:
        context.prec += 12
        coefficients = [Fraction(1)]
        while coefficients[-1] / 2 ** (10 * len(coefficients)) > Fraction(1, 10**context.prec):
            coefficients.append(coefficients[-1] / len(coefficients))
        out = _series(ring, coefficients, small)
        for _ in range(halvings):
            out = matmul(ring, out, out)
    return out


@routine("A")
@directional
@by_value
def sqrtm(ring: Any, x: Array) -> Array:
    return _root(ring, as_matrix(x))


def _root(ring: Any, x: Array) -> Array:
    """The principal root, by the product form of the iteration of Denman and Beavers.

    M tends to 1 and Y Y = X M. Source: Cheng, Higham, Kenney & Laub (2001), Approximating the logarithm of a matrix.
    """
    half, identity = Fraction(1, 2), algebra.eye(ring, square_size(x))
    y = m = x
    for _ in range(ROUNDS):
        inverse = algebra.inverse(ring, m)
        near = _largest(minus(m, identity)) < _tiny() * 10 ** (getcontext().prec // 2)
        y = matmul(ring, y, _scaled(ring, plus(identity, inverse), half))
        if near:
            return y
        m = _scaled(ring, plus(identity, _scaled(ring, plus(m, inverse), half)), half)
    raise BadPoint("a matrix without a principal root")


@routine("A")
@directional
@by_value
def logm(ring: Any, x: Array) -> Array:
    """Roots until X is near 1, then 2 artanh((X − 1)(X + 1)⁻¹)."""
    x = as_matrix(x)
    identity = algebra.eye(ring, square_size(x))
    with localcontext() as context:
        context.prec += 12
        doublings = 1
        while _largest(minus(x, identity)) > Decimal("0.1"):
            x = _root(ring, x)
            doublings *= 2
            if doublings > 2**30:
                raise BadPoint("a matrix without a logarithm")
        q = matmul(ring, minus(x, identity), algebra.inverse(ring, plus(x, identity)))
        square = matmul(ring, q, q)
        size = min(max(float(_largest(square) * square_size(x)), 1e-300), 0.5)  # small, since X is near 1
        count = 2 + int(context.prec / -log10(size))
        odd = _series(ring, [Fraction(1, 2 * k + 1) for k in range(count)], square)
        return _scaled(ring, matmul(ring, q, odd), Fraction(2 * doublings))


@routine("A")
@directional
@by_value
def cholesky(ring: Any, x: Array) -> Array:
    """The lower triangular L with L Lᵀ = X (the symmetric part of X, so that its derivative is), for each matrix."""
    x = as_matrices(x)
    n = square_size(x)
    flat: list[Decimal] = []
    for start in range(0, x.size, n * n):
        flat.extend(_cholesky(x.parts[0][start : start + n * n], n))
    return Array(x.shape, {0: flat})


def _cholesky(a: Any, n: int) -> list[Decimal]:
    low = [Decimal(0)] * (n * n)
    for i in range(n):
        for j in range(i + 1):
            rest = (a[i * n + j] + a[j * n + i]) / 2 - sum(low[i * n + k] * low[j * n + k] for k in range(j))
            if i != j:
                low[i * n + j] = rest / low[j * n + j]
            elif rest <= 0:
                raise BadPoint("a matrix that is not positive definite")
            else:
                low[i * n + i] = rest.sqrt()
    return low


def _gram(ring: Any, x: Array) -> tuple[Array, bool]:
    """XᵀX, or XXᵀ for a wide matrix."""
    tall = x.shape[0] >= x.shape[1]
    t = transposed(x)
    return (matmul(ring, t, x) if tall else matmul(ring, x, t)), tall


@contextmanager
def _of_full_rank() -> Iterator[None]:
    """A matrix without full rank at a random point has none at any point of these sizes: no other sizes are tried."""
    try:
        yield
    except Singular as failure:
        raise Kink("a matrix that has not full rank at these sizes: not differentiable there") from failure


@routine("A")
@by_value
def norm_nuc(ring: Any, x: Array) -> Array:
    with _of_full_rank():
        return trace(ring, _root(ring, _gram(ring, as_matrix(x))[0]))


@routine("A")
@by_value
def svd_uv(ring: Any, x: Array) -> Array:
    """The polar factor X (XᵀX)^(−1/2)."""
    x = as_matrix(x)
    gram, tall = _gram(ring, x)
    with _of_full_rank():
        inverse_root = algebra.inverse(ring, _root(ring, gram))
    return matmul(ring, x, inverse_root) if tall else matmul(ring, inverse_root, x)


@routine("A")
@by_value
def norm_spec(ring: Any, x: Array) -> Array:
    return _leading(ring, as_matrix(x))[0]


@routine("A")
@by_value
def svd_u1(ring: Any, x: Array) -> Array:
    return _leading(ring, as_matrix(x))[1]


@routine("A")
@by_value
def svd_v1(ring: Any, x: Array) -> Array:
    return _leading(ring, as_matrix(x))[2]


def _leading(ring: Any, x: Array) -> tuple[Array, Array, Array]:
    """The largest singular value and its vectors; the largest entry of the left one is positive."""
    gram = matmul(ring, transposed(x), x)
    n = gram.shape[0]
    values, vectors = _eigen([list(gram.parts[0][i * n : i * n + n]) for i in range(n)])
    order = sorted(range(n), key=lambda k: -values[k])
    if n > 1 and values[order[0]] - values[order[1]] < values[order[0]] / 100:
        raise BadPoint("singular values too near")
    sigma = values[order[0]].sqrt()
    v = Array((n, 1), {0: [vectors[i][order[0]] for i in range(n)]})
    u = ring.each(matmul(ring, x, v), lambda e: e / sigma)
    if max(u.parts[0], key=abs) < 0:
        u, v = algebra.negative(u), algebra.negative(v)
    return Array((), {0: [sigma]}), u, v


def _eigen(a: list[list[Decimal]]) -> tuple[list[Decimal], list[list[Decimal]]]:
    """Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations."""
    n = len(a)
    v = [[Decimal(int(i == j)) for j in range(n)] for i in range(n)]
    for _ in range(ROUNDS):
        off = sum(a[i][j] ** 2 for i in range(n) for j in range(i))
        if off < _tiny() ** 2:
            break
        for p in range(n):
            for q in range(p + 1, n):
                if a[p][q]:
                    _rotate(a, v, p, q)
    return [a[i][i] for i in range(n)], v


def _rotate(a: list[list[Decimal]], v: list[list[Decimal]], p: int, q: int) -> None:
    theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    t = (1 if theta >= 0 else -1) / (abs(theta) + (theta * theta + 1).sqrt())
    c = 1 / (t * t + 1).sqrt()
    s = t * c
    for row in (*a, *v):
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    for k in range(len(a)):
        a[p][k], a[q][k] = c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]


@routine("NAA")
def frechet(ring: Any, name: str, x: Array, e: Array) -> Array:
    """The derivative of a function at X in direction E, by a central quotient of its values at twice the digits."""
    if name not in DIRECTIONAL:
        raise Misfit(f"no derivative in a direction of {name}")
    if ring.exact:
        raise NotExact("a derivative in a direction has no exact value")
    x, e = as_matrix(x), as_matrix(e)
    if x.shape != e.shape or x.shape[0] != x.shape[1]:
        raise Misfit(f"{x.shape} and {e.shape}")
    with localcontext() as context:
        step = Decimal(10) ** -(context.prec - 10)
        context.prec = 2 * context.prec + 10
        finer = NumericRing(ring.random, context.prec)
        move = finer.each(e, lambda v: v * step)
        function = ROUTINES[name].function
        change = minus(function(finer, plus(x, move)), function(finer, minus(x, move)))
        return finer.each(change, lambda v: v / (2 * step))
