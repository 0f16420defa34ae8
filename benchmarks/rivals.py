"""Runs whence, SymPy and tensorgrad on the same problems and prints what each of them makes of them, side by side.

    python benchmarks/rivals.py                              # with the Python in which whence, numpy and torch are
    python benchmarks/rivals.py --sympy-python A --tensorgrad-python B       # interpreters that have the others
    python benchmarks/rivals.py --only whence,sympy --limit 50 --json     # every outcome; --json FILE: and the table
    python benchmarks/rivals.py --show cb-57                 # one problem: each program, answer and verdict

The problems are those of tests/data/classic.jsonl and deep.jsonl. Each tool runs in a process of its own; tensorgrad,
which is under the AGPL, is only ever run as a separate program.

How the others are asked. A problem is translated into the tool's own language (rival_sympy.py, rival_tensorgrad.py;
`--show` prints the program). What a tool has no word for counts as "cannot express", never as wrong. SymPy is asked in
up to four manners (a sum as a trace, as a matrix of one entry, as its entry, and with doit), and the best outcome
counts, where no answer is better than a wrong one. A derivative by an intermediate is asked with that intermediate as
a variable. One by the free parameters of a structured matrix counts as something neither of them has a word for.

How answers are judged. All are evaluated at three random inputs of pairwise different sizes and compared with automatic
differentiation (tests/data/oracle.py). A rival's axes may stand in another layout: blocks of axes in any order, axes of
length 1 anywhere. A rival's answer is then written in whence's language on its behalf, with matrix products instead of
sums over indices wherever that can be done (rival_write.py), since neither prints formulas that could be read back.

What the rows say. `closed form`: right, and written without an einsum or an index, of the problems whose known answer
is. `length`: tokens of the answer / tokens of the known answer, over the right answers to problems without
intermediates (with them the known answers use their names, which the others cannot). `seconds`: from the tool's own
program to the derivative, without importing the tool, over the right answers; whence's include reading the formulas
and verifying the answer. `wrong in another manner`: of those refused, what another translation answers wrongly.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rival_judge import ROOT, Judge, score
from rival_process import Tool, version_in
from rival_reader import CannotExpress, Reader
from rival_sympy import MANNERS, SympyWords
from rival_tensorgrad import TensorgradWords

TOOLS = ("whence", "sympy", "tensorgrad")
RANK = ("right", "refused", "wrong")  # the best outcome of several translations counts
WARM_UP = {
    "whence": {"problem": {"id": "warm", "variables": {"x": ["n"]}, "expression": "x.T @ x", "wrt": ["x"]}},
    "sympy": {"program": "import sympy as sp\nanswer = sp.Integer(0)"},
    "tensorgrad": {"program": "import tensorgrad as tg, tensorgrad.functions as F\nanswer = (tg.Ones(), [])"},
}
ANSWERS = ("expected", "source", "note", "factor")


@dataclass
class Outcome:
    kind: str  # right, wrong, refused, cannot express
    detail: str = ""
    seconds: float | None = None
    ratio: float | None = None
    closed: bool = False
    program: str = ""
    shown: str = ""
    formula: str | None = None
    also_wrong: bool = False  # in another translation


# ---------------------------------------------------------------- asking
def programs(tool: str, problem: dict[str, Any]) -> list[str]:
    """The problem in the tool's language, in all the manners that differ. Raises CannotExpress."""
    if tool == "tensorgrad":
        return [Reader(problem, TensorgradWords()).program()]
    return list(dict.fromkeys(Reader(problem, SympyWords(manner)).program() for manner in MANNERS))


def outcome_of(tool: str, reply: dict[str, Any], judge: Judge, program: str) -> Outcome:
    if "error" in reply:
        return Outcome("refused", str(reply["error"])[:300], program=program)
    own = tool == "whence"
    verdict = judge.formula(reply["formula"], reply["layout"]) if own else judge.graph(reply["nodes"])
    ratio = judge.ratio(verdict.formula) if verdict.formula else None
    shown = reply.get("shown") or reply.get("formula", "")
    seconds = float(reply["seconds"])
    return Outcome(verdict.kind, verdict.detail, seconds, ratio, verdict.closed, program, shown, verdict.formula)


def ask(tool: str, process: Tool, problem: dict[str, Any], judge: Judge) -> Outcome:
    if tool == "whence":
        question = {key: value for key, value in problem.items() if key not in ANSWERS}
        return outcome_of(tool, process.ask({"problem": question}), judge, "")
    try:
        asked = programs(tool, problem)
    except CannotExpress as missing:
        return Outcome("cannot express", str(missing))
    outcomes: list[Outcome] = []
    for program in asked:
        outcomes.append(outcome_of(tool, process.ask({"program": program}), judge, program))
        if outcomes[-1].kind == "right":
            break
    best = min(outcomes, key=lambda outcome: RANK.index(outcome.kind))
    best.also_wrong = best.kind == "refused" and any(outcome.kind == "wrong" for outcome in outcomes)
    return best


# ---------------------------------------------------------------- counting
def right_by_all(outcomes: dict[str, dict[str, Outcome]]) -> set[str]:
    sets = [{name for name, outcome in answers.items() if outcome.kind == "right"} for answers in outcomes.values()]
    return set.intersection(*sets) if sets else set()


def median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def summary(outcomes: dict[str, Outcome], plain: set[str], shared: set[str]) -> dict[str, Any]:
    """The figures of one tool's column; `plain`: the problems whose known answer is a closed form; `shared`: those
    that every tool answers rightly."""
    kinds = [outcome.kind for outcome in outcomes.values()]
    right = [outcome for outcome in outcomes.values() if outcome.kind == "right"]
    ratios = [outcome.ratio for outcome in right if outcome.ratio is not None]
    seconds = [outcome.seconds for outcome in right if outcome.seconds is not None]
    common = [outcomes[name] for name in sorted(shared)]
    return {
        "problems": len(kinds),
        "translated": len(kinds) - kinds.count("cannot express"),
        "right": kinds.count("right"),
        "wrong": kinds.count("wrong"),
        "refused or error": kinds.count("refused"),
        "  wrong in another manner": sum(outcome.also_wrong for outcome in outcomes.values()),
        "cannot express": kinds.count("cannot express"),
        "closed form": sum(outcome.closed for name, outcome in outcomes.items() if name in plain),
        "closed form, of": sum(name in plain for name in outcomes),
        "length, answers measured": len(ratios),
        "length, median": median(list(ratios)),
        "length, 95th percentile": score.percentile(ratios, 0.95) if ratios else None,
        "seconds, median": median(list(seconds)),
        "seconds, 95th percentile": score.percentile(seconds, 0.95) if seconds else None,
        "right by all tools": len(shared),
        "  length there, median": median([outcome.ratio for outcome in common]),
        "  seconds there, median": median([outcome.seconds for outcome in common]),
    }


def cell(value: Any) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def table(versions: dict[str, str | None], columns: dict[str, dict[str, Any]]) -> str:
    heads = {tool: f"{tool} {version}" if version else tool for tool, version in versions.items()}
    names = list(next(iter(columns.values()))) if columns else []
    lines = ["".join([" " * 26, *(f"{head:>22}" for head in heads.values())])]
    if not all(versions.values()):
        lines.append(" " * 26 + "".join(f"{'' if v else 'not installed':>22}" for v in versions.values()))
    for name in names:
        cells = [cell(columns[tool][name]) if tool in columns else "" for tool in versions]
        lines.append("".join([f"{name:26}", *(f"{text:>22}" for text in cells)]))
    return "\n".join(lines)


# ---------------------------------------------------------------- running
def problems_of(names: list[str]) -> dict[str, list[dict[str, Any]]]:
    folder = ROOT / "tests" / "data"
    read = {name: (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines() for name in names}
    return {name: [json.loads(line) for line in lines if line.strip()] for name, lines in read.items()}


def run(problems: list[dict[str, Any]], tools: dict[str, Tool], note: str) -> tuple[dict[str, Any], set[str]]:
    outcomes: dict[str, dict[str, Outcome]] = {tool: {} for tool in tools}
    plain: set[str] = set()
    for k, problem in enumerate(problems, 1):
        judge = Judge(problem)
        if judge.closable:
            plain.add(problem["id"])
        for tool, process in tools.items():
            outcomes[tool][problem["id"]] = ask(tool, process, problem, judge)
        if sys.stderr.isatty():
            print(f"\r{note} {k}/{len(problems)}", end="", file=sys.stderr, flush=True)
    return outcomes, plain


def show(problem: dict[str, Any], outcomes: dict[str, dict[str, Outcome]]) -> str:
    formulas = "; ".join([*problem.get("definitions", []), problem["expression"]])
    lines = [f"{problem['id']}: {formulas} by {', '.join(problem['wrt'])}", f"known: {problem['expected']}"]
    for tool, answers in outcomes.items():
        o = answers[problem["id"]]
        lines += ["", f"--- {tool}: {o.kind} {o.detail}", o.program, f"answer: {o.shown}", f"written: {o.formula}"]
    return "\n".join(lines)


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(TOOLS), help="the tools to run, separated by commas")
    parser.add_argument("--corpus", default="classic,deep", help="the corpora, separated by commas")
    parser.add_argument("--limit", type=int, help="so many problems of each corpus")
    parser.add_argument("--seconds", type=float, default=20, help="time limit for a problem (20)")
    parser.add_argument("--sympy-python", default=sys.executable, help="the interpreter that has SymPy")
    parser.add_argument("--tensorgrad-python", default=sys.executable, help="the interpreter that has tensorgrad")
    parser.add_argument("--show", metavar="ID", help="one problem in full")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="every outcome as JSON, instead of the table or in a file"
    )
    args = parser.parse_args(argv)
    args.only = [name.strip() for name in args.only.split(",")]
    if unknown := [name for name in args.only if name not in TOOLS]:
        parser.error(f"no tool is called {', '.join(unknown)}; there are {', '.join(TOOLS)}")
    return args


def main(argv: list[str]) -> int:
    args = arguments(argv)
    pythons = {"whence": sys.executable, "sympy": args.sympy_python, "tensorgrad": args.tensorgrad_python}
    versions = {tool: version_in(pythons[tool], tool) for tool in args.only}
    if "whence" in versions:
        import whence

        versions["whence"] = versions["whence"] or whence.__version__
    tools = {t: Tool(pythons[t], t, WARM_UP[t], args.seconds) for t, version in versions.items() if version}
    report: dict[str, Any] = {"python": platform.python_version(), "versions": versions, "corpora": {}}
    for corpus, problems in problems_of(args.corpus.split(",")).items():
        problems = [p for p in problems if args.show in (None, p["id"])][: args.limit]
        outcomes, plain = run(problems, tools, corpus)
        shared = right_by_all(outcomes)
        columns = {tool: summary(outcomes[tool], plain, shared) for tool in tools}
        details = {t: {name: asdict(o) for name, o in answers.items()} for t, answers in outcomes.items()}
        report["corpora"][corpus] = {"figures": columns, "outcomes": details}
        if args.show:
            print("\n".join(show(problem, outcomes) for problem in problems), end="\n" if problems else "")
        elif args.json != "-":
            print(f"\n{corpus}: {len(problems)} problems\n{table(versions, columns)}", flush=True)
    for tool in tools.values():
        tool.stop()
    if args.json == "-":
        print(json.dumps(report, indent=1))
    elif args.json:
        Path(args.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
