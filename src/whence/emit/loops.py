"""A plan as C: entrywise work and reductions in shared loops, row by row; matrix products on their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from whence.emit.body import size_text
from whence.emit.graph import ONE, Graph, Node, Shape, pairs
from whence.emit.names import Names
from whence.emit.plan import reachable
from whence.messages.errors import RuleError
from whence.ops.signature import signature
from whence.ops.table import TABLE, structured_by
from whence.shapes.dims import Dim

INDENT = "    "
_NO_LOOPS = ("reshape", "index", "unknown", "factor", "factored")


@dataclass
class Step:
    """What one part of the program computes: entries, a sum along rows or columns or of all, a product, a number."""

    node: Node
    kind: str  # entries, rows, columns, total, product, number
    of: Shape = ()  # the shape of the loop
    operand: Node | None = None
    combine: str = ""


@dataclass
class Loops:
    """The C of a program: statements in order, and the arrays that they write."""

    graph: Graph
    names: Names
    outputs: dict[Node, str]
    lines: list[str] = field(default_factory=list)
    arrays: dict[str, Shape] = field(default_factory=dict)  # of the workspace
    place: dict[Node, str] = field(default_factory=dict)  # node -> the array or the number that holds it
    local: dict[Node, str] = field(default_factory=dict)  # inside a loop
    products: bool = False
    needed: set[Node] = field(default_factory=set)
    readers: dict[Node, set[Node]] = field(default_factory=dict)  # of a computed node those that read it
    row: dict[Node, str] = field(default_factory=dict)  # held for one row at a time
    reciprocals: dict[str, str] | None = None  # of what is the same for a whole row, while a loop is written

    # ------------------------------------------------------------ what is computed on its own
    def steps(self, roots: Sequence[Node], called: set[Node]) -> list[Step]:
        out = []
        for node in reachable(roots):
            if node.kind in ("input", "number", "size", "constant", "transpose", "axes"):
                continue
            if max(len(node.shape), 0) > 2 or len(node.shape) == 1 or node.kind in _NO_LOOPS:
                raise RuleError("outside-scope", found=f"C for {node.kind}")
            step = self._step(node)
            if step is not None:
                out.append(step)
            elif node in called or node in self.outputs or node in self.needed:
                kind = "number" if node.scalar else "entries"
                out.append(Step(node, kind, node.shape or (ONE, ONE)))
        return out

    def demand(self, roots: Sequence[Node]) -> None:
        """Operands of products that are not there as arrays."""
        for node in reachable(roots):
            if node.kind in ("matmul",):
                for n in node.inputs:
                    inner = n.inputs[0] if n.kind == "transpose" else n
                    if inner.kind != "input":
                        self.needed.add(inner)

    def _step(self, node: Node) -> Step | None:
        if node.kind == "matmul":
            return Step(node, "product", node.shape)
        if node.kind == "dot":
            return Step(node, "total", node.inputs[0].shape, node, "0.0; {Y} + {X}")
        if node.kind != "call":
            return None
        op = TABLE[node.data[0]]
        if op.kind == "elementwise" or op.structure in ("eye", "ones", "zeros", "diag"):
            return None
        if op.structure == "trace" and len(node.inputs[0].shape) == 2:
            shape = (node.inputs[0].shape[0], ONE)
            diagonal = self.graph.node("call", node.inputs, shape, (structured_by("diag").name, None, ()))
            return Step(node, "total", shape, diagonal, structured_by("sum").whole["c"])
        if "c" not in op.whole or len(node.inputs) != 1:
            raise RuleError("outside-scope", found=f"C for {op.name}")
        axis = node.data[1]
        kind = "total" if axis is None else "rows" if axis == (1,) else "columns"
        return Step(node, kind, node.inputs[0].shape, node.inputs[0], op.whole["c"])

    # ------------------------------------------------------------ groups of steps that share the loop over rows
    def write(self, steps: Sequence[Step]) -> None:
        computed = {s.node for s in steps}
        for step in steps:
            work = list(step.node.inputs)
            while work:
                node = work.pop()
                if node in computed:
                    self.readers.setdefault(node, set()).add(step.node)
                else:
                    work.extend(node.inputs)
        group: list[Step] = []
        for step in steps:
            if group and not self._fits(step, group):
                self._flush(group)
                group = []
            if step.kind == "product":
                self._product(step.node)
            elif step.kind == "number":
                self.place[step.node] = name = self._number_name(step.node)
                self.lines.append(f"const REAL {name} = {self.at(step.node, '0', '0', own=True)};")
            else:
                group.append(step)
        if group:
            self._flush(group)

    def _number_name(self, node: Node) -> str:
        return self.names.fresh("s")

    def _fits(self, step: Step, group: Sequence[Step]) -> bool:
        if step.kind in ("product", "number") or step.of[0] != group[0].of[0]:
            return False
        ending = {s.node for s in group if s.kind in ("columns", "total")}
        inside = {s.node for s in group}
        below = self._direct(step)
        return not (below & ending) and not self._turned(step, inside)

    def _direct(self, step: Step) -> set[Node]:
        """The computed nodes that the step reads."""
        out: set[Node] = set()
        work = list(step.node.inputs)
        while work:
            node = work.pop()
            out.add(node)
            if node not in self.place and node not in self.needed:
                work.extend(node.inputs)
        return out

    def _turned(self, step: Step, inside: set[Node]) -> bool:
        """Does it read one of these across the rows?"""
        work = list(step.node.inputs)
        while work:
            node = work.pop()
            if node.kind == "transpose" and not node.inputs[0].column and node.inputs[0] in inside:
                return True
            if node.kind == "transpose" and node.inputs[0] in inside:
                return True
            if node in inside and node.shape and node.shape[0] != step.of[0]:
                return True
            if node not in inside:
                work.extend(node.inputs)
        return False

    def _flush(self, group: list[Step]) -> None:
        rows = group[0].of[0]
        before: list[str] = []
        body: list[str] = []
        after: list[str] = []
        self.local = {}
        chunk: list[Step] = []
        chunk_size: Dim | None = None
        for step in [*group, None]:
            blocked = step is not None and any(s.kind == "rows" and s.node in self._direct(step) for s in chunk)
            if chunk and (step is None or step.of[1] != chunk_size or blocked):
                self._inner(chunk, {s.node for s in group}, before, body, after)
                chunk = []
            if step is not None:
                if not chunk:
                    chunk_size = step.of[1]
                chunk.append(step)
        self.local = {}
        self.lines += before
        if rows == ONE:
            self.lines += ["{ const long i = 0;", *body, "}"]
        else:
            self.lines += [f"for (long i = 0; i < {self.size(rows)}; i++) {{", *(INDENT + t for t in body), "}"]
        self.lines += after

    def _inner(self, chunk: list[Step], group: set[Node], before: list[str], body: list[str], after: list[str]) -> None:
        """One loop over the columns of a row."""
        here_only = {s.node for s in chunk}
        columns = chunk[0].of[1]
        inner: list[str] = []
        first: list[str] = []
        last: list[str] = []
        j = "0" if columns == ONE else "j"
        quarters = len(chunk) == 1 and chunk[0].kind == "rows" and "?" in chunk[0].combine and columns != ONE
        self.reciprocals = None if columns == ONE or quarters else {}
        fresh: list[Node] = []
        for step in chunk:
            node = step.node
            if step.kind == "entries":
                name = self.names.fresh("v")
                inner.append(f"const REAL {name} = {self.at(node, 'i', j, own=True)};")
                self.local[node] = name
                fresh.append(node)
                self._store(node, name, j, inner, here_only, group)
                continue
            start, combine = step.combine.split("; ")
            if node.kind == "dot":
                a, b = node.inputs
                entry = f"{self.at(a, 'i', j)}*{self.at(b, 'i', j)}"
            else:
                assert step.operand is not None
                entry = self.at(step.operand, "i", j)
            if step.kind == "columns":
                array = self.outputs.get(node) or self._array(node)
                before.append(f"for (long j = 0; j < {self.size(columns)}; j++) {array}[j] = {start};")
                here = f"{array}[{j}]"
                self.place[node] = array
            else:
                here = self.names.fresh("s")
                (before if step.kind == "total" else first).append(f"REAL {here} = {start};")
            value = entry
            if combine.count("{X}") > 1:
                value = self.names.fresh("v")
                inner.append(f"const REAL {value} = {entry};")
            inner.append(f"{here} = {combine.replace('{X}', value).replace('{Y}', here)};")
            if step.kind == "total":
                self.place[node] = here
            elif step.kind == "rows":
                array = self.outputs.get(node) or self._array(node)
                last.append(f"{array}[i] = {here};")
                self.place[node] = array
                self.local[node] = here
        if quarters:
            body += self._in_quarters(chunk[0])
            body += last
            return
        if columns == ONE:
            body += [*first, *inner, *last]
            return
        first += [f"const REAL {name} = 1.0/({text});" for text, name in (self.reciprocals or {}).items()]
        self.reciprocals = None
        body += [
            *first,
            f"for (long j = 0; j < {self.size(columns)}; j++) {{",
            *(INDENT + t for t in inner),
            "}",
            *last,
        ]
        for node in fresh:  # the next loop over the columns reads the array
            del self.local[node]

    def _in_quarters(self, step: Step) -> list[str]:
        """The largest or smallest of a row by four at a time, each of which waits only for itself."""
        here, size = self.local[step.node], self.size(step.of[1])
        start, combine = step.combine.split("; ")
        four = [self.names.fresh(here) for _ in range(4)]
        quarter, value = self.names.fresh("q"), self.names.fresh("v")

        def take(name: str, column: str) -> str:
            assert step.operand is not None
            entry = self.at(step.operand, "i", column)
            return f"{{ const REAL {value} = {entry}; {name} = {combine.replace('{X}', value).replace('{Y}', name)}; }}"

        lines = [f"const long {quarter} = {size}/4;", *(f"REAL {n} = {start};" for n in four)]
        lines += [f"for (long j = 0; j < {quarter}; j++) {{"]
        lines += [INDENT + take(n, f"(j + {k}*{quarter})" if k else "j") for k, n in enumerate(four)]
        lines += ["}", f"for (long j = 4*{quarter}; j < {size}; j++) {take(four[0], 'j')}", f"REAL {here} = {four[0]};"]
        return lines + [f"{here} = {combine.replace('{X}', n).replace('{Y}', here)};" for n in four[1:]]

    def _store(self, node: Node, value: str, j: str, inner: list[str], chunk: set[Node], group: set[Node]) -> None:
        """Keep what was computed for those that read it later: for all rows, for this row, or not at all."""
        readers = self.readers.get(node, set())
        if node not in self.outputs and readers <= chunk and node not in self.needed:
            return
        if node not in self.outputs and readers <= group and j == "j" and node not in self.needed:
            self.row[node] = name = self.names.fresh("r")
            self.arrays[name] = (ONE, node.shape[1])
            inner.append(f"{name}[j] = {value};")
            return
        array = self.outputs.get(node) or self._array(node)
        inner.append(f"{array}[{self._offset(node.shape, 'i', j)}] = {value};")
        self.place[node] = array

    def _array(self, node: Node) -> str:
        name = self.names.fresh("w")
        self.arrays[name] = node.shape
        return name

    # ------------------------------------------------------------ products
    def _product(self, node: Node) -> None:
        self.products = True
        (a, ta), (b, tb) = (self._stored(n) for n in node.inputs)
        array = self.outputs.get(node) or self._array(node)
        rows, inner, columns = (self.size(d) for d in (node.shape[0], node.inputs[0].shape[1], node.shape[1]))
        self.lines.append(f"matmul({a}, {ta}, {b}, {tb}, {array}, {rows}, {inner}, {columns});")
        self.place[node] = array

    def _stored(self, node: Node) -> tuple[str, int]:
        """(The array that holds a factor, whether it lies there transposed.)"""
        turned = int(node.kind == "transpose")
        inner = node.inputs[0] if turned else node
        if inner.kind == "input":
            return self.names[inner.data], turned
        return self.place[inner], turned

    # ------------------------------------------------------------ entries
    def size(self, size: Dim) -> str:
        text = size_text(size, self.names)
        return text if text.isalnum() or text.isidentifier() else f"({text})"

    def _offset(self, shape: Shape, i: str, j: str) -> str:
        if not shape or all(d == ONE for d in shape):
            return "0"
        rows, columns = shape
        if columns == ONE:
            return i
        return j if rows == ONE or i == "0" else f"{i}*{self.size(columns)} + {j}"

    def at(self, node: Node, i: str, j: str, own: bool = False) -> str:
        """The C of one entry."""
        if not own:
            if node in self.local:
                return self.local[node]
            if node in self.row:
                return f"{self.row[node]}[{j}]"
            if node in self.place:
                name = self.place[node]
                return name if node.scalar and name.startswith("s") else f"{name}[{self._entry(node, i, j)}]"
        return getattr(self, "_at_" + node.kind)(node, i, j)

    def _entry(self, node: Node, i: str, j: str) -> str:
        rows, columns = node.shape if len(node.shape) == 2 else (ONE, ONE)
        return self._offset(node.shape, "0" if rows == ONE else i, "0" if columns == ONE else j)

    def _at_input(self, node: Node, i: str, j: str) -> str:
        return f"{self.names[node.data]}[{self._entry(node, i, j)}]"

    def _at_number(self, node: Node, i: str, j: str) -> str:
        return c_number(node.data)

    def _at_size(self, node: Node, i: str, j: str) -> str:
        return f"(REAL)({size_text(node.data, self.names)})"

    def _at_constant(self, node: Node, i: str, j: str) -> str:
        return "3.14159265358979323846"

    def _at_transpose(self, node: Node, i: str, j: str) -> str:
        return self.at(node.inputs[0], j, i)

    def _at_sum(self, node: Node, i: str, j: str) -> str:
        out = ""
        for c, n in zip(node.data, node.inputs, strict=True):
            if n.kind == "number":
                text = c_number(abs(c) * n.data)
            else:
                text = self.at(n, i, j)
                text = text if abs(c) == 1 else f"{c_number(abs(c))}*{text}"
            out += (f" {'-' if c < 0 else '+'} " if out else "-" if c < 0 else "") + text
        return f"({out})"

    def _at_product(self, node: Node, i: str, j: str) -> str:
        c = node.data[0]
        top = [] if c == 1 else [f"({c_number(c)})"]
        bottom: list[str] = []
        for n, e in pairs(node):
            (top if e > 0 else bottom).append(self._power(n, abs(e), i, j))
            if e < 0 and self.reciprocals is not None and (n.scalar or n.column and i == "i"):
                top.append(self._reciprocal(bottom.pop()))
        text = "*".join(top) or "1.0"
        return f"({text}/({'*'.join(bottom)}))" if bottom else f"({text})"

    def _reciprocal(self, text: str) -> str:
        """The name of one over a text; a product by it is quicker than a division at every entry."""
        assert self.reciprocals is not None
        if text not in self.reciprocals:
            self.reciprocals[text] = self.names.fresh("q")
        return self.reciprocals[text]

    def _power(self, node: Node, e: Fraction, i: str, j: str) -> str:
        text = self.at(node, i, j)
        if e.denominator == 1 and e <= 4:
            return "*".join([text] * int(e))
        if e == Fraction(1, 2):
            return f"sqrt({text})"
        return f"pow({text}, {c_number(e)})"

    def _at_compare(self, node: Node, i: str, j: str) -> str:
        a, b = (self.at(n, i, j) for n in node.inputs)
        return f"(REAL)({a} {node.data} {b})"

    def _at_call(self, node: Node, i: str, j: str) -> str:
        op = TABLE[node.data[0]]
        match op.structure:
            case "eye":
                return f"(REAL)({i} == {j})"
            case "ones":
                return "1.0"
            case "zeros":
                return "0.0"
            case "diag":
                if node.shape[0] == node.shape[1]:
                    return f"({i} == {j} ? {self.at(node.inputs[0], i, '0')} : 0.0)"
                return self.at(node.inputs[0], i, i)
        if not op.c:
            raise RuleError("outside-scope", found=f"C for {op.name}")
        letters = [p.name for p in signature(op).ways[0].parameters]
        text = op.c
        for letter, n in zip(letters, node.inputs, strict=True):
            text = text.replace("{" + letter + "}", f"({self.at(n, i, j)})")
        return f"({text})"


def c_number(value: Fraction) -> str:
    """A number as C writes it: never a whole number, whose quotient would be rounded."""
    if value.denominator == 1:
        return f"{value.numerator}.0"
    text = repr(float(value))
    return text if Fraction(text) == value else f"{value.numerator}.0/{value.denominator}.0"
