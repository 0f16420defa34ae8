"""The notation of `takes` and `gives` (whence.ops.entry), read once for each entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from whence.ops.entry import Op

_WORDS = {"size": "size", "integer": "integer", "name": "name"}
_ARRAY = re.compile(r"(\w+)(?:\[([^\]]*)\])?$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument. `kind` is array, size, integer, name, letters or order.

    `sizes` are the letters of an array's axes, None for any shape; one letter is a vector. `batched`: any leading
    axes may stand before them. `many`: this argument may be repeated.
    """

    name: str
    kind: str = "array"
    sizes: tuple[str, ...] | None = None
    batched: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One way to call the function, and the shape of its value: `rule` is same, broadcast, sizes, axis, given, letters,
    order or joined; `gives` the letters' texts (rule sizes) or the names of arguments (rules same, broadcast).
    """

    parameters: tuple[Parameter, ...]
    rule: str
    gives: tuple[str, ...] = ()
    batched: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called. `axis` is "" (takes none), "one" or "several"."""

    ways: tuple[Way, ...]
    axis: str = ""
    axis_default: int | None = None
    axis_required: bool = False


def signature(op: Op) -> Signature:
    """How a function of the table is called, read from its entry.

    >>> from whence.ops.table import TABLE
    >>> signature(TABLE["solve"]).ways[0].parameters[1].sizes
    ('n', 'm')
    >>> signature(TABLE["softmax"]).axis_default
    0
    """
    return _read(op.takes, op.gives)


@cache
def _read(takes_text: str, gives_text: str) -> Signature:
    takes, gives = takes_text.split("|"), gives_text.split("|")
    if len(takes) != len(gives):
        raise ValueError(f"as many ways in takes as in gives: {takes_text!r}, {gives_text!r}")
    items = [[item.strip() for item in _split(way)] for way in takes]
    axes = [item for item in items[0] if item.startswith(("axis", "axes"))]
    ways = tuple(
        _way([_parameter(item) for item in way if item not in axes], g.strip())
        for way, g in zip(items, gives, strict=True)
    )
    if not axes:
        return Signature(ways)
    _, _, default = axes[0].partition("=")
    several = "several" if axes[0].startswith("axes") else "one"
    return Signature(ways, several, int(default) if default else None, axes[0].endswith("!"))


def _split(text: str) -> list[str]:
    """At the commas outside square brackets."""
    return re.split(r",(?![^\[]*\])", text)


def _parameter(item: str) -> Parameter:
    many = item.startswith("*")
    word, _, rest = item.lstrip("*").partition(" ")
    if word in _WORDS and rest:
        return Parameter(rest, _WORDS[word])
    if word == "sizes":
        return Parameter(word, "size", many=many)
    if word in ("letters", "order"):
        return Parameter(word, word)
    found = _ARRAY.match(word)
    if not found:
        raise ValueError(f"{item!r} is no argument in the notation of takes")
    name, letters = found.groups()
    if letters is None:
        return Parameter(name, many=many)
    sizes = tuple(letters.split(","))
    batched = sizes[0] == "..."
    return Parameter(name, sizes=sizes[1:] if batched else sizes, batched=batched, many=many)


def _way(parameters: list[Parameter], gives: str) -> Way:
    if gives.startswith("["):
        sizes = tuple(size.strip() for size in gives[1:-1].split(",") if size.strip())
        batched = bool(sizes) and sizes[0] == "..."
        return Way(tuple(parameters), "sizes", sizes[1:] if batched else sizes, batched)
    rules = {"axis": "axis", "sizes": "given", "letters": "letters", "order": "order", "joined": "joined"}
    if gives in rules:
        return Way(tuple(parameters), rules[gives])
    names = tuple(name.strip() for name in gives.split("~"))
    return Way(tuple(parameters), "same" if len(names) == 1 else "broadcast", names)
