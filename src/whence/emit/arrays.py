"""Whole modules for the array libraries: NumPy, JAX and PyTorch, plain functions."""

from __future__ import annotations

from collections.abc import Sequence

from whence.emit.body import Body, body
from whence.emit.names import Names
from whence.emit.plan import Plan, lowered
from whence.emit.program import Program
from whence.emit.writer import WRITERS, Writer
from whence.messages.errors import WhenceError
from whence.ops.table import TABLE

INDENT = "    "


def helper_names() -> set[str]:
    """The names that definitions of the table take in emitted modules."""
    texts = [t for op in TABLE.values() for t in op.helpers.values()]
    return {t.split("(")[0].removeprefix("def ").split()[-1] for t in texts}


def main_name(program: Program) -> str:
    """What the function is called."""
    if program.with_value:
        return "value_and_gradients" if len(program.outputs) > 1 else "value_and_gradient"
    wide = program.of_shape_wide
    if len(program.outputs[0].wrt) == 1:
        return "derivative" if wide else "gradient"
    same = len(set(program.outputs[0].wrt)) == 1 and not wide
    return "hessian" if same else "second_derivative"


def function(name: str, made: Body, results: Sequence[str], docstring: str = "", extra: Sequence[str] = ()) -> str:
    """A function of the module as text."""
    parameters = ", ".join([*made.parameters, *extra])
    head = f"def {name}({parameters}):"
    lines = [head, *(_documented(docstring)), *(INDENT + t for t in (*made.sizes, *made.lines))]
    lines.append(f"{INDENT}return {', '.join(results)}")
    return "\n".join(lines) + "\n"


def _documented(text: str) -> list[str]:
    if not text:
        return []
    first, *rest = text.rstrip().split("\n")
    if not rest:
        return [f'{INDENT}"""{first}"""']
    return [f'{INDENT}"""{first}', *((INDENT + line).rstrip() for line in rest), f'{INDENT}"""']


def plan_of(program: Program) -> Plan:
    """The graph of a program with its names."""
    names = Names(helper_names() | {main_name(program), "value"})
    for name in (*program.inputs, *program.dims, *(n for n, _ in program.statements)):
        names[name]
    return lowered(program, names)


def imports_for(writer: type[Writer], text: str) -> list[str]:
    """The imports that the text of a module needs."""
    out = list(writer.imports)
    out += [f"import {m}" for m in ("scipy.linalg", "scipy.special") if m + "." in text and "jax." + m not in text]
    if writer.end == "jax":
        out += [f"import jax.{m}" for m in ("scipy.linalg", "scipy.special", "scipy.signal") if f"jax.{m}." in text]
        out = [i for i in out if i != "import jax" or "jax." in text.replace("jax.numpy", "")]
    if "math." in text:
        out.insert(0, "import math\n")
    return out


def plain(program: Program, end: str) -> tuple[str, str]:
    """(The text of the functions, with the helpers before them; the name of the main one.) Without docstring."""
    writer = WRITERS[end]
    plan = plan_of(program)
    wanted = [plan.value, *plan.outputs] if program.with_value else plan.outputs
    made = body(program, plan, wanted, writer)
    text = function(main_name(program), made, made.results)
    code = "\n\n".join([*made.helpers, text])
    return "\n".join(imports_for(writer, code)) + "\n\n\n" + code, main_name(program)


__all__ = ["WhenceError", "helper_names", "main_name", "plain"]
