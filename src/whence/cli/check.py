"""`whence check`: one answer, or a file of answers line by line."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from whence.cli.output import Output, json_line
from whence.cli.solve import id_in, item_from_line
from whence.cli.source import read_argument
from whence.cli.texts import internal
from whence.messages.errors import WhenceError

if TYPE_CHECKING:
    from whence.check.verdict import Verdict
    from whence.net import Net

UNDECIDED = "cannot decide"
WRONG_STATUS, UNDECIDED_STATUS = 1, 3


def is_batch(args: argparse.Namespace) -> bool:
    """Is MODEL a file of answers?"""
    return args.batch or (args.answer is None and (args.model or "").endswith(".jsonl"))


def usage_problem(args: argparse.Namespace) -> str:
    """What the grammar alone does not say; empty where all is well."""
    if args.model is None:
        return "MODEL is missing"
    if is_batch(args):
        return "--resume needs --out FILE" if args.resume and not args.out else ""
    return "ANSWER is missing" if args.answer is None else ""


def run_check(args: argparse.Namespace, output: Output, net_of: Callable[[argparse.Namespace], Net]) -> int:
    """One answer shown, or a file of answers line by line. Gives the exit status."""
    if is_batch(args):
        from whence.cli.batch import run_batch

        if args.jobs > 1:
            import whence.checking  # noqa: F401 (the processes are copies of this one and share it)
        run_batch(args.model, partial(check_line, debug=args.debug), out=args.out, resume=args.resume, jobs=args.jobs)
        return 0
    answer = read_argument(args.answer)
    verdict = net_of(args).check(answer, convention=args.convention, layout=args.layout, dialect=args.dialect)
    if args.json:
        output.json(verdict.to_json())
    else:
        show(verdict, output, repair=args.repair)
    if verdict.right:
        return 0
    return UNDECIDED_STATUS if verdict.verdict == UNDECIDED else WRONG_STATUS


def show(verdict: Verdict, output: Output, *, repair: bool) -> None:
    """The verdict in words."""
    for note in verdict.notes:
        output.text(note)
    for line in verdict.lines:
        output.text(f"  {line.line}", style="bold")
        output.text(f"    {line}")
        if not (line.right or line.inherits):
            _show_help(line.own, output, repair=repair)
    output.text(str(verdict), style="bold")
    if verdict.read_as:
        output.text(f"read as: {verdict.read_as}")
    _show_help(verdict, output, repair=repair)
    if verdict.certificate:
        output.text(f"checked: {verdict.certificate}")
    elif verdict.witness is not None:
        witness = verdict.witness
        sizes = ", ".join(f"{n} = {k}" for n, k in witness.sizes.items())
        output.text(f"witness: entry {witness.entry + 1} is {witness.true}, yours {witness.claimed}, at {sizes}")
        for name, values in witness.inputs.items():
            output.text(f"  {name} = {' '.join(values)}")


def _show_help(verdict: Verdict, output: Output, *, repair: bool) -> None:
    if verdict.hint:
        output.text(f"hint: {verdict.hint}")
    if repair and verdict.repair:
        output.text(f"repaired: {verdict.repair}")


def check_item_json(item: Any, *, debug: bool = False) -> dict[str, Any]:
    """The verdict of one item, as a dictionary for JSON. Whatever goes wrong, nothing is raised.

    >>> item = {"id": "a", "variables": {"x": ["n"]}, "expression": "x.T @ x", "wrt": ["x"], "answer": "x"}
    >>> found = check_item_json(item)
    >>> found["verdict"], found["factor"], found["diagnosis"], found["repair"]
    ('right up to a factor', 0.5, 'missing-factor', '2 * x')
    """
    start = time.perf_counter()
    name = item.get("id") if isinstance(item, dict) else None
    try:
        from whence.checking import check_item

        fields = check_item(item).to_json()
    except WhenceError as error:
        fields = {"verdict": "cannot decide", "error": error.to_json()}
    except Exception as fault:
        if debug:
            traceback.print_exc(file=sys.stderr)
        fields = {"verdict": "cannot decide", "error": internal(fault).to_json()}
    return {"id": name, **fields, "seconds": round(time.perf_counter() - start, 6)}


def check_line(line: bytes, *, debug: bool = False) -> str:
    """The verdict of one line of a file, as one line of JSON with its line break."""
    try:
        item = item_from_line(line)
    except WhenceError as error:
        return json_line({"id": id_in(line), "verdict": "cannot decide", "error": error.to_json()})
    return json_line(check_item_json(item, debug=debug))
