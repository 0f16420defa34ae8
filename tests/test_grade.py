"""Grading a class: marks, clusters, review, going on, overrides."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from solving import ROOT, write_lines
from solving import whence as command
from whence.cli.main import main
from whence.grade.rubric import rubric_of
from whence.messages.errors import ReadError

RUBRIC = str(ROOT / "examples" / "rubric.toml")
RIGHT = {"dZ": "(A - Y) * (1 - A^2)/m", "dW": "dZ X'", "db": "sum(dZ, axis=1)"}
CLASS = [
    {"student": "ann", "answers": RIGHT},
    {"student": "bob", "answers": {**RIGHT, "dW": "dZ X"}},
    {"student": "cem", "answers": {**RIGHT, "dW": "dZ @ X"}},
    {"student": "dee", "answers": {**RIGHT, "dZ": "(A - Y) * (("}},
    {"student": "eve", "text": "dZ = (A - Y) * (1 - Z^2)/m\ndW = dZ X'\ndb = sum(dZ, axis=1)"},
    {"student": "fay", "answers": {"dZ": "(A - Y) * (1 - A^2)", "dW": "dZ X'/m"}},
]


def graded(folder: Path, *words: str) -> dict[str, dict]:
    path = write_lines(folder / "class.jsonl", CLASS)
    status, _ = command("grade", RUBRIC, str(path), "--out", str(folder / "out"), *words)
    assert status == 0
    lines = (folder / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {r["id"]: r for r in map(json.loads, lines)}


def test_marks_clusters_and_review(tmp_path: Path) -> None:
    found = graded(tmp_path)
    assert {name: r["points"] for name, r in found.items()} == {
        "ann": 4, "bob": 3, "cem": 3, "dee": None, "eve": 2, "fay": 3,
    }  # fmt: skip
    assert found["bob"]["marks"]["dW"]["cluster"] == found["cem"]["marks"]["dW"]["cluster"]
    assert found["dee"]["marks"]["dZ"]["points"] is None and found["dee"]["marks"]["dW"]["points"] == 1
    rows = list(csv.reader((tmp_path / "out" / "grades.csv").open(encoding="utf-8")))
    assert rows[0] == ["student", "dZ", "dW", "db", "total"] and rows[4] == ["dee", "", "1", "1", ""]
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "6 submissions, 5 graded, 1 with something to review" in report and "2 × dW: missing-transpose" in report


def test_it_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    whole = graded(tmp_path)
    out = tmp_path / "out" / "results.jsonl"
    text = out.read_text(encoding="utf-8")
    out.write_text(text[: len(text) // 2], encoding="utf-8")
    assert graded(tmp_path, "--resume", "--jobs", "2") == whole


def test_a_teachers_change_holds_for_the_cluster(tmp_path: Path) -> None:
    cluster = graded(tmp_path)["bob"]["marks"]["dW"]["cluster"]
    change = {cluster: {"points": 0.5, "comment": "half"}}
    (tmp_path / "out" / "overrides.json").write_text(json.dumps(change), encoding="utf-8")
    graded(tmp_path, "--resume")
    rows = {r[0]: r for r in csv.reader((tmp_path / "out" / "grades.csv").open(encoding="utf-8"))}
    assert rows["bob"][-1] == rows["cem"][-1] == "3.5" and rows["ann"][-1] == "4"


def test_a_table_and_a_folder_are_read(tmp_path: Path) -> None:
    table = tmp_path / "class.csv"
    table.write_text("student,dZ,dW\nann,(A - Y) * (1 - A^2)/m,dZ X'\n", encoding="utf-8")
    assert command("grade", RUBRIC, str(table), "--out", str(tmp_path / "a"))[0] == 0
    assert (tmp_path / "a" / "grades.csv").read_text(encoding="utf-8").splitlines()[1] == "ann,2,1,0,3"
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "bob.py").write_text("dZ = (A - Y) * (1 - A**2) / m\ndW = np.dot(dZ, X.T)\n", encoding="utf-8")
    assert command("grade", RUBRIC, str(folder), "--out", str(tmp_path / "b"))[0] == 0
    assert (tmp_path / "b" / "grades.csv").read_text(encoding="utf-8").splitlines()[1] == "bob,2,1,0,3"


def test_what_was_not_read_is_never_missing(tmp_path: Path) -> None:
    """A line that could not be read may be the one that is asked for."""
    folder = tmp_path / "files"
    folder.mkdir()
    text = "\\[ \\frac{\\partial J}{\\partial Z} = ?? A \\]\n\\[ \\frac{\\partial J}{\\partial W} = dZ X^\\top \\]\n"
    (folder / "ann.tex").write_text(text, encoding="utf-8")
    assert command("grade", RUBRIC, str(folder), "--out", str(tmp_path / "out"))[0] == 0
    result = json.loads((tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8"))
    marks = result["marks"]
    assert result["points"] is None and marks["dW"]["points"] == 1
    assert marks["dZ"]["points"] is None and marks["dZ"]["verdict"] == "review"


def test_the_preview_shows_the_right_answers() -> None:
    status, out = command("grade", RUBRIC, "--preview")
    assert status == 0 and "dW = dZ Xᵀ    1 points" in out


@pytest.mark.parametrize(
    "text", ["", "model = 3", "[points]\ndW = 1", 'model = "J = sum(X)"\n[points]\ndX = "a"', "=="]
)
def test_a_bad_rubric_is_named(text: str) -> None:
    with pytest.raises(ReadError) as caught:
        rubric_of(text)
    assert caught.value.code == "bad-rubric"


def test_bad_submissions_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name\nann\n", encoding="utf-8")
    assert main(["grade", RUBRIC, str(path), "--out", str(tmp_path / "out")]) == 2
    assert "bad-submissions" in capsys.readouterr().err
