"""Training by a model's own gradients: loss, gradients, update and step over dictionaries of arrays."""

from __future__ import annotations

from whence.emit.arrays import INDENT, assembled, documented, main_name, plan_of, test_function, value_function
from whence.emit.body import body
from whence.emit.document import described
from whence.emit.program import Program
from whence.emit.writer import WRITERS
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError

LOSS, GRADIENTS, UPDATE, STEP = "loss", "gradients", "update", "step"
RESERVED = (LOSS, GRADIENTS, UPDATE, STEP, "parameters", "data", "rate", "grads", "name")


def training(program: Program, end: str) -> str:
    """The module with `loss`, `gradients`, `update` and `step`; parameters and data go by the model's own names."""
    by_inputs = all(o.wrt[0] in program.inputs for o in program.outputs)
    if not program.with_value or program.functions or not by_inputs:
        raise ReadError("bad-option", found="training", expected="a number of known functions, by inputs")
    plan, writer = plan_of(program, RESERVED), WRITERS[end]
    made = body(program, plan, [plan.value, *plan.outputs], writer)
    if len(made.parameters) > len(program.inputs):
        raise ReadError("bad-option", found="training", expected="a model whose inputs tell all sizes")
    names, main = plan.names, main_name(program)
    text = [
        f"def {main}({', '.join(made.parameters)}):",
        *documented(described(program, names, made.parameters)),
        *(INDENT + t for t in (*made.sizes, *made.lines)),
        f"{INDENT}return {', '.join(made.results)}",
    ]
    value, value_made = value_function(program, plan, writer)
    functions = [*dict.fromkeys([*made.helpers, *value_made.helpers]), "\n".join(text) + "\n", value]
    functions += _by_name(program, dict(zip(program.inputs, made.parameters, strict=True)), main, end)
    if not program.structured:
        functions.append(test_function(program, plan, end, main, made, value_made))
    return assembled(program, writer, functions, [LOSS, GRADIENTS, UPDATE, STEP, main])


def _by_name(program: Program, inputs: dict[str, str], main: str, end: str) -> list[str]:
    """The four functions over dictionaries."""
    of, kept = program.of, [o.wrt[0] for o in program.outputs]
    key = {n: n if n.isascii() else inputs[n] for n in inputs}
    given = ", ".join(f'{"parameters" if n in kept else "data"}["{key[n]}"]' for n in inputs)
    listed = ", ".join(f'"{key[w]}"' for w in kept) + ("," if len(kept) == 1 else "")
    written = {
        f"{LOSS}(parameters, data)": ("loss", [f"return value({given})"]),
        f"{GRADIENTS}(parameters, data)": (
            "gradients-by-name",
            [f"found, *grads = {main}({given})", f"return found, dict(zip(({listed}), grads))"],
        ),
        f"{UPDATE}(parameters, grads, rate)": (
            "update",
            ["return {name: parameters[name] - rate*grads[name] for name in parameters}"],
        ),
        f"{STEP}(parameters, data, rate)": (
            "step",
            [f"found, grads = {GRADIENTS}(parameters, data)", f"return found, {UPDATE}(parameters, grads, rate)"],
        ),
    }
    compiled = ["@jax.jit"] if end == "jax" else []
    return [
        "\n".join([*compiled, f"def {head}:", *documented(CODE_TEXTS[key].format(of=of)), *(INDENT + t for t in lines)])
        + "\n"
        for head, (key, lines) in written.items()
    ]
