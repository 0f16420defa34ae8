"""The table of identities that shorten answers. A new identity is one entry here, and nothing anywhere else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """`left` may be written `right`, entry by entry, for any array X (of one or two axes where `axis` is set)."""

    name: str
    left: str
    right: str
    why: str
    source: str
    when: str = ""  # a fact that X must have; empty: for all X for which the left side is defined
    axis: int | None = None  # what `axis=axis` stands for


_PENROSE = "Penrose (1955), A generalized inverse for matrices"

LAWS: tuple[Law, ...] = (
    Law(
        "tanh-quotient",
        "sinh(X)/cosh(X)",
        "tanh(X)",
        "the definition of tanh",
        "Abramowitz & Stegun (1964), 4.5.3",
    ),
    Law(
        "sigmoid-quotient",
        "exp(X)/(1 + exp(X))",
        "sigmoid(X)",
        "multiply numerator and denominator of 1/(1 + exp(-X)) by exp(X)",
        "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.59",
    ),
    Law(
        "sigmoid-reciprocal",
        "1/(1 + exp(X))",
        "sigmoid(-X)",
        "the definition of the logistic function",
        "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.59",
    ),
    Law(
        "softmax-of-columns",
        "exp(X)/sum(exp(X), axis=axis)",
        "softmax(X, axis=axis)",
        "the definition of softmax",
        "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.62",
        axis=0,
    ),
    Law(
        "softmax-of-rows",
        "exp(X)/sum(exp(X), axis=axis)",
        "softmax(X, axis=axis)",
        "the definition of softmax",
        "Bishop, Pattern Recognition and Machine Learning (2006), eq. 4.62",
        axis=1,
    ),
    Law(
        "sigmoid-by-sign",
        "step(X) - sign(X)*sigmoid(-abs(X))",
        "sigmoid(X)",
        "sigmoid(-|x|) is sigmoid(-x) for positive x and sigmoid(x) for negative x",
        "the stable form of the binary cross-entropy with logits",
    ),
    Law(
        "pseudoinverse-of-full-column-rank",
        "inv(X.T @ X) @ X.T",
        "pinv(X)",
        "X.T @ X is invertible exactly when the columns of X are independent",
        "Golub & Van Loan, Matrix Computations (2013), §5.5.2",
    ),
    Law(
        "pseudoinverse-of-full-row-rank",
        "X.T @ inv(X @ X.T)",
        "pinv(X)",
        "X @ X.T is invertible exactly when the rows of X are independent",
        "Golub & Van Loan, Matrix Computations (2013), §5.5.2",
    ),
    Law("penrose-1", "X @ pinv(X) @ X", "X", "the first Penrose condition", _PENROSE),
    Law("penrose-2", "pinv(X) @ X @ pinv(X)", "pinv(X)", "the second Penrose condition", _PENROSE),
    Law(
        "penrose-1-and-3",
        "pinv(X).T @ X.T @ X",
        "X",
        "X @ pinv(X) is symmetric: the third Penrose condition, then the first",
        _PENROSE,
    ),
    Law(
        "penrose-1-and-4",
        "X @ X.T @ pinv(X).T",
        "X",
        "pinv(X) @ X is symmetric: the fourth Penrose condition, then the first",
        _PENROSE,
    ),
    Law(
        "penrose-2-and-3",
        "pinv(X) @ pinv(X).T @ X.T",
        "pinv(X)",
        "X @ pinv(X) is symmetric: the third Penrose condition, then the second",
        _PENROSE,
    ),
    Law(
        "penrose-2-and-4",
        "X.T @ pinv(X).T @ pinv(X)",
        "pinv(X)",
        "pinv(X) @ X is symmetric: the fourth Penrose condition, then the second",
        _PENROSE,
    ),
    Law(
        "cholesky-squared",
        "cholesky(X) @ cholesky(X).T",
        "X",
        "the definition of the Cholesky factor",
        "Golub & Van Loan, Matrix Computations (2013), §4.2",
        when="symmetric",
    ),
    Law(
        "inverse-by-cholesky",
        "inv(cholesky(X)).T @ inv(cholesky(X))",
        "inv(X)",
        "the inverse of a product is the product of the inverses, the other way round",
        "Golub & Van Loan, Matrix Computations (2013), §4.2",
        when="symmetric",
    ),
    Law(
        "root-squared",
        "sqrtm(X) @ sqrtm(X)",
        "X",
        "the definition of the square root",
        "Higham, Functions of Matrices (2008), §6",
    ),
    Law("absolute-value", "X*sign(X)", "abs(X)", "|x| is x or -x", "Calculus"),
    Law(
        "positive-part", "X*step(X)", "relu(X)", "relu is X where X is positive and 0 elsewhere", "Nair & Hinton (2010)"
    ),
)
