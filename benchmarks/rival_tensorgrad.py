"""tensorgrad's words: tensors with named edges, here "r" for rows and "c" for columns.

tensorgrad is under the AGPL. Nothing here imports it: what is written is the text of a program, which the interpreter
that has tensorgrad runs by itself.
"""

from __future__ import annotations

from fractions import Fraction

from rival_reader import CannotExpress, Shape, Term, Words, side_by_side

FUNCTIONS = {
    "sqrt": "F.sqrt({})",
    "step": "F.gt0({})",
    "softplus": "F.log(1 + F.exp({}))",
    "cosh": "(F.exp({0}) + F.exp(-({0})))/2",
    "sinh": "(F.exp({0}) - F.exp(-({0})))/2",
}
NATIVE = frozenset(["exp", "log", "tanh", "relu", "abs", "sign", "erf", "sigmoid", "gelu"])


def edges_of(shape: Shape) -> list[str]:
    return [edge for edge, side in zip("rc", shape, strict=False) if side != "1"]


class TensorgradWords(Words):
    def __init__(self) -> None:
        self.lines = ["from fractions import Fraction", "import tensorgrad as tg, tensorgrad.functions as F"]
        self.declared: set[str] = set()

    def dimension(self, name: str) -> str:
        text = "d_" + "".join(c if c.isalnum() or c == "_" else "_" for c in name)
        if name not in self.declared:
            self.declared.add(name)
            self.lines.append(f'{text} = tg.symbols("{name}")')
        return text

    def shaped(self, shape: Shape) -> str:
        named = zip("rc", shape, strict=False)
        return ", ".join(f"{edge}={self.dimension(side)}" for edge, side in named if side != "1")

    def variable(self, name: str, shape: Shape) -> Term:
        edges = self.shaped(shape)
        self.lines.append(f'v_{name} = tg.Variable("{name}"{", " + edges if edges else ""})')
        return Term(f"v_{name}", shape)

    def number(self, value: Fraction) -> Term:
        return Term(str(value) if value.denominator == 1 else f"Fraction({str(value)!r})", (), value)

    def size(self, name: str) -> Term:
        return Term(f"tg.Delta({self.dimension(name)})", ())

    def tensor(self, a: Term) -> str:
        return f"tg.Ones()*{a.text}" if a.value is not None else a.text

    # ------------------------------------------------------------ arithmetic
    def add(self, a: Term, b: Term) -> Term:
        return Term(f"({a.text} + {b.text})", side_by_side(a.shape, b.shape))

    def times(self, a: Term, b: Term) -> Term:
        return Term(f"({a.text})*({b.text})", side_by_side(a.shape, b.shape))

    def power(self, a: Term, exponent: Fraction) -> Term:
        return Term(f"F.pow({self.tensor(a)}, {self.number(exponent).text})", a.shape)

    def power_by(self, a: Term, exponent: Term) -> Term:
        """A real power needs a positive base anyway."""
        logarithm = f"F.log({self.tensor(a)})"
        return Term(f"F.exp(({exponent.text})*({logarithm}))", side_by_side(a.shape, exponent.shape))

    # ------------------------------------------------------------ matrices
    def matmul(self, a: Term, b: Term) -> Term:
        left, right = a.text, b.text
        if a.shape[1] != "1":
            left, right = f'({left}).rename(c="k")', f'({right}).rename(r="k")'
        shape = (a.shape[0], b.shape[1])
        return Term(f"({left} @ {right})", () if shape == ("1", "1") else shape)

    def transpose(self, a: Term) -> Term:
        swaps = ", ".join(f'{edge}="{"c" if edge == "r" else "r"}"' for edge in edges_of(a.shape))
        return Term(f"({a.text}).rename({swaps})", (a.shape[1], a.shape[0]))

    def total(self, a: Term, axis: int | None) -> Term:
        if not a.shape:
            return a
        left = () if axis is None else tuple("1" if k == axis else side for k, side in enumerate(a.shape))
        if axis is not None and a.shape[axis] == "1":
            return a
        where = "" if axis is None else f', "{"rc"[axis]}"'
        return Term(f"F.sum({a.text}{where})", () if set(left) == {"1"} else left)

    def largest(self, a: Term, axis: int | None) -> Term:
        if axis is None:
            return Term(f"F.max({a.text})", ())
        left = tuple("1" if k == axis else side for k, side in enumerate(a.shape))
        return Term(f'F.max({a.text}, "{"rc"[axis]}")', () if set(left) == {"1"} else left)

    def trace(self, a: Term) -> Term:
        return Term(f"F.trace({a.text})", ()) if a.shape else a

    def determinant(self, a: Term) -> Term:
        return Term(f"F.det({a.text})", ()) if a.shape else a

    def inverse(self, a: Term) -> Term:
        """Its inverse keeps the names of the edges, so rows and columns change places."""
        if not a.shape:
            return self.power(a, Fraction(-1))
        return Term(f'F.inverse({a.text}).rename(r="c", c="r")', a.shape)

    def each(self, name: str, a: Term) -> Term:
        if name not in FUNCTIONS and name not in NATIVE:
            raise CannotExpress(name)
        return Term(FUNCTIONS.get(name, f"F.{name}({{}})").format(self.tensor(a)), a.shape)

    def unknown(self, name: str, a: Term) -> Term:
        return Term(f'tg.function("{name}", {{}}, ({self.tensor(a)},))', a.shape)

    def diagonal(self, a: Term) -> Term:
        if "1" in a.shape:
            n = a.shape[0] if a.shape[1] == "1" else a.shape[1]
            return Term(f'F.diag({a.text}, ["r", "c"])', (n, n))
        return Term(f'F.diag({a.text}, ["r"])', (a.shape[0], "1"))

    def eye(self, n: str) -> Term:
        return Term(f'tg.Delta({self.dimension(n)}, "r", "c")', (n, n))

    def ones(self, shape: Shape) -> Term:
        return Term(f"tg.Ones({self.shaped(shape)})", shape)

    def entry(self, a: Term, places: list[str | None]) -> Term:
        for k, name in enumerate(places):
            if name is not None:
                unit = self.variable(f"unit_{name}_{a.shape[k]}", (a.shape[k], "1"))
                a = self.matmul(self.transpose(unit), a) if k == 0 else self.matmul(a, unit)
        return a

    def correlate(self, a: Term, kernel: Term) -> Term:
        text, shape = f"({a.text})", ["1", "1"]
        for k, edge in enumerate("rc"):
            if a.shape[k] == "1":
                continue
            shape[k] = f"{a.shape[k]}-{kernel.shape[k]}+1"
            whole, part, left = (self.dimension(n) for n in (a.shape[k], kernel.shape[k], shape[k]))
            text += f" @ F.Convolution({edge}={whole}, k{edge}={part}, n{edge}={left})"
        inner = ", ".join(f'{edge}="k{edge}"' for edge in edges_of(kernel.shape))
        outer = ", ".join(f'n{edge}="{edge}"' for edge in edges_of(kernel.shape))
        return Term(f"({text} @ ({kernel.text}).rename({inner})).rename({outer})", tuple(shape))

    def derivative(self, a: Term, names: list[Term]) -> str:
        text, edges = f"({a.text})", edges_of(a.shape)
        for mark, name in zip("xy", names, strict=False):
            new = {edge: mark + edge for edge in edges_of(name.shape)}
            text += f".grad({name.text}, new_names={new})"
            edges += new.values()
        return f"{text}.full_simplify(), {edges}"
