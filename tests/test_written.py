"""Writing, the inverse of reading: what is written in a dialect is read as the same formula, or it is refused."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import corpus
import whence
import written
from solving import whence as run
from trees import tree
from whence.messages.errors import ReadError, RefusedError
from whence.notation.same import same
from whence.notation.writing import WRITINGS
from whence.read.reading import read_typed

SAMPLE = list(written.formulas())[::4]
EXAMPLE = Path(__file__).parent.parent / "examples" / "two_layer.txt"


@pytest.mark.parametrize("dialect", [*written.DIALECTS, "discourse"])
def test_what_is_written_comes_back(dialect: str) -> None:
    found = written.count(SAMPLE, dialect)
    assert not found.different
    assert len(found.refused) <= len(SAMPLE) / 10


LINES = {
    "unicode": "dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)",
    "course": "dZ^[1] = W^[2]T dZ^[2] * g^[1]'(Z^[1])",
    "latex": r"\mathrm{d}Z_1 = W_2^{\top} \mathrm{d}Z_2 \odot g_1'(Z_1)",
    "numpy": "dZ1 = W2.T @ dZ2 * g1_prime(Z1)",
    "octave": "dZ1 = W2' * dZ2 .* g1_prime(Z1)",
    "canonical": "dZ1 = W2.T @ dZ2 * g1_prime(Z1)",
    "discourse": r"dZ^\[1\] = W^\[2\]T dZ^\[2\] \* g^\[1\]'(Z^\[1\])",
}


@pytest.fixture(scope="module")
def net() -> Any:
    return whence.model(EXAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("dialect", LINES)
def test_one_line_in_every_dialect(net: Any, dialect: str) -> None:
    assert net.gradient("Z1").written(dialect) == LINES[dialect]


def test_the_sites_share_one_text(net: Any) -> None:
    assert {net.gradient("Z1").written(site) for site in ("discourse", "github", "jupyter")} == {LINES["discourse"]}


TEXTS = [  # formula, shapes by name, dialect, text
    ("sum(X)", "numpy", "np.sum(X)"),
    ("sum(X)", "octave", "sum(X(:))"),
    ("sum(X * X)", "octave", "sum(sum(X .* X))"),
    ("sum(x)", "octave", "sum(x)"),
    ("sum(X, axis=0)", "numpy", "np.sum(X, axis=0, keepdims=True)"),
    ("sum(X, axis=0)", "octave", "sum(X, 1)"),
    ("sum(X, axis=0)", "latex", r"\sum_{\text{axis }0} X"),
    ("softmax(x)", "octave", "softmax(x, 1)"),
    ("ones(n) @ y.T", "numpy", "np.ones((n, 1)) @ y.T"),
    ("ones(n) @ y.T", "octave", "ones(n, 1) * y'"),
    ("ones(n) @ y.T", "unicode", "𝟏(n) yᵀ"),
    ("ones(n, m)", "latex", r"\mathbf{1}_{n \times m}"),
    ("inv(S) @ X", "course", "S^-1 X"),
    ("inv(S) @ X", "numpy", "np.linalg.inv(S) @ X"),
    ("pinv(X).T", "latex", r"(X^{+})^{\top}"),
    ("S * eye(n)", "course", "S .* I(n)"),
    ("S**2", "octave", "S.^2"),
    ("matpow(S, 2)", "octave", "S^2"),
    ("matpow(S, 2)", "course", "matpow(S, 2)"),
    ("S**(1/2)", "unicode", "S^⊙(1/2)"),
    ("expm(S)", "latex", r"\operatorname{expm}(S)"),
    ("relu(X) @ y", "numpy", "relu(X) @ y"),
    ("(X * X) @ y", "octave", "X .* X * y"),
    ("X @ (y * y)", "octave", "X * (y .* y)"),
    ("1 / x", "octave", "1 ./ x"),
    ("s / 2 * x", "octave", "s/2 * x"),
    ("x[0] * X[:, 1]", "octave", "x(1) * X(:, 2)"),
    ("X[:, 1] @ y.T", "numpy", "X[:, [1]] @ y.T"),
    ("einsum('ik,jl->ijkl', X, S)", "octave", "permute(X, [1 3 2 4]) .* permute(S, [3 1 4 2])"),
    ("einsum('ik,j->ijk', X, x)", "numpy", 'np.einsum("ik,jh->ijk", X, x)'),
    ("einsum('ik,jl->ijkl', X, S)", "latex", r"\operatorname{einsum}(\text{ik,jl}\to\text{ijkl}, X, S)"),
    ("sigmoid(lam * x)", "course", "sigmoid(lam x)"),
    ("sigmoid(lam * x)", "unicode", "σ(λ x)"),
    ("a**(b - 1)", "unicode", "a^(b - 1)"),
]
SHAPES: dict[str, tuple[int | str, ...]] = {"X": ("n", "m"), "S": ("n", "n"), "x": ("n", 1), "y": ("m", 1)}
SHAPES |= dict.fromkeys(("s", "lam", "a", "b"), ())


def put(text: str, dialect: str) -> str:
    """A formula over the names of SHAPES in a dialect."""
    lines = "\n".join(f"shape {name}: {' x '.join(map(str, shape)) or 'scalar'}" for name, shape in SHAPES.items())
    model = whence.model(f"{lines}\nJ = sum(X) + sum(S) + sum(x) + sum(y) + s + lam + a + b")
    return model.written(tree(text), dialect)


@pytest.mark.parametrize(("text", "dialect", "expected"), TEXTS, ids=lambda v: v)
def test_how_a_dialect_writes(text: str, dialect: str, expected: str) -> None:
    assert put(text, dialect) == expected


def test_a_sum_over_a_letter_has_no_text_in_octave() -> None:
    with pytest.raises(RefusedError) as caught:
        put("einsum('ia,ja,ka->ijk', X, X, X)", "octave")
    assert caught.value.code == "not-expressible-in" and "Octave" in caught.value.message


def test_unknown_dialects_are_named(net: Any) -> None:
    with pytest.raises(ReadError) as caught:
        net.gradient("Z1").written("klingon")
    assert caught.value.code == "bad-option" and "course" in caught.value.expected


def test_a_derivative_without_a_name(net: Any) -> None:
    d = net.jacobian("A1", "Z1")
    assert d.written("numpy").startswith("dA1_dZ1 = ")
    assert d.written("course").startswith("∂vec(A1)/∂vec(Z1)ᵀ = ")
    assert d.written("latex").startswith(r"\frac{\partial")


@pytest.mark.parametrize("typographer", [False, True])
def test_markdown_shows_what_was_written(net: Any, typographer: bool) -> None:
    """GitHub and Jupyter are CommonMark; Discourse replaces quotes and signs besides."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"typographer": typographer})
    parser.enable(["table", "strikethrough", *(["replacements", "smartquotes"] if typographer else [])])
    shapes = {name: [str(size) for size in shape] for name, shape in net.known_shapes.items()}
    given = {"variables": shapes, "functions": {"g1": "elementwise"}}
    for d in net.lecture():
        shown = html.unescape(re.sub(r"</?p>", "", parser.render(d.written("discourse")))).strip()
        if not typographer:
            assert shown == d.written("course")
        (line,) = read_typed(shown, given).lines
        assert line.canonical() == f"{d.name} = {d.formula}"


def test_other_values_are_not_the_same() -> None:
    def square(part: Any) -> tuple[int | str, ...]:
        return ("n", "n")

    for one, other in (
        ("A @ B", "B @ A"),
        ("A @ B", "A * B"),
        ("A - B", "B - A"),
        ("-(A**2)", "(-A)**2"),
        ("sum(A)", "sum(A, axis=0)"),
        ("einsum('ij,jk->ik', A, B)", "einsum('ij,jk->ki', A, B)"),
        ("2/3*A", "0.66*A"),
    ):
        assert not same(tree(one), tree(other), square)
    for one, other in (
        ("-(A/m)", "(-A)/m"),
        ("ones(n)", "ones(n, 1)"),
        ("sum(vec(A))", "sum(A)"),
        ("einsum('ij,jk->ik', A, B)", "einsum('ab,bc->ac', A, B)"),
        ("2/4*A", "0.5*A"),
    ):
        assert same(tree(one), tree(other), square)


# ------------------------------------------------------------ the command line
def test_the_command_line_writes() -> None:
    status, out = run("derive", str(EXAMPLE), "dZ1", "--write", "course")
    assert status == 0 and LINES["course"] in out
    status, out = run("explain", str(EXAMPLE), "dZ1", "--write", "octave")
    assert status == 0 and LINES["octave"] in out and "dZ2 = (A2 - Y) / m" in out
    status, out = run("derive", str(EXAMPLE), "dZ1", "--write", "github", "--json")
    assert status == 0 and json.loads(out)["derivatives"][0]["text"] == LINES["discourse"]


def test_what_cannot_be_written_is_refused() -> None:
    model = "shape W: k x n; shape X: n x m; assume X: positive; Z = softmax(W X, axis=0); J = sum(log(Z))"
    assert run("derive", model, "dW", "--write", "klingon")[0] == 2
    statuses = Counter(run("derive", model, "dW", "--write", name)[0] for name in WRITINGS)
    assert set(statuses) <= {0, 3}


# ------------------------------------------------------------ what NumPy makes of the text
@pytest.mark.skipif(not corpus.has_torch(), reason=corpus.NEEDS_TORCH)
def test_numpy_runs_what_is_written() -> None:
    import numpy as np

    oracle = corpus.oracle()
    rng = np.random.default_rng(5)
    problems = {p["id"]: p for p in corpus.problems("deep")}
    ran = 0
    for formula in SAMPLE:
        problem = problems.get(formula.id)
        text = written.put(formula, "numpy")
        words = set(re.findall(r"(?<![.\w])([a-z]\w*)\(", text))
        if problem is None or words - set(formula.functions) or "linalg" in text:
            continue
        _, env = oracle._forward(problem, oracle._instantiate(problem, rng, None)[2])
        for adjoint in problem.get("adjoints", {}):
            env[adjoint] = oracle.torch.tensor(rng.standard_normal(tuple(env[problem["adjoints"][adjoint]].shape)))
        plain = {name: value.numpy() if oracle.torch.is_tensor(value) else value for name, value in env.items()}
        plain |= {symbol: int(env[symbol]) for symbol in formula.table.dims}
        value = np.asarray(eval(text, {"np": np, "pi": np.pi, **plain}))
        expected = oracle.run(formula.text, env)
        assert value.shape == expected.shape or value.size == expected.size == 1, formula.id
        assert np.allclose(value, expected), formula.id
        ran += 1
    assert ran > 15
