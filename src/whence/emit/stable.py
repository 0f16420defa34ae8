"""Forms that lose no digits and do not overflow, as the entries of the table state them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from whence.emit.graph import Factor, Graph, Node, Term, factors_of
from whence.expr.build import parsed
from whence.ops.entry import Op
from whence.ops.table import TABLE
from whence.read.syntax import Binary, Call, Expr, Name, Number
from whence.read.walk import walk

if TYPE_CHECKING:
    from whence.emit.lower import Lowering


def simplified_call(low: Lowering, op: Op, arguments: Sequence[Node]) -> Node | None:
    """The stable form of a function of another one's value; None where the entry states none for it."""
    for pattern, form in op.stable:
        if low.steady and _in_other_words(parsed(form)) and not _in_other_words(parsed(pattern)):
            continue  # the form would be written out as what stands here
        found = _match(parsed(pattern), arguments[0])
        if found is not None:
            node, axis = found
            return low.text(form, {"X": node}, axis)
    if op.reflected and len(arguments) == 1:
        c, factors = factors_of(arguments[0])
        if c < 0 and arguments[0] not in low.graph.named:
            inner = low.graph.multiply(-c, factors, arguments[0].shape)
            return low.text(op.reflected, {"X": inner}) if _occurs(low.graph, op, inner) else None
    return None


def _in_other_words(tree: Expr) -> bool:
    """Does it call a function that a back end without a text for it writes in other words?"""
    return any(isinstance(n, Call) and bool(TABLE[n.name].steady) for n in walk(tree))


def _occurs(graph: Graph, op: Op, argument: Node) -> bool:
    return graph.find_call(op.name, argument) is not None


def _match(pattern: Expr, node: Node) -> tuple[Node, tuple[int, ...] | None] | None:
    """What X (and the axis) must be for the pattern to be the node."""
    match pattern:
        case Name(id="X"):
            return node, None
        case Binary(operator="+" | "-" as sign, left=Number(value=v), right=inner) if node.kind == "sum":
            terms = sorted(zip(node.data, node.inputs, strict=True), key=lambda t: t[1].kind != "number")
            if len(terms) == 2 and terms[0] == (v, terms[0][1]) and terms[0][1].kind == "number":
                return _match(inner, terms[1][1]) if terms[1][0] == (1 if sign == "+" else -1) else None
            return None
        case Call(name=name, arguments=(inner,), keywords=keywords) if node.kind == "call" and node.data[0] == name:
            found = _match(inner, node.inputs[0])
            return None if found is None else (found[0], node.data[1] if keywords else found[1])
    return None


def with_reflections(graph: Graph, terms: Iterable[Term]) -> list[Term]:
    """Y*(S - Z) + (1 - Y)*S as S - Y*Z, for a function whose reflection is itself and its argument.

    The products with such a function are multiplied out where that leaves fewer calls of it.
    """
    terms = list(terms)
    reflecting = [n for _, t in terms for n, _ in factors_of(t)[1] if _reflects(n)]
    if len(set(reflecting)) != 1 or len(reflecting) < 2 and not any(_contains(t, reflecting[0]) for _, t in terms):
        return terms
    out: list[Term] = []
    for c, term in terms:
        out += _multiplied_out(graph, c, term)
    return out


def _reflects(node: Node) -> bool:
    return node.kind == "call" and bool(TABLE[node.data[0]].reflected)


def _contains(term: Node, call: Node) -> bool:
    return any(n.kind == "sum" and call in n.inputs for n, _ in factors_of(term)[1])


def _multiplied_out(graph: Graph, c: Fraction, term: Node) -> list[Term]:
    k, factors = factors_of(term)
    done: list[tuple[Fraction, list[Factor]]] = [(c * k, [])]
    for node, e in factors:
        if node.kind == "sum" and e == 1 and node not in graph.named:
            done = [
                (a * d, [*fs, (n, Fraction(1))]) for a, fs in done for d, n in zip(node.data, node.inputs, strict=True)
            ]
        else:
            done = [(a, [*fs, (node, e)]) for a, fs in done]
    return [(a, graph.multiply(Fraction(1), fs, term.shape)) for a, fs in done]
