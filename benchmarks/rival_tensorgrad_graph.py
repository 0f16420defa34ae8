"""tensorgrad's answer as a graph. Runs inside tensorgrad's interpreter, and knows its tensors by their names only."""

from __future__ import annotations

from typing import Any

from rival_graph import Graph, Node, Unevaluated

ELEMENTWISE = frozenset(["exp", "log", "tanh", "relu", "abs", "sign", "erf", "gt0"])
Piece = tuple[int, list[str]]  # a node and the names of its axes


def nodes_of(answer: tuple[Any, list[str]]) -> list[Node]:
    tensor, order = answer
    reader = Tensors()
    node, edges = reader.piece(tensor)
    return reader.graph.ending_in(reader.ordered(node, edges, order))


class Tensors:
    def __init__(self) -> None:
        self.graph = Graph()
        self.known: dict[int, Piece] = {}

    def piece(self, tensor: Any) -> Piece:
        if id(tensor) not in self.known:
            method = getattr(self, f"of_{type(tensor).__name__}", None)
            if method is None:
                raise Unevaluated(type(tensor).__name__)
            self.known[id(tensor)] = method(tensor)
        return self.known[id(tensor)]

    def ordered(self, node: int, edges: list[str], order: list[str]) -> int:
        if sorted(edges) != sorted(order):
            raise Unevaluated(f"edges {edges} for {order}")
        return self.graph.einsum([node], [[edges.index(e) for e in edges]], [edges.index(e) for e in order])

    def size(self, symbol: Any) -> int:
        return self.graph.add("size", str(symbol))

    def of_Variable(self, tensor: Any) -> Piece:
        edges = [e for e in ("r", "c") if e in tensor.shape]
        return self.graph.add("variable", tensor.name, len(edges)), edges

    def of_Rename(self, tensor: Any) -> Piece:
        node, edges = self.piece(tensor.tensor)
        return node, [tensor.mapping.get(e, e) for e in edges]

    def of_Delta(self, tensor: Any) -> Piece:
        edges = list(tensor.edges)
        return self.graph.add("delta", self.size(tensor.size), len(edges)), edges

    def of_Zero(self, tensor: Any) -> Piece:
        edges = list(tensor.edges)
        return self.graph.add("zeros", *(self.size(tensor.shape[e]) for e in edges)), edges

    def of_Convolution(self, tensor: Any) -> Piece:
        edges = [tensor.input_name, tensor.kernel_name, tensor.output_name]
        return self.graph.add("shift", *(self.size(tensor.shape[e]) for e in edges)), edges

    def of_Product(self, tensor: Any) -> Piece:
        if not tensor.factors:
            return self.graph.add("number", "1"), []
        pieces = [self.piece(t) for t in tensor.factors]
        labels = {e: k for k, e in enumerate(dict.fromkeys(e for _, edges in pieces for e in edges))}
        out = list(tensor.edges)
        groups = [[labels[e] for e in edges] for _, edges in pieces]
        return self.graph.einsum([node for node, _ in pieces], groups, [labels[e] for e in out]), out

    def of_Sum(self, tensor: Any) -> Piece:
        out = list(tensor.edges)
        terms = []
        for weight, term in zip(tensor.weights, tensor.terms, strict=True):
            node = self.ordered(*self.piece(term), out)
            weighted = self.graph.add("times", self.graph.add("number", str(weight)), node)
            terms.append(node if weight == 1 else weighted)
        if not terms:
            return self.graph.add("zeros", *(self.size(tensor.shape[e]) for e in out)), out
        return (terms[0] if len(terms) == 1 else self.graph.add("add", *terms)), out

    def of_Function(self, tensor: Any) -> Piece:
        if len(tensor.inputs) != 1:
            raise Unevaluated(tensor.signature.name)
        node, edges = self.piece(tensor.inputs[0])
        return self.applied(tensor.signature, node, edges)

    def applied(self, signature: Any, node: int, edges: list[str]) -> Piece:
        name, kind, add = signature.name, type(signature).__name__, self.graph.add
        if kind == "_PowerFunction":
            return add("power", node, add("number", str(signature.k))), edges
        if kind == "_ScaleFunction":
            inner, edges = self.applied(signature.inner, node, edges)
            return add("times", add("number", str(signature.alpha)), inner), edges
        if name == "inv" and len(edges) == 2:  # the transposed inverse: equal names cancel
            return add("einsum", [[0, 1]], [1, 0], add("inverse", node)), edges
        if name == "det" and len(edges) == 2:
            return add("det", node), []
        if name in ("max", "max-grad"):
            axes = [k for k, e in enumerate(edges) if e in signature.inputs[0]]
            if name == "max-grad":
                return add("max_mask", node, axes), edges
            return add("max", node, axes), [e for k, e in enumerate(edges) if k not in axes]
        if name in ELEMENTWISE:
            return add("call", "step" if name == "gt0" else name, node), edges
        order = name.count("D_0")
        plain = name.replace("D_0", "")
        if kind == "FunctionSignature" and plain.isidentifier():  # an unknown function and its derivatives
            return add("call", plain + "_prime" * order, node), edges
        raise Unevaluated(name)
