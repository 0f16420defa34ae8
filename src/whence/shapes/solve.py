"""Shapes of undeclared inputs: what the lines force, then defaults, the most certain first, each of them listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from whence.messages.errors import ShapeError
from whence.read.syntax import Model
from whence.shapes.dims import Dim
from whence.shapes.equations import Choice, Computed, Constraint, Equations, Join, Operand, Vector, equations
from whence.shapes.forward import Scope
from whence.shapes.naming import Naming
from whence.shapes.unknowns import Pair, Reason
from whence.shapes.words import Sizes, is_scalar, words

# What lower-case names mean in lectures and papers.
NUMBERS = frozenset(
    ["alpha", "lambda", "lambd", "lam", "lmbda", "eta", "eps", "epsilon", "lr", "tau", "rho", *"αληετρ"]
)
COLUMNS = frozenset(
    ["b", "bias", "c", "beta", "gamma", "shift", "scale", "mu", "mean", "sigma", "std", "var", "v", *"βγμσ"]
)
_STEM = re.compile(r"^(.*?)_?\d*_?$")


@dataclass
class Found:
    """A shape found for an undeclared input."""

    shape: Sizes
    line: int
    why: str


@dataclass
class Solution:
    """Shapes of the undeclared inputs, the dimension symbols that came up, and a sentence for every default."""

    shapes: dict[str, Found]
    dims: frozenset[str]
    defaults: list[str] = field(default_factory=list)


def solve(model: Model, scope: Scope, inputs: list[str]) -> Solution:
    """Shapes for the inputs that have none declared. ShapeError where the lines contradict one another."""
    first = equations(model, scope, inputs)
    numbers = [n for n in inputs if stem(n) in NUMBERS and n not in first.factors and n not in first.whole]
    if numbers:
        known = replace(scope, shapes={**scope.shapes, **dict.fromkeys(numbers, ())})
        first = equations(model, known, [n for n in inputs if n not in numbers])
    solver = _Solver(first)
    solver.settle()
    found = solver.solution(model)
    for name in numbers:
        found.shapes[name] = Found((), 0, f"{name} is taken as a number: its name is that of a coefficient.")
        found.defaults.append(found.shapes[name].why)
    return found


def stem(name: str) -> str:
    """A name without its number: b of b1 and b_2."""
    found = _STEM.match(name)
    return found.group(1) if found else name


class _Solver:
    def __init__(self, all_equations: Equations) -> None:
        self.equations = all_equations
        self.unknowns = all_equations.unknowns
        self.inputs = all_equations.inputs
        self.open: list[Constraint] = all_equations.constraints
        self.by_default: dict[str, str] = {}  # input -> how it was decided
        self.sentences: list[str] = []
        self.beside: dict[str, tuple[str, Pair]] = {}  # what b of W X + b is taken as, and the shape of W X
        self.taken_whole = {*all_equations.whole, *all_equations.factors}  # these are arrays

    def settle(self) -> None:
        """Decide one open thing after another, each time drawing all conclusions first."""
        stages: list[Callable[[], bool]] = [
            self.columns_in_products,
            self.columns_by_name,
            self.ones,
            self.same_shapes,
            self.scaling_numbers,
            self.columns,
            self.vectors,
            self.choices,
        ]
        self.propagate()
        while any(stage() for stage in stages):
            self.propagate()

    # ---- conclusions

    def propagate(self) -> None:
        while True:
            before = self.unknowns.changes, len(self.open)
            self.open = [c for c in self.open if not self.conclude(c)]
            if before == (self.unknowns.changes, len(self.open)):
                return

    def conclude(self, c: Constraint) -> bool:
        """Draw what follows; True when nothing is left to draw."""
        if isinstance(c, Join):
            done = [self.join_axis(*sizes, c.reason) for sizes in zip(c.a.pair, c.b.pair, c.out, strict=True)]
            return all(done)
        if isinstance(c, Vector):
            return self.vector(c)
        return self.computed(c) if isinstance(c, Computed) else self.chosen(c)

    def join_axis(self, a: int, b: int, out: int, reason: Reason) -> bool:
        u = self.unknowns
        if u.is_one(out):
            u.same(a, out, reason)
            u.same(b, out, reason)
            return True
        if u.root(a) == u.root(b) or u.is_one(b):
            u.same(a, out, reason)
            return True
        if u.is_one(a):
            u.same(b, out, reason)
            return True
        if u.wide(a) and u.wide(b):
            u.same(a, b, reason)
        if u.wide(a) or u.wide(b):
            u.same(a if u.wide(a) else b, out, reason)
        return False

    def vector(self, c: Vector) -> bool:
        u = self.unknowns
        for axis in (1, 0):
            if u.is_one(c.pair[axis]):
                u.same(c.pair[1 - axis], c.length, c.reason)
                return True
        if u.wide(c.pair[0]) != u.wide(c.pair[1]):
            u.same(c.pair[1 if u.wide(c.pair[0]) else 0], u.one, c.reason)
        return False

    def computed(self, c: Computed) -> bool:
        values = {letter: self.unknowns.value(node) for letter, node in c.letters.items()}
        known = {letter: value for letter, value in values.items() if value is not None}
        formula = Dim.parse(c.text)
        if set(formula.symbols) & (values.keys() - known.keys()):
            return False
        self.unknowns.same(self.unknowns.known(formula.substitute(known)), c.out, c.reason)
        return True

    def chosen(self, c: Choice) -> bool:
        rows, columns = c.argument.pair
        u = self.unknowns
        if u.is_one(rows) or u.is_one(columns):
            return self.choose(c, vector=True)
        if u.wide(rows) and u.wide(columns) or u.root(rows) == u.root(columns):
            return self.choose(c, vector=False)
        return False

    def choose(self, c: Choice, vector: bool) -> bool:
        way = next(w for w in c.ways if (len(w.parameters[0].sizes or ()) == 1) == vector)
        self.equations.reason = c.reason
        letters: dict[str, int] = {}
        if vector:
            rows, columns = c.argument.pair
            letters[(way.parameters[0].sizes or ("",))[0]] = rows if self.unknowns.is_one(columns) else columns
        else:
            self.equations.bind(way.parameters[0], c.argument.pair, letters)
        sizes = [self.equations.size(g, letters) for g in way.gives]
        for node, size in zip(c.out, sizes, strict=True):
            self.unknowns.same(node, size, c.reason)
        return True

    # ---- defaults: each stage decides at most one thing

    def open_inputs(self, lower: bool) -> Iterator[tuple[str, Pair]]:
        for name, pair in self.inputs.items():
            if name[0].islower() == lower and any(self.unknowns.value(n) is None for n in pair):
                yield name, pair

    def take(self, name: str, nodes: tuple[int, ...], kind: str, why: str) -> bool:
        """Set these sizes of an input to 1; False if that is no news."""
        before = self.unknowns.changes
        for node in nodes:
            if self.unknowns.value(node) is None:
                self.unknowns.same(node, self.unknowns.one, Reason(0, f"{name} is taken as {kind}"))
        if self.unknowns.changes == before:
            return False
        self.by_default[name] = f"{name} is taken as {kind}: {why}."
        return True

    def columns_in_products(self) -> bool:
        """Lower-case factors of products that no open choice of + or * holds: columns, unless one is x @ w."""
        if self.equations.lower_matrices:
            return False
        held = {node for c in self.open if isinstance(c, Join) for o in (c.a, c.b) for node in o.pair}
        return any(
            self.take(name, (pair[1],), "a column", "it is in lower case")
            for name, pair in self.open_inputs(lower=True)
            if name in self.equations.factors and pair[1] not in held and not self.is_of_matrix(pair[1])
        )

    def is_of_matrix(self, node: int) -> bool:
        """Is this size also one of an undeclared matrix?"""
        others = (n for name, pair in self.inputs.items() if self.is_matrix(name) for n in pair)
        return any(self.unknowns.root(n) == self.unknowns.root(node) for n in others)

    def is_matrix(self, name: str) -> bool:
        """By its letter, or where the letter case says nothing as a factor."""
        return not name[0].islower() or (self.equations.lower_matrices and name in self.equations.factors)

    def sides(self) -> Iterator[tuple[str, Operand, Operand, Join]]:
        """The lower-case inputs that are operands of + or *, with the other operand."""
        for c in self.equations.joins:
            for operand, other in ((c.a, c.b), (c.b, c.a)):
                name = self.equations.input(operand.pair)
                if name and name[0].islower() and any(self.unknowns.value(n) is None for n in operand.pair):
                    yield name, operand, other, c

    def columns_by_name(self) -> bool:
        """b in W @ X + b: a column, added to every column; where the weights stand on the right, a row."""
        for name, operand, other, _ in self.sides():
            if not (stem(name) in COLUMNS or stem(name).startswith("b") and len(stem(name)) <= 2):
                continue
            along, across = operand.pair[::-1] if other.weights_right else operand.pair
            if self.unknowns.value(across) is None:
                kind, which = ("a row", "row") if other.weights_right else ("a column", "column")
                self.beside[name] = (kind, other.pair)
                return self.take(name, (across,), kind, f"it is combined with every {which}")
            length = other.pair[1] if other.weights_right else other.pair[0]
            if self.unknowns.is_one(length) and self.unknowns.value(along) is None:
                return self.take(name, (along,), "a number", "it is combined with a single row or column")
        return False

    def same_shapes(self) -> bool:
        for c in self.open:
            if not isinstance(c, Join):
                continue
            before = self.unknowns.changes
            for a, b in zip(c.a.pair, c.b.pair, strict=True):
                if not self.unknowns.is_one(a) and not self.unknowns.is_one(b):
                    self.unknowns.same(a, b, c.reason)
            if self.unknowns.changes > before:
                self.note_same(c)
                return True
        return False

    def ones(self) -> bool:
        """A lower-case input beside a row, a column or a number takes its size 1 too: y in a - y."""
        for name, operand, other, c in self.sides():
            free = [k for k in (0, 1) if self.unknowns.value(operand.pair[k]) is None]
            single = [operand.pair[k] for k in free if self.unknowns.is_one(other.pair[k])]
            number = all(self.unknowns.is_one(n) for n in other.pair)
            if number and name in self.taken_whole:
                continue
            if single and self.take(
                name, tuple(single), "what it is combined with", f"nothing else decides ({c.reason})"
            ):
                return True
        return False

    def note_same(self, c: Join) -> None:
        """Say it of one operand: of the one in lower case, else of the right one, which came later."""
        a, b = self.equations.input(c.a.pair), self.equations.input(c.b.pair)
        name, other = (a, b) if a and (not b or a[0].islower() and not b[0].islower()) else (b, a)
        if name and name not in self.by_default:
            what = other or "what it is combined with"
            self.by_default[name] = f"{name} is taken in the shape of {what} ({c.reason})."

    def scaling_numbers(self) -> bool:
        return any(
            self.take(name, pair, "a number", "it scales a number")
            for name, pair in self.open_inputs(lower=True)
            if name in self.equations.scaling and name not in self.taken_whole
        )

    def columns(self) -> bool:
        return any(
            self.take(name, (pair[1],), "a column", "it is in lower case")
            for name, pair in self.open_inputs(lower=True)
            if not self.is_of_matrix(pair[1]) and not self.is_matrix(name)
        )

    def vectors(self) -> bool:
        for c in self.open:
            if isinstance(c, Vector) and self.unknowns.value(c.pair[1]) is None:
                self.unknowns.same(c.pair[1], self.unknowns.one, c.reason)
                self.sentences.append(f"A vector is taken as a column ({c.reason}).")
                return True
        return False

    def choices(self) -> bool:
        for c in self.open:
            if isinstance(c, Choice):
                self.open.remove(c)
                vector = self.equations.input(c.argument.pair)[:1].islower()
                kind = "vector" if vector else "square matrix"
                self.sentences.append(f"The argument of {c.call.name} is taken as a {kind} ({c.reason}).")
                if vector:
                    self.unknowns.same(c.argument.pair[1], self.unknowns.one, c.reason)
                return self.choose(c, vector)
        return False

    # ---- the result

    def solution(self, model: Model) -> Solution:
        naming = Naming(model, self.equations)
        scope = self.equations.scope
        try:
            naming.name_all([c.out for c in self.open if isinstance(c, Computed)], self.propagate)
        except ShapeError as error:
            # New names for sizes clash only where an equation such as n*m = p*q is left, which is not solved here.
            raise self.unsolved(error) from error
        shapes: dict[str, Found] = {}
        self.correct_sentences()
        for name, pair in self.inputs.items():
            if name in naming.counted:
                continue
            shape = self.shape(pair)
            reason = self.reason(name, pair)
            shapes[name] = Found(shape, reason.line, reason.why)
        defaults = [self.by_default[n] for n in shapes if n in self.by_default] + self.sentences + naming.sentences
        symbols = {s for found in shapes.values() for d in found.shape for s in d.symbols}
        return Solution(shapes, frozenset(symbols | set(naming.counted)) | scope.dims, defaults)

    def correct_sentences(self) -> None:
        """Say it anew where what a b is combined with turned out to be a number, or a single column."""
        for name, (kind, pair) in self.beside.items():
            ones = [self.unknowns.is_one(node) for node in pair]
            if any(ones):
                what = "a number" if all(ones) else kind
                self.by_default[name] = f"{name} is taken as {what}, like what it is combined with."

    def unsolved(self, error: ShapeError) -> ShapeError:
        names = ", ".join(self.inputs)
        return ShapeError(
            "unknown-shape",
            line=error.line,
            found=names,
            expected="declared shapes: the lines do not determine them",
            shapes=error.shapes,
            source=error.source,
            name=names,
        )

    def shape(self, pair: Pair) -> Sizes:
        sizes = tuple(self.unknowns.value(node) for node in pair)
        shape = tuple(d for d in sizes if d is not None)
        if len(shape) < 2:
            raise ShapeError("internal", found=words(shape))
        return () if is_scalar(shape) else shape

    def reason(self, name: str, pair: Pair) -> Reason:
        """The first line that says anything of the name's sizes."""
        reasons = [reason for node in pair for _, reason in self.unknowns.edges[node] if reason.line]
        if name in self.by_default and not reasons:
            return Reason(0, self.by_default[name])
        return min(reasons, key=lambda r: r.line, default=Reason(0, "nothing decides its size"))
