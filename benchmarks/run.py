"""Measures what whence promises about time, and prints a table.

    python benchmarks/run.py            # with the Python in which whence is installed
    python benchmarks/run.py --check    # exit status 1 when a bar is missed

Figures of a shared machine vary by a factor of two; of repeated runs the fastest counts, since noise only adds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COMMAND = "import sys; from whence.cli.main import main; sys.exit(main(sys.argv[1:]))"
LOADED = (
    "import sys; before = set(sys.modules); import whence; "
    "roots = {n.split('.')[0] for n in set(sys.modules) - before}; "
    "print(len(roots - set(sys.stdlib_module_names) - {'whence'}))"
)
DEPTHS = (8, 16, 32, 64)
ANSWERS = ("expected", "source", "note", "factor")


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    bar: float | None = None  # at most this

    @property
    def missed(self) -> bool:
        return self.bar is not None and self.value > self.bar


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return done


def fastest(times: int, *arguments: str) -> float:
    """The shortest wall time of a process, in seconds."""
    best = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        run(*arguments)
        best = min(best, time.perf_counter() - start)
    return best


def importing() -> list[Figure]:
    run("-c", "import whence")  # compiled files are written once
    bare, full = fastest(9, "-c", "pass"), fastest(9, "-c", "import whence")
    return [
        Figure("import whence, beyond starting Python", 1000 * (full - bare), "ms", 60),
        Figure("third-party modules it loads", float(run("-c", LOADED).stdout), "", 0),
    ]


def explaining() -> list[Figure]:
    command = ("-c", COMMAND, "explain", "examples/two_layer.txt", "dZ1")
    run(*command)
    return [Figure("whence explain on the example, cold process", fastest(5, *command), "s", 0.3)]


def corpus_questions() -> list[dict[str, Any]]:
    lines = [
        line
        for name in ("classic", "deep")
        for line in (ROOT / "tests" / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [{k: v for k, v in json.loads(line).items() if k not in ANSWERS} for line in lines if line.strip()]


def solving() -> list[Figure]:
    """One batch over both corpora in a process of its own."""
    questions = corpus_questions()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps(q) + "\n" for q in questions), encoding="utf-8")
        start = time.perf_counter()
        run("-c", COMMAND, "solve", str(source), "--out", str(out))
        wall = time.perf_counter() - start
        answers = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    every = [float(a["seconds"]) for a in answers if "seconds" in a]
    answered = sorted(float(a["seconds"]) for a in answers if a["status"] == "ok")
    if not answered:
        raise SystemExit("no problem of the corpus was answered")
    return [
        Figure("problems of the corpus", len(answers), ""),
        Figure("  of these answered", len(answered), ""),
        Figure("seconds an answer, median", 1000 * statistics.median(answered), "ms", 5),
        Figure("seconds an answer, mean", 1000 * statistics.fmean(answered), "ms"),
        Figure("seconds an answer, 95th percentile", 1000 * answered[int(0.95 * len(answered))], "ms"),
        Figure("wall time / problems / mean seconds", wall / len(answers) / statistics.fmean(every), "", 1.5),
    ]


def network(depth: int) -> dict[str, Any]:
    """A network of so many layers, each a named intermediate with a named adjoint."""
    layers = range(1, depth + 1)
    return {
        "id": f"layers-{depth}",
        "variables": {"A0": ["n", "m"], "Y": ["n", "m"], **{f"W{k}": ["n", "n"] for k in layers}},
        "definitions": [f"A{k} = tanh(W{k} @ A{k - 1})" for k in layers],
        "expression": f"sum((A{depth} - Y)**2)/m",
        "adjoints": {f"dA{k}": f"A{k}" for k in layers},
        "wrt": ["W1"],
    }


def layers() -> list[Figure]:
    from whence.cli.solve import solve_item

    seconds = {}
    for depth in DEPTHS:
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            answer = solve_item(network(depth))
            best = min(best, time.perf_counter() - start)
            if answer["status"] != "ok":
                raise SystemExit(f"{depth} layers: {answer['error']}")
        seconds[depth] = best
    rows = [Figure(f"{d} layers with named intermediates", 1000 * seconds[d], "ms") for d in DEPTHS]
    rows[-1].bar = 100
    # Linear in depth means a constant cost a layer; fixed costs make the first a little dearer.
    ratio = (seconds[64] - seconds[32]) / 32 / ((seconds[16] - seconds[8]) / 8)
    return [*rows, Figure("cost of a layer, 32 to 64 / 8 to 16", ratio, "", 1.5)]


def table(figures: list[Figure]) -> str:
    lines = [f"{'':52}{'measured':>12}{'at most':>12}"]
    for f in figures:
        bar = "" if f.bar is None else f"{f.bar:g} {f.unit}"
        lines.append(f"{f.name:52}{f'{f.value:.4g} {f.unit}':>12}{bar:>12}{'  MISSED' if f.missed else ''}".rstrip())
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit status 1 when a bar is missed")
    args = parser.parse_args(argv)
    figures = [figure for part in (importing, explaining, solving, layers) for figure in part()]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores\n\n{table(figures)}")
    return 1 if args.check and any(f.missed for f in figures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
