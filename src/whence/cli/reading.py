"""`whence read`: how a text as typed was read, and its batch, one text a line."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import traceback
from functools import partial
from typing import Any

from whence.cli.batch import run_batch
from whence.cli.output import Output, json_line
from whence.cli.solve import id_in, item_from_line
from whence.cli.source import read_argument
from whence.cli.texts import internal, refuse_choices
from whence.messages.errors import ReadError, WhenceError
from whence.messages.reading import READ
from whence.read.array_errors import array_error_in, without_array_errors
from whence.read.dialects import CODE
from whence.read.lines import segments_of
from whence.read.posts import BACKWARD, FORWARD, OTHER, Post, looks_like_post, read_post
from whence.read.reading import Reading, check_declared, read_typed
from whence.shape_errors import explained


def read(args: argparse.Namespace, output: Output) -> None:
    """A text in the canonical language, and how it was read; a file of texts line by line."""
    if args.batch or (args.text or "").endswith(".jsonl"):
        handler = partial(read_line, debug=args.debug)
        run_batch(args.text, handler, out=args.out, resume=args.resume, jobs=args.jobs)
        return
    text = read_argument(args.text)
    error = array_error_in(text)
    text = without_array_errors(text) if error is not None else text
    if error is not None and not segments_of(text, CODE):
        output.json(dataclasses.asdict(error)) if args.json else output.text(explained(error))
        return
    if looks_like_post(text):
        _show_post(read_post(text), args, output)
        return
    reading = read_typed(text, dialect=args.dialect)
    if args.strict:
        refuse_choices(reading.notes)
    if args.json:
        output.json(_as_json(reading))
        return
    for note in reading.notes:
        output.text(note)
    output.text("")
    for line in reading.lines:
        output.text("  " + line.canonical(), style="bold")


def _show_post(post: Post, args: argparse.Namespace, output: Output) -> None:
    """The formulas of a post by what they are, its question, and what could not be read."""
    if args.json:
        output.json(_post_as_json(post))
        return
    for kind in (FORWARD, BACKWARD, OTHER):
        rows = [(f"  {'; '.join(f.canonical)}", f"line {f.line}: {f.typed}") for f in post.of_kind(kind)]
        if rows:
            output.text(READ[kind], style="bold")
            output.table(rows)
    if post.question:
        asked = READ["asked"].format(target=post.target) if post.target else ""
        output.text(f"{READ['question'].format(line=post.question_line)}{asked}", style="bold")
        output.text(f"  {post.question}")
    failed = [f for f in post.found if f.error]
    if failed:
        output.text(READ["not-read"], style="bold")
        output.table([(f"  {f.typed}", f"line {f.line}: {f.error}") for f in failed])
    if not post.found and not post.question:
        raise ReadError("empty-formula", line=1, column=1)


def _post_as_json(post: Post) -> dict[str, Any]:
    return {
        "found": [
            {"line": f.line, "typed": f.typed, "error": f.error}
            if f.error
            else {
                "line": f.line,
                "typed": f.typed,
                "canonical": list(f.canonical),
                "kind": f.kind,
                "notes": list(f.notes),
            }
            for f in post.found
        ],
        "model": post.model(),
        "question": post.question,
        "target": post.target,
    }


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
        reading = read_typed(typed, context)
        check_declared(reading, context)
        return {"id": name, **_as_json(reading)}
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
