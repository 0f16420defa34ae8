"""The catalogue: every code has its texts, and every reading code is triggered by its own example."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from whence.alone import formula_alone
from whence.messages.catalogue import CATALOGUE, Message, nearest, sentence
from whence.messages.errors import LimitError, ReadError, RefusedError, RuleError, ShapeError, WhenceError
from whence.messages.show import render
from whence.read.model import read_model
from whence.read.parser import parse_expression
from whence.read.problem import problem_from_json
from whence.read.reading import read_typed

CONTEXT = {"variables": {"A": ["n", "n"], "B": ["n", "m"], "dy": ["n", "m"], "x": ["n", "m"]}}

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
    elif kind == "alone":
        formula_alone(text)
    elif kind == "typed":
        read_typed(text, CONTEXT)
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


RAISES = {"error_at", "limit_at", "_at", "fail", "_refused"}  # besides the classes: these make or raise an error


def raised_codes(source: str) -> set[str]:
    """The codes with which a module makes errors: arguments that are plain texts of the form of a code."""
    codes: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name.endswith("Error") or name in RAISES:
            first = [a for a in node.args if not isinstance(a, ast.Name)][:1]  # _refused(RuleError, "code", …)
            texts = [n.value for a in first for n in ast.walk(a) if isinstance(n, ast.Constant)]
            codes |= {t for t in texts if isinstance(t, str) and re.fullmatch(r"[a-z]+(-[a-z]+)+|internal", t)}
    return codes


def test_every_code_that_is_raised_is_in_the_catalogue() -> None:
    found = {path.name: raised_codes(path.read_text("utf-8")) - set(CATALOGUE) for path in SOURCE.rglob("*.py")}
    assert not {name: codes for name, codes in found.items() if codes}
    assert {"shape-clash", "outside-scope", "no-average", "bad-usage"} <= raised_codes(
        "".join(
            path.read_text("utf-8").replace("from __future__ import annotations", "") for path in SOURCE.rglob("*.py")
        )
    )


def test_sentences_are_whole_with_what_is_put_in() -> None:
    error = ShapeError("not-scalar", found="no line gives a number", expected="a scalar cost")
    assert error.message == "A single number is needed; no line gives a number."
    error = RefusedError("outside-format", found="an array of more than two axes inside a function")
    assert error.message.endswith("has no word for an array of more than two axes inside a function.")
    assert RuleError("no-average", found="J").help.startswith("Leave out")
    assert "line" not in LimitError("output-too-long", found="12,000 characters", expected="10,000").message


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
