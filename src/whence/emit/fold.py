"""Lines that are too long are broken inside a bracket, after a comma or before a sign."""

from __future__ import annotations

WIDTH = 112
_LEAST = 40  # no line is broken before this column
_BLOCK = ("def ", "for ", "if ", "class ")


def folded(code: str) -> str:
    """A module whose code lines keep to the width where a bracket lets them; texts stay as they are."""
    out: list[str] = []
    inside = False
    for line in code.split("\n"):
        quotes = line.count('"""')
        out += [line] if inside or quotes or len(line) <= WIDTH or "# " in line else _broken(line)
        inside ^= bool(quotes % 2)
    return "\n".join(out)


def _broken(line: str) -> list[str]:
    """The lines of one statement."""
    head, sign, value = line.partition(" = ")
    if sign and head.strip().isidentifier() and not _places(line, 0):
        line = f"{head} = ({value})"
    indent = len(line) - len(line.lstrip())
    further = " " * (indent + (8 if line.lstrip().startswith(_BLOCK) else 4))
    out: list[str] = []
    depth = 0
    while len(line) > WIDTH:
        places = _places(line, depth)
        if not places:
            break
        shallow = min(d for _, d in places)
        at, depth = max(p for p in places if p[1] == shallow)
        out.append(line[:at].rstrip())
        line = further + line[at:].lstrip()
    return [*out, line]


def _places(line: str, depth: int) -> list[tuple[int, int]]:
    """(Where the line may be broken, how deep in brackets that is.)"""
    out: list[tuple[int, int]] = []
    quote = ""
    for k, c in enumerate(line[:WIDTH]):
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif k > _LEAST and depth and (line[k - 2 : k] == ", " or line[k - 1 : k + 2] in (" + ", " - ")):
            out.append((k, depth))
    return out
