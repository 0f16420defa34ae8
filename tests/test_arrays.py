"""Formulas at arrays in float64: every formula of the corpora has the value that the judge gives it."""

from __future__ import annotations

from typing import Any

import pytest

import corpus

np = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(not corpus.has_torch(), reason=corpus.NEEDS_TORCH)


def as_array(x: Any) -> Any:
    return np.asarray(x.detach().numpy() if hasattr(x, "detach") else x, dtype=float)


@pytest.mark.xfail(reason="texts of the table that emission rewrote are not walked yet: a third has no value")
@pytest.mark.parametrize("name", ["classic", "deep", "tensors"])
def test_values_are_those_of_the_judge(name: str) -> None:
    from whence.arrays.values import Values, simple
    from whence.messages.errors import RefusedError

    oracle, seen, refused = corpus.oracle(), 0, 0
    for problem in corpus.problems(name)[::3]:
        if problem.get("functions") or not problem.get("expected"):
            continue
        truth = oracle.evaluate(problem)
        arrays = {n: simple(as_array(v)) for n, v in truth["env"].items() if not isinstance(v, int)}
        arrays = {n: x.reshape(-1, 1) if x.ndim == 1 else x for n, x in arrays.items() if n not in truth["sizes"]}
        values = Values(arrays, truth["sizes"])
        try:
            for text in [problem["expected"], *(d.split("=", 1)[1].strip() for d in problem.get("definitions", []))]:
                found, wanted = values.of(parsed(text)), as_array(oracle.run(text, truth["env"]))
                if wanted.size == 1:
                    found, wanted = found.reshape(()), wanted.reshape(())
                assert found.shape == wanted.shape, (problem["id"], text, found.shape, wanted.shape)
                assert np.allclose(found, wanted, rtol=1e-9, atol=1e-12), (problem["id"], text)
                seen += 1
        except RefusedError as error:
            assert error.code == "no-value", (problem["id"], error)
            refused += 1
    assert seen > 60 and refused < 0.05 * seen, refused


def parsed(text: str) -> Any:
    from whence.verify.texts import parsed as read

    return read(text)
