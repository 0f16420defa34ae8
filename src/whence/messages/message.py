"""What one message of the catalogue holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bad:
    """An input that triggers a message, and where the message must point.

    `kind` says what reads it: formula (either dialect), canonical, lecture (dialect forced), model, shapes,
    assume (a declaration), typed (whence read), alone (a backward formula by itself), problem (a line of JSON), or
    command (a command line).
    """

    kind: str
    text: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what went wrong, one next step, the long form, an input that triggers it."""

    code: str
    sentence: str
    help: str
    long: str
    example: Bad
