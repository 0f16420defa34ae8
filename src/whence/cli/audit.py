"""`whence audit`: an existing backward pass judged by its arrays."""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whence.auditing import Audit, Finding, audit
from whence.cli.output import Output
from whence.cli.texts import CommandError

if TYPE_CHECKING:
    from whence.net import Net

WRONG_STATUS = 1
SIZE_LIMIT = 1 << 33  # bytes, once unpacked


def run_audit(args: argparse.Namespace, output: Output, net_of: Callable[[argparse.Namespace], Net]) -> int:
    """The verdict on the gradients of a file. Gives the exit status."""
    inputs, grads = arrays_in(args.inputs), arrays_in(args.grads)
    upstream = arrays_in(args.upstream) if args.upstream else None
    report = audit(grads, net_of(args), inputs, upstream, args.dtype)
    if args.picture:
        _draw(report, args.picture)
    if args.json:
        output.json(report_json(report))
    else:
        for finding in report.findings:
            output.text(str(finding), style="" if finding.verdict == "right" else "bold")
            for line in _picture(finding):
                output.text("    " + line)
        output.text(report.summary)
    return 0 if report.right else WRONG_STATUS


def arrays_in(path: str) -> dict[str, Any]:
    """The arrays of an npz file by name. Raises CommandError; nothing in the file is run."""
    try:
        import numpy as np
    except ImportError:
        raise CommandError("needs-library", found="whence audit", expected="NumPy") from None
    try:
        with np.load(path, allow_pickle=False) as file:
            if sum(member.file_size for member in file.zip.infolist()) > SIZE_LIMIT:
                raise CommandError("file-too-large", found=path, limit=SIZE_LIMIT)
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise CommandError("no-such-file", found=path) from None
    except (OSError, ValueError, TypeError, AttributeError, zipfile.BadZipFile) as problem:  # TypeError: a single array
        raise CommandError("not-arrays", found=path, expected=str(problem).partition(chr(10))[0][:120]) from None


def report_json(report: Audit) -> dict[str, Any]:
    fields = ("name", "verdict", "error", "allowed", "diagnosis", "line", "formula", "cause", "place")
    findings = [{f: _plain(getattr(finding, f)) for f in fields} for finding in report.findings]
    return {"right": report.right, "dtype": report.dtype, "first_wrong": report.first_wrong, "findings": findings}


def _plain(value: Any) -> Any:
    """JSON has no infinity."""
    return None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value


def _picture(finding: Finding) -> list[str]:
    from whence.arrays.picture import as_text

    if finding.heat is None or finding.at is None or finding.at.everywhere or finding.heat.ndim < 2:
        return []
    return [f"|{line}|" for line in as_text(finding.heat)]


def _draw(report: Audit, path: str) -> None:
    from whence.arrays.picture import as_svg

    wrong = [(f.name, f.heat) for f in report.findings if f.verdict == "wrong" and f.heat is not None]
    try:
        Path(path).write_text(as_svg(wrong), encoding="utf-8")
    except OSError as problem:
        raise CommandError("not-a-file", found=path, expected=problem.strerror or str(problem)) from None
