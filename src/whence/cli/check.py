"""`whence check`: one answer, or a file of answers line by line."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

from whence.cli.output import json_line
from whence.cli.solve import id_in, item_from_line
from whence.cli.texts import internal
from whence.messages.errors import WhenceError


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
