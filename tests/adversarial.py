"""Pairs of formulas that are equal only somewhere: at n = 2, for symmetric matrices, nearly, modulo a prime.

Each family makes its pairs from its own few letters; none of them may be called equal.
"""

from __future__ import annotations

from collections.abc import Iterator

Pair = tuple[str, str, str]  # one formula, the other, the shapes
SQUARE = "A: n x n, B: n x n, C: n x n"
PRIMES = (2**31 - 1, 2**61 - 1, 10**9 + 7, 998244353, 65537, 2**89 - 1, 1000003, 2**19 - 1)


def only_at_two() -> Iterator[Pair]:
    """Hall's identity, Cayley and Hamilton for 2 x 2 matrices, and what follows from them."""
    commutator = "(A @ B - B @ A)"
    for x in ("C", "C.T", "(A + C)", "(C @ A)", "(2*C - B)"):
        yield f"{commutator} @ {commutator} @ {x}", f"{x} @ {commutator} @ {commutator}", SQUARE
    for m in ("A", "B", "(A + B)", "(A @ C)", "A.T", "(A - 3*B)"):
        yield f"{m} @ {m} - trace({m}) * {m} + det({m}) * eye(n)", "zeros(n, n)", SQUARE
        yield f"trace({m} @ {m})", f"trace({m})**2 - 2*det({m})", SQUARE
        yield f"inv({m}) * det({m})", f"trace({m}) * eye(n) - {m}", SQUARE
        yield f"adj({m})", f"trace({m}) * eye(n) - {m}", SQUARE
        yield f"det(2 * {m})", f"4 * det({m})", SQUARE
        yield f"det(-{m})", f"det({m})", SQUARE
        yield f"{m} + adj({m})", f"trace({m}) * eye(n)", SQUARE


def only_at_three() -> Iterator[Pair]:
    for m in ("A", "B", "(A @ B)", "(A + 2*C)"):
        half = f"(trace({m})**2 - trace({m} @ {m}))/2"
        yield f"{m} @ {m} @ {m} - trace({m}) * {m} @ {m} + {half} * {m} - det({m}) * eye(n)", "zeros(n, n)", SQUARE
        yield f"adj({m})", f"{m} @ {m} - trace({m}) * {m} + {half} * eye(n)", SQUARE
        yield f"det(-{m})", f"-det({m})", SQUARE


def only_where_symmetric_or_commuting() -> Iterator[Pair]:
    for a, b in (("A", "B"), ("A", "C"), ("(A + B)", "C"), ("A.T", "B"), ("inv(A)", "B"), ("A", "expm(B)")):
        yield f"{a} @ {b}", f"{b} @ {a}", SQUARE
        yield f"({a} + {b}) @ ({a} + {b})", f"{a} @ {a} + 2*{a} @ {b} + {b} @ {b}", SQUARE
        yield f"({a} + {b}) @ ({a} - {b})", f"{a} @ {a} - {b} @ {b}", SQUARE
        yield f"inv({a} @ {b})", f"inv({a}) @ inv({b})", SQUARE
        yield f"trace({a} @ {b} @ C.T @ C)", f"trace({b} @ {a} @ C.T @ C)", SQUARE
        yield f"({a} @ {b}).T", f"{a}.T @ {b}.T", SQUARE
    for m in ("A", "B", "(A @ B)", "inv(A)", "(A - C)"):
        yield m, f"{m}.T", SQUARE
        yield f"{m} @ {m}.T", f"{m}.T @ {m}", SQUARE
        yield f"{m} + {m}.T", f"2*{m}", SQUARE
        yield f"diag(diag({m}))", m, SQUARE
        yield f"trace({m} @ {m}.T)", f"trace({m} @ {m})", SQUARE
        yield f"inv({m})", f"{m}.T", SQUARE
        yield f"{m} @ {m}", m, SQUARE
        yield f"{m} * {m}", f"{m} @ {m}", SQUARE
        yield f"exp({m})", f"expm({m})", SQUARE


def nearly() -> Iterator[Pair]:
    for k in (6, 9, 12, 13, 15, 18, 20, 24):
        small = f"0.{'0' * (k - 1)}1"
        for m in ("A", "A @ B", "inv(A)", "A.T @ A"):
            yield m, f"{m} + {small} * B", SQUARE
            yield f"(1 + {small}) * {m}", m, SQUARE
        yield f"trace(A) + {small}", "trace(A)", SQUARE
    yield "A * 3.141592653589793", "A * pi", SQUARE
    yield "A * 1.4142135623730951", "A * sqrt(2)", SQUARE
    yield "tanh(50 + A*A)", "ones(n, n)", SQUARE
    yield "A * exp(-60 - A*A) + B", "B", SQUARE


def multiples_of_primes() -> Iterator[Pair]:
    for p in PRIMES:
        for m in ("A", "A @ B", "A.T", "A * B", "inv(A)"):
            yield f"{p} * {m}", "zeros(n, n)", SQUARE
            yield f"{m} + {p} * C", m, SQUARE
        yield f"A * {p + 1}", "A", SQUARE


def wrong_order() -> Iterator[Pair]:
    shapes = "A: n x n, B: m x m, X: m x n, u: n, v: n, p: m"
    yield "kron(A, B)", "kron(B, A)", shapes
    yield "vec(B @ X @ A)", "kron(A, B) @ vec(X)", shapes
    yield "vec(B @ X @ A)", "kron(B, A.T) @ vec(X)", shapes
    yield "vec(X.T)", "vec(X)", shapes
    yield "commutation(m, n) @ vec(X)", "vec(X)", shapes
    yield "commutation(n, m) @ vec(X)", "vec(X.T)", shapes
    yield "kron(A, u)", "kron(u, A)", shapes
    yield "kron(A @ A, B)", "kron(A, B) @ kron(A, eye(m)).T", shapes
    yield "u @ v.T", "v @ u.T", shapes
    yield "X.T @ X", "A * sum(X)", shapes
    yield "sum(X, axis=0)", "sum(X) * ones(1, n) / n", shapes
    yield "sum(X, axis=1)", "mean(X, axis=1)", shapes
    yield "softmax(X, axis=0)", "softmax(X, axis=1)", shapes
    yield "diag(u) @ A", "A @ diag(u)", shapes
    yield "u * A", "A * u.T", shapes
    yield "(u.T @ v) * A", "u @ v.T @ A", shapes
    yield "sum(u * v)", "sum(u) * sum(v)", shapes
    yield "norm(u + v)", "norm(u) + norm(v)", shapes
    yield "log(det(A @ A.T))", "log(det(A))", shapes
    yield "trace(A) * trace(A)", "trace(A @ A)", shapes


def only_at_one_sample() -> Iterator[Pair]:
    shapes = "W: k x n, X: n x m, G: k x m, b: k"
    for g in ("G", "(2*G)", "(G * G)", "tanh(G)", "(W @ X)"):
        yield f"sum({g}, axis=1)", f"{g} @ ones(m) / m", shapes
        yield f"mean({g}, axis=1)", f"sum({g}, axis=1)", shapes
        yield f"{g} @ X.T / m", f"{g} @ X.T", shapes
        yield f"sum({g})", f"mean({g}) * k", shapes
        yield (
            f"softmax({g}, axis=0) * (G - sum(G * softmax({g}, axis=0), axis=0))",
            (f"softmax({g}, axis=0) * (G - sum(G * softmax({g}, axis=0)))"),
            shapes,
        )
        yield f"{g} * ({g} > 1)", g, shapes
        yield f"sum({g} * {g}, axis=1)", f"sum({g}, axis=1)**2", shapes


def shifted() -> Iterator[Pair]:
    """True identities with one number changed."""
    right = (
        ("trace(A @ B)", "trace(B @ A)"),
        ("(A @ B).T", "B.T @ A.T"),
        ("inv(A @ B)", "inv(B) @ inv(A)"),
        ("A @ (B + C)", "A @ B + A @ C"),
        ("tanh(A)", "2*sigmoid(2*A) - 1"),
        ("log(exp(A))", "A"),
        ("sin(A)**2 + cos(A)**2", "ones(n, n)"),
        ("det(A @ B)", "det(A) * det(B)"),
        ("1 - tanh(A)**2", "1/cosh(A)**2"),
        ("sigmoid(-A)", "1 - sigmoid(A)"),
    )
    for one, other in right:
        for k in (2, 3, 5, 7, 11):
            yield f"{k} * ({one})", f"{k + 1} * ({other})", SQUARE
            yield f"{one}", f"({other}) + {one} / {k}", SQUARE
            yield f"{one} + 1/{k}", f"{other}", SQUARE


FAMILIES = (
    only_at_two,
    only_at_three,
    only_where_symmetric_or_commuting,
    nearly,
    multiples_of_primes,
    wrong_order,
    only_at_one_sample,
    shifted,
)
