"""Sizes are polynomials: arithmetic, canonical form, text."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whence.shapes.dims import Dim

ATOMS = st.one_of(st.sampled_from(["n", "m", "H", "k"]), st.integers(-3, 5)).map(Dim.parse)
DIMS = st.recursive(
    ATOMS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        lambda t: t[0] + t[2] if t[1] == "+" else t[0] - t[2] if t[1] == "-" else t[0] * t[2]
    ),
    max_leaves=6,
)
SIZES = {"n": 3, "m": 7, "H": 2, "k": 5}


@given(DIMS, DIMS)
def test_arithmetic_is_that_of_numbers(a: Dim, b: Dim) -> None:
    assert (a + b).value(SIZES) == a.value(SIZES) + b.value(SIZES)
    assert (a - b).value(SIZES) == a.value(SIZES) - b.value(SIZES)
    assert (a * b).value(SIZES) == a.value(SIZES) * b.value(SIZES)
    assert a + b == b + a and a * b == b * a and hash(a * b) == hash(b * a)
    assert a - a == 0


@given(DIMS)
def test_text_is_read_back(a: Dim) -> None:
    assert Dim.parse(str(a)) == a
    assert pickle.loads(pickle.dumps(a)) == a


@given(DIMS, DIMS)
def test_exact_division(a: Dim, b: Dim) -> None:
    if b != 0:
        assert (a * b).divided_by(b) == a
    quotient = a.divided_by(b)
    assert quotient is None or quotient * b == a


@given(DIMS, DIMS)
def test_substitution(a: Dim, b: Dim) -> None:
    assert a.substitute({"n": b}).value(SIZES) == a.value({**SIZES, "n": b.value(SIZES)})


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("n", "n"),
        (" k*H ", "H*k"),
        ("m + n", "m + n"),
        ("n+m", "m + n"),
        ("-1 + m", "m - 1"),
        ("p - n + 1", "p - n + 1"),
        ("1 - n", "1 - n"),
        ("2*(n + 1)", "2*n + 2"),
        ("n*n*3", "3*n**2"),
        ("4*h/2", "2*h"),
        ("n - n", "0"),
        ("(n + m)*(n - m)", "n**2 - m**2"),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert str(Dim.parse(text)) == canonical


@pytest.mark.parametrize(
    "text", ["", "n m", "n +", "(n", "n)", "n/2", "n**m", "1.5", "n ** 999", "x" + "+x" * 300, "é!"]
)
def test_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|evenly|power"):
        Dim.parse(text)


@given(st.text(max_size=30))
def test_any_text_is_a_size_or_a_value_error(text: str) -> None:
    try:
        Dim.parse(text)
    except ValueError:
        return


def test_a_size_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Dim.parse("n").terms = ()  # type: ignore[misc]


def test_brackets_have_a_cap() -> None:
    with pytest.raises(ValueError, match="size"):
        Dim.parse("(" * 30 + "n" + ")" * 30)
