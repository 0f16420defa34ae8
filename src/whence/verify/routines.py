"""Functions of whole arrays by their meaning: one routine serves exact arithmetic and the check by value.

A routine is found by its own name (an underscore behind it keeps it apart from a word of Python). Its decorator
says what it takes: A an array, S a whole number, O a tuple of them, L the letters of einsum, N the name of a function;
`*` repeats the last. A routine with a parameter `axis` may be given one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from whence.verify import algebra, kernels
from whence.verify.algebra import Array, as_matrices, as_matrix, constant, linear, plus, times, transposed
from whence.verify.failures import BadSizes, Misfit

Axis = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Routine:
    function: Callable[..., Array]
    takes: str
    has_axis: bool

    def kinds(self, count: int) -> str:
        """What each of so many arguments is."""
        if self.takes.endswith("*"):
            fixed, last = self.takes[:-2], self.takes[-2]
            if count <= len(fixed):
                raise Misfit("too few arguments")
            return fixed + last * (count - len(fixed))
        if count != len(self.takes):
            raise Misfit(f"{len(self.takes)} arguments are needed, not {count}")
        return self.takes


ROUTINES: dict[str, Routine] = {}
ATOMS: dict[str, Callable[[Any, Array], Array]] = {}  # elementwise values of arrays that do not change
CONSTANTS: dict[str, Callable[[Any], Array]] = {}


def routine(takes: str) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    def register(function: Callable[..., Array]) -> Callable[..., Array]:
        name = function.__name__.rstrip("_")
        ROUTINES[name] = Routine(function, takes, "axis" in inspect.signature(function).parameters)
        return function

    return register


def atom(function: Callable[[Any, Array], Array]) -> Callable[[Any, Array], Array]:
    ATOMS[function.__name__.rstrip("_")] = function
    return function


def constant_of(function: Callable[[Any], Array]) -> Callable[[Any], Array]:
    CONSTANTS[function.__name__] = function
    return function


# ---- elementwise


@atom
def exp(ring: Any, x: Array) -> Array:
    return ring.exponential(x)


@atom
def log(ring: Any, x: Array) -> Array:
    return ring.logarithm(x)


@atom
def sin(ring: Any, x: Array) -> Array:
    return ring.circle(x, True)


@atom
def cos(ring: Any, x: Array) -> Array:
    return ring.circle(x, False)


@constant_of
def pi(ring: Any) -> Array:
    return ring.circle_constant()


@routine("A")
def step(ring: Any, x: Array) -> Array:
    return ring.greater(algebra.still(x))


@routine("A")
def sign(ring: Any, x: Array) -> Array:
    mask = ring.greater(algebra.still(x))
    return algebra.minus(plus(mask, mask), constant(ring, 1, literal=True))


@routine("AAA")
def where(ring: Any, c: Array, a: Array, b: Array) -> Array:
    mask = ring.nonzero(algebra.still(c))
    other = algebra.minus(constant(ring, 1, literal=True), mask)
    return plus(times(ring, mask, a), times(ring, other, b))


# ---- sums, masks, structure


def axes_of(axis: Axis, rank: int, several: bool = True) -> tuple[int, ...] | None:
    """Axes counted from 0. Up to rank 2 they are 0 or 1; beyond that any, from the end too, and several."""
    if axis is None:
        return None
    chosen = axis if isinstance(axis, tuple) else (axis,)
    if isinstance(axis, tuple) and (not several or rank < 3 or not axis):
        raise Misfit("one axis is needed")
    if any(rank < 3 and a not in (0, 1) or not -rank <= a < rank for a in chosen):
        raise Misfit(f"axis {axis} of {rank} axes")
    axes = tuple(a % rank for a in chosen)
    if len(set(axes)) != len(axes):
        raise Misfit("an axis twice")
    return axes


def _along(x: Array, axis: Axis, several: bool = True) -> tuple[Array, tuple[int, ...] | None]:
    if axis is None:
        return x, None
    x = as_matrices(x)
    return x, axes_of(axis, len(x.shape), several)


@routine("A")
def sum_(ring: Any, x: Array, axis: Axis = None) -> Array:
    x, axes = _along(x, axis)
    return linear(x, kernels.total(x.shape, axes))


@routine("A")
def mean(ring: Any, x: Array, axis: Axis = None) -> Array:
    added = sum_(ring, x, axis)
    return times(ring, added, constant(ring, Fraction(added.size, x.size), literal=True))


def _mask(
    ring: Any, x: Array, axis: Axis, smallest: bool, several: bool
) -> tuple[Array, Array, tuple[int, ...] | None]:
    x, axes = _along(x, axis, several)
    return x, ring.largest(algebra.still(x), kernels.groups(x.shape, axes), smallest), axes


@routine("A")
def argmax_mask(ring: Any, x: Array, axis: Axis = None) -> Array:
    return _mask(ring, x, axis, False, False)[1]


@routine("A")
def argmin_mask(ring: Any, x: Array, axis: Axis = None) -> Array:
    return _mask(ring, x, axis, True, False)[1]


@routine("A")
def max_(ring: Any, x: Array, axis: Axis = None) -> Array:
    x, mask, axes = _mask(ring, x, axis, False, True)
    return linear(times(ring, mask, x), kernels.total(x.shape, axes))


@routine("A")
def min_(ring: Any, x: Array, axis: Axis = None) -> Array:
    x, mask, axes = _mask(ring, x, axis, True, True)
    return linear(times(ring, mask, x), kernels.total(x.shape, axes))


@routine("A")
def trace(ring: Any, x: Array) -> Array:
    x = as_matrices(x)
    algebra.square_size(x)
    return linear(x, kernels.trace(x.shape))


@routine("A")
def diag(ring: Any, x: Array) -> Array:
    x = as_matrix(x)
    if 1 in x.shape:
        return linear(x, kernels.on_diagonal(x.size))
    algebra.square_size(x)
    return linear(x, kernels.diagonal(x.shape))


@routine("AA")
def outer(ring: Any, a: Array, b: Array) -> Array:
    a, b = as_matrix(a), as_matrix(b)
    if 1 not in a.shape or 1 not in b.shape:
        raise Misfit(f"two vectors are needed, got {a.shape} and {b.shape}")
    return algebra.matmul(ring, a.reshaped((a.size, 1)), b.reshaped((1, b.size)))


@routine("AA")
def kron(ring: Any, a: Array, b: Array) -> Array:
    a, b = as_matrix(a), as_matrix(b)
    return algebra.bilinear(ring, a, b, kernels.kronecker(a.shape, b.shape))


@routine("A")
def vec(ring: Any, x: Array) -> Array:
    x = transposed(as_matrix(x))
    return x.reshaped((x.size, 1))


@routine("A")
def tril(ring: Any, x: Array) -> Array:
    x = as_matrices(x)
    return linear(x, kernels.triangle(x.shape, True))


@routine("A")
def triu(ring: Any, x: Array) -> Array:
    x = as_matrices(x)
    return linear(x, kernels.triangle(x.shape, False))


def sane(*sizes: int) -> tuple[int, ...]:
    if not sizes or len(sizes) > 8 or min(sizes) < 1 or prod(sizes) > kernels.MAX_ENTRIES:
        raise Misfit(f"sizes {sizes}")
    return sizes


@routine("S")
def eye(ring: Any, n: int) -> Array:
    return algebra.eye(ring, sane(n, n)[0])


@routine("S*")
def ones(ring: Any, n: int, m: int = 1, *more: int) -> Array:
    return constant(ring, 1, sane(n, m, *more))


@routine("S*")
def zeros(ring: Any, n: int, m: int = 1, *more: int) -> Array:
    return constant(ring, 0, sane(n, m, *more))


@routine("SS")
def commutation(ring: Any, n: int, m: int) -> Array:
    sane(n, m, n, m)
    one, zero = ring.number(Fraction(1)), ring.number(Fraction(0))
    flat = [zero] * (n * m) ** 2
    for i in range(n):
        for j in range(m):
            flat[(i * m + j) * n * m + j * n + i] = one
    return Array((n * m, n * m), {0: flat})


@routine("AS*")
def reshape(ring: Any, x: Array, *sizes: int) -> Array:
    if prod(sane(*sizes)) != x.size:
        raise Misfit(f"{x.shape} cannot have the sizes {sizes}")
    return x.reshaped(sizes if len(sizes) > 1 else (x.size, 1))


@routine("AO")
def transpose(ring: Any, x: Array, order: tuple[int, ...]) -> Array:
    if sorted(order) != list(range(len(x.shape))):
        raise Misfit(f"order {order} of {len(x.shape)} axes")
    return linear(x, kernels.permute(x.shape, order))


@routine("A*")
def concat(ring: Any, *parts: Array, axis: Axis = None) -> Array:
    if not isinstance(axis, int):
        raise Misfit("an axis is needed")
    whole = [as_matrices(x) for x in parts]
    places = axes_of(axis, len(whole[0].shape), False) or (0,)
    kernel = kernels.joined(tuple(x.shape for x in whole), places[0])
    keys = {k for x in whole for k in x.parts}
    joined: algebra.Parts = {k: [e for x in whole for e in x.parts.get(k, [0] * x.size)] for k in sorted(keys)}
    bottom = sum(x.bottom for x in whole)
    below = sum(x.rest[1] for x in whole)
    rest = (max(x.rest[0] for x in whole) + below, below)
    together = Array((sum(x.size for x in whole),), joined, max(x.top for x in whole) + bottom, bottom, rest=rest)
    return linear(together, kernel)


@routine("LA*")
def einsum(ring: Any, letters: str, *operands: Array) -> Array:
    left, arrow, out = letters.replace(" ", "").partition("->")
    groups = left.split(",")
    if not arrow or len(groups) != len(operands) or len(operands) > 8 or len(set(out)) != len(out):
        raise Misfit("einsum needs letters such as ab,bc->ac, one group an operand")
    if not all(c.isascii() and c.isalpha() for c in left.replace(",", "") + out) or set(out) - set(left):
        raise Misfit("einsum: result letters must occur in the operands")
    arrays = [_letters_fit(x, group) for x, group in zip(operands, groups, strict=True)]
    sizes: dict[str, int] = {}
    for x, group in zip(arrays, groups, strict=True):
        for c, n in zip(group, x.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                raise Misfit(f"einsum: {c} is both {sizes[c]} and {n}")
    result = _contracted(ring, arrays, groups, out)
    return result.reshaped((result.size, 1)) if len(result.shape) == 1 else result


def _letters_fit(x: Array, letters: str) -> Array:
    """Axes of length 1 that have no letter are dropped, the last first."""
    shape = list(x.shape)
    while len(shape) > len(letters) and 1 in shape:
        del shape[max(k for k in range(len(shape)) if shape[k] == 1)]
    if len(shape) != len(letters):
        raise Misfit(f"einsum: {len(letters)} letters for {x.shape}")
    return x.reshaped(tuple(shape))


def _contracted(ring: Any, arrays: Sequence[Array], groups: Sequence[str], out: str) -> Array:
    value, held = arrays[0], groups[0]
    for k in range(1, len(arrays)):
        later = set(out).union(*groups[k + 1 :])
        kept = "".join(c for c in dict.fromkeys(held + groups[k]) if c in later)
        if k == len(arrays) - 1:
            kept = out
        value = algebra.bilinear(
            ring, value, arrays[k], kernels.lettered(held, value.shape, groups[k], arrays[k].shape, kept)
        )
        held = kept
    if len(arrays) == 1 or held != out:
        value = linear(value, kernels.lettered_one(held, value.shape, out))
    return value


@routine("AA")
def conv2d(ring: Any, x: Array, k: Array) -> Array:
    x, k = as_matrix(x), as_matrix(k)
    kernel = kernels.correlation((x.shape[0], x.shape[1]), (k.shape[0], k.shape[1]))
    if 1 in kernel.shape:
        raise BadSizes("a convolution down to a single entry")
    return algebra.bilinear(ring, x, k, kernel)


@routine("AA")
def conv1d(ring: Any, x: Array, k: Array) -> Array:
    kernel = kernels.correlation((x.size, 1), (k.size, 1))
    if kernel.shape[0] == 1:
        raise BadSizes("a convolution down to a single entry")
    return algebra.bilinear(ring, x, k, kernel)


# ---- matrices, rational


@routine("A")
def inv(ring: Any, x: Array) -> Array:
    return algebra.inverse(ring, x)


@routine("A")
def det(ring: Any, x: Array) -> Array:
    return algebra.determinant(ring, x)


@routine("A")
def adj(ring: Any, x: Array) -> Array:
    return algebra.adjugate(ring, x)


@routine("AA")
def solve(ring: Any, a: Array, b: Array) -> Array:
    return algebra.matmul(ring, algebra.inverse(ring, a), as_matrices(b))


@routine("A")
def pinv(ring: Any, x: Array) -> Array:
    """Of full rank: (XᵀX)⁻¹Xᵀ, or Xᵀ(XXᵀ)⁻¹ for a wide matrix."""
    x = as_matrix(x)
    t = transposed(x)
    if x.shape[0] >= x.shape[1]:
        return algebra.matmul(ring, algebra.inverse(ring, algebra.matmul(ring, t, x)), t)
    return algebra.matmul(ring, t, algebra.inverse(ring, algebra.matmul(ring, x, t)))


@routine("AS")
def matpow(ring: Any, x: Array, k: int) -> Array:
    x = as_matrix(x)
    n = algebra.square_size(x)
    if abs(k) > 64:
        raise Misfit("a matrix power beyond 64")
    if k < 0:
        x, k = algebra.inverse(ring, x), -k
    out = algebra.eye(ring, n)
    for _ in range(k):
        out = algebra.matmul(ring, out, x)
    return out


@routine("AA")
def lyapunov(ring: Any, a: Array, q: Array) -> Array:
    """The X with A X + X A = Q, from the n² x n² system in vec(X)."""
    a, q = as_matrix(a), as_matrix(q)
    n = algebra.square_size(a)
    if a.shape != q.shape:
        raise Misfit(f"{a.shape} and {q.shape}")
    identity = algebra.eye(ring, n)
    system = plus(kron(ring, identity, a), kron(ring, transposed(a), identity))
    solution = algebra.matmul(ring, algebra.inverse(ring, system), vec(ring, q))
    return transposed(solution.reshaped((n, n)))
