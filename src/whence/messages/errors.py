"""The error hierarchy. Every error carries a code of the catalogue, a place, and one next step."""

from __future__ import annotations

from typing import Any

from whence.messages.catalogue import sentence


class WhenceError(Exception):
    """Root of all errors that whence raises. The sentence comes from the catalogue, by `code`.

    `found` and `expected` are short texts; `shapes` the shapes bound so far; `help` one next step.
    """

    def __init__(
        self,
        code: str,
        *,
        line: int = 0,
        column: int = 0,
        end: int = 0,
        found: str = "",
        expected: str = "",
        help: str = "",
        shapes: dict[str, str] | None = None,
        source: str = "",
        **values: Any,
    ) -> None:
        self.code = code
        self.line = line
        self.column = column
        self.end = end or column + 1
        self.found = found
        self.expected = expected
        self.shapes = shapes or {}
        self.source = source
        self.extended = ""  # a result in other words, where the notation has none for what was asked
        self.values = {**values, "found": found, "expected": expected}
        self.message, default_help = sentence(code, self.values)
        self.help = help or default_help
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        """The error as one JSON object (interface.md: code, line, column, message, help)."""
        out: dict[str, Any] = {
            "code": self.code,
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "found": self.found,
            "expected": self.expected,
            "help": self.help,
        }
        if self.shapes:
            out["shapes"] = self.shapes
        if self.extended:
            out["extended"] = self.extended
        return out


class ReadError(WhenceError):
    """The text cannot be read."""


class LimitError(WhenceError):
    """A cap was reached before the work was done."""


class ShapeError(WhenceError):
    """Shapes do not fit."""


class UnknownError(WhenceError):
    """A name, target or function that the model does not have."""


class RuleError(WhenceError):
    """A function without a rule, or a derivative whence does not take."""


class RefusedError(WhenceError):
    """The answer could not be verified or expressed, so none is given."""
