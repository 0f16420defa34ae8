"""What the command line says of layouts and conventions, and its own errors."""

from __future__ import annotations

from collections.abc import Iterable

from whence.messages.command_texts import COMMAND_LINE
from whence.messages.errors import ReadError, WhenceError
from whence.read.dialects import NO_EVIDENCE

__all__ = ["COMMAND_LINE", "CONVENTIONS", "LAYOUTS", "CommandError", "InternalError", "internal", "refuse_choices"]

LAYOUTS = {
    "gradient": "gradient (each formula has the shape of its variable)",
    "numerator": "numerator (each formula has the transposed shape of its variable)",
    "denominator": "denominator (each formula has the shape of its variable)",
    "vec": "vec (the variable as a column, its columns stacked)",
}
CONVENTIONS = {
    "exact": "exact (every d… is a derivative of {of})",
    "course": "course (only the parameters' formulas are derivatives of {of}; the others are those of the loss before "
    "it is averaged)",
}


class CommandError(WhenceError):
    """The command line, a file it names, or its output cannot be used."""


class InternalError(WhenceError):
    """A fault of the program itself. No answer is given."""


def refuse_choices(notes: Iterable[str], defaults: Iterable[str] = ()) -> None:
    """ReadError `choice-made` where reading had to choose: notes beyond the evidence of the dialect, default shapes."""
    why, *choices = notes
    chosen = [*([why] if why == NO_EVIDENCE else []), *choices, *defaults]
    if chosen:
        raise ReadError("choice-made", line=1, column=1, found=" ".join(chosen))


def internal(fault: Exception) -> InternalError:
    """The coded error that stands for any exception that should not have come out.

    >>> internal(KeyError("x")).message
    "Something went wrong inside whence: KeyError 'x'."
    """
    detail = str(fault).split("\n", 1)[0][:160]
    return InternalError("internal", found=f"{type(fault).__name__} {detail}".strip())
