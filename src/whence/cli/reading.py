"""`whence read`: how a text as typed was read, and its batch, one text a line."""

from __future__ import annotations

import argparse
import sys
import traceback
from functools import partial
from typing import Any

from whence.cli.batch import run_batch
from whence.cli.output import Output, json_line
from whence.cli.solve import id_in, item_from_line
from whence.cli.source import read_argument
from whence.cli.texts import internal
from whence.messages.errors import ReadError, WhenceError
from whence.read.reading import Reading, read_typed


def read(args: argparse.Namespace, output: Output) -> None:
    """A text in the canonical language, and how it was read; a file of texts line by line."""
    if args.batch or (args.text or "").endswith(".jsonl"):
        handler = partial(read_line, debug=args.debug)
        run_batch(args.text, handler, out=args.out, resume=args.resume, jobs=args.jobs)
        return
    reading = read_typed(read_argument(args.text), dialect=args.dialect)
    if args.json:
        output.json(_as_json(reading))
        return
    for note in reading.notes:
        output.text(note)
    output.text("")
    for line in reading.lines:
        output.text("  " + line.canonical(), style="bold")


def read_item(item: Any, *, debug: bool = False) -> dict[str, Any]:
    """The reading of one text of a batch: `canonical`, or `error`; nothing is raised.

    >>> read_item({"id": 1, "typed": "W^[2]T dZ^[2]"})
    {'id': 1, 'canonical': 'W2.T @ dZ2', 'dialect': 'lecture', 'notes': ['Read as lecture notation, because of `^`.']}
    """
    name = item.get("id") if isinstance(item, dict) else None
    try:
        typed, context = item.get("typed"), item.get("context") or {}
        if not isinstance(typed, str) or not isinstance(context, dict):
            raise ReadError("bad-problem", line=1, column=1, found="typed", expected="a text")
        return {"id": name, **_as_json(read_typed(typed, context))}
    except WhenceError as error:
        return {"id": name, "error": error.to_json()}
    except Exception as fault:
        if debug:
            traceback.print_exc(file=sys.stderr)
        return {"id": name, "error": internal(fault).to_json()}


def read_line(line: bytes, *, debug: bool = False) -> str:
    """The reading of one line of a file, as one line of JSON with its line break."""
    try:
        item = item_from_line(line)
    except WhenceError as error:
        return json_line({"id": id_in(line), "error": error.to_json()})
    return json_line(read_item(item, debug=debug))


def _as_json(reading: Reading) -> dict[str, Any]:
    lines = [line.canonical() for line in reading.lines]
    return {
        "canonical": lines if len(lines) > 1 else lines[0],
        "dialect": reading.dialect.name,
        "notes": list(reading.notes),
    }
