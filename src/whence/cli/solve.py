"""One line of a batch of problems to one line of answers (the format: tests/data/FORMAT.md)."""

from __future__ import annotations

import json
import re
import sys
import time
import traceback
from typing import Any

from whence.cli.output import json_line
from whence.cli.source import decoded
from whence.cli.texts import internal
from whence.messages.errors import LimitError, ReadError, WhenceError

LINE_LIMIT = 1_000_000  # bytes

_ID = re.compile(r'"id"\s*:\s*("(?:[^"\\]|\\.){0,500}"|-?\d{1,18}(?![\d.eE]))')


def solve_item(item: Any, *, debug: bool = False) -> dict[str, Any]:
    """The answer to one problem, as a dictionary for JSON.

    `status` is `ok`, with `formula`, `layout`, `closed_form` and `verified`, or `refused`, with `error`: whatever
    goes wrong, nothing is raised. `debug` prints the traceback of a fault of the program to standard error.

    >>> problem = {"id": "a", "variables": {"x": ["n"]}, "expression": "x.T @ x", "wrt": ["x"]}
    >>> {key: value for key, value in solve_item(problem).items() if key != "seconds"}
    {'id': 'a', 'status': 'ok', 'formula': '2 * x', 'layout': 'matrix', 'closed_form': True, 'verified': 'exact'}
    """
    start = time.perf_counter()
    name = item.get("id") if isinstance(item, dict) else None
    try:
        from whence.engine import solve_problem
        from whence.read.problem import problem_from_json

        answer = solve_problem(problem_from_json(item))
    except WhenceError as error:
        return refused(name, error, time.perf_counter() - start)
    except Exception as fault:
        if debug:
            traceback.print_exc(file=sys.stderr)
        return refused(name, internal(fault), time.perf_counter() - start)
    return {
        "id": name,
        "status": "ok",
        "formula": answer.formula,
        "layout": answer.layout,
        "closed_form": answer.closed_form,
        "verified": answer.verified,
        "seconds": round(time.perf_counter() - start, 6),
    }


def solve_line(line: bytes, *, debug: bool = False) -> str:
    """The answer to one line of a file, as one line of JSON with its line break."""
    try:
        item = item_from_line(line)
    except WhenceError as error:
        return json_line(refused(id_in(line), error))
    return json_line(solve_item(item, debug=debug))


def item_from_line(line: bytes) -> dict[str, Any]:
    """The JSON object on a line. Raises LimitError, CommandError `not-text`, ReadError `bad-json`."""
    if len(line) > LINE_LIMIT:
        raise LimitError("file-too-large", line=1, column=1, found="This line", limit=LINE_LIMIT)
    text = decoded(line)
    try:
        item = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as problem:
        found = f"{problem.msg} (character {problem.pos + 1})"
        raise ReadError("bad-json", line=1, column=problem.pos + 1, found=found) from None
    except (ValueError, RecursionError) as problem:
        found = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise ReadError("bad-json", line=1, column=1, found=found) from None
    if not isinstance(item, dict):
        raise ReadError("bad-json", line=1, column=1, found=f"a {type(item).__name__} stands alone")
    return item


def id_in(line: bytes) -> str | int | None:
    """The id of a line that is no JSON, where one can be made out.

    >>> id_in(b'{"id": "a7", "expression": "x')
    'a7'
    """
    found = _ID.search(line[:10_000].decode("utf-8", "replace"))
    if found is None:
        return None
    try:
        return json.loads(found.group(1))
    except ValueError:
        return None


def refused(name: Any, error: WhenceError, seconds: float = 0.0) -> dict[str, Any]:
    """The answer where there is none; `extended` is what is known in a direction, where the notation has no word."""
    known = {"extended": error.extended} if error.extended else {}
    return {
        "id": name,
        "status": "refused",
        "error": error.to_json(),
        **known,
        "verified": "no",
        "seconds": round(seconds, 6),
    }


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
