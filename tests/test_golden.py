"""Whole derivations compared as text with tests/golden/*.txt (`python -m pytest --update-golden` rewrites them)."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from solving import ROOT, whence

FOLDER = Path(__file__).parent / "golden"
README = ROOT / "README.md"
IN_README = "two_layer_dZ1"
START, END = f"<!-- golden: {IN_README} -->\n```text\n", "```\n<!-- end -->"


def commands() -> dict[str, list[str]]:
    lines = (FOLDER / "commands.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(": ", 1) for line in lines if line and not line.startswith("#")]
    return {name: shlex.split(arguments) for name, arguments in pairs}


@pytest.mark.parametrize("name", list(commands()))
def test_golden(name: str, update_golden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("NO_COLOR", "1")
    status, text = whence(*commands()[name])
    assert status == 0 and text
    path = FOLDER / f"{name}.txt"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), "not recorded yet: python -m pytest --update-golden"
    assert text == path.read_text(encoding="utf-8")


def test_the_readme_shows_what_the_program_prints(update_golden: bool) -> None:
    golden = (FOLDER / f"{IN_README}.txt").read_text(encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    before, start, rest = text.partition(START)
    shown, end, after = rest.partition(END)
    assert start and end
    if update_golden:
        README.write_text(before + start + golden + end + after, encoding="utf-8")
        return
    assert shown == golden


def test_no_golden_file_is_left_over() -> None:
    assert {p.stem for p in FOLDER.glob("*.txt")} - {"commands"} <= set(commands())
