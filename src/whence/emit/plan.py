"""From a program to the lines of its code: solves instead of inverses, shared factorisations, what gets a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from whence.emit.facts import positive_definite
from whence.emit.graph import NUMBERS, Graph, Node
from whence.emit.lower import Lowering
from whence.emit.names import Names
from whence.emit.program import Program
from whence.ops.table import TABLE, in_role

HEAVIEST_LINE = 9  # operations on one line

_PLAIN = ("input", *NUMBERS)


@dataclass
class Plan:
    """Nodes in the order in which they are computed, and the names of those that stand on a line of their own."""

    low: Lowering
    value: Node
    outputs: list[Node]
    names: Names
    lines: list[Node] = field(default_factory=list)
    called: dict[Node, str] = field(default_factory=dict)

    @property
    def graph(self) -> Graph:
        return self.low.graph


def lowered(program: Program, names: Names, steady: bool = False) -> Plan:
    """The graph of a program; `steady` as in `Lowering`."""
    facts = dict(program.facts)
    low = Lowering(
        program.inputs,
        program.dims,
        program.functions,
        program.defined,
        facts,
        program.sizes,
        steady,
        program.places,
    )
    for name, tree in (*program.statements, *program.adjoints):
        low.define(name, tree)
    outputs = []
    for output in program.outputs:
        known = output.name not in low.names and len(output.wrt) == 1
        outputs.append(low.define(output.name, output.tree) if known else low.lower(output.tree))
    return Plan(low, low.names[program.of], outputs, names)


def planned(plan: Plan, wanted: Sequence[Node], end: str) -> Plan:
    """The lines that give the wanted nodes, for a back end."""
    roots = Solves(plan.low, end).rewritten(list(wanted))
    order = reachable(roots)
    uses = _uses(order, roots)
    out = Plan(plan.low, plan.value, roots, plan.names)
    named = {n: plan.names[name] for n, name in plan.graph.named.items()}
    weight: dict[Node, int] = {}
    for node in order:
        own = 0 if node.kind in _PLAIN else 3 if node.kind == "factored" else 1
        weight[node] = own + sum(0 if n in out.called else weight[n] for n in node.inputs)
        if node.kind in _PLAIN:
            continue
        if node in named:
            out.called[node] = named[node]
        elif _deserves_a_name(node, uses[node], weight[node], out.called) and not (node in roots and uses[node] == 1):
            word = _word(node, out.called, plan.names)
            out.called[node] = plan.names.fresh(word) if word else plan.names.numbered("t")
        else:
            continue
        out.lines.append(node)
    return out


def _deserves_a_name(node: Node, uses: int, weight: int, called: dict[Node, str]) -> bool:
    if node.kind == "factor":
        return True
    view = node.kind in ("transpose", "axes", "reshape")
    if is_python_number(node) or view and (not node.inputs[0].inputs or node.inputs[0] in called):
        return False
    return uses > 1 or weight > HEAVIEST_LINE and node.kind not in ("transpose", "axes")


def is_python_number(node: Node) -> bool:
    """Is it computed from sizes and literals alone?"""
    if node.kind in NUMBERS:
        return True
    return node.scalar and node.kind in ("sum", "product") and all(map(is_python_number, node.inputs))


def _word(node: Node, called: dict[Node, str], names: Names) -> str:
    """A name that says what it is: exp_Z, inv_K; empty where there is no short one."""
    if node.kind == "factor":
        return ("chol_" if node.data == "pd" else "lu_") + _word_of(node.inputs[0], called, names)
    if node.kind == "factored" and len(node.inputs) == 1:
        return f"{node.data[0]}_{_word_of(node.inputs[0].inputs[0], called, names)}"
    if node.kind == "call" and len(node.inputs) == 1:
        return f"{node.data[0]}_{_word_of(node.inputs[0], called, names)}"
    if node.kind != "matmul":
        return ""
    return "_".join(_word_of(n, called, names) for n in node.inputs)[:24].strip("_")


def _word_of(node: Node, called: dict[Node, str], names: Names) -> str:
    if node in called:
        return called[node]
    if node.kind == "input":
        return names[node.data]
    return _word_of(node.inputs[0], called, names) + "t" if node.kind == "transpose" else "t"


def reachable(roots: Iterable[Node]) -> list[Node]:
    """All nodes below the roots; what a node is made of comes before it."""
    seen: set[Node] = set()
    work = list(roots)
    while work:
        node = work.pop()
        if node not in seen:
            seen.add(node)
            work.extend(node.inputs)
    return sorted(seen, key=lambda n: n.number)


def _uses(order: Iterable[Node], roots: Iterable[Node]) -> dict[Node, int]:
    uses: dict[Node, int] = {}
    for node in order:
        uses.setdefault(node, 0)
        for n in node.inputs:
            uses[n] = uses.get(n, 0) + 1
    for node in roots:
        uses[node] += 1
    return uses


def rebuilt(
    graph: Graph, order: Iterable[Node], changed: Callable[[Node, tuple[Node, ...]], Node | None]
) -> dict[Node, Node]:
    """Every node after a change of some: `changed` gives the new node from the old one and its new inputs."""
    new: dict[Node, Node] = {}
    for node in order:
        inputs = tuple(new[n] for n in node.inputs)
        made = changed(node, inputs)
        if made is None and node.kind == "transpose" and inputs != node.inputs:
            made = graph.permuted(inputs[0], node.data)
        if made is None:
            made = node if inputs == node.inputs else graph.node(node.kind, inputs, node.shape, node.data)
        if made is not node and node in graph.named and made not in graph.named and made.inputs:
            graph.named[made] = graph.named[node]
        new[node] = made
    return new


class Solves:
    """Products with an inverse become solves, unless the inverse itself is needed; factorisations are shared."""

    def __init__(self, low: Lowering, end: str) -> None:
        self.low, self.graph, self.end = low, low.graph, end
        self.inverse, self.solution = in_role("inverse"), in_role("solution")

    def rewritten(self, roots: list[Node]) -> list[Node]:
        order = reachable(roots)
        explicit = self._explicit(order, roots)
        factors = self._factors(order, explicit)
        new = self._with(roots, order, explicit, factors)
        readers: dict[Node, set[Node]] = {}
        for node in reachable(new):
            if node.kind == "factored":
                readers.setdefault(node.inputs[0].inputs[0], set()).add(node)
        alone = {m for m, found in readers.items() if len(found) == 1 and len(next(iter(found)).inputs) == 2}
        if alone:  # what seemed several solves is one
            new = self._with(roots, order, explicit, {m: w for m, w in factors.items() if m not in alone})
        return new

    def _with(
        self, roots: Sequence[Node], order: Sequence[Node], explicit: set[Node], factors: dict[Node, str]
    ) -> list[Node]:
        def changed(node: Node, inputs: tuple[Node, ...]) -> Node | None:
            if node.kind == "call" and TABLE[node.data[0]].factored and node.inputs[0] in factors:
                return self._factored(node, inputs, factors[node.inputs[0]], explicit)
            if node.kind != "matmul":
                return None
            (a, b), (p, q) = node.inputs, inputs
            core, turned = self._inverse_of(a)
            if core is not None and core not in explicit:
                return self._solved(core.inputs[0], p, q, turned, factors)
            core, turned = self._inverse_of(b)
            if core is not None and core not in explicit:
                g = self.graph
                return g.transposed(self._solved(core.inputs[0], q, g.transposed(p), not turned, factors))
            return None

        new = rebuilt(self.graph, order, changed)
        return [new[r] for r in roots]

    def _inverse_of(self, node: Node) -> tuple[Node | None, bool]:
        turned = node.kind == "transpose"
        inner = node.inputs[0] if turned else node
        found = inner.kind == "call" and inner.data[0] == self.inverse.name and inner not in self.graph.named
        return (inner if found else None), turned

    def _explicit(self, order: Sequence[Node], roots: Sequence[Node]) -> set[Node]:
        """The inverses that are used otherwise than in a product."""
        out = {core for r in roots if (core := self._inverse_of(r)[0]) is not None}
        for node in order:
            for n in node.inputs:
                core, _ = self._inverse_of(n)
                if core is None or node.kind == "transpose":
                    continue
                both = node.kind == "matmul" and all(self._inverse_of(k)[0] is not None for k in node.inputs)
                if node.kind != "matmul" or both and n is node.inputs[1]:
                    out.add(core)
        return out

    def _factors(self, order: Sequence[Node], explicit: set[Node]) -> dict[Node, str]:
        """The matrices that are factorised once, and how."""
        users: dict[Node, set[Node]] = {}
        for node in order:
            if node.kind == "call" and TABLE[node.data[0]].factored and len(node.inputs) == 1:
                users.setdefault(node.inputs[0], set())
                if node.data[0] != self.inverse.name or node in explicit:
                    users[node.inputs[0]].add(node)
            for n in node.inputs if node.kind == "matmul" else ():
                core, _ = self._inverse_of(n)
                if core is not None and core not in explicit:
                    users.setdefault(core.inputs[0], set()).add(node)
        out: dict[Node, str] = {}
        for matrix, using in users.items():
            definite = positive_definite(matrix, self.graph, self.low.facts)
            which = "pd" if definite else "lu"
            calls = [n for n in using if n.kind == "call"]
            known = all(f"{self.end} {which}" in TABLE[n.data[0]].factored for n in calls)
            worth = len(using) > 1 or definite and any(n in explicit for n in using)
            if worth and known and len(matrix.shape) == 2:
                out[matrix] = which
        return out

    def _factor(self, matrix: Node, which: str) -> Node:
        return self.graph.node("factor", [matrix], matrix.shape, which)

    def _factored(self, node: Node, inputs: tuple[Node, ...], which: str, explicit: set[Node]) -> Node | None:
        if node.data[0] == self.inverse.name and node not in explicit:
            return None
        factor = self._factor(inputs[0], which)
        return self.graph.node("factored", [factor], node.shape, (node.data[0], which, False))

    def _solved(self, matrix: Node, left: Node, right: Node, turned: bool, factors: dict[Node, str]) -> Node:
        inner = left.inputs[0] if left.kind == "transpose" else left
        argument = inner.inputs[0]
        if matrix in factors:
            which = factors[matrix]
            turned = turned and which == "lu"
            factor = self._factor(argument, which)
            return self.graph.node("factored", [factor, right], right.shape, (self.solution.name, which, turned))
        argument = self.graph.transposed(argument) if turned else argument
        shape = (*right.shape[:-2], argument.shape[-2], right.shape[-1])
        return self.graph.node("call", [argument, right], shape, (self.solution.name, None, ()))
