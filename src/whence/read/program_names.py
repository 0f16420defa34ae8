"""Names of a program's values: each assignment of a name gets one of its own, for an equation defines one thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, count, islice
from string import ascii_lowercase

_MARK = "\0"  # between a name and the number of its version; no name of Python has it


@dataclass(frozen=True)
class Version:
    """One assignment of the name `base`, called `name` until names are given."""

    base: str
    name: str
    turn: int | None  # of a loop
    line: int
    depth: int = 0  # how many functions of the text are open


def version_name(base: str, number: int) -> str:
    """How a version is called until the names are given."""
    return f"{base}{_MARK}{number}"


def is_version(name: str) -> bool:
    return _MARK in name


def named_once(versions: Iterable[Version], taken: set[str]) -> tuple[dict[str, str], list[str]]:
    """A name for each version, and what is said about those that are renamed.

    In a loop the turn is the layer: Z is Z1, Z2. Elsewhere the last assignment keeps the name, unless it is the name
    of an input too, and those before it are numbered.

    >>> versions = [Version("h", version_name("h", k), None, k + 1) for k in range(3)]
    >>> named_once(versions, set())[1]
    ['h is assigned in the lines 1, 2, 3; its values are called h1, h2, h.']
    """
    by_base: dict[str, list[Version]] = {}
    for version in versions:
        by_base.setdefault(version.base, []).append(version)
    used = {*taken, *by_base}
    names: dict[str, str] = {}
    notes: list[str] = []
    for base, group in by_base.items():
        given = _by_turn(base, group, used) or _numbered(base, group, used - {base}, base in taken)
        used.update(given)
        names.update(zip([v.name for v in group], given, strict=True))
        if len(group) > 1 or given[0] != base:
            lines = ", ".join(str(line) for line in dict.fromkeys(v.line for v in group))
            places = "line" if "," not in lines else "lines"
            called = "its values are" if len(group) > 1 else "its new value is"
            notes.append(f"{base} is assigned in the {places} {lines}; {called} called {', '.join(given)}.")
    return names, notes


def _by_turn(base: str, group: list[Version], used: set[str]) -> list[str]:
    """Names by the turns of a loop, and what stood before it; [] where these do not tell the versions apart."""
    turns = [version.turn for version in group]
    if len(turns) > 1 and turns[0] is None and turns[1] is not None and turns[1] > 0:
        turns[0] = turns[1] - 1
    if None in turns or len(set(turns)) < len(turns) or (len(turns) == 1 and base not in used - {base}):
        return []
    given = [f"{base}{turn}" for turn in turns]
    return given if not used & set(given) else []


def _numbered(base: str, group: list[Version], used: set[str], input_too: bool) -> list[str]:
    """The last keeps the name, those before it get a number, or a letter where the name ends with a number."""
    signs = ascii_lowercase if base[-1].isdigit() else [str(k + 1) for k in range(len(group))]
    free = (f"{base}{sign}" for sign in chain(signs, (f"_v{k}" for k in count(1))) if f"{base}{sign}" not in used)
    kept = [] if input_too or (len(group) > 1 and all(version.depth for version in group)) else [base]
    return [*islice(free, len(group) - len(kept)), *kept]
