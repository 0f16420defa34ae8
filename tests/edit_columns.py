"""How close the column of an error is to the slip: one character left out of or put into formulas that are right.

Of a pair of brackets of which one is left out, the other is as near: from where it stands nobody can tell more.
`python tests/edit_columns.py --count 10000` prints the share of errors that point within one token of the edit.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter

from corpus import problems
from whence.messages.errors import WhenceError
from whence.read.lexer import Token, tokens_of
from whence.read.parser import parse_expression

SIGNS = "()[]+-*/@,.'^=:;#!$%&?\\ x1_T"


def formulas() -> list[str]:
    """The formulas of the corpora, each once."""
    found: dict[str, None] = {}
    for problem in problems():
        for text in (problem["expression"], problem.get("expected")):
            if isinstance(text, str):
                found.setdefault(text)
    return list(found)


def edited(text: str, random_: random.Random) -> tuple[str, list[int]]:
    """The text with one character less or more, and the columns (from 1) where an error may point."""
    at = random_.randrange(len(text))
    if random_.random() < 0.5:
        partner = partners(text).get(at)
        places = [at + 1] if partner is None else [at + 1, partner + (partner < at)]
        return text[:at] + text[at + 1 :], places
    return text[:at] + random_.choice(SIGNS) + text[at:], [at + 1]


def partners(text: str) -> dict[int, int]:
    """For each bracket the place of the one that it goes with."""
    opened: list[int] = []
    out: dict[int, int] = {}
    for k, sign in enumerate(text):
        if sign in "([":
            opened.append(k)
        elif sign in ")]":
            out[k] = opened.pop()
            out[out[k]] = k
    return out


def distance(text: str, column: int, named: int) -> int:
    """How many tokens lie between two columns."""
    try:
        tokens = tokens_of(text, 1)[:-1]
    except WhenceError:  # a sign that is no token: the characters themselves
        return abs(column - named)
    return abs(_place(tokens, column) - _place(tokens, named))


def _place(tokens: list[Token], column: int) -> int:
    return sum(token.column < column + 1 for token in tokens)


def measure(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many edits are still formulas, how many errors are near, and the errors that are far."""
    random_ = random.Random(seed)
    texts = formulas()
    counted: Counter[str] = Counter()
    far: list[str] = []
    while counted["near"] + counted["far"] < count:
        text, columns = edited(random_.choice(texts), random_)
        try:
            parse_expression(text, dialect="canonical")
        except WhenceError as error:
            near = error.line in (0, 1) and min(distance(text, c, error.column) for c in columns) <= 1
            counted["near" if near else "far"] += 1
            if not near:
                far.append(f"{error.code}: {text}\n  edit {columns}, error {error.column}")
        else:
            counted["still a formula"] += 1
    return counted, far


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", type=int, default=0)
    chosen = options.parse_args()
    counted, far = measure(chosen.count, chosen.seed)
    print(dict(counted), f"near: {counted['near'] / chosen.count:.4f}")
    print(*far[: chosen.show], sep="\n")
    sys.exit(counted["near"] < 0.95 * chosen.count)


if __name__ == "__main__":
    main()
