"""SymPy's answer as a graph. Runs inside SymPy's interpreter."""

from __future__ import annotations

import importlib
from typing import Any

from rival_graph import Graph, Node, Unevaluated

sp: Any = importlib.import_module("sympy")
FUNCTIONS = {"Abs": "abs", "re": "", "conjugate": "", "Heaviside": "step"}
KNOWN = frozenset(
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
        "step",
    ]
)


def nodes_of(answer: Any) -> list[Node]:
    reader = Expressions()
    return reader.graph.ending_in(reader.node(sp.sympify(answer)))


def rank_of(expression: Any) -> int:
    return len(expression.shape) if hasattr(expression, "shape") else 0


class Expressions:
    def __init__(self) -> None:
        self.graph = Graph()
        self.bound: dict[Any, int] = {}  # the variable of a function that is applied to each entry

    def node(self, e: Any) -> int:
        if e in self.bound:
            return self.bound[e]
        for kind in type(e).__mro__:
            if method := getattr(self, f"of_{kind.__name__}", None):
                return method(e)
        raise Unevaluated(f"{type(e).__name__} {str(e)[:80]}")

    def nodes(self, expressions: Any) -> list[int]:
        return [self.node(e) for e in expressions]

    # ------------------------------------------------------------ numbers
    def of_Rational(self, e: Any) -> int:
        return self.graph.add("number", str(e))

    def of_Float(self, e: Any) -> int:
        return self.graph.add("number", repr(float(e)))

    def of_NumberSymbol(self, e: Any) -> int:
        return self.graph.add("number", repr(float(e)))

    def of_Symbol(self, e: Any) -> int:
        return self.graph.add("size", e.name) if e.is_integer else self.graph.add("variable", e.name, 0)

    def of_Add(self, e: Any) -> int:
        return self.graph.add("add", *self.nodes(e.args))

    def of_Mul(self, e: Any) -> int:
        return self.graph.add("times", *self.nodes(e.args))

    def of_Pow(self, e: Any) -> int:
        return self.graph.add("power", *self.nodes(e.args))

    def of_Max(self, e: Any) -> int:
        if len(e.args) != 2 or 0 not in e.args:
            raise Unevaluated(str(e))
        return self.graph.add("call", "relu", self.node(next(a for a in e.args if a != 0)))

    def of_Function(self, e: Any) -> int:
        name = FUNCTIONS.get(e.func.__name__, e.func.__name__)
        undefined = isinstance(e, sp.core.function.AppliedUndef)
        inner = self.node(e.args[0])
        if not name:
            return inner
        if name not in KNOWN and not undefined:
            raise Unevaluated(name)
        return self.graph.add("call", name, inner)

    def of_Derivative(self, e: Any) -> int:
        """Only that of an unknown function of one variable is an answer."""
        inner = e.args[0]
        if not isinstance(inner, sp.core.function.AppliedUndef) or inner.args != tuple(e.variables[:1]):
            raise Unevaluated(f"Derivative({str(inner)[:60]})")
        return self.graph.add("call", inner.func.__name__ + "_prime" * len(e.variables), self.node(inner.args[0]))

    def of_Subs(self, e: Any) -> int:
        inner, names, values = e.args
        return self.within(dict(zip(names, self.nodes(values), strict=True)), inner)

    def within(self, bound: dict[Any, int], e: Any) -> int:
        kept, self.bound = self.bound, {**self.bound, **bound}
        try:
            return self.node(e)
        finally:
            self.bound = kept

    def of_MatrixElement(self, e: Any) -> int:
        return self.graph.add("entry", *self.nodes(e.args))

    def of_Trace(self, e: Any) -> int:
        return self.graph.einsum([self.node(e.arg)], [[0, 0]], [])

    def of_Determinant(self, e: Any) -> int:
        return self.graph.add("det", self.node(e.arg))

    # ------------------------------------------------------------ matrices
    def of_MatrixSymbol(self, e: Any) -> int:
        return self.graph.add("variable", e.name, 2)

    def of_MatAdd(self, e: Any) -> int:
        return self.graph.add("add", *self.nodes(e.args))

    def of_MatMul(self, e: Any) -> int:
        product = None
        numbers = [self.node(a) for a in e.args if not isinstance(a, sp.MatrixExpr)]
        for factor in (a for a in e.args if isinstance(a, sp.MatrixExpr)):
            node = self.node(factor)
            product = node if product is None else self.graph.einsum([product, node], [[0, 1], [1, 2]], [0, 2])
        return self.graph.add("times", *numbers, product) if numbers or product is None else product

    def of_MatPow(self, e: Any) -> int:
        base, exponent = e.args
        node = self.node(base)
        if base.shape == (1, 1):
            return self.graph.add("power", node, self.node(exponent))
        inverse = exponent == -1
        return self.graph.add("inverse", node) if inverse else self.graph.add("matpow", node, self.node(exponent))

    def of_Transpose(self, e: Any) -> int:
        return self.graph.einsum([self.node(e.arg)], [[0, 1]], [1, 0])

    def of_HadamardProduct(self, e: Any) -> int:
        return self.graph.add("times", *self.nodes(e.args))

    def of_HadamardPower(self, e: Any) -> int:
        return self.graph.add("power", *self.nodes(e.args))

    def of_KroneckerProduct(self, e: Any) -> int:
        first, *rest = self.nodes(e.args)
        for node in rest:
            first = self.graph.add("kron", first, node)
        return first

    def of_DiagMatrix(self, e: Any) -> int:
        return self.graph.add("diagonal", self.node(e.args[0]))

    def of_DiagonalOf(self, e: Any) -> int:
        return self.graph.add("diagonal_of", self.node(e.args[0]))

    def of_Identity(self, e: Any) -> int:
        return self.graph.add("eye", self.node(e.shape[0]))

    def of_OneMatrix(self, e: Any) -> int:
        return self.graph.add("ones", *self.nodes(e.shape))

    def of_ZeroMatrix(self, e: Any) -> int:
        return self.graph.add("zeros", *self.nodes(e.shape))

    of_OneArray, of_ZeroArray = of_OneMatrix, of_ZeroMatrix

    def of_ElementwiseApplyFunction(self, e: Any) -> int:
        return self.each(e.function, self.node(e.expr))

    of_ArrayElementwiseApplyFunc = of_ElementwiseApplyFunction

    def each(self, function: Any, node: int) -> int:
        variable = sp.Dummy("entry", real=True)
        return self.within({variable: node}, function(variable).doit())

    # ------------------------------------------------------------ arrays
    def of_ArrayAdd(self, e: Any) -> int:
        return self.graph.add("add", *self.nodes(e.args))

    def of_ArrayTensorProduct(self, e: Any) -> int:
        labels: list[list[int]] = []
        start, single = 0, []
        for part in e.args:
            labels.append(list(range(start, start + rank_of(part))))
            single += [start + k for k, size in enumerate(getattr(part, "shape", ())) if size == 1]
            start += rank_of(part)
        one = [self.graph.add("ones", self.graph.add("number", "1"))] * len(single)  # says which axes have length 1
        return self.graph.einsum([*self.nodes(e.args), *one], [*labels, *([k] for k in single)], list(range(start)))

    def of_ArrayContraction(self, e: Any) -> int:
        names, groups = self.joined(e.expr, e.contraction_indices)
        return self.graph.einsum([self.node(e.expr)], [names], [n for n in range(len(names)) if n not in groups])

    def of_ArrayDiagonal(self, e: Any) -> int:
        """Axes on a diagonal become one, and stand last."""
        names, groups = self.joined(e.expr, e.diagonal_indices)
        out = [n for n in range(len(names)) if n not in groups] + [int(group[0]) for group in e.diagonal_indices]
        return self.graph.einsum([self.node(e.expr)], [names], out)

    def joined(self, inner: Any, groups: Any) -> tuple[list[int], set[int]]:
        """A label for each axis, one for those that a group joins; and all axes that are in a group."""
        names = list(range(rank_of(inner)))
        for group in groups:
            for axis in group:
                names[int(axis)] = int(group[0])
        return names, {int(axis) for group in groups for axis in group}

    def of_PermuteDims(self, e: Any) -> int:
        order = [int(axis) for axis in e.permutation.array_form]
        return self.graph.einsum([self.node(e.expr)], [list(range(len(order)))], order)

    def of_Reshape(self, e: Any) -> int:
        return self.graph.add("reshape", self.node(e.expr), *self.nodes(e.shape))
