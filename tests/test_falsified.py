"""With the differential of a function falsified, no answer that uses it is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from falsify import replaced
from whence.expr.structures import STRUCTURES
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import DOMAINS, HIDDEN, TABLE, lookup

FALSE = {"sign": "-({})", "factor": "2*({})", "transpose": "({}).T"}
# The fields that hold a differential: the usual one, and those for other ways to give the axis.
FIELDS = ("differential", "differential_whole", "differential_several")
WITH_DIFFERENTIAL = [op for op in TABLE.values() if op.differential and not op.zero]
NUMBERS = ("[]", "[...]", "axis")  # what `gives` says of a value that is no matrix


def used_by_the_engine(op: Op) -> bool:
    """Of what the graph builds in, or writes in other words, the differential is there for the learner alone."""
    return op.kind != "structure" and op.structure not in STRUCTURES and not op.expands


def listed(text: str) -> dict[str, list[str]]:
    """ "X: n x m, A: n x m" as a problem declares it."""
    pairs = [part.split(":") for part in text.split(", ")] if text else []
    return {name.strip(): [word.strip(" ()") for word in rest.split(" x ")] for name, rest in pairs}


def example_problem(op: Op) -> dict[str, Any]:
    """The first right example of the entry as a problem."""
    example = op.right[0]
    return {
        "id": op.name,
        "variables": listed(example.shapes),
        "assume": listed(example.assume),
        "expression": example.expression,
        "wrt": [example.wrt],
    }


def square_problem(op: Op) -> dict[str, Any] | None:
    """sum(C0 * f(X)) at square X, where a transposed differential fits and shows; None where f gives no matrix."""
    parameters = signature(op).ways[0].parameters
    vectors = [p for p in parameters if p.kind != "array" or (p.sizes is not None and len(p.sizes) != 2)]
    if op.gives in NUMBERS or vectors:
        return None
    names = [p.name for p in parameters]
    changed = next(n for n in names if re.search(rf"δ{n}\b", op.differential))
    return {
        "id": op.name,
        "variables": {name: ["n", "n"] for name in ["C0", *names]},
        "assume": {name: list(DOMAINS[op.domain]) for name in names if DOMAINS.get(op.domain)},
        "expression": f"sum(C0 * {op.name}({', '.join(names)}))",
        "wrt": [changed],
    }


def false_fields(op: Op, fault: str, by: str) -> dict[str, Any]:
    """The rule that the derivative by this argument uses, falsified: an adjoint where the entry has one, else all."""
    if by in op.adjoints:
        return {"adjoints": {**op.adjoints, by: FALSE[fault].format(op.adjoints[by])}}
    return {field: FALSE[fault].format(getattr(op, field)) for field in FIELDS if getattr(op, field)}


@pytest.mark.parametrize("fault", list(FALSE))
@pytest.mark.parametrize("op", WITH_DIFFERENTIAL, ids=lambda op: op.name)
def test_no_answer_is_shown(op: Op, fault: str) -> None:
    from whence.cli.solve import solve_item

    asked = square_problem(op) if fault == "transpose" else example_problem(op)
    if asked is None:
        pytest.skip("its value is no square matrix: the transposed differential is the same, or fits no shape")
    sound = solve_item(asked)
    if sound["status"] != "ok":
        pytest.skip(f"not answered with the true differential either: {sound['error']['code']}")
    with replaced(op, **false_fields(op, fault, asked["wrt"][0])):
        false = solve_item(asked)
    if used_by_the_engine(op) or false["status"] != "ok":
        assert false["status"] == "refused", false
        assert false["error"]["code"] != "internal", false
    else:
        assert false["formula"] == sound["formula"]
    assert solve_item(asked)["status"] == "ok", "the table was not restored"


def test_most_entries_are_put_to_the_test() -> None:
    """The test above would be empty if the examples were refused with the true differentials too."""
    from whence.cli.solve import solve_item

    used = [op for op in WITH_DIFFERENTIAL if used_by_the_engine(op)]
    answered = [op.name for op in used if solve_item(example_problem(op))["status"] == "ok"]
    assert len(answered) >= 0.6 * len(used), sorted({op.name for op in used} - set(answered))


# How a problem comes to use a text of an entry; {f} is the function.
SQUARE = {"X": ["n", "n"], "A": ["n", "n"], "B": ["m", "m"], "C": ["n", "n"], "s": [], "x": ["n"], "k": ["p"]}
USES: dict[str, tuple[str, str]] = {  # field -> (expression, by)
    "slope": ("{f}(s*X)", "s"),
    "commuting": ("sqrtm(s*X)", "s"),
    "of_kron": ("sum({f}(kron(X, B)))", "X"),
    "of_diagonal": ("sum({f}(diag(x)))", "x"),
    "of_vector": ("sum({f}(x))", "x"),
    "of_product": ("sum(C * {f}(A @ X))", "X"),
    "forward": ("{f}(A + s*X)", "s"),
}
JACOBIANS = {"lyapunov": ("lyapunov(A, X)", "X"), "full1d": ("conv1d(x, k)", "x")}
TEXTS = [(op, field) for op in TABLE.values() for field in USES if getattr(op, field)]


def problem_with(expression: str, by: str) -> dict[str, Any]:
    assume = {name: ["pd"] for name in "XAB"} | {"s": ["positive"], "x": ["positive"]}
    return {"id": "use", "variables": SQUARE, "assume": assume, "expression": expression, "wrt": [by]}


@pytest.mark.parametrize(("op", "field"), TEXTS, ids=[f"{op.name}-{field}" for op, field in TEXTS])
def test_no_answer_is_shown_with_another_text_falsified(op: Op, field: str) -> None:
    from whence.cli.solve import solve_item

    expression, by = USES[field]
    asked = problem_with(expression.format(f=op.name), by)
    assert solve_item(asked)["status"] == "ok", solve_item(asked)
    with replaced(op, **{field: f"2*({getattr(op, field)})"}):
        false = solve_item(asked)
    assert false["status"] == "refused", false


@pytest.mark.parametrize("name", [op.name for op in (*TABLE.values(), *HIDDEN.values()) if op.jacobians])
def test_no_answer_is_shown_with_a_jacobian_falsified(name: str) -> None:
    from whence.cli.solve import solve_item

    asked = problem_with(*JACOBIANS[name])
    assert solve_item(asked)["status"] == "ok", solve_item(asked)
    op = lookup(name)
    assert op is not None
    with replaced(op, jacobians={a: f"2*({text})" for a, text in op.jacobians.items()}):
        false = solve_item(asked)
    assert false["status"] == "refused", false


# Words of an entry that are no formulas, each with a false one and a problem that goes through it.
WORDS: list[tuple[str, str, Any, str, str]] = [
    ("expm", "undoes", "sqrtm", "sum(C * expm(sqrtm(X)))", "X"),
    ("expm", "reciprocal", True, "sum(C * expm(2*X))", "X"),
    ("expm", "of_product", "expm(A) @ expm(B)", "sum(C * expm(A @ X))", "X"),
    ("tanh", "parity", "even", "sum(tanh(-x))", "x"),
    ("sigmoid", "parity", "odd", "sum(sigmoid(-x)**2)", "x"),
    ("full1d", "spelled", "2*(conv2d(eye(p + r - 1), K).T @ E)", "sum(sin(conv1d(x, k)))", "x"),
]


@pytest.mark.parametrize(("name", "field", "false", "expression", "by"), WORDS, ids=[f"{w[0]}-{w[1]}" for w in WORDS])
def test_no_answer_is_shown_with_a_false_word(name: str, field: str, false: Any, expression: str, by: str) -> None:
    from whence.cli.solve import solve_item

    asked = problem_with(expression, by)
    assert solve_item(asked)["status"] == "ok", solve_item(asked)
    op = lookup(name)
    assert op is not None
    with replaced(op, **{field: false}):
        answer = solve_item(asked)
    assert answer["status"] == "refused", answer
