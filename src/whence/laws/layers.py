"""The derivatives that a backward pass is made of: G is the gradient of what follows, a single number.

J = sum(G * Y) stands for all that follows: δJ = ⟨G, δY⟩ whatever comes after Y. These are the matrix by matrix rules
that tables leave out, in the form in which they are used.
"""

from __future__ import annotations

from whence.laws.identity import Identity

_BACKWARD = "Rumelhart, Hinton & Williams (1986), written for matrices; Goodfellow et al., Deep Learning (2016), §6.5"
_GILES = "Giles (2008), Collected matrix derivative results for forward and reverse mode, §2.2.3"
_SOFTMAX = "Goodfellow et al., Deep Learning (2016), §6.2.2.3, put together for a batch"
_WORDS = "matrix by matrix chain rule backward pass backpropagation upstream gradient layer"

FOLLOWED = "sum(G * Y)"  # a cost that stands for all that follows Y

LAYERS: tuple[Identity, ...] = (
    Identity(
        "backward of a product, right factor",
        "sum(G * (W @ X))",
        "X",
        "W.T @ G",
        "G: n x m, W: n x k, X: k x m",
        _BACKWARD,
        words=_WORDS + " why transposed and first Y = W X",
    ),
    Identity(
        "backward of a product, left factor",
        "sum(G * (W @ X))",
        "W",
        "G @ X.T",
        "G: n x m, W: n x k, X: k x m",
        _BACKWARD,
        words=_WORDS + " why transposed and last Y = W X weights",
    ),
    Identity(
        "backward of an elementwise function",
        "sum(G * g(Z))",
        "Z",
        "G * g_prime(Z)",
        "G: n x m, Z: n x m",
        _BACKWARD,
        words=_WORDS + " why elementwise hadamard activation A = g(Z)",
        functions=("g",),
    ),
    Identity(
        "backward of a whole layer",
        "sum(G * (W @ g(Z)))",
        "Z",
        "W.T @ G * g_prime(Z)",
        "G: n x m, W: n x k, Z: k x m",
        _BACKWARD,
        words=_WORDS + " dZ1 hidden layer W2 transposed dZ2 times g prime",
        functions=("g",),
    ),
    Identity(
        "backward of a bias column",
        "sum(G * (Z + b))",
        "b",
        "sum(G, axis=1)",
        "G: n x m, Z: n x m, b: n",
        _BACKWARD,
        words=_WORDS + " broadcast sum over samples db",
    ),
    Identity(
        "backward of a bias row",
        "sum(G * (Z + b))",
        "b",
        "sum(G, axis=0)",
        "G: n x m, Z: n x m, b: 1 x m",
        _BACKWARD,
        words=_WORDS + " broadcast sum over rows samples as rows db",
    ),
    Identity(
        "backward of a transpose",
        "sum(G * X.T)",
        "X",
        "G.T",
        "G: m x n, X: n x m",
        _BACKWARD,
        words=_WORDS + " transposed back",
    ),
    Identity(
        "backward of an elementwise product",
        "sum(G * (A * X))",
        "X",
        "A * G",
        "G: n x m, A: n x m, X: n x m",
        _BACKWARD,
        words=_WORDS + " hadamard gate",
    ),
    Identity(
        "backward of a sum over rows",
        "sum(G * sum(X, axis=0))",
        "X",
        "ones(n) @ G",
        "G: 1 x m, X: n x m",
        _BACKWARD,
        words=_WORDS + " sum spreads to every entry",
    ),
    Identity(
        "backward of a product, middle factor",
        "sum(G * (A @ X @ B))",
        "X",
        "A.T @ G @ B.T",
        "G: n x m, A: n x k, X: k x p, B: p x m",
        _BACKWARD,
        words=_WORDS + " why transposed first and last Y = A X B",
    ),
    Identity(
        "backward of the square of a matrix",
        "sum(G * (X @ X))",
        "X",
        "G @ X.T + X.T @ G",
        "G: n x n, X: n x n",
        _BACKWARD,
        words=_WORDS + " product with itself X^2",
    ),
    Identity(
        "backward of a Gram matrix of columns",
        "sum(G * (X.T @ X))",
        "X",
        "X @ (G + G.T)",
        "G: m x m, X: n x m",
        _BACKWARD,
        words=_WORDS + " covariance kernel X^T X",
    ),
    Identity(
        "backward of a Gram matrix of rows",
        "sum(G * (X @ X.T))",
        "X",
        "(G + G.T) @ X",
        "G: n x n, X: n x m",
        _BACKWARD,
        words=_WORDS + " covariance kernel X X^T",
    ),
    Identity(
        "backward of an inverse",
        "sum(G * inv(X))",
        "X",
        "-inv(X).T @ G @ inv(X).T",
        "G: n x n, X: n x n",
        _GILES,
        assume="X: invertible",
        words=_WORDS + " inverse of a matrix",
    ),
    Identity(
        "backward of softmax over columns",
        "sum(G * softmax(Z, axis=0))",
        "Z",
        "softmax(Z, axis=0) * (G - sum(G * softmax(Z, axis=0), axis=0))",
        "G: n x m, Z: n x m",
        _SOFTMAX,
        words=_WORDS + " classes stand below each other",
    ),
    Identity(
        "backward of softmax over rows",
        "sum(G * softmax(Z, axis=1))",
        "Z",
        "softmax(Z, axis=1) * (G - sum(G * softmax(Z, axis=1), axis=1))",
        "G: n x m, Z: n x m",
        _SOFTMAX,
        words=_WORDS + " classes stand beside each other",
    ),
)
