"""What emitted code says of itself: the model, the shapes, the derivation and how it was verified, in ASCII."""

from __future__ import annotations

from collections.abc import Sequence

from whence.emit.body import shape_words
from whence.emit.names import Names
from whence.emit.program import Program
from whence.messages.code_texts import CODE_TEXTS
from whence.notation.ascii import to_ascii
from whence.read.canonical import to_text


def title(program: Program) -> str:
    """One sentence: what the code computes."""
    wrt = [o.wrt for o in program.outputs]
    if len(wrt[0]) > 1:
        return _said("title-second", of=program.of, wrt=" and ".join(wrt[0]))
    names = _listed(program)
    if not program.with_value:
        return _said("title-alone", of=program.of, wrt=names)
    return _said("title" if len(wrt) > 1 else "title-one", of=program.of, wrt=names)


def _listed(program: Program) -> str:
    return ", ".join(o.wrt[0] for o in program.outputs)


def document(program: Program) -> str:
    """The docstring of an emitted module, without its quotes."""
    names = Names()
    width = max(map(len, program.inputs), default=0)
    shapes = [f"{n:<{width}}  {shape_words(s, names)}" for n, s in program.inputs.items()]
    model = [f"{n} = {to_text(t)}" for n, t in program.statements]
    derivation = [f"{n} = {to_text(t)}" for n, t in program.adjoints]
    made = {n for n, _ in program.adjoints}
    derivation += [f"{o.name} = {to_text(o.tree)}" for o in program.outputs if o.name not in made]
    parts = [title(program), *_layouts(program)]
    for name, lines in (
        ("model", model),
        ("shapes", shapes),
        ("derivation", derivation),
        ("checked", program.verified),
    ):
        parts.append(_section(CODE_TEXTS[name], lines))
    return escaped(to_ascii("\n\n".join(p for p in parts if p)))


def _layouts(program: Program) -> list[str]:
    out = []
    for o in program.outputs:
        words = {"of": program.of, "name": o.name, "wrt": o.wrt[-1]}
        if o.layout == "vec":
            out.append(_said("vec", **words))
        elif program.of_shape_wide or len(o.wrt) > 1:
            out.append(_said("axes", of=program.of, wrt=" and ".join(o.wrt)))
    return list(dict.fromkeys(out))


def _section(name: str, lines: Sequence[str]) -> str:
    return "\n".join([name, *(f"    {line}" for line in lines)]) if lines else ""


def _said(key: str, **words: str) -> str:
    return CODE_TEXTS[key].format(**words)


def escaped(text: str) -> str:
    """Text that may stand between three quotation marks."""
    return text.replace("\\", "\\\\").replace('"""', "'''")


def described(program: Program, names: Names, parameters: Sequence[str], value: bool = True) -> str:
    """The docstring of the main function: what is given and what comes back, with or without the value."""
    given = {names[n]: n for n in program.inputs}
    lines = [f"{p}: {shape_words(program.inputs[given[p]], names)}" for p in parameters if p in given]
    functions = {names[f + p] for f in program.functions for p in ("", "_prime", "_prime_prime")}
    others = [p for p in parameters if p not in given]
    sizes = {names[d] for d in program.dims}
    for key, listed in (
        ("functions", [p for p in others if p in functions]),
        ("sizes", [p for p in others if p in sizes]),
        ("places", [p for p in others if p not in functions and p not in sizes]),
    ):
        if listed:
            lines.append(_said(key, names=", ".join(listed)))
    gives = [f"{names[o.name]} ({shape_words(o.shape, names)})" for o in program.outputs]
    if value and program.with_value:
        gives.insert(0, f"{names[program.of]} ({shape_words(program.of_shape, names)})")
    first = title(program) if value else _said("title-alone", of=program.of, wrt=_listed(program))
    return "\n".join([first, "", *lines, _said("returns", names=", ".join(gives))])
