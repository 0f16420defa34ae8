"""The catalogue: every code has its texts, and every reading code is triggered by its own example."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from whence.messages.catalogue import CATALOGUE, Message, nearest, sentence
from whence.messages.errors import ReadError, WhenceError
from whence.messages.show import render
from whence.read.model import read_model
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json

SOURCE = Path(__file__).parent.parent / "src" / "whence"
READING = [m for m in CATALOGUE.values() if m.example.kind != "command"]
# Found by shapes/:
LATER = {"shape-clash", "not-square", "not-scalar", "bad-axis", "wrong-arguments", "unknown-shape"}
LATER |= {"ambiguous-product", "assumption-shape"}


def trigger(message: Message) -> None:
    """Read the example of a message with what its kind says."""
    kind, text = message.example.kind, message.example.text
    if kind == "formula":
        parse_expression(text)
    elif kind in ("canonical", "lecture"):
        parse_expression(text, dialect=kind)
    elif kind == "model":
        read_model(text)
    elif kind == "shapes":
        read_model("J = X", shapes=text)
    elif kind == "assume":
        read_model("J = X", assume=text)
    else:
        problem_from_json(json.loads(text))


@pytest.mark.parametrize("message", [m for m in READING if m.code not in LATER], ids=lambda m: m.code)
def test_the_example_triggers_its_message_at_its_place(message: Message) -> None:
    with pytest.raises(WhenceError) as caught:
        trigger(message)
    error = caught.value
    assert error.code == message.code
    assert (error.line, error.column) == (message.example.line, message.example.column)
    assert error.message and "…" not in error.message.replace("(…)", "")
    assert "{" not in error.message.replace(error.found, "") and error.help


@pytest.mark.parametrize("message", [m for m in READING if m.code in LATER], ids=lambda m: m.code)
def test_examples_for_later_rooms_can_be_read(message: Message) -> None:
    trigger(message)


def test_every_message_is_complete() -> None:
    for code, message in CATALOGUE.items():
        assert code == message.code
        for text in (message.sentence, message.help, message.long):
            assert text.endswith((".", ")", "]")), (code, text)
        assert message.example.text


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    missing: set[str] = set()
    for path in [*SOURCE.glob("read/*.py"), *SOURCE.glob("messages/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            raises = node.func.id.endswith("Error") or node.func.id in ("error_at", "limit_at", "_at")
            first = node.args[0]
            if raises and isinstance(first, ast.Constant) and isinstance(first.value, str):
                missing |= {first.value} - set(CATALOGUE)
    assert not missing


def test_a_message_never_fails() -> None:
    assert sentence("no-such-code", {}) == ("No such code.", "")
    assert sentence("unknown-function", {})[0] == "There is no function … here."
    assert "{x}" in sentence("unknown-function", {"found": "{x}"})[0]


def test_nearest_names() -> None:
    assert nearest("sigmod", ["sigmoid", "sign", "sum"]) == ["sigmoid"]
    assert nearest("sofmtax", ["softmax", "max"]) == ["softmax"]
    assert nearest("g", ["h", "g1"]) == ["g1"]
    assert nearest("zzz", ["abc"]) == []


def test_an_error_as_text() -> None:
    with pytest.raises(ReadError) as caught:
        read_model("Z = W X\nJ = sum(Z) *")
    assert render(caught.value).split("\n") == [
        "error[missing-operand]: Something is missing on the right of *.",
        "  line 2:  J = sum(Z) *",
        "                      ^",
        "help: Write the missing name, number or bracket, or remove the sign.",
        "more: whence explain --code missing-operand",
    ]


def test_an_error_as_text_shows_the_shapes_and_hides_control_characters() -> None:
    error = WhenceError("shape-clash", line=1, column=5, end=8, source="J = \x1b[A", shapes={"A": "n x m"})
    text = render(error)
    assert "\x1b" not in text and "shapes so far: A: n x m" in text and "    ^^^" in text


def test_a_long_line_is_cut_around_the_place() -> None:
    with pytest.raises(WhenceError) as caught:
        parse_expression("+".join(["x"] * 300) + " * ? " + "+".join(["x"] * 300))
    lines = render(caught.value).split("\n")
    assert len(lines[1]) < 130 and lines[1][lines[2].index("^")] == "?"
