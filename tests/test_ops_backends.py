"""The NumPy and PyTorch texts of the table give the values of the language."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test_ops_numbers import _calls
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import DOMAINS, TABLE

CALLS = [
    pytest.param(op, call, shapes, axis, id=call)
    for op in TABLE.values()
    if not any(p.many for way in signature(op).ways for p in way.parameters)
    for call, shapes, axis in _calls(op)
]
# The texts name their matrix function by its own text; only the first is drawn on here.
OTHER_FRECHET = ("logm", "sqrtm", "cholesky")


def _run(text: str, helper: str, names: dict[str, Any]) -> Any:
    scope = dict(names)
    exec(helper, scope)
    return eval(text, scope)


def _filled(op: Op, text: str, axis: str) -> str:
    whole = "(0, 1)" if signature(op).axis == "several" else "None"
    default = signature(op).axis_default
    return text.replace("{axis}", axis or (whole if default is None else str(default)))


@pytest.mark.parametrize("end", ["numpy", "torch"])
@pytest.mark.parametrize(("op", "call", "shapes", "axis"), CALLS)
def test_code_gives_the_value(
    oracle: Any,
    op: Op,
    call: str,
    shapes: dict[str, tuple[int, ...]],
    axis: str,
    end: str,
) -> None:
    import numpy as np
    import torch

    text = _filled(op, getattr(op, end), axis)
    if not text or any(f"({f}," in call for f in OTHER_FRECHET):
        pytest.skip("no text")
    names: dict[str, Any] = {"np": np, "torch": torch, "math": math}
    if "scipy" in text or "{F}" in text:
        names["scipy"] = pytest.importorskip("scipy")
        pytest.importorskip("scipy.linalg")
        pytest.importorskip("scipy.special")
    rng = np.random.default_rng(11)
    drawn = {n: oracle._draw(s, DOMAINS[op.domain], rng) for n, s in shapes.items()}
    want = oracle.run(call, {n: torch.tensor(x) for n, x in drawn.items()})
    for name, x in drawn.items():
        text = text.replace("{" + name + "}", f"({name})")
        names[name] = x if end == "numpy" else torch.tensor(x)
    text = text.replace("{F}", "scipy.linalg.expm" if end == "numpy" else "torch.linalg.matrix_exp")
    text = text.replace("{like}", "one")
    names["one"] = np.ones(1) if end == "numpy" else torch.ones(1)
    got = np.asarray(_run(text, op.helpers.get(end, ""), names))
    if op.name in ("svd_u1", "svd_v1"):  # of these the sign is nobody's
        got, want = np.abs(got), np.abs(want)
    assert got.size == want.size
    assert got.reshape(want.shape) == pytest.approx(want, rel=1e-9, abs=1e-12)
    if got.size > 1:
        assert got.shape == want.shape
