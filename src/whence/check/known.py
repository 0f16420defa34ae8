"""What the model says of its own names: which is a function of which, and what their slopes are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from whence.check.reference import Reference
from whence.check.trees import ONE
from whence.ops.table import TABLE
from whence.read.substitute import substituted
from whence.read.syntax import Binary, Call, Expr, Name
from whence.read.vocabulary import PRIME
from whence.read.walk import names_in, walk
from whence.verify.texts import parameters, parsed


@dataclass(frozen=True)
class Activation:
    """A line A = f(Z), entry by entry or along an axis; `value` is A or the call itself."""

    value: Expr
    argument: Expr
    function: str
    call: Call
    entrywise: bool

    @property
    def slope(self) -> Expr:
        """f′ where it belongs."""
        return slope(self.function, self.argument, self.value)


@lru_cache(256)
def _slope_text(function: str) -> Expr | None:
    op = TABLE.get(function)
    if op is None or not op.differential:
        return None
    tree = parsed(op.differential)
    change = "δ" + parameters(op.takes)[0]
    if isinstance(tree, Binary) and tree.operator == "*" and tree.right == Name(change):
        return tree.left
    return substituted(tree, {change: ONE})


def slope(function: str, argument: Expr, value: Expr) -> Expr:
    """The derivative of an elementwise function at an argument, by its value where the table has it so."""
    text = _slope_text(function)
    if text is None:
        return Call(function + PRIME, (argument,))
    return substituted(text, {parameters(TABLE[function].takes)[0]: argument, "Y": value})


@lru_cache(1)
def one_argument_functions() -> tuple[str, ...]:
    """The known functions of one argument, entry by entry, that have a slope."""
    return tuple(n for n, op in TABLE.items() if op.kind == "elementwise" and op.takes == "X" and op.differential)


class Knowledge:
    """The relations between a model's names."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.bodies: dict[str, Expr] = {s.target: s.expression for s in reference.model.statements}

    @cached_property
    def activations(self) -> list[Activation]:
        """The calls of the lines and of the cost that have the shape of their argument."""
        out: list[Activation] = []
        seen: set[Expr] = set()
        for target, body in [*self.bodies.items(), ("", self.reference.problem.expression)]:
            for node in walk(body):
                if isinstance(node, Call) and node not in seen and self._keeps_shape(node):
                    seen.add(node)
                    value = Name(target) if node == body and target else node
                    out.append(Activation(value, node.arguments[0], node.name, node, self._entrywise(node.name)))
        return out

    def _keeps_shape(self, call: Call) -> bool:
        op = TABLE.get(call.name)
        if op is None:
            return len(call.arguments) == 1
        return op.gives == "X" and len(call.arguments) == 1 and op.takes[:1] == "X" and "[" not in op.takes

    def _entrywise(self, function: str) -> bool:
        op = TABLE.get(function)
        return op is None or op.kind == "elementwise"

    @cached_property
    def normalised(self) -> list[Activation]:
        """The calls whose values add up to one along an axis: probabilities."""
        return [
            a
            for a in self.activations
            if not a.entrywise and a.function in TABLE and "sums-to-1" in TABLE[a.function].facts
        ]

    def activation_of(self, one: str, other: str) -> Activation | None:
        """The line that makes one of these names of the other by a single function."""
        for a in self.activations:
            if {a.value, a.argument} == {Name(one), Name(other)}:
                return a
        return None

    def made_of(self, one: str, other: str) -> bool:
        """Is one of these names made of the other alone, with numbers?"""
        for target, source in ((one, other), (other, one)):
            body = self.bodies.get(target)
            if body is not None:
                used = {
                    n for n in names_in(body) if n in self.reference.engine.shapes and self.reference.engine.shapes[n]
                }
                if used == {source}:
                    return True
        return False

    @cached_property
    def recurrent(self) -> bool:
        """Does an input stand in two lines of the same form, as the weights of a recurrence do?"""
        uses: dict[str, int] = {}
        for body in self.bodies.values():
            for name in names_in(body):
                shape = self.reference.engine.inputs.get(name, ())
                if len(shape) == 2 and str(shape[1]) != "1" and str(shape[0]) != "1":
                    uses[name] = uses.get(name, 0) + 1
        return any(count > 1 for count in uses.values())

    @cached_property
    def pieces(self) -> list[Expr]:
        """Parts of the model's formulas that a person may have left out, short ones first."""
        found: dict[Expr, None] = {}
        for body in [*self.bodies.values(), self.reference.problem.expression]:
            for node in walk(body):
                if isinstance(node, Call | Binary) and len(list(walk(node))) <= 6:
                    found[node] = None
        return sorted(found, key=lambda n: len(list(walk(n))))[:24]


def family(name: str) -> tuple[str, str]:
    """A name as its letters and its number: W12 is W, 12.

    >>> family("dZ2"), family("X")
    (('dZ', '2'), ('X', ''))
    """
    letters = name.rstrip("0123456789")
    return letters, name[len(letters) :]
