"""Coverage-guided fuzzing of reader and shapes: edits of real texts, those kept that reach new lines.

`python tests/fuzz.py --seconds 600 --seed 1` ends with status 1 if anything but whence's own errors came out, or if a
text took longer than the limit.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
import traceback
from types import FrameType
from typing import Any

from corpus import DATA, problems
from whence.alone import is_alone
from whence.messages.errors import WhenceError
from whence.read.array_errors import array_error_in
from whence.read.model import read_model
from whence.read.posts import read_post
from whence.read.reading import read_typed
from whence.shapes.infer import infer

LIMIT = 0.05  # seconds of processor time for one text, without tracing
ROOMS = ("/whence/read/", "/whence/shapes/")
PIECES = [
    *"()[]{}^_'’*/@+-=.,:;|\\&$#\"`<>∂∇Σ√⊙ᵀ½δ ",
    "\n",
    "^[l]",
    "^{T}",
    "\\frac{",
    "np.dot(",
    ".T",
    "g'(",
    "dJ/dW",
    "_{i}",
    "def f(x):\n    return ",
    "for l in range(1, L):\n    ",
    'p["W1"]',
    "einsum('ij,jk->ik',",
    "```\n",
    "\\[",
    "W2T",
    "1/m",
    "shapes (4,3) and (4,3) not aligned",
    "shape X: n x m\n",
    "assume S: symmetric\n",
    "sum_i ",
    "‖x‖₂²",
    "|x|",
    "e^",
    "\u202e",
    "\u0301",
    "а",
    "9" * 40,
    "x" * 70,
    "(" * 30,
    "²",
    "⁻¹",
    "tr(",
    "log det ",
    "\\odot",
    "axis=0",
    "keepdims=True",
]


def texts() -> list[str]:
    """What the fuzzing starts from."""
    lines = (DATA / "notations.jsonl").read_text(encoding="utf-8").splitlines()
    typed = [json.loads(line)["typed"] for line in lines if line.strip()]
    return [*typed, *(p["expression"] for p in problems()), *("; ".join(p.get("definitions", [])) for p in problems())]


def edited(text: str, others: list[str], random_: random.Random) -> str:
    """A text with a few edits: pieces put in, left out, doubled, or taken from another text."""
    for _ in range(random_.choice((1, 1, 2, 3, 6))):
        at, to = sorted(random_.randrange(len(text) + 1) for _ in range(2))
        way = random_.randrange(5)
        if way == 0:
            text = text[:at] + random_.choice(PIECES) + text[at:]
        elif way == 1:
            text = text[:at] + text[min(to, at + random_.randrange(1, 12)) :]
        elif way == 2:
            text = text[:to] + text[at:to] + text[to:]
        elif way == 3:
            other = random_.choice(others)
            text = text[:at] + other[random_.randrange(len(other) + 1) :] + text[to:]
        else:
            text = text[:at] + random_.choice(PIECES) + text[to:]
    return text[:4000]


def read(text: str) -> None:
    """The text through every door of the reader; whence's own errors are answers."""
    for door in (read_typed, lambda t: infer(read_model(t)), read_post, is_alone, array_error_in):
        try:
            door(text)
        except WhenceError as error:
            str(error), error.to_json()


class Coverage:
    """The lines of the reader that were run so far."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.news = 0

    def run(self, text: str) -> int:
        """How many lines a text is the first to reach."""
        self.news = 0
        sys.settrace(self.call)
        try:
            read(text)
        finally:
            sys.settrace(None)
        return self.news

    def call(self, frame: FrameType, event: str, arg: Any) -> Any:
        name = frame.f_code.co_filename
        return self.line if any(room in name for room in ROOMS) else None

    def line(self, frame: FrameType, event: str, arg: Any) -> Any:
        key = (frame.f_code.co_filename, frame.f_lineno)
        if key not in self.seen:
            self.seen.add(key)
            self.news += 1
        return self.line


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    random_, coverage, pool = random.Random(chosen.seed), Coverage(), texts()
    for text in pool:
        coverage.run(text)
    first, start, tried, faults, slow = len(coverage.seen), time.monotonic(), 0, 0, 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while time.monotonic() - start < chosen.seconds:
        text = edited(random_.choice(pool), pool, random_)
        tried += 1
        try:
            before = time.process_time()
            read(text)
            took = time.process_time() - before
            if took > LIMIT:
                again = time.process_time()
                read(text)
                took = min(took, time.process_time() - again)
            if took > LIMIT:
                slow += 1
                print(f"slow: {took:.3f} s {text!r}", flush=True)
            if tried % 4 == 0 and coverage.run(text):
                pool.append(text)
        except Exception:
            faults += 1
            print(f"fault: {text!r}\n{traceback.format_exc()}", flush=True)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(f"{tried} texts, {faults} faults, {slow} slow; lines {first} -> {len(coverage.seen)}, pool {len(pool)}, "
          f"memory +{grown / 1024:.0f} MB")  # fmt: skip
    sys.exit(1 if faults or slow else 0)


if __name__ == "__main__":
    main()
