"""One entry of a formula in scalars: the texts, and its value against the numeric judge on the whole corpora."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

import corpus
from whence.notation.scalars import NotScalars, entry_name, expand_entry, print_scalar
from whence.read.canonical import to_text
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative
from whence.shapes.dims import Dim
from whence.shapes.infer import infer

Shapes = dict[str, tuple[Dim, ...]]


def shapes(**declared: tuple) -> Shapes:
    return {name: tuple(Dim.parse(size) for size in shape) for name, shape in declared.items()}


NETWORK = shapes(
    X=("n0", "m"), W1=("n1", "n0"), b1=("n1", 1), Z1=("n1", "m"), A1=("n1", "m"), dZ1=("n1", "m"),
    W2=("n2", "n1"), b2=("n2", 1), Z2=("n2", "m"), A2=("n2", "m"), dZ2=("n2", "m"), Y=("n2", "m"),
    S=("n1", "n1"), v=("n1", 1), J=(), r=(1, "n1"), x=("n0", "m"), Q=("B", "n1", "n1"),
)  # fmt: skip
SIZES = {"n0": 2, "n1": 2, "n2": 2, "m": 1, "B": 2}


def expanded(text: str, index: tuple[int, ...], sizes: Mapping[str, int] = SIZES) -> str:
    return print_scalar(expand_entry(parse_expression(text, dialect="canonical"), index, sizes, NETWORK))


@pytest.mark.parametrize(
    ("name", "indices", "shape", "shown"),
    [
        ("Z1", (0,), ("n", 1), "z1₁"),
        ("W2", (0, 1), ("n", "k"), "w2₁₂"),
        ("b2", (0,), ("n", 1), "b2₁"),
        ("dZ2", (1,), ("n", 1), "dz2₂"),
        ("Z1", (0, 0), ("n", 1), "z1₁"),
        ("y", (0, 1), (1, "m"), "y₂"),
        ("Z1", (0, 1), ("n", "m"), "z1₁₂"),
        ("J", (), (), "J"),
        ("J", (0, 0), (1, 1), "J"),
    ],
)
def test_names_of_entries(name: str, indices: tuple[int, ...], shape: tuple, shown: str) -> None:
    assert entry_name(name, indices, [Dim.parse(s) for s in shape]) == shown


def test_the_index_of_a_single_sample_is_left_out() -> None:
    shape = NETWORK["Z1"]
    assert entry_name("Z1", (1, 0), shape, SIZES) == "z1₂"
    assert entry_name("Z1", (1, 0), shape, {**SIZES, "m": 2}) == "z1₂₁"
    assert entry_name("W2", (0, 1), NETWORK["W2"], {**SIZES, "n2": 1}) == "w2₁₂"


@pytest.mark.parametrize(
    ("text", "index", "shown"),
    [
        ("W2 @ A1 + b2", (0,), "w2₁₁ a1₁ + w2₁₂ a1₂ + b2₁"),
        ("W2.T @ dZ2 * g1_prime(Z1)", (0, 0), "(w2₁₁ dz2₁ + w2₂₁ dz2₂) g1′(z1₁)"),
        ("dZ2 @ A1.T", (0, 1), "dz2₁ a1₂"),
        ("sum(dZ2, axis=1)", (0,), "dz2₁"),
        ("(A2 - Y)/m", (1, 0), "(a2₂ - y₂)/m"),
        ("-(Y/A2 - (1 - Y)/(1 - A2))/m", (0,), "-(y₁/a2₁ - (1 - y₁)/(1 - a2₁))/m"),
        ("norm(Z2 - Y)**2", (), "(z2₁ - y₁)² + (z2₂ - y₂)²"),
        ("norm(v)", (), "√(v₁² + v₂²)"),
        ("mean(Z2)", (), "(z2₁ + z2₂)/(n2 m)"),
        ("softmax(Z2)", (1,), "exp(z2₂)/(exp(z2₁) + exp(z2₂))"),
        ("trace(S @ S)", (), "s₁₁² + s₁₂ s₂₁ + s₂₁ s₁₂ + s₂₂²"),
        ("diag(v) @ S", (0, 1), "v₁ s₁₂"),
        ("eye(n1) - v @ v.T", (0, 1), "-v₁ v₂"),
        ("eye(n1) - v @ v.T", (0, 0), "1 - v₁²"),
        ("(Z1 > 0)*A1", (1,), "(z1₂ > 0) a1₂"),
        ("1 - tanh(Z1)**2", (0,), "1 - tanh(z1₁)²"),
        ("J*S", (1, 0), "J s₂₁"),
        ("r @ v", (), "r₁ v₁ + r₂ v₂"),
        ("S[1, :] @ v", (), "s₂₁ v₁ + s₂₂ v₂"),
        ("v[0:n1]", (1,), "v₂"),
        ("-(v - S @ v)", (0,), "-(v₁ - (s₁₁ v₁ + s₁₂ v₂))"),
        ("where(v > 0, -J*v, 0)", (0,), "where(v₁ > 0, -J v₁, 0)"),
    ],
)
def test_entries(text: str, index: tuple[int, ...], shown: str) -> None:
    assert expanded(text, index) == shown


def test_two_samples_are_told_apart() -> None:
    assert expanded("W2 @ A1 + b2", (0, 1), {**SIZES, "m": 2}) == "w2₁₁ a1₁₂ + w2₁₂ a1₂₂ + b2₁"
    assert expanded("sum(dZ2, axis=1)", (0,), {**SIZES, "m": 2}) == "dz2₁₁ + dz2₁₂"


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("inv(S)", (0, 0)),
        ("max(v)", ()),
        ("S[i, 0]", ()),
        ("Q @ Q", (0, 0, 0)),
        ("X @ x.T", (0, 0)),  # both would be called x
        ("S" + " @ S" * 12, (0, 0)),  # 2¹² products
        ("-(" * 90 + "v" + ")" * 90, (0,)),
    ],
)
def test_what_is_not_written_out(text: str, index: tuple[int, ...]) -> None:
    if text.startswith("-("):  # deep, but within the limit
        assert expanded(text, index) == "v₁"
    else:
        with pytest.raises(NotScalars):
            expanded(text, index)


def test_a_shape_function_may_be_given() -> None:
    tree = parse_expression("v + S @ v", dialect="canonical")
    found = expand_entry(tree, (0,), SIZES, lambda part: NETWORK.get(getattr(part, "id", "v"), NETWORK["v"]))
    assert print_scalar(found) == "v₁ + s₁₁ v₁ + s₁₂ v₂"


# ---------------------------------------------------------------- values


def test_entries_have_the_value_of_the_formula(oracle: Any) -> None:
    """Every formula of the corpora that is written out, at sizes 2: each entry against the judge's value."""
    compared = 0
    for item in corpus.problems():
        problem = problem_from_json(item)
        table = infer(problem.model)
        known: Shapes = {row.name: row.shape for row in table.rows}
        known |= {a: table.shape(of) for a, of in problem.adjoints.items()}
        sizes = dict.fromkeys(table.dims, 2)
        env = environment(oracle, item, sizes, problem.adjoints)
        if env is None:
            continue
        texts = [d.split("=", 1)[1] for d in item.get("definitions", [])] + [item["expression"], item["expected"] or ""]
        for text in filter(None, texts):
            compared += compared_entries(oracle, text, item, sizes, known, env)
    assert compared > 4_000


def environment(oracle: Any, item: dict[str, Any], sizes: dict[str, int], adjoints: dict[str, str]) -> Any:
    import numpy

    generator = numpy.random.default_rng(7)
    try:
        _, _, env = oracle._instantiate(item, generator, sizes)
        for name, formula in oracle.definitions(item):
            env[name] = formula.value(env)
    except (oracle.BadDraw, oracle.ShapeError, oracle.Unreadable):
        return None
    for name, of in adjoints.items():
        env[name] = oracle.torch.tensor(generator.standard_normal(tuple(env[of].shape)))
    return env


def compared_entries(
    oracle: Any, text: str, item: dict[str, Any], sizes: dict[str, int], known: Shapes, env: dict[str, Any]
) -> int:
    tree = parse_expression(text, dialect="canonical", names=known, functions=item.get("functions", ()))
    try:
        value = oracle.run(text, env)
        axes = [range(n) for n in value.shape]
        found = [(at, expand_entry(tree, at, sizes, known)) for at in product(*axes)]
    except (NotScalars, oracle.Unreadable):  # the latter at these small sizes: a range is empty
        return 0
    scalars = entries_of(known, env)
    for at, entry in found:
        names = {name: f"e{k}_" for k, name in enumerate(sorted(names_of(entry)))}
        names["pi"] = "pi"
        values = {s: scalars[n] if n in scalars else env[n] for n, s in names.items() if n != "pi"}
        single = oracle.run(to_text(renamed(entry, names)), {**env, **values})
        whole = value[at] if at else value
        if math.isnan(float(whole)):  # the logarithm of a negative number
            assert math.isnan(float(single))
            continue
        assert abs(float(single) - float(whole)) <= 1e-9 * (1 + abs(float(whole))), (item["id"], text, at)
    return len(found)


def entries_of(known: Shapes, env: dict[str, Any]) -> dict[str, Any]:
    """Every entry of every array under its name, found without the printer: z1₁₂ is Z1[0, 1]."""
    digits = "₁₂₃₄₅₆₇₈₉"
    out: dict[str, Any] = {}
    for name, shape in known.items():
        if not any(size != 1 for size in shape):
            continue
        array = env[name]
        for at in product(*(range(n) for n in array.shape)):
            shown = [digits[k] for k, size in zip(at, shape, strict=True) if size != 1]
            if len(shown) == 2 == array.ndim and array.shape[-1] == 1:  # like a batch of one sample
                shown.pop()
            out[name.lower() + "".join(shown)] = array[at]
    return out


def names_of(tree: Expr) -> set[str]:
    if isinstance(tree, Name):
        return {tree.id}
    if isinstance(tree, Binary | Compare):
        return names_of(tree.left) | names_of(tree.right)
    if isinstance(tree, Negative):
        return names_of(tree.operand)
    return set().union(*map(names_of, tree.arguments)) if isinstance(tree, Call) else set()


def renamed(tree: Expr, names: dict[str, str]) -> Expr:
    if isinstance(tree, Name):
        return Name(names[tree.id])
    if isinstance(tree, Binary | Compare):
        return type(tree)(tree.operator, renamed(tree.left, names), renamed(tree.right, names))
    if isinstance(tree, Negative):
        return Negative(renamed(tree.operand, names))
    return Call(tree.name, tuple(renamed(a, names) for a in tree.arguments)) if isinstance(tree, Call) else tree
