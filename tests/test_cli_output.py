"""What the terminal gets: colour, ASCII, and nothing that steers it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from solving import COMMAND, ROOT
from whence.cli.output import Output, to_ascii
from whence.messages.errors import ReadError


def encoded(*words: str, encoding: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run([sys.executable, "-c", COMMAND, *words], capture_output=True, cwd=ROOT, env=env, timeout=60)


@pytest.mark.parametrize(
    ("text", "ascii_text"),
    [
        ("dZ1 = W2ᵀ dZ2 ⊙ g1′(Z1)", "dZ1 = W2^T dZ2 * g1'(Z1)"),
        ("X² + A₁₂⁻¹", "X^2 + A12^-1"),
        ("w2₁₁ z1₁ b₁₂ x₁₀", "w2_11 z1_1 b12 x10"),
        ("Σₖ W2[k,i]", "Sum_k W2[k,i]"),
        ("Σ AᵢⱼBᵢⱼ", "Sum A_ij B_ij"),
        ("δA1, ∂J/∂Z1, ε, Λ, λ", "delta_A1, dJ/dZ1, eps, Lam, lam"),
        ("√(x) A ⊗ B, 𝟏(n), ‖x‖", "sqrt(x) A kron B, ones(n), ||x||"),
        ("n1 × m − 1 ≤ 2 … é", "n1 x m - 1 <= 2 ... e"),
        ("\ud800 漢", "\\ud800 \\u6f22"),
        ("plain", "plain"),
    ],
)
def test_to_ascii(text: str, ascii_text: str) -> None:
    assert to_ascii(text) == ascii_text and to_ascii(text).isascii()


def test_ascii_keeps_columns() -> None:
    lines = to_ascii("W2ᵀ dZ2      n × m\nX            n × n").split("\n")
    assert lines[0].index("n x") == lines[1].index("n x")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_an_output_that_cannot_print_the_signs(encoding: str) -> None:
    done = encoded("explain", "examples/two_layer.txt", "dZ1", encoding=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "dZ1 = W2^T dZ2 * g1'(Z1)" in text


def test_ascii_on_request() -> None:
    done = encoded("derive", "examples/two_layer.txt", "--ascii", encoding="utf-8")
    assert done.returncode == 0 and done.stdout.isascii() and b"W2^T dZ2 * g1'(Z1)" in done.stdout
    done = encoded("derive", "examples/two_layer.txt", encoding="utf-8")
    assert "W2ᵀ dZ2 ⊙ g1′(Z1)" in done.stdout.decode()


def test_tables_in_ascii_are_aligned() -> None:
    done = encoded("derive", "examples/two_layer.txt", "--ascii", encoding="utf-8")
    rows = [line for line in done.stdout.decode().split("\n") if line.startswith("  d")]
    assert len(rows) == 6 and len({row.rindex("  ") for row in rows}) == 1


def test_what_is_printed_in_ascii_can_be_read() -> None:
    from whence.read.parser import parse_expression

    typed = parse_expression(to_ascii("W2ᵀ dZ2 ⊙ g1′(Z1)"), dialect="lecture", functions=["g1"])
    assert typed == parse_expression("W2.T @ dZ2 * g1_prime(Z1)", dialect="canonical", functions=["g1"])


def test_an_error_in_ascii_points_to_its_place() -> None:
    done = encoded("derive", "y = W σ(x) + ; J = sum(y)", encoding="ascii")
    lines = done.stderr.decode("ascii").split("\n")
    assert done.returncode == 2 and lines[1].lstrip().startswith("line 1:  y = W sigma(x) +")
    assert lines[1][lines[2].index("^")] == "+"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_only_where_it_is_wanted(env: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    Output().error(ReadError("empty-formula", line=1, column=1, source="[red]x[/red] :smile:"))
    text = terminal.getvalue()
    assert ("\x1b[" in text) == coloured
    assert "[red]x[/red] :smile:" in text and "error[empty-formula]" in text


def test_no_colour_and_no_rich_where_nobody_looks() -> None:
    code = COMMAND.replace("sys.exit(main", "main").replace("argv[1:]))", "argv[1:]); sys.exit('rich' in sys.modules)")
    env = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-c", code, "derive", "J = sum(X"]
    done = subprocess.run(command, capture_output=True, env=env, timeout=60)
    assert done.returncode == 0 and b"\x1b" not in done.stderr and b"unclosed-bracket" in done.stderr


def test_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "model.txt"
    path.write_bytes(b"J = sum(X) \x1b[2J\n")
    done = encoded("derive", str(path), encoding="utf-8")
    assert done.returncode == 2 and b"\x1b" not in done.stderr + done.stdout
    done = encoded("derive", "a/\x1b[2J", encoding="utf-8")
    assert done.returncode == 2 and b"\x1b" not in done.stderr + done.stdout
