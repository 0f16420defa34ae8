"""The operators that emitted Hessians are made of: plain NumPy, each with @, solve, diag, dense and linear_operator.

They are texts: a module gets those it uses. A Hessian is a Structured, the sum of its parts; how a system with it is
solved follows from what the parts are.
"""

from __future__ import annotations

STRUCTURED = '''\
class Structured:
    """A symmetric matrix kept as the sum of parts: it is built as an array only by dense()."""

    def __init__(self, size, *parts):
        self.size, self.parts = size, parts
        self.shape = (size, size)

    def __matmul__(self, v):
        v = np.asarray(v)
        columns = v.reshape(self.size, -1)
        return sum(part.times(columns) for part in self.parts).reshape(v.shape)

    def diag(self):
        """The diagonal, a list of numbers."""
        return sum(part.diagonal() for part in self.parts)

    def dense(self):
        """The whole matrix."""
        return sum(part.dense() for part in self.parts)

    def solve(self, b):
        """The x with H @ x = b, by the structure where it has one that helps."""
        b = np.asarray(b)
        columns = b.reshape(self.size, -1)
        return self._solved(columns).reshape(b.shape)

    def _solved(self, b):
        diagonals = [p.entries for p in self.parts if isinstance(p, Diagonal)]
        thin = [p for p in self.parts if isinstance(p, Product) and 2*p.inner < self.size]
        if len(self.parts) == 1 and not isinstance(self.parts[0], Product):
            return self.parts[0].solve(b)
        if diagonals and len(diagonals) + len(thin) == len(self.parts):
            return woodbury(sum(diagonals[1:], diagonals[0]), thin, b)
        return np.linalg.solve(self.dense(), b)

    def linear_operator(self):
        """As SciPy has it, for its iterative solvers."""
        import scipy.sparse.linalg

        return scipy.sparse.linalg.LinearOperator(self.shape, matvec=self.times, matmat=self.times)

    def times(self, v):
        """H @ v, for a column or several."""
        return self @ v


def woodbury(d, thin, b):
    """The x with (diag(d) + left (weights * right)) x = b, by a system of the size of the inner dimension."""
    left, right, weights = thin[0].left, thin[0].right, thin[0].weights
    if len(thin) > 1:
        left = np.concatenate([p.left for p in thin], 1)
        right, weights = np.concatenate([p.right_weighted() for p in thin], 0), 1.0
    if right.base is left and d.min() > 0.0:  # left @ left.T: a symmetric product, which takes half the time
        root = (1.0/np.sqrt(d))[:, None]
        left, b = left*root, b*root
        inner = weights*(left.T @ left)
        inner.flat[:: inner.shape[0] + 1] += 1.0
        return root*(b - left @ np.linalg.solve(inner, weights*(left.T @ b)))
    inverse = (1.0/d)[:, None]
    inner = weights*(right @ (left*inverse))
    inner.flat[:: inner.shape[0] + 1] += 1.0
    base = b*inverse
    return base - inverse*(left @ np.linalg.solve(inner, weights*(right @ base)))
'''

DIAGONAL = '''\
class Diagonal:
    """diag(d)."""

    def __init__(self, entries):
        self.entries = np.asarray(entries).reshape(-1)

    def times(self, v):
        return self.entries[:, None]*v

    def diagonal(self):
        return self.entries

    def dense(self):
        return np.diag(self.entries)

    def solve(self, b):
        return b/self.entries[:, None]
'''

PRODUCT = '''\
class Product:
    """left @ (weights * right), of n x k and k x n; weights is a column of k entries, a number, or 1."""

    def __init__(self, left, right, weights=1.0):
        self.left, self.right, self.weights = left, right, weights
        self.inner = left.shape[1]

    def right_weighted(self):
        return self.weights*self.right

    def times(self, v):
        return self.left @ (self.weights*(self.right @ v))

    def diagonal(self):
        return np.sum(self.left*self.right_weighted().T, axis=1)

    def dense(self):
        return self.left @ self.right_weighted()
'''

KRONECKER = '''\
class Kronecker:
    """scale * kron(a, b); a number n stands for the identity of n rows."""

    def __init__(self, a, b, scale=1.0):
        self.a, self.b, self.scale = a, b, scale

    def _both(self, v, left, right):
        """left applied to the a side and right to the b side of every column."""
        rows_a, rows_b = (x if isinstance(x, int) else x.shape[0] for x in (self.a, self.b))
        x = v.reshape(rows_a, rows_b, -1)
        x = x if isinstance(self.a, int) else np.tensordot(left, x, 1)
        x = x if isinstance(self.b, int) else np.moveaxis(np.tensordot(right, x, (1, 1)), 0, 1)
        return x.reshape(v.shape)

    def times(self, v):
        return self.scale*self._both(v, self.a, self.b)

    def solve(self, v):
        inverses = (None if isinstance(x, int) else np.linalg.inv(x) for x in (self.a, self.b))
        return self._both(v, *inverses)/self.scale

    def diagonal(self):
        a, b = (np.ones(x) if isinstance(x, int) else np.diagonal(x) for x in (self.a, self.b))
        return self.scale*np.outer(a, b).reshape(-1)

    def dense(self):
        a, b = (np.eye(x) if isinstance(x, int) else x for x in (self.a, self.b))
        return self.scale*np.kron(a, b)
'''

DENSE = '''\
class Dense:
    """An array without further structure."""

    def __init__(self, entries):
        self.entries = entries

    def times(self, v):
        return self.entries @ v

    def diagonal(self):
        return np.diagonal(self.entries)

    def dense(self):
        return self.entries

    def solve(self, b):
        return np.linalg.solve(self.entries, b)
'''

CLASSES = {"Diagonal": DIAGONAL, "Product": PRODUCT, "Kronecker": KRONECKER, "Dense": DENSE}
