"""What reaches the terminal: plain text, colour where it is wanted, ASCII where nothing else can be printed."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from whence.cli.texts import CommandError
from whence.messages.errors import WhenceError
from whence.messages.show import render
from whence.notation.ascii import to_ascii


class Output:
    """Writes to standard output and standard error, as `--json`, `--ascii` and the terminal ask for.

    The streams are looked up at every use, so that they can be replaced while the program runs.
    """

    def __init__(self, *, as_json: bool = False, ascii_only: bool = False) -> None:
        self.as_json = as_json
        self.ascii_only = ascii_only

    def text(self, text: str, *, style: str = "") -> None:
        """Print a text and a line break."""
        with _reported():
            self._write(sys.stdout, text, style)

    def table(self, rows: Sequence[tuple[str, ...]], *, indent: str = "", style: str = "") -> None:
        """Print the rows with their cells below each other."""
        if not all(can_print(sys.stdout, cell) for row in rows for cell in row) or self.ascii_only:
            rows = [tuple(map(to_ascii, row)) for row in rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.text(indent + line.rstrip(), style=style)

    def json(self, value: dict[str, Any]) -> None:
        """Print one JSON object on a line of its own."""
        put(json_line(value))

    def error(self, error: WhenceError) -> None:
        """An error: to standard error as text, or with `--json` to standard output as an object."""
        if self.as_json:
            with contextlib.suppress(CommandError):
                self.json({"error": error.to_json()})
                return
        ascii_only = self._needs_ascii(sys.stderr, render(error))
        first, _, rest = (render(_in_ascii(error)) if ascii_only else render(error)).partition("\n")
        with contextlib.suppress(OSError):  # the exit status still tells
            self._write(sys.stderr, first, "bold red")
            if rest:
                self._write(sys.stderr, rest, "")

    def _write(self, stream: IO[str], text: str, style: str) -> None:
        if self._needs_ascii(stream, text):
            text = to_ascii(text)
        if style and wants_colour(stream):
            from rich.console import Console

            Console(file=stream, highlight=False, soft_wrap=True).print(text, style=style, markup=False, emoji=False)
        else:
            stream.write(text + "\n")

    def _needs_ascii(self, stream: IO[str], text: str) -> bool:
        return self.ascii_only or not can_print(stream, text)


def put(text: str) -> None:
    """Write to standard output at once."""
    with _reported():
        sys.stdout.write(text)
        sys.stdout.flush()


def flush() -> None:
    """Write what standard output still holds while a failure can be reported."""
    with _reported():
        sys.stdout.flush()


def drop_output() -> None:
    """Let what standard output still holds go nowhere, else Python complains about it when it ends."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    """A full disk, say, becomes a coded error; that nobody reads any more is no error."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as problem:
        drop_output()
        raise CommandError("cannot-write", found="standard output", expected=problem.strerror or str(problem)) from None


def json_line(value: dict[str, Any]) -> str:
    """The object on one line, in ASCII, which every encoding can write."""
    return json.dumps(value) + "\n"


def can_print(stream: IO[str], text: str) -> bool:
    """Can the stream's encoding write all characters of the text?"""
    if text.isascii():
        return True
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_terminal(stream: IO[str]) -> bool:
    """Does the stream end at a person?"""
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def wants_colour(stream: IO[str]) -> bool:
    """Only on a terminal that has colours, and not where NO_COLOR is set (https://no-color.org)."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _in_ascii(error: WhenceError) -> WhenceError:
    """The error with its source line in ASCII and the column moved accordingly."""
    lines = error.source.split("\n")
    line = lines[error.line - 1] if 1 < error.line <= len(lines) else lines[0]
    moved = copy.copy(error)
    moved.message, moved.help = to_ascii(error.message), to_ascii(error.help)
    moved.shapes = {to_ascii(name): to_ascii(shape) for name, shape in error.shapes.items()}
    moved.source = to_ascii(line)
    moved.column = len(to_ascii(line[: error.column - 1])) + 1 if error.column else 0
    moved.end = max(len(to_ascii(line[: error.end - 1])), moved.column) + 1
    return moved
