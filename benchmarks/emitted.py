"""Every emitted program of some corpora, run and compared with their numeric judge, form by form.

    python benchmarks/emitted.py [FILE.jsonl ...] [--forms numpy,c] [--part 0/2]

Each program is called with drawn inputs, its result compared with the true derivative (1e-9 of the largest entry),
and its own test is run. Exit status 1 where one is wrong. Without FILE: the corpora of tests/data.
"""

from __future__ import annotations

import argparse
import collections
import inspect
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 (before NumPy)

# isort: split
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests")]

import corpus  # noqa: E402
import emitting  # noqa: E402
from whence.code import emitted  # noqa: E402
from whence.emit.program import Program  # noqa: E402
from whence.messages.errors import WhenceError  # noqa: E402

# name -> (target, form)
FORMS: dict[str, tuple[str, str]] = {
    "numpy": ("numpy", "plain"),
    "jax": ("jax", "plain"),
    "torch": ("torch", "plain"),
    "c": ("c", "plain"),
    "inplace": ("numpy", "inplace"),
    "assignment": ("numpy", "assignment"),
    "jax custom": ("jax", "custom"),
    "torch custom": ("torch", "custom"),
}


def result_of(made: Any, name: str, program: Program, truth: dict[str, Any]) -> Any:
    """What the emitted module gives at the drawn inputs."""
    end = FORMS[name][0].replace("c", "numpy") if name == "c" else FORMS[name][0]
    if name == "inplace":
        work = made.Workspace(*(emitting.converted(truth["inputs"][n], end) for n in program.inputs))
        return made.gradients(*emitting.arguments(made.gradients, truth, end, work=work))
    wrt = program.outputs[0].wrt[0]
    if name == "assignment":
        parameters = {wrt: emitting.converted(truth["inputs"][wrt], end)}
        _, cache = made.forward(*emitting.arguments(made.forward, truth, end, parameters=parameters))
        given = emitting.arguments(made.backward, truth, end, parameters=parameters, cache=cache)
        (found,) = made.backward(*given).values()
        return found
    if name.endswith("custom"):
        given = emitting.arguments(made.value, truth, end)
        by = list(inspect.signature(made.value).parameters).index(wrt)
        if end == "jax":
            import jax

            return jax.grad(made.cost, by)(*given)
        given[by].requires_grad_()
        made.cost(*given).backward()
        return given[by].grad
    return emitting.called(getattr(made, main_of(made)), truth, end)


def main_of(made: Any) -> str:
    return next(n for n in made.__all__ if n != "Gradients")


def judged(problem: dict[str, Any], name: str, truth: dict[str, Any], program: Program) -> tuple[str, str, float]:
    """(right, wrong, refused or failed; a word about it; the seconds of emission)."""
    start = time.process_time()
    try:
        code = emitted(program, *FORMS[name])  # type: ignore[arg-type]  # targets and forms
    except WhenceError as error:
        return "refused", f"{error.code}: {error.found}", 0.0
    seconds = time.process_time() - start
    try:
        made = emitting.module(code)
        found = np.asarray(getattr(r := result_of(made, name, program, truth), "detach", lambda: r)(), dtype=float)
        true = truth["derivative_vec" if program.outputs[0].layout == "vec" else "derivative"]
        emitting.assert_agrees(found, np.asarray(true))
    except AssertionError as error:
        return "wrong", str(error)[:200], seconds
    except Exception as error:  # whatever emitted code does must be counted
        return "failed", f"{type(error).__name__}: {error}"[:200], seconds
    try:
        if hasattr(made, "test_derivatives"):
            made.test_derivatives()
    except Exception as error:
        return "its test fails", f"{type(error).__name__}: {error}"[:200], seconds
    return "right", "", seconds


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--part", default="0/1", help="the problems whose number leaves 0 when divided by 2: 0/2")
    args = parser.parse_args(argv)
    import jax

    jax.config.update("jax_enable_x64", True)
    oracle = corpus.oracle()
    rest, parts = map(int, args.part.split("/"))
    texts = [f.read_text(encoding="utf-8") for f in args.files]
    problems = [json.loads(t) for text in texts for t in text.splitlines() if t.strip()] or corpus.problems()
    forms = [f.strip() for f in args.forms.split(",")]
    counts: dict[str, collections.Counter[str]] = {f: collections.Counter() for f in forms}
    seconds: dict[str, list[float]] = {f: [] for f in forms}
    bad = 0
    for problem in problems[rest::parts]:
        try:
            program = emitting.program(problem)
        except WhenceError as error:
            print(f"{problem['id']}: no answer ({error.code})", flush=True)
            for name in forms:
                counts[name]["no answer"] += 1
            continue
        truth = oracle.evaluate(problem, seed=3)
        for name in forms:
            verdict, said, took = judged(problem, name, truth, program)
            counts[name][verdict] += 1
            if verdict in ("right", "refused"):
                seconds[name] += [took] if took else []
                counts[name][f"refused, {said}"] += verdict == "refused"
            else:
                bad += 1
                print(f"{problem['id']} {name}: {verdict}: {said}", flush=True)
    for name in forms:
        median = statistics.median(seconds[name] or [0.0])
        said = ", ".join(f"{v} {k}" for k, v in counts[name].most_common() if v)
        print(f"{name:13} {said}; emission {median * 1e3:.1f} ms at the median")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
