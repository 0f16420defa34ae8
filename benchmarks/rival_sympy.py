"""SymPy's words: matrix symbols, its matrix expressions and `.diff`.

SymPy has two kinds of numbers, scalars and matrices of one entry, and differentiates them differently well. So each
problem is asked in several `MANNERS`, and the best outcome counts. The last asks once more for what is left undone.
"""

from __future__ import annotations

from fractions import Fraction

from rival_reader import CannotExpress, Shape, Term, Words, side_by_side

MANNERS = ("trace", "matrix", "entry", "trace doit")  # how a matrix of one entry becomes a number
FUNCTIONS = {
    "relu": "sp.Max({}, 0)",
    "sigmoid": "1/(1 + sp.exp(-{}))",
    "softplus": "sp.log(1 + sp.exp({}))",
    "gelu": "{0}*(1 + sp.erf({0}/sp.sqrt(2)))/2",
    "step": "sp.Heaviside({}, 0)",
    "abs": "sp.Abs({})",
}


def side(name: str) -> str:
    return name if name.isdigit() else f"d_{name}"


def sides(shape: Shape) -> str:
    return ", ".join(side(name) for name in shape)


class SympyWords(Words):
    """Terms of kind "entry" are matrices of one entry that stand for a number."""

    def __init__(self, manner: str = "trace") -> None:
        self.manner, _, self.ending = manner.partition(" ")
        self.lines = ["import sympy as sp", 't = sp.Symbol("t", real=True)']
        self.declared: set[str] = set()

    def dimension(self, name: str) -> str:
        if not name.isdigit() and name not in self.declared:
            self.declared.add(name)
            self.lines.append(f'd_{name} = sp.Symbol("{name}", integer=True, positive=True)')
        return side(name)

    def variable(self, name: str, shape: Shape) -> Term:
        for each in shape:
            self.dimension(each)
        made = f'sp.MatrixSymbol("{name}", {sides(shape)})' if shape else f'sp.Symbol("{name}", real=True)'
        self.lines.append(f"v_{name} = {made}")
        return Term(f"v_{name}", shape)

    def number(self, value: Fraction) -> Term:
        text = f"sp.Rational({value.numerator}, {value.denominator})"
        return Term(str(value) if value.denominator == 1 else text, (), value)

    def size(self, name: str) -> Term:
        return Term(self.dimension(name), ())

    # ------------------------------------------------------------ numbers
    def as_number(self, text: str) -> Term:
        """A number from a matrix of one entry, in this manner."""
        if self.manner == "trace":
            return Term(f"sp.Trace({text})", ())
        return Term(f"({text})[0, 0]", ()) if self.manner == "entry" else Term(f"({text})", (), kind="entry")

    def plain(self, a: Term) -> Term:
        """A number that is no matrix."""
        return Term(f"sp.Trace({a.text})", ()) if a.kind == "entry" else a

    def spread(self, a: Term, shape: Shape) -> Term:
        """A term repeated to a shape by products with ones."""
        if a.shape == shape:
            return a
        if not a.shape:
            return Term(f"({self.plain(a).text})*{self.ones(shape).text}", shape)
        if a.shape[1] == "1" and shape[1] != "1":
            return self.spread(Term(f"({a.text})*{self.ones(('1', shape[1])).text}", (a.shape[0], shape[1])), shape)
        return Term(f"{self.ones((shape[0], '1')).text}*({a.text})", shape)

    # ------------------------------------------------------------ arithmetic
    def add(self, a: Term, b: Term) -> Term:
        shape = side_by_side(a.shape, b.shape)
        if not shape:
            if a.kind != b.kind:
                a, b = (self.one_entry(a), self.one_entry(b))
            return Term(f"({a.text} + {b.text})", (), kind=a.kind)
        return Term(f"({self.spread(a, shape).text} + {self.spread(b, shape).text})", shape)

    def one_entry(self, a: Term) -> Term:
        return a if a.kind == "entry" else Term(f"({a.text})*sp.Identity(1)", (), kind="entry")

    def times(self, a: Term, b: Term) -> Term:
        if not a.shape and not b.shape:
            return Term(f"({a.text})*({b.text})", (), kind=a.kind or b.kind)
        if not a.shape or not b.shape:
            return self.scaled(a, b) if not a.shape else self.scaled(b, a)
        shape = side_by_side(a.shape, b.shape)
        wide = self.spread(a, shape), self.spread(b, shape)
        return Term(f"sp.HadamardProduct({wide[0].text}, {wide[1].text})", shape, factors=wide)

    def scaled(self, number: Term, a: Term) -> Term:
        if number.kind == "entry" and a.shape[1] == "1":
            return Term(f"({a.text})*({number.text})", a.shape)
        if number.kind == "entry" and a.shape[0] == "1":
            return Term(f"({number.text})*({a.text})", a.shape)
        return Term(f"({self.plain(number).text})*({a.text})", a.shape)

    def power(self, a: Term, exponent: Fraction) -> Term:
        text = self.number(exponent).text
        if not a.shape:
            return Term(f"({a.text})**({text})", (), kind=a.kind)
        if exponent == Fraction(1, 2):
            return self.each("sqrt", a)
        return Term(f"sp.HadamardPower({a.text}, {text})", a.shape, factors=(a, a) if exponent == 2 else None)

    def power_by(self, a: Term, exponent: Term) -> Term:
        if exponent.shape:
            raise CannotExpress("a power by a matrix")
        a, exponent = self.plain(a), self.plain(exponent)
        if not a.shape:
            return Term(f"({a.text})**({exponent.text})", ())
        return Term(f"sp.HadamardPower({a.text}, {exponent.text})", a.shape)

    # ------------------------------------------------------------ matrices
    def matmul(self, a: Term, b: Term) -> Term:
        shape = (a.shape[0], b.shape[1])
        text = f"({a.text})*({b.text})"
        return self.as_number(text) if shape == ("1", "1") else Term(text, shape)

    def transpose(self, a: Term) -> Term:
        return Term(f"({a.text}).T", (a.shape[1], a.shape[0]))

    def total(self, a: Term, axis: int | None) -> Term:
        if not a.shape:
            return a
        if axis is None and a.factors and self.manner == "trace":  # sum(A*B), as a textbook has it
            return Term(f"sp.Trace(({a.factors[0].text}).T*({a.factors[1].text}))", ())
        text, shape = a.text, list(a.shape)
        if axis in (None, 0) and shape[0] != "1":
            text, shape[0] = f"{self.ones(('1', shape[0])).text}*({text})", "1"
        if axis in (None, 1) and shape[1] != "1":
            text, shape[1] = f"({text})*{self.ones((shape[1], '1')).text}", "1"
        return self.as_number(text) if shape == ["1", "1"] else Term(f"({text})", tuple(shape))

    def trace(self, a: Term) -> Term:
        return Term(f"sp.Trace({a.text})", ()) if a.shape else a

    def determinant(self, a: Term) -> Term:
        return Term(f"sp.Determinant({a.text})", ()) if a.shape else a

    def inverse(self, a: Term) -> Term:
        return Term(f"sp.Inverse({a.text})", a.shape) if a.shape else self.power(a, Fraction(-1))

    def matrix_power(self, a: Term, exponent: int) -> Term:
        return Term(f"sp.MatPow({a.text}, {exponent})", a.shape)

    def root(self, a: Term) -> Term:
        return Term(f"sp.MatPow({a.text}, sp.Rational(1, 2))", a.shape)

    def kron(self, a: Term, b: Term) -> Term:
        if not a.shape or not b.shape:
            return self.times(a, b)
        shape = tuple(n if m == "1" else m if n == "1" else f"{m}*{n}" for m, n in zip(a.shape, b.shape, strict=True))
        return Term(f"sp.KroneckerProduct({a.text}, {b.text})", shape)

    def norm(self, a: Term, exponent: Fraction) -> Term:
        if not a.shape or a.shape[1] != "1":
            return super().norm(a, exponent)
        square = self.matmul(self.transpose(a), a)
        return square if exponent == 2 else self.power(square, exponent / 2)

    def each(self, name: str, a: Term) -> Term:
        return self.applied(FUNCTIONS.get(name, f"sp.{name}({{}})"), a)

    def unknown(self, name: str, a: Term) -> Term:
        return self.applied(f'sp.Function("{name}")({{}})', a)

    def applied(self, pattern: str, a: Term) -> Term:
        if not a.shape and a.kind != "entry":
            return Term(pattern.format(f"({a.text})"), ())
        return Term(f"({a.text}).applyfunc(sp.Lambda(t, {pattern.format('t')}))", a.shape, kind=a.kind)

    def diagonal(self, a: Term) -> Term:
        if "1" in a.shape:
            column = a if a.shape[1] == "1" else self.transpose(a)
            return Term(f"sp.DiagMatrix({column.text})", (column.shape[0], column.shape[0]))
        return Term(f"sp.DiagonalOf({a.text})", (a.shape[0], "1"))

    def eye(self, n: str) -> Term:
        return Term(f"sp.Identity({self.dimension(n)})", (n, n))

    def ones(self, shape: Shape) -> Term:
        return Term(f"sp.OneMatrix({', '.join(self.dimension(n) for n in shape)})", shape)

    def entry(self, a: Term, places: list[str | None]) -> Term:
        if self.manner == "entry" and None not in places:
            for name in places:
                self.lines.append(f'i_{name} = sp.Symbol("{name}", integer=True)')
            return Term(f"({a.text})[{', '.join(f'i_{name}' for name in places)}]", ())
        for k, name in enumerate(places):
            if name is not None:
                unit = self.variable(f"unit_{name}_{a.shape[k]}", (a.shape[k], "1"))
                a = self.matmul(self.transpose(unit), a) if k == 0 else self.matmul(a, unit)
        return a

    def derivative(self, a: Term, names: list[Term]) -> str:
        derivative = f"({a.text})" + "".join(f".diff({name.text})" for name in names)
        return f"({derivative}).{self.ending}()" if self.ending else derivative
