"""Forward mode: the change of a node as a formula linear in small changes of variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whence.diff.reverse import FUNCTION_NAME, differential_text, refuse_without_rule
from whence.expr.build import Scope, build, parsed
from whence.expr.node import FUNCTION, SUM, Coefficient, Factor, Node, function
from whence.expr.opaque import argument_value, placeholders, word_of
from whence.expr.regroup import is_reshape, reshaped
from whence.expr.sums import integer, is_zero, make_sum, product, zero
from whence.expr.values import Value
from whence.messages.errors import RuleError
from whence.ops.table import lookup

Rewrite = Callable[[Node], Node]


def change(node: Node, marks: Mapping[Node, Node], value_of: Rewrite = lambda n: n) -> Node:
    """δ(node), where `marks` gives for a variable the variable that stands for its small change.

    Zero where the node depends on none of them. Raises RuleError where a function has no rule.
    """
    if node in marks:
        return marks[node]
    if not (node.leaves & marks.keys()):
        return zero(node.dims)
    return _of_sum(node, marks, value_of) if node.kind == SUM else _of_function(node, marks, value_of)


def _of_sum(node: Node, marks: Mapping[Node, Node], value_of: Rewrite) -> Node:
    raw: list[tuple[Coefficient, list[Factor]]] = []
    for c, factors in node.terms:
        for k, (f, idx, e) in enumerate(factors):
            moved = change(f, marks, value_of)
            if is_zero(moved):
                continue
            rest = [(value_of(h), ix, ex) for j, (h, ix, ex) in enumerate(factors) if j != k]
            if e != 1:
                rest.append((value_of(f), idx, integer(e - 1)))
            raw.append((c * e, [*rest, (moved, idx, 1)]))
    return make_sum(raw, node.dims)


def _of_function(node: Node, marks: Mapping[Node, Node], value_of: Rewrite) -> Node:
    if node.kind != FUNCTION:
        raise RuleError("no-rule", found=node.name)
    own = tuple(range(node.rank))
    if node.parameters == ("unknown",):
        slope = value_of(
            function(node.name + "_prime", node.arguments, node.dims, node.parameters, node.facts & {"symmetric"})
        )
        return product([(slope, own, 1), (change(node.arguments[0], marks, value_of), own, 1)], node.dims)
    if is_reshape(node):
        moved = change(node.arguments[0], marks, value_of)
        return reshaped(argument_value(node, moved), *node.dims).node
    op = lookup(node.name)
    if op is None or not (op.differential or op.zero):
        raise RuleError("no-rule", found=node.name)
    if op.zero:
        return zero(node.dims)
    letters = placeholders(op, len(node.arguments))
    refuse_without_rule(op, [x for x, a in zip(letters, node.arguments, strict=True) if a.leaves & marks.keys()])
    names: dict[str, Value] = {"Y": argument_value(node, value_of(node))}
    for letter, argument in zip(letters, node.arguments, strict=True):
        names[letter] = argument_value(node, value_of(argument))
        names["δ" + letter] = argument_value(node, change(argument, marks, value_of))
    axis = node.parameters[0] if node.parameters else None
    scope = Scope({}, axis=axis, locals=names, words={FUNCTION_NAME: word_of(node)})
    return build(parsed(op.forward or differential_text(op, node)), scope).node
