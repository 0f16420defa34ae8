"""Functions of whole matrices that no contraction expresses: inverse, determinant, matrix functions, factorisations."""

from __future__ import annotations

from whence.ops.entry import Example, Op

_COOKBOOK = "Petersen & Pedersen, The Matrix Cookbook (2012)"
_HIGHAM = "Higham, Functions of Matrices (2008)"
_NO_C = "needs a factorisation: the C back end does not offer it"
_NO_RATIONAL = "no formula in other words; computed by a routine"

# The matrix that a Cholesky factor belongs to, inverted: LAPACK gives one triangle.
_CHOLESKY_INVERSE = (
    "def cholesky_inverse(factor):\n"
    '    (potri,) = scipy.linalg.get_lapack_funcs(("potri",), (factor,))\n'
    "    lower = np.tril(potri(factor, lower=True)[0])\n"
    "    return lower + np.tril(lower, -1).T\n"
)
_LU_DETERMINANT = (
    "def lu_determinant(lu, pivots):\n"
    "    swaps = np.count_nonzero(pivots != np.arange(len(pivots)))\n"
    "    return np.prod(np.diagonal(lu))*(-1.0)**swaps\n"
)
_SYLVESTER = (
    "def lyapunov(a, q):\n"
    "    one = {np}.eye(a.shape[0], dtype=a.dtype{device})\n"
    "    both = {np}.kron(a{contiguous}, one) + {np}.kron(one, a.T{contiguous})\n"
    "    return {np}.linalg.solve(both, q.reshape(-1, 1)).reshape(q.shape)\n"
)
_SYLVESTER_JAX = _SYLVESTER.replace("{np}", "jnp").replace("{device}", "").replace("{contiguous}", "")
# Its derivative in a direction E is the L with Y L + L Y = E.
_SQRTM_JAX = (
    "@jax.custom_jvp\n"
    "def sqrtm(x):\n"
    "    values, vectors = jnp.linalg.eig(x)\n"
    "    return ((vectors*jnp.sqrt(values)) @ jnp.linalg.inv(vectors)).real\n"
    "\n\n"
    "@sqrtm.defjvp\n"
    "def sqrtm_change(at, change):\n"
    "    root, one = sqrtm(at[0]), jnp.eye(at[0].shape[0], dtype=at[0].dtype)\n"
    "    both = jnp.kron(root, one) + jnp.kron(one, root.T)\n"
    "    return root, jnp.linalg.solve(both, change[0].reshape(-1, 1)).reshape(root.shape)\n"
)
_SYLVESTER_TORCH = (
    _SYLVESTER.replace("{np}", "torch")
    .replace("{device}", ", device=a.device")
    .replace("{contiguous}", ".contiguous()")
)
_BY_EIGENVALUES = (
    "def {name}(x):\n"
    "    values, vectors = {np}.linalg.eig(x)\n"
    "    return ((vectors*{np}.{f}(values)) @ {np}.linalg.inv(vectors)).real\n"
)

# JAX has no derivative of eigenvectors that are not orthogonal: that of the function needs none (Higham 2008, §3.2).
_LOGM_JAX = (
    "@jax.custom_jvp\n"
    "def logm(x):\n"
    "    values, vectors = jnp.linalg.eig(x)\n"
    "    return ((vectors*jnp.log(values)) @ jnp.linalg.inv(vectors)).real\n"
    "\n\n"
    "@logm.defjvp\n"
    "def logm_change(at, change):\n"
    "    values, vectors = jnp.linalg.eig(at[0])\n"
    "    inverse = jnp.linalg.inv(vectors)\n"
    "    gaps = values[:, None] - values[None, :]\n"
    "    logs = jnp.log(values)[:, None] - jnp.log(values)[None, :]\n"
    "    ratios = jnp.where(gaps == 0, 1/values[:, None], logs/jnp.where(gaps == 0, 1, gaps))\n"
    "    return logm(at[0]), (vectors @ (ratios*(inverse @ change[0] @ vectors)) @ inverse).real\n"
)


def _by_eigenvalues(name: str, library: str, f: str) -> str:
    return _BY_EIGENVALUES.replace("{name}", name).replace("{np}", library).replace("{f}", f)


# f([[X, E], [0, X]]) has the derivative of f at X in the direction E in its corner (Higham 2008, eq. 3.16).
_FRECHET = (
    "def frechet(f, x, e):\n    n = x.shape[0]\n    return f(np.block([[x, e], [np.zeros_like(x), x]]))[:n, n:]\n"
)

MATRICES: tuple[Op, ...] = (
    Op(
        name="inv",
        role="inverse",
        of_diagonal="diag(1/X)",
        facts=("inverse",),
        undoes="inv",
        reciprocal=True,
        of_product="inv(B) @ inv(A)",
        of_kron="kron(inv(A), inv(B))",
        commutes=True,
        kind="function",
        of_number="1/X",
        transposes="equivariant",
        takes="X[...,n,n]",
        gives="[...,n,n]",
        sentence="The inverse of a square matrix.",
        source=_COOKBOOK + ", eq. 59",
        differential="-Y @ δX @ Y",
        value="own:inv",
        domain="invertible",
        needs=("invertible(X)",),
        symmetric_in="symmetric",
        latex=r"{X}^{-1}",
        unicode="{X}⁻¹",
        numpy="np.linalg.inv({X})",
        jax="jnp.linalg.inv({X})",
        torch="torch.linalg.inv({X})",
        factored={
            "numpy pd": "cholesky_inverse({F})",
            "numpy lu": "scipy.linalg.lu_solve({F}, np.eye(len({F}[1]), dtype={F}[0].dtype))",
            "jax pd": "jax.scipy.linalg.cho_solve(({F}, True), jnp.eye({F}.shape[0], dtype={F}.dtype))",
            "jax lu": "jax.scipy.linalg.lu_solve({F}, jnp.eye({F}[0].shape[0], dtype={F}[0].dtype))",
            "torch pd": "torch.cholesky_inverse({F})",
            "torch lu": "torch.linalg.lu_solve(*{F}, torch.eye({F}[0].shape[0]).to({F}[0]))",
        },
        helpers={"numpy pd": _CHOLESKY_INVERSE},
        right=(
            Example("trace(A @ inv(X))", "X", "-inv(X).T @ A.T @ inv(X).T", "A: n x n, X: n x n"),
            Example("a.T @ inv(X) @ b", "X", "-inv(X).T @ a @ b.T @ inv(X).T", "X: n x n, a: n, b: n"),
        ),
        wrong=(
            Example("trace(A @ inv(X))", "X", "-inv(X) @ A @ inv(X)", "A: n x n, X: n x n", "missing-transpose"),
            Example("trace(A @ inv(X))", "X", "inv(X).T @ A.T @ inv(X).T", "A: n x n, X: n x n", "wrong-sign"),
        ),
        aliases=("inverse",),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="pinv",
        undoes="pinv",
        of_diagonal="diag(1/X)",
        of_vector="X.T/sum(X**2)",
        reciprocal=True,
        of_kron="kron(pinv(A), pinv(B))",
        kind="function",
        of_number="1/X",
        transposes="equivariant",
        takes="X[n,m]",
        gives="[m,n]",
        sentence="The pseudoinverse (Moore-Penrose) of a matrix of full rank.",
        source="Golub & Pereyra (1973), The differentiation of pseudo-inverses, SIAM J. Numer. Anal. 10",
        differential="-Y @ δX @ Y + Y @ Y.T @ (δX.T - δX.T @ X @ Y) + (δX.T - Y @ X @ δX.T) @ Y.T @ Y",
        value="own:pinv",
        domain="full rank",
        needs=("full-rank(X)",),
        symmetric_in="symmetric",
        latex=r"{X}^{+}",
        unicode="{X}⁺",
        numpy="np.linalg.pinv({X})",
        jax="jnp.linalg.pinv({X})",
        torch="torch.linalg.pinv({X})",
        right=(
            Example("trace(A @ pinv(X))", "X", "-inv(X).T @ A.T @ inv(X).T", "A: n x n, X: n x n"),
            Example("pinv(X) @ X", "X", "zeros(n*n, n*n)", "X: n x n", layout="vec"),
        ),
        wrong=(
            Example("trace(A @ pinv(X))", "X", "-pinv(X) @ A @ pinv(X)", "A: n x n, X: n x n", "missing-transpose"),
        ),
        missing={"exact": "inv(X.T @ X) @ X.T or X.T @ inv(X @ X.T): which one depends on the sizes", "c": _NO_C},
    ),
    Op(
        name="det",
        of_kron="det(A)**m*det(B)**n",
        kind="function",
        of_number="X",
        transposes="invariant",
        takes="X[...,n,n]",
        gives="[...]",
        sentence="The determinant of a square matrix.",
        source=_COOKBOOK + ", eq. 49; Jacobi's formula",
        differential="Y*trace(inv(X) @ δX)",
        value="own:det",
        domain="invertible",
        needs=("invertible(X)",),
        latex=r"\det {X}",
        unicode="det {X}",
        numpy="np.linalg.det({X})",
        jax="jnp.linalg.det({X})",
        torch="torch.linalg.det({X})",
        factored={
            "numpy pd": "np.prod(np.diagonal({F}))**2",
            "numpy lu": "lu_determinant(*{F})",
            "jax pd": "jnp.prod(jnp.diagonal({F}))**2",
            "torch pd": "torch.prod(torch.diagonal({F}))**2",
        },
        helpers={"numpy lu": _LU_DETERMINANT},
        right=(
            Example("det(X)", "X", "det(X)*inv(X).T", "X: n x n"),
            Example("det(X)", "X", "adj(X).T", "X: n x n"),
        ),
        wrong=(
            Example("det(X)", "X", "det(X)*inv(X)", "X: n x n", "missing-transpose"),
            Example("det(X)", "X", "inv(X).T", "X: n x n", "missing-factor"),
        ),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="logdet",
        of_diagonal="sum(log(X))",
        kind="function",
        of_number="log(X)",
        transposes="invariant",
        takes="X[...,n,n]",
        gives="[...]",
        sentence="The logarithm of the determinant.",
        source=_COOKBOOK + ", eq. 43",
        differential="trace(inv(X) @ δX)",
        exact="log(det(X))",
        value="formula",
        domain="positive determinant",
        needs=("det(X) > 0",),
        latex=r"\log\det {X}",
        unicode="log det {X}",
        numpy="np.linalg.slogdet({X})[1]",
        jax="jnp.linalg.slogdet({X})[1]",
        torch="torch.linalg.slogdet({X})[1]",
        factored={
            "numpy pd": "2.0*np.sum(np.log(np.diagonal({F})))",
            "numpy lu": "np.sum(np.log(np.abs(np.diagonal({F}[0]))))",
            "jax pd": "2.0*jnp.sum(jnp.log(jnp.diagonal({F})))",
            "jax lu": "jnp.sum(jnp.log(jnp.abs(jnp.diagonal({F}[0]))))",
            "torch pd": "2.0*torch.sum(torch.log(torch.diagonal({F})))",
            "torch lu": "torch.sum(torch.log(torch.abs(torch.diagonal({F}[0]))))",
        },
        right=(Example("logdet(X)", "X", "inv(X).T", "X: n x n"),),
        wrong=(Example("logdet(X)", "X", "inv(X)", "X: n x n", "missing-transpose"),),
        missing={"c": _NO_C},
    ),
    Op(
        name="adj",
        kind="function",
        of_number="X/X",
        transposes="equivariant",
        takes="X[n,n]",
        gives="[n,n]",
        sentence="The adjugate, the transposed matrix of cofactors: det(X) inv(X) for an invertible X.",
        source="Magnus & Neudecker, Matrix Differential Calculus (1999), §8.6",
        differential="Y*trace(inv(X) @ δX) - Y @ δX @ inv(X)",
        expands="det(X)*inv(X)",
        value="own:adj",
        domain="invertible",
        needs=("invertible(X)",),
        symmetric_in="symmetric",
        latex=r"\operatorname{adj}\left({X}\right)",
        unicode="adj({X})",
        numpy="(np.linalg.det({X})*np.linalg.inv({X}))",
        jax="(jnp.linalg.det({X})*jnp.linalg.inv({X}))",
        torch="(torch.linalg.det({X})*torch.linalg.inv({X}))",
        right=(
            Example(
                "trace(A @ adj(X))",
                "X",
                "trace(A @ adj(X))*inv(X).T - (inv(X) @ A @ adj(X)).T",
                "A: n x n, X: n x n",
            ),
        ),
        wrong=(Example("trace(A @ adj(X))", "X", "trace(A @ adj(X))*inv(X).T", "A: n x n, X: n x n", "missing-term"),),
        aliases=("adjugate",),
        missing={"c": _NO_C},
    ),
    Op(
        name="solve",
        kind="function",
        takes="A[...,n,n], B[...,n,m]",
        gives="[...,n,m]",
        sentence="The solution X of A @ X = B: inv(A) @ B.",
        source="Giles (2008), Collected matrix derivative results for forward and reverse mode AD, §2.3.1",
        differential="solve(A, δB - δA @ Y)",
        expands="inv(A) @ B",
        value="formula",
        domain="invertible",
        needs=("invertible(A)",),
        linear_in=("B",),
        adjoints={"B": "solve(A.T, G)"},
        latex=r"{A}^{-1} {B}",
        unicode="{A}⁻¹ {B}",
        numpy="np.linalg.solve({A}, {B})",
        jax="jnp.linalg.solve({A}, {B})",
        torch="torch.linalg.solve({A}, {B})",
        role="solution",
        factored={
            "numpy pd": "scipy.linalg.cho_solve(({F}, True), {B})",
            "numpy lu": "scipy.linalg.lu_solve({F}, {B})",
            "numpy lu transposed": "scipy.linalg.lu_solve({F}, {B}, trans=1)",
            "jax pd": "jax.scipy.linalg.cho_solve(({F}, True), {B})",
            "jax lu": "jax.scipy.linalg.lu_solve({F}, {B})",
            "jax lu transposed": "jax.scipy.linalg.lu_solve({F}, {B}, trans=1)",
            "torch pd": "torch.cholesky_solve({B}, {F})",
            "torch lu": "torch.linalg.lu_solve(*{F}, {B})",
            "torch lu transposed": "torch.linalg.lu_solve(*{F}, {B}, adjoint=True)",
            "numpy lu factor": "scipy.linalg.lu_factor({A})",
            "jax lu factor": "jax.scipy.linalg.lu_factor({A})",
            "torch lu factor": "torch.linalg.lu_factor({A})",
            "numpy pd factor": "np.linalg.cholesky({A})",
            "jax pd factor": "jnp.linalg.cholesky({A})",
            "torch pd factor": "torch.linalg.cholesky({A})",
        },
        right=(
            Example("c.T @ solve(A, b)", "b", "inv(A).T @ c", "A: n x n, b: n, c: n"),
            Example("c.T @ solve(A, b)", "A", "-inv(A).T @ c @ solve(A, b).T", "A: n x n, b: n, c: n"),
        ),
        wrong=(Example("c.T @ solve(A, b)", "b", "inv(A) @ c", "A: n x n, b: n, c: n", "missing-transpose"),),
        missing={"c": _NO_C},
    ),
    Op(
        name="expm",
        slope="expm(X)",
        of_diagonal="diag(exp(X))",
        undoes="logm",
        commutes=True,
        kind="function",
        of_number="exp(X)",
        transposes="equivariant",
        takes="X[n,n]",
        gives="[n,n]",
        sentence="The matrix exponential I + X + X²/2! + …",
        source=_HIGHAM + ", §10",
        differential="frechet(expm, X, δX)",
        value="mpmath:expm",
        symmetric_in="symmetric",
        facts=("invertible",),
        latex=r"e^{{X}}",
        unicode="expm({X})",
        numpy="scipy.linalg.expm({X})",
        jax="jax.scipy.linalg.expm({X})",
        torch="torch.linalg.matrix_exp({X})",
        right=(
            Example("trace(expm(X))", "X", "expm(X).T", "X: n x n"),
            Example("trace(A @ expm(X))", "X", "frechet(expm, X.T, A.T)", "A: n x n, X: n x n"),
        ),
        wrong=(Example("trace(A @ expm(X))", "X", "expm(X).T @ A.T", "A: n x n, X: n x n", "hidden-assumption"),),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="logm",
        slope="inv(X)",
        of_diagonal="diag(log(X))",
        commutes=True,
        kind="function",
        of_number="log(X)",
        transposes="equivariant",
        takes="X[n,n]",
        gives="[n,n]",
        sentence="The principal matrix logarithm: the inverse function of expm.",
        source=_HIGHAM + ", §11",
        differential="frechet(logm, X, δX)",
        value="mpmath:logm",
        domain="positive definite",
        needs=("no eigenvalue of X is 0 or negative",),
        symmetric_in="symmetric",
        latex=r"\operatorname{Log}\left({X}\right)",
        unicode="logm({X})",
        numpy="scipy.linalg.logm({X})",
        jax="logm({X})",
        torch="logm({X})",
        helpers={"jax": _LOGM_JAX, "torch": _by_eigenvalues("logm", "torch", "log")},
        right=(
            Example("trace(logm(X))", "X", "inv(X).T", "X: n x n", assume="X: pd"),
            Example("trace(A @ logm(X))", "X", "frechet(logm, X.T, A.T)", "A: n x n, X: n x n", assume="X: pd"),
        ),
        wrong=(
            Example("trace(A @ logm(X))", "X", "inv(X).T @ A.T", "A: n x n, X: n x n", "hidden-assumption", "X: pd"),
        ),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="sqrtm",
        role="matrix root",
        of_kron="kron(sqrtm(A), sqrtm(B))",
        of_diagonal="diag(sqrt(X))",
        commutes=True,
        kind="function",
        of_number="X**(1/2)",
        transposes="equivariant",
        takes="X[n,n]",
        gives="[n,n]",
        sentence="The principal square root: the Y with Y @ Y = X.",
        source=_HIGHAM + ", §6.1",
        differential="lyapunov(Y, δX)",
        value="mpmath:sqrtm",
        domain="positive definite",
        needs=("no eigenvalue of X is 0 or negative",),
        symmetric_in="symmetric",
        facts=("invertible",),
        latex=r"{X}^{1/2}",
        unicode="sqrtm({X})",
        numpy="scipy.linalg.sqrtm({X})",
        jax="sqrtm({X})",
        torch="sqrtm({X})",
        helpers={"jax": _SQRTM_JAX, "torch": _by_eigenvalues("sqrtm", "torch", "sqrt")},
        right=(
            Example("trace(sqrtm(X))", "X", "inv(sqrtm(X)).T/2", "X: n x n", assume="X: pd"),
            Example("trace(A @ sqrtm(X))", "X", "lyapunov(sqrtm(X).T, A.T)", "A: n x n, X: n x n", assume="X: pd"),
        ),
        wrong=(
            Example(
                "trace(A @ sqrtm(X))",
                "X",
                "inv(sqrtm(X)).T @ A.T/2",
                "A: n x n, X: n x n",
                "hidden-assumption",
                "X: pd",
            ),
        ),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="cholesky",
        of_kron="kron(cholesky(A), cholesky(B))",
        of_diagonal="diag(sqrt(X))",
        forward="frechet(cholesky, X, δX)",
        kind="function",
        of_number="X**(1/2)",
        takes="X[...,n,n]",
        gives="[...,n,n]",
        sentence="The lower triangular Y with Y @ Y.T = X and a positive diagonal; of X its symmetric part counts.",
        source="Murray (2016), Differentiation of the Cholesky decomposition, arXiv:1602.07527",
        differential=(
            "Y @ (tril(inv(Y) @ (δX + δX.mT)/2 @ inv(Y).mT) - tril(triu(inv(Y) @ (δX + δX.mT)/2 @ inv(Y).mT))/2)"
        ),
        value="own:cholesky",
        domain="positive definite",
        needs=("positive-definite(X)",),
        facts=("lower", "invertible"),
        latex=r"\operatorname{chol}\left({X}\right)",
        unicode="chol({X})",
        numpy="np.linalg.cholesky({X})",
        jax="jnp.linalg.cholesky({X})",
        torch="torch.linalg.cholesky({X})",
        right=(
            Example("sum(log(diag(cholesky(X))))", "X", "inv(X)/2", "X: n x n", assume="X: pd"),
            Example("sum(cholesky(X)**2)", "X", "eye(n)", "X: n x n", assume="X: pd"),
        ),
        wrong=(Example("sum(log(diag(cholesky(X))))", "X", "inv(X)", "X: n x n", "missing-factor", "X: pd"),),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="norm_nuc",
        of_kron="norm_nuc(A)*norm_nuc(B)",
        of_diagonal="sum(abs(X))",
        of_vector="norm(X)",
        kind="function",
        of_number="abs(X)",
        transposes="invariant",
        takes="X[n,m]",
        gives="[]",
        sentence="The nuclear norm: the sum of the singular values.",
        source="Watson (1992), Characterization of the subdifferential of some matrix norms, Linear Algebra Appl. 170",
        differential="sum(svd_uv(X) * δX)",
        value="own:norm_nuc",
        domain="full rank",
        needs=("full-rank(X)",),
        kink="not differentiable where X has not full rank",
        facts=("nonnegative",),
        latex=r"\left\|{X}\right\|_{*}",
        unicode="‖{X}‖∗",
        numpy='np.linalg.norm({X}, "nuc")',
        jax='jnp.linalg.norm({X}, "nuc")',
        torch='torch.linalg.norm({X}, "nuc")',
        right=(Example("norm_nuc(X)", "X", "svd_uv(X)"),),
        wrong=(Example("norm_nuc(X)", "X", "X/norm(X)", diagnosis="wrong-derivative-function"),),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="norm_spec",
        of_kron="norm_spec(A)*norm_spec(B)",
        of_vector="norm(X)",
        kind="function",
        of_number="abs(X)",
        transposes="invariant",
        takes="X[n,m]",
        gives="[]",
        sentence="The spectral norm: the largest singular value.",
        source="Watson (1992), Characterization of the subdifferential of some matrix norms, Linear Algebra Appl. 170",
        differential="svd_u1(X).T @ δX @ svd_v1(X)",
        value="own:norm_spec",
        domain="full rank",
        needs=("the largest singular value of X is simple",),
        kink="not differentiable where the two largest singular values are equal",
        facts=("nonnegative",),
        latex=r"\left\|{X}\right\|_{2}",
        unicode="‖{X}‖₂",
        numpy="np.linalg.norm({X}, 2)",
        jax="jnp.linalg.norm({X}, 2)",
        torch="torch.linalg.norm({X}, 2)",
        right=(Example("norm_spec(X)", "X", "svd_u1(X) @ svd_v1(X).T"),),
        wrong=(Example("norm_spec(X)", "X", "svd_uv(X)", diagnosis="wrong-derivative-function"),),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="svd_uv",
        transposes="equivariant",
        of_vector="X/norm(X)",
        kind="function",
        takes="X[n,m]",
        gives="[n,m]",
        sentence="U @ V.T of the thin singular value decomposition X = U @ S @ V.T.",
        source="Watson (1992), Characterization of the subdifferential of some matrix norms, Linear Algebra Appl. 170",
        value="own:svd_uv",
        domain="full rank",
        needs=("full-rank(X)",),
        symmetric_in="symmetric",
        latex=r"U V^{\top}\left({X}\right)",
        unicode="UVᵀ({X})",
        numpy="svd_uv({X})",
        jax="svd_uv({X})",
        torch="svd_uv({X})",
        helpers={
            "numpy": "def svd_uv(x):\n    u, _, vt = np.linalg.svd(x, full_matrices=False)\n    return u @ vt\n",
            "jax": "def svd_uv(x):\n    u, _, vt = jnp.linalg.svd(x, full_matrices=False)\n    return u @ vt\n",
            "torch": "def svd_uv(x):\n    u, _, vt = torch.linalg.svd(x, full_matrices=False)\n    return u @ vt\n",
        },
        right=(Example("norm_nuc(X)**2", "X", "2*norm_nuc(X)*svd_uv(X)"),),
        wrong=(Example("norm_nuc(X)**2", "X", "2*svd_uv(X)", diagnosis="missing-factor"),),
        no_rule={"X": "which formula holds depends on whether X is tall or wide; the language has no word for both"},
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="svd_u1",
        of_transpose="svd_v1",
        kind="function",
        takes="X[n,m]",
        gives="[n,1]",
        sentence="The left singular vector of the largest singular value; its sign goes with svd_v1 of the same X.",
        source="Golub & Van Loan, Matrix Computations (2013), §2.4",
        value="own:svd_u1",
        domain="full rank",
        needs=("the largest singular value of X is simple",),
        latex=r"u_1\left({X}\right)",
        unicode="u₁({X})",
        numpy="np.linalg.svd({X}, full_matrices=False)[0][:, :1]",
        jax="jnp.linalg.svd({X}, full_matrices=False)[0][:, :1]",
        torch="torch.linalg.svd({X}, full_matrices=False)[0][:, :1]",
        right=(Example("norm_spec(X)**2", "X", "2*norm_spec(X)*svd_u1(X) @ svd_v1(X).T"),),
        wrong=(Example("norm_spec(X)**2", "X", "2*svd_u1(X) @ svd_v1(X).T", diagnosis="missing-factor"),),
        no_rule={"X": "its sign is undefined alone, and the language has no word for its change"},
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="svd_v1",
        of_transpose="svd_u1",
        kind="function",
        takes="X[n,m]",
        gives="[m,1]",
        sentence="The right singular vector of the largest singular value; its sign goes with svd_u1 of the same X.",
        source="Golub & Van Loan, Matrix Computations (2013), §2.4",
        value="own:svd_v1",
        domain="full rank",
        needs=("the largest singular value of X is simple",),
        latex=r"v_1\left({X}\right)",
        unicode="v₁({X})",
        numpy="np.linalg.svd({X}, full_matrices=False)[2][:1].T",
        jax="jnp.linalg.svd({X}, full_matrices=False)[2][:1].T",
        torch="torch.linalg.svd({X}, full_matrices=False)[2][:1].T",
        right=(Example("norm_spec(X)", "X", "svd_u1(X) @ svd_v1(X).T"),),
        wrong=(Example("norm_spec(X)", "X", "svd_v1(X) @ svd_u1(X).T", diagnosis="layout-transposed"),),
        no_rule={"X": "its sign is undefined alone, and the language has no word for its change"},
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="lyapunov",
        of_number="Q/(2*A)",
        kind="function",
        takes="A[n,n], Q[n,n]",
        gives="[n,n]",
        sentence="The solution X of A @ X + X @ A = Q.",
        source=_HIGHAM + ", §B.14",
        differential="lyapunov(A, δQ - δA @ Y - Y @ δA)",
        adjoints={"Q": "lyapunov(A.T, G)"},
        jacobians={"Q": "inv(kron(eye(n), A) + kron(A.T, eye(n)))"},
        commuting="inv(A) @ Q/2",
        transposes="equivariant",
        value="own:lyapunov",
        domain="positive definite",
        needs=("no two eigenvalues of A add to 0",),
        linear_in=("Q",),
        symmetric_in="symmetric",
        latex=r"\operatorname{lyap}\left({A}, {Q}\right)",
        unicode="lyapunov({A}, {Q})",
        numpy="scipy.linalg.solve_sylvester({A}, {A}, {Q})",
        jax="lyapunov({A}, {Q})",
        torch="lyapunov({A}, {Q})",
        helpers={"jax": _SYLVESTER_JAX, "torch": _SYLVESTER_TORCH},
        right=(
            Example("sum(C*lyapunov(A, Q))", "Q", "lyapunov(A.T, C)", "A: n x n, Q: n x n, C: n x n", assume="A: pd"),
            Example(
                "sum(C*lyapunov(A, Q))",
                "A",
                "-lyapunov(A.T, C) @ lyapunov(A, Q).T - lyapunov(A, Q).T @ lyapunov(A.T, C)",
                "A: n x n, Q: n x n, C: n x n",
                assume="A: pd",
            ),
        ),
        wrong=(
            Example(
                "sum(C*lyapunov(A, Q))",
                "A",
                "-lyapunov(A.T, C) @ lyapunov(A, Q).T",
                "A: n x n, Q: n x n, C: n x n",
                "missing-term",
                "A: pd",
            ),
        ),
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
    Op(
        name="frechet",
        kind="function",
        takes="name F, X[n,n], E[n,n]",
        functions=("expm", "logm", "sqrtm", "cholesky"),
        gives="[n,n]",
        sentence="The derivative of the matrix function F at X in the direction E.",
        source=_HIGHAM + ", §3.1",
        differential="frechet(F, X, δE)",
        adjoints={"E": "frechet(F, X.T, G)"},
        transposes="equivariant",
        value="own:frechet",
        domain="positive definite",
        linear_in=("E",),
        symmetric_in="symmetric",
        latex=r"L_{{F}}\left({X}, {E}\right)",
        unicode="L_{F}({X}, {E})",
        numpy="frechet({F}, {X}, {E})",
        jax="jax.jvp({F}, ({X},), ({E},))[1]",
        torch="torch.func.jvp({F}, ({X},), ({E},))[1]",
        helpers={"numpy": _FRECHET},
        right=(Example("sum(A*frechet(expm, X, E))", "E", "frechet(expm, X.T, A)", "A: n x n, X: n x n, E: n x n"),),
        wrong=(
            Example(
                "sum(A*frechet(expm, X, E))",
                "E",
                "frechet(expm, X, A)",
                "A: n x n, X: n x n, E: n x n",
                "missing-transpose",
            ),
        ),
        no_rule={"X": "the language has no word for a second Fréchet derivative"},
        missing={"exact": _NO_RATIONAL, "c": _NO_C},
    ),
)
