"""With the differential of a function falsified, no answer that uses it is shown."""

from __future__ import annotations

import re
from typing import Any

import pytest

from falsify import replaced
from whence.ops.entry import Op
from whence.ops.table import TABLE

# What is drawn for an argument, by the domain of the entry.
ASSUME = {
    "positive": ["positive"],
    "nonzero": ["nonzero"],
    "unit-interval": ["unit-interval"],
    "invertible": ["invertible"],
    "symmetric": ["symmetric"],
    "positive definite": ["pd"],
}
FALSE = {
    "sign": "-({})",
    "factor": "2*({})",
    "transpose": "({}).T",
}
WITH_DIFFERENTIAL = [op for op in TABLE.values() if op.differential and not op.zero]


def arguments(op: Op) -> list[str]:
    """The names of the arguments: `takes` without the sizes and without the axis."""
    return [a.strip() for a in re.sub(r"\[[^\]]*\]", "", op.takes).split(",") if a.strip() not in ("axis", "…", "")]


def example_problem(op: Op) -> dict[str, Any]:
    """The first right example of the entry as a problem."""
    example = op.right[0]
    shapes = [part.rsplit(":", 1) for part in re.split(r",(?=[^,]*:)", example.shapes)]
    variables: dict[str, list[Any]] = {}
    for name, shape in shapes:
        sizes = [] if shape.strip() == "scalar" else shape.split("x")
        variables[name.strip()] = [int(s) if s.strip().isdigit() else s.strip() for s in sizes]
    return problem(op, example.expression, [example.wrt], variables)


def square_problem(op: Op) -> dict[str, Any]:
    """sum(C * f(X)) at square X: there a transpose in the differential fits, and shows."""
    names = arguments(op)
    axis = ", axis=0" if "axis" in op.takes else ""
    call = f"{op.name}({', '.join(names)}{axis})"
    return problem(op, f"sum(C0 * {call})", [names[0]], {name: ["n", "n"] for name in ["C0", *names]})


def problem(op: Op, expression: str, wrt: list[str], variables: dict[str, list[Any]]) -> dict[str, Any]:
    tags = ASSUME.get(op.domain)
    assume = {name: tags for name in arguments(op) if name in variables} if tags else {}
    return {"id": op.name, "variables": variables, "assume": assume, "expression": expression, "wrt": wrt}


@pytest.mark.parametrize("fault", list(FALSE))
@pytest.mark.parametrize("op", WITH_DIFFERENTIAL, ids=lambda op: op.name)
def test_no_answer_is_shown(op: Op, fault: str) -> None:
    from whence.cli.solve import solve_item

    square = op.gives in ("X", "[n,n]")
    if fault == "transpose" and not square:
        pytest.skip("its value is no square matrix: the transposed differential has another shape, or is the same")
    asked = square_problem(op) if fault == "transpose" else example_problem(op)
    sound = solve_item(asked)
    if sound["status"] != "ok":
        pytest.skip(f"not answered with the true differential either: {sound['error']['code']}")
    with replaced(op, differential=FALSE[fault].format(op.differential)):
        false = solve_item(asked)
    assert false["status"] == "refused", false
    assert false["error"]["code"] != "internal", false
    assert solve_item(asked)["status"] == "ok", "the table was not restored"


def test_most_entries_are_put_to_the_test() -> None:
    """The test above would be empty if the examples were refused with the true differentials too."""
    from whence.cli.solve import solve_item

    answered = [op.name for op in WITH_DIFFERENTIAL if solve_item(example_problem(op))["status"] == "ok"]
    assert len(answered) >= 0.6 * len(WITH_DIFFERENTIAL), sorted({op.name for op in WITH_DIFFERENTIAL} - set(answered))
