"""A model's forward pass as a graph, and its backward pass as adjoint equations.

Each named intermediate is an opaque variable and its body is kept aside, so that cost is linear in depth. The
backward pass goes through the statements in reverse; at each intermediate the adjoint is simplified, recorded
as an equation and, where its name may be used, replaced by that name.

The forward graph is plain: a variable there has no facts beyond open ones (positive), because a derivative by a
symmetric matrix treats its entries as independent. Answers are rewritten with all facts and with the names of
the intermediates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from whence.diff.differential import change
from whence.diff.jacobian import coefficient_of
from whence.diff.reverse import adjoints
from whence.expr.build import Scope, build
from whence.expr.node import Factor, Node, identity, variable
from whence.expr.opaque import triangular_mask
from whence.expr.rewrite import Rewriter
from whence.expr.shifted import as_softmax, shift_of
from whence.expr.sums import add, make_sum, product, size, zero
from whence.expr.values import FullShape, Value, core
from whence.facts.declared import facts_of_assumptions, open_facts
from whence.facts.inferred import inherited
from whence.read.syntax import Expr, Function
from whence.shapes.dims import Dim

UPSTREAM = "υ"


@dataclass(frozen=True)
class Definition:
    """One statement: the name, its body in the forward graph, and the variable that stands for it."""

    name: str
    body: Value
    atom: Node
    expression: Expr


@dataclass(frozen=True)
class Forward:
    """The forward pass of a model."""

    inputs: dict[str, Value]
    definitions: tuple[Definition, ...]
    scope: Scope
    rewriter: Rewriter
    value_atoms: dict[str, Node]  # names as they stand in answers, with facts

    def atom(self, name: str) -> Node:
        """The forward variable of an input or an intermediate."""
        return self.scope.values[name].node

    def shape(self, name: str) -> FullShape:
        return self.scope.values[name].shape


def forward(
    statements: Iterable[tuple[str, Expr]],
    shapes: Mapping[str, FullShape],
    sizes: Iterable[str],
    assumptions: Mapping[str, Iterable[str]],
    functions: Iterable[str],
    defined: Mapping[str, Function],
    unnamed: Iterable[str] = (),
    hidden: Iterable[str] = (),
) -> Forward:
    """Build the forward graph. `shapes` are the inputs' full shapes, `sizes` the dimension symbols.

    Answers do not use the names of scalars in `unnamed`: the gradient of J = det(X) is det(X) * inv(X).T, not
    J * inv(X).T. Of those in `hidden`, which the user never wrote, they use none.
    """
    values: dict[str, Value] = {s: Value(size(Dim.parse(s)), ()) for s in sizes}
    leaves: dict[Node, Node] = {}
    value_atoms: dict[str, Node] = {}
    inputs: dict[str, Value] = {}
    for name, shape in shapes.items():
        tags = tuple(assumptions.get(name, ()))
        plain = variable(name, core(shape), open_facts(tags))
        known = variable(name, core(shape), facts_of_assumptions(tags, shape))
        values[name] = inputs[name] = Value(plain, shape)
        value_atoms[name] = known
        if known is not plain:
            leaves[plain] = known
    rewriter = Rewriter(leaves)
    shifts: dict[Node, Node] = {}  # what logsumexp(X) is called, so that exp(X - L) is known to be softmax(X)
    definitions = []
    scope = Scope(values, frozenset(functions), defined)
    for name, expression in statements:
        body = build(expression, scope)
        atom = variable(name, body.node.dims, body.node.facts & {"positive"})
        values[name] = Value(atom, body.shape) if body.groups is None else body  # composite: written out where used
        rewritten = rewriter(body.node)
        known = variable(name, body.node.dims, inherited(rewritten, rewriter))
        value_atoms[name] = known
        leaves[atom] = known
        if body.groups is None and name not in hidden and (body.node.rank or name not in unnamed):
            rewriter.name(rewritten, known)
            if shifts.keys() & rewritten.leaves:
                other = rewriter(as_softmax(rewritten, shifts))
                if other is not rewritten:
                    rewriter.name(other, known)
            if shift_of(rewritten):
                shifts[known] = rewritten
        definitions.append(Definition(name, body, atom, expression))
    return Forward(inputs, tuple(definitions), scope, rewriter, value_atoms)


@dataclass
class Equation:
    """One adjoint: the gradient by `of`, in the order in which the backward pass computes it."""

    of: str
    node: Node  # in answer form; may use the names of earlier adjoints
    contributions: list[tuple[str, Node]] = field(default_factory=list)  # (the later name it came through, its part)


@dataclass
class Backward:
    """The adjoint equations of one output, and the derivative by the wanted names."""

    equations: dict[str, Equation]
    symbols: dict[str, Node]


def backward(
    model: Forward,
    output: Node,
    seed: Node,
    wanted: Iterable[str],
    names: Mapping[str, str],
    simplify: Callable[[Node], Node],
    scale: Callable[[str], Node | None] = lambda name: None,
    rename: Callable[[Node], Node] | None = None,
) -> Backward:
    """Reverse mode over the statements.

    `names` maps an intermediate to the adjoint name that may stand for its gradient (empty: none is used).
    `scale`, in the course's convention, gives the number m by which the gradient by a name is larger than the
    derivative, None where it is not.
    """
    wanted = tuple(wanted)
    relevant = _relevant(model, wanted)
    targets = {model.atom(n) for n in relevant}
    rename = rename or model.rewriter
    parts: dict[str, list[tuple[str, Node]]] = {}
    result = Backward({}, {})

    def spread(source: str, node: Node, g: Node) -> None:
        for atom, part in adjoints(node, g, targets, rename).items():
            parts.setdefault(atom.name, []).append((source, part))

    spread("", output, seed)
    by_name = {d.name: d for d in model.definitions}
    for name in [*reversed(by_name), *model.inputs]:
        if name not in parts or name not in relevant:
            continue
        mine = parts.pop(name)
        dims = model.atom(name).dims
        g = simplify(rename(add([p for _, p in mine], dims)))
        larger = scale(name)
        shown = g if larger is None else simplify(product([(g, tuple(range(len(dims))), 1), (larger, (), 1)], dims))
        result.equations[name] = Equation(name, shown, mine)
        if name in model.inputs:
            continue
        onward = shown
        if name in names:
            onward = result.symbols[name] = variable(names[name], dims)
        if larger is not None:
            onward = product([(onward, tuple(range(len(dims))), 1), (larger, (), -1)], dims)
        body = by_name[name].body.node
        if body.leaves & targets:
            spread(name, body, onward)
    return result


def _relevant(model: Forward, wanted: tuple[str, ...]) -> set[str]:
    """The names through which a wanted name reaches the output."""
    relevant = set(wanted)
    for d in model.definitions:
        if any(leaf.name in relevant for leaf in d.body.node.leaves):
            relevant.add(d.name)
    return relevant


def derivative(
    model: Forward,
    output: Node,
    wrt: str,
    names: Mapping[str, str],
    simplify: Callable[[Node], Node],
    *,
    plain: bool = False,
) -> tuple[Node, Backward]:
    """The derivative of an output of any rank by one name: axes of the output first.

    In answer form, or `plain`: without facts and names, to be differentiated once more.
    """
    rename = (lambda n: n) if plain else model.rewriter
    atom = model.atom(wrt)
    if output.rank == 0:
        back = backward(model, output, make_sum([(1, ())], ()), (wrt,), names, simplify, rename=rename)
        equation = back.equations.get(wrt)
        return (equation.node if equation else zero(atom.dims)), back
    if not atom.dims:
        return simplify(rename(_by_number(model, output, atom))), Backward({}, {})
    upstream = variable(UPSTREAM, output.dims)
    own = tuple(range(output.rank))
    pairing = product([(output, own, 1), (upstream, own, 1)], ())
    back = backward(model, pairing, make_sum([(1, ())], ()), (wrt,), {}, lambda n: n, rename=lambda n: n)
    equation = back.equations.get(wrt)
    if equation is None:
        return zero(output.dims + atom.dims), back
    return simplify(rename(coefficient_of(equation.node, upstream))), back


def _by_number(model: Forward, output: Node, atom: Node) -> Node:
    """The derivative of an array by a number."""
    return change_of(model, output, {atom: make_sum([(1, ())], ())})


def change_of(model: Forward, output: Node, changes: Mapping[Node, Node]) -> Node:
    """The change of an array where some names change: forward mode over the statements."""
    marks = dict(changes)
    for d in model.definitions:
        if d.atom not in changes and d.body.node.leaves & marks.keys():
            marks[d.atom] = change(d.body.node, marks)
    return change(output, marks)


def tangent(node: Node, axis: int, x: Node) -> Node:
    """The projection of a gradient G on the tangents of orthogonal matrices X: G - X (XᵀG + GᵀX)/2.

    The inner product is the sum over all entries. Axes `axis` and the next are those of X.
    Source: Edelman, Arias & Smith (1998), The geometry of algorithms with orthogonality constraints, eq. 2.4.
    """
    own = tuple(range(node.rank))
    a, b, s, t = axis, axis + 1, 1000, 1001

    def at(row: int, column: int) -> Factor:
        return (node, (*own[:axis], row, column, *own[axis + 2 :]), 1)

    half = Fraction(-1, 2)
    along: list[Factor] = [(x, (a, t), 1), (x, (s, t), 1), at(s, b)]  # X XᵀG
    turned: list[Factor] = [(x, (a, t), 1), at(s, t), (x, (s, b), 1)]  # X GᵀX
    return make_sum([(1, [(node, own, 1)]), (half, along), (half, turned)], node.dims)


def projected(node: Node, axis: int, tags: Iterable[str]) -> Node:
    """The derivative by the free parameters of a structured matrix, whose axes are `axis` and the next.

    Symmetric: J + J.T - J * eye(n); diagonal: J * eye(n); lower triangular: tril(J). The inner product is the sum over
    free entries.
    Source: FORMAT of the problems; Petersen & Pedersen, The Matrix Cookbook (2012), sec. 2.8.
    """
    own = tuple(range(node.rank))
    delta = (identity(node.dims[axis]), (axis, axis + 1), 1)
    if "diagonal" in tags:
        return make_sum([(1, [(node, own, 1), delta])], node.dims)
    if {"symmetric", "pd", "psd"} & set(tags):
        turned = list(own)
        turned[axis], turned[axis + 1] = axis + 1, axis
        return make_sum(
            [(1, [(node, own, 1)]), (1, [(node, tuple(turned), 1)]), (-1, [(node, own, 1), delta])], node.dims
        )
    if "skew" in tags:
        turned = list(own)
        turned[axis], turned[axis + 1] = axis + 1, axis
        return make_sum([(1, [(node, own, 1)]), (-1, [(node, tuple(turned), 1)])], node.dims)
    if "lower" in tags:
        mask = (triangular_mask(*node.dims[axis : axis + 2]), (axis, axis + 1), 1)
        return make_sum([(1, [(node, own, 1), mask])], node.dims)
    return node
