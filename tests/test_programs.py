"""Random typed programs: the generator itself, and whence against automatic differentiation."""

from __future__ import annotations

from typing import Any

import run_programs
from programs import program, programs
from tensor_programs import TensorProgram

COUNT, SEED = 150, 11
FIRST_RELEASE = """
    exp log sin cos tan asin acos atan sinh cosh tanh sqrt abs erf relu sigmoid softplus gelu step sum mean trace diag
    inv det logdet norm norm1 softmax logsumexp where maximum minimum eye g g_prime
"""


def test_a_program_depends_on_its_seed_alone() -> None:
    assert list(programs(5, 3)) == [program(3_000_000 + k) for k in range(5)]


def test_programs_cover_the_first_release() -> None:
    text = " ".join(t for p in programs(1500, 1) for t in [p["expression"], *p.get("definitions", [])])
    missing = [word for word in FIRST_RELEASE.split() if f"{word}(" not in text]
    assert not missing


def test_every_program_has_a_value(oracle: Any) -> None:
    for problem in programs(COUNT, SEED):
        oracle.evaluate(problem)


def test_no_program_is_answered_wrongly(oracle: Any) -> None:
    from whence.cli.solve import solve_item

    tally = run_programs.run(COUNT, SEED, solve_item)
    assert not tally.faults, run_programs.report(tally, solve_item)
    assert tally.outcomes["right"] >= 0.8 * COUNT, dict(tally.codes)


def test_the_minimiser_keeps_the_fault_and_drops_the_rest(oracle: Any) -> None:
    def crashes_at_logsumexp(problem: dict[str, Any]) -> dict[str, Any]:
        if "logsumexp" in " ".join([problem["expression"], *problem.get("definitions", [])]):
            raise ValueError("planted")
        return {"status": "refused", "error": {"code": "no-rule"}}

    tally = run_programs.run(40, 3, crashes_at_logsumexp)
    assert tally.outcomes["crash"] and tally.outcomes["refused"]
    problem, _ = tally.faults[0]
    small = run_programs.minimise(problem, run_programs.fails_like("crash", crashes_at_logsumexp))
    assert "logsumexp" in small["expression"] or "logsumexp" in small["definitions"][-1]
    assert len(small["variables"]) == 1 and len(small.get("definitions", [])) <= 1


def test_a_wrong_answer_is_found(oracle: Any) -> None:
    tally = run_programs.run(10, SEED, lambda problem: {"status": "ok", "formula": "12345", "verified": "exact"})
    assert tally.outcomes["wrong"] == 10


def test_no_program_with_tensors_is_answered_wrongly(oracle: Any) -> None:
    from whence.cli.solve import solve_item

    tally = run_programs.run(60, SEED, solve_item, TensorProgram)
    assert not tally.faults, run_programs.report(tally, solve_item)
    assert tally.outcomes["right"] >= 0.9 * 60, dict(tally.codes)
