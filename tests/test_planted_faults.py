"""With a fault planted in the graph, the derivation, the forms or the notation, no wrong answer is shown.

Each fault is put to all problems below. An answer that is shown must be right by the corpus' own judge, and at least
one must have been refused because the printed formula failed its check: else the fault is not exercised.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from types import ModuleType
from typing import Any

import pytest

from falsify import forget
from whence.cli.solve import solve_item
from whence.diff import jacobian, model, reverse
from whence.expr import canonical, known, known_sums, match, node, opaque, products, rewrite, structures, sums, values
from whence.expr.node import SUM
from whence.form import denominators, factor
from whence.notation import kronecker, out, pieces, printer, term

Make = Callable[[Callable[..., Any]], Callable[..., Any]]  # of the sound function makes the false one


@dataclass(frozen=True)
class Fault:
    """A function of a module, or a method of a class (then `owner` is the class), replaced by a false one.

    A function that the module itself defines is replaced wherever it is imported, another in that module alone.
    """

    name: str
    owner: ModuleType | type
    attribute: str
    make: Make


def problem(expression: str, wrt: str, definitions: str = "", assume: str = "", **shapes: str) -> dict[str, Any]:
    assumed = [pair.split(":") for pair in assume.split(", ")] if assume else []
    return {
        "id": expression,
        "variables": {name: shape.split() for name, shape in shapes.items()},
        "assume": {name: [tag.strip()] for name, tag in assumed},
        "functions": {"g": "elementwise"},
        "definitions": [line for line in definitions.split("; ") if line],
        "expression": expression,
        "wrt": wrt.split(),
    }


NETWORK = {"W": "k n", "X": "n m", "b": "k", "Y": "k m"}
PROBLEMS = [
    problem("sum((Z - Y)**2)/m", "W", "Z = W @ X + b", **NETWORK),
    problem("sum((Z - Y)**2)/m", "b", "Z = W @ X + b", **NETWORK),
    problem("-sum(Y * log(A) + (1 - Y) * log(1 - A))/m", "Z", "A = sigmoid(Z)", Z="k m", Y="k m"),
    problem("-sum(Y * log(A))/m", "Z", "A = softmax(Z, axis=0)", "Y: onehot-columns", Z="k m", Y="k m"),
    problem("sum(C * H)", "X", "H = X - mean(X, axis=0)", X="n m", C="n m"),
    problem("sum(A * sum(X, axis=1) * x)", "X", X="n m", A="n 1", x="n"),
    problem("sum(C * (X / (1 + sum(X**2, axis=0))))", "X", X="n m", C="n m"),
    problem("trace(A @ inv(X) @ B)", "X", assume="X: invertible", A="n n", B="n n", X="n n"),
    problem("logdet(X) + trace(A @ X)", "X", assume="X: pd", A="n n", X="n n"),
    problem("x.T @ A @ x - 3 * b.T @ x", "x", x="n", A="n n", b="n"),
    problem("x.T @ A @ x", "x x", x="n", A="n n"),
    problem("trace(X.T @ A @ X)", "X", X="n n", A="n n"),
    problem("norm(A @ x - b)**3", "x", A="n m", x="m", b="n"),
    problem("sum(abs(-2 * X) * C) + sum(where(X > 0, C, 0) * X)", "X", X="n m", C="n m"),
    problem("A @ (x * x) - 2 * x.T @ A", "x", x="n", A="n n"),
    problem("A @ g(x)", "x", x="n", A="k n"),
    problem("A @ g(x) - x", "x", x="n", A="n n"),
    problem("sum(p * q)", "a", "p = 2 * a * b; q = p**3 + a * b", a="n", b="n"),
    problem("sum(p * c) + sum(3 * a * b * c**2)", "c", "p = 2 * a * b", a="n", b="n", c="n"),
    problem("sum(B * C)", "Z", "A = tanh(Z); B = tanh(A)", Z="n m", C="n m"),
    problem("sum(A * (X @ diag(b) @ Y))", "A", A="n k", X="n m", b="m", Y="m k"),
    problem("sum(a @ ones(1, m)) + a.T @ b", "a", a="n", b="n", C="n m"),
    problem("a.T @ X @ diag(b) @ Y @ a", "b", a="n", X="n m", b="m", Y="m n"),
    problem("sum(a @ b.T * X) + a.T @ diag(X @ c) @ a", "X", a="n", b="m", c="m", X="n m"),
    problem("sum((A @ X - A @ B)**2) + sum((A @ X - A @ B) * C)", "X", A="k n", B="n m", X="n m", C="k m"),
    problem("sum(X[i,:] * c.T) * x[0]", "X", X="n m", c="m", x="n"),
    problem("sum(sqrt(4 * X**2 + 4 * C**2))", "X", X="n m", C="n m"),
    problem("X.T", "X", X="n m"),
    problem("A @ X @ B", "X", A="k n", X="n m", B="m p"),
    problem("X * X", "X", X="n m"),
    problem("trace(A @ logm(X))", "X", assume="X: pd", A="n n", X="n n"),
    problem("sum(A * inv(B @ X))", "X", A="n n", B="n n", X="n n"),
    problem("sum(tril(A @ X) * B)", "X", A="n n", B="n n", X="n n"),
    problem("trace(A @ inv(X @ B) @ X)", "X", A="n n", B="n n", X="n n"),
    problem("sum(C * x/(x + y))", "x", assume="x: positive, y: positive", x="n", y="n", C="n 1"),
    problem("trace(A @ inv(X).T @ X)", "X", A="n n", X="n n"),
    {**problem("logdet(X) + trace(A @ X)", "X", assume="X: pd", A="n n", X="n n"), "structured": True},
]


# ---------------------------------------------------------------- what can go wrong
def result(change: Callable[[Any], Any]) -> Make:
    """The sound result, changed."""
    return lambda sound: lambda *a, **k: change(sound(*a, **k))


def first_argument(change: Callable[[Any], Any]) -> Make:
    """The sound function, of a changed first argument."""
    return lambda sound: lambda x, *a, **k: sound(change(x), *a, **k)


def instead(false: Callable[..., Any]) -> Make:
    return lambda sound: false


def without_last_term(node: Any) -> Any:
    if node.kind != SUM or len(node.terms) < 2:
        return node
    return sums.make_sum(node.terms[:-1], node.dims)


def opposite(grouped: Any) -> Any:
    return None if grouped is None else (-grouped[0], grouped[1])


def absolute(found: Any) -> Any:
    return None if found is None else (abs(found[0]), found[1])


def other_axis(sound: Callable[..., Any]) -> Callable[..., Any]:
    def false(function: str, *arguments: Any, axis: int | None = None, **rest: Any) -> Any:
        return sound(function, *arguments, axis=axis if axis is None else 1 - axis, **rest)

    return false


def along_the_other(sound: Callable[..., Any]) -> Callable[..., Any]:
    def false(v: Any, axis: Any) -> Any:
        return sound(v, axis if axis is None or len(v.shape) != 2 else tuple(1 - a for a in axis))

    return false


def named_before(sound: Callable[..., Any]) -> Callable[..., Any]:
    """The body of an intermediate gets the name of an earlier one of the same sizes."""
    seen: dict[Any, Any] = {}

    def false(self: Any, body: Any, atom: Any) -> None:
        sound(self, body, seen.setdefault((id(self), atom.dims), atom))

    return false


def scalars_lost(sound: Callable[..., Any]) -> Callable[..., Any]:
    def false(self: Any, body: Any) -> Any:
        self.scalars = []
        return sound(self, body)

    return false


def turned(node: Any) -> Any:
    return sums.transpose(node, (1, 0)) if node.rank == 2 and node.dims[0] == node.dims[1] else node


def stacked_by_rows(sound: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, found, axes: sound(self, found, axes[::-1])


def backwards(chain: Any) -> Any:
    return None if chain is None else chain[::-1]


def diagonal_only(exponents: Any) -> bool:
    for key in [k for k in exponents if known.UNIT_DIAGONAL in k[0].facts]:
        exponents[key] = 0
    return False


def no_exchange(self: Any, order: Any) -> Any:
    return out.call("eye", self._whole(order))


def of_the_transpose(found: Any) -> Any:
    turned_first = [(p.factors[0][0], p.factors[0][1][::-1], 1) for p in found]
    return [replace(p, factors=(f, *p.factors[1:])) for p, f in zip(found, turned_first, strict=True)]


def twice(node: Any) -> Any:
    return None if node is None else sums.scaled(node, 2)


FAULTS = [
    Fault("factor: sign of the common part", factor, "_take_out", result(opposite)),
    Fault("factor: a factor dropped with the common part", factor, "_without", result(lambda factors: factors[1:])),
    Fault("factor: a term dropped", factor, "factored", result(without_last_term)),
    Fault("printer: indices of a matrix swapped", pieces.Piece, "over", instead(lambda self, *_: self.forms[0])),
    Fault("printer: transposes lost", out, "transpose", instead(lambda a: a)),
    Fault("printer: minus lost", out, "negative", instead(lambda a: a)),
    Fault("printer: exponent off by one", out, "power", lambda sound: lambda a, e: sound(a, e + 1)),
    Fault("printer: number before a product lost", out, "scale", instead(lambda number, a: a)),
    Fault("printer: product for quotient", out, "divide", instead(lambda a, b: out.multiply(a, b))),
    Fault("printer: the other axis", out, "call", other_axis),
    Fault("printer: matrix product in the other order", out, "matmul", first_argument(lambda operands: operands[::-1])),
    Fault(
        "printer: a scaling between two matrices lost",
        pieces,
        "joined",
        lambda sound: lambda left, right, vector, *rest: sound(left, right, [], *rest),
    ),
    Fault("printer: scalars of a term lost", term.Term, "with_scalars", scalars_lost),
    Fault(
        "printer: every term added",
        printer.Printer,
        "_assemble",
        lambda sound: lambda self, printed, k: sound(self, [(1, t) for _, t in printed], k),
    ),
    Fault(
        "printer: last term of a sum lost",
        printer.Printer,
        "_assemble",
        lambda sound: lambda self, printed, k: sound(self, printed[:1], k),
    ),
    Fault("printer: ones of broadcasting left out", term.Term, "fill", instead(lambda self: None)),
    Fault("sums: signs lost", sums, "normal_term", result(absolute)),
    Fault("sums: an axis summed over nothing counts once", sums, "_orphans", instead(lambda factors, *_: (factors, 1))),
    Fault("sums: factors that sum to one dropped anywhere", known_sums, "_lonely", instead(lambda *_: True)),
    Fault("sums: everything centred", known_sums, "sums_to_zero", instead(lambda factors, rank: len(factors) > 2)),
    Fault("sums: power of a number lost", sums, "exact_power", instead(lambda c, e: c)),
    Fault("opaque: |c| lost", opaque, "_without_multiple", result(lambda found: (found[0], 1))),
    Fault("values: transposes lost", values, "transposed", lambda _: lambda v: values.Value(v.node, v.shape[::-1])),
    Fault("values: product for quotient", values, "multiply", lambda sound: lambda a, b, e=1: sound(a, b)),
    Fault("structures: sum along the other axis", structures, "total", along_the_other),
    Fault("structures: mean without its size", structures, "mean", lambda _: structures.total),
    Fault(
        "structures: comparison turned round",
        structures,
        "compare",
        lambda sound: lambda operator, a, b: sound(operator, b, a),
    ),
    Fault("canonical: a term dropped", canonical, "_distribute", result(lambda terms: terms[:-1] or terms)),
    Fault(
        "rewrite: coefficient lost",
        rewrite.Rewriter,
        "_by_name",
        lambda sound: lambda self, node, key, content, *rest: sound(self, node, key, abs(Fraction(content)) + 1, *rest),
    ),
    Fault("rewrite: the wrong name", rewrite.Rewriter, "name", named_before),
    Fault("match: coefficient lost", match, "replaced", result(lambda found: None if found is None else (1, found[1]))),
    Fault("reverse: exponent off by one", reverse, "integer", instead(lambda e: e + 1)),
    Fault(
        "reverse: one of several ways forgotten",
        reverse,
        "add",
        lambda sound: lambda nodes, dims: sound(nodes[:1], dims),
    ),
    Fault(
        "reverse: coefficients lost",
        reverse,
        "make_sum",
        lambda sound: lambda raw, dims: sound([(1, factors) for _, factors in raw], dims),
    ),
    Fault(
        "reverse: transposed adjoint",
        reverse,
        "_by_differential",
        result(lambda flow: [(argument, turned(part)) for argument, part in flow]),
    ),
    Fault(
        "model: one of several uses forgotten", model, "add", lambda sound: lambda nodes, dims: sound(nodes[-1:], dims)
    ),
    Fault("kronecker: factors in the other order", out, "kron", first_argument(lambda factors: factors[::-1])),
    Fault("kronecker: commutation lost", kronecker._Product, "_exchange", instead(no_exchange)),
    Fault("kronecker: columns stacked the other way", kronecker._Product, "_stacked", stacked_by_rows),
    Fault("products: all matrices commute", products, "commutes", instead(lambda e, x: True)),
    Fault("products: factors of a product in the other order", products, "matrix_chain", result(backwards)),
    Fault("known: every triangle a diagonal", known, "_triangles", instead(diagonal_only)),
    Fault("match: inverses of the transpose cancel", match, "_with_inverse", result(of_the_transpose)),
    Fault("denominators: a number lost", denominators, "over_common_denominator", result(twice)),
    Fault("jacobian: axes swapped", jacobian, "coefficient_of", result(turned)),
    Fault(
        "projection: the diagonal twice",
        model,
        "projected",
        lambda sound: lambda node, axis, tags: sums.scaled(node, 2),
    ),
    Fault(
        "facts: every square matrix symmetric",
        model,
        "facts_of_assumptions",
        lambda sound: (
            lambda tags, shape: sound(tags, shape) | {"symmetric"} if shape[:1] == shape[1:] else sound(tags, shape)
        ),
    ),
]


def fresh() -> None:
    """Forget everything that was derived: caches of functions, remembered terms, interned nodes."""
    forget()
    sums._recent.clear()
    gc.collect()
    node._sweep()


@contextlib.contextmanager
def planted(fault: Fault) -> Iterator[None]:
    sound = getattr(fault.owner, fault.attribute)
    false = fault.make(sound)
    places: list[tuple[Any, str]] = [(fault.owner, fault.attribute)]
    if isinstance(fault.owner, ModuleType) and sound.__module__ == fault.owner.__name__:
        modules = [m for name, m in sorted(sys.modules.items()) if name.split(".")[0] == "whence"]
        places = [(m, name) for m in modules for name, thing in list(vars(m).items()) if thing is sound]
    built_in = [word for word, thing in structures.STRUCTURES.items() if thing is sound]
    fresh()
    for place, name in places:
        setattr(place, name, false)
    structures.STRUCTURES.update(dict.fromkeys(built_in, false))
    try:
        yield
    finally:
        for place, name in places:
            setattr(place, name, sound)
        structures.STRUCTURES.update(dict.fromkeys(built_in, sound))
        fresh()


def test_without_a_fault_all_problems_are_answered(oracle: Any) -> None:
    fresh()
    for asked in PROBLEMS:
        answer = solve_item(asked)
        assert answer["status"] == "ok", answer
        assert oracle.judge(asked, answer["formula"], layout=answer["layout"])[0] == "right", answer


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_no_wrong_answer_is_shown(fault: Fault, oracle: Any) -> None:
    with planted(fault):
        answers = [solve_item(asked) for asked in PROBLEMS]
    for asked, answer in zip(PROBLEMS, answers, strict=True):
        if answer["status"] == "ok":
            assert oracle.judge(asked, answer["formula"], layout=answer["layout"])[0] == "right", (asked, answer)
    codes = [answer["error"]["code"] for answer in answers if answer["status"] != "ok"]
    assert "not-verified" in codes, f"the fault is not exercised: {codes}"
