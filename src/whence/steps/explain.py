"""The explanation of one gradient in words and formulas, laid out for a reader: three readings of one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from whence.expr.node import SUM, Node
from whence.expr.sums import make_sum
from whence.messages.labels import LABELS
from whence.messages.rules import RULES
from whence.notation.indices import index_formula
from whence.notation.printer import Printer
from whence.notation.scalars import entry_name, expand_entry, print_scalar
from whence.notation.unicode import display_name
from whence.read.syntax import Binary, Call, Compare, Expr, Name, Negative, Transpose
from whence.shapes.dims import Dim
from whence.steps.derivation import Derivation, Stage
from whence.steps.record import Move, Pairing

FullShape = tuple[Dim, ...]
ONE = Dim.parse(1)


@dataclass(frozen=True)
class Step:
    """One step as shown: rule, the term before and after, the reason, the shape of what stands beside the change."""

    rule: str
    before: str
    after: str
    reason: str
    shape: str
    law: str = ""


@dataclass(frozen=True)
class Style:
    """How formulas are printed: a function from trees to text, the shapes, and the printer of nodes."""

    text: Callable[[Expr], str]
    printer: Printer
    shapes: Mapping[str, FullShape]
    statements: Mapping[str, tuple[Expr, int]]  # name -> its expression and line

    def node(self, node: Node, row: bool = False) -> str:
        """A node in textbook notation; a vector as a column, or as a row."""
        return self.text(self.printer.forms(node)[1 if row and node.rank == 1 else 0].tree)

    def is_row(self, name: str) -> bool:
        shape = self.shapes[name]
        return len(shape) == 2 and shape[0] == ONE and shape[1] != ONE

    def inside(self, node: Node) -> str:
        """A formula as it stands inside ⟨ , ⟩: of an array of equal numbers only the number."""
        if node.rank and node.kind == SUM and node.terms and not any(idx for _, fs in node.terms for _, idx, _ in fs):
            return self.node(make_sum(node.terms, ()))
        return self.node(node)

    def pairing(self, pair: Pairing) -> str:
        """⟨left, right⟩; of vectors both as columns or both as rows, whichever is shorter."""
        if pair.left.rank == 1 and pair.right.rank == 1:
            lengths = [sum(self.printer.forms(n)[k].length for n in (pair.left, pair.right)) for k in (0, 1)]
            row = lengths[1] < lengths[0]
            return f"⟨{self.node(pair.left, row)}, {self.node(pair.right, row)}⟩"
        return f"⟨{self.inside(pair.left)}, {self.inside(pair.right)}⟩"


def matrix_reading(derivation: Derivation, style: Style, output: str, answer: str) -> list[tuple[str, str]]:
    """Lines with their reasons: (line, what stands beside it). `answer` is the formula as shown: dZ1 = …"""
    lines: list[tuple[str, str]] = []
    for stage in derivation.stages:
        body, _ = style.statements[stage.statement.name]
        name = display_name(stage.statement.name)
        change = style.node(stage.differential, style.is_row(stage.statement.name))
        lines.append((f"δ{name} = {change}", LABELS["from"].format(line=f"{name} = {style.text(body)}")))
    first = True
    for stage in derivation.stages:
        lines += _stage_lines(stage, style, output, first)
        first = False
    if len([s for s in derivation.stages if s.child == derivation.target]) > 1:
        lines.append((LABELS["parts"].format(name=display_name(derivation.target), places=_times(derivation)), ""))
    lines.append((LABELS["beside"].format(name=display_name(derivation.target)), ""))
    if _total(derivation) is not derivation.answer:
        lines.append((answer, LABELS["collected"]))
    return lines


def _times(derivation: Derivation) -> str:
    names = [s.statement.name for s in derivation.stages if s.child == derivation.target]
    return " and in ".join(display_name(n) for n in names)


def _total(derivation: Derivation) -> Node | None:
    parts = [s.result for s in derivation.stages if s.child == derivation.target]
    return parts[0] if len(parts) == 1 else None


def _stage_lines(stage: Stage, style: Style, output: str, first: bool) -> list[tuple[str, str]]:
    name = display_name(stage.statement.name)
    lines: list[tuple[str, str]] = []
    head = f"δ{display_name(output)}" if first else f"⟨d{name}, δ{name}⟩"
    for k, path in enumerate(stage.paths):
        if stage.statement.name == output:
            start = f"δ{display_name(output)} = {style.node(path.start.right)}"
        elif first or len(stage.paths) > 1:
            lead = (
                f"{head} = {style.pairing(Pairing(stage.adjoint, stage.statement_mark))} = "
                if k == 0
                else LABELS["and"]
            )
            start = f"{lead}{style.pairing(path.start)}"
        else:
            start = f"    = {style.pairing(path.start)}"
        lines.append((start, LABELS["put-in"].format(name=name) if stage.statement.name != output else ""))
        for move in path.moves:
            rule = RULES[move.rule]
            factor = style.node(move.moved[0]) if move.moved else ""
            if move.rule in ("broadcast", "spread"):
                factor = factor.removeprefix("δ")
            lines.append((f"    = {style.pairing(move.after)}", f"{rule.law}    {rule.reason.format(factor=factor)}"))
    return lines


def steps(derivation: Derivation, style: Style, shape_text: Callable[[Node], str]) -> list[Step]:
    """The moves as data."""
    out = []
    for stage in derivation.stages:
        for path in stage.paths:
            for move in path.moves:
                rule = RULES[move.rule]
                factor = style.node(move.moved[0]) if move.moved else ""
                if move.rule in ("broadcast", "spread"):
                    factor = factor.removeprefix("δ")
                out.append(
                    Step(
                        move.rule,
                        style.pairing(move.before),
                        style.pairing(move.after),
                        rule.reason.format(factor=factor),
                        shape_text(move.after.left),
                        rule.law,
                    )
                )
    return out


def index_reading(derivation: Derivation, style: Style, adjoint_name: str) -> list[str]:
    """Every part of the answer as a sum over indices."""
    lines = []
    for stage in derivation.stages:
        name = stage.statement.name
        lines.append(f"δ{name}{index_formula(stage.differential)}")
    for stage in derivation.stages:
        beside = f"d{stage.child}"
        lines.append(
            f"{beside}{index_formula(stage.result)}"
            + ("" if stage.child != derivation.target else "    what stands beside the change")
        )
    return lines


def scalar_reading(
    derivation: Derivation, style: Style, answer: Expr, sizes: Mapping[str, int], functions: frozenset[str], output: str
) -> list[tuple[str, str]]:
    """One entry first: the scalar equations in which it stands, and the school chain rule for it."""
    target = derivation.target
    shape = style.shapes[target]
    index = (0,) * sum(d != ONE for d in shape)
    own = entry_name(target, index, shape, sizes)
    lines: list[tuple[str, str]] = []
    reached: list[str] = []
    for stage in _frontier(derivation):
        name = stage.statement.name
        body = _unfolded(stage.statement.expression, derivation, style)
        for entry in _entries(style.shapes[name], sizes):
            expanded = expand_entry(body, entry, sizes, style.shapes, functions=functions)
            if own in _names(expanded):
                left = entry_name(name, entry, style.shapes[name], sizes)
                lines.append((f"{left} = {print_scalar(expanded)}", ""))
                reached.append(left)
    gradient = expand_entry(answer, index, sizes, style.shapes, functions=functions)
    through = [r for r in reached if r != output]
    way = (
        LABELS["reaches"].format(entry=own, output=output, way=_and(through))
        if through
        else LABELS["reaches-at-once"].format(entry=own, output=output)
    )
    lines.append((way, ""))
    remarks = _remarks(derivation, style, sizes, own) or [""]
    lines.append((f"∂{output}/∂{own} = {print_scalar(gradient)}", remarks[0]))
    return lines + [("", remark) for remark in remarks[1:]]


def _remarks(derivation: Derivation, style: Style, sizes: Mapping[str, int], own: str) -> list[str]:
    """What the one entry already shows of the matrix form: a column or a row of a factor, its own entry, a sum."""
    out: list[str] = []
    for stage in derivation.stages:
        for path in stage.paths:
            for move in path.moves:
                out += _remark(move, style, sizes, own)
    return list(dict.fromkeys(out))


def _remark(move: Move, style: Style, sizes: Mapping[str, int], own: str) -> list[str]:
    if move.rule in ("left-factor", "right-factor"):
        factor = move.moved[0]
        if factor.name not in style.shapes or factor.rank != 2:
            return []
        shape = style.shapes[factor.name]
        count = len({e[0 if move.rule == "left-factor" else 1] for e in _entries(shape, sizes)})
        places = [(k, 0) if move.rule == "left-factor" else (0, k) for k in range(count)]
        entries = ", ".join(entry_name(factor.name, p, shape, sizes) for p in places)
        return [LABELS["column" if move.rule == "left-factor" else "row"].format(entries=entries, factor=factor.name)]
    if move.rule == "elementwise":
        return [LABELS["own-entry"].format(entry=own)]
    if move.rule == "broadcast":
        return [LABELS["every-column"].format(entry=own)]
    return []


def _frontier(derivation: Derivation) -> list[Stage]:
    """The stages that start at a named adjoint or at the cost, one for each statement."""
    folded = {s.child for s in derivation.stages}
    seen: dict[str, Stage] = {}
    for stage in derivation.stages:
        if stage.statement.name not in folded:
            seen.setdefault(stage.statement.name, stage)
    return list(seen.values())


def _unfolded(tree: Expr, derivation: Derivation, style: Style) -> Expr:
    """A body with the folded intermediates written out, so that the target itself is seen in it."""
    folded = {s.child for s in derivation.stages if s.child != derivation.target}
    bodies: dict[str, Expr] = {}
    for name, (body, _) in style.statements.items():
        if name in folded:
            bodies[name] = _replaced(body, bodies)
    return _replaced(tree, bodies)


def _replaced(tree: Expr, bodies: Mapping[str, Expr]) -> Expr:
    match tree:
        case Name(id=name):
            return bodies.get(name, tree)
        case Binary(operator=op, left=a, right=b):
            return Binary(op, _replaced(a, bodies), _replaced(b, bodies))
        case Compare(operator=op, left=a, right=b):
            return Compare(op, _replaced(a, bodies), _replaced(b, bodies))
        case Negative(operand=a):
            return Negative(_replaced(a, bodies))
        case Transpose(operand=a, batched=batched):
            return Transpose(_replaced(a, bodies), batched)
        case Call(name=name, arguments=arguments, keywords=keywords):
            return Call(name, tuple(_replaced(a, bodies) for a in arguments), keywords)
    return tree


def _entries(shape: FullShape, sizes: Mapping[str, int]) -> list[tuple[int, ...]]:
    out: list[tuple[int, ...]] = [()]
    for d in shape:
        if d == ONE:
            continue
        n = d.number if d.number is not None else _size(d, sizes)
        out = [(*e, k) for e in out for k in range(n)]
    return out


def _size(d: Dim, sizes: Mapping[str, int]) -> int:
    return sum(c * _product(m, sizes) for m, c in d.terms)


def _product(monomial, sizes: Mapping[str, int]) -> int:
    out = 1
    for symbol, power in monomial:
        out *= sizes[symbol] ** power
    return out


def _names(tree: Expr) -> set[str]:
    stack, found = [tree], set()
    while stack:
        t = stack.pop()
        if isinstance(t, Name):
            found.add(t.id)
        elif isinstance(t, Binary | Compare):
            stack += [t.left, t.right]
        elif isinstance(t, Negative | Transpose):
            stack.append(t.operand)
        elif isinstance(t, Call):
            stack += t.arguments
    return found


def _and(names: list[str]) -> str:
    if len(names) <= 1:
        return names[0] if names else ""
    return ", ".join(names[:-1]) + " and through " + names[-1]
