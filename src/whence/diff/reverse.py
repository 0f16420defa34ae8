"""Reverse mode on the expression graph: what stands beside δX.

The change of a scalar is ⟨G, δN⟩ for every node N it passes through; G is the adjoint of N. Through a sum of
contractions G moves by taking one factor out of each term. Through a function it moves by the function's own
differential, a text in the language: the pairing ⟨G, δY⟩ is built with δX as one more variable, and what stands
beside that variable is its adjoint. So one mechanism serves everything.

Source: Magnus & Neudecker (2019), ch. 5 and 18; Giles (2008), Collected matrix derivative results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from whence.expr.build import Scope, apply, build, parsed
from whence.expr.node import FUNCTION, SUM, Coefficient, Factor, Node, function, identity, variable
from whence.expr.opaque import argument_value, letters, placeholders, word_of
from whence.expr.regroup import is_reshape, reshaped
from whence.expr.sums import add, integer, is_zero, make_sum, product
from whence.expr.values import Value
from whence.messages.errors import RuleError
from whence.ops.entry import Op
from whence.ops.table import lookup

Rewrite = Callable[[Node], Node]
FUNCTION_NAME = "F"  # what the entries' texts call a function that is named among the arguments


def adjoints(output: Node, seed: Node, targets: Iterable[Node], value_of: Rewrite = lambda n: n) -> dict[Node, Node]:
    """The adjoints of the target variables, given the adjoint `seed` of the output.

    `value_of` may rename values that stand in the result (a body by the name of its intermediate).
    A target on which the output does not depend has no entry.
    """
    wanted = frozenset(targets)
    found: dict[Node, list[Node]] = {output: [seed]}
    result: dict[Node, Node] = {}
    for node in _backwards(output, wanted):
        if node not in found:
            continue
        g = add(found.pop(node), node.dims)
        if node in wanted:
            result[node] = g
            continue
        if is_zero(g):
            continue
        flow = (
            _through_sum(node, g, wanted, value_of)
            if node.kind == SUM
            else _through_function(node, g, wanted, value_of)
        )
        for child, contribution in flow:
            found.setdefault(child, []).append(contribution)
    return result


def _backwards(output: Node, wanted: frozenset[Node]) -> list[Node]:
    """The nodes between output and targets, each after all that use it."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
            continue
        if node in seen or not (node.leaves & wanted):
            continue
        seen.add(node)
        stack.append((node, True))
        if node in wanted:
            continue
        children = node.arguments if node.kind == FUNCTION else [f for _, fs in node.terms for f, _, _ in fs]
        stack.extend((c, False) for c in reversed(children))
    return order[::-1]


def _through_sum(node: Node, g: Node, wanted: frozenset[Node], value_of: Rewrite) -> list[tuple[Node, Node]]:
    flow: dict[Node, list[tuple[Coefficient, list[Factor]]]] = {}
    own = tuple(range(node.rank))
    for c, factors in node.terms:
        for k, (f, idx, e) in enumerate(factors):
            if not (f.leaves & wanted):
                continue
            rest: list[Factor] = [(g, own, 1)]
            rest += [(value_of(h), ix, ex) for j, (h, ix, ex) in enumerate(factors) if j != k]
            if e != 1:
                rest.append((value_of(f), idx, integer(e - 1)))
            flow.setdefault(f, []).append((c * e, beside(rest, f, idx)))
    return [(f, make_sum(raw, f.dims)) for f, raw in flow.items()]


def beside(factors: list[Factor], f: Node, idx: tuple[int, ...]) -> list[Factor]:
    """Factors renamed so that the indices of f become the axes of the result; the others are summed."""
    names: dict[int, int] = {}
    out: list[Factor] = []
    for place, i in enumerate(idx):
        if i in names:
            out.append((identity(f.dims[place]), (names[i], place), 1))
        else:
            names[i] = place
    fresh = 1000
    for h, ix, e in factors:
        for i in ix:
            if i not in names:
                names[i] = fresh
                fresh += 1
        out.append((h, tuple([names[i] for i in ix]), e))
    return out


def _through_function(node: Node, g: Node, wanted: frozenset[Node], value_of: Rewrite) -> list[tuple[Node, Node]]:
    if node.parameters == ("unknown",):
        if node.name.endswith("_prime_prime"):
            raise RuleError("outside-format", found=node.name + "_prime")
        derivative = value_of(
            function(node.name + "_prime", node.arguments, node.dims, node.parameters, node.facts & {"symmetric"})
        )
        own = tuple(range(node.rank))
        return [(node.arguments[0], product([(g, own, 1), (derivative, own, 1)], node.dims))]
    if is_reshape(node):
        (argument,) = node.arguments
        return [(argument, reshaped(argument_value(node, g), *argument.dims).node)]
    op = lookup(node.name)
    if op is None:
        raise RuleError("no-rule", found=node.name)
    if op.zero:
        return []
    names = placeholders(op, len(node.arguments))
    moving = [k for k, a in enumerate(node.arguments) if a.leaves & wanted]
    refuse_without_rule(op, [names[k] for k in moving])
    named = lookup(word_of(node))
    if named is not None and named.forward:
        return _by_spelled_out(named, node, g, wanted, value_of)
    if len(moving) == 1 and names[moving[0]] in op.adjoints:
        return _by_adjoint(op, node, g, moving[0], value_of)
    if not op.differential:
        raise RuleError("no-rule", found=node.name)
    return _by_differential(op, node, g, wanted, value_of)


def _by_adjoint(op: Op, node: Node, g: Node, place: int, value_of: Rewrite) -> list[tuple[Node, Node]]:
    """A map that is linear in this argument: the entry says what stands beside the change of that."""
    values = [argument_value(node, value_of(a)) for a in node.arguments]
    names = dict(zip(placeholders(op, len(values)), values, strict=True)) | {"G": argument_value(node, g)}
    text = op.adjoints[placeholders(op, len(values))[place]]
    scope = Scope({}, locals=names, sizes=letters(op, values), words={FUNCTION_NAME: word_of(node)})
    return [(node.arguments[place], build(parsed(text), scope).node)]


def _by_spelled_out(f: Op, node: Node, g: Node, wanted: frozenset[Node], value_of: Rewrite) -> list[tuple[Node, Node]]:
    """A derivative in a direction that has a word of its own going forward, by the differential of its function."""
    x, e = (argument_value(node, value_of(a)) for a in node.arguments)
    mark = variable("δX", e.node.dims)
    names = {"X": x, "Y": apply(f, [x]), "δX": Value(mark, e.shape)}
    change = build(parsed(f.differential), Scope({}, locals=names))
    own = tuple(range(node.rank))
    pairing = product([(g, own, 1), (change.node, own, 1)], ())
    found = adjoints(pairing, make_sum([(1, ())], ()), [mark])
    return [(node.arguments[-1], part) for part in found.values()]


def refuse_without_rule(op: Op, changed: Iterable[str]) -> None:
    """Raises RuleError where the entry says that one of these arguments has no rule."""
    for name in changed:
        if name in op.no_rule:
            raise RuleError("outside-format", found=f"the change of {op.name}: {op.no_rule[name]}")


def differential_text(op: Op, node: Node) -> str:
    """The entry's differential for this use of it: of the whole, along one axis, or along several."""
    axis = node.parameters[0] if node.parameters else None
    if node.parameters and op.differential_whole and axis is None and node.arguments[0].rank > 1:
        return op.differential_whole
    if axis is not None and len(axis) > 1 and op.differential_several:
        return op.differential_several
    return op.differential


def _by_differential(
    op: Op, node: Node, g: Node, wanted: frozenset[Node], value_of: Rewrite
) -> list[tuple[Node, Node]]:
    names: dict[str, Value] = {"Y": argument_value(node, value_of(node))}
    marks: list[tuple[Node, Node]] = []
    for letter, argument in zip(placeholders(op, len(node.arguments)), node.arguments, strict=True):
        names[letter] = argument_value(node, value_of(argument))
        if argument.leaves & wanted:
            mark = variable("δ" + letter, argument.dims)
            marks.append((argument, mark))
            names["δ" + letter] = argument_value(node, mark)
        else:
            names["δ" + letter] = argument_value(node, make_sum([], argument.dims))
    axis = node.parameters[0] if node.parameters else None
    scope = Scope({}, axis=axis, locals=names, words={FUNCTION_NAME: word_of(node)})
    change = build(parsed(differential_text(op, node)), scope)
    own = tuple(range(node.rank))
    pairing = product([(g, own, 1), (change.node, own, 1)], ())
    one = make_sum([(1, ())], ())
    beside_marks = adjoints(pairing, one, [m for _, m in marks])
    return [(argument, beside_marks[m]) for argument, m in marks if m in beside_marks]
