"""What docs/coverage.md asks of whence, besides the examples of the table. coverage_page.py computes the answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One formula, by what it is differentiated, and the shapes of its names, as a declaration spells them."""

    expression: str
    wrt: str  # one name, or two in order
    shapes: str
    assume: str = ""  # "X: positive"
    structured: bool = False


@dataclass(frozen=True)
class Refusals:
    """Questions that get no answer, all for one reason."""

    title: str
    reason: str
    questions: tuple[Question, ...]


# In the first question of a pairing the value has the sizes k, l and the variable n, m: their shapes fill the grid.
FIRST_DERIVATIVES = (
    Question("exp(t)*sin(t)", "t", "t: scalar"),
    Question("logdet(A + t*B)", "t", "t: scalar, A: n x n, B: n x n"),
    Question("x.T @ A @ x", "x", "x: n, A: n x n"),
    Question("norm(A @ x - b)**2", "x", "x: n, A: k x n, b: k"),
    Question("r @ b", "r", "r: 1 x n, b: n"),
    Question("log(r @ b)", "r", "r: 1 x n, b: n"),
    Question("a.T @ X @ b", "X", "X: n x m, a: n, b: m"),
    Question("trace(X.T @ A @ X)", "X", "X: n x m, A: n x n"),
    Question("A @ sin(t*b)", "t", "t: scalar, A: k x n, b: n"),
    Question("solve(A + t*B, c)", "t", "t: scalar, A: k x k, B: k x k, c: k"),
    Question("A @ x", "x", "x: n, A: k x n"),
    Question("tanh(A @ x)", "x", "x: n, A: k x n"),
    Question("softmax(x)", "x", "x: n"),
    Question("A @ r.T", "r", "r: 1 x n, A: k x n"),
    Question("exp(r).T", "r", "r: 1 x n"),
    Question("A @ X @ b", "X", "X: n x m, A: k x n, b: m"),
    Question("sigmoid(X @ b)", "X", "X: n x m, b: m"),
    Question("t**2*a.T", "t", "t: scalar, a: k"),
    Question("cos(t*a).T", "t", "t: scalar, a: k"),
    Question("x.T @ A", "x", "x: n, A: n x k"),
    Question("exp(x.T @ A)", "x", "x: n, A: n x k"),
    Question("r @ A", "r", "r: 1 x n, A: n x k"),
    Question("softmax(r, axis=1)", "r", "r: 1 x n"),
    Question("a.T @ X @ B", "X", "X: n x m, a: n, B: m x k"),
    Question("sum(X**2, axis=0)", "X", "X: n x m"),
    Question("t**2*A", "t", "t: scalar, A: k x l"),
    Question("inv(A + t*B)", "t", "t: scalar, A: k x k, B: k x k"),
    Question("A @ x @ b.T", "x", "x: n, A: k x n, b: l"),
    Question("diag(x) @ A", "x", "x: n, A: n x m"),
    Question("b @ r @ A", "r", "r: 1 x n, A: n x l, b: k"),
    Question("A*exp(r)", "r", "r: 1 x m, A: n x m"),
    Question("A @ X @ B", "X", "X: n x m, A: k x n, B: m x l"),
    Question("X.T @ X", "X", "X: n x m"),
    Question("inv(X)", "X", "X: n x n"),
)

SECOND_DERIVATIVES = (
    Question("exp(t)", "t t", "t: scalar"),
    Question("x.T @ A @ x", "x x", "x: n, A: n x n"),
    Question("logsumexp(x)", "x x", "x: n"),
    Question("sum(log(1 + exp(A @ x)))", "x x", "x: n, A: k x n"),
    Question("r @ A @ r.T", "r r", "r: 1 x n, A: n x n"),
    Question("trace(X.T @ A @ X @ B)", "X X", "X: n x m, A: n x n, B: m x m"),
    Question("sum(X**3)", "X X", "X: n x m"),
    Question("logdet(X)", "X X", "X: n x n"),
    Question("x.T @ A @ y", "x y", "x: n, y: m, A: n x m"),
    Question("a.T @ X @ b", "a X", "a: k, X: k x l, b: l"),
    Question("a.T @ X @ b", "X a", "a: k, X: k x l, b: l"),
    Question("norm(X @ w - y)**2", "w X", "X: n x m, w: m, y: n"),
    Question("trace(A @ X @ B @ Y)", "X Y", "X: n x m, Y: l x k, A: k x n, B: m x l"),
    Question("t**2*x.T @ x", "t x", "t: scalar, x: n"),
    Question("t**2*trace(X.T @ A @ X)", "X t", "X: n x m, A: n x n, t: scalar"),
    Question("x**3", "x x", "x: n"),
    Question("inv(A + t*B)", "t t", "t: scalar, A: n x n, B: n x n"),
)

# What a structure makes of the gradient J that independent entries have: the formula sum(J*X) has that gradient.
PROJECTED = Question("sum(J*X)", "X", "X: n x n, J: n x n")
STRUCTURED = (
    Question("logdet(X)", "X", "X: n x n"),
    Question("a.T @ X @ b", "X", "X: n x n, a: n, b: n"),
    Question("norm(X)**2", "X", "X: n x n"),
    Question("trace(A @ inv(X))", "X", "X: n x n, A: n x n"),
    Question("X @ b", "X", "X: n x n, b: n"),
)
STRUCTURES = ("symmetric", "pd", "diagonal", "lower")

_SQUARE = "X: n x n"
_MATRIX = "X: n x m"
_TENSOR = "T: p x n x m"

TENSORS = (
    Question("sum(T**2)", "T", _TENSOR),
    Question("sum((T @ W)**2)", "W", f"{_TENSOR}, W: m x k"),
    Question("sum(logdet(T))", "T", "T: p x n x n"),
    Question('sum(einsum("bij,jk->bik", T, A)**2)', "A", f"{_TENSOR}, A: m x k"),
    Question("sum(G*softmax(Q @ K.mT, axis=-1))", "Q", "Q: B x T x D, K: B x T x D, G: B x T x T"),
    Question("sum(G*(X - mean(X, axis=-1)))", "X", "X: B x T x D, G: B x T x D"),
    Question("T @ w", "w", f"{_TENSOR}, w: m"),
    Question("sum(X[0:2, :])", "X", _MATRIX),
    Question("norm(X[0:k, :] @ b)**2", "X", "X: n x m, b: m, a: k"),
    Question("sum(A*reshape(X, m, n))", "X", "X: n x m, A: m x n"),
    Question("sum(A*transpose(T, (1, 0, 2)))", "T", f"{_TENSOR}, A: n x p x m"),
    Question("sum(A*concat(X, B, axis=0))", "X", "A: (n + p) x m, X: n x m, B: p x m"),
)

REFUSED = (
    Refusals(
        "Words that are not in the language",
        "All numbers are real, and the functions are those above. There is no word for a complex number, its conjugate "
        "or its transpose; none for eigenvalues, the whole singular value decomposition, the rank, or what sorts and "
        "accumulates; a function of your own is declared first.",
        (
            Question("sum(conj(X))", "X", _SQUARE),
            Question("trace(X.H @ X)", "X", _SQUARE),
            Question("sum(abs(1j*X))", "X", _SQUARE),
            Question("sum(eig(X))", "X", _SQUARE),
            Question("max(eigvals(X))", "X", _SQUARE),
            Question("svd(X)", "X", _MATRIX),
            Question("rank(X)", "X", _MATRIX),
            Question("sum(cumsum(x)**2)", "x", "x: n"),
            Question("sum(sort(x)**2)", "x", "x: n"),
            Question("sum(sigmod(X))", "X", _MATRIX),
            Question("sum(g(X))", "X", _MATRIX),
            Question("sum(X % 2)", "X", _MATRIX),
            Question("sum(X.shape)", "X", _MATRIX),
        ),
    ),
    Refusals(
        "Derivatives for which the language has no word",
        "They exist, but no formula made of the functions above says them: the second derivative of a matrix function, "
        "the array of a map that is known only by what it does to a direction, the change of singular vectors.",
        (
            Question("sum(A*frechet(expm, X, E))", "X", "X: n x n, A: n x n, E: n x n"),
            Question("trace(A @ expm(X))", "X X", "X: n x n, A: n x n"),
            Question("expm(A + t*B)", "t t", "A: n x n, B: n x n, t: scalar"),
            Question("expm(X)", "X", _SQUARE),
            Question("logm(X)", "X", _SQUARE, "X: pd"),
            Question("expm(X) @ b", "X", "X: n x n, b: n"),
            Question("conv1d(x, k)", "k", "x: n, k: p"),
            Question("conv2d(X, K)", "K", "X: n x m, K: p x q"),
            Question("conv2d(X, K)", "X", "X: n x m, K: p x q"),
            Question("sum(conv2d(X, K)**2)", "K K", "X: n x m, K: p x q"),
            Question("sum(A*svd_uv(X))", "X", "X: n x m, A: n x m"),
            Question("svd_u1(X).T @ A @ svd_v1(X)", "X", "X: n x m, A: n x m"),
            Question("norm_nuc(X)", "X X", _MATRIX),
            Question("norm_spec(X)", "X X", _MATRIX),
            Question("logdet(X)", "X X", _SQUARE, "X: symmetric", structured=True),
        ),
    ),
    Refusals(
        "Derivatives of higher order",
        "Derivatives are taken up to order four; from the third on each is the derivative of the verified one before.",
        (
            Question("exp(t)", "t t t t t", "t: scalar"),
        ),
    ),
    Refusals(
        "Calls and shapes that mean nothing",
        "Sizes are symbols, and two symbols are two sizes. The exponent of a matrix power is a number, and each "
        "function has its own number of arguments and its own axes.",
        (
            Question("A @ X", "X", "X: n x m, A: n x m"),
            Question("x @ x", "x", "x: n"),
            Question("A @ t", "t", "A: n x n, t: scalar"),
            Question("trace(X)", "X", _MATRIX),
            Question("expm(T)", "T", "T: p x n x n"),
            Question("T.T", "T", _TENSOR),
            Question("trace(matpow(X, k))", "X", "X: n x n, k: scalar"),
            Question("sum(norm(X, axis=0))", "X", _MATRIX),
            Question("max(X, axis=(0, 1))", "X", _MATRIX),
            Question("frechet(inv, X, E)", "E", "X: n x n, E: n x n"),
            Question("0 < X < 1", "X", _MATRIX),
        ),
    ),
    Refusals(
        "Formulas without a value",
        "A formula is shown only if it could be checked at points where the question has a value. Where none is found, "
        "there is no answer.",
        (
            Question("sum(log(-X**2))", "X", _MATRIX),
            Question("sum(asin(2 + X**2))", "X", _MATRIX),
            Question("trace(inv(x @ x.T))", "x", "x: n"),
            Question("sum(X)/0", "X", _MATRIX),
        ),
    ),
)
