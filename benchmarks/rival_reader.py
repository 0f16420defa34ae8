"""Reads a problem of the corpora and writes it as a program of another tool's own language.

`Words` is what a tool can say; `Reader` walks the formulas and puts them into those words. What a tool has no word for
raises `CannotExpress`. A formula is never bent into its own answer: functions are only replaced by their definitions
(softmax by exponentials, a maximum by relu, an entry by unit vectors), and only where the tool lacks the word itself.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

Shape = tuple[str, ...]  # () a number, else (rows, columns); a side is "1" or the name of a dimension
ELEMENTWISE = frozenset(
    [
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "sqrt",
        "abs",
        "sign",
        "erf",
        "relu",
        "sigmoid",
        "softplus",
        "gelu",
        "step",
    ]
)


class CannotExpress(Exception):
    """The other tool has no word for a part of the problem."""


@dataclass(frozen=True)
class Term:
    text: str
    shape: Shape
    value: Fraction | None = None  # of a written number
    factors: tuple[Term, Term] | None = None  # two terms of one shape whose elementwise product this is
    kind: str = ""  # for a language's own use


def side_by_side(a: Shape, b: Shape) -> Shape:
    """The shape to which two shapes broadcast."""
    if not a or not b:
        return a or b
    return tuple(n if m == "1" else m for m, n in zip(a, b, strict=True))


class Words(ABC):
    """What a tool can say. Every method gets and gives terms; shapes have been checked by whoever wrote the corpus."""

    lines: list[str]

    @abstractmethod
    def dimension(self, name: str) -> str: ...
    @abstractmethod
    def variable(self, name: str, shape: Shape) -> Term: ...
    @abstractmethod
    def number(self, value: Fraction) -> Term: ...
    @abstractmethod
    def size(self, name: str) -> Term: ...
    @abstractmethod
    def add(self, a: Term, b: Term) -> Term: ...
    @abstractmethod
    def times(self, a: Term, b: Term) -> Term: ...
    @abstractmethod
    def power(self, a: Term, exponent: Fraction) -> Term: ...
    @abstractmethod
    def power_by(self, a: Term, exponent: Term) -> Term: ...
    @abstractmethod
    def matmul(self, a: Term, b: Term) -> Term: ...
    @abstractmethod
    def transpose(self, a: Term) -> Term: ...
    @abstractmethod
    def total(self, a: Term, axis: int | None) -> Term: ...
    @abstractmethod
    def trace(self, a: Term) -> Term: ...
    @abstractmethod
    def determinant(self, a: Term) -> Term: ...
    @abstractmethod
    def inverse(self, a: Term) -> Term: ...
    @abstractmethod
    def each(self, name: str, a: Term) -> Term: ...
    @abstractmethod
    def unknown(self, name: str, a: Term) -> Term: ...
    @abstractmethod
    def diagonal(self, a: Term) -> Term: ...
    @abstractmethod
    def eye(self, n: str) -> Term: ...
    @abstractmethod
    def ones(self, shape: Shape) -> Term: ...
    @abstractmethod
    def entry(self, a: Term, places: list[str | None]) -> Term: ...
    @abstractmethod
    def derivative(self, a: Term, names: list[Term]) -> str: ...

    def largest(self, a: Term, axis: int | None) -> Term:
        raise CannotExpress("max")

    def kron(self, a: Term, b: Term) -> Term:
        raise CannotExpress("kron")

    def matrix_power(self, a: Term, exponent: int) -> Term:
        if exponent < 1:
            raise CannotExpress("matpow")
        product = a
        for _ in range(exponent - 1):
            product = self.matmul(product, a)
        return product

    def root(self, a: Term) -> Term:
        raise CannotExpress("sqrtm")

    def correlate(self, a: Term, kernel: Term) -> Term:
        raise CannotExpress("a convolution")

    def norm(self, a: Term, exponent: Fraction) -> Term:
        square = self.total(self.power(a, Fraction(2)), None)
        return square if exponent == 2 else self.power(square, exponent / 2)

    def let(self, name: str, a: Term) -> Term:
        """A name for a term, so that a formula that uses it twice is written once."""
        self.lines.append(f"{name} = {a.text}")
        return replace(a, text=name, factors=None)


class Reader:
    """One problem, put into one tool's words."""

    def __init__(self, problem: dict[str, Any], words: Words) -> None:
        self.problem, self.words = problem, words
        self.shapes = {name: self.shape_of(sides) for name, sides in problem["variables"].items()}
        pairs = (text.split("=", 1) for text in problem.get("definitions", []))
        self.definitions = {name.strip(): ast.parse(text.strip(), mode="eval").body for name, text in pairs}
        self.dimensions = {side for shape in self.shapes.values() for side in shape if side != "1"}
        self.known: dict[str, Term] = {}
        self.lets = 0

    def program(self) -> str:
        """The program whose `answer` is the derivative."""
        problem, words = self.problem, self.words
        if problem.get("structured"):
            raise CannotExpress("a derivative by a structure's own parameters")
        inner = [name for name in problem["wrt"] if name in self.definitions]
        if inner and len(problem["wrt"]) > 1:
            raise CannotExpress("a second derivative by an intermediate")
        for name in inner:  # an intermediate becomes a variable: all that follows it uses it by name
            shape = Reader(self.problem, type(words)()).term(self.definitions[name]).shape
            self.shapes[name] = shape
        value = self.term(ast.parse(problem["expression"].strip(), mode="eval").body)
        text = words.derivative(value, [self.name(name) for name in problem["wrt"]])
        return "\n".join([*words.lines, f"answer = {text}"])

    def shape_of(self, sides: list[Any]) -> Shape:
        shape = tuple(str(side) for side in sides)
        shape = (*shape, "1") if len(shape) == 1 else shape
        return () if set(shape) == {"1"} else shape

    # ------------------------------------------------------------ formulas
    def term(self, node: ast.expr) -> Term:
        if isinstance(node, ast.Constant):
            return self.words.number(Fraction(str(node.value)))
        if isinstance(node, ast.Name):
            return self.name(node.id)
        if isinstance(node, ast.UnaryOp):
            inner = self.term(node.operand)
            return self.negative(inner) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
            return self.transpose(self.term(node.value))
        if isinstance(node, ast.BinOp):
            return self.binary(node)
        if isinstance(node, ast.Compare):
            a, b = self.term(node.left), self.term(node.comparators[0])
            if not isinstance(node.ops[0], (ast.Gt, ast.Lt)):
                raise CannotExpress("a comparison other than > and <")
            a, b = (a, b) if isinstance(node.ops[0], ast.Gt) else (b, a)
            return self.words.each("step", self.words.add(a, self.negative(b)))
        if isinstance(node, ast.Subscript):
            return self.entry(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            axis = next((int(ast.literal_eval(k.value)) for k in node.keywords if k.arg == "axis"), None)
            return self.call(node.func.id, node.args, axis)
        raise CannotExpress(type(node).__name__)

    def name(self, name: str) -> Term:
        if name not in self.known:
            self.known[name] = self.first_use(name)
        return self.known[name]

    def first_use(self, name: str) -> Term:
        if name in self.shapes:
            return self.words.variable(name, self.shapes[name])
        if name in self.definitions:
            return self.words.let(f"v_{name}", self.term(self.definitions[name]))
        if name in self.dimensions:
            return self.words.size(name)
        raise CannotExpress(name)

    def let(self, a: Term) -> Term:
        self.lets += 1
        return a if a.text.isidentifier() or a.value is not None else self.words.let(f"part{self.lets}", a)

    def negative(self, a: Term) -> Term:
        return self.times(self.words.number(Fraction(-1)), a)

    def transpose(self, a: Term) -> Term:
        return self.words.transpose(a) if a.shape else a

    def times(self, a: Term, b: Term) -> Term:
        if a.value is not None and b.value is not None:
            return self.words.number(a.value * b.value)
        if a.value == 1 or b.value == 1:
            return b if a.value == 1 else a
        return self.words.times(a, b)

    def power(self, a: Term, exponent: Fraction) -> Term:
        if a.value is not None and exponent.denominator == 1:
            return self.words.number(a.value**exponent.numerator)
        return a if exponent == 1 else self.words.power(a, exponent)

    def binary(self, node: ast.BinOp) -> Term:
        if isinstance(node.op, ast.Pow):
            return self.raised(node)
        a, b = self.term(node.left), self.term(node.right)
        if isinstance(node.op, ast.MatMult):
            return self.words.matmul(a, b) if a.shape and b.shape else self.times(a, b)
        if isinstance(node.op, ast.Mult):
            return self.times(a, b)
        if isinstance(node.op, ast.Div):
            return self.times(a, self.power(b, Fraction(-1)))
        b = self.negative(b) if isinstance(node.op, ast.Sub) else b
        if a.value is not None and b.value is not None:
            return self.words.number(a.value + b.value)
        return self.words.add(a, b)

    def raised(self, node: ast.BinOp) -> Term:
        exponent = self.term(node.right)
        base = node.left
        if exponent.value is None:
            return self.words.power_by(self.term(base), exponent)
        if isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "norm":
            return self.words.norm(self.let(self.term(base.args[0])), exponent.value)  # norm(x)**2 has no root
        return self.power(self.term(base), exponent.value)

    def entry(self, node: ast.Subscript) -> Term:
        places = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        names: list[str | None] = []
        for place in places:
            if isinstance(place, ast.Slice):
                if place.lower or place.upper:
                    raise CannotExpress("a range")
                names.append(None)
            elif isinstance(place, ast.Name):
                names.append(place.id)
            else:
                raise CannotExpress("a numbered entry")
        a = self.term(node.value)
        if len(names) == 1:
            names = [names[0], None] if a.shape[1] == "1" else [None, names[0]]
        return self.words.entry(a, names)

    # ------------------------------------------------------------ functions
    def call(self, name: str, nodes: list[ast.expr], axis: int | None) -> Term:
        if name in ("eye", "ones", "zeros"):
            return self.constant(name, nodes)
        if name in ("matpow", "where"):
            return getattr(self, f"call_{name}")(*nodes)
        a = self.let(self.term(nodes[0]))
        if name in self.problem.get("functions", {}):
            return self.words.unknown(name, a)
        if name.removesuffix("_prime").removesuffix("_prime") in self.problem.get("functions", {}):
            raise CannotExpress("the derivative of an unknown function in the formula itself")
        if name in ELEMENTWISE:
            return self.words.each(name, a)
        if name in ("sum", "mean", "max", "min", "softmax", "logsumexp"):
            return getattr(self, f"call_{name}")(a, axis)
        if method := getattr(self, f"call_{name}", None):
            return method(a, *(self.let(self.term(node)) for node in nodes[1:]))
        raise CannotExpress(name)

    def constant(self, name: str, nodes: list[ast.expr]) -> Term:
        sides = [ast.unparse(node) for node in nodes]
        if any(side not in self.dimensions and side != "1" for side in sides):
            raise CannotExpress(f"{name} of a computed size")
        if name == "eye":
            return self.words.eye(sides[0])
        shape = (sides[0], sides[1] if len(sides) > 1 else "1")
        ones = self.words.ones(shape)
        return ones if name == "ones" else self.times(self.words.number(Fraction(0)), ones)

    def call_matpow(self, base: ast.expr, exponent: ast.expr) -> Term:
        return self.words.matrix_power(self.let(self.term(base)), int(ast.literal_eval(exponent)))

    def call_where(self, test: ast.expr, yes: ast.expr, no: ast.expr) -> Term:
        mask = self.let(self.term(test))
        other = self.words.add(self.words.number(Fraction(1)), self.negative(mask))
        return self.words.add(self.times(mask, self.term(yes)), self.times(other, self.term(no)))

    def call_sum(self, a: Term, axis: int | None) -> Term:
        return self.words.total(a, axis) if a.shape else a

    def count(self, shape: Shape, axis: int | None) -> Term:
        sides = [side for k, side in enumerate(shape) if axis in (None, k) and side != "1"]
        count = self.words.number(Fraction(1))
        for side in sides:
            count = self.times(count, self.words.size(side))
        return count

    def call_mean(self, a: Term, axis: int | None) -> Term:
        return self.times(self.call_sum(a, axis), self.power(self.count(a.shape, axis), Fraction(-1)))

    def call_max(self, a: Term, axis: int | None) -> Term:
        return self.words.largest(a, axis)

    def call_min(self, a: Term, axis: int | None) -> Term:
        return self.negative(self.words.largest(self.negative(a), axis))

    def call_softmax(self, a: Term, axis: int | None) -> Term:
        e = self.let(self.words.each("exp", a))
        axis = 0 if axis is None else axis
        whole = e.shape[1 - axis] == "1"
        return self.times(e, self.power(self.words.total(e, None if whole else axis), Fraction(-1)))

    def call_logsumexp(self, a: Term, axis: int | None) -> Term:
        whole = axis is None or a.shape[1 - axis] == "1"
        return self.words.each("log", self.words.total(self.words.each("exp", a), None if whole else axis))

    def call_trace(self, a: Term) -> Term:
        return self.words.trace(a)

    def call_det(self, a: Term) -> Term:
        return self.words.determinant(a)

    def call_logdet(self, a: Term) -> Term:
        return self.words.each("log", self.words.determinant(a))

    def call_adj(self, a: Term) -> Term:
        return self.times(self.words.determinant(a), self.words.inverse(a))

    def call_inv(self, a: Term) -> Term:
        return self.words.inverse(a)

    def call_solve(self, a: Term, b: Term) -> Term:
        return self.words.matmul(self.words.inverse(a), b)

    def call_norm(self, a: Term) -> Term:
        return self.words.norm(a, Fraction(1))

    def call_norm1(self, a: Term) -> Term:
        return self.words.total(self.words.each("abs", a), None)

    def call_diag(self, a: Term) -> Term:
        return self.words.diagonal(a)

    def call_outer(self, a: Term, b: Term) -> Term:
        return self.words.matmul(a, self.transpose(b))

    def call_hadamard(self, a: Term, b: Term) -> Term:
        return self.times(a, b)

    def call_kron(self, a: Term, b: Term) -> Term:
        return self.words.kron(a, b)

    def call_sqrtm(self, a: Term) -> Term:
        return self.words.root(a)

    def call_conv2d(self, a: Term, kernel: Term) -> Term:
        return self.words.correlate(a, kernel)

    call_conv1d = call_conv2d

    def call_maximum(self, a: Term, b: Term) -> Term:
        return self.words.add(b, self.words.each("relu", self.words.add(a, self.negative(b))))

    def call_minimum(self, a: Term, b: Term) -> Term:
        return self.words.add(a, self.negative(self.words.each("relu", self.words.add(a, self.negative(b)))))
