"""whence practise: a worksheet at the terminal or through a pipe, kept in one small file."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile

import whence
from whence.cli.output import Output
from whence.cli.source import read_argument
from whence.cli.texts import CommandError
from whence.messages.practice import PRACTICE
from whence.practice import LADDER, Saved, ladder_judge, ladder_task, saved_from_text, worksheet
from whence.steps.worksheet import LINES_LIMIT, Worksheet

QUIT = ("quit", "exit", "q")


def practise(args: argparse.Namespace, output: Output) -> None:
    """The worksheet: shown, then line by line what is typed is judged; the state is saved after each."""
    saved = _saved(args)
    net = whence.model(saved.model, saved.shapes, saved.assume, dialect=args.dialect)
    sheet = worksheet(net, saved.target, saved.state)
    path = args.state or f"whence-{re.sub(r'[^A-Za-z0-9]+', '', sheet.lesson.target)}.json"
    session = _Session(sheet, saved, path, output)
    if args.line:
        for line in args.line:
            session.take(line)
        return
    output.text(sheet.sheet())
    session.go()


def _saved(args: argparse.Namespace) -> Saved:
    if args.state and os.path.exists(args.state):
        with open(args.state, encoding="utf-8", errors="replace") as file:
            kept = saved_from_text(file.read(1_000_000), args.state)
        if args.model is not None and read_argument(args.model) != kept.model:
            raise CommandError("bad-state", found=args.state, expected="it is about another model")
        return kept
    if args.model is None or args.target is None:
        raise CommandError("bad-usage", found="MODEL and TARGET are missing", help="See whence practise --help.")
    shapes, assume = ", ".join(args.shapes) or None, ", ".join(args.assume) or None
    return Saved(read_argument(args.model), args.target, shapes, assume)


class _Session:
    """One sitting: takes lines, answers, and saves."""

    def __init__(self, sheet: Worksheet, saved: Saved, path: str, output: Output) -> None:
        self.sheet, self.saved, self.path, self.output = sheet, saved, path, output
        self.on_ladder = 0 < sheet.state.ladder < len(LADDER)

    def go(self) -> None:
        for line in sys.stdin:
            if line.strip().lower() in QUIT:
                break
            if line.strip():
                self.take(line.strip())
        self.output.text(PRACTICE["saved"].format(file=self.path))

    def take(self, line: str) -> None:
        """Judge a line or obey a word, then save."""
        word = line.lower()
        if word == "hint":
            self.output.text(self.sheet.hint())
        elif word == "show":
            self.output.text(self.sheet.sheet())
        elif word == "undo":
            self._undo()
        elif word == "ladder":
            self.on_ladder, self.sheet.state.ladder = True, 0
            self.output.text(ladder_task(0))
        elif self.on_ladder:
            self._ladder(line)
        else:
            self._judge(line)
        self._save()

    def _judge(self, line: str) -> None:
        state = self.sheet.state
        judged = self.sheet.judge(line)
        self.output.text(f"{judged.shown or line}\n  {judged.said}")
        if judged.left is None or len(state.lines) >= LINES_LIMIT:
            return
        state.lines.append(line)
        if not judged.right:
            return
        done = self.sheet.done()
        if self.sheet.finished():
            self.output.text(PRACTICE["done"].format(formula=self.sheet.lesson.formula))
        elif judged.left in done and all(t.left in done for t in self.sheet.tasks if t.part != "matrix"):
            self.output.text(PRACTICE["entries-done"].format(name=self.sheet.lesson.name))

    def _ladder(self, line: str) -> None:
        state = self.sheet.state
        right, said = ladder_judge(state.ladder, line)
        self.output.text(said)
        if not right:
            return
        state.ladder += 1
        self.on_ladder = state.ladder < len(LADDER)
        self.output.text(ladder_task(state.ladder) if self.on_ladder else PRACTICE["ladder-done"])

    def _undo(self) -> None:
        lines = self.sheet.state.lines
        said = PRACTICE["undone"].format(line=lines.pop()) if lines else PRACTICE["nothing-to-undo"]
        self.output.text(said)

    def _save(self) -> None:
        """Write beside the file, then put it in its place: a cut never leaves half a file."""
        folder = os.path.dirname(os.path.abspath(self.path))
        try:
            handle, part = tempfile.mkstemp(dir=folder, prefix=".whence-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.saved.to_json())
            os.replace(part, self.path)
        except OSError as problem:
            raise CommandError("cannot-write", found=self.path, expected=problem.strerror or str(problem)) from None
