"""Solves random programs with whence and judges every answer against automatic differentiation.

    python tests/run_programs.py --count 2000 --seed 0

Prints how many answers are right, refused (by code), wrong, and how many crashed; a wrong answer or a crash is made
smaller as long as it stays one, and printed. Exit status 1 when there is any.
"""

from __future__ import annotations

import argparse
import ast
import collections
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import corpus
from programs import Problem, Program, programs
from tensor_programs import TensorProgram

Solver = Callable[[Problem], dict[str, Any]]
FAULTS = ("wrong", "crash")


@dataclass
class Outcome:
    kind: str  # right, refused, wrong, crash
    detail: str = ""
    formula: str = ""


@dataclass
class Tally:
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    codes: collections.Counter[str] = field(default_factory=collections.Counter)
    faults: list[tuple[Problem, Outcome]] = field(default_factory=list)


def attempt(problem: Problem, solve: Solver, truths: list[Any] | None = None) -> Outcome:
    """Solve one problem and judge the answer."""
    try:
        answer = solve(corpus.question(problem))
    except Exception as error:  # a crash is what is looked for
        return Outcome("crash", f"{type(error).__name__}: {error}")
    if answer.get("status") != "ok":
        code = (answer.get("error") or {}).get("code", "no code")
        return Outcome("crash" if code == "internal" else "refused", code)
    if answer.get("verified") not in ("exact", "numeric"):
        return Outcome("wrong", f"shown although verified is {answer.get('verified')!r}", str(answer.get("formula")))
    try:
        kind, detail = corpus.oracle().judge(problem, answer.get("formula"), layout=answer.get("layout"), truths=truths)
    except corpus.oracle().BadDraw as error:  # the judge itself finds no inputs at which the program is well scaled
        return Outcome("unjudged", str(error), str(answer.get("formula")))
    except RuntimeError as error:  # automatic differentiation itself failed
        return Outcome("unjudged", f"{type(error).__name__}: {error}", str(answer.get("formula")))
    return Outcome("right" if kind == "right" else "wrong", f"{kind}: {detail}", str(answer.get("formula")))


# ---------------------------------------------------------------------- making a failing program smaller
def _children(node: ast.expr) -> list[ast.expr]:
    return [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr) and not _is_word(node, n)]


def _is_word(parent: ast.expr, node: ast.expr) -> bool:
    return isinstance(parent, ast.Call) and node is parent.func


def _smaller_texts(text: str) -> Iterator[str]:
    """The formula with one operation replaced by one of its operands, large steps first."""
    tree = ast.parse(text, mode="eval")
    count = sum(1 for _ in ast.walk(tree))
    for k in range(count):
        here = list(ast.walk(tree))[k]
        if not isinstance(here, ast.expr):
            continue
        for j in range(len(_children(here))):
            copy = ast.parse(text, mode="eval")
            place = list(ast.walk(copy))[k]
            assert isinstance(place, ast.expr)
            yield ast.unparse(_Replace(place, _children(place)[j]).visit(copy))


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else super().visit(node)


def _smaller(problem: Problem) -> Iterator[Problem]:
    definitions = problem.get("definitions", [])
    for k, line in enumerate(definitions):
        name, body = (part.strip() for part in line.split("=", 1))
        rest = definitions[:k] + definitions[k + 1 :]
        yield {**problem, "definitions": rest}
        if name not in problem["wrt"] and name not in problem.get("adjoints", {}).values():
            inlined = [_substituted(text, name, body) for text in rest]
            yield {**problem, "definitions": inlined, "expression": _substituted(problem["expression"], name, body)}
        if not problem.get("adjoints"):
            yield {**problem, "definitions": definitions[:k], "expression": body}
    for name in problem.get("adjoints", {}):
        yield {**problem, "adjoints": {d: z for d, z in problem["adjoints"].items() if d != name}}
    for name in problem.get("assume", {}):
        yield {**problem, "assume": {v: t for v, t in problem["assume"].items() if v != name}}
    for text in _smaller_texts(problem["expression"]):
        yield {**problem, "expression": text}
    for k, line in enumerate(definitions):
        name, body = (part.strip() for part in line.split("=", 1))
        for text in _smaller_texts(body):
            yield {**problem, "definitions": [*definitions[:k], f"{name} = {text}", *definitions[k + 1 :]]}


def _substituted(text: str, name: str, body: str) -> str:
    """`text` (a formula, or a line `target = formula`) with the name replaced by its body."""
    target, equals, formula = text.partition("=") if "=" in text.split("(")[0] else ("", "", text)
    tree = ast.parse(formula.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name:
            tree = _Replace(node, ast.parse(body, mode="eval").body).visit(tree)
    return f"{target}{equals} {ast.unparse(tree)}".strip()


def _used_only(problem: Problem) -> Problem:
    """Without the declarations that nothing uses any more."""
    text = " ".join([problem["expression"], *problem.get("definitions", []), *problem["wrt"]])
    words = set(_words(text))
    out = {**problem, "variables": {n: s for n, s in problem["variables"].items() if n in words}}
    for key in ("assume", "functions"):
        if key in problem:
            kept = {n: t for n, t in problem[key].items() if n in words or f"{n}_prime" in words}
            out = {**out, key: kept} if kept else {k: v for k, v in out.items() if k != key}
    for key in ("definitions", "adjoints"):
        if not out.get(key, True):
            del out[key]
    return out


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in text).split()


def minimise(problem: Problem, fails: Callable[[Problem], bool], seconds: float = 20.0) -> Problem:
    """The smallest program found that still fails; `fails` says no where a program has no value."""
    end = time.monotonic() + seconds
    shrunk = True
    while shrunk and time.monotonic() < end:
        shrunk = False
        for candidate in _smaller(problem):
            if time.monotonic() > end:
                break
            candidate = _used_only(candidate)
            if len(json.dumps(candidate)) < len(json.dumps(problem)) and fails(candidate):
                problem, shrunk = candidate, True
                break
    return problem


def fails_like(kind: str, solve: Solver) -> Callable[[Problem], bool]:
    """Does a program still fail in this way, and has it a value at all?"""
    oracle = corpus.oracle()

    def fails(problem: Problem) -> bool:
        try:
            truths = [oracle.evaluate(problem, seed, tries=5) for seed in range(3)]
        except Exception:  # the smaller text fits no more
            return False
        return attempt(problem, solve, truths).kind == kind

    return fails


# ---------------------------------------------------------------------- the command
def run(count: int, seed: int, solve: Solver, kind: type[Program] = Program) -> Tally:
    tally = Tally()
    for problem in programs(count, seed, kind):
        outcome = attempt(problem, solve)
        tally.outcomes[outcome.kind] += 1
        if outcome.kind == "refused":
            tally.codes[outcome.detail] += 1
        elif outcome.kind in FAULTS:
            tally.faults.append((problem, outcome))
    return tally


def report(tally: Tally, solve: Solver, shown: int = 5) -> str:
    lines = []
    for problem, outcome in tally.faults[:shown]:
        small = minimise(problem, fails_like(outcome.kind, solve))
        again = attempt(small, solve)
        lines += [
            f"{outcome.kind.upper()} {problem['id']}: {outcome.formula} -- {outcome.detail}",
            f"    smallest: {json.dumps(small)}",
            f"    answer:   {again.formula} -- {again.detail}",
        ]
    counts = ", ".join(f"{kind} {tally.outcomes[kind]}" for kind in ("right", "refused", "unjudged", *FAULTS))
    codes = ", ".join(f"{code} {n}" for code, n in sorted(tally.codes.items(), key=lambda t: (-t[1], t[0])))
    total = f"{sum(tally.outcomes.values())} programs: {counts}"
    return "\n".join([*lines, total, f"refused by code: {codes or 'none'}"])


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tensors", action="store_true", help="programs with arrays of rank 3 and 4")
    args = parser.parse_args(argv)
    from whence.cli.solve import solve_item

    tally = run(args.count, args.seed, solve_item, TensorProgram if args.tensors else Program)
    print(report(tally, solve_item))
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
