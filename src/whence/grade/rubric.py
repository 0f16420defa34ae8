"""The rubric: what was asked, and what each answer is worth. A TOML file that a teacher writes.

model = '''
Z = W X + b
A = tanh(Z)
J = sum((A - Y)^2)/(2 m)
'''
shapes = "W: k x n, X: n x m, b: k, Y: k x m"
convention = "auto"         # exact, course, or auto: either
follow_through = true       # a line that is right given an earlier slip has its points
feedback = "hint"           # none, hint, sentence, repair: how much a student is told
[points]
dZ = 2
dW = 1
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from whence.messages.errors import ReadError

FEEDBACK = ("none", "hint", "sentence", "repair")
CONVENTIONS = ("auto", "exact", "course")


@dataclass(frozen=True)
class Rubric:
    model: str
    points: tuple[tuple[str, float], ...]  # target -> what it is worth
    shapes: str = ""
    assume: str = ""
    convention: str = "auto"
    follow_through: bool = True
    feedback: str = "hint"

    @property
    def total(self) -> float:
        return sum(points for _, points in self.points)


def rubric_of(text: str) -> Rubric:
    """The rubric that a text in TOML holds. Raises ReadError `bad-rubric`.

    >>> rubric_of('model = "J = sum(W X)"\\n[points]\\ndW = 2').points
    (('dW', 2.0),)
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ReadError("bad-rubric", line=1, column=1, found=str(problem)) from None
    points = data.get("points")
    if not isinstance(points, dict) or not points or any(not _is_points(v) for v in points.values()):
        raise _bad("points", "a table of targets and what they are worth, such as dW = 1")
    for name in ("model", "shapes", "assume"):
        if not isinstance(data.get(name, ""), str):
            raise _bad(name, "a text")
    if not data.get("model"):
        raise _bad("model", "the model's lines")
    for name, words in (("convention", CONVENTIONS), ("feedback", FEEDBACK)):
        if data.get(name, words[0]) not in words:
            raise _bad(name, "one of " + ", ".join(words))
    if not isinstance(data.get("follow_through", True), bool):
        raise _bad("follow_through", "true or false")
    return Rubric(
        data["model"],
        tuple((name, float(value)) for name, value in points.items()),
        data.get("shapes", ""),
        data.get("assume", ""),
        data.get("convention", "auto"),
        data.get("follow_through", True),
        data.get("feedback", "hint"),
    )


def _is_points(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1_000_000


def _bad(name: str, expected: str) -> ReadError:
    return ReadError("bad-rubric", line=1, column=1, found=name, expected=expected)
