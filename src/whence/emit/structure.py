"""A Hessian as an operator that keeps its form: diagonal, products through a small size, Kronecker products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from whence.emit.arrays import INDENT, assembled, documented, value_function
from whence.emit.body import Writers, parameters_of, size_lines, size_text, with_shape
from whence.emit.graph import ONE, Factor, Graph, Node, factors_of
from whence.emit.names import Names
from whence.emit.operators import CLASSES, STRUCTURED
from whence.emit.plan import Plan, lowered, planned, reachable
from whence.emit.program import Output, Program
from whence.emit.trial import Trial
from whence.emit.writer import WRITERS, Writer
from whence.messages.code_texts import CODE_TEXTS
from whence.messages.errors import ReadError

Part = tuple[str, list[Node | None], Fraction, list[Factor]]  # class, its arguments, the number and scalars before it


def hessian_module(program: Program, gradient: Output) -> str:
    """The module of a second derivative by one name (the program's only output), with Newton's step."""
    (output,) = program.outputs
    wrt = output.wrt[0]
    names = Names(
        {"Structured", "woodbury", *CLASSES, "hessian", "newton_step", "gradient", "value", "test_derivatives"}
    )
    for name in (*program.inputs, *(n for n, _ in program.statements), *program.dims):
        names[name]
    plan = lowered(replace(program, outputs=(gradient, output)), names)  # the gradient first: it owes H no product
    parts = [p for term in _terms(plan.graph, plan.outputs[1]) for p in [_part(plan.graph, *term)]]
    size = prod((d for d in program.shapes[wrt] if d != ONE), start=ONE)
    operator, slope, newton = (
        _Made.make(program, plan, p, str(size_text(size, names)), s)
        for p, s in ((parts, []), ([], plan.outputs[:1]), (parts, plan.outputs[:1]))
    )
    said = {"of": program.of, "wrt": wrt}
    down, up = _stacked(program, wrt)
    solved = f"-{newton.operator}.solve({newton.result(down)}){up.format(x=names[wrt])}"
    used = [CLASSES[c] for c in CLASSES if any(p[0] == c for p in parts) or c in ("Diagonal", "Product")]
    value, value_made = value_function(replace(program, outputs=()), _fresh(program, names), WRITERS["numpy"])
    functions = [*dict.fromkeys([*newton.helpers, *value_made.helpers]), STRUCTURED, *used]
    functions.append(operator.function("hessian", CODE_TEXTS["operator"].format(**said), operator.operator))
    functions.append(slope.function("gradient", CODE_TEXTS["title-alone"].format(**said), slope.result()))
    functions += [newton.function("newton_step", CODE_TEXTS["newton"].format(**said), solved), value]
    if not program.structured:
        functions.append(_test(program, plan, operator.parameters, value_made.parameters))
    return assembled(program, WRITERS["numpy"], functions, ["hessian", "gradient", "newton_step"])


def _fresh(program: Program, names: Names) -> Plan:
    return lowered(replace(program, outputs=()), names)


def _stacked(program: Program, wrt: str) -> tuple[str, str]:
    """How a gradient becomes one column, and a column an array of the variable's shape."""
    if any(d == ONE for d in program.shapes[wrt]) or len(program.shapes[wrt]) < 2:
        return "", ""
    return ".T.reshape(-1, 1)", ".reshape({x}.shape[::-1]).T"


# ------------------------------------------------------------ what the terms are
def _terms(graph: Graph, node: Node) -> list[tuple[Fraction, Node]]:
    """The terms of a sum, a factor in front of it brought to each."""
    if node.kind == "sum":
        return list(zip(node.data, node.inputs, strict=True))
    c, factors = factors_of(node)
    sums = [n for n, e in factors if n.kind == "sum" and not n.scalar and e == 1]
    if len(sums) != 1 or any(not n.scalar for n, _ in factors if n is not sums[0]):
        return [(Fraction(1), node)]
    scalars = [(n, e) for n, e in factors if n.scalar]
    one = Fraction(1)
    return [
        (c * k, graph.multiply(one, [*scalars, (n, one)], node.shape))
        for k, n in zip(sums[0].data, sums[0].inputs, strict=True)
    ]


def _part(graph: Graph, c: Fraction, term: Node) -> Part:
    """The operator of one term."""
    k, factors = factors_of(term)
    c *= k
    scalars = [f for f in factors if f[0].scalar]
    arrays = [f for f in factors if not f[0].scalar]
    if all(e == 1 for _, e in arrays):
        nodes = [n for n, _ in arrays]
        if len(nodes) == 1:
            return _of_node(graph, nodes[0], c, scalars)
        columns, rows = [n for n in nodes if n.column], [n for n in nodes if n.row]
        if len(columns) == len(rows) == 1 and len(nodes) == 2:
            return "Product", [columns[0], rows[0]], c, scalars
    return "Dense", [graph.multiply(c, factors, term.shape)], Fraction(1), []


def _of_node(graph: Graph, node: Node, c: Fraction, scalars: list[Factor]) -> Part:
    if graph.is_structural(node, "eye"):
        return "Diagonal", [graph.ones(node.shape[0], ONE)], c, scalars
    if graph.is_structural(node, "diag") and node.inputs[0].column:
        return "Diagonal", [node.inputs[0]], c, scalars
    if graph.is_structural(node, "kron"):
        return "Kronecker", list(node.inputs), c, scalars
    if node.kind == "matmul" and len(node.shape) == 2:
        return "Product", list(node.inputs), c, scalars
    return "Dense", [graph.multiply(c, [*scalars, (node, Fraction(1))], node.shape)], Fraction(1), []


@dataclass
class _Made:
    """The lines that compute the parts of an operator, or further nodes, or both."""

    parameters: list[str]
    lines: list[str]
    operator: str
    results: list[str]
    helpers: list[str]

    def function(self, name: str, docstring: str, returned: str) -> str:
        head = f"def {name}({', '.join(self.parameters)}):"
        lines = [head, *documented(docstring), *(INDENT + t for t in self.lines), f"{INDENT}return {returned}"]
        return "\n".join(lines) + "\n"

    def result(self, view: str = "") -> str:
        """The further node, or a view of it."""
        (text,) = self.results
        return f"({text}){view}" if view and not text.isidentifier() else text + view

    @staticmethod
    def make(program: Program, plan: Plan, parts: Sequence[Part], size: str, others: Sequence[Node]) -> _Made:
        g = plan.graph
        identity = [(name, n) for name, nodes, _, _ in parts for n in nodes if n is not None]
        wanted = [n for name, n in identity if not (name == "Kronecker" and g.is_structural(n, "eye"))]
        scales = [g.multiply(c, scalars, ()) for _, _, c, scalars in parts]
        done = planned(plan, [*wanted, *scales, *others], "numpy")
        order = reachable(done.outputs)
        writer = Writers.make(program, done, "numpy")
        parameters, lines = parameters_of(program, plan.low, order, plan.names)
        if parts:
            symbols = {s for n in order for s in _symbols(n)}
            symbols |= {s for s in program.dims if s in size.replace("*", " ").split()}
            symbols |= {s for name, n in identity if name == "Kronecker" for d in n.shape for s in d.symbols}
            lines, _ = size_lines(program.inputs, sorted(symbols), plan.names)
        lines += [with_shape(f"{done.called[n]} = {writer.line(n)}", n, plan.names) for n in done.lines]
        texts = _texts(parts, dict(zip(wanted, done.outputs, strict=False)), done.outputs[len(wanted) :], writer, plan)
        results = [writer.text(n) for n in done.outputs[len(wanted) + len(scales) :]]
        operator = f"Structured({size}, {', '.join(texts)})"
        return _Made(parameters, lines, operator, results, list(writer.helpers))


def _texts(
    parts: Sequence[Part], written: dict[Node, Node], scales: Sequence[Node], writer: Writer, plan: Plan
) -> list[str]:
    """The parts as the classes of the module are called."""
    out = []
    for (name, nodes, _, _), scale in zip(parts, scales, strict=False):
        texts = [writer.text(written[n]) if n in written else size_text(n.shape[0], plan.names) for n in nodes if n]
        text = writer.at_least(5, scale)
        if name == "Diagonal":
            out.append(f"Diagonal({texts[0]})" if text == "1" else f"Diagonal({text}*({texts[0]}))")
        elif name == "Dense":
            out.append(f"Dense({texts[0]})")
        else:
            out.append(f"{name}({', '.join(texts)}{'' if text == '1' else ', ' + text})")
    return out


def _symbols(node: Node) -> set[str]:
    dims = [node.data] if node.kind == "size" else list(node.shape) if node.kind in ("reshape",) else []
    return {s for d in dims for s in d.symbols}


def _test(program: Program, plan: Plan, parameters: Sequence[str], value_parameters: Sequence[str]) -> str:
    """The dense form against differences; the other ways to use the operator against the dense form."""
    (output,) = program.outputs
    if output.layout != "vec" and not any(d == ONE for d in program.shapes[output.wrt[0]]):
        raise ReadError("bad-option", found="hessian", expected="a second derivative that is one matrix")
    trial = Trial(program, plan, "numpy", "hessian", parameters)
    name = plan.names[output.name]
    lines = trial.text(value_parameters, value=False).split("\n")
    at = next(k for k, line in enumerate(lines) if line.startswith(f"{name} = "))
    lines[at] = f"operator = hessian({', '.join(parameters)})"
    lines.insert(at + 1, f"{name} = operator.dense()")
    lines += [
        "b = rng.standard_normal((operator.size, 2))",
        f"np.testing.assert_allclose(operator @ b, {name} @ b, rtol=1e-9, atol=1e-9)",
        f"np.testing.assert_allclose(operator.diag(), np.diagonal({name}), rtol=1e-9, atol=1e-9)",
        f"if np.linalg.cond({name}) < 1e8:",
        f"{INDENT}np.testing.assert_allclose({name} @ operator.solve(b), b, rtol=1e-6, atol=1e-6)",
    ]
    said = CODE_TEXTS["test"].format(what=output.name, verb="agrees", how=CODE_TEXTS["differences"])
    return "\n".join(["def test_derivatives():", *documented(said), *((INDENT + t).rstrip() for t in lines)]) + "\n"
