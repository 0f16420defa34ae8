"""Whole modules for the array libraries: NumPy, JAX and PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from whence.emit.body import Body, body
from whence.emit.document import described, document
from whence.emit.fold import folded
from whence.emit.names import Names
from whence.emit.plan import Plan, lowered
from whence.emit.program import Program
from whence.emit.trial import Trial, change_of, moved
from whence.emit.writer import WRITERS, Writer
from whence.messages.code_texts import CODE_TEXTS
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Name

INDENT = "    "


@dataclass
class Parts:
    """A module in the making: the functions in order, and what they rely on."""

    program: Program
    writer: type[Writer]
    helpers: dict[str, None]
    functions: list[str]
    public: list[str]


def helper_names() -> set[str]:
    """The names that definitions of the table take in emitted modules."""
    return {name for op in TABLE.values() for t in op.helpers.values() for name in re.findall(r"def (\w+)", t)}


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
    lines = [f"def {name}({parameters}):", *documented(docstring), *(INDENT + t for t in (*made.sizes, *made.lines))]
    lines.append(f"{INDENT}return {', '.join(results)}")
    return "\n".join(lines) + "\n"


def documented(text: str, indent: str = INDENT) -> list[str]:
    """The lines of a docstring."""
    first, *rest = text.rstrip().split("\n")
    if not text or not rest:
        return [f'{indent}"""{first}"""'] if text else []
    return [f'{indent}"""{first}', *((indent + line).rstrip() for line in rest), f'{indent}"""']


def plan_of(program: Program, reserved: Iterable[str] = ()) -> Plan:
    """The graph of a program with its names, none of them `reserved` for what the module defines itself."""
    names = Names(helper_names() | {main_name(program), "value", "test_derivatives", *reserved})
    for name in (*program.inputs, *(n for n, _ in program.statements), *program.dims):
        names[name]
    return lowered(program, names)


def imports_for(writer: type[Writer], text: str) -> list[str]:
    """The imports that the text of a module needs."""
    out = list(writer.imports)
    used = set(re.findall(r"(?<!jax\.)(?<!import )\bscipy\.(?:linalg|special)\b", text))
    out += [f"import {m}" for m in sorted(used)]
    if writer.end == "jax":
        out += [f"import jax.{m}" for m in ("scipy.linalg", "scipy.special", "scipy.signal") if f"jax.{m}." in text]
        out = [i for i in out if i != "import jax" or re.search(r"\bjax\.", text)]
    if "@once_differentiable" in text:
        out.append("from torch.autograd.function import once_differentiable")
    if writer.end != "numpy" and "np." in text.replace("jnp.", ""):
        out.append("import numpy as np")
    return sorted(out, key=lambda i: (i.split()[1].split(".")[0], i))


def value_function(program: Program, plan: Plan, writer: type[Writer]) -> tuple[str, Body]:
    """The value alone; intermediates by which is differentiated can be moved."""
    by = moved(program)
    if by:
        statements = tuple((n, Binary("+", t, Name(change_of(n))) if n in by else t) for n, t in program.statements)
        shifted = replace(
            program,
            statements=statements,
            inputs={**program.inputs, **{change_of(n): program.shapes[n] for n in by}},
            changes=tuple(change_of(n) for n in by),
            outputs=(),
            adjoints=(),
        )
        inner = lowered(shifted, plan.names)
        made = body(shifted, inner, [inner.value], writer)
        changes = [plan.names[change_of(n)] for n in by]
        made.parameters = [p for p in made.parameters if p not in changes]
        made.lines = [t for t in made.lines if not t.startswith(tuple(f"{c} =" for c in changes))]
        extra = [f"{c}=0.0" for c in changes]
    else:
        made, extra = body(program, plan, [plan.value], writer), []
    text = function("value", made, made.results, CODE_TEXTS["value"].format(of=program.of), extra)
    made.parameters += [e.split("=")[0] for e in extra]
    return text, made


def module(program: Program, end: str, parts: Sequence[str] = (), main: str = "", tested: bool = True) -> str:
    """The text of a module. `parts` are further functions, `main` another main function than the plain one."""
    writer = WRITERS[end]
    plan = plan_of(program)
    wanted = [plan.value, *plan.outputs] if program.with_value else plan.outputs
    made = body(program, plan, wanted, writer)
    name = main_name(program)
    value, value_made = value_function(program, plan, writer)
    text = function(name, made, made.results, described(program, plan.names, made.parameters))
    helpers = dict.fromkeys([*made.helpers, *value_made.helpers])
    functions = [*helpers, text, *parts, value]
    if tested and not program.structured:
        functions.append(test_function(program, plan, end, main or name, made, value_made))
    return assembled(program, writer, functions, [main or name])


def test_function(program: Program, plan: Plan, end: str, main: str, made: Body, value_made: Body) -> str:
    """The test of a module, as a function that pytest finds."""
    trial = Trial(program, plan, end, main, made.parameters)
    names = ", ".join(o.name for o in program.outputs)
    how = CODE_TEXTS["differences" if end == "numpy" else "autodiff"]
    text = trial.text(value_made.parameters)
    lines = documented(
        CODE_TEXTS["test"].format(what=names, verb="agrees" if len(program.outputs) == 1 else "agree", how=how)
    )
    lines += [(INDENT + t).rstrip() for t in text.split("\n")]
    return "\n".join(["def test_derivatives():", *lines]) + "\n"


def assembled(program: Program, writer: type[Writer], functions: Sequence[str], public: Sequence[str]) -> str:
    """A module: docstring, imports, what it offers, the functions, and its test when it is run."""
    code = "\n\n".join(functions)
    tested = "def test_derivatives():" in code
    imports = imports_for(writer, code)
    listed = ", ".join(f'"{n}"' for n in [*public, "value"])
    head = [f'"""{document(program)}\n"""', "", *imports, "", f"__all__ = [{listed}]"]
    tail = '\n\nif __name__ == "__main__":\n    test_derivatives()\n' if tested else ""
    return folded("\n".join(head) + "\n\n\n" + code + tail)
