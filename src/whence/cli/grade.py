"""`whence grade RUBRIC SUBMISSIONS --out FOLDER`: the marks of a class, and what to review."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from whence.cli.batch import run_batch
from whence.cli.output import Output, json_line
from whence.cli.solve import id_in, item_from_line
from whence.cli.source import read_argument
from whence.cli.texts import CommandError, internal
from whence.grade.marks import marked, net_of
from whence.grade.report import clusters, overridden, page, table
from whence.grade.rubric import Rubric, rubric_of
from whence.grade.submissions import submissions
from whence.messages.errors import WhenceError


def grade_line(line: bytes, rubric: Rubric, *, debug: bool = False) -> str:
    """The marks of one submission, as one line of JSON. What goes wrong goes to review."""
    try:
        return json_line(marked(rubric, item_from_line(line)))
    except WhenceError as error:
        problem = error
    except Exception as fault:
        if debug:
            traceback.print_exc(file=sys.stderr)
        problem = internal(fault)
    return json_line({"id": id_in(line), "points": None, "of": rubric.total, "marks": {}, "error": problem.to_json()})


def run_grade(args: argparse.Namespace, output: Output) -> None:
    """Grade, as far as it was not done before, and write results.jsonl, grades.csv, clusters.json and report.md.

    A file overrides.json in the folder, {cluster: {"points": 1, "comment": "…"}}, changes marks by cluster.
    """
    rubric = rubric_of(read_argument(args.rubric))
    targets = tuple(name for name, _ in rubric.points)
    for name in targets:
        net_of(rubric).named(name)  # a target that the model does not have is an error of the rubric
    if args.preview:
        preview(rubric, output)
        return
    source, folder = Path(args.submissions), Path(args.out)
    if not source.exists():
        raise CommandError("no-such-file", found=args.submissions)
    folder.mkdir(parents=True, exist_ok=True)
    items = folder / "submissions.jsonl"
    items.write_text("".join(json_line(item) for item in submissions(source, targets)), encoding="utf-8")
    out = folder / "results.jsonl"
    handler = partial(grade_line, rubric=rubric, debug=args.debug)
    run_batch(str(items), handler, out=str(out), resume=args.resume, jobs=args.jobs)
    changes = _overrides(folder / "overrides.json")
    results = [overridden(json.loads(line), changes) for line in out.read_text(encoding="utf-8").splitlines()]
    (folder / "grades.csv").write_text(table(results, targets), encoding="utf-8")
    found = clusters(results)
    (folder / "clusters.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(page(list(results)), encoding="utf-8")
    waiting = sum(r["points"] is None for r in results)
    if args.json:
        output.json(
            {"submissions": len(results), "to_review": waiting, "clusters": {k: len(v) for k, v in found.items()}}
        )
        return
    output.text(
        f"{len(results)} submissions graded, {waiting} with something to review; the report: {folder / 'report.md'}"
    )


def preview(rubric: Rubric, output: Output) -> None:
    """The right answers, and what they are worth."""
    net = net_of(rubric)
    for name, points in rubric.points:
        output.text(f"{net.gradient(name)}    {points:g} points")


def _overrides(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise CommandError("not-a-file", found=str(path), expected=str(problem)) from None
    return changes if isinstance(changes, dict) else {}
