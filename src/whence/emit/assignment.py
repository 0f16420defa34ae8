"""NumPy as a course's assignment has it: parameters, cache and grads are dictionaries."""

from __future__ import annotations

import re

from whence.emit.arrays import INDENT, assembled, documented, plan_of, value_function
from whence.emit.custom import halves_of
from whence.emit.program import Program
from whence.emit.trial import Trial
from whence.emit.writer import WRITERS
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError

RESERVED = ("forward", "backward", "parameters", "cache", "grads")


def assignment(program: Program) -> str:
    """The module with `forward` and `backward`, the gradients as grads = {"dW1": dW1, ...}."""
    if not program.with_value or program.functions or any(o.wrt[0] not in program.inputs for o in program.outputs):
        raise ReadError("bad-option", found="assignment", expected="a number of known functions, by inputs")
    plan = plan_of(program, RESERVED)
    value, value_made = value_function(program, plan, WRITERS["numpy"])
    h = halves_of(program, "", "numpy", RESERVED)
    names = plan.names
    kept = [names[o.wrt[0]] for o in program.outputs]
    data = [p for p in h.parameters if p not in kept]
    given = ", ".join(data)
    lead = given + ", " if given else ""
    opened = [f'{p} = parameters["{p}"]' for p in kept]
    cached = [f'{c} = cache["{c}"]' for c in h.saved]
    lines = [
        f"def forward({lead}parameters):",
        *documented(CODE_TEXTS["forward"].format(of=program.of)),
        *(INDENT + t for t in (*(o for o in opened if _reads(h.forward, o)), *h.forward)),
        f"{INDENT}cache = {{{', '.join(f'{chr(34)}{c}{chr(34)}: {c}' for c in h.saved)}}}",
        f"{INDENT}return {h.value}, cache",
        "",
        "",
        f"def backward({lead}parameters, cache):",
        *documented(CODE_TEXTS["grads"].format(of=program.of)),
    ]
    body = [*h.sizes, *h.backward, *(f"{name} = {text}" for _, name, text in h.gradients if name != text)]
    lines += [INDENT + t for t in (*(o for o in opened if _reads(body, o)), *cached, *body)]
    grads = ", ".join(f'"{name}": {name}' for _, name, _ in h.gradients)
    lines += [f"{INDENT}grads = {{{grads}}}", f"{INDENT}return grads"]
    trial = Trial(program, plan, "numpy", "backward", h.parameters)
    before = [
        f"parameters = {{{', '.join(f'{chr(34)}{p}{chr(34)}: {p}' for p in kept)}}}",
        f"_, cache = forward({lead}parameters)",
        f"grads = backward({lead}parameters, cache)",
    ]
    call = ", ".join(f'grads["{name}"]' for _, name, _ in h.gradients)
    text = trial.text(value_made.parameters, before=before, value=False, call=call).split("\n")
    said = CODE_TEXTS["test"].format(
        what=", ".join(n for _, n, _ in h.gradients), verb="agree", how=CODE_TEXTS["differences"]
    )
    test = "\n".join(["def test_derivatives():", *documented(said), *((INDENT + t).rstrip() for t in text)]) + "\n"
    helpers = dict.fromkeys([*h.helpers, *value_made.helpers])
    functions = [*helpers, "\n".join(lines) + "\n", value, *([] if program.structured else [test])]
    return assembled(program, WRITERS["numpy"], functions, ["forward", "backward"])


def _reads(lines: list[str], opened: str) -> bool:
    """Does one of the lines use the name that this line opens?"""
    name = opened.split(" = ")[0]
    return any(re.search(rf"\b{re.escape(name)}\b", line.split("  # ")[0]) for line in lines)
