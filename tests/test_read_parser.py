"""The canonical language: precedence, spans, numbers, calls, indices, and its printing."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whence.messages.errors import LimitError, ReadError
from whence.read.canonical import to_text
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Index,
    Name,
    Negative,
    Number,
    Range,
    Span,
    Text,
    Transpose,
    Tuple,
)

DATA = Path(__file__).parent / "data"


def canonical(text: str) -> Expr:
    return parse_expression(text, dialect="canonical")


@pytest.mark.parametrize(
    ("text", "bracketed"),
    [
        ("a + b - c", "(a + b) - c"),
        ("a @ b * c @ d", "((a @ b) * c) @ d"),
        ("a / b / c", "(a / b) / c"),
        ("-a * b", "(-a) * b"),
        ("-a**2", "-(a**2)"),
        ("a**-b", "a**(-b)"),
        ("a**b**c", "a**(b**c)"),
        ("a**-b**c", "a**(-(b**c))"),
        ("-a.T", "-(a.T)"),
        ("a.T**2", "(a.T)**2"),
        ("a + b > c * d", "(a + b) > (c * d)"),
        ("--a", "-(-a)"),
        ("a @ -b", "a @ (-b)"),
    ],
)
def test_precedence_is_that_of_python(text: str, bracketed: str) -> None:
    assert canonical(text) == canonical(bracketed)


def test_numbers_keep_their_text() -> None:
    number = canonical("0.044715")
    assert number == Number(Fraction(44715, 10**6)) and isinstance(number, Number)
    assert number.text == "0.044715"
    assert canonical("1e-3") == Number(Fraction(1, 1000))
    assert canonical(".5") == Number(Fraction(1, 2)) and canonical("1./m") == canonical("1/m")


def test_calls_indices_ranges_tuples_and_letters() -> None:
    assert canonical("sum(X, axis=(0, 1))") == Call(
        "sum", (Name("X"),), (("axis", Tuple((Number(Fraction(0)), Number(Fraction(1))))),)
    )
    assert canonical("X[i,:]") == Index(Name("X"), (Name("i"), Range()))
    assert canonical("x[:-1]") == Index(Name("x"), (Range(None, Negative(Number(Fraction(1)))),))
    assert canonical("einsum('ik,jl->ijkl', A, B)") == canonical('einsum("ik, jl -> ijkl", A, B)')
    assert canonical("einsum('i,i->', a, b)") == Call("einsum", (Text("i,i->"), Name("a"), Name("b")))
    assert canonical("frechet(expm, X, E)") == Call("frechet", (Name("expm"), Name("X"), Name("E")))
    assert canonical("X.mT") == Transpose(Name("X"), True)
    assert canonical("(X @ A)[i,j]") == Index(Binary("@", Name("X"), Name("A")), (Name("i"), Name("j")))
    assert canonical("where(C > 0, A, 0)") == Call(
        "where", (Compare(">", Name("C"), Number(Fraction(0))), Name("A"), Number(Fraction(0)))
    )


def test_spans_point_into_the_text() -> None:
    tree = canonical("A @ (B + C)")
    assert isinstance(tree, Binary) and isinstance(tree.right, Binary)
    assert tree.right.span == Span(1, 6, 1, 11)
    assert tree.right.left.span == Span(1, 6, 1, 7)


def test_a_small_change_and_other_letters() -> None:
    assert canonical("Y * δX") == Binary("*", Name("Y"), Name("δX"))
    assert canonical("𝐗 @ λ") == Binary("@", Name("X"), Name("lam"))
    assert canonical("σ(Z)") == canonical("sigmoid(Z)")


def test_unknown_functions() -> None:
    assert canonical("g1(Z)") == Call("g1", (Name("Z"),))
    assert canonical("g_prime_prime(Z)") == Call("g_prime_prime", (Name("Z"),))
    assert canonical("sigmoid_prime(Z)") == Call("sigmoid_prime", (Name("Z"),))
    assert canonical("tr(X)") == canonical("trace(X)")
    for text, functions in (("h(Z)", ["g"]), ("G(Z)", []), ("sigmod(Z)", []), ("h_prime(Z)", ["g"])):
        with pytest.raises(ReadError, match="no function"):
            parse_expression(text, functions=functions, dialect="canonical")
    assert parse_expression("G(Z)", functions=["G"], dialect="canonical") == Call("G", (Name("Z"),))
    with pytest.raises(ReadError, match="is a variable"):
        parse_expression("w(Z)", names=["w", "Z"], dialect="canonical")


def test_long_sums_do_not_recurse_and_deep_brackets_are_refused() -> None:
    long = " + ".join(["x"] * 999)
    assert to_text(canonical(long)) == long
    assert to_text(canonical("x" + ".T" * 1000)) == "x" + ".T" * 1000
    for deep in ("(" * 99 + "x" + ")" * 99, "-" * 98 + "x", "sum(" * 98 + "x" + ")" * 98, "x**" * 98 + "x"):
        assert canonical(to_text(canonical(deep))) == canonical(deep)
    for deep in ("(" * 101 + "x" + ")" * 101, "-" * 101 + "x", "sum(" * 101 + "x" + ")" * 101, "x**" * 101 + "x"):
        with pytest.raises(LimitError, match="nested"):
            canonical(deep)


def test_numbers_without_a_literal_are_printed_by_value() -> None:
    half = Number(Fraction(1, 2))
    assert to_text(Binary("*", Number(Fraction(1, 3)), Name("x"))) == "1/3 * x"
    assert to_text(Binary("@", Name("x"), Number(Fraction(1, 3)))) == "x @ (1/3)"
    assert to_text(Binary("**", Name("x"), Number(Fraction(-1, 3)))) == "x**(-1/3)"
    assert to_text(Binary("**", Number(Fraction(-2)), half)) == "(-2)**0.5"
    assert to_text(Transpose(Number(Fraction(2)))) == "(2).T"


# -- every tree reads back

leaves = st.one_of(
    st.sampled_from(["A", "W1", "x_hat", "m", "δX"]).map(Name),
    st.sampled_from(["0", "1", "2.5", "0.044715", "1e-3", "7."]).map(lambda t: Number(Fraction(t), t)),
    st.fractions(0, 100, max_denominator=1).map(Number),
)


def extend(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    place = inner | st.builds(Range, st.none() | inner, st.none() | inner)
    word = st.sampled_from(["sum", "g", "sigmoid_prime", "softmax"])
    keyword = st.tuples(st.just("axis"), inner | st.lists(inner, min_size=1, max_size=3).map(lambda x: Tuple(tuple(x))))
    return st.one_of(
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "@", "**"]), inner, inner),
        st.builds(Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner),
        st.builds(Negative, inner),
        st.builds(Transpose, inner, st.booleans()),
        st.builds(
            Call,
            word,
            st.lists(inner, min_size=1, max_size=3).map(tuple),
            st.lists(keyword, max_size=1).map(tuple),
        ),
        st.builds(Index, inner, st.lists(place, min_size=1, max_size=3).map(tuple)),
        st.builds(lambda a: Call("einsum", (Text("ij,jk->ik"), *a)), st.lists(inner, max_size=2)),
    )


def has_large_power(expr: Expr) -> bool:
    return any(float(word) > 64 for word in to_text(expr).replace("(", "").split("**")[1:] if word.isdigit())


@settings(max_examples=300, deadline=None)
@given(st.recursive(leaves, extend, max_leaves=15))
def test_every_tree_reads_back(tree: Expr) -> None:
    text = to_text(tree)
    try:
        assert canonical(text) == tree
    except LimitError as error:
        assert error.code == "power-too-large"


@pytest.mark.parametrize("text", ["A @ (B @ C)", "(A > 0) * B", "(-a)**2", "(a**b)**c", "a - (b - c)", "-(a * b)"])
def test_the_fewest_brackets(text: str) -> None:
    assert to_text(canonical(text)) == text


# -- the corpora


def corpus() -> list[dict]:
    files = sorted(DATA.glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if '"wrt"' in line]


def test_every_formula_of_the_corpora_reads_back() -> None:
    problems = corpus()
    if not problems:
        pytest.skip("tests/data holds no corpus")
    for item in problems:
        problem = problem_from_json(item)
        trees = [problem.expression, *(s.expression for s in problem.model.statements)]
        if item.get("expected"):
            trees.append(parse_expression(item["expected"], functions=item.get("functions", ()), dialect="canonical"))
        for tree in trees:
            assert parse_expression(to_text(tree), functions=item.get("functions", ()), dialect="canonical") == tree


def test_reading_is_quick() -> None:
    problems = corpus()[:200]
    if not problems:
        pytest.skip("tests/data holds no corpus")
    start = time.perf_counter()
    lines = sum(1 + len(problem_from_json(item).model.statements) for item in problems)
    assert (time.perf_counter() - start) / lines < 0.002  # a busy machine; about 0.1 ms is usual
