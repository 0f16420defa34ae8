"""The body of an emitted function: sizes, then one line for each named part, then what is returned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from whence.emit.blocks import diagonal_blocks
from whence.emit.graph import Node
from whence.emit.lower import Lowering
from whence.emit.names import Names
from whence.emit.plan import Plan, planned, reachable
from whence.emit.program import Program, Shape
from whence.emit.writer import WRITERS, Writer
from whence.shapes.dims import Dim

COMMENT_AT = 44  # the column of the shape comments, where the line leaves room
WIDTH = 110


@dataclass
class Body:
    """Lines of a function, the texts of what it gives, and what its names are."""

    lines: list[str]
    results: list[str]
    parameters: list[str]
    helpers: list[str] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)


def parameters_of(program: Program, low: Lowering, order: Iterable[Node], names: Names) -> tuple[list[str], list[str]]:
    """(The parameters of a function that computes these nodes, the lines that find the sizes.)"""
    used = list(order)
    inputs = [names[n] for n in program.inputs]
    places = [names[n] for n in low.indices]
    functions = [names[f] for f in dict.fromkeys(n.data for n in used if n.kind == "unknown")]
    wanted = sorted({s for n in used for s in _symbols(n)}, key=list(program.dims).index)
    lines, missing = size_lines({n: s for n, s in program.inputs.items() if n not in program.changes}, wanted, names)
    return [*inputs, *places, *(names[m] for m in missing), *functions], lines


def _symbols(node: Node) -> set[str]:
    """The dimension symbols that the text of a node needs."""
    dims: list[Dim] = []
    if node.kind == "size":
        dims = [node.data]
    elif node.kind == "reshape":
        dims = list(node.shape)
    elif node.kind == "index":
        dims = [b for p in node.data if isinstance(p, tuple) for b in p if b is not None]
    elif node.kind == "call":
        dims = [w for w in node.data[2] if isinstance(w, Dim)]
    return {s for d in dims for s in d.symbols}


def size_lines(inputs: Mapping[str, Shape], wanted: Sequence[str], names: Names) -> tuple[list[str], list[str]]:
    """(Lines such as n = X.shape[0], the symbols that no input tells and which must be given.)"""
    shapes = dict(inputs)
    found: dict[str, str] = {}
    todo, progress = _with_their_makers(wanted, shapes), True
    while progress:
        progress = False
        for symbol in todo:
            text = None if symbol in found else _size_text(symbol, shapes, names, found)
            if text is not None:
                found[symbol], progress = text, True
    return [f"{names[s]} = {t}" for s, t in found.items()], [s for s in wanted if s not in found]


def _with_their_makers(wanted: Sequence[str], shapes: dict[str, Shape]) -> list[str]:
    """The symbols, and before them those that stand beside them where they occur only in a compound size."""
    alone = {d.symbols[0] for s in shapes.values() for d in s if d.is_symbol}
    beside = {
        t for w in wanted if w not in alone for s in shapes.values() for d in s if w in d.symbols for t in d.symbols
    }
    return [*sorted(beside - set(wanted)), *wanted]


def _size_text(symbol: str, shapes: dict[str, Shape], names: Names, found: dict[str, str]) -> str | None:
    wanted = Dim.symbol(symbol)
    places = [(n, k, d) for n, s in shapes.items() for k, d in enumerate(s) if symbol in d.symbols]
    for name, axis, size in places:
        if size == wanted:
            return f"{names[name]}.shape[{axis}]"
    for name, axis, size in places:
        factor = size.divided_by(wanted)
        if factor is not None and symbol not in factor.symbols and set(factor.symbols) <= found.keys():
            return f"{names[name]}.shape[{axis}]//({size_text(factor, names)})"
        rest = size - wanted
        if symbol not in rest.symbols and set(rest.symbols) <= found.keys():
            return f"{names[name]}.shape[{axis}] - ({size_text(rest, names)})"
    return None


def size_text(size: Dim, names: Names) -> str:
    """A dimension expression over the names of the code."""
    return re.sub(r"[^\W\d]\w*", lambda m: names[m.group()], str(size))


def like_of(program: Program, names: Names) -> str:
    """An input that is an array, whose element type new arrays take."""
    return next((names[n] for n, s in program.inputs.items() if any(d.number != 1 for d in s)), "")


def body(program: Program, plan: Plan, wanted: Sequence[Node], writer_class: type[Writer]) -> Body:
    """The lines that compute the wanted nodes, in the order of the plan."""
    found = {n: b for n in wanted if writer_class.end == "numpy" and (b := diagonal_blocks(plan.graph, n))}
    asked = [k for n in wanted for k in (found[n].nodes if n in found else [n])]
    done = planned(plan, asked, writer_class.end)
    order = reachable(done.outputs)
    parameters, sizes = parameters_of(program, plan.low, order, plan.names)
    numbers = [n for n, s in program.inputs.items() if len(s) == 2 and all(d.number == 1 for d in s)]
    writer = Writers.make(program, done, writer_class.end)
    lines = [f"{plan.names[n]} = {plan.names[n]}.reshape(())" for n in numbers]
    for node in done.lines:
        lines.append(with_shape(f"{done.called[node]} = {writer.line(node)}", node, plan.names))
    results, left = [], list(done.outputs)
    for node in wanted:
        if node not in found:
            results.append(writer.text(left.pop(0)))
            continue
        count = len(found[node].nodes)
        results.append(plan.names.fresh("blocks"))
        lines += found[node].written(results[-1], left[:count], writer, plan)
        left = left[count:]
    return Body(lines, results, parameters, list(writer.helpers), sizes)


class Writers:
    """Makes the writer of a back end for a plan."""

    @staticmethod
    def make(program: Program, done: Plan, end: str) -> Writer:
        return WRITERS[end](done.called, _Table(done.names), like_of(program, done.names))


class _Table(dict[str, str]):
    """The identifiers of names, as a mapping."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def __missing__(self, name: str) -> str:
        return self.names[name]


def with_shape(line: str, node: Node, names: Names) -> str:
    """A line with the shape of what it computes as a comment."""
    if node.scalar or node.kind == "factor":
        return line
    note = "# " + shape_words(node.shape, names)
    return f"{line:<{COMMENT_AT}}  {note}" if len(line) + len(note) + 2 <= WIDTH else line


def shape_words(shape: Shape, names: Names) -> str:
    """n x m, as a comment has it."""
    if not shape:
        return "a number"
    texts = [size_text(d, names) for d in shape]
    if len(texts) == 1:
        return f"{texts[0]} entries"
    return " x ".join(f"({t})" if " " in t else t for t in texts)
