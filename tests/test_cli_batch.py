"""Batches: every line its answer, in order, whatever happens to the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import corpus
from solving import COMMAND, write_lines
from whence.cli.batch import run_batch
from whence.cli.lines import Lines
from whence.cli.main import main
from whence.cli.solve import LINE_LIMIT, id_in, solve_item, solve_line
from whence.cli.workers import in_parallel

PROBLEM: dict[str, Any] = {"id": "a", "variables": {"x": ["n"]}, "expression": "x.T @ x", "wrt": ["x"]}
posix = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, and processes that are copies")


def start(*words: str, **options: Any) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    # A test run in the background has its interrupts ignored, and would hand that on to the command.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    return subprocess.Popen([sys.executable, "-c", listens + COMMAND, *words], stdout=pipe, stderr=pipe, **options)


def problems(count: int) -> list[dict[str, Any]]:
    """So many problems that differ, some of them refused."""
    bad = {**PROBLEM, "wrt": ["y"]}
    return [{**(bad if k % 7 == 6 else PROBLEM), "id": f"p{k}", "expression": f"{k} * x.T @ x"} for k in range(count)]


def without_seconds(text: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in text.splitlines()]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> tuple[int, str, str]:
        status = main(list(words))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


# -- one problem


def test_an_answer_has_the_fields_of_the_format() -> None:
    answer = solve_item(PROBLEM)
    assert list(answer) == ["id", "status", "formula", "layout", "closed_form", "verified", "seconds"]
    assert answer["formula"].replace(" ", "") == "2*x" and answer["verified"] == "exact"
    assert answer["layout"] == "matrix" and answer["closed_form"] is True and 0 < answer["seconds"] < 60


def test_a_refusal_has_its_error() -> None:
    answer = solve_item({**PROBLEM, "wrt": ["y"]})
    assert list(answer) == ["id", "status", "error", "verified", "seconds"]
    assert answer["status"] == "refused" and answer["verified"] == "no" and answer["error"]["code"] == "unknown-target"
    assert set(answer["error"]) >= {"code", "line", "column", "message", "found", "expected", "help"}


@pytest.mark.parametrize("item", [{}, {"id": 3}, [], None, "x", 7, {"id": [1], "variables": 3}, {"id": None}])
def test_whatever_the_item_nothing_is_raised(item: Any) -> None:
    answer = solve_item(item)
    assert answer["status"] == "refused" and answer["error"]["code"] == "bad-problem"
    assert answer["id"] == (item.get("id") if isinstance(item, dict) else None)


def test_the_id_comes_back_as_it_was() -> None:
    assert [solve_item({**PROBLEM, "id": name})["id"] for name in (7, "7", "é\ud800", "")] == [7, "7", "é\ud800", ""]


def test_a_fault_of_the_program_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fault(_: object) -> None:
        raise RecursionError("planted")

    monkeypatch.setattr("whence.engine.solve_problem", fault)
    answer = solve_item(PROBLEM)
    assert answer["status"] == "refused" and answer["error"]["code"] == "internal"
    assert "planted" in answer["error"]["message"] and capsys.readouterr().err == ""
    solve_item(PROBLEM, debug=True)
    assert "Traceback" in capsys.readouterr().err


# -- one line

BAD_LINES = {
    b"{": ("bad-json", None),
    b"not json": ("bad-json", None),
    b'["id", "a"]': ("bad-json", None),
    b'{"id": "a7", "expression": "x': ("bad-json", "a7"),
    b'{"id": 12, "expression": x}': ("bad-json", 12),
    b'{"id": "a", "x": NaN}': ("bad-json", "a"),
    b'{"id": "a", "x": ' + b"9" * 5000 + b"}": ("bad-json", "a"),
    b'{"id": "a", "x": ' + b"[" * 100_000: ("bad-json", "a"),
    b'{"id": "a\xff"}': ("not-text", "a\ufffd"),
    b'{"id": "a", "x": "' + b"x" * LINE_LIMIT + b'"}': ("file-too-large", "a"),
    b'{"id": "a"} {"id": "b"}': ("bad-json", "a"),
}


@pytest.mark.parametrize("line", BAD_LINES, ids=lambda b: b[:24].decode("latin-1"))
def test_bad_lines(line: bytes) -> None:
    code, name = BAD_LINES[line]
    text = solve_line(line)
    answer = json.loads(text)
    assert text.endswith("\n") and text.count("\n") == 1 and text.isascii()
    assert (answer["status"], answer["error"]["code"], answer["id"]) == ("refused", code, name)


def test_the_id_of_a_broken_line() -> None:
    assert id_in(b'{"expression": "x", "id" : "q\\"1"') == 'q"1'
    assert id_in(b'{"id": 1.5') is None and id_in(b"") is None


# -- reading lines


class Drip:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step = data, step

    def read(self, _: int) -> bytes:
        out, self.data = self.data[: self.step], self.data[self.step :]
        return out


@pytest.mark.parametrize("step", [1, 2, 3, 1000])
@pytest.mark.parametrize("text", [b"", b"\n", b"a", b"a\n", b"a\nbc", b"\n a\r\n\n\nbc\n\n", b"abc\n" * 7])
def test_lines(text: bytes, step: int) -> None:
    lines = Lines(Drip(text, step))  # type: ignore[arg-type]
    assert list(lines) == [line for line in text.split(b"\n") if line.strip()]
    assert lines.bytes_read == len(text)


def test_of_a_line_too_long_only_the_beginning_is_kept() -> None:
    text = b"a\n" + b"b" * (3 * LINE_LIMIT) + b"\nc\n" + b"d" * (2 * LINE_LIMIT)
    lines = list(Lines(Drip(text, 1 << 16)))  # type: ignore[arg-type]
    assert [(line[:1], len(line)) for line in lines] == [
        (b"a", 1),
        (b"b", LINE_LIMIT + 1),
        (b"c", 1),
        (b"d", LINE_LIMIT + 1),
    ]


# -- batches


def test_a_batch_answers_every_line_in_order(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    lines = [json.dumps(p).encode() for p in problems(9)]
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join([*lines[:4], b"{broken", b"", b'{"id": "t", "x', *lines[4:]]))
    status, out, err = run("solve", str(path))
    assert (status, err) == (0, "")
    answers = without_seconds(out)
    assert [a["id"] for a in answers] == ["p0", "p1", "p2", "p3", None, "t", "p4", "p5", "p6", "p7", "p8"]
    assert [a["status"] for a in answers].count("refused") == 3


def test_an_empty_batch(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n")
    assert run("solve", str(path)) == (0, "", "")
    assert run("solve", str(path), "--jobs", "2") == (0, "", "")


def test_a_batch_from_standard_input() -> None:
    text = "".join(json.dumps(p) + "\n" for p in problems(5)).encode()
    for jobs in ("1", "2"):
        with start("solve", "-", "--jobs", jobs, stdin=subprocess.PIPE) as process:
            out, err = process.communicate(text, timeout=60)
        assert (process.returncode, err) == (0, b"")
        assert [json.loads(line)["id"] for line in out.splitlines()] == [f"p{k}" for k in range(5)]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_line_is_answered_when_it_comes(jobs: str) -> None:
    with start("solve", "-", "--jobs", jobs, stdin=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        for k in range(3):
            process.stdin.write(json.dumps({**PROBLEM, "id": k}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == k
        process.stdin.close()
        assert process.wait(60) == 0


def test_several_processes_give_the_same(run: Any, tmp_path: Path) -> None:
    chosen = [corpus.question(p) for p in corpus.problems()[::20]] + problems(20)
    path = write_lines(tmp_path / "in.jsonl", chosen)
    status, one, _ = run("solve", str(path))
    assert status == 0 and len(one.splitlines()) == len(chosen)
    for jobs in ("2", "3"):
        status, several, err = run("solve", str(path), "--jobs", jobs)
        assert (status, err) == (0, "") and without_seconds(several) == without_seconds(one)


def test_the_answers_in_a_file(run: Any, tmp_path: Path) -> None:
    path, out = write_lines(tmp_path / "in.jsonl", problems(3)), tmp_path / "out.jsonl"
    out.write_text("what was there\n" * 100, encoding="utf-8")
    assert run("solve", str(path), "--out", str(out)) == (0, "", "")
    assert [a["id"] for a in without_seconds(out.read_text("utf-8"))] == ["p0", "p1", "p2"]


@pytest.mark.parametrize("place", [".", "no/such/folder/out.jsonl", "in.jsonl", "link.jsonl"])
@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_files_that_cannot_be_written(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, resume: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = write_lines(tmp_path / "in.jsonl", problems(2)).read_bytes()
    (tmp_path / "link.jsonl").symlink_to("in.jsonl")
    status, out, err = run("solve", "in.jsonl", "--out", place, *resume)
    assert (status, out) == (2, "") and err.startswith("error[cannot-write]")
    assert (tmp_path / "in.jsonl").read_bytes() == before


# -- going on


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("keep", [0, 1, 5, 9, 12])
@pytest.mark.parametrize("fragment", ["", "{", '{"id": "p', '{"id": "p5", "status": "ok"}'])
def test_resume_gives_what_an_uninterrupted_run_gives(
    run: Any, tmp_path: Path, keep: int, fragment: str, jobs: str
) -> None:
    asked = problems(12)
    path, out = write_lines(tmp_path / "in.jsonl", asked[:6]), tmp_path / "out.jsonl"
    path.write_text(path.read_text() + '{"id": "cut\n\n[]\n' + "".join(json.dumps(p) + "\n" for p in asked[6:]))
    run("solve", str(path), "--out", str(out))
    whole = out.read_text("utf-8")
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 14
    out.write_text("".join(lines[:keep]) + fragment, encoding="utf-8")
    assert run("solve", str(path), "--out", str(out), "--resume", "--jobs", jobs) == (0, "", "")
    resumed = out.read_text("utf-8")
    assert resumed.splitlines(keepends=True)[:keep] == lines[:keep], "what was there stays as it was"
    assert without_seconds(resumed) == without_seconds(whole)


def test_resume_with_nothing_there_and_with_all_there(run: Any, tmp_path: Path) -> None:
    path, out = write_lines(tmp_path / "in.jsonl", problems(3)), tmp_path / "out.jsonl"
    assert run("solve", str(path), "--out", str(out), "--resume")[0] == 0
    whole = out.read_bytes()
    assert run("solve", str(path), "--out", str(out), "--resume")[0] == 0
    assert out.read_bytes() == whole


@pytest.mark.parametrize(
    "there",
    [
        "my notes\n",
        "my notes",
        '{"id": "p1", "status": "ok"}\n',
        '{"status": "ok"}\n',
        '{"id": "p0"}\n{"id": "p1"}\n{"id": "p2"}\n{"id": "p3"}\n',
        '{"id": "p0"}\n\n',
    ],
)
def test_resume_leaves_other_files_alone(run: Any, tmp_path: Path, there: str) -> None:
    path, out = write_lines(tmp_path / "in.jsonl", problems(3)), tmp_path / "out.jsonl"
    out.write_text(there, encoding="utf-8")
    status, _, err = run("solve", str(path), "--out", str(out), "--resume")
    assert status == 2 and err.startswith("error[other-batch]")
    assert out.read_text("utf-8") == there


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_killed_in_the_middle_and_resumed(run: Any, tmp_path: Path, jobs: str) -> None:
    asked = problems(400)
    path, out = write_lines(tmp_path / "in.jsonl", asked), tmp_path / "out.jsonl"
    kills = 0
    for wanted in (20, 150):
        with start("solve", str(path), "--out", str(out), "--resume", "--jobs", jobs) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and process.poll() is None:
                if out.exists() and out.read_bytes().count(b"\n") >= wanted:
                    process.send_signal(signal.SIGKILL)
                    kills += 1
                    break
                time.sleep(0.002)
    assert kills == 2 and out.read_bytes().count(b"\n") < len(asked)
    assert run("solve", str(path), "--out", str(out), "--resume", "--jobs", jobs) == (0, "", "")
    _, uninterrupted, _ = run("solve", str(path))
    assert without_seconds(out.read_text("utf-8")) == without_seconds(uninterrupted)


# -- processes


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@linux
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_workers_end_with_their_parent(kill: signal.Signals) -> None:
    with start("solve", "-", "--jobs", "3", stdin=subprocess.PIPE) as process:
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(PROBLEM).encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 3
        process.send_signal(kill)
        process.wait(60)
    deadline = time.monotonic() + 20
    while any(running(int(pid)) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(running(int(pid)) for pid in children)


def _dies_over_some(line: bytes) -> str:
    if b"die" in line:
        os._exit(9)
    return line.decode() + "\n"


@linux
def test_a_worker_that_ends_costs_only_its_line(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("".join(f'{{"id": {k}{", 1: die" if k % 10 == 3 else ""}}}\n' for k in range(40)))
    with open(path, "rb", buffering=0) as stream:
        answers = [json.loads(a) for a in in_parallel(Lines(stream), _dies_over_some, 2)]
    assert [a["id"] for a in answers] == list(range(40))
    assert [a["id"] for a in answers if "error" in a] == [3, 13, 23, 33]


def _sleeps_over_some(line: bytes) -> str:
    time.sleep(0.3 if b"slow" in line else 0)
    return line.decode() + "\n"


def test_a_slow_line_keeps_its_place(tmp_path: Path) -> None:
    path, out = tmp_path / "lines", tmp_path / "out"
    lines = [f'{{"id": {k}, "x": "{"slow" if k in (0, 5) else ""}"}}\n' for k in range(300)]
    path.write_text("".join(lines))
    run_batch(str(path), _sleeps_over_some, out=str(out), jobs=2)
    assert out.read_text() == "".join(lines)


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_is_quiet(jobs: str) -> None:
    with start("solve", "-", "--jobs", jobs, stdin=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write(json.dumps(PROBLEM).encode() + b"\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130 and process.stderr.read() == b""


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_nobody_reads_the_answers(tmp_path: Path, jobs: str) -> None:
    path = write_lines(tmp_path / "in.jsonl", problems(200))
    with start("solve", str(path), "--jobs", jobs) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait(60) == 130


def test_little_time_goes_beside_the_answers(tmp_path: Path) -> None:
    """What is spent on a line beside solving it: reading, writing, keeping order."""
    path = write_lines(tmp_path / "in.jsonl", problems(2000))
    answer = '{"id": "p"}\n'
    start_time = time.perf_counter()
    run_batch(str(path), partial(_constant, answer), out=str(tmp_path / "out.jsonl"))
    assert (time.perf_counter() - start_time) / 2000 < 0.0005


def test_processes_that_are_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems where a running process is not copied."""
    monkeypatch.setattr("whence.cli.workers._METHOD", "spawn")
    path, out = write_lines(tmp_path / "in.jsonl", problems(20)), tmp_path / "out.jsonl"
    run_batch(str(path), partial(solve_line, debug=False), out=str(out), jobs=2)
    assert [a["id"] for a in without_seconds(out.read_text("utf-8"))] == [f"p{k}" for k in range(20)]


@linux
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_progress_is_shown_to_a_person_only(tmp_path: Path, jobs: str) -> None:
    import pty

    path, out = write_lines(tmp_path / "in.jsonl", problems(50)), tmp_path / "out.jsonl"
    person, terminal = pty.openpty()
    words = ["solve", str(path), "--out", str(out), "--jobs", jobs]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-c", COMMAND, *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, env=env, timeout=60)
    os.close(terminal)
    shown = os.read(person, 100_000).decode()
    os.close(person)
    assert (done.returncode, done.stdout) == (0, b"") and "lines" in shown
    assert len(out.read_text("utf-8").splitlines()) == 50
    with start(*words) as process:
        assert process.communicate(timeout=60) == (b"", b"")


def _constant(answer: str, _: bytes) -> str:
    return answer
