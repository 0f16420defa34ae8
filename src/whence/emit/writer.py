"""Nodes as text in an array library: NumPy, JAX or PyTorch. What differs between them is a class each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from whence.emit.graph import ONE, Node, pairs
from whence.emit.plan import is_python_number
from whence.ops.entry import Op
from whence.ops.signature import signature
from whence.ops.table import TABLE, structured_by
from whence.shapes.dims import Dim

_SUM, _PRODUCT, _MINUS, _POWER, _OPERAND = range(1, 6)  # how tightly a text binds
_PLACE = re.compile(r"\{(\w+)\}")

Piece = tuple[str, int]


class Writer:
    """Writes nodes; those in `called` by their names. `like` is an array whose element type new arrays take."""

    end = "numpy"
    library = "np"
    imports = ("import numpy as np",)

    def __init__(self, called: Mapping[Node, str], names: Mapping[str, str], like: str) -> None:
        self.called, self.names, self.like = called, names, like
        self.helpers: dict[str, str] = {}  # definitions that the text relies on

    # ------------------------------------------------------------ what differs between the libraries
    def text_of(self, op: Op) -> str:
        return getattr(op, self.end)

    def as_floats(self, text: str, node: Node) -> str:
        """A comparison as zeros and ones."""
        return f"({text}).astype({self.like}.dtype)" if self.like else f"1.0*({text})"

    def dot(self, a: str, b: str) -> str:
        return f"{self.library}.vdot({a}, {b})"

    def swapped(self, text: str) -> str:
        return f"{self.library}.swapaxes({text}, -1, -2)"

    def of_number(self, text: str) -> str:
        """A number made of sizes, as an argument of a function of arrays."""
        return text

    def beside_arrays(self, text: str) -> str:
        """A literal as one of several arguments of which others are arrays."""
        return text

    # ------------------------------------------------------------ nodes
    def line(self, node: Node) -> str:
        """The right side of the line on which this node stands."""
        return self._own(node)[0]

    def text(self, node: Node) -> str:
        return self.piece(node)[0]

    def piece(self, node: Node) -> Piece:
        if node in self.called:
            return self.called[node], _OPERAND
        return self._own(node)

    def at_least(self, binding: int, node: Node) -> str:
        text, own = self.piece(node)
        return text if own >= binding else f"({text})"

    def _own(self, node: Node) -> Piece:
        return getattr(self, "_" + node.kind)(node)

    def _input(self, node: Node) -> Piece:
        return self.names[node.data], _OPERAND

    def _number(self, node: Node) -> Piece:
        return _decimal(node.data)

    def _size(self, node: Node) -> Piece:
        return self.size(node.data)

    def size(self, size: Dim) -> Piece:
        """A dimension expression over the names of the code."""
        text = re.sub(r"[^\W\d]\w*", lambda m: self.names[m.group()], str(size))
        return text, _OPERAND if text.isalnum() or text.isidentifier() else _SUM

    def _constant(self, node: Node) -> Piece:
        return f"{self.library}.{node.data}", _OPERAND

    def _sum(self, node: Node) -> Piece:
        out = ""
        for c, term in zip(node.data, node.inputs, strict=True):
            if term.kind == "number":
                text = _decimal(abs(c) * term.data)[0]
            elif abs(c) == 1:
                text = self.at_least(_PRODUCT, term)
            else:
                text = self._scaled(abs(c), term)
            sign = "-" if c < 0 else "+"
            out += (f" {sign} " if out else sign.strip("+")) + text
        return out, _SUM

    def _scaled(self, c: Fraction, term: Node) -> str:
        return self._fraction([_number_factor(c)], [(term, Fraction(1))])[0]

    def _product(self, node: Node) -> Piece:
        factors = pairs(node)
        c = node.data[0]
        text, binding = self._fraction([_number_factor(abs(c))] if abs(c) != 1 else [], factors)
        return (("-" + text, _MINUS if binding >= _MINUS else _PRODUCT)) if c < 0 else (text, binding)

    def _fraction(self, numbers: list[tuple[int, int]], factors: list[tuple[Node, Fraction]]) -> Piece:
        """A product and quotient: what is one number first, then the arrays."""
        top = [str(n) for n, _ in numbers if n != 1]
        bottom = [str(d) for _, d in numbers if d != 1]
        if numbers and numbers[0][1] in (2, 4, 8, 5, 10, 20, 100):  # as a decimal
            top, bottom = [_decimal(Fraction(*numbers[0]))[0]], []
        arrays_top: list[str] = []
        arrays_bottom: list[str] = []
        for n, e in factors:
            up, down = (top, bottom) if n.scalar else (arrays_top, arrays_bottom)
            (up if e > 0 else down).append(self._raised(n, abs(e), alone=len(factors) == 1 and not numbers))
        if not top and len(bottom) == 1 and arrays_top:
            arrays_bottom.append(bottom.pop())
        number = _over(top, bottom) if top or bottom else ""
        if not arrays_top and not arrays_bottom:
            return number, _OPERAND if len(top) == 1 and not bottom else _PRODUCT
        first = [number] if number else []
        text = _over([*first, *arrays_top], arrays_bottom)
        single = len(first) + len(arrays_top) == 1 and not arrays_bottom
        return text, _POWER if single and text.count("**") else _PRODUCT

    def _raised(self, node: Node, e: Fraction, alone: bool = False) -> str:
        """A factor with a positive exponent, as an operand of a product."""
        if e == 1:
            if node.kind == "compare" and not alone and node not in self.called:
                return f"({self._comparison(node)})"
            text, own = self.piece(node)
            return text if own > _PRODUCT else f"({text})"
        half = Fraction(1, 2)
        if e == half and not is_python_number(node):
            return self._root(node)
        if e.denominator == 2 and not is_python_number(node) and e > 1:
            return f"{self._raised(node, e - half)}*{self._root(node)}"
        base = self.at_least(_OPERAND, node)
        if e == 3 and node.scalar is False:
            return f"{base}*{base}*{base}" if base.isidentifier() else f"{base}**3"
        power = str(e) if e.denominator == 1 else _decimal(e)[0]
        return f"{base}**{power}" if "/" not in power else f"{base}**({power})"

    def _root(self, node: Node) -> str:
        op = next(op for op in TABLE.values() if op.role == "root")
        return self.filled(self.text_of(op), {"X": self.piece(node)}, op)

    def _comparison(self, node: Node) -> str:
        a, b = node.inputs
        return f"{self.at_least(_SUM, a)} {node.data} {self.at_least(_SUM, b)}"

    def _compare(self, node: Node) -> Piece:
        return self.as_floats(self._comparison(node), node), _OPERAND

    def _matmul(self, node: Node) -> Piece:
        a, b = node.inputs
        left, own = self.piece(a)
        if own < _PRODUCT or (own == _PRODUCT and a.kind != "matmul") or own == _MINUS:
            left = f"({left})"
        right, own = self.piece(b)
        return f"{left} @ {right if own > _MINUS else f'({right})'}", _PRODUCT

    def _transpose(self, node: Node) -> Piece:
        inner = node.inputs[0]
        rank = len(node.shape)
        if rank == 2:
            return self.at_least(_OPERAND, inner) + ".T", _OPERAND
        if node.data == (*range(rank - 2), rank - 1, rank - 2):
            return self.swapped(self.text(inner)), _OPERAND
        op = structured_by("transpose")
        return self.filled(
            self.text_of(op), {"X": self.piece(inner), "order": (str(node.data), _OPERAND)}, op
        ), _OPERAND

    def _dot(self, node: Node) -> Piece:
        a, b = (self.text(n) for n in node.inputs)
        return self.dot(a, b), _OPERAND

    def _axes(self, node: Node) -> Piece:
        inner, places = node.inputs[0], list(node.data)
        out: list[str] = []
        for axis in range(len(inner.shape)):
            while places and places[0] is None:
                out.append("None")
                places.pop(0)
            if places and places[0] == axis:
                out.append(":")
                places.pop(0)
            else:
                out.append("0")
        out += ["None"] * len(places)
        return f"{self.at_least(_OPERAND, inner)}[{', '.join(out)}]", _OPERAND

    def _reshape(self, node: Node) -> Piece:
        op = structured_by("reshape")
        return self.filled(
            self.text_of(op), {"X": self.piece(node.inputs[0]), "sizes": self.sizes(node.shape)}, op
        ), _OPERAND

    def sizes(self, shape: tuple[Dim, ...]) -> Piece:
        return ", ".join(self.size(d)[0] for d in shape) + ("," if len(shape) == 1 else ""), _OPERAND

    def _index(self, node: Node) -> Piece:
        operand, *at = node.inputs
        places: list[str] = []
        for place in node.data:
            if isinstance(place, tuple):
                low, high = ("" if b is None else self.size(b)[0] for b in place)
                places.append(f"{low}:{high}")
            elif place == "gone":
                places.append(self.text(at.pop(0)))
            else:
                places.append(self._kept(at.pop(0)))
        text = f"{self.at_least(_OPERAND, operand)}[{', '.join(places)}]"
        ranges = [p for p in node.data if isinstance(p, tuple)]
        if len(operand.shape) > 2 and len(ranges) == 1:
            return text + "[:, None]", _OPERAND
        return self._as_number(text, node) if ranges and node.scalar else text, _OPERAND

    def _kept(self, node: Node) -> str:
        """An index that keeps its axis, of length 1."""
        text = self.at_least(_SUM, node)
        if text == "-1":
            return "-1:"
        return f"{text}:{int(text) + 1}" if text.lstrip("-").isdigit() else f"{text}:{text} + 1"

    def _as_number(self, text: str, node: Node) -> str:
        return f"{text}.reshape(())" if node.scalar else text

    def _unknown(self, node: Node) -> Piece:
        return f"{self.names[node.data]}({self.text(node.inputs[0])})", _OPERAND

    def _factor(self, node: Node) -> Piece:
        op = next(op for op in TABLE.values() if op.role == "solution")
        return self.filled(
            op.factored[f"{self.end} {node.data} factor"], {"A": self.piece(node.inputs[0])}, op
        ), _OPERAND

    def _factored(self, node: Node) -> Piece:
        name, which, turned = node.data
        op = TABLE[name]
        key = f"{self.end} {which}" + (" transposed" if turned else "")
        values = {"F": self.piece(node.inputs[0])}
        if len(node.inputs) > 1:
            values["B"] = self.piece(node.inputs[1])
        if f"{self.end} {which}" in op.helpers:
            self.helpers[op.helpers[f"{self.end} {which}"]] = ""
        text = self.filled(op.factored[key], values, op, key)
        return text, _OPERAND if "*" not in _outside_brackets(text) else _PRODUCT

    # ------------------------------------------------------------ calls
    def _call(self, node: Node) -> Piece:
        name, axis, words = node.data
        op = TABLE[name]
        template = self.text_of(op)
        if signature(op).axis == "several" and op.gives == "axis" and axis is None:
            template = op.whole[self.end]
        values = self._arguments(op, node)
        text = self.filled(template, values, op)
        if op.gives == "[...]" and len(node.inputs[0].shape) > 2:
            text = f"{text}[..., None, None]"
        elif node.scalar and op.kind != "elementwise" and self._gives_an_array(op, axis):
            text = self._as_number(text, node)
        return text, _OPERAND if not text.startswith("-") else _MINUS

    def _gives_an_array(self, op: Op, axis: tuple[int, ...] | None) -> bool:
        return not (op.gives in ("[]", "[...]") or op.gives == "axis" and axis is None)

    def _arguments(self, op: Op, node: Node) -> dict[str, Piece]:
        name, axis, words = node.data
        parameters = signature(op).ways[0].parameters
        values: dict[str, Piece] = {}
        arrays = [p.name for p in parameters if p.kind == "array"]
        pieces = [self._argument(op, n, node) for n in node.inputs]
        if op.structure in ("eye", "ones", "zeros"):
            sizes = [self.text(n) for n in node.inputs]
            return {"n": (sizes[0], _SUM), "sizes": (", ".join(sizes), _OPERAND)}
        if len(arrays) < len(pieces):
            values[arrays[-1]] = ", ".join(t for t, _ in pieces), _OPERAND
        else:
            values |= dict(zip(arrays, pieces, strict=True))
        others = [p for p in parameters if p.kind != "array"]
        for parameter, word in zip(others, words, strict=False):
            values[parameter.name] = self._word(parameter.kind, word)
        if axis is not None:
            values["axis"] = (str(axis[0]) if len(axis) == 1 else str(axis)), _OPERAND
        else:
            values["axis"] = "None", _OPERAND
        return values

    def _argument(self, op: Op, argument: Node, call: Node) -> Piece:
        if op.kind == "elementwise":
            if argument.kind == "compare" and argument not in self.called and op.structure == "choose":
                return f"({self._comparison(argument)})", _OPERAND
            if is_python_number(argument) and all(map(is_python_number, call.inputs)):
                return self.of_number(self.text(argument)), _OPERAND
            if is_python_number(argument) and op.structure not in ("choose", "power"):
                return self.beside_arrays(self.text(argument)), _OPERAND
            return self.piece(argument)
        if argument.scalar and op.gives != "[]":
            reshape = structured_by("reshape")
            return self.filled(
                self.text_of(reshape), {"X": self.piece(argument), "sizes": ("1, 1", _OPERAND)}, reshape
            ), _OPERAND
        return self.piece(argument)

    def _word(self, kind: str, word: object) -> Piece:
        if isinstance(word, Dim):
            return self.size(word)
        if kind == "name":
            op = TABLE[str(word)]
            self._help(op)
            called = self.text_of(op).partition("(")[0]
            return called, _OPERAND
        return (f'"{word}"' if isinstance(word, str) else str(word)), _OPERAND

    def _help(self, op: Op) -> None:
        if self.end in op.helpers:
            self.helpers[op.helpers[self.end]] = ""

    def filled(self, template: str, values: Mapping[str, Piece], op: Op, key: str = "") -> str:
        """A text of the table with its places filled; brackets only where the place needs them."""
        if not key:
            self._help(op)
        if not self.like and "{like}" in template:
            template = re.sub(r", (dtype|device)=\{like\}\.\w+", "", template)

        def put(found: re.Match[str]) -> str:
            name = found.group(1)
            if name == "like":
                return self.like or "0.0"
            text, own = values[name]
            before, after = template[: found.start()][-1:], template[found.end() :][:1]
            apart = template[: found.start()].endswith(("(", ", ", "=", "[")) and after in (")", ",", "]")
            return (
                text
                if own == _OPERAND and not (after == "." and text[-1:].isdigit()) or apart and before != "*"
                else f"({text})"
            )

        return _PLACE.sub(put, template)


def _number_factor(c: Fraction) -> tuple[int, int]:
    return c.numerator, c.denominator


def _over(top: list[str], bottom: list[str]) -> str:
    text = "*".join(top) or "1"
    if not bottom:
        return text
    return (
        f"{text}/{bottom[0]}"
        if len(bottom) == 1 and "*" not in _outside_brackets(bottom[0]).replace("**", "")
        else f"{text}/({'*'.join(bottom)})"
    )


def _outside_brackets(text: str) -> str:
    out, depth = "", 0
    for c in text:
        depth += c in "(["
        out += c if not depth else ""
        depth -= c in ")]"
    return out


def _decimal(value: Fraction) -> Piece:
    """A number as Python writes it."""
    if value.denominator == 1:
        return str(value.numerator), _OPERAND if value >= 0 else _MINUS
    text = repr(float(value))
    if Fraction(text) == value and len(text) < 12:
        return text, _OPERAND if value >= 0 else _MINUS
    return f"{value.numerator}/{value.denominator}", _PRODUCT


class NumpyWriter(Writer):
    """NumPy, and SciPy where NumPy has no such function."""


class JaxWriter(Writer):
    end, library = "jax", "jnp"
    imports = ("import jax", "import jax.numpy as jnp")


class TorchWriter(Writer):
    end, library = "torch", "torch"
    imports = ("import torch",)

    def as_floats(self, text: str, node: Node) -> str:
        return f"({text}).to({self.like}.dtype)" if self.like else f"1.0*({text})"

    def dot(self, a: str, b: str) -> str:
        return f"torch.sum({a if a.isidentifier() else f'({a})'}*{b if b.isidentifier() else f'({b})'})"

    def of_number(self, text: str) -> str:
        return f"torch.tensor(float({text}), dtype=torch.float64)"

    def beside_arrays(self, text: str) -> str:
        return f"torch.tensor({text}, dtype={self.like}.dtype)" if self.like else self.of_number(text)


WRITERS: dict[str, type[Writer]] = {w.end: w for w in (NumpyWriter, JaxWriter, TorchWriter)}
ONE_AXIS = ONE
