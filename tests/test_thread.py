"""examples/thread/README.md: every command in it prints what stands below it (--update-golden rewrites the page)."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from solving import ROOT
from whence.cli.main import main

PAGE = ROOT / "examples" / "thread" / "README.md"
COMMAND = re.compile(r"^    \$ whence (.+)$", re.MULTILINE)
ANSWER = "<!-- answer -->\n"


def answered(folder: Path) -> str:
    """The page with every answer computed anew, in the order of the page: a worksheet goes on from row to row."""
    (folder / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    parts = re.split(r"(^    \$ whence .+\n)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    out = [parts[0]]
    for command, rest in zip(parts[1::2], parts[2::2], strict=True):
        found = COMMAND.match(command)
        assert found is not None and ANSWER in rest
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
            assert main(shlex.split(found[1])) == 0, found[1]
        before, _, after = rest.partition(ANSWER)
        after = re.sub(r"\A\n?~~~text\n.*?\n~~~\n", "", after, flags=re.DOTALL)
        out += [command, before, ANSWER, f"~~~text\n{printed.getvalue().rstrip()}\n~~~\n", after]
    return "".join(out)


def test_the_page_shows_what_the_commands_print(
    tmp_path: Path, update_golden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = answered(tmp_path)
    if update_golden:
        PAGE.write_text(text, encoding="utf-8")
    assert text == PAGE.read_text(encoding="utf-8")


def test_every_row_of_the_thread_has_an_answer() -> None:
    titles = re.findall(r"^## ([\d, ]+) ·", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    rows = [int(n) for title in titles for n in title.split(", ")]
    assert rows == list(range(1, 16))


def test_the_answers_of_the_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for piece in (
        "∂J/∂A2: a number for each entry",
        "The first entry where it fails",
        "Why is W2 transposed in dZ1?",
        "the wrong kind: this rule is for vectors, and Z1, A1, Z2 and A2 are matrices",
        "one symbol for two things: z stands for A2 and Z2",
        "Look at w2_12 again",
        "All lines stand. You derived dZ1",
    ):
        assert piece in text
