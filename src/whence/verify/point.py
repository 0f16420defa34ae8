"""One point by value: numbers for all names of a model, at which any formula over them has its value.

What a lesson shows is computed here from the parsed text alone: the steps of a derivation are replayed, a toy example
gets its numbers, and a line that a learner typed is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from math import prod
from random import Random

from whence.read.syntax import Expr, Function, Shape
from whence.verify.algebra import Array
from whence.verify.draw import NumericEntries, draw, filled, small_enough
from whence.verify.failures import BadPoint, BadSizes, Failure
from whence.verify.numeric import ARITHMETIC_ERRORS, USUAL, NumericRing
from whence.verify.program import Compiler
from whence.verify.sizes import index_names, size_of

TRIES = 50
STEP = Decimal("1e-17")  # of difference quotients: about 30 of the 56 digits stay right
CLOSE = Decimal("1e-25")


class NoPoint(Exception):
    """No numbers were found at which the whole model has values."""


@dataclass(frozen=True)
class Setting:
    """What a point is a point of: the shapes of the inputs, the lines of the model, what is assumed of it."""

    inputs: Mapping[str, Shape]
    definitions: tuple[tuple[str, Expr], ...]
    assume: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    defined: Mapping[str, Function] = field(default_factory=dict)


@dataclass(frozen=True)
class Value:
    """An array as its shape and its entries, row by row."""

    shape: tuple[int, ...]
    entries: tuple[Decimal, ...]

    def at(self, *place: int) -> Decimal:
        """One entry; axes of length 1 may be left out."""
        full = list(place)
        if len(full) != len(self.shape):
            given = iter(place)
            full = [0 if n == 1 else next(given) for n in self.shape]
        k = 0
        for i, n in zip(full, self.shape, strict=True):
            k = k * n + i
        return self.entries[k]


class Point:
    """Values by decimal numbers of 56 digits.

    `given` are the entries of inputs, row by row; the others are drawn so that the assumptions hold. Raises NoPoint
    where the model has no value at the numbers that were tried.
    """

    def __init__(
        self,
        setting: Setting,
        sizes: Mapping[str, int],
        random: Random,
        given: Mapping[str, Sequence[Decimal]] | None = None,
    ) -> None:
        self.setting, self.sizes, self.random = setting, dict(sizes), random
        self.compiler = Compiler(dict(sizes), setting.functions, indices=self._indices, defined=setting.defined)
        self.ring = NumericRing(random, USUAL[1].digits)
        self.registers: list[Array | None] = []
        self.shapes: dict[str, tuple[int, ...]] = {}
        try:
            self._compile()
        except Failure as problem:
            raise NoPoint(str(problem)) from None
        self._find(given or {})

    def _compile(self) -> None:
        for name, declared in self.setting.inputs.items():
            self.compiler.input(name)
            shape = tuple(size_of(s, self.sizes) for s in declared)
            self.shapes[name] = (*shape, 1) if len(shape) == 1 else shape
        for name, expression in self.setting.definitions:
            self.compiler.program.names[name] = self.compiler.same(self.compiler.add(expression))

    def _indices(self) -> dict[str, int]:
        """Values for the index names of the model: different ones, as far as the smallest size allows."""
        taken = {*self.setting.inputs, *self.sizes, *(n for n, _ in self.setting.definitions)}
        found = dict.fromkeys(n for _, e in self.setting.definitions for n in index_names(e) if n not in taken)
        return {name: k % min(self.sizes.values(), default=1) for k, name in enumerate(found)}

    def _find(self, given: Mapping[str, Sequence[Decimal]]) -> None:
        program = self.compiler.program
        last: Exception | None = None
        for attempt in range(TRIES):
            entries = NumericEntries(self.random, attempt)
            self.registers = [None] * len(program.code)
            try:
                with localcontext(USUAL[1].context()):
                    for name, shape in self.shapes.items():
                        own = given.get(name)
                        x = draw(self.ring, entries, shape, self.setting.assume.get(name, ())) if own is None else None
                        self.registers[program.names[name]] = x or Array(shape, {0: list(own or ())})
                    open_registers = [k for k, x in enumerate(self.registers) if x is None]
                    program.run(self.ring, self.registers, open_registers)
                    for name, _ in self.setting.definitions:
                        found = self.registers[program.names[name]]
                        assert found is not None
                        small_enough(found)
                return
            except (BadPoint, BadSizes, *ARITHMETIC_ERRORS) as problem:
                last = problem
                if len(given) == len(self.shapes):
                    break
            except Failure as problem:
                raise NoPoint(str(problem)) from None
        raise NoPoint(str(last))

    def let(self, name: str, shape: tuple[int, ...], entries: Sequence[Decimal] | None = None) -> None:
        """One more name: with these entries, row by row, or with random ones."""
        register = self.compiler.input(name)
        self.registers += [None] * (len(self.compiler.program.code) - len(self.registers))
        if entries is None:
            with localcontext(USUAL[1].context()):
                self.registers[register] = filled(NumericEntries(self.random).nonzero, shape)
        else:
            self.registers[register] = Array(shape, {0: list(entries)})

    def value(self, expression: Expr) -> Value:
        """The value of a formula over all names. Raises NoPoint where it has none."""
        start = len(self.registers)
        try:
            register = self.compiler.add(expression)
            code = self.compiler.program.code
            self.registers += [None] * (len(code) - start)
            with localcontext(USUAL[1].context()):
                for k in range(start, len(code)):
                    # What had no value in an earlier formula has none in this one either.
                    if any(self.registers[a] is None for a in code[k][1]):
                        raise NoPoint("a part has no value")
                    self.compiler.program.run(self.ring, self.registers, (k,))
            found = self.registers[register]
            if found is None:
                raise NoPoint("it has no value")
            return Value(found.shape, tuple(found.parts[0]))
        except (BadPoint, Failure, *ARITHMETIC_ERRORS) as problem:
            raise NoPoint(str(problem)) from None

    def named(self, name: str) -> Value:
        """The value of a name."""
        found = self.registers[self.compiler.program.names[name]]
        assert found is not None
        return Value(found.shape, tuple(found.parts[0]))


def moved(setting: Setting, point: Point, name: str, entries: Sequence[Decimal]) -> Point:
    """The same point with one name, an input or a line, set to other entries; the lines after it follow."""
    given = {n: point.named(n).entries for n in setting.inputs}
    if name in setting.inputs:
        return Point(setting, point.sizes, point.random, {**given, name: entries})
    shape = point.named(name).shape
    fixed = Setting(
        {**setting.inputs, name: shape},
        tuple((n, e) for n, e in setting.definitions if n != name),
        setting.assume,
        setting.functions,
        setting.defined,
    )
    return Point(fixed, point.sizes, point.random, {**given, name: entries})


def slope(setting: Setting, point: Point, of: str, by: str, entry: int, step: Decimal = STEP) -> list[Decimal]:
    """The derivative of every entry of `of` by one entry of `by`, as a central difference quotient."""
    entries = list(point.named(by).entries)
    with localcontext(USUAL[1].context()):
        ahead = [*entries[:entry], entries[entry] + step, *entries[entry + 1 :]]
        behind = [*entries[:entry], entries[entry] - step, *entries[entry + 1 :]]
        up, down = (moved(setting, point, by, e).named(of).entries for e in (ahead, behind))
        return [(a - b) / (2 * step) for a, b in zip(up, down, strict=True)]


def close(a: Sequence[Decimal], b: Sequence[Decimal]) -> bool:
    """Do the entries agree to 25 digits, measured by the largest? A single number stands for equal entries."""
    if len(a) != len(b):
        if len(a) == 1:
            a = [*a] * len(b)
        elif len(b) == 1:
            b = [*b] * len(a)
        else:
            return False
    with localcontext(USUAL[1].context()):
        scale = max((abs(x) for x in (*a, *b)), default=Decimal(0))
        return all(abs(x - y) <= CLOSE * (1 + scale) for x, y in zip(a, b, strict=True))


def paired(left: Value, right: Value, shape: Sequence[int]) -> Decimal:
    """⟨left, right⟩: the sum of the products of entries over an array of this shape."""
    count = prod(shape)
    with localcontext(USUAL[1].context()):
        if len(left.entries) == len(right.entries):
            total = sum((x * y for x, y in zip(left.entries, right.entries, strict=True)), Decimal(0))
            return total * (count if len(left.entries) == 1 else 1)
        if len(right.entries) == 1:
            left, right = right, left
        if len(left.entries) != 1 or len(right.entries) != count:
            raise NoPoint("the sides of a pairing have different sizes")
        return left.entries[0] * sum(right.entries, Decimal(0))
