"""Functions along an axis, and norms."""

from __future__ import annotations

from whence.ops.entry import Example, Op

_NONE_IN_C = "needs a loop over the axis: the C back end writes it"
_MASK_NUMPY = (
    "def {name}(x, axis=None):\n"
    "    mask = np.zeros(x.shape)\n"
    "    if axis is None:\n"
    "        mask.flat[np.{pick}(x)] = 1.0\n"
    "    else:\n"
    "        np.put_along_axis(mask, np.expand_dims(np.{pick}(x, axis), axis), 1.0, axis)\n"
    "    return mask\n"
)
_MASK_JAX = (
    "def {name}(x, axis=None):\n"
    "    if axis is None:\n"
    "        return jax.nn.one_hot(jnp.{pick}(x), x.size, dtype=x.dtype).reshape(x.shape)\n"
    "    return jax.nn.one_hot(jnp.{pick}(x, axis), x.shape[axis], dtype=x.dtype, axis=axis)\n"
)
_MASK_TORCH = (
    "def {name}(x, axis=None):\n"
    "    if axis is None:\n"
    "        return torch.nn.functional.one_hot(torch.{pick}(x), x.numel()).reshape(x.shape).to(x.dtype)\n"
    "    return torch.zeros_like(x).scatter(axis, torch.{pick}(x, axis, keepdim=True), 1.0)\n"
)
_SOFTMAX_NUMPY = (
    "def softmax(x, axis):\n"
    "    e = np.exp(x - np.max(x, axis=axis, keepdims=True))\n"
    "    return e/np.sum(e, axis=axis, keepdims=True)\n"
)
_SOFTMAX_INTO = (
    "def softmax_into(x, axis, out):\n"
    "    np.subtract(x, np.max(x, axis=axis, keepdims=True), out=out)\n"
    "    np.exp(out, out=out)\n"
    "    return np.divide(out, np.sum(out, axis=axis, keepdims=True), out=out)\n"
)
_LOGSUMEXP_NUMPY = (
    "def logsumexp(x, axis=None):\n"
    "    top = np.max(x, axis=axis, keepdims=axis is not None)\n"
    "    return top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=axis is not None))\n"
)
_CATEGORICAL = "Bridle (1990); Goodfellow, Bengio & Courville, Deep Learning (2016), §6.2.2.3"


def _mask_helpers(name: str, pick: str) -> dict[str, str]:
    templates = {"numpy": _MASK_NUMPY, "jax": _MASK_JAX, "torch": _MASK_TORCH}
    return {end: t.replace("{name}", name).replace("{pick}", pick) for end, t in templates.items()}


REDUCTIONS: tuple[Op, ...] = (
    Op(
        name="sum",
        kind="structure",
        of_one="X",
        takes="X, axes",
        gives="axis",
        sentence="The sum of all entries, or along an axis (axis=0: of every column, a row; axis=1: of every row).",
        source="Magnus & Neudecker, Matrix Differential Calculus (1999): the differential of a sum",
        differential="sum(δX, axis=axis)",
        structure="sum",
        value="own:sum",
        linear_in=("X",),
        latex=r"\sum_{{axis}} {X}",
        unicode="sum({X}, axis={axis})",
        numpy="np.sum({X}, axis={axis}, keepdims=True)",
        jax="jnp.sum({X}, axis={axis}, keepdims=True)",
        torch="torch.sum({X}, {axis}, keepdim=True)",
        whole={
            "numpy": "np.sum({X})",
            "jax": "jnp.sum({X})",
            "torch": "torch.sum({X})",
            "c": "0.0; {Y} + {X}",
        },
        right=(
            Example("sum(A*X)", "X", "A", "X: n x m, A: n x m"),
            Example("sum(A @ X)", "X", "A.T @ ones(p, m)", "X: n x m, A: p x n"),
            Example("sum(sum(X, axis=1)**2)", "X", "2*sum(X, axis=1) @ ones(1, m)"),
        ),
        wrong=(Example("sum(A @ X)", "X", "A.T", "X: n x m, A: p x n", "missing-sum-over-batch"),),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="mean",
        kind="structure",
        of_one="X",
        takes="X, axes",
        gives="axis",
        sentence="The sum divided by the number of what is summed, of all entries or along an axis.",
        source="Magnus & Neudecker, Matrix Differential Calculus (1999): the differential of a sum",
        differential="mean(δX, axis=axis)",
        structure="mean",
        value="own:mean",
        linear_in=("X",),
        latex=r"\operatorname{mean}_{{axis}} {X}",
        unicode="mean({X}, axis={axis})",
        numpy="np.mean({X}, axis={axis}, keepdims=True)",
        jax="jnp.mean({X}, axis={axis}, keepdims=True)",
        torch="torch.mean({X}, {axis}, keepdim=True)",
        whole={
            "numpy": "np.mean({X})",
            "jax": "jnp.mean({X})",
            "torch": "torch.mean({X})",
        },
        right=(
            Example("mean(X**2)", "X", "2*X/(n*m)"),
            Example("sum(mean(X, axis=0)**2)", "X", "2*ones(n, 1) @ mean(X, axis=0)/n"),
        ),
        wrong=(Example("mean(X**2)", "X", "2*X", diagnosis="missing-factor"),),
        aliases=("average",),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="max",
        kind="function",
        of_one="X",
        takes="X, axes",
        gives="axis",
        sentence="The largest entry, of the whole or along an axis.",
        source="Danskin (1967): where the largest entry is unique, the derivative is that of this entry",
        differential="sum(argmax_mask(X, axis=axis) * δX, axis=axis)",
        differential_several="sum((X == Y) * δX, axis=axis)",
        exact="sum(argmax_mask(X, axis=axis) * X, axis=axis)",
        value="own:max",
        domain="distinct",
        needs=("the largest entry is unique",),
        kink="of equal entries the first counts",
        latex=r"\max_{{axis}} {X}",
        unicode="max({X}, axis={axis})",
        numpy="np.max({X}, axis={axis}, keepdims=True)",
        jax="jnp.max({X}, axis={axis}, keepdims=True)",
        torch="torch.amax({X}, {axis}, keepdim=True)",
        whole={
            "numpy": "np.max({X})",
            "jax": "jnp.max({X})",
            "torch": "torch.max({X})",
            "c": "-REAL_MAX; {X} > {Y} ? {X} : {Y}",
        },
        right=(
            Example("max(X)", "X", "argmax_mask(X)"),
            Example("sum(a.T*max(X, axis=0))", "X", "ones(n, 1) @ a.T*argmax_mask(X, axis=0)", "X: n x m, a: m"),
        ),
        wrong=(Example("max(X)", "X", "X*argmax_mask(X)", diagnosis="extra-factor"),),
        aliases=("amax",),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="min",
        kind="function",
        of_one="X",
        takes="X, axes",
        gives="axis",
        sentence="The smallest entry, of the whole or along an axis.",
        source="Danskin (1967): where the smallest entry is unique, the derivative is that of this entry",
        differential="sum(argmin_mask(X, axis=axis) * δX, axis=axis)",
        differential_several="sum((X == Y) * δX, axis=axis)",
        exact="sum(argmin_mask(X, axis=axis) * X, axis=axis)",
        value="own:min",
        domain="distinct",
        needs=("the smallest entry is unique",),
        kink="of equal entries the first counts",
        latex=r"\min_{{axis}} {X}",
        unicode="min({X}, axis={axis})",
        numpy="np.min({X}, axis={axis}, keepdims=True)",
        jax="jnp.min({X}, axis={axis}, keepdims=True)",
        torch="torch.amin({X}, {axis}, keepdim=True)",
        whole={
            "numpy": "np.min({X})",
            "jax": "jnp.min({X})",
            "torch": "torch.min({X})",
            "c": "REAL_MAX; {X} < {Y} ? {X} : {Y}",
        },
        right=(
            Example("min(X)", "X", "argmin_mask(X)"),
            Example("sum(a*min(X, axis=1))", "X", "a*argmin_mask(X, axis=1)", "X: n x m, a: n"),
        ),
        wrong=(Example("min(X)", "X", "-argmin_mask(X)", diagnosis="wrong-sign"),),
        aliases=("amin",),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="argmax_mask",
        kind="function",
        of_one="1",
        takes="X, axis",
        gives="X",
        sentence="1 at the largest entry (the first of equals), 0 elsewhere; of the whole or along an axis.",
        source="The derivative of max where the largest entry is unique: Danskin (1967)",
        undifferentiable="piecewise constant: its derivative is 0 wherever it has one",
        zero=True,
        value="own:argmax_mask",
        domain="distinct",
        needs=("the largest entry is unique",),
        kink="of equal entries the first counts",
        facts=("nonnegative", "mask", "sums-to-1"),
        latex=r"\operatorname{argmax\,mask}_{{axis}}\left({X}\right)",
        unicode="argmax_mask({X}, axis={axis})",
        numpy="argmax_mask({X}, {axis})",
        jax="argmax_mask({X}, {axis})",
        torch="argmax_mask({X}, {axis})",
        helpers=_mask_helpers("argmax_mask", "argmax"),
        right=(Example("sum(X**2*argmax_mask(X))", "X", "2*X*argmax_mask(X)"),),
        wrong=(Example("sum(X**2*argmax_mask(X))", "X", "X*argmax_mask(X)", diagnosis="missing-factor"),),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="argmin_mask",
        kind="function",
        of_one="1",
        takes="X, axis",
        gives="X",
        sentence="1 at the smallest entry (the first of equals), 0 elsewhere; of the whole or along an axis.",
        source="The derivative of min where the smallest entry is unique: Danskin (1967)",
        undifferentiable="piecewise constant: its derivative is 0 wherever it has one",
        zero=True,
        value="own:argmin_mask",
        domain="distinct",
        needs=("the smallest entry is unique",),
        kink="of equal entries the first counts",
        facts=("nonnegative", "mask", "sums-to-1"),
        latex=r"\operatorname{argmin\,mask}_{{axis}}\left({X}\right)",
        unicode="argmin_mask({X}, axis={axis})",
        numpy="argmin_mask({X}, {axis})",
        jax="argmin_mask({X}, {axis})",
        torch="argmin_mask({X}, {axis})",
        helpers=_mask_helpers("argmin_mask", "argmin"),
        right=(Example("sum(X**2*argmin_mask(X))", "X", "2*X*argmin_mask(X)"),),
        wrong=(Example("sum(X**2*argmin_mask(X))", "X", "X*argmin_mask(X)", diagnosis="missing-factor"),),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="softmax",
        kind="function",
        of_one="1",
        takes="X, axis=0",
        gives="X",
        sentence="Exponentials divided by their sum along an axis (axis 0, a column, unless said otherwise).",
        source=_CATEGORICAL,
        differential="Y * (δX - sum(Y * δX, axis=axis))",
        exact="exp(X)/sum(exp(X), axis=axis)",
        value="formula",
        facts=("positive", "unit-interval", "sums-to-1"),
        latex=r"\operatorname{softmax}\left({X}\right)",
        unicode="softmax({X}, axis={axis})",
        numpy="softmax({X}, {axis})",
        jax="jax.nn.softmax({X}, axis={axis})",
        torch="torch.softmax({X}, {axis})",
        steady="exp(X - max(X, axis=axis))/sum(exp(X - max(X, axis=axis)), axis=axis)",
        into="softmax_into({X}, {axis}, out={out})",
        helpers={"numpy": _SOFTMAX_NUMPY, "numpy into": _SOFTMAX_INTO},
        right=(
            Example(
                "sum(A*softmax(X, axis=0))",
                "X",
                "softmax(X, axis=0)*(A - sum(A*softmax(X, axis=0), axis=0))",
                "X: n x m, A: n x m",
            ),
            Example("softmax(x)", "x", "diag(softmax(x)) - softmax(x) @ softmax(x).T", "x: n"),
        ),
        wrong=(
            Example(
                "sum(A*softmax(X, axis=0))",
                "X",
                "A*softmax(X, axis=0)*(1 - softmax(X, axis=0))",
                "X: n x m, A: n x m",
                "diagonal-only-jacobian",
            ),
        ),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="logsumexp",
        kind="function",
        shifted="softmax",
        of_one="X",
        takes="X, axes",
        gives="axis",
        sentence="The logarithm of the sum of exponentials, of the whole or along an axis.",
        source="Boyd & Vandenberghe, Convex Optimization (2004), §3.1.5",
        differential="sum(softmax(X, axis=axis) * δX, axis=axis)",
        differential_whole="sum(exp(X) * δX)/sum(exp(X))",
        differential_several="sum(exp(X) * δX, axis=axis)/sum(exp(X), axis=axis)",
        exact="log(sum(exp(X), axis=axis))",
        value="formula",
        latex=r"\operatorname{logsumexp}_{{axis}} {X}",
        unicode="logsumexp({X}, axis={axis})",
        numpy="logsumexp({X}, {axis})",
        jax="jax.scipy.special.logsumexp({X}, axis={axis}, keepdims=True)",
        torch="torch.logsumexp({X}, {axis}, keepdim=True)",
        steady="max(X, axis=axis) + log(sum(exp(X - max(X, axis=axis)), axis=axis))",
        whole={
            "numpy": "logsumexp({X})",
            "jax": "jax.scipy.special.logsumexp({X})",
            "torch": "torch.logsumexp({X}.reshape(-1), 0)",
        },
        helpers={"numpy": _LOGSUMEXP_NUMPY},
        right=(
            Example("logsumexp(x)", "x", "softmax(x)", "x: n"),
            Example("logsumexp(X)", "X", "exp(X)/sum(exp(X))"),
            Example("sum(logsumexp(X, axis=1))", "X", "softmax(X, axis=1)"),
        ),
        wrong=(Example("logsumexp(x)", "x", "exp(x)", "x: n", "missing-factor"),),
        missing={"c": _NONE_IN_C},
    ),
    Op(
        name="norm",
        kind="function",
        takes="X",
        gives="[]",
        sentence="The 2-norm of a vector, the Frobenius norm of a matrix: the root of the sum of squares.",
        source="Petersen & Pedersen, The Matrix Cookbook (2012), eq. 129-131",
        differential="sum(X * δX)/Y",
        expands="sqrt(sum(X**2))",
        role="length",
        value="formula",
        domain="nonzero",
        needs=("norm(X) > 0",),
        kink="not differentiable at X = 0",
        facts=("nonnegative",),
        latex=r"\left\|{X}\right\|",
        unicode="‖{X}‖",
        numpy="np.linalg.norm({X})",
        jax="jnp.linalg.norm({X})",
        torch="torch.linalg.norm({X})",
        right=(
            Example("norm(X)", "X", "X/norm(X)"),
            Example("norm(A @ x - b)**2", "x", "2*A.T @ (A @ x - b)", "A: n x m, x: m, b: n"),
        ),
        wrong=(Example("norm(A @ x - b)**2", "x", "2*(A @ x - b)", "A: n x m, x: m, b: n", "missing-factor"),),
        aliases=("norm2", "norm_fro"),
        missing={"c": "needs a loop: the C back end writes it"},
    ),
    Op(
        name="norm1",
        kind="function",
        takes="X",
        gives="[]",
        sentence="The sum of the absolute values of all entries.",
        source="Boyd & Vandenberghe, Convex Optimization (2004), §A.1.2",
        differential="sum(sign(X) * δX)",
        expands="sum(abs(X))",
        value="formula",
        domain="nonzero",
        needs=("X != 0",),
        kink="where an entry is 0 its derivative is taken as 0",
        facts=("nonnegative",),
        latex=r"\left\|{X}\right\|_1",
        unicode="‖{X}‖₁",
        numpy="np.sum(np.abs({X}))",
        jax="jnp.sum(jnp.abs({X}))",
        torch="torch.sum(torch.abs({X}))",
        right=(Example("norm1(X)", "X", "sign(X)"),),
        wrong=(Example("norm1(X)", "X", "X/norm(X)", diagnosis="wrong-derivative-function"),),
        missing={"c": "needs a loop: the C back end writes it"},
    ),
)
