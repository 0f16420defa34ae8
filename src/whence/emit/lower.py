"""Formulas to the graph of array operations: what the language means, in terms of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from whence.emit.built_in import STRUCTURES
from whence.emit.chains import Chains
from whence.emit.graph import ONE, Graph, Node, Shape, broadcast, pairs
from whence.emit.stable import simplified_call, with_reflections
from whence.expr.build import derivative_order, parsed
from whence.messages.errors import RuleError
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import CONSTANTS, TABLE
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
from whence.shapes.dims import Dim
from whence.shapes.forward import Scope, Walk, dim_of

ROOT = Fraction(1, 2)


class Lowering:
    """Turns formulas over one model into nodes. `shapes` are those of the inputs."""

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        dims: Iterable[str],
        functions: Iterable[str] = (),
        defined: Mapping[str, Function] | None = None,
        facts: Mapping[str, frozenset[str]] | None = None,
        sizes: Mapping[str, int] | None = None,
        steady: bool = False,
        places: frozenset[str] = frozenset(),
    ) -> None:
        """`places` are the names of indices.

        `steady`: functions of whole arrays in other words, for a back end that has no text for them.
        """
        self.steady, self.places = steady, places
        self.graph = Graph()
        self.dims = frozenset(dims)
        self.functions = tuple(functions)
        self.defined = dict(defined or {})
        self.facts = facts or {}
        self.chains = Chains(self.graph, sizes or {}, self.facts)
        self.chains.apart = steady
        self.names: dict[str, Node] = {n: self.input(n, s) for n, s in shapes.items()}
        self.indices: dict[str, Node] = {}  # names that stand for a place, met on the way
        self._axis: tuple[int, ...] | None = None
        self._word = ""

    def input(self, name: str, shape: Shape) -> Node:
        """The node of a value that is given."""
        scalar = len(shape) == 2 and all(d == ONE for d in shape)
        return self.graph.node("input", (), () if scalar else shape, name)

    def define(self, name: str, tree: Expr) -> Node:
        """The node of a formula, which the code will call by this name."""
        node = self.lower(tree)
        if node.kind not in ("input", "number", "size", "constant"):
            self.graph.named.setdefault(node, name)
        self.names[name] = node
        return node

    # ------------------------------------------------------------ the language
    def lower(self, tree: Expr) -> Node:
        """The node of a formula."""
        match tree:
            case Number(value=v):
                return self.graph.number(v)
            case Name(id=name):
                return self._name(name)
            case Binary(operator="@"):
                return self._matmul(tree)
            case Binary(operator="+" | "-"):
                return self._sum(tree)
            case Binary(operator="**", left=base, right=exponent):
                return self._power(base, exponent)
            case Binary(operator="*" | "/"):
                return self._product(tree)
            case Negative(operand=inner):
                node = self.lower(inner)
                return self.graph.scaled(Fraction(-1), node)
            case Compare(operator=op, left=left, right=right):
                nodes = self.fit([self.lower(left), self.lower(right)])
                return self.graph.node("compare", nodes, broadcast([n.shape for n in nodes]), op)
            case Transpose(operand=inner):
                return self.graph.transposed(self.lower(inner))
            case Call():
                return self._call(tree)
            case Index():
                return self._index(tree)
        raise RuleError("outside-scope", found=type(tree).__name__.lower())

    def _name(self, name: str) -> Node:
        if name in self.names:
            return self.names[name]
        if name in self.dims:
            return self.graph.size(Dim.symbol(name))
        if name in CONSTANTS:
            return self.graph.node("constant", (), (), name)
        if name not in self.places:
            raise RuleError("outside-scope", found=f"code with the name {name}")
        return self.indices.setdefault(name, self.graph.node("input", (), (), name))

    def fit(self, nodes: Sequence[Node]) -> list[Node]:
        """Operands as NumPy broadcasts them: a column that meets a tensor counts as its last axis."""
        if max(len(n.shape) for n in nodes) < 3:
            return list(nodes)
        return [self.graph.transposed(n) if n.column else n for n in nodes]

    def _sum(self, tree: Binary) -> Node:
        terms: list[tuple[Fraction, Node]] = []
        sign, node = Fraction(1), tree
        while isinstance(node, Binary) and node.operator in "+-":
            terms.append((Fraction(-1 if node.operator == "-" else 1), self.lower(node.right)))
            node = node.left
        terms.append((sign, self.lower(node)))
        terms.reverse()
        nodes = self.fit([n for _, n in terms])
        shape = broadcast([n.shape for n in nodes])
        signed = list(zip((c for c, _ in terms), nodes, strict=True))
        return self.graph.add(with_reflections(self.graph, self._common_factors(signed)), shape)

    def _common_factors(self, terms: list[tuple[Fraction, Node]]) -> list[tuple[Fraction, Node]]:
        """X.T @ a - X.T @ b as X.T @ (a - b), where neither product has a name."""
        g = self.graph
        out: list[tuple[Fraction, Node]] = []
        for c, node in terms:
            k, factors = (node.data[0], pairs(node)) if node.kind == "product" else (Fraction(1), [(node, Fraction(1))])
            inner = factors[0][0] if len(factors) == 1 and factors[0][1] == 1 else node
            c, node = (c * k, inner) if inner is not node else (c, node)
            for at, (d, other) in enumerate(out):
                merged = self._merged(c, node, d, other)
                if merged is not None:
                    out[at] = (Fraction(1), merged)
                    break
            else:
                out.append((c, node))
        return out if len(out) < len(terms) else [(c, n) for c, n in terms if n is not g]

    def _merged(self, c: Fraction, node: Node, d: Fraction, other: Node) -> Node | None:
        g = self.graph
        if node.kind != "matmul" or other.kind != "matmul" or node is other or {node, other} & g.named.keys():
            return None
        (a, b), (p, q) = node.inputs, other.inputs
        if a is p and b.shape == q.shape:
            return self.chains.product([a, g.add([(d, q), (c, b)], b.shape)])
        if b is q and a.shape == p.shape:
            return self.chains.product([g.add([(d, p), (c, a)], a.shape), b])
        return None

    def _product(self, tree: Binary) -> Node:
        """A run of * and /; within it @ binds alike, so it ends there."""
        factors: list[tuple[Node, Fraction]] = []
        node: Expr = tree
        while isinstance(node, Binary) and node.operator in "*/":
            right = self.lower(node.right)
            factors.append((right, Fraction(-1 if node.operator == "/" else 1)))
            node = node.left
        factors.append((self.lower(node), Fraction(1)))
        factors.reverse()
        return self.multiplied(factors)

    def multiplied(self, factors: Sequence[tuple[Node, Fraction]]) -> Node:
        """The product entry by entry."""
        nodes = self.fit([n for n, _ in factors])
        shape = broadcast([n.shape for n in nodes])
        return self.graph.multiply(Fraction(1), zip(nodes, (e for _, e in factors), strict=True), shape)

    def _power(self, base: Expr, exponent: Expr) -> Node:
        node, power = self.lower(base), self.lower(exponent)
        value = _number(power)
        if value is not None and abs(value) <= 64:
            return self.graph.power(node, value)
        nodes = self.fit([node, power])
        entry = next(op for op in TABLE.values() if op.structure == "power")
        return self.graph.node("call", nodes, broadcast([n.shape for n in nodes]), (entry.name, None, ()))

    def _matmul(self, tree: Binary) -> Node:
        factors: list[Expr] = []
        node: Expr = tree
        while isinstance(node, Binary) and node.operator == "@":
            factors.append(node.right)
            node = node.left
        factors.append(node)
        return self.matmul([self.lower(f) for f in reversed(factors)])

    def matmul(self, nodes: Sequence[Node]) -> Node:
        """The matrix product; of tensors that of the last two axes, batch by batch."""
        if max(len(n.shape) for n in nodes) < 3:
            return self.chains.product(nodes)
        g, out = self.graph, nodes[0]
        for node in nodes[1:]:
            if out.scalar or node.scalar:
                out = self.multiplied([(out, Fraction(1)), (node, Fraction(1))])
                continue
            if max(len(out.shape), len(node.shape)) < 3:
                out = self.chains.product([out, node])
                continue
            shape = (*broadcast([out.shape[:-2], node.shape[:-2]]), out.shape[-2], node.shape[-1])
            out = g.node("matmul", [out, node], shape)
        return out

    # ------------------------------------------------------------ calls
    def _call(self, tree: Call) -> Node:
        name = tree.name
        if name in self.defined:
            return self._defined(self.defined[name], tree)
        if name in TABLE and name not in self.functions:
            return self._known(TABLE[name], tree)
        base, order = derivative_order(name, _Functions(frozenset(self.functions)))  # type: ignore[arg-type]
        if base in TABLE and base not in self.functions and order == 1:
            return self._slope(TABLE[base], self.lower(tree.arguments[0]))
        argument = self.lower(tree.arguments[0])
        return self.graph.node("unknown", [argument], argument.shape, name)

    def _defined(self, function: Function, tree: Call) -> Node:
        return self.text(function.body, {function.parameter: self.lower(tree.arguments[0])})

    def _slope(self, op: Op, argument: Node) -> Node:
        """The derivative of a known elementwise function."""
        if op.zero:
            return self.graph.filled(Fraction(0), argument.shape)
        value = self.function(op, [argument])
        return self.text(op.differential, {"X": argument, "Y": value, "δX": self.graph.number(1)})

    def text(
        self, text: str | Expr, names: Mapping[str, Node], axis: tuple[int, ...] | None = None, word: str = ""
    ) -> Node:
        """A text of the table, with its letters standing for these nodes."""
        kept = self.names, self._axis, self._word
        self.names, self._axis, self._word = dict(names), axis, word
        try:
            return self.lower(parsed(text) if isinstance(text, str) else text)
        finally:
            self.names, self._axis, self._word = kept

    def _known(self, op: Op, tree: Call) -> Node:
        """A function of the table: its arguments by their kinds, and what is simpler than a call."""
        parameters = signature(op).ways[0].parameters
        kinds = [parameters[min(k, len(parameters) - 1)].kind for k in range(len(tree.arguments))]
        arrays = [self.lower(a) for a, k in zip(tree.arguments, kinds, strict=True) if k == "array"]
        words = tuple(self._literal(a, k) for a, k in zip(tree.arguments, kinds, strict=True) if k != "array")
        axis = self._axes(tree, arrays[0].shape if arrays else ())
        if op.expands:
            letters = [p.name for p in parameters if p.kind == "array"]
            return self.text(op.expands, dict(zip(letters, arrays, strict=True)), axis)
        return self.function(op, arrays, axis, words)

    def _literal(self, tree: Expr, kind: str) -> object:
        match kind:
            case "size":
                size = dim_of(tree, self.dims)
                assert size is not None
                return size
            case "integer":
                return int(dim_of(tree, frozenset()).number or 0)  # type: ignore[union-attr]  # shapes/ has checked it
            case "name":
                assert isinstance(tree, Name)
                return self._word if tree.id == "F" and self._word else tree.id
            case "letters":
                assert isinstance(tree, Text)
                return tree.value.replace(" ", "")
        assert isinstance(tree, Tuple)
        return tuple(int(item.value) for item in tree.items if isinstance(item, Number))

    def _axes(self, tree: Call, shape: Shape) -> tuple[int, ...] | None:
        given = next((value for keyword, value in tree.keywords if keyword == "axis"), None)
        if given is None:
            default = signature(TABLE[tree.name]).axis_default
            return None if default is None else (default,)
        if isinstance(given, Name):
            return self._axis
        items = given.items if isinstance(given, Tuple) else (given,)
        rank = max(len(shape), 2)
        axes = [dim_of(item, frozenset()) for item in items]
        return tuple((a.number or 0) % rank for a in axes if a is not None)

    def function(self, op: Op, arrays: Sequence[Node], axis: tuple[int, ...] | None = None, words: tuple = ()) -> Node:
        """A function applied to nodes."""
        if op.kind == "elementwise":
            arrays = self.fit(arrays)
            shape = broadcast([a.shape for a in arrays])
            simpler = simplified_call(self, op, arrays)
            return simpler or self.graph.node("call", arrays, shape, (op.name, None, ()))
        built_in = STRUCTURES.get(op.structure) if op.structure else None
        if built_in is not None:
            made = built_in(self, arrays, axis, words)
            if made is not None:
                return made
        if (
            words
            and not op.structure
            and TABLE[words[0]].differential
            and not _speaks_of(TABLE[words[0]].differential, op)
        ):
            f = TABLE[words[0]]  # the change of this function has words of its own
            value = self.function(f, arrays[:1])
            return self.text(f.differential, {"X": arrays[0], "Y": value, "δX": arrays[1]})
        if self.steady and op.steady:
            return self.text(op.steady, {"X": arrays[0]}, axis)
        if op.of_number and arrays[0].scalar:
            letters = [p.name for p in signature(op).ways[0].parameters if p.kind == "array"]
            return self.text(op.of_number, dict(zip(letters, arrays, strict=True)))
        turned = len(arrays) == 1 and arrays[0].kind == "transpose" and len(arrays[0].shape) == 2
        if op.transposes and turned and axis is None:  # inv(X.T) is inv(X).T: one factorisation serves both
            inner = self.function(op, arrays[0].inputs, None, words)
            return inner if op.transposes == "invariant" else self.graph.transposed(inner)
        shape = self._shape(op, arrays, axis, words)
        if op.structure and arrays and arrays[0].scalar and not shape and op.of_one:
            return arrays[0]
        if not shape and axis is not None:
            axis = None  # along an axis of a vector is the whole of it
        return self.graph.node("call", arrays, shape, (op.name, axis, words))

    def _shape(self, op: Op, arrays: Sequence[Node], axis: tuple[int, ...] | None, words: tuple) -> Shape:
        """The shape of the value, by the entry's own notation."""
        names = {f"a{k}": a.shape for k, a in enumerate(arrays)}
        arguments: list[Expr] = [Name(n) for n in names]
        parameters = signature(op).ways[0].parameters
        words_left = list(words)
        given = [arguments.pop(0) if p.kind == "array" and arguments else _word(words_left.pop(0)) for p in parameters]
        given += arguments + [_word(w) for w in words_left]
        keywords: tuple[tuple[str, Expr], ...] = ()
        if axis is not None and signature(op).axis:
            numbers = tuple(Number(Fraction(a)) for a in axis)
            keywords = (("axis", Tuple(numbers) if len(axis) > 1 else numbers[0]),)
        scope = Scope(names, self.dims, frozenset(), self.functions, {})
        shape = Walk(scope, 0).shape(Call(op.name, tuple(given), keywords))
        return () if len(shape) == 2 and all(d == ONE for d in shape) else shape

    # ------------------------------------------------------------ indices
    def _index(self, tree: Index) -> Node:
        node = self.lower(tree.operand)
        places, full = list(tree.places), node.shape or (ONE, ONE)
        if len(places) == 1 and len(full) == 2:
            whole = Range() if isinstance(places[0], Range) else Number(Fraction(0))
            places = [places[0], whole] if full[1] == ONE else [whole, places[0]]
        keep = len(full) == 2 and any(isinstance(p, Range) for p in places)
        inputs, data, sizes = [node], [], []
        for place, size in zip(places, full, strict=True):
            if isinstance(place, Range):
                low, high = self._bound(place.low, size), self._bound(place.high, size)
                data.append((low, high))
                sizes.append((high if high is not None else size) - (low if low is not None else Dim.parse(0)))
                continue
            inputs.append(self.lower(place))
            data.append("kept" if keep else "gone")
            sizes.append(ONE if keep else None)
        shape = tuple(s for s in sizes if s is not None)
        if len(full) > 2 and len(shape) == 1:
            shape = (*shape, ONE)
        if all(d == ONE for d in shape) and len(shape) < 3:
            shape = ()
        if node.scalar:
            return node
        return self.graph.node("index", inputs, shape, tuple(data))

    def _bound(self, tree: Expr | None, size: Dim) -> Dim | None:
        if tree is None:
            return None
        found = dim_of(tree, self.dims)
        assert found is not None
        return found + size if found.terms and all(c < 0 for _, c in found.terms) else found


class _Functions:
    """What `derivative_order` asks of a scope."""

    def __init__(self, functions: frozenset[str]) -> None:
        self.functions = functions


def _speaks_of(text: str, op: Op) -> bool:
    return f"{op.name}(" in text


def _word(word: object) -> Expr:
    if isinstance(word, Dim):
        return parsed(str(word))
    if isinstance(word, int):
        return Negative(Number(Fraction(-word))) if word < 0 else Number(Fraction(word))
    if isinstance(word, tuple):
        return Tuple(tuple(Number(Fraction(k)) for k in word))
    return Text(str(word)) if "->" in str(word) else Name(str(word))


def _number(node: Node) -> Fraction | None:
    """The number that a node is, whatever the inputs."""
    if node.kind == "number":
        return node.data
    if node.kind == "product" and all(n.kind == "number" for n in node.inputs):
        return node.data[0]
    return None
