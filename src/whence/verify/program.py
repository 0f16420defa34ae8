"""A formula as a list of instructions on registers: compiled once at given sizes, run over either arithmetic.

Equal subexpressions share a register, so an answer that repeats parts of the forward text costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from typing import Any

from whence.ops.entry import Op
from whence.ops.table import TABLE
from whence.read.syntax import (
    Binary,
    Call,
    Compare,
    Expr,
    Function,
    Index,
    Name,
    Negative,
    Number,
    Range,
    Text,
    Transpose,
    Tuple,
)
from whence.verify import algebra, matrices, steps
from whence.verify.algebra import Array, Ring, constant
from whence.verify.failures import Misfit, NotExact
from whence.verify.numeric import NumericRing
from whence.verify.routines import ATOMS, CONSTANTS, ROUTINES, Routine
from whence.verify.steps import Step
from whence.verify.texts import default_axis, parameters, parsed

PRIME = "_prime"
MAX_DERIVATIVE = 3


@dataclass
class Program:
    """Instructions (function, argument registers); the registers of named arrays come first or in between."""

    code: list[tuple[Step | None, tuple[int, ...]]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    rational: bool = True  # no atoms: exact arithmetic alone decides
    masked: bool = False  # signs, comparisons, extremes: the value has pieces

    def run(self, ring: Ring, registers: list[Array | None], which: Iterable[int]) -> None:
        """Fill the registers `which`, in order; those of inputs must be filled already."""
        code = self.code
        for k in which:
            step, arguments = code[k]
            if step is not None:
                registers[k] = step(ring, *[registers[a] for a in arguments])


class Compiler:
    """Adds formulas to a program.

    `sizes`: the values of the dimension symbols; `indices` gives those of index names, asked for once one turns up.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        functions: tuple[str, ...] = (),
        axis: Any = None,
        indices: Callable[[], Mapping[str, int]] = dict,
        defined: Mapping[str, Function] | None = None,
    ) -> None:
        self.sizes = sizes
        self._find_indices = indices
        self.functions = {name: k for k, name in enumerate(functions)}
        self.defined = defined or {}
        self._parameters: dict[str, int] = {}  # of the defined function whose body is being added
        self._open: list[str] = []  # the defined functions whose bodies are being added
        self.axis = axis
        self.strict = False  # a range down to one entry asks for other sizes
        self.program = Program()
        self._known: dict[Any, int] = {}
        self._fixed: dict[int, Fraction] = {}
        # Where thousands of formulas share their parts: the registers of parts that were added, by identity.
        self.seen: dict[int, tuple[Expr, int]] | None = None

    def copy(self) -> Compiler:
        """One with the same formulas; what is added to one is not in the other."""
        other = copy(self)
        program = self.program
        other.program = replace(program, code=list(program.code), names=dict(program.names))
        other._known, other._fixed = dict(self._known), dict(self._fixed)
        other._parameters, other._open = {}, []
        other.seen = None if self.seen is None else {}
        return other

    # ---- registers

    def input(self, name: str) -> int:
        """A register to be filled by the caller, under a name."""
        self.program.code.append((None, ()))
        register = self.program.names[name] = len(self.program.code) - 1
        return register

    def same(self, register: int) -> int:
        """A register of its own with the same value."""
        self.program.code.append((steps.itself, (register,)))
        return len(self.program.code) - 1

    def in_shape_of(self, register: int, other: int) -> int:
        """A register of its own with the value in the shape of another."""
        self.program.code.append((steps.in_shape_of, (register, other)))
        return len(self.program.code) - 1

    def _emit(self, key: Any, step: Step, arguments: tuple[int, ...]) -> int:
        whole = (key, arguments)
        register = self._known.get(whole)
        if register is None:
            self.program.code.append((step, arguments))
            register = self._known[whole] = len(self.program.code) - 1
        return register

    def _number(self, value: Fraction) -> int:
        register = self._emit(("number", value), partial(constant, value=value, literal=True), ())
        self._fixed[register] = value
        return register

    # ---- formulas

    def add(self, expression: Expr) -> int:
        """The register of a formula's value. Walks with a stack of its own, so depth costs nothing."""
        todo: list[tuple[Expr, int]] = [(expression, 0)]  # with the count of parts whose values are ready
        values: list[int] = []
        while todo:
            node, count = todo.pop()
            seen = None if self._parameters else self.seen
            if count:
                arguments = tuple(values[-count:])
                del values[-count:]
                values.append(self._combined(node, arguments))
                if seen is not None:
                    seen[id(node)] = node, values[-1]
                continue
            if seen is not None and id(node) in seen:
                values.append(seen[id(node)][1])
                continue
            children = _children(node)
            if children:
                todo.append((node, len(children)))
                todo.extend([(child, 0) for child in reversed(children)])
            else:
                values.append(self._combined(node, ()))
        return values[0]

    def whole(self, node: Expr) -> int:
        """A whole number that is fixed by the sizes."""
        value = self._fixed.get(self.add(node))
        if value is None or value.denominator != 1 or abs(value) > 10**6:
            raise Misfit("a whole number is needed")
        return value.numerator

    def _combined(self, node: Expr, arguments: tuple[int, ...]) -> int:
        if isinstance(node, Number):
            return self._number(node.value)
        if isinstance(node, Name):
            return self._named(node.id)
        if isinstance(node, Binary):
            return self._binary(node.operator, arguments)
        if isinstance(node, Call):
            return self._call(node, arguments)
        if isinstance(node, Negative):
            return self._negative(arguments)
        if isinstance(node, Transpose):
            if arguments[0] in self._fixed:
                return arguments[0]
            return self._emit(("T", node.batched), partial(steps.transpose, node.batched), arguments)
        if isinstance(node, Compare):
            self.program.rational = False
            self.program.masked = True
            return self._emit(("compare", node.operator), steps.compare(node.operator), arguments)
        if isinstance(node, Index):
            return self._index(node, arguments)
        raise Misfit("a word in the wrong place")

    def _named(self, name: str) -> int:
        register = self._parameters.get(name, self.program.names.get(name))
        if register is not None:
            return register
        if name in self.sizes:
            return self._number(Fraction(self.sizes[name]))
        if name in CONSTANTS:
            return self._emit(("constant", name), CONSTANTS[name], ())
        index = self.indices.get(name)
        if index is None:
            raise Misfit(f"unknown name {name}")
        return self._number(Fraction(index))

    @cached_property
    def indices(self) -> Mapping[str, int]:
        return self._find_indices()

    def _negative(self, arguments: tuple[int, ...]) -> int:
        fixed = self._fixed.get(arguments[0])
        return self._number(-fixed) if fixed is not None else self._emit("-", steps.negative, arguments)

    def _binary(self, operator: str, arguments: tuple[int, ...]) -> int:
        left, right = (self._fixed.get(a) for a in arguments)
        if left is not None and right is not None:
            folded = _folded(operator, left, right)
            if folded is not None:
                return self._number(folded)
        if operator == "**":
            if right is None:
                self.program.rational = False
                return self._emit("**", algebra.general_power, arguments)
            if right.denominator != 1:
                self.program.rational = False
            return self._emit(("**", right), partial(steps.power, right), arguments[:1])
        step = steps.BINARY.get(operator)
        if step is None:
            raise Misfit(f"{operator} is not part of the language")
        return self._emit(operator, step, arguments)

    def _index(self, node: Index, arguments: tuple[int, ...]) -> int:
        places: list[int | tuple[int | None, int | None, bool]] = []
        for place in node.places:
            if isinstance(place, Range):
                bounds = [b for b in (place.low, place.high) if b is not None]
                drawn = not all(isinstance(b, Number) for b in bounds) or (place.low is not None and place.high is None)
                low, high = (None if b is None else self.whole(b) for b in (place.low, place.high))
                places.append((low, high, drawn and self.strict))
            else:
                places.append(self.whole(place))
        key = tuple(places)
        return self._emit(("index", key), partial(steps.indexed, key), arguments)

    # ---- functions

    def _call(self, node: Call, arguments: tuple[int, ...]) -> int:
        name = node.name
        keywords = dict(node.keywords)
        if set(keywords) - {"axis"}:
            raise Misfit(f"arguments of {name}")
        axis = self._static(keywords["axis"]) if "axis" in keywords else None
        if name in self.defined and not keywords:
            return self._body(self.defined[name], arguments)
        base, primes = name, 0
        while base.endswith(PRIME):
            base, primes = base.removesuffix(PRIME), primes + 1
        if base in self.functions and not keywords:
            return self._unknown(base, primes, arguments)
        routine = ROUTINES.get(name)
        if routine is not None:
            return self._routine(name, routine, node, axis)
        op = TABLE.get(name)
        if op is not None:
            return self._from_table(op, arguments, axis)
        op = TABLE.get(base)
        if op is not None and primes == 1 and len(arguments) == 1 and not keywords and op.kind == "elementwise":
            self.program.rational = False
            return self._emit(("prime", base), partial(_derivative, op), arguments)
        raise Misfit(f"unknown function {name}")

    def _body(self, function: Function, arguments: tuple[int, ...]) -> int:
        """The value of a function that the model defines: its body, with the argument under the parameter's name."""
        if len(arguments) != 1 or function.name in self._open:
            raise Misfit(f"arguments of {function.name}")
        outside, self._parameters = self._parameters, {function.parameter: arguments[0]}
        self._open.append(function.name)
        value = self.add(function.body)
        self._open.pop()
        self._parameters = outside
        return value

    def _static(self, node: Expr) -> Any:
        """An axis, or several; `axis=axis` in a text of the table is the caller's own."""
        if isinstance(node, Name) and node.id == "axis" and "axis" not in self.sizes:
            return self.axis
        if isinstance(node, Tuple):
            return tuple(self.whole(item) for item in node.items)
        return self.whole(node)

    def _unknown(self, name: str, primes: int, arguments: tuple[int, ...]) -> int:
        if primes > MAX_DERIVATIVE - 1 or len(arguments) != 1:
            raise Misfit(f"arguments of {name}")
        self.program.rational = False
        which = self.functions[name]
        return self._emit(("unknown", name, primes), partial(steps.unknown, which, primes), arguments)

    def _routine(self, name: str, routine: Routine, node: Call, axis: Any) -> int:
        kinds = routine.kinds(len(node.arguments))
        extra: list[Any] = []
        registers: list[int] = []
        for kind, argument in zip(kinds, node.arguments, strict=True):
            if kind == "A":
                registers.append(self.add(argument))
                continue
            extra.append(self._extra(kind, argument))
        if axis is not None and not routine.has_axis:
            raise Misfit(f"arguments of {name}")
        if _is_atomic(name):
            self.program.rational = False
            self.program.masked |= not _has_values_only(name)
        step = partial(steps.call_routine, routine.function, kinds, tuple(extra), axis, routine.has_axis)
        return self._emit((name, kinds, tuple(extra), axis), step, tuple(registers))

    def _extra(self, kind: str, argument: Expr) -> Any:
        if kind == "S":
            return self.whole(argument)
        if kind == "O" and isinstance(argument, Tuple):
            return tuple(self.whole(item) for item in argument.items)
        if kind == "L" and isinstance(argument, Text):
            return argument.value
        if kind == "N" and isinstance(argument, Name):
            return argument.id
        raise Misfit("an argument of another kind is needed")

    def _from_table(self, op: Op, arguments: tuple[int, ...], axis: Any) -> int:
        names = parameters(op.takes)
        if len(arguments) != len(names):
            raise Misfit(f"{op.name} takes {len(names)} arguments")
        if axis is not None and "ax" not in op.takes:
            raise Misfit(f"{op.name} has no axis")
        self.program.rational = False
        self.program.masked |= op.zero or bool(op.kink)
        text = op.exact or op.expands
        if text:
            step = partial(_by_text, text, names, axis, default_axis(op))
        elif op.kind == "elementwise" and len(names) == 1:
            step = partial(_elementwise, op)
        else:
            step = partial(_without_value, op)
        return self._emit((op.name, axis), step, arguments)


def _children(node: Expr) -> tuple[Expr, ...]:
    """The parts of a node that are arrays. Those of a routine are seen to when it is called."""
    if isinstance(node, (Name, Number)):
        return ()
    if isinstance(node, (Binary, Compare)):
        return node.left, node.right
    if isinstance(node, (Negative, Transpose, Index)):
        return (node.operand,)
    return node.arguments if isinstance(node, Call) and node.name not in ROUTINES else ()


@lru_cache(512)
def _is_atomic(name: str) -> bool:
    """Whether a routine is no rational function: it depends on the order of numbers, or has values only."""
    op = TABLE.get(name)
    return op is None or op.zero or bool(op.kink) or op.kind == "elementwise" or _has_values_only(name)


def _has_values_only(name: str) -> bool:
    return ROUTINES[name].function.__module__ == matrices.__name__


def _folded(operator: str, left: Fraction, right: Fraction) -> Fraction | None:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if operator == "/" and right:
        return left / right
    if operator == "**" and right.denominator == 1 and abs(right) <= 64 and (left or right > 0):
        return left**right.numerator
    return None


@lru_cache(1024)
def _text_program(text: str, names: tuple[str, ...], axis: Any) -> tuple[Program, int]:
    compiler = Compiler({}, axis=axis)
    for name in names:
        compiler.input(name)
    result = compiler.add(parsed(text))
    return compiler.program, result


def run_text(ring: Ring, text: str, names: tuple[str, ...], arrays: tuple[Array, ...], axis: Any = None) -> Array:
    """A text of the table at the given arrays."""
    program, result = _text_program(text, names, axis)
    registers: list[Array | None] = [*arrays, *[None] * (len(program.code) - len(arrays))]
    program.run(ring, registers, range(len(arrays), len(program.code)))
    value = registers[result]
    assert value is not None
    return value


def _by_text(text: str, names: tuple[str, ...], axis: Any, default: int | None, ring: Ring, *arrays: Array) -> Array:
    if axis is None and default is not None:
        if len(arrays[0].shape) > 2:
            raise Misfit("of a tensor the axis is needed")
        axis = default
    value = run_text(ring, text, names, arrays, axis)
    if ring.exact and len(arrays) == 1:
        _bound_by_slope(value, arrays[0])
    return value


def _bound_by_slope(value: Array, x: Array) -> None:
    """The change of f(x) is the slope times the change of x: its degree is that of x's change plus that of the slope.

    With f(x) = P/Q the slope is (P′Q - PQ′)/Q², and an atom's own slope has at most the degree of its argument, over
    one denominator for all entries. The arithmetic on the way may count a denominator again and again.
    """
    own = 2 * x.size * sum(x.rest) + 8
    top = x.top + 2 * sum(value.rest) + own
    bottom = x.bottom + 2 * value.rest[1] + own
    if top + bottom < value.top + value.bottom:
        value.top, value.bottom = top, bottom


def _without_value(op: Op, ring: Ring, *arrays: Array) -> Array:
    raise NotExact(f"{op.name} has no exact value")


# ---- elementwise functions that are atoms


def _slope(op: Op, ring: Ring, x: Array, y: Array) -> Array:
    """What stands beside δX in the entry's differential, as an array of the shape of x."""
    if op.zero:
        return constant(ring, 0, x.shape)
    if not op.differential:
        raise NotExact(f"{op.name} has no differential")
    one = constant(ring, 1, x.shape)
    name = parameters(op.takes)[0]
    return run_text(ring, op.differential, (name, "Y", "δ" + name), (x, y, one))


def _elementwise(op: Op, ring: Ring, x: Array) -> Array:
    base = at_rest(op, ring, algebra.still(x))
    return steps.chained(ring, x, base, partial(_slope, op, ring))


def at_rest(op: Op, ring: Any, x: Array) -> Array:
    """The value of an elementwise function, by the entry's own way to compute it."""
    own = ATOMS.get(op.name)
    if own is not None:
        return own(ring, x)
    if isinstance(ring, NumericRing):
        kind, _, primitive = op.value.partition(":")
        if kind != "mpmath":
            raise NotExact(f"{op.name} has no value")
        return ring.named(x, primitive)
    return ring.atoms(op.name, x, op.parity)


def _derivative(op: Op, ring: Any, x: Array) -> Array:
    """`sigmoid_prime` and the like: by the differential in exact arithmetic, by a quotient of values otherwise."""
    name = parameters(op.takes)[0]
    if isinstance(ring, NumericRing):
        return ring.quotient(x, lambda finer, at: _value_of(op, finer, at))
    value = _value_of(op, ring, x)
    if op.zero:
        return constant(ring, 0, x.shape)
    one = constant(ring, 1, x.shape)
    return run_text(ring, op.differential, (name, "Y", "δ" + name), (x, value, one))


def _value_of(op: Op, ring: Any, x: Array) -> Array:
    routine = ROUTINES.get(op.name)
    if routine is not None:
        return routine.function(ring, x)
    text = op.exact or op.expands
    return run_text(ring, text, parameters(op.takes), (x,)) if text else _elementwise(op, ring, x)
