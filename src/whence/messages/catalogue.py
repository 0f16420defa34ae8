"""The catalogue of messages: every sentence the program says about a problem, by code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from whence.messages.message import Bad, Message
from whence.messages.texts import CATALOGUE

__all__ = ["CATALOGUE", "Bad", "Message", "nearest", "sentence"]


class _Blanks(dict[str, Any]):
    """Placeholders without a value leave an ellipsis, so that a message never fails."""

    def __missing__(self, key: str) -> str:
        return "…"


def sentence(code: str, values: dict[str, Any]) -> tuple[str, str]:
    """The sentence of a code with its values filled in, and the default next step.

    A code that is not in the catalogue gives its own words.

    >>> sentence("unknown-function", {"found": "sigmod"})[0]
    'There is no function sigmod here.'
    """
    message = CATALOGUE.get(code)
    if message is None:
        return code.replace("-", " ").capitalize() + ".", ""
    filled = _Blanks({key: _short(value) for key, value in values.items()})
    return message.sentence.format_map(filled), message.help.format_map(filled)


def _short(value: Any) -> str:
    """A value as text, cut where it would drown the sentence."""
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"


def nearest(word: str, known: Iterable[str], *, distance: int = 2, count: int = 3) -> list[str]:
    """The known names at most `distance` slips away from `word`, nearest first.

    A slip is a letter added, left out, replaced, or swapped with its neighbour.

    >>> nearest("sigmod", ["sigmoid", "sign", "sum"])
    ['sigmoid']
    """
    allowed = min(distance, max(1, len(word) // 3))
    found: list[tuple[int, str]] = []
    for name in dict.fromkeys(known):
        if abs(len(name) - len(word)) <= allowed and len(name) > 1 and name != word:
            slips = _slips(word, name)
            if slips <= allowed:
                found.append((slips, name))
    return [name for _, name in sorted(found)[:count]]


def _slips(a: str, b: str) -> int:
    """Edit distance with swaps of neighbours."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
