"""What is said of a mistake: one sentence in plain words, and a hint that does not give the answer away."""

from __future__ import annotations

LINE_SENTENCES: dict[str, str] = {
    "circular": "{name} is defined by itself: nothing is claimed.",
    "later": "It uses {name}, which is defined in a later line.",
    "failed": "It is built on {name}, whose line has no value of the right shape.",
    "undefined": "{name} is not a name of the problem, and no earlier line defines it.",
    "own-name": "{name} is a name of your own: it is judged by what is built on it.",
}
