"""Emitted code: it runs, agrees with the oracle, stays within a small part of Python, and needs nothing of whence."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import corpus
import emitting
import whence
from solving import whence as command
from whence.code import emitted
from whence.emit.allowed import loaded, offences
from whence.emit.body import size_lines
from whence.emit.lower import Lowering
from whence.emit.names import Names
from whence.expr.build import parsed
from whence.messages.errors import ReadError, RuleError, WhenceError
from whence.shapes.dims import Dim

np = pytest.importorskip("numpy", reason="emitted code needs NumPy")

EVERY = 23  # one problem of so many
SAMPLE = [p for k, p in enumerate(corpus.problems()) if k % EVERY == 5]
NETWORK = """
    Z1 = W1 @ X + b1
    A1 = tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    L = -(Y*log(A2) + (1 - Y)*log(1 - A2))
    J = sum(L)/m
"""
SHAPES = "X: n0 x m, Y: n2 x m, W1: n1 x n0, b1: n1, W2: n2 x n1, b2: n2"


def network() -> Any:
    return whence.model(NETWORK, SHAPES)


def library(name: str) -> None:
    pytest.importorskip(name, reason=f"the {name} back end needs {name}")
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)


def check_syntax(code: str, compiles: bool = False) -> None:
    """Only what the allow-list has, and no contraction that is searched for when the code runs."""
    assert not offences(code, compiles)
    assert "einsum" not in code.split('"""', 2)[2]


# ---------------------------------------------------------------- agreement with the oracle
@pytest.mark.parametrize("end", ["numpy", "jax", "torch"])
@pytest.mark.parametrize("problem", SAMPLE, ids=lambda p: p["id"])
def test_a_sample_of_the_corpora(problem: dict[str, Any], end: str, oracle: Any) -> None:
    library(end)
    code = emitted(emitting.program(problem), end)  # type: ignore[arg-type]  # one of the targets
    check_syntax(code)
    made = emitting.module(code)
    truth = oracle.evaluate(problem, seed=3)
    main = getattr(made, made.__all__[0])
    vec = emitting.program(problem).outputs[0].layout == "vec"
    emitting.assert_agrees(emitting.called(main, truth, end), truth["derivative_vec" if vec else "derivative"])
    if hasattr(made, "test_derivatives"):
        made.test_derivatives()


@pytest.mark.parametrize("problem", SAMPLE, ids=lambda p: p["id"])
@pytest.mark.parametrize("form", ["custom", "inplace", "assignment", "c"])
def test_a_sample_in_the_other_forms(problem: dict[str, Any], form: str) -> None:
    to = {"custom": "torch", "c": "c"}.get(form, "numpy")
    if form == "c" and shutil.which("gcc") is None:
        pytest.skip("the C back end needs gcc")
    if form == "custom":
        library("torch")
    try:
        code = emitted(emitting.program(problem), to, "plain" if form == "c" else form)  # type: ignore[arg-type]
    except (RuleError, ReadError) as error:
        pytest.skip(f"not offered in this form: {error}")
    check_syntax(code, form == "c")
    made = emitting.module(code)
    if hasattr(made, "test_derivatives"):
        made.test_derivatives()


@pytest.mark.parametrize(
    ("to", "form"),
    [("numpy", f) for f in ("plain", "inplace", "assignment", "training")]
    + [(t, f) for t in ("jax", "torch") for f in ("plain", "custom", "training")]
    + [("c", "plain")],
)
def test_the_network_in_every_form(to: Any, form: Any) -> None:
    library("numpy" if to == "c" else to)
    if to == "c" and shutil.which("gcc") is None:
        pytest.skip("the C back end needs gcc")
    code = network().emit(to=to, form=form)
    check_syntax(code, to == "c")
    emitting.module(code).test_derivatives()


# ---------------------------------------------------------------- the plan
def text_of(expression: str, shapes: dict[str, str], **assume: str) -> str:
    shape_text = ", ".join(f"{n}: {s}" for n, s in shapes.items())
    assumed = ", ".join(f"{n}: {a}" for n, a in assume.items()) or None
    net = whence.model(f"J = {expression}", shape_text, assumed)
    code = net.emit(list(shapes)[:1])
    return code[code.index("def value_and_gradient(") : code.index("def value(")]


def test_products_are_associated_by_cost() -> None:
    n, one = Dim.parse("n"), Dim.parse("1")
    shapes = {"X": (n, n), "B": (n, n), "a": (n, one), "b": (n, one)}
    low = Lowering(shapes, ["n"])
    product = low.lower(parsed("X @ B @ b"))
    assert product.inputs[1].shape == (n, one)  # B @ b first
    assert low.lower(parsed("a.T @ X @ B")).inputs[0].shape == (one, n)


def test_one_factorisation_is_shared() -> None:
    code = text_of("y.T @ inv(K) @ y/2 + logdet(K)/2", {"K": "n x n", "y": "n"}, K="pd")
    assert code.count("cholesky(K)") == 1 and "inv(K)" not in code.split('"""')[2]
    code = text_of("c.T @ inv(A) @ b + logdet(A)", {"b": "n", "A": "n x n", "c": "n"})
    assert code.count("lu_factor(A)") == 1 and "linalg.inv" not in code


def test_solves_instead_of_inverses() -> None:
    assert "np.linalg.solve" in text_of("c.T @ inv(A) @ b", {"b": "n", "A": "n x n", "c": "n"})


def test_differences_are_taken_before_products() -> None:
    low = Lowering({n: (Dim.parse("m"), Dim.parse(k)) for n, k in (("X", "n"), ("a", "1"), ("b", "1"))}, ["n", "m"])
    node = low.lower(parsed("X.T @ a - X.T @ b"))
    assert node.kind == "matmul" and node.inputs[1].kind == "sum"


def test_powers_share_their_halves() -> None:
    code = text_of("trace(matpow(X, 8))", {"X": "n x n"})
    assert code.count(" @ ") == 4 and "matrix_power" not in code


def test_cross_entropy_is_stable() -> None:
    made = emitting.module(network().emit(["Z2"]))
    rng = np.random.default_rng(0)
    X, Y = 400.0 * rng.standard_normal((2, 5)), np.ones((1, 5))
    W1, b1, W2, b2 = np.ones((3, 2)), np.zeros((3, 1)), 900.0 * np.ones((1, 3)), np.zeros((1, 1))
    value, dZ2 = made.value_and_gradient(X, Y, W1, b1, W2, b2)
    assert np.isfinite(value) and np.isfinite(dZ2).all()


def test_common_parts_have_one_name() -> None:
    code = text_of("sum(exp(A @ x)) + sum(exp(A @ x)**2)", {"x": "n", "A": "m x n"})
    assert code.count("np.exp(") == 1 and code.count("A @ x") == 1


# ---------------------------------------------------------------- names, sizes, errors
def test_names_are_injective() -> None:
    names = Names(["np"])
    given = ["lambda", "lambda_", "np", "x", "X", "sum", "rng"]
    assert len({names[n] for n in given}) == len(given)
    assert all(names[n].isidentifier() and names[n].isascii() for n in given)
    assert names["x"] == "x" and names["lambda"] != "lambda"


def test_names_of_the_language_of_the_library_are_moved() -> None:
    made = emitting.module(whence.model("J = sum(np*lambda_)", "np: n x m, lambda_: n x m").emit(["np"]))
    made.test_derivatives()


NASTY = ("work value", "i library", "gemm seed", "t E", "fabs s", "upstream pairs", "cost need", "cache found", "w v")


@pytest.mark.parametrize("pair", NASTY)
def test_names_that_the_code_uses_itself(pair: str) -> None:
    a, b = pair.split()
    net = whence.model(f"Q = sigmoid({a}*{b})\nJ = sum(log(1 + exp({a}))*{b}) + sum(Q)", f"{a}: n x m, {b}: n x m")
    for form in ("plain", "inplace", "assignment"):
        emitting.module(net.emit([a, b], form=form)).test_derivatives()  # type: ignore[arg-type]  # a form
    if shutil.which("gcc"):
        emitting.module(net.emit([a, b], "c")).test_derivatives()
    library("torch")
    emitting.module(net.emit([a, b], "torch")).test_derivatives()
    emitting.module(net.emit([b], "torch", form="custom")).test_derivatives()


def test_a_size_that_no_input_tells_is_asked_for() -> None:
    n, p = Dim.parse("n"), Dim.parse("p")
    names = Names()
    assert size_lines({"X": (n * p, p)}, ["n"], names) == (["p = X.shape[1]", "n = X.shape[0]//(p)"], [])
    assert size_lines({"X": (n + p, n)}, ["p"], names)[0][-1] == "p = X.shape[0] - (n)"
    assert size_lines({"X": (n * p, n + p)}, ["n"], names) == ([], ["n"])


def test_unknown_functions_are_given() -> None:
    net = whence.model("Z = W X; J = sum(g(Z))", "W: n x k, X: k x m")
    code = net.emit(["W"])
    assert "def value_and_gradient(W, X, g, g_prime)" in code
    emitting.module(code).test_derivatives()
    with pytest.raises(ReadError, match="known functions"):
        net.emit(["W"], "c")


@pytest.mark.parametrize(("to", "form"), [("numpy", "custom"), ("c", "inplace"), ("rust", "plain"), ("jax", "x")])
def test_what_there_is_not(to: Any, form: Any) -> None:
    with pytest.raises(ReadError) as found:
        network().emit(to=to, form=form)
    assert found.value.code == "bad-option"


def test_code_needs_nothing_of_whence() -> None:
    for to in ("numpy", "jax", "torch", "c"):
        code = network().emit(to=to)
        assert "whence" not in code


def test_the_emitted_test_finds_a_slip() -> None:
    code = network().emit(["W1"])
    wrong = code.replace("dW1 = dZ1 @ X.T", "dW1 = 1.01*dZ1 @ X.T")
    assert wrong != code
    with pytest.raises(AssertionError):
        emitting.module(wrong).test_derivatives()


def test_emission_is_quick() -> None:
    net = network()
    net.emit()
    taken = []
    for _ in range(9):
        start = time.process_time()
        net.emit()
        taken.append(time.process_time() - start)
    assert sorted(taken)[4] < 0.06  # measured: 0.004; the machine may be busy


def test_output_is_the_same_under_every_hash_seed() -> None:
    program = f"import whence; print(whence.model({NETWORK!r}, {SHAPES!r}).emit(to='c'))"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "src"},
            cwd=Path(__file__).parent.parent,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1 and len(texts.pop()) > 1000


# ---------------------------------------------------------------- in place, C, structure
def test_a_scaled_term_stays_until_it_is_read() -> None:
    text, shapes = "J = norm(A @ x - b)**2 + norm(B @ x - c)**2", "A: n x m, x: m, b: n, B: k x m, c: k"
    emitting.module(whence.model(text, shapes).emit(["x"], form="inplace")).test_derivatives()


def test_what_gives_new_arrays_their_type_is_saved() -> None:
    library("torch")
    text = "Z = W @ X + b\nL = softplus(Z) - Y*Z\nJ = sum(L)/m\ndZ = sigmoid(Z) - Y\nF = J"
    code = whence.model(text, "W: 1 x n, b: scalar, X: n x m, Y: 1 x m").emit(["W"], "torch", form="custom")
    assert "dtype=W.dtype" in code
    emitting.module(code).test_derivatives()


def test_blocks_on_a_diagonal_are_added() -> None:
    text, shapes = "Z = W @ X\nJ = sum(logsumexp(Z, axis=0)) - sum(Y*Z)", "W: c x d, X: d x m, Y: c x m"
    code = whence.model(text, shapes).derivative("J", ["W", "W"]).numpy()
    assert "blocks[r, :, r, :] += " in code and "np.eye" not in code
    emitting.module(code).test_derivatives()


def test_the_large_network_in_place_holds_little_more_than_it_must() -> None:
    text = "Z1 = W1 @ X + b1\nA1 = tanh(Z1)\nZ2 = W2 @ A1 + b2\nJ = (sum(logsumexp(Z2, axis=0)) - sum(Y*Z2))/m"
    code = whence.model(text, SHAPES).emit(["W1", "b1", "W2", "b2"], form="inplace")
    assert code.count("np.empty((n1, m)") == 2 and code.count("np.empty((n2, m)") == 1


def test_a_factorisation_is_saved_as_its_arrays() -> None:
    library("torch")
    text, shapes = "J = a.T @ inv(X) @ b + c.T @ inv(Y) @ a", "a: n, X: n x n, b: n, Y: n x n, c: n"
    code = whence.model(text, shapes).emit(["X", "Y"], "torch", form="custom")
    assert "pairs[0:2]" in code
    emitting.module(code).test_derivatives()


def test_in_place_allocates_nothing_that_grows() -> None:
    import tracemalloc

    made = emitting.module(network().emit(form="inplace"))
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s) for s in ((20, 3000), (5, 3000), (30, 20), (30, 1), (5, 30), (5, 1))]
    work = made.Workspace(*arrays)
    made.gradients(*arrays, work)
    tracemalloc.start()
    made.gradients(*arrays, work)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000  # one array of 30 x 3000 takes 720,000


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the C back end needs gcc")
@pytest.mark.parametrize("strict", [False, True])
def test_c_in_single_precision(strict: bool) -> None:
    net = whence.model("J = sum(A*exp(X)) + sum(logsumexp(X, axis=1))", "X: n x m, A: n x m")
    made = emitting.module(net.emit(["X"], "c"))
    X = np.linspace(-80, 80, 3003).reshape(3, 1001)
    A = np.ones_like(X)
    dX = made.Gradients(*[{"X": X, "A": A}[n].astype(np.float32) for n in net.engine.inputs], strict=strict)()
    X32 = X.astype(np.float32).astype(float)
    soft = np.exp(X32 - X32.max(1, keepdims=True))
    want = np.exp(X32) + soft / soft.sum(1, keepdims=True)
    assert np.max(np.abs(dX / want - 1)) < 3e-6


@pytest.mark.skipif(shutil.which("gcc") is None, reason="the C back end needs gcc")
def test_c_borrows_the_matrix_product_for_large_ones() -> None:
    pytest.importorskip("scipy", reason="the matrix product that C borrows is SciPy's")
    made = emitting.module(network().emit(to="c"))
    plain = emitting.module(network().emit())
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(s) for s in ((70, 90), (80, 90), (60, 70), (60, 1), (80, 60), (80, 1))]
    for ours, theirs in zip(made.gradients(*arrays), plain.value_and_gradients(*arrays)[1:], strict=True):
        assert np.allclose(ours, theirs, rtol=1e-10, atol=1e-12)


HESSIANS = {
    "diagonal and low rank": ("J = sum(exp(x)) + norm(U.T @ x)**2", "x: n, U: n x r", "x", "Diagonal(", "Product("),
    "Kronecker": ("J = norm(U @ V.T - M)**2", "U: n x k, V: m x k, M: n x m", "U", "Kronecker(V.T @ V, n, 2)"),
    "through the samples": ("z = X @ w; J = sum(softplus(z))", "X: m x n, w: n", "w", "Product("),
    "plain": ("J = x.T @ A @ x", "A: n x n, x: n", "x", "Dense("),
}


@pytest.mark.parametrize("case", HESSIANS.values(), ids=list(HESSIANS))
def test_hessians_keep_their_structure(case: tuple[str, ...]) -> None:
    text, shapes, wrt, *parts = case
    code = whence.model(text, shapes).emit([wrt], form="hessian")
    assert all(part in code for part in parts)
    check_syntax(code)
    emitting.module(code).test_derivatives()


def test_newton_steps_use_the_structure() -> None:
    text, shapes, *_ = HESSIANS["diagonal and low rank"]
    net = whence.model(text, shapes)
    made = emitting.module(net.emit(["x"], form="hessian"))
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((40, 1)), "U": rng.standard_normal((40, 3))}
    operator = made.hessian(*[given[n] for n in net.engine.inputs])
    step = made.newton_step(*[given[n] for n in net.engine.inputs])
    slope = made.gradient(*[given[n] for n in net.engine.inputs])
    assert np.allclose(operator.dense() @ step, -slope)
    if pytest.importorskip("scipy", reason="a LinearOperator is SciPy's"):
        assert np.allclose(operator.linear_operator() @ step[:, 0], -slope[:, 0])


# ---------------------------------------------------------------- training, the allow-list, the width of lines
@pytest.mark.parametrize("to", ["numpy", "jax", "torch"])
def test_functions_that_train(to: Any) -> None:
    library(to)
    functions = network().functions(to=to)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2, 30))
    data = {"X": X, "Y": (X[:1] * X[1:] > 0) * 1.0}
    shapes = {"W1": (4, 2), "b1": (4, 1), "W2": (1, 4), "b2": (1, 1)}
    parameters = {n: rng.standard_normal(s) for n, s in shapes.items()}
    data, parameters = ({n: emitting.converted(v, to) for n, v in d.items()} for d in (data, parameters))
    first, grads = functions.gradients(parameters, data)
    assert float(first) == pytest.approx(float(functions.loss(parameters, data)), rel=1e-6)
    assert grads.keys() == parameters.keys() and all(grads[n].shape == s for n, s in shapes.items())
    moved = functions.update(parameters, grads, 0.1)
    assert np.allclose(moved["W2"], parameters["W2"] - 0.1 * grads["W2"])
    for _ in range(50):
        last, parameters = functions.step(parameters, data, 0.5)
    assert float(last) < 0.8 * float(first)


def test_names_of_dictionaries_are_those_of_the_model() -> None:
    f = whence.model("J = sum(data*rate)", "data: n, rate: n").functions(["data"])
    _, grads = f.gradients({"data": np.ones((2, 1))}, {"rate": np.array([[3.0], [4.0]])})
    assert grads["data"].tolist() == [[3.0], [4.0]]


@pytest.mark.parametrize(
    "line", ["import os", "from sys import path", "eval('1')", "x = y", "global x", "x = (1).__class__", "x = 'é'"]
)
def test_what_is_not_allowed(line: str) -> None:
    assert offences(line)
    with pytest.raises(AssertionError):
        loaded(line)


def test_long_lines_are_broken_in_brackets() -> None:
    names = [f"W{k}" for k in range(40)]
    code = whence.model(f"J = norm({' + '.join(names)})**2", ", ".join(f"{n}: n x m" for n in names)).emit(["W3"])
    lines = code.split('"""', 2)[2].split("\n")
    assert max(map(len, lines)) <= 120
    emitting.module(code).test_derivatives()


# ---------------------------------------------------------------- the command
def test_the_command(tmp_path: Path) -> None:
    status, text = command("emit", "z = W x; J = norm(z)^2", "--shapes", "W: n x m, x: m", "--wrt", "W")
    assert status == 0 and "dW = " in text
    out = tmp_path / "code.py"
    assert command("emit", NETWORK, "--shapes", SHAPES, "--to", "torch", "--custom", "--out", str(out))[0] == 0
    assert "class Cost(torch.autograd.Function)" in out.read_text()
    status, text = command("emit", NETWORK, "--shapes", SHAPES, "--assignment")
    assert status == 0 and 'grads = {"dW1": dW1' in text
    assert command("emit", NETWORK, "--shapes", SHAPES, "--sizes", "n=x")[0] == 2
    assert command("emit", NETWORK, "--shapes", SHAPES, "--to", "jax", "--inplace")[0] == 2


def test_derivatives_as_code() -> None:
    net = network()
    assert "dZ1 = " in net.gradient("Z1").numpy()
    assert "jnp" in net.gradient("W1").jax(custom=True) and "torch" in net.gradient("W1").torch()
    with pytest.raises(WhenceError):
        net.gradient("Z1").jax(custom=True)
