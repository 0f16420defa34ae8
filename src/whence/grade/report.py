"""What a teacher gets: a table of points, the clusters of answers with the same mistake, and a report to read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any


def clusters(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Cluster -> students, the ones to review first, then the largest."""
    found: dict[str, list[str]] = {}
    review: set[str] = set()
    for result in results:
        for mark in result.get("marks", {}).values():
            found.setdefault(mark["cluster"], []).append(str(result["id"]))
            if mark["points"] is None:
                review.add(mark["cluster"])
    return dict(sorted(found.items(), key=lambda c: (c[0] not in review, -len(c[1]), c[0])))


def overridden(result: dict[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A result with a teacher's changes, by cluster: points and comment."""
    marks = {}
    for target, mark in result.get("marks", {}).items():
        change = changes.get(mark["cluster"], {})
        kept = {k: change[k] for k in ("points", "comment") if k in change}
        marks[target] = {**mark, **kept}
    points = [mark["points"] for mark in marks.values()]
    return {**result, "marks": marks, "points": None if None in points else sum(points)}


def table(results: Iterable[Mapping[str, Any]], targets: Iterable[str]) -> str:
    """Points as CSV, for a course system; an empty cell waits for review."""
    targets = list(targets)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *targets, "total"])
    for result in results:
        marks = result.get("marks", {})
        cells = [marks.get(t, {}).get("points") for t in targets]
        writer.writerow([result["id"], *("" if c is None else f"{c:g}" for c in cells), _number(result.get("points"))])
    return out.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def page(results: list[Mapping[str, Any]]) -> str:
    """The report in Markdown: what needs a teacher first."""
    found = clusters(results)
    waiting = [r for r in results if r.get("points") is None]
    graded = [r["points"] for r in results if r.get("points") is not None]
    lines = [
        "# Grades",
        "",
        f"{len(results)} submissions, {len(graded)} graded, {len(waiting)} with something to review.",
        "",
        "| answers | students |",
        "|---|---|",
    ]
    for cluster, students in found.items():
        shown = ", ".join(students[:8]) + (f" and {len(students) - 8} more" if len(students) > 8 else "")
        lines.append(f"| {len(students)} × {cluster.replace('|', '/')} | {shown} |")
    return "\n".join(lines) + "\n"
