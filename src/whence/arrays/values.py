"""A formula's value at given arrays, in float64.

Arrays as the language has them: a number has no axes, a column is n x 1, every other array has at least two axes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from whence.arrays.table_texts import NotCarriedOut, Several, call
from whence.messages.errors import RefusedError
from whence.ops.entry import Op
from whence.ops.signature import Parameter, signature
from whence.ops.table import CONSTANTS, TABLE, structured_by
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
from whence.read.vocabulary import PRIME
from whence.shapes.dims import Dim

if TYPE_CHECKING:
    from numpy import ndarray as Array

    from whence.arrays.rounding import Rounding

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
MEMORY = 1 << 29  # bytes of values that are kept
NOTHING: Mapping[str, Any] = {}


class Values:
    """Evaluates formulas over named arrays. Parts of formulas that are the same object are evaluated once."""

    def __init__(
        self,
        names: Mapping[str, Array],
        sizes: Mapping[str, int],
        defined: Mapping[str, Function] | None = None,
        rounding: Rounding | None = None,
    ) -> None:
        self.names: dict[str, Array] = dict(names)
        self.sizes, self.defined, self.rounding = sizes, defined or {}, rounding
        self.known: dict[int, tuple[Expr, Array]] = {}
        self._kept = 0

    def of(self, formula: Expr, changed: Mapping[str, Array] = NOTHING, keep: bool = True) -> Array:
        """The value of a formula, where the names `changed` have other values. Parts without them are kept.

        Raises RefusedError `no-value` where a function has no value here.
        """
        todo: list[tuple[Expr, int]] = [(formula, -1)]
        values: list[tuple[Array, bool]] = []  # with whether it depends on what is changed
        while todo:
            node, count = todo.pop()
            if count < 0:
                found = None if changed else self.known.get(id(node))
                if found is not None:
                    values.append((found[1], False))
                    continue
                parts = _parts(node)
                todo.append((node, len(parts)))
                todo.extend([(part, -1) for part in reversed(parts)])
                continue
            given = values[len(values) - count :]
            del values[len(values) - count :]
            new = changed.get(node.id) if isinstance(node, Name) else None
            moved = new is not None or any(m for _, m in given)
            found = None if moved else self.known.get(id(node))
            if found is None:
                value = self._value(node, [v for v, _ in given]) if new is None else new
                if keep and not moved:
                    self._keep(node, value)
            else:
                value = found[1]
            values.append((value, moved))
        return values[0][0]

    def _keep(self, node: Expr, value: Array) -> None:
        if self._kept + value.nbytes <= MEMORY:
            self._kept += value.nbytes
            self.known[id(node)] = (node, value)

    def _value(self, node: Expr, given: list[Array]) -> Array:
        import numpy as np

        if isinstance(node, Name):
            return self._named(node.id)
        if isinstance(node, Number):
            return np.asarray(float(node.value))
        if isinstance(node, Negative):
            return -given[0]
        if isinstance(node, Transpose):
            return given[0] if given[0].ndim < 2 else given[0].swapaxes(-1, -2)
        if isinstance(node, Index):
            return self._indexed(node, given[0])
        if self.rounding is not None:
            given = self.rounding.before(node, given)
        value = self._applied(node, given)
        if self.rounding is None:
            return value
        return self.rounding.after(node, value, given, lambda x: self._applied(node, x))

    def _applied(self, node: Expr, given: list[Array]) -> Array:
        if isinstance(node, Binary):
            return _binary(node.operator, *given)
        if isinstance(node, Compare):
            return simple(_COMPARE[node.operator](*beside(*given)).astype(float))
        if isinstance(node, Call):
            return self._called(node, given)
        raise _no_value("a word in the wrong place")

    def _named(self, name: str) -> Array:
        import numpy as np

        if name in self.names:
            return self.names[name]
        if name in self.sizes:
            return np.asarray(float(self.sizes[name]))
        if name in CONSTANTS:
            return np.asarray(float(getattr(np, CONSTANTS[name])))
        raise _no_value(name)

    def whole(self, node: Expr) -> int:
        """A whole number that the sizes fix."""
        value = float(self.of(node))
        if value != int(value):
            raise _no_value(f"a size of {value}")
        return int(value)

    def _indexed(self, node: Index, x: Array) -> Array:
        places: list[Any] = []
        matrix = x.ndim == 2
        for place, n in zip(node.places, x.shape if len(node.places) == x.ndim else (x.size,), strict=True):
            if isinstance(place, Range):
                low, high = (None if b is None else self.whole(b) for b in (place.low, place.high))
                places.append(slice(low, high))
            else:
                k = self.whole(place) % n
                places.append(slice(k, k + 1) if matrix else k)
        if len(places) < x.ndim:
            places = [places[0], slice(None)] if x.shape[1] == 1 else [slice(None), places[0]]
        found = x[tuple(places)]
        return simple(found.reshape(-1, 1) if found.ndim == 1 else found)

    # ------------------------------------------------------------ functions
    def _called(self, node: Call, given: list[Array]) -> Array:
        function = self.defined.get(node.name)
        if function is not None:
            inner = Values({function.parameter: given[0]}, self.sizes, self.defined)
            return inner.of(function.body)
        op = TABLE.get(node.name)
        if op is not None:
            return self._from_table(op, node, given)
        op = TABLE.get(node.name.removesuffix(PRIME))
        if op is None or op.kind != "elementwise" or len(given) != 1:
            raise _no_value(node.name)
        return self._slope(op, given[0])

    def _slope(self, op: Op, x: Array) -> Array:
        """The derivative of an elementwise function: its differential, with 1 for the change."""
        import numpy as np

        if op.zero:
            return np.zeros_like(x)
        names = {"X": x, "Y": self._carried_out(op, {"X": x}), "δX": np.ones_like(x)}
        return Values(names, self.sizes).of(_parsed(op.differential))

    def _from_table(self, op: Op, node: Call, given: list[Array]) -> Array:
        arguments = {k: self._static(v) for k, v in node.keywords}
        if not op.numpy or op.functions:
            raise _no_value(op.name)
        said = signature(op)
        ways = [w for w in said.ways if _fits(w.parameters, given)] or list(said.ways)
        left = list(given)
        rest = [a for a in node.arguments if not _is_array(node, a)]
        for p in ways[0].parameters:
            if p.kind == "array":
                arguments[p.name] = Several(left) if p.many else left.pop(0)
            elif p.kind == "letters":
                assert isinstance(rest[0], Text)
                arguments[p.name] = rest[0].value
                left = [_lettered(x, n) for x, n in zip(given, _counts(rest[0].value), strict=True)]
            elif p.many:
                arguments[p.name] = Several(self.whole(a) for a in rest)
            else:
                arguments[p.name] = self._static(rest.pop(0))
        if said.axis:
            arguments.setdefault("axis", said.axis_default)
        if said.axis and arguments["axis"] is None:  # of the whole: a number, or a mask of its shape
            value = self._carried_out(op, arguments)
            return value.reshape(()) if value.size == 1 else value
        if len(ways[0].parameters) > 1 and ways[0].rule == "broadcast":
            names = [p.name for p in ways[0].parameters]
            arguments |= dict(zip(names, beside(*(arguments[n] for n in names)), strict=True))
        batched = [p.name for p in ways[0].parameters if p.batched]
        if any(arguments[n].ndim > 2 for n in batched):
            return self._each_matrix(op, arguments, batched)
        return simple(self._carried_out(op, arguments))

    def _each_matrix(self, op: Op, arguments: dict[str, Any], batched: list[str]) -> Array:
        """A function of matrices, on each matrix of the last two axes."""
        import numpy as np

        lead = np.broadcast_shapes(*(arguments[n].shape[:-2] for n in batched))
        wide = {n: np.broadcast_to(arguments[n], (*lead, *arguments[n].shape[-2:])) for n in batched}
        found = [
            np.atleast_2d(self._carried_out(op, {**arguments, **{n: x[at] for n, x in wide.items()}}))
            for at in np.ndindex(*lead)
        ]
        return np.array(found).reshape(*lead, *found[0].shape)

    def _static(self, node: Expr) -> Any:
        return tuple(self.whole(item) for item in node.items) if isinstance(node, Tuple) else self.whole(node)

    @staticmethod
    def _carried_out(op: Op, arguments: dict[str, Any]) -> Array:
        import numpy as np

        try:
            value = np.asarray(call(op, arguments), dtype=float)
        except (NotCarriedOut, np.linalg.LinAlgError) as fault:
            raise _no_value(f"{op.name}: {fault}") from None
        return value.reshape(-1, 1) if value.ndim == 1 else value


def _no_value(found: str) -> RefusedError:
    return RefusedError("no-value", found=found)


def _parsed(text: str) -> Expr:
    from whence.verify.texts import parsed

    return parsed(text)


def _is_array(node: Call, argument: Expr) -> bool:
    """Is this argument an array, and not a size, letters or an order?"""
    if isinstance(argument, Text | Tuple):
        return False
    op = TABLE.get(node.name)
    if op is None:
        return True
    parameters = signature(op).ways[0].parameters
    k = next(k for k, a in enumerate(node.arguments) if a is argument)
    return parameters[min(k, len(parameters) - 1)].kind == "array"


def _parts(node: Expr) -> list[Expr]:
    """The parts of a node that are arrays."""
    if isinstance(node, Binary | Compare):
        return [node.left, node.right]
    if isinstance(node, Negative | Transpose | Index):
        return [node.operand]
    return [a for a in node.arguments if _is_array(node, a)] if isinstance(node, Call) else []


def _fits(parameters: tuple[Parameter, ...], given: list[Array]) -> bool:
    """Have the arrays the axes that a way to call the function asks for?"""
    arrays = [p for p in parameters if p.kind == "array"]
    if any(p.many for p in arrays) or len(arrays) != len(given):
        return any(p.many for p in arrays)
    return all(
        p.sizes is None or len(p.sizes) == (1 if x.ndim == 2 and 1 in x.shape else 2)
        for p, x in zip(arrays, given, strict=True)
    )


def _counts(letters: str) -> list[int]:
    return [len(word.strip()) for word in letters.split("->")[0].split(",")]


def _lettered(x: Array, count: int) -> Array:
    """The array with as many axes as it has letters: axes of length 1 go, the last first."""
    while x.ndim > count:
        axis = max(k for k, n in enumerate(x.shape) if n == 1)
        x = x.squeeze(axis)
    return x


def simple(x: Array) -> Array:
    """A 1 x 1 matrix is a number."""
    return x.reshape(()) if x.ndim == 2 and x.size == 1 else x


def beside(*arrays: Array) -> list[Array]:
    """As arrays that broadcast: a column that meets a tensor is its last axis."""
    if max(x.ndim for x in arrays) < 3:
        return list(arrays)
    return [x.reshape(-1) if x.ndim == 2 and x.shape[1] == 1 else x for x in arrays]


def _binary(operator: str, a: Array, b: Array) -> Array:
    if operator == "@":
        return simple(a @ b)
    a, b = beside(a, b)
    if operator == "+":
        return a + b
    if operator == "-":
        return a - b
    if operator == "*":
        return a * b
    return a / b if operator == "/" else a**b


def size_values(shapes: Mapping[str, tuple[Dim, ...]], arrays: Mapping[str, Array]) -> dict[str, int]:
    """The values of the dimension symbols at the arrays. Raises RefusedError `array-shape` where they do not fit."""
    sizes: dict[str, int] = {}
    for _ in range(2):  # H*k is read off once H is known
        for name, shape in shapes.items():
            for dim, n in zip(shape, _axes(name, arrays[name], shape), strict=True):
                _read_off(sizes, dim, n)
    for name, shape in shapes.items():
        found = _axes(name, arrays[name], shape)
        known = [set(d.symbols) <= sizes.keys() for d in shape]
        wanted = tuple(d.value(sizes) if k else n for k, d, n in zip(known, shape, found, strict=True))
        if wanted != tuple(found):
            raise misfit(name, found, wanted)
    return sizes


def _read_off(sizes: dict[str, int], dim: Dim, n: int) -> None:
    open_symbols = [s for s in dim.symbols if s not in sizes]
    if len(open_symbols) != 1:
        return
    rest = dim.substitute({s: Dim.parse(k) for s, k in sizes.items()}).divided_by(Dim.symbol(open_symbols[0]))
    if rest is not None and rest.number and n % rest.number == 0:
        sizes[open_symbols[0]] = n // rest.number


def _axes(name: str, x: Array, shape: tuple[Dim, ...]) -> tuple[int, ...]:
    """The lengths of the array's axes as the declared shape has them: a vector may have one axis."""
    if x.ndim == len(shape):
        return x.shape
    ones = [d.number == 1 for d in shape]
    long = [n for n in x.shape if n != 1]
    if x.size == prod(long) and len(long) <= len(shape) - sum(ones):
        free = iter(x.shape if x.ndim == len(shape) - sum(ones) else long)
        found = tuple(1 if one else next(free, 1) for one in ones)
        if prod(found) == x.size:
            return found
    raise misfit(name, x.shape, shape)


def misfit(name: str, found: tuple[object, ...], wanted: tuple[object, ...]) -> RefusedError:
    return RefusedError("array-shape", found=f"{name} {_shape(found)}", expected=_shape(wanted))


def _shape(shape: tuple[object, ...]) -> str:
    return " x ".join(map(str, shape)) or "a number"


def as_declared(name: str, x: Array, shape: tuple[Dim, ...], sizes: Mapping[str, int]) -> Array:
    """An array that was handed in, in the shape that the model gives it."""
    found = _axes(name, x, shape)
    wanted = tuple(d.value(sizes) for d in shape)
    if found != wanted:
        raise misfit(name, x.shape, wanted)
    return simple(x.reshape(wanted).astype(float)) if len(wanted) < 3 else x.reshape(wanted).astype(float)


def total_of(tree: Expr) -> Expr:
    """The sum of all entries."""
    return Call(structured_by("sum").name, (tree,))
