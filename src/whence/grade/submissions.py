"""Submissions: a CSV file, JSON lines, or a folder with one file a student."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whence.messages.errors import ReadError

SUFFIXES = (".txt", ".py", ".tex", ".md", ".ipynb")
SIZE_LIMIT = 1_000_000  # characters of one submission
_FENCE = "```"


def submissions(path: Path, targets: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """One item a student: {"id": student, "answers": {target: formula}} or {"id": student, "text": lines}.

    A CSV file has a column `student` and one a target, or the columns student, target, answer, or student, text.
    Raises ReadError `bad-submissions`.
    """
    if path.is_dir():
        for file in sorted(p for p in path.iterdir() if p.suffix in SUFFIXES):
            yield {"id": file.stem, "text": _text_of(file)}
    elif path.suffix == ".jsonl":
        yield from _from_lines(path)
    else:
        yield from _from_table(path, targets)


def _text_of(file: Path) -> str:
    """The formulas of a file: the code cells of a notebook, the code blocks of Markdown, else all of it."""
    text = file.read_text(encoding="utf-8", errors="replace")[:SIZE_LIMIT]
    if file.suffix == ".ipynb":
        try:
            cells = json.loads(text).get("cells", [])
            return "\n".join("".join(c.get("source", ())) for c in cells if c.get("cell_type") == "code")
        except (ValueError, AttributeError, TypeError):
            return text
    if file.suffix == ".md" and _FENCE in text:
        blocks = text.split(_FENCE)[1::2]
        return "\n".join(block.partition("\n")[2] for block in blocks)
    return text


def _from_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError):
            raise _bad(f"line {number}", "one JSON object") from None
        if not isinstance(item, dict):
            raise _bad(f"line {number}", "one JSON object")
        student = item.get("student", item.get("id"))
        if not isinstance(student, str | int) or not ({"answers", "text"} & item.keys()):
            raise _bad(f"line {number}", "student, and answers or text")
        yield {"id": str(student), **{k: item[k] for k in ("answers", "text") if k in item}}


def _from_table(path: Path, targets: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or ()
        if "student" not in columns:
            raise _bad("the first line", "the names of the columns, student among them")
        by_student: dict[str, dict[str, Any]] = {}
        for row in rows:
            item = by_student.setdefault(row["student"], {"id": row["student"]})
            if "text" in columns:
                item["text"] = row["text"] or ""
            elif "answer" in columns and "target" in columns:
                item.setdefault("answers", {})[row["target"]] = row["answer"] or ""
            else:
                item["answers"] = {t: row[t] for t in targets if row.get(t)}
    yield from by_student.values()


def _bad(found: str, expected: str) -> ReadError:
    return ReadError("bad-submissions", line=1, column=1, found=found, expected=expected)
