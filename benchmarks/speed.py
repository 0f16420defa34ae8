"""Emitted code against automatic differentiation, in one run: `python benchmarks/speed.py [CASE ...] [--write]`.

Every rival computes the same numbers, which are compared first. Rounds are interleaved, one thread for each library;
a ratio is the median time of the rival over ours. `--write` keeps the table in docs/speed.md, with the machine's facts.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 (before NumPy)

# isort: split
import numpy as np
from speed_cases import CASES, Case

ROUNDS, LEAST = 15, 0.02  # rounds of a case; seconds that one sample of a fast function fills
TABLE = Path(__file__).parent.parent / "docs" / "speed.md"
Runner = Callable[[], Any]


def settled(result: Any) -> Any:
    """The arrays of a result as NumPy has them, once they are there."""
    parts = result if isinstance(result, (tuple, list)) else [result]
    return [np.asarray(p.detach() if hasattr(p, "detach") else p, dtype=float) for p in parts]


def agree(first: Any, other: Any, rtol: float) -> None:
    """The rivals compute the same: each entry within rtol of the largest."""
    for a, b in zip(settled(first), settled(other), strict=True):
        scale = max(float(np.abs(a).max()), 1e-30)
        np.testing.assert_allclose(b.reshape(a.shape) / scale, a / scale, atol=rtol)


def sample(run: Runner, repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        run()
    return (time.perf_counter() - start) / repeat


def times(runners: dict[str, Runner], rounds: int) -> dict[str, float]:
    """The median time of each, the rounds interleaved."""
    repeats = {}
    for name, run in runners.items():
        run()
        once = sample(run, 1)
        repeats[name] = max(1, min(20_000, int(LEAST / max(min(once, sample(run, 3)), 1e-7))))
    seen: dict[str, list[float]] = {name: [] for name in runners}
    for k in range(rounds):
        order = list(runners)[k % len(runners) :] + list(runners)[: k % len(runners)]
        for name in order:
            seen[name].append(sample(runners[name], repeats[name]))
    return {name: statistics.median(found) for name, found in seen.items()}


def run(case: Case, rounds: int) -> list[str]:
    """The rows of one case in the table."""
    ours, rivals, tolerance = case.make()
    first = next(iter(ours.values()))()
    for name, other in {**ours, **rivals}.items():
        if name not in case.other_form:
            agree(first, other(), tolerance)
    found = times({**ours, **rivals}, rounds)
    best_rival = min(rivals, key=lambda n: found[n])
    best_of_ours = min(ours, key=lambda n: found[n])
    rows = []
    for name in ours:
        for baseline, bar in case.bars.get(name, {}).items():
            baselines = [baseline] if baseline in found else list(rivals)
            against = min(baselines, key=lambda n: found[n])
            ratio = found[against] / found[name]
            said = f"{bar:g}" + ("" if ratio >= bar else " (missed)")
            if baseline not in found and name != best_of_ours:
                said = "-"  # wanted is the best of ours
            rows.append(
                f"| {case.title} | {name} | {spoken(found[name])} | {against} | {spoken(found[against])} "
                f"| {ratio:.3g} | {said} | {found[best_rival] / found[name]:.3g} ({best_rival}) |"
            )
    return rows


def spoken(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} us" if seconds < 1e-3 else f"{seconds * 1e3:.3g} ms"


def fresh_process() -> list[str]:
    """The first gradient of emitted NumPy code and of JAX in a process that has imported nothing."""
    from speed_cases import fresh_programs

    found = {}
    for name, code in fresh_programs().items():
        seen = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            seen.append(time.perf_counter() - start)
        found[name] = statistics.median(seen)
    ours, theirs = found["NumPy"], found["jax.jit(jax.grad)"]
    said = "5" if theirs / ours >= 5 else "5 (missed)"
    return [
        f"| first gradient in a fresh process, 2-4-1 | NumPy | {spoken(ours)} | jax.jit(jax.grad) | {spoken(theirs)} | "
        f"{theirs / ours:.3g} | {said} | {theirs / ours:.3g} (jax.jit(jax.grad)) |"
    ]


def memory() -> list[str]:
    """The peak of the large network in place, against what it cannot do without."""
    from speed_cases import large_in_place

    arrays, run = large_in_place()
    run()
    tracemalloc.start()
    results = run()
    _, grown = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    needed = sum(a.nbytes for a in (*arrays.given, *results)) + arrays.saved
    peak = sum(a.nbytes for a in arrays.given) + sum(a.nbytes for a in arrays.work) + grown
    said = "1.1" if peak <= 1.1 * needed else "1.1 (missed)"
    return [
        f"Peak memory of 2048-4096-1000 (batch 512, float32) in place: {peak / 1e6:.1f} MB, "
        f"{peak / needed:.3g} times parameters, gradients, inputs and saved activations (wanted: at most {said})."
    ]


def machine() -> str:
    model = next(
        (k.split(":")[1].strip() for k in Path("/proc/cpuinfo").read_text().split("\n") if k.startswith("model name")),
        platform.processor(),
    )
    import jax
    import torch

    return (
        f"{model}, one thread for each library; Python {platform.python_version()}, NumPy {np.__version__}, "
        f"JAX {jax.__version__}, PyTorch {torch.__version__}; {os.cpu_count()} cores, "
        f"{os.getloadavg()[2]:.1f} programs running on average: above the number of cores, ratios are uncertain"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(c.name for c in CASES)}, fresh, memory")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="keep the table in docs/speed.md")
    args = parser.parse_args(argv)
    rows = []
    for case in CASES:
        if not args.cases or case.name in args.cases:
            new = run(case, min(args.rounds, case.rounds))
            print("\n".join(new), flush=True)
            rows += new
    if not args.cases or "fresh" in args.cases:
        rows += fresh_process()
        print(rows[-1])
    said = memory() if not args.cases or "memory" in args.cases else []
    print("\n".join(said))
    if args.write:
        TABLE.write_text(page(rows, said), encoding="utf-8")
    return 0


def page(rows: Sequence[str], said: Sequence[str]) -> str:
    return "\n".join(
        [
            "# How fast emitted code is",
            "",
            f"Measured by `python benchmarks/speed.py --write` on: {machine()}.",
            "",
            "A ratio is the median time of the rival over ours, in one run with interleaved rounds; above 1 ours is",
            "faster. First derivatives of large networks are products of large matrices in any case: there the closed",
            "form draws with automatic differentiation. It wins where calls and passes over memory count, and where",
            "structure is kept.",
            "",
            "| what | ours | time | rival | time | ratio | wanted | against the best rival |",
            "|---|---|---|---|---|---|---|---|",
            *rows,
            "",
            *said,
            "",
            "Of large networks the best of ours is wanted; the other rows show the same formulas in other libraries.",
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
