"""What must not stand in the source: copies of the table's names, and calls that run text."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from test_imports import FILES, SOURCE, imported, room
from whence.ops.table import TABLE

# Words of other vocabularies that happen to be spelt like a function.
OTHER_MEANINGS = {"vec": "a layout (a problem's field)", "step": "a step of a derivation"}
COMMANDS = {"cli": {"solve"}}  # whence solve FILE is also a command
# The table's own vocabularies, in the rooms that carry them out: verbs of the expression graph, routines for values.
VERBS = {op.structure for op in TABLE.values() if op.structure}
ROUTINES = {op.value.partition(":")[2] for op in TABLE.values() if op.value.startswith("own:")}
CARRIED_OUT = {"read": VERBS, "check": VERBS, "arrays": VERBS}
CARRIED_OUT |= {"expr": VERBS, "diff": VERBS, "notation": VERBS, "shapes": VERBS, "verify": VERBS | ROUTINES}
CARRIED_OUT |= {"emit": VERBS}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "setrecursionlimit", "system", "popen"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "subprocess", "ctypes"}
# The room that compiles emitted C and loads it, once it exists.
MAY_START_PROGRAMS = {"emit"}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())


def docstrings(tree: ast.AST) -> set[int]:
    """The ids of the nodes that are docstrings, texts that stand alone as a statement."""
    return {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}


def strings(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = docstrings(tree)
    return [
        (n.lineno, n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in skipped
    ]


@each_file
def test_no_function_name_outside_the_table(path: Path) -> None:
    if room(path) == "ops":
        return
    allowed = set(OTHER_MEANINGS) | CARRIED_OUT.get(room(path), set()) | COMMANDS.get(room(path), set())
    found = [f"{path.name}:{line}: {text!r}" for line, text in strings(path) if text in TABLE and text not in allowed]
    assert not found, "a property of the function belongs into its entry: " + ", ".join(found)


@each_file
def test_no_text_is_run(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            f = node.func
            name = f.id if isinstance(f, ast.Name) else f.attr if isinstance(f, ast.Attribute) else ""
            if name == "compile" and isinstance(f, ast.Attribute):  # re.compile
                continue
            assert name not in FORBIDDEN_CALLS, f"{path.name}:{node.lineno} calls {name}"
            shell = [k for k in node.keywords if k.arg == "shell"]
            assert not shell, f"{path.name}:{node.lineno} passes shell="
    if room(path) not in MAY_START_PROGRAMS:
        for line, name in imported(path):
            bad = [m for m in FORBIDDEN_MODULES if name == m or name.startswith(m + ".")]
            assert not bad, f"{path.name}:{line} imports {name}"


@each_file
def test_files_are_short(path: Path) -> None:
    """A file is one thing; only the tables of functions, laws and messages may be long."""
    if room(path) not in ("ops", "laws", "messages"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 520


@each_file
def test_only_the_standard_library_and_mpmath(path: Path) -> None:
    """rich belongs to the command line; the rest are extras, imported inside the function that uses them."""
    allowed = {"whence", "mpmath", *sys.stdlib_module_names} | ({"rich"} if room(path) == "cli" else set())
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            assert name.split(".")[0] in allowed, f"{path.name}:{node.lineno} imports {name} at its top"
