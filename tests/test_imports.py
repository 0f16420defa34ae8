"""The import graph: rooms import only earlier rooms, and `import whence` is light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "whence"
# The order in which data flows. PUBLIC is what stands directly in src/whence: the interface over the rooms.
PUBLIC = "the public interface"
ORDER = (
    *("messages", "ops", "read", "verify", "shapes", "expr", "facts", "laws", "diff", "form", "notation", "steps"),
    *("check", "arrays", "emit", PUBLIC, "train", "grade", "cli", "page"),
)
FILES = sorted(SOURCE.rglob("*.py"))


def room(path: Path) -> str:
    """The room that a file is in; `python -m whence` belongs to the command line."""
    parts = path.relative_to(SOURCE).parts
    if parts == ("__main__.py",):
        return "cli"
    return parts[0] if len(parts) > 1 else PUBLIC


def room_of_module(name: str) -> str | None:
    """The room of a dotted module name, or None when it is not ours."""
    parts = name.split(".")
    if parts[0] != "whence":
        return None
    return parts[1] if len(parts) > 1 and (SOURCE / parts[1]).is_dir() else PUBLIC


def imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of everything a file imports, wherever in the file."""
    package = ["whence", *path.relative_to(SOURCE).parts[:-1]]
    out = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            out += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            out += [(node.lineno, f"{module}.{alias.name}") for alias in node.names]
    return out


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_rooms_import_only_earlier_rooms(path: Path) -> None:
    here = room(path)
    assert here in ORDER, f"{here} is not a room of the design"
    for line, name in imported(path):
        there = room_of_module(name)
        if there is not None and there != here:
            assert there in ORDER and ORDER.index(there) < ORDER.index(here), f"{path.name}:{line} imports {name}"


def test_the_verifier_knows_nothing_of_the_engine() -> None:
    """Not even through others: everything that verify/ reaches lies in messages, ops, read or verify itself."""
    reached, new = {"verify"}, {"verify"}
    while new:
        files = [p for p in FILES if room(p) in new]
        found = {r for p in files for _, name in imported(p) if (r := room_of_module(name)) is not None}
        new = found - reached
        reached |= found
    assert reached <= {"verify", "messages", "ops", "read"}


def test_import_whence_loads_no_third_party_module() -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import whence\n"
        "roots = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(roots - set(sys.stdlib_module_names) - {'whence'}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
