"""The table of functions against numbers: every differential against difference quotients, every example judged."""

from __future__ import annotations

from typing import Any

import pytest

from whence.ops.entry import Example, Op
from whence.ops.signature import signature
from whence.ops.table import DOMAINS, TABLE


def _listed(text: str) -> dict[str, list[str]]:
    return {
        name.strip(): [t.strip() for t in rest.split(" x ")] for name, rest in (p.split(":") for p in text.split(", "))
    }


def _problem(example: Example) -> dict[str, Any]:
    return {
        "id": "example",
        "source": "",
        "topic": "",
        "variables": _listed(example.shapes),
        "assume": _listed(example.assume) if example.assume else {},
        "expression": example.expression,
        "wrt": [example.wrt],
        "expected": None,
        **({"layout": example.layout} if example.layout else {}),
    }


def _examples(wrong: bool) -> list[Any]:
    return [
        pytest.param(e, id=f"{op.name}-{k}")
        for op in TABLE.values()
        for k, e in enumerate(op.wrong if wrong else op.right)
    ]


@pytest.mark.parametrize("example", _examples(wrong=False))
def test_right_example_is_right(oracle: Any, example: Example) -> None:
    assert oracle.judge(_problem(example), example.derivative)[0] == "right"


@pytest.mark.parametrize("example", _examples(wrong=True))
def test_wrong_example_is_wrong(oracle: Any, example: Example) -> None:
    assert oracle.judge(_problem(example), example.derivative)[0] in ("wrong", "shape")


# Entries that are no words of the language: how they are written.
INFIX = {"power": "A**B"}
SIZES = {"n": 4, "m": 3, "p": 2, "q": 2}


def _calls(op: Op) -> list[tuple[str, dict[str, tuple[int, ...]], str]]:
    """Calls of the function to try: the call, the shapes of its arguments, and the axis as a text."""
    out = []
    for way in signature(op).ways:
        if any(p.kind not in ("array", "name") for p in way.parameters):
            continue
        names = [p.name for p in way.parameters]
        shapes: dict[str, tuple[int, ...]] = {}
        for p in way.parameters:
            sizes = ("n", "m") if p.sizes is None else (*p.sizes, "1") if len(p.sizes) == 1 else p.sizes
            if p.kind == "array":
                shapes[p.name] = tuple(int(SIZES.get(s, 1)) for s in sizes)
        axes = ["", "0", "1"] if signature(op).axis else [""]
        functions = ["expm", "logm", "sqrtm", "cholesky"] if names[0] == "F" else [""]
        for axis in axes:
            for f in functions:
                if op.name in INFIX:
                    out.append((INFIX[op.name], shapes, axis))
                    continue
                arguments = ", ".join(f if n == "F" else n for n in names)
                out.append((f"{op.name}({arguments}{', axis=' + axis if axis else ''})", shapes, axis))
    return out


def _rule(op: Op, axis: str) -> str:
    whole = not axis and signature(op).axis_default is None
    return (op.differential_whole if whole and op.differential_whole else "") or op.differential


RULES = [
    pytest.param(op, call, shapes, axis, id=call)
    for op in TABLE.values()
    if op.differential
    for call, shapes, axis in _calls(op)
]


def _quotient(oracle: Any, call: str, env: dict[str, Any], change: dict[str, Any]) -> Any:
    def at(t: float) -> Any:
        return oracle.run(call, {**env, **{n: env[n] + t * d for n, d in change.items()}})

    h = 1e-4
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


@pytest.mark.parametrize(("op", "call", "shapes", "axis"), RULES)
def test_differential_agrees_with_difference_quotients(
    oracle: Any, op: Op, call: str, shapes: dict[str, tuple[int, ...]], axis: str
) -> None:
    import numpy as np
    import torch

    text = _rule(op, axis).replace("axis=axis", f"axis={axis or signature(op).axis_default}")
    text = text.replace(", axis=None", "")
    if "F" in text:
        text = text.replace("(F,", call[call.index("(") : call.index(",") + 1])
    rng = np.random.default_rng(7)
    for _ in range(3):
        env = {n: torch.tensor(oracle._draw(s, DOMAINS[op.domain], rng)) for n, s in shapes.items()}
        skip = set(op.no_rule) | {"C"}  # a condition is constant
        change = {n: torch.tensor(rng.standard_normal(s)) for n, s in shapes.items() if n not in skip}
        if "cholesky" in call:
            change = {n: (d + d.mT) / 2 for n, d in change.items()}
            env = {n: (d + d.mT) / 2 for n, d in env.items()}
        want = _quotient(oracle, call, env, change)
        deltas = {f"δ{n}": change.get(n, torch.zeros(s)) for n, s in shapes.items()}
        got = oracle.run(text, {**env, **deltas, "Y": torch.tensor(oracle.run(call, env))})
        assert np.asarray(got).reshape(want.shape) == pytest.approx(want, rel=1e-6, abs=1e-7)


EXACT = [
    pytest.param(op, call, shapes, axis, id=call)
    for op in TABLE.values()
    if op.exact or op.expands
    for call, shapes, axis in _calls(op)
]


@pytest.mark.parametrize(("op", "call", "shapes", "axis"), EXACT)
def test_exact_and_expanded_texts_have_the_value(
    oracle: Any, op: Op, call: str, shapes: dict[str, tuple[int, ...]], axis: str
) -> None:
    import numpy as np
    import torch

    rng = np.random.default_rng(3)
    env = {n: torch.tensor(oracle._draw(s, DOMAINS[op.domain], rng)) for n, s in shapes.items()}
    for text in filter(None, (op.exact, op.expands)):
        text = text.replace("axis=axis", f"axis={axis or signature(op).axis_default}").replace(", axis=None", "")
        assert oracle.run(text, env) == pytest.approx(oracle.run(call, env), rel=1e-9)


@pytest.mark.parametrize("axes", ["(0, 1)", "(1, 2)", "(-1, 0)"])
@pytest.mark.parametrize("op", [op for op in TABLE.values() if op.differential_several], ids=lambda op: op.name)
def test_several_axes(oracle: Any, op: Op, axes: str) -> None:
    import numpy as np
    import torch

    rng = np.random.default_rng(5)
    env = {"X": torch.tensor(rng.standard_normal((3, 4, 2)))}
    change = {"X": torch.tensor(rng.standard_normal((3, 4, 2)))}
    call = f"{op.name}(X, axis={axes})"
    text = op.differential_several.replace("axis=axis", f"axis={axes}")
    got = oracle.run(text, {**env, "δX": change["X"], "Y": torch.tensor(oracle.run(call, env))})
    assert got == pytest.approx(_quotient(oracle, call, env, change), rel=1e-6, abs=1e-7)
