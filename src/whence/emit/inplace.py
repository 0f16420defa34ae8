"""NumPy that writes into arrays made before: every operation is one call with out=, and arrays are used again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from whence.emit.arrays import INDENT, assembled, documented, plan_of, value_function
from whence.emit.body import Writers, parameters_of, size_lines, size_text
from whence.emit.graph import Node, Shape, pairs
from whence.emit.plan import Plan, is_python_number, planned, reachable
from whence.emit.program import Program
from whence.emit.trial import Trial
from whence.emit.writer import WRITERS, Writer
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError
from whence.ops.signature import signature
from whence.ops.table import TABLE

GRADIENTS = "gradients"


@dataclass
class _Buffers:
    """Arrays of the workspace: those that nothing needs any more are used again for the same shape."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    free: dict[Shape, list[str]] = field(default_factory=dict)

    def take(self, shape: Shape, wish: str) -> str:
        """An array of this shape; a new one is called as wished."""
        if self.free.get(shape):
            return self.free[shape].pop()
        name = wish if wish not in self.shapes else f"{wish}_{len(self.shapes)}"
        self.shapes[name] = shape
        return name

    def give_back(self, name: str) -> None:
        self.free.setdefault(self.shapes[name], []).append(name)


class _Steps:
    """Writes a plan as calls that write into buffers."""

    def __init__(self, done: Plan, writer: Writer, outputs: Sequence[Node]) -> None:
        self.done, self.writer = done, writer
        self.buffers = _Buffers()
        self.lines: list[str] = []
        self.place: dict[Node, str] = {}  # nodes that lie in a buffer
        self.left: dict[Node, int] = {}
        self.kept = dict.fromkeys(outputs)
        self.called: dict[Node, str] = {}
        for node in reachable(outputs):
            for n in node.inputs:
                self.left[n] = self.left.get(n, 0) + 1
        for node in outputs:
            self.left[node] = self.left.get(node, 0) + 1
        writer.called = self.called

    def run(self) -> None:
        for node in self.done.lines:
            self.compute(node)
            for result in self.kept:  # as soon as it can be, so that the arrays it reads are free
                if self._ready(result):
                    self.compute(result)
        for node in self.kept:
            self.compute(node)

    def _ready(self, node: Node) -> bool:
        """Is everything there that it is computed from?"""
        return all(self._there(n) for n in node.inputs)

    def _there(self, node: Node) -> bool:
        if node in self.called or node.kind == "input" or is_python_number(node):
            return True
        return node.kind in ("transpose", "axes", "reshape") and self._there(node.inputs[0])

    def compute(self, node: Node) -> None:
        """Make sure that a node can be named."""
        if node in self.called or is_python_number(node) or node.kind == "input":
            return
        for n in node.inputs:
            self.compute(n)
        if node.kind in ("transpose", "axes", "reshape", "size", "number", "constant"):
            return
        own = self.done.called.get(node)
        if node.scalar:
            if own or self.left.get(node, 0) > 1:
                name = own or self.done.names.fresh("c")
                self.lines.append(f"{name} = {self.writer.line(node)}")
                self.called[node] = name
            return
        made = getattr(self, "_" + node.kind, self._other)(node)
        if made is None:
            name = own or self.done.names.fresh("t")
            self.lines.append(f"{name} = {self.writer.line(node)}")
            self.called[node] = name
            self._release(node)
            return
        self.place[node] = made
        self.called[node] = f"work.{made}"
        self._release(node)

    def _release(self, node: Node) -> None:
        """The arrays that only this node still needed are free."""
        for n in node.inputs:
            self._used(n)

    def _used(self, node: Node) -> None:
        self.left[node] -= 1
        if self.left[node]:
            return
        if node in self.place and node not in self.kept:
            self.buffers.give_back(self.place[node])
        elif node.kind in ("transpose", "axes", "reshape"):
            for n in node.inputs:
                self._used(n)

    def _into(self, node: Node, *others: Node) -> str:
        """The buffer for an entrywise result: that of an operand which nobody needs later, else another."""
        for n in others:
            if n in self.place and n.shape == node.shape and self.left[n] == 1 and n not in self.kept:
                self.buffers.free.setdefault(node.shape, []).append(self.place.pop(n))
                self.left[n] += 1000  # it has changed hands
                break
        return self.buffers.take(node.shape, self.done.called.get(node) or "t")

    # ------------------------------------------------------------ operations
    def _other(self, node: Node) -> str | None:
        return None

    def _matmul(self, node: Node) -> str | None:
        if len(node.shape) > 2:
            return None
        out = self.buffers.take(node.shape, self.done.called.get(node) or "t")
        a, b = (self.writer.text(n) for n in node.inputs)
        self.lines.append(f"np.dot({a}, {b}, out=work.{out})")
        return out

    def _call(self, node: Node) -> str | None:
        name, axis, _ = node.data
        op = TABLE[name]
        texts = [self.writer.text(n) for n in node.inputs]
        if op.structure == "sum" and axis is not None:
            out = self.buffers.take(node.shape, self.done.called.get(node) or "t")
            at = axis[0] if len(axis) == 1 else axis
            self.lines.append(f"np.sum({texts[0]}, axis={at}, keepdims=True, out=work.{out})")
            return out
        if not op.into or any(n.shape != node.shape for n in node.inputs) and op.kind != "elementwise":
            return None
        out = self._into(node, *node.inputs)
        letters = [p.name for p in signature(op).ways[0].parameters]
        values = {x: self.writer.piece(n) for x, n in zip(letters, node.inputs, strict=True)}
        if axis is not None:
            values["axis"] = (str(axis[0]), 5)
        values["out"] = (f"work.{out}", 5)
        text = self.writer.filled(op.into, values, op, "numpy into")
        if "numpy into" in op.helpers:
            self.writer.helpers[op.helpers["numpy into"]] = ""
        self.lines.append(text)
        return out

    def _sum(self, node: Node) -> str | None:
        terms = list(zip(node.data, node.inputs, strict=True))
        if terms[0][0] < 0:
            return None
        first = [n for c, n in terms[:2] if abs(c) == 1 and n.kind != "number" and n.shape == node.shape]
        out = self._into(node, *first)
        here = f"work.{out}"
        current, held = self._scaled(*terms[0])
        for c, n in terms[1:]:
            text, spare = self._scaled(c, n)
            self.lines.append(f"np.{'subtract' if c < 0 else 'add'}({current}, {text}, out={here})")
            for name in filter(None, (held, spare)):
                self.buffers.give_back(name)
            current, held = here, ""
        return out

    def _scaled(self, c: Fraction, node: Node) -> tuple[str, str]:
        """(A term of a sum without its sign, the array that was taken for it.)"""
        graph = self.done.graph
        if node.kind == "number":
            return self.writer.text(graph.number(abs(c) * node.data)), ""
        text = self.writer.text(node)
        if abs(c) == 1:
            return text, ""
        number = self.writer.text(graph.number(abs(c)))
        if node.scalar:
            return f"{number}*{self.writer.at_least(5, node)}", ""
        spare = self.buffers.take(node.shape, "t")
        self.lines.append(f"np.multiply({text}, {number}, out=work.{spare})")
        return f"work.{spare}", spare

    def _product(self, node: Node) -> str | None:
        arrays = [(n, e) for n, e in pairs(node) if not n.scalar]
        scalars = [(n, e) for n, e in pairs(node) if n.scalar]
        if not arrays or arrays[0][1] < 0 or any(e.denominator != 1 or abs(e) > 3 for _, e in arrays):
            return None
        flat = [(n, e > 0) for n, e in arrays for _ in range(abs(int(e)))]
        number = self.done.graph.multiply(node.data[0], scalars, ())
        plain = number.kind == "number" and number.data == 1
        first = flat[0][0]
        again = any(n is first for n, _ in flat[1:])
        out = self._into(node, *([] if again and (len(flat) > 2 or not plain) else [first]))
        here = f"work.{out}"
        current = self.writer.text(first)
        if not plain:
            self.lines.append(f"np.multiply({current}, {self.writer.text(number)}, out={here})")
            current = here
        for n, up in flat[1:]:
            self.lines.append(f"np.{'multiply' if up else 'divide'}({current}, {self.writer.text(n)}, out={here})")
            current = here
        return out


def inplace(program: Program) -> str:
    """The module whose gradients are written into the arrays of a workspace."""
    if program.functions or any(len(s) > 2 for s in program.inputs.values()):
        raise ReadError("bad-option", found="inplace", expected="known functions of arrays of at most two axes")
    plan = plan_of(program, ("work", "Workspace", GRADIENTS, "self"))
    value, value_made = value_function(program, plan, WRITERS["numpy"])
    done = planned(plan, plan.outputs, "numpy")
    writer = Writers.make(program, done, "numpy")
    steps = _Steps(done, writer, done.outputs)
    steps.run()
    order = reachable(done.outputs)
    parameters, sizes = parameters_of(program, plan.low, order, plan.names)
    results = [writer.text(n) for n in done.outputs]
    workspace = _workspace(program, plan, steps.buffers, writer.like)
    text = [
        f"def {GRADIENTS}({', '.join([*parameters, 'work'])}):",
        *documented(CODE_TEXTS["in-place"].format(what=", ".join(o.name for o in program.outputs))),
        *(INDENT + t for t in (*sizes, *steps.lines)),
        f"{INDENT}return {', '.join(results)}",
    ]
    helpers = dict.fromkeys([*writer.helpers, *value_made.helpers])
    test = _test(program, plan, parameters, value_made.parameters)
    functions = [*helpers, workspace, "\n".join(text) + "\n", value, *([] if program.structured else [test])]
    return assembled(program, WRITERS["numpy"], functions, ["Workspace", GRADIENTS])


def _workspace(program: Program, plan: Plan, buffers: _Buffers, like: str) -> str:
    symbols = sorted({s for shape in buffers.shapes.values() for d in shape for s in d.symbols})
    sizes, missing = size_lines(program.inputs, symbols, plan.names)
    if missing:
        raise ReadError("bad-option", found="inplace", expected="a model whose inputs tell all sizes")
    inputs = ", ".join(plan.names[n] for n in program.inputs)
    lines = [
        "class Workspace:",
        f'{INDENT}"""{CODE_TEXTS["workspace"]}"""',
        "",
        f"{INDENT}def __init__(self, {inputs}):",
        *(INDENT * 2 + t for t in sizes),
    ]
    for name, shape in buffers.shapes.items():
        sized = ", ".join(size_text(d, plan.names) for d in shape)
        lines.append(f"{INDENT * 2}self.{name} = np.empty(({sized}), dtype={like}.dtype)")
    if not buffers.shapes:
        lines.append(f"{INDENT * 2}pass")
    return "\n".join(lines) + "\n"


def _test(program: Program, plan: Plan, parameters: Sequence[str], value_parameters: Sequence[str]) -> str:
    trial = Trial(program, plan, "numpy", GRADIENTS, [*parameters, "work"])
    made = f"work = Workspace({', '.join(plan.names[n] for n in program.inputs)})"
    lines = trial.text(value_parameters, before=[made], value=False).split("\n")
    said = CODE_TEXTS["test"].format(
        what=", ".join(o.name for o in program.outputs), verb="agree", how=CODE_TEXTS["differences"]
    )
    return "\n".join(["def test_derivatives():", *documented(said), *((INDENT + t).rstrip() for t in lines)]) + "\n"
