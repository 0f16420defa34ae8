"""Planting faults in the table of functions, and clearing what was derived from it."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from whence.ops.entry import Op
from whence.ops.table import HIDDEN, TABLE


def forget() -> None:
    """Empty every functools cache of whence, so that the entries are read again."""
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] == "whence":
            for thing in list(vars(module).values()):
                clear = getattr(thing, "cache_clear", None)
                if callable(clear):
                    clear()


def places(op: Op) -> list[tuple[dict[object, object], object]]:
    """Every entry of a dictionary at the top of one of whence's modules that holds this very Op."""
    out = []
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] == "whence":
            for table in [v for v in vars(module).values() if isinstance(v, dict)]:
                out += [(table, key) for key, value in table.items() if value is op]
    return out


@contextlib.contextmanager
def replaced(op: Op, **fields: Any) -> Iterator[Op]:
    """The table with one entry changed, inside the block."""
    new = dataclasses.replace(op, **fields)
    held = places(op)
    assert any(table in (TABLE, HIDDEN) and key == op.name for table, key in held)
    forget()
    for table, key in held:
        table[key] = new
    try:
        yield new
    finally:
        for table, key in held:
            table[key] = op
        forget()


@contextlib.contextmanager
def added(op: Op) -> Iterator[Op]:
    """The table with one more entry, inside the block."""
    assert op.name not in TABLE
    forget()
    TABLE[op.name] = op
    try:
        yield op
    finally:
        del TABLE[op.name]
        forget()
