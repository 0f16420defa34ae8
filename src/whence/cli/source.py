"""A MODEL argument to its text: a file, standard input, or the text itself."""

from __future__ import annotations

import io
import os
import sys
from typing import BinaryIO

from whence.cli.texts import CommandError

STANDARD_INPUT = "-"
SUFFIXES = frozenset({".txt", ".md", ".json", ".jsonl", ".csv", ".tex", ".py", ".ipynb", ".whence", ".yaml", ".yml"})
SIZE_LIMIT = 10_000_000  # bytes


def read_argument(argument: str) -> str:
    """The text that a MODEL stands for.

    An argument that names a file is read from it, `-` is standard input, any other is the text itself. Raises
    CommandError `no-such-file` for what looks like a path and is none, `not-a-file`, `not-text`.

    >>> read_argument("J = sum(X)/m")
    'J = sum(X)/m'
    """
    if argument == STANDARD_INPUT:
        return decoded(_limited(standard_input(), "standard input"))
    if _looks_like_path(argument) or _is_file(argument):
        with open_file(argument) as stream:
            return decoded(_limited(stream, argument))
    return argument


def open_file(path: str) -> io.FileIO:
    """The file, opened to read bytes without a buffer. Raises CommandError where it cannot be."""
    try:
        if os.path.isdir(path):
            raise CommandError("not-a-file", found=path, expected="it is a directory")
        return open(path, "rb", buffering=0)
    except FileNotFoundError:
        help = "Check the path. A formula needs a name: J = " + path if "(" in path else ""
        raise CommandError("no-such-file", found=path, help=help) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CommandError("not-a-file", found=path, expected=reason) from None


def standard_input() -> BinaryIO | io.RawIOBase:
    """Standard input as bytes, without a buffer where it has a file behind it."""
    buffer = getattr(sys.stdin, "buffer", None)
    if buffer is None:
        return io.BytesIO(sys.stdin.read().encode() if sys.stdin else b"")
    return getattr(buffer, "raw", buffer)


def decoded(data: bytes) -> str:
    """Bytes as text. Raises CommandError `not-text` with the place of the first byte that is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        before = data[: problem.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        found = f"0x{data[problem.start]:02x}"
        raise CommandError("not-text", line=line, column=column, found=found) from None


def _limited(stream: BinaryIO | io.RawIOBase, name: str) -> bytes:
    """All bytes of a stream, if they are not far too many."""
    parts: list[bytes] = []
    size = 0
    while size <= SIZE_LIMIT:
        try:
            part = stream.read(1 << 20)
        except OSError as problem:
            raise CommandError("not-a-file", found=name, expected=problem.strerror or str(problem)) from None
        if not part:
            return b"".join(parts)
        parts.append(part)
        size += len(part)
    raise CommandError("file-too-large", found=name, limit=SIZE_LIMIT)


def _is_file(argument: str) -> bool:
    """A word such as X is the text itself, even where a directory has that name."""
    try:
        return os.path.exists(argument) and not os.path.isdir(argument)
    except ValueError:  # a zero character
        return False


def _looks_like_path(argument: str) -> bool:
    if "=" in argument or "\n" in argument or not argument.strip():
        return False
    separators = {os.sep, os.altsep or os.sep}
    return any(s in argument for s in separators) or os.path.splitext(argument)[1].lower() in SUFFIXES


def write_text(path: str, text: str) -> None:
    """Write a file. Raises CommandError `cannot-write`."""
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CommandError("cannot-write", found=path, expected=reason) from None
