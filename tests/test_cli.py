"""The command line: what is printed where, and with which exit status."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solving import COMMAND, ROOT, fresh_whence
from whence.cli import commands
from whence.cli.arguments import COMMANDS, LATER
from whence.cli.main import main, status_of
from whence.cli.texts import COMMAND_LINE
from whence.messages.catalogue import CATALOGUE
from whence.messages.errors import LimitError, ReadError, RefusedError, RuleError

MODEL = "shape W: k x n, X: n x m, Y: k x m; Z = W X; J = (1/2) sum((Z - Y)^2)"
COMMAND_LINES = [
    ("derive", MODEL),
    ("derive", MODEL, "dW", "X"),
    ("shapes", MODEL),
    ("explain", MODEL, "dW"),
    ("explain", MODEL),
    ("explain", "--code", "shape-clash"),
    ("explain", "--code"),
]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*words: str) -> tuple[int, str, str]:
        status = main(list(words))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def code_of(err: str) -> str:
    assert err.startswith("error["), err
    return err[len("error[") : err.index("]")]


# -- help


def test_whence_alone_prints_the_help(run: Any) -> None:
    status, out, err = run()
    assert (status, err) == (0, "")
    assert all(f"\n  {name}" in out for name in COMMANDS)
    assert run("--help")[1] == out


def test_version(run: Any) -> None:
    import whence

    assert run("--version") == (0, f"whence {whence.__version__}\n", "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Any, command: str) -> None:
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: whence {command} ") and "--json" in out and "Exit status" in out


def test_the_help_names_what_is_run() -> None:
    assert set(COMMANDS) == set(commands.RUN) and not set(COMMANDS) & set(LATER)


# -- answers


def test_derive_gives_the_backward_pass(run: Any) -> None:
    status, out, err = run("derive", MODEL)
    assert (status, err) == (0, "")
    lines = [line.strip() for line in out.split("\n")]
    assert any(line.startswith("dW = dZ Xᵀ") and line.endswith("k × n") for line in lines), out
    assert any(line.startswith("layout: gradient") for line in lines)
    assert any(line.startswith("convention: exact") for line in lines)
    assert any(line.startswith("checked: ") for line in lines)


@pytest.mark.parametrize("targets", [("dW",), ("W",), ("W", "dX"), ("dJ/dW",)])
def test_derive_gives_what_is_asked_for(run: Any, targets: tuple[str, ...]) -> None:
    status, out, _ = run("derive", MODEL, *targets, "--json")
    assert status == 0
    derivatives = json.loads(out)["derivatives"]
    assert [d["target"] for d in derivatives] == ["d" + t.removeprefix("dJ/").removeprefix("d") for t in targets]
    assert derivatives[0]["formula"] == "dZ @ X.T" and derivatives[0]["shape"] == ["k", "n"]


def test_a_target_may_be_typed_with_its_layer(run: Any) -> None:
    for target in ("dZ^[1]", "Z^[1]", "dZ₁", "dZ1"):
        status, out, err = run("derive", str(ROOT / "examples" / "two_layer.txt"), target, "--json")
        assert status == 0, err
        assert json.loads(out)["derivatives"][0]["formula"] == "W2.T @ dZ2 * g1_prime(Z1)"


def test_options_may_stand_between_arguments(run: Any) -> None:
    plain = run("derive", MODEL, "W", "--json")
    assert plain[0] == 0
    assert run("derive", "--json", MODEL, "W") == plain
    assert run("derive", MODEL, "--json", "W") == plain


def test_the_convention_of_the_course(run: Any) -> None:
    two_layer = str(ROOT / "examples" / "two_layer.txt")
    formulas = {}
    for convention in ("exact", "course"):
        status, out, _ = run("derive", two_layer, "dZ2", "dW2", "--convention", convention, "--json")
        assert status == 0
        formulas[convention] = [d["formula"].replace(" ", "") for d in json.loads(out)["derivatives"]]
    assert formulas == {"exact": ["(A2-Y)/m", "dZ2@A1.T"], "course": ["A2-Y", "dZ2@A1.T/m"]}


def test_the_layout(run: Any) -> None:
    status, out, _ = run("derive", MODEL, "dW", "--layout", "numerator", "--json")
    derivative = json.loads(out)["derivatives"][0]
    assert status == 0 and derivative["shape"] == ["n", "k"] and derivative["layout"] == "numerator"


def test_shapes_names_the_line_that_fixed_each(run: Any) -> None:
    status, out, err = run("shapes", "Z = W X\nJ = sum(Z)", "--shapes", "W: k x n", "--shapes", "X: n x m")
    assert (status, err) == (0, "")
    rows = {line.split()[0]: line.split() for line in out.split("\n") if line.startswith("  ")}
    assert rows["W"][1:] == ["k", "×", "n", "declared"]
    assert rows["Z"][1:6] == ["k", "×", "m", "line", "1:"]
    assert rows["J"][1] == "scalar"


def test_explain_shows_how_the_model_was_read_first(run: Any) -> None:
    status, out, err = run("explain", MODEL, "dW")
    assert (status, err) == (0, "")
    assert out.startswith("Read as lecture notation, because of `^`.\n")
    assert out.index("  Z = W X\n") < out.index("\ndW = dZ Xᵀ") < out.index("\nCertificate ")


def test_explain_gives_one_reading_alone(run: Any) -> None:
    pages = {view: run("explain", MODEL, "dW", "--view", view)[1] for view in ("scalar", "index", "matrix")}
    assert len(set(pages.values())) == 3 and all("\nCertificate " in page for page in pages.values())


def test_assumptions_from_the_command_line(run: Any) -> None:
    status, out, _ = run(
        "derive", "J = x' S x", "x", "--shapes", "x: n, S: n x n", "--assume", "S: symmetric", "--json"
    )
    assert status == 0 and json.loads(out)["derivatives"][0]["formula"].replace(" ", "") in ("2*S@x", "2*(S@x)")


def test_the_dialect_from_the_command_line(run: Any) -> None:
    status, _, err = run("derive", "J = x' x", "--dialect", "canonical")
    assert (status, code_of(err)) == (2, "other-sign")
    status, _, err = run("derive", "J = x' x", "--dialect", "klingon")
    assert (status, code_of(err)) == (2, "unknown-dialect")


@pytest.mark.parametrize("words", COMMAND_LINES, ids=lambda w: w[0] + str(len(w)))
def test_json_is_one_object(run: Any, words: tuple[str, ...]) -> None:
    status, out, err = run(*words, "--json")
    assert (status, err) == (0, "")
    assert isinstance(json.loads(out), dict) and out.count("\n") == 1 and out.isascii()


def test_the_json_of_an_explanation_has_the_steps(run: Any) -> None:
    status, out, _ = run("explain", MODEL, "dW", "--json")
    explained = json.loads(out)
    assert status == 0 and explained["formula"] == "dZ @ X.T" and len(explained["certificate"]) == 4
    assert explained["steps"] and set(explained["steps"][0]) == {"rule", "before", "after", "reason", "shape"}
    assert "Certificate" in explained["explanation"]


# -- where a model comes from


def test_a_model_in_a_file(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    path.write_text(MODEL, encoding="utf-8")
    by_text = run("derive", MODEL)
    assert run("derive", str(path)) == by_text
    path.write_bytes(b"\xef\xbb\xbf" + MODEL.replace("; ", "\r\n").encode())
    status, out, _ = run("derive", str(path))
    assert status == 0 and "dW = dZ Xᵀ" in out


def test_a_file_of_any_name_is_read(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").write_text(MODEL, encoding="utf-8")
    assert run("derive", "model") == run("derive", MODEL)


def test_a_word_is_not_the_directory_of_that_name(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").mkdir()
    status, _, err = run("derive", "x", "--shapes", "x: scalar", "dx")
    assert status == 0, err


def test_a_model_from_standard_input(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    by_text = run("derive", MODEL)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(MODEL.encode()), encoding="utf-8"))
    assert run("derive", "-") == by_text
    monkeypatch.setattr("sys.stdin", io.StringIO(MODEL))
    assert run("derive", "-") == by_text


def test_standard_input_of_a_process() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "derive", "-", "dW", "--json"],
        input=MODEL.replace("; ", "\n").encode(),
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["derivatives"][0]["formula"] == "dZ @ X.T"


BAD_FILES = {
    "missing.txt": (None, "no-such-file"),
    "empty.txt": (b"", "empty-formula"),
    "comment.txt": (b"# nothing\n\n", "empty-formula"),
    "latin.txt": (b"J = sum(X)\n# caf\xe9\n", "not-text"),
    "zeros.txt": (b"J = sum(X)\x00", "invisible-character"),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("command", ["derive", "shapes", "explain"])
def test_bad_files(run: Any, tmp_path: Path, name: str, command: str) -> None:
    content, code = BAD_FILES[name]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    status, out, err = run(command, str(path))
    assert (status, out, code_of(err)) == (2, "", code)
    status, out, err = run(command, str(path), "--json")
    error = json.loads(out)["error"]
    assert (status, err, error["code"]) == (2, "", code)
    assert set(error) >= {"code", "line", "column", "message", "found", "expected", "help"}
    assert error["message"] and error["help"]


def test_the_place_of_a_byte_that_is_no_text(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes("J = sum(X) # é\n# caf".encode() + b"\xe9\n")
    error = json.loads(run("shapes", str(path), "--json")[1])["error"]
    assert (error["line"], error["column"], error["found"]) == (2, 6, "0xe9")


@pytest.mark.parametrize("argument", ["no/such", "model.txt", "batch.jsonl", "sum(X)/m", "./x"])
def test_what_looks_like_a_path_is_never_a_formula(run: Any, argument: str) -> None:
    status, _, err = run("derive", argument)
    assert (status, code_of(err)) == (2, "no-such-file")


def test_a_directory_is_no_model(run: Any, tmp_path: Path) -> None:
    status, _, err = run("derive", str(tmp_path))
    assert (status, code_of(err)) == (2, "not-a-file") and "directory" in err


def test_a_file_far_too_large(run: Any) -> None:
    if not os.path.exists("/dev/zero"):
        pytest.skip("no /dev/zero here")
    status, _, err = run("derive", "/dev/zero")
    assert (status, code_of(err)) == (2, "file-too-large")


# -- errors

BAD_LINES = {
    "": (0, ""),
    "derive": (2, "bad-usage"),
    "shapes": (2, "bad-usage"),
    "explain": (2, "bad-usage"),
    "solve": (2, "bad-usage"),
    "sovle x": (2, "bad-usage"),
    "shapes a b": (2, "bad-usage"),
    "derive --nonsense": (2, "bad-usage"),
    "derive 'J = sum(X)' --layout sideways": (2, "bad-usage"),
    "derive 'J = sum(X)' --convention none": (2, "bad-usage"),
    "solve - --jobs 0": (2, "bad-usage"),
    "solve - --jobs many": (2, "bad-usage"),
    "solve - --resume": (2, "bad-usage"),
    "solve missing.jsonl": (2, "no-such-file"),
    "explain --code no-such-code": (2, "unknown-code"),
    "explain --code shape-clash model.txt": (2, "bad-usage"),
    'explain "dq = sin(dr) + ds"': (2, "no-forward-pass"),
    "read 'X W + b' --strict": (2, "choice-made"),
    "derive 'Z = W @ X; J = sum(Z)' --strict": (2, "choice-made"),
    "explain 'dZ1 = W2.T @ dZ2' --strict": (2, "choice-made"),
    "derive 'J = sum(X)' dQ": (2, "unknown-target"),
    "derive 'J = sum(X)' 'd Q +'": (2, "unknown-target"),
    "derive 'J = sum(X'": (2, "unclosed-bracket"),
    "derive 'Z = W X' dW": (2, "not-scalar"),
    "shapes 'Z = W X; J = sum(Z)' --shapes 'W: k x n, X: m x n'": (2, "shape-clash"),
    "shapes 'J = sum(X)' --shapes 'X: n by m'": (2, "bad-shape"),
    **{f"{name} whatever": (3, "not-yet") for name in LATER},
}


@pytest.mark.parametrize("line", [line for line in BAD_LINES if line])
def test_bad_command_lines(run: Any, line: str) -> None:
    status, code = BAD_LINES[line]
    got, out, err = run(*shlex.split(line))
    assert (got, out, code_of(err)) == (status, "", code)
    assert "\nhelp: " in err and f"\nmore: whence explain --code {code}" in err and "…" not in err.split("\n")[0]
    got, out, err = run(*shlex.split(line), "--json")
    assert (got, err) == (status, "")
    assert json.loads(out)["error"]["code"] == code


def test_a_command_that_is_planned_names_those_that_exist(run: Any) -> None:
    assert all(name in run("serve", "J = sum(X)", "dX")[2] for name in COMMANDS)


def test_the_nearest_command_and_code_are_named(run: Any) -> None:
    assert "Did you mean whence derive?" in run("deriev", "x")[2]
    status, _, err = run("explain", "--code", "shape-clahs")
    assert status == 2 and "Did you mean shape-clash?" in err


def test_a_code_is_explained(run: Any) -> None:
    status, out, _ = run("explain", "--code", "shape-clash")
    message = CATALOGUE["shape-clash"]
    assert status == 0 and message.long in out and message.example.text.split("\n")[0] in out
    assert "{" not in out.replace(message.example.text, "")


def test_all_codes_are_listed(run: Any) -> None:
    status, out, _ = run("explain", "--code")
    assert status == 0 and all(f"\n{code} " in "\n" + out for code in CATALOGUE)


def test_the_messages_of_the_command_line_are_complete() -> None:
    for message in COMMAND_LINE:
        assert CATALOGUE[message.code] is message and message.example.kind == "command"
        assert all(text.endswith((".", ")")) for text in (message.help, message.long)), message.code
        assert "{" not in message.long


def test_exit_statuses() -> None:
    assert status_of(ReadError("empty-formula", line=1)) == 2
    assert status_of(LimitError("too-deep", line=1, column=3)) == 2
    assert status_of(LimitError("too-many-terms")) == 3
    assert status_of(RuleError("no-rule")) == 3
    assert status_of(RefusedError("not-verified")) == 3


def test_a_fault_of_the_program_is_reported(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("whence.model", fault)
    status, out, err = run("derive", MODEL)
    assert (status, out, code_of(err)) == (3, "", "internal") and "planted" in err and "Traceback" not in err
    assert "Traceback" in run("derive", MODEL, "--debug")[2]
    status, out, err = run("derive", MODEL, "--json")
    assert (status, json.loads(out)["error"]["code"], err) == (3, "internal", "")


# -- processes


def test_a_process_gives_the_exit_status() -> None:
    done = fresh_whence("derive", "J = sum(X", "dX")
    assert (done.returncode, done.stdout) == (2, "") and code_of(done.stderr) == "unclosed-bracket"


def test_explain_loads_nothing_heavy() -> None:
    code = (
        "import sys; from whence.cli.main import main; main(sys.argv[1:]); "
        "heavy = {'rich', 'numpy', 'torch', 'sympy', 'multiprocessing', 'asyncio', 'importlib.metadata'}; "
        "sys.exit(str(sorted(heavy & set(sys.modules)) or ''))"
    )
    words = ["explain", "examples/two_layer.txt", "dZ1"]
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == ""


def test_nobody_reads_the_output() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, "explain", "--code"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait(60) == 130


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-c", COMMAND, "explain", "--code"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2 and code_of(done.stderr) == "cannot-write" and "Exception ignored" not in done.stderr
