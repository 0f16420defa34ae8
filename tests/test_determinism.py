"""The same input gives the same output, byte for byte, whatever the hash seed."""

from __future__ import annotations

import json
from pathlib import Path

import corpus
from solving import fresh_whence, write_lines

HASH_SEEDS = ("0", "1", "2")


def test_solve_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    every = corpus.problems()
    chosen = [corpus.question(p) for p in every[:: len(every) // 40][:40]]
    path = write_lines(tmp_path / "in.jsonl", chosen)
    outputs = []
    for seed in HASH_SEEDS:
        done = fresh_whence("solve", str(path), hash_seed=seed)
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(chosen)
        outputs.append("\n".join(json.dumps({k: v for k, v in a.items() if k != "seconds"}) for a in answers))
    assert outputs[0] == outputs[1] == outputs[2]


def test_explain_does_not_depend_on_the_hash_seed() -> None:
    outputs = []
    for seed in HASH_SEEDS:
        done = fresh_whence("explain", "examples/two_layer.txt", "dZ1", hash_seed=seed)
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0] and outputs[0] == outputs[1] == outputs[2]
