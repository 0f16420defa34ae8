"""Line by line through a file: the same order, one answer a line, on one process or several, and going on later."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO, Any

from whence.cli.lines import Lines
from whence.cli.output import is_terminal, put
from whence.cli.solve import id_in, item_from_line
from whence.cli.source import STANDARD_INPUT, open_file, standard_input
from whence.cli.texts import CommandError
from whence.messages.errors import WhenceError

Handler = Callable[[bytes], str]  # a line to its answer, with its line break


def run_batch(path: str, handler: Handler, *, out: str = "", resume: bool = False, jobs: int = 1) -> None:
    """Answer every line of a file (`-`: standard input), to standard output or to the file `out`.

    Each answer is written before the next line is worked on. `resume` goes on after the answers that `out` has.
    Raises CommandError for files that cannot be used; a line that cannot be handled gets its own error.
    """
    with ExitStack() as stack:
        stream = standard_input() if path == STANDARD_INPUT else stack.enter_context(open_file(path))
        lines = Lines(stream)
        if out and path != STANDARD_INPUT and _same_file(path, out):
            raise CommandError("cannot-write", found=out, expected="the problems are read from it")
        write: Callable[[str], None] = put
        if out:
            done = _answers_so_far(out, lines) if resume else 0
            write = partial(_to_file, out, stack.enter_context(_opened(out, done)))
        answers = _answers(lines, handler, jobs)
        step = stack.enter_context(_progress(path, lines, to_file=bool(out)))
        for answer in answers:
            write(answer)
            step()


def _answers(lines: Lines, handler: Handler, jobs: int) -> Iterator[str]:
    if jobs == 1:
        return (handler(line) for line in lines)
    from whence.cli.workers import in_parallel

    return in_parallel(lines, handler, jobs)


# -- where the answers go


def _to_file(path: str, file: IO[bytes], answer: str) -> None:
    try:
        file.write(answer.encode())
        file.flush()
    except OSError as problem:
        raise _cannot_write(path, problem) from None


def _opened(path: str, keep: int) -> IO[bytes]:
    """The file for the answers, cut after the bytes that are kept."""
    try:
        file = open(path, "r+b" if keep else "wb")  # noqa: SIM115 (the caller closes it)
        file.seek(keep)
        file.truncate()
        return file
    except (OSError, ValueError) as problem:
        raise _cannot_write(path, problem) from None


def _cannot_write(path: str, problem: Exception) -> CommandError:
    return CommandError("cannot-write", found=path, expected=getattr(problem, "strerror", None) or str(problem))


def _same_file(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except (OSError, ValueError):
        return False


# -- going on


def _answers_so_far(path: str, lines: Lines) -> int:
    """How many bytes of the file are answers to the first lines of the batch. These lines are taken from `lines`.

    A last line without its line break was being written when the batch was cut off; it is done again.
    """
    kept = 0
    asked = iter(lines)
    try:
        with open(path, "rb") as file:
            for number, answer in enumerate(file, start=1):
                if not answer.endswith(b"\n") and _may_begin_an_answer(answer):
                    break
                line = next(asked, None)
                if line is None:
                    raise CommandError("other-batch", found=path, expected="it has more lines than the batch")
                _compare(path, number, answer, line)
                kept += len(answer)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as problem:
        raise _cannot_write(path, problem) from None
    return kept


def _compare(path: str, number: int, answer: bytes, line: bytes) -> None:
    try:
        given = json.loads(answer)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or "id" not in given:
        raise CommandError("other-batch", found=path, expected=f"line {number} is no answer")
    try:
        wanted = item_from_line(line).get("id")
    except WhenceError:
        wanted = id_in(line)
    if given["id"] != wanted:
        expected = f"line {number} answers {json.dumps(given['id'])[:40]}, not {json.dumps(wanted)[:40]}"
        raise CommandError("other-batch", found=path, expected=expected)


def _may_begin_an_answer(text: bytes) -> bool:
    start = b'{"id": '
    return text[: len(start)] == start[: len(text)]


# -- progress


@contextmanager
def _progress(path: str, lines: Lines, *, to_file: bool) -> Iterator[Callable[[], None]]:
    """A function to call after each answer. It moves a bar where a person waits at a terminal."""
    if not is_terminal(sys.stderr) or (is_terminal(sys.stdout) and not to_file):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    size = os.path.getsize(path) if path != STANDARD_INPUT else 0
    columns: list[Any] = [BarColumn(), TextColumn("{task.fields[count]} lines"), TimeElapsedColumn()]
    # No thread of its own to refresh it: processes are started later, and a copy of a locked lock stays locked.
    with Progress(*columns, console=Console(file=sys.stderr), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=size or None, count=0)
        count, shown = 0, 0.0

        def step() -> None:
            nonlocal count, shown
            count += 1
            if time.monotonic() - shown > 0.1:
                shown = time.monotonic()
                bar.update(task, completed=lines.bytes_read, count=count, refresh=True)

        yield step
