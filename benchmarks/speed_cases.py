"""The cases of speed.py: a model, our code for it, and the same by automatic differentiation."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

import whence

torch.set_num_threads(1)
Runner = Callable[[], Any]
Made = tuple[dict[str, Runner], dict[str, Runner], float]

GRAD, FUNC = "jax.jit(jax.grad)", "torch.func.grad"
AUTOGRAD, HESSIAN = "torch autograd", "jax.jit(jax.hessian)"
FASTER = "the faster of JAX and PyTorch"


@dataclass
class Case:
    """`bars`: ours -> rival -> the ratio wanted. `other_form`: those whose result is not the dense array."""

    name: str
    title: str
    make: Callable[[], Made]
    bars: dict[str, dict[str, float]]
    rounds: int = 99
    other_form: tuple[str, ...] = field(default=())


def module(code: str) -> types.ModuleType:
    """Emitted text as a module: it is our own text, made in this process."""
    made = types.ModuleType("emitted")
    exec(compile(code, "emitted", "exec"), made.__dict__)
    return made


def as_torch(arrays: list[np.ndarray], by: list[int]) -> list[torch.Tensor]:
    return [torch.tensor(a, requires_grad=k in by) for k, a in enumerate(arrays)]


def blocked(f: Callable, *args: Any) -> Runner:
    return lambda: jax.block_until_ready(f(*args))


def first_derivatives(
    text: str,
    shapes: str,
    arrays: list[np.ndarray],
    by: list[int],
    in_jax: Callable,
    in_torch: Callable,
    *,
    compiled: bool = True,
    inplace: bool = True,
    tolerance: float = 1e-4,
) -> Made:
    """Gradients by some inputs, given as places among the model's inputs in its own order."""
    net = whence.model(text, shapes)
    names = list(net.engine.inputs)
    wrt = [names[k] for k in by]
    ours: dict[str, Runner] = {}
    if compiled:
        bound = module(net.emit(wrt, "c")).Gradients(*arrays)
        ours["C"] = bound
    if inplace:
        code = module(net.emit(wrt, "numpy", form="inplace"))
        work = code.Workspace(*arrays)
        ours["NumPy in place"] = lambda: code.gradients(*arrays, work)
    one_by_one = [net.gradient(w) for w in wrt]
    plain = module(net.emit(wrt, "torch"))
    tensors = [torch.tensor(a) for a in arrays]
    ours["PyTorch"] = lambda: (
        plain.value_and_gradients(*tensors)[1:] if len(one_by_one) > 1 else (plain.value_and_gradient(*tensors)[1:])
    )
    in_jit = module(net.emit(wrt, "jax"))
    main = in_jit.value_and_gradients if len(wrt) > 1 else in_jit.value_and_gradient
    put = [jnp.asarray(a) for a in arrays]
    ours["JAX"] = blocked(jax.jit(lambda *a: main(*a)[1:]), *put)
    leaves = as_torch(arrays, by)
    places = tuple(by)
    rivals = {
        GRAD: blocked(jax.jit(jax.grad(in_jax, places)), *put),
        AUTOGRAD: lambda: torch.autograd.grad(in_torch(*leaves), [leaves[k] for k in by]),
        FUNC: lambda: torch.func.grad(in_torch, places)(*tensors),
    }
    return ours, rivals, tolerance


def network(n0: int, n1: int, n2: int, m: int, out: str) -> Made:
    rng = np.random.default_rng(0)
    f = np.float32
    X = rng.standard_normal((n0, m)).astype(f)
    W1 = (rng.standard_normal((n1, n0)) / np.sqrt(n0)).astype(f)
    W2 = (rng.standard_normal((n2, n1)) / np.sqrt(n1)).astype(f)
    b1, b2 = np.zeros((n1, 1), f), np.zeros((n2, 1), f)
    if out == "sigmoid":
        Y = (rng.uniform(size=(n2, m)) > 0.5).astype(f)
        loss = "J = sum(softplus(Z2) - Y*Z2)/m\nP = sigmoid(Z2)"
        in_jax = lambda X, Y, W1, b1, W2, b2: _binary(jnp, jax.nn.softplus, X, Y, W1, b1, W2, b2)  # noqa: E731
        in_torch = lambda X, Y, W1, b1, W2, b2: _binary(  # noqa: E731
            torch, torch.nn.functional.softplus, X, Y, W1, b1, W2, b2
        )
    else:
        Y = np.eye(n2, dtype=f)[:, rng.integers(n2, size=m)]
        loss = "J = (sum(logsumexp(Z2, axis=0)) - sum(Y*Z2))/m"
        in_jax = lambda X, Y, W1, b1, W2, b2: _many(  # noqa: E731
            jnp, lambda z: jax.scipy.special.logsumexp(z, 0), X, Y, W1, b1, W2, b2
        )
        in_torch = lambda X, Y, W1, b1, W2, b2: _many(  # noqa: E731
            torch, lambda z: torch.logsumexp(z, 0), X, Y, W1, b1, W2, b2
        )
    text = f"Z1 = W1 @ X + b1\nA1 = tanh(Z1)\nZ2 = W2 @ A1 + b2\n{loss}"
    shapes = "X: n0 x m, Y: n2 x m, W1: n1 x n0, b1: n1, W2: n2 x n1, b2: n2"
    return first_derivatives(text, shapes, [X, Y, W1, b1, W2, b2], [2, 3, 4, 5], in_jax, in_torch)


def _binary(lib: Any, softplus: Callable, X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    z = W2 @ lib.tanh(W1 @ X + b1) + b2
    return (softplus(z) - Y * z).sum() / X.shape[1]


def _many(lib: Any, lse: Callable, X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    z = W2 @ lib.tanh(W1 @ X + b1) + b2
    return (lse(z).sum() - (Y * z).sum()) / X.shape[1]


@dataclass
class Arrays:
    """What is given, what the workspace holds, and the bytes of the activations that any backward pass reads again."""

    given: list[np.ndarray]
    work: list[np.ndarray]
    saved: int


def large_in_place() -> tuple[Arrays, Runner]:
    """The network 2048-4096-1000 at batch 512 in place."""
    n0, n1, n2, m = 2048, 4096, 1000, 512
    rng = np.random.default_rng(0)
    shapes = ((n0, m), (n2, m), (n1, n0), (n1, 1), (n2, n1), (n2, 1))
    given = [rng.standard_normal(s).astype(np.float32) / 50 for s in shapes]
    text = "Z1 = W1 @ X + b1\nA1 = tanh(Z1)\nZ2 = W2 @ A1 + b2\nJ = (sum(logsumexp(Z2, axis=0)) - sum(Y*Z2))/m"
    net = whence.model(text, "X: n0 x m, Y: n2 x m, W1: n1 x n0, b1: n1, W2: n2 x n1, b2: n2")
    code = module(net.emit(["W1", "b1", "W2", "b2"], form="inplace"))
    work = code.Workspace(*given)
    held = [a for a in vars(work).values() if isinstance(a, np.ndarray)]
    return Arrays(given, held, 4 * (n1 + n2) * m), lambda: code.gradients(*given, work)


def softmax_entropy() -> Made:
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((512, 1024)).astype(np.float32)
    Y = np.eye(1024, dtype=np.float32)[rng.integers(1024, size=512)]
    return first_derivatives(
        "J = (sum(logsumexp(Z, axis=1)) - sum(Y*Z))/m",
        "Z: m x n, Y: m x n",
        [Z, Y],
        [0],
        lambda Z, Y: -(Y * jax.nn.log_softmax(Z, 1)).sum() / 512,
        lambda Z, Y: -(Y * torch.log_softmax(Z, 1)).sum() / 512,
    )


def layer_norm() -> Made:
    rng = np.random.default_rng(2)
    X, G = (rng.standard_normal((512, 1024)).astype(np.float32) for _ in range(2))
    text = "c = X - mean(X, axis=1)\nv = mean(c**2, axis=1) + 0.00001\nO = c/sqrt(v)\nJ = sum(G*O)"

    def of(X: Any, G: Any) -> Any:
        c = X - X.mean(1)[:, None]
        return (G * c / ((c**2).mean(1)[:, None] + 1e-5) ** 0.5).sum()

    return first_derivatives(text, "X: m x n, G: m x n", [X, G], [0], of, of, tolerance=1e-3)


def gaussian_process() -> Made:
    rng = np.random.default_rng(3)
    n = 500
    A = rng.standard_normal((n, n))
    K, y = A @ A.T / n + np.eye(n), rng.standard_normal((n, 1))
    net = whence.model("J = y' inv(K) y/2 + logdet(K)/2", "K: n x n, y: n", "K: pd")
    order = list(net.engine.inputs)
    given = {"K": K, "y": y}
    code, in_torch = module(net.emit(["K"])), module(net.emit(["K"], "torch"))
    args = [given[k] for k in order]
    tensors = [torch.tensor(a) for a in args]

    def by_cholesky(K: Any) -> Any:
        L = jnp.linalg.cholesky(K)
        a = jax.scipy.linalg.cho_solve((L, True), y)
        return 0.5 * (y * a).sum() + jnp.log(jnp.diagonal(L)).sum()

    def by_slogdet(K: Any) -> Any:
        return 0.5 * (y.T @ jnp.linalg.solve(K, y))[0, 0] + 0.5 * jnp.linalg.slogdet(K)[1]

    leaf, column = torch.tensor(K, requires_grad=True), torch.tensor(y)

    def in_autograd() -> Any:
        L = torch.linalg.cholesky(leaf)
        value = 0.5 * (column * torch.cholesky_solve(column, L)).sum() + torch.log(torch.diagonal(L)).sum()
        return torch.autograd.grad(value, [leaf])

    put = jnp.asarray(K)
    ours = {
        "NumPy": lambda: code.value_and_gradient(*args)[1:],
        "PyTorch": lambda: in_torch.value_and_gradient(*tensors)[1:],
    }
    chol, slog = jax.jit(jax.value_and_grad(by_cholesky)), jax.jit(jax.value_and_grad(by_slogdet))
    rivals = {
        "JAX through Cholesky": lambda: jax.block_until_ready(chol(put))[1:],
        "JAX through slogdet": lambda: jax.block_until_ready(slog(put))[1:],
        AUTOGRAD: in_autograd,
    }
    return ours, rivals, 1e-8


def hessian(
    text: str, shapes: str, given: dict[str, np.ndarray], wrt: str, in_jax: Callable, stacked: bool = False
) -> Made:
    """`in_jax` is the cost as a function of the variable alone."""
    net = whence.model(text, shapes)
    layout = {"layout": "vec"} if stacked else {}
    d = net.derivative("J", [wrt, wrt], **layout)  # type: ignore[arg-type]  # one of the layouts
    code = module(d.numpy())
    args = _arguments(code.hessian, given)
    put = jnp.asarray(given[wrt])
    size = given[wrt].size

    def flat(h: Any) -> Any:
        return h.reshape(size, size)

    f = lambda x: in_jax(x.reshape(given[wrt].shape))  # noqa: E731
    vector = put.reshape(-1)
    forward, reverse = jax.jit(jax.hessian(f)), jax.jit(jax.jacrev(jax.grad(f)))
    ours = {"NumPy": lambda: np.asarray(code.hessian(*args)).reshape(size, size)}
    rivals = {
        HESSIAN: lambda: flat(jax.block_until_ready(forward(vector))),
        "jax.jit(jacrev(grad))": lambda: flat(jax.block_until_ready(reverse(vector))),
    }
    return ours, rivals, 1e-8


def _arguments(function: Callable, given: dict[str, Any]) -> list[Any]:
    import inspect

    return [given[p] for p in inspect.signature(function).parameters]


def logistic() -> Made:
    rng = np.random.default_rng(4)
    X, w = rng.standard_normal((2000, 200)), rng.standard_normal((200, 1)) / 20
    y = (rng.uniform(size=(2000, 1)) > 0.5).astype(float)
    put, labels = jnp.asarray(X), jnp.asarray(y)

    def f(w: Any) -> Any:
        z = put @ w
        return (jax.nn.softplus(z) - labels * z).sum()

    given = {"X": X, "w": w, "y": y}
    return hessian("z = X @ w\nJ = sum(softplus(z) - y*z)", "X: m x n, w: n, y: m", given, "w", f)


def quadratic() -> Made:
    rng = np.random.default_rng(5)
    A, x = rng.standard_normal((100, 100)), rng.standard_normal((100, 1))
    put = jnp.asarray(A)
    return hessian("J = x.T @ A @ x", "A: n x n, x: n", {"A": A, "x": x}, "x", lambda x: (x.T @ put @ x)[0, 0])


def softmax_regression() -> Made:
    rng = np.random.default_rng(6)
    c, d, m = 10, 30, 500
    X, W = rng.standard_normal((d, m)), rng.standard_normal((c, d)) / 5
    Y = np.eye(c)[:, rng.integers(c, size=m)]
    put, labels = jnp.asarray(X), jnp.asarray(Y)

    def f(W: Any) -> Any:
        Z = W @ put
        return jax.scipy.special.logsumexp(Z, 0).sum() - (labels * Z).sum()

    text, shapes = "Z = W @ X\nJ = sum(logsumexp(Z, axis=0)) - sum(Y*Z)", "W: c x d, X: d x m, Y: c x m"
    return hessian(text, shapes, {"W": W, "X": X, "Y": Y}, "W", f)


def factorisation() -> Made:
    rng = np.random.default_rng(7)
    n, k = 100, 5
    U, V, M = rng.standard_normal((n, k)), rng.standard_normal((n, k)), rng.standard_normal((n, n))
    net = whence.model("J = norm(U @ V.T - M)**2", "U: n x k, V: m x k, M: n x m")
    code = module(net.emit(["U"], form="hessian"))
    args = _arguments(code.hessian, {"U": U, "V": V, "M": M})
    v, target = jnp.asarray(V), jnp.asarray(M)
    put = jnp.asarray(U)
    full = jax.jit(jax.hessian(lambda U: ((U @ v.T - target) ** 2).sum()))
    dense = code.hessian(*args).dense().reshape(k, n, k, n).transpose(1, 0, 3, 2)
    np.testing.assert_allclose(np.asarray(full(put)), dense, atol=1e-8)
    ours = {"NumPy, kept as kron(2 V'V, I)": lambda: code.hessian(*args)}
    return ours, {HESSIAN: lambda: jax.block_until_ready(full(put))}, 1e-8


def newton() -> Made:
    rng = np.random.default_rng(8)
    n, r = 1000, 20
    U, x = rng.standard_normal((n, r)) / np.sqrt(n), rng.standard_normal((n, 1)) / 4
    net = whence.model("J = sum(exp(x)) + norm(U.T @ x)**2", "x: n, U: n x r")
    code = module(net.emit(["x"], form="hessian"))
    args = _arguments(code.newton_step, {"x": x, "U": U})
    put, u = jnp.asarray(x[:, 0]), jnp.asarray(U)

    def f(x: Any) -> Any:
        return jnp.exp(x).sum() + ((u.T @ x) ** 2).sum()

    def products(x: Any) -> Any:
        slope = jax.grad(f)
        times = lambda v: jax.jvp(slope, (x,), (v,))[1]  # noqa: E731
        return -jax.scipy.sparse.linalg.cg(times, slope(x), tol=1e-10)[0]

    direct = jax.jit(lambda x: -jnp.linalg.solve(jax.hessian(f)(x), jax.grad(f)(x)))
    iterated = jax.jit(products)
    ours = {"NumPy, Woodbury": lambda: code.newton_step(*args)}
    rivals = {
        "jax.jit(jax.hessian) and solve": lambda: jax.block_until_ready(direct(put)),
        "jax.jit(jvp) and conjugate gradients": lambda: jax.block_until_ready(iterated(put)),
    }
    return ours, rivals, 1e-7


def fresh_programs() -> dict[str, str]:
    """Programs that compute one gradient of the small network and end."""
    text = "Z1 = W1 @ X + b1\nA1 = tanh(Z1)\nZ2 = W2 @ A1 + b2\nJ = sum(softplus(Z2) - Y*Z2)/m"
    net = whence.model(text, "X: n0 x m, Y: n2 x m, W1: n1 x n0, b1: n1, W2: n2 x n1, b2: n2")
    draw = (
        "import numpy as np\nr = np.random.default_rng(0)\n"
        "a = [r.standard_normal(s) for s in ((2, 400), (1, 400), (4, 2), (4, 1), (1, 4), (1, 1))]\n"
    )
    ours = net.emit(["W1", "b1", "W2", "b2"]).replace('if __name__ == "__main__":\n    test_derivatives()', "")
    theirs = (
        "import jax, jax.numpy as jnp\n"
        "def f(X, Y, W1, b1, W2, b2):\n"
        "    z = W2 @ jnp.tanh(W1 @ X + b1) + b2\n"
        "    return (jax.nn.softplus(z) - Y*z).sum()/X.shape[1]\n"
        "jax.block_until_ready(jax.jit(jax.grad(f, (2, 3, 4, 5)))(*a))\n"
    )
    return {"NumPy": f"{ours}\n{draw}value_and_gradients(*a)\n", GRAD: draw + theirs}


CASES = (
    Case("tiny", "two-layer step 2-4-1, m = 400, float32", lambda: network(2, 4, 1, 400, "sigmoid"),
         {"C": {GRAD: 10, AUTOGRAD: 40}, "NumPy in place": {GRAD: 1.5}}),
    Case("medium", "784-128-10, batch 128, float32", lambda: network(784, 128, 10, 128, "softmax"),
         {n: {FASTER: 0.95} for n in ("C", "NumPy in place", "PyTorch", "JAX")}),
    Case("large", "2048-4096-1000, batch 512, float32", lambda: network(2048, 4096, 1000, 512, "softmax"),
         {n: {FASTER: 0.95} for n in ("C", "NumPy in place", "PyTorch", "JAX")}, rounds=5),
    Case("entropy", "softmax cross entropy 512 x 1024, float32", softmax_entropy, {"C": {GRAD: 3}}),
    Case("layernorm", "layer norm 512 x 1024, float32", layer_norm, {"C": {GRAD: 3}}),
    Case("gp", "Gaussian-process likelihood by K, n = 500", gaussian_process,
         {n: {"JAX through Cholesky": 2} for n in ("NumPy", "PyTorch")}),
    Case("logistic", "logistic Hessian 2000 x 200, dense", logistic, {"NumPy": {HESSIAN: 3}}),
    Case("quadratic", "Hessian of x'Ax, n = 100, dense", quadratic, {"NumPy": {HESSIAN: 15}}),
    Case("softmaxreg", "softmax regression Hessian, 10 classes, 30 features, dense", softmax_regression,
         {"NumPy": {HESSIAN: 5}}),
    Case("factorisation", "matrix factorisation Hessian, n = 100, k = 5, compressed", factorisation,
         {"NumPy, kept as kron(2 V'V, I)": {HESSIAN: 5000}}, rounds=5,
         other_form=("NumPy, kept as kron(2 V'V, I)", HESSIAN)),
    Case("newton", "Newton step, diagonal + rank 20, n = 1000", newton,
         {"NumPy, Woodbury": {"jax.jit(jax.hessian) and solve": 200, "jax.jit(jvp) and conjugate gradients": 1.5}},
         rounds=7),
)  # fmt: skip
