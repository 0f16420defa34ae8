"""The judge inside the program: it accepts every known answer of the corpus and refuses spoilt ones."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from whence.ops.table import TABLE
from whence.read.parser import parse_expression
from whence.read.syntax import Binary, Expr, Negative, Number, Shape, Transpose
from whence.verify import Claim, check, numeric
from whence.verify.certificate import Certificate, certificate, checked_text

DATA = Path(__file__).parent / "data"
CORPORA = [name for name in ("classic", "deep") if (DATA / f"{name}.jsonl").exists()]
# Their known answers write π as 3.141592653589793, which is not π to 50 digits.
ROUNDED = {"nn-gelu", "el-erf"}


def parse(text: str) -> Expr:
    return parse_expression(text, dialect="canonical")


def shape(sizes: list[int | str]) -> Shape:
    return tuple(sizes) if len(sizes) != 1 else (sizes[0], 1)


def claim_of(
    problem: dict[str, Any], answer: str, adjoints: dict[str, tuple[str, str]] | None = None, **changes: Any
) -> Claim:
    """The claim that `answer` solves a problem; `adjoints`: name -> (of, formula)."""
    pairs = [d.split("=", 1) for d in problem.get("definitions", [])]
    functions = tuple(problem.get("functions", {}))

    def read(text: str) -> Expr:
        return parse_expression(text.strip(), functions=functions, dialect="canonical")

    fields: dict[str, Any] = {
        "variables": {n: shape(s) for n, s in problem["variables"].items()},
        "assume": {n: tuple(t) for n, t in problem.get("assume", {}).items()},
        "functions": functions,
        "definitions": tuple((n.strip(), read(e)) for n, e in pairs),
        "expression": read(problem["expression"]),
        "wrt": tuple(problem["wrt"]),
        "answer": read(answer),
        "adjoints": {n: (of, read(f)) for n, (of, f) in (adjoints or {}).items()},
        "layout": problem.get("layout", "matrix"),
        "structured": problem.get("structured", False),
    }
    return Claim(**(fields | changes))


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def problem(expression: str, wrt: list[str], variables: dict[str, list[int | str]], **more: Any) -> dict[str, Any]:
    return {"expression": expression, "wrt": wrt, "variables": variables, **more}


def solved(name: str) -> Iterator[tuple[dict[str, Any], Claim]]:
    """The problems of a corpus whose known answer can be claimed, adjoints filled in from their sister problems."""
    problems = load(DATA / f"{name}.jsonl")
    known = {(family(p), tuple(p["wrt"])): p for p in problems if p["expected"]}
    for p in problems:
        if p["expected"] is None:
            continue
        adjoints = adjoint_formulas(p, known)
        if adjoints is not None:
            yield p, claim_of(p, p["expected"], adjoints)


def family(p: dict[str, Any]) -> str:
    return repr((p["variables"], p.get("definitions"), p["expression"], p.get("layout")))


def adjoint_formulas(p: dict[str, Any], known: dict[Any, dict[str, Any]]) -> dict[str, tuple[str, str]] | None:
    """name -> (of, formula) for the adjoints that the answer needs, in an order in which they can be used."""
    found: dict[str, tuple[str, str]] = {}

    def need(q: dict[str, Any], depth: int) -> bool:
        for name, of in q.get("adjoints", {}).items():
            if name not in q["expected"] or name in found:
                continue
            sister = known.get((family(p), (of,)))
            if sister is None or depth > 20 or not need(sister, depth + 1):
                return False
            found[name] = (of, sister["expected"])
        return True

    return found if need(p, 0) else None


@pytest.mark.parametrize("name", CORPORA)
def test_every_known_answer_is_accepted(name: str) -> None:
    refused = [p["id"] for p, claim in solved(name) if p["id"] not in ROUNDED and not check(claim).ok]
    assert refused == []


@pytest.mark.parametrize("name", CORPORA)
def test_spoilt_answers_are_refused(name: str) -> None:
    accepted = []
    for p, claim in list(solved(name))[::3]:
        if zero(p["expected"]):
            continue
        for spoilt in (Negative(claim.answer), Binary("*", Number(Fraction(2)), claim.answer)):
            if check(dataclasses.replace(claim, answer=spoilt)).ok:
                accepted.append(p["id"])
    assert accepted == []


def zero(text: str) -> bool:
    return text.startswith("zeros") or text == "0"


@pytest.mark.parametrize(
    ("expression", "shapes", "right", "wrong"),
    [
        ("trace(A @ X)", {"A": ["m", "n"], "X": ["n", "m"]}, "A.T", "A"),
        ("trace(A @ X)", {"A": ["n", "n"], "X": ["n", "n"]}, "A.T", "A"),
        ("x.T @ A @ x", {"x": ["n"], "A": ["n", "n"]}, "(A + A.T) @ x", "2*A @ x"),
        ("logdet(X)", {"X": ["n", "n"]}, "inv(X).T", "inv(X)"),
        ("norm(x)", {"x": ["n"]}, "x/norm(x)", "x/norm(x)**2"),
        ("sum(relu(x))", {"x": []}, "step(x)", "1"),
        ("relu(x)", {"x": []}, "step(x)", "0"),
        ("sum(abs(x))", {"x": ["n"]}, "x/sqrt(x**2)", "ones(n)"),
        ("sum(tanh(x))", {"x": ["n"]}, "1/cosh(x)**2", "1 - tanh(x)"),
        ("sum(sin(2*x))", {"x": ["n"]}, "2*cos(x)**2 - 2*sin(x)**2", "2*cos(x)"),
        ("sum(maximum(0.01*x, x))", {"x": ["n"]}, "where(x > 0, 1, 0.01)", "where(x > 0, 0.01, 1)"),
        ("max(x)", {"x": ["n"]}, "argmax_mask(x)", "argmin_mask(x)"),
        ("sum(X)", {"X": ["n", "m"]}, "ones(n, m)", "1"),
        ("sum(x*log(x))", {"x": ["n"]}, "log(x) + 1", "log(x)"),
        ("sum(x**1.5)", {"x": ["n"]}, "1.5*sqrt(x)", "1.5*x"),
        ("trace(expm(X))", {"X": ["n", "n"]}, "expm(X).T", "expm(X)"),
    ],
)
def test_first_derivatives(expression: str, shapes: dict[str, list[int | str]], right: str, wrong: str) -> None:
    name = "X" if "X" in shapes else "x"
    p = problem(expression, [name], shapes)
    assert check(claim_of(p, right)).ok
    assert not check(claim_of(p, wrong)).ok


def test_second_derivatives() -> None:
    p = problem("x.T @ A @ x + sum(exp(x))", ["x", "x"], {"x": ["n"], "A": ["n", "n"]})
    assert check(claim_of(p, "A + A.T + diag(exp(x))")).exact
    assert not check(claim_of(p, "2*A + diag(exp(x))")).ok
    q = problem("x.T @ X @ y", ["X", "y"], {"x": ["n"], "X": ["n", "m"], "y": ["m"]})
    assert check(claim_of(q, 'einsum("i,jk->ijk", x, eye(m))')).exact


def test_layouts() -> None:
    p = problem("A @ X @ B", ["X"], {"A": ["k", "n"], "X": ["n", "m"], "B": ["m", "l"]})
    assert check(claim_of(p, "kron(B.T, A)", layout="vec")).exact
    assert check(claim_of(p, 'einsum("ik,lj->ijkl", A, B)')).exact
    assert not check(claim_of(p, "kron(A, B.T)", layout="vec")).ok
    assert "shape" in check(claim_of(p, "kron(B.T, A)")).reason


def test_structured_variables() -> None:
    p = problem("trace(A @ X)", ["X"], {"A": ["n", "n"], "X": ["n", "n"]}, structured=True)
    symmetric = p | {"assume": {"X": ["symmetric"]}}
    assert check(claim_of(symmetric, "A + A.T - A*eye(n)")).exact
    assert not check(claim_of(symmetric, "A.T")).ok
    assert check(claim_of(p | {"assume": {"X": ["diagonal"]}}, "A*eye(n)")).exact
    assert check(claim_of(p | {"assume": {"X": ["lower"]}}, "tril(A.T)")).exact


NETWORK = problem(
    "J",
    ["W1"],
    {"W1": ["n1", "n0"], "b1": ["n1"], "W2": ["n2", "n1"], "X": ["n0", "m"], "Y": ["n2", "m"]},
    assume={"Y": ["unit-interval"]},
    functions={"g": "elementwise"},
    definitions=["Z1 = W1 @ X + b1", "A1 = g(Z1)", "Z2 = W2 @ A1", "A2 = sigmoid(Z2)", "J = sum((A2 - Y)**2)/m"],
)


def test_adjoints_are_verified_before_the_answer() -> None:
    right = {"dZ2": ("Z2", "2*(A2 - Y)*A2*(1 - A2)/m"), "dZ1": ("Z1", "W2.T @ dZ2 * g_prime(Z1)")}
    assert check(claim_of(NETWORK, "dZ1 @ X.T", right)).exact
    wrong = right | {"dZ2": ("Z2", "(A2 - Y)*A2*(1 - A2)/m")}
    found = check(claim_of(NETWORK, "2*dZ1 @ X.T", wrong))  # the answer's value is right, its adjoints are not
    assert not found.ok
    assert found.witness is None or found.witness.adjoint


def test_an_intermediate_counts_all_its_later_uses() -> None:
    p = problem("sum(a*b)", ["a"], {"x": ["n"]}, definitions=["a = x**2", "b = a*x"])
    assert check(claim_of(p, "2*a*x")).exact
    assert not check(claim_of(p, "b")).ok


def test_assumptions_hold_by_construction() -> None:
    p = problem("trace(Q @ X @ Q.T)", ["X"], {"Q": ["n", "n"], "X": ["n", "n"]}, assume={"Q": ["orthogonal"]})
    assert check(claim_of(p, "eye(n)")).exact
    assert not check(claim_of(p | {"assume": {}}, "eye(n)")).ok
    q = problem("sum(Y*X)", ["X"], {"Y": ["n", "m"], "X": ["n", "m"]}, assume={"Y": ["onehot-columns"]})
    assert check(claim_of(q, "Y*Y + Y*sum(Y, axis=0) - Y")).exact


def test_a_false_rule_of_the_table_is_caught_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "exp"
    monkeypatch.setitem(TABLE, name, dataclasses.replace(TABLE[name], differential="2 * Y * δX"))
    p = problem("sum(exp(x))", ["x"], {"x": ["n"]})
    assert not check(claim_of(p, "2*exp(x)")).ok


def test_impossible_claims_say_why() -> None:
    p = problem("sum(X)", ["X"], {"X": ["n", "m"]})
    assert "unknown" in check(claim_of(p, "ones(n, m)*Q")).reason
    assert check(claim_of(p | {"wrt": ["Z"]}, "ones(n, m)")).reason
    singular = problem("trace(inv(x @ x.T))", ["x"], {"x": ["n"]})
    assert "singular" in check(claim_of(singular, "x")).reason
    domain = problem("sum(log(-X**2 - 1))", ["X"], {"X": ["n", "m"]})
    assert not check(claim_of(domain, "-2*X/(-X**2 - 1)")).ok


def test_sizes_differ_and_are_the_same_each_time() -> None:
    p = problem("sum(A @ X)", ["X"], {"A": ["k", "n"], "X": ["n", "m"]})
    claim = claim_of(p, "A.T @ ones(k, m)")
    found = [check(claim) for _ in range(3)]
    assert len(set(found[0].sizes.values())) == 3
    assert min(found[0].sizes.values()) >= 2
    assert {tuple(f.sizes.items()) for f in found} == {tuple(found[0].sizes.items())}
    assert found[0].bound_log2 < -200
    assert found[0].digits is not None and found[0].digits >= 30


def test_given_randomness_gives_the_same_check() -> None:
    claim = claim_of(problem("sum(tanh(A @ x))", ["x"], {"A": ["m", "n"], "x": ["n"]}), "A.T @ (1 - tanh(A @ x)**2)")
    assert check(claim, random=Random(1)) == check(claim, random=Random(1))


def test_a_value_with_pieces_is_not_judged_by_one_of_them() -> None:
    p = problem("step(1 - s)*s**2", ["s"], {"s": []})
    assert check(claim_of(p, "2*s*step(1 - s)")).exact
    assert not any(check(claim_of(p, text)).ok for text in ("2*s", "0", "-2*s*step(1 - s)") for _ in range(20))


def test_zeros_beside_a_diagonal_have_values() -> None:
    p = problem("trace(cosh(Z))/10", ["Z"], {"y": ["n"]}, definitions=["Z = diag(y**3)"])
    assert check(claim_of(p, "diag(diag(sinh(Z)))/10")).exact
    p = problem("sum(softplus(diag(a)))", ["a"], {"a": ["n"]})
    assert check(claim_of(p, "sigmoid(a)")).exact


@pytest.mark.parametrize(
    ("expression", "wrt", "answer"),
    [
        # the sign of 4z beside that of z, where z holds a sine, a root, or the root of a sine
        ("sum(abs((y/(1 + 0.5*sin(b)))**2))", "b", "-8*y.T @ (y*sign(y**2/(2 + sin(b))**2))*cos(b)/(2 + sin(b))**3"),
        ("sum(abs(t*y/sqrt(1 + 0.5*sin(b))))/10", "t", "sum(abs(y/sqrt(2 + sin(b))))*sqrt(2)/10*sign(t)"),
        ("norm1(y*b/(1 + 0.5*norm(y)))", "b", "2*sum(sign(b*y/(2 + norm(y)))*y)/(2 + norm(y))"),
    ],
)
def test_signs_respect_factors(expression: str, wrt: str, answer: str) -> None:
    claim = claim_of(problem(expression, [wrt], {"y": ["n"], "b": [], "t": []}), answer)
    assert check(claim).ok
    assert not check(dataclasses.replace(claim, answer=Negative(claim.answer))).ok


def test_the_root_of_nothing_has_a_value() -> None:
    p = problem("norm(where(w < 0, z, 0))**2", ["w"], {"w": ["n"], "z": ["n"]}, assume={"w": ["positive"]})
    assert check(claim_of(p, "zeros(n)")).ok


def test_exponentials_and_logarithms_have_all_their_digits() -> None:
    with localcontext(numeric.USUAL[1].context()):
        for text in ("0", "1e-30", "-0.3", "2.5", "-41.7", "63", "900", "-2500"):
            v = Decimal(text)
            assert abs(numeric._exp(v) / v.exp() - 1) < Decimal("1e-51")
            assert abs(numeric._log(1 + v * v) - (1 + v * v).ln()) < Decimal("1e-53")


def test_what_exact_arithmetic_does_not_vouch_for_needs_more_digits() -> None:
    """The terms with exp(-72) are too small to be seen in 20 digits, and nothing exact knows the function."""
    p = problem("sum(expm(X)) + exp(-72)*sum(X**2)", ["X"], {"X": ["n", "n"]})
    right = claim_of(p, "frechet(expm, X.T, ones(n, n)) + 2*exp(-72)*X")
    assert check(right).ok and not check(right).exact
    assert not check(claim_of(p, "frechet(expm, X.T, ones(n, n)) + 3*exp(-72)*X")).ok


def test_nothing_but_rounding_is_no_difference() -> None:
    p = problem("atan(sum(Y - mean(Y, axis=1)))", ["Y"], {"Y": ["q", "m"]})
    assert all(check(claim_of(p, "zeros(q, m)")).ok for _ in range(20))


def test_the_formula_has_a_value_where_the_expression_has() -> None:
    claim = claim_of(problem("s**2*step(1 + y**2)", ["s"], {"s": [], "y": []}), "2*s*step(1 + y**2)*sqrt(y)**2/y")
    found = [check(claim) for _ in range(12)]
    assert any("no value where" in f.reason for f in found if not f.ok)


def test_pi_has_all_its_digits() -> None:
    assert str(numeric._pi(60)).startswith("3.14159265358979323846264338327950288419716939937510582097494")


def test_whatever_breaks_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise AttributeError("planted")

    monkeypatch.setattr("whence.verify.judge.prepare", broken)
    found = check(claim_of(problem("sum(x)", ["x"], {"x": ["n"]}), "ones(n)"))
    assert not found.ok and "planted" in found.reason


def test_many_signs_do_not_hide_one_combination() -> None:
    p = problem("sum(where(u < 0, Z, 0)*maximum(B, 1))", ["Z"], {"u": ["m"], "Z": ["m"], "B": ["m", "m"]})
    right, wrong = "step(-u)*sum(maximum(B, 1), axis=1)", "step(-u)*sum(maximum(B, 1), axis=1)*(1 + step(u))"
    assert all(check(claim_of(p, text)).exact for text in (right, wrong))  # the same, as u < 0 excludes u > 0
    wrong = "step(-u)*sum(maximum(B, 2), axis=1)"
    assert not any(check(claim_of(p, wrong)).ok for _ in range(30))


def test_rational_claims_need_no_atoms() -> None:
    p = problem("trace(A @ inv(X))", ["X"], {"A": ["n", "n"], "X": ["n", "n"]})
    assert check(claim_of(p, "-(inv(X) @ A @ inv(X)).T")).exact
    assert check(claim_of(p, "(inv(X) @ A @ inv(X)).T")).reason == "differs in exact arithmetic"


def test_long_sums_are_no_problem() -> None:
    answer: Expr = parse("x")
    for _ in range(3000):
        answer = Binary("-", Binary("+", answer, parse("x")), parse("x"))
    for _ in range(3000):
        answer = Transpose(answer)
    claim = claim_of(problem("x.T @ x/2", ["x"], {"x": ["n"]}), "x")
    assert check(dataclasses.replace(claim, answer=answer)).exact


def test_the_certificate_says_what_was_checked() -> None:
    found = check(claim_of(problem("trace(A @ X)", ["X"], {"A": ["m", "n"], "X": ["n", "m"]}), "A.T"))
    made = certificate("trace(A @ X)", found, proved=True)
    assert made.text() == (
        "read as: trace(A @ X) · derived: proved for all sizes · checked: 4 random primes at m, n = 3, 4 "
        "(chance of error there < 2⁻¹²⁸) and at 50 digits by value · assumes: nothing"
    )
    assert isinstance(made, Certificate)
    assert "by value" in checked_text(check(claim_of(problem("trace(expm(X))", ["X"], {"X": ["n", "n"]}), "expm(X).T")))
