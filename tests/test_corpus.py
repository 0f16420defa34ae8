"""The corpora: every answer right, and no fewer answers than before (tests/data/score.json, a ratchet)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import corpus
from solving import whence, write_lines

RATCHET = corpus.DATA / "score.json"
needs_torch = pytest.mark.skipif(not corpus.has_torch(), reason=corpus.NEEDS_TORCH)


def solved(name: str, folder: Path) -> Path:
    """The file that `whence solve` writes for a corpus."""
    questions = [corpus.question(p) for p in corpus.problems(name)]
    out = folder / f"{name}.out.jsonl"
    status, _ = whence("solve", str(write_lines(folder / f"{name}.in.jsonl", questions)), "--out", str(out))
    assert status == 0
    return out


@needs_torch
@pytest.mark.parametrize("name", ["classic", "deep", "tensors", "families", "adversary"])
def test_score_does_not_fall(name: str, tmp_path: Path) -> None:
    least = json.loads(RATCHET.read_text(encoding="utf-8"))[name]
    command = [sys.executable, "score.py", "solve", str(solved(name, tmp_path)), f"{name}.jsonl"]
    bars = ["--min", f"right={least['right']}", f"closed={least['closed']}"]
    bars += ["--max", "wrong=0", "unverified=0", "missing=0"]
    if name in ("classic", "deep", "tensors"):  # the others have answers that no author would print
        bars += ["ratio=1.0", "ratio_p95=1.3"]
    done = subprocess.run([*command, *bars], capture_output=True, text=True, cwd=corpus.DATA, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r" right=([\d.]+)", done.stdout)
    assert found is not None
    if float(found[1]) > least["right"] + 0.01:
        print(f"{name}: right={found[1]}, so {RATCHET.name} can be raised from {least['right']}")


def test_every_refusal_of_the_corpus_is_named(tmp_path: Path) -> None:
    """A refusal has a code and a sentence; none is an internal error, none has an answer beside it."""
    for name in ("classic", "deep", "tensors", "families", "adversary"):
        lines = solved(name, tmp_path).read_text(encoding="utf-8").splitlines()
        answers = [json.loads(line) for line in lines]
        assert [a["id"] for a in answers] == [p["id"] for p in corpus.problems(name)]
        for answer in answers:
            if answer["status"] == "ok":
                assert answer["verified"] in ("exact", "numeric"), answer
                continue
            assert answer["status"] == "refused" and not answer.get("formula"), answer
            error = answer["error"]
            assert error["code"] not in ("", "internal") and error["message"], answer


def test_bad_lines_do_not_stop_the_batch(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    good = corpus.question(corpus.problems("deep")[1])
    changed = [{"wrt": ["Q9"]}, {"expression": "sum(Q9)"}, {"expression": "sum("}, {"expression": "sum(Z1 @ Z1)"}]
    bad = ["{", "[]", '"text"', '{"id": "no-fields"}', *(json.dumps({**good, **change}) for change in changed), ""]
    path.write_text("\n".join([*bad, json.dumps(good)]), encoding="utf-8")
    status, out = whence("solve", str(path))
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert answers[-1]["id"] == good["id"] and answers[-1]["status"] == "ok"
    assert len(answers) == len(bad)  # an empty line is no line, and the good one came last
    for answer in answers[:-1]:
        assert answer["status"] == "refused" and answer["error"]["code"] not in ("", "internal"), answer
