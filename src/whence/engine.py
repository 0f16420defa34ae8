"""From a model and a question to a verified answer: the one way through all rooms that every door uses.

Derive, choose the form, print, read the print back, verify it by the independent judge. What fails the judge is
never returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from whence.diff.model import Backward, Forward, derivative, forward, projected, tangent
from whence.direction import in_direction
from whence.expr.build import Scope, build
from whence.expr.canonical import canonical
from whence.expr.node import VARIABLE, Node, variable
from whence.expr.sums import transpose
from whence.expr.values import ONE, FullShape, Value, axis_names, together
from whence.form.choose import Chooser
from whence.messages.errors import LimitError, RefusedError, RuleError, WhenceError
from whence.notation import out
from whence.notation.kronecker import Arrangement, matrix_of, stacked_columns
from whence.notation.pieces import NotMatrix
from whence.notation.printer import Printer
from whence.notation.uses import speaks_of_means, uses_index_sum
from whence.read.canonical import to_text
from whence.read.parser import parse_printed
from whence.read.problem import Problem
from whence.read.syntax import Expr, Index, Model, Name, Range, Transpose
from whence.read.walk import names_in, walk
from whence.shapes.infer import ShapeTable, infer
from whence.shapes.words import claim_shape
from whence.verify.claim import Check, Claim
from whence.verify.judge import check

MAX_ORDER = 4
UNPRINTABLE = 10**6


@dataclass(frozen=True)
class Answer:
    """A verified formula. `adjoints` are the names it may use: name -> (of, formula), in order."""

    formula: str
    tree: Expr
    node: Node
    shape: FullShape
    layout: str
    closed_form: bool
    check: Check
    prove: Callable[[], bool] = field(repr=False, compare=False)
    adjoints: dict[str, tuple[str, Expr]] = field(default_factory=dict)

    @cached_property
    def proved(self) -> bool:
        """Is the formula proved for all sizes? Found when asked, since only the certificate says it."""
        return self.prove()

    @property
    def verified(self) -> str:
        return "exact" if self.check.exact else "numeric"


class Engine:
    """Derives and verifies over one model."""

    def __init__(
        self,
        model: Model,
        adjoint_names: Mapping[str, str] | None = None,
        table: ShapeTable | None = None,
        unnamed: Iterable[str] = (),
        hidden: Iterable[str] = (),
        asked: Iterable[Expr] = (),
    ) -> None:
        self.model = model
        self.adjoint_names = dict(adjoint_names or {})  # of -> name
        self.table = table or infer(model)
        targets = set(model.targets)
        self.shapes: dict[str, FullShape] = {row.name: row.shape for row in self.table.rows}
        self.inputs = {n: s for n, s in self.shapes.items() if n not in targets}
        self.forward: Forward = forward(
            [(s.target, s.expression) for s in model.statements],
            self.inputs,
            self.table.dims,
            model.assumptions,
            model.functions,
            model.defined,
            unnamed=unnamed,
            hidden=hidden,
        )
        printed_shapes = {
            **self.shapes,
            **{a: self.shapes[of] for of, a in self.adjoint_names.items() if of in self.shapes},
        }
        names = [*self.inputs, *model.targets, *self.adjoint_names.values()]
        self.printer = Printer(
            printed_shapes,
            {n: k for k, n in enumerate(names)},
            upstream=frozenset(self.adjoint_names.values()),
            inputs=len(self.inputs),
            means=speaks_of_means([*asked, *(s.expression for s in model.statements)]),
        )
        self.chooser = Chooser(self.length, self.forward.rewriter, means=self.printer.means)
        self.arrangement: Arrangement | None = None
        self.names = (*printed_shapes, *self.table.dims)

    def length(self, node: Node) -> int:
        """How many tokens the node takes when printed."""
        arrangement = self.arrangement
        if arrangement is not None and node.rank > 2 and node.rank == len(arrangement.rows) + len(arrangement.columns):
            try:
                return matrix_of(self.printer, node, arrangement).length
            except NotMatrix:
                return self._plain_length(node) + UNPRINTABLE // 2
        return self._plain_length(node)

    def _plain_length(self, node: Node) -> int:
        try:
            return self.printer.forms(node)[0].length
        except NotMatrix:
            return UNPRINTABLE

    # ------------------------------------------------------------ derivation
    def derive(
        self,
        expression: Expr,
        wrt: tuple[str, ...],
        *,
        structured: bool = False,
        use_adjoints: bool = True,
        turned: bool = False,
        stacked: bool = False,
    ) -> Answer:
        """The verified derivative of an expression by one name, or by several in order.

        `turned`: the transpose of it, as other layouts write it; `stacked`: the matrix d vec(F) / d vec(X).T. Both
        are without adjoint names. Raises RuleError for what has no rule, LimitError beyond the highest order,
        RefusedError where no verified answer can be given.
        """
        if len(wrt) > MAX_ORDER:
            raise LimitError("order-too-high", found=str(len(wrt)), limit=MAX_ORDER)
        if any(self.forward.scope.values[w].groups is not None for w in wrt if w in self.forward.scope.values):
            raise RuleError("outside-scope", found="the derivative by a matrix with composite axes")
        if len(wrt) > 2:
            return self._of_higher_order(expression, wrt, structured, stacked)
        try:
            return self._derived(expression, wrt, structured, use_adjoints, turned, stacked)
        except RuleError as error:
            if error.code == "outside-format" and len(wrt) == 1 and not structured:
                with suppress(WhenceError):  # then there is nothing more to say than the error itself
                    error.extended = in_direction(self, expression, wrt[0])
            raise

    def _derived(
        self, expression: Expr, wrt: tuple[str, ...], structured: bool, use_adjoints: bool, turned: bool, stacked: bool
    ) -> Answer:
        self.table.shape_of(expression)
        output = build(expression, self.forward.scope)
        in_layout_vec = self._arrange(output, wrt, stacked)
        itself = expression.id if isinstance(expression, Name) else ""
        node, back = self._node(output.node, wrt, use_adjoints and not turned and not stacked, itself)
        if structured:
            node = self._structured(node, output, wrt)
        shape = self._shape(output, wrt, node)
        if stacked and node.rank <= 2:
            return self._stacked(expression, wrt, node, output, structured)
        if self.arrangement is not None and not turned:
            arranged = self._arranged(node, shape)
            if arranged is not None:
                node, tree = arranged
                layout = "vec" if in_layout_vec else "matrix"
                return self.verified(expression, wrt, node, shape, tree, {}, structured, None, layout)
            if output.groups is not None:
                tree = self._reshaped(node, [output.shape, *(self.shapes[w] for w in wrt)])
                return self.verified(expression, wrt, node, shape, tree, {}, structured)
        if turned:
            if node.rank > 2:
                raise RuleError("outside-scope", found="another layout of an array of more than two axes")
            shape = shape[::-1]
            node = transpose(node, (1, 0)) if node.rank == 2 else node
        tree = self.printed(node, shape)
        adjoints = self.adjoints_used(tree, back)
        claimed = Transpose if turned else None
        return self.verified(expression, wrt, node, shape, tree, adjoints, structured, claimed)

    def _of_higher_order(self, expression: Expr, wrt: tuple[str, ...], structured: bool, stacked: bool) -> Answer:
        """The derivative of the verified first derivative: each step is checked by itself."""
        first = self.derive(expression, wrt[:1], structured=structured, use_adjoints=False)
        if first.layout != "matrix" or first.node.rank > 2:
            raise RuleError("outside-format", found=f"derivatives of order {len(wrt)} of arrays of more than two axes")
        return self.derive(first.tree, wrt[1:], structured=structured, use_adjoints=False, stacked=stacked)

    def _stacked(
        self, expression: Expr, wrt: tuple[str, ...], node: Node, output: Value, structured: bool
    ) -> Answer:
        """A derivative of at most two axes in the layout vec."""
        assert self.arrangement is not None
        rows, columns = self.arrangement.rows, self.arrangement.columns
        if rows and columns:
            node = transpose(node, (*rows, *columns))
            tree = self.printed(node, (*node.dims,))
        else:
            forms = self.printer.forms(node)
            column = stacked_columns(forms[0]) if node.rank == 2 else forms[0]
            tree = (column if rows or not columns else out.transpose(column)).tree
        shape = self._shape(output, wrt, node)
        return self.verified(expression, wrt, node, shape, tree, {}, structured, None, "vec")

    def _arranged(self, node: Node, shape: FullShape) -> tuple[Node, Expr] | None:
        """The derivative as one matrix of Kronecker products, or an index sum; None where it has a plainer form."""
        assert self.arrangement is not None
        rows, columns = self.arrangement.rows, self.arrangement.columns
        try:
            whole = matrix_of(self.printer, node, self.arrangement)
        except NotMatrix:
            return None
        row = len(shape) == 2 and shape[0] == ONE and shape[1] != ONE and not columns
        return transpose(node, (*rows, *columns)), Transpose(whole.tree) if row else whole.tree

    def _node(self, output: Node, wrt: tuple[str, ...], use_adjoints: bool, itself: str) -> tuple[Node, Backward]:
        """`itself` is the name of the output, whose adjoint is one and stands in no answer."""
        if len(wrt) == 1:
            names = {of: name for of, name in self.adjoint_names.items() if of != itself} if use_adjoints else {}
            return derivative(self.forward, output, wrt[0], names, self.chooser.nicest)
        first, back = derivative(self.forward, output, wrt[0], {}, lambda n: n, plain=True)
        back.equations.clear()
        node, _ = derivative(self.forward, first, wrt[1], {}, self.chooser.nicest)
        return node, back

    def _arrange(self, output: Value, wrt: tuple[str, ...], stacked: bool = False) -> bool:
        """Fix how an array of more than two axes is written as a matrix; True: in the layout vec."""
        parts = [output.parts, *(self.forward.scope.values[w].parts for w in wrt)]
        self.arrangement = None
        if any(len(p) > 2 for p in parts):
            if stacked:
                raise RuleError("outside-scope", found="the layout vec of a tensor")
            return False
        names: list[list[tuple[int, ...]]] = []
        start = 0
        for block in parts:
            names.append([tuple(i + start for i in axis) for axis in axis_names(block)])
            start += sum(map(len, block))
        axes = [axis for block in names for axis in block if axis]
        if len(axes) <= 2 and not stacked:
            if any(len(axis) > 1 for axis in axes):
                self.arrangement = Arrangement(axes[0], axes[1] if len(axes) > 1 else ())
            return False
        rows = [i for block in reversed(names[:-1]) for axis in reversed(block) for i in axis]
        columns = [i for axis in reversed(names[-1]) for i in axis]
        self.arrangement = Arrangement(tuple(rows), tuple(columns))
        return True

    def _structured(self, node: Node, output: Value, wrt: tuple[str, ...]) -> Node:
        axis = output.node.rank
        for name in wrt:
            rank = self.forward.atom(name).rank
            tags = self.model.assumptions.get(name, ())
            if rank == 2 and "orthogonal" in tags:
                node = self._on_tangents(node, axis, name, output, wrt)
            elif rank == 2:
                node = projected(node, axis, tags)
            axis += rank
        return self.chooser.nicest(self.forward.rewriter(node))

    def _on_tangents(self, node: Node, axis: int, name: str, output: Value, wrt: tuple[str, ...]) -> Node:
        if output.node.rank or len(wrt) > 1:
            raise RuleError("outside-scope", found="a Jacobian or second derivative by an orthogonal matrix")
        rows, columns = self.shapes[name]
        if rows != columns:
            raise RuleError("outside-scope", found="the tangents of a matrix that may be tall or wide")
        return tangent(node, axis, self.forward.atom(name))

    def _shape(self, output: Value, wrt: tuple[str, ...], node: Node) -> FullShape:
        """The full shape that the table of layouts asks for."""
        blocks = [s for s in (output.shape, *(self.shapes[w] for w in wrt)) if any(d != ONE for d in s)]
        if not blocks:
            return ()
        if len(blocks) == 1:
            return blocks[0]
        return (*node.dims, ONE) if node.rank == 1 else node.dims

    def _reshaped(self, node: Node, blocks: Iterable[FullShape]) -> Expr:
        """An index sum over all axes, read as the array in which composite axes are one."""
        sizes = [d for block in blocks for d in block if d != ONE]
        try:
            return self.printer.reshaped(node, sizes).tree
        except NotMatrix as e:
            raise RuleError("outside-format", found="an array of more than two axes inside a function") from e

    def printed(self, node: Node, shape: FullShape, printer: Printer | None = None) -> Expr:
        try:
            return (printer or self.printer).shaped(node, shape).tree
        except NotMatrix as e:
            raise RuleError("outside-format", found="an array of more than two axes inside a function") from e

    # ------------------------------------------------------------ verification
    def adjoints_used(self, tree: Expr, back: Backward) -> dict[str, tuple[str, Expr]]:
        """The adjoint names that a formula uses, those they use in turn first."""
        found: dict[str, tuple[str, Expr]] = {}
        open_names = names_in(tree) & set(self.adjoint_names.values())
        for of, equation in reversed(back.equations.items()):
            name = self.adjoint_names.get(of)
            if name in open_names:
                formula = self.printed(equation.node, self.shapes[of])
                found[name] = (of, formula)
                open_names |= names_in(formula) & set(self.adjoint_names.values())
        return dict(reversed(found.items()))

    def verified(
        self,
        expression: Expr,
        wrt: tuple[str, ...],
        node: Node,
        shape: FullShape,
        tree: Expr,
        adjoints: dict[str, tuple[str, Expr]],
        structured: bool = False,
        claimed: Callable[[Expr], Expr] | None = None,
        layout: str = "matrix",
    ) -> Answer:
        """The answer if the independent judge accepts what is printed. Raises RefusedError else.

        `claimed` makes of the formula what is the derivative of the expression in the gradient layout.
        """
        text = to_text(tree)
        if len(text) > 1_000_000:
            raise LimitError("output-too-long", found=f"{len(text):,} characters", expected="1,000,000")
        again = self.read_back(text)
        claim = Claim(
            variables={n: claim_shape(s) for n, s in self.inputs.items()},
            assume=dict(self.model.assumptions),
            functions=tuple(self.model.functions),
            definitions=tuple((s.target, s.expression) for s in self.model.statements),
            expression=expression,
            wrt=wrt,
            answer=again if claimed is None else claimed(again),
            adjoints={n: (of, self.read_back(to_text(t))) for n, (of, t) in adjoints.items()},
            layout=layout,
            structured=structured,
            defined=self.model.defined,
        )
        found = check(claim)
        if not found.ok:
            raise RefusedError("not-verified", found=found.reason)
        closed = not uses_indices(again) or self._model_uses_indices(expression)
        if uses_index_sum(again):
            closed = False
        prove = partial(self.proves, again, node, self.arrangement)
        return Answer(text, again, node, shape, layout, closed, found, prove, adjoints)

    def read_back(self, text: str) -> Expr:
        """A printed formula, read by the reader as any other."""
        return parse_printed(text, functions=self.model.functions, names=self.names)

    def proves(self, tree: Expr, node: Node, arrangement: Arrangement | None) -> bool:
        """Does the printed formula, built anew, have the canonical form of what was derived? Then for all sizes."""
        values = {n: Value(self.forward.value_atoms[n], s) for n, s in self.shapes.items()}
        for of, name in self.adjoint_names.items():
            values[name] = Value(variable(name, self.forward.value_atoms[of].dims), self.shapes[of])
        for size in self.table.dims:
            values[size] = self.forward.scope.values[size]
        try:
            built = build(tree, Scope(values, frozenset(self.model.functions), self.model.defined))
            if arrangement is not None and built.node.rank != node.rank:  # eye(n*m) for eye(n) and eye(m)
                rows = len(arrangement.rows)
                built = together([built, Value(node, built.shape, (node.dims[:rows], node.dims[rows:]))])[0][0]
            return canonical(self.forward.rewriter(built.node)) is canonical(self.forward.rewriter(node))
        except WhenceError:
            return False

    def symbol(self, of: str) -> Node:
        """The variable that stands for an adjoint."""
        return variable(self.adjoint_names[of], self.forward.atom(of).dims)

    def facts_of(self, node: Node) -> frozenset[str]:
        """What is known of a node of the forward graph or of an answer."""
        known = self.forward.value_atoms.get(node.name) if node.kind == VARIABLE else None
        return known.facts if known is not None else node.facts

    def step_printer(self) -> Printer:
        """A printer that also knows how small changes stand: δb as b, and last in a product."""
        changes = {"δ" + n: s for n, s in self.shapes.items()}
        return replace(self.printer, shapes={**self.printer.shapes, **changes}, last=frozenset(changes), _memo={})

    def _model_uses_indices(self, expression: Expr) -> bool:
        return any(uses_indices(e) for e in (expression, *(s.expression for s in self.model.statements)))


def solve_problem(problem: Problem) -> Answer:
    """The verified answer of one problem of a batch."""
    engine = Engine(problem.model, {of: name for name, of in problem.adjoints.items()}, asked=(problem.expression,))
    return engine.derive(problem.expression, problem.wrt, structured=problem.structured)


def uses_indices(tree: Expr) -> bool:
    """Does a formula pick entries by an index? (A range is none.)"""
    return any(isinstance(n, Index) and any(not isinstance(p, Range) for p in n.places) for n in walk(tree))
